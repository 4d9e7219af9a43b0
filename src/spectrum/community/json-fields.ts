/** Fields of parsed JSON, each read once and strictly. Errors: input, naming the field. */
import { inputError } from '../../base/index.ts'

/** An object with exactly these keys. */
export function objectOf(value: unknown, field: string, keys: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw inputError(field, kindOf(value), 'an object')
  const present = Object.keys(value)
  const unknown = present.find((key) => !keys.includes(key))
  if (unknown !== undefined) throw inputError(field, unknown, keys.join(', '))
  const missing = keys.find((key) => !present.includes(key))
  if (missing !== undefined) throw inputError(field === 'joinFile' ? missing : `${field}.${missing}`, 'nothing', 'a value')
  return value as Readonly<Record<string, unknown>>
}

export function listOf(value: unknown, field: string, most: number): readonly unknown[] {
  if (!Array.isArray(value)) throw inputError(field, kindOf(value), 'a list')
  if (value.length > most) throw inputError(field, `${value.length} elements`, `at most ${most}`)
  return value
}

export function textOf(value: unknown, field: string, mostCharacters: number): string {
  if (typeof value !== 'string') throw inputError(field, kindOf(value), 'a text')
  if (value.length > mostCharacters) throw inputError(field, value, `at most ${mostCharacters} characters`)
  return value
}

/** A whole number that JavaScript holds exactly, 0 or more. */
export function wholeOf(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || Object.is(value, -0)) throw inputError(field, value, 'a whole number, 0 or more')
  return value
}

const UINT_DIGITS = 78

/** In decimal, as text: JSON's numbers do not hold wei. */
export function uintOf(value: unknown, field: string, most: bigint): bigint {
  const text = textOf(value, field, UINT_DIGITS)
  if (!/^(?:0|[1-9][0-9]*)$/.test(text)) throw inputError(field, text, 'a whole number in decimal, as text')
  const number = BigInt(text)
  if (number > most) throw inputError(field, text, `at most ${most}`)
  return number
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`
}
