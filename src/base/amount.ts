import { inputError } from './errors.ts'

/**
 * Token amounts: bigint in the token's smallest unit, from the wire to the database. Decimal text exists
 * only where a person reads or writes it.
 */
export const MAX_AMOUNT = (1n << 128n) - 1n
const MAX_DECIMALS = 36

/** '1.5' with 18 decimals → 1500000000000000000n. No sign, no exponent, no thousands separator. */
export function parseAmount(text: string, decimals: number, field = 'amount'): bigint {
  const allowed = `a decimal number with at most ${decimals} digits after the point, e.g. 0.5`
  if (!Number.isInteger(decimals) || decimals < 0 || decimals > MAX_DECIMALS)
    throw inputError('decimals', decimals, `0..${MAX_DECIMALS}`)
  if (text.length > 80) throw inputError(field, text, allowed)
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text)
  if (!match) throw inputError(field, text, allowed)
  const whole = match[1] ?? '0'
  const fraction = match[2] ?? ''
  if (fraction.length > decimals) throw inputError(field, text, allowed)
  const amount = BigInt(whole + fraction.padEnd(decimals, '0'))
  if (amount > MAX_AMOUNT) throw inputError(field, text, 'less than 2^128 smallest units')
  return amount
}

/** 1500000000000000000n with 18 decimals → '1.5'. Exact; negative amounts keep their sign. */
export function formatAmount(amount: bigint, decimals: number): string {
  const negative = amount < 0n
  const digits = (negative ? -amount : amount).toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '')
  return `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

/** amount × numerator / denominator, rounded up: what a buyer owes for a part of a unit. */
export function mulDivCeil(amount: bigint, numerator: bigint, denominator: bigint): bigint {
  return (amount * numerator + denominator - 1n) / denominator
}

/** amount × numerator / denominator, rounded down: what is given back. */
export function mulDivFloor(amount: bigint, numerator: bigint, denominator: bigint): bigint {
  return (amount * numerator) / denominator
}
