/** Guests' own keys: what they sign, whether it is right, and which session each holds. */
export { walletStatement } from './statement.ts'
export type { WalletAction } from './statement.ts'
export { CHALLENGE_MS } from './challenges.ts'
export { SIGNATURES_OVERALL, SIGNATURES_PER_DEVICE, WalletCheck } from './wallet-check.ts'
export type { SignedForm, WalletCheckDeps } from './wallet-check.ts'
export { MAX_SESSIONS_PER_KEY, attachKey, keptSessions, keyOf, walletMigrations } from './io/key-tables.ts'
