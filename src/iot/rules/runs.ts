/** One run, from on to off: what its orders' answers mean, and when the way back is due. Pure. */
import type { Moment } from '../../base/index.ts'
import type { QueueItem } from '../ports.ts'
import type { StoredRun } from './io/tables.ts'

/** After that the owner has to look: the device does not listen. */
const MAX_BACK_TRIES = 20
/** An order that has no end of its own is not carried out a day later. */
export const ON_EXPIRES_SECONDS = 3_600
const RETRY_MS = 60_000
const LONGEST_RETRY_MS = 3_600_000

export function later(now: Moment, ms: number): Moment {
  return { ...now, boottimeMs: now.boottimeMs + ms, wallMs: now.wallMs + ms }
}

/**
 * Milliseconds until the way back; 0: now. Over a reboot only believed clocks count: a valve whose time nobody knows is shut at once.
 */
export function dueInMs(offAt: Moment, now: Moment): number {
  if (offAt.bootId === now.bootId) return Math.max(0, offAt.boottimeMs - now.boottimeMs)
  return offAt.wallTrusted && now.wallTrusted ? Math.max(0, offAt.wallMs - now.wallMs) : 0
}

/** Null: nobody knows, after a reboot without a believed clock. */
export function ageOf(at: Moment, now: Moment): number | null {
  if (at.bootId === now.bootId) return Math.max(0, now.boottimeMs - at.boottimeMs)
  return at.wallTrusted && now.wallTrusted ? Math.max(0, now.wallMs - at.wallMs) : null
}

/** The way back could not be ordered, or nobody acknowledged it: once more, later each time. After 20 times no more. */
export function backFailed(run: StoredRun, now: Moment): StoredRun {
  const backTries = run.backTries + 1
  const isGivenUp = backTries >= MAX_BACK_TRIES
  return { ...run, backTries, offQueueId: null, offAt: isGivenUp ? null : later(now, Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** Math.min(backTries - 1, 10))), because: isGivenUp ? `${run.because}; the way back failed ${backTries} times` : run.because }
}

/**
 * News of an order. `on` went out: its time counts from then, since a class A device listens only when it speaks. `on` expired unsent:
 * there is nothing to end. The way back failed or expired: again. The same run when nothing changes.
 */
export function heardOf(run: StoredRun, item: QueueItem, now: Moment): StoredRun {
  if (run.back !== null && item.queueId === run.offQueueId) return item.state === 'failed' || item.state === 'expired' ? backFailed(run, now) : run
  if (item.queueId !== run.queueId) return run
  const statuses = item.tries.flatMap((one) => one.statuses)
  const isNews = JSON.stringify(statuses) !== JSON.stringify(run.statuses)
  const told = isNews ? { ...run, statuses } : run
  if (run.offAt === null || run.back === null || run.offQueueId !== null || run.backTries > 0) return told
  if (item.state === 'expired') return { ...told, offAt: null, because: `${run.because}; the device did not listen in time` }
  const isOut = item.state === 'sent' || item.state === 'acknowledged'
  return isOut && !run.statuses.includes('OK') ? { ...told, offAt: later(now, run.back.durationSeconds * 1_000) } : told
}
