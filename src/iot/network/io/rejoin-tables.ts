/**
 * What LoRaWAN 1.1 adds on disk. An accept offers a session, and the one in use stays until the device speaks under the new one: the offered one
 * lies in a table of its own. RJcount0 belongs to a session (its number), RJcount1 to the device (0), for ever.
 */
import type { ReadTx, SqlValue, Tx } from '../../../store/index.ts'
import type { SessionKeys } from '../../ports.ts'
import type { NetworkRows } from '../rows.ts'
import type { NetworkSession } from '../session.ts'

/** Added columns have a default, so that not one row of 1.0 is written anew. */
export const sql11 = `
  ALTER TABLE iot_session ADD COLUMN a_f_cnt_down INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE iot_session ADD COLUMN is_11 INTEGER NOT NULL DEFAULT 0;

  CREATE TABLE iot_session_offered (
    dev_eui TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    dev_addr INTEGER NOT NULL,
    f_cnt_up INTEGER NOT NULL,
    f_cnt_down INTEGER NOT NULL,
    a_f_cnt_down INTEGER NOT NULL,
    is_11 INTEGER NOT NULL,
    keys_mark TEXT NOT NULL,
    f_nwk_s_int_key BLOB, s_nwk_s_int_key BLOB, nwk_s_enc_key BLOB, app_s_key BLOB,
    state TEXT NOT NULL
  ) STRICT;
  CREATE INDEX iot_session_offered_addr ON iot_session_offered (dev_addr);

  CREATE TABLE iot_rejoin_count (
    dev_eui TEXT NOT NULL,
    session INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (dev_eui, session)
  ) STRICT, WITHOUT ROWID;
`

/** Offered sessions of one address: it is given to one device, so there is one. */
const MOST_OFFERED = 64

export interface SessionColumns {
  /** All but is_retired, and as many places for values. */
  readonly columns: string
  readonly places: string
  readonly valuesOf: (session: NetworkSession, keys: SessionKeys) => readonly SqlValue[]
  readonly read: (tx: ReadTx, where: string, ...values: readonly SqlValue[]) => readonly NetworkSession[]
}

export function rejoinRows({ columns, places, valuesOf, read }: SessionColumns): Pick<NetworkRows, 'offerSession' | 'offered' | 'offeredAt' | 'takeOffered' | 'useRejoinCount'> {
  return {
    offerSession(tx, session, keys) {
      tx.run('DELETE FROM iot_session_offered WHERE dev_eui = ?', session.devEui)
      tx.run(`INSERT INTO iot_session_offered (${columns}) VALUES (${places})`, ...valuesOf(session, keys))
    },
    offered: (tx, devEui) => read(tx, 'iot_session_offered WHERE dev_eui = ?', devEui)[0] ?? null,
    offeredAt: (tx, devAddr) =>
      read(tx, 'iot_session_offered WHERE dev_addr = ? LIMIT ?', devAddr, MOST_OFFERED).map((session) => ({ devEui: session.devEui, number: session.number, fCntUp: session.fCntUp, allowsCounterReset: false, session11: session })),
    takeOffered(tx, devEui) {
      tx.run('DELETE FROM iot_session WHERE dev_eui = ?', devEui)
      tx.run(`INSERT INTO iot_session (is_retired, ${columns}) SELECT 0, ${columns} FROM iot_session_offered WHERE dev_eui = ?`, devEui)
      tx.run('DELETE FROM iot_session_offered WHERE dev_eui = ?', devEui)
    },
    useRejoinCount(tx: Tx, devEui, session, count) {
      const number = session ?? 0
      const last = tx.get<{ last: number }>('SELECT last FROM iot_rejoin_count WHERE dev_eui = ? AND session = ?', devEui, number)?.last ?? -1
      if (count <= last) return false
      // Of sessions that are over nothing is kept.
      if (session !== null) tx.run('DELETE FROM iot_rejoin_count WHERE dev_eui = ? AND session <> 0', devEui)
      tx.run('INSERT INTO iot_rejoin_count VALUES (?, ?, ?) ON CONFLICT (dev_eui, session) DO UPDATE SET last = excluded.last', devEui, number, count)
      return true
    },
  }
}
