/** Transactions of an account that are in the chain for good, the newest of them: what the owner's programs ask for. */
import type { Address, Hash } from '../../../base/index.ts'
import type { Migration, ReadTx, Tx } from '../../../store/index.ts'
import type { SentCause } from '../duty-state.ts'
import { readKept, writeKept } from './kept-json.ts'

export interface KeptTransaction extends SentCause {
  readonly account: Address
  readonly hash: Hash
  readonly gasPriceWei: bigint
  /** Time of the block at which it was sent first; 0: not known any more. */
  readonly sentSeconds: number
  /** Null: on its way. `gasUsed` 0: not known. */
  readonly mined: { readonly block: number; readonly seconds: number; readonly succeeded: boolean; readonly gasUsed: bigint } | null
}

/** About a kilobyte each. */
const MOST_KEPT = 1_000

export const transactionMigration: Migration = {
  id: 'photon-chain-002',
  sql: `
    CREATE TABLE photon_chain_transaction (
      id INTEGER PRIMARY KEY,
      scope TEXT NOT NULL,
      body TEXT NOT NULL
    ) STRICT;
  `,
}

/** Once each: whoever calls forgets the nonce in the same turn. */
export function keepTransaction(tx: Tx, { account: _account, ...kept }: KeptTransaction, scope = ''): void {
  tx.run('INSERT INTO photon_chain_transaction (scope, body) VALUES (?, ?)', scope, writeKept(kept))
  tx.run('DELETE FROM photon_chain_transaction WHERE scope = ? AND id <= (SELECT id FROM photon_chain_transaction WHERE scope = ? ORDER BY id DESC LIMIT 1 OFFSET ?)', scope, scope, MOST_KEPT)
}

/** Newest first. */
export function keptTransactions(tx: ReadTx, account: Address, scope = ''): readonly KeptTransaction[] {
  return tx.all<{ body: string }>('SELECT body FROM photon_chain_transaction WHERE scope = ? ORDER BY id DESC', scope).map(({ body }) => ({ account, ...(readKept(body) as Omit<KeptTransaction, 'account'>) }))
}
