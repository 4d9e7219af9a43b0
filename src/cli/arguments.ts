/** Words of a command line → the command, its arguments and options; pure. */
import type { MeshBoxError } from '../base/index.ts'
import type { CommandSpec, OptionSpec } from './command.ts'
import { usageError } from './command.ts'
import { nearest } from './nearest.ts'

export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  { name: 'json', help: 'print one JSON document instead of text' },
  { name: 'socket', value: 'PATH', help: 'control socket of the service (or set MESHBOX_SOCKET)' },
  { name: 'help', help: 'show this help' },
]

export interface ParsedOptions {
  readonly args: readonly string[]
  readonly options: ReadonlyMap<string, string | true>
}

/**
 * The command the words name. Words that are left over are its arguments. `null` when there are no words.
 * Throws usage errors, with the nearest command if one is near.
 */
export function findCommand(commands: readonly CommandSpec[], words: readonly string[]): { command: CommandSpec; used: number } | null {
  if (words.length === 0) return null
  let best: CommandSpec | undefined
  for (const command of commands) {
    const fits = command.words.every((word, index) => words[index] === word)
    if (fits && command.words.length > (best?.words.length ?? 0)) best = command
  }
  if (best) return { command: best, used: best.words.length }
  const [first = '', ...after] = words
  const standard = commands.find((command) => command.words[0] === first && command.isDefault)
  if (standard && after.length === 0) return { command: standard, used: 1 }
  const started = commands.filter((command) => words.every((word, index) => command.words[index] === word))
  if (started.length > 0) throw usageError(`meshbox ${words.join(' ')}: which one? ${started.map((command) => command.words.slice(words.length).join(' ')).join(', ')}`)
  const group = commands.filter((command) => command.words[0] === first)
  if (group.length > 0) {
    const subs = [...new Set(group.map((command) => command.words.slice(1).join(' ')).filter((sub) => sub !== ''))]
    const near = nearest(after.slice(0, 2).join(' '), subs) ?? nearest(after[0] ?? '', subs)
    throw usageError(`unknown command: meshbox ${words.slice(0, 3).join(' ')}${near === null ? `; there are: ${subs.join(', ')}` : hint(near, `meshbox ${first} `)}`)
  }
  const names = [...new Set(commands.map((command) => command.words[0] ?? ''))]
  throw usageError(`unknown command: ${first}${hint(nearest(first, names), 'meshbox ')}`)
}

/** Takes the options of every command out of the line, wherever they stand before a `--`. */
export function takeGlobals(argv: readonly string[]): { globals: ReadonlyMap<string, string | true>; rest: readonly string[] } {
  const over = argv.indexOf('--')
  const [head, tail] = over < 0 ? [argv, []] : [argv.slice(0, over), argv.slice(over)]
  const globals = new Map<string, string | true>()
  const rest: string[] = []
  for (let index = 0; index < head.length; index++) {
    const token = head[index] ?? ''
    const read = readOption(token, head[index + 1], GLOBAL_OPTIONS, globals)
    if (read === null) rest.push(token)
    else index += read
  }
  return { globals, rest: [...rest, ...tail] }
}

/** Splits what follows the command's words into its arguments and its own options. */
export function parseOptions(tokens: readonly string[], command: CommandSpec): ParsedOptions {
  const specs = command.options ?? []
  const args: string[] = []
  const options = new Map<string, string | true>()
  let isOver = false
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index] ?? ''
    if (isOver || !token.startsWith('-') || token === '-') args.push(token)
    else if (token === '--') isOver = true
    else {
      const read = readOption(token, tokens[index + 1], specs, options)
      if (read === null) throw unknownOption(token, specs)
      index += read
    }
  }
  return { args, options }
}

/** Puts the option into `into`; how many further tokens it took, or null when none of the specs is meant. */
function readOption(token: string, next: string | undefined, specs: readonly OptionSpec[], into: Map<string, string | true>): number | null {
  const [typed, inline] = splitOnce(token === '-h' ? '--help' : token)
  const spec = specs.find((known) => `--${known.name}` === typed)
  if (!spec) return null
  if (into.has(spec.name)) throw usageError(`--${spec.name} is given twice`)
  if (spec.value === undefined) {
    if (inline !== undefined) throw usageError(`--${spec.name} takes no value`)
    into.set(spec.name, true)
    return 0
  }
  const value = inline ?? next
  if (value === undefined) throw usageError(`--${spec.name} needs a value: ${spec.value}`)
  into.set(spec.name, value)
  return inline === undefined ? 1 : 0
}

export function unknownOption(token: string, specs: readonly OptionSpec[]): MeshBoxError {
  const [typed] = splitOnce(token)
  const names = [...specs, ...GLOBAL_OPTIONS].map((known) => known.name)
  return usageError(`unknown option: ${typed}${hint(nearest(typed.replace(/^-+/, ''), names), '--')}`)
}

/** Throws unless there are as many arguments as the command takes. */
export function checkArguments(args: readonly string[], command: CommandSpec): void {
  const specs = command.arguments ?? []
  const missing = specs.find((spec, index) => spec.optional !== true && (args[index] ?? '') === '')
  if (missing) throw usageError(`${missing.name} is missing: ${usageLine(command)}`)
  const extra = args[specs.length]
  if (extra !== undefined) throw usageError(`unexpected argument '${extra}': ${usageLine(command)}`)
}

export function usageLine(command: CommandSpec): string {
  const args = (command.arguments ?? []).map((spec) => (spec.optional ? `[${spec.name}]` : spec.name))
  return ['meshbox', ...command.words, ...args, ...(command.options?.length ? ['[options]'] : [])].join(' ')
}

function splitOnce(token: string): [string, string | undefined] {
  const at = token.indexOf('=')
  return at < 0 ? [token, undefined] : [token.slice(0, at), token.slice(at + 1)]
}

function hint(name: string | null, prefix: string): string {
  return name === null ? '' : `; did you mean '${prefix}${name}'?`
}
