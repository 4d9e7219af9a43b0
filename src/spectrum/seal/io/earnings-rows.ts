/** How far the ledger knows the chain. */
import type { ReadTx, Tx } from '../../../store/index.ts'
import type { Hash } from '../../codec/fields.ts'

export interface EarningsCursor {
  readonly postedTo: number
  readonly uncounted: number
}

export function earningsCursor(tx: ReadTx, chain: Hash): EarningsCursor | null {
  const row = tx.get<{ posted_to: number; uncounted: number }>('SELECT posted_to, uncounted FROM spectrum_earnings WHERE chain = ?', chain)
  return row === undefined ? null : { postedTo: row.posted_to, uncounted: row.uncounted }
}

export function setEarningsCursor(tx: Tx, chain: Hash, { postedTo, uncounted }: EarningsCursor): void {
  tx.run('INSERT INTO spectrum_earnings (chain, posted_to, uncounted) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET posted_to = excluded.posted_to, uncounted = excluded.uncounted', chain, postedTo, uncounted)
}
