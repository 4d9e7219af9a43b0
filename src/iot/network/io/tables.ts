/**
 * Devices, sessions, nonces and queues in the box's file. Keys lie sealed. A session's counters are columns of their own, so that a
 * restart can move all of them at once; the rest of its state is one short text (state-text.ts), which nobody asks questions of. It is written
 * with every frame: a row with a rowid that fits in one page of 1 KiB costs that one page, also with 20 frames of history.
 *
 * A session's row stays when its device is removed (`is_retired`): the same keys under the same address must not count from 0 again.
 */
import { createHash } from 'node:crypto'
import { MeshBoxError, toHex } from '../../../base/index.ts'
import type { Migration, ReadTx, SqlValue, Tx } from '../../../store/index.ts'
import type { Device, KeySeal, QueueItem, SessionKeys } from '../../ports.ts'
import type { KeylessDevice, LastLife, NetworkRows } from '../rows.ts'
import type { NetworkSession } from '../session.ts'
import { rejoinRows, sql11 } from './rejoin-tables.ts'
import { stateOf, stateText } from './state-text.ts'

export const networkMigrations: readonly Migration[] = [
  {
    id: 'iot-network-001',
    sql: `
      CREATE TABLE iot_device (
        dev_eui TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        join_eui TEXT NOT NULL,
        mac_version TEXT NOT NULL,
        region TEXT NOT NULL,
        device_class TEXT NOT NULL,
        activation TEXT NOT NULL,
        app_key BLOB,
        root_key BLOB,
        codec TEXT,
        allows_counter_reset INTEGER NOT NULL,
        is_disabled INTEGER NOT NULL,
        expected_interval_seconds REAL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE iot_session (
        dev_eui TEXT PRIMARY KEY,
        number INTEGER NOT NULL,
        dev_addr INTEGER NOT NULL,
        f_cnt_up INTEGER NOT NULL,
        f_cnt_down INTEGER NOT NULL,
        is_retired INTEGER NOT NULL,
        keys_mark TEXT NOT NULL,
        f_nwk_s_int_key BLOB, s_nwk_s_int_key BLOB, nwk_s_enc_key BLOB, app_s_key BLOB,
        state TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX iot_session_addr ON iot_session (dev_addr, dev_eui) WHERE is_retired = 0;

      CREATE TABLE iot_join_nonce (dev_eui TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;

      CREATE TABLE iot_dev_nonce (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        dev_eui TEXT NOT NULL,
        dev_nonce INTEGER NOT NULL,
        UNIQUE (dev_eui, dev_nonce)
      ) STRICT;
      CREATE INDEX iot_dev_nonce_age ON iot_dev_nonce (dev_eui, id);

      CREATE TABLE iot_queue (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        dev_eui TEXT NOT NULL,
        state TEXT NOT NULL,
        f_port INTEGER NOT NULL,
        payload BLOB NOT NULL,
        is_confirmed INTEGER NOT NULL,
        asker TEXT NOT NULL,
        expires_at TEXT,
        tries TEXT NOT NULL
      ) STRICT;
      CREATE INDEX iot_queue_device ON iot_queue (dev_eui, id);
      CREATE INDEX iot_queue_waiting ON iot_queue (dev_eui, id) WHERE state = 'queued';

      CREATE TABLE iot_network_run (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        is_clean INTEGER NOT NULL,
        next_downlink_id INTEGER NOT NULL
      ) STRICT;
    `,
  },
  {
    id: 'iot-network-002',
    // Without a rowid, SQLite keeps 231 bytes of a row in its page, and puts the rest together each time it looks for a row beside it.
    sql: `
      CREATE TABLE iot_session_kept (
        id INTEGER PRIMARY KEY,
        dev_eui TEXT NOT NULL UNIQUE,
        number INTEGER NOT NULL,
        dev_addr INTEGER NOT NULL,
        f_cnt_up INTEGER NOT NULL,
        f_cnt_down INTEGER NOT NULL,
        is_retired INTEGER NOT NULL,
        keys_mark TEXT NOT NULL,
        f_nwk_s_int_key BLOB, s_nwk_s_int_key BLOB, nwk_s_enc_key BLOB, app_s_key BLOB,
        state TEXT NOT NULL
      ) STRICT;
      INSERT INTO iot_session_kept (dev_eui, number, dev_addr, f_cnt_up, f_cnt_down, is_retired, keys_mark, f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key, app_s_key, state)
        SELECT dev_eui, number, dev_addr, f_cnt_up, f_cnt_down, is_retired, keys_mark, f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key, app_s_key, state FROM iot_session;
      DROP TABLE iot_session;
      ALTER TABLE iot_session_kept RENAME TO iot_session;
      CREATE INDEX iot_session_addr ON iot_session (dev_addr, dev_eui) WHERE is_retired = 0;
    `,
  },
  { id: 'iot-network-003', sql: sql11 },
]

