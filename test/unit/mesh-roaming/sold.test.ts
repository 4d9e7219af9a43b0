/** The seller's rules by themselves: one place, numbers that rise, and seconds that count once. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StayReport } from '../../../src/mesh/documents/index.ts'
import { isPaymentDue, newAccount, openUnits, owe, paid, payable, writeOff } from '../../../src/mesh/roaming/account.ts'
import { CONTEST_MOVES, LEASE_MS, RECONCILE_MS, claimSold, leftHome, leftOf, newSoldRoam, pruneSold, reportSold, signStay, spentElsewhere, ticketOf } from '../../../src/mesh/roaming/sold.ts'
import type { SoldRoam } from '../../../src/mesh/roaming/sold.ts'
import { TOKEN, boxId, guestKey, hashes, macOf } from './village.ts'

const SELLER = boxId(0)
const sold = (seconds = 600): SoldRoam =>
  newSoldRoam(SELLER, { seller: SELLER, sessionId: 's', mac: macOf(1), bearerHash: hashes.ofKey(guestKey(1)), leftSeconds: seconds, leftBytes: null, unitsPerMinute: 6n, token: TOKEN, counter: 0, holder: SELLER, proofAfterSeconds: null })
const claim = (n: number, nowMs: number, more = {}) => ({ claimant: boxId(n), hasProof: false, isNewDevice: false, unitsPerMinute: 5n, homeIdleMs: 60_000, nowMs, ...more })
const report = (counter: number, seconds: number, more: Partial<StayReport> = {}): StayReport => ({ sessionId: 's', counter, seconds, bytes: 0n, isIdle: false, isFinal: false, ...more })
const left = (state: SoldRoam, seconds: number): SoldRoam => leftHome(state, { seconds, bytes: null }, 0)

function moved(state: SoldRoam, n: number, nowMs: number, more = {}): SoldRoam {
  const answer = claimSold(state, SELLER, claim(n, nowMs, more))
  if (answer.kind !== 'move') throw new Error(`it did not move: ${JSON.stringify(answer.kind === 'refused' ? answer.why : answer.kind)}`)
  return answer.state
}

describe('moves', () => {
  it('raise the number; asking again from there is the same place', () => {
    const away = left(moved(sold(), 1, 0), 600)
    expect(away).toMatchObject({ counter: 1, holder: boxId(1) })
    expect(claimSold(away, SELLER, claim(1, 5000))).toMatchObject({ kind: 'same', state: { counter: 1 } })
    expect(ticketOf(away, SELLER, away.stays[0]!)).toMatchObject({ counter: 1, holder: boxId(1), leftSeconds: 600, unitsPerMinute: 5n })
  })

  it('are refused when nothing is left, or when a minute is not worth what is asked', () => {
    expect(claimSold(sold(0), SELLER, claim(1, 0))).toMatchObject({ kind: 'refused', why: 'ended' })
    expect(claimSold(sold(), SELLER, claim(1, 0, { unitsPerMinute: 7n }))).toMatchObject({ kind: 'refused', why: 'too-dear' })
    const used = reportSold(left(moved(sold(), 1, 0), 600), boxId(1), report(1, 600), 700_000).state
    expect(claimSold(used, SELLER, claim(1, 700_000))).toMatchObject({ kind: 'refused', why: 'ended' })
    expect(claimSold(used, SELLER, claim(0, 700_000))).toMatchObject({ kind: 'move' })
  })

  it('to and fro need proof while the guest is heard where he is, and none when he is not', () => {
    let state = sold()
    for (let each = 0; each < CONTEST_MOVES; each++) state = moved(state, 1 + (each % 2), each * 1000)
    const heard = claimSold(state, SELLER, claim(2, 3000))
    expect(heard).toMatchObject({ kind: 'refused', why: 'prove' })
    expect(claimSold(heard.state, SELLER, claim(2, 11_000))).toMatchObject({ kind: 'refused', why: 'prove' })
    const idle = reportSold(heard.state, boxId(1), report(3, 0, { isIdle: true }), 4000).state
    expect(claimSold(idle, SELLER, claim(2, 4000)).kind).toBe('move')
    const proved = moved(heard.state, 2, 4000, { hasProof: true })
    expect(proved).toMatchObject({ isProved: true, contestedUntilMs: null })
    expect(claimSold(proved, SELLER, claim(1, 4100))).toMatchObject({ kind: 'refused', why: 'again' })
    expect(claimSold(proved, SELLER, claim(1, 4500, { hasProof: true }))).toMatchObject({ kind: 'refused', why: 'again' })
    // The last one to show the key has it.
    expect(claimSold(proved, SELLER, claim(1, 5001, { hasProof: true })).kind).toBe('move')
  })
})

describe('what was used', () => {
  it('is believed up to the time that passed, and never goes back', () => {
    const away = left(moved(sold(), 1, 0), 600)
    const early = reportSold(away, boxId(1), report(1, 500), 10_000)
    expect(early).toMatchObject({ verdict: 'ok', state: { stays: [{ usedSeconds: 10 }] } })
    const late = reportSold(early.state, boxId(1), report(1, 3), 20_000).state
    expect(late.stays[0]).toMatchObject({ usedSeconds: 10 })
    expect(reportSold(late, boxId(2), report(1, 15), 20_000)).toMatchObject({ verdict: 'gone', state: { stays: [{ usedSeconds: 10 }] } })
  })

  it('of a place that is silent is charged for a lease, and given back when it never spoke', () => {
    const away = left(moved(sold(), 1, 0), 600)
    const { state } = reportSold(away, boxId(1), report(1, 10), 10_000)
    expect(leftOf(state, 30_000).seconds).toBe(570)
    expect(leftOf(state, 400_000).seconds).toBe(590 - LEASE_MS / 1000)
    const next = moved(state, 2, 30_000)
    expect(next.stays[0]).toMatchObject({ endedMs: 30_000, capSeconds: 30 })
    expect(reportSold(next, boxId(1), report(1, 28, { isFinal: true }), 31_000).state.stays[0]).toMatchObject({ usedSeconds: 28, isFinal: true })
    expect(reportSold(next, boxId(1), report(1, 45, { isFinal: true }), 31_000).state.stays[0]).toMatchObject({ usedSeconds: 30 })
    expect(spentElsewhere({ ...next, stays: next.stays.slice(0, 1) }, RECONCILE_MS + 40_000).seconds).toBe(10)
    expect(reportSold(next, boxId(1), report(1, 28), RECONCILE_MS + 40_000).state.stays[0]).toMatchObject({ usedSeconds: 10 })
  })

  it('is signed for once, and added up when it was over long ago', () => {
    const { state } = reportSold(left(moved(sold(), 1, 0), 600), boxId(1), report(1, 20), 20_000)
    const first = signStay(state, 1, 20_000)
    expect(first.newSeconds).toBe(20)
    expect(signStay(first.state, 1, 21_000).newSeconds).toBe(0)
    expect(ticketOf(first.state, SELLER, first.stay!)).toMatchObject({ counter: 1, leftSeconds: 580 })
    const home = moved(first.state, 0, 20_000)
    const before = spentElsewhere(home, RECONCILE_MS + 30_000)
    const after = pruneSold(home, false, RECONCILE_MS + 30_000)
    expect(after.stays).toEqual([])
    expect(spentElsewhere(after, RECONCILE_MS + 30_000)).toEqual(before)
  })

  it('where it is now stays open while the session goes on or its holder speaks, and is added up after that', () => {
    const away = reportSold(left(moved(sold(), 1, 0), 600), boxId(1), report(1, 20), 20_000).state
    const lateMs = 20_000 + RECONCILE_MS
    for (const [isOver, nowMs] of [[false, 10 * lateMs], [true, lateMs]] as const) expect(pruneSold(away, isOver, nowMs)).toBe(away)
    expect(pruneSold(away, true, lateMs + 1)).toMatchObject({ stays: [], settledSeconds: 20 })
  })
})

it('any course: one holder, rising numbers, seconds within what was sold and what passed', () => {
  const event = fc.record({
    kind: fc.constantFrom('claim', 'proof', 'report', 'old-report', 'sign', 'prune'),
    n: fc.integer({ min: 0, max: 3 }),
    seconds: fc.integer({ min: 0, max: 900 }),
    isIdle: fc.boolean(),
    isFinal: fc.boolean(),
    passedMs: fc.integer({ min: 0, max: 90_000 }),
  })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      let state = sold()
      let [nowMs, homeUsed, homeSinceMs, signed] = [0, 0, 0, 0]
      for (const { kind, n, seconds, isIdle, isFinal, passedMs } of events) {
        nowMs += passedMs
        const before = state
        if (kind === 'claim' || kind === 'proof') {
          if (state.holder === SELLER) {
            const mayUse = 600 - spentElsewhere(state, nowMs).seconds - homeUsed
            homeUsed += Math.max(0, Math.min(Math.ceil((nowMs - homeSinceMs) / 1000), mayUse))
            homeSinceMs = nowMs
            state = leftHome(state, { seconds: Math.max(0, 600 - spentElsewhere(state, nowMs).seconds - homeUsed), bytes: null }, nowMs)
          }
          const answer = claimSold(state, SELLER, claim(n, nowMs, { hasProof: kind === 'proof' }))
          expect(answer.state.counter).toBe(answer.kind === 'move' ? before.counter + 1 : before.counter)
          state = answer.state
          if (answer.kind === 'move' && n === 0) homeSinceMs = nowMs
        }
        const stay = kind === 'old-report' ? state.stays[0] : state.stays.at(-1)
        if ((kind === 'report' || kind === 'old-report') && stay !== undefined) state = reportSold(state, stay.holder, report(stay.counter, seconds, { isIdle, isFinal }), nowMs).state
        if (kind === 'sign' && stay !== undefined) {
          const step = signStay(state, stay.counter, nowMs)
          signed += step.newSeconds
          state = step.state
        }
        if (kind === 'prune') state = pruneSold(state, false, nowMs)
        const used = state.settledSeconds + state.stays.reduce((sum, each) => sum + each.usedSeconds, 0)
        expect(used + homeUsed).toBeLessThanOrEqual(600)
        expect(used * 1000).toBeLessThanOrEqual(nowMs)
        expect(signed).toBeLessThanOrEqual(used)
        expect(state.stays.filter((each) => each.endedMs === null).length).toBe(state.holder === SELLER ? 0 : 1)
        expect(state.stays.length).toBeLessThanOrEqual(80)
        expect(leftOf(state, nowMs).seconds).toBeGreaterThanOrEqual(0)
      }
    }),
    { numRuns: 300 },
  )
})

it('a debt that is given up is open no more; what is paid all the same was not given up', () => {
  const owing = owe(newAccount('holder', boxId(0), TOKEN), 6n, 100, 50)
  const given = writeOff(owing)
  expect([openUnits(owing), openUnits(given), given.writtenOff, given.openSinceMs]).toEqual([10n, 0n, 10n, null])
  const more = owe(given, 6n, 50, 900)
  expect([openUnits(more), more.openSinceMs]).toEqual([5n, 900])
  // It pays cumulatively, old debts among it.
  expect([paid(more, 4n, 1000), paid(more, 12n, 1000), paid(more, 15n, 1000)].map((each) => [each.writtenOff, openUnits(each)])).toEqual([[10n, 1n], [3n, 0n], [0n, 0n]])
  expect(openUnits(owe(paid(more, 15n, 1000), 6n, 10, 1100))).toBe(1n)
})

it('debts are exact: any pieces add up to the whole, and a payment counts once', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 40 }), fc.bigInt({ min: 0n, max: 10n ** 20n }), (pieces, price) => {
      const account = pieces.reduce((sum, seconds) => owe(sum, price, seconds, 5), newAccount('seller', boxId(1), TOKEN))
      const seconds = BigInt(pieces.reduce((sum, each) => sum + each, 0))
      expect(payable(account)).toBe((seconds * price) / 60n)
      const settled = paid(account, payable(account), 10)
      expect(openUnits(settled)).toBe(0n)
      expect(paid(settled, payable(account), 20)).toBe(settled)
      expect(isPaymentDue(settled, 1n, 1_000_000)).toBe(false)
      expect(isPaymentDue(account, 1n, 6)).toBe(payable(account) > 0n)
      expect(isPaymentDue(account, 0n, 6)).toBe(false)
      expect(isPaymentDue(account, 0n, 60_005)).toBe(payable(account) > 0n)
    }),
  )
})
