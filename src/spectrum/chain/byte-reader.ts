/** Reads the box's own compact bytes with a bound at every step. A number is little-endian groups of 7 bits, in the shortest form. */
import { inputError } from '../../base/index.ts'

const GROUP = 0x80
/** Of 7 bits: as many as a JavaScript number holds exactly, and as 256 bits take. */
const SAFE_GROUPS = 7
const MAX_GROUPS = 37

/** Errors: input `number` below zero. */
export function varint(value: number | bigint): Uint8Array {
  if (value < 0) throw inputError('number', value, '0 or more')
  let rest = BigInt(value)
  const bytes: number[] = []
  while (rest >= BigInt(GROUP)) {
    bytes.push(Number(rest & 0x7fn) | GROUP)
    rest >>= 7n
  }
  return Uint8Array.of(...bytes, Number(rest))
}

export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #field: string
  #at = 0

  constructor(bytes: Uint8Array, field: string) {
    this.#bytes = bytes
    this.#field = field
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  /** A window on the bytes. Errors: input `field` where there are fewer. */
  take(length: number): Uint8Array {
    const left = this.#bytes.length - this.#at
    if (length > left) throw inputError(this.#field, `${left} bytes at ${this.#at}`, `${length} bytes`)
    this.#at += length
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + this.#at - length, length)
  }

  /** Errors: input `field` for more than `most`, or for a number that has a shorter form. */
  varint(most: bigint): bigint {
    const from = this.#at
    let last = this.#next()
    // Whether a number of 256 bits or an endless chain of groups: 37 of them are enough to tell.
    while (last >= GROUP && this.#at - from <= MAX_GROUPS) last = this.#next()
    if (last >= GROUP || (last === 0 && this.#at - from > 1)) throw inputError(this.#field, `a number at ${from}`, 'its shortest form')
    const value = this.#at - from <= SAFE_GROUPS ? BigInt(this.#sum(from)) : this.#bigSum(from)
    if (value > most) throw inputError(this.#field, value, `at most ${most}`)
    return value
  }

  #next(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw inputError(this.#field, `nothing at ${this.#at}`, 'a number')
    this.#at++
    return byte
  }

  #sum(from: number): number {
    let value = 0
    for (let at = this.#at - 1; at >= from; at--) value = value * GROUP + ((this.#bytes[at] ?? 0) & (GROUP - 1))
    return value
  }

  #bigSum(from: number): bigint {
    let value = 0n
    for (let at = this.#at - 1; at >= from; at--) value = (value << 7n) | BigInt((this.#bytes[at] ?? 0) & (GROUP - 1))
    return value
  }
}
