/**
 * Nodes of the Merkle-Patricia trie (Yellow Paper, appendix D), read strictly:
 *
 * | node | RLP |
 * |---|---|
 * | branch | 16 children, then a value |
 * | extension | path with prefix 0 (even) or 1 (odd), then a child |
 * | leaf | path with prefix 2 (even) or 3 (odd), then the value |
 *
 * A child is the 32-byte hash of a node, the node itself where its RLP is shorter than 32 bytes, or empty.
 */
import { decodeRlp, encodeRlp, inputError, toHex } from '../../base/index.ts'
import type { RlpItem, RlpLimits } from '../../base/index.ts'
import { HASH_BYTES, bytesField, listField } from '../codec/fields.ts'

export type TrieNode =
  | { readonly kind: 'branch'; readonly children: readonly RlpItem[]; readonly value: Uint8Array }
  | { readonly kind: 'extension'; readonly path: Uint8Array; readonly child: RlpItem }
  | { readonly kind: 'leaf'; readonly path: Uint8Array; readonly value: Uint8Array }

/** A leaf of the transactions trie carries a whole transaction. */
export const MAX_NODE_BYTES = 10 * 1024 * 1024
export const BRANCH_CHILDREN = 16
/** A branch whose 16 children are all written out; nodes shorter than a hash do not nest deeper. */
const LIMITS: RlpLimits = { maxBytes: MAX_NODE_BYTES, maxItems: 1 + (BRANCH_CHILDREN + 1) * HASH_BYTES, maxDepth: 6 }
const ODD = 1
const LEAF = 2

/** Errors: input, naming the part; nothing else, whatever the bytes are. */
export function decodeTrieNode(bytes: Uint8Array): TrieNode {
  return trieNodeOf(decodeRlp(bytes, LIMITS, 'node'))
}

export function trieNodeOf(item: RlpItem): TrieNode {
  const items = listField(item, 'node')
  if (items.length === BRANCH_CHILDREN + 1) return { kind: 'branch', children: items.slice(0, BRANCH_CHILDREN), value: bytesField(items[BRANCH_CHILDREN], 'node.value', MAX_NODE_BYTES) }
  const [path, content] = listField(item, 'node', 2)
  const { nibbles, isLeaf } = decodePath(bytesField(path, 'node.path', 1 + HASH_BYTES))
  if (isLeaf) {
    const value = bytesField(content, 'node.value', MAX_NODE_BYTES)
    if (value.length === 0) throw inputError('node.value', 'nothing', 'a leaf with a value')
    return { kind: 'leaf', path: nibbles, value }
  }
  if (nibbles.length === 0) throw inputError('node.path', 'nothing', 'an extension of one nibble or more')
  if (content === undefined || content.length === 0) throw inputError('node.child', 'nothing', 'an extension with a child')
  return { kind: 'extension', path: nibbles, child: content }
}

/** What a child points to: a hash, a node written out, or nothing. Errors: input `node.child`. */
export function childOf(item: RlpItem): { readonly hash: Uint8Array } | { readonly node: TrieNode } | null {
  if (item instanceof Uint8Array) {
    if (item.length === 0) return null
    if (item.length !== HASH_BYTES) throw inputError('node.child', `${item.length} bytes`, 'a hash, a node or nothing')
    return { hash: item }
  }
  const length = encodeRlp(item).length
  if (length >= HASH_BYTES) throw inputError('node.child', `a node of ${length} bytes`, 'its hash from 32 bytes on')
  return { node: trieNodeOf(item) }
}

/** Two nibbles per byte, the high one first. */
export function nibblesOf(bytes: Uint8Array): Uint8Array {
  const nibbles = new Uint8Array(bytes.length * 2)
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    nibbles[at * 2] = byte >> 4
    nibbles[at * 2 + 1] = byte & 0xf
  }
  return nibbles
}

/** Compact encoding of a path (Yellow Paper, appendix C). */
export function encodePath(nibbles: Uint8Array, isLeaf: boolean): Uint8Array {
  const isOdd = nibbles.length % 2 === 1
  const out = new Uint8Array(1 + (nibbles.length >> 1))
  out[0] = ((isLeaf ? LEAF : 0) | (isOdd ? ODD : 0)) << 4
  nibbles.forEach((nibble, index) => {
    const place = index + (isOdd ? 1 : 2)
    out[place >> 1] = (out[place >> 1] ?? 0) | (place % 2 === 0 ? nibble << 4 : nibble)
  })
  return out
}

function decodePath(path: Uint8Array): { nibbles: Uint8Array; isLeaf: boolean } {
  const flags = (path[0] ?? 0xff) >> 4
  const isOdd = (flags & ODD) !== 0
  if (flags > (LEAF | ODD) || (!isOdd && ((path[0] ?? 0) & 0xf) !== 0)) throw inputError('node.path', toHex(path), 'a compact path')
  return { nibbles: nibblesOf(path).subarray(isOdd ? 1 : 2), isLeaf: (flags & LEAF) !== 0 }
}
