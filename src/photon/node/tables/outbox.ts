/** Messages without a nonce (requests, secrets, refusals) until they are acknowledged. */
import { bytesOf, hexOf } from '../../../base/index.ts'
import type { Address, Hash } from '../../../base/index.ts'
import type { ReadTx, SqlValue, Tx } from '../../../store/index.ts'

export interface OutboxRow {
  readonly id: number
  readonly peer: Address
  readonly echo: Hash
  readonly packet: Uint8Array
}

const ROWS_AT_ONCE = 16
const statements = new Map<string, string>()

export function insertOutbox(tx: Tx, contract: Address, rows: readonly OutboxRow[]): void {
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    const some = rows.slice(at, at + ROWS_AT_ONCE)
    const params: SqlValue[] = []
    for (const row of some) params.push(row.id, bytesOf(contract), bytesOf(row.peer), bytesOf(row.echo), row.packet)
    tx.run(statementOf('INSERT INTO photon_outbox (id, contract, peer, echo, packet) VALUES ', '(?, ?, ?, ?, ?)', some.length, ''), ...params)
  }
}

export function deleteOutbox(tx: Tx, ids: readonly number[]): void {
  for (let at = 0; at < ids.length; at += ROWS_AT_ONCE) {
    const some = ids.slice(at, at + ROWS_AT_ONCE)
    tx.run(statementOf('DELETE FROM photon_outbox WHERE id IN (', '?', some.length, ')'), ...some)
  }
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

/** One text per number of rows: the store keeps what it has compiled by its text. */
function statementOf(head: string, row: string, rows: number, tail: string): string {
  const name = `${head}${rows}`
  let sql = statements.get(name)
  if (sql === undefined) statements.set(name, (sql = `${head}${Array.from({ length: rows }, () => row).join(', ')}${tail}`))
  return sql
}
