/** Bodies, receipts and the index of transactions: of the last blocks only. */
import type { Keccak } from '../../codec/fields.ts'
import { bytesOf } from '../../codec/fields.ts'
import type { Hash } from '../../codec/fields.ts'
import { decodeBody } from '../../codec/body.ts'
import type { Body } from '../../codec/body.ts'
import { hashTransaction } from '../../codec/transaction.ts'
import type { ReadTx, Tx } from '../../../store/index.ts'
import { PLACES } from '../tree.ts'

/** Encoded once, before the turn. */
export interface StoredBody {
  readonly body: Uint8Array
  readonly receipts: Uint8Array | null
}

/** Heights whose bodies one turn deletes at most. */
const HEIGHTS_PER_TURN = 1024

export function writeBody(tx: Tx, id: number, { body, receipts }: StoredBody): void {
  tx.run('INSERT INTO spectrum_body (id, body, receipts) VALUES (?, ?, ?)', id, body, receipts)
}

export function deleteBody(tx: Tx, id: number): void {
  tx.run('DELETE FROM spectrum_body WHERE id = ?', id)
}

/** `id`: of a block in the tree. */
export function readBody(tx: ReadTx, id: number): StoredBody | null {
  return tx.get<StoredBody>('SELECT body, receipts FROM spectrum_body WHERE id = ?', id) ?? null
}

/** Below the tree there is one body per height. */
export function readBodyAt(tx: ReadTx, number: number): StoredBody | null {
  return tx.get<StoredBody>('SELECT body, receipts FROM spectrum_body WHERE id >= ? AND id < ?', number * PLACES, (number + 1) * PLACES) ?? null
}

export function writeTransactions(tx: Tx, keccak: Keccak, number: number, { transactions }: Body): void {
  for (const [place, transaction] of transactions.entries())
    tx.run('INSERT OR REPLACE INTO spectrum_transaction (hash, number, place) VALUES (?, ?, ?)', bytesOf(hashTransaction(keccak, transaction)), number, place)
}

/** Of a block that was beside the chain until now. Nothing where its body is not kept. */
export function writeStoredTransactions(tx: Tx, keccak: Keccak, number: number, id: number): void {
  const stored = readBody(tx, id)
  if (stored !== null) writeTransactions(tx, keccak, number, decodeBody(stored.body))
}

export function deleteTransactionsFrom(tx: Tx, number: number): void {
  tx.run('DELETE FROM spectrum_transaction WHERE number >= ?', number)
}

export function readTransactionPlace(tx: ReadTx, hash: Hash): { readonly number: number; readonly place: number } | null {
  return tx.get<{ number: number; place: number }>('SELECT number, place FROM spectrum_transaction WHERE hash = ?', bytesOf(hash)) ?? null
}

export function deleteBodiesBelow(tx: Tx, limit: number): void {
  const lowest = tx.get<{ id: number | null }>('SELECT min(id) AS id FROM spectrum_body')?.id ?? null
  if (lowest !== null) tx.run('DELETE FROM spectrum_body WHERE id < ?', Math.min(limit, Math.floor(lowest / PLACES) + HEIGHTS_PER_TURN) * PLACES)
  const first = tx.get<{ number: number | null }>('SELECT min(number) AS number FROM spectrum_transaction')?.number ?? null
  if (first !== null) tx.run('DELETE FROM spectrum_transaction WHERE number < ?', Math.min(limit, first + HEIGHTS_PER_TURN))
}
