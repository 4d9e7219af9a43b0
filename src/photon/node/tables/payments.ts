/** Records of the payment machines: those under way, and a bounded number of ended ones. */
import { hash } from 'node:crypto'
import { bytesOf } from '../../../base/index.ts'
import type { Address } from '../../../base/index.ts'
import type { ReadTx, SqlValue, Tx } from '../../../store/index.ts'
import type { PaymentState } from '../../payment/index.ts'
import { decodeSnapshot, encodeSnapshot } from '../snapshot.ts'

/** Ended ones kept. A channel remembers the locks it gave up by itself, for as long as they could be offered again. */
const MAX_ENDED = 20_000
const PURGED_AT_ONCE = 200
const NAME_BYTES = 16
const ROWS_AT_ONCE = 8
/** By the number of rows; below 0 of those under way. */
const puts = new Map<number, string>()
/** A record is written some three times while it is under way. */
const KEPT_NAMES = 512
const recentNames = new Map<Address, Map<string, Uint8Array>>()

/** `isUnderWay`: the rows are there and none of them begins or ends by this. Naming `is_ended` writes a page of its index too. */
export function putPayments(tx: Tx, contract: Address, states: readonly PaymentState[], isUnderWay: boolean): void {
  const owner = bytesOf(contract)
  for (let at = 0; at < states.length; at += ROWS_AT_ONCE) {
    const some = states.slice(at, at + ROWS_AT_ONCE)
    const params: SqlValue[] = []
    for (const state of some) params.push(nameOf(contract, state.id), owner, state.isEnded ? 1 : 0, encodeSnapshot(state))
    tx.run(putOf(some.length, isUnderWay), ...params)
  }
}

function putOf(rows: number, isUnderWay: boolean): string {
  const name = isUnderWay ? -rows : rows
  let sql = puts.get(name)
  if (sql === undefined)
    puts.set(name, (sql = `INSERT INTO photon_payment (name, contract, is_ended, state) VALUES ${Array.from({ length: rows }, () => '(?, ?, ?, ?)').join(', ')} ON CONFLICT (name) DO UPDATE SET ${isUnderWay ? '' : 'is_ended = excluded.is_ended, '}state = excluded.state`))
  return sql
}

/** A few at a time, by the oldest numbers. */
export function purgePayments(tx: Tx): void {
  const newest = tx.get<{ number: number | null }>('SELECT max(number) AS number FROM photon_payment')?.number ?? 0
  const past = newest - MAX_ENDED
  const whole = past - (past % (PURGED_AT_ONCE / 2)) // many pages at once instead of a few each time
  if (whole <= 0) return
  tx.run('DELETE FROM photon_payment WHERE number IN (SELECT number FROM photon_payment WHERE number <= ? AND is_ended = 1 ORDER BY number LIMIT ?)', whole, PURGED_AT_ONCE)
}

function nameOf(contract: Address, id: string): Uint8Array {
  let names = recentNames.get(contract)
  if (names === undefined) recentNames.set(contract, (names = new Map()))
  const known = names.get(id)
  if (known !== undefined) return known
  const name = hash('sha256', contract + id, 'buffer').subarray(0, NAME_BYTES)
  if (names.size >= KEPT_NAMES) names.clear()
  names.set(id, name)
  return name
}

export function readOpenPayments(tx: ReadTx, contract: Address): readonly PaymentState[] {
  return tx.all<{ state: Uint8Array }>('SELECT state FROM photon_payment WHERE contract = ? AND is_ended = 0 ORDER BY number', bytesOf(contract)).map((row) => decodeSnapshot<PaymentState>(row.state))
}

export function readPayment(tx: ReadTx, contract: Address, id: string): PaymentState | undefined {
  const row = tx.get<{ state: Uint8Array }>('SELECT state FROM photon_payment WHERE name = ?', nameOf(contract, id))
  return row === undefined ? undefined : decodeSnapshot<PaymentState>(row.state)
}
