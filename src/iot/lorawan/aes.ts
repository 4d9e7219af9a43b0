/**
 * AES-128 as LoRaWAN uses it: single blocks (NIST FIPS 197) and CMAC (RFC 4493), in plain JavaScript. A cipher of node:crypto costs 9 µs to open,
 * 5 KiB to keep and 1 µs per call; a frame is five blocks, and a box has thousands of keys that each speak once an hour. Here a key is its 16 bytes,
 * and its schedule is made anew for each use, which costs as much as one block.
 *
 * Rounds look bytes up in tables, so their time depends on the key by what lies in the processor's cache. Who could see that would have to measure
 * nanoseconds inside this process: what a frame causes to be seen outside comes after a commit to the disk. Keys at rest are sealed by node:crypto.
 *
 * A state is four words, one per column, first byte highest.
 */
import { createDecipheriv } from 'node:crypto'
import { inputError } from '../../base/index.ts'

export const KEY_BYTES = 16
export const BLOCK_BYTES = 16
const ROUNDS = 10

/** FIPS 197, 5.1.1: the inverse in GF(2⁸), by powers of 3, then the affine map. */
const SBOX = /* @__PURE__ */ sBox()
/** SubBytes and MixColumns of a column's first byte; the other three are this, turned. */
const MIXED = /* @__PURE__ */ Int32Array.from(SBOX, (s) => (timesX(s) << 24) | (s << 16) | (s << 8) | (timesX(s) ^ s))

/** Of the key in use, and the block that is being made; nothing here outlives a call. */
const schedule = new Int32Array(4 * (ROUNDS + 1))
const state = new Int32Array(4)

export class AesKey {
  readonly #words: readonly [number, number, number, number]

  /** Takes a copy. Errors: input `field`; the value is not shown. */
  constructor(bytes: Uint8Array, field = 'key') {
    if (bytes.length !== KEY_BYTES) throw inputError(field, `${bytes.length} bytes`, `${KEY_BYTES} bytes`)
    this.#words = [word(bytes, 0), word(bytes, 4), word(bytes, 8), word(bytes, 12)]
  }

