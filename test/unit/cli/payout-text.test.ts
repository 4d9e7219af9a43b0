import { expect, it } from 'vitest'
import { payoutText, payoutsText } from '../../../src/cli/commands/payout-text.ts'
import type { PayoutJson } from '../../../src/owner/index.ts'

const token = { symbol: 'SMT', decimals: 6 }
const amount = { units: '250000', text: '0.25' }
const payout: PayoutJson = {
  id: 2, account: 'investor:anna', number: 2, token, amount, to: `0x${'aa'.repeat(20)}`, payment: `0x${'12'.repeat(32)}`, reason: 'threshold', state: 'open', stage: 'waiting',
  attempts: 1, problem: 'the partner is not connected', retrySeconds: 30, isAlarm: false, madeWallMs: 1_763_748_120_000, paidWallMs: null, entries: [3, 79], routed: null,
}
const listed = (open: PayoutJson): string => payoutsText({ parties: [{ account: open.account, token, owed: amount, paid: amount, address: open.to, open, shares: [], last: null, waitsFor: null }], milestones: [], payouts: [open], nextBeforeId: null })

it('a payout that has left is said to wait for its acknowledgement, and no more for what an earlier try failed for', () => {
  expect([payoutText(payout), listed(payout)]).toEqual(Array(2).fill(expect.stringContaining('the partner is not connected')))
  const left: PayoutJson = { ...payout, stage: 'paying', retrySeconds: null }
  expect(payoutText(left)).toContain("\nBecause  not acknowledged by the recipient's box yet; sent again until it is\n")
  expect(listed(left)).toContain("  investor:anna: not acknowledged by the recipient's box yet; sent again until")
  for (const text of [payoutText(left), listed(left)]) expect(text).not.toContain('not connected')
})

const routed = { lock: `0x${'ab'.repeat(32)}`, fee: { units: '2500', text: '0.0025' }, via: [`0x${'bb'.repeat(20)}`], tries: 2 }

it.each([
  ['answer', "locked on its way; the recipient's box has not answered yet"],
  ['secret', 'the recipient has the secret; the boxes between hand it back'],
  ['end', 'waiting for the lock to end; then it is tried again'],
] as const)('one that is under way over other boxes says what it waits for, and until when: %s', (what, says) => {
  const open: PayoutJson = { ...payout, stage: 'paying', retrySeconds: null, routed: { ...routed, waits: { for: what, endsBlock: 4207, endsInSeconds: 660 } } }
  expect(payoutText(open)).toContain(`\nBecause  ${says}\nThrough  ${routed.via[0]}, try 2\nFee      0.0025 SMT, on top, at this box's cost\nLock     ${routed.lock}\nOver by  block 4207, in about 0:11:00: paid, or back\n`)
})

it('one that came over other boxes says over which, and what it cost; one that came back only why, and when it is tried again', () => {
  expect(payoutText({ ...payout, state: 'paid', stage: 'over', retrySeconds: null, problem: null, routed: { ...routed, tries: 1, waits: null } })).toContain(`\nThrough  ${routed.via[0]}\nFee      0.0025 SMT, on top, at this box's cost\n`)
  const back = payoutText({ ...payout, problem: 'over other boxes it came to nothing, and is back: nobody claimed it in time (5006)', routed: { ...routed, waits: null } })
  expect([back.endsWith('\n\nBecause over other boxes it came to nothing, and is back: nobody claimed it in\ntime (5006)'), back.includes('tried again in 0:00:30'), back.includes('Lock')]).toEqual([true, true, false])
})
