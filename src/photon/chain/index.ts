/**
 * Photon and the chain: what happened to channels there (`channelFollower`, read from proved logs, as deep as they may
 * be trusted), what is to be done there (`DutyDesk`: transactions by deadline), and the contract's calls and storage
 * (`callsOf`, `proveChannel`). Knows the contracts by their ABI only; what things mean is the channel machine's.
 */
export { callsOf, delegatedUnlockCall, delegatedUpdateCall, openForCalls } from './calls.ts'
export type { ContractCall, ContractSite, DelegatedUpdate, OpenForTerms } from './calls.ts'
export { encodeCall, encodeValues } from './abi.ts'
export type { AbiValue } from './abi.ts'
export { proveChannel } from './cross-check.ts'
export type { ProvedChannel } from './cross-check.ts'
export { NO_DUTIES } from './duty-state.ts'
export type { DutyJob, DutyOutcome, DutyState, NonceSlot } from './duty-state.ts'
export { v2LogReader } from './events.ts'
export type { LogReader, ToldEvent } from './events.ts'
export { channelFollower } from './follower.ts'
export type { FollowSink, Follower, FollowerOptions } from './follower.ts'
export { followStep } from './follow.ts'
export type { FollowPosition, FollowStep } from './follow.ts'
export { readLegacyLog } from './legacy-events.ts'
export type { LegacyEvent } from './legacy-events.ts'
export { SCHEDULE_RULES, schedule } from './schedule.ts'
export type { ChainSight, DutyAlarm, ScheduleEffect, ScheduleInput, ScheduleRules, ScheduleTools, Scheduled } from './schedule.ts'
export { CHAIN_ID_SLOT, SECRET_REGISTRY_SLOT, channelSlot, readChannelWord, readSideWords, secretSlot, sideSlots } from './storage.ts'
export type { StoredChannel, StoredSide } from './storage.ts'
export { transactionSealer } from './transaction.ts'
export type { Seal, SealedTransaction, TransactionTerms } from './transaction.ts'
export { DutyDesk, chainMigrations, loadPosition, savePosition } from './io/index.ts'
export type { DutyDeskOptions } from './io/index.ts'
