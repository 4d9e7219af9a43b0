/** Vouchers on disk: those printed here, and those of the owner's other boxes that were used here. */
import type { Moment } from '../../base/index.ts'
import type { ReadTx, SqlValue, Tx } from '../../store/index.ts'
import type { VoucherBatchRow, VoucherRow } from '../types.ts'
import type { VoucherId, VoucherTerms } from '../voucher/types.ts'

/** `pending`: used while the clock was not trusted, its date still to be looked at; `late`: it was over. */
export type DateCheck = 'none' | 'pending' | 'ok' | 'late' | 'unknown'

/** As in the table; the typed code is not stored, the voucher keys make it. */
export type StoredVoucher = Omit<VoucherRow, 'code'>

interface Row {
  id: string
  batch: string
  slot: number
  box: number
  serial: number
  label: string
  seconds: number | null
  bytes: number | null
  tokens: string | null
  devices: number
  down_kbps: number | null
  up_kbps: number | null
  price: string
  valid_until_day: number | null
  created_wall_ms: number
  state: StoredVoucher['state']
  session_id: string | null
}

const COLUMNS = `id, batch, slot, box, serial, label, seconds, bytes, tokens, devices, down_kbps, up_kbps, price, valid_until_day,
  created_wall_ms, state, session_id`

export function findVoucher(tx: ReadTx, id: VoucherId): StoredVoucher | null {
  const row = tx.get<Row>(`SELECT ${COLUMNS} FROM hotspot_voucher WHERE id = ?`, id)
  return row === undefined ? null : toVoucher(row)
}

/** One printing run. */
export function insertBatch(
  tx: Tx,
  batch: { readonly label: string; readonly price: bigint; readonly box: number; readonly wallMs: number },
): string {
  const seq = (tx.get<{ n: number | null }>('SELECT max(seq) AS n FROM hotspot_batch')?.n ?? 0) + 1
  const id = `${batch.box}-${seq}`
  tx.run('INSERT INTO hotspot_batch VALUES (?, ?, ?, ?, ?)', seq, id, batch.label, batch.price.toString(), batch.wallMs)
  return id
}

/** All serials this table knows of a slot and box. */
export function serialsOf(tx: ReadTx, slot: number, box: number): number[] {
  return tx.all<{ serial: number }>('SELECT serial FROM hotspot_voucher WHERE slot = ? AND box = ?', slot, box).map((row) => row.serial)
}

export function insertVoucher(tx: Tx, voucher: StoredVoucher): void {
  const { terms } = voucher
  const values: SqlValue[] = [
    voucher.id,
    voucher.batch,
    terms.slot,
    terms.box,
    terms.serial,
    voucher.label,
    terms.seconds,
    terms.bytes,
    terms.tokens === null ? null : terms.tokens.toString(),
    terms.devices,
    terms.downKbps,
    terms.upKbps,
    terms.price.toString(),
    terms.validUntilDay,
    voucher.createdWallMs,
    voucher.state,
    voucher.sessionId,
  ]
  tx.run(
    `INSERT INTO hotspot_voucher (${COLUMNS}, date_check) VALUES (${'?, '.repeat(values.length)}'none')`,
    ...values,
  )
}

/** The first-use lock; no session for one worth tokens. False when somebody else has it: nothing is changed then. */
export function lockVoucher(tx: Tx, id: VoucherId, sessionId: string | null, at: Moment, dateCheck: DateCheck): boolean {
  return (
    tx.run(
      `UPDATE hotspot_voucher SET state = 'used', session_id = ?, used_boot_id = ?, used_boottime_ms = ?, used_wall_ms = ?,
         used_wall_trusted = ?, date_check = ? WHERE id = ? AND state = 'unused'`,
      sessionId,
      at.bootId,
      at.boottimeMs,
      at.wallMs,
      at.wallTrusted ? 1 : 0,
      dateCheck,
      id,
    ) === 1
  )
}

