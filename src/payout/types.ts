/** A payout: what of the book is paid to whom, over which entries, and how far it has come. */
import type { Address, Hash } from '../base/index.ts'
import type { PayingChannels } from '../ledger/index.ts'
import type { StatementFacts } from './statement/index.ts'

/** How a payment under a hash stands. `via`: who carries it; `fee`: what they get on top. */
export type LockStanding =
  /** `isRevealed`: the recipient has the secret. `endsBlock`: by then it is over, whatever happens; null: nothing is locked. */
  | { readonly state: 'open'; readonly isRevealed: boolean; readonly isGivenUp: boolean; readonly endsBlock: number | null; readonly endsInSeconds: number | null; readonly fee: bigint; readonly via: readonly Address[] }
  | { readonly state: 'sent'; readonly fee: bigint; readonly via: readonly Address[] }
  /** For good: nobody can claim anything of it. `isKnownThere`: the recipient says that it was paid under this hash before. */
  | { readonly state: 'failed'; readonly problem: string; readonly isKnownThere: boolean }

/** Payments over other boxes, each known by its hash; the same secret again is the same payment. */
export interface LockedChannels {
  /** Whose channels these are; of those of another contract nothing is known here. */
  readonly contract: Address
  hasWay(order: { readonly to: Address; readonly token: Address; readonly amount: bigint; readonly maxFee: bigint }): boolean
  /** On disk when it resolves; the lock itself names the reference. Errors: unavailable; limit. */
  pay(order: { readonly to: Address; readonly token: Address; readonly amount: bigint; readonly maxFee: bigint; readonly reference: Hash; readonly secret: Hash; readonly data: Uint8Array }): Promise<void>
  /** Null: it was never ordered, or so long ago that only the history has it. */
  standing(token: Address, secretHash: Hash): LockStanding | null
  /** Ended ones among the next `most` rows of the history behind `id`; `lookedTo`: the last row that was looked at, null: there are no more. */
  endedAfter(id: number, most: number): { readonly payments: readonly { readonly secretHash: Hash; readonly standing: LockStanding }[]; readonly lookedTo: number | null }
}

export interface PayoutChannels extends PayingChannels {
  /** Of this box, in an open channel with `to` in this token; null: there is none. */
  spendable(to: Address, token: Address): bigint | null
  readonly locked: LockedChannels
}

/** How a payout went over other boxes. */
export interface RoutedFacts {
  readonly secretHash: Hash
  /** On top of the amount, at the owner's cost. */
  readonly fee: bigint
  /** Without the recipient. */
  readonly via: readonly Address[]
}

export interface PayoutTry {
  readonly payout: number
  /** From 1. */
  readonly number: number
  readonly secretHash: Hash
  readonly maxFee: bigint
  /** Its lock, if there is one, stands in a channel of this contract. Null: whichever was configured, of before it was written down. */
  readonly contract: Address | null
  /** How far the channels' history went before. */
  readonly historyId: number
  /** Null: it may still pay. */
  readonly outcome: 'paid' | 'failed' | null
  readonly paid: RoutedFacts | null
}

/** A payout that is, or was, over other boxes. */
export interface RoutedView extends RoutedFacts {
  /** Over other boxes, this one included. */
  readonly tries: number
  /** Null: it is paid, or the channels are not up. */
  readonly lock: Pick<Extract<LockStanding, { state: 'open' }>, 'isRevealed' | 'isGivenUp' | 'endsBlock' | 'endsInSeconds'> | null
}

export type PayoutReason = 'threshold' | 'daily' | 'ordered'
export type PayoutState = 'open' | 'paid' | 'dropped'

export interface Payout extends StatementFacts {
  /** SHA-256 of what is to be paid and for what: the payment's identifier in Photon. */
  readonly reference: Hash
  readonly reason: PayoutReason
  /** Day of the book it was made on. */
  readonly day: string
  readonly state: PayoutState
  /** Failed ones in a row. */
  readonly attempts: number
  readonly problem: string | null
  readonly madeWallMs: number
  readonly paid: { readonly wallMs: number; readonly isTrusted: boolean; readonly entryId: number; readonly signature: Uint8Array } | null
}

