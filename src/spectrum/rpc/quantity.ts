/** Numbers as Ethereum's JSON-RPC writes them: hex without leading zeros, zero is 0x0. Data keeps every byte. */
import { hexOf } from '../codec/fields.ts'
import type { Hex } from '../codec/fields.ts'

export function quantity(value: bigint | number): Hex {
  return `0x${value.toString(16)}`
}

/** 32 bytes: a word of storage. */
export function wordText(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`
}

export function dataText(bytes: Uint8Array): Hex {
  return hexOf(bytes)
}
