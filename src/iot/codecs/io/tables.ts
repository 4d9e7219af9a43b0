/** The owner's codecs, in the box's file. */
import type { Migration, ReadTx, Tx } from '../../../store/index.ts'

export const codecMigrations: readonly Migration[] = [
  {
    id: 'iot-codecs-001',
    sql: `
      CREATE TABLE iot_codec (
        name TEXT PRIMARY KEY,
        source TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
]

export interface CodecTables {
  names(tx: ReadTx): readonly string[]
  /** Null: there is none. */
  source(tx: ReadTx, name: string): string | null
  put(tx: Tx, name: string, source: string): void
  remove(tx: Tx, name: string): boolean
}

export const codecTables: CodecTables = {
  names: (tx) => tx.all<{ name: string }>('SELECT name FROM iot_codec ORDER BY name').map(({ name }) => name),
  source: (tx, name) => tx.get<{ source: string }>('SELECT source FROM iot_codec WHERE name = ?', name)?.source ?? null,
  put: (tx, name, source) => void tx.run('INSERT INTO iot_codec VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET source = excluded.source', name, source),
  remove: (tx, name) => tx.run('DELETE FROM iot_codec WHERE name = ?', name) > 0,
}
