/**
 * RLPx frames: encrypted and authenticated from the handshake's secrets on.
 *
 * | part | bytes |
 * |---|---|
 * | header | size of the data (3, big-endian) ‖ c2 80 80 ‖ zeros to 16; encrypted |
 * | header MAC | 16 |
 * | data | message code (RLP) ‖ payload, zeros to a multiple of 16; encrypted |
 * | data MAC | 16 |
 *
 * Both directions are streams: AES-256-CTR and one running Keccak, so that a large message is read and written
 * in pieces as they come.
 */
import { createCipheriv } from 'node:crypto'
import type { Cipher } from 'node:crypto'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, equalBytesConstantTime, inputError } from '../../../base/index.ts'
import type { Secrets } from './handshake.ts'

export const FRAME_HEADER_BYTES = 32
export const FRAME_MAC_BYTES = 16
const BLOCK_BYTES = 16
const MAX_FRAME_BYTES = 0xffffff
/** RLP of [0, 0]: capability and context, of no use since chunked frames were given up. */
const HEADER_DATA = Uint8Array.of(0xc2, 0x80, 0x80)

/** How many bytes a frame's data take on the wire, without its MAC. */
export function paddedBytes(size: number): number {
  return Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES
}

class RunningMac {
  readonly #hash = keccak_256.create()
  readonly #cipher: Cipher

  constructor(secret: Uint8Array, seed: Uint8Array) {
    this.#cipher = createCipheriv('aes-256-ecb', secret, null).setAutoPadding(false)
    this.#hash.update(seed)
  }

  header(cipherText: Uint8Array): Uint8Array {
    return this.#mix(cipherText)
  }
  data(cipherText: Uint8Array): void {
    this.#hash.update(cipherText)
  }
  endOfData(): Uint8Array {
    return this.#mix(this.#digest())
  }

  #mix(text: Uint8Array): Uint8Array {
    const encrypted = this.#cipher.update(this.#digest())
    this.#hash.update(text.map((byte, index) => byte ^ (encrypted[index] ?? 0)))
    return this.#digest()
  }
  #digest(): Uint8Array {
    return this.#hash.clone().digest().subarray(0, FRAME_MAC_BYTES)
  }
}

function stream(key: Uint8Array): Cipher {
  return createCipheriv('aes-256-ctr', key, new Uint8Array(BLOCK_BYTES))
}

/** Plain bytes to wire bytes: `header`, then `data` until all is given, then `end`. */
export class FrameWriter {
  readonly #cipher: Cipher
  readonly #mac: RunningMac
  #left = 0
  #padding = 0

  constructor(secrets: Secrets) {
    this.#cipher = stream(secrets.aes)
    this.#mac = new RunningMac(secrets.mac, secrets.egressSeed)
  }

  header(size: number): Uint8Array {
    if (size < 1 || size > MAX_FRAME_BYTES) throw inputError('frame', `${size} bytes`, `1 to ${MAX_FRAME_BYTES} bytes`)
    this.#left = size
    this.#padding = paddedBytes(size) - size
    const plain = new Uint8Array(BLOCK_BYTES)
    plain.set([size >> 16, (size >> 8) & 0xff, size & 0xff])
    plain.set(HEADER_DATA, 3)
    const cipherText = new Uint8Array(this.#cipher.update(plain))
    return concatBytes(cipherText, this.#mac.header(cipherText))
  }

  data(piece: Uint8Array): Uint8Array {
    if (piece.length > this.#left) throw inputError('frame', `${piece.length} bytes`, `the ${this.#left} left`)
    this.#left -= piece.length
    return this.#encrypt(piece)
  }

  end(): Uint8Array {
    if (this.#left !== 0) throw inputError('frame', 'an early end', `${this.#left} bytes more`)
    const padding = this.#encrypt(new Uint8Array(this.#padding))
    return concatBytes(padding, this.#mac.endOfData())
  }

  #encrypt(piece: Uint8Array): Uint8Array {
    const cipherText = new Uint8Array(this.#cipher.update(piece))
    this.#mac.data(cipherText)
    return cipherText
  }
}

/** Wire bytes to plain bytes. Errors: input `frame`: somebody changed bytes on the way, or never had the keys. */
export class FrameReader {
  readonly #cipher: Cipher
  readonly #mac: RunningMac

  constructor(secrets: Secrets) {
    this.#cipher = stream(secrets.aes)
    this.#mac = new RunningMac(secrets.mac, secrets.ingressSeed)
  }

  /** 32 bytes → size of the data. */
  header(bytes: Uint8Array): number {
    const cipherText = bytes.subarray(0, BLOCK_BYTES)
    this.#check(this.#mac.header(cipherText), bytes.subarray(BLOCK_BYTES))
    const plain = this.#cipher.update(cipherText)
    const size = ((plain[0] ?? 0) << 16) | ((plain[1] ?? 0) << 8) | (plain[2] ?? 0)
    if (size === 0) throw inputError('frame', 'no data', 'a message code')
    return size
  }

  /** Not proved before `end`. */
  data(piece: Uint8Array): Uint8Array {
    this.#mac.data(piece)
    return new Uint8Array(this.#cipher.update(piece))
  }

  end(mac: Uint8Array): void {
    this.#check(this.#mac.endOfData(), mac)
  }

  #check(own: Uint8Array, theirs: Uint8Array): void {
    if (!equalBytesConstantTime(own, theirs)) throw inputError('frame', 'a wrong MAC', 'an untouched frame')
  }
}
