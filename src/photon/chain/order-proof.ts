/**
 * What became of a guest's order whose receipt nobody has, or which seems to have failed: the purse's storage knows it, for
 * good (contracts/solidity/Purse.sol, slots 4 and 5). Only then is it asked.
 */
import { bytesOf, concatBytes, hexOf } from '../../base/index.ts'
import type { Hash } from '../../base/index.ts'
import type { ChainPoint, ChainPort } from '../ports.ts'
import { wordOf } from './abi.ts'
import type { Keccak } from './abi.ts'
import type { DutyState } from './duty-state.ts'
import type { SignedOrder } from './purse.ts'
import { NUMBERS_SLOT } from './purse.ts'

/** `open`: its number is free. `done`: carried out. `never`: its number is used up, and not by it. */
export type OrderVerdict = 'open' | 'done' | 'never'

const ORDERS_SLOT = 5n
const OWNER_PADDING = new Uint8Array(12)

/** Null: not to be had now. */
export async function proveOrder(chain: Pick<ChainPort, 'storage'>, keccak: Keccak, point: ChainPoint, { purse, hash, order: { from, number } }: Pick<SignedOrder, 'purse' | 'hash'> & { readonly order: Pick<SignedOrder['order'], 'from' | 'number'> }): Promise<OrderVerdict | null> {
  const ofOwner = (slot: bigint): Uint8Array => keccak(concatBytes(OWNER_PADDING, bytesOf(from), wordOf(slot)))
  const place = BigInt(hexOf(keccak(concatBytes(wordOf(number), ofOwner(ORDERS_SLOT)))))
  const [digest, nextNumber] = await Promise.all([chain.storage(point, purse, place), chain.storage(point, purse, BigInt(hexOf(ofOwner(NUMBERS_SLOT))))])
  if (digest === null || nextNumber === null) return null
  if (digest === BigInt(hash)) return 'done'
  return nextNumber > number ? 'never' : 'open'
}

/** At `safe`: their nonce is used up there and no receipt says that they were carried out, or their last block is over. */
export function ordersInDoubt({ jobs, slots }: DutyState, safe: { readonly number: number; readonly nonce: bigint }, receipts: ReadonlyMap<Hash, { readonly succeeded: boolean }>): readonly SignedOrder[] {
  return jobs.flatMap(({ id, due: { duty, deadlineBlock } }) => {
    if (duty.kind !== 'purse') return []
    const own = slots.filter(({ job }) => job === id)
    if (own.some(({ versions }) => versions.some(({ hash }) => receipts.get(hash)?.succeeded === true))) return []
    const isOver = deadlineBlock !== null && deadlineBlock <= safe.number
    return isOver || own.some(({ nonce }) => nonce < safe.nonce) ? [duty] : []
  })
}
