/**
 * What a request may carry, and the check of it; pure. A handful of kinds, held strictly: nothing is
 * coerced, nothing unknown is let through, and a refusal names the field, its value and what is allowed.
 * An interpreter of our own instead of a compiled JSON Schema, because compiling sixty of them at each start
 * costs a router a second and some megabytes.
 */
import { inputError } from '../base/index.ts'
import type { MeshBoxError } from '../base/index.ts'

interface ObjectSchema {
  readonly kind: 'object'
  readonly fields: ReadonlyMap<string, Schema>
  readonly required: readonly string[]
}
interface TextSchema {
  readonly kind: 'text'
  readonly min: number
  readonly max: number
  readonly pattern: RegExp | null
  /** What the pattern asks for, in words. */
  readonly words: string
}
interface NumberSchema {
  readonly kind: 'number'
  readonly whole: boolean
  readonly min: number
  readonly max: number
}
interface ChoiceSchema {
  readonly kind: 'choice'
  readonly values: readonly string[]
}
interface ListSchema {
  readonly kind: 'list'
  readonly items: Schema
  readonly min: number
  readonly max: number
}
interface FlagSchema {
  readonly kind: 'flag'
}
/** Anything that JSON can say, so long at most. */
interface JsonSchema {
  readonly kind: 'json'
  readonly max: number
}
interface NullableSchema {
  readonly kind: 'nullable'
  readonly of: Schema
}
export type Schema = ObjectSchema | TextSchema | NumberSchema | ChoiceSchema | ListSchema | FlagSchema | JsonSchema | NullableSchema

export interface RequestSchema {
  readonly params?: Schema
  readonly query?: Schema
  readonly body?: Schema
}

/** An object with exactly these fields; `required` names those that must be there. */
export function object(fields: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema {
  return { kind: 'object', fields: new Map(Object.entries(fields)), required }
}

export const NOTHING: Schema = object({})
export const flag: Schema = { kind: 'flag' }

export function integer(min: number, max: number): Schema {
  return { kind: 'number', whole: true, min, max }
}

export function number(min: number, max: number): Schema {
  return { kind: 'number', whole: false, min, max }
}

/** `max`: characters of its JSON. */
export function json(max: number): Schema {
  return { kind: 'json', max }
}

export function orNull(of: Schema): Schema {
  return { kind: 'nullable', of }
}

export function oneOf(...values: readonly string[]): Schema {
  return { kind: 'choice', values }
}

export function list(items: Schema, max: number, min = 0): Schema {
  return { kind: 'list', items, min, max }
}

/** Lengths in characters. */
export function text(min: number, max: number, pattern: RegExp | null = null, words = ''): Schema {
  return { kind: 'text', min, max, pattern, words }
}

/** One line of text: no control characters, no halves of characters. */
export function line(max: number): Schema {
  return text(1, max, /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]*$/u, 'one line of text without control characters')
}

/** What is wrong with `value`, or null. `where` names the whole: `body`, `query`. */
export function fault(schema: Schema, value: unknown, where: string): MeshBoxError | null {
  return check(schema, value, { where, path: [] })
}

interface Place {
  readonly where: string
  readonly path: readonly string[]
}

function check(schema: Schema, value: unknown, at: Place): MeshBoxError | null {
  switch (schema.kind) {
    case 'object':
      return checkObject(schema, value, at)
    case 'list':
      return checkList(schema, value, at)
    case 'text':
      return checkText(schema, value, at)
    case 'number':
      if (typeof value !== 'number') return refuse(at, value, schema.whole ? 'a whole number' : 'a number')
      if (schema.whole && !Number.isSafeInteger(value)) return refuse(at, value, 'a whole number')
      return value >= schema.min && value <= schema.max ? null : refuse(at, value, `${schema.min}..${schema.max}`)
    case 'choice':
      return typeof value === 'string' && schema.values.includes(value) ? null : refuse(at, value, schema.values.join(', '))
    case 'flag':
      return typeof value === 'boolean' ? null : refuse(at, value, 'true, false')
    case 'json':
      return JSON.stringify(value).length <= schema.max ? null : refuse(at, 'longer', `JSON of at most ${schema.max} characters`)
    case 'nullable':
      return value === null ? null : check(schema.of, value, at)
  }
}

function checkObject(schema: ObjectSchema, value: unknown, at: Place): MeshBoxError | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(at, value, 'an object')
  const missing = schema.required.find((name) => !Object.hasOwn(value, name))
  if (missing !== undefined) return refuse(inside(at, missing), 'nothing', 'a value; it is missing')
  for (const [name, item] of Object.entries(value)) {
    const field = schema.fields.get(name)
    const wrong = field === undefined ? refuse(inside(at, name), item, 'no such field here') : check(field, item, inside(at, name))
    if (wrong) return wrong
  }
  return null
}

function checkList(schema: ListSchema, value: unknown, at: Place): MeshBoxError | null {
  if (!Array.isArray(value)) return refuse(at, value, 'a list')
  if (value.length < schema.min || value.length > schema.max) return refuse(at, `${value.length} items`, `${schema.min} to ${schema.max} items`)
  for (const [index, item] of value.entries()) {
    const wrong = check(schema.items, item, inside(at, String(index)))
    if (wrong) return wrong
  }
  return null
}

function checkText(schema: TextSchema, value: unknown, at: Place): MeshBoxError | null {
  if (typeof value !== 'string') return refuse(at, value, 'a text')
  // Units before characters: counting the characters of a huge text would be work for nothing.
  const length = value.length > 2 * schema.max ? value.length : [...value].length
  // Of a text of one length (a key, an address) the words say more than the length does.
  const lengths = schema.min === schema.max ? `${schema.min} characters` : `${schema.min} to ${schema.max} characters`
  if (length < schema.min || length > schema.max) return refuse(at, value, schema.min === schema.max && schema.pattern !== null ? schema.words : lengths)
  return schema.pattern === null || schema.pattern.test(value) ? null : refuse(at, value, schema.words)
}

function inside(at: Place, name: string): Place {
  return { where: at.where, path: [...at.path, name] }
}

/** Fields whose value is never repeated. */
const SECRET_FIELDS = new Set(['password', 'current', 'next', 'setupCode', 'words', 'code', 'receipt', 'appKey', 'nwkKey', 'nwkSKey', 'fNwkSIntKey', 'sNwkSIntKey', 'nwkSEncKey', 'appSKey', 'clientKey'])

function refuse(at: Place, value: unknown, allowed: string): MeshBoxError {
  const isSecret = at.path.some((name) => SECRET_FIELDS.has(name)) && value !== 'nothing'
  return inputError(at.path.length === 0 ? at.where : at.path.join('.').slice(0, 80), isSecret ? '(hidden)' : value, allowed)
}
