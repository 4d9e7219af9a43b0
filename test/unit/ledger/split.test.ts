import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { partsFor, splitAmount, splitReversal, takenShares } from '../../../src/ledger/split.ts'
import type { ShareRule } from '../../../src/ledger/index.ts'

const sum = (shares: readonly { amount: bigint }[]): bigint => shares.reduce((total, share) => total + share.amount, 0n)
const amounts = (shares: readonly { amount: bigint }[]): bigint[] => shares.map((share) => share.amount)

function rule(role: string, beneficiary: string, partsPerMillion: number, sources: string[] = []): ShareRule {
  return { role, beneficiary, partsPerMillion, sources }
}

/** Policies of up to six shares that give away at most everything. */
const policies = fc
  .array(fc.nat(1_000_000), { maxLength: 6 })
  .map((weights) => {
    const total = Math.max(1_000_000, weights.reduce((a, b) => a + b, 0))
    return weights.map((weight, n) => rule('investor', `i${n}`, Math.floor((weight / total) * 1_000_000)))
  })
const someAmount = fc.oneof(fc.constantFrom(0n, 1n, 2n, 3n, 999_999n, 1_000_001n, 1n << 127n, (1n << 128n) - 1n), fc.bigInt(0n, (1n << 128n) - 1n), fc.bigInt(0n, 100n))

describe('the parts of a policy', () => {
  it('leave the rest to the owner, last in the list', () => {
    expect(partsFor('hotspot:voucher', [rule('investor', 'ada', 200_000), rule('relay', 'bob', 50_000)], 'owner')).toEqual([
      { account: 'investor:ada', partsPerMillion: 200_000 },
      { account: 'relay:bob', partsPerMillion: 50_000 },
      { account: 'owner', partsPerMillion: 750_000 },
    ])
    expect(partsFor('x', [], 'owner')).toEqual([{ account: 'owner', partsPerMillion: 1_000_000 }])
  })

  it('apply to their sources only; a room stands for all its sources', () => {
    const rules = [rule('investor', 'a', 1, ['hotspot:voucher']), rule('investor', 'b', 2, ['hotspot']), rule('investor', 'c', 3, ['mesh']), rule('investor', 'd', 4)]
    const accountsOf = (source: string): string[] => partsFor(source, rules, 'owner').map((part) => part.account)
    expect(accountsOf('hotspot:voucher')).toEqual(['investor:a', 'investor:b', 'investor:d', 'owner'])
    expect(accountsOf('hotspot:trial')).toEqual(['investor:b', 'investor:d', 'owner'])
    expect(accountsOf('hotspots')).toEqual(['investor:d', 'owner'])
  })

  it('of one beneficiary are one part', () => {
    expect(partsFor('x', [rule('investor', 'a', 100), rule('relay', 'a', 1), rule('investor', 'a', 200)], 'owner').slice(0, 2)).toEqual([
      { account: 'investor:a', partsPerMillion: 300 },
      { account: 'relay:a', partsPerMillion: 1 },
    ])
  })

  it.each([[[rule('investor', 'a', 600_000), rule('investor', 'b', 400_001)]], [[rule('investor', 'a', -1)]], [[rule('investor', 'a', 0.5)]], [[rule('investor', 'a', Number.NaN)]]])(
    'that give away more than everything, or no whole number, are refused',
    (rules) => {
      expect(() => partsFor('x', rules, 'owner')).toThrow(expect.objectContaining({ code: 'bad-input', field: 'shares' }))
    },
  )
})

describe('splitting', () => {
  const thirds = [rule('a', 'x', 333_333), rule('b', 'y', 333_333)]
  it.each([
    [0n, [0n, 0n, 0n]],
    [1n, [0n, 0n, 1n]], // the owner's third is the largest
    [2n, [1n, 0n, 1n]], // equal remainders: the earlier in the list
    [3n, [1n, 1n, 1n]],
    [10n, [3n, 3n, 4n]],
    [1_000_000n, [333_333n, 333_333n, 333_334n]],
  ])('%s over three thirds', (amount, expected) => {
    expect(amounts(splitAmount(amount, partsFor('s', thirds, 'owner')))).toEqual(expected)
  })

  it('property: exact to the unit, nobody more than one unit off, nothing for a part of nothing', () => {
    fc.assert(
      fc.property(policies, someAmount, (rules, amount) => {
        const parts = partsFor('s', rules, 'owner')
        const shares = splitAmount(amount, parts)
        expect(sum(shares)).toBe(amount)
        shares.forEach((share, n) => {
          const exactTimesMillion = amount * BigInt(parts[n]?.partsPerMillion ?? -1)
          const difference = share.amount * 1_000_000n - exactTimesMillion
          expect(difference > -1_000_000n && difference < 1_000_000n).toBe(true)
          if (parts[n]?.partsPerMillion === 0) expect(share.amount).toBe(0n)
        })
      }),
      { numRuns: 500 },
    )
  })

  it('refuses amounts below nothing or beyond 2^128-1', () => {
    for (const amount of [-1n, 1n << 128n]) expect(() => splitAmount(amount, partsFor('s', [], 'owner'))).toThrow(expect.objectContaining({ field: 'amount' }))
  })
})

describe('taking back', () => {
  const accounts = (list: readonly bigint[]): { account: string; amount: bigint }[] => list.map((amount, n) => ({ account: `a${n}`, amount }))
  const someShares = fc.array(fc.oneof(fc.bigInt(0n, 30n), fc.bigInt(0n, 1n << 127n)), { minLength: 1, maxLength: 6 }).map(accounts)

  it('follows what was booked', () => {
    expect(amounts(splitReversal(accounts([50n, 30n, 20n]), 0n, 10n))).toEqual([5n, 3n, 2n])
    expect(amounts(splitReversal(accounts([50n, 30n, 20n]), 10n, 90n))).toEqual([45n, 27n, 18n])
    expect(amounts(splitReversal(accounts([7n, 0n, 3n]), 0n, 10n))).toEqual([7n, 0n, 3n])
  })

  it('property: in any pieces, each piece is exact and takes only, and the last leaves exactly nothing', () => {
    fc.assert(
      fc.property(someShares, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }), (shares, cuts) => {
        const whole = sum(shares)
        const stops = [...cuts.map((cut) => (whole * BigInt(Math.floor(cut * 1_000_000))) / 1_000_000n), whole].sort((a, b) => (a < b ? -1 : 1))
        const left = amounts(shares)
        let taken = 0n
        for (const stop of stops) {
          const piece = splitReversal(shares, taken, stop - taken)
          expect(sum(piece)).toBe(stop - taken)
          piece.forEach((share, n) => {
            expect(share.amount >= 0n).toBe(true)
            left[n] = (left[n] ?? 0n) - share.amount
            expect((left[n] ?? -1n) >= 0n).toBe(true)
          })
          taken = stop
        }
        expect(left.every((amount) => amount === 0n)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('property: unit by unit it stays within two units of the exact proportion', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(0n, 40n), { minLength: 1, maxLength: 6 }).map(accounts), (shares) => {
        const whole = sum(shares)
        for (let taken = 0n; taken <= whole; taken++)
          takenShares(shares, taken).forEach((share, n) => {
            const difference = share.amount * whole - (shares[n]?.amount ?? 0n) * taken
            expect(difference <= 2n * whole && difference >= -2n * whole).toBe(true)
          })
      }),
      { numRuns: 60 },
    )
  })
})