/** 1.0.2 and 1.0.3 ask that a used DevNonce is refused; a device rolls 65,536, so this many are remembered. */
const DEV_NONCES_KEPT = 10_000
const MAX_JOIN_NONCE = 0xff_ffff
const DONE_KEPT = 32
const IDS = 2 ** 32

interface DeviceRow {
  dev_eui: string
  name: string
  join_eui: string
  mac_version: Device['macVersion']
  region: string
  device_class: Device['deviceClass']
  activation: Device['activation']
  codec: string | null
  allows_counter_reset: number
  is_disabled: number
  expected_interval_seconds: number | null
}

interface SessionRow {
  dev_eui: string
  number: number
  dev_addr: number
  f_cnt_up: number
  f_cnt_down: number
  a_f_cnt_down: number
  is_11: number
  state: string
}

interface KeyRow {
  f_nwk_s_int_key: Uint8Array | null
  s_nwk_s_int_key: Uint8Array | null
  nwk_s_enc_key: Uint8Array | null
  app_s_key: Uint8Array | null
}

interface QueueRow {
  id: number
  dev_eui: string
  state: QueueItem['state']
  f_port: number
  payload: Uint8Array
  is_confirmed: number
  asker: string
  expires_at: string | null
  tries: string
}

const DEVICE_COLUMNS = 'dev_eui, name, join_eui, mac_version, region, device_class, activation, codec, allows_counter_reset, is_disabled, expected_interval_seconds'
/**
 * `+?` in what follows: where a table has a partial index, SQLite looks at the value of a bare `?` to say whether that one would do, and plans the
 * statement anew for each other value. That costs ten times what the statement does.
 */
const SESSION_COLUMNS = 'dev_eui, number, dev_addr, f_cnt_up, f_cnt_down, a_f_cnt_down, is_11, state'
const KEY_COLUMNS = 'f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key, app_s_key'
const ALL_COLUMNS = `${SESSION_COLUMNS}, keys_mark, ${KEY_COLUMNS}`
const PLACES = ALL_COLUMNS.replace(/\w+/g, '?')

