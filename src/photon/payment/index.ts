/**
 * Payments over channels: who pays, who carries, who is paid, swaps. Pure: `step(view, input)` says what is to be stored
 * and done. docs/photon-payment.md
 *
 * In one turn: take a message into its channel, turn each fact into an input (`inputOf`), `step`, put the changes over
 * the records, carry the commands out by the channels' verbs, feed refused ones back as `command-refused`, store it all
 * together; only then send.
 */
export { step } from './step.ts'
export { glanceOf, inputOf } from './glance.ts'
export { isPartPaid } from './initiator.ts'
export { PaymentTable } from './table.ts'
export { DEFAULT_RULES as DEFAULT_PAYMENT_RULES } from './rules.ts'
export type { PaymentRules } from './rules.ts'
export { CODE as PAYMENT_CODE } from './codes.ts'
export { STATUS, initiatorId, orderedHash, swapId, targetId } from './state.ts'
export type {
  DirectState,
  Failure,
  HeldLock,
  InPart,
  InPhase,
  InitiatorState,
  KeeperState,
  LockedTerms,
  MediatorState,
  OutPart,
  OutPhase,
  PayOrder,
  PaymentRole,
  PaymentState,
  Status,
  SwapState,
  TargetState,
} from './state.ts'
export type { ChannelCommand, Notice, PaymentCommand, PaymentInput, Step, SwapOrder } from './turn.ts'
export type { ChannelGlance, PaymentView } from './view.ts'
