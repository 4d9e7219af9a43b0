/** Amounts and dates between the books (bigint, days) and the owner's JSON (texts); pure. */
import { formatAmount, inputError, mulDivFloor } from '../base/index.ts'
import type { Money } from './api/amounts.ts'

const DAY_MS = 86_400_000

export function money(amount: bigint, decimals: number): Money {
  return { units: amount.toString(), text: formatAmount(amount, decimals) }
}

/** Reasons name amounts as `12 units`, for who writes them knows no decimals: shown in tokens, `0.000012 MBX`. Null: it is not known which token it is. */
export function amountsInTokens(text: string, token: { readonly symbol: string; readonly decimals: number } | null): string {
  if (token === null) return text
  return text.replace(/(?<![\w.])(\d{1,40}) units\b/g, (_, units: string) => `${formatAmount(BigInt(units), token.decimals)} ${token.symbol}`.trimEnd())
}

/** "10" for a price of 0.1 token per minute; at most 6 digits after the point, rounded; null for price 0. */
export function minutesPerToken(pricePerMinute: bigint, decimals: number): string | null {
  if (pricePerMinute <= 0n) return null
  const millionths = (10n ** BigInt(decimals) * 2_000_000n + pricePerMinute) / (2n * pricePerMinute)
  return formatAmount(millionths, 6)
}

const MAX_MINUTES_PER_TOKEN = 525_600

/**
 * "1 token = 10 minutes" as a price per minute, rounded down in the guest's favour. 0 minutes: time is
 * not sold singly. Throws `input` when the token has too few decimals to say it within one part in 1000.
 */
export function priceOfMinutesPerToken(minutes: number, decimals: number): bigint {
  if (minutes === 0) return 0n
  const thousandths = Math.round(minutes * 1000)
  if (!Number.isFinite(minutes) || thousandths < 1 || minutes > MAX_MINUTES_PER_TOKEN || Math.abs(thousandths - minutes * 1000) > 1e-6)
    throw inputError('minutesPerToken', minutes, `0, or 0.001 to ${MAX_MINUTES_PER_TOKEN} with at most 3 digits after the point`)
  const token = 10n ** BigInt(decimals)
  const price = mulDivFloor(token, 1000n, BigInt(thousandths))
  const told = price * BigInt(thousandths)
  if ((token * 1000n - told) * 1000n > token * 1000n)
    throw inputError(
      'minutesPerToken',
      minutes,
      `a number that gives a price per minute with at most ${decimals} digits after the point; this one needs more: configure more decimals for the token`,
    )
  return price
}

/** Days since 1970-01-01 UTC as `YYYY-MM-DD`. */
export function dateOfDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

/** `YYYY-MM-DD` of a real date between 2020 and 2199 as days since 1970-01-01 UTC. */
export function dayOfDate(date: string, field: string): number {
  const wallMs = /^2[01]\d\d-\d\d-\d\d$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN
  if (Number.isNaN(wallMs) || dateOfDay(wallMs / DAY_MS) !== date || date < '2020') throw inputError(field, date, 'a date YYYY-MM-DD between 2020-01-01 and 2199-12-31')
  return wallMs / DAY_MS
}
