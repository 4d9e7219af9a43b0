/** The payer's side of a stream, pure and without Node: for the page, and for a box that pays another. docs/photon-stream.md */
export { channelIdOf } from '../digests.ts'
export type { StreamFrame } from '../frames.ts'
export type { StreamTerms } from '../terms.ts'
export type { PayerPorts } from './pay.ts'
export { StreamPayer } from './machine.ts'
export type { MachineStep } from './machine.ts'
export type { PayerEnd, PayerLimits, PayerOptions, PayerPhase, PayerState, PayerView } from './state.ts'
export type { PayerEffect, PayerInput, PayerStep } from './step.ts'