export function networkRows(seal: KeySeal): NetworkRows {
  const sealed = (key: Uint8Array | null): Uint8Array | null => (key === null ? null : seal.seal(key))
  const opened = (bytes: Uint8Array | null): Uint8Array | null => (bytes === null ? null : new Uint8Array(seal.open(new Uint8Array(bytes))))
  const deviceOf = (row: DeviceRow): KeylessDevice => ({
    devEui: row.dev_eui,
    name: row.name,
    joinEui: row.join_eui,
    macVersion: row.mac_version,
    region: row.region,
    deviceClass: row.device_class,
    activation: row.activation,
    codec: row.codec,
    allowsCounterReset: row.allows_counter_reset === 1,
    isDisabled: row.is_disabled === 1,
    expectedIntervalSeconds: row.expected_interval_seconds,
  })
  /** As ALL_COLUMNS. In 1.0 the three network keys are one, and lie there once. */
  const valuesOf = (session: NetworkSession, keys: SessionKeys): readonly SqlValue[] => {
    const other = (key: Uint8Array): Uint8Array | null => sealed(Buffer.compare(key, keys.fNwkSIntKey) === 0 ? null : key)
    return [
      ...[session.devEui, session.number, session.devAddr, session.fCntUp, session.fCntDown, session.aFCntDown, session.is11 ? 1 : 0, stateText(session)],
      ...[markOf(keys), sealed(keys.fNwkSIntKey), other(keys.sNwkSIntKey), other(keys.nwkSEncKey), sealed(keys.appSKey)],
    ]
  }
  return {
    devices: (tx) => tx.all<DeviceRow>(`SELECT ${DEVICE_COLUMNS} FROM iot_device ORDER BY dev_eui`).map(deviceOf),
    countDevices: (tx) => tx.get<{ count: number }>('SELECT count(*) AS count FROM iot_device')?.count ?? 0,
    device: (tx, devEui) => {
      const row = tx.get<DeviceRow>(`SELECT ${DEVICE_COLUMNS} FROM iot_device WHERE dev_eui = ?`, devEui)
      return row === undefined ? null : deviceOf(row)
    },
    rootKey: (tx, devEui) => opened(tx.get<{ root_key: Uint8Array | null }>('SELECT root_key FROM iot_device WHERE dev_eui = ?', devEui)?.root_key ?? null),
    appKey: (tx, devEui) => opened(tx.get<{ app_key: Uint8Array | null }>('SELECT app_key FROM iot_device WHERE dev_eui = ?', devEui)?.app_key ?? null),
    putDevice(tx, device) {
      tx.run('DELETE FROM iot_device WHERE dev_eui = ?', device.devEui)
      tx.run(
        'INSERT INTO iot_device VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        ...[device.devEui, device.name, device.joinEui, device.macVersion, device.region, device.deviceClass, device.activation],
        ...[sealed(device.appKey), sealed(device.rootKey), device.codec, device.allowsCounterReset ? 1 : 0, device.isDisabled ? 1 : 0, device.expectedIntervalSeconds],
      )
    },
    removeDevice(tx, devEui) {
      retire(tx, devEui)
      tx.run('DELETE FROM iot_dev_nonce WHERE dev_eui = ?', devEui)
      tx.run('DELETE FROM iot_queue WHERE dev_eui = ?', devEui)
      return tx.run('DELETE FROM iot_device WHERE dev_eui = ?', devEui) > 0
    },

    session: sessionIn,
    sessions: (tx) => sessionsFrom(tx, 'iot_session WHERE is_retired = 0 ORDER BY dev_eui'),
    candidates: (tx, devAddr, after, limit) =>
      tx
        .all<{ devEui: string; number: number; fCntUp: number; allowsReset: number; is11: number }>(
          `SELECT s.dev_eui AS devEui, s.number AS number, s.f_cnt_up AS fCntUp, s.is_11 AS is11, d.allows_counter_reset AS allowsReset FROM iot_session s JOIN iot_device d ON d.dev_eui = s.dev_eui
            WHERE s.dev_addr = +? AND s.dev_eui > +? AND s.is_retired = 0 ORDER BY s.dev_eui LIMIT +?`,
          ...[devAddr, after, limit],
        )
        .map(({ allowsReset, is11, ...candidate }) => ({ ...candidate, allowsCounterReset: allowsReset === 1, session11: is11 === 1 ? sessionIn(tx, candidate.devEui) : null })),
    sessionKeys(tx, devEui, number) {
      const row =
        tx.get<KeyRow>(`SELECT ${KEY_COLUMNS} FROM iot_session WHERE dev_eui = ? AND number = ? AND is_retired = 0`, devEui, number) ??
        tx.get<KeyRow>(`SELECT ${KEY_COLUMNS} FROM iot_session_offered WHERE dev_eui = ? AND number = ?`, devEui, number)
      const [network, application] = [opened(row?.f_nwk_s_int_key ?? null), opened(row?.app_s_key ?? null)]
      if (row === undefined || network === null || application === null) return null
      return { fNwkSIntKey: network, sNwkSIntKey: opened(row.s_nwk_s_int_key) ?? network, nwkSEncKey: opened(row.nwk_s_enc_key) ?? network, appSKey: application }
    },
    startSession(tx, session, keys) {
      tx.run('DELETE FROM iot_session_offered WHERE dev_eui = ?', session.devEui)
      tx.run('DELETE FROM iot_session WHERE dev_eui = ?', session.devEui)
      tx.run(`INSERT INTO iot_session (is_retired, ${ALL_COLUMNS}) VALUES (0, ${PLACES})`, ...valuesOf(session, keys))
    },
    retireSession: retire,
    keysMark: markOf,
    saveSession(tx, session) {
      // The number: a session that ended meanwhile is not brought back; the counters: they only rise.
      const changed = tx.run(
        'UPDATE iot_session SET f_cnt_up = ?, f_cnt_down = ?, a_f_cnt_down = ?, state = ? WHERE dev_eui = ? AND number = ? AND is_retired = 0 AND f_cnt_down <= ? AND a_f_cnt_down <= ?',
        ...[session.fCntUp, session.fCntDown, session.aFCntDown, stateText(session), session.devEui, session.number, session.fCntDown, session.aFCntDown],
      )
      if (changed !== 1) throw new MeshBoxError('conflict', 'the session of this device is another one by now, or its counter has gone on', { code: 'session-changed' })
    },
    isDevAddrTaken: (tx, devAddr) =>
      tx.get('SELECT 1 FROM iot_session WHERE dev_addr = ? AND is_retired = 0', devAddr) !== undefined || tx.get('SELECT 1 FROM iot_session_offered WHERE dev_addr = ?', devAddr) !== undefined,
    lastLife: (tx, devEui) =>
      tx.get<LastLife>('SELECT number, dev_addr AS devAddr, f_cnt_up AS fCntUp, f_cnt_down AS fCntDown, a_f_cnt_down AS aFCntDown, keys_mark AS keysMark FROM iot_session WHERE dev_eui = ?', devEui) ?? null,
    nextNumber: (tx, devEui) =>
      (tx.get<{ last: number | null }>('SELECT max(number) AS last FROM (SELECT number FROM iot_session WHERE dev_eui = ? UNION ALL SELECT number FROM iot_session_offered WHERE dev_eui = ?)', devEui, devEui)?.last ?? 0) + 1,
    ...rejoinRows({ columns: ALL_COLUMNS, places: PLACES, valuesOf, read: sessionsFrom }),

    useDevNonce(tx, devEui, devNonce, rule) {
      if (rule === 'greater') {
        const last = tx.get<{ last: number | null }>('SELECT max(dev_nonce) AS last FROM iot_dev_nonce WHERE dev_eui = ?', devEui)?.last ?? -1
        if (devNonce <= last) return false
        tx.run('DELETE FROM iot_dev_nonce WHERE dev_eui = ?', devEui)
      } else if (tx.get('SELECT 1 FROM iot_dev_nonce WHERE dev_eui = ? AND dev_nonce = ?', devEui, devNonce) !== undefined) return false
      tx.run('INSERT INTO iot_dev_nonce (dev_eui, dev_nonce) VALUES (?, ?)', devEui, devNonce)
      tx.run('DELETE FROM iot_dev_nonce WHERE id <= (SELECT id FROM iot_dev_nonce WHERE dev_eui = ? ORDER BY id DESC LIMIT 1 OFFSET ?) AND dev_eui = ?', devEui, DEV_NONCES_KEPT, devEui)
      return true
    },
    forgetDevNonces(tx, devEui) {
      tx.run('DELETE FROM iot_dev_nonce WHERE dev_eui = ?', devEui)
      tx.run('DELETE FROM iot_rejoin_count WHERE dev_eui = ? AND session = 0', devEui)
    },
    nextJoinNonce(tx, devEui) {
      const next = (tx.get<{ last: number }>('SELECT last FROM iot_join_nonce WHERE dev_eui = ?', devEui)?.last ?? 0) + 1
      if (next > MAX_JOIN_NONCE) return null
      tx.run('INSERT INTO iot_join_nonce VALUES (?, ?) ON CONFLICT (dev_eui) DO UPDATE SET last = excluded.last', devEui, next)
      return next
    },

    queue: (tx, devEui) => tx.all<QueueRow>('SELECT * FROM iot_queue WHERE dev_eui = +? ORDER BY id', devEui).map(queueItemOf),
    head: (tx, devEui) => {
      const row = tx.get<QueueRow>("SELECT * FROM iot_queue WHERE dev_eui = +? AND state = 'queued' ORDER BY id LIMIT 1", devEui)
      return row === undefined ? null : queueItemOf(row)
    },
    queueItem: (tx, queueId) => {
      const row = tx.get<QueueRow>('SELECT * FROM iot_queue WHERE id = ?', queueId)
      return row === undefined ? null : queueItemOf(row)
    },
    addQueueItem(tx, item) {
      tx.run(
        'INSERT INTO iot_queue (dev_eui, state, f_port, payload, is_confirmed, asker, expires_at, tries) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        ...[item.devEui, item.state, item.fPort, item.payload, item.isConfirmed ? 1 : 0, item.asker, item.expiresAt === null ? null : JSON.stringify(item.expiresAt), JSON.stringify(item.tries)],
      )
      const queueId = tx.get<{ id: number }>('SELECT last_insert_rowid() AS id')?.id ?? 0
      tx.run(
        `DELETE FROM iot_queue WHERE dev_eui = ? AND state NOT IN ('queued', 'sent')
          AND id <= (SELECT id FROM iot_queue WHERE dev_eui = ? AND state NOT IN ('queued', 'sent') ORDER BY id DESC LIMIT 1 OFFSET ?)`,
        ...[item.devEui, item.devEui, DONE_KEPT],
      )
      // `sent` is the end of an unconfirmed one.
      tx.run(
        `DELETE FROM iot_queue WHERE dev_eui = ? AND state = 'sent' AND id <= (SELECT id FROM iot_queue WHERE dev_eui = ? AND state = 'sent' ORDER BY id DESC LIMIT 1 OFFSET ?)`,
        ...[item.devEui, item.devEui, DONE_KEPT],
      )
      return { ...item, queueId }
    },
    saveQueueItem(tx, item) {
      tx.run('UPDATE iot_queue SET state = ?, tries = ? WHERE id = ?', item.state, JSON.stringify(item.tries), item.queueId)
    },
    waiting: (tx) => new Map(tx.all<{ dev_eui: string; count: number }>("SELECT dev_eui, count(*) AS count FROM iot_queue WHERE state = 'queued' GROUP BY dev_eui").map((row) => [row.dev_eui, row.count])),

    beginRun(tx) {
      const before = tx.get<{ is_clean: number }>('SELECT is_clean FROM iot_network_run')
      tx.run('INSERT INTO iot_network_run VALUES (1, 0, 1) ON CONFLICT (one) DO UPDATE SET is_clean = 0')
      return before?.is_clean === 1
    },
    endRun(tx) {
      tx.run('UPDATE iot_network_run SET is_clean = 1')
    },
    skipDownCounters,
    reserveDownlinkIds(tx, count) {
      const first = tx.get<{ next: number }>('SELECT next_downlink_id AS next FROM iot_network_run')?.next ?? 1
      const start = first + count > IDS ? 1 : first
      tx.run('UPDATE iot_network_run SET next_downlink_id = ?', start + count)
      return start
    },
  }
}

