/** Twelve words from the terminal, without showing them, or from standard input. */
import type { CliIo } from '../cli-io.ts'
import { usageError } from '../command.ts'

const MAX_WORDS_BYTES = 1024
const WORDS = 12

/** Errors: usage, when there are not twelve. */
export async function readTwelveWords(io: CliIo): Promise<string[]> {
  const typed = (io.stdinIsTty ? await io.readSecret('The 12 words (not shown): ') : await io.readStdin(MAX_WORDS_BYTES)).trim()
  const words = typed === '' ? [] : typed.toLowerCase().split(/\s+/)
  if (words.length !== WORDS) throw usageError(`these are ${words.length} words; there are ${WORDS}, separated by spaces`)
  return words
}
