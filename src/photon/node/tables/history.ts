/**
 * Payments that ended, append-only, in the order they ended. No index but the row's own number: a random one would make
 * each of a million rows cost a page from the flash.
 */
import { hexOf, bytesOf } from '../../../base/index.ts'
import type { Address, Hash } from '../../../base/index.ts'
import type { ReadTx, SqlValue, Tx } from '../../../store/index.ts'

export type HistoryKind = 'direct-sent' | 'direct-received' | 'sent' | 'received' | 'mediated' | 'swapped' | 'failed' | 'cancelled'

const KINDS: readonly HistoryKind[] = ['direct-sent', 'direct-received', 'sent', 'received', 'mediated', 'swapped', 'failed', 'cancelled']
const ROWS_AT_ONCE = 16
const MAX_PAGE_ROWS = 1000

export interface HistoryRow {
  readonly kind: HistoryKind
  /** 0: no channel of ours alone. */
  readonly channelNumber: number
  /** Of direct payments: delivered if it is not above what the partner has acknowledged. */
  readonly nonce: bigint
  readonly amount: bigint
  readonly wallMs: number
  /** Payment id, or the secret's hash. */
  readonly key: Hash
  /** Who paid or was paid, where it is not the channel's partner. */
  readonly peer: Address | null
  readonly data: Uint8Array
  readonly note: string
  /** Null: the channel's. */
  readonly token?: Address | null
  /** Paid, or earned, for carrying it. */
  readonly fee?: bigint
}

export interface StoredPayment extends HistoryRow {
  readonly id: number
  /** The chain's height when it ended; 0: not known. */
  readonly block: number
}

/** Most rows say no more than this. */
const PLAIN = ['kind', 'channel', 'nonce', 'amount', 'wall_ms', 'key']
const FULL = [...PLAIN, 'peer', 'data', 'note', 'token', 'fee']
const inserts = new Map<string, string>()
const NOTE_BLOCK = `INSERT INTO photon_history_block (first, block) SELECT (SELECT coalesce(max(id), 0) + 1 FROM photon_history), ? WHERE ? > (SELECT coalesce(max(block), -1) FROM photon_history_block)`
const BLOCK_OF = '(SELECT block FROM photon_history_block WHERE first <= photon_history.id ORDER BY first DESC LIMIT 1)'

/** `block`: how high the chain is; the numbers never fall, whatever it does. */
export function insertHistory(tx: Tx, rows: readonly HistoryRow[], block: number): void {
  if (rows.length > 0) tx.run(NOTE_BLOCK, block, block)
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    const some = rows.slice(at, at + ROWS_AT_ONCE)
    const columns = some.every((row) => row.peer === null && row.data.length === 0 && row.note === '') ? PLAIN : FULL
    const params: SqlValue[] = []
    for (const row of some) {
      params.push(KINDS.indexOf(row.kind), row.channelNumber, row.nonce, row.amount.toString(), row.wallMs, Buffer.from(row.key.slice(2), 'hex'))
      if (columns === FULL) params.push(row.peer === null ? null : bytesOf(row.peer), row.data.length === 0 ? null : row.data, row.note === '' ? null : row.note, row.token == null ? null : bytesOf(row.token), row.fee === undefined ? null : row.fee.toString())
    }
    tx.run(insertOf(columns, some.length), ...params)
  }
}

/** Newest first; `before`: an id from the page before. */
export function readHistory(tx: ReadTx, before: number | null, most: number): readonly StoredPayment[] {
  return tx
    .all<Stored>(`SELECT *, ${BLOCK_OF} AS block FROM photon_history WHERE id < ? ORDER BY id DESC LIMIT ?`, before ?? Number.MAX_SAFE_INTEGER, Math.min(most, MAX_PAGE_ROWS))
    .map(paymentOf)
}

/** Oldest first, of those behind `after`. */
export function readHistoryAfter(tx: ReadTx, after: number, most: number): readonly StoredPayment[] {
  return tx.all<Stored>(`SELECT *, ${BLOCK_OF} AS block FROM photon_history WHERE id > ? ORDER BY id LIMIT ?`, after, Math.min(most, MAX_PAGE_ROWS)).map(paymentOf)
}

interface Stored {
  readonly id: number
  readonly block: number | null
  readonly kind: number
  readonly channel: number
  readonly nonce: number
  readonly amount: string
  readonly wall_ms: number
  readonly key: Uint8Array
  readonly peer: Uint8Array | null
  readonly data: Uint8Array | null
  readonly note: string | null
  readonly token: Uint8Array | null
  readonly fee: string | null
}

function paymentOf(row: Stored): StoredPayment {
  return {
    id: row.id,
    block: row.block ?? 0,
    kind: KINDS[row.kind] ?? 'failed',
    channelNumber: row.channel,
    nonce: BigInt(row.nonce),
    amount: BigInt(row.amount),
    wallMs: row.wall_ms,
    key: hexOf(row.key),
    peer: row.peer === null ? null : hexOf(row.peer),
    data: row.data ?? new Uint8Array(0),
    note: row.note ?? '',
    token: row.token === null ? null : hexOf(row.token),
    fee: BigInt(row.fee ?? '0'),
  }
}

function insertOf(columns: readonly string[], rows: number): string {
  const name = `${columns.length}/${rows}`
  let sql = inserts.get(name)
  if (sql === undefined) {
    const row = `(${columns.map(() => '?').join(', ')})`
    inserts.set(name, (sql = `INSERT INTO photon_history (${columns.join(', ')}) VALUES ${Array.from({ length: rows }, () => row).join(', ')}`))
  }
  return sql
}
