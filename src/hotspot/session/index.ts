/** The paid session, pure: states, arithmetic, grants, views. Time and bytes come in as values; what was bought is used or still there, never both. */
export { bytesLeft, currentOf, isUsable, totalMsLeft } from './allotment.ts'
export type { Allotment, Terms } from './allotment.ts'
export {
  NOTHING_READ,
  boundDevices,
  isBoundTo,
  isOver,
  isVisitor,
  quotedSession,
  settle,
  settleClosing,
  wantsOpening,
} from './session.ts'
export type { Device, NewDevice, Reading, Reversal, Run, Session, SessionEffect, SessionInput, Step } from './session.ts'
export { step } from './step.ts'
export { allowanceOf, deadlineOf, grantsOf, isByteLimited, leaseEndOf, leaseWithinRest, needsRenewal } from './grants.ts'
export { secondsUsed, sum, viewOf } from './view.ts'
