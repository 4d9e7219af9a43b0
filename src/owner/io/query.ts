/** Numbers out of a query whose form the schema has checked already. */
import { inputError } from '../../base/index.ts'

/** undefined when it is not there. Throws `input` outside the range. */
export function numberOf(query: Readonly<Record<string, string>>, name: string, minimum: number, maximum: number): number | undefined {
  const text = query[name]
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < minimum || value > maximum) throw inputError(name, text, `${minimum}..${maximum}`)
  return value
}
