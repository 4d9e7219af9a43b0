/**
 * Minutes bought ahead: what came under a reference, how much of it was turned into time and for which device, and up to where the
 * channels' history was read. A row stays for ever: a reference is one purchase.
 */
import type { Hash } from '../../../base/index.ts'
import type { Migration, ReadTx, Tx } from '../../../store/index.ts'
import type { AheadPayment } from '../ports.ts'

export const aheadMigrations: readonly Migration[] = [
  {
    id: 'hotspot-ahead-001',
    sql: `
      CREATE TABLE hotspot_ahead (
        reference TEXT NOT NULL,
        token TEXT NOT NULL,
        payer TEXT NOT NULL,
        amount TEXT NOT NULL,
        granted TEXT NOT NULL,
        mac TEXT,
        PRIMARY KEY (reference, token)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE hotspot_ahead_mark (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        -- A row of photon_history: all up to it is in the amounts.
        mark INTEGER NOT NULL
      ) STRICT;
    `,
  },
]

export interface AheadRow {
  readonly payer: string
  /** Units that came. */
  readonly amount: bigint
  /** Of these, turned into time. */
  readonly granted: bigint
  /** Null: nothing was yet. */
  readonly mac: string | null
}

/** What came for minutes, as main reads it from the channels' history. */
export const aheadTables = {
  /** 0: nothing was read yet. */
  mark: (tx: ReadTx): number => tx.get<{ mark: number }>('SELECT mark FROM hotspot_ahead_mark WHERE one = 1')?.mark ?? 0,
  setMark(tx: Tx, mark: number): void {
    tx.run('INSERT INTO hotspot_ahead_mark VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET mark = excluded.mark', mark)
  },
  add(tx: Tx, { payer, token, amount, reference }: AheadPayment): void {
    const sum = (findAhead(tx, reference, token)?.amount ?? 0n) + amount
    tx.run("INSERT INTO hotspot_ahead VALUES (?, ?, ?, ?, '0', NULL) ON CONFLICT (reference, token) DO UPDATE SET amount = excluded.amount", reference, token, payer, sum.toString())
  },
}

export function findAhead(tx: ReadTx, reference: Hash, token: string): AheadRow | null {
  const row = tx.get<{ payer: string; amount: string; granted: string; mac: string | null }>('SELECT payer, amount, granted, mac FROM hotspot_ahead WHERE reference = ? AND token = ?', reference, token)
  return row === undefined ? null : { ...row, amount: BigInt(row.amount), granted: BigInt(row.granted) }
}

export function saveGranted(tx: Tx, reference: Hash, token: string, granted: bigint, mac: string): void {
  tx.run('UPDATE hotspot_ahead SET granted = ?, mac = ? WHERE reference = ? AND token = ?', granted.toString(), mac, reference, token)
}
