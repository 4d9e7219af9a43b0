/** What a box does on the chain: its channels' duties, what it does for others (a neighbour's newest state, a guest's opening), and its own coin. */
import type { Address, Hash } from '../../base/index.ts'
import type { ChannelKey, Duty } from '../ports.ts'
import type { DelegatedUpdate, OpenForTerms } from './calls.ts'
import type { SignedOrder } from './purse.ts'

/** The account's coin into the token of it (`wrap`), or back. */
export interface CoinDuty {
  readonly kind: 'wrap' | 'unwrap'
  /** The token; see wrapped-coin.ts. */
  readonly token: Address
  /** Wei. */
  readonly amount: bigint
}

/** Coin of the account to somebody else. */
export interface SendDuty {
  readonly kind: 'send-coin'
  readonly to: Address
  /** Wei. */
  readonly amount: bigint
}

export type BoxDuty = Duty | CoinDuty | SendDuty | ({ readonly kind: 'update-delegate' } & DelegatedUpdate) | ({ readonly kind: 'open-for' } & OpenForTerms) | ({ readonly kind: 'purse' } & SignedOrder)

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

/** Done twice, these move money twice: the contract cannot know that the second was not meant. */
const ONCE_ONLY: ReadonlySet<BoxDuty['kind']> = new Set(['open', 'deposit', 'open-for', 'wrap', 'unwrap', 'send-coin'])

export function isOnceOnly({ kind }: BoxDuty): boolean {
  return ONCE_ONLY.has(kind)
}
