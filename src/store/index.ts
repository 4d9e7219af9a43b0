/**
 * The SQLite file and the unit of work. `openStore` brings a file up to the given migrations, or refuses it with the reason. A promise of
 * `store.turn` resolves when everything the turn wrote is on disk; what rejects was never there. docs/storage.md
 */
export type { Migration, ReadTx, SqlValue, Store, StoreStats, Tx } from './types.ts'
export { openStore } from './open.ts'
export type { StoreOptions } from './open.ts'
export { forgetBackupMark, markIfBackup } from './backup-mark.ts'
