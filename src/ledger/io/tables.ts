import type { Migration } from '../../store/index.ts'

export declare const ledgerMigrations: readonly Migration[]
