/** Locks as the contract hashes them (specs/photon.md 1.2, 2.2). Both profiles use the same tree. */
import type { Hash } from '../../base/index.ts'
import { HASH_BYTES, ZERO_HASH, bytesOf, hexOf } from '../../base/index.ts'
import type { Lock } from '../ports.ts'

export type Keccak = (data: Uint8Array) => Uint8Array

/** expiration 32 ‖ amount 32 ‖ secret hash 32. */
export function lockHashOf(keccak256: Keccak, lock: Lock): Hash {
  const digits = lock.expiration.toString(16).padStart(64, '0') + lock.amount.toString(16).padStart(64, '0') + lock.secretHash.slice(2)
  return hexOf(keccak256(bytesOf(`0x${digits}`)))
}

/** Leaves in the order of insertion; neighbours are paired, an odd last one moves up, each pair is sorted. */
export function merkleRootOf(keccak256: Keccak, leaves: readonly Hash[]): Hash {
  let level = leaves
  while (level.length > 1) level = nextLevel(keccak256, level)
  return level[0] ?? ZERO_HASH
}

/** Siblings from the leaf to the root. Empty where the leaf stands alone or is not there. */
export function merkleProofOf(keccak256: Keccak, leaves: readonly Hash[], leaf: Hash): Hash[] {
  const proof: Hash[] = []
  let index = leaves.indexOf(leaf)
  if (index < 0) return proof
  for (let level = leaves; level.length > 1; level = nextLevel(keccak256, level)) {
    const sibling = level[index ^ 1]
    if (sibling !== undefined) proof.push(sibling)
    index >>= 1
  }
  return proof
}

function nextLevel(keccak256: Keccak, level: readonly Hash[]): Hash[] {
  const above: Hash[] = []
  for (let i = 0; i < level.length; i += 2) {
    const left = level[i]
    const right = level[i + 1]
    if (left === undefined) break
    above.push(right === undefined ? left : parentOf(keccak256, left, right))
  }
  return above
}

function parentOf(keccak256: Keccak, a: Hash, b: Hash): Hash {
  // Hashes are lower-case text of one length: their order is that of their bytes.
  const [low, high] = a < b ? [a, b] : [b, a]
  const pair = new Uint8Array(2 * HASH_BYTES)
  pair.set(bytesOf(low))
  pair.set(bytesOf(high), HASH_BYTES)
  return hexOf(keccak256(pair))
}
