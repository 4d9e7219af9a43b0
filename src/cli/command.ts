/** What a command is: its words, its options, its help, and what it does. One file each in commands/. */
import { MeshBoxError } from '../base/index.ts'
import type { CliIo } from './cli-io.ts'
import type { ControlClient } from './control-client.ts'

export interface OptionSpec {
  /** Without dashes: `valid-until`. */
  readonly name: string
  /** What the value is called in help; left out for a flag. */
  readonly value?: string
  readonly help: string
}

export interface ArgumentSpec {
  /** As help shows it: `ID`. */
  readonly name: string
  readonly optional?: boolean
}

export interface CommandSpec {
  /** `['voucher', 'create']` */
  readonly words: readonly string[]
  /** One line for the list of commands. */
  readonly summary: string
  /** More for `--help`; broken into lines there. */
  readonly details?: string
  readonly arguments?: readonly ArgumentSpec[]
  readonly options?: readonly OptionSpec[]
  /** What `meshbox <first word>` alone means. */
  readonly isDefault?: boolean
  run(context: Context): Promise<Result>
}

export interface Context {
  readonly args: readonly string[]
  readonly options: ReadonlyMap<string, string | true>
  readonly io: CliIo
  /** Connects on first use. */
  readonly service: ControlClient
  /** Runs long work with a line on the terminal that says what is going on. */
  busy<T>(what: string, work: Promise<T>): Promise<T>
}

export interface Result {
  /** For `--json`: one JSON document. */
  readonly json: unknown
  /** For people; ends without a newline. Raw text (a sheet, a file) is printed as it is. */
  readonly text: string
  readonly exitCode?: number
}

/** Wrong use of a command: exit code 2. */
export function usageError(message: string): MeshBoxError {
  return new MeshBoxError('input', message, { code: 'usage' })
}

export function textOption(context: Context, name: string): string | undefined {
  const value = context.options.get(name)
  return typeof value === 'string' ? value : undefined
}

export function hasFlag(context: Context, name: string): boolean {
  return context.options.get(name) === true
}

/** A whole number from an option. */
export function numberOption(context: Context, name: string, minimum: number, maximum: number): number | undefined {
  const text = textOption(context, name)
  if (text === undefined) return undefined
  const value = Number(text)
  if (!/^\d{1,16}$/.test(text) || value < minimum || value > maximum)
    throw usageError(`--${name}: '${text}' is not allowed; allowed: ${minimum} to ${maximum}`)
  return value
}

/** Positional argument `index`; the parser has seen to it that it is there. */
export function argument(context: Context, index: number): string {
  return context.args[index] ?? ''
}
