/** Against photon.md 10.4: the digest of a voucher and the hash chain; and the layouts of 9.4, byte for byte. */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chainOf, hashBack } from '../../../src/photon/stream/chain.ts'
import { hexText } from '../../../src/photon/hex-digits.ts'
import { voucherDigest } from '../../../src/photon/stream/digests.ts'
import { MAX_FRAMES_BYTES, decodeFrames, encodeFrame } from '../../../src/photon/stream/frames.ts'
import type { StreamFrame } from '../../../src/photon/stream/frames.ts'
import { sha256, termsWith } from './stream-town.ts'
import { keccak_256 } from '@noble/hashes/sha3.js'

const ONE: `0x${string}` = `0x${'11'.repeat(32)}`
const byte = (value: number, length: number): Uint8Array => new Uint8Array(length).fill(value)

describe('vectors of the specification', () => {
  it('the digest of a voucher and its signer', () => {
    const channel = hexText(keccak_256(new TextEncoder().encode('123')))
    const digest = voucherDigest({ chainId: 20180430n, contract: `0x${'11'.repeat(20)}` }, { channel, epoch: 3n, cumulative: 1000n, tip: ONE, steps: 60, unit: 2n })
    expect(hexText(digest)).toBe('0xd7f94caf5fb6965da88a2056d60247147f16bd73fbceec61b97f2f35bd5ba541')
    const signature = '3807da41673037d290be786142fd60fcf6a8408a97d9db9292c08fdaf2debfb83f96284354f4706640f6d1009ea1118fe152b924f40636e633d6f946c3fb560e1c'
    const raw = Buffer.from(signature, 'hex')
    expect(() => secp256k1.Signature.fromBytes(raw.subarray(0, 64)).addRecoveryBit(1).recoverPublicKey(digest)).not.toThrow()
  })
  it('the hash chain', () => {
    const words = chainOf(sha256, byte(0x11, 32), 60)
    expect(words).toHaveLength(61)
    expect(hexText(words[0] as Uint8Array)).toBe('0xb320007a96bab9384fe2ccf3ca040354e22118a058e032d76e0b8124d24923df')
    expect(hexText(words[1] as Uint8Array)).toBe('0xecdd0d4e709d1c47bf63567e8633136a2b4779d9e30257b8fb49ec21892bc5b4')
    expect(hashBack(sha256, words[60] as Uint8Array, 59)).toEqual(words[1])
  })
})

const FRAMES: readonly (readonly [StreamFrame, number])[] = [
  [{ kind: 'voucher', session: 0x01020304, cumulative: 1000n, tip: ONE, steps: 60, unit: 2n, signature: byte(9, 65) }, 138],
  [{ kind: 'tick', session: 1, index: 0x0102, preimage: byte(8, 32) }, 39],
  [{ kind: 'tick-ack', session: 1, index: 5 }, 7],
  [{ kind: 'stop', session: 1, reason: 4 }, 6],
  [{ kind: 'hello', payer: `0x${'ab'.repeat(20)}` }, 21],
  [{ kind: 'offer', session: 1, challenge: ONE, terms: termsWith(), signature: byte(3, 65) }, 200],
  [{ kind: 'state', session: 1, epoch: 3n, ceiling: 500n, owedTicks: 3, held: null }, 32],
  [{ kind: 'state', session: 1, epoch: 3n, ceiling: 500n, owedTicks: 0, held: { cumulative: 5n, tip: ONE, steps: 60, unit: 2n, signature: byte(1, 65), index: 7, preimage: byte(2, 32) } }, 199],
  [{ kind: 'open', session: 1, signature: byte(4, 65) }, 70],
  [{ kind: 'statement', session: 1, value: 77n, isFinal: true, signature: byte(5, 65) }, 87],
  [{ kind: 'progress', session: 1, paidTicks: 70_000, servedTicks: 9 }, 13],
  [{ kind: 'refused', session: 1, type: 0x20, code: 5 }, 7],
]

describe('frames', () => {
  it.each(FRAMES)('%o', (frame, length) => {
    const bytes = encodeFrame(frame)
    expect(bytes).toHaveLength(length)
    expect(decodeFrames(bytes)).toEqual([frame])
    for (let cut = 1; cut < length; cut++) expect(decodeFrames(bytes.subarray(0, cut))).toBeNull()
  })
  it('the four of the specification lie as it says', () => {
    const at = (index: number): string => Buffer.from(encodeFrame((FRAMES[index] as (typeof FRAMES)[number])[0])).toString('hex')
    expect(at(0)).toBe(`20${'01020304'}${(1000).toString(16).padStart(32, '0')}${'11'.repeat(32)}0000003c${'2'.padStart(32, '0')}${'09'.repeat(65)}`)
    expect(at(1)).toBe(`21000000010102${'08'.repeat(32)}`)
    expect(at(2)).toBe('22000000010005')
    expect(at(3)).toBe('230000000104')
  })
  it('several in one message', () => {
    const all = FRAMES.map(([frame]) => frame)
    expect(decodeFrames(Buffer.concat(all.map(encodeFrame)))).toEqual(all)
  })
  it('whatever bytes come, nothing is thrown and nothing is read past them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        const frames = decodeFrames(bytes)
        if (frames !== null) expect(Buffer.concat(frames.map(encodeFrame))).toEqual(Buffer.from(bytes))
      }),
      { numRuns: 2000 },
    )
    fc.assert(
      fc.property(fc.constantFrom(...FRAMES.map(([frame]) => encodeFrame(frame))), fc.nat(), fc.nat(255), (good, at, value) => {
        const bad = Uint8Array.from(good)
        bad[at % bad.length] = value
        const frames = decodeFrames(bad)
        if (frames !== null) expect(Buffer.concat(frames.map(encodeFrame))).toEqual(Buffer.from(bad))
      }),
      { numRuns: 3000 },
    )
    expect(decodeFrames(new Uint8Array(MAX_FRAMES_BYTES + 1).fill(0x23))).toBeNull()
  })
})
