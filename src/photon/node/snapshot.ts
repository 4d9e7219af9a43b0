/**
 * Plain immutable data (records, arrays, texts, bigint, numbers, bytes) as compact bytes and back: how a channel's or a
 * payment's newest state lies in its row. Texts of hex digits take half their length, known names of fields one byte.
 *
 * First byte: version 1. Then one value: a tag byte and what belongs to it; lengths and counts are varints (7 bits a byte,
 * least significant first). Names of fields: index in FIELDS + 1, or 0 and a text.
 */
import { MeshBoxError, fromUtf8, hexOf } from '../../base/index.ts'
import { writeHex } from '../wire/index.ts'
import { FIELDS } from './tables/snapshot-fields.ts'

export type Plain = null | undefined | boolean | number | bigint | string | Uint8Array | readonly Plain[] | { readonly [field: string]: Plain }

const VERSION = 1
const TAG = { null: 0, undefined: 1, false: 2, true: 3, integer: 4, negative: 5, bigint: 6, negativeBigint: 7, text: 8, hex: 9, bytes: 10, array: 11, record: 12, zeros: 13 } as const
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)
const ZERO_HASH_DIGITS = `0x${'00'.repeat(32)}`
const FIELD_INDEX = new Map(FIELDS.map((name, index) => [name, index + 1]))
const MAX_DEPTH = 32

/** Errors: internal `snapshot`, for what is not plain data (our own mistake). */
export function encodeSnapshot(value: unknown): Uint8Array {
  const out = scratch.reset()
  out.byte(VERSION)
  write(out, value as Plain, 0)
  return out.done()
}

/** Errors: internal `snapshot`, if the bytes are not ours. The caller knows what it stored there. */
export function decodeSnapshot<T>(bytes: Uint8Array): T {
  const reader = new Reader(bytes)
  if (reader.byte() !== VERSION) throw broken('it is of another version')
  const value = read(reader, 0)
  if (!reader.isAtEnd()) throw broken('there is more behind it')
  return value as T
}

