/** What was on the air, and what may be: written before an order goes to the radio, so that no restart forgets it. Of airtime/'s contract AirtimeTables. */
import type { Moment } from '../../../base/index.ts'
import type { Migration } from '../../../store/index.ts'
import type { AirtimeRow, AirtimeTables } from '../../ports.ts'

export const airtimeMigrations: readonly Migration[] = [
  {
    id: 'iot-airtime-001',
    sql: `
      CREATE TABLE iot_airtime (
        gateway TEXT NOT NULL,
        downlink_id INTEGER NOT NULL,
        window INTEGER NOT NULL,
        sub_band TEXT NOT NULL,
        price_per_ms TEXT NOT NULL,
        boot_id TEXT NOT NULL, boottime_ms REAL NOT NULL, wall_ms REAL NOT NULL, wall_trusted INTEGER NOT NULL,
        duration_us INTEGER NOT NULL,
        is_settled INTEGER NOT NULL,
        PRIMARY KEY (gateway, downlink_id, window)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX iot_airtime_age ON iot_airtime (boot_id, boottime_ms);
    `,
  },
]

interface Row {
  gateway: string
  downlink_id: number
  window: number
  sub_band: string
  price_per_ms: string
  boot_id: string
  boottime_ms: number
  wall_ms: number
  wall_trusted: number
  duration_us: number
  is_settled: number
}

export const airtimeTables: AirtimeTables = {
  reserve(tx, row) {
    const at = row.startsAt
    tx.run(
      'INSERT INTO iot_airtime VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ...[row.gateway, row.downlinkId, row.window, row.subBand, row.pricePerMs.toString(), at.bootId, at.boottimeMs, at.wallMs, at.wallTrusted ? 1 : 0, row.durationUs, row.isSettled ? 1 : 0],
    )
  },
  settle(tx, gateway, downlinkId, sent) {
    tx.run('DELETE FROM iot_airtime WHERE gateway = ? AND downlink_id = ? AND window <> ? AND is_settled = 0', gateway, downlinkId, sent ?? -1)
    tx.run('UPDATE iot_airtime SET is_settled = 1 WHERE gateway = ? AND downlink_id = ?', gateway, downlinkId)
  },
  recent(tx, olderThan) {
    // Of this boot by its clock. Of boots before by the wall clock, where it was believed; at the latest when this boot is old enough.
    tx.run('DELETE FROM iot_airtime WHERE boot_id = ? AND boottime_ms + duration_us / 1000.0 < ?', olderThan.bootId, olderThan.boottimeMs)
    if (olderThan.boottimeMs > 0) tx.run('DELETE FROM iot_airtime WHERE boot_id <> ?', olderThan.bootId)
    if (olderThan.wallTrusted) tx.run('DELETE FROM iot_airtime WHERE boot_id <> ? AND wall_trusted = 1 AND wall_ms + duration_us / 1000.0 < ?', olderThan.bootId, olderThan.wallMs)
    return tx.all<Row>('SELECT * FROM iot_airtime ORDER BY gateway, downlink_id, window').map(rowOf)
  },
}

function rowOf(row: Row): AirtimeRow {
  const startsAt: Moment = { bootId: row.boot_id, boottimeMs: row.boottime_ms, wallMs: row.wall_ms, wallTrusted: row.wall_trusted === 1 }
  return {
    gateway: row.gateway,
    downlinkId: row.downlink_id,
    window: row.window,
    subBand: row.sub_band,
    pricePerMs: BigInt(row.price_per_ms),
    startsAt,
    durationUs: row.duration_us,
    isSettled: row.is_settled === 1,
  }
}
