/**
 * Token amounts on the page. All sums are done on the exact smallest units (bigint); text is cut only for
 * showing, never rounded up, and the exact amount stays reachable.
 */
import { formatAmount } from '../../base/amount.ts'
import type { Money, TokenJson } from '../../owner/api.ts'

const SHOWN_DECIMALS = 6

export function unitsOf(money: Money): bigint {
  return BigInt(money.units)
}

/** '1234.5' → '1,234.50'; more than six decimals are cut and marked: '0.123456…'. */
export function showAmount(units: bigint, decimals: number): string {
  const exact = formatAmount(units < 0n ? -units : units, decimals)
  const [whole = '0', fraction = ''] = exact.split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  const cut = fraction.length > SHOWN_DECIMALS ? `${fraction.slice(0, SHOWN_DECIMALS)}…` : fraction
  const padded = cut.length === 1 && decimals >= 2 ? `${cut}0` : cut
  return `${units < 0n ? '−' : ''}${grouped}${padded === '' ? '' : `.${padded}`}`
}

/** With the symbol: '12.50 MBX'. */
export function showMoney(units: bigint, token: TokenJson): string {
  return `${showAmount(units, token.decimals)}\u00a0${token.symbol}`
}

/** At most two decimals, cut: '4.01 MBX', for an estimate. */
export function showRough(units: bigint, token: TokenJson): string {
  const step = 10n ** BigInt(Math.max(0, token.decimals - 2))
  return showMoney((units / step) * step, token)
}

/** part/whole in per mille, for the width of a bar; a drawing, so a JS number will do. */
export function perMille(part: bigint, whole: bigint): number {
  if (whole <= 0n || part <= 0n) return 0
  return Number((part * 1000n) / whole)
}

/**
 * A typed decimal number with a point, or null. A comma is taken for a point, as many keyboards offer
 * nothing else, unless three digits follow: '1,500' could be either, and is refused.
 */
export function typedDecimal(text: string): string | null {
  const match = /^(\d{1,30})(?:([.,])(\d*))?$/.exec(text.trim())
  const [, whole = '', mark, fraction = ''] = match ?? []
  if (whole === '' || (mark === ',' && fraction.length === 3)) return null
  return fraction === '' ? whole : `${whole}.${fraction}`
}

/** The exact smallest units of a typed price, or null while it is not a number this token can have. */
export function typedUnits(text: string, decimals: number): bigint | null {
  const [whole, fraction = ''] = typedDecimal(text)?.split('.') ?? []
  return whole === undefined || fraction.length > decimals ? null : BigInt(whole + fraction.padEnd(decimals, '0'))
}
