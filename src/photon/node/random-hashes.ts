/** Random names of 32 bytes. The kernel is asked for many at once: one call costs as much as the rest of a payment's record. */
import { hexOf } from '../../base/index.ts'
import type { Hash, Randomness } from '../../base/index.ts'

const HASH_BYTES = 32
const AT_ONCE = 64

export class RandomHashes {
  readonly #randomness: Randomness
  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0

  constructor(randomness: Randomness) {
    this.#randomness = randomness
  }

  next(): Hash {
    if (this.#at === this.#bytes.length) {
      this.#bytes = this.#randomness.bytes(AT_ONCE * HASH_BYTES)
      this.#at = 0
    }
    this.#at += HASH_BYTES
    return hexOf(this.#bytes.subarray(this.#at - HASH_BYTES, this.#at))
  }
}
