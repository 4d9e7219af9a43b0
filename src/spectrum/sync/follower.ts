/**
 * Follows the heaviest chain that holds. Sources say what their head is; nothing of it is believed: the one that
 * claims most is fetched from first, block by block through the importer, and what it claims counts no more than
 * what of it holds. One catch-up at a time; blocks that are pushed come in beside it.
 */
import { asError } from '../../base/index.ts'
import type { Cancel, Clock, Log, Timers } from '../../base/index.ts'
import type { Hash, Keccak } from '../codec/fields.ts'
import { keccakHex } from '../codec/fields.ts'
import type { Block, ChainSource, ChainView, SourceListener, SyncStatus } from '../ports.ts'
import { Agreement, MAX_DIFFICULTY, comparedBlock } from './agreement.ts'
import { Questions, SourceFault, lie, slow } from './ask.ts'
import type { BlockImporter } from './block-importer.ts'
import { Download } from './download.ts'
import { FutureBlocks } from './future-blocks.ts'
import type { ImportReport, ImportStop, RawBlock } from './ports.ts'
import type { Roster } from './roster.ts'

export interface FollowerParts {
  readonly keccak: Keccak
  readonly chain: ChainView
  readonly importer: BlockImporter
  readonly roster: Roster
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  /** May this box be on its own? A community's only sealer is its chain. */
  readonly mayBeAlone: () => boolean
  /** Sources that must have our block at head - 2 before the head is live; default 2. */
  readonly agreeing?: number
  readonly announceBlock?: (block: Block, totalDifficulty: bigint) => void
  /** To the transaction pool. */
  readonly transactionsPushed?: (source: ChainSource, transactions: readonly Uint8Array[]) => void
}

const AGREEING = 2
const TICK_MS = 10_000
/** A source whose head led nowhere is not asked for the same head again before this. */
const RETRY_MS = 10_000
/** Pushed blocks of one source that wait for their judgement. */
const MAX_PUSHED = 8
/** Blocks of difference up to which a head counts as reached. */
const NEAR_BLOCKS = 2
/** A catch-up that has brought nothing for so long is no reason to wait for it. */
const HOPE_MS = 5_000

interface Tried {
  readonly head: Hash
  readonly againMs: number
}

export class Follower implements SourceListener {
  readonly #parts: FollowerParts
  readonly #questions: Questions
  readonly #agreement = new Agreement()
  readonly #future: FutureBlocks
  readonly #tried = new Map<string, Tried>()
  readonly #pushed = new Map<string, number>()
  /** What a source has sent last: it need not be told. */
  readonly #has = new Map<string, Hash>()
  #stopTick: Cancel | null = null
  #stopChain: Cancel | null = null
  #isRunning = false
  #isWoken = false
  #isCatchingUp = false
  /** When the catch-up that is under way began, or last brought blocks. */
  #hopefulSinceMs: number | null = null

  constructor(parts: FollowerParts) {
    this.#parts = parts
    this.#questions = new Questions(parts.timers)
    this.#future = new FutureBlocks(parts.timers, (block, from) => void this.#bring(block, from))
  }

