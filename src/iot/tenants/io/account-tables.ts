/** What was held, billed, receipted and paid: every statement on it. Each verb runs inside somebody's turn. */
import { MeshBoxError, fromHex, hexOf, toHex } from '../../../base/index.ts'
import type { Address, Hash, Moment } from '../../../base/index.ts'
import { dayOf } from '../../../ledger/index.ts'
import type { ReadTx, Tx } from '../../../store/index.ts'
import type { BillableUnit, FrameId, Heard, Receipt, TenantId } from '../../ports.ts'
import { newAccount, withUnit } from '../account.ts'
import type { OpenAccount } from '../account.ts'
import type { Keccak } from '../receipt/chain.ts'
import type { BilledUnit, HeldUnit, StatementRow } from '../types.ts'

interface AccountRow {
  tenant: string
  epoch: number
  payer: string
  token: string
  seq: number
  cum_uplinks: number
  cum_units: number
  cum_downlink_ms: number
  cum_amount: string
  chain_hash: Uint8Array
  held_amount: string
  held_count: number
  receipt_seq: number
  settled: string
  is_behind: number
}

export interface StoredAccount extends OpenAccount {
  readonly tenant: TenantId
  readonly payer: Address
  readonly token: Address
  /** Up to this unit there is a receipt, and the ledger has it. */
  readonly receiptSeq: bigint
  /** What of the payments the ledger has. */
  readonly settled: bigint
  /** Of an old copy of the book: nothing is sold and nothing signed before it has caught up. */
  readonly isBehind: boolean
}

interface MomentRow {
  boot_id: string
  boottime_ms: number
  wall_ms: number
  wall_trusted: number
}

// ---- accounts

/** Null: the tenant never had that one. */
export function readAccount(tx: ReadTx, tenant: TenantId, epoch: bigint): StoredAccount | null {
  const row = tx.get<AccountRow>('SELECT * FROM iot_account WHERE tenant = ? AND epoch = ?', tenant, Number(epoch))
  return row === undefined ? null : toAccount(row)
}

export function accountsOf(tx: ReadTx, tenant: TenantId): readonly StoredAccount[] {
  return tx.all<AccountRow>('SELECT * FROM iot_account WHERE tenant = ? ORDER BY epoch', tenant).map(toAccount)
}

export function allAccounts(tx: ReadTx): readonly StoredAccount[] {
  return tx.all<AccountRow>('SELECT * FROM iot_account ORDER BY tenant, epoch').map(toAccount)
}

/**
 * The account of that payer and token: the one there was, or a new one. Errors: conflict `payer-taken` when it is another tenant's: two
 * chains of receipts for one payer would look like a fork, and his payments could not be told apart.
 */
export function accountFor(tx: Tx, tenant: TenantId, payer: Address, token: Address): bigint {
  const known = tx.get<{ tenant: string; epoch: number }>('SELECT tenant, epoch FROM iot_account WHERE payer = ? AND token = ?', payer, token)
  if (known !== undefined) {
    if (known.tenant === tenant) return BigInt(known.epoch)
    throw new MeshBoxError('conflict', `the payer ${payer} pays for the tenant ${known.tenant} in this token already`, { code: 'payer-taken', field: 'payer', value: payer, allowed: 'one tenant per payer and token' })
  }
  const last = tx.get<{ epoch: number | null }>('SELECT max(epoch) AS epoch FROM iot_account WHERE tenant = ?', tenant)
  const epoch = (last?.epoch ?? 0) + 1
  tx.run(
    `INSERT INTO iot_account (tenant, epoch, payer, token, seq, cum_uplinks, cum_units, cum_downlink_ms, cum_amount, chain_hash, held_amount, held_count, receipt_seq, settled)
     VALUES (?, ?, ?, ?, 0, 0, 0, 0, '0', ?, '0', 0, 0, '0')`,
    tenant, epoch, payer, token, newAccount(0n).chainHash,
  )
  return BigInt(epoch)
}

