/** What each watcher of each own channel was sent and keeps. A row of another life of the channel does not count. */
import type { Hash } from '../../../base/index.ts'
import type { ReadTx, Tx } from '../../../store/index.ts'
import type { ChannelKey } from '../../ports.ts'
import type { Guard } from '../guard.ts'

interface Row {
  readonly watcher: Hash
  readonly record: string
}

interface Record {
  readonly epoch: string
  readonly sent: { readonly nonce: string; readonly transferred: string; readonly job: Hash; readonly atMs: number } | null
  readonly kept: { readonly nonce: string; readonly transferred: string } | null
  readonly failures: number
}

export function guardsOf(tx: ReadTx, key: ChannelKey): readonly Guard[] {
  return tx
    .all<Row>('SELECT watcher, record FROM photon_guard WHERE channel = ? ORDER BY watcher', key.channel)
    .map((row) => ({ watcher: row.watcher, record: JSON.parse(row.record) as Record }))
    .filter(({ record }) => record.epoch === key.epoch.toString())
    .map(({ watcher, record }) => ({
      watcher,
      sent: record.sent === null ? null : { ...record.sent, nonce: BigInt(record.sent.nonce), transferred: BigInt(record.sent.transferred) },
      kept: record.kept === null ? null : { nonce: BigInt(record.kept.nonce), transferred: BigInt(record.kept.transferred) },
      failures: record.failures,
    }))
}

export function putGuard(tx: Tx, key: ChannelKey, guard: Guard): void {
  const text = (state: { readonly nonce: bigint; readonly transferred: bigint }) => ({ nonce: state.nonce.toString(), transferred: state.transferred.toString() })
  const record: Record = {
    epoch: key.epoch.toString(),
    sent: guard.sent === null ? null : { ...text(guard.sent), job: guard.sent.job, atMs: guard.sent.atMs },
    kept: guard.kept === null ? null : text(guard.kept),
    failures: guard.failures,
  }
  tx.run('INSERT INTO photon_guard (channel, watcher, record) VALUES (?, ?, ?) ON CONFLICT (channel, watcher) DO UPDATE SET record = excluded.record', key.channel, guard.watcher, JSON.stringify(record))
}

export function dropGuards(tx: Tx, channel: Hash): void {
  tx.run('DELETE FROM photon_guard WHERE channel = ?', channel)
}

export function allGuards(tx: ReadTx): number {
  return Number(tx.get<{ n: number }>('SELECT count(*) AS n FROM photon_guard')?.n ?? 0)
}
