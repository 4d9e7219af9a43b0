/**
 * What decisions may know of the chain, at each moment: its height, whether it may be rested on, and how many blocks it
 * has probably made since it could not be seen (specs/photon.md 3.6): by the clock that runs since boot, which nobody can
 * set, and by the wall clock where that is trusted and says more. The count outlives a restart; after a reboot nobody knows
 * how long the power was off, so that without a trusted wall clock it is as long as can be: nothing is taken then.
 */
import type { Cancel, Clock, Log, Timers } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import type { ChannelMoment } from '../channel/index.ts'
import type { MomentSource } from '../node/index.ts'
import type { ChainPort } from '../ports.ts'
import { putNote, readNote } from './note-table.ts'

const OFFLINE_NOTE = 'chain-seen'
/** Nothing tells that the chain has fallen silent: it is looked at. */
const LOOK_EVERY_MS = 2_000
/** Over so many blocks the time of one is measured. */
const MEASURED_BLOCKS = 200
const LIKELY_BLOCK_SECONDS = 15
/** Flash is written so often at most; a restart counts as much too long. */
const NOTE_EVERY_MS = 600_000
/** So long without a view that no settle timeout is longer. */
export const UNKNOWN_BLOCKS = Number.MAX_SAFE_INTEGER

/** One text, on disk. */
export interface OfflineMemory {
  /** Null: never written. */
  read(): string | null
  /** Never throws; what is lost by a crash before it is on disk counts as time without a view. */
  write(text: string): void
}

export function offlineMemory(store: Store, log: Log): OfflineMemory {
  return {
    read: () => store.read((tx) => readNote(tx, OFFLINE_NOTE)),
    write: (text) => void store.turn((tx) => putNote(tx, OFFLINE_NOTE, text)).catch((error: unknown) => log.warn('the time without a view of the chain could not be noted', { error })),
  }
}

export interface ChainMomentsOptions {
  readonly chain: Pick<ChainPort, 'head' | 'at' | 'isFrozen' | 'onHead'>
  readonly clock: Clock
  readonly timers: Timers
  readonly memory: OfflineMemory
  /** Set by whoever finds that what was told of the chain is not true any more: nothing rests on it then. */
  readonly isStopped: () => boolean
}

export class ChainMoments implements MomentSource {
  readonly #options: ChainMomentsOptions
  readonly #listeners = new Set<(moment: ChannelMoment) => void>()
  readonly #cancels: readonly Cancel[]
  /** By the clock since boot, when the chain was in view last; before this boot: negative. Null: nobody knows. */
  #seenMs: number | null
  #notedMs: number
  #wasFrozen = false
  #now: ChannelMoment

  constructor(options: ChainMomentsOptions) {
    this.#options = options
    this.#seenMs = this.#remembered()
    this.#notedMs = -Infinity
    this.#now = this.#measure()
    this.#note()
    this.#cancels = [options.chain.onHead(() => this.look()), options.timers.every(LOOK_EVERY_MS, () => this.look())]
  }

  now(): ChannelMoment {
    return this.#now
  }

  onChange(listener: (moment: ChannelMoment) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel()
  }

  look(): void {
    const before = this.#now
    const now = this.#measure()
    this.#note()
    if (now.block === before.block && now.isFrozen === before.isFrozen && now.offlineBlocks === before.offlineBlocks) return
    this.#now = now
    for (const listener of this.#listeners) listener(now)
  }

  #measure(): ChannelMoment {
    const { chain, clock, isStopped } = this.#options
    const head = chain.head()
    const block = head?.number ?? 0
    if (!chain.isFrozen() && !isStopped()) {
      this.#seenMs = clock.boottimeMs()
      return { block, isFrozen: false, offlineBlocks: 0 }
    }
    const byWall = head !== null && clock.isWallTrusted() ? clock.wallMs() / 1000 - head.timeSeconds : null
    if (this.#seenMs === null && byWall === null) return { block, isFrozen: true, offlineBlocks: UNKNOWN_BLOCKS }
    const sinceSeen = this.#seenMs === null ? 0 : (clock.boottimeMs() - this.#seenMs) / 1000
    return { block, isFrozen: true, offlineBlocks: Math.ceil(Math.max(sinceSeen, byWall ?? 0, 0) / this.#blockSeconds()) }
  }

  /** `bootId seenMs`: from another boot it only says that time has passed. */
  #remembered(): number | null {
    const { memory, clock } = this.#options
    const [bootId, seen = ''] = memory.read()?.split(' ') ?? []
    const seenMs = Number(seen === '' ? NaN : seen)
    return bootId === clock.bootId && Number.isFinite(seenMs) && seenMs <= clock.boottimeMs() ? seenMs : null
  }

  /** When the chain was in view last: noted when it goes out of view, and now and then. */
  #note(): void {
    const { memory, clock, chain, isStopped } = this.#options
    const isFrozen = chain.isFrozen() || isStopped()
    const nowMs = clock.boottimeMs()
    const isDue = !isFrozen && nowMs - this.#notedMs >= NOTE_EVERY_MS
    const hasGone = isFrozen && !this.#wasFrozen
    this.#wasFrozen = isFrozen
    if (this.#seenMs === null || (!isDue && !hasGone)) return
    this.#notedMs = nowMs
    memory.write(`${clock.bootId} ${Math.floor(this.#seenMs)}`)
  }

  #blockSeconds(): number {
    const { chain } = this.#options
    const head = chain.head()
    const before = head === null ? null : chain.at(head.number - MEASURED_BLOCKS)
    if (head === null || before === null) return LIKELY_BLOCK_SECONDS
    return Math.max(1, (head.timeSeconds - before.timeSeconds) / (head.number - before.number))
  }
}
