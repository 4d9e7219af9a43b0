/** The double-entry book of every earning. See docs/ledger.md. */
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
