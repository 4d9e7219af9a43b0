/** What a hotspot's portal answers, read: bounded, and nothing taken that has another form. docs/portal.md "Minutes for boxes" */
import { inputError } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import type { AheadAnswer } from './hotspot-seller.ts'
import type { UpstreamTerms } from './reseller.ts'

const ADDRESS = /^0x[0-9a-f]{40}$/
const UNITS = /^[1-9]\d{0,37}$/
const FORM_TOKEN = /^[\x21-\x7e]{1,128}$/
const MAX_MESSAGE = 120
const MAX_SECONDS = 366 * 86_400

/** `boxesPort` null: it talks with boxes nowhere on the guests' side. Errors: input, naming the field. */
export function readTerms(text: string): { readonly terms: UpstreamTerms; readonly formToken: string; readonly boxesPort: number | null } {
  const fields = fieldsOf(text)
  const { formToken, minSeconds, maxSeconds, boxesPort = null } = fields
  if (typeof formToken !== 'string' || !FORM_TOKEN.test(formToken)) throw inputError('formToken', formToken, '1 to 128 visible characters')
  if (boxesPort !== null && (typeof boxesPort !== 'number' || !Number.isInteger(boxesPort) || boxesPort < 1 || boxesPort > 65_535)) throw inputError('boxesPort', boxesPort, '1 to 65535')
  const min = seconds('minSeconds', minSeconds, 1)
  const max = seconds('maxSeconds', maxSeconds, min)
  return { terms: { ...priceOf(fields), minSeconds: min, maxSeconds: max, leftSeconds: seconds('leftSeconds', fields['leftSeconds'], 0) }, formToken, boxesPort }
}

/** Errors: input, naming the field. */
export function readAnswer(text: string): AheadAnswer {
  const fields = fieldsOf(text)
  if (fields['state'] === 'ordered') return { state: 'ordered', ...priceOf(fields) }
  if (fields['state'] === 'paid') return { state: 'paid', leftSeconds: seconds('leftSeconds', fields['leftSeconds'], 0) }
  throw inputError('state', fields['state'], 'ordered, paid')
}

/** Why it was refused; `code` null: it has none. A stranger's words are shown to the owner: one line of plain characters. */
export function readRefusal(text: string): { readonly code: string | null; readonly message: string } {
  try {
    const { error, message } = fieldsOf(text)
    return { code: typeof error === 'string' ? error : null, message: typeof message === 'string' ? message.replace(/[^ -~]/g, '?').slice(0, MAX_MESSAGE) : '' }
  } catch {
    return { code: null, message: '' } // somebody else's page
  }
}

function priceOf({ payee, token, unitsPerMinute }: Readonly<Record<string, unknown>>): { readonly payee: Address; readonly token: Address; readonly unitsPerMinute: bigint } {
  if (typeof unitsPerMinute !== 'string' || !UNITS.test(unitsPerMinute)) throw inputError('unitsPerMinute', unitsPerMinute, '1 to 38 decimal digits, more than 0')
  return { payee: address('payee', payee), token: address('token', token), unitsPerMinute: BigInt(unitsPerMinute) }
}

function address(field: string, value: unknown): Address {
  if (typeof value !== 'string' || !ADDRESS.test(value)) throw inputError(field, value, '0x and 40 lower-case hex digits')
  return value as Address
}

function seconds(field: string, value: unknown, least: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > MAX_SECONDS) throw inputError(field, value, `${least} to ${MAX_SECONDS}`)
  return value
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    throw inputError('answer', 'no JSON', 'a JSON object')
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read)) throw inputError('answer', 'no object', 'a JSON object')
  return read as Readonly<Record<string, unknown>>
}
