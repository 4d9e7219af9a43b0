/**
 * Cooperative settlement with a guest: his page has no node that could answer a settle-request, so it signs what the box
 * offers, and the box, which sends it and pays the gas, signs and stores both signatures in one turn. The offer leaves
 * the box `fee` more than its books say. From then on nothing moves, as after any agreement (agree-settle.ts).
 */
import type { SettleTerms } from '../ports.ts'
import { validityObjection } from './agree-withdraw.ts'
import { settlementOf } from './amounts.ts'
import { CODE } from './codes.ts'
import type { ChannelMoment } from './rules.ts'
import type { ChannelState } from './state.ts'
import type { Changed, ChannelTools, Refusal } from './verdict.ts'
import { refuse } from './verdict.ts'

export interface GuestSettlement {
  /** What is ours of the guest's counter, by his stream; less than is noted changes nothing. */
  readonly earned: bigint
  readonly fee: bigint
  readonly validUntil: number
}

export interface SignedEnd {
  readonly terms: SettleTerms
  readonly signatures: readonly [Uint8Array, Uint8Array]
}

/** The guest is first. Null: what is left for him does not pay the fee. */
export function guestTerms({ own, partner }: ChannelState, { earned, fee, validUntil }: GuestSettlement): SettleTerms | null {
  const transferred = earned > partner.transferred ? earned : partner.transferred
  const [ours, theirs] = settlementOf(own, { ...partner, transferred })
  return theirs < fee ? null : { p1: partner.address, balance1: theirs - fee, p2: own.address, balance2: ours + fee, validUntil }
}

/** `signatures`: the guest's, then ours, over `terms`; whoever calls has recovered the first. Refused where the books have moved since. */
export function settleWithGuest(tools: ChannelTools, state: ChannelState, settlement: GuestSettlement, signed: SignedEnd, moment: ChannelMoment): Changed | Refusal {
  const { own, partner, domain } = state
  if (domain.profile !== 'v2') return refuse(CODE.argument, 'v1 signatures never expire')
  if (state.phase !== 'opened') return refuse(CODE.channelState, `the channel is ${state.phase}`)
  if (moment.isFrozen) return refuse(CODE.chainNotConnected, 'no view of the chain')
  if (own.locks.length > 0 || partner.locks.length > 0) return refuse(CODE.settleWithLocks, 'locks are pending')
  if (own.withdrawal !== null || partner.withdrawal !== null) return refuse(CODE.backgroundTransaction, 'a withdrawal is under way')
  const terms = guestTerms(state, settlement)
  if (terms === null) return refuse(CODE.insufficientBalance, 'what is left does not pay the fee')
  if (terms.balance1 !== signed.terms.balance1 || terms.balance2 !== signed.terms.balance2 || terms.validUntil !== signed.terms.validUntil) return refuse(CODE.balanceMismatch, 'more was paid since it was signed')
  const objection = validityObjection(tools, settlement.validUntil, moment)
  if (objection !== null) return objection
  const [partnerSignature, ownSignature] = signed.signatures
  return { ok: true, state: { ...state, phase: 'cooperative-settling', agreement: { kind: 'settle', asker: own.address, terms, ownSignature, partnerSignature } } }
}
