/**
 * Vouchers as CSV (RFC 4180: CRLF, quotes doubled, a header line), safe to open in a spreadsheet: a text
 * that one would take for a formula (OWASP "CSV injection") gets an apostrophe in front.
 *
 * The voucher's number stands in three columns, because `1.2.24` would be read as a date.
 */
import type { VoucherNumber } from './code.ts'

export interface VoucherCsvRow extends VoucherNumber {
  /** `ABCDE-FGHJK` */
  readonly code: string
  readonly qrUrl: string
  readonly batch: string
  readonly label: string
  /** null = not limited. */
  readonly seconds: number | null
  readonly bytes: number | null
  /** Decimal text of what it puts into a payment channel; null = nothing. */
  readonly tokensText: string | null
  readonly devices: number
  /** Decimal text, e.g. `1.5`. */
  readonly priceText: string
  readonly tokenSymbol: string
  /** `YYYY-MM-DD`, null = no last day. */
  readonly validUntilText: string | null
  readonly state: 'unused' | 'used' | 'revoked'
}

const COLUMNS: readonly (readonly [header: string, cell: (row: VoucherCsvRow) => string | number | null])[] = [
  ['code', (row) => row.code],
  ['label', (row) => row.label],
  ['price', (row) => row.priceText],
  ['token', (row) => row.tokenSymbol],
  ['seconds', (row) => row.seconds],
  ['bytes', (row) => row.bytes],
  ['worth', (row) => row.tokensText],
  ['devices', (row) => row.devices],
  ['valid_until', (row) => row.validUntilText],
  ['state', (row) => row.state],
  ['batch', (row) => row.batch],
  ['slot', (row) => row.slot],
  ['box', (row) => row.box],
  ['serial', (row) => row.serial],
  ['url', (row) => row.qrUrl],
]

/** UTF-8 text without a byte-order mark; whoever serves it to a spreadsheet may put one in front. */
export function voucherCsv(rows: readonly VoucherCsvRow[]): string {
  const lines = [COLUMNS.map(([header]) => header), ...rows.map((row) => COLUMNS.map(([, cell]) => csvCell(cell(row))))]
  return lines.map((cells) => `${cells.join(',')}\r\n`).join('')
}

/** Spreadsheets also skip leading white space before they look for a formula, and know the full-width signs. */
const FORMULA = /^[\s\u0000]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/

function csvCell(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = FORMULA.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text
}
