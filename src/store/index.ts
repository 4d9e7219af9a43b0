/** The SQLite file and the unit of work. See docs/storage.md. */
export type { Migration, ReadTx, SqlValue, Store, StoreStats, Tx } from './types.ts'
export { openStore } from './open.ts'
export type { StoreOptions } from './open.ts'
export { forgetBackupMark, markIfBackup } from './backup-mark.ts'
