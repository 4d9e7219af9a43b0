/** Neighbours' backups, one per owner, and the counter of one's own. */
import type { Address } from '../../../base/index.ts'
import type { ReadTx, Tx } from '../../../store/index.ts'

export function keptBackup(tx: ReadTx, owner: Address): { readonly counter: bigint; readonly blob: Uint8Array } | null {
  const row = tx.get<{ counter: string; blob: Uint8Array }>('SELECT counter, blob FROM photon_kept_backup WHERE owner = ?', owner)
  return row === undefined ? null : { counter: BigInt(row.counter), blob: new Uint8Array(row.blob) }
}

export function keptOwners(tx: ReadTx): number {
  return Number(tx.get<{ n: number }>('SELECT count(*) AS n FROM photon_kept_backup')?.n ?? 0)
}

export function putKept(tx: Tx, owner: Address, counter: bigint, blob: Uint8Array): void {
  tx.run('INSERT INTO photon_kept_backup (owner, counter, blob) VALUES (?, ?, ?) ON CONFLICT (owner) DO UPDATE SET counter = excluded.counter, blob = excluded.blob', owner, counter.toString(), blob)
}

export function lastCounter(tx: ReadTx): bigint {
  return BigInt(tx.get<{ counter: string }>('SELECT counter FROM photon_backup_counter WHERE id = 1')?.counter ?? '0')
}

export function setLastCounter(tx: Tx, counter: bigint): void {
  tx.run('INSERT INTO photon_backup_counter (id, counter) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET counter = excluded.counter', counter.toString())
}
