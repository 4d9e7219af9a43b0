/**
 * Several gateways hear one transmission; its copies are collected for a while and handed over as one. Pure: the caller says what time it
 * is and when to come again.
 *
 * Same bytes are the same transmission if they came within a second of each other: a device that repeats a frame (NbTrans, a confirmed
 * frame without answer) waits longer than that, and such a repetition is a frame of its own, since it may have to be answered again. A
 * gateway's own counter knows better than the time of arrival: the same reception, sent twice because its acknowledgement was lost, has
 * the same counter, however late it comes.
 */
import type { Copy, FrameId, Heard } from '../ports.ts'
import type { Reception } from './door.ts'

/** Copies of one frame that are kept. */
const MAX_COPIES = 32
/** Transmissions that are being collected; a flood beyond that is handed over at once, oldest first. */
const MAX_OPEN = 1_024
/** Between two copies of one transmission. */
const SAME_TRANSMISSION_MS = 1_000
/** How long receptions are known again, and how many transmissions. */
const KNOWN_MS = 20_000
const MAX_KNOWN = 8_192
const COUNTER_ROUND_US = 2 ** 32

interface Collected {
  readonly id: FrameId
  readonly first: Reception
  readonly copies: Copy[]
  readonly firstMs: number
  readonly dueMs: number
}

interface Known {
  readonly id: FrameId
  readonly firstMs: number
  readonly first: Received
  /** After the first; at most MAX_COPIES. Null: none. */
  more: Received[] | null
  /** Another transmission of the same bytes has its place. */
  isReplaced: boolean
}

/** What of a copy says whether another is the same reception: kept 20 s for each frame, so no more than that. */
interface Received {
  readonly gateway: string
  readonly antenna: number
  readonly board: number
  readonly channel: number
  readonly kind: Copy['time']['kind']
  /** By the gateway's counter, 32 bits; null: it has none. */
  readonly counterUs: number | null
  readonly xtime: bigint | null
  readonly arrivedMs: number
}

export type Taken = 'new' | 'copy' | 'repeated' | 'late-copy'

export interface CollectorCounts {
  /** Receptions, by what they were. */
  readonly new: number
  readonly copy: number
  readonly repeated: number
  readonly 'late-copy': number
}

export class CopyCollector {
  readonly #open = new Map<FrameId, Collected>()
  /** Pushed out by the next transmission of the same bytes. */
  readonly #early: Collected[] = []
  /** By frame, the latest transmission; in order of arrival, oldest first. */
  readonly #known = new Map<FrameId, Known>()
  /** Goes along `#known`: one that begins anew for each frame would pass by all that was deleted since the table was last made, some thousand places. */
  #walk = this.#known.values()
  /** Where it stands; null: at none, or at one that has moved to the end of the line. */
  #oldest: Known | null = null
  readonly #counts = { new: 0, copy: 0, repeated: 0, 'late-copy': 0 }

