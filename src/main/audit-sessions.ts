/** Sessions as the audit reads them: what was bought, what of it was used, and what the ledger has of it. */
import type { AllotmentRow, SessionRow } from '../audit/index.ts'
import type { ReadTx } from '../store/index.ts'

interface StoredSession {
  id: string
  state: string
  end_reason: string | null
}

interface StoredAllotment {
  seq: number
  source: string
  bearer: string | null
  price: string
  refunded: string
  is_void: number
  granted_ms: number | null
  granted_bytes: number | null
  entry_id: number | null
}

export function sessionsAfter(tx: ReadTx, id: string, most: number): SessionRow[] {
  return tx.all<StoredSession>('SELECT id, state, end_reason FROM hotspot_session WHERE id > ? ORDER BY id LIMIT ?', id, most).map((row) => {
    const progress = tx.get<{ used: string }>('SELECT used FROM hotspot_progress WHERE session_id = ?', row.id)
    const used = progress === undefined ? [] : (JSON.parse(progress.used) as { readonly allotments: readonly (readonly [number, number])[] }).allotments
    const allotments = tx.all<StoredAllotment>('SELECT seq, source, bearer, price, refunded, is_void, granted_ms, granted_bytes, entry_id FROM hotspot_allotment WHERE session_id = ? ORDER BY seq', row.id)
    return { id: row.id, state: row.state, endReason: row.end_reason, allotments: allotments.map((each) => allotment(tx, each, used[each.seq] ?? [0, 0])) }
  })
}

function allotment(tx: ReadTx, row: StoredAllotment, [usedMs, usedBytes]: readonly [number, number]): AllotmentRow {
  return {
    seq: row.seq,
    source: row.source,
    bearer: row.bearer,
    price: BigInt(row.price),
    refunded: BigInt(row.refunded),
    isVoid: row.is_void === 1,
    grantedMs: row.granted_ms,
    usedMs,
    grantedBytes: row.granted_bytes,
    usedBytes,
    entry: row.entry_id === null ? null : entryOf(tx, row.entry_id),
  }
}

function entryOf(tx: ReadTx, id: number): AllotmentRow['entry'] {
  const entry = tx.get<{ amount: string; token: string }>('SELECT amount, token FROM ledger_entries WHERE id = ?', id)
  const taken = tx.get<{ taken: string }>('SELECT taken FROM ledger_entries WHERE reverses = ? ORDER BY id DESC LIMIT 1', id)?.taken
  return entry === undefined ? null : { id, amount: BigInt(entry.amount), taken: BigInt(taken ?? 0), token: entry.token }
}
