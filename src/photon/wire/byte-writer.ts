/**
 * Big-endian fields one after the other into one buffer that is used again and again. What does not fit its field
 * is our own mistake: an input error that names it.
 */
import { inputError } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import { MAX_DATA_BYTES } from './bounds.ts'
import { writeHex } from '../hex-digits.ts'

const U64 = 1n << 64n
const U128 = 1n << 128n
const U256 = 1n << 256n

/**
 * Bytes that hold anything, out of node's pool where they are few: an own piece of memory for each array costs more than what is
 * written into it.
 */
export function pooledBytes(length: number): Uint8Array {
  const { buffer, byteOffset } = Buffer.allocUnsafe(length)
  return new Uint8Array(buffer, byteOffset, length)
}

export class ByteWriter {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #length = 0

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  get length(): number {
    return this.#length
  }

  /** Forgets what was written. */
  reset(): this {
    this.#length = 0
    return this
  }

  /** What was written: a view that the next `reset` invalidates. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** A copy, with `room` bytes of zeros behind it. */
  copy(room = 0): Uint8Array {
    const copy = pooledBytes(this.#length + room)
    copy.set(this.written())
    return copy.fill(0, this.#length)
  }

  u8(value: number, field: string): this {
    this.#view.setUint8(this.#take(1), whole(value, 0, 0xff, field))
    return this
  }

  u16(value: number, field: string): this {
    this.#view.setUint16(this.#take(2), whole(value, 0, 0xffff, field))
    return this
  }

  u32(value: number, field: string): this {
    this.#view.setUint32(this.#take(4), whole(value, 0, 0xffff_ffff, field))
    return this
  }

  i32(value: number, field: string): this {
    this.#view.setInt32(this.#take(4), whole(value, -0x8000_0000, 0x7fff_ffff, field))
    return this
  }

  u64(value: bigint, field: string): this {
    if (value < 0n || value >= U64) throw inputError(field, value, '0 to 2^64 - 1')
    this.#view.setBigUint64(this.#take(8), value)
    return this
  }

  /** A block number or a time in seconds, 8 bytes. */
  height(value: number, field: string): this {
    return this.u64(BigInt(whole(value, 0, Number.MAX_SAFE_INTEGER, field)), field)
  }

  u128(value: bigint, field: string): this {
    if (value < 0n || value >= U128) throw inputError(field, value, '0 to 2^128 - 1')
    const at = this.#take(16)
    this.#view.setBigUint64(at, value >> 64n)
    this.#view.setBigUint64(at + 8, BigInt.asUintN(64, value))
    return this
  }

  u256(value: bigint, field: string): this {
    if (value < 0n || value >= U256) throw inputError(field, value, '0 to 2^256 - 1')
    const at = this.#take(32)
    const high = value < U128 ? 0n : value >> 128n
    this.#view.setBigUint64(at, high >> 64n)
    this.#view.setBigUint64(at + 8, BigInt.asUintN(64, high))
    this.#view.setBigUint64(at + 16, BigInt.asUintN(64, value >> 64n))
    this.#view.setBigUint64(at + 24, BigInt.asUintN(64, value))
    return this
  }

  hash(value: Hash, field: string): this {
    if (!writeHex(value, this.#bytes, this.#take(32), 32)) throw inputError(field, value, '0x and 64 lower-case hex digits')
    return this
  }

  address(value: Address, field: string): this {
    if (!writeHex(value, this.#bytes, this.#take(20), 20)) throw inputError(field, value, '0x and 40 lower-case hex digits')
    return this
  }

  /** As Solidity's abi.encode pads it: 12 zeros before it. */
  addressWord(value: Address, field: string): this {
    return this.zeros(12).address(value, field)
  }

  zeros(count: number): this {
    const at = this.#take(count)
    this.#bytes.fill(0, at, at + count)
    return this
  }

  bytes(value: Uint8Array): this {
    this.#bytes.set(value, this.#take(value.length))
    return this
  }

  #take(count: number): number {
    const at = this.#length
    if (at + count > this.#bytes.length) throw inputError('packet', `more than ${this.#bytes.length} bytes`, `at most ${this.#bytes.length} bytes`)
    this.#length = at + count
    return at
  }
}

/** Data that goes with a payment. Errors: input `data`. */
export function checkData(data: Uint8Array): Uint8Array {
  if (data.length > MAX_DATA_BYTES) throw inputError('data', `${data.length} bytes`, `at most ${MAX_DATA_BYTES} bytes`)
  return data
}

function whole(value: number, minimum: number, maximum: number, field: string): number {
  if (!Number.isInteger(value) || value < minimum || value > maximum) throw inputError(field, value, `a whole number, ${minimum} to ${maximum}`)
  return value
}
