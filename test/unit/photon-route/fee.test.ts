import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FeePolicy } from '../../../src/photon/index.ts'
import { checkFeePolicy, feeOf } from '../../../src/photon/route/index.ts'
import { FREE_POLICY, worstFeeOf } from '../../../src/photon/route/fee.ts'

const rate = fc.integer({ min: -1_000_000, max: 1_000_000 })
const policies: fc.Arbitrary<FeePolicy> = fc.record({
  constant: fc.bigInt({ min: 0n, max: 50n }),
  ppm: fc.integer({ min: 0, max: 1_000_000 }),
  curve: fc.tuple(rate, rate, rate, rate, rate),
  validFromSeconds: fc.constant(0),
})
const channels = fc
  .record({ capacity: fc.bigInt({ min: 1n, max: 10n ** 24n }), at: fc.integer({ min: 0, max: 1000 }), part: fc.integer({ min: 0, max: 1000 }) })
  .map(({ capacity, at, part }) => {
    const before = (capacity * BigInt(at)) / 1000n
    return { capacity, before, amount: (before * BigInt(part)) / 1000n }
  })

describe('the fee of a channel', () => {
  it('is constant plus parts per million, rounded down', () => {
    const policy: FeePolicy = { ...FREE_POLICY, constant: 3n, ppm: 1500 }
    expect(feeOf(policy, 1_000_000n, 2_000_000n, 4_000_000n)).toBe(1503n)
    expect(feeOf(policy, 999n, 2_000_000n, 4_000_000n)).toBe(4n)
    expect(feeOf(policy, 0n, 0n, 4_000_000n)).toBe(3n)
  })

  it('adds the curve over the balance that the payment moves through', () => {
    const curve: FeePolicy['curve'] = [10_000, 0, 0, 0, -10_000]
    const policy: FeePolicy = { ...FREE_POLICY, curve }
    expect(feeOf(policy, 100_000n, 300_000n, 400_000n)).toBe(0n) // between a quarter and three quarters all rates are 0
    expect(feeOf(policy, 100_000n, 100_000n, 400_000n)).toBe(500n) // the whole first quarter: 0.5 % on average
    expect(feeOf(policy, 50_000n, 100_000n, 400_000n)).toBe(125n) // its upper half: 0.25 %
    expect(feeOf({ ...policy, constant: 600n }, 100_000n, 400_000n, 400_000n)).toBe(100n) // the last quarter gives 0.5 % back
    expect(feeOf(policy, 100_000n, 400_000n, 400_000n)).toBe(0n) // but never more than the rest of the fee
  })

  it('goes on flat where a balance cannot be, and has no curve without a capacity', () => {
    const policy: FeePolicy = { ...FREE_POLICY, curve: [20_000, 0, 0, 0, 30_000] }
    expect(feeOf(policy, 1_000n, 0n, 10_000n)).toBe(20n)
    expect(feeOf(policy, 1_000n, 11_000n, 10_000n)).toBe(30n)
    expect(feeOf(policy, 1_000n, 0n, 0n)).toBe(0n)
  })

  it('is what the integral says, for any policy (checked against a sum in small steps)', () => {
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 }), (policy, quarter, a, b) => {
        const capacity = BigInt(4 * quarter)
        const [before, after] = [Math.min(Math.max(a, b), 4 * quarter), Math.min(a, b, 4 * quarter)]
        // Trapezoids of whole units are exact here, since every knot lies on a whole unit.
        const rateAt = (balance: number): number => {
          const piece = Math.min(3, Math.floor(balance / quarter))
          const [left, right] = [policy.curve[piece] ?? 0, policy.curve[piece + 1] ?? 0]
          return left * quarter + (right - left) * (balance - piece * quarter)
        }
        let twice = 0
        for (let unit = after; unit < before; unit++) twice += rateAt(unit) + rateAt(unit + 1)
        const curve = Math.floor(twice / (2 * quarter * 1_000_000))
        const flat = Number(policy.constant) + Math.floor(((before - after) * policy.ppm) / 1_000_000)
        expect(feeOf(policy, BigInt(before - after), BigInt(before), capacity)).toBe(BigInt(Math.max(0, flat + curve)))
      }),
      { seed: 11, numRuns: 400 },
    )
  })

  it('is never below 0 and never above what a sender without knowledge of balances offers', () => {
    fc.assert(
      fc.property(policies, channels, (policy, { capacity, before, amount }) => {
        const fee = feeOf(policy, amount, before, capacity)
        expect(fee >= 0n && fee <= worstFeeOf(policy, amount)).toBe(true)
      }),
      { seed: 12, numRuns: 1000 },
    )
  })

  it('never makes a larger payment arrive with less', () => {
    fc.assert(
      fc.property(policies, channels, fc.bigInt({ min: 0n, max: 1000n }), (policy, { capacity, before, amount }, more) => {
        const larger = amount + more
        expect(larger + feeOf(policy, larger, before, capacity) >= amount + feeOf(policy, amount, before, capacity)).toBe(true)
        expect(larger + worstFeeOf(policy, larger) >= amount + worstFeeOf(policy, amount)).toBe(true)
      }),
      { seed: 13, numRuns: 1000 },
    )
  })

  it('asks for two parts what it asks for the whole, but for rounding', () => {
    fc.assert(
      fc.property(rate, rate, channels, fc.integer({ min: 0, max: 100 }), (low, high, { capacity, before, amount }, percent) => {
        const policy: FeePolicy = { ...FREE_POLICY, constant: 10n ** 30n, curve: [low, high, low, high, low] }
        const first = (amount * BigInt(percent)) / 100n
        const whole = feeOf(policy, amount, before, capacity) + policy.constant
        const parts = feeOf(policy, first, before, capacity) + feeOf(policy, amount - first, before - first, capacity)
        expect(whole - parts === 0n || whole - parts === 1n).toBe(true)
      }),
      { seed: 14, numRuns: 500 },
    )
  })

  it('refuses policies that make no sense, by name', () => {
    const bad = (change: Partial<FeePolicy>) => () => checkFeePolicy({ ...FREE_POLICY, ...change })
    expect(bad({})).not.toThrow()
    expect(bad({ constant: -1n })).toThrow(/fee\.constant/)
    expect(bad({ ppm: 0.5 })).toThrow(/fee\.ppm/)
    expect(bad({ ppm: 1_000_001 })).toThrow(/fee\.ppm/)
    expect(bad({ curve: [0, 0, -1_000_001, 0, 0] })).toThrow(/fee\.curve/)
    expect(bad({ validFromSeconds: -1 })).toThrow(/fee\.validFromSeconds/)
  })
})
