/** Orders of payments: how far the channels' history went when each was given first. One that is found behind that place was paid. */
import { bytesOf } from '../../../base/index.ts'
import type { Hash } from '../../../base/index.ts'
import type { Migration, ReadTx, Tx } from '../../../store/index.ts'

/** A box has one order a carriage under way; those are the newest. */
const ORDERS_KEPT = 4096

export const orderMigrations: readonly Migration[] = [
  {
    id: 'mesh-metering-002',
    sql: `
      CREATE TABLE mesh_orders (
        number INTEGER PRIMARY KEY,
        reference BLOB NOT NULL UNIQUE,
        history_id INTEGER NOT NULL
      ) STRICT;

      -- What was spent on being carried in the day that runs; days are of running time.
      CREATE TABLE mesh_relay_day (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        age_ms REAL NOT NULL,
        began_ms REAL NOT NULL,
        spent TEXT NOT NULL
      ) STRICT;
    `,
  },
]

/** Null: it was never given. */
export function readOrder(tx: ReadTx, reference: Hash): number | null {
  return tx.get<{ history_id: number }>('SELECT history_id FROM mesh_orders WHERE reference = ?', bytesOf(reference))?.history_id ?? null
}

export function noteOrder(tx: Tx, reference: Hash, historyId: number): void {
  tx.run('INSERT INTO mesh_orders (reference, history_id) VALUES (?, ?)', bytesOf(reference), historyId)
  tx.run('DELETE FROM mesh_orders WHERE number <= (SELECT max(number) FROM mesh_orders) - ?', ORDERS_KEPT)
}

export interface DayRow {
  readonly ageMs: number
  readonly beganMs: number
  readonly spent: bigint
}

export function readDay(tx: ReadTx): DayRow | null {
  const row = tx.get<{ age_ms: number; began_ms: number; spent: string }>('SELECT age_ms, began_ms, spent FROM mesh_relay_day WHERE id = 1')
  return row === undefined ? null : { ageMs: Number(row.age_ms), beganMs: Number(row.began_ms), spent: BigInt(row.spent) }
}

export function writeDay(tx: Tx, { ageMs, beganMs, spent }: DayRow): void {
  tx.run('INSERT INTO mesh_relay_day (id, age_ms, began_ms, spent) VALUES (1, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET age_ms = excluded.age_ms, began_ms = excluded.began_ms, spent = excluded.spent', ageMs, beganMs, spent.toString())
}
