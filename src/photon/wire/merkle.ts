/**
 * The tree over a side's pending locks. Leaves are lock hashes in the order the locks came. Each level pairs
 * (0,1), (2,3) and so on; an odd last node moves up as it is; of a pair the lower goes first, so a proof needs no
 * index. No leaf: zeros. One leaf: the leaf.
 */
import { ZERO_HASH, bytesOf, concatBytes, hexOf, inputError } from '../../base/index.ts'
import type { Hash } from '../../base/index.ts'
import type { Keccak } from './typed-data.ts'

/** Errors: input `leaves` for the same leaf twice. */
export function merkleRoot(keccak: Keccak, leaves: readonly Hash[]): Hash {
  checkDistinct(leaves)
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
  const [low, high] = a < b ? [a, b] : [b, a]
  return hexOf(keccak(concatBytes(bytesOf(low), bytesOf(high))))
}

function checkDistinct(leaves: readonly Hash[]): void {
  if (new Set(leaves).size !== leaves.length) throw inputError('leaves', 'the same leaf twice', 'different leaves')
}
