/**
 * Whom to dial, and when: addresses that the owner named, that were good before, or that a beacon told. One that does not
 * answer is dialled ever more seldom, each box by its own dice, so that a neighbourhood that lost its power does not come
 * back in step. Pure: the clock and the dice are the caller's.
 */
import type { BoxId } from '../ports.ts'
import type { PeerAddress } from './addresses.ts'

export type DialSource = 'static' | 'remembered' | 'beacon'

const FIRST_WAIT_MS = 1000
/** On the mesh a box that comes back must be found soon; far away it costs somebody's money to ask. */
export const LONGEST_WAIT_MS: Readonly<Record<DialSource, number>> = { static: 300_000, remembered: 300_000, beacon: 30_000 }
/** A beacon that is not heard so long says nothing any more. */
export const BEACON_HOLDS_MS = 15_000
/** Beacons come each second. Who was silent for longer and is heard again was away, and what was waited for it is void. */
export const AWAY_AFTER_MS = 1500
/** Of two boxes that hear each other, one dials; the other one only when that fails. */
export const SECOND_DIALS_AFTER_MS = 4000
export const MAX_ADDRESSES = 256
/** Of the dials under way: anybody on the link can make up beacons, and they must not keep out who is known. */
export const MAX_BEACON_DIALS = 3
/** Each wait is between so many parts of itself and the whole. */
const JITTER = 0.5

export interface DialEntry {
  readonly address: PeerAddress
  readonly source: DialSource
  /** Who is there, where that is known. */
  readonly box: BoxId | null
  readonly heardMs: number
  readonly dialMs: number
  readonly waitMs: number
  readonly isDialling: boolean
}

export class DialPlan {
  readonly #entries = new Map<string, DialEntry>()
  /** 0–1. */
  readonly #dice: () => number

  constructor(dice: () => number) {
    this.#dice = dice
  }

  get size(): number {
    return this.#entries.size
  }

  entries(): readonly DialEntry[] {
    return [...this.#entries.values()]
  }

  isStatic(box: BoxId, addressKey: string | null): boolean {
    for (const [key, entry] of this.#entries) if (entry.source === 'static' && (entry.box === box || key === addressKey)) return true
    return false
  }

  /** `isSecond`: the other one is to dial. False: there is no room for one more. */
  learn(address: PeerAddress, source: DialSource, box: BoxId | null, nowMs: number, isSecond = false): boolean {
    const known = this.#entries.get(address.key)
    const dialMs = nowMs + (isSecond ? SECOND_DIALS_AFTER_MS : 0)
    if (known !== undefined) {
      const isBack = source === 'beacon' && nowMs - known.heardMs > AWAY_AFTER_MS
      const wait = isBack ? { waitMs: FIRST_WAIT_MS, dialMs: Math.min(known.dialMs, dialMs) } : {}
      // A better source stays; who is there now is what was heard last.
      this.#entries.set(address.key, { ...known, ...wait, box: box ?? known.box, heardMs: nowMs, source: strength(source) > strength(known.source) ? source : known.source })
      return true
    }
    if (this.#entries.size >= MAX_ADDRESSES && !this.#forgetOne(source)) return false
    this.#entries.set(address.key, { address, source, box, heardMs: nowMs, dialMs, waitMs: FIRST_WAIT_MS, isDialling: false })
    return true
  }

  /** Takes up to `places` that are due, who is known before who is only heard; each is told to `ended` later. */
  take(places: number, nowMs: number, isReached: (entry: DialEntry) => boolean): readonly DialEntry[] {
    const due: DialEntry[] = []
    for (const [key, entry] of this.#entries) {
      if (entry.source === 'beacon' && !entry.isDialling && nowMs - entry.heardMs > BEACON_HOLDS_MS) this.#entries.delete(key)
      else if (isReached(entry)) this.#rest(key, entry, nowMs)
      else if (!entry.isDialling && entry.dialMs <= nowMs) due.push(entry)
    }
    let beacons = MAX_BEACON_DIALS - this.entries().filter(({ source, isDialling }) => source === 'beacon' && isDialling).length
    const taken = due
      .sort((a, b) => strength(b.source) - strength(a.source) || a.dialMs - b.dialMs)
      .filter(({ source }) => source !== 'beacon' || beacons-- > 0)
      .slice(0, Math.max(0, places))
    for (const entry of taken) this.#entries.set(entry.address.key, { ...entry, isDialling: true })
    return taken
  }

  /** A dial that ended, whichever way; the next one is after a longer wait, unless it holds. */
  ended(addressKey: string, nowMs: number): void {
    const entry = this.#entries.get(addressKey)
    if (entry === undefined) return
    const waitMs = entry.waitMs * (1 - JITTER * this.#dice())
    this.#entries.set(addressKey, { ...entry, isDialling: false, dialMs: nowMs + waitMs, waitMs: Math.min(2 * entry.waitMs, LONGEST_WAIT_MS[entry.source]) })
  }

  /** Who answered there. */
  found(addressKey: string, box: BoxId): void {
    const entry = this.#entries.get(addressKey)
    if (entry !== undefined) this.#entries.set(addressKey, { ...entry, box })
  }

  forget(addressKey: string): void {
    this.#entries.delete(addressKey)
  }

  /** A connection that ended: its box is dialled soon again, not at once. */
  #rest(key: string, entry: DialEntry, nowMs: number): void {
    this.#entries.set(key, { ...entry, waitMs: FIRST_WAIT_MS, dialMs: nowMs + FIRST_WAIT_MS * (1 - JITTER * this.#dice()) })
  }

  /** The one of the weakest source that was heard of longest ago, unless all are stronger than `source`. */
  #forgetOne(source: DialSource): boolean {
    let oldest: DialEntry | null = null
    for (const entry of this.#entries.values()) {
      if (entry.isDialling || entry.source === 'static') continue
      if (strength(entry.source) > strength(source)) continue
      if (oldest === null || strength(entry.source) < strength(oldest.source) || (entry.source === oldest.source && entry.heardMs < oldest.heardMs)) oldest = entry
    }
    return oldest !== null && this.#entries.delete(oldest.address.key)
  }
}

function strength(source: DialSource): number {
  return source === 'static' ? 2 : source === 'remembered' ? 1 : 0
}
