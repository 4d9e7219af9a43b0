/**
 * The same tables as proto3's JSON: lowerCamel names, bytes as base64, 64-bit numbers and durations as text, enum values by name; what has its default
 * value is left out (so that a connection that is OFFLINE has no `state`: that is the rule, not a fault).
 */
import { inputError } from '../../base/index.ts'
import type { Field, Message, Schema } from './protobuf.ts'

export function jsonOfMessage(schema: Schema, message: Message): Readonly<Record<string, unknown>> {
  const out: Record<string, unknown> = {}
  for (const field of schema.fields) {
    const value = message[field.name]
    if (value === undefined || value === null) continue
    if (field.isRepeated === true) {
      const list = value as readonly unknown[]
      if (list.length > 0) out[field.name] = list.map((one) => jsonOf(field, one))
    } else if (!isDefault(field, value)) out[field.name] = jsonOf(field, value)
  }
  return out
}

function isDefault({ type }: Field, value: unknown): boolean {
  if (typeof type === 'object') return 'names' in type && value === type.names[0]
  if (type === 'bytes') return (value as Uint8Array).length === 0
  return type !== 'duration' && type !== 'timestamp' && (value === 0 || value === 0n || value === false || value === '')
}

function jsonOf({ type }: Field, value: unknown): unknown {
  if (typeof type === 'object') return 'message' in type ? jsonOfMessage(type.message, value as Message) : value
  if (type === 'bytes') return Buffer.from(value as Uint8Array).toString('base64')
  if (type === 'u64') return String(value)
  if (type === 'float') return Math.round((value as number) * 1e4) / 1e4
  if (type === 'timestamp') return new Date(value as number).toISOString()
  if (type !== 'duration') return value
  const nanoseconds = value as bigint
  const rest = String(nanoseconds % NANO).padStart(9, '0').replace(/0+$/, '')
  return `${nanoseconds / NANO}${rest === '' ? '' : `.${rest}`}s`
}

const NANO = 1_000_000_000n
const MAX_DEPTH = 8
const MAX_REPEATED = 512

/** As decodeMessage; takes also the names of the .proto file, numbers as texts, and enum values as numbers. Errors: input, naming the field. */
export function messageOfJson(schema: Schema, json: unknown, depth = 0): Message {
  if (typeof json !== 'object' || json === null || Array.isArray(json) || depth > MAX_DEPTH) throw inputError(schema.name, json ?? null, 'a JSON object')
  const given = json as Readonly<Record<string, unknown>>
  const message: Record<string, unknown> = {}
  for (const field of schema.fields) {
    const value = given[field.name] ?? given[field.name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)]
    if (field.isRepeated === true) {
      if (value !== undefined && value !== null && (!Array.isArray(value) || value.length > MAX_REPEATED)) throw inputError(field.name, value, `a list of at most ${MAX_REPEATED}`)
      message[field.name] = ((value ?? []) as readonly unknown[]).map((one) => valueOf(field, one, depth))
    } else if (value !== undefined && value !== null) message[field.name] = valueOf(field, value, depth)
  }
  return message
}

function valueOf({ name, type }: Field, value: unknown, depth: number): unknown {
  if (typeof type === 'object') {
    if ('message' in type) return messageOfJson(type.message, value, depth + 1)
    const found = typeof value === 'number' ? type.names[value] : type.names.find((one) => one === value)
    if (found === undefined) throw inputError(name, value, type.names.join(', '))
    return found
  }
  switch (type) {
    case 'u32':
    case 'i32': {
      const number = typeof value === 'string' && /^-?\d{1,11}$/.test(value) ? Number(value) : value
      const [least, most] = type === 'u32' ? [0, 2 ** 32 - 1] : [-(2 ** 31), 2 ** 31 - 1]
      if (typeof number !== 'number' || !Number.isInteger(number) || number < least || number > most) throw inputError(name, value, `a whole number from ${least} to ${most}`)
      return number
    }
    case 'u64':
      if (!(typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) && !(typeof value === 'string' && /^\d{1,19}$/.test(value))) throw inputError(name, value, 'a whole number')
      return BigInt(value)
    case 'float':
    case 'double':
      if (typeof value !== 'number') throw inputError(name, value, 'a number')
      return value
    case 'bool':
      if (typeof value !== 'boolean') throw inputError(name, value, 'true or false')
      return value
    case 'string':
      if (typeof value !== 'string') throw inputError(name, value, 'a text')
      return value
    case 'bytes':
      if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value)) throw inputError(name, value, 'base64')
      return new Uint8Array(Buffer.from(value, 'base64'))
    case 'duration':
      return durationOf(name, value)
    case 'timestamp': {
      const at = typeof value === 'string' ? Date.parse(value) : Number.NaN
      if (Number.isNaN(at)) throw inputError(name, value, 'a time as 2026-01-31T10:00:00Z')
      return at
    }
  }
}

/** `1.500s` */
function durationOf(name: string, value: unknown): bigint {
  const [, seconds, fraction = ''] = (typeof value === 'string' ? /^(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(value) : null) ?? []
  if (seconds === undefined) throw inputError(name, value, 'a duration as 1.5s')
  return BigInt(seconds) * NANO + BigInt(fraction.padEnd(9, '0'))
}
