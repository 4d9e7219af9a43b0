/**
 * What all peers together may make this box keep. Each protocol and each stream has its own bound; fifty peers that fill
 * all of theirs would still be more than a router has.
 */
/** Fifty that fill theirs leave a fifteenth free. */
const SHARE_OF_FREE = 0.25

export interface Hoarder {
  heldBytes(): number
  evict(heldBytes: number): void
}

export class MemoryBudget {
  readonly #maxWritten: number
  readonly #maxHeld: number
  readonly #hoarders = new Set<Hoarder>()
  #written = 0

  /** Bytes on their way out, and bytes that came and were not taken yet. */
  constructor(maxWritten: number, maxHeld: number) {
    this.#maxWritten = maxWritten
    this.#maxHeld = maxHeld
  }

  get written(): number {
    return this.#written
  }

  get streams(): number {
    return this.#hoarders.size
  }

  held(): number {
    let sum = 0
    for (const hoarder of this.#hoarders) sum += hoarder.heldBytes()
    return sum
  }

  /** One stream may fill a share of what is free now: however many do not read, some room is left for those that do. */
  hasRoomFor(queuedBytes: number): boolean {
    return queuedBytes <= (this.#maxWritten - this.#written) * SHARE_OF_FREE
  }

  change(bytes: number): void {
    this.#written += bytes
  }

  add(hoarder: Hoarder): void {
    this.#hoarders.add(hoarder)
  }

  remove(hoarder: Hoarder): void {
    this.#hoarders.delete(hoarder)
  }

  /** Ends those that hold most until the rest fits. To be called a few times a second. */
  sweep(): void {
    let held = this.held()
    if (held <= this.#maxHeld) return
    const most = [...this.#hoarders].map((hoarder) => ({ hoarder, bytes: hoarder.heldBytes() })).sort((a, b) => b.bytes - a.bytes)
    for (const { hoarder, bytes } of most) {
      if (held <= this.#maxHeld) return
      held -= bytes
      hoarder.evict(bytes)
    }
  }
}
