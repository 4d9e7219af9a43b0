/**
 * Hex into a buffer that is there already, checked on the way, and back. Lower case only: one text per value. No Buffer: it runs in
 * a browser too.
 */
import type { Hex } from '../base/hex.ts'

const DIGITS = '0123456789abcdef'
const INVALID = 255
const VALUE_OF = new Uint8Array(128).fill(INVALID)
for (let value = 0; value < 16; value++) VALUE_OF[DIGITS.charCodeAt(value)] = value

/** Writes what follows `0x` to `into` at `at`; false when it is not `length` bytes in lower-case hex. */
export function writeHex(hex: string, into: Uint8Array, at: number, length: number): boolean {
  if (hex.length !== 2 + 2 * length || hex.charCodeAt(0) !== 48 || hex.charCodeAt(1) !== 120) return false
  for (let index = 0; index < length; index++) {
    const high = VALUE_OF[hex.charCodeAt(2 + 2 * index)] ?? INVALID
    const low = VALUE_OF[hex.charCodeAt(3 + 2 * index)] ?? INVALID
    if (high === INVALID || low === INVALID) return false
    into[at + index] = (high << 4) | low
  }
  return true
}

/** `0x` and two digits a byte. */
export function hexText(bytes: Uint8Array): Hex {
  let text: Hex = '0x'
  for (const byte of bytes) text += `${DIGITS[byte >> 4] ?? ''}${DIGITS[byte & 15] ?? ''}`
  return text
}
