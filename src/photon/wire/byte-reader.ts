/**
 * Big-endian fields of a peer's bytes. Never throws: the first thing that is wrong is noted as `refusal`, and from
 * then on every field reads as zero or empty, so that no length of a bad packet is ever believed.
 */
import { ZERO_ADDRESS, ZERO_HASH, fromUtf8, hexOf } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'

const EMPTY = new Uint8Array(0)
const MAX_HEIGHT = BigInt(Number.MAX_SAFE_INTEGER)

export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #end: number
  #at: number
  #refusal: string | null = null

  /** Reads `bytes` from `start` up to `end`. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = start
    this.#end = end
  }

  get refusal(): string | null {
    return this.#refusal
  }

  /** Notes why the packet is not taken; the first reason stays. */
  refuse(reason: string): void {
    this.#refusal ??= reason
    this.#at = this.#end
  }

  /** Notes it when bytes are left over. */
  finish(): void {
    if (this.#refusal === null && this.#at !== this.#end) this.refuse(`${this.#end - this.#at} bytes too many`)
  }

  u8(): number {
    const at = this.#take(1)
    return at < 0 ? 0 : this.#view.getUint8(at)
  }

  u16(): number {
    const at = this.#take(2)
    return at < 0 ? 0 : this.#view.getUint16(at)
  }

  u16LittleEndian(): number {
    const at = this.#take(2)
    return at < 0 ? 0 : this.#view.getUint16(at, true)
  }

  u32(): number {
    const at = this.#take(4)
    return at < 0 ? 0 : this.#view.getUint32(at)
  }

  i32(): number {
    const at = this.#take(4)
    return at < 0 ? 0 : this.#view.getInt32(at)
  }

  u64(): bigint {
    const at = this.#take(8)
    return at < 0 ? 0n : this.#view.getBigUint64(at)
  }

  u128(): bigint {
    const at = this.#take(16)
    return at < 0 ? 0n : this.#u128At(at)
  }

  u256(): bigint {
    const at = this.#take(32)
    if (at < 0) return 0n
    const high = this.#u128At(at)
    const low = this.#u128At(at + 16)
    return high === 0n ? low : (high << 128n) | low
  }

  /** A block number or a time in 8 bytes, as a number. */
  height(field: string): number {
    return this.#asHeight(this.u64(), field)
  }

  /** The same in 32 bytes. */
  wideHeight(field: string): number {
    return this.#asHeight(this.u256(), field)
  }

  hash(): Hash {
    const at = this.#take(32)
    return at < 0 ? ZERO_HASH : hexOf(this.#bytes.subarray(at, at + 32))
  }

  address(): Address {
    const at = this.#take(20)
    return at < 0 ? ZERO_ADDRESS : hexOf(this.#bytes.subarray(at, at + 20))
  }

  /** A copy of the next `length` bytes; refused above `maximum` and beyond the end, before anything is allocated. */
  bytes(length: number, maximum: number, field: string): Uint8Array {
    if (this.#refusal !== null || length === 0) return EMPTY
    if (length < 0 || length > maximum) {
      this.refuse(`${field}: ${length} bytes, at most ${maximum}`)
      return EMPTY
    }
    const at = this.#take(length)
    // Not slice(): of a Buffer that is no copy.
    return at < 0 ? EMPTY : new Uint8Array(this.#bytes.subarray(at, at + length))
  }

  text(length: number, maximum: number, field: string): string {
    const bytes = this.bytes(length, maximum, field)
    try {
      return fromUtf8(bytes, field)
    } catch {
      this.refuse(`${field}: not UTF-8`) // fromUtf8 fails in no other way
      return ''
    }
  }

  /** Start of the next `count` bytes, or -1 when they are not there. */
  #take(count: number): number {
    if (this.#at + count > this.#end) {
      this.refuse('too short')
      return -1
    }
    const at = this.#at
    this.#at += count
    return at
  }

  #u128At(at: number): bigint {
    const high = this.#view.getBigUint64(at)
    const low = this.#view.getBigUint64(at + 8)
    return high === 0n ? low : (high << 64n) | low
  }

  #asHeight(value: bigint, field: string): number {
    if (value > MAX_HEIGHT) {
      this.refuse(`${field}: above 2^53 - 1`)
      return 0
    }
    return Number(value)
  }
}
