/**
 * A tool kept running with its commands on stdin (`nft -i`, `tc -force -batch -`). Such tools say nothing when a
 * command succeeded, so behind every command goes a word they do not know: when the complaint about it comes
 * back, the command before it is done, and whatever was complained about in between belongs to that command.
 *
 * One exchange at a time, in order. A process that died is started again for the next exchange, after a pause
 * that grows while it keeps dying.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { Timers } from '../../../base/index.ts'

export interface BarrierOptions {
  readonly command: readonly string[]
  readonly timers: Timers
  /** Does this line of stderr answer the barrier with this word? */
  readonly isBarrier: (line: string, word: string) => boolean
  /** Lines of the complaint about the word that come before that line. */
  readonly linesBeforeBarrier: number
  /** Lines that say nothing by themselves, such as marks under a word. */
  readonly isNoise: (line: string) => boolean
  readonly onStart?: (pid: number) => void
  /** The process is replaced after so many exchanges: these tools keep a history of what they were told. */
  readonly maxExchanges?: number
  readonly timeoutMs?: number
}

export interface Exchange {
  /** Lines of stderr that belong to the command, those of the barrier left out. */
  readonly errors: readonly string[]
  /** Lines of stdout, for `reads`. */
  readonly output: readonly string[]
}

/** The process died or did not answer in time: whether the command was carried out is not known. */
export class ProcessGone extends Error {
  override readonly name = 'ProcessGone'
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 5000
const TIMEOUT_MS = 5000
/** A command's complaints, cut there: an error echoes the command, which can be long. */
const MAX_ERROR_LINES = 200

export class BarrierProcess {
  readonly #options: BarrierOptions
  #child: Child | null = null
  #lane: Promise<unknown> = Promise.resolve()
  #words = 0
  #exchanges = 0
  #pauseMs = 0
  #running: { onError(line: string): void; onOutput(line: string): void; onGone(why: string): void } | null = null
  #lastWords: string[] = []
  #closed = false

  constructor(options: BarrierOptions) {
    this.#options = options
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Sends one command (a line) and waits until it is done. `reads`: also wait for one line on stdout, if it did not fail. */
  exchange(line: string, reads = false): Promise<Exchange> {
    const result = this.#lane.then(() => this.#exchange(line, reads))
    this.#lane = result.catch(() => undefined) // the caller has the rejection; the lane goes on
    return result
  }

  /** Ends the process after what was sent. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#lane
    this.#child?.stdin.end()
    this.#child = null
  }

  async #exchange(line: string, reads: boolean): Promise<Exchange> {
    if (this.#closed) throw new ProcessGone(`${this.#name} was closed`)
    const child = this.#child ?? (await this.#start())
    const word = `meshbox_done_${++this.#words}`
    try {
      const result = await this.#roundTrip(child, line, word, reads)
      this.#pauseMs = 0
      if (++this.#exchanges >= (this.#options.maxExchanges ?? Number.POSITIVE_INFINITY)) this.#retire(child)
      return result
    } catch (error) {
      this.#kill(child)
      throw error
    }
  }

  #roundTrip(child: Child, line: string, word: string, reads: boolean): Promise<Exchange> {
    return new Promise((resolve, reject) => {
      const errors: string[] = []
      const output: string[] = []
      let isDone = false
      const finish = (act: () => void): void => {
        this.#running = null
        cancel()
        act()
      }
      const settle = (): void => {
        if (isDone && (!reads || errors.length > 0 || output.length > 0)) finish(() => resolve({ errors, output }))
      }
      const cancel = this.#options.timers.after(this.#options.timeoutMs ?? TIMEOUT_MS, () =>
        finish(() => reject(new ProcessGone(`${this.#name} did not answer in time`))),
      )
      this.#running = {
        onError: (text) => {
          if (this.#options.isNoise(text)) return
          if (this.#options.isBarrier(text, word)) {
            isDone = true
            errors.splice(Math.max(0, errors.length - this.#options.linesBeforeBarrier))
          } else if (!isDone) errors.push(text)
          if (errors.length > MAX_ERROR_LINES) errors.splice(MAX_ERROR_LINES / 2, 1) // the head and the newest
          settle()
        },
        onOutput: (text) => {
          output.push(text)
          settle()
        },
        onGone: (why) => finish(() => reject(new ProcessGone(why))),
      }
      child.stdin.write(`${line}\n${word}\n`)
    })
  }

  async #start(): Promise<Child> {
    if (this.#pauseMs > 0) await new Promise<void>((resolve) => this.#options.timers.after(this.#pauseMs, resolve))
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, this.#pauseMs * 2))
    this.#lastWords = []
    this.#exchanges = 0
    const [program = '', ...args] = this.#options.command
    // nft writes its history into the home folder; there shall be none. Messages are read, so in English.
    const child: Child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, HOME: '/dev/null', LC_ALL: 'C' } })
    const gone = (why: string): void => {
      if (this.#child === child) this.#child = null
      if (this.#child === null) this.#running?.onGone(why)
    }
    child.once('error', (error) => gone(`${this.#name} could not be started: ${error.message}`))
    // After the pipes are drained, so that last words are heard.
    child.once('close', (code, signal) => gone(`${this.#name} ended (${signal ?? code ?? 'unknown'})${this.#lastWords.length > 0 ? `: ${this.#lastWords.join(' ')}` : ''}`))
    child.stdin.on('error', () => undefined) // a broken pipe: 'close' tells it
    eachLine(child.stderr, (line) => {
      if (this.#child !== child) return
      this.#lastWords = [...this.#lastWords.slice(-2), line.slice(0, 200)]
      this.#running?.onError(line)
    })
    eachLine(child.stdout, (line) => {
      if (this.#child === child) this.#running?.onOutput(line)
    })
    this.#child = child
    if (child.pid !== undefined) this.#options.onStart?.(child.pid)
    return child
  }

  #retire(child: Child): void {
    child.stdin.end()
    if (this.#child === child) this.#child = null
  }

  #kill(child: Child): void {
    child.kill('SIGKILL')
    if (this.#child === child) this.#child = null
  }

  get #name(): string {
    return this.#options.command.join(' ')
  }
}

/** Calls back for each line; one longer than 64 MiB ends the stream. */
export function eachLine(stream: Readable, onLine: (line: string) => void): void {
  const parts: string[] = []
  let length = 0
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const lines = chunk.split('\n')
    const last = lines.pop() ?? ''
    for (const [index, line] of lines.entries()) {
      onLine(index === 0 && parts.length > 0 ? parts.join('') + line : line)
      if (index === 0) {
        parts.length = 0
        length = 0
      }
    }
    if (last === '') return
    parts.push(last)
    length += last.length
    if (length > LONGEST_LINE) stream.destroy(new Error('a line is too long'))
  })
  stream.on('error', () => undefined) // the process's end is told by 'close'
}

const LONGEST_LINE = 64 * 1024 * 1024
