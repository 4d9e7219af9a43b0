/**
 * A box that executes needs its head's state. Where that is lost (a new state file, one from a backup, a start at a
 * checkpoint), it goes on meanwhile as a box that only verifies, and gets the state back: by running the blocks since
 * the newest state that it has, or, where those are too many, by fetching the state of the final block by hash and
 * running the blocks after it. What is run is checked like any block; a state root that does not come out stays refused.
 */
import { MeshBoxError, asError } from '../base/index.ts'
import type { Cancel, Log, Timers } from '../base/index.ts'
import type { Body } from './codec/body.ts'
import type { Hash } from './codec/fields.ts'
import type { ChainView, Executor } from './ports.ts'
import type { KnownHeader } from './rules/verify-header.ts'

export interface RecoveryParts {
  readonly chain: ChainView
  readonly executor: Pick<Executor, 'hasState' | 'execute' | 'restore'>
  /** Trie nodes and code by hash, from whoever has them. */
  readonly nodes: (hashes: readonly Hash[]) => Promise<readonly Uint8Array[]>
  /** Of a block whose body is not kept here; null: nobody has it now. */
  readonly body: (block: KnownHeader) => Promise<Body | null>
  /** Lets the event loop turn once. */
  readonly breathe: () => Promise<void>
  readonly timers: Timers
  readonly log: Log
}

export interface StateRecovery {
  /** Is the head's state not here? Then no block is executed, and none sealed. */
  isRecovering(): boolean
  start(): void
  stop(): Promise<void>
}

/** More blocks than this are not run again where their state can be fetched. */
const REPLAYED_BLOCKS = 2048
/** Headers read from disk between two turns of the event loop. */
const LOOKED_AT_ONCE = 16
const FIRST_RETRY_MS = 10_000
const LONGEST_RETRY_MS = 600_000

export function createRecovery(parts: RecoveryParts): StateRecovery {
  return new BoundRecovery(parts)
}

class BoundRecovery implements StateRecovery {
  readonly #parts: RecoveryParts
  #isRecovering: boolean
  #isStopped = true
  #running: Promise<void> | null = null
  #off: Cancel = () => undefined
  #cancelWait: Cancel | null = null
  #retryMs = FIRST_RETRY_MS

  constructor(parts: RecoveryParts) {
    this.#parts = parts
    this.#isRecovering = !this.#isHeadHere()
  }

  isRecovering(): boolean {
    return this.#isRecovering
  }

  start(): void {
    if (!this.#isStopped) return
    this.#isStopped = false
    // A block that was being judged when the state came back goes in without having been run.
    this.#off = this.#parts.chain.on((event) => {
      if (event.kind === 'head' && !this.#isRecovering && !this.#isHeadHere()) this.#begin()
    })
    if (this.#isRecovering) this.#begin()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#off()
    await this.#running
    this.#cancelWait?.()
  }

  #begin(): void {
    if (this.#isStopped) return
    this.#isRecovering = true
    this.#cancelWait = null
    this.#running ??= this.#run().finally(() => {
      this.#running = null
      // A head that came in this very moment.
      if (!this.#isStopped && this.#cancelWait === null && !this.#isHeadHere()) this.#begin()
    })
  }

  async #run(): Promise<void> {
    const { chain, log } = this.#parts
    try {
      log.warn('the state of the newest block is not on this box: it is got back, and nothing is sealed meanwhile', { number: chain.head().header.number })
      while (!this.#isStopped && !this.#isHeadHere()) await this.#recover()
      if (this.#isStopped) return
      this.#isRecovering = false
      this.#retryMs = FIRST_RETRY_MS
      log.info('the state is here again', { number: chain.head().header.number })
    } catch (thrown) {
      const error = asError(thrown)
      if (thrown instanceof MeshBoxError && thrown.kind === 'unavailable') log.info('the state cannot be got back yet', { reason: error.message })
      else log.error('the state could not be got back', { error })
      this.#cancelWait = this.#parts.timers.after(this.#retryMs, () => this.#begin())
      this.#retryMs = Math.min(2 * this.#retryMs, LONGEST_RETRY_MS)
    }
  }

  async #recover(): Promise<void> {
    const { chain, executor, nodes } = this.#parts
    const base = await this.#newestState()
    if (base !== null) return await this.#replayFrom(base)
    const pivot = chain.final()
    if (pivot === null) throw new MeshBoxError('unavailable', 'no block is final yet whose state could be fetched', { code: 'state-unavailable' })
    await executor.restore(pivot.header.stateRoot, nodes)
  }

  /** The canonical block nearest below the head whose state is here; null: too far down, or nowhere. */
  async #newestState(): Promise<KnownHeader | null> {
    const { chain, executor, breathe } = this.#parts
    const head = chain.head().header.number
    for (let number = head; number >= Math.max(0, head - REPLAYED_BLOCKS); number--) {
      const known = chain.headerAt(number)
      if (known === null) return null
      if (executor.hasState(known.header.stateRoot)) return known
      if (number % LOOKED_AT_ONCE === 0) await breathe()
    }
    return null
  }

  /** Up to the head of the moment at which it gets there; a reorganisation meanwhile ends it, and the next turn begins anew. */
  async #replayFrom(base: KnownHeader): Promise<void> {
    const { chain, executor, body } = this.#parts
    for (let parent = base; !this.#isStopped; ) {
      const next = chain.headerAt(parent.header.number + 1)
      if (next === null || next.header.parentHash !== parent.hash) return
      const its = chain.body(next.hash) ?? (await body(next))
      if (its === null) throw new MeshBoxError('unavailable', `nobody has the body of block ${next.header.number}`, { code: 'body-unavailable' })
      const ran = await executor.execute(parent.header, { header: next.header, body: its })
      if (!ran.ok) throw new MeshBoxError('conflict', `block ${next.header.number} does not come out as its header says (${ran.code}: ${ran.reason}): whoever sealed on it was wrong`, { code: 'chain-unsound' })
      parent = next
    }
  }

  #isHeadHere(): boolean {
    return this.#parts.executor.hasState(this.#parts.chain.head().header.stateRoot)
  }
}
