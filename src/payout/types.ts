/** A payout: what of the book is paid to whom, over which entries, and how far it has come. */
import type { Address, Hash } from '../base/index.ts'
import type { StatementFacts } from './statement/index.ts'

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

