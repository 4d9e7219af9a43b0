/** Vouchers, ticks and proofs of one payer share one counter (specs/photon.md 9.4). */
import { describe, expect, it } from 'vitest'
import { CODE, receivable, restored, settlementOf, spendable, streamAccount, withdrawable } from '../../../src/photon/channel/index.ts'
import { guaranteed, streamCeiling } from '../../../src/photon/channel/amounts.ts'
import type { StreamNote } from '../../../src/photon/channel/index.ts'
import type { End } from './pair.ts'
import { A, B, CHANNEL, NOW, Pair, TOKEN, V1, codeOf, frozenAt, kindsOf, secretOf, taken } from './pair.ts'

const UNIT = 2n
const STEPS = 60

/** A's voucher at `cumulative` with `ticks` revealed. */
function note(cumulative: bigint, ticks: number, changes: Partial<StreamNote> = {}): StreamNote {
  const voucher = { channel: CHANNEL, epoch: 3n, cumulative, tip: secretOf(7), steps: STEPS, unit: UNIT, signature: new Uint8Array(65) }
  const evidence = { voucher, preimage: secretOf(8), steps: ticks }
  return { payer: A, cumulative, value: cumulative + UNIT * BigInt(ticks), reserved: cumulative + UNIT * BigInt(STEPS), evidence, ...changes }
}

function tick(pair: Pair, end: End, said: StreamNote, moment = NOW): number {
  const noted = pair.machines[end].noteStream(pair[end], said, moment)
  if (noted.ok) pair[end] = noted.state
  return codeOf(noted)
}

