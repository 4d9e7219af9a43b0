/** Withdrawals and cooperative settlements, both profiles (specs/photon.md 2.3, 9.3; F1, F6). */
import { describe, expect, it } from 'vitest'
import { CODE, orderClose, receivable, spendable } from '../../../src/photon/channel/index.ts'
import type { WithdrawTerms } from '../../../src/photon/index.ts'
import type { ChannelReceived } from '../../../src/photon/channel/index.ts'
import { A, B, CHANNEL, NOW, Pair, V1, at, codeOf, frozenAt, kindsOf, signatureBy, signed, taken } from './pair.ts'

const UNTIL = NOW.block + 100
const LONG_AFTER = at(UNTIL + 2 * 17 + 1)
const trusting = { trustedPartners: new Set([A, B]) }

/** B answers the request that came in. */
function answered(pair: Pair, request: ChannelReceived, moment = NOW): ChannelReceived {
  const { message } = request
  if (message.kind === 'withdraw-request') return pair.packet('b', (m, s) => m.answerWithdraw(s, { terms: message.terms, signature: message.contractSignature }, moment))
  if (message.kind === 'settle-request') return pair.packet('b', (m, s) => m.answerSettle(s, { terms: message.terms, signature: message.contractSignature }, moment))
  throw new Error('no request')
}
const codeIn = (packet: ChannelReceived): number => ('code' in packet.message ? packet.message.code : -1)
const asked = (pair: Pair, amount: bigint, validUntil = UNTIL): ChannelReceived => pair.packet('a', (m, s) => m.askWithdraw(s, { amount, validUntil }, NOW))

