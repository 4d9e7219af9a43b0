/**
 * Shares of the earnings, paid to those they belong to: `new Payouts(parts).start()` pays over Photon when somebody is owed a threshold
 * or once a day, once by reference, and writes a signed statement of each payment. Tables: tables/index.ts; statements: statement/index.ts.
 * docs/payouts.md
 */
export { Payouts } from './payouts.ts'
export type { PayoutParts } from './payouts.ts'
export { maxFeeOf, nextMove } from './route-choice.ts'
export type { MoneyFacts, MoneyMove } from './route-choice.ts'
export type { LockStanding, LockedChannels, Milestone, MilestoneView, PartyView, Payout, PayoutChannels, PayoutDesk, PayoutReason, PayoutSettings, PayoutState, PayoutView, RoutedView } from './types.ts'
export { beginWay, backoffMs, stepWay } from './machine.ts'
export type { Way, WayEffect, WayInput, WayStep } from './machine.ts'
export { dueReason, inDecimals } from './rules.ts'
export type { Destination } from './rules.ts'
