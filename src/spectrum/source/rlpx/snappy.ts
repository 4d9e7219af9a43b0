/**
 * Snappy's block format (google/snappy, format_description.txt), for messages of devp2p version 5.
 *
 * | bytes | meaning |
 * |---|---|
 * | varint | length of the whole, before anything else |
 * | low bits 00 | literal: length - 1 in the upper six bits, or 60..63: in the next 1..4 bytes |
 * | low bits 01 | copy: length 4..11, offset of 11 bits |
 * | low bits 10, 11 | copy: length 1..64, offset of 16 or 32 bits, little-endian |
 *
 * The length is checked against a bound before anything is allocated, and work is done in steps, so that ten
 * megabytes do not hold the event loop.
 */
import { inputError } from '../../../base/index.ts'

const MAX_VARINT_BYTES = 5
const BLOCK_BYTES = 1 << 16
const HASH_BITS = 13
const HASH_FACTOR = 0x1e35a7bd
const MIN_MATCH = 4
const MAX_COPY = 64
/** Three bytes make a copy of 64 at most: a message may not claim more than they can make. */
const MOST_EXPANSION = 22

/** Length that the compressed bytes claim, and where they start. Errors: input `snappy`. */
export function readLength(bytes: Uint8Array): { readonly length: number; readonly at: number } {
  let length = 0
  for (let at = 0; at < MAX_VARINT_BYTES; at++) {
    const byte = bytes[at]
    if (byte === undefined) break
    length += (byte & 0x7f) * 2 ** (7 * at)
    if (byte < 0x80) {
      if (length > 0xffffffff || (at > 0 && byte === 0)) break
      return { length, at: at + 1 }
    }
  }
  throw inputError('snappy', 'a malformed length', 'a varint of up to 32 bits')
}

/** One message being unpacked. Errors: input `snappy`, from the constructor and from `step`. */
export class Unpacking {
  readonly #in: Uint8Array
  readonly #out: Uint8Array
  #at: number
  #made = 0

  constructor(bytes: Uint8Array, maxBytes: number) {
    const { length, at } = readLength(bytes)
    if (length > maxBytes) throw inputError('snappy', `${length} bytes`, `at most ${maxBytes} bytes`)
    if (length > (bytes.length - at) * MOST_EXPANSION) throw inputError('snappy', `${length} bytes of ${bytes.length}`, 'what these bytes can make')
    this.#in = bytes
    this.#at = at
    this.#out = new Uint8Array(length)
  }

  /** Makes at least `bytes` more, unless it ends. The whole, or null: not ended yet. */
  step(bytes: number): Uint8Array | null {
    const until = this.#made + bytes
    while (this.#at < this.#in.length) {
      if (this.#made >= until) return null
      this.#element()
    }
    if (this.#made !== this.#out.length) throw inputError('snappy', `${this.#made} bytes`, `the ${this.#out.length} it said`)
    return this.#out
  }

  #element(): void {
    const tag = this.#in[this.#at++] ?? 0
    if ((tag & 3) === 0) return this.#literal(tag >> 2)
    if ((tag & 3) === 1) return this.#copy(((tag >> 2) & 7) + 4, ((tag >> 5) << 8) | this.#little(1))
    return this.#copy((tag >> 2) + 1, this.#little((tag & 3) === 2 ? 2 : 4))
  }

  #literal(code: number): void {
    const length = code < 60 ? code + 1 : this.#little(code - 59) + 1
    if (length > this.#in.length - this.#at || length > this.#out.length - this.#made) throw inputError('snappy', `a literal of ${length}`, 'one that fits')
    this.#out.set(this.#in.subarray(this.#at, this.#at + length), this.#made)
    this.#at += length
    this.#made += length
  }

  #copy(length: number, offset: number): void {
    if (offset === 0 || offset > this.#made || length > this.#out.length - this.#made) throw inputError('snappy', `a copy of ${length} from ${offset}`, 'one that fits')
    // Byte by byte: the copy may reach into what it writes, which repeats a pattern.
    for (let i = 0; i < length; i++, this.#made++) this.#out[this.#made] = this.#out[this.#made - offset] ?? 0
  }

  #little(count: number): number {
    if (count > this.#in.length - this.#at) throw inputError('snappy', 'an early end', 'a whole element')
    let value = 0
    for (let i = 0; i < count; i++) value += (this.#in[this.#at++] ?? 0) * 2 ** (8 * i)
    return value
  }
}

/** All at once: for messages known to be small. */
export function unpack(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const whole = new Unpacking(bytes, maxBytes).step(Number.POSITIVE_INFINITY)
  if (whole === null) throw inputError('snappy', 'no end', 'an end')
  return whole
}

/** The length in front, and room for each block of 64 KiB; a caller that has more to do may pause between blocks. */
export function* packBlocks(bytes: Uint8Array): Generator<Uint8Array, void, void> {
  const head: number[] = []
  let left = bytes.length
  for (; left >= 0x80; left = Math.floor(left / 0x80)) head.push((left % 0x80) | 0x80)
  yield Uint8Array.of(...head, left)
  const table = new Uint16Array(1 << HASH_BITS)
  for (let from = 0; from < bytes.length; from += BLOCK_BYTES) yield packBlock(bytes.subarray(from, from + BLOCK_BYTES), table)
}

export function pack(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([...packBlocks(bytes)]))
}

/** Copies do not reach back into earlier blocks: offsets stay within 16 bits. */
function packBlock(block: Uint8Array, table: Uint16Array): Uint8Array {
  const out = new Uint8Array(block.length + Math.ceil(block.length / 60) + 8)
  table.fill(0)
  let made = 0
  let literalFrom = 0
  let at = 1
  while (at + MIN_MATCH <= block.length) {
    const word = wordAt(block, at)
    const slot = Math.imul(word, HASH_FACTOR) >>> (32 - HASH_BITS)
    const candidate = table[slot] ?? 0
    table[slot] = at
    if (wordAt(block, candidate) !== word) {
      at += 1 + ((at - literalFrom) >> 5) // the longer nothing repeats, the wider the steps
      continue
    }
    made = writeLiteral(out, made, block.subarray(literalFrom, at))
    const offset = at - candidate
    let length = MIN_MATCH
    while (at + length < block.length && block[candidate + length] === block[at + length]) length++
    at += length
    for (let left = length; left > 0; left -= MAX_COPY) {
      out[made++] = ((Math.min(left, MAX_COPY) - 1) << 2) | 2
      out[made++] = offset & 0xff
      out[made++] = offset >> 8
    }
    literalFrom = at
  }
  return out.subarray(0, writeLiteral(out, made, block.subarray(literalFrom)))
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
}

function writeLiteral(out: Uint8Array, from: number, literal: Uint8Array): number {
  if (literal.length === 0) return from
  let at = from
  const coded = literal.length - 1
  if (coded < 60) out[at++] = coded << 2
  else if (coded < 0x100) {
    out[at++] = 60 << 2
    out[at++] = coded
  } else {
    out[at++] = 61 << 2
    out[at++] = coded & 0xff
    out[at++] = coded >> 8
  }
  out.set(literal, at)
  return at + literal.length
}
