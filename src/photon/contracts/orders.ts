/**
 * What somebody without gas signs so that a box may act for him (solidity/PhotonV2.sol openFor, solidity/Purse.sol).
 * EIP-712; every member is a word of 32 bytes. Runs in a browser too: keccak is handed in.
 */
import { concatBytes, utf8 } from '../../base/bytes.ts'
import { inputError } from '../../base/errors.ts'
import type { Address } from '../../base/hex.ts'
import type { ChannelKey } from '../ports.ts'

export type Keccak = (data: Uint8Array) => Uint8Array

/** A contract on a chain; what is signed for one means nothing to another. */
export interface ContractPlace {
  readonly chainId: bigint
  readonly contract: Address
}

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

const DOMAIN = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'
const OPEN = 'Open(bytes32 channel,uint64 epoch,address participant,uint128 amount,uint32 settleTimeout,uint64 validUntil)'
const END = 'CoopSettle(bytes32 channel,uint64 epoch,address p1,uint256 b1,address p2,uint256 b2,uint64 validUntil)'
const PAYMENT = 'Payment(address token,address from,address to,uint256 amount,bool inside,uint256 fee,address sender,uint256 number,uint64 validUntil)'
const OPENING = 'Opening(address token,address from,address partner,uint128 amount,uint32 settleTimeout,uint64 epoch,uint256 fee,address sender,uint256 number,uint64 validUntil)'

/** Errors: input for a number that is no word. */
export function openConsentDigest(keccak: Keccak, photon: ContractPlace, consent: OpenConsent): Uint8Array {
  const { channel, epoch, participant, amount, settleTimeout, validUntil } = consent
  return digest(keccak, ['Photon', '2', photon], OPEN, [channel, epoch, participant, amount, settleTimeout, validUntil])
}

/** Errors: input for a number that is no word. */
export function endConsentDigest(keccak: Keccak, photon: ContractPlace, consent: EndConsent): Uint8Array {
  const { channel, epoch, p1, balance1, p2, balance2, validUntil } = consent
  return digest(keccak, ['Photon', '2', photon], END, [channel, epoch, p1, balance1, p2, balance2, validUntil])
}

/** Errors: input for a number that is no word. */
export function paymentOrderDigest(keccak: Keccak, purse: ContractPlace, order: PaymentOrder): Uint8Array {
  const { token, from, to, amount, inside, fee, sender, number, validUntil } = order
  return digest(keccak, ['Photon Purse', '1', purse], PAYMENT, [token, from, to, amount, inside ? 1 : 0, fee, sender, number, validUntil])
}

/** Errors: input for a number that is no word. */
export function openingOrderDigest(keccak: Keccak, purse: ContractPlace, order: OpeningOrder): Uint8Array {
  const { token, from, partner, amount, settleTimeout, epoch, fee, sender, number, validUntil } = order
  return digest(keccak, ['Photon Purse', '1', purse], OPENING, [token, from, partner, amount, settleTimeout, epoch, fee, sender, number, validUntil])
}

function digest(keccak: Keccak, [name, version, place]: readonly [string, string, ContractPlace], type: string, members: readonly (string | bigint | number)[]): Uint8Array {
  const hashOf = (text: string): Uint8Array => keccak(utf8(text))
  const separator = keccak(concatBytes(hashOf(DOMAIN), hashOf(name), hashOf(version), word(place.chainId), word(place.contract)))
  const struct = keccak(concatBytes(hashOf(type), ...members.map(word)))
  return keccak(concatBytes(Uint8Array.of(0x19, 0x01), separator, struct))
}

/** A number, an address or 32 bytes, on the right of a word. */
function word(value: string | bigint | number): Uint8Array {
  const out = new Uint8Array(32)
  let rest = BigInt(value)
  for (let index = 31; index >= 0; index--) {
    out[index] = Number(rest & 0xffn)
    rest >>= 8n
  }
  if (rest !== 0n) throw inputError('order', value, 'at most 32 bytes, not below 0')
  return out
}
