/**
 * The book's tables and every statement on them. Entries and postings are append-only, and triggers hold
 * that against our own mistakes; days and totals are sums of them, written in the same transaction, so that
 * a dashboard never adds up a year of entries.
 */
import type { Moment } from '../../base/index.ts'
import type { Migration, ReadTx, Tx } from '../../store/index.ts'
import type { EarnedRow } from '../statements.ts'
import { UNDATED_PREFIX } from '../statements.ts'
import type { DayStatement, Posting, StoredEntry } from '../types.ts'

export const ledgerMigrations: readonly Migration[] = [
  {
    id: 'ledger-001',
    sql: `
CREATE TABLE ledger_entries (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('post', 'earn', 'reverse')),
  source TEXT NOT NULL,
  token TEXT NOT NULL,
  evidence_type TEXT NOT NULL,
  evidence_id TEXT NOT NULL,
  facts TEXT,
  memo TEXT,
  day TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  boottime_ms REAL NOT NULL,
  wall_ms REAL NOT NULL,
  wall_trusted INTEGER NOT NULL,
  -- Σ of the debits.
  amount TEXT NOT NULL,
  -- Of a reversal: the earning it takes back, and how much of it is taken back in all, this one included.
  reverses INTEGER REFERENCES ledger_entries (id),
  taken TEXT,
  CHECK ((kind = 'reverse') = (reverses IS NOT NULL) AND (reverses IS NULL) = (taken IS NULL))
) STRICT;
CREATE UNIQUE INDEX ledger_entries_evidence ON ledger_entries (evidence_type, evidence_id, source);
CREATE INDEX ledger_entries_reverses ON ledger_entries (reverses) WHERE reverses IS NOT NULL;

CREATE TABLE ledger_postings (
  entry_id INTEGER NOT NULL REFERENCES ledger_entries (id),
  line INTEGER NOT NULL,
  account TEXT NOT NULL,
  amount TEXT NOT NULL CHECK (amount GLOB '[1-9]*' OR amount GLOB '-[1-9]*'),
  PRIMARY KEY (entry_id, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_days (
  day TEXT NOT NULL,
  token TEXT NOT NULL,
  source TEXT NOT NULL,
  account TEXT NOT NULL,
  gained TEXT NOT NULL,
  earned TEXT NOT NULL,
  entries INTEGER NOT NULL,
  PRIMARY KEY (day, token, source, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_totals (
  account TEXT NOT NULL,
  token TEXT NOT NULL,
  source TEXT NOT NULL,
  balance TEXT NOT NULL,
  earned TEXT NOT NULL,
  PRIMARY KEY (account, token, source)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER ledger_entries_keep BEFORE UPDATE ON ledger_entries
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: an entry is reversed, never changed'); END;
CREATE TRIGGER ledger_entries_stay BEFORE DELETE ON ledger_entries
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: an entry is reversed, never deleted'); END;
CREATE TRIGGER ledger_postings_keep BEFORE UPDATE ON ledger_postings
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: a posting is reversed, never changed'); END;
CREATE TRIGGER ledger_postings_stay BEFORE DELETE ON ledger_postings
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: a posting is reversed, never deleted'); END;
CREATE TRIGGER ledger_postings_late BEFORE INSERT ON ledger_postings
WHEN NEW.entry_id <> (SELECT max(id) FROM ledger_entries)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: an older entry takes no more postings'); END;
`,
  },
]

export interface NewEntry {
  readonly kind: StoredEntry['kind']
  readonly source: string
  readonly token: string
  readonly evidenceType: string
  readonly evidenceId: string
  readonly facts: string | null
  readonly memo: string | null
  readonly day: string
  readonly at: Moment
  readonly amount: bigint
  readonly reverses: number | null
  readonly taken: bigint | null
  readonly postings: readonly Posting[]
}