/** When and where to pay. Amounts in smallest units of the box's token. */
export interface PayoutSettings {
  readonly token: { readonly symbol: string; readonly decimals: number }
  readonly threshold: bigint
  /** 0 to 23, UTC; null: not by the day. */
  readonly dailyHour: number | null
  readonly dust: bigint
  readonly alarmAfter: number
  /** The most that carriers may get of a payout over other boxes, in millionths of it. */
  readonly maxFeePpm: number
  /** Accounts with a share. */
  readonly shares: readonly { readonly account: string; readonly partsPerMillion: number; readonly sources: readonly string[] }[]
  readonly payees: readonly { readonly account: string; readonly address: Address }[]
  readonly milestones: readonly Milestone[]
  /** That channels are in; empty: this box has none. */
  readonly channelTokens: readonly { readonly address: Address; readonly symbol: string; readonly decimals: number }[]
}

export interface Milestone {
  readonly id: string
  readonly account: string
  readonly measure: 'minutes' | 'earnings' | 'tokens' | 'days'
  readonly count: number
  readonly reward: bigint
  /** Empty: all. */
  readonly sources: readonly string[]
}

export interface MilestoneView extends Milestone {
  /** In the measure; of tokens in smallest units. */
  readonly reached: bigint
  /** The book's entry of the reward. */
  readonly entryId: number | null
  /** Reached, and the owner's part does not cover it yet. */
  readonly isWaiting: boolean
}

export interface PayoutView {
  readonly payout: Payout
  readonly stage: 'waiting' | 'paying' | 'booking' | 'over'
  /** Until the next try; null: none is waited for. */
  readonly retrySeconds: number | null
  readonly isAlarm: boolean
  /** Null: directly, or not under way. */
  readonly routed: RoutedView | null
}

export interface PartyView {
  readonly account: string
  /** What it has a part of now; without sources: of all earnings. */
  readonly shares: readonly { readonly partsPerMillion: number; readonly sources: readonly string[] }[]
  /** Name in the book. */
  readonly token: string
  /** Null: not known, amounts are shown in smallest units. */
  readonly decimals: number | null
  /** What the box owes it, the open payout included; below 0: it was paid more than it has by now. */
  readonly owed: bigint
  readonly paid: bigint
  readonly address: Address | null
  /** The newest that was paid; null: none. */
  readonly last: { readonly id: number; readonly amount: bigint; readonly wallMs: number } | null
  readonly open: PayoutView | null
  /** Why nothing is under way. */
  readonly waitsFor: string | null
  /** Why a payout that is due cannot be made; null: it can, or none is due. */
  readonly stuck: string | null
}

/** What the owner may do. */
export interface PayoutDesk {
  parties(): readonly PartyView[]
  milestones(): readonly MilestoneView[]
  /** Newest first. */
  payouts(page: { readonly beforeId: number | null; readonly limit: number }): readonly PayoutView[]
  /** Errors: not-found `payout`. */
  payout(id: number): PayoutView
  /** Made and tried at once, whatever the threshold and the hour say. Errors: not-found; conflict with what stands in its way. */
  payNow(account: string, token: string | null): Promise<PayoutView>
  /** Tried at once, the count of tries begins anew. `isAnew`: it is given up, and made anew as the configuration is now. Errors: not-found; conflict `payout-left` where the money has left. */
  resume(id: number, isAnew: boolean): Promise<PayoutView>
  /** It was paid in another way, out of the till of vouchers. Errors: input; conflict. */
  note(order: { readonly account: string; readonly token: string | null; readonly amount: bigint; readonly memo: string | null }): Promise<PartyView>
  /** Signed; with `isSeries` all of the same account up to it, oldest first. Errors: not-found; conflict `payout-not-paid`. */
  statement(id: number, isSeries: boolean): string
}

