/**
 * What a box remembers of its channels besides the channels: small texts by name. `role/<channel>`: what the owner
 * ordered it to be; `peer/<account>`: where a box was reached; `contract/<address>`: what its storage said.
 */
import type { Migration, ReadTx, Tx } from '../../store/index.ts'

export const noteMigrations: readonly Migration[] = [
  { id: 'photon-note-001', sql: 'CREATE TABLE photon_note (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID' },
]

export function readNote(tx: ReadTx, name: string): string | null {
  return tx.get<{ value: string }>('SELECT value FROM photon_note WHERE name = ?', name)?.value ?? null
}

/** All whose name begins with `prefix`, which is letters and a slash; by what follows it. */
export function readNotes(tx: ReadTx, prefix: string): ReadonlyMap<string, string> {
  const rows = tx.all<{ name: string; value: string }>('SELECT name, value FROM photon_note WHERE name >= ? AND name < ? ORDER BY name', prefix, `${prefix}\u{10ffff}`)
  return new Map(rows.map(({ name, value }) => [name.slice(prefix.length), value]))
}

export function putNote(tx: Tx, name: string, value: string): void {
  tx.run('INSERT INTO photon_note (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value', name, value)
}

export function dropNote(tx: Tx, name: string): void {
  tx.run('DELETE FROM photon_note WHERE name = ?', name)
}

/** The box came back by its words: its channels are somewhere, its book is not. */
export const REBUILD_NOTE = 'rebuild'
export const [REBUILD_SURE, REBUILD_SUSPECTED] = ['yes', 'suspected'] as const
/** This book has seen a start; what is missing in it was never there, or was put there by a backup. */
export const BORN_NOTE = 'born'

/** Set by whoever puts a backup in the book's place, until Photon has taken that in. */
export const OLD_COPY_NOTE = 'old-copy'
