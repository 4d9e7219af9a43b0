/**
 * Recursive Length Prefix (Ethereum Yellow Paper, appendix B), strictly: every value has exactly one
 * encoding, and any other is refused.
 *
 * | first byte | meaning |
 * |---|---|
 * | 00..7f | that byte itself |
 * | 80..b7 | a string of 0..55 bytes; one byte below 80 must not be written so |
 * | b8..bf | a string of 56 bytes or more: 1..8 bytes of length, without leading zeros, then the string |
 * | c0..f7 | a list of 0..55 bytes |
 * | f8..ff | a list of 56 bytes or more, like b8..bf |
 */
import { toHex } from './bytes.ts'
import { inputError } from './errors.ts'

export type RlpItem = Uint8Array | readonly RlpItem[]

/** What a decoder of hostile bytes may be made to build. Items are strings and lists together. */
export interface RlpLimits {
  readonly maxBytes: number
  readonly maxItems: number
  readonly maxDepth: number
}

const STRING = 0x80
const LONG_STRING = 0xb7
const LIST = 0xc0
const LONG_LIST = 0xf7
const SHORT_BYTES = 55
/** 2^48 bytes: no message is longer, and the length stays a safe integer. */
const MAX_LENGTH_BYTES = 6
const MAX_UINT32 = 0xffff_ffff
export const MAX_INTEGER_BYTES = 32

/**
 * One item that fills `bytes` wholly. Strings are windows on `bytes`, which must not be changed later.
 * Error: input `field`, whatever the bytes are.
 */
export function decodeRlp(bytes: Uint8Array, limits: RlpLimits, field = 'rlp'): RlpItem {
  if (bytes.length > limits.maxBytes) throw inputError(field, `${bytes.length} bytes`, `at most ${limits.maxBytes} bytes`)
  const reader = new Reader(bytes, limits, field)
  const item = reader.item(bytes.length, limits.maxDepth)
  if (reader.at !== bytes.length) throw reader.refuse('nothing behind the item')
  return item
}

class Reader {
  at = 0
  readonly #bytes: Uint8Array
  readonly #field: string
  readonly #maxItems: number
  #items = 0

  constructor(bytes: Uint8Array, limits: RlpLimits, field: string) {
    this.#bytes = bytes
    this.#field = field
    this.#maxItems = limits.maxItems
  }

  /** `end`: where the list around this item ends. `depth`: lists that may still be opened. */
  item(end: number, depth: number): RlpItem {
    if (++this.#items > this.#maxItems) throw this.refuse(`at most ${this.#maxItems} items`)
    const first = this.#byte(end)
    if (first < STRING) return this.#take(--this.at, 1)
    if (first <= LONG_STRING) {
      const length = this.#within(first - STRING, end)
      if (length === 1 && (this.#bytes[this.at] ?? 0) < STRING) throw this.refuse('a byte below 0x80 as itself')
      return this.#take(this.at, length)
    }
    if (first < LIST) {
      const length = this.#longLength(first - LONG_STRING, end)
      return this.#take(this.at, length)
    }
    const length = first <= LONG_LIST ? this.#within(first - LIST, end) : this.#longLength(first - LONG_LIST, end)
    if (depth === 0) throw this.refuse('fewer lists inside lists')
    const listEnd = this.at + length
    const items: RlpItem[] = []
    while (this.at < listEnd) items.push(this.item(listEnd, depth - 1))
    return items
  }

  refuse(allowed: string): Error {
    return inputError(this.#field, `at byte ${this.at}: ${toHex(this.#bytes.subarray(this.at, this.at + 8))}`, allowed)
  }

  #byte(end: number): number {
    if (this.at >= end) throw this.refuse('an item that does not end early')
    return this.#bytes[this.at++] ?? 0
  }

  #longLength(lengthBytes: number, end: number): number {
    if (lengthBytes > MAX_LENGTH_BYTES) throw this.refuse(`a length of at most ${MAX_LENGTH_BYTES} bytes`)
    let length = 0
    for (let i = 0; i < lengthBytes; i++) {
      const byte = this.#byte(end)
      if (i === 0 && byte === 0) throw this.refuse('a length without leading zeros')
      length = length * 256 + byte
    }
    if (length <= SHORT_BYTES) throw this.refuse('the short form for up to 55 bytes')
    return this.#within(length, end)
  }

  #within(length: number, end: number): number {
    if (length > end - this.at) throw this.refuse(`a length within the ${end - this.at} bytes left`)
    return length
  }

  #take(from: number, length: number): Uint8Array {
    this.at = from + length
    // A plain Uint8Array also where a Buffer came in.
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + from, length)
  }
}

export function encodeRlp(item: RlpItem): Uint8Array {
  const out = new Uint8Array(encodedLength(item))
  write(item, out, 0)
  return out
}

/** The integer as RLP wants it: big-endian, no leading zeros, zero is the empty string. Error: input `integer` below zero. */
export function integerBytes(value: bigint | number): Uint8Array {
  if (value < 0) throw inputError('integer', value, '0 or more')
  if (value <= MAX_UINT32 && (typeof value === 'bigint' || Number.isInteger(value))) return uint32Bytes(Number(value))
  if (BigInt(value) === 0n) return new Uint8Array(0)
  const digits = value.toString(16)
  return new Uint8Array(Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex'))
}

/** Most integers of a chain: without the way over text. */
function uint32Bytes(value: number): Uint8Array {
  const length = value === 0 ? 0 : value < 0x100 ? 1 : value < 0x1_0000 ? 2 : value < 0x100_0000 ? 3 : 4
  const out = new Uint8Array(length)
  for (let at = length - 1, left = value; at >= 0; at--, left >>>= 8) out[at] = left & 0xff
  return out
}

/** Errors: input `field` for a list, a leading zero, or more than `maxBytes`. */
export function integerOf(item: RlpItem, field: string, maxBytes = MAX_INTEGER_BYTES): bigint {
  if (!(item instanceof Uint8Array)) throw inputError(field, 'a list', 'an integer')
  if (item.length > maxBytes) throw inputError(field, `${item.length} bytes`, `an integer of at most ${maxBytes} bytes`)
  if (item[0] === 0) throw inputError(field, toHex(item), 'an integer without leading zeros')
  return item.length === 0 ? 0n : BigInt(`0x${toHex(item)}`)
}

function isList(item: RlpItem): item is readonly RlpItem[] {
  return Array.isArray(item)
}

function payloadLength(item: RlpItem): number {
  if (!isList(item)) return item.length
  let length = 0
  for (const inner of item) length += encodedLength(inner)
  return length
}

function encodedLength(item: RlpItem): number {
  const length = payloadLength(item)
  if (!isList(item) && length === 1 && (item[0] ?? 0) < STRING) return 1
  return length <= SHORT_BYTES ? 1 + length : 1 + integerBytes(length).length + length
}

/** Returns where it stopped. */
function write(item: RlpItem, out: Uint8Array, from: number): number {
  let at = from
  const length = payloadLength(item)
  if (!isList(item) && length === 1 && (item[0] ?? 0) < STRING) {
    out[at++] = item[0] ?? 0
    return at
  }
  if (length <= SHORT_BYTES) out[at++] = (isList(item) ? LIST : STRING) + length
  else {
    const lengthBytes = integerBytes(length)
    out[at++] = (isList(item) ? LONG_LIST : LONG_STRING) + lengthBytes.length
    out.set(lengthBytes, at)
    at += lengthBytes.length
  }
  if (isList(item)) {
    for (const inner of item) at = write(inner, out, at)
    return at
  }
  out.set(item, at)
  return at + length
}
