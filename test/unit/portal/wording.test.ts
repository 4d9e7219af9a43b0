/** Times, volumes and prices in words; the script's clock is the server's. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ar } from '../../../src/hotspot/portal/languages/ar.ts'
import { de } from '../../../src/hotspot/portal/languages/de.ts'
import { en } from '../../../src/hotspot/portal/languages/en.ts'
import { fa } from '../../../src/hotspot/portal/languages/fa.ts'
import { clockParts, dataText, durationText, grantText, priceText } from '../../../src/hotspot/portal/wording.ts'
import { clockText, wholeDays } from '../../../src/web/guest/clock.ts'
import { tidyCode } from '../../../src/web/guest/code-text.ts'

const MIB = 1024 * 1024

describe('durations', () => {
  it.each([
    [0, '0 minutes'],
    [59, '59 seconds'],
    [60, '1 minute'],
    [3599, '59 minutes'],
    [3600, '1 hour'],
    [5400, '1 hour 30 minutes'],
    [86_400, '1 day'],
    [86_400 + 60, '1 day'],
    [90_000, '1 day 1 hour'],
    [-5, '0 minutes'],
  ])('%i s is %s', (seconds, words) => expect(durationText(en, seconds)).toBe(words))
  it('speaks the language', () => {
    expect(durationText(ar, 7200)).toBe('ساعتان')
    expect(durationText(fa, 1800)).toBe('۳۰ دقیقه')
  })
})

describe('the clock', () => {
  it.each([
    [0, 0, '00:00'],
    [95, 0, '01:35'],
    [3600, 0, '1:00:00'],
    [5025, 0, '1:23:45'],
    [86_399, 0, '23:59:59'],
    [86_400, 1, '00:00:00'],
    [200_000, 2, '07:33:20'],
  ])('%i s', (seconds, days, clock) => expect(clockParts(seconds)).toEqual({ days, clock }))
  it('is the same in the script', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (seconds) => {
        const { days, clock } = clockParts(seconds)
        expect(wholeDays(seconds)).toBe(days)
        expect(clockText(seconds, days > 0)).toBe(clock)
      }),
    )
  })
})

describe('volumes', () => {
  it.each([
    [0, '0 kB'],
    [1023, '0 kB'],
    [MIB - 1, '1,023 kB'],
    [MIB, '1 MB'],
    [1.5 * MIB, '1.5 MB'],
    [312.9 * MIB, '312 MB'],
    [1024 * MIB, '1 GB'],
    [1700 * MIB, '1.66 GB'],
  ])('%d bytes is %s', (bytes, words) => expect(dataText(en, bytes)).toBe(words))
  it('never promises more than there is', () => {
    fc.assert(
      fc.property(fc.nat(Number.MAX_SAFE_INTEGER), (bytes) => {
        const [number = '', unit = ''] = dataText(en, bytes).split(' ')
        const size = { kB: 1024, MB: MIB, GB: 1024 * MIB }[unit] ?? 0
        expect(Number(number.replaceAll(',', '')) * size).toBeLessThanOrEqual(bytes)
      }),
    )
  })
})

describe('money and grants', () => {
  it('is exact to the unit', () => {
    expect(priceText(en, 1_234_500_000_000_000_000_001n, { symbol: 'MBX', decimals: 18 })).toBe('1,234.500000000000000001\u00a0MBX')
    expect(priceText(de, 1_500n, { symbol: 'EUR', decimals: 2 })).toBe('15\u00a0EUR')
  })
  it('names only what is limited', () => {
    expect(grantText(en, 1800, 500 * MIB)).toBe('30 minutes · 500 MB')
    expect(grantText(en, null, 500 * MIB)).toBe('500 MB')
    expect(grantText(en, null, null)).toBe('No time limit')
  })
})

describe('the code while it is typed', () => {
  it.each([
    ['abc', 'ABC'],
    ['abcdef', 'ABCDE-F'],
    ['abcde-fghjk', 'ABCDE-FGHJK'],
    ['abcde fghjk', 'ABCDE-FGHJK'],
    ['http://wifi.example/v/ABC', 'http://wifi.example/v/ABC'],
    ['ABCDEFGHJK1', 'ABCDEFGHJK1'],
  ])('%s becomes %s', (typed, shown) => expect(tidyCode(typed)).toBe(shown))
  it('never loses or adds a symbol', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 600 }), (typed) => {
        const plain = (text: string): string => text.replace(/[\s-]/g, '').toUpperCase()
        expect(plain(tidyCode(typed))).toBe(plain(typed))
        expect(tidyCode(tidyCode(typed))).toBe(tidyCode(typed))
      }),
    )
  })
})
