/** The holder's rules by themselves: leases, last words, and tickets and receipts that come late. */
import { describe, expect, it } from 'vitest'
import { LAST_WORD_MS, REPORT_EVERY_MS, SELLER_OWES, SELLER_SILENT, USED_UP, WENT_ELSEWHERE, countStay, hearGone, hearSeller, keepReceipt, resumeHeld, stayReport, takeTicket, tickHeld, usedOf } from '../../../src/mesh/roaming/held.ts'
import type { HeldRoam, SellersWord } from '../../../src/mesh/roaming/held.ts'
import { LEASE_MS } from '../../../src/mesh/roaming/sold.ts'
import { TOKEN, boxId, guestKey, hashes, macOf } from './village.ts'

const ticket = { seller: boxId(0), sessionId: 's', mac: macOf(1), bearerHash: hashes.ofKey(guestKey(1)), leftSeconds: 500, leftBytes: null, unitsPerMinute: 5n, token: TOKEN, counter: 4, holder: boxId(1), proofAfterSeconds: null } as const
const FIRST = Uint8Array.of(1)
const held = (used = 0): HeldRoam => ({ ...(takeTicket(null, ticket, FIRST, 1000)?.state as HeldRoam), used: { seconds: used, bytes: 0n } })
const ok: SellersWord = { verdict: 'ok', leftSeconds: 450, leftBytes: null }
const sent = (atMs: number, more = {}) => ({ atMs, isFinal: false, isOverdrawn: false, ...more })

describe('tickets', () => {
  it('let in for a lease from when they were asked for', () => {
    expect(takeTicket(null, ticket, FIRST, 1000)).toMatchObject({ state: { isIn: true, leaseUntilMs: 1000 + LEASE_MS, allowedSeconds: 500 }, effects: [{ kind: 'admit' }] })
    expect(takeTicket(null, { ...ticket, leftSeconds: 0 }, FIRST, 1000)).toBeNull()
    expect(takeTicket(null, { ...ticket, leftBytes: 0n }, FIRST, 1000)).toBeNull()
  })

  it('with a lower number, another price, or that were asked for before it went, change nothing', () => {
    expect(takeTicket(held(), { ...ticket, counter: 3 }, FIRST, 2000)).toBeNull()
    expect(takeTicket(held(), { ...ticket, unitsPerMinute: 4n }, FIRST, 2000)).toBeNull()
    const gone = hearGone(held(), 5, 3000).state
    expect(takeTicket(gone, ticket, FIRST, 2999)).toBeNull()
    expect(takeTicket(gone, ticket, FIRST, 3001)).toMatchObject({ state: { isIn: true, goneMs: null } })
  })

  it('with a higher number begin a stay of their own; with the same one the count goes on', () => {
    const used = { ...held(30), receiptSeconds: 20 }
    expect(takeTicket(used, ticket, FIRST, 2000)?.state).toMatchObject({ used: { seconds: 30 }, receiptSeconds: 20 })
    expect(takeTicket(used, { ...ticket, counter: 6 }, FIRST, 2000)?.state).toMatchObject({ used: { seconds: 0 }, receiptSeconds: 0 })
  })
})

describe("the seller's word", () => {
  it('renews the lease from when it was asked', () => {
    expect(hearSeller(held(), ok, sent(9000))).toMatchObject({ state: { leaseUntilMs: 9000 + LEASE_MS, reportDueMs: 9000 + REPORT_EVERY_MS, ticket: { leftSeconds: 450 } }, effects: [{ kind: 'admit' }] })
  })

  it.each([
    ['gone', WENT_ELSEWHERE],
    ['ended', USED_UP],
  ] as const)('%s lets the guest go at once, and what was used is said until it is heard', (verdict, reason) => {
    const step = hearSeller(held(30), { verdict }, sent(9000))
    expect(step).toMatchObject({ state: { isIn: false, reason, goneMs: 9000, reportDueMs: 9000 }, effects: [{ kind: 'release', reason }] })
    expect(stayReport(step.state, true)).toMatchObject({ counter: 4, seconds: 30, isFinal: true })
    expect(hearSeller(step.state, { verdict }, sent(9500)).effects).toEqual([])
    expect(hearSeller(step.state, { verdict }, sent(9500, { isFinal: true })).effects).toEqual([{ kind: 'forget' }])
    expect(tickHeld(step.state, { seconds: 99, bytes: 0n }, 9000 + LAST_WORD_MS + 1).effects).toEqual([{ kind: 'forget' }])
  })

  it('that it is at another number counts only if that is higher', () => {
    expect(hearGone(held(), 4, 2000).effects).toEqual([])
    expect(hearGone(held(), 5, 2000)).toMatchObject({ state: { isIn: false, goneMs: 2000 }, effects: [{ kind: 'release' }] })
  })

  it('is not enough where it owes too much, or signs for too little', () => {
    expect(hearSeller(held(), ok, sent(9000, { isOverdrawn: true }))).toMatchObject({ state: { isIn: false, goneMs: null }, effects: [{ kind: 'release', reason: SELLER_OWES }] })
    expect(hearSeller(held(121), ok, sent(9000))).toMatchObject({ effects: [{ kind: 'release', reason: SELLER_OWES }] })
    expect(hearSeller({ ...held(121), receiptSeconds: 1 }, ok, sent(9000))).toMatchObject({ state: { isIn: true } })
    const free = { ...held(500), ticket: { ...ticket, unitsPerMinute: 0n } }
    expect(hearSeller(free, ok, sent(9000))).toMatchObject({ state: { isIn: true } })
  })
})