export function setSettled(tx: Tx, tenant: TenantId, epoch: bigint, settled: bigint): void {
  tx.run('UPDATE iot_account SET settled = ? WHERE tenant = ? AND epoch = ?', settled.toString(), tenant, Number(epoch))
}

/**
 * The book is an old copy: receipts may be out that are not in it. What is held, and what lies in late/, may have been delivered and billed since:
 * it costs nobody anything any more.
 */
export function noteAccountsBehind(tx: Tx): void {
  tx.run("UPDATE iot_account SET is_behind = 1, held_amount = '0', held_count = 0")
  tx.run('DELETE FROM iot_held')
}

/** Where the chain of hashes goes on: at `newer`, a receipt of ours that this book does not know, or where it is. */
export function caughtUp(tx: Tx, { tenant, epoch, cumAmount }: StoredAccount, newer: Receipt | null): void {
  tx.run('UPDATE iot_account SET is_behind = 0 WHERE tenant = ? AND epoch = ?', tenant, Number(epoch))
  if (newer === null) return
  tx.run(
    'UPDATE iot_account SET seq = ?, cum_uplinks = ?, cum_units = ?, cum_downlink_ms = ?, cum_amount = ?, chain_hash = ? WHERE tenant = ? AND epoch = ?',
    newer.seq, newer.cumUplinks, newer.cumUnits, newer.cumDownlinkMs, newer.cumAmount.toString(), fromHex(newer.chainHash), tenant, Number(epoch),
  )
  // Of what kind they were is not in a receipt.
  addToSum(tx, { tenant, epoch, kind: 'uplink', amount: newer.cumAmount - cumAmount })
}

function mustHave(tx: ReadTx, tenant: TenantId, epoch: bigint): StoredAccount {
  const account = readAccount(tx, tenant, epoch)
  if (account === null) throw new MeshBoxError('internal', `the tenant ${tenant} has no account ${epoch}`, { code: 'account-missing', value: tenant })
  return account
}

function toAccount(row: AccountRow): StoredAccount {
  return {
    tenant: row.tenant,
    epoch: BigInt(row.epoch),
    payer: row.payer as Address,
    token: row.token as Address,
    seq: BigInt(row.seq),
    cumUplinks: BigInt(row.cum_uplinks),
    cumUnits: BigInt(row.cum_units),
    cumDownlinkMs: BigInt(row.cum_downlink_ms),
    cumAmount: BigInt(row.cum_amount),
    chainHash: new Uint8Array(row.chain_hash),
    heldAmount: BigInt(row.held_amount),
    heldCount: row.held_count,
    receiptSeq: BigInt(row.receipt_seq),
    settled: BigInt(row.settled),
    isBehind: row.is_behind === 1,
  }
}

// ---- held → billed or let go

/** Errors: conflict `held-already`. */
export function hold(tx: Tx, unit: HeldUnit, heard: Uint8Array | null): void {
  const { at } = unit
  const inserted = tx.run(
    `INSERT INTO iot_held (tenant, hold_key, epoch, kind, frame, tmst_us, units, amount, heard, boot_id, boottime_ms, wall_ms, wall_trusted)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, hold_key) DO NOTHING`,
    unit.tenant, unit.key, Number(unit.epoch), unit.kind, fromHex(unit.frame), unit.tmstUs, unit.units, unit.amount.toString(), heard,
    at.bootId, at.boottimeMs, at.wallMs, at.wallTrusted ? 1 : 0,
  )
  if (inserted === 0) throw new MeshBoxError('conflict', 'this is being delivered already', { code: 'held-already', value: unit.key })
  setHeld(tx, mustHave(tx, unit.tenant, unit.epoch), unit.amount, 1)
}

interface HeldRow extends MomentRow {
  tenant: string
  hold_key: string
  epoch: number
  kind: BillableUnit['kind']
  frame: Uint8Array
  tmst_us: number
  units: number
  amount: string
  heard: Uint8Array | null
}