describe('a v2 withdrawal', () => {
  it('takes the amount out of the channel on both ends, and the payments go on', () => {
    const pair = new Pair()
    const request = asked(pair, 300n)
    expect(spendable(pair.a)).toBe(700n)
    expect(taken(pair.give('b', request)).facts).toEqual([expect.objectContaining({ kind: 'withdraw-requested', amount: 300n })])
    expect(receivable(pair.b)).toBe(1_000n)
    const response = answered(pair, request)
    expect(codeIn(response)).toBe(CODE.success)
    expect(receivable(pair.b)).toBe(700n)
    expect(kindsOf(pair.give('a', response))).toEqual(['withdraw-agreed'])
    expect(pair.machines.a.dutiesOf(pair.a, NOW)).toEqual([
      expect.objectContaining({ deadlineBlock: UNTIL, duty: expect.objectContaining({ kind: 'withdraw', participant: A, total: 300n, validUntil: UNTIL }) }),
    ])
    expect(pair.machines.a.dutiesOf(pair.a, at(UNTIL)).length).toBe(1)
    expect(pair.machines.a.dutiesOf(pair.a, at(UNTIL + 1))).toEqual([])
    expect(pair.machines.b.dutiesOf(pair.b, NOW)).toEqual([])
    expect(kindsOf(pair.pay('a', 700n))).toEqual(['direct-received'])
    const event = { kind: 'withdrawn', channel: pair.a.key.channel, block: 1_050, participant: A, total: 300n } as const
    for (const end of ['a', 'b'] as const) pair[end] = pair.machines[end].onChain(pair[end], event, at(1_070)).state
    expect([pair.a.own.withdrawal, pair.b.partner.withdrawal]).toEqual([null, null])
    expect([spendable(pair.a), receivable(pair.b), spendable(pair.b)]).toEqual([0n, 0n, 1_200n])
    expect(pair.machines.a.onChain(pair.a, event, at(1_070)).facts).toEqual([])
  })

  it('that is never mined comes back after validUntil and twice the confirmations, not before', () => {
    const pair = new Pair()
    const request = asked(pair, 300n)
    pair.give('b', request)
    answered(pair, request)
    const tooMuch = { amount: 701n, paymentId: null, data: new Uint8Array(0) }
    expect(codeOf(pair.machines.a.sendDirect(pair.a, tooMuch, at(LONG_AFTER.block - 1)))).toBe(CODE.insufficientBalance)
    expect(codeOf(pair.machines.a.sendDirect(pair.a, tooMuch, frozenAt(LONG_AFTER.block)))).toBe(CODE.insufficientBalance)
    expect(kindsOf(pair.pay('a', 701n, LONG_AFTER))).toEqual(['direct-received'])
  })

  it('counts by the total: a second one asks for more than the first', () => {
    const pair = new Pair()
    const event = { kind: 'withdrawn', channel: pair.a.key.channel, block: 990, participant: A, total: 300n } as const
    for (const end of ['a', 'b'] as const) pair[end] = pair.machines[end].onChain(pair[end], event, NOW).state
    const request = asked(pair, 700n)
    expect(request.message).toMatchObject({ terms: { total: 1_000n } })
    expect(codeIn(answered(pair, request))).toBe(CODE.success)
  })

  it.each([
    ['more than is free', 1_001n, UNTIL, CODE.withdrawAmount],
    ['nothing', 0n, UNTIL, CODE.withdrawAmount],
    ['until a block that is past', 1n, NOW.block, CODE.argument],
    ['until a block that is far', 1n, NOW.block + 601, CODE.argument],
  ] as const)('of %s is not asked for', (_name, amount, validUntil, code) => {
    expect(codeOf(new Pair().machines.a.askWithdraw(new Pair().a, { amount, validUntil }, NOW))).toBe(code)
  })

  it('is answered no where it does not leave what the partner is owed', () => {
    const pair = new Pair()
    const request = asked(pair, 1_000n)
    pair.give('b', request)
    // B has taken more from A in the meantime than A knew when it asked.
    pair.b = { ...pair.b, partner: { ...pair.b.partner, transferred: 1n } }
    expect(codeIn(answered(pair, request))).toBe(CODE.withdrawAmount)
    pair.b = { ...pair.b, partner: { ...pair.b.partner, transferred: 0n, locked: 1n } }
    expect(codeIn(answered(pair, request))).toBe(CODE.withdrawAmount)
    pair.b = { ...pair.b, partner: { ...pair.b.partner, locked: 0n, stream: { value: 0n, reserved: 1n, evidence: null, gaps: [] } } }
    expect(codeIn(answered(pair, request))).toBe(CODE.withdrawAmount)
    expect(pair.b.partner.withdrawal).toBe(null)
  })

  it('is answered no to terms of v1, to a total that is no more than before, and in another phase', () => {
    const pair = new Pair()
    const said = (terms: WithdrawTerms): number => codeIn(pair.packet('b', (m, s) => m.answerWithdraw(s, { terms, signature: new Uint8Array(65) }, NOW)))
    expect(said({ profile: 'v1', participant: A, partner: B, balance: 1_000n, withdraw: 1n })).toBe(CODE.argument)
    expect(said({ profile: 'v2', participant: A, total: 0n, validUntil: UNTIL })).toBe(CODE.withdrawAmount)
    const legacy = new Pair({ domain: V1 }, trusting)
    const terms: WithdrawTerms = { profile: 'v2', participant: A, total: 1n, validUntil: UNTIL }
    expect(codeIn(legacy.packet('b', (m, s) => m.answerWithdraw(s, { terms, signature: new Uint8Array(65) }, NOW)))).toBe(CODE.argument)
    expect(codeOf(legacy.machines.a.askWithdraw({ ...legacy.a, phase: 'closing' }, { amount: 1n, validUntil: 0 }, NOW))).toBe(CODE.channelState)
  })

  it('is asked for and answered by the right one only', () => {
    const pair = new Pair()
    const request = asked(pair, 1n)
    expect(codeOf(pair.give('b', { ...request, contractSigner: B }))).toBe(CODE.sender)
    expect(codeOf(pair.give('b', { ...request, contractSigner: null }))).toBe(CODE.sender)
    const other = { ...request.message, terms: { profile: 'v2', participant: B, total: 1n, validUntil: UNTIL } } as typeof request.message
    expect(codeOf(pair.give('b', signed(other, A)))).toBe(CODE.notParticipant)
    const legacy = { ...request.message, terms: { profile: 'v1', participant: A, partner: B, balance: 1_000n, withdraw: 1n } } as typeof request.message
    expect(codeOf(pair.give('b', signed(legacy, A)))).toBe(CODE.argument)
    const response = answered(pair, request)
    expect(codeOf(pair.give('a', { ...response, contractSigner: A }))).toBe(CODE.sender)
    const changed = { ...response.message, terms: { profile: 'v2', participant: A, total: 2n, validUntil: UNTIL } } as typeof response.message
    expect(codeOf(pair.give('a', signed(changed, B)))).toBe(CODE.channelState)
  })

  it('cannot be asked twice, without a chain, or out of sync', () => {
    const pair = new Pair()
    asked(pair, 1n)
    const order = { amount: 1n, validUntil: UNTIL }
    expect(codeOf(pair.machines.a.askWithdraw(pair.a, order, NOW))).toBe(CODE.backgroundTransaction)
    expect(codeOf(pair.machines.b.askWithdraw(pair.b, order, frozenAt(1_000)))).toBe(CODE.chainNotConnected)
    expect(codeOf(pair.machines.b.askWithdraw({ ...pair.b, sync: { kind: 'waiting', isRestored: false } }, order, NOW))).toBe(CODE.nodeOffline)
    expect(codeOf(pair.machines.b.askWithdraw({ ...pair.b, phase: 'error' }, order, NOW))).toBe(CODE.channelState)
  })

  it('can be declined by the owner; the asker keeps the amount aside, since its signature is out', () => {
    const pair = new Pair()
    const request = asked(pair, 300n)
    const { message } = request
    if (message.kind !== 'withdraw-request') throw new Error('no request')
    const no = pair.packet('b', (m, s) => m.answerWithdraw(s, { terms: message.terms, signature: message.contractSignature, decline: { code: CODE.withdrawNotAllowed, reason: 'not today' } }, NOW))
    expect(taken(pair.give('a', no)).facts).toEqual([{ kind: 'withdraw-refused', code: CODE.withdrawNotAllowed, reason: 'not today' }])
    expect([spendable(pair.a), receivable(pair.b)]).toEqual([700n, 1_000n])
    expect(pair.machines.a.dutiesOf(pair.a, NOW)).toEqual([])
  })
})

