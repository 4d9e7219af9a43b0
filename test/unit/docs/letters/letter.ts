/** What a letter costs, and whether it may lie here. Pure: no clock, no disk. */
import { inputError, mulDivCeil } from '../../../../src/base/index.ts'

const KIB = 1024n
const MAX_LETTERS = 256
const MAX_LETTER_BYTES = 16 * 1024

export interface Shelf {
  readonly letters: number
  /** Smallest units for a KiB and a day. */
  readonly price: bigint
}

/** Smallest units, rounded up. Errors: input `letter`, `days`. */
export function priceOf(bytes: number, days: number, shelf: Shelf): bigint {
  if (!(bytes > 0 && bytes <= MAX_LETTER_BYTES)) throw inputError('letter', `${bytes} bytes`, `1 to ${MAX_LETTER_BYTES} bytes`)
  if (!(Number.isInteger(days) && days >= 1 && days <= 30)) throw inputError('days', days, 'a whole number from 1 to 30')
  return mulDivCeil(shelf.price * BigInt(days), BigInt(bytes), KIB)
}

/** Why a letter cannot lie here now; null: it can. */
export function refusal(paid: bigint, due: bigint, shelf: Shelf): 'no-room' | 'unpaid' | null {
  if (shelf.letters >= MAX_LETTERS) return 'no-room'
  return paid < due ? 'unpaid' : null
}