export function heldOf(tx: ReadTx, tenant: TenantId, decode: (record: Uint8Array) => Heard): readonly HeldUnit[] {
  return tx.all<HeldRow>('SELECT * FROM iot_held WHERE tenant = ? ORDER BY boottime_ms, hold_key', tenant).map((row) => ({
    ...heldFacts(row),
    heard: row.heard === null ? null : readable(new Uint8Array(row.heard), decode),
  }))
}

/** When the oldest frame was heard that is being delivered, in this run of the machine, milliseconds since boot; Infinity: none is. */
export function oldestUnderWay(tx: ReadTx, tenant: TenantId, bootId: string): number {
  return tx.get<{ oldest: number | null }>("SELECT min(boottime_ms) AS oldest FROM iot_held WHERE tenant = ? AND boot_id = ? AND kind = 'uplink'", tenant, bootId)?.oldest ?? Infinity
}

/** A record of another version of the box is nothing to deliver. */
function readable(record: Uint8Array, decode: (record: Uint8Array) => Heard): Heard | null {
  try {
    return decode(record)
  } catch (thrown) {
    if (thrown instanceof MeshBoxError && thrown.kind === 'input') return null
    throw thrown
  }
}

export function tenantsWithHeld(tx: ReadTx): readonly TenantId[] {
  return tx.all<{ tenant: string }>('SELECT DISTINCT tenant FROM iot_held ORDER BY tenant').map((row) => row.tenant)
}

/**
 * It was delivered: gets the next number, moves the account, the chain of hashes and the day's statement. `actual`: of a downlink, what was on the
 * air, never more than was held. Null: it was not held (billed or let go before).
 */
export function bill(tx: Tx, tenant: TenantId, key: string, keccak: Keccak, actual?: { readonly frame: FrameId; readonly units: number; readonly amount: bigint }): BilledUnit | null {
  const row = takeHeld(tx, tenant, key)
  if (row === null) return null
  const { key: _key, ...facts } = row
  const { epoch } = facts
  if (actual !== undefined && actual.amount > facts.amount) throw new MeshBoxError('internal', `${actual.amount} was to be billed where ${facts.amount} was held`, { code: 'billed-above-held' })
  const account = mustHave(tx, tenant, epoch)
  const unit: BilledUnit = { ...facts, ...actual, seq: account.seq + 1n }
  const next = withUnit(account, unit, keccak)
  const { at } = unit
  tx.run(
    'INSERT INTO iot_unit (tenant, epoch, seq, kind, frame, tmst_us, units, amount, boot_id, boottime_ms, wall_ms, wall_trusted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    tenant, Number(epoch), Number(unit.seq), unit.kind, fromHex(unit.frame), unit.tmstUs, unit.units, unit.amount.toString(), at.bootId, at.boottimeMs, at.wallMs, at.wallTrusted ? 1 : 0,
  )
  tx.run(
    `UPDATE iot_account SET seq = ?, cum_uplinks = ?, cum_units = ?, cum_downlink_ms = ?, cum_amount = ?, chain_hash = ?, held_amount = ?, held_count = held_count - 1
     WHERE tenant = ? AND epoch = ?`,
    Number(next.seq), Number(next.cumUplinks), Number(next.cumUnits), Number(next.cumDownlinkMs), next.cumAmount.toString(), next.chainHash, (account.heldAmount - row.amount).toString(),
    tenant, Number(epoch),
  )
  addToSum(tx, unit)
  addToStatement(tx, unit)
  return unit
}

/** It was not delivered, and costs nothing. False: it was not held. */
export function letGo(tx: Tx, tenant: TenantId, key: string): boolean {
  const row = takeHeld(tx, tenant, key)
  if (row === null) return false
  setHeld(tx, mustHave(tx, tenant, row.epoch), -row.amount, -1)
  return true
}

