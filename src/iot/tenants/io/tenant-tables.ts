/**
 * Who the tenants are, their routes and their keys; and the migration of everything this part keeps. Amounts are decimal text, hashes and
 * keys bytes, keys sealed. Counts are INTEGER: they stay far below 2^53.
 */
import { MeshBoxError } from '../../../base/index.ts'
import type { Migration, ReadTx, Tx } from '../../../store/index.ts'
import type { Destination, DevAddr, KeySeal, PriceList, Route, TenantId } from '../../ports.ts'
import { routeKey } from '../routing.ts'
import type { TenantRecord } from '../types.ts'
import { apartFor, isSealedElsewhere, openDestination } from './destination-secrets.ts'
import { LINE_INDEX, LINE_TABLE } from './line-tables.ts'

export const tenantMigrations: readonly Migration[] = [
  {
    id: 'iot-tenants-001',
    sql: `
      CREATE TABLE iot_tenant (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        payer TEXT NOT NULL,
        token TEXT NOT NULL,
        destination TEXT NOT NULL,
        prices TEXT NOT NULL,
        credit_window TEXT NOT NULL,
        max_copies INTEGER NOT NULL,
        is_paused INTEGER NOT NULL,
        is_ended INTEGER NOT NULL,
        epoch INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;

      -- The primary key holds that no two tenants have one route.
      CREATE TABLE iot_route (
        route_key TEXT PRIMARY KEY,
        tenant TEXT NOT NULL REFERENCES iot_tenant (id),
        position INTEGER NOT NULL,
        route TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX iot_route_tenant ON iot_route (tenant, position);

      CREATE TABLE iot_mic_key (
        tenant TEXT NOT NULL REFERENCES iot_tenant (id),
        dev_addr INTEGER NOT NULL,
        slot INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        last_fcnt_up INTEGER,
        PRIMARY KEY (tenant, dev_addr, slot)
      ) STRICT, WITHOUT ROWID;

      -- One per payer and token, for ever: its chain of hashes has one story.
      CREATE TABLE iot_account (
        tenant TEXT NOT NULL REFERENCES iot_tenant (id),
        epoch INTEGER NOT NULL,
        payer TEXT NOT NULL,
        token TEXT NOT NULL,
        seq INTEGER NOT NULL,
        cum_uplinks INTEGER NOT NULL,
        cum_units INTEGER NOT NULL,
        cum_downlink_ms INTEGER NOT NULL,
        cum_amount TEXT NOT NULL,
        chain_hash BLOB NOT NULL,
        held_amount TEXT NOT NULL,
        held_count INTEGER NOT NULL,
        -- Up to here the ledger has it, and what of the payments.
        receipt_seq INTEGER NOT NULL,
        settled TEXT NOT NULL,
        PRIMARY KEY (tenant, epoch),
        UNIQUE (payer, token)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE iot_held (
        tenant TEXT NOT NULL,
        hold_key TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('uplink', 'join', 'downlink', 'late')),
        frame BLOB NOT NULL,
        tmst_us INTEGER NOT NULL,
        units INTEGER NOT NULL,
        amount TEXT NOT NULL,
        heard BLOB,
        boot_id TEXT NOT NULL, boottime_ms REAL NOT NULL, wall_ms REAL NOT NULL, wall_trusted INTEGER NOT NULL,
        PRIMARY KEY (tenant, hold_key),
        FOREIGN KEY (tenant, epoch) REFERENCES iot_account (tenant, epoch)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE iot_unit (
        tenant TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        kind TEXT NOT NULL,
        frame BLOB NOT NULL,
        tmst_us INTEGER NOT NULL,
        units INTEGER NOT NULL,
        amount TEXT NOT NULL,
        boot_id TEXT NOT NULL, boottime_ms REAL NOT NULL, wall_ms REAL NOT NULL, wall_trusted INTEGER NOT NULL,
        PRIMARY KEY (tenant, epoch, seq),
        FOREIGN KEY (tenant, epoch) REFERENCES iot_account (tenant, epoch)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE iot_seen (
        id INTEGER PRIMARY KEY,
        tenant TEXT NOT NULL,
        frame BLOB NOT NULL,
        boot_id TEXT NOT NULL, boottime_ms REAL NOT NULL, wall_ms REAL NOT NULL, wall_trusted INTEGER NOT NULL,
        UNIQUE (tenant, frame)
      ) STRICT;

      CREATE TABLE iot_receipt (
        tenant TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        chain_id TEXT NOT NULL,
        gateway TEXT NOT NULL,
        payer TEXT NOT NULL,
        token TEXT NOT NULL,
        channel TEXT NOT NULL,
        channel_epoch TEXT NOT NULL,
        cum_uplinks INTEGER NOT NULL,
        cum_units INTEGER NOT NULL,
        cum_downlink_ms INTEGER NOT NULL,
        cum_amount TEXT NOT NULL,
        chain_hash BLOB NOT NULL,
        signature BLOB NOT NULL,
        PRIMARY KEY (tenant, epoch, seq),
        FOREIGN KEY (tenant, epoch) REFERENCES iot_account (tenant, epoch)
      ) STRICT, WITHOUT ROWID;

      -- What the units of one kind add up to, and how much of it the ledger has.
      CREATE TABLE iot_sum (
        tenant TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        kind TEXT NOT NULL,
        amount TEXT NOT NULL,
        booked TEXT NOT NULL,
        PRIMARY KEY (tenant, epoch, kind),
        FOREIGN KEY (tenant, epoch) REFERENCES iot_account (tenant, epoch)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE iot_statement (
        tenant TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        day TEXT NOT NULL,
        kind TEXT NOT NULL,
        entries INTEGER NOT NULL,
        units INTEGER NOT NULL,
        amount TEXT NOT NULL,
        PRIMARY KEY (tenant, epoch, day, kind)
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    id: 'iot-tenants-002',
    // The book was an old copy when it was put in place, and receipts may be out that are not in it.
    sql: 'ALTER TABLE iot_account ADD COLUMN is_behind INTEGER NOT NULL DEFAULT 0;',
  },
  {
    id: 'iot-tenants-003',
    // An FNwkSIntKey of LoRaWAN 1.1: half of the code is by it.
    sql: 'ALTER TABLE iot_mic_key ADD COLUMN is_11 INTEGER NOT NULL DEFAULT 0;',
  },
  { id: 'iot-tenants-004', sql: LINE_TABLE },
  // What is secret of the destination; destination-secrets.ts moves there what older versions wrote in the clear.
  { id: 'iot-tenants-005', sql: 'ALTER TABLE iot_tenant ADD COLUMN sealed BLOB;' },
  { id: 'iot-tenants-006', sql: LINE_INDEX },
]

interface TenantRow {
  id: string
  name: string
  payer: string
  token: string
  destination: string
  sealed: Uint8Array | null
  prices: string
  credit_window: string
  max_copies: number
  is_paused: number
  is_ended: number
  epoch: number
}

/** `onLost`: of a tenant whose password or key another box sealed; he is given without it. */
export function readTenants(tx: ReadTx, seal: KeySeal, onLost: (tenant: TenantId) => void): readonly TenantRecord[] {
  const routes = new Map<TenantId, Route[]>()
  for (const row of tx.all<{ tenant: string; route: string }>('SELECT tenant, route FROM iot_route ORDER BY tenant, position')) {
    const list = routes.get(row.tenant) ?? []
    list.push(JSON.parse(row.route) as Route)
    routes.set(row.tenant, list)
  }
  return tx.all<TenantRow>('SELECT * FROM iot_tenant ORDER BY id').map((row) => toTenant(row, routes.get(row.id) ?? [], destinationOf(row, seal, onLost)))
}

/** With its routes, which replace those it had. Errors: conflict when another tenant got one of them in between. */
export function writeTenant(tx: Tx, tenant: TenantRecord, seal: KeySeal): void {
  const { prices, id } = tenant
  const { open, sealed } = apartFor(tx, id, tenant.destination, seal)
  const pricesText = JSON.stringify({
    perUnit: prices.perUnit.toString(),
    perJoin: prices.perJoin.toString(),
    perLateFrame: prices.perLateFrame?.toString() ?? null,
    perDownlinkMs: Object.fromEntries(Object.entries(prices.perDownlinkMs).map(([band, price]) => [band, price.toString()])),
  })
  tx.run(
    `INSERT INTO iot_tenant (id, name, payer, token, destination, sealed, prices, credit_window, max_copies, is_paused, is_ended, epoch)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name, payer = excluded.payer, token = excluded.token, destination = excluded.destination, sealed = excluded.sealed,
       prices = excluded.prices, credit_window = excluded.credit_window, max_copies = excluded.max_copies, is_paused = excluded.is_paused,
       is_ended = excluded.is_ended, epoch = excluded.epoch`,
    id, tenant.name, tenant.payer, prices.token, JSON.stringify(open), sealed, pricesText, tenant.creditWindow.toString(), tenant.maxCopies,
    tenant.isPaused ? 1 : 0, tenant.isEnded ? 1 : 0, Number(tenant.epoch),
  )
  tx.run('DELETE FROM iot_route WHERE tenant = ?', id)
  tenant.routes.forEach((route, position) => {
    const key = routeKey(route)
    const taken = tx.get<{ tenant: string }>('SELECT tenant FROM iot_route WHERE route_key = ?', key)
    if (taken !== undefined) throw new MeshBoxError('conflict', `the route ${key} is the tenant ${taken.tenant}'s`, { code: 'route-taken', field: 'routes', value: key })
    tx.run('INSERT INTO iot_route (route_key, tenant, position, route) VALUES (?, ?, ?, ?)', key, id, position, JSON.stringify(route))
  })
}

