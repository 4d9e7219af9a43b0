/**
 * Sessions on disk: one row for what seldom changes, one per allotment and device, and one narrow row with
 * what changes all the time (`hotspot_progress`), so that a checkpoint of all running sessions writes few pages.
 */
import type { Moment } from '../../base/index.ts'
import type { ReadTx, SqlValue, Tx } from '../../store/index.ts'
import { NOTHING_READ } from '../session/index.ts'
import type { Allotment, Device, Reading, Session } from '../session/index.ts'
import type { EndReason, PauseReason, SessionState } from '../types.ts'

/** Ended sessions beyond the newest so many are forgotten; their money stays in the ledger. */
const KEPT_ENDED_SESSIONS = 20_000

interface SessionRow {
  id: string
  state: SessionState
  end_reason: EndReason | null
  pause_reason: PauseReason | null
  ticket_counter: number
  started_boot_id: string | null
  started_boottime_ms: number | null
  started_wall_ms: number | null
  started_wall_trusted: number | null
  ended_boot_id: string | null
  ended_boottime_ms: number | null
  ended_wall_ms: number | null
  ended_wall_trusted: number | null
  token_symbol: string | null
  token_decimals: number | null
}
interface AllotmentRow {
  session_id: string
  seq: number
  source: Allotment['source']
  bearer: string | null
  label: string
  granted_ms: number | null
  granted_bytes: number | null
  devices: number
  down_kbps: number | null
  up_kbps: number | null
  price: string
  refunded: string
  entry_id: number | null
  is_void: number
}
interface DeviceRow {
  session_id: string
  mac: string
  ip4: string | null
  is_bound: number
  by_ticket: number
}
interface ProgressRow {
  session_id: string
  boot_id: string
  counted_to_ms: number | null
  open_until_ms: number | null
  used: string
}
type PackedReading = readonly [up: number, down: number, upPackets: number, downPackets: number]
/** `hotspot_progress.used`: allotments in their order, devices by MAC. */
interface Used {
  readonly allotments: readonly (readonly [ms: number, bytes: number])[]
  readonly bytes: readonly [up: number, down: number]
  readonly devices: Readonly<Record<string, readonly [seen: PackedReading, used: PackedReading]>>
}

/** Writes the whole session. Amounts and terms of an allotment never change, its place neither. */
export function saveSession(tx: Tx, session: Session, bootId: string): void {
  tx.run(
    `INSERT INTO hotspot_session VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET state = excluded.state, end_reason = excluded.end_reason,
       pause_reason = excluded.pause_reason, ticket_counter = excluded.ticket_counter,
       ended_boot_id = excluded.ended_boot_id, ended_boottime_ms = excluded.ended_boottime_ms,
       ended_wall_ms = excluded.ended_wall_ms, ended_wall_trusted = excluded.ended_wall_trusted`,
    session.id,
    session.state,
    session.endReason,
    session.pauseReason,
    session.ticketCounter,
    ...momentColumns(session.started),
    ...momentColumns(session.ended),
    session.token?.symbol ?? null,
    session.token?.decimals ?? null,
  )
  for (const each of session.allotments)
    tx.run(
      `INSERT INTO hotspot_allotment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (session_id, seq) DO UPDATE SET refunded = excluded.refunded, is_void = excluded.is_void`,
      session.id,
      each.seq,
      each.source,
      each.bearer,
      each.label,
      each.grantedMs,
      each.grantedBytes,
      each.devices,
      each.downKbps,
      each.upKbps,
      each.price.toString(),
      each.refunded.toString(),
      each.entryId,
      each.isVoid ? 1 : 0,
    )
  for (const [position, device] of session.devices.entries())
    tx.run(
      'INSERT OR REPLACE INTO hotspot_device VALUES (?, ?, ?, ?, ?, ?)',
      session.id,
      position,
      device.mac,
      device.ip4,
      device.isBound ? 1 : 0,
      device.byTicket ? 1 : 0,
    )
  tx.run('DELETE FROM hotspot_device WHERE session_id = ? AND position >= ?', session.id, session.devices.length)
  saveProgress(tx, session, bootId)
}

