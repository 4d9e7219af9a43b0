/** Commands whose result is a text of its own: to standard output, or to a new file with --output. */
import { textOption } from '../command.ts'
import type { Context, OptionSpec, Result } from '../command.ts'
import { writeNewFile } from '../files.ts'

export const OUTPUT_OPTION: OptionSpec = { name: 'output', value: 'FILE', help: 'write to this new file instead of standard output' }

/** `name`: what the text is called in the JSON document. */
export function deliver(context: Context, name: string, text: string): Result {
  const path = textOption(context, 'output')
  if (path === undefined) return { json: { [name]: text }, text: text.replace(/\n$/, '') }
  const written = writeNewFile(context.io, path, text)
  const bytes = Buffer.byteLength(text)
  return { json: { path: written, bytes }, text: `${written}: ${bytes} bytes` }
}