describe('a stream', () => {
  it('moves the same counter as payments do, on both ends', () => {
    const pair = new Pair()
    pair.pay('a', 100n)
    for (const end of ['a', 'b'] as const) expect(tick(pair, end, note(100n, 10))).toBe(0)
    expect([pair.a.own.transferred, pair.b.partner.transferred]).toEqual([120n, 120n])
    expect(taken(pair.pay('a', 5n)).facts).toEqual([expect.objectContaining({ amount: 5n, total: 125n })])
    expect(streamAccount(pair.b, A)).toMatchObject({ token: TOKEN, payer: A, payee: B, transferred: 125n, ceiling: 1_000n })
    expect(streamAccount(pair.b, B)).toMatchObject({ payer: B, payee: A, transferred: 0n, ceiling: 500n })
    expect(streamAccount(pair.b, CHANNEL.slice(0, 42) as `0x${string}`)).toBe(null)
  })

  it('is not spent by the payee: a voucher is money that may leave at any time', () => {
    const pair = new Pair()
    for (const end of ['a', 'b'] as const) tick(pair, end, note(0n, 60))
    expect(pair.b.partner.transferred).toBe(120n)
    expect([spendable(pair.b), receivable(pair.a)]).toEqual([500n, 500n])
    expect(settlementOf(pair.b.own, pair.b.partner)).toEqual([620n, 880n])
    expect(guaranteed(pair.b)).toBe(620n)
  })

  it('with a tick that got lost on the way never makes the payee spend more than the payer takes', () => {
    const pair = new Pair()
    pair.pay('a', 100n)
    tick(pair, 'a', note(100n, 10))
    tick(pair, 'b', note(100n, 0))
    pair.pay('a', 5n)
    expect(spendable(pair.b)).toBeLessThanOrEqual(receivable(pair.a))
  })

  it('can lose no more ticks than the payer has money', () => {
    const pair = new Pair()
    pair.lock('a', 1, 500n)
    const rich = new Pair({ ownDeposit: 5_000n })
    rich.lock('a', 1, 500n)
    rich.pay('a', 501n)
    expect(codeOf(pair.give('b', rich.packet('a', (m, s) => m.sendUnlock({ ...s, own: { ...s.own, nonce: 1n } }, secretOf(1), NOW))))).toBe(CODE.insufficientBalance)
  })

  it('that lost ticks is made whole by the next proof of any kind', () => {
    const pair = new Pair()
    tick(pair, 'a', note(0n, 10))
    tick(pair, 'b', note(0n, 3))
    expect(kindsOf(pair.lock('a', 1, 50n))).toEqual(['stream-raised', 'lock-received'])
    expect(pair.b.partner.transferred).toBe(20n)
    const again = new Pair()
    tick(again, 'a', note(0n, 10))
    tick(again, 'b', note(0n, 3))
    expect(taken(again.pay('a', 5n)).facts).toEqual([expect.objectContaining({ amount: 19n, total: 25n })])
  })

  it('whose voucher overtakes a payment leaves the payment a payment', () => {
    const pair = new Pair()
    const first = pair.packet('a', (m, s) => m.sendDirect(s, { amount: 30n, paymentId: null, data: new Uint8Array(0) }, NOW))
    const second = pair.packet('a', (m, s) => m.sendDirect(s, { amount: 12n, paymentId: null, data: new Uint8Array(0) }, NOW))
    for (const end of ['a', 'b'] as const) expect(tick(pair, end, note(42n, 4))).toBe(0)
    expect(taken(pair.give('b', first)).facts).toEqual([expect.objectContaining({ kind: 'direct-received', amount: 30n, total: 50n })])
    expect(taken(pair.give('b', second)).facts).toEqual([expect.objectContaining({ kind: 'direct-received', amount: 12n, total: 50n })])
    expect(taken(pair.pay('a', 1n)).facts).toEqual([expect.objectContaining({ amount: 1n, total: 51n })])
    expect(pair.b.partner.stream?.gaps).toEqual([])
  })

  it('whose voucher overtakes a lock that it no longer leaves room for has the lock given back', () => {
    const pair = new Pair()
    const lock = pair.packet('a', (m, s) => m.sendLocked(s, { lock: { expiration: 1_200, amount: 900n, secretHash: CHANNEL }, amount: 900n, fee: 0n, initiator: A, target: B, path: [], paymentId: null }, NOW))
    expect(tick(pair, 'b', note(0n, 60, { cumulative: 200n, value: 200n, reserved: 320n }))).toBe(0)
    expect(taken(pair.give('b', lock)).facts).toEqual([expect.objectContaining({ kind: 'lock-unwelcome', code: CODE.channelBalance })])
  })

  it('makes no room for a lock that was never covered, nor for one that came after it', () => {
    const order = (amount: bigint) => ({ lock: { expiration: 1_200, amount, secretHash: CHANNEL }, amount, fee: 0n, initiator: A, target: B, path: [], paymentId: null })
    const overtaken = new Pair()
    const rich = new Pair({ ownDeposit: 5_000n })
    const tooMuch = rich.packet('a', (m, s) => m.sendLocked(s, order(1_001n), NOW))
    tick(overtaken, 'b', note(200n, 0))
    expect(codeOf(overtaken.give('b', tooMuch))).toBe(CODE.insufficientBalance)
    // The payer forgets that its voucher may still take 120.
    const forgetful = new Pair()
    const packet = forgetful.packet('a', (m, s) => m.sendLocked(s, order(881n), NOW))
    tick(forgetful, 'b', note(0n, 0))
    expect(codeOf(forgetful.give('b', packet))).toBe(CODE.insufficientBalance)
    // All that was there before the voucher, and an end exactly at the settle timeout.
    const exact = new Pair()
    const all = exact.packet('a', (m, s) => m.sendLocked(s, { ...order(1_000n), lock: { expiration: 1_500, amount: 1_000n, secretHash: CHANNEL } }, NOW))
    tick(exact, 'b', note(5n, 0))
    expect(kindsOf(exact.give('b', all))).toEqual(['lock-unwelcome'])
    const last = new Pair()
    const lastMoment = last.packet('a', (m, s) => m.sendLocked(s, { ...order(10n), lock: { expiration: 1_500, amount: 10n, secretHash: CHANNEL } }, NOW))
    expect(kindsOf(last.give('b', lastMoment))).toEqual(['lock-received'])
  })

  it('remembers few gaps and forgets the oldest', () => {
    const pair = new Pair()
    for (let n = 0n; n < 20n; n++) expect(tick(pair, 'b', note(n * 10n + 5n, 0))).toBe(0)
    expect(pair.b.partner.stream?.gaps.length).toBe(8)
  })
})

