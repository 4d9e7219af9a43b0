/**
 * How a secret lies in its file: one JSON object with a format name, its fields as text, and a check sum over
 * all of it, so that a single flipped bit is noticed before a wrong key is used.
 */
import { createHash } from 'node:crypto'
import { MeshBoxError } from '../base/index.ts'

export type RecordFields = Readonly<Record<string, string>>

export function encodeRecord(format: string, fields: RecordFields): string {
  return `${JSON.stringify({ format, ...fields, check: checkSum(format, fields) })}\n`
}

/**
 * The fields named, no more and no less. Throws unavailable `secret-damaged`, which names the file and says
 * `whatToDo`, and shows nothing of the contents.
 */
export function decodeRecord<Name extends string>(text: string, format: string, names: readonly Name[], path: string, whatToDo: string): Record<Name, string> {
  const damaged = (why: string): MeshBoxError =>
    new MeshBoxError('unavailable', `${path} is damaged (${why}). It was left as it is. ${whatToDo}`, { code: 'secret-damaged', value: path })
  const parsed = parseObject(text)
  if (!parsed) throw damaged('it is not what was written there')
  if (parsed.format !== format) throw damaged(`its format is not ${format}`)
  const fields: Record<string, string> = {}
  for (const name of names) {
    const value = parsed[name]
    if (typeof value !== 'string') throw damaged(`'${name}' is missing`)
    fields[name] = value
  }
  if (encodeRecord(format, fields) !== text || parsed.check !== checkSum(format, fields)) throw damaged('its check sum does not fit')
  return fields as Record<Name, string>
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Record<string, unknown>) : null
  } catch {
    return null // said by the caller, without the parser's message: it would quote the secret
  }
}

function checkSum(format: string, fields: RecordFields): string {
  return createHash('sha256').update(JSON.stringify([format, Object.entries(fields)])).digest('hex').slice(0, 32)
}
