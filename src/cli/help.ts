/** Help texts, made from the table of commands; pure. */
import { GLOBAL_OPTIONS, usageLine } from './arguments.ts'
import type { CommandSpec, OptionSpec } from './command.ts'
import { wrap } from './text.ts'

const EXIT_CODES = `Exit code: 0 done, 1 it did not work, 2 the command was not understood.`

/** Every command with its one line. */
export function overview(commands: readonly CommandSpec[]): string {
  const width = Math.max(...commands.map((command) => usageOf(command).length))
  const lines = commands.map((command) => `  ${usageOf(command).padEnd(width)}  ${command.summary}`)
  return ['Usage: meshbox <command> [options]', '', ...lines, '', 'Options of every command:', optionLines(GLOBAL_OPTIONS), '', '`meshbox <command> --help` tells more.', EXIT_CODES].join('\n')
}

/** `others`: commands that begin with the same words. */
export function helpOf(command: CommandSpec, others: readonly CommandSpec[]): string {
  const parts = [`Usage: ${usageLine(command)}`, '', wrap(sentence(command.summary))]
  if (command.details !== undefined) parts.push('', wrap(command.details.replace(/\s+/g, ' ')))
  if (command.options?.length) parts.push('', 'Options:', optionLines(command.options))
  parts.push('', 'Options of every command:', optionLines(GLOBAL_OPTIONS))
  if (others.length > 0) parts.push('', 'See also:', ...others.map((other) => `  ${usageLine(other)}`))
  parts.push('', EXIT_CODES)
  return parts.join('\n')
}

/** The commands that begin with this word. */
export function groupHelp(commands: readonly CommandSpec[]): string {
  const lines = commands.map((command) => `  ${usageLine(command)}\n${wrap(sentence(command.summary), '      ')}`)
  return [...lines, '', '`meshbox <command> --help` tells more.'].join('\n')
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`
}

function usageOf(command: CommandSpec): string {
  return [...command.words, ...(command.arguments ?? []).map((spec) => (spec.optional ? `[${spec.name}]` : spec.name))].join(' ')
}

function optionLines(options: readonly OptionSpec[]): string {
  const shown = options.map((option) => ({ left: `--${option.name}${option.value === undefined ? '' : ` ${option.value}`}`, help: option.help }))
  const width = Math.max(...shown.map((one) => one.left.length))
  return shown.map((one) => `  ${one.left.padEnd(width)}  ${one.help}`).join('\n')
}
