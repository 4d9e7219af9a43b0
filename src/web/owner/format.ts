/** Durations, bytes and dates as a shop keeper reads them. */
import * as S from './strings.ts'

/** Running clock: '1:04:09', '9:30', from a day on '2 d 4 h'. */
export function showClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  if (whole >= 86_400) return S.timeDaysHours(Math.floor(whole / 86_400), Math.floor((whole % 86_400) / 3600))
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor((whole % 3600) / 60)
  const tail = `${String(whole % 60).padStart(2, '0')}`
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`
}

/** Length of a thing: '30 min', '1 h 30 min', '7 days'. */
export function showDuration(seconds: number): string {
  if (seconds < 60) return S.timeSeconds(Math.floor(seconds))
  const days = Math.floor(seconds / 86_400)
  const hours = Math.floor((seconds % 86_400) / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  const parts: string[] = []
  if (days > 0) parts.push(S.timeDays(days))
  if (hours > 0) parts.push(S.timeHours(hours))
  if (minutes > 0 && days === 0) parts.push(S.timeMinutes(minutes))
  return parts.slice(0, 2).join(' ')
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
/** '312 MiB', '1.4 GiB'. */
export function showBytes(bytes: number): string {
  let value = Math.max(0, bytes)
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  const digits = unit > 0 && value < 10 ? 1 : 0
  return `${value.toFixed(digits).replace(/\.0$/, '')}\u00a0${UNITS[unit] ?? ''}`
}

const TODAY = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long' })
const DATE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
const DATE_TIME = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' })
const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const FULL = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' })
const DAY = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' })
const DAY_SHORT = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })

export const showToday = (wallMs: number): string => TODAY.format(wallMs)
export const showDate = (wallMs: number): string => DATE.format(wallMs)
export const showDateTime = (wallMs: number): string => DATE_TIME.format(wallMs)
export const showTime = (wallMs: number): string => TIME.format(wallMs)
export const showFullTime = (wallMs: number): string => FULL.format(wallMs)

/** '2026-11-21' → 'Sat, 21 Nov'; `boot:…` days have no date. */
export function showDay(day: string, short = false): string {
  const wallMs = Date.parse(`${day}T00:00:00Z`)
  if (Number.isNaN(wallMs)) return S.timeUndated
  return (short ? DAY_SHORT : DAY).format(wallMs)
}

/** 570 → '09:30'. */
export function showMinuteOfDay(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}

/** '09:30' → 570; null when it is not a time. */
export function minuteOfDay(text: string): number | null {
  const match = /^(\d{1,2}):(\d{2})/.exec(text)
  if (!match) return null
  const minute = Number(match[1]) * 60 + Number(match[2])
  return minute <= 1440 ? minute : null
}

/** What a package or voucher holds: '30 min', '1 day · 2 GiB'. `worth`: '2 SMT', for a payment channel and nothing else. */
export function showContents(seconds: number | null, bytes: number | null, worth: string | null = null): string {
  const parts: string[] = worth === null ? [] : [S.packages.worth(worth)]
  if (seconds !== null) parts.push(showDuration(seconds))
  if (bytes !== null) parts.push(showBytes(bytes))
  return parts.length === 0 ? S.packages.unlimited : parts.join(' · ')
}

/** The contents, unless the label says them already: '30 minutes' needs no '30 min' beside it. */
export function contentsBeside(label: string, seconds: number | null, bytes: number | null): string {
  const contents = showContents(seconds, bytes)
  const plain = (text: string): string => text.toLowerCase().replace(/minutes?/g, 'min').replace(/hours?/g, 'h').replace(/\s+/g, ' ')
  return plain(label).includes(plain(contents)) ? '' : contents
}
