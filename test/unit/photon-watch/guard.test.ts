import { describe, expect, it } from 'vitest'
import { ZERO_HASH } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import { GUARD_RULES } from '../../../src/photon/watch/index.ts'
import { noteReceipt, noteSent, planGuards, unguardedValue } from '../../../src/photon/watch/guard.ts'
import { VERDICT } from '../../../src/photon/watch/frames.ts'
import type { Candidate, Guard, GuardRules, GuardedChannel, Receipt } from '../../../src/photon/watch/index.ts'

const at = (index: number): Address => `0x${index.toString(16).padStart(40, '0')}`
const [PARTNER, ANN, BEA, CAL] = [at(1), at(2), at(3), at(4)]
const RULES: GuardRules = { ...GUARD_RULES, watchers: 2, everyStates: 10n, everyValue: 1000n }
const JOB: Hash = `0x${'ab'.repeat(32)}`
const candidates = (...names: readonly Address[]): Candidate[] => names.map((watcher) => ({ watcher, seesChain: true }))
const NOW = { nowMs: 1_000_000, isBlind: false }

function channel(nonce: bigint, transferred = nonce): GuardedChannel {
  const key = { channel: ZERO_HASH, epoch: 1n }
  return { ...key, token: at(9), partner: PARTNER, proof: nonce === 0n ? null : { ...key, nonce, transferred, locksroot: ZERO_HASH, extra: ZERO_HASH, signature: new Uint8Array(65) } }
}
const proofOf = (one: GuardedChannel) => one.proof as NonNullable<GuardedChannel['proof']>
const receipt = (nonce: bigint, verdict: Receipt['verdict'] = VERDICT.accepted, job = JOB): Receipt => ({ channel: ZERO_HASH, epoch: 1n, nonce, job, verdict, signature: new Uint8Array(65) })
/** A watcher that has said it keeps this state. */
const keeping = (watcher: Address, nonce: bigint, transferred = nonce): Guard =>
  noteReceipt(noteSent({ watcher, sent: null, kept: null, failures: 0 }, proofOf(channel(nonce, transferred)), JOB, 0), receipt(nonce))

describe('who guards', () => {
  it('are as many neighbours as are wanted that see the chain, never the partner', () => {
    const plan = planGuards(channel(1n), [], [...candidates(PARTNER, CAL, BEA), { watcher: ANN, seesChain: false }], RULES, NOW)
    expect(plan.sendTo).toEqual([BEA, CAL])
    expect(planGuards(channel(0n), [], candidates(ANN), RULES, NOW).sendTo).toEqual([])
  })

  it('stay the same ones, even when they are away for a while', () => {
    const plan = planGuards(channel(2n), [keeping(ANN, 1n), keeping(BEA, 1n)], candidates(CAL), RULES, NOW)
    expect(plan.guards.map((guard) => guard.watcher)).toEqual([ANN, BEA])
    expect(plan.sendTo).toEqual([])
  })

  it('are replaced when they refuse or keep silent too often, and are given another chance later', () => {
    let ann: Guard = { watcher: ANN, sent: null, kept: null, failures: 0 }
    for (let time = 0; time < 3; time++) ann = noteReceipt(noteSent(ann, proofOf(channel(1n)), JOB, NOW.nowMs), receipt(1n, VERDICT.full))
    const plan = planGuards(channel(1n), [ann], candidates(ANN, BEA), { ...RULES, watchers: 1 }, NOW)
    expect(plan.sendTo).toEqual([BEA])
    expect(plan.guards).toContainEqual(ann)
    const later = { ...NOW, nowMs: NOW.nowMs + RULES.forgiveMs }
    expect(planGuards(channel(1n), [ann], candidates(ANN), { ...RULES, watchers: 1 }, later).sendTo).toEqual([ANN])
  })
})

describe('when they are told', () => {
  const plan = (nonce: bigint, transferred: bigint, isBlind = false): readonly Address[] => planGuards(channel(nonce, transferred), [keeping(ANN, 100n, 5000n)], candidates(ANN), { ...RULES, watchers: 1 }, { ...NOW, isBlind }).sendTo

  it('is at each so many states or so much value, since each state told is a reward promised', () => {
    expect(plan(109n, 5999n)).toEqual([])
    expect(plan(110n, 5999n)).toEqual([ANN])
    expect(plan(101n, 6000n)).toEqual([ANN])
  })

  it('is at once when the chain is out of view, but not what they keep already', () => {
    expect(plan(101n, 5001n, true)).toEqual([ANN])
    expect(plan(100n, 5000n, true)).toEqual([])
  })

  it('is at once to somebody who is here, when the chain is out of view and the guard is away', () => {
    const guards = [keeping(ANN, 100n)]
    expect(planGuards(channel(105n), guards, candidates(BEA), { ...RULES, watchers: 1 }, { ...NOW, isBlind: true }).sendTo).toEqual([BEA])
    expect(planGuards(channel(105n), guards, candidates(BEA), { ...RULES, watchers: 1 }, NOW).sendTo).toEqual([])
  })

  it('is again when no answer came, not before it could have', () => {
    const silent = noteSent(keeping(ANN, 100n), proofOf(channel(110n)), JOB, NOW.nowMs)
    const again = (nowMs: number): readonly Address[] => planGuards(channel(111n), [silent], candidates(ANN), { ...RULES, watchers: 1 }, { ...NOW, nowMs }).sendTo
    expect(again(NOW.nowMs + RULES.retryMs - 1)).toEqual([])
    expect(again(NOW.nowMs + RULES.retryMs)).toEqual([ANN])
    expect(again(5)).toEqual([ANN]) // after a restart the boot clock begins anew
  })
})

describe('what a receipt says', () => {
  const sent = noteSent(keeping(ANN, 1n), proofOf(channel(12n, 120n)), JOB, 0)

  it('counts for what was sent last, and for nothing else', () => {
    expect(noteReceipt(sent, receipt(12n)).kept).toEqual({ nonce: 12n, transferred: 120n })
    expect(noteReceipt(sent, receipt(13n))).toBe(sent)
    expect(noteReceipt(sent, receipt(12n, VERDICT.accepted, ZERO_HASH))).toBe(sent)
    expect(noteReceipt(sent, receipt(12n, VERDICT.full))).toMatchObject({ kept: { nonce: 1n }, failures: 1 })
  })

  it('is what stands between the owner and a loss', () => {
    expect(unguardedValue(channel(12n, 120n), [])).toBe(120n)
    expect(unguardedValue(channel(12n, 120n), [sent, keeping(BEA, 5n, 70n)])).toBe(50n)
    expect(unguardedValue(channel(0n), [])).toBe(0n)
  })
})
