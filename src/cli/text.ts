/** How values look on an 80-column terminal; pure. Control characters never reach it. */
import type { Money, TokenJson } from '../owner/api/index.ts'

const COLUMNS = 80

/** One line of harmless text. */
export function plain(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/g, '\ufffd')
}

/** `1:02:03`, `2 d 3 h` */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const days = Math.floor(whole / 86_400)
  const hours = Math.floor((whole % 86_400) / 3600)
  if (days > 0) return hours === 0 ? `${days} d` : `${days} d ${hours} h`
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${hours}:${two(Math.floor((whole % 3600) / 60))}:${two(whole % 60)}`
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** `12.3 MiB` */
export function bytes(count: number): string {
  let value = Math.max(0, count)
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.floor(value) : Math.floor(value * 10) / 10} ${UNITS[unit]}`
}

/** `2026-01-31 23:59` UTC */
export function moment(wallMs: number): string {
  return Number.isFinite(wallMs) && Math.abs(wallMs) <= 8.64e15 ? new Date(wallMs).toISOString().slice(0, 16).replace('T', ' ') : 'unknown'
}

export function tokens(amount: Money, token: TokenJson): string {
  return `${amount.text} ${plain(token.symbol)}`
}

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** Cut to what is left of the line; at most one column. */
  readonly stretch?: boolean
}

/** A table of at most 80 columns; the stretching column gives way. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = [columns.map((column) => column.title), ...rows.map((row) => row.map(plain))]
  const widths = columns.map((_column, index) => Math.max(...cells.map((row) => width(row[index] ?? ''))))
  const stretch = columns.findIndex((column) => column.stretch)
  const total = widths.reduce((sum, one) => sum + one, 0) + 2 * (columns.length - 1)
  if (stretch >= 0 && total > COLUMNS) widths[stretch] = Math.max(4, (widths[stretch] ?? 0) - (total - COLUMNS))
  return cells
    .map((row) =>
      columns
        .map((column, index) => pad(cut(row[index] ?? '', widths[index] ?? 0), widths[index] ?? 0, column.align ?? 'left'))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** `Name   value` lines. */
export function pairs(lines: readonly (readonly [name: string, value: string])[]): string {
  const longest = Math.max(0, ...lines.map(([name]) => width(name)))
  return lines.map(([name, value]) => `${pad(name, longest, 'left')}  ${cut(plain(value), COLUMNS - longest - 2)}`.trimEnd()).join('\n')
}

/** Words of a text in lines of at most 80 columns, each after `indent`. */
export function wrap(text: string, indent = ''): string {
  const lines: string[] = []
  let line = ''
  for (const word of plain(text).split(' ')) {
    if (line !== '' && width(indent) + width(line) + 1 + width(word) > COLUMNS) {
      lines.push(indent + line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, indent + line].join('\n')
}

function width(text: string): number {
  return [...text].length
}

function cut(text: string, max: number): string {
  return width(text) <= max ? text : `${[...text].slice(0, Math.max(0, max - 1)).join('')}…`
}

function pad(text: string, to: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, to - width(text)))
  return align === 'left' ? text + space : space + text
}
