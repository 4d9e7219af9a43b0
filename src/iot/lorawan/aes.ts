/**
 * AES-128 as LoRaWAN uses it: single blocks (NIST FIPS 197) and CMAC (RFC 4493). node:crypto does the rounds: constant in time,
 * and in the processor's own instructions where it has them.
 *
 * A cipher is opened once per key and kept: opening costs more than a frame. It holds no state that a caller could see: the chaining
 * value that node's CBC keeps from one CMAC to the next is taken out again by `cmac`.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { Cipher } from 'node:crypto'
import { inputError } from '../../base/index.ts'

export const KEY_BYTES = 16
export const BLOCK_BYTES = 16

export class AesKey {
  readonly #bytes: Uint8Array
  #blocks: Cipher | null = null
  #chain: Cipher | null = null
  /** What CBC will XOR into the next block. */
  #carried = new Uint8Array(BLOCK_BYTES)
  /** RFC 4493 K1: masks a last block that is full. */
  #wholeMask: Uint8Array | null = null
  /** K2: masks a last block that is padded. */
  #paddedMask: Uint8Array | null = null

  /** Takes a copy. Errors: input `field`; the value is not shown. */
  constructor(bytes: Uint8Array, field = 'key') {
    if (bytes.length !== KEY_BYTES) throw inputError(field, `${bytes.length} bytes`, `${KEY_BYTES} bytes`)
    this.#bytes = new Uint8Array(bytes)
  }

  /** Each 16 bytes by themselves. Errors: input for a length that is no multiple of 16. */
  encryptBlocks(blocks: Uint8Array): Uint8Array {
    if (blocks.length % BLOCK_BYTES !== 0) throw inputError('blocks', `${blocks.length} bytes`, `a multiple of ${BLOCK_BYTES}`)
    this.#blocks ??= createCipheriv('aes-128-ecb', this.#bytes, null).setAutoPadding(false)
    return plain(this.#blocks.update(blocks))
  }

  /** The inverse. Only who checks a join accept by hand needs it: a device decrypts by encrypting. */
  decryptBlocks(blocks: Uint8Array): Uint8Array {
    if (blocks.length % BLOCK_BYTES !== 0) throw inputError('blocks', `${blocks.length} bytes`, `a multiple of ${BLOCK_BYTES}`)
    return plain(createDecipheriv('aes-128-ecb', this.#bytes, null).setAutoPadding(false).update(blocks))
  }

  /** 16 bytes over any message. */
  cmac(message: Uint8Array): Uint8Array {
    const blocks = Math.max(1, Math.ceil(message.length / BLOCK_BYTES))
    const isWhole = message.length === blocks * BLOCK_BYTES
    const padded = new Uint8Array(blocks * BLOCK_BYTES)
    padded.set(message)
    if (!isWhole) padded[message.length] = 0x80
    xorInto(padded, (blocks - 1) * BLOCK_BYTES, this.#lastMask(isWhole))
    xorInto(padded, 0, this.#carried)
    this.#chain ??= createCipheriv('aes-128-cbc', this.#bytes, new Uint8Array(BLOCK_BYTES)).setAutoPadding(false)
    const tag = Uint8Array.from(this.#chain.update(padded).subarray(-BLOCK_BYTES))
    this.#carried = tag
    return tag.slice()
  }

  #lastMask(isWhole: boolean): Uint8Array {
    if (this.#wholeMask === null || this.#paddedMask === null) {
      this.#wholeMask = doubled(this.encryptBlocks(new Uint8Array(BLOCK_BYTES)))
      this.#paddedMask = doubled(this.#wholeMask)
    }
    return isWhole ? this.#wholeMask : this.#paddedMask
  }
}

/** The same bytes as what they are said to be: a Buffer has a slice() of its own. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Times x in GF(2¹²⁸). */
function doubled(block: Uint8Array): Uint8Array {
  const out = new Uint8Array(BLOCK_BYTES)
  for (let i = 0; i < BLOCK_BYTES; i++) out[i] = ((block[i] ?? 0) << 1) | ((block[i + 1] ?? 0) >> 7)
  if ((block[0] ?? 0) >= 0x80) out[BLOCK_BYTES - 1] = (out[BLOCK_BYTES - 1] ?? 0) ^ 0x87
  return out
}

/** XORs `mask` into `bytes` from `at` on. */
export function xorInto(bytes: Uint8Array, at: number, mask: Uint8Array): void {
  for (let i = 0; i < mask.length && at + i < bytes.length; i++) bytes[at + i] = (bytes[at + i] ?? 0) ^ (mask[i] ?? 0)
}
