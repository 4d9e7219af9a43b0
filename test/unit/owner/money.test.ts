import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dateOfDay, dayOfDate, minutesPerToken, money, priceOfMinutesPerToken } from '../../../src/owner/money.ts'
import { packagePresets, packagesOfPreset } from '../../../src/owner/presets.ts'

describe('1 token = N minutes', () => {
  it.each([
    [10, 18, 100_000_000_000_000_000n, '10'],
    [7, 18, 142_857_142_857_142_857n, '7'],
    [0.5, 6, 2_000_000n, '0.5'],
    [1, 0, 1n, '1'],
    [0, 6, 0n, null],
    [525_600, 18, 1_902_587_519_025n, '525600'],
  ])('%d minutes with %d decimals is %s a minute', (minutes, decimals, price, back) => {
    expect(priceOfMinutesPerToken(minutes, decimals)).toBe(price)
    expect(minutesPerToken(price, decimals)).toBe(back)
  })

  it('never promises more minutes than the token then buys', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 525_600_000 }), fc.integer({ min: 12, max: 30 }), (thousandths, decimals) => {
        const price = priceOfMinutesPerToken(thousandths / 1000, decimals)
        expect(price * BigInt(thousandths)).toBeLessThanOrEqual(10n ** BigInt(decimals) * 1000n)
      }),
    )
  })

  it.each([
    [10, 0],
    [30, 2],
    [7, 2],
  ])('refuses %d minutes with %d decimals: the price would not be that', (minutes, decimals) => {
    expect(() => priceOfMinutesPerToken(minutes, decimals)).toThrow('minutesPerToken')
  })

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 0.0001, 525_601, 1.23456])('refuses %d', (minutes) => {
    expect(() => priceOfMinutesPerToken(minutes, 18)).toThrow('minutesPerToken')
  })
})

describe('dates and amounts', () => {
  it('turns days into dates and back', () => {
    fc.assert(fc.property(fc.integer({ min: 18_262, max: 84_005 }), (day) => dayOfDate(dateOfDay(day), 'd') === day))
  })
  it.each(['2026-02-29', '2026-13-01', '26-01-01', '2019-12-31', '2200-01-01', '2026-1-1', '', '2026-01-01T00:00'])('%j is no date', (date) => {
    expect(() => dayOfDate(date, 'validUntil')).toThrow('validUntil')
  })
  it('gives units and text', () => {
    expect(money(-1_500_000n, 6)).toEqual({ units: '-1500000', text: '-1.5' })
  })
})

describe('package presets', () => {
  it('offers each with the packages it makes', () => {
    for (const preset of packagePresets().filter((one) => one.id !== 'keep')) {
      const made = packagesOfPreset(preset.id, 100_000n, 6) ?? []
      expect(made.map(({ label, seconds, bytes }) => ({ label, seconds, bytes }))).toEqual(preset.packages)
      expect(new Set(made.map((one) => one.id)).size).toBe(made.length)
    }
    expect(packagesOfPreset('keep', 0n, 6)).toBeNull()
  })
  it('costs more for more, and less for each minute', () => {
    for (const preset of ['cafe', 'kiosk', 'guesthouse'] as const) {
      const made = packagesOfPreset(preset, 100_000n, 6) ?? []
      for (const [index, one] of made.entries()) {
        const next = made[index + 1]
        if (!next) continue
        expect(Number(next.price)).toBeGreaterThan(Number(one.price))
        expect(Number(next.price) / (next.seconds ?? 0)).toBeLessThanOrEqual(Number(one.price) / (one.seconds ?? 0))
      }
    }
  })
  it('rounds to tenths of a token, or to whole ones', () => {
    for (const one of packagesOfPreset('cafe', 33_333n, 6) ?? []) expect(one.price).toMatch(/^\d+(\.\d)?$/)
    for (const one of packagesOfPreset('cafe', 1n, 0) ?? []) expect(one.price).toMatch(/^\d+$/)
  })
  it('needs a price per minute', () => {
    expect(() => packagesOfPreset('cafe', 0n, 6)).toThrow('packages')
  })
})
