/** VRF: proofs made by the original, the spec's vectors, block headers that carry one, and every way to be wrong. Both backends. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, concatBytes, fromHex, toHex } from '../../../src/base/index.ts'
import { proveVrf, proveVrfWith, verifyVrf, vrfMessage } from '../../../src/spectrum/vrf.ts'
import { recoverSealer } from '../../../src/spectrum/codec/header.ts'
import vectors from '../../vectors/spectrum/vrf.json' with { type: 'json' }
import { randomStream } from '../native/random-stream.ts'
import { EDGE_SCALARS, ORDER, PRIME, bytes32, numberOf } from '../native/scalars.ts'
import { BOTH, native, noble } from './curves.ts'
import { devnetBlock } from './devnet.ts'

const PROOFS = vectors.proofs.map(({ Key, Pub, Msg, Vrfnp, Index, VerifyOK }) => ({ key: fromHex(Key), publicKey: fromHex(Pub), message: fromHex(Msg), output: fromHex(Vrfnp), index: Index, isGood: VerifyOK }))
/** Spec 5.2. */
const FIXED = {
  key: fromHex('507fd083b5c5af7e645e77a3a3a82708f3af304164e02612ab4b1d5b36c627c6'),
  message: fromHex('2b14c61bbca250b4fd7e83f2d8dcbc4c1d7df4a71416ce8c90844ed0d4eed9f6558df0'),
  nonce: fromHex('5eb242aeb68552862913d602cff36deb4cafc18a46cfdea393b4bc1c6917a669'),
  output:
    '57922b57f732b6e17cd6cfb0bff5a6d87d905e5158f86bf356cd6c6a29a42d011384eea849317ac91e76384f3b390b69fafbda77745919bb308d7cffa68cde0d610ae540c85869bb63f55688bcfefe696b8631fb470139a8099da02b6753a07e04b5efd50214bb8d81051ed068857bbe3f35a332d591ec86d28a4f45386e68846e20603027772660e661da2d8382392338350b17d3fb8e955387cac05ac2dd08a6',
}
const randomness = (seed: string) => ({ bytes: randomStream(seed).bytes })
const first = PROOFS[0] ?? expect.fail('no proofs in the vectors')
const sha256Hex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe.each(BOTH)('VRF, %s', (_, curve) => {
  it('accepts every proof of the original', () => {
    expect(PROOFS.length).toBe(20)
    for (const proof of PROOFS) {
      expect(proof.isGood).toBe(true)
      expect(verifyVrf(curve, proof.publicKey, proof.message, proof.output)).toBe(true)
      expect(toHex(proof.output.subarray(0, 32))).toBe(proof.index)
    }
  })

  it('computes the same index for key and message, whatever the nonce', () => {
    for (const { key, publicKey, message, index } of PROOFS.slice(0, curve === native ? 20 : 4)) {
      const output = proveVrf(curve, key, message, randomness(index))
      expect(toHex(output.subarray(0, 32))).toBe(index)
      expect(verifyVrf(curve, publicKey, message, output)).toBe(true)
    }
  })

  it('computes the spec’s output from its nonce', () => {
    expect(toHex(proveVrfWith(curve, FIXED.key, FIXED.message, FIXED.nonce) ?? new Uint8Array())).toBe(FIXED.output)
    expect(verifyVrf(curve, curve.publicKeyOf(FIXED.key), FIXED.message, fromHex(FIXED.output))).toBe(true)
  })

  it('accepts the headers of the test chain that carry one', () => {
    for (const number of [7, 8, 9, 10, 11, 12, 13, 14]) {
      const { header } = devnetBlock(number)
      const message = vrfMessage(devnetBlock(number - 1).header)
      const key = recoverSealer(curve, header)?.publicKey ?? new Uint8Array(65)
      expect(verifyVrf(curve, key, message, header.extra.subarray(0, 161)), `block ${number}`).toBe(true)
      expect(verifyVrf(curve, key, vrfMessage(header), header.extra.subarray(0, 161))).toBe(false)
    }
    expect(toHex(vrfMessage(devnetBlock(7).header))).toBe('07d44f475ce4345f9e8721f7c9bd6036f8a4db12fefa600de61ba925bb3e2a44b5')
    expect(toHex(vrfMessage(devnetBlock(0).header)), 'height 0 has no byte').toBe('00'.repeat(32))
  })

  it('trap: s and t of 0, N and above are refused, not thrown', () => {
    const output = fromHex(FIXED.output)
    const publicKey = curve.publicKeyOf(FIXED.key)
    for (const [name, scalar] of Object.entries(EDGE_SCALARS))
      for (const at of [32, 64]) expect(verifyVrf(curve, publicKey, FIXED.message, concatBytes(output.subarray(0, at), scalar, output.subarray(at + 32))), `${name} at ${at}`).toBe(false)
  })

  it('points that are none, keys that are none, and lengths are refused', () => {
    const { publicKey, message, output } = first
    const y = numberOf(output.subarray(129))
    const points = [new Uint8Array(65), concatBytes(Uint8Array.of(4), new Uint8Array(64)), concatBytes(Uint8Array.of(4), bytes32(5n), bytes32(5n)), concatBytes(output.subarray(96, 129), bytes32(PRIME - y)), concatBytes(Uint8Array.of(6 + Number(y % 2n)), output.subarray(97)), concatBytes(Uint8Array.of(2), output.subarray(97))]
    for (const point of points) expect(verifyVrf(curve, publicKey, message, concatBytes(output.subarray(0, 96), point))).toBe(false)
    for (const length of [0, 1, 160, 162]) expect(verifyVrf(curve, publicKey, message, concatBytes(output, output).subarray(0, length))).toBe(false)
    expect(verifyVrf(curve, new Uint8Array(65), message, output)).toBe(false)
    expect(verifyVrf(curve, curve.publicKeyOf(bytes32(3n)), message, output)).toBe(false)
  })

  it('refuses to prove with a key that is none', () => {
    for (const key of [bytes32(0n), bytes32(ORDER), new Uint8Array(31)]) expect(() => proveVrf(curve, key, FIXED.message, randomness('x'))).toThrow(MeshBoxError)
  })
})

