/** What the owner (or an alarm) orders of a channel, and what passes with time (specs/photon.md 3.1, 9.3). */
import { CODE } from './codes.ts'
import type { ChannelMoment } from './rules.ts'
import { SETTLE_DELAY_BLOCKS } from './rules.ts'
import { REST_STATE } from './state.ts'
import type { ChannelSide, ChannelState } from './state.ts'
import { secretHashOf, isHash, lockIn, withMark } from './locks.ts'
import type { Changed, ChannelTools, Refusal, Taken } from './verdict.ts'
import { frozen, refuse } from './verdict.ts'
import type { Hash } from '../../base/index.ts'

/** Closes without the partner: `dutiesOf` has the transaction from now on. */
export function orderClose(state: ChannelState, note: string): Changed | Refusal {
  if (state.dispute !== null || state.phase === 'settled') return refuse(CODE.transferWhenClosed, `the channel is ${state.phase}`)
  return { ok: true, state: state.phase === 'closing' ? state : { ...state, phase: 'closing', note } }
}

/** Stops the channel because two truths met, e.g. a stored packet has another hash than the partner saw. */
export function freeze(state: ChannelState, reason: string): Taken {
  return frozen(state, reason)
}

/** Notes a secret for the locks that it opens, on both sides. */
export function learnSecret(state: ChannelState, secret: Hash): ChannelState {
  if (!isHash(secret)) return state
  const secretHash = secretHashOf(secret)
  const [own, partner] = [withSecret(state.own, secret, secretHash), withSecret(state.partner, secret, secretHash)]
  return own === state.own && partner === state.partner ? state : { ...state, own, partner }
}

function withSecret(side: ChannelSide, secret: Hash, secretHash: Hash): ChannelSide {
  const lock = lockIn(side, secretHash)
  return lock === undefined || lock.secret !== null ? side : withMark(side, lock, { secret })
}

/**
 * Lets go of what was signed and can no longer be mined. Two confirmation times are waited after the last valid block,
 * since the chain's own news comes that much later.
 */
export function withoutExpired(tools: ChannelTools, state: ChannelState, moment: ChannelMoment): ChannelState {
  const { own, partner, agreement } = state
  if (own.withdrawal === null && partner.withdrawal === null && agreement === null) return state
  if (moment.isFrozen) return state
  const isOver = (validUntil: number | null): boolean => validUntil !== null && moment.block > validUntil + 2 * tools.rules.confirmations
  const released = (side: ChannelSide): ChannelSide => (side.withdrawal !== null && isOver(side.withdrawal.validUntil) ? { ...side, withdrawal: null } : side)
  const [newOwn, newPartner] = [released(own), released(partner)]
  const isSettleOver = agreement !== null && agreement.kind === 'settle' && isOver(agreement.terms.validUntil)
  const phase = isSettleOver && (state.phase === 'cooperative-settling' || state.phase === 'partner-cooperative-settling') ? 'opened' : state.phase
  if (newOwn === own && newPartner === partner && !isSettleOver) return state
  return { ...state, own: newOwn, partner: newPartner, phase, agreement: isSettleOver ? null : agreement }
}

/** Why a channel should be closed now although nobody ordered it, or null. */
export function closeReason(tools: ChannelTools, state: ChannelState, moment: ChannelMoment): string | null {
  if (state.dispute !== null || state.phase === 'settled' || state.phase === 'closing') return null
  const unpaid = state.partner.locks.find((lock) => lock.registeredBlock !== null && !lock.isDisposed && moment.block > lock.expiration + tools.rules.confirmations)
  return unpaid === undefined ? null : `the partner does not pay a lock of ${unpaid.amount} whose secret is on the chain`
}

/** The REST API's number; `settling` (5) is a closed channel whose settlement is due. */
export function restStateOf(state: ChannelState, moment: ChannelMoment): number {
  const isDue = state.phase === 'closed' && state.dispute !== null && moment.block >= state.dispute.settleBlock + SETTLE_DELAY_BLOCKS
  return isDue ? REST_STATE.settling : REST_STATE[state.phase]
}
