/**
 * What decisions may know of the chain, at each moment: its height, whether it may be rested on, and how many blocks it
 * has probably made since it could not be seen (specs/photon.md 3.6): by the clock that runs since boot, which nobody can
 * set, and by the wall clock where that is trusted and says more.
 */
import type { Cancel, Clock, Timers } from '../../base/index.ts'
import type { ChannelMoment } from '../channel/index.ts'
import type { MomentSource } from '../node/index.ts'
import type { ChainPort } from '../ports.ts'

/** Nothing tells that the chain has fallen silent: it is looked at. */
const LOOK_EVERY_MS = 2_000
/** Over so many blocks the time of one is measured. */
const MEASURED_BLOCKS = 200
const LIKELY_BLOCK_SECONDS = 15

export interface ChainMomentsOptions {
  readonly chain: Pick<ChainPort, 'head' | 'at' | 'isFrozen' | 'onHead'>
  readonly clock: Clock
  readonly timers: Timers
  /** Set by whoever finds that what was told of the chain is not true any more: nothing rests on it then. */
  readonly isStopped: () => boolean
}

export class ChainMoments implements MomentSource {
  readonly #options: ChainMomentsOptions
  readonly #listeners = new Set<(moment: ChannelMoment) => void>()
  readonly #cancels: readonly Cancel[]
  /** By the clock since boot, when the chain was in view last. */
  #seenMs: number
  #now: ChannelMoment

  constructor(options: ChainMomentsOptions) {
    this.#options = options
    this.#seenMs = options.clock.boottimeMs()
    this.#now = this.#measure()
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
    const sinceSeen = (clock.boottimeMs() - this.#seenMs) / 1000
    const byWall = head !== null && clock.isWallTrusted() ? clock.wallMs() / 1000 - head.timeSeconds : 0
    return { block, isFrozen: true, offlineBlocks: Math.ceil(Math.max(sinceSeen, byWall, 0) / this.#blockSeconds()) }
  }

  #blockSeconds(): number {
    const { chain } = this.#options
    const head = chain.head()
    const before = head === null ? null : chain.at(head.number - MEASURED_BLOCKS)
    if (head === null || before === null) return LIKELY_BLOCK_SECONDS
    return Math.max(1, (head.timeSeconds - before.timeSeconds) / (head.number - before.number))
  }
}