describe('a v2 cooperative settlement', () => {
  const request = (pair: Pair, validUntil: number | null = UNTIL) => pair.packet('a', (m, s) => m.askSettle(s, validUntil, NOW))

  it('is not due while an answer is out, and names the signatures in the order of the terms', () => {
    const pair = new Pair()
    const packet = request(pair)
    expect(pair.machines.a.dutiesOf(pair.a, NOW)).toEqual([])
    if (packet.message.kind !== 'settle-request') throw new Error('no request')
    const { agreement } = pair.a
    if (agreement === null || agreement.kind !== 'settle') throw new Error('no agreement')
    // As if the partner had put the terms the other way round.
    const { p1, balance1, p2, balance2, validUntil } = agreement.terms
    const turned = { p1: p2, balance1: balance2, p2: p1, balance2: balance1, validUntil }
    const both = { ...pair.a, agreement: { ...agreement, terms: turned, partnerSignature: signatureBy(B, CHANNEL) } }
    expect(pair.machines.a.dutiesOf(both, NOW)[0]?.duty).toMatchObject({ signatures: [signatureBy(B, CHANNEL), signatureBy(A, CHANNEL)] })
    expect(pair.machines.a.dutiesOf({ ...both, agreement: { ...both.agreement, ownSignature: null } }, NOW)).toEqual([])
  })

  it('ends the channel with what both books say', () => {
    const pair = new Pair()
    pair.pay('a', 400n)
    const packet = request(pair)
    expect(pair.a.phase).toBe('cooperative-settling')
    expect(kindsOf(pair.give('b', packet))).toEqual(['settle-requested'])
    const response = answered(pair, packet)
    expect(codeIn(response)).toBe(CODE.success)
    expect(pair.b.phase).toBe('partner-cooperative-settling')
    expect(kindsOf(pair.give('a', response))).toEqual(['settle-agreed'])
    const duties = pair.machines.a.dutiesOf(pair.a, NOW)
    expect(duties).toEqual([expect.objectContaining({ deadlineBlock: UNTIL, duty: expect.objectContaining({ kind: 'cooperative-settle', terms: { p1: A, balance1: 600n, p2: B, balance2: 900n, validUntil: UNTIL } }) })])
    expect(duties[0]?.duty).toMatchObject({ signatures: [signatureBy(A, CHANNEL), signatureBy(B, CHANNEL)] })
    expect(pair.machines.a.dutiesOf(pair.a, at(UNTIL)).length).toBe(1)
    expect(pair.machines.a.dutiesOf(pair.a, at(UNTIL + 1))).toEqual([])
    expect(pair.machines.b.dutiesOf(pair.b, NOW)).toEqual([])
    const told = pair.machines.a.onChain(pair.a, { kind: 'settled', channel: pair.a.key.channel, block: 1_010, cooperative: true, amounts: [600n, 900n] }, NOW)
    expect(told.facts).toEqual([{ kind: 'settled', cooperative: true, ownAmount: 600n, partnerAmount: 900n }])
    expect(told.state.phase).toBe('settled')
    expect(pair.machines.a.dutiesOf(told.state, NOW)).toEqual([])
  })

  it('stops everything while a signature is out: what comes later would be lost', () => {
    const pair = new Pair()
    const crossing = pair.packet('b', (m, s) => m.sendDirect(s, { amount: 10n, paymentId: null, data: new Uint8Array(0) }, NOW))
    const packet = request(pair)
    expect(codeOf(pair.give('a', crossing))).toBe(CODE.channelState)
    pair.give('b', packet)
    const no = answered(pair, packet)
    expect(codeIn(no)).toBe(CODE.balanceMismatch)
    expect(kindsOf(pair.give('a', no))).toEqual(['settle-refused'])
    expect(codeOf(pair.give('a', crossing, at(LONG_AFTER.block - 1)))).toBe(CODE.channelState)
    expect(kindsOf(pair.give('a', crossing, LONG_AFTER))).toEqual(['direct-received'])
    expect(pair.a.phase).toBe('opened')
  })

  it('may be asked for by both at once', () => {
    const pair = new Pair()
    const fromA = request(pair)
    const fromB = pair.packet('b', (m, s) => m.askSettle(s, UNTIL - 10, NOW))
    expect(codeIn(answered(pair, fromA))).toBe(CODE.success)
    if (fromB.message.kind !== 'settle-request') throw new Error('no request')
    const { terms, contractSignature: signature } = fromB.message
    expect(codeIn(pair.packet('a', (m, s) => m.answerSettle(s, { terms, signature }, NOW)))).toBe(CODE.success)
    // The longest signature that is out decides how long nothing moves.
    expect(pair.a.agreement?.terms).toMatchObject({ validUntil: UNTIL })
    expect(pair.b.agreement?.terms).toMatchObject({ validUntil: UNTIL })
  })

  it('is refused with locks, with a withdrawal under way, without a chain, for a wrong time, in another phase', () => {
    const locked = new Pair()
    locked.lock('b', 1, 1n)
    expect(codeOf(locked.machines.a.askSettle(locked.a, UNTIL, NOW))).toBe(CODE.settleWithLocks)
    expect(codeOf(locked.machines.b.askSettle(locked.b, UNTIL, NOW))).toBe(CODE.settleWithLocks)
    const withdrawing = new Pair()
    asked(withdrawing, 1n)
    expect(codeOf(withdrawing.machines.a.askSettle(withdrawing.a, UNTIL, NOW))).toBe(CODE.backgroundTransaction)
    const { machines, a } = new Pair()
    expect(codeOf(machines.a.askSettle(a, UNTIL, frozenAt(1_000)))).toBe(CODE.chainNotConnected)
    expect(codeOf(machines.a.askSettle(a, null, NOW))).toBe(CODE.argument)
    expect(codeOf(machines.a.askSettle(a, NOW.block, NOW))).toBe(CODE.argument)
    expect(codeOf(machines.a.askSettle({ ...a, phase: 'closing' }, UNTIL, NOW))).toBe(CODE.channelState)
    expect(codeOf(machines.a.askSettle({ ...a, sync: { kind: 'waiting', isRestored: false } }, UNTIL, NOW))).toBe(CODE.nodeOffline)
    const pair = new Pair()
    const packet = request(pair)
    expect(codeOf(pair.give('b', { ...packet, contractSigner: null }))).toBe(CODE.sender)
    pair.b = { ...pair.b, phase: 'closing' }
    expect(codeIn(answered(pair, packet))).toBe(CODE.channelState)
  })

  it('is not agreed by an answer to something else', () => {
    const pair = new Pair()
    const packet = request(pair)
    const response = answered(pair, packet)
    if (response.message.kind !== 'settle-response') throw new Error('no response')
    expect(codeOf(pair.give('a', signed({ ...response.message, terms: { ...response.message.terms, balance1: 999n } }, B)))).toBe(CODE.channelState)
    expect(codeOf(pair.give('a', { ...response, contractSigner: null }))).toBe(CODE.sender)
    expect(codeOf(new Pair().give('a', response))).toBe(CODE.channelState)
  })
})

