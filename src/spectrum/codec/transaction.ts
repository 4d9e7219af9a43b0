/**
 * Transactions (spec 1.3): the legacy form of nine fields is the only one on this chain; typed transactions
 * (EIP-2718) are refused. With a chain id in v (EIP-155: v = 35 + 2 · chainId + 0 or 1) or, before SIP003,
 * without (v 27 or 28). Signatures must have low s (EIP-2, on since block 0), unlike those of headers.
 */
import { concatBytes, decodeRlp, encodeRlp, inputError, integerBytes } from '../../base/index.ts'
import type { RlpItem } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import { ADDRESS_BYTES, bytesField, bytesOf, hexField, hexOf, integerField, keccakHex, listField } from './fields.ts'
import type { Address, Hash, Keccak } from './fields.ts'

export interface UnsignedTransaction {
  readonly nonce: bigint
  readonly gasPriceWei: bigint
  readonly gas: bigint
  /** Null creates a contract. */
  readonly to: Address | null
  readonly valueWei: bigint
  readonly data: Uint8Array
}

export interface Transaction extends UnsignedTransaction {
  readonly v: bigint
  readonly r: bigint
  readonly s: bigint
}

/** A block's body on the wire; eth/63 sends no larger messages. */
const MAX_TRANSACTION_BYTES = 10 * 1024 * 1024
const FIELDS = 9
const LIMITS = { maxBytes: MAX_TRANSACTION_BYTES, maxItems: FIELDS + 1, maxDepth: 1 }
const UINT64_BYTES = 8
const SCALAR_BYTES = 32
const V_UNPROTECTED = 27n
const V_PROTECTED = 35n

/** Errors: input, naming the field; nothing else, whatever the bytes are. */
export function decodeTransaction(bytes: Uint8Array): Transaction {
  return transactionOf(decodeRlp(bytes, LIMITS, 'transaction'))
}

export function transactionOf(item: RlpItem): Transaction {
  const fields = listField(item, 'transaction', FIELDS)
  const to = bytesField(fields[3], 'transaction.to', ADDRESS_BYTES)
  return {
    nonce: integerField(fields[0], 'transaction.nonce', UINT64_BYTES),
    gasPriceWei: integerField(fields[1], 'transaction.gasPrice'),
    gas: integerField(fields[2], 'transaction.gas'),
    to: to.length === 0 ? null : hexField(to, 'transaction.to', ADDRESS_BYTES),
    valueWei: integerField(fields[4], 'transaction.value'),
    data: bytesField(fields[5], 'transaction.data', MAX_TRANSACTION_BYTES),
    v: integerField(fields[6], 'transaction.v'),
    r: integerField(fields[7], 'transaction.r'),
    s: integerField(fields[8], 'transaction.s'),
  }
}

export function transactionItem(transaction: Transaction): RlpItem {
  return [...unsignedItems(transaction), integerBytes(transaction.v), integerBytes(transaction.r), integerBytes(transaction.s)]
}

export function encodeTransaction(transaction: Transaction): Uint8Array {
  return encodeRlp(transactionItem(transaction))
}

export function hashTransaction(keccak: Keccak, transaction: Transaction): Hash {
  return keccakHex(keccak, encodeTransaction(transaction))
}

/** Does the signature hold on one chain only? SIP003 demands it. */
export function isProtected(transaction: Transaction): boolean {
  return transaction.v !== V_UNPROTECTED && transaction.v !== V_UNPROTECTED + 1n
}

/** What is signed: six fields, with a chain id nine (EIP-155). 32 bytes. */
export function signingDigest(keccak: Keccak, transaction: UnsignedTransaction, chainId: bigint | null): Uint8Array {
  const domain = chainId === null ? [] : [integerBytes(chainId), new Uint8Array(0), new Uint8Array(0)]
  return keccak.keccak256(encodeRlp([...unsignedItems(transaction), ...domain]))
}

/** Null: signed by nobody, for another chain, or with high s. */
export function senderOf(curve: Secp256k1, transaction: Transaction, chainId: bigint): Address | null {
  const base = isProtected(transaction) ? V_PROTECTED + 2n * chainId : V_UNPROTECTED
  const parity = transaction.v - base
  if (parity !== 0n && parity !== 1n) return null
  const signature = concatBytes(scalarBytes(transaction.r), scalarBytes(transaction.s), Uint8Array.of(Number(parity)))
  const address = curve.recoverAddress(signingDigest(curve, transaction, isProtected(transaction) ? chainId : null), signature, 'refuse')
  return address === null ? null : hexOf(address)
}

/** Signed for one chain (EIP-155). Errors: input `privateKey`, `chainId`. */
export function signTransaction(curve: Secp256k1, transaction: UnsignedTransaction, chainId: bigint, privateKey: Uint8Array): Transaction {
  if (chainId < 1n) throw inputError('chainId', chainId, '1 or more')
  const signature = curve.sign(signingDigest(curve, transaction, chainId), privateKey)
  return {
    ...transaction,
    v: V_PROTECTED + 2n * chainId + BigInt((signature[2 * SCALAR_BYTES] ?? 0) - 27),
    r: BigInt(hexOf(signature.subarray(0, SCALAR_BYTES))),
    s: BigInt(hexOf(signature.subarray(SCALAR_BYTES, 2 * SCALAR_BYTES))),
  }
}

function unsignedItems(transaction: UnsignedTransaction): RlpItem[] {
  const to = transaction.to === null ? new Uint8Array(0) : bytesOf(transaction.to)
  return [integerBytes(transaction.nonce), integerBytes(transaction.gasPriceWei), integerBytes(transaction.gas), to, integerBytes(transaction.valueWei), transaction.data]
}

/** r and s are at most 32 bytes by the decoder. */
function scalarBytes(value: bigint): Uint8Array {
  const out = new Uint8Array(SCALAR_BYTES)
  const bytes = integerBytes(value)
  out.set(bytes, SCALAR_BYTES - bytes.length)
  return out
}
