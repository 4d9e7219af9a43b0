/**
 * Owner's JavaScript in a process of its own: one job at a time, a bounded queue, killed when it does not answer. Its memory is bounded by the
 * kernel (RLIMIT_DATA, set by the shell that becomes it), the kernel takes it first when the box runs out of memory, and Node's permission
 * model keeps it from files and other programs. Started with the first job, ended when nothing was asked for a while.
 */
import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { dirname } from 'node:path'
import { MeshBoxError, asError } from '../../../base/index.ts'
import type { Cancel, Timers } from '../../../base/index.ts'
import { PATIENCE } from './sandbox-text.ts'
import type { CodecAnswer, CodecCall } from './sandbox-text.ts'

export interface CodecProcessOptions {
  /** codec.cjs beside the service, codec-child.ts in a source tree. It may read the folder it lies in, and nothing else. */
  readonly entryFile: string
  /** Default: the Node that runs the service. */
  readonly nodePath?: string
  /** Whom it becomes; it must be able to read the entry file. Null: the service's own user. On a box the service is root, and this should be nobody. */
  readonly asUser: { readonly uid: number; readonly gid: number } | null
  readonly timers: Timers
  /** CPU time of one call. Default 50. */
  readonly limitMs?: number
  /** With the 45 MiB that Node itself uses. Default 96. */
  readonly maxDataMib?: number
  /** Default 300,000. */
  readonly idleMs?: number
  readonly onRestart?: (why: string) => void
}

export interface JavaScript {
  /** JSON text of what the codec returned: `{made}` or `{failed}`. Errors: unavailable with the reason; limit when 64 wait. */
  run(source: string, call: CodecCall | 'check', input: string): Promise<string>
  close(): Promise<void>
}

interface Waiting {
  readonly source: string
  readonly call: CodecCall | 'check'
  readonly input: string
  readonly resolve: (made: string) => void
  readonly reject: (error: MeshBoxError) => void
}

interface Child {
  readonly process: ChildProcessWithoutNullStreams
  readonly exited: Promise<void>
  isReady: boolean
  unread: string
}

const MAX_WAITING = 64
/** An old ARM board under load needs seconds. */
const START_MS = 20_000
/** For making the context, on top of the codec's own time. */
const GRACE_MS = 2_000
const LOSSES_BEFORE_REST = 3
const FIRST_REST_MS = 5_000
const LONGEST_REST_MS = 600_000
const MAX_LINE = 256 * 1024
/** No core file; the kernel's limit; first to go. What cannot be bounded is not run. */
const SHELL = 'ulimit -c 0 && ulimit -d "$1" && echo 1000 > /proc/self/oom_score_adj && shift && exec "$@"'

export function createCodecProcess(options: CodecProcessOptions): JavaScript {
  return new CodecProcess(options)
}

class CodecProcess implements JavaScript {
  readonly #options: CodecProcessOptions
  readonly #queue: Waiting[] = []
  #child: Child | null = null
  #running: (Waiting & { readonly job: number }) | null = null
  /** Codecs that used up their time or memory lately, and how often in a row: each start costs a small board half a second of its processor. */
  readonly #losses = new Map<string, number>()
  readonly #resting = new Map<string, Cancel>()
  #jobs = 0
  #isClosed = false
  #cancelDeadline: Cancel = () => undefined
  #cancelIdle: Cancel = () => undefined

  constructor(options: CodecProcessOptions) {
    this.#options = options
  }