function destinationOf(row: TenantRow, seal: KeySeal, onLost: (tenant: TenantId) => void): Destination {
  const open = JSON.parse(row.destination) as Destination
  try {
    return openDestination(open, row.sealed === null ? null : new Uint8Array(row.sealed), seal)
  } catch (thrown) {
    if (!isSealedElsewhere(thrown)) throw thrown
    onLost(row.id)
    return open
  }
}

function toTenant(row: TenantRow, routes: readonly Route[], destination: Destination): TenantRecord {
  const prices = JSON.parse(row.prices) as { perUnit: string; perJoin: string; perLateFrame: string | null; perDownlinkMs: Record<string, string> }
  return {
    id: row.id,
    name: row.name,
    payer: row.payer as TenantRecord['payer'],
    routes,
    destination,
    prices: {
      token: row.token as PriceList['token'],
      perUnit: BigInt(prices.perUnit),
      perJoin: BigInt(prices.perJoin),
      perLateFrame: prices.perLateFrame === null ? null : BigInt(prices.perLateFrame),
      perDownlinkMs: Object.fromEntries(Object.entries(prices.perDownlinkMs).map(([band, price]) => [band, BigInt(price)])),
    },
    creditWindow: BigInt(row.credit_window),
    maxCopies: row.max_copies,
    isPaused: row.is_paused === 1,
    isEnded: row.is_ended === 1,
    epoch: BigInt(row.epoch),
  }
}

