/**
 * Readings on disk. Beside each row its hour's sums per value, so that a plot of a year need not read a year; and per device what it
 * takes: rows are counted when it is time to prune, many at once, since a count kept with every frame is a page written with every frame.
 * Hours and names live as long as the readings they are of.
 */
import type { Moment } from '../../../base/index.ts'
import type { Migration, ReadTx, Tx } from '../../../store/index.ts'
import type { Eui, LogTables, Reading, Value } from '../../ports.ts'
import { recordOf, restOf } from '../record.ts'
import { HOUR_MS, checkAsk, downSample, plottable } from '../series.ts'
import type { Piece } from '../series.ts'

export const logMigrations: readonly Migration[] = [
  {
    id: 'iot-log-001',
    sql: `
      CREATE TABLE iot_reading (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        dev_eui TEXT NOT NULL,
        f_cnt INTEGER NOT NULL,
        wall_ms INTEGER NOT NULL,
        wall_trusted INTEGER NOT NULL,
        boot_id TEXT NOT NULL,
        boottime_ms REAL NOT NULL,
        record TEXT NOT NULL,
        vals TEXT,
        problem TEXT,
        bytes INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX iot_reading_of ON iot_reading (dev_eui);
      CREATE INDEX iot_reading_at ON iot_reading (dev_eui, wall_ms, wall_trusted);
      CREATE TABLE iot_reading_hour (
        dev_eui TEXT NOT NULL,
        name TEXT NOT NULL,
        hour INTEGER NOT NULL,
        count INTEGER NOT NULL,
        sum REAL NOT NULL,
        least REAL NOT NULL,
        most REAL NOT NULL,
        PRIMARY KEY (dev_eui, name, hour)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX iot_reading_hour_at ON iot_reading_hour (dev_eui, hour);
      CREATE TABLE iot_reading_name (
        dev_eui TEXT NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (dev_eui, name)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE iot_reading_size (
        dev_eui TEXT PRIMARY KEY,
        rows INTEGER NOT NULL,
        bytes INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    id: 'iot-log-002',
    // Up to this row all are in the sizes. Until now each was when it was written.
    sql: `
      CREATE TABLE iot_reading_counted (one INTEGER PRIMARY KEY CHECK (one = 1), id INTEGER NOT NULL) STRICT;
      INSERT INTO iot_reading_counted SELECT 1, coalesce(max(id), 0) FROM iot_reading;
    `,
  },
]

export interface LogLimits {
  readonly days: number
  /** Of all devices together; whoever has the most loses his oldest first. */
  readonly maxBytes: number
  /** Per device. Default 1,000,000. */
  readonly maxRows?: number
}

/** What the desk needs beyond the port. */
export interface DataLogTables extends LogTables {
  /** Of values that were ever read, in order of the alphabet; at most 256. */
  names(tx: ReadTx, devEui: Eui): readonly string[]
  /** By time, then in order of arrival, for an export; at most `limit`, after the row that `after` names. */
  span(tx: ReadTx, ask: { readonly devEui: Eui; readonly fromWallMs: number; readonly toWallMs: number; readonly after: { readonly wallMs: number; readonly id: number } | null; readonly limit: number }): readonly (Reading & { readonly id: number })[]
  /** Of all devices, in order of arrival, above `id`. */
  after(tx: ReadTx, id: number, limit: number): readonly (Reading & { readonly id: number })[]
  /** Id of the last row there ever was; 0: none. */
  newest(tx: ReadTx): number
}

interface Row {
  readonly id: number
  readonly dev_eui: string
  readonly f_cnt: number
  readonly wall_ms: number
  readonly wall_trusted: number
  readonly boot_id: string
  readonly boottime_ms: number
  readonly record: string
  readonly vals: string | null
  readonly problem: string | null
  readonly bytes: number
}

/** What SQLite needs for a row and its places in the indices; about. */
const ROW_BYTES = 160
const HOUR_BYTES = 110
const MAX_NAMES = 256
/** Rows of one prune: a turn stays short. */
const PRUNED_AT_ONCE = 200
const COUNTED_AT_ONCE = 1_000
/** A plot of more readings than these is made of hours: a day of one a minute is still read whole, in some milliseconds. */
const MAX_ROWS_READ = 1_500
const DAY_MS = 86_400_000

export function createLogTables(limits: LogLimits): DataLogTables {
  return {
    add(tx, reading) {
      const { devEui, at } = reading
      const record = recordOf(reading)
      const vals = reading.values === null ? null : JSON.stringify(reading.values)
      const bytes = ROW_BYTES + record.length + (vals?.length ?? 0)
      const id = tx.insert(
        'INSERT INTO iot_reading (dev_eui, f_cnt, wall_ms, wall_trusted, boot_id, boottime_ms, record, vals, problem, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        devEui, reading.fCnt, Math.round(at.wallMs), at.wallTrusted ? 1 : 0, at.bootId, at.boottimeMs, record, vals, reading.problem, bytes,
      )
      if (reading.values !== null) countValues(tx, devEui, at.wallMs, reading.values)
      return id
    },

    setValues(tx, devEui, fCnt, values, problem) {
      const row = tx.get<Row>('SELECT * FROM iot_reading WHERE dev_eui = ? AND f_cnt = ? ORDER BY id DESC LIMIT 1', devEui, fCnt)
      if (row === undefined) return
      const vals = values === null ? null : JSON.stringify(values)
      const more = (vals?.length ?? 0) - (row.vals?.length ?? 0)
      tx.run('UPDATE iot_reading SET vals = ?, problem = ?, bytes = bytes + ? WHERE id = ?', vals, problem, more, row.id)
      if (more !== 0 && row.id <= countedTo(tx)) grow(tx, devEui, 0, more)
      // What was counted once stays: an hour's sums cannot be taken back.
      if (row.vals === null) countValues(tx, devEui, row.wall_ms, values ?? [])
    },

    rows: (tx, { devEui, beforeId, limit }) =>
      tx.all<Row>('SELECT * FROM iot_reading WHERE dev_eui = ? AND id < ? ORDER BY id DESC LIMIT ?', devEui, beforeId ?? Number.MAX_SAFE_INTEGER, limit).map(readingOf),

    span: (tx, { devEui, fromWallMs, toWallMs, after, limit }) =>
      tx
        .all<Row>(
          'SELECT * FROM iot_reading WHERE dev_eui = ? AND wall_ms < ? AND (wall_ms, id) > (?, ?) ORDER BY wall_ms, id LIMIT ?',
          devEui, toWallMs, after?.wallMs ?? fromWallMs, after?.id ?? -1, limit,
        )
        .map(readingOf),

    after: (tx, id, limit) => tx.all<Row>('SELECT * FROM iot_reading WHERE id > ? ORDER BY id LIMIT ?', id, limit).map(readingOf),

    newest: (tx) => tx.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'iot_reading'")?.seq ?? 0,

    names: (tx, devEui) => tx.all<{ name: string }>('SELECT name FROM iot_reading_name WHERE dev_eui = ? ORDER BY name', devEui).map(({ name }) => name),

    series(tx, ask) {
      checkAsk(ask)
      const { devEui, name, fromWallMs, toWallMs } = ask
      const found = tx.get<{ rows: number }>('SELECT count(*) AS rows FROM (SELECT 1 FROM iot_reading WHERE dev_eui = ? AND wall_ms >= ? AND wall_ms < ? LIMIT ?)', devEui, fromWallMs, toWallMs, MAX_ROWS_READ + 1)
      if ((found?.rows ?? 0) <= MAX_ROWS_READ) {
        const rows = tx.all<{ wall_ms: number; vals: string }>('SELECT wall_ms, vals FROM iot_reading WHERE dev_eui = ? AND wall_ms >= ? AND wall_ms < ? AND vals IS NOT NULL', devEui, fromWallMs, toWallMs)
        return downSample(piecesOf(rows, name), ask)
      }
      const hours = tx.all<Omit<Piece, 'wallMs'> & { readonly hour: number }>(
        'SELECT hour, count, sum, least, most FROM iot_reading_hour WHERE dev_eui = ? AND name = ? AND hour >= ? AND hour < ?',
        devEui, name, Math.floor(fromWallMs / HOUR_MS), Math.ceil(toWallMs / HOUR_MS),
      )
      return downSample(hours.map(({ hour, ...sums }) => ({ ...sums, wallMs: Math.min(Math.max(hour * HOUR_MS + HOUR_MS / 2, fromWallMs), toWallMs - 1) })), ask)
    },

    prune: (tx, now) => prune(tx, limits, now),
  }
}

function readingOf(row: Row): Reading & { readonly id: number } {
  return {
    ...restOf(row.record),
    id: row.id,
    devEui: row.dev_eui,
    fCnt: row.f_cnt,
    values: row.vals === null ? null : (JSON.parse(row.vals) as readonly Value[]),
    problem: row.problem,
    at: { bootId: row.boot_id, boottimeMs: row.boottime_ms, wallMs: row.wall_ms, wallTrusted: row.wall_trusted === 1 },
  }
}

function* piecesOf(rows: readonly { readonly wall_ms: number; readonly vals: string }[], name: string): Iterable<Piece> {
  // Most texts are not parsed at all: a device may send several kinds of readings.
  const quoted = JSON.stringify(name)
  for (const { wall_ms, vals } of rows) {
    if (!vals.includes(quoted)) continue
    const found = (JSON.parse(vals) as readonly Value[]).find((value) => value.name === name)
    const number = found === undefined ? null : plottable(found.value)
    if (number !== null) yield { wallMs: wall_ms, count: 1, sum: number, least: number, most: number }
  }
}

/** Names and hours, with the bytes of hours that are new. */
function countValues(tx: Tx, devEui: Eui, wallMs: number, values: readonly Value[]): void {
  const hour = Math.floor(wallMs / HOUR_MS)
  for (const { name, value } of values) {
    const isNew = tx.run('INSERT OR IGNORE INTO iot_reading_name SELECT ?, ? WHERE (SELECT count(*) FROM iot_reading_name WHERE dev_eui = ?) < ?', devEui, name, devEui, MAX_NAMES)
    const isKnown = isNew > 0 || tx.get('SELECT 1 FROM iot_reading_name WHERE dev_eui = ? AND name = ?', devEui, name) !== undefined
    const number = plottable(value)
    if (!isKnown || number === null) continue
    const changed = tx.run(
      'UPDATE iot_reading_hour SET count = count + 1, sum = sum + ?, least = min(least, ?), most = max(most, ?) WHERE dev_eui = ? AND name = ? AND hour = ?',
      number, number, number, devEui, name, hour,
    )
    if (changed > 0) continue
    tx.run('INSERT INTO iot_reading_hour VALUES (?, ?, ?, 1, ?, ?, ?)', devEui, name, hour, number, number, number)
    grow(tx, devEui, 0, HOUR_BYTES)
  }
}

function grow(tx: Tx, devEui: Eui, rows: number, bytes: number): void {
  tx.run('INSERT INTO iot_reading_size VALUES (?, ?, ?) ON CONFLICT (dev_eui) DO UPDATE SET rows = rows + excluded.rows, bytes = bytes + excluded.bytes', devEui, rows, bytes)
}

function countedTo(tx: ReadTx): number {
  return tx.get<{ id: number }>('SELECT id FROM iot_reading_counted')?.id ?? 0
}

/** Puts rows into the sizes that are in none yet. Rows counted; fewer than COUNTED_AT_ONCE: all are. */
function countNew(tx: Tx): number {
  const from = countedTo(tx)
  const last = tx.get<{ rows: number; id: number | null }>('SELECT count(*) AS rows, max(id) AS id FROM (SELECT id FROM iot_reading WHERE id > ? ORDER BY id LIMIT ?)', from, COUNTED_AT_ONCE)
  if (last === undefined || last.id === null) return 0
  for (const { devEui, rows, bytes } of tx.all<{ devEui: string; rows: number; bytes: number }>('SELECT dev_eui AS devEui, count(*) AS rows, sum(bytes) AS bytes FROM iot_reading WHERE id > ? AND id <= ? GROUP BY +dev_eui', from, last.id))
    grow(tx, devEui, rows, bytes)
  tx.run('UPDATE iot_reading_counted SET id = ?', last.id)
  return last.rows
}

/** Rows counted and taken away; 0: nothing more to do for now. */
function prune(tx: Tx, limits: LogLimits, now: Moment): number {
  const counted = countNew(tx)
  if (counted === COUNTED_AT_ONCE) return counted
  let left = PRUNED_AT_ONCE
  const sizes = tx.all<{ dev_eui: string; rows: number; bytes: number }>('SELECT * FROM iot_reading_size ORDER BY bytes DESC')
  for (const { dev_eui: devEui } of sizes) if (left > 0 && now.wallTrusted) left -= take(tx, devEui, expiredUpTo(tx, devEui, now.wallMs - limits.days * DAY_MS), left)
  const maxRows = limits.maxRows ?? 1_000_000
  for (const { dev_eui: devEui } of sizes) {
    const rows = tx.get<{ rows: number }>('SELECT rows FROM iot_reading_size WHERE dev_eui = ?', devEui)?.rows ?? 0
    if (rows > maxRows && left > 0) left -= take(tx, devEui, Number.MAX_SAFE_INTEGER, Math.min(left, rows - maxRows))
  }
  while (left > 0) {
    const total = tx.get<{ bytes: number | null }>('SELECT sum(bytes) AS bytes FROM iot_reading_size')?.bytes ?? 0
    const largest = tx.get<{ dev_eui: string; rows: number; bytes: number }>('SELECT * FROM iot_reading_size ORDER BY bytes DESC LIMIT 1')
    if (total <= limits.maxBytes || largest === undefined || largest.rows === 0) break
    const each = largest.bytes / largest.rows
    const taken = take(tx, largest.dev_eui, Number.MAX_SAFE_INTEGER, Math.min(left, Math.max(1, Math.ceil((total - limits.maxBytes) / each / 2))))
    if (taken === 0) break
    left -= taken
  }
  return PRUNED_AT_ONCE - left
}

/**
 * The newest row that is too old, and with it all before it: rows from before the clock was set say nothing of their age, their place
 * among the others does.
 */
function expiredUpTo(tx: Tx, devEui: Eui, cutMs: number): number {
  return tx.get<{ id: number | null }>('SELECT max(id) AS id FROM iot_reading WHERE dev_eui = ? AND wall_trusted = 1 AND wall_ms < ?', devEui, cutMs)?.id ?? -1
}

/** The oldest `limit` rows up to and with `id`, and hours that no row is left of. */
function take(tx: Tx, devEui: Eui, id: number, limit: number): number {
  const gone = tx.get<{ rows: number; bytes: number | null; last: number | null }>(
    'SELECT count(*) AS rows, sum(bytes) AS bytes, max(id) AS last FROM (SELECT id, bytes FROM iot_reading WHERE dev_eui = ? AND id <= ? ORDER BY id LIMIT ?)',
    devEui, id, limit,
  )
  if (gone === undefined || gone.last === null) return 0
  tx.run('DELETE FROM iot_reading WHERE dev_eui = ? AND id <= ?', devEui, gone.last)
  const oldest = tx.get<{ wall_ms: number | null }>('SELECT min(wall_ms) AS wall_ms FROM iot_reading WHERE dev_eui = ?', devEui)?.wall_ms ?? null
  const hours = tx.run('DELETE FROM iot_reading_hour WHERE dev_eui = ? AND hour < ?', devEui, oldest === null ? Number.MAX_SAFE_INTEGER : Math.floor(oldest / HOUR_MS))
  if (oldest === null) {
    tx.run('DELETE FROM iot_reading_name WHERE dev_eui = ?', devEui)
    tx.run('DELETE FROM iot_reading_size WHERE dev_eui = ?', devEui)
  } else grow(tx, devEui, -gone.rows, -(gone.bytes ?? 0) - hours * HOUR_BYTES)
  return gone.rows
}
