/**
 * Withdrawals with both signatures (specs/photon.md 2.3, 9.3, F6).
 *
 * v2: the total of one participant grows; proofs, locks and the channel go on. From the moment our end has signed or
 * asked, the amount counts as gone until it is mined or `validUntil` has surely passed.
 * v1: the signature never expires and the withdrawal starts the channel anew, so it is signed for trusted partners
 * only, without locks, and the channel stands still until the chain has it.
 */
import { ZERO_ADDRESS } from '../../base/index.ts'
import type { Message, WithdrawTerms } from '../ports.ts'
import { withdrawable } from './amounts.ts'
import { CODE } from './codes.ts'
import { PROFILE_RULES } from './rules.ts'
import type { ChannelMoment } from './rules.ts'
import type { ChannelPhase, ChannelSide, ChannelState } from './state.ts'
import type { ChannelReceived, ChannelTools, Refusal, Sent, Taken } from './verdict.ts'
import { refuse } from './verdict.ts'

type V1Terms = Extract<WithdrawTerms, { profile: 'v1' }>
type V2Terms = Extract<WithdrawTerms, { profile: 'v2' }>

/** To be filled in before signing the message: the contract's signature is made by the shell. */
export const UNSIGNED: Uint8Array = new Uint8Array(0)

/** Phases in which a settlement or withdrawal may be asked for. */
export const MAY_ASK: ReadonlySet<ChannelPhase> = new Set(['opened', 'prepare-cooperative-settle'])

/** Asks the partner to sign that we may take `amount` out. v2: the signature holds until block `validUntil`. */
export function askWithdraw(tools: ChannelTools, state: ChannelState, order: { readonly amount: bigint; readonly validUntil: number }, moment: ChannelMoment): Sent | Refusal {
  const isV2 = PROFILE_RULES[state.domain.profile].hasCumulativeWithdrawals
  const terms: WithdrawTerms = isV2
    ? { profile: 'v2', participant: state.own.address, total: state.own.withdrawn + order.amount, validUntil: order.validUntil }
    : { profile: 'v1', participant: state.own.address, partner: state.partner.address, balance: balanceV1(state.own, state.partner), withdraw: order.amount }
  if (state.sync.kind !== 'in-sync') return refuse(CODE.nodeOffline, 'not in sync with the partner yet')
  const objection = terms.profile === 'v2' ? v2Objection(tools, state, state.own, state.partner, terms, moment) : v1Objection(tools, state, state.own, state.partner, terms)
  if (objection !== null) return objection
  const next: ChannelState =
    terms.profile === 'v2'
      ? { ...state, own: reserving(state.own, terms, null) }
      : { ...state, phase: 'withdrawing', agreement: { kind: 'withdraw', asker: state.own.address, terms, ownSignature: null, partnerSignature: null } }
  return { ok: true, state: next, message: { kind: 'withdraw-request', key: state.key, terms, contractSignature: UNSIGNED } }
}

/** The partner asks. Whether it gets our signature is decided by `answerWithdraw`. */
export function receiveWithdrawRequest(
  _tools: ChannelTools,
  state: ChannelState,
  received: ChannelReceived,
  message: Extract<Message, { kind: 'withdraw-request' }>,
): Taken | Refusal {
  const { terms } = message
  if (terms.profile !== state.domain.profile) return refuse(CODE.argument, 'terms of the other profile')
  if (received.contractSigner !== state.partner.address) return refuse(CODE.sender, 'the terms are not signed by the partner')
  if (terms.participant !== state.partner.address) return refuse(CODE.notParticipant, 'only the one who takes out may ask')
  const amount = terms.profile === 'v2' ? terms.total - state.partner.withdrawn : terms.withdraw
  return { ok: true, state, facts: [{ kind: 'withdraw-requested', terms, amount }] }
}

export interface AnswerOrder<T> {
  readonly terms: T
  /** The asker's signature of the terms, from the request. */
  readonly signature: Uint8Array
  /** Set: answer no, whatever the rules would say. */
  readonly decline?: { readonly code: number; readonly reason: string }
}

/** Signs the partner's withdrawal if everything it owes stays covered; otherwise the message says no, with the code. */
export function answerWithdraw(tools: ChannelTools, state: ChannelState, order: AnswerOrder<WithdrawTerms>, moment: ChannelMoment): Sent | Refusal {
  const { terms } = order
  const objection =
    order.decline ??
    (terms.profile === 'v2' ? v2Objection(tools, state, state.partner, state.own, terms, moment) : v1Objection(tools, state, state.partner, state.own, terms)) ??
    (terms.participant === state.partner.address ? null : refuse(CODE.notParticipant, 'only the one who takes out may ask'))
  const message = { kind: 'withdraw-response' as const, key: state.key, terms, contractSignature: UNSIGNED }
  if (objection !== null) return { ok: true, state, message: { ...message, terms: refusedTerms(state, terms), code: objection.code, reason: objection.reason } }
  const next: ChannelState =
    terms.profile === 'v2'
      ? { ...state, partner: reserving(state.partner, terms, order.signature) }
      : {
          ...state,
          phase: 'partner-withdrawing',
          agreement: { kind: 'withdraw', asker: state.partner.address, terms, ownSignature: null, partnerSignature: order.signature },
        }
  return { ok: true, state: next, message: { ...message, code: CODE.success, reason: '' } }
}

