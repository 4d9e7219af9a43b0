/** What several of the audit's readers need of the book. */
import type { LedgerRow } from '../audit/index.ts'
import type { ReadTx } from '../store/index.ts'

/** In the order of the entry's lines. */
export function postingsOf(tx: ReadTx, id: number): LedgerRow['postings'] {
  return tx.all<{ account: string; amount: string }>('SELECT account, amount FROM ledger_postings WHERE entry_id = ? ORDER BY line', id).map(({ account, amount }) => ({ account, amount: BigInt(amount) }))
}