export function skipDownCounters(tx: Tx, by: number): number {
  const skip = 'f_cnt_down = min(f_cnt_down + ?, ?), a_f_cnt_down = CASE is_11 WHEN 1 THEN min(a_f_cnt_down + ?, ?) ELSE a_f_cnt_down END'
  tx.run(`UPDATE iot_session_offered SET ${skip}`, by, IDS, by, IDS)
  return tx.run(`UPDATE iot_session SET ${skip}`, by, IDS, by, IDS)
}

function retire(tx: Tx, devEui: string): void {
  tx.run('UPDATE iot_session SET is_retired = 1, f_nwk_s_int_key = NULL, s_nwk_s_int_key = NULL, nwk_s_enc_key = NULL, app_s_key = NULL WHERE dev_eui = ?', devEui)
  tx.run('DELETE FROM iot_session_offered WHERE dev_eui = ?', devEui)
}

/** Says whether two lives have the same keys, and nothing of the keys: they are 128 random bits each. */
function markOf(keys: SessionKeys): string {
  const hash = createHash('sha256').update('meshbox iot session keys')
  for (const key of [keys.fNwkSIntKey, keys.sNwkSIntKey, keys.nwkSEncKey, keys.appSKey]) hash.update(key)
  return toHex(new Uint8Array(hash.digest().subarray(0, 16)))
}

