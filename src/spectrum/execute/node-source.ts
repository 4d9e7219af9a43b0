/**
 * Trie nodes as the executor reads them: decoded, from a cache bounded in bytes, then from the store, and, where
 * this box keeps no state, from those that were fetched for the job at hand. Every node is checked by its hash
 * when it is decoded.
 */
import { MeshBoxError, asError } from '../../base/index.ts'
import { keccakHex } from '../codec/fields.ts'
import type { Hash, Keccak } from '../codec/fields.ts'
import type { StateStore } from './state-store.ts'
import { decodeNode } from './trie-nodes.ts'
import type { TrieNode } from './trie-nodes.ts'

/** Asks whoever has it; null or absent answers are no error here. */
export type FetchNodes = (hashes: readonly Hash[]) => Promise<readonly Uint8Array[]>

/** Thrown where a node is not at hand. Never leaves this folder: it is fetched, or the state is unavailable. */
export class MissingNode extends Error {
  readonly hash: Hash

  constructor(hash: Hash) {
    super(`no node ${hash}`)
    this.hash = hash
  }
}

/** What one job may fetch: far more than a block's worth, far less than a box's memory. */
const MAX_FETCHED_NODES = 50_000
const MAX_FETCHED_BYTES = 32 * 1024 * 1024
const MAX_FETCH = 384
/** Code has 24 KiB at most, nodes 532 bytes; a genesis may hold longer code. */
const MAX_FETCHED_ITEM_BYTES = 256 * 1024
/** What a decoded node takes of the heap, with its hash and its place here, roughly: so much, and its bytes twice. */
const NODE_BYTES = 500
const DECODED_FACTOR = 2
/** Of code. */
const ENTRY_BYTES = 200

export class NodeSource {
  readonly #keccak: Keccak
  readonly #store: StateStore
  readonly #fetch: FetchNodes | null
  readonly #maxCacheBytes: number
  readonly #cache = new Map<Hash, { readonly node: TrieNode; readonly bytes: number }>()
  #cacheBytes = 0
  readonly #code = new Map<Hash, Uint8Array>()
  #codeBytes = 0
  #fetched = new Map<Hash, Uint8Array>()
  #fetchedBytes = 0

  constructor(options: { readonly keccak: Keccak; readonly store: StateStore; readonly fetch: FetchNodes | null; readonly maxCacheBytes: number }) {
    this.#keccak = options.keccak
    this.#store = options.store
    this.#fetch = options.fetch
    this.#maxCacheBytes = options.maxCacheBytes
  }

  get cacheBytes(): number {
    return this.#cacheBytes + this.#codeBytes
  }

  /** A new job: forgets what was fetched for the last one. */
  begin(): void {
    this.#fetched = new Map()
    this.#fetchedBytes = 0
  }

  fetched(): ReadonlyMap<Hash, Uint8Array> {
    return this.#fetched
  }

  /** Errors: MissingNode; unavailable `state-damaged` for bytes that are no node of ours. */
  node(hash: Hash): TrieNode {
    const known = this.#cache.get(hash)
    if (known !== undefined) {
      this.#cache.delete(hash)
      this.#cache.set(hash, known)
      return known.node
    }
    const bytes = this.#bytes(hash)
    const node = decodeNode(bytes)
    this.keep(hash, node, bytes.length)
    return node
  }

  /** Errors: as for a node. */
  code(hash: Hash): Uint8Array {
    const known = this.#code.get(hash)
    if (known !== undefined) {
      this.#code.delete(hash)
      this.#code.set(hash, known)
      return known
    }
    const code = this.#bytes(hash)
    this.#code.set(hash, code)
    this.#codeBytes += code.length + ENTRY_BYTES
    for (const [oldest, bytes] of this.#code) {
      if (this.#codeBytes <= this.#maxCacheBytes / 4 || this.#code.size === 1) break
      this.#code.delete(oldest)
      this.#codeBytes -= bytes.length + ENTRY_BYTES
    }
    return code
  }

  /** A node just written: the next block will want it. */
  keep(hash: Hash, node: TrieNode, length: number): void {
    if (this.#cache.has(hash)) return
    const bytes = NODE_BYTES + DECODED_FACTOR * length
    this.#cache.set(hash, { node, bytes })
    this.#cacheBytes += bytes
    for (const [oldest, entry] of this.#cache) {
      if (this.#cacheBytes <= this.#maxCacheBytes) break
      this.#cache.delete(oldest)
      this.#cacheBytes -= entry.bytes
    }
  }

  /** Runs `read`; what it misses is fetched and `read` runs again. Errors: unavailable where a node is not to be had. */
  async through<T>(read: () => T): Promise<T> {
    for (;;) {
      try {
        return read()
      } catch (thrown) {
        if (!(thrown instanceof MissingNode)) throw thrown
        await this.fetch([thrown.hash])
      }
    }
  }

  /** Reads whatever `reads` want, asking for all that is missing at once, level by level. */
  async prefetch(reads: readonly (() => void)[]): Promise<void> {
    if (this.#fetch === null) return
    let left = reads
    while (left.length > 0) {
      const missing = new Set<Hash>()
      left = left.filter((read) => {
        try {
          read()
          return false
        } catch (thrown) {
          if (!(thrown instanceof MissingNode)) throw thrown
          missing.add(thrown.hash)
          return true
        }
      })
      if (missing.size > 0) await this.fetch([...missing])
    }
  }

  async fetch(hashes: readonly Hash[]): Promise<void> {
    const fetch = this.#fetch
    if (fetch === null) throw unavailable(`node ${hashes[0] ?? ''} is not on this box`)
    for (let at = 0; at < hashes.length; at += MAX_FETCH) {
      const wanted = new Set(hashes.slice(at, at + MAX_FETCH))
      for (const bytes of await answered(fetch, [...wanted])) {
        if (bytes.length > MAX_FETCHED_ITEM_BYTES) continue
        const hash = keccakHex(this.#keccak, bytes)
        if (!wanted.delete(hash)) continue // nobody asked for it, or it came twice
        this.#fetched.set(hash, bytes)
        this.#fetchedBytes += bytes.length
      }
      const [lost] = wanted
      if (lost !== undefined) throw unavailable(`nobody has node ${lost}`)
    }
    if (this.#fetched.size > MAX_FETCHED_NODES || this.#fetchedBytes > MAX_FETCHED_BYTES) throw unavailable('more of the state is needed than one job may fetch')
  }

  #bytes(hash: Hash): Uint8Array {
    const fetched = this.#fetched.get(hash)
    if (fetched !== undefined) return fetched // checked when it came
    const kept = this.#store.node(hash)
    if (kept === undefined) throw new MissingNode(hash)
    if (keccakHex(this.#keccak, kept) !== hash) throw new MeshBoxError('unavailable', `the state on disk is damaged at ${hash}`, { code: 'state-damaged' })
    return kept
  }
}

/** Whatever went wrong on the way: the state is not to be had now. */
async function answered(fetch: FetchNodes, hashes: readonly Hash[]): Promise<readonly Uint8Array[]> {
  try {
    return await fetch(hashes)
  } catch (thrown) {
    throw thrown instanceof MeshBoxError ? thrown : unavailable(asError(thrown).message)
  }
}

export function unavailable(reason: string): MeshBoxError {
  return new MeshBoxError('unavailable', `the state is not to be had: ${reason}`, { code: 'state-unavailable' })
}
