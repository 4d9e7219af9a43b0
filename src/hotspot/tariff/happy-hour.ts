/**
 * When prices are lower. By the wall clock only while that clock is trusted (portal.md 2.10), else by
 * minutes since the box was switched on.
 */
import type { Moment } from '../../base/index.ts'
import type { HappyHourConfig } from '../../config/index.ts'

const MINUTES_OF_DAY = 1440
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

export type TariffMoment = Pick<Moment, 'boottimeMs' | 'wallMs' | 'wallTrusted'>

/** The first in the list that applies now; null if none does. */
export function happyHourAt(hours: readonly HappyHourConfig[], now: TariffMoment): HappyHourConfig | null {
  return hours.find((hour) => (hour.basis === 'uptime' ? isByUptime(hour, now) : isByClock(hour, now))) ?? null
}

function isByUptime(hour: HappyHourConfig, now: TariffMoment): boolean {
  const minute = Math.floor(now.boottimeMs / 60_000)
  return minute >= hour.fromMinute && minute < hour.toMinute
}

/** An end before the beginning is on the next day; the day listed is the one it begins on. */
function isByClock(hour: HappyHourConfig, now: TariffMoment): boolean {
  if (!now.wallTrusted) return false
  const local = new Date(now.wallMs)
  const minute = local.getHours() * 60 + local.getMinutes()
  const today = local.getDay()
  const beginsOn = (day: number): boolean => hour.days.includes(DAYS[day] ?? 'sun')
  if (hour.fromMinute < hour.toMinute)
    return beginsOn(today) && minute >= hour.fromMinute && minute < hour.toMinute
  const isEvening = minute >= hour.fromMinute && minute < MINUTES_OF_DAY
  const isMorningAfter = minute < hour.toMinute
  return (isEvening && beginsOn(today)) || (isMorningAfter && beginsOn((today + 6) % 7))
}