/** The session of a used one keeps its id. */
export function revoke(tx: Tx, id: VoucherId): void {
  tx.run(`UPDATE hotspot_voucher SET state = 'revoked' WHERE id = ?`, id)
}

export function batchVouchers(tx: ReadTx, batch: string): StoredVoucher[] {
  return tx.all<Row>(`SELECT ${COLUMNS} FROM hotspot_voucher WHERE batch = ? ORDER BY n`, batch).map(toVoucher)
}

export interface VoucherPage {
  readonly batch: string | null
  readonly state: StoredVoucher['state'] | null
  readonly limit: number
  readonly offset: number
}

/** Newest first. */
export function voucherPage(tx: ReadTx, page: VoucherPage): StoredVoucher[] {
  const where: string[] = []
  const values: SqlValue[] = []
  if (page.batch !== null) {
    where.push('batch = ?')
    values.push(page.batch)
  }
  if (page.state !== null) {
    where.push('state = ?')
    values.push(page.state)
  }
  const filter = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`
  return tx
    .all<Row>(`SELECT ${COLUMNS} FROM hotspot_voucher ${filter} ORDER BY n DESC LIMIT ? OFFSET ?`, ...values, page.limit, page.offset)
    .map(toVoucher)
}

export function countUnused(tx: ReadTx): number {
  return tx.get<{ n: number }>(`SELECT count(*) AS n FROM hotspot_voucher WHERE state = 'unused'`)?.n ?? 0
}

/** Printing runs, newest first. */
export function batches(tx: ReadTx, limit: number): VoucherBatchRow[] {
  return tx
    .all<{ id: string; label: string; price: string; created: number; n: number; unused: number; used: number; revoked: number }>(
      `SELECT b.id, b.label, b.price, b.created_wall_ms AS created, count(*) AS n,
         sum(v.state = 'unused') AS unused, sum(v.state = 'used') AS used, sum(v.state = 'revoked') AS revoked
       FROM (SELECT * FROM hotspot_batch ORDER BY seq DESC LIMIT ?) b JOIN hotspot_voucher v ON v.batch = b.id
       GROUP BY b.seq ORDER BY b.seq DESC`,
      limit,
    )
    .map(({ id, created, n, price, ...row }) => ({ ...row, batch: id, createdWallMs: created, count: n, price: BigInt(price) }))
}

export function batchLabel(tx: ReadTx, batch: string): string | null {
  return tx.get<{ label: string }>('SELECT label FROM hotspot_batch WHERE id = ?', batch)?.label ?? null
}

export interface PendingDate {
  readonly id: VoucherId
  readonly validUntilDay: number
  readonly usedBootId: string
  readonly usedBoottimeMs: number
}

/** Vouchers with a last day that were taken while the clock was not trusted. */
export function pendingDates(tx: ReadTx, limit: number): PendingDate[] {
  return tx.all<PendingDate>(
    `SELECT id, valid_until_day AS validUntilDay, used_boot_id AS usedBootId, used_boottime_ms AS usedBoottimeMs
     FROM hotspot_voucher WHERE date_check = 'pending' ORDER BY n LIMIT ?`,
    limit,
  )
}

export function setDateCheck(tx: Tx, id: VoucherId, check: DateCheck): void {
  tx.run('UPDATE hotspot_voucher SET date_check = ? WHERE id = ?', check, id)
}

function toVoucher(row: Row): StoredVoucher {
  const terms: VoucherTerms = {
    slot: row.slot,
    box: row.box,
    serial: row.serial,
    seconds: row.seconds,
    bytes: row.bytes,
    tokens: row.tokens === null ? null : BigInt(row.tokens),
    devices: row.devices,
    downKbps: row.down_kbps,
    upKbps: row.up_kbps,
    price: BigInt(row.price),
    validUntilDay: row.valid_until_day,
  }
  return {
    id: row.id,
    batch: row.batch,
    terms,
    label: row.label,
    state: row.state,
    sessionId: row.session_id,
    createdWallMs: row.created_wall_ms,
  }
}
