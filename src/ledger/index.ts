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