  start(): void {
    this.#stopTick ??= this.#parts.timers.every(TICK_MS, () => this.#wake())
    this.#stopChain ??= this.#parts.chain.on((event) => {
      if (event.kind === 'head') this.#wake() // who agrees with it is to be seen
    })
    this.#wake()
  }

  /** What is under way ends with its next answer; nothing new begins. */
  stop(): void {
    this.#stopTick?.()
    this.#stopTick = null
    this.#stopChain?.()
    this.#stopChain = null
    this.#future.clear()
  }

  opened(source: ChainSource): void {
    if (this.#parts.roster.open(source)) this.#wake()
  }

  closed(source: ChainSource, reason: string): void {
    this.#parts.log.debug('a source has closed', { source: source.id, reason })
    // One that was replaced or dropped meanwhile has no say any more.
    if (!this.#parts.roster.close(source) && this.#parts.roster.all().some(({ id }) => id === source.id)) return
    this.#agreement.forget(source)
    this.#tried.delete(source.id)
    this.#has.delete(source.id)
    this.#wake()
  }

  headChanged(source: ChainSource): void {
    if (this.#parts.roster.has(source)) this.#wake()
  }

  blockPushed(source: ChainSource, header: Uint8Array, body: Uint8Array): void {
    const { roster, keccak, chain } = this.#parts
    if (this.#stopTick === null || !roster.has(source)) return
    const hash = keccakHex(keccak, header)
    this.#has.set(source.id, hash)
    const waiting = this.#pushed.get(source.id) ?? 0
    // Nothing is lost: its head is fetched later, when it does not rest any more.
    if (chain.block(hash) !== null || waiting >= MAX_PUSHED || !roster.usable().includes(source)) return this.#wake()
    this.#pushed.set(source.id, waiting + 1)
    void this.#bring({ header, body }, source.id).finally(() => {
      const left = (this.#pushed.get(source.id) ?? 1) - 1
      if (left > 0) this.#pushed.set(source.id, left)
      else this.#pushed.delete(source.id)
    })
  }

  transactionsPushed(source: ChainSource, transactions: readonly Uint8Array[]): void {
    if (this.#parts.roster.has(source)) this.#parts.transactionsPushed?.(source, transactions)
  }

  /** A block is the new head: told to everybody who does not have it from us or we from them. */
  announced(block: Block, hash: Hash, totalDifficulty: bigint, from: string): void {
    const { announceBlock, roster, log } = this.#parts
    const others = roster.all().filter((source) => source.id !== from && this.#has.get(source.id) !== hash && source.head()?.hash !== hash)
    try {
      if (announceBlock !== undefined) announceBlock(block, totalDifficulty)
      else for (const source of others) source.announceBlock(block, totalDifficulty)
    } catch (thrown) {
      // The block is in the tree all the same; who was not told asks.
      log.error('a block could not be told to others', { number: block.header.number, reason: asError(thrown).message })
    }
  }

  status(): SyncStatus {
    const { chain, clock, roster, agreeing = AGREEING, mayBeAlone } = this.#parts
    const sources = roster.all().map((source) => {
      const head = source.head()
      const headNumber = head === null ? null : (head.number ?? chain.header(head.hash)?.header.number ?? null)
      return { id: source.id, kind: source.kind, headHash: head?.hash ?? null, headNumber, agrees: this.#agreement.of(chain, source) }
    })
    const agree = sources.filter((source) => source.agrees === true).length
    const state = sources.length === 0 ? (mayBeAlone() ? 'alone' : 'offline') : agree >= agreeing && !this.#isCatchingUp ? 'live' : 'syncing'
    const headAgeSeconds = clock.isWallTrusted() ? Math.floor(clock.wallMs() / 1000) - chain.head().header.timeSeconds : null
    return { state, headAgeSeconds, sources, agreeing: agree, banned: roster.bannedCount() }
  }

  /**
   * Are blocks being fetched, or about to be, that outweigh ours by more than two? Then a sealer waits. Unlike `live` it
   * does not ask for agreement, or two halves of a town with chains of one weight would both wait for ever; and a
   * claim with nothing behind it holds nobody up for long.
   */
  isBehind(): boolean {
    const { clock, chain } = this.#parts
    const next = this.#next()
    const isFarAhead = next !== null && (next.head()?.totalDifficulty ?? 0n) > chain.head().totalDifficulty + MAX_DIFFICULTY * BigInt(NEAR_BLOCKS)
    const isHopeful = this.#hopefulSinceMs !== null && clock.boottimeMs() - this.#hopefulSinceMs < HOPE_MS
    return this.#isCatchingUp || isFarAhead || isHopeful
  }

  #wake(): void {
    if (this.#stopTick === null) return
    this.#isWoken = true
    if (this.#isRunning) return
    this.#isRunning = true
    void this.#run()
  }

  /** Until nobody is left who claims more than we have and was not just tried. */
  async #run(): Promise<void> {
    while (this.#isWoken && this.#stopTick !== null) {
      this.#isWoken = false
      for (let source = this.#next(); source !== null && this.#stopTick !== null; source = this.#next()) await this.#attempt(source, (each) => this.#follow(each))
      await Promise.all(this.#unsure().map((source) => this.#attempt(source, (each) => this.#compare(each))))
    }
    this.#isRunning = false // in the same step as the last look at isWoken: no call is lost in between
  }

  #next(): ChainSource | null {
    const { roster, clock } = this.#parts
    const now = clock.boottimeMs()
    const claims = (source: ChainSource): bigint => source.head()?.totalDifficulty ?? 0n
    const open = roster.usable().filter((source) => {
      const tried = this.#tried.get(source.id)
      return this.#isAhead(source) && (tried === undefined || tried.head !== source.head()?.hash || tried.againMs <= now)
    })
    return open.reduce<ChainSource | null>((best, source) => (best === null || claims(source) > claims(best) ? source : best), null)
  }

  #isAhead(source: ChainSource): boolean {
    const head = source.head()
    return head !== null && head.totalDifficulty > this.#parts.chain.head().totalDifficulty && head.hash !== this.#parts.chain.head().hash
  }

  /** Its failures are its own; ours are told, and nothing stops for them. */
  async #attempt(source: ChainSource, work: (source: ChainSource) => Promise<void>): Promise<void> {
    const { roster, log } = this.#parts
    try {
      await work(source)
    } catch (thrown) {
      if (thrown instanceof SourceFault) roster.complain(source, thrown.misdeed)
      else log.error('following a source failed', { source: source.id, reason: asError(thrown).message })
    }
  }

  async #follow(source: ChainSource): Promise<void> {
    const { chain, keccak, importer, clock } = this.#parts
    const download = new Download(keccak, this.#questions, source)
    const target = source.head()
    if (target === null) return
    // Reached or not, the same head leads nowhere else before some time has passed.
    this.#tried.set(source.id, { head: target.hash, againMs: clock.boottimeMs() + RETRY_MS })
    let added = 0
    let held: ImportStop | null = null
    if (target.totalDifficulty > chain.head().totalDifficulty + MAX_DIFFICULTY * BigInt(NEAR_BLOCKS)) this.#hopefulSinceMs = clock.boottimeMs()
    try {
      const targetNumber = await download.height(target)
      const ancestor = await download.ancestor(chain, targetNumber)
      if (ancestor === null) throw slow('its chain leaves ours deeper than any reorg may go')
      for await (const blocks of download.pieces(ancestor)) {
        const report = await importer.import(blocks, source.id, { targetNumber })
        added += report.added
        this.#isCatchingUp = added > NEAR_BLOCKS
        if (report.added > 0 && this.#hopefulSinceMs !== null) this.#hopefulSinceMs = clock.boottimeMs()
        held = report.stop
        if (held !== null && !('mayGrow' in held && held.mayGrow)) return this.#onStop(source, held, blocks)
        if (this.#stopTick === null) return
      }
    } finally {
      this.#isCatchingUp = false
      this.#hopefulSinceMs = null
    }
    if (held !== null) return this.#onStop(source, held, [])
    if (added > 0) this.#parts.roster.thank(source)
    if (added === 0 && this.#isAhead(source) && source.head()?.hash === target.hash) throw slow('it claims more than it shows')
  }

  async #compare(source: ChainSource): Promise<void> {
    const { chain, keccak } = this.#parts
    const { header, hash } = comparedBlock(chain)
    this.#agreement.answered(hash, source, await new Download(keccak, this.#questions, source).hashAt(header.number))
  }

  /** Whose agreement has to be asked for. */
  #unsure(): readonly ChainSource[] {
    const { roster, chain } = this.#parts
    return roster.usable().filter((source) => source.head() !== null && this.#agreement.of(chain, source) === null)
  }

  /** A block that came by itself. `from` may be gone by now. */
  async #bring(block: RawBlock, from: string): Promise<void> {
    const source = this.#parts.roster.all().find(({ id }) => id === from)
    if (source === undefined) return
    try {
      const report: ImportReport = await this.#parts.importer.import([block], from)
      if (report.added > 0) this.#parts.roster.thank(source)
      if (report.stop !== null) this.#onStop(source, report.stop, [block])
    } catch (thrown) {
      if (thrown instanceof SourceFault) this.#parts.roster.complain(source, thrown.misdeed)
      else this.#parts.log.error('a block could not be imported', { source: from, reason: asError(thrown).message })
    }
    this.#wake()
  }

  /** Errors: SourceFault, where the source is to blame. */
  #onStop(source: ChainSource, stop: ImportStop, blocks: readonly RawBlock[]): void {
    switch (stop.kind) {
      case 'malformed':
        throw lie(`not a block: ${stop.reason}`)
      case 'refused': {
        const reason = `block ${stop.number} ${stop.hash}: ${stop.code}: ${stop.reason}`
        throw stop.isLie ? lie(reason) : slow(reason)
      }
      case 'unavailable':
        if (stop.lacking === 'self') return
        throw slow(stop.reason)
      case 'too-deep':
        throw slow(`block ${stop.number} would take back more than any reorg may`)
      case 'future': {
        const block = blocks.find(({ header }) => keccakHex(this.#parts.keccak, header) === stop.hash)
        if (block === undefined || !this.#future.add(stop.hash, block, source.id, stop.waitSeconds)) throw slow(`a block ${stop.waitSeconds} s ahead of our time`)
        return
      }
      // An orphan's ancestors are fetched with its source's head; a second source is asked next; busy passes.
      case 'orphan':
      case 'needs-second-source':
      case 'busy':
        return
    }
  }
}

