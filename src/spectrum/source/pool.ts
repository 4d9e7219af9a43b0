/**
 * All sources of one chain: who is there, who is kept out, and one place to hear what they say. Whoever opens
 * sources (eth/63, RPC, mesh) admits them here; whoever judges them (sync) tells this pool.
 */
import { asError } from '../../base/index.ts'
import type { Cancel, Clock, Log } from '../../base/index.ts'
import { encodeBody } from '../codec/body.ts'
import type { Keccak } from '../codec/fields.ts'
import { keccakHex } from '../codec/fields.ts'
import { encodeHeader } from '../codec/header.ts'
import type { Block, ChainSource, Misdeed, SourceListener } from '../ports.ts'
import { Bans } from './bans.ts'
import type { Ban, BanStore } from './bans.ts'
import { BlockFetches } from './block-fetches.ts'
import { encodeNewBlock } from './eth63.ts'
import { LIE_BAN_SECONDS, MAX_BANS } from './limits.ts'
import { PeerSource } from './peer-source.ts'

/** What a source says by itself; its coming and going is the pool's to tell. */
export type SourceVoice = Pick<SourceListener, 'headChanged' | 'blockPushed' | 'transactionsPushed'>

export interface SourcePoolParts {
  readonly keccak: Keccak
  readonly clock: Clock
  readonly log: Log
  readonly bans: BanStore
  /** Of all kinds together. */
  readonly maxSources: number
}

/** A new block goes whole to so many peers, or to the root of their number if that is more; the others hear its hash and ask. */
const WHOLE_BLOCK_PEERS = 8

export class SourcePool implements SourceVoice {
  /** Blocks announced by hash that are being fetched, over all peers. */
  readonly fetches = new BlockFetches()
  readonly #parts: SourcePoolParts
  readonly #bans: Bans
  readonly #sources = new Map<ChainSource, string>()
  readonly #listeners = new Set<SourceListener>()
  #isClosed = false

  constructor(parts: SourcePoolParts) {
    this.#parts = parts
    this.#bans = new Bans(parts.bans, parts.clock, MAX_BANS)
  }

  /** `opened` is called at once for those that are there. */
  on(listener: SourceListener): Cancel {
    this.#listeners.add(listener)
    for (const source of [...this.#sources.keys()]) this.#tell('opened', () => listener.opened(source))
    return () => this.#listeners.delete(listener)
  }

  list(): readonly ChainSource[] {
    return [...this.#sources.keys()]
  }

  /** Node id or URL; null: not here (any more). */
  identity(source: ChainSource): string | null {
    return this.#sources.get(source) ?? null
  }

  /** False: banned, closed, or no room; the caller closes it. */
  admit(source: ChainSource, identity: string): boolean {
    if (this.#isClosed || this.#sources.size >= this.#parts.maxSources || this.isBanned(identity)) return false
    this.#sources.set(source, identity)
    for (const listener of [...this.#listeners]) this.#tell('opened', () => listener.opened(source))
    return true
  }

  /** It has ended. Not twice. */
  dismiss(source: ChainSource, reason: string): void {
    if (!this.#sources.delete(source)) return
    for (const listener of [...this.#listeners]) this.#tell('closed', () => listener.closed(source, reason))
  }

  /** What a judge found: a liar is closed and kept out for a week, a slow one closed and called again later. */
  punish(source: ChainSource, misdeed: Misdeed): void {
    const identity = this.#sources.get(source)
    if (identity === undefined) return
    if (misdeed.kind === 'lie') this.ban(identity, misdeed.reason, LIE_BAN_SECONDS)
    this.#parts.log.warn('source closed', { source: source.id, kind: misdeed.kind, reason: misdeed.reason })
    source.close(misdeed.reason)
    this.dismiss(source, misdeed.reason)
  }

  ban(identity: string, reason: string, seconds: number): void {
    this.#bans.add(identity, reason, seconds)
  }
  liftBan(identity: string): void {
    this.#bans.lift(identity)
  }
  isBanned(identity: string): boolean {
    return this.#bans.isBanned(identity)
  }
  bans(): readonly Ban[] {
    return this.#bans.list()
  }

  /** To all sources that do not have it. Made into bytes once. */
  announceBlock(block: Block, totalDifficulty: bigint): void {
    const header = encodeHeader(block.header)
    const name = { hash: keccakHex(this.#parts.keccak, header), number: block.header.number }
    const message = encodeNewBlock({ header, body: encodeBody(block.body), totalDifficulty })
    const peers = this.list().filter((source) => source instanceof PeerSource)
    const whole = Math.max(WHOLE_BLOCK_PEERS, Math.ceil(Math.sqrt(peers.length)))
    peers.forEach((peer, index) => (index < whole ? peer.pushBlock(message, name) : peer.announceHash(name)))
    for (const source of this.list()) if (!(source instanceof PeerSource)) source.announceBlock(block, totalDifficulty)
  }

  sendTransactions(transactions: readonly Uint8Array[], isAgain = false): void {
    for (const source of this.list()) source.sendTransactions(transactions, isAgain)
  }

  headChanged(source: ChainSource): void {
    this.#forward(source, 'headChanged', (listener) => listener.headChanged(source))
  }
  blockPushed(source: ChainSource, header: Uint8Array, body: Uint8Array, totalDifficulty: bigint): void {
    this.#forward(source, 'blockPushed', (listener) => listener.blockPushed(source, header, body, totalDifficulty))
  }
  transactionsPushed(source: ChainSource, transactions: readonly Uint8Array[]): void {
    this.#forward(source, 'transactionsPushed', (listener) => listener.transactionsPushed(source, transactions))
  }

  close(reason: string): void {
    this.#isClosed = true
    for (const source of this.list()) {
      source.close(reason)
      this.dismiss(source, reason)
    }
  }

  #forward(source: ChainSource, what: string, call: (listener: SourceListener) => void): void {
    if (!this.#sources.has(source)) return
    for (const listener of [...this.#listeners]) this.#tell(what, () => call(listener))
  }

  /** A listener's own fault must not be taken for the peer's. */
  #tell(what: string, call: () => void): void {
    try {
      call()
    } catch (thrown) {
      this.#parts.log.error('a listener of sources failed', { what, error: asError(thrown) })
    }
  }
}