describe('without it', () => {
  it('the lease ends with a reason, and not for good', () => {
    expect(tickHeld(held(), { seconds: 10, bytes: 0n }, 1000 + LEASE_MS - 1)).toMatchObject({ state: { isIn: true, used: { seconds: 10 } }, effects: [] })
    const step = tickHeld(held(), { seconds: 60, bytes: 0n }, 1000 + LEASE_MS)
    expect(step).toMatchObject({ state: { isIn: false, goneMs: null, reason: SELLER_SILENT }, effects: [{ kind: 'release' }] })
    expect(hearSeller(step.state, ok, sent(70_000))).toMatchObject({ state: { isIn: true, reason: null } })
  })

  it('a start leaves in whom the kernel kept, for no longer than it takes to ask', () => {
    const back = resumeHeld(held(), 20_000)
    expect(back).toMatchObject({ reportDueMs: 20_000, leaseUntilMs: 25_000 })
    expect(tickHeld(back, { seconds: 5, bytes: 0n }, 25_000).effects).toEqual([{ kind: 'release', reason: SELLER_SILENT }])
    expect(resumeHeld(held(), 1000 + LEASE_MS - 100).leaseUntilMs).toBe(1000 + LEASE_MS)
  })
})

it('receipts are kept for this stay, this price, and if they say more than the one before', () => {
  const receipt = { ...ticket, leftSeconds: 470 }
  const kept = keepReceipt(held(), receipt, Uint8Array.of(2))
  expect(kept).toMatchObject({ receiptSeconds: 30, receipt: Uint8Array.of(2) })
  expect(keepReceipt(kept, { ...receipt, leftSeconds: 480 }, Uint8Array.of(3))).toBe(kept)
  for (const wrong of [{ counter: 5 }, { unitsPerMinute: 6n }, { token: null }, { holder: boxId(2) }]) expect(keepReceipt(kept, { ...receipt, leftSeconds: 400, ...wrong }, Uint8Array.of(3))).toBe(kept)
})

describe('what the gate counts', () => {
  const figure = (seconds: number): { seconds: number; bytes: bigint } => ({ seconds, bytes: BigInt(seconds) * 1000n })
  const known = (seconds: number, counter = 4): Pick<HeldRoam, 'ticket' | 'used'> => ({ ticket: { ...ticket, counter }, used: figure(seconds) })

  it('is the figure, where the gate remembers the stay', () => {
    const first = countStay(null, known(30), figure(31))
    expect(usedOf(first)).toEqual(figure(31))
    expect(usedOf(countStay(first, known(31), figure(40)))).toEqual(figure(40))
  })
  it('goes on from what was known, when the gate begins anew', () => {
    const first = countStay(null, known(300), figure(0))
    expect(usedOf(first)).toEqual(figure(300))
    const later = countStay(first, known(300), figure(20))
    expect(usedOf(later)).toEqual(figure(320))
    expect(usedOf(countStay(later, known(310), figure(5)))).toEqual(figure(320))
  })
  it('begins at nothing with the next stay', () => {
    expect(usedOf(countStay(countStay(null, known(300), figure(0)), known(0, 5), figure(2)))).toEqual(figure(2))
  })
})
