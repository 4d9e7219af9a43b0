/**
 * The original monitoring service's payload, `GET /api/1/thirdparty/:channel/:3rd` (photon.md 5), with the signature over
 * the 188 bytes that its contract expects (F4: the original signs 220, and the call always reverts).
 *
 * Members and their forms as Go prints them: hashes and addresses as 0x and lower-case hex, byte slices as base64 (rest/json.ts),
 * whole numbers of any size, an empty slice as null, the fields of a lock by their Go names.
 *
 * Our own contract has a delegated update too, and no more: for its channels the payload holds that, with the third party named
 * and no reward, and neither unlocks nor punishments.
 */
import type { Address, Hash } from '../../base/index.ts'
import { ZERO_HASH, bytesOf, concatBytes } from '../../base/index.ts'
import type { ChannelState } from '../channel/index.ts'
import type { BalanceProof, Lock } from '../ports.ts'
import { merkleProof } from '../wire/index.ts'
import type { Digests, Keccak } from '../wire/index.ts'

export interface GuardedLock {
  readonly lock: Lock
  readonly secret: Hash
  /** Siblings from the leaf to the root. */
  readonly merkleProof: readonly Hash[]
}

export interface GuardedDisposal {
  readonly lockHash: Hash
  readonly extra: Hash
  /** The partner's, of its AnnounceDisposed. */
  readonly signature: Uint8Array
}

export interface MonitoringOrder {
  readonly token: Address
  readonly partner: Address
  readonly thirdParty: Address
  /** The partner's newest proof; null: nothing received, nothing to update. */
  readonly proof: BalanceProof | null
  readonly channel: Hash
  readonly openBlock: bigint
  readonly unlocks: readonly GuardedLock[]
  readonly punishes: readonly GuardedDisposal[]
}

/** Its members in the original's order and spelling. */
export interface MonitoringPayload {
  readonly channel_identifier: Hash
  readonly open_block_number: bigint
  readonly token_address: Address
  readonly partner_address: Address
  readonly update_transfer: {
    readonly nonce: bigint
    readonly transfer_amount: bigint | null
    readonly locksroot: Hash
    readonly extra_hash: Hash
    readonly closing_signature: Uint8Array | null
    readonly non_closing_signature: Uint8Array | null
  }
  readonly unlocks: readonly { readonly lock: { readonly Expiration: number; readonly Amount: bigint; readonly LockSecretHash: Hash }; readonly merkle_proof: Uint8Array; readonly secret: Hash; readonly signature: Uint8Array }[] | null
  readonly punishes: readonly { readonly lock_hash: Hash; readonly additional_hash: Hash; readonly signature: Uint8Array }[] | null
}

/** What somebody else could do for us in this channel: the newest proof, locks whose secret we know, what the partner gave up. */
export function monitoringOrder(keccak: Keccak, { key, token, partner, disposals }: ChannelState, thirdParty: Address): MonitoringOrder {
  const leaves = partner.locks.map(({ hash }) => hash)
  return {
    token,
    partner: partner.address,
    thirdParty,
    proof: partner.proof,
    channel: key.channel,
    openBlock: key.epoch,
    // One that was given up must not be unlocked: whoever does loses his whole deposit.
    unlocks: partner.locks.flatMap(({ secret, isDisposed, hash, expiration, amount, secretHash }) =>
      secret === null || isDisposed ? [] : [{ lock: { expiration, amount, secretHash }, secret, merkleProof: merkleProof(keccak, leaves, hash) }],
    ),
    punishes: disposals.map(({ lockHash, extra, signature }) => ({ lockHash, extra, signature })),
  }
}

export function monitoringPayload(digests: Digests, sign: (digest: Uint8Array) => Uint8Array, order: MonitoringOrder): MonitoringPayload {
  const isV1 = digests.domain.profile === 'v1'
  const key = { channel: order.channel, epoch: order.openBlock }
  return {
    channel_identifier: order.channel,
    open_block_number: order.openBlock,
    token_address: order.token,
    partner_address: order.partner,
    update_transfer: updateTransfer(digests, sign, order.proof, isV1 ? null : order.thirdParty),
    unlocks: slice(
      (isV1 ? order.unlocks : []).map(({ lock, secret, merkleProof: siblings }) => ({
        lock: { Expiration: lock.expiration, Amount: lock.amount, LockSecretHash: lock.secretHash },
        merkle_proof: concatBytes(...siblings.map(bytesOf)),
        secret,
        signature: sign(digests.unlockDelegation(key, lock, order.thirdParty)),
      })),
    ),
    punishes: slice((isV1 ? order.punishes : []).map(({ lockHash, extra, signature }) => ({ lock_hash: lockHash, additional_hash: extra, signature }))),
  }
}

function updateTransfer(digests: Digests, sign: (digest: Uint8Array) => Uint8Array, proof: BalanceProof | null, watcher: Address | null): MonitoringPayload['update_transfer'] {
  if (proof === null) return { nonce: 0n, transfer_amount: null, locksroot: ZERO_HASH, extra_hash: ZERO_HASH, closing_signature: null, non_closing_signature: null }
  const { channel, epoch, nonce, transferred, locksroot } = proof
  return {
    nonce,
    transfer_amount: transferred,
    locksroot,
    extra_hash: proof.extra,
    closing_signature: proof.signature,
    non_closing_signature: sign(digests.updateDelegation({ channel, epoch, nonce, transferred, locksroot, watcher, reward: 0n })),
  }
}

function slice<T>(items: readonly T[]): readonly T[] | null {
  return items.length === 0 ? null : items
}
