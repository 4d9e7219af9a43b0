/** Hashes, addresses and the typed fields of decoded RLP. Everything that comes from a peer passes through here once. */
import { ADDRESS_BYTES, HASH_BYTES, ZERO_ADDRESS, ZERO_HASH, bytesOf, hexOf, inputError, integerOf } from '../../base/index.ts'
import type { Address, Hash, Hex, RlpItem } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'

export { ADDRESS_BYTES, HASH_BYTES, ZERO_ADDRESS, ZERO_HASH, bytesOf, hexOf }
export type { Address, Hash, Hex }
/** All that hashing needs of the curve's backend. */
export type Keccak = Pick<Secp256k1, 'keccak256'>

const SAFE_INTEGER_BYTES = 7

export function keccakHex(keccak: Keccak, bytes: Uint8Array): Hash {
  return hexOf(keccak.keccak256(bytes))
}

/** `length`: how many items it must have. Errors: input `field`. */
export function listField(item: RlpItem | undefined, field: string, length?: number): readonly RlpItem[] {
  if (item === undefined || item instanceof Uint8Array) throw inputError(field, item === undefined ? 'nothing' : 'a string', 'a list')
  if (length !== undefined && item.length !== length) throw inputError(field, `${item.length} items`, `${length} items`)
  return item
}

/** A string of any length up to `maxBytes`. Errors: input `field`. */
export function bytesField(item: RlpItem | undefined, field: string, maxBytes: number): Uint8Array {
  if (!(item instanceof Uint8Array)) throw inputError(field, item === undefined ? 'nothing' : 'a list', 'a string of bytes')
  if (item.length > maxBytes) throw inputError(field, `${item.length} bytes`, `at most ${maxBytes} bytes`)
  return item
}

/** A string of exactly `length` bytes. Errors: input `field`. */
export function fixedField(item: RlpItem | undefined, field: string, length: number): Uint8Array {
  const bytes = bytesField(item, field, length)
  if (bytes.length !== length) throw inputError(field, `${bytes.length} bytes`, `${length} bytes`)
  return bytes
}

export function hexField(item: RlpItem | undefined, field: string, length: number): Hex {
  return hexOf(fixedField(item, field, length))
}

export function integerField(item: RlpItem | undefined, field: string, maxBytes?: number): bigint {
  if (item === undefined) throw inputError(field, 'nothing', 'an integer')
  return integerOf(item, field, maxBytes)
}

/** An integer that a JavaScript number holds exactly: heights and times. */
export function safeIntegerField(item: RlpItem | undefined, field: string): number {
  const value = Number(integerField(item, field, SAFE_INTEGER_BYTES))
  if (!Number.isSafeInteger(value)) throw inputError(field, value, 'at most 2^53 - 1')
  return value
}
