/** Late frames and what they add up to. In the box's database, so that a frame is let go and kept in one turn: it is never in both places and never in none. */
import type { Moment } from '../../../base/index.ts'
import type { Migration, ReadTx, Tx } from '../../../store/index.ts'
import type { TenantId } from '../../ports.ts'

export const lateMigrations: readonly Migration[] = [
  {
    id: 'iot-late-001',
    sql: `
      CREATE TABLE iot_late (
        -- Never used twice: a bill names it.
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        tenant TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        record BLOB NOT NULL,
        boot_id TEXT NOT NULL, boottime_ms REAL NOT NULL, wall_ms REAL NOT NULL, wall_trusted INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX iot_late_tenant ON iot_late (tenant, seq);

      CREATE TABLE iot_late_stat (
        tenant TEXT PRIMARY KEY,
        frames INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        lost INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
  { id: 'iot-late-002', sql: 'CREATE INDEX iot_late_order ON iot_late (tenant, boot_id, boottime_ms, seq);' },
]

export function addLate(tx: Tx, tenant: TenantId, record: Uint8Array, bytes: number, at: Moment): void {
  tx.run(
    'INSERT INTO iot_late (tenant, bytes, record, boot_id, boottime_ms, wall_ms, wall_trusted) VALUES (?, ?, ?, ?, ?, ?, ?)',
    tenant, bytes, record, at.bootId, at.boottimeMs, at.wallMs, at.wallTrusted ? 1 : 0,
  )
}

export function addToStat(tx: Tx, tenant: TenantId, frames: number, bytes: number, lost: number): void {
  tx.run(
    `INSERT INTO iot_late_stat (tenant, frames, bytes, lost) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET frames = frames + excluded.frames, bytes = bytes + excluded.bytes, lost = lost + excluded.lost`,
    tenant, frames, bytes, lost,
  )
}

export function lateStats(tx: ReadTx, tenant?: TenantId): { readonly frames: number; readonly bytes: number; readonly lost: number } {
  const row = tx.get<{ frames: number; bytes: number; lost: number }>(
    'SELECT coalesce(sum(frames), 0) AS frames, coalesce(sum(bytes), 0) AS bytes, coalesce(sum(lost), 0) AS lost FROM iot_late_stat WHERE ? IS NULL OR tenant = ?',
    tenant ?? null, tenant ?? null,
  )
  return row ?? { frames: 0, bytes: 0, lost: 0 }
}

export function biggestHolder(tx: ReadTx): TenantId | null {
  return tx.get<{ tenant: string }>('SELECT tenant FROM iot_late_stat WHERE frames > 0 ORDER BY bytes DESC, tenant LIMIT 1')?.tenant ?? null
}

export function oldestLate(tx: ReadTx, tenant: TenantId): { readonly seq: number; readonly bytes: number } | null {
  return tx.get<{ seq: number; bytes: number }>('SELECT seq, bytes FROM iot_late WHERE tenant = ? ORDER BY seq LIMIT 1', tenant) ?? null
}

/** Its bytes; null: it is not there. */
export function removeLate(tx: Tx, tenant: TenantId, seq: number): number | null {
  return tx.get<{ bytes: number }>('DELETE FROM iot_late WHERE tenant = ? AND seq = ? RETURNING bytes', tenant, seq)?.bytes ?? null
}

/** A moment of an earlier run of the machine is as old as both clocks say; when one was not believed, as old as this run at least. */
export function forgetLateBefore(tx: Tx, now: Moment, ageMs: number, limit: number): readonly { readonly tenant: TenantId; readonly bytes: number }[] {
  return tx.all<{ tenant: string; bytes: number }>(
    `DELETE FROM iot_late WHERE seq IN (SELECT seq FROM (SELECT seq, boot_id, boottime_ms, wall_ms, wall_trusted FROM iot_late ORDER BY seq LIMIT ?) WHERE
       (boot_id = ? AND boottime_ms < ?) OR (boot_id <> ? AND (? OR (? AND wall_trusted = 1 AND wall_ms < ?)))) RETURNING tenant, bytes`,
    limit, now.bootId, now.boottimeMs - ageMs, now.bootId, now.boottimeMs > ageMs ? 1 : 0, now.wallTrusted ? 1 : 0, now.wallMs - ageMs,
  )
}

export function removeAllLate(tx: Tx, tenant: TenantId): number {
  tx.run('DELETE FROM iot_late_stat WHERE tenant = ?', tenant)
  return tx.run('DELETE FROM iot_late WHERE tenant = ?', tenant)
}

/** Of all tenants. */
export function forgetAllLate(tx: Tx): void {
  tx.run('DELETE FROM iot_late_stat')
  tx.run('DELETE FROM iot_late')
}

/** In the order in which they were heard, which is not that in which they came here: a frame that was being delivered comes a minute after it was heard. */
export function lateOf(tx: ReadTx, tenant: TenantId, limit: number): readonly { readonly seq: number; readonly bytes: number; readonly record: Uint8Array; readonly at: Moment }[] {
  const first = tx.get<{ boot_id: string }>('SELECT boot_id FROM iot_late WHERE tenant = ? ORDER BY seq LIMIT 1', tenant)
  if (first === undefined) return []
  return tx
    .all<{ seq: number; bytes: number; record: Uint8Array; boot_id: string; boottime_ms: number; wall_ms: number; wall_trusted: number }>('SELECT * FROM iot_late WHERE tenant = ? AND boot_id = ? ORDER BY boottime_ms, seq LIMIT ?', tenant, first.boot_id, limit)
    .map((row) => ({
      seq: row.seq,
      bytes: row.bytes,
      record: new Uint8Array(row.record),
      at: { bootId: row.boot_id, boottimeMs: row.boottime_ms, wallMs: row.wall_ms, wallTrusted: row.wall_trusted === 1 },
    }))
}
