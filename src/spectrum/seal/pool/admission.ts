/**
 * What a transaction must be before anybody looks at its sender's account (spec 1.3, 2.7). Cheap checks come
 * first, the signature last: what is refused for its form costs no curve operation.
 *
 * Every call of a chief is refused, not only `update`: its fee is paid back to its sender (spec 1.3), so it
 * would wait here, and run, for nothing.
 */
import { MeshBoxError } from '../../../base/index.ts'
import type { Secp256k1 } from '../../../native/index.ts'
import { keccakHex } from '../../codec/fields.ts'
import type { Address, Hash } from '../../codec/fields.ts'
import { decodeTransaction, isProtected, senderOf } from '../../codec/transaction.ts'
import type { Transaction } from '../../codec/transaction.ts'
import { isChief } from '../../network/network.ts'
import type { Network } from '../../network/network.ts'
import type { PoolRefusalCode } from '../../ports.ts'
import { intrinsicGas } from '../../rules/economy.ts'

export interface PoolRefusal {
  readonly ok: false
  readonly code: PoolRefusalCode
  readonly reason: string
}

export function refuse(code: PoolRefusalCode, reason: string): PoolRefusal {
  return { ok: false, code, reason }
}

/** A transaction in good form, signed by somebody. */
export interface Newcomer {
  readonly ok: true
  readonly hash: Hash
  readonly transaction: Transaction
  readonly sender: Address
  readonly bytes: number
}

export interface AdmissionRules {
  readonly curve: Secp256k1
  readonly network: Pick<Network, 'chainId' | 'chiefs'>
  readonly minGasPriceWei: bigint
  /** Of the head: no later block takes much more. */
  readonly blockGasLimit: bigint
  readonly isKnown: (hash: Hash) => boolean
}

const V_PROTECTED = 35n

/** `bytes`: whatever was sent, at most MAX_POOLED_BYTES. Throws nothing. */
export function admit(rules: AdmissionRules, bytes: Uint8Array): Newcomer | PoolRefusal {
  const { curve, network } = rules
  const hash = keccakHex(curve, bytes)
  if (rules.isKnown(hash)) return refuse('known', hash)
  const transaction = decoded(bytes)
  if (!('nonce' in transaction)) return transaction
  const { gas, gasPriceWei, to, v } = transaction
  if (!isProtected(transaction)) return refuse('wrong-chain', `names no chain (EIP-155); this is chain ${network.chainId}`)
  const parity = v - V_PROTECTED - 2n * network.chainId
  if (parity !== 0n && parity !== 1n) return refuse('wrong-chain', `v ${v}; chain ${network.chainId} has ${V_PROTECTED + 2n * network.chainId} and one more`)
  if (to !== null && isChief(network, to)) return refuse('chief-transaction', `to the chief ${to}: only a sealer calls it, in its own block`)
  if (gasPriceWei < rules.minGasPriceWei) return refuse('underpriced', `${gasPriceWei} wei of gas price; ${rules.minGasPriceWei} or more`)
  if (gas > rules.blockGasLimit) return refuse('gas-limit', `${gas} of gas; a block holds ${rules.blockGasLimit}`)
  const least = intrinsicGas(transaction)
  if (gas < least) return refuse('gas-limit', `${gas} of gas; it costs ${least} before it does anything`)
  const sender = senderOf(curve, transaction, network.chainId)
  if (sender === null) return refuse('bad-signature', 'signed by nobody, or with high s')
  return { ok: true, hash, transaction, sender, bytes: bytes.length }
}

/** The codes have none for "not a transaction": nobody's signature is on it either. */
function decoded(bytes: Uint8Array): Transaction | PoolRefusal {
  try {
    return decodeTransaction(bytes)
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) return refuse('bad-signature', `no signed transaction of this chain: ${thrown.message}`)
    throw thrown
  }
}
