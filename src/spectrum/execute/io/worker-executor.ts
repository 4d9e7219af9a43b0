/**
 * The Executor in a thread of its own: the main thread only encodes, waits and reads nodes for proofs from the same
 * file. One job at a time and bounded queues: blocks first, then calls, and pruning in small steps when nothing waits. A thread that
 * dies, or does not end a job in time, costs that job ('unavailable') and is started anew for the next.
 */
import { Worker } from 'node:worker_threads'
import { MeshBoxError, asError } from '../../../base/index.ts'
import type { Cancel, Timers } from '../../../base/index.ts'
import type { Hash } from '../../codec/fields.ts'
import { decodeHeader, encodeHeader } from '../../codec/header.ts'
import type { Header } from '../../codec/header.ts'
import type { Network } from '../../network/network.ts'
import type { Executor } from '../../ports.ts'
import { builtOf } from '../built.ts'
import type { FetchNodes } from '../node-source.ts'
import { restoreAll } from '../restore.ts'
import { buffersOf, packBlock, packDraft, packError, unpackError, unpackReceipts } from '../worker-messages.ts'
import type { Answer, Ask, FromWorker, Job, Results, ToWorker, WorkerSettings } from '../worker-messages.ts'
import { openStateReader } from './sqlite-state-store.ts'
import type { StateReader } from './sqlite-state-store.ts'

export interface WorkerExecutorOptions {
  /** The thread's entry file: executor.cjs beside the service, executor-worker.ts in a source tree. */
  readonly workerFile: string | URL
  /** chain-state.sqlite. Its folder must be there. */
  readonly statePath: string
  /** better-sqlite3's addon; undefined: where npm put it. */
  readonly sqliteBinding?: string | undefined
  /** The curve's addon; null: noble. */
  readonly secp256k1Path: string | null
  readonly timers: Timers
  /** Null: this box keeps its state. Else nodes that are not on its disk are asked for here, and checked by hash. */
  readonly fetchNodes: FetchNodes | null
  /** Hash of the ancestor of `parent` at this height (BLOCKHASH looks back 256 blocks); null: not known. */
  readonly ancestorHash: (parent: Header, number: number) => Hash | null
  /** Of decoded nodes; code has a quarter of it besides. Default 4 MiB. */
  readonly maxCacheBytes?: number
  /** V8's heap of the thread. Default 96. */
  readonly maxOldGenerationSizeMb?: number
  /** A job that takes longer is given up. Default 300,000: a full block of the worst kind on a small board. */
  readonly jobDeadlineMs?: number
  /** Blocks that wait, and calls that wait; one more is refused. Default 64. */
  readonly maxWaiting?: number
  readonly maxSteps?: number
  /** States written last that pruning never takes. Default 256. */
  readonly keepYoungest?: number
  /** A thread that had nothing to do for so long ends, and its memory with it; the next job starts another. Default: it stays. */
  readonly idleMs?: number
  /** The thread was lost; it will be started again. */
  readonly onRestart?: (error: Error) => void
}

interface Waiting {
  readonly job: Job
  readonly buffers: ArrayBuffer[]
  readonly resolve: (result: Results[keyof Results]) => void
  readonly reject: (error: Error) => void
}

interface Running extends Waiting {
  readonly number: number
  readonly cancelDeadline: () => void
}

/** Each block leaves its paths here until this is full: what is more than the head's own tries is the box's memory, spent on old ones. */
const CACHE_BYTES = 4 * 1024 * 1024
const OLD_GENERATION_MB = 96
const YOUNG_GENERATION_MB = 4
const DEADLINE_MS = 300_000
const MAX_WAITING = 64
/** In small steps, when nothing else waits. */
const SLOW_JOBS: ReadonlySet<Job['kind']> = new Set(['prune-step', 'restore', 'restore-step'])

export function createWorkerExecutor(options: WorkerExecutorOptions): Executor {
  return new WorkerExecutor(options)
}

class WorkerExecutor implements Executor {
  readonly #options: WorkerExecutorOptions
  /** In the order in which they are looked at. */
  readonly #queues: Readonly<Record<'blocks' | 'calls' | 'pruning', Waiting[]>> = { blocks: [], calls: [], pruning: [] }
  #thread: Thread | null = null
  #running: Running | null = null
  #network: Network | null = null
  #reader: StateReader | null = null
  #jobs = 0
  #isClosed = false
  #cancelIdle: Cancel = () => undefined

