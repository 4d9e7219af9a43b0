/** Messages without a nonce (requests, secrets, refusals) until they are acknowledged. */
import { bytesOf, hexOf } from '../../../base/index.ts'
import type { Address, Hash } from '../../../base/index.ts'
import type { ReadTx, Tx } from '../../../store/index.ts'

export interface OutboxRow {
  readonly id: number
  readonly peer: Address
  readonly echo: Hash
  readonly packet: Uint8Array
}

export function insertOutbox(tx: Tx, contract: Address, row: OutboxRow): void {
  tx.run('INSERT INTO photon_outbox (id, contract, peer, echo, packet) VALUES (?, ?, ?, ?, ?)', row.id, bytesOf(contract), bytesOf(row.peer), bytesOf(row.echo), row.packet)
}

export function deleteOutbox(tx: Tx, id: number): void {
  tx.run('DELETE FROM photon_outbox WHERE id = ?', id)
}

export function readOutbox(tx: ReadTx, contract: Address): readonly OutboxRow[] {
  return tx
    .all<{ id: number; peer: Uint8Array; echo: Uint8Array; packet: Uint8Array }>('SELECT id, peer, echo, packet FROM photon_outbox WHERE contract = ? ORDER BY id', bytesOf(contract))
    .map((row) => ({ id: row.id, peer: hexOf(row.peer), echo: hexOf(row.echo), packet: new Uint8Array(row.packet) }))
}

/** Of all contracts: the ids are shared. */
export function nextOutboxId(tx: ReadTx): number {
  return (tx.get<{ id: number }>('SELECT coalesce(max(id), 0) + 1 AS id FROM photon_outbox')?.id ?? 1)
}
