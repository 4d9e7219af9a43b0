/**
 * EIP-712 digests of what is signed for a stream, in the domain of the contract (photon.md 9.3). The contract knows
 * `Voucher`; the other three are between guest and box and bind nobody on the chain:
 *
 *   StreamOffer      the box: its terms
 *   StreamOpen       the payer: "this session is mine", over the box's challenge, so that nobody streams on another's channel
 *   StreamStatement  the payee: what it will claim at most. While a session runs: nothing above what it has served,
 *                    and so far that is `value`. At its end: nothing above `value`, for good.
 *
 * Runs in the browser too.
 */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { hexToBytes } from '@noble/hashes/utils.js'
import type { Address, Hash } from '../../base/index.ts'
import { channelId } from '../channel-id.ts'
import type { ChannelKey } from '../ports.ts'
import { PHOTON, VOUCHER_TYPE, typedHashers } from '../typed-hasher.ts'
import type { ContractPlace } from '../typed-hasher.ts'
import type { StreamTerms } from './terms.ts'

export type ContractOnChain = ContractPlace
/** What a voucher says before it is signed. */
export interface VoucherTerms extends ChannelKey {
  readonly cumulative: bigint
  readonly tip: Hash
  readonly steps: number
  readonly unit: bigint
}

/** A box signs thousands of statements under one domain. */
const hasherOf = /* @__PURE__ */ typedHashers(keccak_256, PHOTON)
const OFFER = 'StreamOffer(address token,uint128 unit,uint32 tickSeconds,uint32 steps,uint32 graceTicks,uint128 minDeposit,uint32 settleTimeout,uint64 validUntil)'
const OPEN = 'StreamOpen(bytes32 channel,uint64 epoch,bytes32 challenge)'
const STATEMENT = 'StreamStatement(bytes32 channel,uint64 epoch,bytes32 challenge,uint256 value,bool isFinal)'

export function voucherDigest(on: ContractOnChain, { channel, epoch, cumulative, tip, steps, unit }: VoucherTerms): Uint8Array {
  return hasherOf(on).digest(VOUCHER_TYPE, [channel, epoch, cumulative, tip, steps, unit])
}

export function offerDigest(terms: StreamTerms): Uint8Array {
  const { token, unit, tickSeconds, steps, graceTicks, minDeposit, settleTimeout, validUntilSeconds } = terms
  return hasherOf(terms).digest(OFFER, [token, unit, tickSeconds, steps, graceTicks, minDeposit, settleTimeout, validUntilSeconds])
}

export function openDigest(on: ContractOnChain, { channel, epoch }: ChannelKey, challenge: Hash): Uint8Array {
  return hasherOf(on).digest(OPEN, [channel, epoch, challenge])
}

export function statementDigest(on: ContractOnChain, { channel, epoch }: ChannelKey, challenge: Hash, value: bigint, isFinal: boolean): Uint8Array {
  return hasherOf(on).digest(STATEMENT, [channel, epoch, challenge, value, isFinal])
}

export function channelIdOf(a: Address, b: Address, token: Address, contract: Address): Hash {
  return channelId(keccak_256, a, b, token, contract)
}

export function bytes(hex: Hash): Uint8Array {
  return hexToBytes(hex.slice(2))
}
