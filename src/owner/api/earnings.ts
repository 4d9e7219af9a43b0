/** What the box earned: sums, days for a plot, accounts, entries of the book. */
import type { Money, TokenJson } from './amounts.ts'

export interface EarningsQuery {
  /** Days in the plot, 1–366, default 30. */
  readonly days?: number
}
export interface EarningsJson {
  readonly token: TokenJson
  readonly clockTrusted: boolean
  /** `YYYY-MM-DD` (UTC), or `boot:…` while the clock is not trusted. */
  readonly today: string
  readonly earnedToday: EarningSum
  readonly earnedMonth: EarningSum
  readonly earnedTotal: EarningSum
  readonly bySource: readonly {
    readonly source: string
    readonly today: EarningSum
    readonly month: EarningSum
    readonly total: EarningSum
  }[]
  /** Oldest first, every day of the range, also days without earnings; for the plot. */
  readonly days: readonly EarningDay[]
  /** Days counted while the clock was not trusted (`boot:…`), newest last. */
  readonly undatedDays: readonly EarningDay[]
  readonly accounts: readonly { readonly account: string; readonly balance: Money }[]
  /** Earned in tokens that are not the configured one. */
  readonly otherTokens: readonly { readonly token: string; readonly units: string }[]
}
export interface EarningSum {
  /** All that guests paid, refunds taken off. */
  readonly all: Money
  /** The owner's part after the shares. */
  readonly owner: Money
  readonly entries: number
}
export interface EarningDay {
  readonly day: string
  readonly all: Money
  readonly owner: Money
  readonly bySource: readonly { readonly source: string; readonly all: Money }[]
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
export interface EntryJson {
  readonly id: number
  readonly source: string
  readonly token: string
  readonly evidence: { readonly type: string; readonly id: string }
  readonly postings: readonly { readonly account: string; readonly amount: Money }[]
  readonly wallMs: number
  readonly wallTrusted: boolean
  readonly memo: string | null
}
