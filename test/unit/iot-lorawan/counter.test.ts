import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_FCNT, devAddrIn, fullCounter, hasPrefix, isWithinGap, prefixOfNetId, previousCounter } from '../../../src/iot/lorawan/index.ts'

describe('frame counters', () => {
  it.each([
    [0, 0, 0],
    [0, 0xffff, 0xffff], // an implementation that takes 1 from 0 gets this one wrong
    [1, 0, 0x1_0000],
    [10, 10, 10],
    [10, 9, 0x1_0009],
    [0xffff, 0xffff, 0xffff],
    [0xffff, 0, 0x1_0000],
    [0x1_0000, 0xffff, 0x1_ffff],
    [0x1_fffe, 3, 0x2_0003],
    [MAX_FCNT, 0xffff, MAX_FCNT],
  ])('expected %i, on the air %i: %i', (expected, fCnt16, full) => {
    expect(fullCounter(expected, fCnt16)).toBe(full)
  })

  it('end with 32 bits', () => {
    expect(fullCounter(MAX_FCNT, 0xfffe)).toBeNull()
    expect(fullCounter(MAX_FCNT + 1, 0)).toBeNull()
  })

  it('are the lowest not below what is expected, and end in what was on the air', () => {
    fc.assert(
      fc.property(fc.nat(MAX_FCNT), fc.nat(0xffff), (expected, fCnt16) => {
        const full = fullCounter(expected, fCnt16)
        if (full === null) {
          expect(expected).toBeGreaterThan(MAX_FCNT - 0x1_0000)
          return
        }
        expect(full % 0x1_0000).toBe(fCnt16)
        expect(full - expected).toBeGreaterThanOrEqual(0)
        expect(full - expected).toBeLessThan(0x1_0000)
      }),
    )
  })

  it('know a repetition of the last frame', () => {
    expect(previousCounter(3, 2)).toBe(2)
    expect(previousCounter(0x1_0000, 0xffff)).toBe(0xffff)
    expect(previousCounter(0, 0xffff)).toBeNull()
    expect(previousCounter(3, 3)).toBeNull()
  })

  it('may not jump by 16384', () => {
    expect(isWithinGap(5, 5)).toBe(true)
    expect(isWithinGap(5, 5 + 16_383)).toBe(true)
    expect(isWithinGap(5, 5 + 16_384)).toBe(false)
    expect(isWithinGap(5, 4)).toBe(false)
  })
})

describe('addresses of a network', () => {
  // Backend Interfaces: type, prefix bits, NwkID bits.
  it.each([
    [0x00_0013, 0x26000000, 7], // The Things Network
    [0x00_0000, 0x00000000, 7], // experimental: 00 and 01 are everybody's
    [0x20_0001, 0x81000000, 8],
    [0x40_0005, 0xc0000000 + 5 * 2 ** 20, 12],
    [0x60_000d, 0xe0000000 + 0x0d * 2 ** 17, 15],
    [0x80_0001, 0xf0000000 + 2 ** 15, 17],
    [0xa0_0001, 0xf8000000 + 2 ** 13, 19],
    [0xc0_0053, 0xfc000000 + 0x53 * 2 ** 10, 22],
    [0xe0_0001, 0xfe000000 + 2 ** 7, 25],
  ])('%i: prefix %i of %i bits', (netId, prefix, bits) => {
    expect(prefixOfNetId(netId)).toEqual({ prefix, bits })
    expect(hasPrefix(devAddrIn(netId, 5), { prefix, bits })).toBe(true)
    expect(hasPrefix((prefix ^ 0x8000_0000) >>> 0, { prefix, bits })).toBe(false)
    expect(() => devAddrIn(netId, 2 ** (32 - bits))).toThrow(/dev-addr-number/)
  })
})
