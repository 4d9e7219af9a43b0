/** Photon's tables, apart from the room: every box's file has them, and few boxes load the rest. */
import type { Migration, Tx } from '../../store/index.ts'
import { OLD_COPY_NOTE, noteMigrations, putNote } from '../box/note-table.ts'
import { chainMigrations } from '../chain/io/duty-tables.ts'
import { photonMigrations as nodeMigrations } from '../node/tables/migrations.ts'
import { streamMigrations } from '../stream/io/journal.ts'
import { watchMigrations } from '../watch/io/job-table.ts'

export const photonMigrations: readonly Migration[] = [...nodeMigrations, ...chainMigrations, ...watchMigrations, ...streamMigrations, ...noteMigrations]

/** What is in these tables is older than what was signed: a backup was put in place. */
export function noteOldCopy(tx: Tx): void {
  putNote(tx, OLD_COPY_NOTE, 'yes')
}
