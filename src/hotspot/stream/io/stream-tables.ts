/**
 * Streams on disk: which session serves which stream, what was granted and used before, and up to which value of the
 * channel's counter the ledger has it. What an allotment grew by lies here and in its own row, once a minute.
 */
import type { Migration, ReadTx, Tx } from '../../../store/index.ts'

/** After the tables of sessions, which it refers to. */
export const streamMigrations: readonly Migration[] = [
  {
    id: 'hotspot-stream-001',
    sql: `
      CREATE TABLE hotspot_stream (
        stream TEXT PRIMARY KEY,
        session_id TEXT NOT NULL,
        used_before_ms INTEGER NOT NULL,
        is_over INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX hotspot_stream_session ON hotspot_stream (session_id);
      CREATE TABLE hotspot_stream_posted (
        stream TEXT PRIMARY KEY,
        value TEXT NOT NULL,
        entry_id INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    id: 'hotspot-stream-002',
    sql: `
      CREATE TABLE hotspot_top_up (
        code TEXT PRIMARY KEY,
        payer TEXT NOT NULL,
        amount TEXT NOT NULL,
        price TEXT NOT NULL,
        state TEXT NOT NULL,
        tx_hash TEXT,
        consent TEXT,
        boot_id TEXT NOT NULL, boottime_ms REAL NOT NULL, wall_ms REAL NOT NULL, wall_trusted INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX hotspot_top_up_owed ON hotspot_top_up (code) WHERE state <> 'funded';
    `,
  },
  {
    id: 'hotspot-stream-003',
    sql: `
      CREATE TABLE hotspot_stream_claimed (
        channel TEXT NOT NULL,
        epoch TEXT NOT NULL,
        value TEXT NOT NULL,
        entry_id INTEGER NOT NULL,
        PRIMARY KEY (channel, epoch)
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    // As told when it ended. Null: it goes on, or an earlier version ended it.
    id: 'hotspot-stream-004',
    sql: 'ALTER TABLE hotspot_stream ADD COLUMN used_ms INTEGER',
  },
  {
    // Its channel has a later stream: nothing comes of this one any more.
    id: 'hotspot-stream-005',
    sql: 'ALTER TABLE hotspot_stream ADD COLUMN is_past INTEGER NOT NULL DEFAULT 0',
  },
]

export interface StoredStream {
  readonly stream: string
  readonly sessionId: string
  /** Used in sessions before this one. */
  readonly usedBeforeMs: number
}

interface StreamRow {
  stream: string
  session_id: string
  used_before_ms: number
}

/** Names of a channel's streams begin with it and a dot; the character behind the dot ends them. */
const OF_CHANNEL = `stream > ? || '.' AND stream < ? || '/'`

/** A stream begins in a session: what its channel had before was ended, and noted so by whoever sells, before this one was opened. */
export function saveStream(tx: Tx, channel: string, { stream, sessionId, usedBeforeMs }: StoredStream): void {
  tx.run(
    `INSERT INTO hotspot_stream (stream, session_id, used_before_ms, is_over) VALUES (?, ?, ?, 0)
     ON CONFLICT (stream) DO UPDATE SET session_id = excluded.session_id, used_before_ms = excluded.used_before_ms`,
    stream,
    sessionId,
    usedBeforeMs,
  )
  tx.run(`UPDATE hotspot_stream SET is_over = 1, is_past = 1 WHERE ${OF_CHANNEL} AND stream <> ? AND is_past = 0`, channel, channel, stream)
}

/** Its time is told for good, and kept: whoever asked may die before he has noted the answer, and asks again. */
export function closeStream(tx: Tx, stream: string, usedMs: number): void {
  tx.run('UPDATE hotspot_stream SET is_over = 1, used_ms = ? WHERE stream = ?', usedMs, stream)
}

export interface OverStream extends StoredStream {
  /** In all. Null: an earlier version ended it, and its session has the last of it. */
  readonly usedMs: number | null
}

/** Null: it goes on, or is not known. */
export function overStream(tx: ReadTx, stream: string): OverStream | null {
  const row = tx.get<StreamRow & { used_ms: number | null }>('SELECT stream, session_id, used_before_ms, used_ms FROM hotspot_stream WHERE stream = ? AND is_over = 1', stream)
  return row === undefined ? null : { stream, sessionId: row.session_id, usedBeforeMs: row.used_before_ms, usedMs: row.used_ms }
}

/** Streams that are not over. */
export function openStreams(tx: ReadTx): StoredStream[] {
  return tx
    .all<StreamRow>('SELECT stream, session_id, used_before_ms FROM hotspot_stream WHERE is_over = 0')
    .map((row) => ({ stream: row.stream, sessionId: row.session_id, usedBeforeMs: row.used_before_ms }))
}

/**
 * Streams whose sessions have been forgotten, but for the newest of each channel: it may be told again at any start, with more than
 * was posted, and must not be taken for a new one. The ledger keeps what all have earned.
 */
export function forgetStreams(tx: Tx): void {
  const gone = 'SELECT stream FROM hotspot_stream WHERE is_past = 1 AND session_id NOT IN (SELECT id FROM hotspot_session)'
  tx.run(`DELETE FROM hotspot_stream_posted WHERE stream IN (${gone})`)
  tx.run(`DELETE FROM hotspot_stream WHERE stream IN (${gone})`)
}

/** What an allotment has grown to. */
export function saveGrant(tx: Tx, sessionId: string, stream: string, grantedMs: number): void {
  tx.run('UPDATE hotspot_allotment SET granted_ms = max(granted_ms, ?) WHERE session_id = ? AND bearer = ?', grantedMs, sessionId, stream)
}

/** What an allotment ended with. */
export function saveClipped(tx: Tx, sessionId: string, stream: string, grantedMs: number): void {
  tx.run('UPDATE hotspot_allotment SET granted_ms = ? WHERE session_id = ? AND bearer = ?', grantedMs, sessionId, stream)
}

/**
 * Before sessions are read back after a crash: the use is written more often than the grant, and an allotment must not
 * have used more than it was granted.
 */
export function healGrants(tx: Tx): void {
  const rows = tx.all<{ session_id: string; seq: number; granted_ms: number; used: string }>(
    `SELECT a.session_id, a.seq, a.granted_ms, p.used FROM hotspot_stream s
     JOIN hotspot_allotment a ON a.session_id = s.session_id AND a.bearer = s.stream
     JOIN hotspot_progress p ON p.session_id = s.session_id WHERE s.is_over = 0`,
  )
  for (const { session_id, seq, granted_ms, used } of rows) {
    const usedMs = (JSON.parse(used) as { allotments: [number, number][] }).allotments[seq]?.[0] ?? 0
    if (usedMs > granted_ms) tx.run('UPDATE hotspot_allotment SET granted_ms = ? WHERE session_id = ? AND seq = ?', usedMs, session_id, seq)
  }
}

/** What a stream has paid in all: its last voucher is counted when its session may be over already. */
export function savePrice(tx: Tx, stream: string, price: bigint): void {
  tx.run('UPDATE hotspot_allotment SET price = ? WHERE bearer = ? AND session_id = (SELECT session_id FROM hotspot_stream WHERE stream = ?)', price.toString(), stream, stream)
}

/** Null: nothing of this stream was posted. */
export function postedOf(tx: ReadTx, stream: string): bigint | null {
  const row = tx.get<{ value: string }>('SELECT value FROM hotspot_stream_posted WHERE stream = ?', stream)
  return row === undefined ? null : BigInt(row.value)
}

export function savePosted(tx: Tx, stream: string, value: bigint, entryId: number): void {
  tx.run('INSERT INTO hotspot_stream_posted VALUES (?, ?, ?) ON CONFLICT (stream) DO UPDATE SET value = excluded.value, entry_id = excluded.entry_id', stream, value.toString(), entryId)
}

/** With the first of a later one: what was posted of streams for which no session was ever opened. */
export function forgetUnserved(tx: Tx, channel: string, later: string): void {
  tx.run(`DELETE FROM hotspot_stream_posted WHERE ${OF_CHANNEL} AND stream <> ? AND stream NOT IN (SELECT stream FROM hotspot_stream)`, channel, channel, later)
}

/** Up to where the ledger has the counter of that life by claims that were not the box's own; 0: there was none. */
export function claimedUpTo(tx: ReadTx, channel: string, epoch: bigint): bigint {
  return BigInt(tx.get<{ value: string }>('SELECT value FROM hotspot_stream_claimed WHERE channel = ? AND epoch = ?', channel, epoch.toString())?.value ?? 0)
}

export function saveClaimed(tx: Tx, channel: string, epoch: bigint, value: bigint, entryId: number): void {
  tx.run(
    'INSERT INTO hotspot_stream_claimed VALUES (?, ?, ?, ?) ON CONFLICT (channel, epoch) DO UPDATE SET value = excluded.value, entry_id = excluded.entry_id',
    channel,
    epoch.toString(),
    value.toString(),
    entryId,
  )
}
