/**
 * EIP-712 digests of what is signed for a stream, in the domain of the contract (photon.md 9.3). The contract knows
 * `Voucher`; the other three are between guest and box and bind nobody on the chain:
 *
 *   StreamOffer      the box: its terms
 *   StreamOpen       the payer: "this session is mine", over the box's challenge, so that nobody streams on another's channel
 *   StreamStatement  the payee: what it will claim at most. While a session runs: nothing above what it has served,
 *                    and so far that is `value`. At its end: nothing above `value`, for good.
 *
 * Runs in the browser too: nothing but @noble.
 */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import type { Address, Hash } from '../../base/index.ts'
import type { ChannelKey } from '../ports.ts'
import type { StreamTerms } from './terms.ts'

export interface ContractOnChain {
  readonly chainId: bigint
  readonly contract: Address
}
/** What a voucher says before it is signed. */
export interface VoucherTerms extends ChannelKey {
  readonly cumulative: bigint
  readonly tip: Hash
  readonly steps: number
  readonly unit: bigint
}

const DOMAIN = typeHash('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)')
const NAME = keccak_256(utf8ToBytes('Photon'))
const VERSION = keccak_256(utf8ToBytes('2'))
const VOUCHER = typeHash('Voucher(bytes32 channel,uint64 epoch,uint256 cumulative,bytes32 tip,uint32 steps,uint128 unit)')
const OFFER = typeHash(
  'StreamOffer(address token,uint128 unit,uint32 tickSeconds,uint32 steps,uint32 graceTicks,uint128 minDeposit,uint32 settleTimeout,uint64 validUntil)',
)
const OPEN = typeHash('StreamOpen(bytes32 channel,uint64 epoch,bytes32 challenge)')
const STATEMENT = typeHash('StreamStatement(bytes32 channel,uint64 epoch,bytes32 challenge,uint256 value,bool isFinal)')

export function voucherDigest(on: ContractOnChain, voucher: VoucherTerms): Uint8Array {
  return digest(on, VOUCHER, word(voucher.channel), number(voucher.epoch), number(voucher.cumulative), word(voucher.tip), number(voucher.steps), number(voucher.unit))
}

export function offerDigest(terms: StreamTerms): Uint8Array {
  const { token, unit, tickSeconds, steps, graceTicks, minDeposit, settleTimeout, validUntilSeconds } = terms
  return digest(terms, OFFER, word(token), ...[unit, tickSeconds, steps, graceTicks, minDeposit, settleTimeout, validUntilSeconds].map(number))
}

export function openDigest(on: ContractOnChain, key: ChannelKey, challenge: Hash): Uint8Array {
  return digest(on, OPEN, word(key.channel), number(key.epoch), word(challenge))
}

export function statementDigest(on: ContractOnChain, key: ChannelKey, challenge: Hash, value: bigint, isFinal: boolean): Uint8Array {
  return digest(on, STATEMENT, word(key.channel), number(key.epoch), word(challenge), number(value), number(isFinal ? 1 : 0))
}

/** photon.md 1.2: keccak(lower address ‖ higher address ‖ token ‖ contract). */
export function channelIdOf(a: Address, b: Address, token: Address, contract: Address): Hash {
  const [lower, higher] = a < b ? [a, b] : [b, a]
  return hexText(keccak_256(concatBytes(bytes(lower), bytes(higher), bytes(token), bytes(contract))))
}

export function hexText(raw: Uint8Array): Hash {
  return `0x${Array.from(raw, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

export function bytes(hex: Hash): Uint8Array {
  return hexToBytes(hex.slice(2))
}

/** The guest's box signs thousands of statements under one domain: its separator is worked out once. */
const separators = new Map<string, Uint8Array>()
const KEPT_SEPARATORS = 8

function separatorOf({ chainId, contract }: ContractOnChain): Uint8Array {
  const name = `${chainId} ${contract}`
  const known = separators.get(name)
  if (known !== undefined) return known
  const made = keccak_256(concatBytes(DOMAIN, NAME, VERSION, number(chainId), word(contract)))
  if (separators.size >= KEPT_SEPARATORS) separators.clear()
  separators.set(name, made)
  return made
}

function digest(on: ContractOnChain, type: Uint8Array, ...words: readonly Uint8Array[]): Uint8Array {
  return keccak_256(concatBytes(Uint8Array.of(0x19, 0x01), separatorOf(on), keccak_256(concatBytes(type, ...words))))
}

function typeHash(text: string): Uint8Array {
  return keccak_256(utf8ToBytes(text))
}

function number(value: bigint | number): Uint8Array {
  return hexToBytes(BigInt(value).toString(16).padStart(64, '0'))
}

/** Left-padded to 32 bytes. */
function word(hex: Hash): Uint8Array {
  return hexToBytes(hex.slice(2).padStart(64, '0'))
}
