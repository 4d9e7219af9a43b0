/** JSON with integers of any size: /api/1 writes amounts as bare digits, as Go's big numbers do, /api/2 as text. Numbers are read exactly. */
import { inputError } from '../../base/index.ts'

export type AmountForm = 'digits' | 'text'

const MAX_DEPTH = 16

/** The reviver's third argument holds the number as it was written; TypeScript's library does not know it yet. */
type ExactParse = (text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown) => unknown

/** Integers come as bigint. Errors: input `body`. */
export function parseExact(text: string): unknown {
  try {
    return (JSON.parse as ExactParse)(text, (_key, value, { source }) => (typeof value === 'number' && source !== undefined && /^-?\d{1,80}$/.test(source) ? BigInt(source) : value))
  } catch (thrown) {
    if (thrown instanceof SyntaxError) throw inputError('body', text.slice(0, 20), 'valid JSON')
    if (thrown instanceof RangeError) throw inputError('body', text.slice(0, 20), 'JSON that is nested less deeply') // the reviver's stack
    throw thrown
  }
}

/** `undefined` members are left out; Map is an object. */
export function writeJson(value: unknown, amounts: AmountForm, depth = 0): string {
  if (depth > MAX_DEPTH) throw inputError('json', 'too deep', `${MAX_DEPTH} levels`)
  if (typeof value === 'bigint') return amounts === 'digits' ? value.toString() : `"${value}"`
  if (Array.isArray(value)) return `[${value.map((one) => writeJson(one ?? null, amounts, depth + 1)).join(',')}]`
  if (value instanceof Map) return writeJson(Object.fromEntries(value), amounts, depth)
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"` // as Go writes byte slices
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, inner]) => inner !== undefined)
    return `{${members.map(([name, inner]) => `${JSON.stringify(name)}:${writeJson(inner, amounts, depth + 1)}`).join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}
