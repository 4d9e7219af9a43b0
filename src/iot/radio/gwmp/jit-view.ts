/**
 * What waits in a forwarder's just-in-time queue, as far as we filled it: so that an order it would refuse is refused here, in the same
 * words and without a round trip that the next window may not have. Pure. Semtech's forwarders: 32 places; a frame must come more than
 * 32.5 ms before its slot (1.5 start + 1 margin + 30 fetch) and less than 512 s; two frames need 1.5 + 1 ms between them. A frame for
 * `now` is put where there is room. Stricter in one thing: a frame is loaded up to 30 ms before its slot, and dropped without a word, after a yes, if another is on the
 * air just then; so they need as much between them as before a slot.
 */
const PLACES = 32
export const LEAST_LEAD_MS = 32.5
export const MOST_LEAD_MS = 512_000
const GAP_MS = LEAST_LEAD_MS
/** A frame for `now` starts so long after it was taken, at the latest when nothing else waits. */
const NOW_START_MS = 1_000

interface Waiting {
  readonly key: number
  readonly startMs: number
  readonly endMs: number
  /** False: its moment is the forwarder's choice. */
  readonly isFixed: boolean
}

export type JitVerdict = 'OK' | 'TOO_LATE' | 'TOO_EARLY' | 'COLLISION_PACKET' | 'QUEUE_FULL'

export class JitView {
  #waiting: Waiting[] = []

  get size(): number {
    return this.#waiting.length
  }

  /** `startMs`: boot time of the slot; null: `now`, or a moment that we cannot tell in our time. */
  judge(startMs: number | null, onAirMs: number, nowMs: number): JitVerdict {
    this.#waiting = this.#waiting.filter(({ endMs }) => endMs > nowMs)
    if (startMs !== null) {
      if (startMs - nowMs <= LEAST_LEAD_MS) return 'TOO_LATE'
      if (startMs - nowMs > MOST_LEAD_MS) return 'TOO_EARLY'
      const endMs = startMs + onAirMs
      if (this.#waiting.some((other) => other.isFixed && startMs < other.endMs + GAP_MS && other.startMs < endMs + GAP_MS)) return 'COLLISION_PACKET'
    }
    return this.#waiting.length >= PLACES ? 'QUEUE_FULL' : 'OK'
  }

  add(key: number, startMs: number | null, onAirMs: number, nowMs: number): void {
    const start = startMs ?? nowMs + NOW_START_MS
    this.#waiting.push({ key, startMs: start, endMs: start + onAirMs, isFixed: startMs !== null })
  }

  /** It was refused. */
  remove(key: number): void {
    this.#waiting = this.#waiting.filter((other) => other.key !== key)
  }

  /** The forwarder started anew: its queue is empty. */
  clear(): void {
    this.#waiting = []
  }
}
