/**
 * Session ids, 16 hex digits: a running number, so that they sort by age, and 3 random bytes, so that ids of
 * other boxes do not coincide with ours.
 */
import { toHex } from '../base/index.ts'
import type { Randomness } from '../base/index.ts'

const NUMBER_DIGITS = 10
const RANDOM_BYTES = 3

export class SessionIds {
  readonly #randomness: Randomness
  #last = 0

  constructor(randomness: Randomness) {
    this.#randomness = randomness
  }

  /** Goes on after the newest id on disk. */
  restore(newestId: string | undefined): void {
    if (newestId !== undefined) this.#last = sessionNumber(newestId)
  }

  next(): string {
    this.#last++
    return this.#last.toString(16).padStart(NUMBER_DIGITS, '0') + toHex(this.#randomness.bytes(RANDOM_BYTES))
  }
}

/** The running number in an id: what a receipt is numbered by. */
export function sessionNumber(id: string): number {
  return Number.parseInt(id.slice(0, NUMBER_DIGITS), 16)
}
