/**
 * A frame that was heard, as bytes for the disk. Big-endian:
 *
 *   version 1 = 1 | phy: length 1, bytes | frequency Hz 4 | modulation | number of copies 1 | copies
 *   modulation   0: SF 1, bandwidth Hz 4, coding rate 1     1 (FSK): bits per second 4, deviation Hz 4     2 (LR-FHSS): width Hz 4, coding rate 1, grid steps 4
 *   copy         gateway 8 | time | arrived ms 8 | flags 1 | those of UTC ms, GPS ms, fine ns, RSSI, SNR that the flags name, 8 each | channel, radio, board, antenna 4 each
 *   time         0: tmst 4     1 (Station): xtime 8, rctx 8     2 (foreign): length 1, bytes
 *
 * Fractions are IEEE doubles, so that nothing is rounded. `isLate` is not stored: who reads a record says what it is.
 */
import { fromHex, inputError, toHex } from '../../base/index.ts'
import type { CodingRate, Copy, Heard, Modulation, RadioTime } from '../ports.ts'

const VERSION = 1
/** One more would not fit the ring's bound of a record. */
const MAX_RECORD_BYTES = 16 * 1024
const MAX_COPIES = 32
const MAX_CONTEXT_BYTES = 255
const CODING_RATES: readonly CodingRate[] = ['4/5', '4/6', '4/7', '4/8', '4/5LI', '4/6LI', '4/8LI', '1/3', '2/3', 'OFF']
const OPTIONAL = ['utcMs', 'gpsTimeMs', 'fineTimeNs', 'rssiDbm', 'snrDb'] as const
const PLACES = ['channel', 'radio', 'board', 'antenna'] as const

/** The best `maxCopies` copies are kept. A foreign context beyond 255 bytes is cut to nothing: its forwarder cannot be answered then. */
export function encodeHeard(heard: Heard, maxCopies = MAX_COPIES): Uint8Array {
  const out = new Writer()
  out.u8(VERSION).u8(heard.phy.length).bytes(heard.phy).u32(heard.frequencyHz)
  writeModulation(out, heard.modulation)
  const copies = heard.copies.slice(0, Math.min(maxCopies, MAX_COPIES))
  out.u8(copies.length)
  for (const copy of copies) writeCopy(out, copy)
  return out.done()
}

/** Errors: input `record`; nothing else, whatever the bytes. `id` is the caller's to work out: it is not believed from disk. */
export function decodeHeard(record: Uint8Array, idOf: (phy: Uint8Array) => string): Heard {
  if (record.length > MAX_RECORD_BYTES) throw inputError('record', `${record.length} bytes`, `at most ${MAX_RECORD_BYTES} bytes`)
  const from = new Reader(record)
  if (from.u8() !== VERSION) throw inputError('record', `version ${record[0] ?? 'none'}`, `version ${VERSION}`)
  const phy = from.bytes(from.u8())
  if (phy.length === 0) throw inputError('record', 'an empty frame', '1 to 255 bytes')
  const frequencyHz = from.u32()
  const modulation = readModulation(from)
  const count = from.u8()
  if (count > MAX_COPIES) throw inputError('record', `${count} copies`, `at most ${MAX_COPIES}`)
  const copies = Array.from({ length: count }, () => readCopy(from))
  from.end()
  return { id: idOf(phy), phy, frequencyHz, modulation, copies, isLate: false }
}

function writeModulation(out: Writer, modulation: Modulation): void {
  switch (modulation.kind) {
    case 'lora':
      out.u8(0).u8(modulation.spreadingFactor).u32(modulation.bandwidthHz).u8(CODING_RATES.indexOf(modulation.codingRate))
      return
    case 'fsk':
      out.u8(1).u32(modulation.bitsPerSecond).u32(modulation.deviationHz)
      return
    case 'lr-fhss':
      out.u8(2).u32(modulation.widthHz).u8(CODING_RATES.indexOf(modulation.codingRate)).u32(modulation.gridSteps)
  }
}

