/** The chain's side: events, duties, punishment, settlement, each duty mined in the model of the contract (specs/photon.md 1.6, 9.3, 9.9). */
import { describe, expect, it } from 'vitest'
import type { ChannelEvent, DueDuty } from '../../../src/photon/index.ts'
import { CODE, learnSecret, orderClose, restStateOf, postedSettlement, settlementOf } from '../../../src/photon/channel/index.ts'
import { guaranteed } from '../../../src/photon/channel/amounts.ts'
import { REST_STATE } from '../../../src/photon/channel/state.ts'
import type { ChannelFact } from '../../../src/photon/channel/index.ts'
import { ContractModel } from './contract-model.ts'
import type { End } from './pair.ts'
import { A, B, CHANNEL, NOW, Pair, SETTLE_TIMEOUT, V1, at, frozenAt, hashLock, secretOf } from './pair.ts'

/** A pair with a chain that both hear. */
class Court extends Pair {
  readonly chain = new ContractModel(A, 1_000n, B, 500n, NOW.block, SETTLE_TIMEOUT)
  #heard = 0

  hear(): readonly ChannelFact[] {
    const facts: ChannelFact[] = []
    for (; this.#heard < this.chain.events.length; this.#heard++) {
      const event = this.chain.events[this.#heard]
      if (event === undefined) break
      for (const end of ['a', 'b'] as const) {
        const told = this.machines[end].onChain(this[end], event, at(this.chain.block))
        this[end] = told.state
        facts.push(...told.facts)
      }
    }
    return facts
  }

  duties(end: End): readonly DueDuty[] {
    return this.machines[end].dutiesOf(this[end], at(this.chain.block))
  }

  kinds(end: End): readonly string[] {
    return this.duties(end).map((due) => due.duty.kind)
  }

  /** Mines what is due; every transaction must be taken by the contract. */
  perform(end: End): readonly string[] {
    const who = end === 'a' ? A : B
    const due = this.duties(end).filter((one) => one.fromBlock <= this.chain.block)
    for (const one of due) expect(this.chain.perform(who, one), one.duty.kind).toBe(true)
    this.hear()
    return due.map((one) => one.duty.kind)
  }

  settle(): void {
    this.chain.block = this.chain.settleBlock + 258
    this.perform('a')
    expect(this.chain.state).toBe('settled')
  }
}

const close = (court: Court, end: End): void => {
  const ordered = orderClose(court[end], 'the owner wants it')
  if (!ordered.ok) throw new Error('refused')
  court[end] = ordered.state
  expect(court.perform(end)).toEqual(['close'])
}

describe('a close', () => {
  it('with the newest proofs pays what both believed', () => {
    const court = new Court()
    court.pay('a', 300n)
    court.pay('b', 50n)
    const promised = [guaranteed(court.a), guaranteed(court.b)]
    expect(promised).toEqual(settlementOf(court.a.own, court.a.partner))
    close(court, 'a')
    expect(court.b.phase).toBe('closed')
    expect(court.perform('b')).toEqual(['update'])
    expect(court.kinds('b')).toEqual(['settle'])
    court.settle()
    expect([court.chain.paid[A], court.chain.paid[B]]).toEqual([750n, 750n])
  })

  it('with an old proof is answered by the newest at once: the white paper’s story', () => {
    const court = new Court()
    const old = court.pay('b', 10n)
    expect(old.ok).toBe(true)
    const { proof } = court.a.partner
    court.pay('a', 900n)
    court.pay('b', 40n)
    // Alice closes with what Bob had given at first; her own payments she leaves out.
    court.chain.close(A, proof)
    court.hear()
    expect(court.duties('b')[0]).toMatchObject({ fromBlock: NOW.block, deadlineBlock: NOW.block + SETTLE_TIMEOUT, duty: { kind: 'update', proof: { nonce: 1n, transferred: 900n } } })
    court.perform('b')
    court.settle()
    // Alice loses what she did not post: 40 of Bob's 50.
    expect([court.chain.paid[A], court.chain.paid[B]]).toEqual([110n, 1_390n])
  })

  it('of our own keeps watch for what the partner posts, and posts what we got since', () => {
    const court = new Court()
    court.pay('b', 10n)
    const first = court.a.partner.proof
    court.pay('b', 20n)
    court.chain.close(A, first)
    court.hear()
    expect(court.perform('a')).toEqual(['update'])
    expect(court.a.dispute?.partner.nonce).toBe(2n)
  })

  it('without any proof posts none, and its figures are not believed', () => {
    const court = new Court()
    const lie: ChannelEvent = { kind: 'closed', channel: CHANNEL, block: 1_000, by: B, nonce: 0n, transferred: 777n, locksroot: hashLock(1), settleBlock: 1_500 }
    court.a = court.machines.a.onChain(court.a, lie, NOW).state
    expect(court.a.dispute?.own).toMatchObject({ nonce: 0n, transferred: 0n })
    expect(court.machines.b.onChain(court.b, lie, NOW).facts).toEqual([{ kind: 'closed', by: B, settleBlock: 1_500 }])
    expect(court.machines.a.onChain(court.a, { ...lie, settleBlock: 9 }, NOW).state).toBe(court.a)
  })

  it('is due after two truths met, with the newest proof, until it is mined', () => {
    const court = new Court()
    court.pay('b', 5n)
    court.a = { ...court.a, phase: 'error' }
    expect(court.perform('a')).toEqual(['close'])
    expect(court.kinds('a')).toEqual(['settle'])
    expect(court.a.phase).toBe('closed')
  })

  it('is over in time: no update, secret or unlock after the settle block', () => {
    const court = new Court()
    court.lock('a', 1, 100n, 1_450)
    court.chain.close(A, null)
    court.hear()
    court.b = learnSecret(court.b, secretOf(1))
    expect(court.kinds('b')).toEqual(['update', 'register-secret', 'settle'])
    expect(court.machines.b.dutiesOf(court.b, at(court.chain.settleBlock)).map((due) => due.duty.kind)).toEqual(['update', 'settle'])
    court.chain.block = court.chain.settleBlock + 1
    expect(court.kinds('b')).toEqual(['settle'])
  })

  it('tells of a proof of ours that we never made', () => {
    const court = new Court()
    court.pay('a', 10n)
    const proof = court.b.partner.proof
    if (proof === null) throw new Error('no proof')
    court.chain.close(B, { ...proof, nonce: 9n, transferred: 999n })
    expect(court.hear().filter((fact) => fact.kind === 'unknown-proof-posted')).toEqual([{ kind: 'unknown-proof-posted', nonce: 9n }])
    const other = new Court()
    other.pay('a', 10n)
    other.chain.close(B, { ...proof, transferred: 999n })
    expect(other.hear().filter((fact) => fact.kind === 'unknown-proof-posted').length).toBe(1)
    const honest = new Court()
    honest.pay('a', 10n)
    honest.chain.close(B, honest.b.partner.proof)
    expect(honest.hear().filter((fact) => fact.kind === 'unknown-proof-posted')).toEqual([])
  })
})

describe('a lock in dispute', () => {
  it('is unlocked with its registered secret, each with what the ones before left', () => {
    const court = new Court()
    for (const [n, amount] of [
      [1, 10n],
      [2, 20n],
      [3, 40n],
    ] as const)
      court.lock('a', n, amount, 1_400)
    court.pay('a', 5n)
    close(court, 'a')
    for (const n of [3, 1]) court.b = learnSecret(court.b, secretOf(n))
    expect(court.perform('b')).toEqual(['update', 'register-secret', 'register-secret'])
    expect(guaranteed(court.b)).toBe(555n)
    for (const due of court.duties('b')) if (due.duty.kind === 'unlock') court.chain.perform(B, due)
    expect(court.hear().map((fact) => (fact.kind === 'lock-unlocked-on-chain' ? fact.lock?.secretHash : fact.kind))).toEqual([1, 1, 3, 3].map(hashLock))
    expect(court.a.dispute?.own).toMatchObject({ transferred: 55n })
    expect(court.kinds('b')).toEqual(['settle'])
    // Told again from the start, nothing is new and nothing is undone.
    for (const event of court.chain.events) {
      const told = court.machines.b.onChain(court.b, event, at(court.chain.block))
      expect(told).toEqual({ state: court.b, facts: [] })
    }
    court.settle()
    expect([court.chain.paid[A], court.chain.paid[B]]).toEqual([945n, 555n])
  })

  it('keeps the order of its unlocks when another secret comes later', () => {
    const court = new Court()
    for (const n of [1, 2, 3]) court.lock('a', n, 10n, 1_400)
    court.b = learnSecret(court.b, secretOf(3))
    court.chain.registerSecret(secretOf(3))
    court.hear()
    const before = court.chain.block
    court.chain.close(A, null)
    court.hear()
    const unlock = (): readonly DueDuty[] => court.duties('b').filter((due) => due.duty.kind === 'unlock')
    const [first] = unlock()
    court.chain.block = before + 5
    court.chain.registerSecret(secretOf(1))
    court.hear()
    expect(unlock()[0]).toEqual(first)
    expect(unlock()[1]).toMatchObject({ duty: { transferred: 10n, lock: { secretHash: hashLock(1) } } })
  })

  it('whose secret is not known, too late on the chain, or given up is left alone', () => {
    const court = new Court()
    for (const n of [1, 2, 3]) court.lock('a', n, 10n, 1_100)
    court.send('b', (m, s) => m.sendDisposed(s, hashLock(2), { code: CODE.noRoute, reason: '', hopIndex: null }, NOW))
    court.chain.close(A, null)
    court.chain.registerSecret(secretOf(2))
    court.chain.block = 1_101
    court.chain.registerSecret(secretOf(3))
    court.hear()
    expect(court.kinds('b')).toEqual(['update', 'settle'])
  })

  it('is not unlocked from a proof that is older than the posted one', () => {
    const court = new Court()
    court.lock('a', 1, 10n, 1_400)
    court.chain.registerSecret(secretOf(1))
    const proof = court.b.partner.proof
    if (proof === null) throw new Error('no proof')
    court.chain.close(B, { ...proof, nonce: 5n })
    court.hear()
    expect(court.kinds('b')).toEqual(['settle'])
  })

  it('that the partner gave up and unlocks costs it everything', () => {
    const court = new Court()
    court.pay('a', 100n)
    court.pay('b', 50n)
    court.lock('a', 1, 10n, 1_400)
    const withLock = { proof: court.b.partner.proof, lock: court.b.partner.locks[0] }
    court.send('b', (m, s) => m.sendDisposed(s, hashLock(1), { code: CODE.noRoute, reason: '', hopIndex: null }, NOW))
    court.send('a', (m, s) => m.sendDisposedResponse(s, hashLock(1), NOW))
    expect(court.b.partner.locks).toEqual([])
    court.chain.close(B, withLock.proof)
    court.chain.registerSecret(secretOf(1))
    if (withLock.lock === undefined) throw new Error('no lock')
    expect(court.chain.unlock(B, 100n, withLock.lock, [])).toBe(true)
    court.hear()
    const punish = court.duties('a').find((due) => due.duty.kind === 'punish')
    expect(punish).toMatchObject({ deadlineBlock: court.chain.settleBlock + 257, duty: { cheater: B, lockHash: withLock.lock.hash } })
    // Also long after the settle block.
    court.chain.block = court.chain.settleBlock + 200
    expect(court.perform('a')).toEqual(['punish'])
    expect(court.b.own.deposit).toBe(0n)
    court.settle()
    expect([court.chain.paid[A], court.chain.paid[B]]).toEqual([1_500n, 0n])
    expect(postedSettlement({ ...court.a, phase: 'closed' }, court.a.dispute ?? fail())).toEqual([1_500n, 0n])
  })

  it('keeps the evidence as long as it could be needed and no longer', () => {
    const pair = new Pair()
    const giveUp = (n: number, expiration: number, moment = NOW): void => {
      pair.lock('a', n, 1n, expiration, moment)
      pair.send('b', (m, s) => m.sendDisposed(s, hashLock(n), { code: CODE.noRoute, reason: '', hopIndex: null }, moment), moment)
      pair.send('a', (m, s) => m.sendDisposedResponse(s, hashLock(n), moment), moment)
    }
    giveUp(1, 1_100)
    giveUp(2, 1_100)
    pair.a = pair.machines.a.onChain(pair.a, { kind: 'secret', secret: secretOf(1), secretHash: hashLock(1), block: 1_100 }, at(1_100)).state
    giveUp(3, 1_400, at(1_117))
    expect(pair.a.disposals.map((disposal) => disposal.secretHash)).toEqual([1, 2, 3].map(hashLock))
    giveUp(4, 1_400, at(1_118))
    expect(pair.a.disposals.map((disposal) => disposal.secretHash)).toEqual([1, 3, 4].map(hashLock))
    expect(pair.b.renounced.map((lost) => lost.secretHash)).toEqual([3, 4].map(hashLock))
  })
})

describe('a secret', () => {
  it('goes to the chain when its lock nears the expiration and no unlock has come', () => {
    const pair = new Pair()
    pair.lock('a', 1, 10n, 1_200)
    pair.b = learnSecret(pair.b, secretOf(1))
    expect(pair.machines.b.dutiesOf(pair.b, NOW)).toEqual([{ key: pair.b.key, fromBlock: 1_170, deadlineBlock: 1_190, duty: { kind: 'register-secret', secret: secretOf(1) } }])
    expect(pair.machines.b.dutiesOf(pair.b, at(1_200)).length).toBe(1)
    expect(pair.machines.b.dutiesOf(pair.b, at(1_201))).toEqual([])
    expect(pair.machines.a.dutiesOf(learnSecret(pair.a, secretOf(1)), NOW)).toEqual([])
    expect(learnSecret(pair.b, secretOf(1))).toBe(pair.b)
    expect(learnSecret(pair.b, '0x12')).toBe(pair.b)
  })

  it('on the chain is known to both ends', () => {
    const pair = new Pair()
    pair.lock('a', 1, 10n, 1_200)
    const event = { kind: 'secret', secret: secretOf(1), secretHash: hashLock(1), block: 1_200 } as const
    for (const end of ['a', 'b'] as const) {
      const told = pair.machines[end].onChain(pair[end], event, at(1_217))
      expect(told.facts).toEqual([{ kind: 'secret-on-chain', payer: A, secret: secretOf(1), secretHash: hashLock(1), isInTime: true }])
      expect(pair.machines[end].onChain(told.state, event, at(1_217))).toEqual({ state: told.state, facts: [] })
      pair[end] = told.state
    }
    expect(pair.machines.b.dutiesOf(pair.b, NOW)).toEqual([])
    expect(pair.machines.b.closeReason(pair.b, at(1_217))).toBe(null)
    expect(pair.machines.b.closeReason(pair.b, at(1_218))).toContain('does not pay')
    expect(pair.machines.a.closeReason(pair.a, at(1_218))).toBe(null)
  })
})

describe('events', () => {
  it('are taken once, and only those of this channel', () => {
    const pair = new Pair()
    const deposited: ChannelEvent = { kind: 'deposited', channel: CHANNEL, block: 1_001, participant: A, total: 1_500n }
    const told = pair.machines.b.onChain(pair.b, deposited, NOW)
    expect(told.facts).toEqual([{ kind: 'deposited', participant: A, total: 1_500n }])
    expect(told.state.partner.deposit).toBe(1_500n)
    expect(pair.machines.b.onChain(told.state, deposited, NOW).state).toBe(told.state)
    expect(pair.machines.b.onChain(pair.b, { ...deposited, channel: hashLock(1) }, NOW).state).toBe(pair.b)
    expect(pair.machines.b.onChain(pair.b, { ...deposited, participant: CHANNEL.slice(0, 42) as `0x${string}` }, NOW).state).toBe(pair.b)
    for (const early of [
      { kind: 'updated', channel: CHANNEL, block: 1, payer: A, nonce: 1n, locksroot: hashLock(1), transferred: 1n },
      { kind: 'unlocked', channel: CHANNEL, block: 1, payer: A, lockHash: hashLock(1), transferred: 1n },
      { kind: 'punished', channel: CHANNEL, block: 1, cheater: A, lockHash: hashLock(1) },
    ] as const)
      expect(pair.machines.b.onChain(pair.b, early, NOW).state).toBe(pair.b)
  })

  it('say whose amounts a settlement has: v2 by address, v1 by our books', () => {
    const v2 = new Pair()
    const v1 = new Pair({ domain: V1 })
    for (const pair of [v1, v2]) pair.pay('a', 300n)
    const settled = (amounts: readonly [bigint, bigint]): ChannelEvent => ({ kind: 'settled', channel: CHANNEL, block: 2_000, cooperative: true, amounts })
    const own = (pair: Pair, end: End, amounts: readonly [bigint, bigint]) => pair.machines[end].onChain(pair[end], settled(amounts), NOW).facts[0]
    expect(own(v2, 'b', [700n, 800n])).toMatchObject({ ownAmount: 800n, partnerAmount: 700n })
    expect(own(v1, 'b', [800n, 700n])).toMatchObject({ ownAmount: 800n, partnerAmount: 700n })
    expect(own(v1, 'b', [700n, 800n])).toMatchObject({ ownAmount: 800n, partnerAmount: 700n })
    expect(own(v1, 'b', [1n, 1_499n])).toMatchObject({ ownAmount: 1_499n })
    expect(own(v1, 'a', [1n, 1_499n])).toMatchObject({ ownAmount: 1n })
    expect(own(v2, 'b', [800n, 700n])).toMatchObject({ ownAmount: 700n })
    expect(own(v2, 'a', [800n, 700n])).toMatchObject({ ownAmount: 800n })
  })

  it('give the numbers of the REST API', () => {
    const court = new Court()
    expect(restStateOf(court.a, NOW)).toBe(1)
    close(court, 'a')
    expect(restStateOf(court.a, NOW)).toBe(2)
    expect(restStateOf(court.a, at(court.chain.settleBlock + 258))).toBe(5)
    expect(Object.values(REST_STATE).sort((x, y) => x - y)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12])
  })
})

it('settlement follows the contract’s formula and never leaves the pot', () => {
  const side = (deposit: bigint, transferred: bigint, claimed = 0n, withdrawn = 0n) => ({ deposit, transferred, claimed, withdrawn })
  expect(settlementOf(side(1_000n, 300n), side(500n, 50n))).toEqual([750n, 750n])
  expect(settlementOf(side(1_000n, 5_000n), side(500n, 0n))).toEqual([0n, 1_500n])
  expect(settlementOf(side(1_000n, 0n), side(500n, 5_000n))).toEqual([1_500n, 0n])
  expect(settlementOf(side(1_000n, 100n, 400n), side(500n, 0n))).toEqual([600n, 500n])
  expect(settlementOf(side(1_000n, 0n, 0n, 200n), side(500n, 100n))).toEqual([900n, 400n])
})

it('nothing is due without a reason, with or without a view of the chain', () => {
  const pair = new Pair()
  expect(pair.machines.a.dutiesOf(pair.a, frozenAt(5_000))).toEqual([])
})

function fail(): never {
  throw new Error('no dispute')
}