/** The caller moves what the account holds. */
function takeHeld(tx: Tx, tenant: TenantId, key: string): Omit<HeldUnit, 'heard'> | null {
  const row = tx.get<HeldRow>('DELETE FROM iot_held WHERE tenant = ? AND hold_key = ? RETURNING *', tenant, key)
  return row === undefined ? null : heldFacts(row)
}

function setHeld(tx: Tx, account: StoredAccount, amount: bigint, count: number): void {
  tx.run('UPDATE iot_account SET held_amount = ?, held_count = held_count + ? WHERE tenant = ? AND epoch = ?', (account.heldAmount + amount).toString(), count, account.tenant, Number(account.epoch))
}

function heldFacts(row: HeldRow): Omit<HeldUnit, 'heard'> {
  return { tenant: row.tenant, key: row.hold_key, epoch: BigInt(row.epoch), kind: row.kind, frame: toHex(row.frame), tmstUs: row.tmst_us, units: row.units, amount: BigInt(row.amount), at: toMoment(row) }
}

function addToSum(tx: Tx, unit: Pick<BilledUnit, 'tenant' | 'epoch' | 'kind' | 'amount'>): void {
  const { epoch } = unit
  const before = tx.get<{ amount: string }>('SELECT amount FROM iot_sum WHERE tenant = ? AND epoch = ? AND kind = ?', unit.tenant, Number(epoch), unit.kind)
  tx.run(
    `INSERT INTO iot_sum (tenant, epoch, kind, amount, booked) VALUES (?, ?, ?, ?, '0') ON CONFLICT DO UPDATE SET amount = excluded.amount`,
    unit.tenant, Number(epoch), unit.kind, (BigInt(before?.amount ?? 0) + unit.amount).toString(),
  )
}

/** What the units of one kind add up to; `booked`: what of it the ledger has. */
export interface KindSum {
  readonly kind: BillableUnit['kind']
  readonly amount: bigint
  readonly booked: bigint
}

export function sumsOf(tx: ReadTx, tenant: TenantId, epoch: bigint): readonly KindSum[] {
  return tx
    .all<{ kind: BillableUnit['kind']; amount: string; booked: string }>('SELECT kind, amount, booked FROM iot_sum WHERE tenant = ? AND epoch = ? ORDER BY kind', tenant, Number(epoch))
    .map((row) => ({ kind: row.kind, amount: BigInt(row.amount), booked: BigInt(row.booked) }))
}

export function setBooked(tx: Tx, tenant: TenantId, epoch: bigint, kind: BillableUnit['kind'], booked: bigint): void {
  tx.run('UPDATE iot_sum SET booked = ? WHERE tenant = ? AND epoch = ? AND kind = ?', booked.toString(), tenant, Number(epoch), kind)
}

function addToStatement(tx: Tx, unit: BilledUnit): void {
  const { epoch } = unit
  const day = dayOf(unit.at)
  const before = tx.get<{ amount: string }>('SELECT amount FROM iot_statement WHERE tenant = ? AND epoch = ? AND day = ? AND kind = ?', unit.tenant, Number(epoch), day, unit.kind)
  tx.run(
    `INSERT INTO iot_statement (tenant, epoch, day, kind, entries, units, amount) VALUES (?, ?, ?, ?, 1, ?, ?)
     ON CONFLICT DO UPDATE SET entries = entries + 1, units = units + excluded.units, amount = excluded.amount`,
    unit.tenant, Number(epoch), day, unit.kind, unit.units, (BigInt(before?.amount ?? 0) + unit.amount).toString(),
  )
}

export function statementOf(tx: ReadTx, tenant: TenantId, fromDay: string, toDay: string): readonly StatementRow[] {
  return tx
    .all<{ day: string; epoch: number; kind: BillableUnit['kind']; entries: number; units: number; amount: string }>(
      'SELECT day, epoch, kind, entries, units, amount FROM iot_statement WHERE tenant = ? AND day >= ? AND day <= ? ORDER BY day, epoch, kind LIMIT 5000', tenant, fromDay, toDay,
    )
    .map((row) => ({ day: row.day, epoch: BigInt(row.epoch), kind: row.kind, entries: row.entries, units: BigInt(row.units), amount: BigInt(row.amount) }))
}

