/** What a box does on the chain: its channels' duties, and what it does for others: a neighbour's newest state, a guest's opening. */
import type { Address, Hash } from '../../base/index.ts'
import type { ChannelKey, DueDuty, Duty } from '../ports.ts'
import type { DelegatedUpdate, OpenForTerms } from './calls.ts'

export type BoxDuty = Duty | ({ readonly kind: 'update-delegate' } & DelegatedUpdate) | ({ readonly kind: 'open-for' } & OpenForTerms)

/** `DueDuty` with more kinds. */
export interface DueBoxDuty {
  readonly duty: BoxDuty
  readonly key: ChannelKey | null
  /** Not before. */
  readonly fromBlock: number
  /** Null: no hurry. */
  readonly deadlineBlock: number | null
}

/** The contract has promised a watcher its reward; its token is the channel's. */
export interface RewardedEvent {
  readonly kind: 'rewarded'
  readonly channel: Hash
  readonly block: number
  readonly logIndex: number
  readonly watcher: Address
  readonly amount: bigint
}

/** Narrows where only the channels' own duties are meant. */
export function isChannelDuty(due: DueBoxDuty): due is DueDuty {
  return due.duty.kind !== 'update-delegate' && due.duty.kind !== 'open-for'
}
