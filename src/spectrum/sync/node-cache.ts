/** Trie nodes and code lately used, under their hashes, at most so many bytes; the least lately used goes first. */
import type { Hash } from '../codec/fields.ts'

/** What a Map's entry and a hash's text cost besides the node, roughly. */
const ENTRY_BYTES = 200

export class NodeCache {
  readonly #maxBytes: number
  readonly #nodes = new Map<Hash, Uint8Array>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get(hash: Hash): Uint8Array | undefined {
    const node = this.#nodes.get(hash)
    if (node === undefined) return undefined
    this.#nodes.delete(hash)
    this.#nodes.set(hash, node)
    return node
  }

  /** `node` is kept as it is: it must be nobody else's to change. One above the whole bound is not kept. */
  put(hash: Hash, node: Uint8Array): void {
    if (this.#nodes.has(hash) || node.length + ENTRY_BYTES > this.#maxBytes) return
    this.#nodes.set(hash, node)
    this.#bytes += node.length + ENTRY_BYTES
    for (const [oldest, bytes] of this.#nodes) {
      if (this.#bytes <= this.#maxBytes) break
      this.#nodes.delete(oldest)
      this.#bytes -= bytes.length + ENTRY_BYTES
    }
  }
}