function readModulation(from: Reader): Modulation {
  const kind = from.u8()
  switch (kind) {
    case 0:
      return { kind: 'lora', spreadingFactor: from.u8(), bandwidthHz: from.u32(), codingRate: readCodingRate(from) }
    case 1:
      return { kind: 'fsk', bitsPerSecond: from.u32(), deviationHz: from.u32() }
    case 2:
      return { kind: 'lr-fhss', widthHz: from.u32(), codingRate: readCodingRate(from), gridSteps: from.u32() }
    default:
      throw inputError('record', `modulation ${kind}`, '0 to 2')
  }
}

function readCodingRate(from: Reader): CodingRate {
  const index = from.u8()
  const rate = CODING_RATES[index]
  if (rate === undefined) throw inputError('record', `coding rate ${index}`, `0 to ${CODING_RATES.length - 1}`)
  return rate
}

function writeCopy(out: Writer, copy: Copy): void {
  out.bytes(fromHex(copy.gateway, 'gateway'))
  const { time } = copy
  if (time.kind === 'counter') out.u8(0).u32(time.tmstUs)
  else if (time.kind === 'station') out.u8(1).u64(time.xtime).u64(time.rctx)
  else {
    const context = time.context.length > MAX_CONTEXT_BYTES ? new Uint8Array(0) : time.context
    out.u8(2).u8(context.length).bytes(context)
  }
  out.f64(copy.arrivedMs)
  out.u8(OPTIONAL.reduce((flags, field, bit) => (copy[field] === null ? flags : flags | (1 << bit)), 0))
  for (const field of OPTIONAL) if (copy[field] !== null) out.f64(copy[field])
  for (const field of PLACES) out.u32(copy[field])
}

function readCopy(from: Reader): Copy {
  const gateway = toHex(from.bytes(8))
  const time = readTime(from)
  const arrivedMs = from.f64()
  const flags = from.u8()
  const optional = (bit: number): number | null => ((flags & (1 << bit)) === 0 ? null : from.f64())
  const [utcMs, gpsTimeMs, fineTimeNs, rssiDbm, snrDb] = [optional(0), optional(1), optional(2), optional(3), optional(4)]
  return { gateway, time, arrivedMs, utcMs, gpsTimeMs, fineTimeNs, rssiDbm, snrDb, channel: from.u32(), radio: from.u32(), board: from.u32(), antenna: from.u32() }
}

function readTime(from: Reader): RadioTime {
  const kind = from.u8()
  switch (kind) {
    case 0:
      return { kind: 'counter', tmstUs: from.u32() }
    case 1:
      return { kind: 'station', xtime: from.u64(), rctx: from.u64() }
    case 2:
      return { kind: 'foreign', context: from.bytes(from.u8()) }
    default:
      throw inputError('record', `time ${kind}`, '0 to 2')
  }
}

/** One record at a time is written, and copied out of it. */
const SCRATCH = new Uint8Array(MAX_RECORD_BYTES)

class Writer {
  readonly #bytes = SCRATCH
  readonly #view = new DataView(SCRATCH.buffer)
  #at = 0

  u8(value: number): this {
    this.#view.setUint8(this.#at, value)
    this.#at += 1
    return this
  }

  u32(value: number): this {
    this.#view.setUint32(this.#at, value)
    this.#at += 4
    return this
  }

  /** Signed or not: the low 64 bits. */
  u64(value: bigint): this {
    this.#view.setBigInt64(this.#at, BigInt.asIntN(64, value))
    this.#at += 8
    return this
  }

  f64(value: number): this {
    this.#view.setFloat64(this.#at, value)
    this.#at += 8
    return this
  }

  bytes(bytes: Uint8Array): this {
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
    return this
  }

  done(): Uint8Array {
    return this.#bytes.slice(0, this.#at)
  }
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4))
  }

  u64(): bigint {
    return this.#view.getBigInt64(this.#take(8))
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8))
  }

  bytes(length: number): Uint8Array {
    const at = this.#take(length)
    return new Uint8Array(this.#bytes.subarray(at, at + length))
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw inputError('record', `${this.#bytes.length - this.#at} bytes more`, 'nothing behind the last copy')
  }

  #take(length: number): number {
    const at = this.#at
    if (at + length > this.#bytes.length) throw inputError('record', `${this.#bytes.length} bytes`, 'a whole record')
    this.#at += length
    return at
  }
}
