/**
 * The tree over a side's pending locks. Leaves are lock hashes in the order the locks came. Each level pairs
 * (0,1), (2,3) and so on; an odd last node moves up as it is; of a pair the lower goes first, so a proof needs no
 * index. No leaf: zeros. One leaf: the leaf.
 */
import { ZERO_HASH, hexOf, inputError } from '../../base/index.ts'
import type { Hash } from '../../base/index.ts'
import { ByteWriter } from './byte-writer.ts'
import type { Keccak } from '../typed-hasher.ts'

/** Errors: input `leaves` for the same leaf twice. */
export function merkleRoot(keccak: Keccak, leaves: readonly Hash[]): Hash {
  checkDistinct(leaves)
  return rootOfDistinct(keccak, leaves)
}

/** The same, for who knows that no leaf is there twice. */
export function rootOfDistinct(keccak: Keccak, leaves: readonly Hash[]): Hash {
  let level = leaves
  while (level.length > 1) level = parentsOf(keccak, level)
  return level[0] ?? ZERO_HASH
}

/** The siblings from the leaf up to below the root. Errors: input `leaves`, `leaf` when it is not among them. */
export function merkleProof(keccak: Keccak, leaves: readonly Hash[], leaf: Hash): readonly Hash[] {
  checkDistinct(leaves)
  let index = leaves.indexOf(leaf)
  if (index < 0) throw inputError('leaf', leaf, 'one of the leaves')
  const proof: Hash[] = []
  for (let level = leaves; level.length > 1; level = parentsOf(keccak, level)) {
    const sibling = level[index ^ 1]
    if (sibling !== undefined) proof.push(sibling)
    index >>= 1
  }
  return proof
}

/** The root a proof leads to. */
export function proofRoot(keccak: Keccak, leaf: Hash, proof: readonly Hash[]): Hash {
  return proof.reduce((below, sibling) => parentOf(keccak, below, sibling), leaf)
}

function parentsOf(keccak: Keccak, level: readonly Hash[]): readonly Hash[] {
  const parents: Hash[] = []
  for (let index = 0; index < level.length; index += 2) {
    const [left, right] = [level[index], level[index + 1]]
    if (left !== undefined) parents.push(right === undefined ? left : parentOf(keccak, left, right))
  }
  return parents
}

/** Lower-case hex is in the order of its bytes. */
function parentOf(keccak: Keccak, a: Hash, b: Hash): Hash {
  let known = knownParents.get(keccak)
  if (known === undefined) knownParents.set(keccak, (known = new KnownParents(keccak)))
  return a < b ? known.of(a, b) : known.of(b, a)
}

/**
 * Locks come and go one at a time, so that of a tree of n nodes all but about log n were in the one before. A node that is
 * the lower one of its pair has at most two partners while locks leave in the order they came: the one before and after it.
 */
class KnownParents {
  readonly #keccak: Keccak
  readonly #pair = new ByteWriter(64)
  #recent = new Map<Hash, LowerNode>()
  #older = new Map<Hash, LowerNode>()

  constructor(keccak: Keccak) {
    this.#keccak = keccak
  }

  of(low: Hash, high: Hash): Hash {
    const recent = this.#recent.get(low)
    if (recent?.high === high) return recent.parent
    if (recent?.otherHigh === high) return recent.otherParent
    const node = recent ?? this.#older.get(low)
    const parent = node?.high === high ? node.parent : hexOf(this.#keccak(this.#pair.reset().hash(low, 'leaves').hash(high, 'leaves').written()))
    if (recent === undefined && this.#recent.size >= KEPT_NODES) {
      this.#older = this.#recent
      this.#recent = new Map()
    }
    this.#recent.set(low, { high, parent, otherHigh: node?.high ?? high, otherParent: node?.parent ?? parent })
    return parent
  }
}

interface LowerNode {
  readonly high: Hash
  readonly parent: Hash
  readonly otherHigh: Hash
  readonly otherParent: Hash
}

/** Twice so many at most, about 300 bytes each. */
const KEPT_NODES = 1024
const knownParents = new WeakMap<Keccak, KnownParents>()

function checkDistinct(leaves: readonly Hash[]): void {
  if (new Set(leaves).size !== leaves.length) throw inputError('leaves', 'the same leaf twice', 'different leaves')
}
