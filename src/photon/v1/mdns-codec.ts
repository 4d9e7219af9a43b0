/**
 * The part of DNS messages (RFC 1035, RFC 6762) that finding Photon nodes needs: questions, and records PTR, SRV, TXT and
 * A. Others are skipped. All integers big-endian.
 *
 *   header 12: id ‖ flags ‖ questions ‖ answers ‖ authorities ‖ additionals, 2 each
 *   question: name ‖ type 2 ‖ class 2
 *   record: name ‖ type 2 ‖ class 2 ‖ ttl 4 ‖ length 2 ‖ data
 *   name: labels of 1 to 63 bytes, each after its length, ended by 0 or by a pointer 0b11 ‖ offset 14 to an earlier one
 *
 * A reader of strangers' bytes: never throws, follows pointers only backwards, and stops at the bounds below.
 */
import { inputError, utf8 } from '../../base/index.ts'

/** A name as its labels, in lower case. */
export type Name = readonly string[]

export type MdnsRecord = { readonly name: Name; readonly ttlSeconds: number } & (
  | { readonly kind: 'PTR'; readonly target: Name }
  | { readonly kind: 'SRV'; readonly port: number; readonly target: Name }
  | { readonly kind: 'TXT'; readonly texts: readonly string[] }
  /** Dotted IPv4. */
  | { readonly kind: 'A'; readonly address: string }
)

export interface MdnsQuestion {
  readonly name: Name
  readonly type: number
  /** The asker wants the answer for itself alone. */
  readonly wantsUnicast: boolean
}

export interface MdnsMessage {
  readonly id: number
  readonly isResponse: boolean
  readonly questions: readonly MdnsQuestion[]
  /** Of all three sections. */
  readonly records: readonly MdnsRecord[]
}

export const TYPE = { A: 1, PTR: 12, TXT: 16, SRV: 33, ANY: 255 } as const
export const MAX_MDNS_BYTES = 1_472
const HEADER_BYTES = 12
const MAX_QUESTIONS = 16
const MAX_RECORDS = 64
const MAX_NAME_BYTES = 255
const MAX_LABEL_BYTES = 63
const MAX_POINTERS = 16
const CLASS_IN = 1
/** Of a question: answer to me alone. Of a record: in place of all before. */
const TOP_BIT = 0x8000
const RESPONSE = 0x8400
const ASCII = /^[\x20-\x7e]*$/

/** What it is, or null for what makes no sense. */
export function decodeMdns(bytes: Uint8Array): MdnsMessage | null {
  if (bytes.length < HEADER_BYTES || bytes.length > MAX_MDNS_BYTES) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [flags, questionCount] = [view.getUint16(2), view.getUint16(4)]
  const recordCount = view.getUint16(6) + view.getUint16(8) + view.getUint16(10)
  // Operation other than a question, or an error: none of ours.
  if ((flags & 0x780f) !== 0 || questionCount > MAX_QUESTIONS || recordCount > MAX_RECORDS) return null
  const questions: MdnsQuestion[] = []
  const records: MdnsRecord[] = []
  let at = HEADER_BYTES
  for (let i = 0; i < questionCount; i++) {
    const read = readName(bytes, at)
    if (read === null || read.end + 4 > bytes.length) return null
    const classBits = view.getUint16(read.end + 2)
    questions.push({ name: read.name, type: view.getUint16(read.end), wantsUnicast: (classBits & TOP_BIT) !== 0 })
    at = read.end + 4
  }
  for (let i = 0; i < recordCount; i++) {
    const read = readName(bytes, at)
    if (read === null || read.end + 10 > bytes.length) return null
    const [type, ttlSeconds, length] = [view.getUint16(read.end), view.getUint32(read.end + 4), view.getUint16(read.end + 8)]
    const [start, end] = [read.end + 10, read.end + 10 + length]
    if (end > bytes.length) return null
    const record = readData(bytes, view, type, start, end)
    if (record === 'broken') return null
    if (record !== null) records.push({ name: read.name, ttlSeconds, ...record })
    at = end
  }
  return { id: view.getUint16(0), isResponse: (flags & TOP_BIT) !== 0, questions, records }
}

type Data = MdnsRecord extends infer R ? (R extends MdnsRecord ? Omit<R, 'name' | 'ttlSeconds'> : never) : never

