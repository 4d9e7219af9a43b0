/**
 * The sealer: looks at every head, waits for its slot, makes the block, and publishes it. At one height this
 * key signs one seal only: the block is on disk before anybody sees it, and after a crash the same bytes are
 * sent again.
 */
import { asError } from '../../base/index.ts'
import type { Cancel } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import type { Address, Hash } from '../codec/fields.ts'
import type { Block, Chain, ChainBlock, ChainEvent, Executor } from '../ports.ts'
import { nextGasLimit } from './assemble.ts'
import { ChainTime } from './chain-time.ts'
import { insertSeal, sealAt, sealFloor, sealHashAt } from './io/seal-rows.ts'
import type { SealRow } from './io/seal-rows.ts'
import { judgeOwn, makeBlock } from './make-block.ts'
import type { Judged, Workshop } from './make-block.ts'
import { START_PACE, gasCap, leadMs, measured } from './pace.ts'
import type { Pace } from './pace.ts'
import { blockTime, decideSlot, isAlone } from './slot.ts'
import type { IdleReason, Slot } from './slot.ts'

export interface SealerOptions extends Omit<Workshop, 'network'> {
  readonly chain: Chain
  readonly executor: Pick<Executor, 'build' | 'execute' | 'hasState'>
  readonly store: Store
  /** The owner's wallet: rewards and fees go to it. Not the zero address. */
  readonly coinbase: () => Address
  /** False while others are known to have blocks that this box has not. */
  readonly isInSync: () => boolean
  /** To all sources; called with blocks that are on disk. May see the same block again. */
  readonly publish: (block: Block, totalDifficulty: bigint) => void
}

export interface SealerStatus {
  readonly state: 'stopped' | 'idle' | 'waiting' | 'sealing'
  /** Of idle. */
  readonly reason: IdleReason | null
  /** Of waiting and sealing: the block that is due, and from when on. */
  readonly next: { readonly number: number; readonly difficulty: bigint; readonly opensAtSeconds: number } | null
  /** Since the start of the service. */
  readonly sealed: number
  /** Main slots that somebody else sealed, since the start of the service. */
  readonly missed: number
  readonly last: { readonly number: number; readonly hash: Hash; readonly transactions: number } | null
  /** Null: not measured yet. */
  readonly gasPerMs: number | null
}

export interface Sealer {
  /** Sends again what may not have been seen, then seals until `stop`. */
  start(): void
  status(): SealerStatus
  /** Something outside the chain changed: the clock is trusted, the sources are in step. */
  look(): void
  /** Resolves when the block in hand is done or given up. */
  stop(): Promise<void>
}

/** Reasons that pass without a new head: looked at again after a second. */
const PASSING: ReadonlySet<IdleReason> = new Set(['alarm', 'not-in-sync', 'no-clock', 'not-executed', 'no-volunteer', 'failed'])
const LOOK_AGAIN_MS = 1_000
const AFTER_FAILURE_MS = 5_000
/** A clock may be set while a timer runs: nobody waits longer without looking at it again. */
const LONGEST_WAIT_MS = 10_000
/** As deep as a reorganisation may go. */
const LOOK_BACK_BLOCKS = 34

export function createSealer(options: SealerOptions): Sealer {
  return new BoundSealer(options)
}

class BoundSealer implements Sealer {
  readonly #options: SealerOptions
  readonly #shop: Workshop
  readonly #self: Address
  readonly #genesis: Hash
  readonly #time: ChainTime
  #pace: Pace = START_PACE
  #isStarted = false
  #mustLookAgain = false
  #running: Promise<void> | null = null
  #timer: Cancel = () => undefined
  #wake: () => void = () => undefined
  #off: Cancel = () => undefined
  /** Blocks of this key that are not in its book (it was restored from a copy, or is used elsewhere): up to here all counts as sealed. */
  #seenTo = -1
  #startedAtSeconds: number | null = null
  #isKeyElsewhere = false
  #status: SealerStatus = { state: 'stopped', reason: null, next: null, sealed: 0, missed: 0, last: null, gasPerMs: null }

