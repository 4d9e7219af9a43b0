/**
 * The free trial: once per device and day, so many per day over all devices (changing the MAC address must
 * not win the Internet). A day is 24 hours the box can be sure of: on its own age, or on a wall clock it
 * trusted both times.
 */
import type { Moment } from '../../base/index.ts'

export const TRIAL_DAY_MS = 24 * 3_600_000

/** When a trial was taken. `ageMs`: age of the box, see below. */
export interface TrialUse {
  readonly ageMs: number
  readonly wallMs: number
  readonly wallTrusted: boolean
}

/** Has a day surely passed since then? */
export function isDayOver(used: TrialUse, now: TrialUse): boolean {
  if (now.ageMs - used.ageMs >= TRIAL_DAY_MS) return true
  return used.wallTrusted && now.wallTrusted && now.wallMs - used.wallMs >= TRIAL_DAY_MS
}

/** The age as last written down. */
export interface AgeMark {
  readonly bootId: string
  readonly boottimeMs: number
  readonly ageMs: number
}

/**
 * How long the box has been switched on in its life, as far as it knows: time of this boot on the boot
 * clock, added to what was written down in earlier ones. Never runs ahead, loses at most what was not
 * written down before a power cut; the wall clock has no say.
 */
export function ageOf(mark: AgeMark | null, now: Pick<Moment, 'bootId' | 'boottimeMs'>): number {
  if (mark === null) return now.boottimeMs
  if (mark.bootId !== now.bootId) return mark.ageMs + now.boottimeMs
  return mark.ageMs + Math.max(0, now.boottimeMs - mark.boottimeMs)
}
