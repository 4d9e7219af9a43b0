/** The fields that several routes have in common. */
import { inputError } from '../../base/index.ts'
import { integer, number, text } from '../request-schema.ts'
import type { Schema } from '../request-schema.ts'

/** How many digits the token allows is checked where its decimals are known. */
export const price: Schema = text(1, 80, /^[0-9]+(\.[0-9]+)?$/, 'a price in tokens, such as 10 or 0.5')
/** How many digits after the point is checked where the price is made of it. */
export const minutesPerToken: Schema = number(0, 525_600)
/** Id of a session, voucher, package or batch: what our rooms give out, with room to spare. */
export const id: Schema = text(1, 64, /^[A-Za-z0-9._:-]+$/, 'letters, digits, and . _ : -')
export const date: Schema = text(10, 10, /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/, 'a date YYYY-MM-DD')
/** Years 2020 to 2199. */
export const wallMs: Schema = integer(1_577_836_800_000, 7_258_118_399_999)
/** Anything a person may type as a password; how long it must be is the business of its room. */
export const password: Schema = text(1, 256)
/** A whole number in a query; its range is checked by `numberOf`. */
export const queryNumber: Schema = text(1, 16, /^(0|[1-9][0-9]*)$/, 'a whole number')

/** A number out of a query that passed the check; undefined when it is not there. Throws `input` outside the range. */
export function numberOf(query: Readonly<Record<string, string>>, name: string, minimum: number, maximum: number): number | undefined {
  const given = query[name]
  if (given === undefined) return undefined
  const value = Number(given)
  if (!Number.isSafeInteger(value) || value < minimum || value > maximum) throw inputError(name, given, `${minimum}..${maximum}`)
  return value
}
