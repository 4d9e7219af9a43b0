import { describe, expect, it } from 'vitest'
import { dayOf } from '../../../src/ledger/index.ts'
import { earningTotals, monthOf } from '../../../src/ledger/statements.ts'
import type { EarnedRow } from '../../../src/ledger/statements.ts'

const at = (wallMs: number, wallTrusted = true) => ({ bootId: '82677c7d-04c7-4099', boottimeMs: 5, wallMs, wallTrusted })

describe('the day of a moment', () => {
  it.each([
    [at(0), '1970-01-01'],
    [at(Date.UTC(2026, 10, 21, 23, 59, 59, 999)), '2026-11-21'],
    [at(Date.UTC(2026, 10, 22)), '2026-11-22'],
    [at(Date.UTC(2028, 1, 29, 12)), '2028-02-29'],
    [at(Date.UTC(2026, 10, 21), false), 'boot:82677c7d'],
    [at(-1), 'boot:82677c7d'],
    [at(8.64e15 + 1), 'boot:82677c7d'],
  ])('%j is %s', (moment, day) => expect(dayOf(moment)).toBe(day))

  it('has a month only with a date', () => {
    expect(monthOf('2026-11-21')).toBe('2026-11')
    expect(monthOf('boot:82677c7d')).toBeNull()
  })
})

describe('totals', () => {
  const row = (day: string, account: string, earned: bigint, source = 'hotspot:voucher', token = 'SMT'): EarnedRow => ({ day, token, source, account, earned })
  const byDay = [
    row('2026-10-31', 'owner', 1n),
    row('2026-11-01', 'owner', 10n),
    row('2026-11-21', 'owner', 100n),
    row('2026-11-21', 'investor:ada', 25n),
    row('2026-11-21', 'owner', 7n, 'mesh:relay'),
    row('boot:82677c7d', 'owner', 1000n),
    row('2026-11-21', 'owner', 5n, 'hotspot:voucher', 'EUR'),
  ]
  const allTime = [row('', 'owner', 1111n), row('', 'investor:ada', 25n), row('', 'owner', 7n, 'mesh:relay'), row('', 'owner', 5n, 'hotspot:voucher', 'EUR')]

  it('tell today, this month, all time, undated, by source, per token', () => {
    const [eur, smt] = earningTotals({ allTime, byDay }, '2026-11-21', 'owner')
    expect(eur).toMatchObject({ token: 'EUR', allTime: { total: 5n, owner: 5n }, undated: { total: 0n } })
    expect(smt).toEqual({
      token: 'SMT',
      day: '2026-11-21',
      month: '2026-11',
      today: { total: 132n, owner: 107n },
      thisMonth: { total: 142n, owner: 117n },
      allTime: { total: 1143n, owner: 1118n },
      undated: { total: 1000n, owner: 1000n },
      bySource: [
        { source: 'hotspot:voucher', today: { total: 125n, owner: 100n }, thisMonth: { total: 135n, owner: 110n }, allTime: { total: 1136n, owner: 1111n } },
        { source: 'mesh:relay', today: { total: 7n, owner: 7n }, thisMonth: { total: 7n, owner: 7n }, allTime: { total: 7n, owner: 7n } },
      ],
      days: [
        { day: '2026-10-31', earned: { total: 1n, owner: 1n } },
        { day: '2026-11-01', earned: { total: 10n, owner: 10n } },
        { day: '2026-11-21', earned: { total: 132n, owner: 107n } },
      ],
    })
  })

  it('without a trusted clock know this boot and no month', () => {
    const [, smt] = earningTotals({ allTime, byDay }, 'boot:82677c7d', 'owner')
    expect(smt).toMatchObject({ day: 'boot:82677c7d', month: null, today: { total: 1000n }, thisMonth: null, allTime: { total: 1143n } })
    expect(smt?.bySource[0]?.thisMonth).toBeNull()
  })
})