/** Null: a type that is not looked at. */
function readData(bytes: Uint8Array, view: DataView, type: number, start: number, end: number): Data | 'broken' | null {
  switch (type) {
    case TYPE.A:
      return end - start === 4 ? { kind: 'A', address: bytes.subarray(start, end).join('.') } : 'broken'
    case TYPE.PTR: {
      const target = readName(bytes, start)
      return target === null || target.end !== end ? 'broken' : { kind: 'PTR', target: target.name }
    }
    case TYPE.SRV: {
      if (end - start < 7) return 'broken'
      const target = readName(bytes, start + 6)
      return target === null || target.end !== end ? 'broken' : { kind: 'SRV', port: view.getUint16(start + 4), target: target.name }
    }
    case TYPE.TXT: {
      const texts: string[] = []
      for (let at = start; at < end; ) {
        const next = at + 1 + (bytes[at] ?? 0)
        if (next > end) return 'broken'
        texts.push(textOf(bytes.subarray(at + 1, next)))
        at = next
      }
      return { kind: 'TXT', texts }
    }
    default:
      return null
  }
}

/** `end`: behind the name where it stands, not where it points. */
function readName(bytes: Uint8Array, from: number): { readonly name: Name; readonly end: number } | null {
  const name: string[] = []
  let [at, end, total, pointers] = [from, -1, 0, 0]
  for (;;) {
    const length = bytes[at]
    if (length === undefined) return null
    if (length === 0) return { name, end: end < 0 ? at + 1 : end }
    if (length >= 0xc0) {
      const low = bytes[at + 1]
      if (low === undefined || ++pointers > MAX_POINTERS) return null
      const target = ((length & 0x3f) << 8) | low
      if (target >= at) return null
      if (end < 0) end = at + 2
      at = target
      continue
    }
    total += length + 1
    if (length > MAX_LABEL_BYTES || total >= MAX_NAME_BYTES || at + 1 + length > bytes.length) return null
    name.push(textOf(bytes.subarray(at + 1, at + 1 + length)).toLowerCase())
    at += 1 + length
  }
}

/** Byte by byte: names that are no text stay unlike any that is. */
function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

/** Errors: input, for what does not fit a message: our own mistake. */
export function encodeMdns({ id, isResponse, questions, records }: MdnsMessage): Uint8Array {
  const out: number[] = [...u16(id), ...u16(isResponse ? RESPONSE : 0), ...u16(questions.length), ...u16(records.length), 0, 0, 0, 0]
  for (const { name, type, wantsUnicast } of questions) out.push(...nameBytes(name), ...u16(type), ...u16(CLASS_IN | (wantsUnicast ? TOP_BIT : 0)))
  for (const record of records) {
    const data = dataBytes(record)
    // The name of all nodes together is everybody's: only the others are ours alone.
    const isOurs = record.kind !== 'PTR'
    out.push(...nameBytes(record.name), ...u16(TYPE[record.kind]), ...u16(CLASS_IN | (isOurs ? TOP_BIT : 0)), ...u16(record.ttlSeconds >>> 16), ...u16(record.ttlSeconds & 0xffff), ...u16(data.length), ...data)
  }
  if (out.length > MAX_MDNS_BYTES) throw inputError('message', `${out.length} bytes`, `at most ${MAX_MDNS_BYTES} bytes`)
  return Uint8Array.from(out)
}

function dataBytes(record: MdnsRecord): readonly number[] {
  switch (record.kind) {
    case 'A':
      return record.address.split('.').map(Number)
    case 'PTR':
      return nameBytes(record.target)
    case 'SRV':
      return [0, 0, 0, 0, ...u16(record.port), ...nameBytes(record.target)]
    case 'TXT':
      return record.texts.flatMap((text) => labelBytes(text, 255))
  }
}

function nameBytes(name: Name): readonly number[] {
  const bytes = [...name.flatMap((label) => labelBytes(label, MAX_LABEL_BYTES)), 0]
  if (bytes.length > MAX_NAME_BYTES) throw inputError('name', name.join('.'), `at most ${MAX_NAME_BYTES} bytes`)
  return bytes
}

function labelBytes(text: string, most: number): readonly number[] {
  if (text.length === 0 || text.length > most || !ASCII.test(text)) throw inputError('label', text, `1 to ${most} ASCII characters`)
  return [text.length, ...utf8(text)]
}

function u16(value: number): readonly [number, number] {
  return [(value >>> 8) & 0xff, value & 0xff]
}
