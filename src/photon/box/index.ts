/**
 * All parts of the room joined, for one contract: `RunningPhoton` once `readContractTerms` has the contract's word, the
 * owner's desk over it (`OwnerDesk`), and what he must look at (`Alarms`). Used by ../photon.ts alone.
 */
export { Alarms } from './alarms.ts'
export { knownContractTerms, readContractTerms } from './contract-terms.ts'
export { OwnerDesk } from './owner-desk.ts'
export { RunningPhoton } from './running-photon.ts'
