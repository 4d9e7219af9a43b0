/**
 * What a codec's JavaScript returned, as named values: `{soil: {moisture: 18}, door: true}` → `soil_moisture` 18, `door` true. Bounded in
 * number, depth and length, since it was made from bytes off the air by code that was found on the Internet.
 */
import type { Value } from '../ports.ts'

export const MAX_VALUES = 256
const MAX_NAME = 64
const MAX_TEXT = 256
const MAX_DEPTH = 6

/** Numbers that are not finite, null and what is nested too deep are left out. The first of two that get the same name counts. */
export function valuesOf(data: unknown): readonly Value[] {
  const values = new Map<string, Value>()
  collect(values, '', data, 0)
  return [...values.values()]
}

function collect(into: Map<string, Value>, name: string, given: unknown, depth: number): void {
  if (into.size >= MAX_VALUES || depth > MAX_DEPTH) return
  if (typeof given === 'object' && given !== null) {
    for (const [key, inner] of Object.entries(given)) {
      if (into.size >= MAX_VALUES) return
      collect(into, name === '' ? key : `${name}_${key}`, inner, depth + 1)
    }
    return
  }
  if (typeof given !== 'boolean' && typeof given !== 'string' && !(typeof given === 'number' && Number.isFinite(given))) return
  const clean = nameOf(name)
  if (clean === '' || into.has(clean)) return
  into.set(clean, { name: clean, value: typeof given === 'string' ? given.slice(0, MAX_TEXT) : given, unit: null })
}

/** Letters, digits and _, at most 64: it becomes a column, a topic's key and part of a template. */
function nameOf(name: string): string {
  return name
    .slice(0, 4 * MAX_NAME)
    .replace(/[^A-Za-z0-9_]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, MAX_NAME)
}
