/** Bytes and their texts: exact, strict, one text per value. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  MeshBoxError,
  concatBytes,
  equalBytesConstantTime,
  fromBase64Url,
  fromHex,
  fromUtf8,
  toBase64Url,
  toHex,
  utf8,
} from '../../../src/base/index.ts'

const bytes = fc.uint8Array({ maxLength: 80 })
const refused = (field: string) => expect.objectContaining({ kind: 'input', field }) as MeshBoxError

describe('texts of bytes', () => {
  it('go there and back', () => {
    fc.assert(
      fc.property(bytes, (some) => {
        expect(fromHex(toHex(some))).toEqual(some)
        expect(fromHex(`0x${toHex(some).toUpperCase()}`)).toEqual(some)
        expect(fromBase64Url(toBase64Url(some))).toEqual(some)
      }),
    )
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(fromUtf8(utf8(text))).toBe(text)
      }),
    )
  })

  it('take the bytes of a view, not of the buffer below it', () => {
    const view = Uint8Array.of(1, 2, 3, 4, 5).subarray(1, 3)
    expect(toHex(view)).toBe('0203')
    expect(toBase64Url(view)).toBe('AgM')
  })

  it('agree with what others write', () => {
    expect(toHex(utf8('MeshBox'))).toBe('4d657368426f78')
    expect(toBase64Url(Uint8Array.of(0xfb, 0xff, 0xfe))).toBe('-__-')
  })

  it('keep a byte order mark: nothing is dropped', () => {
    expect(fromUtf8(utf8('\ufeffa'))).toBe('\ufeffa')
  })

  it.each(['0', '0x0', 'zz', '0X00', ' 00', '00 ', '0x0x'])('hex refuses %j', (text) => {
    expect(() => fromHex(text, 'key')).toThrow(refused('key'))
  })

  it.each(['A', 'AB', 'AA==', 'A+A/', 'AA\n', 'AAé'])('base64url refuses %j: padding, other alphabets, stray bits', (text) => {
    expect(() => fromBase64Url(text, 'code')).toThrow(refused('code'))
  })

  it.each([[[0xff]], [[0xc0, 0x80]], [[0xed, 0xa0, 0x80]], [[0xf0, 0x9f, 0x98]]])('UTF-8 refuses %j', (raw) => {
    expect(() => fromUtf8(Uint8Array.from(raw), 'label')).toThrow(refused('label'))
  })
})

describe('concatBytes and equalBytesConstantTime', () => {
  it('join and compare', () => {
    expect(concatBytes()).toEqual(new Uint8Array())
    expect(concatBytes(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3))).toEqual(Uint8Array.of(1, 2, 3))
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(equalBytesConstantTime(a, b)).toBe(toHex(a) === toHex(b))
        expect(equalBytesConstantTime(a, Uint8Array.from(a))).toBe(true)
      }),
    )
  })

  it('see a difference in any single bit', () => {
    const a = utf8('0123456789abcdef')
    for (let bit = 0; bit < a.length * 8; bit++) {
      const b = Uint8Array.from(a)
      b[bit >> 3] = (b[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(equalBytesConstantTime(a, b)).toBe(false)
    }
  })
})
