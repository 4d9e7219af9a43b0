/** Addresses and hashes as text: one form, so that two of them are equal exactly when their bytes are. */
import { fromHex, toHex } from './bytes.ts'

/** 0x and lower-case hex digits. */
export type Hex = `0x${string}`
/** 32 bytes. */
export type Hash = Hex
/** 20 bytes. */
export type Address = Hex

export const ADDRESS_BYTES = 20
export const HASH_BYTES = 32
export const ZERO_ADDRESS: Address = `0x${'00'.repeat(ADDRESS_BYTES)}`
export const ZERO_HASH: Hash = `0x${'00'.repeat(HASH_BYTES)}`

export function hexOf(bytes: Uint8Array): Hex {
  return `0x${toHex(bytes)}`
}

export function bytesOf(hex: Hex): Uint8Array {
  return fromHex(hex)
}
