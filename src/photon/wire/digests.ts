/** What is signed for the contract, in either profile: the digests of proofs, settlements, withdrawals, refusals and delegations. */
import { ZERO_ADDRESS, inputError } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import type { ChannelKey, Domain, Envelope, Lock, SettleTerms, Voucher, WithdrawTerms } from '../ports.ts'
import { ENVELOPE_BYTES } from './bounds.ts'
import { ByteWriter } from './byte-writer.ts'
import { writeEnvelope } from './envelope.ts'
import { createLegacyPayloads } from './legacy-payload.ts'
import * as typed from './typed-data.ts'
import type { PeerBinding } from './typed-data.ts'
import { PHOTON, createTypedHasher } from '../typed-hasher.ts'
import type { Keccak } from '../typed-hasher.ts'

/** A proof's state given into a watcher's hands. v1 knows neither watcher nor reward: null and 0n. */
export interface UpdateDelegation extends Envelope {
  /** Null: anybody may post it. */
  readonly watcher: Address | null
  readonly reward: bigint
}

/** Digests of one contract on one chain, 32 bytes each. Errors: input, naming the field that does not fit the profile. */
export interface Digests {
  readonly domain: Domain
  /** Signed by the payer. */
  balanceProof(proof: Envelope & { readonly extra: Hash }): Uint8Array
  /** Signed by the receiver. v1: "144"; v2: UpdateDelegate. */
  updateDelegation(delegation: UpdateDelegation): Uint8Array
  /** v1 only ("188", 9.1): signed by the receiver for the one who will call. v2 has no such call. */
  unlockDelegation(key: ChannelKey, lock: Lock, delegatee: Address): Uint8Array
  /** Signed by both. */
  cooperativeSettle(key: ChannelKey, terms: SettleTerms): Uint8Array
  /** Signed by both. */
  withdraw(key: ChannelKey, terms: WithdrawTerms): Uint8Array
  /** Signed by who gives up the lock. */
  disposed(key: ChannelKey, lockHash: Hash, extra: Hash): Uint8Array
  /** v2 only; signed by the payer. */
  voucher(voucher: Omit<Voucher, 'signature'>): Uint8Array
  /** Typed in both profiles: it never goes to a contract. */
  peerBinding(binding: PeerBinding): Uint8Array
}

/** Errors: input `contract`, `chainId`. */
export function createDigests(domain: Domain, keccak: Keccak): Digests {
  const hasher = createTypedHasher(keccak, PHOTON, domain)
  const peerBinding = (binding: PeerBinding): Uint8Array => typed.peerBindingDigest(hasher, binding)
  const scratch = new ByteWriter(ENVELOPE_BYTES + 32)
  const tailOf = (envelope: Envelope): Uint8Array => {
    writeEnvelope(scratch.reset(), envelope)
    return scratch.written()
  }
  const extraOf = (extra: Hash): Uint8Array => scratch.hash(extra, 'extra').written().subarray(ENVELOPE_BYTES)
  if (domain.profile === 'v1') {
    const legacy = createLegacyPayloads(domain.chainId, keccak)
    return {
      domain,
      peerBinding,
      balanceProof: (proof) => legacy.balanceProof(tailOf(proof), extraOf(proof.extra)),
      updateDelegation(delegation) {
        if (delegation.watcher !== null) throw inputError('watcher', delegation.watcher, 'null: v1 binds a delegation to nobody')
        if (delegation.reward !== 0n) throw inputError('reward', delegation.reward, '0: v1 contracts pay no watcher')
        return legacy.updateDelegation(tailOf(delegation))
      },
      unlockDelegation: (key, lock, delegatee) => legacy.unlockDelegation(key, lock, delegatee),
      cooperativeSettle(key, terms) {
        if (terms.validUntil !== null) throw inputError('terms.validUntil', terms.validUntil, 'null: v1 signatures never end')
        return legacy.coopSettle(key, terms)
      },
      withdraw(key, terms) {
        if (terms.profile !== 'v1') throw inputError('terms.profile', terms.profile, 'v1')
        return legacy.withdraw(key, terms)
      },
      disposed: (key, lockHash, extra) => legacy.disposed(key, lockHash, extra),
      voucher: () => {
        throw inputError('voucher', 'v1', 'v2: the original contract knows no vouchers')
      },
    }
  }
  return {
    domain,
    peerBinding,
    balanceProof: (proof) => typed.balanceProofDigest(hasher, tailOf(proof), extraOf(proof.extra)),
    updateDelegation: (delegation) => typed.updateDelegateDigest(hasher, tailOf(delegation), delegation.watcher ?? ZERO_ADDRESS, delegation.reward),
    unlockDelegation: () => {
      throw inputError('unlockDelegation', 'v2', 'v1: our contract has no unlock by others')
    },
    cooperativeSettle: (key, terms) => typed.coopSettleDigest(hasher, key, terms),
    withdraw(key, terms) {
      if (terms.profile !== 'v2') throw inputError('terms.profile', terms.profile, 'v2')
      return typed.withdrawDigest(hasher, key, terms)
    },
    disposed: (key, lockHash, extra) => typed.disposedDigest(hasher, key, lockHash, extra),
    voucher: (voucher) => typed.voucherDigest(hasher, voucher),
  }
}
