/** The tree of pending locks: every leaf has a proof that leads to the root, and nothing else does. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { concatBytes, hexOf } from '../../../src/base/index.ts'
import type { Hash } from '../../../src/base/index.ts'
import { merkleProof, merkleRoot } from '../../../src/photon/wire/index.ts'
import { proofRoot } from '../../../src/photon/wire/merkle.ts'
import { randomStream } from '../native/random-stream.ts'
import { ONES, ZEROS, keccak } from './parties.ts'

const leaf = fc.uint8Array({ minLength: 32, maxLength: 32 })
const leaves = fc.uniqueArray(leaf, { minLength: 1, maxLength: 33, selector: hexOf })

/** By the definition, on bytes. */
function rootOf(level: readonly Uint8Array[]): Uint8Array {
  if (level.length < 2) return level[0] ?? new Uint8Array(32)
  const next = level.flatMap((left, index) => {
    if (index % 2 === 1) return []
    const right = level[index + 1]
    if (right === undefined) return [left]
    return [keccak(Buffer.compare(left, right) <= 0 ? concatBytes(left, right) : concatBytes(right, left))]
  })
  return rootOf(next)
}

it('root as defined; each leaf’s proof leads there, and is at most ⌈log2 n⌉ long', () => {
  fc.assert(
    fc.property(leaves, (bytes) => {
      const all = bytes.map(hexOf)
      const root = merkleRoot(keccak, all)
      expect(root).toBe(hexOf(rootOf(bytes)))
      for (const one of all) {
        const proof = merkleProof(keccak, all, one)
        expect(proofRoot(keccak, one, proof)).toBe(root)
        expect(proof.length).toBeLessThanOrEqual(Math.ceil(Math.log2(all.length)))
        expect(proofRoot(keccak, hexOf(keccak(new Uint8Array(1))), proof)).not.toBe(root)
      }
    }),
    { numRuns: 25, seed: 3 },
  )
})

it('the order of the locks is part of the root, the order within a pair is not', () => {
  const [a, b, c] = ['11', '22', '33'].map((digits): Hash => `0x${digits.repeat(32)}`) as [Hash, Hash, Hash]
  expect(merkleRoot(keccak, [a, b, c])).toBe(merkleRoot(keccak, [b, a, c]))
  expect(merkleRoot(keccak, [a, b, c])).not.toBe(merkleRoot(keccak, [a, c, b]))
})

it('no lock, one lock, the same lock twice, a lock that is not there', () => {
  expect(merkleRoot(keccak, [])).toBe(ZEROS)
  expect(merkleRoot(keccak, [ONES])).toBe(ONES)
  expect(merkleProof(keccak, [ONES], ONES)).toEqual([])
  expect(() => merkleRoot(keccak, [ONES, ZEROS, ONES])).toThrow(/leaves/)
  expect(() => merkleProof(keccak, [ONES, ONES], ONES)).toThrow(/leaves/)
  expect(() => merkleProof(keccak, [ONES], ZEROS)).toThrow(/leaf/)
})

it('what was worked out for earlier trees changes no later one', () => {
  const random = randomStream('locks that come and go')
  let held: Uint8Array[] = []
  for (let step = 0; step < 1500; step++) {
    // Mostly the oldest goes, at times any; more nodes than are kept come by.
    if (held.length > 30 || (held.length > 4 && random.below(3) === 0)) held = held.filter((_, index) => index !== (random.below(4) === 0 ? random.below(held.length) : 0))
    else held = [...held, keccak(Uint8Array.of(step >> 8, step & 255))]
    if (random.below(9) === 0) held = [...held].reverse()
    expect(merkleRoot(keccak, held.map(hexOf))).toBe(hexOf(rootOf(held)))
  }
})
