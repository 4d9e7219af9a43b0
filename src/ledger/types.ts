import type { Moment } from '../base/index.ts'
import type { ReadTx, Tx } from '../store/index.ts'

/**
 * Double-entry book. Append-only: a mistake is reversed by another entry, never edited. Every entry
 * balances to zero per token; every entry carries the evidence it rests on.
 */
export interface Evidence {
  /** voucher, session, payment, block, receipt, refund … */
  readonly type: string
  /** The thing's own id; with `type` and `source` it makes an entry idempotent. */
  readonly id: string
  /** Small JSON-able facts: who signed, which hash, seconds, bytes. */
  readonly facts?: Readonly<Record<string, string | number | boolean>>
}

export interface Posting {
  readonly account: string
  /** Smallest unit. Debit positive, credit negative. Never zero. */
  readonly amount: bigint
}

export interface Entry {
  readonly source: string
  readonly token: string
  readonly evidence: Evidence
  readonly postings: readonly Posting[]
  readonly at: Moment
  readonly memo?: string
}

/** One earning, to be split by the shared-ROI policy and posted. */
export interface Earning {
  /** e.g. `hotspot:voucher`; later `mesh:relay`, `photon:fee`, `chain:gas`, `iot:uplink`. */
  readonly source: string
  readonly token: string
  readonly amount: bigint
  /** Account debited: where the money came from, e.g. `cash:vouchers`. */
  readonly from: string
  readonly evidence: Evidence
  readonly at: Moment
}

export interface DayStatement {
  /** UTC date `YYYY-MM-DD`, or `boot:<first 8 of boot id>` while the clock was not trusted. */
  readonly day: string
  readonly token: string
  readonly source: string
  readonly account: string
  /** Credits minus debits: what the account gained. */
  readonly gained: bigint
  readonly entries: number
}

export interface StoredEntry extends Entry {
  readonly id: number
  readonly kind: 'post' | 'earn' | 'reverse'
  /** The earning this entry takes (part of) back. */
  readonly reverses?: number
}

/** One part of the shared-ROI policy; `ShareConfig` of config fits. What is left over is the owner's. */
export interface ShareRule {
  readonly role: string
  readonly beneficiary: string
  readonly partsPerMillion: number
  /** Ledger sources it applies to; empty = all. */
  readonly sources: readonly string[]
}

/** Earned minus taken back, all beneficiaries together and the owner's part of it. */
export interface EarnedSum {
  readonly total: bigint
  readonly owner: bigint
}

/** What the dashboard shows, for one token. Payouts do not count: earned stays earned. */
export interface EarningTotals {
  readonly token: string
  /** Statement day `today` stands for: a UTC date, or `boot:…` (since switched on) while the clock is not trusted. */
  readonly day: string
  /** `YYYY-MM`; null while the clock is not trusted. */
  readonly month: string | null
  readonly today: EarnedSum
  /** Null while the clock is not trusted. */
  readonly thisMonth: EarnedSum | null
  readonly allTime: EarnedSum
  /** The part of `allTime` earned while the clock was not trusted: in no date and no month. */
  readonly undated: EarnedSum
  readonly bySource: readonly {
    readonly source: string
    readonly today: EarnedSum
    readonly thisMonth: EarnedSum | null
    readonly allTime: EarnedSum
  }[]
  /** Dates with earnings, oldest first, the newest 62: for a plot. */
  readonly days: readonly { readonly day: string; readonly earned: EarnedSum }[]
}

export interface Ledger {
  /** Posts a balanced entry inside the caller's turn. Posting the same source+evidence again returns the first id. */
  post(tx: Tx, entry: Entry): number
  /** Splits by the policy (parts per million, largest remainder, exact to the unit) and posts. */
  earn(tx: Tx, earning: Earning): number
  /**
   * Takes `amount` of an earlier earning back in the same proportions as it was split, exact to the unit.
   * Refuses more than is left of it. Idempotent by evidence.
   */
  reverse(tx: Tx, entryId: number, amount: bigint, evidence: Evidence, at: Moment): number
  /** Σ postings as posted: debit positive, so a till has a positive and an owner to be paid a negative balance. */
  balance(tx: ReadTx, account: string, token: string): bigint
  /** Per token: today, this month, all time, by source, and days for a plot. */
  totals(tx: ReadTx, now: Moment): EarningTotals[]
  statements(tx: ReadTx, range?: { fromDay?: string; toDay?: string }): DayStatement[]
  entries(tx: ReadTx, page: { afterId?: number; limit: number; evidence?: { type: string; id: string } }): StoredEntry[]
  /** Σ postings per token; all zero in a sound book. Names every entry that is not balanced. */
  audit(tx: ReadTx): { token: string; sum: bigint; unbalancedEntries: number[] }[]
}
