/**
 * Who fetches a block that several peers have announced by its hash: the first, and the next only where that
 * one fails. Pure; bounded by blocks and by announcers of one block.
 */
import type { Hash } from '../codec/fields.ts'

const MAX_BLOCKS = 64
const MAX_ALTERNATES = 4

export class BlockFetches {
  readonly #blocks = new Map<Hash, (() => void)[]>()

  get size(): number {
    return this.#blocks.size
  }

  /** `fetch` is called now, or when the ones before have failed, or never. */
  announced(hash: Hash, fetch: () => void): void {
    const waiting = this.#blocks.get(hash)
    if (waiting !== undefined) {
      if (waiting.length < MAX_ALTERNATES) waiting.push(fetch)
      return
    }
    if (this.#blocks.size >= MAX_BLOCKS) return
    this.#blocks.set(hash, [])
    fetch()
  }

  /** It came, from wherever. */
  done(hash: Hash): void {
    this.#blocks.delete(hash)
  }

  failed(hash: Hash): void {
    const next = this.#blocks.get(hash)?.shift()
    if (next === undefined) this.#blocks.delete(hash)
    else next()
  }
}
