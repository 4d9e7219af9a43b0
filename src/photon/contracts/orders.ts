/**
 * What somebody without gas signs so that a box may act for him (solidity/PhotonV2.sol openFor, solidity/Purse.sol).
 * EIP-712. Runs in a browser too: keccak is handed in.
 */
import type { Address } from '../../base/hex.ts'
import type { ChannelKey } from '../ports.ts'
import { COOP_SETTLE_TYPE, PHOTON, createTypedHasher } from '../typed-hasher.ts'
import type { ContractPlace, Keccak, TypedName } from '../typed-hasher.ts'

export type { ContractPlace, Keccak } from '../typed-hasher.ts'

/** "Open this channel for me, with exactly that." For PhotonV2. */
export interface OpenConsent extends ChannelKey {
  readonly participant: Address
  readonly amount: bigint
  readonly settleTimeout: number
  /** Block. */
  readonly validUntil: number
}

/** "End this channel now: so much for me, so much for him." For PhotonV2. */
export interface EndConsent extends ChannelKey {
  readonly p1: Address
  readonly balance1: bigint
  readonly p2: Address
  readonly balance2: bigint
  /** Block. */
  readonly validUntil: number
}

/** What all orders to the purse say. */
interface Order {
  readonly token: Address
  readonly from: Address
  readonly fee: bigint
  /** Who may send it and gets the fee; the zero address: whoever is first. */
  readonly sender: Address
  /** The purse's `nextNumber` of the owner. */
  readonly number: bigint
  readonly validUntil: number
}

export interface PaymentOrder extends Order {
  readonly to: Address
  readonly amount: bigint
  /** To the receiver's balance in the purse, not to his account. */
  readonly inside: boolean
}

/** Goes together with an OpenConsent of the same terms. */
export interface OpeningOrder extends Order {
  readonly partner: Address
  readonly amount: bigint
  readonly settleTimeout: number
  readonly epoch: bigint
}

const PURSE: TypedName = ['Photon Purse', '1']
const OPEN = 'Open(bytes32 channel,uint64 epoch,address participant,uint128 amount,uint32 settleTimeout,uint64 validUntil)'
const PAYMENT = 'Payment(address token,address from,address to,uint256 amount,bool inside,uint256 fee,address sender,uint256 number,uint64 validUntil)'
const OPENING = 'Opening(address token,address from,address partner,uint128 amount,uint32 settleTimeout,uint64 epoch,uint256 fee,address sender,uint256 number,uint64 validUntil)'

/** Errors: input for what has no place in its member. */
export function openConsentDigest(keccak: Keccak, photon: ContractPlace, consent: OpenConsent): Uint8Array {
  const { channel, epoch, participant, amount, settleTimeout, validUntil } = consent
  return createTypedHasher(keccak, PHOTON, photon).digest(OPEN, [channel, epoch, participant, amount, settleTimeout, validUntil])
}

/** Errors: input for what has no place in its member. */
export function endConsentDigest(keccak: Keccak, photon: ContractPlace, consent: EndConsent): Uint8Array {
  const { channel, epoch, p1, balance1, p2, balance2, validUntil } = consent
  return createTypedHasher(keccak, PHOTON, photon).digest(COOP_SETTLE_TYPE, [channel, epoch, p1, balance1, p2, balance2, validUntil])
}

/** Errors: input for what has no place in its member. */
export function paymentOrderDigest(keccak: Keccak, purse: ContractPlace, order: PaymentOrder): Uint8Array {
  const { token, from, to, amount, inside, fee, sender, number, validUntil } = order
  return createTypedHasher(keccak, PURSE, purse).digest(PAYMENT, [token, from, to, amount, inside, fee, sender, number, validUntil])
}

/** Errors: input for what has no place in its member. */
export function openingOrderDigest(keccak: Keccak, purse: ContractPlace, order: OpeningOrder): Uint8Array {
  const { token, from, partner, amount, settleTimeout, epoch, fee, sender, number, validUntil } = order
  return createTypedHasher(keccak, PURSE, purse).digest(OPENING, [token, from, partner, amount, settleTimeout, epoch, fee, sender, number, validUntil])
}
