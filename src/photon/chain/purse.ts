/**
 * The purse (contracts/solidity/Purse.sol): orders of people without gas as calls, and what it keeps of an owner, so that
 * it can be read by proof. Slots: 3 token -> owner -> amount, 4 owner -> number of his next order; 5: order-proof.ts.
 */
import { bytesOf, concatBytes, hexOf } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import type { OpeningOrder, PaymentOrder } from '../contracts/orders.ts'
import type { ChainPoint, ChainPort } from '../ports.ts'
import { encodeCall, wordOf } from './abi.ts'
import type { Keccak } from './abi.ts'
import type { ContractCall } from './calls.ts'

/** An order with its owner's signature. `consent`: the OpenConsent that opens; empty: it is put into the open channel. */
export type SignedOrder = { readonly purse: Address; readonly hash: Hash; readonly signature: Uint8Array } & (
  | { readonly what: 'pay'; readonly order: PaymentOrder }
  | { readonly what: 'open' | 'put-in'; readonly order: OpeningOrder; readonly consent: Uint8Array }
)

export interface PurseAccount {
  readonly balance: bigint
  readonly nextNumber: bigint
}

const BALANCES_SLOT = 3n
export const NUMBERS_SLOT = 4n
/** As measured, and room for tokens that cost more than plain ones. */
const GAS = { pay: 220_000n, open: 420_000n }
const NO_CONSENT = new Uint8Array(0)

/** The most that an order may take. */
export function orderGas(what: SignedOrder['what']): bigint {
  return what === 'pay' ? GAS.pay : GAS.open
}

export function orderCall(keccak: Keccak, signed: SignedOrder): ContractCall {
  const { purse, signature } = signed
  const gas = orderGas(signed.what)
  if (signed.what === 'pay') {
    const { token, from, to, amount, inside, fee, sender, number, validUntil } = signed.order
    return { to: purse, data: encodeCall(keccak, 'pay((address,address,address,uint256,bool,uint256,address,uint256,uint64),bytes)', [token, from, to, amount, inside, fee, sender, number, validUntil, signature]), gas }
  }
  const { token, from, partner, amount, settleTimeout, epoch, fee, sender, number, validUntil } = signed.order
  const consent = signed.what === 'open' ? signed.consent : NO_CONSENT
  return { to: purse, data: encodeCall(keccak, 'openChannel((address,address,address,uint128,uint32,uint64,uint256,address,uint256,uint64),bytes,bytes)', [token, from, partner, amount, settleTimeout, epoch, fee, sender, number, validUntil, signature, consent]), gas }
}

/** Null: not to be had now. */
export async function provePurse(chain: Pick<ChainPort, 'storage'>, keccak: Keccak, point: ChainPoint, purse: Address, token: Address, owner: Address): Promise<PurseAccount | null> {
  const at = (key: Address, slot: bigint): bigint => BigInt(hexOf(keccak(concatBytes(new Uint8Array(12), bytesOf(key), wordOf(slot)))))
  const [balance, nextNumber] = await Promise.all([chain.storage(point, purse, at(owner, at(token, BALANCES_SLOT))), chain.storage(point, purse, at(owner, NUMBERS_SLOT))])
  return balance === null || nextNumber === null ? null : { balance, nextNumber }
}
