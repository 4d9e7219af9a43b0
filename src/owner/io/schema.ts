/**
 * Building blocks of the JSON schemas (draft 07, as Ajv reads it) that every request is checked against.
 * Nothing is coerced, nothing unknown is let through. Query values are texts: numbers in them are checked
 * by form here and turned into numbers by `numberOf`.
 */
export type Schema = Readonly<Record<string, unknown>>

export interface RequestSchema {
  readonly params?: Schema
  readonly querystring?: Schema
  readonly body?: Schema
}

/** An object with exactly these fields; `required` names those that must be there. */
export function object(properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema {
  return { type: 'object', properties, required, additionalProperties: false }
}

export const NOTHING = object({})

export function integer(minimum: number, maximum: number): Schema {
  return { type: 'integer', minimum, maximum }
}

export function orNull(schema: Schema): Schema {
  return { ...schema, type: [schema['type'], 'null'] }
}

export function oneOf(...values: readonly string[]): Schema {
  return { type: 'string', enum: values }
}

export function list(items: Schema, maxItems: number, minItems = 0): Schema {
  return { type: 'array', items, minItems, maxItems }
}

export const boolean: Schema = { type: 'boolean' }

const WORDS = new Map<string, string>()

/** What a pattern asks for, for the person who did not meet it. */
export function wordsOfPattern(pattern: string): string {
  return WORDS.get(pattern) ?? `text of the form ${pattern}`
}

function text(minLength: number, maxLength: number, pattern: string, words: string): Schema {
  WORDS.set(pattern, words)
  return { type: 'string', minLength, maxLength, pattern }
}

/** One line of text without control characters. */
export function line(maxLength: number, minLength = 1): Schema {
  return text(minLength, maxLength, '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$', 'one line of text without control characters')
}

/** How many digits the token allows is checked where its decimals are known. */
export const price: Schema = text(1, 80, '^[0-9]+(\\.[0-9]+)?$', 'a price in tokens, such as 10 or 0.5')
/** How many digits after the point is checked where the price is made of it. */
export const minutesPerToken: Schema = { type: 'number', minimum: 0, maximum: 525_600 }
/** Id of a session, voucher, package or batch: what our rooms give out, with room to spare. */
export const id: Schema = text(1, 64, '^[A-Za-z0-9._:-]+$', 'letters, digits, and . _ : -')
export const date: Schema = text(10, 10, '^[0-9]{4}-[0-9]{2}-[0-9]{2}$', 'a date YYYY-MM-DD')
/** Years 2020 to 2199. */
export const wallMs: Schema = integer(1_577_836_800_000, 7_258_118_399_999)
/** Anything a person may type as a password; how long it must be is the business of its room. */
export const password: Schema = { type: 'string', minLength: 1, maxLength: 256 }

/** A whole number in a query; its range is checked by `numberOf`. */
export const queryNumber: Schema = text(1, 16, '^(0|[1-9][0-9]*)$', 'a whole number')

/** Fields whose value is never repeated in an error. */
const SECRET_FIELDS = new Set(['password', 'current', 'next', 'setupCode', 'words', 'code', 'receipt'])

export function isSecretField(field: string): boolean {
  return field.split(/[./[\]]/).some((part) => SECRET_FIELDS.has(part))
}
