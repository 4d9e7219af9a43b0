/** Payouts and milestones on disk, and every statement on them. */
import { bytesOf, hexOf } from '../../base/index.ts'
import type { Hash } from '../../base/index.ts'
import type { Migration, ReadTx, Tx } from '../../store/index.ts'
import { NO_PROGRESS } from '../milestones.ts'
import type { Progress } from '../milestones.ts'
import type { ShareTerm } from '../statement/index.ts'
import type { Payout } from '../types.ts'
import { tryMigrations } from './try-tables.ts'

export const payoutMigrations: readonly Migration[] = [
  {
    id: 'payout-001',
    sql: `
CREATE TABLE payouts (
  id INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  token TEXT NOT NULL,
  number INTEGER NOT NULL,
  previous BLOB,
  token_address BLOB NOT NULL,
  decimals INTEGER NOT NULL,
  recipient BLOB NOT NULL,
  terms TEXT NOT NULL,
  after_entry INTEGER NOT NULL,
  up_to_entry INTEGER NOT NULL,
  amount TEXT NOT NULL,
  reference BLOB NOT NULL UNIQUE,
  reason TEXT NOT NULL,
  day TEXT NOT NULL,
  made_wall_ms REAL NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'paid', 'dropped')),
  attempts INTEGER NOT NULL,
  problem TEXT,
  -- How far the channels' history went when it was ordered first.
  history_id INTEGER,
  paid_wall_ms REAL,
  paid_trusted INTEGER,
  entry_id INTEGER,
  signature BLOB,
  CHECK ((state = 'paid') = (signature IS NOT NULL))
) STRICT;
-- One under way an account and token: what it pays is nobody else's to pay.
CREATE UNIQUE INDEX payouts_open ON payouts (account, token) WHERE state = 'open';
CREATE UNIQUE INDEX payouts_paid ON payouts (account, token, number) WHERE state = 'paid';
CREATE INDEX payouts_daily ON payouts (account, token, day) WHERE reason = 'daily';

CREATE TABLE payout_milestones (
  id TEXT PRIMARY KEY,
  counted_by TEXT NOT NULL,
  to_entry INTEGER NOT NULL,
  reached TEXT NOT NULL,
  last_day TEXT NOT NULL,
  entry_id INTEGER
) STRICT, WITHOUT ROWID;
`,
  },
  ...tryMigrations,
]

interface PayoutRow {
  id: number
  account: string
  token: string
  number: number
  previous: Uint8Array | null
  token_address: Uint8Array
  decimals: number
  recipient: Uint8Array
  terms: string
  after_entry: number
  up_to_entry: number
  amount: string
  reference: Uint8Array
  reason: Payout['reason']
  day: string
  made_wall_ms: number
  state: Payout['state']
  attempts: number
  problem: string | null
  paid_wall_ms: number | null
  paid_trusted: number | null
  entry_id: number | null
  signature: Uint8Array | null
}

function toPayout(row: PayoutRow): Payout {
  const { paid_wall_ms: wallMs, paid_trusted: trusted, entry_id: entryId, signature } = row
  return {
    id: row.id,
    account: row.account,
    token: row.token,
    number: row.number,
    previous: row.previous === null ? null : hexOf(row.previous),
    tokenAddress: hexOf(row.token_address),
    decimals: row.decimals,
    to: hexOf(row.recipient),
    terms: JSON.parse(row.terms) as ShareTerm[],
    afterEntry: row.after_entry,
    upToEntry: row.up_to_entry,
    amount: BigInt(row.amount),
    reference: hexOf(row.reference),
    reason: row.reason,
    day: row.day,
    madeWallMs: row.made_wall_ms,
    state: row.state,
    attempts: row.attempts,
    problem: row.problem,
    paid: wallMs === null || entryId === null || signature === null ? null : { wallMs, isTrusted: trusted === 1, entryId, signature: Uint8Array.from(signature) },
  }
}

/** Of the next payout. */
export function nextId(tx: ReadTx): number {
  return (tx.get<{ id: number | null }>('SELECT max(id) AS id FROM payouts')?.id ?? 0) + 1
}

export function insertPayout(tx: Tx, payout: Payout): void {
  const { id, account, token, number, previous, tokenAddress, decimals, to, terms, afterEntry, upToEntry, amount, reference, reason, day, madeWallMs } = payout
  tx.run(
    `INSERT INTO payouts (id, account, token, number, previous, token_address, decimals, recipient, terms, after_entry, up_to_entry, amount, reference, reason, day, made_wall_ms, state, attempts)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', 0)`,
    id, account, token, number, previous === null ? null : bytesOf(previous), bytesOf(tokenAddress), decimals, bytesOf(to), JSON.stringify(terms), afterEntry, upToEntry, amount.toString(), bytesOf(reference), reason, day, madeWallMs,
  )
}

