/** The ledger's totals as the owner's JSON, with every date of the plot filled in; pure. */
import type { EarnedSum, EarningTotals, StoredEntry } from '../ledger/index.ts'
import type { AccountJson, EarningDay, EarningSum, EarningsJson, EntryJson } from './api/earnings.ts'
import { dateOfDay, money } from './money.ts'

const DAY_MS = 86_400_000
const NOTHING: EarnedSum = { total: 0n, owner: 0n }

export interface EarningsInput {
  readonly symbol: string
  readonly decimals: number
  readonly days: number
  readonly wallMs: number
  readonly clockTrusted: boolean
  /** All tokens of the book; of a token that earned nothing there may be none. */
  readonly totals: readonly EarningTotals[]
  /** Σ of postings per account in the configured token, debit positive. */
  readonly balances: readonly { readonly account: string; readonly balance: bigint }[]
  /** Statement day for "now" when the book has no totals yet. */
  readonly today: string
}

export function earningsJson(input: EarningsInput): EarningsJson {
  const { symbol, decimals, clockTrusted } = input
  const sum = (earned: EarnedSum): EarningSum => ({ all: money(earned.total, decimals), owner: money(earned.owner, decimals) })
  const own = input.totals.find((totals) => totals.token === symbol)
  return {
    token: { symbol, decimals },
    clockTrusted,
    today: own?.day ?? input.today,
    earnedToday: sum(own?.today ?? NOTHING),
    earnedMonth: clockTrusted ? sum(own?.thisMonth ?? NOTHING) : null,
    earnedTotal: sum(own?.allTime ?? NOTHING),
    undated: sum(own?.undated ?? NOTHING),
    bySource: (own?.bySource ?? []).map((one) => ({
      source: one.source,
      today: sum(one.today),
      month: one.thisMonth === null ? null : sum(one.thisMonth),
      total: sum(one.allTime),
    })),
    days: clockTrusted ? plotDays(input, own, sum) : [],
    accounts: input.balances.map((one) => accountJson(one.account, one.balance, decimals)),
    otherTokens: input.totals
      .filter((totals) => totals.token !== symbol)
      .map((totals) => ({ token: totals.token, units: totals.allTime.total.toString() })),
  }
}

function plotDays(input: EarningsInput, own: EarningTotals | undefined, sum: (earned: EarnedSum) => EarningSum): EarningDay[] {
  const earnedOn = new Map((own?.days ?? []).map(({ day, earned }) => [day, earned]))
  const lastDay = Math.floor(input.wallMs / DAY_MS)
  return Array.from({ length: input.days }, (_unused, index) => {
    const day = dateOfDay(lastDay - input.days + 1 + index)
    return { day, ...sum(earnedOn.get(day) ?? NOTHING) }
  })
}

/** Tills are debited when money comes in; what the box owes to somebody is credited. */
function accountJson(account: string, balance: bigint, decimals: number): AccountJson {
  return account.startsWith('cash:')
    ? { account, kind: 'till', amount: money(balance, decimals) }
    : { account, kind: 'owed', amount: money(-balance, decimals) }
}

export function entryJson(entry: StoredEntry, symbol: string, decimals: number): EntryJson {
  // Decimals of a token that is no longer configured are not known: its amounts stay in smallest units.
  const places = entry.token === symbol ? decimals : 0
  return {
    id: entry.id,
    source: entry.source,
    token: entry.token,
    evidence: { type: entry.evidence.type, id: entry.evidence.id },
    postings: entry.postings.map(({ account, amount }) => ({ account, amount: money(amount, places) })),
    wallMs: entry.at.wallMs,
    wallTrusted: entry.at.wallTrusted,
    memo: entry.memo ?? null,
    kind: entry.kind,
    reverses: entry.reverses ?? null,
  }
}
