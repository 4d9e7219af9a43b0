/**
 * What v1 signatures cover: keccak(prefix ‖ length as ASCII ‖ fields), with the lengths and the order of the original
 * contract. Nothing in them tells one kind from another but the length; a balance proof and a cooperative
 * settlement have the same one, so each can be passed off as the other. Never sign a settlement for a peer that is not
 * trusted.
 */
import { utf8 } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import type { ChannelKey, Lock, SettleTerms, WithdrawTerms } from '../ports.ts'
import { ENVELOPE_BYTES } from './bounds.ts'
import { ByteWriter } from './byte-writer.ts'
import type { Keccak } from '../typed-hasher.ts'

const PREFIX = utf8('\x19Spectrum Signed Message:\n')
/** The longest: prefix 26, length 3, and the unlock delegation. */
const MAX_PAYLOAD_BYTES = 256

const LENGTH = {
  balanceProof: utf8('176'),
  updateDelegation: utf8('144'),
  coopSettle: utf8('176'),
  disposed: utf8('136'),
  withdraw: utf8('156'),
  unlockDelegation: utf8('188'),
} as const

type V1WithdrawTerms = Extract<WithdrawTerms, { profile: 'v1' }>

export interface LegacyPayloads {
  /** `tail`: nonce ‖ channel ‖ epoch ‖ transferred ‖ locksroot as the packet has them. */
  balanceProof(tail: Uint8Array, extra: Uint8Array): Uint8Array
  updateDelegation(tail: Uint8Array): Uint8Array
  coopSettle(key: ChannelKey, terms: SettleTerms): Uint8Array
  disposed(key: ChannelKey, lockHash: Hash, extra: Hash): Uint8Array
  withdraw(key: ChannelKey, terms: V1WithdrawTerms): Uint8Array
  unlockDelegation(key: ChannelKey, lock: Lock, delegatee: Address): Uint8Array
}

/** Each gives the digest to sign, 32 bytes. */
export function createLegacyPayloads(chainId: bigint, keccak: Keccak): LegacyPayloads {
  const out = new ByteWriter(MAX_PAYLOAD_BYTES)
  const start = (length: Uint8Array): ByteWriter => out.reset().bytes(PREFIX).bytes(length)
  const keyed = (key: ChannelKey): ByteWriter => out.hash(key.channel, 'channel').u64(key.epoch, 'epoch')
  const finish = (): Uint8Array => keccak(out.u256(chainId, 'chainId').written())
  return {
    balanceProof(tail, extra) {
      start(LENGTH.balanceProof).bytes(tail.subarray(48, ENVELOPE_BYTES)).bytes(tail.subarray(0, 8)).bytes(extra).bytes(tail.subarray(8, 48))
      return finish()
    },
    updateDelegation(tail) {
      start(LENGTH.updateDelegation).bytes(tail.subarray(48, ENVELOPE_BYTES)).bytes(tail.subarray(0, 48))
      return finish()
    },
    coopSettle(key, terms) {
      start(LENGTH.coopSettle).address(terms.p1, 'terms.p1').u256(terms.balance1, 'terms.balance1').address(terms.p2, 'terms.p2').u256(terms.balance2, 'terms.balance2')
      keyed(key)
      return finish()
    },
    disposed(key, lockHash, extra) {
      start(LENGTH.disposed).hash(lockHash, 'lockHash')
      keyed(key).u256(chainId, 'chainId').hash(extra, 'extra')
      return keccak(out.written())
    },
    withdraw(key, terms) {
      start(LENGTH.withdraw).address(terms.participant, 'terms.participant').u256(terms.balance, 'terms.balance').u256(terms.withdraw, 'terms.withdraw')
      keyed(key)
      return finish()
    },
    unlockDelegation(key, lock, delegatee) {
      start(LENGTH.unlockDelegation).address(delegatee, 'delegatee').u256(BigInt(lock.expiration), 'lock.expiration').u256(lock.amount, 'lock.amount').hash(lock.secretHash, 'lock.secretHash')
      keyed(key)
      return finish()
    },
  }
}