/** Only the used time and bytes: what a checkpoint writes. The session itself must have been saved. */
export function saveProgress(tx: Tx, session: Session, bootId: string): void {
  const used: Used = {
    allotments: session.allotments.map((each) => [each.usedMs, each.usedBytes]),
    bytes: [session.upBytes, session.downBytes],
    devices: Object.fromEntries(session.devices.map((device) => [device.mac, [pack(device.seen), pack(device.used)]])),
  }
  tx.run(
    'INSERT OR REPLACE INTO hotspot_progress VALUES (?, ?, ?, ?, ?)',
    session.id,
    bootId,
    session.run?.countedToMs ?? null,
    session.run?.openUntilMs ?? null,
    JSON.stringify(used),
  )
}

/** A session, and the boot in which its clock readings were taken. */
export interface StoredSession {
  readonly session: Session
  readonly bootId: string
}

/** All that are not over, oldest first. */
export function openSessions(tx: ReadTx): StoredSession[] {
  const open = `SELECT id FROM hotspot_session WHERE state <> 'ended'`
  return assemble(
    tx.all<SessionRow>(`SELECT * FROM hotspot_session WHERE state <> 'ended' ORDER BY id`),
    tx.all<AllotmentRow>(`SELECT * FROM hotspot_allotment WHERE session_id IN (${open}) ORDER BY session_id, seq`),
    tx.all<DeviceRow>(`SELECT * FROM hotspot_device WHERE session_id IN (${open}) ORDER BY session_id, position`),
    tx.all<ProgressRow>(`SELECT * FROM hotspot_progress WHERE session_id IN (${open})`),
  )
}

export function findSession(tx: ReadTx, id: string): StoredSession | null {
  return (
    assemble(
      tx.all<SessionRow>('SELECT * FROM hotspot_session WHERE id = ?', id),
      tx.all<AllotmentRow>('SELECT * FROM hotspot_allotment WHERE session_id = ? ORDER BY seq', id),
      tx.all<DeviceRow>('SELECT * FROM hotspot_device WHERE session_id = ? ORDER BY position', id),
      tx.all<ProgressRow>('SELECT * FROM hotspot_progress WHERE session_id = ?', id),
    )[0] ?? null
  )
}

/** Ids of all sessions, newest first, older than `beforeId` if that is given. */
export function sessionIds(tx: ReadTx, limit: number, beforeId: string | null): string[] {
  const rows =
    beforeId === null
      ? tx.all<{ id: string }>('SELECT id FROM hotspot_session ORDER BY id DESC LIMIT ?', limit)
      : tx.all<{ id: string }>('SELECT id FROM hotspot_session WHERE id < ? ORDER BY id DESC LIMIT ?', beforeId, limit)
  return rows.map((row) => row.id)
}

export function countSessions(tx: ReadTx): number {
  return tx.get<{ n: number }>('SELECT count(*) AS n FROM hotspot_session')?.n ?? 0
}

/** The newest session that this device was last seen in. */
export function lastSessionOf(tx: ReadTx, mac: string): StoredSession | null {
  const row = tx.get<{ id: string }>(
    'SELECT session_id AS id FROM hotspot_device WHERE mac = ? AND is_bound = 1 ORDER BY session_id DESC LIMIT 1',
    mac,
  )
  return row === undefined ? null : findSession(tx, row.id)
}

/** Forgets the oldest ended sessions beyond `kept`, but for what a stream that is not over used in one. Number of them. */
export function forgetOldSessions(tx: Tx, kept = KEPT_ENDED_SESSIONS): number {
  const oldest = tx.get<{ id: string }>(
    `SELECT id FROM hotspot_session WHERE state = 'ended' ORDER BY id DESC LIMIT 1 OFFSET ?`,
    kept,
  )
  return oldest === undefined ? 0 : tx.run(`DELETE FROM hotspot_session WHERE state = 'ended' AND id <= ? AND id NOT IN (SELECT session_id FROM hotspot_stream WHERE is_over = 0)`, oldest.id)
}

