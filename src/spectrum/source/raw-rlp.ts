/**
 * Lists taken apart and put together by the bytes of their items, without decoding what is inside: a reply of
 * 128 bodies is cut into 128 windows in one pass, and whoever judges a body decodes it. Rules of RLP as in
 * base/rlp.ts: every length in its one form.
 */
import { concatBytes, encodeRlp, inputError } from '../../base/index.ts'

const STRING = 0x80
const LONG_STRING = 0xb7
const LIST = 0xc0
const LONG_LIST = 0xf7
const SHORT_BYTES = 55
const MAX_LENGTH_BYTES = 4

/** Where the first item of some bytes lies. */
export interface Extent {
  readonly isList: boolean
  /** Where its payload starts and where it ends; behind the end may be more. */
  readonly start: number
  readonly end: number
}

/** The item that starts at `at` and must end by `limit`. Errors: input `field`. */
export function extentAt(bytes: Uint8Array, at: number, limit: number, field: string): Extent {
  const first = at < limit ? bytes[at] : undefined
  if (first === undefined) throw inputError(field, 'nothing', 'an RLP item')
  if (first < STRING) return { isList: false, start: at, end: at + 1 }
  const isList = first >= LIST
  const shortBase = isList ? LIST : STRING
  const longBase = isList ? LONG_LIST : LONG_STRING
  const start = first <= longBase ? at + 1 : at + 1 + (first - longBase)
  const length = first <= longBase ? first - shortBase : longLength(bytes, at + 1, start, limit, field)
  if (start > limit || length > limit - start) throw inputError(field, `${length} bytes at ${at}`, `an item within ${limit} bytes`)
  if (!isList && length === 1 && first <= longBase && (bytes[start] ?? 0) < STRING) throw inputError(field, `byte ${bytes[start] ?? 0} written as a string`, 'a byte below 0x80 as itself')
  return { isList, start, end: start + length }
}

function longLength(bytes: Uint8Array, from: number, to: number, limit: number, field: string): number {
  if (to - from > MAX_LENGTH_BYTES || to > limit) throw inputError(field, `a length of ${to - from} bytes`, `at most ${MAX_LENGTH_BYTES}`)
  if (bytes[from] === 0) throw inputError(field, 'a length with a leading zero', 'its shortest form')
  let length = 0
  for (let i = from; i < to; i++) length = length * 256 + (bytes[i] ?? 0)
  if (length <= SHORT_BYTES) throw inputError(field, `a long form of ${length} bytes`, 'the short form for up to 55 bytes')
  return length
}

/**
 * The encodings of a list's items, as windows on `bytes`. The list must fill `bytes`.
 * Errors: input `field`: not a list, more than `maxItems`, a length that does not fit or is not in its one form.
 */
export function splitList(bytes: Uint8Array, maxItems: number, field: string): Uint8Array[] {
  const list = extentAt(bytes, 0, bytes.length, field)
  if (!list.isList) throw inputError(field, 'a string', 'a list')
  if (list.end !== bytes.length) throw inputError(field, `${bytes.length - list.end} bytes behind the list`, 'nothing')
  const items: Uint8Array[] = []
  for (let at = list.start; at < list.end; ) {
    if (items.length === maxItems) throw inputError(field, 'more items', `at most ${maxItems}`)
    const { end } = extentAt(bytes, at, list.end, field)
    items.push(windowOf(bytes, at, end))
    at = end
  }
  return items
}

/** A list of items that are encoded already. */
export function joinList(items: readonly Uint8Array[]): Uint8Array {
  return concatBytes(listHead(items.reduce((length, item) => length + item.length, 0)), ...items)
}

function listHead(length: number): Uint8Array {
  if (length <= SHORT_BYTES) return Uint8Array.of(LIST + length)
  const digits: number[] = []
  for (let left = length; left > 0; left = Math.floor(left / 256)) digits.unshift(left % 256)
  return Uint8Array.of(LONG_LIST + digits.length, ...digits)
}

/** A string of bytes as an item. */
export function stringItem(bytes: Uint8Array): Uint8Array {
  return encodeRlp(bytes)
}

/** Also where a Buffer came in: a plain Uint8Array. */
export function windowOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from)
}
