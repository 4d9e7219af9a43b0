/** Ethereum addresses: the last 20 bytes of keccak-256 of the public key, written with EIP-55's checksum by letter case. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { fromHex, inputError, toHex, utf8 } from '../base/index.ts'

const UNCOMPRESSED_BYTES = 65

/** `publicKey`: 65 bytes, 0x04 in front. */
export function addressOf(publicKey: Uint8Array): string {
  if (publicKey.length !== UNCOMPRESSED_BYTES || publicKey[0] !== 4) throw inputError('publicKey', `${publicKey.length} bytes`, '65 bytes, uncompressed')
  return toChecksumAddress(keccak_256(publicKey.subarray(1)).subarray(12))
}

/** 65-byte to 33-byte form (SEC 1, 2.3.3). */
export function compressPublicKey(publicKey: Uint8Array): Uint8Array {
  const compressed = publicKey.slice(0, 33)
  compressed[0] = ((publicKey[64] ?? 0) & 1) === 0 ? 2 : 3
  return compressed
}

/**
 * EIP-55: a letter is upper case where the keccak-256 of the lower-case hex digits has a nibble of 8 or more.
 * Takes 20 bytes, or 40 hex digits in any case behind 0x. Throws input `address`.
 */
export function toChecksumAddress(address: string | Uint8Array): string {
  if (typeof address === 'string' && !/^0x[0-9a-fA-F]{40}$/.test(address)) throw inputError('address', address, '0x and 40 hex digits')
  const bytes = typeof address === 'string' ? fromHex(address, 'address') : address
  if (bytes.length !== 20) throw inputError('address', `${bytes.length} bytes`, '20 bytes')
  const digits = toHex(bytes)
  const hash = toHex(keccak_256(utf8(digits)))
  return `0x${Array.from(digits, (digit, at) => (Number.parseInt(hash.charAt(at), 16) >= 8 ? digit.toUpperCase() : digit)).join('')}`
}
