/**
 * The double-entry book of every earning. All verbs work inside the caller's turn, so an earning and what it was earned for are on disk
 * together. An entry is balanced in one token, has its evidence, and is booked once by that evidence however often it is posted; `earn` splits
 * it into the shares to the last unit. `PaidOnce` orders a payment over a channel at most once by reference. docs/ledger.md
 */
export type {
  DayStatement,
  Earning,
  EarningTotals,
  EarnedSum,
  Entry,
  Evidence,
  Ledger,
  Posting,
  ShareRule,
  StoredEntry,
} from './types.ts'
export { createLedger } from './ledger.ts'
export type { LedgerOptions } from './ledger.ts'
export { ledgerMigrations } from './io/tables.ts'
export { dayOf } from './statements.ts'
export { accountBalances, accountLines, newestEntry } from './io/account-lines.ts'
export type { AccountBalance, AccountLine } from './io/account-lines.ts'
export { LOOKED_AT, NEXT_LOOK_MS, PaidOnce } from './paid-once.ts'
export type { ChannelPayment, PaidOnceParts, PayingChannels, PaymentOrderTerms } from './paid-once.ts'
