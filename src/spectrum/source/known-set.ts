/** The last so many hashes that somebody is known to have; the oldest is forgotten first. */
import type { Hash } from '../codec/fields.ts'

export class KnownSet {
  readonly #most: number
  readonly #hashes = new Set<Hash>()

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#hashes.size
  }
  has(hash: Hash): boolean {
    return this.#hashes.has(hash)
  }

  /** False: it was there. */
  add(hash: Hash): boolean {
    if (this.#hashes.has(hash)) return false
    if (this.#hashes.size >= this.#most) {
      const oldest = this.#hashes.values().next()
      if (oldest.done !== true) this.#hashes.delete(oldest.value)
    }
    this.#hashes.add(hash)
    return true
  }
}
