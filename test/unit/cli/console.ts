/** The command line without a terminal: what it printed, what it was given. */
import { runCli } from '../../../src/cli/index.ts'
import type { CliIo } from '../../../src/cli/index.ts'

export interface Run {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface Given {
  readonly stdin?: string
  /** Answers to hidden questions; makes standard input a terminal. */
  readonly secrets?: readonly string[]
  readonly env?: Record<string, string>
  readonly cwd?: string
  readonly stderrIsTty?: boolean
}

/** A line as the shell splits it: words, '…' and "…". */
export async function meshbox(line: string | readonly string[], given: Given = {}): Promise<Run> {
  const argv = typeof line === 'string' ? [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '') : line
  let [out, err] = ['', '']
  const secrets = [...(given.secrets ?? [])]
  const io: CliIo = {
    stdout: (text) => void (out += typeof text === 'string' ? text : Buffer.from(text).toString('latin1')),
    stderr: (text) => void (err += text),
    readStdin: async () => given.stdin ?? '',
    readSecret: async (prompt) => {
      err += prompt
      const answer = secrets.shift()
      if (answer === undefined) throw new Error('asked more often than there are answers')
      return answer
    },
    stdinIsTty: given.secrets !== undefined,
    stderrIsTty: given.stderrIsTty ?? false,
    env: given.env ?? {},
    cwd: given.cwd ?? '/',
  }
  return { code: await runCli(argv, io), out, err }
}
