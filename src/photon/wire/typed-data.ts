/**
 * What is signed under the domain of our contract. The types are the contract's own; `Frame` and `PeerBinding` are signed between nodes
 * and mean nothing to it.
 */
import { inputError } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import type { ChannelKey, SettleTerms, Voucher, WithdrawTerms } from '../ports.ts'
import { COOP_SETTLE_TYPE, VOUCHER_TYPE } from '../typed-hasher.ts'
import type { TypedHasher } from '../typed-hasher.ts'
import { ENVELOPE_BYTES } from './bounds.ts'

export const BALANCE_PROOF_TYPE = 'BalanceProof(bytes32 channel,uint64 epoch,uint64 nonce,uint256 transferred,bytes32 locksroot,bytes32 extra)'
export const UPDATE_DELEGATE_TYPE = 'UpdateDelegate(bytes32 channel,uint64 epoch,uint64 nonce,uint256 transferred,bytes32 locksroot,address watcher,uint128 reward)'
export const WITHDRAW_TYPE = 'Withdraw(bytes32 channel,uint64 epoch,address participant,uint128 total,uint64 validUntil)'
export const DISPOSED_TYPE = 'Disposed(bytes32 channel,uint64 epoch,bytes32 lockhash,bytes32 extra)'
export const PEER_BINDING_TYPE = 'PeerBinding(bytes32 peerIdHash,address account,uint64 issued)'
/** A frame whose content the contract never sees: its bytes before the signature, hashed. */
export const FRAME_TYPE = 'Frame(bytes32 extra)'

/** `tail`: nonce ‖ channel ‖ epoch ‖ transferred ‖ locksroot as the frame has them. */
export function balanceProofDigest(hasher: TypedHasher, tail: Uint8Array, extra: Uint8Array): Uint8Array {
  return hasher.digest(BALANCE_PROOF_TYPE, [...envelopeMembers(tail), extra])
}

export function updateDelegateDigest(hasher: TypedHasher, tail: Uint8Array, watcher: Address, reward: bigint): Uint8Array {
  return hasher.digest(UPDATE_DELEGATE_TYPE, [...envelopeMembers(tail), watcher, reward])
}

/** Errors: input `validUntil` for terms without it. */
export function coopSettleDigest(hasher: TypedHasher, { channel, epoch }: ChannelKey, terms: SettleTerms): Uint8Array {
  const { p1, balance1, p2, balance2, validUntil } = terms
  if (validUntil === null) throw inputError('terms.validUntil', null, 'a block number: v2 signatures end')
  return hasher.digest(COOP_SETTLE_TYPE, [channel, epoch, p1, balance1, p2, balance2, validUntil])
}

export function withdrawDigest(hasher: TypedHasher, { channel, epoch }: ChannelKey, { participant, total, validUntil }: Extract<WithdrawTerms, { profile: 'v2' }>): Uint8Array {
  return hasher.digest(WITHDRAW_TYPE, [channel, epoch, participant, total, validUntil])
}

export function voucherDigest(hasher: TypedHasher, { channel, epoch, cumulative, tip, steps, unit }: Omit<Voucher, 'signature'>): Uint8Array {
  return hasher.digest(VOUCHER_TYPE, [channel, epoch, cumulative, tip, steps, unit])
}

export function disposedDigest(hasher: TypedHasher, { channel, epoch }: ChannelKey, lockHash: Hash, extra: Hash): Uint8Array {
  return hasher.digest(DISPOSED_TYPE, [channel, epoch, lockHash, extra])
}

/** Which transport identity speaks for an account. `peerIdHash`: keccak of the peer id's bytes. */
export interface PeerBinding {
  readonly peerIdHash: Hash
  readonly account: Address
  readonly issuedSeconds: number
}

export function peerBindingDigest(hasher: TypedHasher, { peerIdHash, account, issuedSeconds }: PeerBinding): Uint8Array {
  return hasher.digest(PEER_BINDING_TYPE, [peerIdHash, account, issuedSeconds])
}

export function frameDigest(hasher: TypedHasher, extra: Uint8Array): Uint8Array {
  return hasher.digest(FRAME_TYPE, [extra])
}

/** channel, epoch, nonce, transferred, locksroot, taken from the bytes as they lie in a frame. */
function envelopeMembers(tail: Uint8Array): readonly Uint8Array[] {
  return [tail.subarray(8, 40), tail.subarray(40, 48), tail.subarray(0, 8), tail.subarray(48, 80), tail.subarray(80, ENVELOPE_BYTES)]
}
