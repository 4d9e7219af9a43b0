/**
 * One `ip -4` or `ip -6 -force -batch -` that stays open, so that a change of routes costs no process. `ip` says nothing when a line
 * succeeded; behind each line goes a word that it does not know, and its complaint about the word says that the line is done.
 * What was complained about before that belongs to the line. Needs iproute2 (`ip-full` or `ip-tiny`); busybox's `ip` knows no -batch.
 */
import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { MeshBoxError } from '../../../base/index.ts'
import type { Cancel, Timers } from '../../../base/index.ts'

const TIMEOUT_MS = 2000
const MAX_COMPLAINT_CHARS = 4096

interface Waiting {
  readonly line: string
  readonly word: string
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  readonly cancel: Cancel
  complaints: string
}

export interface IpBatchParts {
  /** `['ip', '-4']`, or with what goes before it. */
  readonly command: readonly string[]
  readonly timers: Timers
}

export class IpBatch {
  readonly #parts: IpBatchParts
  readonly #waiting: Waiting[] = []
  #child: ChildProcessWithoutNullStreams | null = null
  #rest = ''
  #words = 0

  constructor(parts: IpBatchParts) {
    this.#parts = parts
  }

  /**
   * Resolves when the kernel has it. Errors: `unavailable` `ip-refused` with ip's own words, `ip-gone`: the process died or did not
   * answer in time, and whether the line was carried out is not known. The next line starts another.
   */
  run(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = this.#child ?? this.#start()
      const word = `meshbox_done_${++this.#words}`
      const cancel = this.#parts.timers.after(TIMEOUT_MS, () => this.#gone(child, 'does not answer'))
      this.#waiting.push({ line, word, resolve, reject, cancel, complaints: '' })
      child.stdin.write(`${line}\n${word}\n`)
    })
  }

  /** Lines that wait are refused. What the kernel has stays. */
  close(): void {
    if (this.#child !== null) this.#gone(this.#child, 'was closed')
  }

  #start(): ChildProcessWithoutNullStreams {
    const [program = '', ...args] = this.#parts.command
    const child = spawn(program, [...args, '-force', '-batch', '-'], { stdio: 'pipe', env: { ...process.env, LC_ALL: 'C' } })
    child.once('error', (error) => this.#gone(child, `could not be started: ${error.message}`))
    child.once('close', (code, signal) => this.#gone(child, `ended (${signal ?? code ?? 'unknown'})`))
    child.stdin.on('error', () => undefined) // a broken pipe: 'close' tells it
    child.stdout.resume()
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      if (this.#child === child) this.#heard(chunk)
    })
    this.#rest = ''
    this.#child = child
    return child
  }

  #heard(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n')
    this.#rest = (lines.pop() ?? '').slice(-MAX_COMPLAINT_CHARS)
    for (const line of lines) {
      const first = this.#waiting[0]
      if (first === undefined) continue
      if (!line.includes(`"${first.word}"`)) {
        if (!line.startsWith('Command failed')) first.complaints = `${first.complaints} ${line}`.trim().slice(0, MAX_COMPLAINT_CHARS)
        continue
      }
      this.#waiting.shift()
      first.cancel()
      if (first.complaints === '') first.resolve()
      else first.reject(new MeshBoxError('unavailable', `ip refused "${first.line}": ${first.complaints}`, { code: 'ip-refused', value: first.line }))
    }
  }

  #gone(child: ChildProcessWithoutNullStreams, why: string): void {
    if (this.#child !== child) return
    this.#child = null
    child.kill('SIGKILL')
    for (const each of this.#waiting.splice(0)) {
      each.cancel()
      each.reject(new MeshBoxError('unavailable', `${this.#parts.command.join(' ')} ${why}`, { code: 'ip-gone', value: each.line }))
    }
  }
}
