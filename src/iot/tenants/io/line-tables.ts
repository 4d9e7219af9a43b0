/** The frame counters of tenants who gave no keys, one row for each DevAddr; at most 16,384 of a tenant, those begun first go first. */
import type { Moment } from '../../../base/index.ts'
import type { ReadTx, Tx } from '../../../store/index.ts'
import type { DevAddr, TenantId } from '../../ports.ts'
import { follow } from '../line.ts'
import type { Line, LineVerdict } from '../line.ts'

/** More devices than one concentrator can serve (10,000 that speak ten times a day). */
const MAX_LINES_PER_TENANT = 16_384

export const LINE_TABLE = `
      CREATE TABLE iot_line (
        id INTEGER PRIMARY KEY,
        tenant TEXT NOT NULL REFERENCES iot_tenant (id),
        dev_addr INTEGER NOT NULL,
        last INTEGER NOT NULL,
        run_last INTEGER, run_frames INTEGER,
        boot_id TEXT, boottime_ms REAL, wall_ms REAL, wall_trusted INTEGER,
        UNIQUE (tenant, dev_addr)
      ) STRICT;
`

/** In it the rows of a tenant lie in the order in which they were begun, so that no other tenant's are read for his oldest. */
export const LINE_INDEX = 'CREATE INDEX iot_line_tenant ON iot_line (tenant);'

interface LineRow {
  last: number
  run_last: number | null
  run_frames: number
  boot_id: string
  boottime_ms: number
  wall_ms: number
  wall_trusted: number
}

/** Judges a frame by its 16 bits, and stores what follows. */
export function moveLine(tx: Tx, tenant: TenantId, devAddr: DevAddr, fCnt16: number, at: Moment, mayRestart: boolean): LineVerdict {
  const row = tx.get<LineRow>('SELECT last, run_last, run_frames, boot_id, boottime_ms, wall_ms, wall_trusted FROM iot_line WHERE tenant = ? AND dev_addr = ?', tenant, devAddr)
  const before = row === undefined ? null : toLine(row)
  const { verdict, line } = follow(before, fCnt16, at, mayRestart)
  if (line === before) return verdict
  const { last, run } = line
  tx.run(
    `INSERT INTO iot_line (tenant, dev_addr, last, run_last, run_frames, boot_id, boottime_ms, wall_ms, wall_trusted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (tenant, dev_addr) DO UPDATE SET last = excluded.last, run_last = excluded.run_last, run_frames = excluded.run_frames, boot_id = excluded.boot_id,
       boottime_ms = excluded.boottime_ms, wall_ms = excluded.wall_ms, wall_trusted = excluded.wall_trusted`,
    tenant, devAddr, last, ...(run === null ? NO_RUN : [run.last, run.frames, run.since.bootId, run.since.boottimeMs, run.since.wallMs, run.since.wallTrusted ? 1 : 0]),
  )
  return verdict
}

const NO_RUN: readonly null[] = [null, null, null, null, null, null]

function toLine(row: LineRow): Line {
  if (row.run_last === null) return { last: row.last, run: null }
  const since = { bootId: row.boot_id, boottimeMs: row.boottime_ms, wallMs: row.wall_ms, wallTrusted: row.wall_trusted === 1 }
  return { last: row.last, run: { last: row.run_last, frames: row.run_frames, since } }
}

/** How many are beyond what is kept of a tenant. Reads all of them. */
export function surplusLines(tx: ReadTx, tenant: TenantId, most = MAX_LINES_PER_TENANT): number {
  return Math.max(0, (tx.get<{ count: number }>('SELECT count(*) AS count FROM iot_line WHERE tenant = ?', tenant)?.count ?? 0) - most)
}

/** Of a tenant who is gone. */
export function forgetLines(tx: Tx, tenant: TenantId): void {
  tx.run('DELETE FROM iot_line WHERE tenant = ?', tenant)
}

export function forgetOldestLines(tx: Tx, tenant: TenantId, limit: number): number {
  return tx.run('DELETE FROM iot_line WHERE id IN (SELECT id FROM iot_line WHERE tenant = ? ORDER BY id LIMIT ?)', tenant, limit)
}