  /** Each 16 bytes by themselves. Errors: input for a length that is no multiple of 16. */
  encryptBlocks(blocks: Uint8Array): Uint8Array {
    checkBlocks(blocks)
    expand(this.#words)
    const out = new Uint8Array(blocks.length)
    for (let at = 0; at < blocks.length; at += BLOCK_BYTES) {
      for (let column = 0; column < 4; column++) state[column] = word(blocks, at + 4 * column)
      encrypt()
      writeState(out, at)
    }
    return out
  }

  /** The inverse. Only who checks a join accept by hand needs it: a device decrypts by encrypting. */
  decryptBlocks(blocks: Uint8Array): Uint8Array {
    checkBlocks(blocks)
    const key = new Uint8Array(KEY_BYTES)
    for (let column = 0; column < 4; column++) writeWord(key, 4 * column, this.#words[column] ?? 0)
    return Uint8Array.from(createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(blocks))
  }

  /** XORs the cipher of a block into `bytes` from `at` on, 16 of them or as many as there are; the block is given as its four words. */
  xorBlock(bytes: Uint8Array, at: number, a: number, b: number, c: number, d: number): void {
    expand(this.#words)
    state[0] = a
    state[1] = b
    state[2] = c
    state[3] = d
    encrypt()
    const end = Math.min(bytes.length, at + BLOCK_BYTES)
    for (let to = at; to < end; to++) bytes[to] = (bytes[to] ?? 0) ^ ((state[(to - at) >> 2] ?? 0) >>> (24 - 8 * ((to - at) & 3)))
  }

  /** 16 bytes over any message. */
  cmac(message: Uint8Array): Uint8Array {
    this.cmacWord(message, message.length)
    const out = new Uint8Array(BLOCK_BYTES)
    writeState(out, 0)
    return out
  }

  /** The first four bytes of it as one number, first byte highest, over the first `length` bytes of the message. */
  cmacWord(message: Uint8Array, length: number): number {
    expand(this.#words)
    state.fill(0)
    encrypt()
    // RFC 4493 K1 masks a last block that is full; K2, its double, one that is padded.
    doubleState()
    const lastAt = Math.max(0, Math.ceil(length / BLOCK_BYTES) - 1) * BLOCK_BYTES
    if (length !== lastAt + BLOCK_BYTES) doubleState()
    const mask0 = state[0] ?? 0
    const mask1 = state[1] ?? 0
    const mask2 = state[2] ?? 0
    const mask3 = state[3] ?? 0
    state.fill(0)
    for (let at = 0; at < lastAt; at += BLOCK_BYTES) {
      xorState(word(message, at), word(message, at + 4), word(message, at + 8), word(message, at + 12))
      encrypt()
    }
    xorState(mask0 ^ padded(message, lastAt, length), mask1 ^ padded(message, lastAt + 4, length), mask2 ^ padded(message, lastAt + 8, length), mask3 ^ padded(message, lastAt + 12, length))
    encrypt()
    return state[0] ?? 0
  }
}

function checkBlocks(blocks: Uint8Array): void {
  if (blocks.length % BLOCK_BYTES !== 0) throw inputError('blocks', `${blocks.length} bytes`, `a multiple of ${BLOCK_BYTES}`)
}

function sBox(): Uint8Array {
  const powers = new Uint8Array(255)
  const logs = new Uint8Array(256)
  for (let n = 0, power = 1; n < 255; n++, power ^= timesX(power)) {
    powers[n] = power
    logs[power] = n
  }
  return Uint8Array.from({ length: 256 }, (_, byte) => {
    const inverse = byte === 0 ? 0 : (powers[(255 - (logs[byte] ?? 0)) % 255] ?? 0)
    const spread = inverse ^ (inverse << 1) ^ (inverse << 2) ^ (inverse << 3) ^ (inverse << 4)
    return (spread ^ (spread >> 8) ^ 0x63) & 0xff
  })
}

/** In GF(2⁸). */
function timesX(byte: number): number {
  return byte < 0x80 ? byte << 1 : ((byte << 1) ^ 0x11b) & 0xff
}

/** FIPS 197, 5.2. */
function expand(key: readonly number[]): void {
  for (let i = 0; i < 4; i++) schedule[i] = key[i] ?? 0
  for (let i = 4, constant = 1; i < schedule.length; i++) {
    let next = schedule[i - 1] ?? 0
    if (i % 4 === 0) {
      const turned = (next << 8) | (next >>> 24)
      next = substituted(turned, turned, turned, turned) ^ (constant << 24)
      constant = timesX(constant)
    }
    schedule[i] = (schedule[i - 4] ?? 0) ^ next
  }
}

/** `state` under `schedule`. ShiftRows is in which column each byte is taken from. */
function encrypt(): void {
  let a = (state[0] ?? 0) ^ (schedule[0] ?? 0)
  let b = (state[1] ?? 0) ^ (schedule[1] ?? 0)
  let c = (state[2] ?? 0) ^ (schedule[2] ?? 0)
  let d = (state[3] ?? 0) ^ (schedule[3] ?? 0)
  for (let at = 4; at < 4 * ROUNDS; at += 4) {
    const e = mixed(a, b, c, d) ^ (schedule[at] ?? 0)
    const f = mixed(b, c, d, a) ^ (schedule[at + 1] ?? 0)
    const g = mixed(c, d, a, b) ^ (schedule[at + 2] ?? 0)
    d = mixed(d, a, b, c) ^ (schedule[at + 3] ?? 0)
    a = e
    b = f
    c = g
  }
  state[0] = substituted(a, b, c, d) ^ (schedule[40] ?? 0)
  state[1] = substituted(b, c, d, a) ^ (schedule[41] ?? 0)
  state[2] = substituted(c, d, a, b) ^ (schedule[42] ?? 0)
  state[3] = substituted(d, a, b, c) ^ (schedule[43] ?? 0)
}

/** SubBytes of the first byte of `a`, the second of `b`, and so on. */
function substituted(a: number, b: number, c: number, d: number): number {
  return ((SBOX[a >>> 24] ?? 0) << 24) | ((SBOX[(b >>> 16) & 0xff] ?? 0) << 16) | ((SBOX[(c >>> 8) & 0xff] ?? 0) << 8) | (SBOX[d & 0xff] ?? 0)
}

/** The same, and MixColumns. */
function mixed(a: number, b: number, c: number, d: number): number {
  const second = MIXED[(b >>> 16) & 0xff] ?? 0
  const third = MIXED[(c >>> 8) & 0xff] ?? 0
  const fourth = MIXED[d & 0xff] ?? 0
  return (MIXED[a >>> 24] ?? 0) ^ ((second >>> 8) | (second << 24)) ^ ((third >>> 16) | (third << 16)) ^ ((fourth >>> 24) | (fourth << 8))
}

function xorState(a: number, b: number, c: number, d: number): void {
  state[0] = (state[0] ?? 0) ^ a
  state[1] = (state[1] ?? 0) ^ b
  state[2] = (state[2] ?? 0) ^ c
  state[3] = (state[3] ?? 0) ^ d
}

/** Times x in GF(2¹²⁸). */
function doubleState(): void {
  const a = state[0] ?? 0
  const b = state[1] ?? 0
  const c = state[2] ?? 0
  const d = state[3] ?? 0
  state[0] = (a << 1) | (b >>> 31)
  state[1] = (b << 1) | (c >>> 31)
  state[2] = (c << 1) | (d >>> 31)
  state[3] = (d << 1) ^ (a < 0 ? 0x87 : 0)
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
}

/** The same of a message that ends before `length`: 0x80, then zeros, after it. */
function padded(bytes: Uint8Array, at: number, length: number): number {
  if (at + 4 <= length) return word(bytes, at)
  let value = 0
  for (let i = at; i < at + 4; i++) value = (value << 8) | (i < length ? (bytes[i] ?? 0) : i === length ? 0x80 : 0)
  return value
}

function writeWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

function writeState(bytes: Uint8Array, at: number): void {
  for (let column = 0; column < 4; column++) writeWord(bytes, at + 4 * column, state[column] ?? 0)
}
