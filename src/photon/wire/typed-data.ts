/**
 * EIP-712 under the domain of our contract: name "Photon", version "2", chainId, verifyingContract. The types are
 * the contract's own; `Frame` and `PeerBinding` are signed between nodes and mean nothing to it. What is signed under one
 * type can never be taken for another, on another chain or for another contract.
 */
import { inputError, utf8 } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import type { ChannelKey, Domain, SettleTerms, Voucher, WithdrawTerms } from '../ports.ts'
import { ENVELOPE_BYTES } from './bounds.ts'
import { ByteWriter } from './byte-writer.ts'

export type Keccak = (data: Uint8Array) => Uint8Array

const DOMAIN_TYPE = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'
const DOMAIN_NAME = 'Photon'
const DOMAIN_VERSION = '2'

export const BALANCE_PROOF_TYPE = 'BalanceProof(bytes32 channel,uint64 epoch,uint64 nonce,uint256 transferred,bytes32 locksroot,bytes32 extra)'
export const UPDATE_DELEGATE_TYPE = 'UpdateDelegate(bytes32 channel,uint64 epoch,uint64 nonce,uint256 transferred,bytes32 locksroot,address watcher,uint128 reward)'
export const COOP_SETTLE_TYPE = 'CoopSettle(bytes32 channel,uint64 epoch,address p1,uint256 b1,address p2,uint256 b2,uint64 validUntil)'
export const WITHDRAW_TYPE = 'Withdraw(bytes32 channel,uint64 epoch,address participant,uint128 total,uint64 validUntil)'
export const VOUCHER_TYPE = 'Voucher(bytes32 channel,uint64 epoch,uint256 cumulative,bytes32 tip,uint32 steps,uint128 unit)'
export const DISPOSED_TYPE = 'Disposed(bytes32 channel,uint64 epoch,bytes32 lockhash,bytes32 extra)'
export const PEER_BINDING_TYPE = 'PeerBinding(bytes32 peerIdHash,address account,uint64 issued)'
/** A frame whose content the contract never sees: its bytes before the signature, hashed. */
export const FRAME_TYPE = 'Frame(bytes32 extra)'

const MAX_WORDS = 8

/** Digests under one domain. */
export interface TypedHasher {
  /** `fill` writes the type's members as words of 32 bytes. */
  digest(type: string, fill: (words: ByteWriter) => void): Uint8Array
  /** keccak of the domain's words, 32 bytes. */
  readonly separator: Uint8Array
}

/** Errors: input `contract`, `chainId`. */
export function createTypedHasher(domain: Pick<Domain, 'chainId' | 'contract'>, keccak: Keccak): TypedHasher {
  const typeHashes = new Map<string, Uint8Array>()
  const typeHashOf = (type: string): Uint8Array => {
    const known = typeHashes.get(type) ?? keccak(utf8(type))
    typeHashes.set(type, known)
    return known
  }
  const words = new ByteWriter(32 * (1 + MAX_WORDS))
  const outer = new ByteWriter(66)
  words.bytes(typeHashOf(DOMAIN_TYPE)).bytes(keccak(utf8(DOMAIN_NAME))).bytes(keccak(utf8(DOMAIN_VERSION)))
  const separator = keccak(words.u256(domain.chainId, 'chainId').addressWord(domain.contract, 'contract').written())
  return {
    separator,
    digest(type, fill) {
      words.reset().bytes(typeHashOf(type))
      fill(words)
      const struct = keccak(words.written())
      return keccak(outer.reset().u8(0x19, 'prefix').u8(0x01, 'prefix').bytes(separator).bytes(struct).written())
    },
  }
}

/** `tail`: nonce ‖ channel ‖ epoch ‖ transferred ‖ locksroot as the frame has them. */
export function balanceProofDigest(hasher: TypedHasher, tail: Uint8Array, extra: Uint8Array): Uint8Array {
  return hasher.digest(BALANCE_PROOF_TYPE, (words) => {
    envelopeWords(words, tail)
    words.bytes(extra)
  })
}

export function updateDelegateDigest(hasher: TypedHasher, tail: Uint8Array, watcher: Address, reward: bigint): Uint8Array {
  return hasher.digest(UPDATE_DELEGATE_TYPE, (words) => {
    envelopeWords(words, tail)
    words.addressWord(watcher, 'watcher').zeros(16).u128(reward, 'reward')
  })
}

/** Errors: input `validUntil` for terms without it. */
export function coopSettleDigest(hasher: TypedHasher, key: ChannelKey, terms: SettleTerms): Uint8Array {
  const { validUntil } = terms
  if (validUntil === null) throw inputError('terms.validUntil', null, 'a block number: v2 signatures end')
  return hasher.digest(COOP_SETTLE_TYPE, (words) => {
    keyWords(words, key)
    words.addressWord(terms.p1, 'terms.p1').u256(terms.balance1, 'terms.balance1').addressWord(terms.p2, 'terms.p2').u256(terms.balance2, 'terms.balance2')
    words.zeros(24).height(validUntil, 'terms.validUntil')
  })
}

export function withdrawDigest(hasher: TypedHasher, key: ChannelKey, terms: Extract<WithdrawTerms, { profile: 'v2' }>): Uint8Array {
  return hasher.digest(WITHDRAW_TYPE, (words) => {
    keyWords(words, key)
    words.addressWord(terms.participant, 'terms.participant').zeros(16).u128(terms.total, 'terms.total').zeros(24).height(terms.validUntil, 'terms.validUntil')
  })
}

export function voucherDigest(hasher: TypedHasher, voucher: Omit<Voucher, 'signature'>): Uint8Array {
  return hasher.digest(VOUCHER_TYPE, (words) => {
    keyWords(words, voucher)
    words.u256(voucher.cumulative, 'cumulative').hash(voucher.tip, 'tip').zeros(28).u32(voucher.steps, 'steps').zeros(16).u128(voucher.unit, 'unit')
  })
}

export function disposedDigest(hasher: TypedHasher, key: ChannelKey, lockHash: Hash, extra: Hash): Uint8Array {
  return hasher.digest(DISPOSED_TYPE, (words) => {
    keyWords(words, key)
    words.hash(lockHash, 'lockHash').hash(extra, 'extra')
  })
}

/** Which transport identity speaks for an account. `peerIdHash`: keccak of the peer id's bytes. */
export interface PeerBinding {
  readonly peerIdHash: Hash
  readonly account: Address
  readonly issuedSeconds: number
}

export function peerBindingDigest(hasher: TypedHasher, binding: PeerBinding): Uint8Array {
  return hasher.digest(PEER_BINDING_TYPE, (words) => {
    words.hash(binding.peerIdHash, 'peerIdHash').addressWord(binding.account, 'account').zeros(24).height(binding.issuedSeconds, 'issuedSeconds')
  })
}

export function frameDigest(hasher: TypedHasher, extra: Uint8Array): Uint8Array {
  return hasher.digest(FRAME_TYPE, (words) => void words.bytes(extra))
}

function keyWords(words: ByteWriter, key: ChannelKey): void {
  words.hash(key.channel, 'channel').zeros(24).u64(key.epoch, 'epoch')
}

/** channel, epoch, nonce, transferred, locksroot, taken from the bytes as they lie in a frame. */
function envelopeWords(words: ByteWriter, tail: Uint8Array): void {
  words.bytes(tail.subarray(8, 40)).zeros(24).bytes(tail.subarray(40, 48)).zeros(24).bytes(tail.subarray(0, 8)).bytes(tail.subarray(48, ENVELOPE_BYTES))
}
