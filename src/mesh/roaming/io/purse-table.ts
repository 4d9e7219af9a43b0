/**
 * What was paid for guests over channels, by reference: sums of the channels' history up to a row of it. The history is what holds; a
 * sum is written together with the row that it goes to, so that no payment counts twice or is left out.
 */
import { bytesOf } from '../../../base/index.ts'
import type { Address, Hash } from '../../../base/index.ts'
import type { ReadTx, Tx } from '../../../store/index.ts'

export const purseSql = `
  CREATE TABLE mesh_roam_purse (
    kind TEXT NOT NULL CHECK (kind IN ('sent', 'received')), reference BLOB NOT NULL, token TEXT NOT NULL,
    amount TEXT NOT NULL, last_id INTEGER NOT NULL,
    PRIMARY KEY (kind, reference, token)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE mesh_roam_purse_mark (one INTEGER PRIMARY KEY CHECK (one = 1), history_id INTEGER NOT NULL) STRICT;`

export interface PurseKey {
  readonly kind: 'sent' | 'received'
  readonly reference: Hash
  readonly token: Address
}

export interface PurseSum {
  readonly amount: bigint
  /** Row of the history in which the last of it stands; 0: there is none. */
  readonly lastId: number
}

export function readSum(tx: ReadTx, { kind, reference, token }: PurseKey): PurseSum {
  const row = tx.get<{ amount: string; last_id: number }>('SELECT amount, last_id FROM mesh_roam_purse WHERE kind = ? AND reference = ? AND token = ?', kind, bytesOf(reference), token)
  return row === undefined ? { amount: 0n, lastId: 0 } : { amount: BigInt(row.amount), lastId: row.last_id }
}

export function writeSum(tx: Tx, { kind, reference, token }: PurseKey, { amount, lastId }: PurseSum): void {
  tx.run('INSERT OR REPLACE INTO mesh_roam_purse VALUES (?, ?, ?, ?, ?)', kind, bytesOf(reference), token, amount.toString(), lastId)
}

export function readPurseMark(tx: ReadTx): number {
  return tx.get<{ history_id: number }>('SELECT history_id FROM mesh_roam_purse_mark WHERE one = 1')?.history_id ?? 0
}

export function writePurseMark(tx: Tx, historyId: number): void {
  tx.run('INSERT OR REPLACE INTO mesh_roam_purse_mark VALUES (1, ?)', historyId)
}
