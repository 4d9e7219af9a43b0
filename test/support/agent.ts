/** A traffic maker inside a namespace (agent.py): packets, streams and raw frames on request. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'
import type { Namespace } from './netns.ts'

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), 'agent.py')

export interface UdpResult {
  readonly ok: boolean
  /** `timeout`, or the error an ICMP message made: EHOSTUNREACH, EACCES, ECONNREFUSED. */
  readonly error?: string
  readonly bytes?: number
}

export interface Train {
  /** When each packet was sent (CLOCK_MONOTONIC, ms); negative when the kernel refused to send it. */
  readonly sent: readonly number[]
  readonly echoed: readonly number[]
}

export interface Received {
  readonly packets: number
  readonly bytes: number
  readonly first_ms: number
  readonly last_ms: number
}

export class Agent {
  readonly #send: (line: string) => void
  readonly #waiting = new Map<number, { resolve: (answer: Record<string, unknown>) => void; reject: (error: Error) => void; onRunning?: () => void }>()
  #ids = 0

  private constructor(send: (line: string) => void) {
    this.#send = send
  }

  static async start(ns: Namespace): Promise<Agent> {
    const child = ns.spawn('python3', ['-u', SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] })
    const agent = new Agent((line) => child.stdin?.write(line))
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => {
        const error = new Error(`the agent in ${ns.name} ended with ${code}`)
        reject(error)
        for (const waiting of agent.#waiting.values()) waiting.reject(error)
      })
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
        const answer = JSON.parse(line) as Record<string, unknown> & { id: number; event?: string }
        if (answer.event === 'ready') return resolve()
        const waiting = agent.#waiting.get(answer.id)
        if (answer.event === 'running') return waiting?.onRunning?.()
        agent.#waiting.delete(answer.id)
        if (typeof answer['failed'] === 'string') waiting?.reject(new Error(answer['failed']))
        else waiting?.resolve(answer)
      })
    })
    return agent
  }

  call<T>(what: string, ask: Record<string, unknown> = {}, onRunning?: () => void): Promise<T> {
    const id = ++this.#ids
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: (answer) => resolve(answer as T), reject, ...(onRunning ? { onRunning } : {}) })
      this.#send(`${JSON.stringify({ id, do: what, ...ask })}\n`)
    })
  }

  udp(dst: string, port: number, ask: { size?: number; timeout_ms?: number; text?: string; src?: string; sport?: number } = {}): Promise<UdpResult> {
    return this.call('udp', { dst, port, ...ask })
  }

  /** A steady train of packets; `started` resolves with the first. */
  train(dst: string, port: number, ask: { for_ms: number; interval_ms?: number; size?: number; linger_ms?: number; src?: string }): { started: Promise<void>; done: Promise<Train> } {
    let begun: () => void = () => undefined
    const started = new Promise<void>((resolve) => { begun = resolve })
    return { started, done: this.call<Train>('udp_train', { dst, port, ...ask }, begun) }
  }

  async tcp(dst: string, port: number, ask: { timeout_ms?: number; request?: string } = {}): Promise<{ result: string; text?: string }> {
    return this.call('tcp', { dst, port, ...ask })
  }

  async open(conn: string, dst: string, port: number): Promise<string> {
    return (await this.call<{ result: string }>('tcp_open', { conn, dst, port })).result
  }

  echo(conn: string, timeoutMs = 400): Promise<{ ok: boolean; error?: string }> {
    return this.call('tcp_echo', { conn, timeout_ms: timeoutMs })
  }

  async received(): Promise<Record<string, Received>> {
    return (await this.call<{ from: Record<string, Received> }>('received')).from
  }

  async frames(frames: readonly Buffer[], intervalMs = 0): Promise<void> {
    await this.call('frames', { frames: frames.map((frame) => frame.toString('hex')), interval_ms: intervalMs })
  }

  /** Frames that come in while `work` runs, and a moment longer. */
  async sniff(work: () => Promise<unknown>, device = 'eth0'): Promise<Buffer[]> {
    const name = `sniff${++this.#ids}`
    await this.call('sniff', { name, dev: device })
    await work()
    await new Promise((resolve) => setTimeout(resolve, 120)) // frames on their way
    const { frames } = await this.call<{ frames: string[] }>('sniffed', { name })
    return frames.map((text) => Buffer.from(text, 'hex'))
  }
}
