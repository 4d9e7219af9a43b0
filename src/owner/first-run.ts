/**
 * Who may claim a fresh box. Until the owner has set a password anybody on his network could be first, so
 * the wizard asks for a set-up code that only somebody with access to the box itself can read: it is in
 * the service's log and in `meshbox status`. It changes with each start and is worth nothing once a
 * password is set.
 */
import { equalBytesConstantTime, utf8 } from '../base/index.ts'
import type { Randomness } from '../base/index.ts'

/** 31 symbols without look-alikes (no 0 O 1 I L): about 39 bits in 8 of them. */
const SYMBOLS = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'
const LENGTH = 8

export class FirstRun {
  readonly #code: string

  constructor(randomness: Randomness) {
    this.#code = pickCode(randomness)
  }

  /** `ABCD-EFGH` */
  get setupCode(): string {
    return `${this.#code.slice(0, 4)}-${this.#code.slice(4)}`
  }

  /** Case, dashes and spaces do not matter. Constant time. */
  isRight(typed: string): boolean {
    const plain = typed.replace(/[\s-]/g, '').toUpperCase()
    return equalBytesConstantTime(utf8(plain), utf8(this.#code))
  }
}

function pickCode(randomness: Randomness): string {
  let code = ''
  while (code.length < LENGTH) {
    for (const byte of randomness.bytes(LENGTH)) {
      const symbol = SYMBOLS[byte & 31] // 31 of 32 values give a symbol: the last is drawn again
      if (symbol !== undefined && code.length < LENGTH) code += symbol
    }
  }
  return code
}
