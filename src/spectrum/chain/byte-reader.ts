/** Reads the box's own compact bytes with a bound at every step. A number is little-endian groups of 7 bits, in the shortest form. */
import { inputError } from '../../base/index.ts'

const GROUP = 0x80

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
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const [byte = 0] = this.take(1)
      value |= BigInt(byte & 0x7f) << shift
      if (value > most) throw inputError(this.#field, value, `at most ${most}`)
      if (byte < GROUP) {
        if (byte === 0 && shift > 0n) throw inputError(this.#field, `a zero at ${this.#at}`, 'the shortest form of a number')
        return value
      }
      // A chain of empty groups adds nothing to the value and would never end it.
      if (shift > 256n) throw inputError(this.#field, `a number of ${shift} bits`, `at most ${most}`)
    }
  }
}
