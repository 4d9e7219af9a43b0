/** A forwarder's JSON, field by field: what is of another type than it should be counts as not there. Forwarders differ a lot. */
import { inputError } from '../../../base/index.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** Errors: input `json`. */
export function jsonOf(body: Uint8Array): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  } catch (thrown) {
    if (thrown instanceof SyntaxError) throw inputError('json', `${body.length} bytes`, 'JSON')
    throw thrown
  }
  const object = objectOf(value)
  if (object === null) throw inputError('json', value, 'a JSON object')
  return object
}

export function objectOf(value: unknown): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null
}

export function numberOf(value: unknown, least: number, most: number): number | null {
  return typeof value === 'number' && value >= least && value <= most ? value : null
}

export function wholeOf(value: unknown, least: number, most: number): number | null {
  const number = numberOf(value, least, most)
  return number !== null && Number.isInteger(number) ? number : null
}

/** MHz with float noise (869.525024 for 869.525) → Hz, to 100 Hz. Null: no radio frequency. */
export function hertzOf(megahertz: unknown): number | null {
  const value = numberOf(megahertz, 100, 6_000)
  return value === null ? null : Math.round(value * 10_000) * 100
}

/** Standard or URL alphabet, padded or not. Null: neither, or not 1 to 255 bytes. */
export function payloadOf(value: unknown): Uint8Array | null {
  if (typeof value !== 'string' || value.length > 344 || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(value)) return null
  const bytes = new Uint8Array(Buffer.from(value, 'base64'))
  return bytes.length >= 1 && bytes.length <= 255 ? bytes : null
}