function write(out: Writer, value: Plain, depth: number): void {
  if (depth > MAX_DEPTH) throw broken('it is nested too deeply')
  switch (typeof value) {
    case 'undefined':
      return out.byte(TAG.undefined)
    case 'boolean':
      return out.byte(value ? TAG.true : TAG.false)
    case 'number':
      if (!Number.isSafeInteger(value)) throw broken('a number is not an integer')
      out.byte(value < 0 ? TAG.negative : TAG.integer)
      return out.varint(Math.abs(value))
    case 'bigint':
      return writeBigint(out, value)
    case 'string':
      return writeText(out, value)
    case 'object':
      break
    default:
      throw broken(`a ${typeof value} is no data`)
  }
  if (value === null) return out.byte(TAG.null)
  if (value instanceof Uint8Array) {
    out.byte(TAG.bytes)
    out.varint(value.length)
    return out.bytes(value)
  }
  if (Array.isArray(value)) {
    out.byte(TAG.array)
    out.varint(value.length)
    for (const item of value as readonly Plain[]) write(out, item, depth + 1)
    return
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw broken('an object of a class is no plain data')
  const record = value as { readonly [field: string]: Plain }
  const names = Object.keys(record)
  out.byte(TAG.record)
  out.varint(names.length)
  for (const name of names) {
    const index = FIELD_INDEX.get(name) ?? 0
    out.byte(index)
    if (index === 0) out.text(name)
    write(out, record[name], depth + 1)
  }
}

function writeBigint(out: Writer, value: bigint): void {
  out.byte(value < 0n ? TAG.negativeBigint : TAG.bigint)
  if (value >= 0n && value <= MAX_SAFE) return out.whole(Number(value))
  const digits = (value < 0n ? -value : value).toString(16)
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
  out.varint(bytes.length)
  out.bytes(bytes)
}

function writeText(out: Writer, value: string): void {
  if (value === ZERO_HASH_DIGITS) return out.byte(TAG.zeros)
  if (out.hex(value)) return
  out.byte(TAG.text)
  out.text(value)
}

function read(reader: Reader, depth: number): Plain {
  if (depth > MAX_DEPTH) throw broken('it is nested too deeply')
  const tag = reader.byte()
  switch (tag) {
    case TAG.null:
      return null
    case TAG.undefined:
      return undefined
    case TAG.false:
      return false
    case TAG.true:
      return true
    case TAG.integer:
      return reader.varint()
    case TAG.negative:
      return -reader.varint()
    case TAG.bigint:
    case TAG.negativeBigint: {
      const bytes = reader.bytes(reader.varint())
      if (bytes.length === 0) throw broken('it has a number without digits')
      const size = BigInt(hexOf(bytes))
      return tag === TAG.bigint ? size : -size
    }
    case TAG.text:
      return reader.text()
    case TAG.hex:
      return hexOf(reader.bytes(reader.varint()))
    case TAG.zeros:
      return ZERO_HASH_DIGITS
    case TAG.bytes:
      return new Uint8Array(reader.bytes(reader.varint())) // a copy, also of a Buffer
    case TAG.array:
      return Array.from({ length: reader.count() }, () => read(reader, depth + 1))
    case TAG.record: {
      const record: Record<string, Plain> = {}
      for (let left = reader.count(); left > 0; left--) {
        const index = reader.byte()
        const name = index === 0 ? reader.text() : FIELDS[index - 1]
        if (name === undefined) throw broken('it has a field without a name')
        record[name] = read(reader, depth + 1)
      }
      return record
    }
    default:
      throw broken(`it has a value of unknown kind ${tag}`)
  }
}

/** One is enough: a snapshot is written in one go. */
class Writer {
  #bytes: Buffer = Buffer.allocUnsafeSlow(16 * 1024)
  #at = 0

  reset(): this {
    this.#at = 0
    return this
  }

  byte(value: number): void {
    this.#room(1)
    this.#bytes[this.#at++] = value
  }

  varint(value: number): void {
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.byte(0x80 | (rest % 0x80))
    this.byte(rest)
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** The fewest bytes, at least one: how many, and they. */
  whole(value: number): void {
    let count = 1
    for (let rest = value; rest >= 0x100; rest = Math.floor(rest / 0x100)) count++
    this.byte(count)
    this.#room(count)
    for (let at = this.#at + count - 1, rest = value; at >= this.#at; at--, rest = Math.floor(rest / 0x100)) this.#bytes[at] = rest % 0x100
    this.#at += count
  }

  /** Tag, how many bytes, and they, where it is 0x and an even number of digits; otherwise nothing, and false. */
  hex(value: string): boolean {
    if (value.length % 2 !== 0 || !value.startsWith('0x')) return false
    const length = value.length / 2 - 1
    const start = this.#at
    this.byte(TAG.hex)
    this.varint(length)
    this.#room(length)
    if (!writeHex(value, this.#bytes, this.#at, length)) {
      this.#at = start
      return false
    }
    this.#at += length
    return true
  }

  text(value: string): void {
    const length = Buffer.byteLength(value)
    this.varint(length)
    this.#room(length)
    this.#at += this.#bytes.write(value, this.#at, length, 'utf8')
  }

  done(): Uint8Array {
    // Out of node's pool where it is short: an own piece of memory for each row costs more than filling it.
    const { buffer, byteOffset, length } = Buffer.from(this.#bytes.subarray(0, this.#at))
    return new Uint8Array(buffer, byteOffset, length)
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#at + more))
    larger.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = larger
  }
}

const scratch = new Writer()

class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  byte(): number {
    const value = this.#bytes[this.#at++]
    if (value === undefined) throw broken('it ends too early')
    return value
  }

  varint(): number {
    let value = 0
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (!Number.isSafeInteger(value)) throw broken('it has too large a number')
      if (byte < 0x80) return value
    }
  }

  /** Of items that take at least one byte each. */
  count(): number {
    const value = this.varint()
    if (value > this.#bytes.length - this.#at) throw broken('it ends too early')
    return value
  }

  bytes(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw broken('it ends too early')
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  text(): string {
    return fromUtf8(this.bytes(this.varint()), 'snapshot')
  }
}

function broken(why: string): MeshBoxError {
  return new MeshBoxError('internal', `a stored state cannot be read or written: ${why}`, { code: 'snapshot' })
}
