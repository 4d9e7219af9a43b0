/** How far the contract's logs have been told, written in the turn that stores what they said. */
import type { Address, Hash } from '../../../base/index.ts'
import type { ReadTx, Tx } from '../../../store/index.ts'
import type { FollowPosition } from '../follow.ts'

export function loadPosition(tx: ReadTx, contract: Address): FollowPosition | null {
  const row = tx.get<{ number: number; hash: Hash }>('SELECT number, hash FROM photon_chain_position WHERE contract = ?', contract)
  return row === undefined ? null : { number: row.number, hash: row.hash }
}

export function savePosition(tx: Tx, contract: Address, point: { readonly number: number; readonly hash: Hash }): void {
  tx.run('INSERT OR REPLACE INTO photon_chain_position (contract, number, hash) VALUES (?, ?, ?)', contract, point.number, point.hash)
}
