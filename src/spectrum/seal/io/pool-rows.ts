/** The wallets' transactions on disk: what was acknowledged outlasts a restart. */
import type { ReadTx, Tx } from '../../../store/index.ts'
import type { Hash } from '../../codec/fields.ts'

export interface PoolRow {
  readonly hash: Hash
  readonly raw: Uint8Array
  readonly minedIn: number | null
}

/** In the order they came. */
export function poolRows(tx: ReadTx, chain: Hash): readonly PoolRow[] {
  return tx
    .all<{ hash: Hash; raw: Uint8Array; mined_in: number | null }>('SELECT hash, raw, mined_in FROM spectrum_pool WHERE chain = ? ORDER BY id', chain)
    .map((row) => ({ hash: row.hash, raw: Uint8Array.from(row.raw), minedIn: row.mined_in }))
}

export function insertPoolRow(tx: Tx, chain: Hash, hash: Hash, raw: Uint8Array): void {
  tx.run('INSERT INTO spectrum_pool (chain, hash, raw, mined_in) VALUES (?, ?, ?, NULL) ON CONFLICT (chain, hash) DO UPDATE SET mined_in = NULL', chain, hash, raw)
}

/** `minedIn` null: it waits again. Nothing happens where it is not kept. */
export function setPoolRowMined(tx: Tx, chain: Hash, hash: Hash, minedIn: number | null): void {
  tx.run('UPDATE spectrum_pool SET mined_in = ? WHERE chain = ? AND hash = ?', minedIn, chain, hash)
}

export function deletePoolRow(tx: Tx, chain: Hash, hash: Hash): void {
  tx.run('DELETE FROM spectrum_pool WHERE chain = ? AND hash = ?', chain, hash)
}

/** Those in blocks that nothing can take back any more. */
export function deleteFinalPoolRows(tx: Tx, chain: Hash, number: number): void {
  tx.run('DELETE FROM spectrum_pool WHERE chain = ? AND mined_in <= ?', chain, number)
}
