/**
 * A Merkle-Patricia trie that is changed key by key and hashed once (Yellow Paper, appendix D). Nodes are read when
 * a key leads through them; a node that is changed is copied first, so a cached one never is.
 */
import { HASH_BYTES, keccakHex } from '../codec/fields.ts'
import type { Hash, Keccak } from '../codec/fields.ts'
import { EMPTY_TRIE_ROOT } from '../proof/read-trie.ts'
import { nibblesOf } from '../proof/trie-node.ts'
import type { NodeSource } from './node-source.ts'
import { damaged, emptyBranch, encodeNode } from './trie-nodes.ts'
import type { Branch, Child, TrieNode } from './trie-nodes.ts'

/** The value of a 32-byte key, null where there is none. Errors: MissingNode; unavailable. */
export function readKey(source: NodeSource, root: Hash, key: Uint8Array): Uint8Array | null {
  if (root === EMPTY_TRIE_ROOT) return null
  const nibbles = nibblesOf(key)
  let at = 0
  let child: Child = root
  while (child !== null) {
    const node: TrieNode = typeof child === 'string' ? source.node(child) : child
    if (node.kind === 'branch') {
      if (at >= nibbles.length) throw damaged('a key too long')
      child = node.children[nibbles[at++] ?? 0] ?? null
      continue
    }
    if (sharedLength(node.path, nibbles, at) !== node.path.length) return null
    at += node.path.length
    if (node.kind === 'leaf') return at === nibbles.length ? node.value : null
    child = node.child
  }
  return null
}

export class TrieEdit {
  readonly #source: NodeSource
  readonly #keccak: Keccak
  #root: Child

  constructor(source: NodeSource, keccak: Keccak, root: Hash) {
    this.#source = source
    this.#keccak = keccak
    this.#root = root === EMPTY_TRIE_ROOT ? null : root
  }

  /** `key`: 32 bytes; `value`: not empty. Errors: MissingNode; unavailable. */
  put(key: Uint8Array, value: Uint8Array): void {
    this.#root = this.#put(this.#root, nibblesOf(key), 0, value)
  }

  /** No error where the key is not there. Errors: MissingNode; unavailable. */
  delete(key: Uint8Array): void {
    this.#root = this.#delete(this.#root, nibblesOf(key), 0)
  }

  /** The root, and every node that is new under it, by `keep`. The edit is over. */
  finish(keep: (hash: Hash, bytes: Uint8Array) => void): Hash {
    if (this.#root === null) return EMPTY_TRIE_ROOT
    if (typeof this.#root === 'string') return this.#root
    return this.#store(this.#root, keep, true) as Hash
  }

  #resolve(child: Hash | TrieNode): TrieNode {
    return typeof child === 'string' ? this.#source.node(child) : child
  }

  #put(child: Child, nibbles: Uint8Array, at: number, value: Uint8Array): TrieNode {
    if (child === null) return { kind: 'leaf', path: nibbles.subarray(at), value, isFresh: true }
    const node = this.#resolve(child)
    if (node.kind === 'branch') {
      if (at >= nibbles.length) throw damaged('a key too long')
      const branch = freshBranch(node)
      const nibble = nibbles[at] ?? 0
      branch.children[nibble] = this.#put(branch.children[nibble] ?? null, nibbles, at + 1, value)
      return branch
    }
    const shared = sharedLength(node.path, nibbles, at)
    if (node.kind === 'leaf' && shared === node.path.length && at + shared === nibbles.length) return { kind: 'leaf', path: node.path, value, isFresh: true }
    if (node.kind === 'extension' && shared === node.path.length) return { kind: 'extension', path: node.path, child: this.#put(node.child, nibbles, at + shared, value), isFresh: true }
    // The paths part here: a branch with the old way on one side and the new one on the other.
    const branch = emptyBranch()
    const rest = node.path.subarray(shared + 1)
    const oldNibble = node.path[shared]
    const newNibble = nibbles[at + shared]
    if (oldNibble === undefined || newNibble === undefined) throw damaged('keys of two lengths')
    branch.children[oldNibble] = node.kind === 'leaf' ? { kind: 'leaf', path: rest, value: node.value, isFresh: true } : rest.length === 0 ? node.child : { kind: 'extension', path: rest, child: node.child, isFresh: true }
    branch.children[newNibble] = { kind: 'leaf', path: nibbles.subarray(at + shared + 1), value, isFresh: true }
    return shared === 0 ? branch : { kind: 'extension', path: node.path.subarray(0, shared), child: branch, isFresh: true }
  }

  /** What stands there afterwards; the same child where the key is not below it. */
  #delete(child: Child, nibbles: Uint8Array, at: number): Child {
    if (child === null) return null
    const node = this.#resolve(child)
    if (node.kind === 'leaf') return sharedLength(node.path, nibbles, at) === node.path.length && at + node.path.length === nibbles.length ? null : child
    if (node.kind === 'extension') {
      if (sharedLength(node.path, nibbles, at) !== node.path.length) return child
      const below = this.#delete(node.child, nibbles, at + node.path.length)
      if (below === node.child) return child
      if (below === null) throw damaged('an extension above one key')
      return this.#lengthen(node.path, below)
    }
    const nibble = nibbles[at]
    if (nibble === undefined) throw damaged('a key too long')
    const before = node.children[nibble] ?? null
    const below = this.#delete(before, nibbles, at + 1)
    if (below === before) return child // not there, or changed in place under a node that is fresh itself
    const left = below === null ? node.children.flatMap((other, place) => (other === null || place === nibble ? [] : [place])) : []
    const [only] = left
    if (left.length === 1 && only !== undefined) return this.#lengthen(Uint8Array.of(only), node.children[only] as Hash | TrieNode)
    const branch = freshBranch(node)
    branch.children[nibble] = below
    return branch
  }

  /** Puts a path before a node: a leaf or an extension takes it up, a branch gets an extension. */
  #lengthen(path: Uint8Array, child: Hash | TrieNode): TrieNode {
    const node = this.#resolve(child)
    if (node.kind === 'branch') return { kind: 'extension', path, child, isFresh: true }
    const longer = new Uint8Array(path.length + node.path.length)
    longer.set(path)
    longer.set(node.path, path.length)
    return node.kind === 'leaf' ? { kind: 'leaf', path: longer, value: node.value, isFresh: true } : { kind: 'extension', path: longer, child: node.child, isFresh: true }
  }

  /** What stands for the node in its parent: its hash, or the node where its RLP is shorter. */
  #store(node: TrieNode, keep: (hash: Hash, bytes: Uint8Array) => void, isRoot = false): Hash | TrieNode {
    const settled = (child: Child): Child => (child === null || typeof child === 'string' ? child : this.#store(child, keep))
    if (node.kind === 'branch') for (let nibble = 0; nibble < node.children.length; nibble++) node.children[nibble] = settled(node.children[nibble] ?? null)
    if (node.kind === 'extension') node.child = settled(node.child)
    node.isFresh = false
    const bytes = encodeNode(node)
    if (bytes.length < HASH_BYTES && !isRoot) return node
    const hash = keccakHex(this.#keccak, bytes)
    keep(hash, bytes)
    this.#source.keep(hash, node, bytes.length)
    return hash
  }
}

function freshBranch(node: Branch): Branch {
  return node.isFresh ? node : { kind: 'branch', children: [...node.children], isFresh: true }
}

function sharedLength(path: Uint8Array, nibbles: Uint8Array, at: number): number {
  const most = Math.min(path.length, nibbles.length - at)
  let length = 0
  while (length < most && path[length] === nibbles[at + length]) length++
  return length
}
