/**
 * One payment channel, pure: `(state, what happens) → state`, with a message to send or facts for the payments.
 * docs/photon-channel.md
 *
 * `channelMachine(keccak256, rules?)` gives the verbs that need a hash or the owner's rules; the others are free functions.
 */
export { channelMachine } from './machine.ts'
export type { ChannelMachine } from './machine.ts'
export { CODE } from './codes.ts'
export type { ChannelMoment, ChannelRules } from './rules.ts'
export { openChannel } from './state.ts'
export type {
  Agreement,
  ChannelPhase,
  ChannelRole,
  ChannelSide,
  ChannelState,
  CounterGap,
  Disposal,
  Dispute,
  OpenChannel,
  PendingLock,
  PendingWithdrawal,
  PostedProof,
  Renunciation,
  StreamEvidence,
  StreamMark,
  SyncState,
} from './state.ts'
export type { Changed, ChannelFact, ChannelReceived, LockArrival, Refusal, Sent, Taken } from './verdict.ts'
export { sealed } from './send.ts'
export type { DirectOrder, DisposalReason, LockOrder } from './send.ts'
export type { AnswerOrder } from './agree-withdraw.ts'
export { awaitPartner, restored, sendReestablish } from './reestablish.ts'
export { freeze, learnSecret, orderClose, restStateOf } from './orders.ts'
export { withView } from './exposure.ts'
export { streamAccount } from './stream.ts'
export type { StreamNote } from './stream.ts'
export { guestTerms } from './settle-with-guest.ts'
export type { GuestSettlement, SignedEnd } from './settle-with-guest.ts'
export { capacity, ownLockable, receivable, settlementOf, spendable, withdrawable } from './amounts.ts'
export type { SettledFigures } from './amounts.ts'
export { postedSettlement } from './chain-events.ts'
export { arrivalAtEnd } from './arrival.ts'
export type { Arrival } from './arrival.ts'
export { secretHashOf } from './locks.ts'
