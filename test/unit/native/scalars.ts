/** Numbers where the curve's rules change, as 32 bytes. */
import { fromHex } from '../../../src/base/index.ts'

/** The group's order and the field's prime, SEC 2 section 2.4.1. */
export const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
export const PRIME = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2fn
const HALF = ORDER / 2n

export function bytes32(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, '0'))
}

export function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}

export const EDGE_SCALARS: Readonly<Record<string, Uint8Array>> = {
  zero: bytes32(0n),
  one: bytes32(1n),
  two: bytes32(2n),
  half: bytes32(HALF),
  'half + 1': bytes32(HALF + 1n),
  'N - 1': bytes32(ORDER - 1n),
  N: bytes32(ORDER),
  'N + 1': bytes32(ORDER + 1n),
  'p - 1': bytes32(PRIME - 1n),
  p: bytes32(PRIME),
  'all ones': bytes32(2n ** 256n - 1n),
}
