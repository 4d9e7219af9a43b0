/**
 * Fields of a document: an RLP list of strings in a fixed order, each within bounds, of which there is exactly one
 * encoding. Whatever bytes come, what is thrown is MeshBoxError `input` with the field's name.
 */
import { ADDRESS_BYTES, HASH_BYTES, MAX_INTEGER_BYTES, bytesOf, decodeRlp, encodeRlp, fromUtf8, hexOf, inputError, integerBytes, integerOf, utf8 } from '../../base/index.ts'
import type { Address, Hash, Hex, RlpItem } from '../../base/index.ts'
import type { Mac } from '../ports.ts'

export const MAX_DOCUMENT_BYTES = 4096
const LIMITS = { maxBytes: MAX_DOCUMENT_BYTES, maxItems: 256, maxDepth: 3 }
const MAC_BYTES = 6
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/

export class FieldReader {
  readonly #items: readonly RlpItem[]
  #at = 0

  constructor(items: readonly RlpItem[]) {
    this.#items = items
  }

  string(field: string, minBytes: number, maxBytes = minBytes): Uint8Array {
    const item = this.#next(field)
    if (!(item instanceof Uint8Array)) throw inputError(field, 'a list', 'a string')
    if (item.length < minBytes || item.length > maxBytes) throw inputError(field, `${item.length} bytes`, minBytes === maxBytes ? `${minBytes} bytes` : `${minBytes}..${maxBytes} bytes`)
    return item
  }

  address(field: string): Address {
    return hexOf(this.string(field, ADDRESS_BYTES))
  }

  hash(field: string): Hash {
    return hexOf(this.string(field, HASH_BYTES))
  }

  /** An empty string is null. */
  optional<T>(field: string, read: (reader: FieldReader) => T): T | null {
    const item = this.#items[this.#at]
    if (!(item instanceof Uint8Array) || item.length > 0) return read(this)
    this.string(field, 0)
    return null
  }

  mac(field: string): Mac {
    return macText(this.string(field, MAC_BYTES))
  }

  amount(field: string): bigint {
    return integerOf(this.string(field, 0, MAX_INTEGER_BYTES), field)
  }

  number(field: string, min: number, max: number): number {
    const value = integerOf(this.string(field, 0, 7), field, 7)
    if (value < BigInt(min) || value > BigInt(max)) throw inputError(field, value, `${min}..${max}`)
    return Number(value)
  }

  /** Unicode, without control characters: it is shown to people. */
  text(field: string, maxBytes: number): string {
    const text = fromUtf8(this.string(field, 0, maxBytes), field)
    if (/\p{Cc}/u.test(text)) throw inputError(field, 'a control character', 'text')
    return text
  }

  list<T>(field: string, maxItems: number, read: (reader: FieldReader) => T): T[] {
    const item = this.#next(field)
    if (item instanceof Uint8Array) throw inputError(field, 'a string', 'a list')
    if (item.length > maxItems) throw inputError(field, `${item.length} items`, `at most ${maxItems} items`)
    return item.map((each) => {
      const reader = new FieldReader(each instanceof Uint8Array ? [each] : each)
      const value = read(reader)
      reader.end(field)
      return value
    })
  }

  end(field: string): void {
    if (this.#at !== this.#items.length) throw inputError(field, `${this.#items.length} fields`, `${this.#at} fields`)
  }

  #next(field: string): RlpItem {
    const item = this.#items[this.#at]
    if (item === undefined) throw inputError(field, 'nothing', 'a value')
    this.#at += 1
    return item
  }
}

/** `kind`: named in errors. The whole payload is read by `read`, or it is refused. */
export function readDocument<T>(kind: string, payload: Uint8Array, read: (reader: FieldReader) => T): T {
  const item = decodeRlp(payload, LIMITS, kind)
  if (item instanceof Uint8Array) throw inputError(kind, 'a string', 'a list of fields')
  const reader = new FieldReader(item)
  const value = read(reader)
  reader.end(kind)
  return value
}

export type Field = Uint8Array | bigint | number | Hex | { readonly text: string } | null | readonly Field[]

/** Numbers shortest big-endian, hex as its bytes, null as the empty string. Errors: input above MAX_DOCUMENT_BYTES. */
export function writeDocument(kind: string, fields: readonly Field[]): Uint8Array {
  const payload = encodeRlp(itemOf(fields))
  if (payload.length > MAX_DOCUMENT_BYTES) throw inputError(kind, `${payload.length} bytes`, `at most ${MAX_DOCUMENT_BYTES} bytes`)
  return payload
}

function itemOf(field: Field): RlpItem {
  if (field === null) return new Uint8Array(0)
  if (field instanceof Uint8Array) return field
  if (typeof field === 'bigint' || typeof field === 'number') return integerBytes(field)
  if (typeof field === 'string') return bytesOf(field)
  return 'text' in field ? utf8(field.text) : field.map(itemOf)
}

/** Errors: input `mac`. */
export function macBytes(mac: Mac): Uint8Array {
  if (!MAC.test(mac)) throw inputError('mac', mac, 'aa:bb:cc:dd:ee:ff in lower case')
  return Uint8Array.from(mac.split(':'), (digits) => Number.parseInt(digits, 16))
}

export function macText(bytes: Uint8Array): Mac {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':')
}