  constructor(options: SealerOptions) {
    this.#options = options
    this.#shop = { ...options, network: options.chain.network }
    this.#self = options.key.address
    this.#genesis = options.chain.network.genesisHash
    this.#time = new ChainTime(options.clock)
  }

  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    const { chain } = this.#options
    this.#isKeyElsewhere = false
    let block: ChainBlock | null = chain.head()
    for (let depth = 0; block !== null && depth < LOOK_BACK_BLOCKS; depth++) {
      this.#noticeOwn(block)
      block = chain.block(block.header.parentHash)
    }
    const head = chain.head()
    const nowMs = this.#nowMs(head)
    this.#startedAtSeconds = nowMs === null ? null : Math.floor(nowMs / 1000)
    const record = head.signer === this.#self ? this.#sealAt(head.header.number) : null
    if (record?.sealHash === head.sealHash) this.#publish(record.block, head.totalDifficulty)
    this.#off = chain.on((event) => this.#hear(event))
    this.look()
  }

  status(): SealerStatus {
    return { ...this.#status, gasPerMs: this.#pace.gasPerMs }
  }

  look(): void {
    if (!this.#isStarted) return
    this.#timer()
    this.#mustLookAgain = true
    this.#wake()
    this.#running ??= this.#run().finally(() => {
      this.#running = null
    })
  }

  async stop(): Promise<void> {
    this.#isStarted = false
    this.#off()
    this.#timer()
    this.#wake()
    await this.#running
    this.#timer()
    this.#show({ state: 'stopped', reason: null, next: null })
  }

  #hear(event: ChainEvent): void {
    if (event.kind !== 'head') return
    for (const block of event.added) {
      this.#noticeOwn(block)
      this.#noticeMissed(block)
    }
    this.look()
  }

  #noticeOwn({ signer, header, sealHash }: ChainBlock): void {
    if (signer !== this.#self || header.number <= this.#seenTo || this.#remembers(header.number, sealHash)) return
    this.#options.log.warn('a block of our key that this box does not remember', { number: header.number, sealHash })
    this.#seenTo = header.number
    // Made since this start: not from before a copy was restored, but by another box that holds the key.
    if (this.#startedAtSeconds !== null && header.timeSeconds > this.#startedAtSeconds) this.#isKeyElsewhere = true
  }

  #noticeMissed({ signer, header }: ChainBlock): void {
    const round = this.#options.chain.block(header.parentHash)?.round
    if (round === undefined || signer === this.#self) return
    if (round.signers[header.number % round.signers.length] === this.#self) this.#show({ missed: this.#status.missed + 1 })
  }

  /** Looks until there is nothing to do but to wait for a head or a timer. */
  async #run(): Promise<void> {
    while (this.#mustLookAgain && this.#isStarted) {
      this.#mustLookAgain = false
      let againMs: number | null
      try {
        againMs = await this.#step()
      } catch (thrown) {
        this.#options.log.error('sealing failed', { number: this.#options.chain.head().header.number + 1, error: asError(thrown) })
        this.#show({ state: 'idle', reason: 'failed', next: null })
        againMs = AFTER_FAILURE_MS
      }
      if (againMs !== null && this.#isStarted && !this.#mustLookAgain) this.#timer = this.#options.timers.after(againMs, () => this.look())
    }
  }

  /** In how many milliseconds to look again; null: at the next head. */
  async #step(): Promise<number | null> {
    const { chain } = this.#options
    const head = chain.head()
    const number = head.header.number + 1
    const record = this.#sealAt(number)
    if (record?.parentHash === head.hash && chain.alarm() === null) return await this.#sendAgain(record, head)
    const slot = this.#decide(head, record !== null || number <= this.#seenTo || number <= this.#floor())
    if (slot.kind === 'idle') {
      this.#show({ state: 'idle', reason: slot.reason, next: null })
      return PASSING.has(slot.reason) ? LOOK_AGAIN_MS : null
    }
    const next = { number, difficulty: slot.rank.difficulty, opensAtSeconds: slot.opensAtSeconds }
    const cap = gasCap(this.#pace, slot.rank.delaySeconds, this.#status.sealed, nextGasLimit(chain.network, head.header))
    // As late as what waits now allows, so that what comes until then is in it.
    const waiting = this.#options.pool.candidates(cap).reduce((sum, { gas }) => sum + gas, 0n)
    const beginsInMs = slot.opensAtSeconds * 1000 - leadMs(this.#pace, slot.rank.delaySeconds, waiting) - slot.nowMs
    if (beginsInMs > 0) {
      this.#show({ state: 'waiting', reason: null, next })
      return waitMs(beginsInMs)
    }
    this.#show({ state: 'sealing', reason: null, next })
    return await this.#seal(head, slot, cap)
  }

  #decide(head: ChainBlock, isSealed: boolean): Slot {
    const { chain, executor, isInSync } = this.#options
    return decideSlot({
      network: chain.network,
      head,
      self: this.#self,
      nowMs: this.#nowMs(head),
      hasState: executor.hasState(head.header.stateRoot),
      isInSync: isInSync(),
      hasAlarm: chain.alarm() !== null,
      isSealed,
      isKeyElsewhere: this.#isKeyElsewhere,
    })
  }

  async #seal(head: ChainBlock, slot: Extract<Slot, { kind: 'slot' }>, maxGas: bigint): Promise<number | null> {
    const { chain, store, coinbase } = this.#options
    const timeSeconds = blockTime(slot.opensAtSeconds, slot.nowMs)
    const made = await makeBlock(this.#shop, { head, rank: slot.rank, coinbase: coinbase(), timeSeconds, maxGas })
    if (!made.ok) {
      this.#show({ state: 'idle', reason: made.reason, next: null })
      return made.reason === 'failed' ? AFTER_FAILURE_MS : LOOK_AGAIN_MS
    }
    this.#pace = measured(this.#pace, made.run)
    if (!(await this.#isDue(head, timeSeconds))) return 0
    await store.turn((tx) => insertSeal(tx, this.#genesis, this.#self, made.judged.block, made.judged.verified.sealHash))
    // Stopped meanwhile: the row is sent by the next start.
    if (!this.#isStarted) return null
    await this.#spread(made.judged, head)
    return chain.head().hash === head.hash ? AFTER_FAILURE_MS : null
  }

  /** The row on disk, byte for byte: it may have been seen, or not. */
  async #sendAgain({ block, number, sealHash }: SealRow, head: ChainBlock): Promise<number | null> {
    const { chain, executor } = this.#options
    this.#show({ state: 'sealing', reason: null, next: { number, difficulty: block.header.difficulty, opensAtSeconds: block.header.timeSeconds } })
    if (!executor.hasState(head.header.stateRoot)) return LOOK_AGAIN_MS
    // Without a clock: it was made by a trusted one, before this start.
    if (this.#nowMs(head) !== null && !(await this.#isDue(head, block.header.timeSeconds))) return 0
    const judged = await judgeOwn(this.#shop, head, block, null)
    if (judged === null) return AFTER_FAILURE_MS
    this.#options.log.info('a block made before is sent again', { number, sealHash })
    await this.#spread(judged, head)
    return chain.head().hash === head.hash ? AFTER_FAILURE_MS : null
  }

  /** Waits for the block's time. False: the head moved on, the clock is lost, or the sealer stopped. */
  async #isDue(head: ChainBlock, timeSeconds: number): Promise<boolean> {
    for (;;) {
      if (!this.#isStarted || this.#options.chain.head().hash !== head.hash) return false
      const nowMs = this.#nowMs(head)
      if (nowMs === null) return false
      if (nowMs >= timeSeconds * 1000) return true
      await this.#pause(waitMs(timeSeconds * 1000 - nowMs))
    }
  }

  async #spread({ verified, block, receipts, round }: Judged, parent: ChainBlock): Promise<void> {
    const { chain, log } = this.#options
    const [outcome] = await chain.insert([{ verified, body: block.body, receipts, round, from: 'self' }])
    if (outcome !== 'head' && outcome !== 'side' && outcome !== 'known') {
      log.warn('the chain does not take a block of our own', { number: block.header.number, outcome })
      return
    }
    const last = { number: block.header.number, hash: verified.hash, transactions: block.body.transactions.length }
    this.#show({ sealed: this.#status.sealed + 1, last })
    this.#publish(block, parent.totalDifficulty + block.header.difficulty)
  }

  #publish(block: Block, totalDifficulty: bigint): void {
    try {
      this.#options.publish(block, totalDifficulty)
    } catch (thrown) {
      this.#options.log.error('a block of our own could not be sent', { number: block.header.number, error: asError(thrown) })
    }
  }

  #nowMs(head: ChainBlock): number | null {
    return this.#time.nowMs(head.header.timeSeconds, isAlone(head.round, this.#self))
  }

  async #pause(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#options.timers.after(delayMs, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
    this.#wake = () => undefined
  }

  #sealAt(number: number): SealRow | null {
    return this.#options.store.read((tx) => sealAt(tx, this.#genesis, this.#self, number))
  }

  #remembers(number: number, sealHash: Hash): boolean {
    return this.#options.store.read((tx) => number <= sealFloor(tx, this.#genesis, this.#self) || sealHashAt(tx, this.#genesis, this.#self, number) === sealHash)
  }

  #floor(): number {
    return this.#options.store.read((tx) => sealFloor(tx, this.#genesis, this.#self))
  }

  #show(change: Partial<SealerStatus>): void {
    this.#status = { ...this.#status, ...change }
  }
}

/** Whole milliseconds: a fraction would be lost in the clock's own, and the look come too early. */
function waitMs(ms: number): number {
  return Math.min(Math.ceil(ms), LONGEST_WAIT_MS)
}
