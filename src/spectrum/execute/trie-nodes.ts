/**
 * Nodes of a Merkle-Patricia trie in a form that can be changed (proof/trie-node.ts reads them). Keys are always
 * 32 bytes here, so a branch never ends a key. A child is a hash, or the node itself: because its RLP is shorter
 * than a hash, or because it was changed since it was last hashed.
 */
import { MeshBoxError, encodeRlp } from '../../base/index.ts'
import type { RlpItem } from '../../base/index.ts'
import { HASH_BYTES, bytesOf, hexOf } from '../codec/fields.ts'
import type { Hash } from '../codec/fields.ts'
import { BRANCH_CHILDREN, decodeTrieNode, encodePath, trieNodeOf } from '../proof/trie-node.ts'
import type { TrieNode as ReadNode } from '../proof/trie-node.ts'

export type Child = Hash | TrieNode | null

export interface Branch {
  readonly kind: 'branch'
  readonly children: Child[]
  /** Made by the edit at hand, which may change it in place. Never true for what a cache holds. */
  isFresh: boolean
}

export interface Extension {
  readonly kind: 'extension'
  readonly path: Uint8Array
  child: Child
  isFresh: boolean
}

export interface Leaf {
  readonly kind: 'leaf'
  readonly path: Uint8Array
  readonly value: Uint8Array
  isFresh: boolean
}

export type TrieNode = Branch | Extension | Leaf

const NOTHING = new Uint8Array(0)

/** Errors: unavailable `state-damaged`. Its hash was right, so whoever made this state did not make a trie. */
export function decodeNode(bytes: Uint8Array): TrieNode {
  try {
    return nodeOf(decodeTrieNode(bytes))
  } catch (thrown) {
    if (thrown instanceof MeshBoxError && thrown.kind === 'input') throw damaged(thrown.message)
    throw thrown
  }
}

function nodeOf(read: ReadNode): TrieNode {
  if (read.kind === 'leaf') return { kind: 'leaf', path: read.path, value: read.value.slice(), isFresh: false }
  if (read.kind === 'extension') return { kind: 'extension', path: read.path, child: childOf(read.child), isFresh: false }
  if (read.value.length > 0) throw damaged('a branch ends a key')
  return { kind: 'branch', children: read.children.map(childOf), isFresh: false }
}

function childOf(item: RlpItem): Child {
  if (!(item instanceof Uint8Array)) return nodeOf(trieNodeOf(item))
  if (item.length === 0) return null
  if (item.length !== HASH_BYTES) throw damaged(`a child of ${item.length} bytes`)
  return hexOf(item)
}

export function damaged(reason: string): MeshBoxError {
  return new MeshBoxError('unavailable', `the state is damaged: ${reason}`, { code: 'state-damaged' })
}

/** The children must be settled: hashes, and nodes shorter than one. */
export function encodeNode(node: TrieNode): Uint8Array {
  return encodeRlp(nodeItem(node))
}

function nodeItem(node: TrieNode): RlpItem {
  if (node.kind === 'leaf') return [encodePath(node.path, true), node.value]
  if (node.kind === 'extension') return [encodePath(node.path, false), referenceTo(node.child)]
  return [...node.children.map(referenceTo), NOTHING]
}

function referenceTo(child: Child): RlpItem {
  if (child === null) return NOTHING
  return typeof child === 'string' ? bytesOf(child) : nodeItem(child)
}

/** Hashes that a node points to, and those of the nodes written out in it. */
export function childHashes(node: TrieNode): Hash[] {
  if (node.kind === 'leaf') return []
  const children = node.kind === 'extension' ? [node.child] : node.children
  return children.flatMap((child) => (child === null ? [] : typeof child === 'string' ? [child] : childHashes(child)))
}

/** Values of the leaves in this node: its own, and those written out in it. */
export function leafValues(node: TrieNode): Uint8Array[] {
  if (node.kind === 'leaf') return [node.value]
  const children = node.kind === 'extension' ? [node.child] : node.children
  return children.flatMap((child) => (child === null || typeof child === 'string' ? [] : leafValues(child)))
}

export function emptyBranch(): Branch {
  return { kind: 'branch', children: new Array<Child>(BRANCH_CHILDREN).fill(null), isFresh: true }
}