/** Writes the entry, its postings, and their part in days and totals. */
export function insertEntry(tx: Tx, entry: NewEntry): number {
  const { at } = entry
  const inserted = tx.get<{ id: number }>(
    `INSERT INTO ledger_entries
       (kind, source, token, evidence_type, evidence_id, facts, memo, day, boot_id, boottime_ms, wall_ms, wall_trusted, amount, reverses, taken)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
    entry.kind, entry.source, entry.token, entry.evidenceType, entry.evidenceId, entry.facts, entry.memo, entry.day, at.bootId, at.boottimeMs, at.wallMs,
    at.wallTrusted ? 1 : 0, entry.amount.toString(), entry.reverses, entry.taken === null ? null : entry.taken.toString(),
  )
  if (!inserted) throw new Error('SQLite returned no id for an inserted row')
  entry.postings.forEach(({ account, amount }, line) => {
    tx.run('INSERT INTO ledger_postings (entry_id, line, account, amount) VALUES (?, ?, ?, ?)', inserted.id, line, account, amount.toString())
  })
  return inserted.id
}

/** What an entry means to one account: `gained` credits minus debits, `earned` the part of it that is earnings. */
export interface AccountGain {
  readonly account: string
  readonly gained: bigint
  readonly earned: bigint
}

export function addToDay(tx: Tx, day: string, token: string, source: string, gain: AccountGain): void {
  const before = tx.get<{ gained: string; earned: string }>(
    'SELECT gained, earned FROM ledger_days WHERE day = ? AND token = ? AND source = ? AND account = ?',
    day, token, source, gain.account,
  )
  tx.run(
    `INSERT INTO ledger_days (day, token, source, account, gained, earned, entries) VALUES (?, ?, ?, ?, ?, ?, 1)
     ON CONFLICT DO UPDATE SET gained = excluded.gained, earned = excluded.earned, entries = entries + 1`,
    day, token, source, gain.account, (BigInt(before?.gained ?? 0) + gain.gained).toString(), (BigInt(before?.earned ?? 0) + gain.earned).toString(),
  )
}

export function addToTotal(tx: Tx, token: string, source: string, gain: AccountGain): void {
  const before = tx.get<{ balance: string; earned: string }>(
    'SELECT balance, earned FROM ledger_totals WHERE account = ? AND token = ? AND source = ?',
    gain.account, token, source,
  )
  tx.run(
    `INSERT INTO ledger_totals (account, token, source, balance, earned) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET balance = excluded.balance, earned = excluded.earned`,
    gain.account, token, source, (BigInt(before?.balance ?? 0) - gain.gained).toString(), (BigInt(before?.earned ?? 0) + gain.earned).toString(),
  )
}

interface EntryRow {
  id: number
  kind: StoredEntry['kind']
  source: string
  token: string
  evidence_type: string
  evidence_id: string
  facts: string | null
  memo: string | null
  boot_id: string
  boottime_ms: number
  wall_ms: number
  wall_trusted: number
  amount: string
  reverses: number | null
}

/** An entry with the Σ of its debits. */
export type BookedEntry = StoredEntry & { readonly amount: bigint }

export function entryById(tx: ReadTx, id: number): BookedEntry | undefined {
  const row = tx.get<EntryRow>('SELECT * FROM ledger_entries WHERE id = ?', id)
  return row && toEntry(row, postingsOf(tx, row.id))
}

export function entryByEvidence(tx: ReadTx, source: string, type: string, id: string): BookedEntry | undefined {
  const row = tx.get<EntryRow>('SELECT * FROM ledger_entries WHERE evidence_type = ? AND evidence_id = ? AND source = ?', type, id, source)
  return row && toEntry(row, postingsOf(tx, row.id))
}

/** How much of an earning has been taken back so far. */
export function takenOf(tx: ReadTx, id: number): bigint {
  const last = tx.get<{ taken: string }>('SELECT taken FROM ledger_entries WHERE reverses = ? ORDER BY id DESC LIMIT 1', id)
  return BigInt(last?.taken ?? 0)
}

export function entriesAfter(tx: ReadTx, afterId: number, limit: number): BookedEntry[] {
  return tx.all<EntryRow>('SELECT * FROM ledger_entries WHERE id > ? ORDER BY id LIMIT ?', afterId, limit).map((row) => toEntry(row, postingsOf(tx, row.id)))
}

export function entriesWithEvidence(tx: ReadTx, afterId: number, limit: number, type: string, evidenceId: string): BookedEntry[] {
  return tx
    .all<EntryRow>('SELECT * FROM ledger_entries WHERE evidence_type = ? AND evidence_id = ? AND id > ? ORDER BY id LIMIT ?', type, evidenceId, afterId, limit)
    .map((row) => toEntry(row, postingsOf(tx, row.id)))
}

function postingsOf(tx: ReadTx, id: number): Posting[] {
  return tx
    .all<{ account: string; amount: string }>('SELECT account, amount FROM ledger_postings WHERE entry_id = ? ORDER BY line', id)
    .map(({ account, amount }) => ({ account, amount: BigInt(amount) }))
}

function toEntry(row: EntryRow, postings: readonly Posting[]): BookedEntry {
  return {
    id: row.id,
    kind: row.kind,
    source: row.source,
    token: row.token,
    evidence: {
      type: row.evidence_type,
      id: row.evidence_id,
      ...(row.facts === null ? {} : { facts: JSON.parse(row.facts) as Record<string, string | number | boolean> }),
    },
    postings,
    at: { bootId: row.boot_id, boottimeMs: row.boottime_ms, wallMs: row.wall_ms, wallTrusted: row.wall_trusted === 1 },
    amount: BigInt(row.amount),
    ...(row.memo === null ? {} : { memo: row.memo }),
    ...(row.reverses === null ? {} : { reverses: row.reverses }),
  }
}

export function accountBalance(tx: ReadTx, account: string, token: string): bigint {
  return tx
    .all<{ balance: string }>('SELECT balance FROM ledger_totals WHERE account = ? AND token = ?', account, token)
    .reduce((sum, row) => sum + BigInt(row.balance), 0n)
}

interface DayRow {
  day: string
  token: string
  source: string
  account: string
  gained: string
  earned: string
  entries: number
}

/** Bounds are compared as text, both included. */
export function dayStatements(tx: ReadTx, fromDay: string, toDay: string): DayStatement[] {
  return tx
    .all<DayRow>('SELECT * FROM ledger_days WHERE day >= ? AND day <= ? ORDER BY day, token, source, account', fromDay, toDay)
    .map(({ day, token, source, account, gained, entries }) => ({ day, token, source, account, gained: BigInt(gained), entries }))
}

export function earnedAllTime(tx: ReadTx): Omit<EarnedRow, 'day'>[] {
  return tx
    .all<Omit<DayRow, 'day'>>("SELECT token, source, account, earned FROM ledger_totals WHERE earned <> '0'")
    .map(({ token, source, account, earned }) => ({ token, source, account, earned: BigInt(earned) }))
}

export function earnedSince(tx: ReadTx, fromDay: string): EarnedRow[] {
  return tx
    .all<DayRow>("SELECT day, token, source, account, earned FROM ledger_days WHERE day >= ? AND earned <> '0'", fromDay)
    .map(({ day, token, source, account, earned }) => ({ day, token, source, account, earned: BigInt(earned) }))
}

/** The `count`-th newest date with entries; the oldest if there are fewer; the undated ones if there is none. */
export function newestDates(tx: ReadTx, count: number): string {
  const days = tx.all<{ day: string }>('SELECT DISTINCT day FROM ledger_days WHERE day < ? ORDER BY day DESC LIMIT ?', UNDATED_PREFIX, count)
  return days.at(-1)?.day ?? UNDATED_PREFIX
}
