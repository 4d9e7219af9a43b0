/** Up to which reading the broker has everything. One row: what lies above it in the log is said again, late. */
import type { Migration, ReadTx, Tx } from '../../store/index.ts'

export const outboxMigrations: readonly Migration[] = [
  {
    id: 'iot-outbox-001',
    sql: `
      CREATE TABLE iot_outbox (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        published INTEGER NOT NULL
      ) STRICT;
    `,
  },
]

export const outboxTables = {
  /** Null: nothing was ever published. */
  published: (tx: ReadTx): number | null => tx.get<{ published: number }>('SELECT published FROM iot_outbox WHERE id = 1')?.published ?? null,
  setPublished(tx: Tx, id: number): void {
    tx.run('INSERT INTO iot_outbox VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET published = excluded.published', id)
  },
}