// ---- keys

export interface SealedMicKey {
  readonly slot: number
  readonly is11: boolean
  readonly sealed: Uint8Array
  readonly lastFCntUp: number | null
}

export function readMicKeys(tx: ReadTx, tenant: TenantId, devAddr: DevAddr): readonly SealedMicKey[] {
  return tx
    .all<{ slot: number; is_11: number; sealed: Uint8Array; last_fcnt_up: number | null }>('SELECT slot, is_11, sealed, last_fcnt_up FROM iot_mic_key WHERE tenant = ? AND dev_addr = ? ORDER BY slot DESC', tenant, devAddr)
    .map((row) => ({ slot: row.slot, is11: row.is_11 === 1, sealed: new Uint8Array(row.sealed), lastFCntUp: row.last_fcnt_up }))
}

/** A new slot each time, so that an opened key is never taken for another one. */
export function addMicKey(tx: Tx, tenant: TenantId, devAddr: DevAddr, sealed: Uint8Array, is11: boolean, lastFCntUp: number | null): void {
  const next = tx.get<{ slot: number }>('SELECT coalesce(max(slot), 0) + 1 AS slot FROM iot_mic_key WHERE tenant = ? AND dev_addr = ?', tenant, devAddr)
  tx.run('INSERT INTO iot_mic_key (tenant, dev_addr, slot, sealed, is_11, last_fcnt_up) VALUES (?, ?, ?, ?, ?, ?)', tenant, devAddr, next?.slot ?? 1, sealed, is11 ? 1 : 0, lastFCntUp)
}

export function setMicCounter(tx: Tx, tenant: TenantId, devAddr: DevAddr, slot: number, lastFCntUp: number | null): void {
  tx.run('UPDATE iot_mic_key SET last_fcnt_up = ? WHERE tenant = ? AND dev_addr = ? AND slot = ?', lastFCntUp, tenant, devAddr, slot)
}

/** False: that counter, or a higher one, was bought before. */
export function moveMicCounter(tx: Tx, tenant: TenantId, devAddr: DevAddr, slot: number, fCnt: number): boolean {
  return tx.run('UPDATE iot_mic_key SET last_fcnt_up = ? WHERE tenant = ? AND dev_addr = ? AND slot = ? AND (last_fcnt_up IS NULL OR last_fcnt_up < ?)', fCnt, tenant, devAddr, slot, fCnt) === 1
}

export function removeMicKey(tx: Tx, tenant: TenantId, devAddr: DevAddr, slot: number): void {
  tx.run('DELETE FROM iot_mic_key WHERE tenant = ? AND dev_addr = ? AND slot = ?', tenant, devAddr, slot)
}

export function removeMicKeys(tx: Tx, tenant: TenantId): number {
  return tx.run('DELETE FROM iot_mic_key WHERE tenant = ?', tenant)
}

export function countMicKeys(tx: ReadTx, tenant: TenantId): number {
  return tx.get<{ count: number }>('SELECT count(*) AS count FROM iot_mic_key WHERE tenant = ?', tenant)?.count ?? 0
}