  constructor(options: WorkerExecutorOptions) {
    this.#options = options
  }

  async begin(network: Network): Promise<void> {
    await this.#do<'begin'>({ kind: 'begin', network })
    this.#network = network
    this.#reader ??= openStateReader({ path: this.#options.statePath, nativeBinding: this.#options.sqliteBinding })
  }

  node(hash: Hash): Uint8Array | undefined {
    return this.#reader?.node(hash)
  }

  hasState(root: Hash): boolean {
    return this.#reader?.hasState(root) ?? false
  }

  async execute(...[parent, block]: Parameters<Executor['execute']>): ReturnType<Executor['execute']> {
    const job = packBlock(parent, block)
    const verdict = await this.#do<'execute'>(job, [job.parent, job.header, job.body])
    return verdict.ok ? { ok: true, receipts: unpackReceipts(verdict.receipts) } : verdict
  }

  async build(...[draft]: Parameters<Executor['build']>): ReturnType<Executor['build']> {
    const bytes = packDraft(draft)
    const built = await this.#do<'build'>({ kind: 'build', draft: bytes }, [bytes.parent, bytes.chief, ...bytes.candidates])
    return builtOf(draft, { ...built, receipts: unpackReceipts(built.receipts) })
  }

  call(...[at, request]: Parameters<Executor['call']>): ReturnType<Executor['call']> {
    return this.#do<'call'>({ kind: 'call', at: encodeHeader(at), request })
  }

  estimateGas(...[at, request]: Parameters<Executor['estimateGas']>): ReturnType<Executor['estimateGas']> {
    return this.#do<'estimate'>({ kind: 'estimate', at: encodeHeader(at), request })
  }

  async restore(...[stateRoot, fetch]: Parameters<Executor['restore']>): ReturnType<Executor['restore']> {
    let hasBegun = false
    try {
      return await restoreAll((given) => {
        if (hasBegun) return this.#do<'restore-step'>({ kind: 'restore-step', given })
        hasBegun = true
        return this.#do<'restore'>({ kind: 'restore', stateRoot })
      }, fetch)
    } catch (thrown) {
      // A thread that is gone has nothing to end; the first failure is the one that counts.
      await this.#do<'restore-end'>({ kind: 'restore-end' }).catch(() => undefined)
      throw thrown
    }
  }

  async prune(keep: readonly Hash[]): Promise<{ readonly nodes: number; readonly bytes: number }> {
    let step = await this.#do<'prune'>({ kind: 'prune', keep })
    let { nodes, bytes } = step
    while (!step.isDone) {
      step = await this.#do<'prune-step'>({ kind: 'prune-step' })
      nodes += step.nodes
      bytes += step.bytes
    }
    return { nodes, bytes }
  }