export function payoutById(tx: ReadTx, id: number): Payout | null {
  const row = tx.get<PayoutRow>('SELECT * FROM payouts WHERE id = ?', id)
  return row === undefined ? null : toPayout(row)
}

export function openPayouts(tx: ReadTx): Payout[] {
  return tx.all<PayoutRow>("SELECT * FROM payouts WHERE state = 'open' ORDER BY id").map(toPayout)
}

/** Newest first. */
export function payoutsBefore(tx: ReadTx, beforeId: number | null, limit: number): Payout[] {
  return tx.all<PayoutRow>('SELECT * FROM payouts WHERE id < ? ORDER BY id DESC LIMIT ?', beforeId ?? Number.MAX_SAFE_INTEGER, limit).map(toPayout)
}

/** Oldest first. */
export function payoutsAfter(tx: ReadTx, afterId: number, limit: number): Payout[] {
  return tx.all<PayoutRow>('SELECT * FROM payouts WHERE id > ? ORDER BY id LIMIT ?', afterId, limit).map(toPayout)
}

export function payoutByReference(tx: ReadTx, reference: Hash): Payout | null {
  const row = tx.get<PayoutRow>('SELECT * FROM payouts WHERE reference = ?', bytesOf(reference))
  return row === undefined ? null : toPayout(row)
}

/** Of one account and token up to this number, oldest first, the newest `limit` of them. */
export function paidSeries(tx: ReadTx, account: string, token: string, upToNumber: number, limit: number): Payout[] {
  return tx
    .all<PayoutRow>("SELECT * FROM payouts WHERE account = ? AND token = ? AND state = 'paid' AND number <= ? ORDER BY number DESC LIMIT ?", account, token, upToNumber, limit)
    .map(toPayout)
    .reverse()
}

export function lastPaid(tx: ReadTx, account: string, token: string): Payout | null {
  return paidSeries(tx, account, token, Number.MAX_SAFE_INTEGER, 1)[0] ?? null
}

export function lastDailyDay(tx: ReadTx, account: string, token: string): string | null {
  return tx.get<{ day: string }>("SELECT day FROM payouts WHERE account = ? AND token = ? AND reason = 'daily' AND state <> 'dropped' ORDER BY id DESC LIMIT 1", account, token)?.day ?? null
}

export function noteTry(tx: Tx, id: number, attempts: number, problem: string | null): void {
  tx.run("UPDATE payouts SET attempts = ?, problem = ? WHERE id = ? AND state = 'open'", attempts, problem, id)
}

/** False: it was not open any more. */
export function endPaid(tx: Tx, id: number, { wallMs, isTrusted, entryId, signature }: NonNullable<Payout['paid']>): boolean {
  return tx.run("UPDATE payouts SET state = 'paid', problem = NULL, paid_wall_ms = ?, paid_trusted = ?, entry_id = ?, signature = ? WHERE id = ? AND state = 'open'", wallMs, isTrusted ? 1 : 0, entryId, signature, id) === 1
}

/** False: it was not open any more. */
export function endDropped(tx: Tx, id: number): boolean {
  return tx.run("UPDATE payouts SET state = 'dropped' WHERE id = ? AND state = 'open'", id) === 1
}

export function readMark(tx: ReadTx, reference: Hash): number | null {
  return tx.get<{ history_id: number | null }>('SELECT history_id FROM payouts WHERE reference = ?', bytesOf(reference))?.history_id ?? null
}

export function noteMark(tx: Tx, reference: Hash, historyId: number): void {
  tx.run('UPDATE payouts SET history_id = ? WHERE reference = ?', historyId, bytesOf(reference))
}

export interface MilestoneState {
  readonly progress: Progress
  readonly entryId: number | null
}

/** `countedBy`: where it is counted otherwise now and not booked yet, counting begins anew. */
export function milestoneState(tx: ReadTx, id: string, countedBy: string): MilestoneState {
  const row = tx.get<{ counted_by: string; to_entry: number; reached: string; last_day: string; entry_id: number | null }>('SELECT * FROM payout_milestones WHERE id = ?', id)
  if (row === undefined || (row.entry_id === null && row.counted_by !== countedBy)) return { progress: NO_PROGRESS, entryId: null }
  return { progress: { toEntry: row.to_entry, reached: BigInt(row.reached), lastDay: row.last_day }, entryId: row.entry_id }
}

export function putMilestone(tx: Tx, id: string, countedBy: string, { progress, entryId }: MilestoneState): void {
  tx.run(
    `INSERT INTO payout_milestones (id, counted_by, to_entry, reached, last_day, entry_id) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET counted_by = excluded.counted_by, to_entry = excluded.to_entry, reached = excluded.reached, last_day = excluded.last_day, entry_id = excluded.entry_id`,
    id, countedBy, progress.toEntry, progress.reached.toString(), progress.lastDay, entryId,
  )
}