/** The answer. A no changes nothing: our own signature is out and holds as long as its terms say. */
export function receiveWithdrawResponse(
  _tools: ChannelTools,
  state: ChannelState,
  received: ChannelReceived,
  message: Extract<Message, { kind: 'withdraw-response' }>,
): Taken | Refusal {
  const { terms } = message
  if (!isAwaited(state, terms) && !isRefusedV1(state, message.code)) return refuse(CODE.channelState, 'nothing like this was asked for')
  if (message.code !== CODE.success) return { ok: true, state, facts: [{ kind: 'withdraw-refused', code: message.code, reason: message.reason }] }
  if (received.contractSigner !== state.partner.address) return refuse(CODE.sender, 'the terms are not signed by the partner')
  const signature = message.contractSignature
  const facts: Taken['facts'] = [{ kind: 'withdraw-agreed', terms }]
  if (terms.profile === 'v1') return { ok: true, state: state.agreement === null ? state : { ...state, agreement: { ...state.agreement, partnerSignature: signature } }, facts }
  const { own } = state
  return { ok: true, state: own.withdrawal === null ? state : { ...state, own: { ...own, withdrawal: { ...own.withdrawal, partnerSignature: signature } } }, facts }
}

/** v1 refuses with terms of nothing: then the channel and its life say what is meant. */
function isRefusedV1(state: ChannelState, code: number): boolean {
  return code !== CODE.success && state.domain.profile === 'v1' && state.phase === 'withdrawing' && state.agreement?.kind === 'withdraw'
}

/** The original answers no with terms of nothing that name who refuses. */
function refusedTerms(state: ChannelState, asked: WithdrawTerms): WithdrawTerms {
  if (state.domain.profile !== 'v1') return asked
  return { profile: 'v1', participant: ZERO_ADDRESS, partner: state.own.address, balance: 0n, withdraw: 0n }
}

function isAwaited(state: ChannelState, terms: WithdrawTerms): boolean {
  if (terms.profile === 'v2') {
    const { withdrawal } = state.own
    return withdrawal !== null && terms.participant === state.own.address && withdrawal.total === terms.total && withdrawal.validUntil === terms.validUntil
  }
  const { agreement } = state
  if (state.phase !== 'withdrawing' || agreement === null || agreement.kind !== 'withdraw') return false
  const asked = agreement.terms
  return asked.participant === terms.participant && asked.partner === terms.partner && asked.balance === terms.balance && asked.withdraw === terms.withdraw
}

function reserving(side: ChannelSide, terms: V2Terms, participantSignature: Uint8Array | null): ChannelSide {
  return { ...side, withdrawal: { total: terms.total, validUntil: terms.validUntil, participantSignature, partnerSignature: null } }
}

function v2Objection(tools: ChannelTools, state: ChannelState, participant: ChannelSide, partner: ChannelSide, terms: V2Terms, moment: ChannelMoment): Refusal | null {
  if (state.domain.profile !== 'v2') return refuse(CODE.argument, 'terms of the other profile')
  if (!MAY_ASK.has(state.phase)) return refuse(CODE.channelState, `the channel is ${state.phase}`)
  if (moment.isFrozen) return refuse(CODE.chainNotConnected, 'no view of the chain')
  if (participant.withdrawal !== null) return refuse(CODE.backgroundTransaction, 'a withdrawal is under way')
  if (terms.total <= participant.withdrawn) return refuse(CODE.withdrawAmount, `${participant.withdrawn} is withdrawn already`)
  if (terms.total > withdrawable(participant, partner)) return refuse(CODE.withdrawAmount, `at most ${withdrawable(participant, partner)} in all`)
  return validityObjection(tools, terms.validUntil, moment)
}

export function validityObjection(tools: ChannelTools, validUntil: number | null, moment: ChannelMoment): Refusal | null {
  const last = moment.block + tools.rules.maxAgreementBlocks
  if (validUntil === null || !Number.isSafeInteger(validUntil) || validUntil <= moment.block || validUntil > last) return refuse(CODE.argument, `must be valid until a block in ${moment.block + 1}..${last}`)
  return null
}

function v1Objection(tools: ChannelTools, state: ChannelState, participant: ChannelSide, partner: ChannelSide, terms: V1Terms): Refusal | null {
  if (state.domain.profile !== 'v1') return refuse(CODE.argument, 'terms of the other profile')
  if (!tools.rules.trustedPartners.has(state.partner.address)) return refuse(CODE.withdrawNotAllowed, 'v1 signatures never expire: not signed for this partner')
  if (!MAY_ASK.has(state.phase)) return refuse(CODE.channelState, `the channel is ${state.phase}`)
  if (participant.locks.length > 0 || partner.locks.length > 0) return refuse(CODE.withdrawWithLocks, 'locks are pending')
  if (terms.participant !== participant.address || terms.partner !== partner.address) return refuse(CODE.notParticipant, 'not the two of this channel')
  if (terms.balance !== balanceV1(participant, partner)) return refuse(CODE.balanceMismatch, `the balance is ${balanceV1(participant, partner)}`)
  if (terms.withdraw <= 0n || terms.withdraw > terms.balance) return refuse(CODE.withdrawAmount, 'more than the balance')
  return null
}

function balanceV1(participant: ChannelSide, partner: ChannelSide): bigint {
  return participant.deposit - participant.transferred + partner.transferred
}
