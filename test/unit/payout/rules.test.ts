/** A payout's way and the rules of the day, by every order of inputs. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffMs, beginWay, dueReason, inDecimals, stepWay } from '../../../src/payout/index.ts'
import type { Way, WayEffect, WayInput } from '../../../src/payout/index.ts'
import { payoutSettings } from '../../support/payout-box.ts'

const input: fc.Arbitrary<WayInput> = fc.oneof(
  fc.record({ kind: fc.constant('tick' as const), nowMs: fc.nat(10_000_000) }),
  fc.record({ kind: fc.constant('failed' as const), nowMs: fc.nat(10_000_000), problem: fc.constant('no'), isEarly: fc.boolean() }),
  fc.constant({ kind: 'paid' as const }),
  fc.constant({ kind: 'booked' as const }),
  fc.record({ kind: fc.constant('not-booked' as const), nowMs: fc.nat(10_000_000), problem: fc.constant('disk') }),
  fc.constant({ kind: 'resume' as const }),
)

describe('a way', () => {
  it('is over only after it was paid and booked, and never pays two at once', () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (inputs, alarmAfter) => {
        let way: Way = beginWay(0, null)
        let isPaying = false
        let isPaid = false
        for (const one of inputs) {
          const before = way
          const step = stepWay(way, one, alarmAfter)
          way = step.way
          const did = (effect: WayEffect): boolean => step.effects.includes(effect)
          if (did('pay')) {
            expect(isPaying).toBe(false)
            isPaying = true
          }
          if (before.stage === 'paying' && way.stage !== 'paying') isPaying = false
          if (did('book')) isPaid = true
          if (way.stage === 'over') expect(isPaid).toBe(true)
          if (before.stage === 'over') expect(step).toEqual({ way: before, effects: [] })
          expect(did('alarm')).toBe(way.attempts === alarmAfter && before.attempts === alarmAfter - 1)
        }
      }),
    )
  })

  it('waits longer and longer, at most an hour', () => {
    expect([1, 2, 3, 7, 8, 9, 100].map(backoffMs)).toEqual([30_000, 60_000, 120_000, 1_920_000, 3_600_000, 3_600_000, 3_600_000])
  })
})

describe('what is due', () => {
  const at = (hour: number, wallTrusted = true): Parameters<typeof dueReason>[3] => ({ bootId: 'b', boottimeMs: 1, wallMs: Date.UTC(2026, 0, 2, hour), wallTrusted })

  it('is never less than dust, always from the threshold on, by the day once', () => {
    fc.assert(
      fc.property(fc.bigInt(-5n, 50n), fc.bigInt(0n, 50n), fc.bigInt(0n, 50n), fc.option(fc.nat(23)), fc.nat(23), fc.boolean(), fc.boolean(), (owed, threshold, dust, dailyHour, hour, wallTrusted, isPaidToday) => {
        const reason = dueReason(payoutSettings({ threshold, dust, dailyHour }), 6, { owed, lastDaily: isPaidToday ? '2026-01-02' : '2026-01-01' }, at(hour, wallTrusted))
        const isWorth = owed >= 1n && owed >= dust
        const isOver = isWorth && threshold > 0n && owed >= threshold
        const isDaily = isWorth && !isOver && dailyHour !== null && wallTrusted && hour >= dailyHour && !isPaidToday
        expect(reason).toBe(isOver ? 'threshold' : isDaily ? 'daily' : null)
      }),
    )
  })

  it('counts in whole tokens where another token has other decimals', () => {
    expect([inDecimals(1_500_000n, 6, 18), inDecimals(1_500_000n, 6, 0), inDecimals(5n, 6, 6)]).toEqual([1_500_000_000_000_000_000n, 1n, 5n])
    expect(dueReason(payoutSettings({ threshold: 2_000_000n }), 18, { owed: 2n * 10n ** 18n - 1n, lastDaily: null }, at(1))).toBe(null)
    expect(dueReason(payoutSettings({ threshold: 2_000_000n }), 18, { owed: 2n * 10n ** 18n, lastDaily: null }, at(1))).toBe('threshold')
  })
})