function sessionIn(tx: ReadTx, devEui: string): NetworkSession | null {
  const row = tx.get<SessionRow>(`SELECT ${SESSION_COLUMNS} FROM iot_session WHERE dev_eui = ? AND is_retired = 0`, devEui)
  return row === undefined ? null : sessionOf(row)
}

/** `from`: a table with its WHERE. */
function sessionsFrom(tx: ReadTx, from: string, ...values: readonly SqlValue[]): readonly NetworkSession[] {
  return tx.all<SessionRow>(`SELECT ${SESSION_COLUMNS} FROM ${from}`, ...values).map(sessionOf)
}

/** Above what any box gave between two backups: a device of 1.1 takes no JoinNonce that is not greater than its last. */
export function skipJoinNonces(tx: Tx, by: number): void {
  tx.run('UPDATE iot_join_nonce SET last = min(last + ?, ?)', by, MAX_JOIN_NONCE)
}

function sessionOf(row: SessionRow): NetworkSession {
  return { ...stateOf(row.state), devEui: row.dev_eui, number: row.number, devAddr: row.dev_addr, fCntUp: row.f_cnt_up, fCntDown: row.f_cnt_down, aFCntDown: row.a_f_cnt_down, is11: row.is_11 === 1 }
}

function queueItemOf(row: QueueRow): QueueItem {
  return {
    queueId: row.id,
    devEui: row.dev_eui,
    fPort: row.f_port,
    payload: new Uint8Array(row.payload),
    isConfirmed: row.is_confirmed === 1,
    asker: row.asker,
    expiresAt: row.expires_at === null ? null : (JSON.parse(row.expires_at) as QueueItem['expiresAt']),
    state: row.state,
    tries: JSON.parse(row.tries) as QueueItem['tries'],
  }
}