describe('v1, whose signatures never end', () => {
  it('signs neither for a partner that is not trusted', () => {
    const pair = new Pair({ domain: V1 })
    expect(codeOf(pair.machines.a.askSettle(pair.a, null, NOW))).toBe(CODE.channelState)
    expect(codeOf(pair.machines.a.askWithdraw(pair.a, { amount: 1n, validUntil: 0 }, NOW))).toBe(CODE.withdrawNotAllowed)
    const trusted = new Pair({ domain: V1 }, trusting)
    const settle = trusted.packet('a', (m, s) => m.askSettle(s, null, NOW))
    expect(codeIn(answered(pair, settle))).toBe(CODE.channelState)
    const withdrawing = new Pair({ domain: V1 }, trusting)
    expect(codeIn(answered(pair, asked(withdrawing, 1n)))).toBe(CODE.withdrawNotAllowed)
  })

  it('a withdrawal freezes the channel until the chain starts it anew', () => {
    const pair = new Pair({ domain: V1 }, trusting)
    pair.pay('a', 200n)
    const request = asked(pair, 300n)
    expect(request.message).toMatchObject({ terms: { balance: 800n, withdraw: 300n } })
    expect(pair.a.phase).toBe('withdrawing')
    pair.give('b', request)
    expect(codeIn(answered(pair, request))).toBe(CODE.success)
    expect(pair.b.phase).toBe('partner-withdrawing')
    expect(pair.machines.a.dutiesOf(pair.a, at(10_000))).toEqual([])
    const stranger = { kind: 'withdrawn', channel: pair.a.key.channel, block: 1_010, participant: B, total: 300n } as const
    expect(pair.machines.a.onChain(pair.a, stranger, at(1_030)).facts.map((fact) => fact.kind)).toEqual(['must-freeze'])
    const event = { kind: 'withdrawn', channel: pair.a.key.channel, block: 1_010, participant: A, total: 300n } as const
    for (const end of ['a', 'b'] as const) pair[end] = pair.machines[end].onChain(pair[end], event, at(1_030)).state
    expect(pair.a).toMatchObject({ phase: 'opened', key: { epoch: 1_010n }, own: { deposit: 500n, nonce: 0n }, partner: { deposit: 700n } })
    expect(pair.b).toMatchObject({ phase: 'opened', key: { epoch: 1_010n }, own: { deposit: 700n }, partner: { deposit: 500n, nonce: 0n } })
    expect(pair.machines.a.onChain(pair.a, event, at(1_030)).facts).toEqual([])
  })

  it('stays frozen when the answer is no: the close is the way out', () => {
    const pair = new Pair({ domain: V1 }, trusting)
    const request = asked(pair, 300n)
    const refusing = new Pair({ domain: V1 })
    expect(taken(pair.give('a', answered(refusing, request))).facts).toEqual([expect.objectContaining({ kind: 'withdraw-refused', code: CODE.withdrawNotAllowed })])
    expect(codeOf(pair.machines.a.sendDirect(pair.a, { amount: 1n, paymentId: null, data: new Uint8Array(0) }, at(100_000)))).toBe(CODE.channelState)
    const closing = orderClose(pair.a, 'no answer')
    if (!closing.ok) throw new Error('refused')
    expect(pair.machines.a.dutiesOf(closing.state, NOW).map((due) => due.duty.kind)).toEqual(['close'])
  })

  it('answers no to a wrong balance, amount or party, and with locks', () => {
    const pair = new Pair({ domain: V1 }, trusting)
    const request = asked(new Pair({ domain: V1 }, trusting), 300n)
    const { message } = request
    if (message.kind !== 'withdraw-request' || message.terms.profile !== 'v1') throw new Error('no request')
    const { terms } = message
    const said = (changes: object): number => codeIn(pair.packet('b', (m, s) => m.answerWithdraw(s, { terms: { ...terms, ...changes }, signature: message.contractSignature }, NOW)))
    expect(said({ balance: 999n })).toBe(CODE.balanceMismatch)
    expect(said({ withdraw: 1_001n })).toBe(CODE.withdrawAmount)
    expect(said({ withdraw: 0n })).toBe(CODE.withdrawAmount)
    expect(said({ partner: A })).toBe(CODE.notParticipant)
    const locked = new Pair({ domain: V1 }, trusting)
    locked.lock('a', 1, 1n)
    expect(codeOf(locked.machines.a.askWithdraw(locked.a, { amount: 1n, validUntil: 0 }, NOW))).toBe(CODE.withdrawWithLocks)
    expect(codeIn(locked.packet('b', (m, s) => m.answerWithdraw(s, { terms, signature: message.contractSignature }, NOW)))).toBe(CODE.withdrawWithLocks)
    expect(codeOf(pair.give('a', signed({ kind: 'withdraw-response', key: pair.a.key, terms, contractSignature: new Uint8Array(65), code: 0, reason: '' }, B)))).toBe(CODE.channelState)
    const settle = new Pair({ domain: V1 }, trusting).packet('a', (m, s) => m.askSettle(s, null, NOW))
    if (settle.message.kind !== 'settle-request') throw new Error('no request')
    const odd = { terms: { ...settle.message.terms, validUntil: UNTIL }, signature: settle.message.contractSignature }
    expect(codeIn(pair.packet('b', (m, s) => m.answerSettle(s, odd, NOW)))).toBe(CODE.argument)
  })

  it('freezes where a withdrawal was mined while a settlement was agreed', () => {
    const pair = new Pair({ domain: V1 }, trusting)
    pair.packet('a', (m, s) => m.askSettle(s, null, NOW))
    const told = pair.machines.a.onChain(pair.a, { kind: 'withdrawn', channel: pair.a.key.channel, block: 1_010, participant: A, total: 300n }, at(1_030))
    expect(told.facts.map((fact) => fact.kind)).toEqual(['must-freeze'])
  })

  it('freezes where a withdrawal was mined that this end never signed', () => {
    const pair = new Pair({ domain: V1 }, trusting)
    const told = pair.machines.b.onChain(pair.b, { kind: 'withdrawn', channel: pair.b.key.channel, block: 1_010, participant: A, total: 300n }, at(1_030))
    expect(told.facts.map((fact) => fact.kind)).toEqual(['must-freeze'])
  })
})

it('a v1 settlement is due for ever', () => {
  const pair = new Pair({ domain: V1 }, trusting)
  const packet = pair.packet('a', (m, s) => m.askSettle(s, null, NOW))
  expect(kindsOf(pair.give('a', answered(pair, packet)))).toEqual(['settle-agreed'])
  expect(pair.machines.a.dutiesOf(pair.a, at(1_000_000))).toEqual([expect.objectContaining({ deadlineBlock: null, duty: expect.objectContaining({ kind: 'cooperative-settle' }) })])
})

it('what is settled is closed by nobody', () => {
  expect(codeOf(orderClose({ ...new Pair().a, phase: 'settled' }, ''))).toBe(CODE.transferWhenClosed)
})
