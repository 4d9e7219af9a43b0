/** Fields as they are on the air: little-endian, identifiers reversed. Readers never look beyond the end; writers refuse what does not fit. */
import { fromHex, inputError, toHex } from '../../base/index.ts'
import type { DevAddr, Eui } from '../ports.ts'

const EUI_BYTES = 8

/**
 * A copy, also of a Buffer, whose own slice() is none: datagrams come in Buffers that are used again. Byte by byte: subarray() of a short array
 * takes its bytes out of the heap first, which costs more than copying a frame. 0 ≤ `from`.
 */
export function copyOf(bytes: Uint8Array, from = 0, to = bytes.length): Uint8Array {
  const copy = new Uint8Array(Math.max(0, Math.min(to, bytes.length) - from))
  for (let at = 0; at < copy.length; at++) copy[at] = bytes[from + at] ?? 0
  return copy
}

/** `bytes` ≤ 6. The caller has seen to it that they are there. */
export function readLittle(from: Uint8Array, at: number, bytes: number): number {
  let value = 0
  for (let i = bytes - 1; i >= 0; i--) value = value * 256 + (from[at + i] ?? 0)
  return value
}

export function writeLittle(to: Uint8Array, at: number, bytes: number, value: number): void {
  let rest = value
  for (let i = 0; i < bytes; i++) {
    to[at + i] = rest % 256
    rest = Math.floor(rest / 256)
  }
}

export function readEui(from: Uint8Array, at: number): Eui {
  return toHex(copyOf(from, at, at + EUI_BYTES).reverse())
}

/** Errors: input `field`. */
export function writeEui(to: Uint8Array, at: number, eui: Eui, field: string): void {
  to.set(euiBytes(eui, field).reverse(), at)
}

/** Most significant byte first. Errors: input `field`. */
export function euiBytes(eui: Eui, field: string): Uint8Array {
  if (!/^[0-9a-f]{16}$/.test(eui)) throw inputError(field, eui, '16 lower-case hex digits')
  return fromHex(eui, field)
}

export function devAddrText(address: DevAddr): string {
  return address.toString(16).padStart(8, '0')
}

/** A whole number of `bits` bits. Errors: input `field`. */
export function checkUnsigned(value: number, bits: number, field: string): number {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** bits) throw inputError(field, value, `a whole number from 0 to ${2 ** bits - 1}`)
  return value
}
