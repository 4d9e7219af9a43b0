/**
 * All parts of the room joined, for one contract: `RunningPhoton` once `readContractTerms` has the contract's word, the
 * owner's desk over it (`OwnerDesk`), and what he must look at (`Alarms`). Used by ../photon.ts; ../v1/ makes its own room of some parts.
 */
export { Alarms } from './alarms.ts'
export { ChainMoments, offlineMemory } from './chain-moments.ts'
export { chainNews } from './chain-news.ts'
export type { ContractTerms } from './contract-terms.ts'
export { BY_OWNER, channelView, dutyViews, openRow } from './desk-views.ts'
export { FeeBoard } from './fee-board.ts'
export type { FeeSetting, FeeSettings } from './fee-board.ts'
export { dropNote, readNote } from './note-table.ts'
export { knownContractTerms, readContractTerms } from './contract-terms.ts'
export { OwnerDesk, checkSwap } from './owner-desk.ts'
export { PaymentModes } from './payment-modes.ts'
export { RunningPhoton } from './running-photon.ts'
export type { RoomTerms } from './running-photon.ts'
