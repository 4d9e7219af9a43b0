/** The parts of a block of our own: gas limit, chief transaction, header, seal. Pure but for the key's two verbs. */
import { concatBytes } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import { ZERO_HASH, bytesOf, hexOf } from '../codec/fields.ts'
import type { Address, Hash } from '../codec/fields.ts'
import { BLOOM_BYTES, SEAL_BYTES, sealHash } from '../codec/header.ts'
import type { Header } from '../codec/header.ts'
import { signingDigest } from '../codec/transaction.ts'
import type { Transaction, UnsignedTransaction } from '../codec/transaction.ts'
import { EMPTY_UNCLE_HASH, ZERO_NONCE } from '../network/genesis.ts'
import type { Network } from '../network/network.ts'
import type { Built, MinerKey } from '../ports.ts'
import { EMPTY_TRIE_ROOT } from '../proof/read-trie.ts'
import { minGasLimit } from '../rules/economy.ts'

const GAS_STEP = 1024n
const V_PROTECTED = 35n
const SCALAR_BYTES = 32

/**
 * The original's strategy (spec 1.3): the limit follows one and a half times what the parent used, downwards by
 * less than a 1024th, and stands at the least allowed where nothing pulls it up.
 */
export function nextGasLimit(network: Pick<Network, 'forks' | 'uncheckedGasLimit'>, parent: Pick<Header, 'number' | 'gasLimit' | 'gasUsed'>): bigint {
  const number = parent.number + 1
  const least = minGasLimit(network, number)
  const step = parent.gasLimit / GAS_STEP - 1n
  const followed = parent.gasLimit - step + (parent.gasUsed * 3n) / 2n / GAS_STEP
  if (followed >= least) return followed < parent.gasLimit + step ? followed : parent.gasLimit + step
  if (parent.gasLimit >= least || number === network.uncheckedGasLimit) return least
  const raised = parent.gasLimit + step
  return raised < least ? raised : least
}

/** `sign` as `MinerKey.sign`: r ‖ s ‖ v with v 0 or 1. */
export function signWith(curve: Secp256k1, unsigned: UnsignedTransaction, chainId: bigint, sign: (digest: Uint8Array) => Uint8Array): Transaction {
  const signature = sign(signingDigest(curve, unsigned, chainId))
  return {
    ...unsigned,
    v: V_PROTECTED + 2n * chainId + BigInt(signature[2 * SCALAR_BYTES] ?? 0),
    r: BigInt(hexOf(signature.subarray(0, SCALAR_BYTES))),
    s: BigInt(hexOf(signature.subarray(SCALAR_BYTES, 2 * SCALAR_BYTES))),
  }
}

export interface HeaderPlan {
  readonly parent: { readonly header: Header; readonly hash: Hash }
  readonly coinbase: Address
  readonly difficulty: bigint
  readonly gasLimit: bigint
  readonly timeSeconds: number
  /** 161 bytes. */
  readonly vrf: Uint8Array
}

/** Without roots and seal: what a volunteer is chosen by. */
export function plannedHeader(plan: HeaderPlan): Header {
  return {
    parentHash: plan.parent.hash,
    uncleHash: EMPTY_UNCLE_HASH,
    coinbase: plan.coinbase,
    stateRoot: ZERO_HASH,
    transactionsRoot: EMPTY_TRIE_ROOT,
    receiptsRoot: EMPTY_TRIE_ROOT,
    bloom: new Uint8Array(BLOOM_BYTES),
    difficulty: plan.difficulty,
    number: plan.parent.header.number + 1,
    gasLimit: plan.gasLimit,
    gasUsed: 0n,
    timeSeconds: plan.timeSeconds,
    extra: concatBytes(plan.vrf, new Uint8Array(SEAL_BYTES)),
    mixDigest: ZERO_HASH,
    nonce: ZERO_NONCE,
  }
}

export interface Roots {
  readonly transactions: Hash
  readonly receipts: Hash
}

export function sealedHeader(curve: Secp256k1, key: MinerKey, planned: Header, built: Built, roots: Roots): Header {
  const header: Header = { ...planned, stateRoot: built.stateRoot, transactionsRoot: roots.transactions, receiptsRoot: roots.receipts, bloom: built.bloom, gasUsed: built.gasUsed }
  const seal = key.sign(bytesOf(sealHash(curve, header)))
  return { ...header, extra: concatBytes(header.extra.subarray(0, -SEAL_BYTES), seal) }
}
