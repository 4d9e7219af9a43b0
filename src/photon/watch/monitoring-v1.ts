/**
 * The original monitoring service's payload, `GET /api/1/thirdparty/:channel/:3rd` (photon.md 5), with the signature over
 * the 188 bytes that its contract expects (F4: the original signs 220, and the call always reverts).
 *
 * JSON as Go prints it: hashes and addresses as 0x and lower-case hex, byte slices as base64, whole numbers of any size
 * without quotes, an empty slice as null, the fields of a lock by their Go names.
 */
import type { Address, Hash } from '../../base/index.ts'
import { bytesOf, concatBytes, inputError } from '../../base/index.ts'
import type { BalanceProof, Lock } from '../ports.ts'
import type { Digests } from '../wire/index.ts'

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

type Json = string | number | bigint | null | readonly Json[] | { readonly [name: string]: Json }

/** One line of JSON. Errors: input for a domain that is not v1's. */
export function monitoringPayload(digests: Digests, sign: (digest: Uint8Array) => Uint8Array, order: MonitoringOrder): string {
  if (digests.domain.profile !== 'v1') throw inputError('profile', digests.domain.profile, 'v1: our contract has no such monitors')
  const key = { channel: order.channel, epoch: order.openBlock }
  return goJson({
    channel_identifier: order.channel,
    open_block_number: order.openBlock,
    token_address: order.token,
    partner_address: order.partner,
    update_transfer: updateTransfer(digests, sign, order.proof),
    unlocks: slice(
      order.unlocks.map(({ lock, secret, merkleProof }) => ({
        lock: { Expiration: lock.expiration, Amount: lock.amount, LockSecretHash: lock.secretHash },
        merkle_proof: base64(concatBytes(...merkleProof.map(bytesOf))),
        secret,
        signature: base64(sign(digests.unlockDelegation(key, lock, order.thirdParty))),
      })),
    ),
    punishes: slice(order.punishes.map(({ lockHash, extra, signature }) => ({ lock_hash: lockHash, additional_hash: extra, signature: base64(signature) }))),
  })
}

function updateTransfer(digests: Digests, sign: (digest: Uint8Array) => Uint8Array, proof: BalanceProof | null): Json {
  if (proof === null) return { nonce: 0, transfer_amount: null, locksroot: ZEROS, extra_hash: ZEROS, closing_signature: null, non_closing_signature: null }
  const { channel, epoch, nonce, transferred, locksroot } = proof
  return {
    nonce,
    transfer_amount: transferred,
    locksroot,
    extra_hash: proof.extra,
    closing_signature: base64(proof.signature),
    non_closing_signature: base64(sign(digests.updateDelegation({ channel, epoch, nonce, transferred, locksroot, watcher: null, reward: 0n }))),
  }
}

const ZEROS: Hash = `0x${'00'.repeat(32)}`

function slice(items: readonly Json[]): Json {
  return items.length === 0 ? null : items
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

function goJson(value: Json): string {
  if (typeof value === 'bigint') return value.toString()
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(goJson).join(',')}]`
  return `{${Object.entries(value).map(([name, inner]) => `${JSON.stringify(name)}:${goJson(inner as Json)}`).join(',')}}`
}