  run(source: string, call: CodecCall | 'check', input: string): Promise<string> {
    if (this.#isClosed) return Promise.reject(unavailable('codecs are closed'))
    if (this.#resting.has(source) && call !== 'check') return Promise.reject(unavailable(`the codec used up its time or its memory ${this.#losses.get(source) ?? 0} times in a row; it rests`))
    if (this.#queue.length >= MAX_WAITING) return Promise.reject(new MeshBoxError('limit', `${MAX_WAITING} calls of codecs wait already`, { code: 'codec-busy', retryAfterSeconds: 1 }))
    return new Promise((resolve, reject) => {
      this.#queue.push({ source, call, input, resolve, reject })
      this.#next()
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelIdle()
    for (const cancel of this.#resting.values()) cancel()
    for (const waiting of this.#queue.splice(0)) waiting.reject(unavailable('codecs are closed'))
    const child = this.#child
    this.#lose('codecs are closed')
    await child?.exited
  }

  #next(): void {
    if (this.#running !== null) return
    const waiting = this.#queue.shift()
    if (waiting === undefined) return this.#rest()
    this.#cancelIdle()
    this.#running = { ...waiting, job: ++this.#jobs }
    this.#child ??= this.#start()
    if (this.#child.isReady) this.#send()
    else this.#within(START_MS, `did not start within ${START_MS / 1_000} s`)
  }

  #send(): void {
    const running = this.#running
    if (running === null || this.#child === null) return
    const limitMs = this.#limitMs
    // Its body and its call, each as often as they may be tried.
    this.#within(2 * limitMs * PATIENCE.reduce((sum, times) => sum + times, 0) + GRACE_MS, `took more than ${limitMs} ms`)
    this.#child.process.stdin.write(`${JSON.stringify({ job: running.job, source: running.source, call: running.call, input: running.input, limitMs })}\n`)
  }

  #rest(): void {
    this.#cancelIdle()
    if (this.#child === null || this.#isClosed) return
    this.#cancelIdle = this.#options.timers.after(this.#options.idleMs ?? 300_000, () => {
      if (this.#running === null) this.#end()
    })
  }

  #start(): Child {
    const { entryFile, nodePath = process.execPath, maxDataMib = 96, asUser } = this.#options
    const flags = ['--max-old-space-size=32', '--max-semi-space-size=1', '--disallow-code-generation-from-strings', '--permission', '--no-warnings', `--allow-fs-read=${dirname(entryFile)}/*`]
    const started = spawn('/bin/sh', ['-c', SHELL, 'sh', String(maxDataMib * 1_024), nodePath, ...flags, entryFile], { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'pipe'], ...asUser })
    const exited = new Promise<void>((resolve) => started.once('close', () => resolve()).once('error', () => resolve()))
    const child: Child = { process: started, exited, isReady: false, unread: '' }
    started.stdout.setEncoding('utf8').on('data', (text: string) => this.#hear(child, text))
    // What V8 says when it dies of memory: only read, so that the pipe never fills.
    started.stderr.resume()
    const died = (why: string): void => {
      if (child === this.#child) this.#lose(why)
    }
    started.stdin.on('error', () => died('its process ended'))
    started.on('error', (error) => died(`its process cannot be started: ${error.message}`))
    started.on('exit', (code, signal) => died(child.isReady ? `used more memory than it may, or its process was ended (${signal ?? code})` : `its process cannot be started (${signal ?? code})`))
    return child
  }

  #hear(child: Child, text: string): void {
    if (child !== this.#child) return
    child.unread += text
    for (let end = child.unread.indexOf('\n'); end >= 0 && child === this.#child; end = child.unread.indexOf('\n')) {
      const line = child.unread.slice(0, end)
      child.unread = child.unread.slice(end + 1)
      this.#take(child, line)
    }
    if (child.unread.length > MAX_LINE) this.#lose('its process says too much')
  }

  #take(child: Child, line: string): void {
    const answer = answerOf(line)
    if (answer === null) return this.#lose('its process says what is no answer')
    if (!child.isReady) {
      child.isReady = true
      return this.#send()
    }
    const running = this.#running
    if (running === null || answer.job !== running.job) return this.#lose('its process answers what was not asked')
    this.#running = null
    this.#cancelDeadline()
    if (answer.isLast === true) {
      this.#end()
      if ('failed' in answer) this.#rested(running.source)
    } else this.#losses.delete(running.source)
    running.resolve('made' in answer ? answer.made : JSON.stringify({ failed: answer.failed }))
    this.#next()
  }

  #within(ms: number, why: string): void {
    this.#cancelDeadline()
    this.#cancelDeadline = this.#options.timers.after(ms, () => this.#lose(why))
  }

  #end(): void {
    this.#child?.process.kill('SIGKILL')
    this.#child = null
  }

  /** The process is given up, and with it the job that ran; the next job starts another. */
  #lose(why: string): void {
    const running = this.#running
    this.#running = null
    this.#cancelDeadline()
    this.#end()
    running?.reject(unavailable(`the codec ${why}`))
    if (this.#isClosed) return
    if (running !== null) this.#rested(running.source)
    this.#options.onRestart?.(why)
    this.#next()
  }

  /** The third time in a row, and each after it, longer each time. */
  #rested(source: string): void {
    const losses = (this.#losses.get(source) ?? 0) + 1
    if (this.#losses.size >= MAX_WAITING) this.#losses.clear()
    this.#losses.set(source, losses)
    if (losses < LOSSES_BEFORE_REST) return
    this.#resting.get(source)?.()
    const restMs = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** Math.min(losses - LOSSES_BEFORE_REST, 10))
    this.#resting.set(source, this.#options.timers.after(restMs, () => this.#resting.delete(source)))
  }

  get #limitMs(): number {
    return this.#options.limitMs ?? 50
  }
}

function answerOf(line: string): CodecAnswer | null {
  try {
    const value = JSON.parse(line) as Partial<Record<'job' | 'made' | 'failed' | 'isLast', unknown>> | null
    if (typeof value?.job !== 'number') return null
    const isLast = value.isLast === true
    if (typeof value.made === 'string') return { job: value.job, made: value.made, isLast }
    return typeof value.failed === 'string' ? { job: value.job, failed: value.failed, isLast } : null
  } catch (thrown) {
    if (asError(thrown) instanceof SyntaxError) return null
    throw thrown
  }
}

function unavailable(message: string): MeshBoxError {
  return new MeshBoxError('unavailable', message, { code: 'codec-failed' })
}
