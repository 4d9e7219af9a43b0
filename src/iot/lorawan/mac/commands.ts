/** MAC commands ↔ bytes, by the rows of layouts.ts. They stand one after the other, each CID 1 | payload, in FOpts or on port 0. */
import { inputError } from '../../../base/index.ts'
import type { Direction } from '../frame.ts'
import { copyOf, readLittle, writeLittle } from '../octets.ts'
import { DOWN, UP } from './layouts.ts'
import type { CommandLayout, FieldLayout } from './layouts.ts'

type Rows = Readonly<Record<string, CommandLayout>>
/** One row's command: `{ name: 'DevStatusAns', battery: 254, margin: -3 }`. Flags are 0 or 1. */
type CommandOf<R extends Rows> = { readonly [K in keyof R]: { readonly name: K } & { readonly [F in keyof R[K]['fields']]: number } }[keyof R]

export type UpCommand = CommandOf<typeof UP>
export type DownCommand = CommandOf<typeof DOWN>

export interface CommandsRead<C> {
  readonly commands: readonly C[]
  /** From the first unknown or cut-off command on: its length is not known, so nothing after it is either. Empty: all were read. */
  readonly unread: Uint8Array
}

const UP_BY_CID = byCid(UP)
const DOWN_BY_CID = byCid(DOWN)

/** Never throws. */
export function readUpCommands(bytes: Uint8Array): CommandsRead<UpCommand> {
  return read<UpCommand>(UP_BY_CID, bytes)
}

/** Never throws. */
export function readDownCommands(bytes: Uint8Array): CommandsRead<DownCommand> {
  return read<DownCommand>(DOWN_BY_CID, bytes)
}

/** Errors: input, naming command and field. */
export function writeUpCommands(commands: readonly UpCommand[]): Uint8Array {
  return write(UP, commands)
}

/** Errors: input, naming command and field. */
export function writeDownCommands(commands: readonly DownCommand[]): Uint8Array {
  return write(DOWN, commands)
}

/** Bytes with its CID; null: no such command in that direction. */
export function commandBytes(direction: Direction, cid: number): number | null {
  const row = (direction === 'up' ? UP_BY_CID : DOWN_BY_CID).get(cid)
  return row === undefined ? null : 1 + row.layout.bytes
}

function byCid(rows: Rows): ReadonlyMap<number, { readonly name: string; readonly layout: CommandLayout }> {
  return new Map(Object.entries(rows).map(([name, layout]) => [layout.cid, { name, layout }]))
}

function read<C>(rows: ReturnType<typeof byCid>, bytes: Uint8Array): CommandsRead<C> {
  const commands: C[] = []
  let at = 0
  while (at < bytes.length) {
    const row = rows.get(bytes[at] ?? 0)
    if (row === undefined || at + 1 + row.layout.bytes > bytes.length) break
    const whole = readLittle(bytes, at + 1, row.layout.bytes)
    const fields = Object.entries(row.layout.fields).map(([name, layout]) => [name, fieldOf(whole, layout)])
    commands.push({ name: row.name, ...Object.fromEntries(fields) } as C) // the rows are what C is made of
    at += 1 + row.layout.bytes
  }
  return { commands, unread: copyOf(bytes, at) }
}

function write(rows: Rows, commands: readonly { readonly name: string }[]): Uint8Array {
  const parts: number[] = []
  for (const command of commands) {
    const layout = Object.hasOwn(rows, command.name) ? rows[command.name] : undefined
    if (layout === undefined) throw inputError('mac-command', command.name, Object.keys(rows).join(', '))
    const values = command as unknown as Readonly<Record<string, unknown>>
    const unknown = Object.keys(values).find((name) => name !== 'name' && !Object.hasOwn(layout.fields, name))
    if (unknown !== undefined) throw inputError(`${command.name}.${unknown}`, values[unknown], `fields: ${Object.keys(layout.fields).join(', ') || 'none'}`)
    let whole = 0
    for (const [name, field] of Object.entries(layout.fields)) whole += unitsOf(values[name], field, `${command.name}.${name}`) * 2 ** field[0]
    const bytes = new Uint8Array(1 + layout.bytes)
    bytes[0] = layout.cid
    writeLittle(bytes, 1, layout.bytes, whole)
    parts.push(...bytes)
  }
  return Uint8Array.from(parts)
}

function fieldOf(whole: number, [firstBit, bits, form]: FieldLayout): number {
  const units = Math.floor(whole / 2 ** firstBit) % 2 ** bits
  if (form === 'x100') return units * 100
  return form === 'signed' && units >= 2 ** (bits - 1) ? units - 2 ** bits : units
}

function unitsOf(value: unknown, [, bits, form]: FieldLayout, field: string): number {
  const step = form === 'x100' ? 100 : 1
  const [least, most] = form === 'signed' ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, (2 ** bits - 1) * step]
  if (typeof value !== 'number' || !Number.isInteger(value / step) || value < least || value > most)
    throw inputError(field, value ?? null, `${step === 1 ? 'a whole number' : `a multiple of ${step}`} from ${least} to ${most}`)
  const units = value / step
  return units < 0 ? units + 2 ** bits : units
}
