/** Prices, happy hours, and when a trial comes back. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HappyHourConfig } from '../../../src/config/index.ts'
import { TRIAL_DAY_MS, ageOf, isDayOver, priceBoard } from '../../../src/hotspot/tariff/index.ts'
import { discounted, priceOf } from '../../../src/hotspot/tariff/price.ts'
import { happyHourAt } from '../../../src/hotspot/tariff/happy-hour.ts'
import { halfHour, testConfig } from '../../support/hotspot-box.ts'

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
const hour = (changes: Partial<HappyHourConfig>): HappyHourConfig => ({
  id: 'x',
  label: 'Happy hour',
  basis: 'clock',
  fromMinute: 14 * 60,
  toMinute: 16 * 60,
  days: DAYS,
  discountPercent: 50,
  ...changes,
})
/** Local time, whatever the zone of this machine. */
const at = (year: number, month: number, day: number, hours: number, minutes: number, wallTrusted = true) => ({
  boottimeMs: 5 * 60_000,
  wallMs: new Date(year, month - 1, day, hours, minutes).getTime(),
  wallTrusted,
})

describe('happy hours', () => {
  it.each([
    [13, 59, false],
    [14, 0, true],
    [15, 59, true],
    [16, 0, false],
  ])('by the clock, at %d:%d: %s', (hours, minutes, applies) => {
    expect(happyHourAt([hour({})], at(2026, 11, 21, hours, minutes)) !== null).toBe(applies)
  })

  it('by the clock do not exist while the clock is not trusted', () => {
    expect(happyHourAt([hour({})], at(2026, 11, 21, 15, 0, false))).toBeNull()
  })

  it.each([
    ['fri', 23, 0, 20, true], // Friday evening
    ['fri', 1, 30, 21, true], // the Saturday morning after it
    ['fri', 2, 0, 21, false],
    ['fri', 23, 0, 21, false], // Saturday evening
    ['fri', 1, 30, 20, false], // Friday morning belongs to Thursday
  ] as const)('over midnight belong to the day they begin on: %s, %d:%d on the %d th', (day, hours, minutes, date, applies) => {
    const late = hour({ fromMinute: 22 * 60, toMinute: 2 * 60, days: [day] })
    expect(new Date(2026, 10, 20).getDay()).toBe(5)
    expect(happyHourAt([late], at(2026, 11, date, hours, minutes)) !== null).toBe(applies)
  })

  it('by uptime need no clock', () => {
    const morning = hour({ basis: 'uptime', fromMinute: 5, toMinute: 60 })
    const now = (minutes: number) => ({ boottimeMs: minutes * 60_000, wallMs: -1e15, wallTrusted: false })
    expect([4.9, 5, 59.99, 60].map((minutes) => happyHourAt([morning], now(minutes)) !== null)).toEqual([false, true, true, false])
  })

  it('are looked through in order: the first that applies', () => {
    const hours = [hour({ id: 'never', days: [] }), hour({ id: 'first', discountPercent: 10 }), hour({ id: 'second' })]
    expect(happyHourAt(hours, at(2026, 11, 21, 15, 0))?.id).toBe('first')
    expect(happyHourAt([], at(2026, 11, 21, 15, 0))).toBeNull()
  })
})

describe('prices', () => {
  it('are shown with the happy hour worked in, and what they were before', () => {
    const config = testConfig({ config: { happyHours: [hour({ discountPercent: 25 })] } })
    const board = priceBoard(config, at(2026, 11, 21, 15, 0))
    expect(board).toMatchObject({ symbol: 'MBX', decimals: 6, pricePerMinute: 75_000n, happyHour: { label: 'Happy hour', discountPercent: 25 } })
    expect(board.offers[0]).toEqual({ packageId: 'half-hour', label: '30 minutes', seconds: 1800, bytes: null, devices: 1, price: 2_250_000n, priceBefore: 3_000_000n })
    expect(priceBoard(config, at(2026, 11, 21, 17, 0))).toMatchObject({ happyHour: null, pricePerMinute: 100_000n, offers: [{ price: 3_000_000n, priceBefore: null }, {}, {}] })
  })

  it('leave out packages that are only printed, and a trial nobody can get', () => {
    const config = testConfig({ config: { packages: [{ ...halfHour, offered: false }] }, hotspot: { trialsPerDay: 0 } })
    expect(priceBoard(config, at(2026, 11, 21, 17, 0))).toMatchObject({ offers: [], trial: null })
    expect(priceBoard(testConfig(), at(2026, 11, 21, 17, 0)).trial).toEqual({ minutes: 10, mib: 50 })
  })

  it('of minutes and MiB are exact, rounded up to the unit', () => {
    const tariff = { pricePerMinute: 100n, pricePerMib: 3n }
    expect(priceOf(tariff, { seconds: 60, bytes: 0 }, null)).toBe(100n)
    expect(priceOf(tariff, { seconds: 1, bytes: 1 }, null)).toBe(2n + 1n)
    expect(priceOf(tariff, { seconds: 90, bytes: 1_048_576 }, { discountPercent: 50 })).toBe(77n)
    expect(priceOf({ pricePerMinute: 0n, pricePerMib: 0n }, { seconds: 1e9, bytes: 1e15 }, null)).toBe(0n)
  })

  it('after a discount are never below the exact price, by less than a unit above it', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 100n }), fc.integer({ min: 1, max: 100 }), (price, discountPercent) => {
        const exactTimes100 = price * BigInt(100 - discountPercent)
        const given = discounted(price, { discountPercent }) * 100n
        expect(given >= exactTimes100 && given < exactTimes100 + 100n).toBe(true)
      }),
    )
  })
})

describe('a day between trials', () => {
  const use = (ageMs: number, wallMs: number, wallTrusted: boolean) => ({ ageMs, wallMs, wallTrusted })

  it('is a day of the box being on, or a day by a clock trusted both times', () => {
    expect(isDayOver(use(0, 0, false), use(TRIAL_DAY_MS, 0, false))).toBe(true)
    expect(isDayOver(use(0, 0, false), use(TRIAL_DAY_MS - 1, 1e15, true))).toBe(false)
    expect(isDayOver(use(0, 0, true), use(1, TRIAL_DAY_MS, true))).toBe(true)
    expect(isDayOver(use(0, 0, true), use(1, TRIAL_DAY_MS, false))).toBe(false)
    expect(isDayOver(use(0, TRIAL_DAY_MS, true), use(1, 0, true))).toBe(false)
  })

  it('the age of the box never runs backwards nor ahead of the time it was on', () => {
    const lives = fc.array(fc.record({ onMs: fc.integer({ min: 0, max: 1e9 }), markAfterMs: fc.integer({ min: 0, max: 1e9 }) }), { maxLength: 20 })
    fc.assert(
      fc.property(lives, (boots) => {
        let mark: Parameters<typeof ageOf>[0] = null
        let trueMs = 0
        let lastAgeMs = 0
        for (const [index, { onMs, markAfterMs }] of boots.entries()) {
          const bootId = `boot ${index}`
          const boottimeMs = Math.min(onMs, markAfterMs)
          const ageMs = ageOf(mark, { bootId, boottimeMs })
          expect(ageMs).toBeGreaterThanOrEqual(lastAgeMs)
          mark = { bootId, boottimeMs, ageMs }
          lastAgeMs = ageMs
          expect(ageOf(mark, { bootId, boottimeMs: onMs })).toBeLessThanOrEqual(trueMs + onMs)
          trueMs += onMs
        }
      }),
    )
  })
})
