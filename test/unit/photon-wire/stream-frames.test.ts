/** Frames of a payment by the second: exact sizes, there and back, any bytes; and nothing of Node in the files a page loads. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hexOf, toHex } from '../../../src/base/index.ts'
import { STOP_FRAME_BYTES, TICK_ACK_FRAME_BYTES, TICK_FRAME_BYTES, VOUCHER_FRAME_BYTES, decodeStreamFrame, encodeStreamFrame } from '../../../src/photon/wire/index.ts'
import type { StreamFrame } from '../../../src/photon/wire/index.ts'
import { someSignature } from './arbitrary.ts'
import { ONES, refusalOf, wire1, wire2 } from './parties.ts'

const session = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const index = fc.integer({ min: 0, max: 0xffff })
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const u128 = fc.bigInt(0n, (1n << 128n) - 1n)
const frames: fc.Arbitrary<StreamFrame> = fc.oneof(
  fc.record({ kind: fc.constant('voucher' as const), session, cumulative: u128, tip: bytes32.map(hexOf), steps: session, unit: u128, signature: someSignature }),
  fc.record({ kind: fc.constant('tick' as const), session, index, preimage: bytes32 }),
  fc.record({ kind: fc.constant('tick-ack' as const), session, index }),
  fc.record({ kind: fc.constant('stop' as const), session, reason: fc.integer({ min: 0, max: 255 }) }),
)
const SIZES = { voucher: VOUCHER_FRAME_BYTES, tick: TICK_FRAME_BYTES, 'tick-ack': TICK_ACK_FRAME_BYTES, stop: STOP_FRAME_BYTES }

describe('stream frames', () => {
  it('come back as they were, in their exact sizes, and are no packets of either profile', () => {
    expect(SIZES).toEqual({ voucher: 138, tick: 39, 'tick-ack': 7, stop: 6 })
    fc.assert(
      fc.property(frames, (frame) => {
        const bytes = encodeStreamFrame(frame)
        expect(bytes.length).toBe(SIZES[frame.kind])
        expect(decodeStreamFrame(bytes)).toEqual(frame)
        expect([refusalOf(wire1, bytes), refusalOf(wire2, bytes)]).not.toContain(null)
        for (let length = 0; length < bytes.length; length++) expect(decodeStreamFrame(bytes.subarray(0, length))).toHaveProperty('refused')
        expect(decodeStreamFrame(Uint8Array.from([...bytes, 0]))).toHaveProperty('refused')
      }),
      { numRuns: 200, seed: 6 },
    )
  })

  it('lie as the table says', () => {
    const tick = encodeStreamFrame({ kind: 'tick', session: 0x01020304, index: 0x0506, preimage: new Uint8Array(32).fill(0x11) })
    expect(toHex(tick)).toBe(`21010203040506${'11'.repeat(32)}`)
    expect(toHex(encodeStreamFrame({ kind: 'tick-ack', session: 1, index: 2 }))).toBe('22000000010002')
    expect(toHex(encodeStreamFrame({ kind: 'stop', session: 1, reason: 7 }))).toBe('230000000107')
    const signature = Uint8Array.from([...new Uint8Array(64).fill(3), 27])
    const voucher = encodeStreamFrame({ kind: 'voucher', session: 1, cumulative: 2n, tip: ONES, steps: 60, unit: 5n, signature })
    expect(toHex(voucher)).toBe(`2000000001${'0'.repeat(31)}2${'11'.repeat(32)}0000003c${'0'.repeat(31)}5${'03'.repeat(64)}1b`)
  })

  it('any bytes: refused or a frame with those bytes', () => {
    const headed = fc.tuple(fc.constantFrom([0x20, 137], [0x21, 38], [0x22, 6], [0x23, 5]), fc.uint8Array({ minLength: 137, maxLength: 137 })).map(([[type = 0, rest = 0], tail]) => Uint8Array.from([type, ...tail.subarray(0, rest)]))
    fc.assert(
      fc.property(fc.oneof(headed, fc.uint8Array({ maxLength: 160 })), (bytes) => {
        const frame = decodeStreamFrame(bytes)
        if ('refused' in frame) expect(frame.refused.length).toBeLessThan(80)
        else expect(encodeStreamFrame(frame)).toEqual(bytes)
      }),
      { numRuns: 3000, seed: 7 },
    )
  })

  it('keep copies', () => {
    const buffer = Buffer.from(encodeStreamFrame({ kind: 'tick', session: 1, index: 1, preimage: new Uint8Array(32).fill(9) }))
    const frame = decodeStreamFrame(buffer)
    buffer.fill(0)
    expect(frame).toMatchObject({ preimage: new Uint8Array(32).fill(9) })
  })

  it('refuse our own mistakes', () => {
    const voucher = { kind: 'voucher', session: 1, cumulative: 2n, tip: ONES, steps: 60, unit: 5n, signature: new Uint8Array(65) } as const
    expect(() => encodeStreamFrame(voucher)).toThrow(/signature/)
    expect(() => encodeStreamFrame({ ...voucher, signature: Uint8Array.from([...new Uint8Array(64).fill(3), 27]), cumulative: 1n << 128n })).toThrow(/cumulative/)
    expect(() => encodeStreamFrame({ kind: 'tick', session: 1, index: 65_536, preimage: new Uint8Array(32) })).toThrow(/index/)
    expect(() => encodeStreamFrame({ kind: 'tick', session: 1, index: 1, preimage: new Uint8Array(31) })).toThrow(/preimage/)
    expect(() => encodeStreamFrame({ kind: 'stop', session: -1, reason: 0 })).toThrow(/session/)
  })

  it('and the voucher’s digest run where there is no Node, in little space', async () => {
    const wire = join(dirname(fileURLToPath(import.meta.url)), '../../../src/photon/wire')
    const entry = `export { encodeStreamFrame, decodeStreamFrame } from '${wire}/stream-frames.ts'; export { createTypedHasher, voucherDigest } from '${wire}/typed-data.ts'`
    const made = await build({ stdin: { contents: entry, resolveDir: wire, loader: 'ts' }, bundle: true, minify: true, platform: 'browser', format: 'esm', target: 'es2020', write: false, metafile: true })
    const [file] = made.outputFiles
    expect(Object.keys(made.metafile.inputs).filter((input) => /node_modules|native|\bio\//.test(input))).toEqual([])
    expect(file?.text).not.toMatch(/\bBuffer\b|process\.|require\(/)
    expect(file?.contents.length).toBeLessThan(12_000)
    for (const name of ['stream-frames.ts', 'hex-digits.ts', 'byte-writer.ts', 'bounds.ts', 'typed-data.ts']) expect(readFileSync(join(wire, name), 'utf8')).not.toMatch(/\bBuffer[.(]/)
  })
})
