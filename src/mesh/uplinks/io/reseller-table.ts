/** What was bought upstream, one row per uplink: the order whose fate is open, and what the day has cost. Amounts are decimal text. */
import type { Address, Hash } from '../../../base/index.ts'
import type { Migration, Store, Tx } from '../../../store/index.ts'
import type { ResellerRecord, UpstreamOrder } from '../reseller.ts'
import type { ResellerBook } from '../upstream-purse.ts'

export const uplinkMigrations: readonly Migration[] = [
  {
    id: 'mesh-uplinks-001',
    sql: `
      CREATE TABLE mesh_upstream (
        uplink TEXT PRIMARY KEY,
        age_ms REAL NOT NULL, day_began_age_ms REAL NOT NULL,
        spent_in_day TEXT NOT NULL, spent_in_all TEXT NOT NULL,
        reference TEXT, payee TEXT, token TEXT, units_per_minute TEXT, min_seconds INTEGER, max_seconds INTEGER, seconds INTEGER, amount TEXT
      ) STRICT, WITHOUT ROWID;`,
  },
]

interface Row {
  age_ms: number
  day_began_age_ms: number
  spent_in_day: string
  spent_in_all: string
  reference: string | null
  payee: string
  token: string
  units_per_minute: string
  min_seconds: number
  max_seconds: number
  seconds: number
  amount: string
}

/** `onBought`: in the turn in which an order is done with, so once for each. */
export function createResellerBook(store: Store, onBought: (tx: Tx, uplink: string, order: UpstreamOrder) => void): ResellerBook {
  return {
    read(uplink): ResellerRecord | null {
      const row = store.read((tx) => tx.get<Row>('SELECT * FROM mesh_upstream WHERE uplink = ?', uplink))
      if (row === undefined) return null
      const offer = { payee: row.payee as Address, token: row.token as Address, unitsPerMinute: BigInt(row.units_per_minute ?? 0), minSeconds: Number(row.min_seconds), maxSeconds: Number(row.max_seconds) }
      return {
        order: row.reference === null ? null : { reference: row.reference as Hash, offer, seconds: Number(row.seconds), amount: BigInt(row.amount) },
        ageMs: Number(row.age_ms),
        dayBeganAgeMs: Number(row.day_began_age_ms),
        spentInDay: BigInt(row.spent_in_day),
        spentInAll: BigInt(row.spent_in_all),
      }
    },
    write(uplink, { order, ageMs, dayBeganAgeMs, spentInDay, spentInAll }, bought): Promise<void> {
      const offer = order?.offer
      return store.turn((tx) => {
        if (bought !== null) onBought(tx, uplink, bought)
        tx.run(
          'INSERT OR REPLACE INTO mesh_upstream VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
          uplink,
          ageMs,
          dayBeganAgeMs,
          spentInDay.toString(),
          spentInAll.toString(),
          order?.reference ?? null,
          offer?.payee ?? null,
          offer?.token ?? null,
          offer?.unitsPerMinute.toString() ?? null,
          offer?.minSeconds ?? null,
          offer?.maxSeconds ?? null,
          order?.seconds ?? null,
          order?.amount.toString() ?? null,
        )
      })
    },
  }
}
