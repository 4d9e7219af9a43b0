/** The `meshbox` command: words → command → service or file → text or JSON → exit code. */
import { MeshBoxError, asError } from '../base/index.ts'
import { checkArguments, findCommand, parseOptions, takeGlobals, unknownOption } from './arguments.ts'
import type { CliIo } from './cli-io.ts'
import { COMMANDS } from './commands.ts'
import { ControlClient } from './control-client.ts'
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from './exit-codes.ts'
import { groupHelp, helpOf, overview } from './help.ts'
import { withProgress } from './progress.ts'
import { plain } from './text.ts'

/** The default of `option control_socket`. */
const DEFAULT_SOCKET = '/var/run/meshbox.sock'

/**
 * Runs one command. `argv` is what follows the program's name. Never throws; the number is the exit code
 * (exit-codes.ts). Let the process end by itself afterwards, so that long output is not cut off.
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  // Asked of the raw words, because an error in reading them must be told in the form that was asked for.
  const isJson = argv.includes('--json')
  try {
    return await run(argv, io)
  } catch (thrown) {
    const error = thrown instanceof MeshBoxError ? thrown : unexpected(thrown)
    const isUsage = error.code === 'usage'
    if (isJson) io.stdout(`${JSON.stringify(error.toPublic(), null, 2)}\n`)
    else io.stderr(`meshbox: ${errorText(error)}\n${isUsage ? `Try: ${helpCommand(argv)}\n` : ''}`)
    return isUsage ? EXIT_USAGE : EXIT_FAILED
  }
}

async function run(argv: readonly string[], io: CliIo): Promise<number> {
  const { globals, rest } = takeGlobals(argv)
  const [first] = rest
  if (first === 'help' || globals.has('help')) {
    io.stdout(`${helpFor(first === 'help' ? rest.slice(1) : leadingWords(rest))}\n`)
    return EXIT_OK
  }
  const found = findCommand(COMMANDS, leadingWords(rest))
  if (found === null) {
    if (first !== undefined) throw unknownOption(first, [])
    io.stderr(`${overview(COMMANDS)}\n`)
    return EXIT_USAGE
  }
  const { command } = found
  const { args, options } = parseOptions(rest.slice(found.used), command)
  checkArguments(args, command)
  const socket = globals.get('socket')
  const result = await command.run({
    args,
    options,
    io,
    service: new ControlClient(typeof socket === 'string' ? socket : (io.env['MESHBOX_SOCKET'] ?? DEFAULT_SOCKET)),
    busy: (what, work) => withProgress(io, what, work),
  })
  io.stdout(globals.has('json') ? `${JSON.stringify(result.json, null, 2)}\n` : `${result.text}\n`)
  return result.exitCode ?? EXIT_OK
}

/** Up to the first option. */
function leadingWords(tokens: readonly string[]): string[] {
  const end = tokens.findIndex((token) => token.startsWith('-'))
  return tokens.slice(0, end < 0 ? tokens.length : end)
}

/** For all, for the commands that begin with a word, or for one. */
function helpFor(words: readonly string[]): string {
  if (words.length === 0) return overview(COMMANDS)
  const under = COMMANDS.filter((command) => words.every((word, index) => command.words[index] === word))
  const own = under.find((command) => command.words.length === words.length)
  if (own) return helpOf(own, under.filter((command) => command !== own))
  if (under.length > 0) return groupHelp(under)
  const found = findCommand(COMMANDS, words) // says which command was meant when there is none
  return found === null ? overview(COMMANDS) : helpOf(found.command, [])
}

/** The help that fits a line that was not understood. */
function helpCommand(argv: readonly string[]): string {
  const words = leadingWords(argv)
  const own = COMMANDS.filter((command) => command.words.every((word, index) => words[index] === word))
  const longest = own.sort((a, b) => b.words.length - a.words.length)[0]
  return longest ? `meshbox ${longest.words.join(' ')} --help` : 'meshbox help'
}

function errorText(error: MeshBoxError): string {
  const text = error.message.split('\n').map(plain).join('\n')
  return error.retryAfterSeconds === undefined || text.includes('wait') ? text : `${text} (wait ${error.retryAfterSeconds} s)`
}

function unexpected(thrown: unknown): MeshBoxError {
  return new MeshBoxError('internal', `unexpected: ${asError(thrown).message}`, { code: 'internal', cause: thrown })
}
