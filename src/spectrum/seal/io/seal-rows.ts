/** Every seal this key made, on disk before anybody sees it: one per height, never another. */
import type { ReadTx, Tx } from '../../../store/index.ts'
import { decodeBody, encodeBody } from '../../codec/body.ts'
import type { Address, Hash } from '../../codec/fields.ts'
import { decodeHeader, encodeHeader } from '../../codec/header.ts'
import type { Block } from '../../ports.ts'

export interface SealRow {
  readonly number: number
  readonly sealHash: Hash
  readonly parentHash: Hash
  readonly block: Block
}

/** Deeper than any reorganisation that is taken (34): a row that old is never sent again. */
const KEPT_HEIGHTS = 256

/** Errors: internal `store-constraint` where this signer has a seal at this height already. */
export function insertSeal(tx: Tx, chain: Hash, signer: Address, block: Block, sealHash: Hash): void {
  const { number, parentHash } = block.header
  tx.run(
    'INSERT INTO spectrum_seal (chain, signer, number, seal_hash, parent_hash, header, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
    chain, signer, number, sealHash, parentHash, encodeHeader(block.header), encodeBody(block.body),
  )
  const floor = number - KEPT_HEIGHTS
  if (floor < 0) return
  tx.run('DELETE FROM spectrum_seal WHERE chain = ? AND signer = ? AND number <= ?', chain, signer, floor)
  raiseSealFloor(tx, chain, signer, floor)
}

/** Heights up to `number` count as sealed. */
function raiseSealFloor(tx: Tx, chain: Hash, signer: Address, number: number): void {
  tx.run('INSERT INTO spectrum_seal_floor (chain, signer, number) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET number = max(number, excluded.number)', chain, signer, number)
}

export function sealAt(tx: ReadTx, chain: Hash, signer: Address, number: number): SealRow | null {
  const row = tx.get<{ number: number; seal_hash: Hash; parent_hash: Hash; header: Uint8Array; body: Uint8Array }>(
    'SELECT number, seal_hash, parent_hash, header, body FROM spectrum_seal WHERE chain = ? AND signer = ? AND number = ?',
    chain, signer, number,
  )
  if (row === undefined) return null
  const block = { header: decodeHeader(Uint8Array.from(row.header)), body: decodeBody(Uint8Array.from(row.body)) }
  return { number: row.number, sealHash: row.seal_hash, parentHash: row.parent_hash, block }
}

export function sealHashAt(tx: ReadTx, chain: Hash, signer: Address, number: number): Hash | null {
  return tx.get<{ seal_hash: Hash }>('SELECT seal_hash FROM spectrum_seal WHERE chain = ? AND signer = ? AND number = ?', chain, signer, number)?.seal_hash ?? null
}

/** -1: none is forgotten. */
export function sealFloor(tx: ReadTx, chain: Hash, signer: Address): number {
  return tx.get<{ number: number }>('SELECT number FROM spectrum_seal_floor WHERE chain = ? AND signer = ?', chain, signer)?.number ?? -1
}
