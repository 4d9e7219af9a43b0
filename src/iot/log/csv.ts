/**
 * Readings as CSV: RFC 4180, lines end in CRLF. A text that a spreadsheet would take for a formula (it begins with = + - @, a tab or a
 * line end) gets an apostrophe in front; numbers are written as numbers.
 */
import { toHex } from '../../base/index.ts'
import type { Reading } from '../ports.ts'

const FIRST = ['time', 'clock_trusted', 'device', 'dev_eui', 'counter', 'port', 'late', 'payload', 'gateways', 'rssi_dbm', 'snr_db', 'problem'] as const

/** `names`: of the values, one column each. */
export function csvHeader(names: readonly string[]): string {
  return line([...FIRST, ...names])
}

export function csvLine(reading: Reading, names: readonly string[]): string {
  const best = reading.copies[0]
  const values = new Map((reading.values ?? []).map(({ name, value }) => [name, value]))
  return line([
    timeText(reading.at.wallMs),
    reading.at.wallTrusted,
    reading.deviceName,
    reading.devEui,
    reading.fCnt,
    reading.fPort,
    reading.isLate,
    toHex(reading.payload),
    reading.copies.length,
    best?.rssiDbm ?? null,
    best?.snrDb ?? null,
    reading.problem,
    ...names.map((name) => values.get(name) ?? null),
  ])
}

function line(cells: readonly (string | number | boolean | null)[]): string {
  return `${cells.map(cellOf).join(',')}\r\n`
}

function cellOf(cell: string | number | boolean | null): string {
  if (cell === null) return ''
  if (typeof cell !== 'string') return String(cell)
  const safe = /^[=+\-@\t\r\n]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** A clock that was never set may say anything. */
function timeText(wallMs: number): string {
  const date = new Date(wallMs)
  return Number.isNaN(date.getTime()) ? '' : date.toISOString()
}
