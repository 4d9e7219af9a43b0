/** Guests' own keys: what they sign, whether it is right, and which session each holds. */
export type { WalletAction } from './statement.ts'
export { WalletCheck } from './wallet-check.ts'
export type { SignedForm, WalletCheckDeps } from './wallet-check.ts'
export { attachKey, keptSessions, keyOf, walletMigrations } from './io/key-tables.ts'
