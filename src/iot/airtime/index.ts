/**
 * Time on air: how much of it a transmitter may use, what is used and reserved, and what it costs others. Pure; network/ keeps one
 * `AirtimeState` per gateway, stores an AirtimeRow for each reserved window in the turn that stores the frame counter, and sends after that.
 */
export { LONGEST_FRAME_US, budgets, forget, newAirtime, recall, reserve, settle, withRules } from './ledger.ts'
export type { AirClaim, AirOrder, AirVerdict, AirWindow, AirtimeState, OnAir } from './ledger.ts'
export { startedMs, withDecimals } from './price.ts'
export { recalled } from './restore.ts'
export { airRules } from './rules.ts'
export type { AirBand, AirRules, AirWishes } from './rules.ts'
