/** Amounts as the page's language writes them: smallest units → `1.25 MBX`. */
export interface MoneyStyle {
  readonly symbol: string
  readonly decimals: number
  /** Sign between whole and part. */
  readonly decimal: string
  /** The ten digits, zero first. */
  readonly digits: string
}

/** More digits say nothing to a guest, and would not fit beside a label. */
const MAX_PLACES = 6

/** Rounded down: never more than is there. */
export function moneyText(amount: bigint, { symbol, decimals, decimal, digits }: MoneyStyle): string {
  const scale = 10n ** BigInt(decimals)
  const part = decimals === 0 ? '' : (amount % scale).toString().padStart(decimals, '0').slice(0, MAX_PLACES).replace(/0+$/, '')
  const plain = `${amount / scale}${part === '' ? '' : `.${part}`}`
  const letters = Array.from(digits)
  return `${plain.replace(/\d/g, (digit) => letters[Number(digit)] ?? digit).replace('.', decimal)}\u00a0${symbol}`
}

/** What was typed, in the page's digits or Latin ones, with a point or a comma; null: no amount. */
export function amountOf(typed: string, { decimals, digits }: MoneyStyle): bigint | null {
  const letters = Array.from(digits)
  const plain = Array.from(typed.trim(), (letter) => (letters.includes(letter) ? String(letters.indexOf(letter)) : letter)).join('').replace(/[,\u066b]/, '.')
  const [, whole = '', part = ''] = /^(\d{1,30})(?:\.(\d{1,36}))?$/.exec(plain) ?? []
  return whole === '' || part.length > decimals ? null : BigInt(whole + part.padEnd(decimals, '0'))
}

/** `1:30`, in Latin digits as the page's clock. */
export function minutesText(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`
}