  get size(): { readonly open: number; readonly known: number } {
    return { open: this.#open.size, known: this.#known.size }
  }

  get counts(): CollectorCounts {
    return { ...this.#counts }
  }

  /** When `due` should be asked next; null: nothing is collected. */
  get nextDueMs(): number | null {
    let next: number | null = null
    for (const { dueMs } of this.#open.values()) if (next === null || dueMs < next) next = dueMs
    return next
  }

  /** `windowMs` 0: handed over by the next `due`. */
  take(id: FrameId, reception: Reception, nowMs: number, windowMs: number): Taken {
    const taken = this.#take(id, reception, nowMs, windowMs)
    this.#counts[taken] += 1
    return taken
  }

  #take(id: FrameId, reception: Reception, nowMs: number, windowMs: number): Taken {
    this.#forget(nowMs)
    const { copy } = reception
    const known = this.#known.get(id)
    const received = receivedOf(copy)
    if (known !== undefined) {
      if (isSameReception(known.first, received) || known.more?.some((other) => isSameReception(other, received)) === true) return 'repeated'
      if (isSameTransmission(known, received, nowMs)) {
        known.more ??= []
        if (known.more.length < MAX_COPIES - 1) known.more.push(received)
        const open = this.#open.get(id)
        if (open === undefined) return 'late-copy'
        if (open.copies.length < MAX_COPIES) open.copies.push(copy)
        return 'copy'
      }
    }
    if (known !== undefined) {
      known.isReplaced = true
      this.#known.delete(id) // to the end of the line
    }
    this.#known.set(id, { id, firstMs: nowMs, first: received, more: null, isReplaced: false })
    // A window longer than the gap between two transmissions would hold the one before still: it goes out with this one's hand-over.
    const before = this.#open.get(id)
    if (before !== undefined) {
      this.#early.push(before)
      this.#open.delete(id)
    }
    this.#open.set(id, { id, first: reception, copies: [copy], firstMs: nowMs, dueMs: nowMs + windowMs })
    return 'new'
  }

  /** What is complete now, in the order in which it was first heard. */
  due(nowMs: number): readonly Heard[] {
    const ready = this.#early.splice(0)
    let surplus = this.#open.size - MAX_OPEN
    for (const [id, collected] of this.#open) {
      if (collected.dueMs > nowMs && surplus <= 0) continue
      surplus -= 1
      this.#open.delete(id)
      ready.push(collected)
    }
    return (ready.length > 1 ? ready.sort((a, b) => a.firstMs - b.firstMs) : ready).map(heardOf)
  }

  #forget(nowMs: number): void {
    for (let oldest = this.#oldestKnown(); oldest !== null; oldest = this.#oldestKnown()) {
      if (oldest.firstMs > nowMs - KNOWN_MS && this.#known.size < MAX_KNOWN) return
      this.#known.delete(oldest.id)
      this.#oldest = null
    }
  }

  #oldestKnown(): Known | null {
    while (this.#oldest === null || this.#oldest.isReplaced) {
      if (this.#known.size === 0) return null
      const next = this.#walk.next()
      this.#oldest = next.done === true ? null : next.value
      if (next.done === true) this.#walk = this.#known.values()
    }
    return this.#oldest
  }
}

function heardOf({ id, first, copies }: Collected): Heard {
  return { id, phy: first.phy, frequencyHz: first.frequencyHz, modulation: first.modulation, copies: copies.length === 1 ? copies : copies.toSorted(byQuality), isLate: false }
}

/** Best first: a copy that can be answered before one that cannot, then SNR, then RSSI; what is not said counts as worst. */
function byQuality(a: Copy, b: Copy): number {
  return Number(isAnswerable(b)) - Number(isAnswerable(a)) || strength(b.snrDb) - strength(a.snrDb) || strength(b.rssiDbm) - strength(a.rssiDbm)
}

function isAnswerable({ time }: Copy): boolean {
  return time.kind !== 'foreign' || time.context.length > 0
}

const UNKNOWN_STRENGTH = -1_000
const strength = (value: number | null): number => value ?? UNKNOWN_STRENGTH

function receivedOf({ gateway, antenna, board, channel, time, arrivedMs }: Copy): Received {
  return { gateway, antenna, board, channel, kind: time.kind, counterUs: counterOf(time), xtime: time.kind === 'station' ? time.xtime : null, arrivedMs }
}

function isSameReception(a: Received, b: Received): boolean {
  if (a.gateway !== b.gateway || a.antenna !== b.antenna || a.board !== b.board || a.channel !== b.channel || a.kind !== b.kind) return false
  if (a.kind === 'counter') return a.counterUs === b.counterUs
  return a.kind === 'station' ? a.xtime === b.xtime : a.arrivedMs === b.arrivedMs
}

function isSameTransmission({ first, more, firstMs }: Known, received: Received, nowMs: number): boolean {
  const isOfGateway = ({ gateway, kind }: Received): boolean => gateway === received.gateway && kind === received.kind
  const before = isOfGateway(first) ? first : more?.find(isOfGateway)
  const [counter, counterBefore] = [received.counterUs, before?.counterUs ?? null]
  if (counter === null || counterBefore === null) return nowMs - firstMs < SAME_TRANSMISSION_MS
  const apart = (counter - counterBefore + COUNTER_ROUND_US) % COUNTER_ROUND_US
  return Math.min(apart, COUNTER_ROUND_US - apart) < SAME_TRANSMISSION_MS * 1_000
}

function counterOf(time: Copy['time']): number | null {
  if (time.kind === 'counter') return time.tmstUs
  return time.kind === 'station' ? Number(BigInt.asUintN(32, time.xtime)) : null
}