  /** What runs is ended first; what waits is refused. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelIdle()
    for (const queue of Object.values(this.#queues)) for (const waiting of queue.splice(0)) waiting.reject(unavailable('executor-closed', 'the executor is closed'))
    if (this.#thread !== null) {
      const thread = this.#thread
      await new Promise<void>((resolve) => {
        const done = (): void => resolve()
        this.#queues.blocks.push({ job: { kind: 'close' }, buffers: [], resolve: done, reject: done })
        this.#next()
      })
      await thread.worker.terminate()
    }
    this.#reader?.close()
    this.#reader = null
  }

  #do<Kind extends Job['kind']>(job: Job & { readonly kind: Kind }, bytes: readonly Uint8Array[] = []): Promise<Results[Kind]> {
    if (this.#isClosed) return Promise.reject(unavailable('executor-closed', 'the executor is closed'))
    const queue = this.#queues[SLOW_JOBS.has(job.kind) ? 'pruning' : job.kind === 'call' || job.kind === 'estimate' ? 'calls' : 'blocks']
    if (queue.length >= (this.#options.maxWaiting ?? MAX_WAITING)) return Promise.reject(new MeshBoxError('limit', 'too many jobs wait for the executor', { code: 'executor-busy' }))
    return new Promise((resolve, reject) => {
      queue.push({ job, buffers: buffersOf(bytes), resolve: (result) => resolve(result as Results[Kind]), reject })
      this.#next()
    })
  }

  #next(): void {
    if (this.#running !== null) return
    const waiting = this.#queues.blocks.shift() ?? this.#queues.calls.shift() ?? this.#queues.pruning.shift()
    if (waiting === undefined) return this.#rest()
    this.#cancelIdle()
    const number = ++this.#jobs
    const deadlineMs = this.#options.jobDeadlineMs ?? DEADLINE_MS
    const cancelDeadline = this.#options.timers.after(deadlineMs, () => this.#lose(unavailable('executor-deadline', `a job took more than ${deadlineMs} ms`)))
    this.#running = { ...waiting, number, cancelDeadline }
    try {
      const thread = this.#thread ?? this.#start()
      thread.send({ job: number, do: waiting.job }, waiting.buffers)
    } catch (thrown) {
      this.#lose(unavailable('executor-lost', asError(thrown).message))
    }
  }

  #rest(): void {
    const { idleMs, timers } = this.#options
    const thread = this.#thread
    if (idleMs === undefined || thread === null || this.#isClosed) return
    this.#cancelIdle()
    this.#cancelIdle = timers.after(idleMs, () => {
      if (this.#running !== null || thread !== this.#thread) return
      this.#thread = null
      thread.send({ job: 0, do: { kind: 'close' } }, []) // it closes its file and ends
    })
  }

  #start(): Thread {
    const { statePath, sqliteBinding, secp256k1Path, fetchNodes, maxCacheBytes = CACHE_BYTES, maxOldGenerationSizeMb = OLD_GENERATION_MB, maxSteps, keepYoungest } = this.#options
    const workerData: WorkerSettings = { statePath, sqliteBinding, secp256k1Path, maxCacheBytes, doesFetch: fetchNodes !== null, maxSteps, keepYoungest }
    const worker = new Worker(this.#options.workerFile, { workerData, execArgv: [], resourceLimits: { maxOldGenerationSizeMb, maxYoungGenerationSizeMb: YOUNG_GENERATION_MB } })
    const thread = new Thread(worker)
    this.#thread = thread
    worker.on('message', (message: FromWorker) => this.#hear(thread, message))
    worker.on('error', (error) => this.#died(thread, error))
    worker.on('exit', (code) => this.#died(thread, new Error(`the thread ended with ${code}`)))
    // A thread started anew knows no network yet. Its answer is nobody's: job 0.
    if (this.#network !== null) thread.send({ job: 0, do: { kind: 'begin', network: this.#network } }, [])
    return thread
  }

  #hear(thread: Thread, message: FromWorker): void {
    if (thread !== this.#thread) return
    if ('ready' in message) return
    if ('asks' in message) return void this.#answer(message.ask).then((answer) => thread.send({ answers: message.asks, answer }, []))
    const running = this.#running
    if (running?.number !== message.job) return
    this.#running = null
    running.cancelDeadline()
    if ('error' in message) running.reject(unpackError(message.error))
    else running.resolve(message.result)
    this.#next()
  }

  async #answer(ask: Ask): Promise<Answer> {
    try {
      if (ask.kind === 'ancestor') return { hash: this.#options.ancestorHash(decodeHeader(ask.parent), ask.number) }
      return { nodes: (await this.#options.fetchNodes?.(ask.hashes)) ?? [] }
    } catch (thrown) {
      return { error: packError(thrown) }
    }
  }

  #died(thread: Thread, error: Error): void {
    if (thread === this.#thread) this.#lose(unavailable('executor-lost', `the executor's thread was lost: ${error.message}`))
  }

  /** The thread is given up, and with it the job that ran. */
  #lose(error: MeshBoxError): void {
    const running = this.#running
    const thread = this.#thread
    this.#running = null
    this.#thread = null
    void thread?.worker.terminate()
    running?.cancelDeadline()
    running?.reject(error)
    if (this.#isClosed) return
    this.#options.onRestart?.(error)
    this.#next()
  }
}

class Thread {
  readonly worker: Worker

  constructor(worker: Worker) {
    this.worker = worker
  }

  send(message: ToWorker, buffers: ArrayBuffer[]): void {
    this.worker.postMessage(message, buffers)
  }
}

function unavailable(code: string, message: string): MeshBoxError {
  return new MeshBoxError('unavailable', message, { code })
}
