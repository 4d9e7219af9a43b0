/** One account's side of the book, for who pays it: its postings in order, and all open balances. */
import type { ReadTx } from '../../store/index.ts'

export interface AccountLine {
  readonly entryId: number
  readonly kind: 'post' | 'earn' | 'reverse'
  readonly source: string
  readonly evidenceType: string
  readonly evidenceId: string
  readonly day: string
  /** Of the whole entry: what was earned, taken back or moved. Smallest units. */
  readonly total: bigint
  /** What the account gained: credits minus debits. Never zero. */
  readonly gained: bigint
}

interface LineRow {
  entry_id: number
  kind: AccountLine['kind']
  source: string
  evidence_type: string
  evidence_id: string
  day: string
  total: string
  amount: string
}

/** Postings on `account` in `token` in entries behind `afterId`, oldest first, at most `limit`. An account that an entry names twice has two lines. */
export function accountLines(tx: ReadTx, { account, token, afterId, limit }: { readonly account: string; readonly token: string; readonly afterId: number; readonly limit: number }): AccountLine[] {
  return tx
    .all<LineRow>(
      `SELECT p.entry_id, e.kind, e.source, e.evidence_type, e.evidence_id, e.day, e.amount AS total, p.amount
       FROM ledger_postings p JOIN ledger_entries e ON e.id = p.entry_id
       WHERE p.entry_id > ? AND p.account = ? AND e.token = ? ORDER BY p.entry_id, p.line LIMIT ?`,
      afterId, account, token, limit,
    )
    .map((row) => ({
      entryId: row.entry_id,
      kind: row.kind,
      source: row.source,
      evidenceType: row.evidence_type,
      evidenceId: row.evidence_id,
      day: row.day,
      total: BigInt(row.total),
      gained: -BigInt(row.amount),
    }))
}

export interface AccountBalance {
  readonly account: string
  readonly token: string
  /** Debit positive: of somebody to be paid it is negative. */
  readonly balance: bigint
}

/** Of every account whose name begins with one of `classes` and a colon, settled ones too; in the order of their names. `source`: only what it moved. */
export function accountBalances(tx: ReadTx, classes: readonly string[], source: string | null = null): AccountBalance[] {
  const sums = new Map<string, AccountBalance>()
  for (const { account, token, source: of, balance } of tx.all<{ account: string; token: string; source: string; balance: string }>('SELECT account, token, source, balance FROM ledger_totals ORDER BY account, token')) {
    if ((source !== null && of !== source) || !classes.includes(account.slice(0, account.indexOf(':')))) continue
    const key = `${account} ${token}`
    sums.set(key, { account, token, balance: (sums.get(key)?.balance ?? 0n) + BigInt(balance) })
  }
  return [...sums.values()]
}

/** Id of the newest entry; 0: there is none. */
export function newestEntry(tx: ReadTx): number {
  return tx.get<{ id: number | null }>('SELECT max(id) AS id FROM ledger_entries')?.id ?? 0
}
