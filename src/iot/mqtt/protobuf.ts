/**
 * Protocol Buffers by tables: a message is a row per field, and plain objects go in and out, as bytes or as proto3's JSON. Only what the messages of
 * this room need: https://protobuf.dev/programming-guides/encoding/ and /json/.
 *
 *   tag = number << 3 | wire;  wire 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes
 *
 * Fields that have their default value are left out, unless the schema says `proto2`. What is read is bounded by its own length; fields that are
 * not in the table are passed over.
 */
import { fromUtf8, inputError } from '../../base/index.ts'

export type Scalar = 'u32' | 'i32' | 'u64' | 'bool' | 'float' | 'double' | 'string' | 'bytes'
export interface Field {
  readonly no: number
  readonly name: string
  /** `duration`: nanoseconds (bigint). `timestamp`: milliseconds since 1970. */
  readonly type: Scalar | 'duration' | 'timestamp' | { readonly message: Schema } | { readonly names: readonly string[] }
  readonly isRepeated?: true
}
export interface Schema {
  readonly name: string
  readonly fields: readonly Field[]
  /** Values are written also when they are the default. */
  readonly proto2?: true
}

export type Message = Readonly<Record<string, unknown>>

const MAX_DEPTH = 8
const MAX_REPEATED = 512

// ---- out

/** `message`: by field name; undefined and null are left out. */
export function encodeMessage(schema: Schema, message: Message): Uint8Array {
  const out = WRITER.begin()
  writeFields(out, schema, message)
  return out.done()
}

function writeFields(out: Writer, schema: Schema, message: Message): void {
  for (const field of schema.fields) {
    const value = message[field.name]
    if (value === undefined || value === null) continue
    if (field.isRepeated === true) for (const one of value as readonly unknown[]) writeField(out, field, one, true)
    else writeField(out, field, value, schema.proto2 === true)
  }
}

function writeField(out: Writer, { no, type }: Field, value: unknown, isAlways: boolean): void {
  if (typeof type === 'object') {
    if ('message' in type) {
      const from = out.open(no)
      writeFields(out, type.message, value as Message)
      return out.close(from)
    }
    return writeUnsigned(out, no, Math.max(0, type.names.indexOf(value as string)), isAlways)
  }
  switch (type) {
    case 'u32':
      return writeUnsigned(out, no, (value as number) >>> 0, isAlways)
    case 'i32':
      if ((value as number) < 0) return out.negative(no, value as number)
      return writeUnsigned(out, no, value as number, isAlways)
    case 'u64':
      return writeVarint(out, no, BigInt.asUintN(64, value as bigint), isAlways)
    case 'bool':
      return writeUnsigned(out, no, value === true ? 1 : 0, isAlways)
    case 'float':
      return isAlways || value !== 0 ? out.float(no, value as number) : undefined
    case 'double':
      return isAlways || value !== 0 ? out.double(no, value as number) : undefined
    case 'string':
      return isAlways || value !== '' ? out.text(no, value as string) : undefined
    case 'bytes':
      return isAlways || (value as Uint8Array).length > 0 ? out.bytes(no, value as Uint8Array) : undefined
    case 'duration':
      return writeSeconds(out, no, value as bigint)
    case 'timestamp':
      return writeSeconds(out, no, BigInt(Math.round((value as number) * 1_000)) * 1_000n)
  }
}

function writeUnsigned(out: Writer, no: number, value: number, isAlways: boolean): void {
  if (isAlways || value !== 0) out.unsigned(no, value)
}

function writeVarint(out: Writer, no: number, value: bigint, isAlways: boolean): void {
  if (isAlways || value !== 0n) out.varint(no, value)
}

function writeSeconds(out: Writer, no: number, nanoseconds: bigint): void {
  const from = out.open(no)
  writeVarint(out, 1, BigInt.asUintN(64, nanoseconds / NANO), false)
  writeVarint(out, 2, BigInt.asUintN(64, nanoseconds % NANO), false)
  out.close(from)
}

const NANO = 1_000_000_000n

/** Grows by doubling; a nested message is written behind its place and moved by the length of its length. */
class Writer {
  #bytes = Buffer.alloc(512)
  #view = viewOf(this.#bytes)
  #at = 0

  begin(): this {
    this.#at = 0
    return this
  }

  /** Below 2^53. */
  unsigned(no: number, value: number): void {
    this.#tag(no, 0)
    this.#number(value)
  }

  /** A 32-bit number below 0, which is written as 64 bits: always ten bytes. */
  negative(no: number, value: number): void {
    this.#tag(no, 0)
    this.#room(10)
    let rest = value
    for (let index = 0; index < 9; index++, rest >>= 7) this.#bytes[this.#at++] = (rest & 0x7f) | 0x80
    this.#bytes[this.#at++] = 1
  }

  varint(no: number, value: bigint): void {
    this.#tag(no, 0)
    if (value <= 0x1f_ffff_ffff_ffffn) this.#number(Number(value))
    else {
      let rest = value
      for (; rest > 0x7fn; rest >>= 7n) this.#put(Number(rest & 0x7fn) | 0x80)
      this.#put(Number(rest))
    }
  }

  float(no: number, value: number): void {
    this.#tag(no, 5)
    this.#room(4)
    this.#view.setFloat32(this.#at, value, true)
    this.#at += 4
  }

  double(no: number, value: number): void {
    this.#tag(no, 1)
    this.#room(8)
    this.#view.setFloat64(this.#at, value, true)
    this.#at += 8
  }

  bytes(no: number, value: Uint8Array): void {
    this.#tag(no, 2)
    this.#number(value.length)
    this.#room(value.length)
    this.#bytes.set(value, this.#at)
    this.#at += value.length
  }

