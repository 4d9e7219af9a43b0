/** What the box earned: sums, days for a plot, accounts, entries of the book. */
import type { Money, TokenJson } from './amounts.ts'

export interface EarningsQuery {
  /** Days in the plot, 1–62, default 30. */
  readonly days?: number
}
export interface EarningsJson {
  readonly token: TokenJson
  readonly clockTrusted: boolean
  /** `YYYY-MM-DD` (UTC), or `boot:…` while the clock is not trusted: "today" is then "since switched on". */
  readonly today: string
  readonly earnedToday: EarningSum
  /** null while the clock is not trusted. */
  readonly earnedMonth: EarningSum | null
  readonly earnedTotal: EarningSum
  /** The part of the total earned while the clock was not trusted: in no date and no month. */
  readonly undated: EarningSum
  readonly bySource: readonly {
    /** `hotspot:voucher` … */
    readonly source: string
    readonly today: EarningSum
    readonly month: EarningSum | null
    readonly total: EarningSum
  }[]
  /** Oldest first, every date of the range, also dates without earnings; empty while the clock is not trusted. */
  readonly days: readonly EarningDay[]
  readonly accounts: readonly AccountJson[]
  /** Earned in tokens that are not the configured one. */
  readonly otherTokens: readonly { readonly token: string; readonly units: string }[]
}
export interface EarningSum {
  /** All that guests paid, refunds taken off; never less than `owner`. */
  readonly all: Money
  /** The owner's part after the shares. */
  readonly owner: Money
}
export interface EarningDay extends EarningSum {
  readonly day: string
}
export interface AccountJson {
  readonly account: string
  /** `till`: money that came in. `owed`: what the box owes to the owner or to a share. */
  readonly kind: 'till' | 'owed'
  readonly amount: Money
}

export interface EntriesQuery {
  readonly afterId?: number
  /** 1–500, default 100. */
  readonly limit?: number
}
export interface EntriesJson {
  readonly entries: readonly EntryJson[]
  /** Give it as `afterId` for the next page; null on the last page. */
  readonly nextAfterId: number | null
}
/** Postings: debit positive, credit negative; they sum to zero. */
export interface EntryJson {
  readonly id: number
  readonly source: string
  readonly token: string
  readonly evidence: { readonly type: string; readonly id: string }
  readonly postings: readonly { readonly account: string; readonly amount: Money }[]
  readonly wallMs: number
  readonly wallTrusted: boolean
  readonly memo: string | null
  /** `reverse` takes (part of) the earning `reverses` back. */
  readonly kind: 'post' | 'earn' | 'reverse'
  readonly reverses: number | null
}