// ---- units and receipts

interface UnitRow extends MomentRow {
  tenant: string
  seq: number
  kind: BillableUnit['kind']
  frame: Uint8Array
  tmst_us: number
  units: number
  amount: string
}

export function unitsAfter(tx: ReadTx, tenant: TenantId, epoch: bigint, afterSeq: bigint, limit: number): readonly BillableUnit[] {
  return tx.all<UnitRow>('SELECT * FROM iot_unit WHERE tenant = ? AND epoch = ? AND seq > ? ORDER BY seq LIMIT ?', tenant, Number(epoch), afterSeq, limit).map((row) => ({
    tenant: row.tenant, seq: BigInt(row.seq), kind: row.kind, frame: toHex(row.frame), tmstUs: row.tmst_us, units: row.units, amount: BigInt(row.amount), at: toMoment(row),
  }))
}

/** Moves `receiptSeq` too. False: there is one as new already. */
export function writeReceipt(tx: Tx, tenant: TenantId, epoch: bigint, receipt: Receipt): boolean {
  if (tx.run('UPDATE iot_account SET receipt_seq = ? WHERE tenant = ? AND epoch = ? AND receipt_seq < ?', receipt.seq, tenant, Number(epoch), receipt.seq) === 0) return false
  tx.run(
    `INSERT INTO iot_receipt (tenant, epoch, seq, chain_id, gateway, payer, token, channel, channel_epoch, cum_uplinks, cum_units, cum_downlink_ms, cum_amount, chain_hash, signature)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    tenant, Number(epoch), receipt.seq, receipt.chainId.toString(), receipt.gateway, receipt.tenant, receipt.token, receipt.channel, receipt.channelEpoch.toString(),
    receipt.cumUplinks, receipt.cumUnits, receipt.cumDownlinkMs, receipt.cumAmount.toString(), fromHex(receipt.chainHash), receipt.signature,
  )
  return true
}

interface ReceiptRow {
  seq: number
  chain_id: string
  gateway: string
  payer: string
  token: string
  channel: string
  channel_epoch: string
  cum_uplinks: number
  cum_units: number
  cum_downlink_ms: number
  cum_amount: string
  chain_hash: Uint8Array
  signature: Uint8Array
}

/** Newest first. */
export function receiptsBefore(tx: ReadTx, tenant: TenantId, epoch: bigint, beforeSeq: bigint, limit: number): readonly Receipt[] {
  return tx.all<ReceiptRow>('SELECT * FROM iot_receipt WHERE tenant = ? AND epoch = ? AND seq < ? ORDER BY seq DESC LIMIT ?', tenant, Number(epoch), beforeSeq, limit).map((row) => ({
    chainId: BigInt(row.chain_id),
    gateway: row.gateway as Address,
    tenant: row.payer as Address,
    token: row.token as Address,
    channel: row.channel as Hash,
    channelEpoch: BigInt(row.channel_epoch),
    seq: BigInt(row.seq),
    cumUplinks: BigInt(row.cum_uplinks),
    cumUnits: BigInt(row.cum_units),
    cumDownlinkMs: BigInt(row.cum_downlink_ms),
    cumAmount: BigInt(row.cum_amount),
    chainHash: hexOf(row.chain_hash),
    signature: new Uint8Array(row.signature),
  }))
}

// ---- frames taken before

const SEEN_MS = 24 * 3_600_000
/** A second bound: what a tenant of no price can fill. */
const MAX_SEEN_PER_TENANT = 131_072

/** False: this frame was taken for this tenant before. A repeated transmission is the same bytes. */
export function markSeen(tx: Tx, tenant: TenantId, frame: FrameId, at: Moment): boolean {
  const inserted = tx.run(
    'INSERT INTO iot_seen (tenant, frame, boot_id, boottime_ms, wall_ms, wall_trusted) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    tenant, fromHex(frame), at.bootId, at.boottimeMs, at.wallMs, at.wallTrusted ? 1 : 0,
  )
  return inserted === 1
}

/** It was not handed over, and is not kept: a repetition may be. */
export function unmarkSeen(tx: Tx, tenant: TenantId, frame: FrameId): void {
  tx.run('DELETE FROM iot_seen WHERE tenant = ? AND frame = ?', tenant, fromHex(frame))
}

/**
 * Forgets what was seen more than 24 h ago. A moment of an earlier boot is as old as both clocks say; when one was not believed, as old as
 * this boot at least. Only the oldest `limit` rows are looked at in a turn. The number forgotten.
 */
export function forgetSeen(tx: Tx, now: Moment, limit: number): number {
  return tx.run(
    `DELETE FROM iot_seen WHERE id IN (SELECT id FROM (SELECT id, boot_id, boottime_ms, wall_ms, wall_trusted FROM iot_seen ORDER BY id LIMIT ?) WHERE
       (boot_id = ? AND boottime_ms < ?) OR (boot_id <> ? AND (? OR (? AND wall_trusted = 1 AND wall_ms < ?))))`,
    limit, now.bootId, now.boottimeMs - SEEN_MS, now.bootId, now.boottimeMs > SEEN_MS ? 1 : 0, now.wallTrusted ? 1 : 0, now.wallMs - SEEN_MS,
  )
}

/** How many are beyond what is kept of a tenant. Reads all of them. */
export function surplusSeen(tx: Tx, tenant: TenantId, most = MAX_SEEN_PER_TENANT): number {
  const count = tx.get<{ count: number }>('SELECT count(*) AS count FROM iot_seen WHERE tenant = ?', tenant)?.count ?? 0
  return Math.max(0, count - most)
}

/** From the oldest on: the index by tenant would have all of them sorted first. The number forgotten. */
export function forgetOldestSeen(tx: Tx, tenant: TenantId, limit: number): number {
  return tx.run('DELETE FROM iot_seen WHERE id IN (SELECT id FROM iot_seen NOT INDEXED WHERE tenant = ? ORDER BY id LIMIT ?)', tenant, limit)
}

/** Units and receipts beyond the newest; of units only what has a receipt. At most `limit` of each in a turn. */
export function forgetOld(tx: Tx, account: StoredAccount, kept: { readonly units: number; readonly receipts: number }, limit: number): number {
  const { tenant, receiptSeq } = account
  const epoch = Number(account.epoch)
  const upTo = account.seq - BigInt(kept.units) < receiptSeq ? account.seq - BigInt(kept.units) : receiptSeq
  let gone = 0
  if (upTo > 0n) gone += tx.run('DELETE FROM iot_unit WHERE (tenant, epoch, seq) IN (SELECT tenant, epoch, seq FROM iot_unit WHERE tenant = ? AND epoch = ? AND seq <= ? ORDER BY seq LIMIT ?)', tenant, epoch, upTo, limit)
  const oldest = tx.get<{ seq: number }>('SELECT seq FROM iot_receipt WHERE tenant = ? AND epoch = ? ORDER BY seq DESC LIMIT 1 OFFSET ?', tenant, epoch, kept.receipts - 1)
  if (oldest !== undefined) gone += tx.run('DELETE FROM iot_receipt WHERE (tenant, epoch, seq) IN (SELECT tenant, epoch, seq FROM iot_receipt WHERE tenant = ? AND epoch = ? AND seq < ? ORDER BY seq LIMIT ?)', tenant, epoch, oldest.seq, limit)
  return gone
}

function toMoment(row: MomentRow): Moment {
  return { bootId: row.boot_id, boottimeMs: row.boottime_ms, wallMs: row.wall_ms, wallTrusted: row.wall_trusted === 1 }
}
