/**
 * Netlink attributes as bytes: a length with the header (16 bit), a type (16 bit, the upper two bits are marks),
 * a value, padding to 4. Source: RFC 3549, chapter 2; <linux/netlink.h>. Numbers are little-endian: all machines
 * that addons are built for are.
 *
 * What another kernel adds or leaves out must not matter: unknown types are not looked at, a missing one, or
 * one of an unexpected length, is null. A length that cannot be ends the reading; what came before counts.
 */
import { concatBytes, utf8 } from '../base/index.ts'

const HEADER_BYTES = 4
const TYPE_MASK = 0x3fff
const NESTED = 0x8000
const NUL = 0

const aligned = (length: number): number => (length + 3) & ~3
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export interface Attribute {
  readonly type: number
  readonly value: Uint8Array
}

/** All attributes in their order: for lists, in which types repeat or count up. */
export function listAttributes(bytes: Uint8Array): Attribute[] {
  const view = viewOf(bytes)
  const found: Attribute[] = []
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const length = view.getUint16(at, true)
    if (length < HEADER_BYTES || at + length > bytes.length) break
    found.push({ type: view.getUint16(at + 2, true) & TYPE_MASK, value: bytes.subarray(at + HEADER_BYTES, at + length) })
    at += aligned(length)
  }
  return found
}

export class Attributes {
  readonly #values: ReadonlyMap<number, Uint8Array>

  constructor(bytes: Uint8Array) {
    this.#values = new Map(listAttributes(bytes).map(({ type, value }) => [type, value]))
  }

  /** A mark that is there or not. */
  flag(type: number): boolean {
    return this.#values.has(type)
  }

  bytes(type: number): Uint8Array | null {
    return this.#values.get(type) ?? null
  }

  u8(type: number): number | null {
    return this.#view(type, 1)?.getUint8(0) ?? null
  }

  i8(type: number): number | null {
    return this.#view(type, 1)?.getInt8(0) ?? null
  }

  u16(type: number): number | null {
    return this.#view(type, 2)?.getUint16(0, true) ?? null
  }

  u32(type: number): number | null {
    return this.#view(type, 4)?.getUint32(0, true) ?? null
  }

  /** Above 2^53 - 1: rounded. */
  u64(type: number): number | null {
    const value = this.#view(type, 8)?.getBigUint64(0, true)
    return value === undefined ? null : Number(value)
  }

  /** Up to the first zero byte; bytes that are no UTF-8 show as U+FFFD. */
  text(type: number): string | null {
    const value = this.#values.get(type)
    if (value === undefined) return null
    const end = value.indexOf(NUL)
    return new TextDecoder().decode(end < 0 ? value : value.subarray(0, end))
  }

  /** An Ethernet address, as `02:00:00:00:00:01`. */
  mac(type: number): string | null {
    const value = this.#values.get(type)
    if (value?.length !== 6) return null
    return Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join(':')
  }

  nested(type: number): Attributes | null {
    const value = this.#values.get(type)
    return value === undefined ? null : new Attributes(value)
  }

  #view(type: number, length: number): DataView | null {
    const value = this.#values.get(type)
    return value?.length === length ? viewOf(value) : null
  }
}

export const readAttributes = (bytes: Uint8Array): Attributes => new Attributes(bytes)

/** One attribute with its padding. */
export function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(aligned(HEADER_BYTES + value.length))
  viewOf(bytes).setUint16(0, HEADER_BYTES + value.length, true)
  viewOf(bytes).setUint16(2, type, true)
  bytes.set(value, HEADER_BYTES)
  return bytes
}

export function u32Attribute(type: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  viewOf(bytes).setUint32(0, value, true)
  return attribute(type, bytes)
}

/** With the zero byte at its end that the kernel wants. */
export function textAttribute(type: number, text: string): Uint8Array {
  return attribute(type, concatBytes(utf8(text), new Uint8Array(1)))
}

export function nestedAttribute(type: number, ...inner: readonly Uint8Array[]): Uint8Array {
  return attribute(type | NESTED, concatBytes(...inner))
}
