/**
 * Days, months and sums for the owner's eyes, pure. A day is a UTC date while the clock is trusted;
 * otherwise it is the boot, because a router without a clock battery knows no other.
 */
import type { Moment } from '../base/index.ts'
import type { EarnedSum, EarningTotals } from './types.ts'

/** Sorts after every date, so date ranges leave such days out. */
export const UNDATED_PREFIX = 'boot:'
/** Days kept for a plot: this month and the one before. */
export const PLOT_DAYS = 62
const MAX_DATE_MS = Date.UTC(9999, 11, 31)

/** UTC date `YYYY-MM-DD`, or `boot:<first 8 of boot id>` while the clock is not trusted. */
export function dayOf(at: Moment): string {
  const isDate = at.wallTrusted && at.wallMs >= 0 && at.wallMs <= MAX_DATE_MS
  return isDate ? new Date(at.wallMs).toISOString().slice(0, 10) : `${UNDATED_PREFIX}${at.bootId.slice(0, 8)}`
}

/** `YYYY-MM` of a dated day; null for a boot. */
export function monthOf(day: string): string | null {
  return day.startsWith(UNDATED_PREFIX) ? null : day.slice(0, 7)
}

/** Earned by one account from one source; `day` is null for the sum over all time. */
export interface EarnedRow {
  readonly day: string
  readonly token: string
  readonly source: string
  readonly account: string
  readonly earned: bigint
}

export interface EarnedRows {
  readonly allTime: readonly Omit<EarnedRow, 'day'>[]
  /** At least those of today, of this month, of the plot, and all undated ones. */
  readonly byDay: readonly EarnedRow[]
}

/** One result per token that ever earned, in the order of their names. */
export function earningTotals(rows: EarnedRows, today: string, ownerAccount: string): EarningTotals[] {
  const month = monthOf(today)
  const tokens = [...new Set(rows.allTime.map((row) => row.token))].sort()
  return tokens.map((token) => {
    const allTime = rows.allTime.filter((row) => row.token === token)
    const byDay = rows.byDay.filter((row) => row.token === token)
    const ofToday = byDay.filter((row) => row.day === today)
    const ofMonth = month === null ? null : byDay.filter((row) => monthOf(row.day) === month)
    const sum = (of: readonly Omit<EarnedRow, 'day'>[]): EarnedSum => sumEarned(of, ownerAccount)
    const from = <Row extends { readonly source: string }>(of: readonly Row[], source: string): Row[] => of.filter((row) => row.source === source)
    return {
      token,
      day: today,
      month,
      today: sum(ofToday),
      thisMonth: ofMonth === null ? null : sum(ofMonth),
      allTime: sum(allTime),
      undated: sum(byDay.filter((row) => monthOf(row.day) === null)),
      bySource: [...new Set(allTime.map((row) => row.source))].sort().map((source) => ({
        source,
        today: sum(from(ofToday, source)),
        thisMonth: ofMonth === null ? null : sum(from(ofMonth, source)),
        allTime: sum(from(allTime, source)),
      })),
      days: plotDays(byDay, ownerAccount),
    }
  })
}

function plotDays(byDay: readonly EarnedRow[], ownerAccount: string): { day: string; earned: EarnedSum }[] {
  const days = new Map<string, EarnedRow[]>()
  for (const row of byDay) {
    if (monthOf(row.day) === null) continue
    const rows = days.get(row.day)
    if (rows) rows.push(row)
    else days.set(row.day, [row])
  }
  return [...days]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(-PLOT_DAYS)
    .map(([day, rows]) => ({ day, earned: sumEarned(rows, ownerAccount) }))
}

function sumEarned(rows: readonly Omit<EarnedRow, 'day'>[], ownerAccount: string): EarnedSum {
  let total = 0n
  let owner = 0n
  for (const row of rows) {
    total += row.earned
    if (row.account === ownerAccount) owner += row.earned
  }
  return { total, owner }
}
