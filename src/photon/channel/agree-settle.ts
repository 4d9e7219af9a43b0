/**
 * Cooperative settlement: both sign who gets what and the channel ends at once (specs/photon.md 2.3, 9.3, F1, F6).
 * From the moment a signature of ours is out nothing may move, since it may be used until `validUntil`; a refusal does
 * not take it back. v1 signatures never end (and can be turned into balance proofs): trusted partners only.
 */
import { ZERO_ADDRESS } from '../../base/index.ts'
import type { Message, SettleTerms } from '../ports.ts'
import { MAY_ASK, UNSIGNED, validityObjection } from './agree-withdraw.ts'
import type { AnswerOrder } from './agree-withdraw.ts'
import { settlementOf } from './amounts.ts'
import { CODE } from './codes.ts'
import { PROFILE_RULES } from './rules.ts'
import type { ChannelMoment } from './rules.ts'
import type { ChannelState } from './state.ts'
import type { ChannelReceived, ChannelTools, Refusal, Sent, Taken } from './verdict.ts'
import { refuse } from './verdict.ts'

/** `validUntil`: v2 a block, v1 null. */
export function askSettle(tools: ChannelTools, state: ChannelState, validUntil: number | null, moment: ChannelMoment): Sent | Refusal {
  if (state.sync.kind !== 'in-sync') return refuse(CODE.nodeOffline, 'not in sync with the partner yet')
  if (!MAY_ASK.has(state.phase)) return refuse(CODE.channelState, `the channel is ${state.phase}`)
  const [balance1, balance2] = settlementOf(state.own, state.partner)
  const terms: SettleTerms = { p1: state.own.address, balance1, p2: state.partner.address, balance2, validUntil }
  const objection = termsObjection(tools, state, terms, moment)
  if (objection !== null) return objection
  return {
    ok: true,
    state: { ...state, phase: 'cooperative-settling', agreement: { kind: 'settle', asker: state.own.address, terms, ownSignature: null, partnerSignature: null } },
    message: { kind: 'settle-request', key: state.key, terms, contractSignature: UNSIGNED },
  }
}

export function receiveSettleRequest(
  _tools: ChannelTools,
  state: ChannelState,
  received: ChannelReceived,
  message: Extract<Message, { kind: 'settle-request' }>,
): Taken | Refusal {
  if (received.contractSigner !== state.partner.address) return refuse(CODE.sender, 'the terms are not signed by the partner')
  return { ok: true, state, facts: [{ kind: 'settle-requested', terms: message.terms }] }
}

/** Signs if the terms are what our own books say; otherwise the message says no, with the code. */
export function answerSettle(tools: ChannelTools, state: ChannelState, order: AnswerOrder<SettleTerms>, moment: ChannelMoment): Sent | Refusal {
  const { terms } = order
  const message = { kind: 'settle-response' as const, key: state.key, terms, contractSignature: UNSIGNED }
  // Both may have asked at once: then each signs the other's terms too, as they say the same.
  const phaseObjection = MAY_ASK.has(state.phase) || state.phase === 'cooperative-settling' ? null : refuse(CODE.channelState, `the channel is ${state.phase}`)
  const objection = order.decline ?? phaseObjection ?? termsObjection(tools, state, terms, moment)
  if (objection !== null) return { ok: true, state, message: { ...message, terms: refusedTerms(state, terms), code: objection.code, reason: objection.reason } }
  const ours = state.agreement
  const until = ours?.kind === 'settle' && ours.terms.validUntil !== null && terms.validUntil !== null && ours.terms.validUntil > terms.validUntil
  const next: ChannelState = until
    ? state
    : { ...state, phase: 'partner-cooperative-settling', agreement: { kind: 'settle', asker: state.partner.address, terms, ownSignature: null, partnerSignature: order.signature } }
  return { ok: true, state: next, message: { ...message, code: CODE.success, reason: '' } }
}

export function receiveSettleResponse(
  _tools: ChannelTools,
  state: ChannelState,
  received: ChannelReceived,
  message: Extract<Message, { kind: 'settle-response' }>,
): Taken | Refusal {
  const { agreement } = state
  const isRefusal = message.code !== CODE.success
  // v1 refuses with terms of nothing: then the channel and its life say what is meant.
  const isAnswer = (terms: SettleTerms): boolean => isSame(terms, message.terms) || (isRefusal && state.domain.profile === 'v1')
  if (agreement === null || agreement.kind !== 'settle' || agreement.asker !== state.own.address || !isAnswer(agreement.terms))
    return refuse(CODE.channelState, 'nothing like this was asked for')
  if (isRefusal) return { ok: true, state, facts: [{ kind: 'settle-refused', code: message.code, reason: message.reason }] }
  if (received.contractSigner !== state.partner.address) return refuse(CODE.sender, 'the terms are not signed by the partner')
  return { ok: true, state: { ...state, agreement: { ...agreement, partnerSignature: message.contractSignature } }, facts: [{ kind: 'settle-agreed', terms: message.terms }] }
}

function termsObjection(tools: ChannelTools, state: ChannelState, terms: SettleTerms, moment: ChannelMoment): Refusal | null {
  const { own, partner } = state
  const isExpiring = PROFILE_RULES[state.domain.profile].hasExpiringAgreements
  if (!isExpiring && !tools.rules.trustedPartners.has(partner.address)) return refuse(CODE.channelState, 'v1 signatures never expire: not signed for this partner')
  if (moment.isFrozen) return refuse(CODE.chainNotConnected, 'no view of the chain')
  if (own.locks.length > 0 || partner.locks.length > 0) return refuse(CODE.settleWithLocks, 'locks are pending')
  if (own.withdrawal !== null || partner.withdrawal !== null) return refuse(CODE.backgroundTransaction, 'a withdrawal is under way')
  const [ownAmount, partnerAmount] = settlementOf(own, partner)
  const isOurs = terms.p1 === own.address && terms.p2 === partner.address && terms.balance1 === ownAmount && terms.balance2 === partnerAmount
  const isTheirs = terms.p1 === partner.address && terms.p2 === own.address && terms.balance1 === partnerAmount && terms.balance2 === ownAmount
  if (!isOurs && !isTheirs) return refuse(CODE.balanceMismatch, `we have ${ownAmount} and ${partnerAmount}`)
  return isExpiring ? validityObjection(tools, terms.validUntil, moment) : terms.validUntil === null ? null : refuse(CODE.argument, 'terms of the other profile')
}

/** The original answers no with terms of nothing that name who refuses. */
function refusedTerms(state: ChannelState, asked: SettleTerms): SettleTerms {
  if (state.domain.profile !== 'v1') return asked
  return { p1: ZERO_ADDRESS, balance1: 0n, p2: state.own.address, balance2: 0n, validUntil: null }
}

function isSame(a: SettleTerms, b: SettleTerms): boolean {
  return a.p1 === b.p1 && a.p2 === b.p2 && a.balance1 === b.balance1 && a.balance2 === b.balance2 && a.validUntil === b.validUntil
}
