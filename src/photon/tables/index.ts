/** Photon's tables, apart from the room: every box's file has them, and few boxes load the rest. */
import type { Migration, Tx } from '../../store/index.ts'
import { BORN_NOTE, OLD_COPY_NOTE, REBUILD_NOTE, REBUILD_SURE, REBUILD_SUSPECTED, noteMigrations, putNote, readNote } from '../box/note-table.ts'
import { chainMigrations } from '../chain/io/duty-tables.ts'
import { photonMigrations as nodeMigrations } from '../node/tables/migrations.ts'
import { streamMigrations } from '../stream/io/journal.ts'
import { OLD_COPY_V1_NOTE } from '../v1/old-copy.ts'
import { watchMigrations } from '../watch/io/job-table.ts'

export const photonMigrations: readonly Migration[] = [...nodeMigrations, ...chainMigrations, ...watchMigrations, ...streamMigrations, ...noteMigrations]

/**
 * At each start, before the box makes a key. `isRestored`: the key came from its words, so that what was signed with it has to be found
 * again. `hadKey`: there is one already, older than its book: the book may be lost, which the chain says (an account that has sent something).
 */
export function noteBirth(tx: Tx, { hadKey, isRestored }: { readonly hadKey: boolean; readonly isRestored: boolean }): void {
  if (readNote(tx, BORN_NOTE) !== null) return
  putNote(tx, BORN_NOTE, 'yes')
  const isUsed = tx.get('SELECT 1 FROM photon_channel LIMIT 1') !== undefined || tx.get('SELECT 1 FROM photon_chain_position LIMIT 1') !== undefined
  if ((hadKey || isRestored) && !isUsed) putNote(tx, REBUILD_NOTE, isRestored ? REBUILD_SURE : REBUILD_SUSPECTED)
}

/** What is in these tables is older than what was signed: a backup was put in place. */
export function noteOldCopy(tx: Tx): void {
  putNote(tx, OLD_COPY_NOTE, 'yes')
  putNote(tx, OLD_COPY_V1_NOTE, 'yes')
}
