/**
 * Block header of Spectrum (spec 2.1): 15 fields, signed inside `extra`.
 *
 * | part of extra | bytes | where |
 * |---|---|---|
 * | VRF output (from SIP100 on; before: 32 bytes of vanity) | 161 | at the start |
 * | filler, valid but never produced by us | any | between |
 * | signature r ‖ s ‖ v, v 0 or 1 | 65 | at the end |
 *
 * The signature covers the seal hash: the header with `extra` cut by its last 65 bytes. It is itself part of
 * the block hash and has a valid twin with N - s, so **anybody can turn a block into another block with
 * another hash**. Two headers are the same seal when their seal hashes are the same.
 */
import { concatBytes, decodeRlp, encodeRlp, inputError, integerBytes } from '../../base/index.ts'
import type { RlpItem } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import { ADDRESS_BYTES, HASH_BYTES, bytesField, bytesOf, fixedField, hexField, hexOf, integerField, keccakHex, listField, safeIntegerField } from './fields.ts'
import type { Address, Hash, Hex, Keccak } from './fields.ts'

export interface Header {
  readonly parentHash: Hash
  readonly uncleHash: Hash
  readonly coinbase: Address
  readonly stateRoot: Hash
  readonly transactionsRoot: Hash
  readonly receiptsRoot: Hash
  /** 256 bytes. */
  readonly bloom: Uint8Array
  readonly difficulty: bigint
  readonly number: number
  readonly gasLimit: bigint
  readonly gasUsed: bigint
  /** Unix time. */
  readonly timeSeconds: number
  readonly extra: Uint8Array
  readonly mixDigest: Hash
  /** 8 bytes. */
  readonly nonce: Hex
}

export const BLOOM_BYTES = 256
export const SEAL_BYTES = 65
export const VANITY_BYTES = 32
export const VRF_BYTES = 161
/** The chain itself has no limit; nobody produces more than 226, and we do not store more than this. */
export const MAX_EXTRA_BYTES = 1024
export const MAX_HEADER_BYTES = 2048
const FIELDS = 15
const LIMITS = { maxBytes: MAX_HEADER_BYTES, maxItems: FIELDS + 1, maxDepth: 1 }
const NONCE_BYTES = 8
const UINT64_BYTES = 8

/** Errors: input, naming the field; nothing else, whatever the bytes are. */
export function decodeHeader(bytes: Uint8Array): Header {
  return headerOf(decodeRlp(bytes, LIMITS, 'header'))
}

/** The header inside a larger message. Errors as `decodeHeader`. */
export function headerOf(item: RlpItem): Header {
  const fields = listField(item, 'header', FIELDS)
  return {
    parentHash: hexField(fields[0], 'header.parentHash', HASH_BYTES),
    uncleHash: hexField(fields[1], 'header.uncleHash', HASH_BYTES),
    coinbase: hexField(fields[2], 'header.coinbase', ADDRESS_BYTES),
    stateRoot: hexField(fields[3], 'header.stateRoot', HASH_BYTES),
    transactionsRoot: hexField(fields[4], 'header.transactionsRoot', HASH_BYTES),
    receiptsRoot: hexField(fields[5], 'header.receiptsRoot', HASH_BYTES),
    bloom: fixedField(fields[6], 'header.bloom', BLOOM_BYTES),
    difficulty: integerField(fields[7], 'header.difficulty'),
    number: safeIntegerField(fields[8], 'header.number'),
    gasLimit: integerField(fields[9], 'header.gasLimit', UINT64_BYTES),
    gasUsed: integerField(fields[10], 'header.gasUsed', UINT64_BYTES),
    timeSeconds: safeIntegerField(fields[11], 'header.time'),
    extra: bytesField(fields[12], 'header.extra', MAX_EXTRA_BYTES),
    mixDigest: hexField(fields[13], 'header.mixDigest', HASH_BYTES),
    nonce: hexField(fields[14], 'header.nonce', NONCE_BYTES),
  }
}

export function headerItem(header: Header, extra: Uint8Array = header.extra): RlpItem {
  return [
    bytesOf(header.parentHash),
    bytesOf(header.uncleHash),
    bytesOf(header.coinbase),
    bytesOf(header.stateRoot),
    bytesOf(header.transactionsRoot),
    bytesOf(header.receiptsRoot),
    header.bloom,
    integerBytes(header.difficulty),
    integerBytes(header.number),
    integerBytes(header.gasLimit),
    integerBytes(header.gasUsed),
    integerBytes(header.timeSeconds),
    extra,
    bytesOf(header.mixDigest),
    bytesOf(header.nonce),
  ]
}

export function encodeHeader(header: Header): Uint8Array {
  return encodeRlp(headerItem(header))
}

/** The block's hash: of all 15 fields, signature included. */
export function hashHeader(keccak: Keccak, header: Header): Hash {
  return keccakHex(keccak, encodeHeader(header))
}

/** What the sealer signed, and the name of the block for finding twins. Errors: input `extra` below 65 bytes. */
export function sealHash(keccak: Keccak, header: Header): Hash {
  return hexOf(sealDigest(keccak, header))
}

function sealDigest(keccak: Keccak, header: Header): Uint8Array {
  if (header.extra.length < SEAL_BYTES) throw inputError('extra', `${header.extra.length} bytes`, `${SEAL_BYTES} bytes of signature or more`)
  return keccak.keccak256(encodeRlp(headerItem(header, header.extra.subarray(0, -SEAL_BYTES))))
}

export interface Sealer {
  readonly address: Address
  /** 65 bytes. */
  readonly publicKey: Uint8Array
  readonly sealHash: Hash
}

/**
 * Who signed; null for an extra that is too short or a signature of nobody. High s is accepted, as on the
 * chain. v must be 0 or 1: 27 and 28, which the curve's interface also takes, are no seals. The chain would
 * also recover v 2 and 3, but only to a key that nobody knows, which is authorised nowhere.
 */
export function recoverSealer(curve: Secp256k1, header: Header): Sealer | null {
  if (header.extra.length < SEAL_BYTES) return null
  const seal = header.extra.subarray(-SEAL_BYTES)
  if ((seal[SEAL_BYTES - 1] ?? 0) > 1) return null
  const digest = sealDigest(curve, header)
  const publicKey = curve.recover(digest, seal, 'accept')
  return publicKey === null ? null : { address: addressOfKey(curve, publicKey), publicKey, sealHash: hexOf(digest) }
}

/** `publicKey`: 65 bytes. */
export function addressOfKey(keccak: Keccak, publicKey: Uint8Array): Address {
  return hexOf(keccak.keccak256(publicKey.subarray(1)).subarray(HASH_BYTES - ADDRESS_BYTES))
}

/** The header signed: its last 65 bytes of extra are replaced, low s. Errors: input `extra`, `privateKey`. */
export function sealHeader(curve: Secp256k1, header: Header, privateKey: Uint8Array): Header {
  const seal = curve.sign(sealDigest(curve, header), privateKey)
  seal[SEAL_BYTES - 1] = (seal[SEAL_BYTES - 1] ?? 0) - 27 // the interface's v is 27 or 28, a seal's 0 or 1
  return { ...header, extra: concatBytes(header.extra.subarray(0, -SEAL_BYTES), seal) }
}