describe('a voucher is not noted', () => {
  it.each([
    ['below what is given', note(99n, 0), CODE.transferAmountDecrease],
    ['that reaches more than it allows', note(100n, 61), CODE.invalidAmount],
    ['that reached less than it begins with', note(200n, 0, { value: 150n }), CODE.invalidAmount],
    ['beyond the deposit', note(900n, 0), CODE.insufficientBalance],
    ['of a stranger', note(100n, 0, { payer: TOKEN }), CODE.notParticipant],
  ])('%s', (_name, said, code) => {
    const pair = new Pair()
    pair.pay('a', 100n)
    expect(tick(pair, 'b', said)).toBe(code)
  })

  it('in v1, in a closed channel, or by a payer that is not in sync', () => {
    expect(tick(new Pair({ domain: V1 }), 'b', note(0n, 1))).toBe(CODE.argument)
    expect(streamAccount(new Pair({ domain: V1 }).b, A)).toBe(null)
    const pair = new Pair()
    pair.b = { ...pair.b, phase: 'closed' }
    expect(tick(pair, 'b', note(0n, 1))).toBe(CODE.channelState)
    pair.a = { ...pair.a, sync: { kind: 'waiting', isRestored: false } }
    expect(tick(pair, 'a', note(0n, 1))).toBe(CODE.nodeOffline)
  })

  it('on what is locked or withdrawn', () => {
    const pair = new Pair()
    pair.lock('a', 1, 500n)
    expect(streamCeiling(pair.b.partner)).toBe(500n)
    expect(tick(pair, 'b', note(381n, 0))).toBe(CODE.insufficientBalance)
    expect(tick(pair, 'b', note(380n, 0))).toBe(0)
    const other = new Pair()
    other.packet('a', (m, s) => m.askWithdraw(s, { amount: 900n, validUntil: 1_100 }, NOW))
    expect(tick(other, 'a', note(0n, 0))).toBe(CODE.insufficientBalance)
  })

  it('where the partner has spent what it would let it take out', () => {
    const pair = new Pair({ partnerDeposit: 0n })
    pair.pay('a', 100n)
    pair.pay('b', 100n)
    expect(tick(pair, 'a', note(100n, 0))).toBe(CODE.channelBalance)
  })

  it('but is where the partner has spent just what is its own', () => {
    const pair = new Pair({ partnerDeposit: 0n })
    pair.pay('a', 100n)
    expect(tick(pair, 'a', note(100n, 0))).toBe(0)
  })

  it('beyond the exposure while the chain view is frozen', () => {
    const pair = new Pair({}, { maxOfflineExposure: 50n })
    expect(tick(pair, 'b', note(0n, 25), frozenAt(1_000))).toBe(0)
    expect(tick(pair, 'b', note(0n, 26), frozenAt(1_000))).toBe(CODE.directOnly)
    expect(tick(pair, 'b', note(0n, 26), frozenAt(1_000, 470))).toBe(CODE.chainNotConnected)
    expect(tick(pair, 'b', note(0n, 26))).toBe(0)
  })
})

