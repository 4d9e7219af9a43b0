/** The end of the story: what the entries come to, and how it is printed. */
import { expect, it } from 'vitest'
import { earnedBySource, soldBy, table, unbalancedIn, withoutDays } from '../../../scripts/lab/book.ts'

const amount = (units: string): { readonly units: string; readonly text: string } => ({ units, text: units })
const entry = (id: number, kind: 'earn' | 'reverse' | 'post', source: string, token: string, ...units: readonly string[]): Parameters<typeof unbalancedIn>[0][number] & Parameters<typeof earnedBySource>[0][number] => ({
  id, kind, source, token, postings: units.map((each, line) => ({ account: `account-${line}`, amount: amount(each) })),
})

it('entries that do not sum to zero are named', () => {
  expect(unbalancedIn([entry(1, 'earn', 'hotspot:voucher', 'SMT', '10', '-9', '-1'), entry(2, 'earn', 'hotspot:voucher', 'SMT', '10', '-9'), entry(3, 'post', 'iot:payment', 'SMT')])).toEqual([2])
})

it('what is earned: by source, once, in the own token, less what was taken back', () => {
  const sums = earnedBySource(
    [
      entry(1, 'earn', 'hotspot:voucher', 'SMT', '100', '-90', '-10'),
      entry(2, 'earn', 'hotspot:voucher', 'SMT', '50', '-50'),
      entry(3, 'reverse', 'hotspot:voucher', 'SMT', '-30', '27', '3'),
      entry(4, 'earn', 'iot:uplink', 'SMT', '7', '-7'),
      entry(5, 'earn', 'iot:uplink', 'VTK', '1000', '-1000'),
      entry(6, 'post', 'iot:payment', 'SMT', '7', '-7'),
    ],
    'SMT',
  )
  expect([...sums]).toEqual([['hotspot:voucher', 120n], ['iot:uplink', 7n]])
})

it('what sessions brought: of their kind, refunds taken off', () => {
  const sessions = [
    { source: 'voucher', paid: amount('100'), refunded: amount('40') },
    { source: 'stream', paid: amount('9'), refunded: amount('0') },
    { source: 'voucher', paid: amount('1'), refunded: amount('0') },
  ] as unknown as Parameters<typeof soldBy>[0]
  expect([soldBy(sessions, 'voucher'), soldBy(sessions, 'stream')]).toEqual([61n, 9n])
})

it('columns stand under each other, whatever is in them', () => {
  expect(table([['box', 'earned'], ['Corner cafe', '1 SMT'], ['x', '']])).toBe('box           earned\nCorner cafe   1 SMT\nx             ')
  expect(table([])).toBe('')
})

it('earnings are printed without their days', () => {
  expect(withoutDays('In all  3 SMT\n\nACCOUNT  BALANCE\nowner  3\n\nDAY  EARNED\n2026-01-01  0\n')).toBe('In all  3 SMT\n\nACCOUNT  BALANCE\nowner  3')
  expect(withoutDays('Nothing was earned yet\n')).toBe('Nothing was earned yet')
})