function assemble(
  sessions: readonly SessionRow[],
  allotments: readonly AllotmentRow[],
  devices: readonly DeviceRow[],
  progress: readonly ProgressRow[],
): StoredSession[] {
  const allotmentsOf = bySession(allotments)
  const devicesOf = bySession(devices)
  const progressOf = new Map(progress.map((row) => [row.session_id, row]))
  return sessions.map((row) => {
    const now = progressOf.get(row.id)
    const used: Used = now === undefined ? { allotments: [], bytes: [0, 0], devices: {} } : (JSON.parse(now.used) as Used)
    const session: Session = {
      id: row.id,
      state: row.state,
      endReason: row.end_reason,
      pauseReason: row.pause_reason,
      ticketCounter: row.ticket_counter,
      token: row.token_symbol === null || row.token_decimals === null ? null : { symbol: row.token_symbol, decimals: row.token_decimals },
      allotments: (allotmentsOf.get(row.id) ?? []).map((each, index) => toAllotment(each, used.allotments[index] ?? [0, 0])),
      devices: (devicesOf.get(row.id) ?? []).map((each) => toDevice(each, used.devices[each.mac])),
      upBytes: used.bytes[0],
      downBytes: used.bytes[1],
      run:
        row.state !== 'active' || now === undefined || now.counted_to_ms === null || now.open_until_ms === null
          ? null
          : { countedToMs: now.counted_to_ms, openUntilMs: now.open_until_ms },
      started: toMoment(row.started_boot_id, row.started_boottime_ms, row.started_wall_ms, row.started_wall_trusted),
      ended: toMoment(row.ended_boot_id, row.ended_boottime_ms, row.ended_wall_ms, row.ended_wall_trusted),
    }
    return { session, bootId: now?.boot_id ?? '' }
  })
}

function bySession<Row extends { readonly session_id: string }>(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const group = groups.get(row.session_id)
    if (group === undefined) groups.set(row.session_id, [row])
    else group.push(row)
  }
  return groups
}

function toAllotment(row: AllotmentRow, [usedMs, usedBytes]: readonly [number, number]): Allotment {
  return {
    seq: row.seq,
    source: row.source,
    bearer: row.bearer,
    label: row.label,
    grantedMs: row.granted_ms,
    grantedBytes: row.granted_bytes,
    devices: row.devices,
    downKbps: row.down_kbps,
    upKbps: row.up_kbps,
    price: BigInt(row.price),
    refunded: BigInt(row.refunded),
    entryId: row.entry_id,
    isVoid: row.is_void === 1,
    usedMs,
    usedBytes,
  }
}

function toDevice(row: DeviceRow, counted: Used['devices'][string] | undefined): Device {
  return {
    mac: row.mac,
    ip4: row.ip4,
    isBound: row.is_bound === 1,
    byTicket: row.by_ticket === 1,
    seen: counted === undefined ? NOTHING_READ : unpack(counted[0]),
    used: counted === undefined ? NOTHING_READ : unpack(counted[1]),
  }
}

function toMoment(bootId: string | null, boottimeMs: number | null, wallMs: number | null, trusted: number | null): Moment | null {
  if (bootId === null || boottimeMs === null || wallMs === null) return null
  return { bootId, boottimeMs, wallMs, wallTrusted: trusted === 1 }
}

function momentColumns(moment: Moment | null): [SqlValue, SqlValue, SqlValue, SqlValue] {
  if (moment === null) return [null, null, null, null]
  return [moment.bootId, moment.boottimeMs, moment.wallMs, moment.wallTrusted ? 1 : 0]
}

function pack(reading: Reading): PackedReading {
  return [reading.upBytes, reading.downBytes, reading.upPackets, reading.downPackets]
}

function unpack([upBytes, downBytes, upPackets, downPackets]: PackedReading): Reading {
  return { upBytes, downBytes, upPackets, downPackets }
}
