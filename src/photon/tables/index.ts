/** Photon's tables, apart from the room: every box's file has them, and few boxes load the rest. */
import type { Migration } from '../../store/index.ts'
import { noteMigrations } from '../box/note-table.ts'
import { chainMigrations } from '../chain/io/duty-tables.ts'
import { photonMigrations as nodeMigrations } from '../node/tables/migrations.ts'
import { streamMigrations } from '../stream/io/journal.ts'
import { watchMigrations } from '../watch/io/job-table.ts'

export const photonMigrations: readonly Migration[] = [...nodeMigrations, ...chainMigrations, ...watchMigrations, ...streamMigrations, ...noteMigrations]
