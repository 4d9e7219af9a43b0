/**
 * Numbers, times, data and money in the words of a language. Durations and volumes are rounded down: the
 * page never shows more than is there.
 *
 * Volumes are counted in units of 1024 and written MB and GB, as phones and shops do; a guest is thereby
 * shown a little less than he gets (1 MiB is 1.05 MB), never more.
 */
import { formatAmount } from '../../base/index.ts'
import { type Counted, type DataUnit, type Language, fill } from './languages/language.ts'

const KIB = 1024
const MIB = 1024 * 1024
const GIB = 1024 * MIB
const NO_BREAK = '\u00a0'

/** A plain decimal text such as `12345.5` with the signs and digits of the language. */
export function localNumber(language: Language, plain: string): string {
  const [whole = '0', fraction] = plain.split('.')
  const groups = language.laterGroups === 2 ? /\B(?=(\d{2})*\d{3}$)/g : /\B(?=(\d{3})+$)/g
  const grouped = whole.length < language.groupFromDigits ? whole : whole.replace(groups, language.group)
  const joined = fraction === undefined ? grouped : `${grouped}${language.decimal}${fraction}`
  return joined.replace(/\d/g, (digit) => language.digits[Number(digit)] ?? digit)
}

export function percentText(language: Language, percent: number): string {
  return fill(language.percent, { n: localNumber(language, String(percent)) })
}

export function countText(language: Language, thing: Counted, count: number): string {
  return fill(language.form(thing, count), { n: localNumber(language, String(count)) })
}

/** At most the two largest units that are not zero: `1 day 2 hours`, `45 minutes`, `30 seconds`. */
export function durationText(language: Language, seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const parts: [Counted, number][] = [
    ['day', Math.floor(whole / 86_400)],
    ['hour', Math.floor(whole / 3600) % 24],
    ['minute', Math.floor(whole / 60) % 60],
    ['second', whole < 60 ? whole : 0],
  ]
  const first = parts.findIndex(([, count]) => count > 0)
  if (first < 0) return countText(language, 'minute', 0)
  return parts
    .slice(first, first + 2)
    .filter(([, count]) => count > 0)
    .map(([thing, count]) => countText(language, thing, count))
    .join(' ')
}

/** Days apart, and the rest as `1:23:45` or `23:45` in Latin digits. */
export function clockParts(seconds: number): { days: number; clock: string } {
  const whole = Math.max(0, Math.floor(seconds))
  const days = Math.floor(whole / 86_400)
  const hours = Math.floor(whole / 3600) % 24
  const two = (value: number): string => String(value).padStart(2, '0')
  const tail = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`
  if (days > 0) return { days, clock: `${two(hours)}:${tail}` }
  return { days, clock: hours > 0 ? `${hours}:${tail}` : tail }
}

/** `312 MB`, `1.5 GB`: three digits at least below a thousand, never rounded up. */
export function dataText(language: Language, bytes: number): string {
  const [unit, size]: [DataUnit, number] =
    bytes >= GIB ? ['gigabyte', GIB] : bytes >= MIB ? ['megabyte', MIB] : ['kilobyte', KIB]
  const value = Math.max(0, bytes) / size
  const places = unit === 'kilobyte' || value >= 100 ? 0 : value >= 10 ? 1 : 2
  const scale = 10 ** places
  return fill(language.data[unit], { n: localNumber(language, String(Math.floor(value * scale) / scale)) })
}

export function priceText(language: Language, amount: bigint, token: { symbol: string; decimals: number }): string {
  return `${localNumber(language, formatAmount(amount, token.decimals))}${NO_BREAK}${token.symbol}`
}

/** What is granted or left: `30 minutes · 500 MB`. What is not limited is not named, unless nothing is. */
export function grantText(language: Language, seconds: number | null, bytes: number | null): string {
  const parts = [
    ...(seconds === null ? [] : [durationText(language, seconds)]),
    ...(bytes === null ? [] : [dataText(language, bytes)]),
  ]
  return parts.length === 0 ? language.text.noTimeLimit : parts.join(' · ')
}
