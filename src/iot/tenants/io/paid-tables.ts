/** What came for IoT by payment channels: a sum per payer and token, and up to where the channels' history was read. */
import type { Address } from '../../../base/index.ts'
import type { Migration, ReadTx, Tx } from '../../../store/index.ts'

export const paidMigrations: readonly Migration[] = [
  {
    id: 'iot-paid-001',
    sql: `
      CREATE TABLE iot_paid (
        payer TEXT NOT NULL,
        token TEXT NOT NULL,
        amount TEXT NOT NULL,
        PRIMARY KEY (payer, token)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE iot_paid_mark (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        -- A row of photon_history: all up to it is in the sums.
        mark INTEGER NOT NULL
      ) STRICT;
    `,
  },
]

export const paidTables = {
  /** 0: nothing was read yet. */
  mark: (tx: ReadTx): number => tx.get<{ mark: number }>('SELECT mark FROM iot_paid_mark WHERE one = 1')?.mark ?? 0,
  setMark(tx: Tx, mark: number): void {
    tx.run('INSERT INTO iot_paid_mark VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET mark = excluded.mark', mark)
  },
  /** Of all that this payer paid in this token. */
  paid: (tx: ReadTx, payer: Address, token: Address): bigint => BigInt(tx.get<{ amount: string }>('SELECT amount FROM iot_paid WHERE payer = ? AND token = ?', payer, token)?.amount ?? '0'),
  add(tx: Tx, payer: Address, token: Address, amount: bigint): void {
    const sum = paidTables.paid(tx, payer, token) + amount
    tx.run('INSERT INTO iot_paid VALUES (?, ?, ?) ON CONFLICT (payer, token) DO UPDATE SET amount = excluded.amount', payer, token, sum.toString())
  },
}