  text(no: number, value: string): void {
    const length = Buffer.byteLength(value)
    this.#tag(no, 2)
    this.#number(length)
    this.#room(length)
    this.#at += this.#bytes.write(value, this.#at, length)
  }

  /** A nested message begins; what it gives is for `close`. */
  open(no: number): number {
    this.#tag(no, 2)
    return this.#at
  }

  close(from: number): void {
    const length = this.#at - from
    const lengthBytes = length < 0x80 ? 1 : length < 0x4000 ? 2 : 3
    this.#room(lengthBytes)
    this.#bytes.copyWithin(from + lengthBytes, from, this.#at)
    this.#at = from
    this.#number(length)
    this.#at += length
  }

  /** In Node's pool: memory of its own would cost as much as the message. */
  done(): Uint8Array {
    const message = Buffer.allocUnsafe(this.#at)
    this.#bytes.copy(message, 0, 0, this.#at)
    return message
  }

  #tag(no: number, wire: number): void {
    this.#number(no * 8 + wire)
  }

  #number(value: number): void {
    let rest = value
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.#put((rest % 128) | 0x80)
    this.#put(rest)
  }

  #put(byte: number): void {
    this.#room(1)
    this.#bytes[this.#at++] = byte
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const grown = Buffer.alloc(Math.max(this.#bytes.length * 2, this.#at + bytes))
    grown.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = grown
    this.#view = viewOf(grown)
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** One for all messages: none is begun before the one before is done, and what is done is a copy. */
const WRITER = new Writer()

// ---- in

/** By field name; what was not there is undefined, repeated fields are always there. Errors: input `protobuf`. */
export function decodeMessage(schema: Schema, bytes: Uint8Array): Message {
  return readFields(schema, new Reader(bytes), 0)
}

function readFields(schema: Schema, reader: Reader, depth: number): Message {
  if (depth > MAX_DEPTH) throw inputError('protobuf', depth, `at most ${MAX_DEPTH} messages in each other`)
  const message: Record<string, unknown> = {}
  for (const { name, isRepeated } of schema.fields) if (isRepeated === true) message[name] = []
  while (!reader.isAtEnd) {
    const { no, wire } = reader.tag()
    const field = schema.fields.find((one) => one.no === no)
    if (field === undefined || wire !== wireOf(field.type)) {
      reader.skip(wire)
      continue
    }
    const { name, type, isRepeated } = field
    const value = readValue(type, reader, depth)
    if (isRepeated !== true) message[name] = value
    else if ((message[name] as unknown[]).push(value) > MAX_REPEATED) throw inputError('protobuf', `${name} more than ${MAX_REPEATED} times`, `at most ${MAX_REPEATED}`)
  }
  return message
}

function readValue(type: Field['type'], reader: Reader, depth: number): unknown {
  if (typeof type === 'object') {
    if ('message' in type) return readFields(type.message, reader.nested(), depth + 1)
    const number = Number(BigInt.asUintN(32, reader.varint()))
    return type.names[number] ?? String(number)
  }
  switch (type) {
    case 'u32':
      return Number(BigInt.asUintN(32, reader.varint()))
    case 'i32':
      return Number(BigInt.asIntN(32, reader.varint()))
    case 'u64':
      return reader.varint()
    case 'bool':
      return reader.varint() !== 0n
    case 'float':
      return reader.float()
    case 'double':
      return reader.double()
    case 'string':
      return fromUtf8(reader.bytes(), 'protobuf')
    case 'bytes':
      return reader.bytes().slice()
    case 'duration':
      return secondsOf(reader.nested())
    case 'timestamp':
      return Number(secondsOf(reader.nested()) / 1_000n) / 1_000
  }
}

function secondsOf(reader: Reader): bigint {
  const { seconds, nanos } = readFields({ name: 'seconds', fields: [{ no: 1, name: 'seconds', type: 'u64' }, { no: 2, name: 'nanos', type: 'i32' }] }, reader, MAX_DEPTH)
  return BigInt.asIntN(64, (seconds as bigint | undefined) ?? 0n) * NANO + BigInt((nanos as number | undefined) ?? 0)
}

function wireOf(type: Field['type']): number {
  if (typeof type === 'object') return 'names' in type ? 0 : 2
  if (type === 'float') return 5
  if (type === 'double') return 1
  return type === 'string' || type === 'bytes' || type === 'duration' || type === 'timestamp' ? 2 : 0
}

class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  tag(): { readonly no: number; readonly wire: number } {
    const tag = this.varint()
    const no = Number(tag >> 3n)
    if (no < 1 || no > 0x1fff_ffff) throw inputError('protobuf', no, 'a field number from 1 to 536870911')
    return { no, wire: Number(tag & 7n) }
  }

  varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#take(1)[0] ?? 0
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw inputError('protobuf', 'a number of more than 10 bytes', 'at most 10 bytes')
  }

  float(): number {
    const at = this.#take(4)
    return new DataView(at.buffer, at.byteOffset, 4).getFloat32(0, true)
  }

  double(): number {
    const at = this.#take(8)
    return new DataView(at.buffer, at.byteOffset, 8).getFloat64(0, true)
  }

  bytes(): Uint8Array {
    return this.#take(Number(this.varint()))
  }

  nested(): Reader {
    return new Reader(this.bytes())
  }

  skip(wire: number): void {
    if (wire === 0) this.varint()
    else if (wire === 1) this.#take(8)
    else if (wire === 2) this.bytes()
    else if (wire === 5) this.#take(4)
    else throw inputError('protobuf', `wire type ${wire}`, '0, 1, 2, 5')
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw inputError('protobuf', `${this.#bytes.length - this.#at} bytes left`, `${length} bytes`)
    return this.#bytes.subarray(this.#at, (this.#at += length))
  }
}
