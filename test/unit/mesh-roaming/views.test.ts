/** What the owner sees of guests who walk. */
import { describe, expect, it } from 'vitest'
import { newAccount, owe, paid } from '../../../src/mesh/roaming/account.ts'
import { hearGone, takeTicket } from '../../../src/mesh/roaming/held.ts'
import { claimSold, leftHome, newSoldRoam, reportSold } from '../../../src/mesh/roaming/sold.ts'
import { roamGuests } from '../../../src/mesh/roaming/views.ts'
import { TOKEN, boxId, guestKey, hashes, macOf } from './village.ts'

const SELLER = boxId(0)
const HOLDER = boxId(1)
const TICKET = { seller: SELLER, sessionId: 's', mac: macOf(1), bearerHash: hashes.ofKey(guestKey(1)), leftSeconds: 600, leftBytes: 5000n, unitsPerMinute: 6n, token: TOKEN, counter: 0, holder: SELLER, proofAfterSeconds: null }
const none = { sold: [], held: [], accounts: [] }

describe('guests who are away', () => {
  it('are those that this box sold to and another has: where, since when, what is left', () => {
    const home = newSoldRoam(SELLER, TICKET)
    expect(roamGuests(SELLER, { ...none, sold: [home] }, 0).away).toEqual([])
    const answer = claimSold(home, SELLER, { claimant: HOLDER, hasProof: false, isNewDevice: false, unitsPerMinute: 5n, homeIdleMs: 60_000, nowMs: 1000 })
    expect(roamGuests(SELLER, { ...none, sold: [answer.state] }, 1000).away).toMatchObject([{ holder: HOLDER, sinceMs: 1000 }])
    const there = leftHome(answer.state, { seconds: 600, bytes: 5000n }, 1000)
    const { state } = reportSold(there, HOLDER, { sessionId: 's', counter: 1, seconds: 9, bytes: 700n, isIdle: false, isFinal: false }, 11_000)
    expect(roamGuests(SELLER, { ...none, sold: [{ ...state, contestedUntilMs: 20_000 }] }, 11_000).away).toEqual([
      { mac: macOf(1), sessionId: 's', holder: HOLDER, sinceMs: 1000, heardMs: 11_000, leftSeconds: 591, leftBytes: 4300n, usedSeconds: 9, usedBytes: 700n, isContested: true, unitsPerMinute: 5n, token: TOKEN },
    ])
  })
})

it('visitors are in, or out with why', () => {
  const ticket = { ...TICKET, counter: 1, holder: HOLDER, unitsPerMinute: 5n }
  const held = takeTicket(null, ticket, new Uint8Array(3), 0)?.state
  if (held === undefined) throw new Error('the ticket was not taken')
  const gone = hearGone(held, 2, 500).state
  expect(roamGuests(HOLDER, { ...none, held: [{ ...held, used: { seconds: 3, bytes: 40n } }, gone] }, 900).visitors).toMatchObject([
    { seller: SELLER, mac: macOf(1), isIn: true, reason: null, leftSeconds: 600, usedSeconds: 3, usedBytes: 40n, unitsPerMinute: 5n, token: TOKEN },
    { isIn: false, reason: 'this time is now used at another box' },
  ])
})

it('debts are whole units, and open until they are paid', () => {
  const account = paid(owe(newAccount('seller', HOLDER, TOKEN), 10n, 119, 100), 15n, 200)
  expect(roamGuests(SELLER, { ...none, accounts: [account] }, 900).debts).toEqual([{ partner: HOLDER, isOurs: 'seller', token: TOKEN, owed: 19n, paid: 15n, open: 4n, sinceMs: 200 }])
})
