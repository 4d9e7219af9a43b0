/** Sessions of this box that have been at another: by which move, where, and how much of what was charged was used there. */
import type { Migration, ReadTx, Tx } from '../../../store/index.ts'
import type { UsedAway } from '../ports.ts'

export const awayMigrations: readonly Migration[] = [
  {
    id: 'hotspot-roaming-001',
    sql: `
      CREATE TABLE hotspot_away (
        session_id TEXT PRIMARY KEY REFERENCES hotspot_session (id) ON DELETE CASCADE,
        counter INTEGER NOT NULL,
        holder TEXT,
        spent_seconds INTEGER NOT NULL,
        spent_bytes INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
]

export interface AwayRow {
  readonly counter: number
  /** Address of the other box; null: it is here. */
  readonly holder: string | null
  /** Cumulative over the session's life; charged already. */
  readonly spent: UsedAway
}

export function findAway(tx: ReadTx, sessionId: string): AwayRow | null {
  const row = tx.get<{ counter: number; holder: string | null; spent_seconds: number; spent_bytes: number }>('SELECT counter, holder, spent_seconds, spent_bytes FROM hotspot_away WHERE session_id = ?', sessionId)
  return row === undefined ? null : { counter: row.counter, holder: row.holder, spent: { seconds: row.spent_seconds, bytes: BigInt(row.spent_bytes) } }
}

export function saveAway(tx: Tx, sessionId: string, { counter, holder, spent }: AwayRow): void {
  tx.run('INSERT OR REPLACE INTO hotspot_away VALUES (?, ?, ?, ?, ?)', sessionId, counter, holder, spent.seconds, Number(spent.bytes))
}
