/**
 * Reads one key of a Merkle-Patricia trie whose root is known, from nodes that anybody may have sent. Every
 * node is checked by its hash at every read, so where it came from does not matter. A hash cannot lead back
 * to its own node, and each step takes at least one nibble of the key: a read ends.
 */
import { MeshBoxError } from '../../base/index.ts'
import type { Hash, Keccak } from '../codec/fields.ts'
import { HASH_BYTES, hexOf, keccakHex } from '../codec/fields.ts'
import { MAX_NODE_BYTES, childOf, decodeTrieNode, nibblesOf } from './trie-node.ts'
import type { TrieNode } from './trie-node.ts'

/** keccak256 of the RLP of an empty string: the root of a trie with nothing in it. */
export const EMPTY_TRIE_ROOT: Hash = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421'

/** The node of this hash, or undefined where it is not at hand. */
export type NodeSource = (hash: Hash) => Uint8Array | undefined

/** What could not be read, and why: nodes to ask for, or a node that is a lie or malformed. */
export type Unread =
  | { readonly kind: 'missing'; readonly hashes: readonly Hash[] }
  | { readonly kind: 'invalid'; readonly hash: Hash; readonly reason: string }

/** What a proof came to. */
export type Read<T> = { readonly kind: 'read'; readonly value: T } | Unread

/** `value: null` is a proof of absence. */
export type TrieRead = Read<Uint8Array | null>

/** Never throws on what `nodeOf` gives. */
export function readTrie(keccak: Keccak, root: Hash, key: Uint8Array, nodeOf: NodeSource): TrieRead {
  if (root === EMPTY_TRIE_ROOT) return { kind: 'read', value: null }
  const nibbles = nibblesOf(key)
  let at = 0
  let hash = root
  for (;;) {
    const bytes = nodeOf(hash)
    if (bytes === undefined) return { kind: 'missing', hashes: [hash] }
    if (bytes.length > MAX_NODE_BYTES) return { kind: 'invalid', hash, reason: `a node of ${bytes.length} bytes` }
    if (keccakHex(keccak, bytes) !== hash) return { kind: 'invalid', hash, reason: 'the node has another hash' }
    if (bytes.length < HASH_BYTES && hash !== root) return { kind: 'invalid', hash, reason: 'a node this short stands in its parent' }
    try {
      const step = walkNode(decodeTrieNode(bytes), nibbles, at)
      if ('value' in step) return { kind: 'read', value: step.value }
      hash = step.hash
      at = step.at
    } catch (thrown) {
      if (thrown instanceof MeshBoxError) return { kind: 'invalid', hash, reason: thrown.message }
      throw thrown
    }
  }
}

type Step = { readonly value: Uint8Array | null } | { readonly hash: Hash; readonly at: number }

const ABSENT: Step = { value: null }

/** Follows the key inside one node and the nodes written out in it. */
function walkNode(first: TrieNode, nibbles: Uint8Array, from: number): Step {
  let node = first
  let at = from
  for (;;) {
    if (node.kind === 'leaf') return node.path.length === nibbles.length - at && startsAt(nibbles, node.path, at) ? { value: node.value } : ABSENT
    if (node.kind === 'branch' && at === nibbles.length) return { value: node.value.length === 0 ? null : node.value }
    if (node.kind === 'extension' && !startsAt(nibbles, node.path, at)) return ABSENT
    const child = childOf(node.kind === 'extension' ? node.child : (node.children[nibbles[at] ?? 0] ?? new Uint8Array(0)))
    at += node.kind === 'extension' ? node.path.length : 1
    if (child === null) return ABSENT
    if ('hash' in child) return { hash: hexOf(child.hash), at }
    node = child.node
  }
}

function startsAt(nibbles: Uint8Array, path: Uint8Array, at: number): boolean {
  return path.length <= nibbles.length - at && path.every((nibble, index) => nibbles[at + index] === nibble)
}

/** Loose nodes, as a peer or eth_getProof sends them, under their own hashes. */
export function nodeSet(keccak: Keccak, nodes: Iterable<Uint8Array>): NodeSource {
  const byHash = new Map<Hash, Uint8Array>()
  for (const node of nodes) byHash.set(keccakHex(keccak, node), node)
  return (hash) => byHash.get(hash)
}
