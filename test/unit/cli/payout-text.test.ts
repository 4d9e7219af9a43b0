import { expect, it } from 'vitest'
import { payoutText, payoutsText } from '../../../src/cli/commands/payout-text.ts'
import type { PayoutJson } from '../../../src/owner/index.ts'

const token = { symbol: 'SMT', decimals: 6 }
const amount = { units: '250000', text: '0.25' }
const payout: PayoutJson = {
  id: 2, account: 'investor:anna', number: 2, token, amount, to: `0x${'aa'.repeat(20)}`, payment: `0x${'12'.repeat(32)}`, reason: 'threshold', state: 'open', stage: 'waiting',
  attempts: 1, problem: 'the partner is not connected', retrySeconds: 30, isAlarm: false, madeWallMs: 1_763_748_120_000, paidWallMs: null, entries: [3, 79],
}
const listed = (open: PayoutJson): string => payoutsText({ parties: [{ account: open.account, token, owed: amount, paid: amount, address: open.to, open, shares: [], last: null, waitsFor: null }], milestones: [], payouts: [open], nextBeforeId: null })

it('a payout that has left is said to wait for its acknowledgement, and no more for what an earlier try failed for', () => {
  expect([payoutText(payout), listed(payout)]).toEqual(Array(2).fill(expect.stringContaining('the partner is not connected')))
  const left: PayoutJson = { ...payout, stage: 'paying', retrySeconds: null }
  expect(payoutText(left)).toContain("\nBecause  not acknowledged by the recipient's box yet; sent again until it is\n")
  expect(listed(left)).toContain("  investor:anna: not acknowledged by the recipient's box yet; sent again until")
  for (const text of [payoutText(left), listed(left)]) expect(text).not.toContain('not connected')
})