it('every single bit changed is refused', () => {
  for (let bit = 0; bit < 161 * 8; bit++) {
    const output = Uint8Array.from(first.output)
    output[bit >> 3] = (output[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(verifyVrf(native, first.publicKey, first.message, output), `bit ${bit}`).toBe(false)
    if (bit % 61 === 0) expect(verifyVrf(noble, first.publicKey, first.message, output), `bit ${bit}`).toBe(false)
  }
})

it('what one backend proves, the other accepts; the same nonce gives the same bytes', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: ORDER - 1n }), fc.bigInt({ min: 1n, max: ORDER - 1n }), fc.uint8Array({ maxLength: 50 }), (key, nonce, message) => {
      const [one, other] = [native, noble].map((curve) => proveVrfWith(curve, bytes32(key), message, bytes32(nonce)))
      if (one === undefined || one === null || other === undefined || other === null) return expect.fail('no output')
      expect(toHex(one)).toBe(toHex(other))
      for (const [, curve] of BOTH) expect(verifyVrf(curve, native.publicKeyOf(bytes32(key)), message, one)).toBe(true)
    }),
    { numRuns: 8 },
  )
})

it('any bytes have the same answer on both backends, and it is no', () => {
  const scalar = fc.oneof(fc.constantFrom(...Object.values(EDGE_SCALARS)), fc.uint8Array({ minLength: 32, maxLength: 32 }))
  const point = fc.oneof(fc.constantFrom(first.output.subarray(96), native.publicKeyOf(bytes32(1n)), new Uint8Array(65)), fc.uint8Array({ minLength: 65, maxLength: 65 }))
  fc.assert(
    fc.property(scalar, scalar, scalar, point, point, fc.uint8Array({ maxLength: 40 }), (index, s, t, v, key, message) => {
      // The index is made to fit, so that the curve is reached.
      for (const output of [concatBytes(index, s, t, v), concatBytes(fromHex(sha256Hex(v)), s, t, v)]) for (const [, curve] of BOTH) expect(verifyVrf(curve, key, message, output)).toBe(false)
    }),
    { numRuns: 60 },
  )
})

it('a generator that repeats itself does not repeat the nonce for another message', () => {
  const broken = { bytes: (length: number) => new Uint8Array(length) }
  const [a, b] = ['00', '01'].map((message) => toHex(proveVrf(native, FIXED.key, fromHex(message), broken)))
  expect(a?.slice(64, 192)).not.toBe(b?.slice(64, 192))
})
