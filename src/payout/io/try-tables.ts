/** Tries over other boxes: each on disk with its hash before anything of it is ordered. At most one of a payout has not failed. */
import { bytesOf, hexOf } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import type { Migration, ReadTx, Tx } from '../../store/index.ts'
import type { PayoutTry, RoutedFacts } from '../types.ts'

export const tryMigrations: readonly Migration[] = [
  {
    id: 'payout-002',
    sql: `
CREATE TABLE payout_tries (
  payout INTEGER NOT NULL,
  number INTEGER NOT NULL,
  secret_hash BLOB NOT NULL UNIQUE,
  max_fee TEXT NOT NULL,
  -- How far the channels' history went before it was ordered.
  history_id INTEGER NOT NULL,
  outcome TEXT CHECK (outcome IN ('paid', 'failed')),
  problem TEXT,
  fee TEXT,
  via TEXT,
  PRIMARY KEY (payout, number),
  CHECK ((outcome IS 'paid') = (fee IS NOT NULL) AND (outcome IS 'paid') = (via IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX payout_tries_live ON payout_tries (payout) WHERE outcome IS NOT 'failed';
`,
  },
  // NULL: of before it was written down.
  { id: 'payout-003', sql: 'ALTER TABLE payout_tries ADD COLUMN contract BLOB' },
]

interface TryRow {
  payout: number
  number: number
  secret_hash: Uint8Array
  max_fee: string
  contract: Uint8Array | null
  history_id: number
  outcome: PayoutTry['outcome']
  fee: string | null
  via: string | null
}

function toTry(row: TryRow): PayoutTry {
  const secretHash = hexOf(row.secret_hash)
  return {
    payout: row.payout,
    number: row.number,
    secretHash,
    maxFee: BigInt(row.max_fee),
    contract: row.contract === null ? null : hexOf(row.contract),
    historyId: row.history_id,
    outcome: row.outcome,
    paid: row.fee === null || row.via === null ? null : { secretHash, fee: BigInt(row.fee), via: JSON.parse(row.via) as Address[] },
  }
}

export function insertTry(tx: Tx, { payout, number, secretHash, maxFee, contract, historyId }: PayoutTry): void {
  tx.run('INSERT INTO payout_tries (payout, number, secret_hash, max_fee, contract, history_id) VALUES (?, ?, ?, ?, ?, ?)', payout, number, bytesOf(secretHash), maxFee.toString(), contract === null ? null : bytesOf(contract), historyId)
}

/** The one that has not failed. */
export function liveTry(tx: ReadTx, payout: number): PayoutTry | null {
  const row = tx.get<TryRow>("SELECT * FROM payout_tries WHERE payout = ? AND outcome IS NOT 'failed'", payout)
  return row === undefined ? null : toTry(row)
}

export function countTries(tx: ReadTx, payout: number): number {
  return tx.get<{ n: number }>('SELECT count(*) AS n FROM payout_tries WHERE payout = ?', payout)?.n ?? 0
}

/** How a paid one went; null: directly. */
export function routedOf(tx: ReadTx, payout: number): RoutedFacts | null {
  return liveTry(tx, payout)?.paid ?? null
}

export function noteTryFailed(tx: Tx, { payout, number }: PayoutTry, problem: string): void {
  tx.run("UPDATE payout_tries SET outcome = 'failed', problem = ? WHERE payout = ? AND number = ? AND outcome IS NULL", problem, payout, number)
}

export function noteTryPaid(tx: Tx, { payout, number }: PayoutTry, fee: bigint, via: readonly Address[]): void {
  tx.run("UPDATE payout_tries SET outcome = 'paid', fee = ?, via = ? WHERE payout = ? AND number = ? AND outcome IS NULL", fee.toString(), JSON.stringify(via), payout, number)
}