describe('money under a voucher', () => {
  it('cannot be locked or withdrawn', () => {
    const pair = new Pair()
    for (const end of ['a', 'b'] as const) tick(pair, end, note(0n, 10))
    expect(withdrawable(pair.b.partner, pair.b.own)).toBe(880n)
    const tooMuch = pair.machines.a.sendLocked(pair.a, { lock: { expiration: 1_200, amount: 881n, secretHash: CHANNEL }, amount: 881n, fee: 0n, initiator: A, target: B, path: [], paymentId: null }, NOW)
    expect(codeOf(tooMuch)).toBe(CODE.insufficientBalance)
  })

  it('is claimed after a close, before the settle block, where no proof says as much', () => {
    const pair = new Pair()
    for (const end of ['a', 'b'] as const) tick(pair, end, note(0n, 10))
    const closed = { kind: 'closed', channel: CHANNEL, block: 1_000, by: A, nonce: 0n, transferred: 0n, locksroot: CHANNEL, settleBlock: 1_500 } as const
    const after = pair.machines.b.onChain(pair.b, closed, NOW).state
    expect(pair.machines.b.dutiesOf(after, NOW)[0]).toMatchObject({ fromBlock: 1_000, deadlineBlock: 1_500, duty: { kind: 'claim', payer: A, payee: B, steps: 10, preimage: secretOf(8), voucher: { cumulative: 0n, unit: UNIT } } })
    const claimed = pair.machines.b.onChain(after, { kind: 'claimed', channel: CHANNEL, block: 1_001, payer: A, cumulative: 20n }, NOW)
    expect(claimed.facts).toEqual([{ kind: 'claimed', payer: A, cumulative: 20n }])
    expect(pair.machines.b.dutiesOf(claimed.state, NOW).map((due) => due.duty.kind)).toEqual(['settle'])
    const equal = pair.packet('a', (m, s) => m.sendLocked(s, { lock: { expiration: 1_200, amount: 1n, secretHash: CHANNEL }, amount: 1n, fee: 0n, initiator: A, target: B, path: [], paymentId: null }, NOW))
    pair.give('b', equal)
    expect(pair.machines.b.dutiesOf(pair.machines.b.onChain(pair.b, closed, NOW).state, NOW).map((due) => due.duty.kind)).toEqual(['update', 'settle'])
    pair.pay('a', 1n)
    const proved = pair.machines.b.onChain(pair.b, closed, NOW).state
    expect(pair.machines.b.dutiesOf(proved, NOW).map((due) => due.duty.kind)).toEqual(['update', 'settle'])
  })

  it('claimed by somebody else beyond what was told: the stream goes on from what is proved, and is told again', () => {
    const pair = new Pair()
    pair.pay('a', 100n)
    expect(tick(pair, 'b', note(100n, 10))).toBe(0)
    pair.b = pair.machines.b.onChain(pair.b, { kind: 'claimed', channel: CHANNEL, block: 1_001, payer: A, cumulative: 200n }, NOW).state
    expect(streamAccount(pair.b, A)).toMatchObject({ transferred: 200n, proved: 120n })
    expect(tick(pair, 'b', note(100n, 9))).toBe(CODE.transferAmountDecrease)
    expect(tick(pair, 'b', note(120n, 20))).toBe(0)
    expect(pair.b.partner).toMatchObject({ transferred: 200n, claimed: 200n, stream: { value: 160n, reserved: 240n } })
    expect(streamAccount(pair.b, A)).toMatchObject({ transferred: 200n, proved: 160n })
    expect(withdrawable(pair.b.partner, pair.b.own)).toBe(760n)
    expect(tick(pair, 'b', note(160n, 30))).toBe(0)
    expect(streamAccount(pair.b, A)).toMatchObject({ transferred: 220n, proved: 220n })
    // A proof beyond the claim: what is below it is given for good.
    pair.b = pair.machines.b.onChain(pair.b, { kind: 'claimed', channel: CHANNEL, block: 1_002, payer: A, cumulative: 300n }, NOW).state
    pair.b = { ...pair.b, partner: { ...pair.b.partner, transferred: 310n } }
    expect(tick(pair, 'b', note(220n, 20))).toBe(CODE.transferAmountDecrease)
    expect(streamAccount(pair.b, A)).toMatchObject({ transferred: 310n, proved: 310n })
  })

  it('of a box that started from an old copy all that the chain has paid counts: it may be its own', () => {
    const pair = new Pair()
    const { state } = pair.machines.b.onChain(pair.b, { kind: 'claimed', channel: CHANNEL, block: 1_001, payer: A, cumulative: 200n }, NOW)
    expect(streamAccount(state, A)).toMatchObject({ transferred: 200n, proved: 0n })
    expect(streamAccount(restored(state), A)).toMatchObject({ transferred: 200n, proved: 200n })
  })

  it('counts as given once it is claimed, also where the payer had forgotten it', () => {
    const pair = new Pair()
    const told = pair.machines.a.onChain(pair.a, { kind: 'claimed', channel: CHANNEL, block: 1_001, payer: A, cumulative: 70n }, NOW)
    expect(told.state.own).toMatchObject({ claimed: 70n, transferred: 70n })
    expect([spendable(told.state), receivable(told.state)]).toEqual([930n, 500n])
    expect(pair.machines.a.onChain(told.state, { kind: 'claimed', channel: CHANNEL, block: 1_001, payer: A, cumulative: 70n }, NOW)).toEqual({ state: told.state, facts: [] })
  })
})
