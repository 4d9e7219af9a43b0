/**
 * Basics Station's JSON: its times are 64-bit integers, which a number cannot hold. A whole number too large for one is read as bigint,
 * and bigints are written as they are.
 */
import { inputError } from '../../../base/index.ts'

export type Fields = Readonly<Record<string, unknown>>

/** A number has so many digits and is still exact. */
const EXACT_DIGITS = 15
const MAX_DIGITS = 20

/** Errors: input `json`: not JSON, no object, or nested beyond all reason. */
export function readFields(text: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(text, exact)
  } catch (thrown) {
    // RangeError: brackets by the thousand.
    if (thrown instanceof SyntaxError || thrown instanceof RangeError) throw inputError('json', `${text.length} letters`, 'JSON')
    throw thrown
  }
  const fields = fieldsOf(value)
  if (fields === null) throw inputError('json', `${text.length} letters`, 'a JSON object')
  return fields
}

export function fieldsOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null
}

function exact(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source
  return typeof value === 'number' && source !== undefined && source.length > EXACT_DIGITS && source.length <= MAX_DIGITS && /^-?\d+$/.test(source) ? BigInt(source) : value
}

export type Writable = string | number | bigint | boolean | null | readonly Writable[] | { readonly [name: string]: Writable | undefined }

/** What is undefined is left out. */
export function writeJson(value: Writable): string {
  if (typeof value === 'bigint') return value.toString()
  if (Array.isArray(value)) return `[${(value as readonly Writable[]).map(writeJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const parts = Object.entries(value).flatMap(([name, inner]) => (inner === undefined ? [] : [`${JSON.stringify(name)}:${writeJson(inner as Writable)}`]))
    return `{${parts.join(',')}}`
  }
  return JSON.stringify(value)
}

/** A whole number in a range. Errors: input, naming the field. */
export function wholeField(fields: Fields, name: string, least: bigint, most: bigint): bigint {
  const value = fields[name]
  const whole = typeof value === 'bigint' ? value : typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : null
  if (whole === null || whole < least || whole > most) throw inputError(name, value ?? null, `a whole number from ${least} to ${most}`)
  return whole
}

/** Null: not there, or of another kind. */
export function numberField(fields: Fields, name: string): number | null {
  const value = fields[name]
  return typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : null
}

/** Errors: input, naming the field. */
export function hexField(fields: Fields, name: string, maxBytes: number): Uint8Array {
  const value = fields[name]
  if (typeof value !== 'string' || value.length > 2 * maxBytes || value.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(value)) throw inputError(name, value ?? null, `hex of at most ${maxBytes} bytes`)
  return new Uint8Array(Buffer.from(value, 'hex'))
}
