/**
 * A whole state, fetched by hash: for a box whose state file was lost, or that begins at a checkpoint. Given nodes
 * are checked by keccak and written; the walk goes on from what is there, so one that was broken off costs only what
 * it lacked. The root counts as whole when nothing below it is left to ask for, and not before.
 */
import { MeshBoxError } from '../../base/index.ts'
import { keccakHex } from '../codec/fields.ts'
import type { Hash, Keccak } from '../codec/fields.ts'
import { EMPTY_CODE_HASH, decodeAccount } from '../proof/account.ts'
import { EMPTY_TRIE_ROOT } from '../proof/read-trie.ts'
import type { StateStore } from './state-store.ts'
import { childHashes, damaged, decodeNode, leafValues } from './trie-nodes.ts'

/** What a source answers at once. */
const RESTORE_ASK = 384
/** Nodes looked at in one step: some ten milliseconds of a small board. */
const LOOK_NODES = 500
/** A state larger than this is no router's. */
const MAX_BYTES = 512 * 1024 * 1024

export interface RestoreStep {
  /** To be given to the next step, as far as somebody has them. */
  readonly wanted: readonly Hash[]
  /** Written by this step. */
  readonly nodes: number
  readonly bytes: number
  readonly isDone: boolean
}

interface Place {
  readonly hash: Hash
  /** Code looks like anything, also like a node: only its place says what it is. */
  readonly kind: 'account' | 'storage' | 'code'
}

export class RestoreWork {
  readonly #keccak: Keccak
  readonly #store: StateStore
  readonly #root: Hash
  readonly #waiting: Place[]
  readonly #wanted = new Map<Hash, Place>()
  #bytes = 0

  constructor(keccak: Keccak, store: StateStore, root: Hash) {
    this.#keccak = keccak
    this.#store = store
    this.#root = root
    this.#waiting = root === EMPTY_TRIE_ROOT ? [] : [{ hash: root, kind: 'account' }]
  }

  /** `given`: what came of what was wanted; anything else is let go. Errors: unavailable for a state that is none, or too large. */
  step(given: readonly Uint8Array[]): RestoreStep {
    const fresh = new Map<Hash, Uint8Array>()
    let bytes = 0
    for (const item of given) {
      const hash = keccakHex(this.#keccak, item)
      const place = this.#wanted.get(hash)
      if (place === undefined) continue
      this.#wanted.delete(hash)
      fresh.set(hash, item)
      bytes += item.length
      this.#follow(place, item)
    }
    this.#bytes += bytes
    if (this.#bytes > MAX_BYTES) throw new MeshBoxError('unavailable', `the state has more than ${MAX_BYTES} bytes`, { code: 'state-too-large' })
    if (fresh.size > 0) this.#store.write(fresh, null)
    for (let looked = 0; looked < LOOK_NODES && this.#wanted.size < RESTORE_ASK; looked++) {
      const place = this.#waiting.pop()
      if (place === undefined) break
      const kept = this.#store.node(place.hash)
      if (kept === undefined) this.#wanted.set(place.hash, place)
      else this.#follow(place, kept)
    }
    const isDone = this.#waiting.length === 0 && this.#wanted.size === 0
    if (isDone) this.#store.write(new Map(), this.#root)
    return { wanted: [...this.#wanted.keys()], nodes: fresh.size, bytes, isDone }
  }

  #follow({ kind }: Place, bytes: Uint8Array): void {
    if (kind === 'code') return
    const node = decodeNode(bytes)
    for (const hash of childHashes(node)) this.#waiting.push({ hash, kind })
    if (kind === 'account') for (const value of leafValues(node)) this.#followAccount(value)
  }

  #followAccount(value: Uint8Array): void {
    const { storageRoot, codeHash } = accountOf(value)
    if (storageRoot !== EMPTY_TRIE_ROOT) this.#waiting.push({ hash: storageRoot, kind: 'storage' })
    if (codeHash !== EMPTY_CODE_HASH) this.#waiting.push({ hash: codeHash, kind: 'code' })
  }
}

function accountOf(value: Uint8Array): ReturnType<typeof decodeAccount> {
  try {
    return decodeAccount(value)
  } catch (thrown) {
    if (thrown instanceof MeshBoxError && thrown.kind === 'input') throw damaged(thrown.message)
    throw thrown
  }
}

/** Until the state is whole. Errors: unavailable where nobody has what is left. */
export async function restoreAll(step: (given: readonly Uint8Array[]) => RestoreStep | Promise<RestoreStep>, fetch: (hashes: readonly Hash[]) => Promise<readonly Uint8Array[]>): Promise<{ readonly nodes: number; readonly bytes: number }> {
  let given: readonly Uint8Array[] = []
  let nodes = 0
  let bytes = 0
  for (;;) {
    const done = await step(given)
    nodes += done.nodes
    bytes += done.bytes
    if (done.isDone) return { nodes, bytes }
    if (given.length > 0 && done.nodes === 0) throw new MeshBoxError('unavailable', 'what came is not what was asked for', { code: 'state-unavailable' })
    given = done.wanted.length === 0 ? [] : await fetch(done.wanted)
    if (given.length === 0 && done.wanted.length > 0) throw new MeshBoxError('unavailable', `nobody has node ${done.wanted[0] ?? ''}`, { code: 'state-unavailable', retryAfterSeconds: 15 })
  }
}
