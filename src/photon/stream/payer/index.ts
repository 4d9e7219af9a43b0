/** The payer's side of a stream, pure and without Node: for the page, and for a box that pays another. docs/photon-stream.md */
export { decodeFrames, encodeFrame, STOP, REFUSAL } from '../frames.ts'
export type { StreamFrame } from '../frames.ts'
export type { StreamTerms } from '../terms.ts'
export type { PayerPorts } from './pay.ts'
export { newPayer, revealedTicks, revealedValue, viewOf } from './state.ts'
export type { PayerEnd, PayerLimits, PayerOptions, PayerPhase, PayerState, PayerView } from './state.ts'
export { step } from './step.ts'
export type { PayerEffect, PayerInput, PayerStep } from './step.ts'
