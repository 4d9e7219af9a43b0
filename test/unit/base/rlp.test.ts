/** RLP: the Yellow Paper's examples, one encoding per value, and bytes of any kind. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, decodeRlp, encodeRlp, fromHex, integerBytes, integerOf, toHex, utf8 } from '../../../src/base/index.ts'
import type { RlpItem } from '../../../src/base/index.ts'

const LIMITS = { maxBytes: 1 << 20, maxItems: 1000, maxDepth: 8 }
const plain = (item: RlpItem): unknown => (item instanceof Uint8Array ? toHex(item) : item.map(plain))
const decode = (hex: string): unknown => plain(decodeRlp(fromHex(hex), LIMITS))
const LOREM = 'Lorem ipsum dolor sit amet, consectetur adipisicing elit'

const EXAMPLES: readonly [string, RlpItem, string][] = [
  ['dog', utf8('dog'), '83646f67'],
  ['cat and dog', [utf8('cat'), utf8('dog')], 'c88363617483646f67'],
  ['empty string', new Uint8Array(0), '80'],
  ['empty list', [], 'c0'],
  ['byte 00', Uint8Array.of(0), '00'],
  ['byte 7f', Uint8Array.of(0x7f), '7f'],
  ['byte 80', Uint8Array.of(0x80), '8180'],
  ['1024', integerBytes(1024), '820400'],
  ['set of three', [[], [[]], [[], [[]]]], 'c7c0c1c0c3c0c1c0'],
  ['56 bytes', utf8(LOREM), `b838${toHex(utf8(LOREM))}`],
  ['55 bytes', new Uint8Array(55), `b7${'00'.repeat(55)}`],
  ['list of 56 bytes', [new Uint8Array(55)], `f838b7${'00'.repeat(55)}`],
  ['256 bytes', new Uint8Array(256), `b90100${'00'.repeat(256)}`],
]

describe('RLP', () => {
  it.each(EXAMPLES)('%s', (_, item, hex) => {
    expect(toHex(encodeRlp(item))).toBe(hex)
    expect(decode(hex)).toEqual(plain(item))
  })

  it.each([
    ['nothing', ''],
    ['a byte below 80 behind a length', '817f'],
    ['the long form for 55 bytes', `b837${'00'.repeat(55)}`],
    ['the long form for a short list', 'f800'],
    ['a length with a leading zero', `b90038${'00'.repeat(56)}`],
    ['a string cut short', '83646f'],
    ['a list cut short', 'c883636174'],
    ['a length cut short', 'b9'],
    ['something behind', '8000'],
    ['a string longer than its list', 'c183'],
    ['a length inside its list only by its first byte', 'c1b838'],
    ['2^64 - 1 bytes', 'bfffffffffffffffff'],
    ['2^48 - 1 bytes', 'bdffffffffffff'],
    ['a list of 2^64 - 1 bytes', 'ffffffffffffffffff'],
    ['a list too deep', 'c8c7c6c5c4c3c2c1c0'],
    ['too many items', `f903e9${'c0'.repeat(1001)}`],
  ])('refuses %s', (_, hex) => {
    expect(() => decode(hex)).toThrow(expect.objectContaining({ kind: 'input', field: 'rlp' }))
  })

  it('refuses more bytes than are allowed before it looks at them', () => {
    expect(() => decodeRlp(new Uint8Array(3), { ...LIMITS, maxBytes: 2 }, 'header')).toThrow(/header: "?3 bytes/)
  })

  it('gives back what was encoded, and only one encoding per value', () => {
    const item = fc.letrec<{ item: RlpItem }>((tie) => ({
      item: fc.oneof({ maxDepth: 3 }, fc.uint8Array({ maxLength: 70 }), fc.array(tie('item'), { maxLength: 5 })),
    })).item
    fc.assert(fc.property(item, (value) => void expect(plain(decodeRlp(encodeRlp(value), LIMITS))).toEqual(plain(value))))
  })

  it('any bytes are refused with an input error, or are the one encoding of what they say', () => {
    const near = fc.array(fc.constantFrom(0, 1, 0x7f, 0x80, 0x81, 0xb7, 0xb8, 0xb9, 0xbf, 0xc0, 0xc1, 0xc2, 0xf7, 0xf8, 0xff, 56), { maxLength: 12 }).map((bytes) => Uint8Array.from(bytes))
    fc.assert(
      fc.property(fc.oneof(near, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        try {
          expect(toHex(encodeRlp(decodeRlp(bytes, LIMITS)))).toBe(toHex(bytes))
        } catch (thrown) {
          if (!(thrown instanceof MeshBoxError)) throw thrown
          expect(thrown.kind).toBe('input')
        }
      }),
      { numRuns: 5000 },
    )
  })

  it('integers have no leading zeros and no more than 32 bytes', () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), (value) => void expect(integerOf(integerBytes(value), 'n')).toBe(value)))
    expect(integerBytes(0).length).toBe(0)
    // Around every length, as a number and as a bigint; small ones do not go over text.
    for (const value of [1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000, 0xff_ffff, 0x100_0000, 0xffff_ffff, 0x1_0000_0000, Number.MAX_SAFE_INTEGER]) {
      const digits = value.toString(16)
      for (const form of [value, BigInt(value)]) expect(toHex(integerBytes(form))).toBe(digits.padStart(digits.length + (digits.length % 2), '0'))
    }
    expect(() => integerBytes(1.5)).toThrow()
    for (const item of [Uint8Array.of(0), Uint8Array.of(0, 1), new Uint8Array(33).fill(1), [Uint8Array.of(1)]]) expect(() => integerOf(item, 'n')).toThrow(MeshBoxError)
    expect(() => integerOf(new Uint8Array(9).fill(1), 'n', 8)).toThrow(MeshBoxError)
    expect(() => integerBytes(-1n)).toThrow(MeshBoxError)
  })
})
