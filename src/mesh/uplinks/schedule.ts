/**
 * When one way out is tried, and what its answers say: (state, input) → {state, effects}. By turns one target is asked; the first
 * time that it does not answer, all are asked at once, and only when none of them does is the way down. What is in use is asked
 * every second, so a loss is known 1 s + patience + one round of all after it at most, which is below 3 s. docs/mesh.md
 *
 * Where bytes cost, one in use is asked every second only while traffic goes over it (a loss that nobody meets may wait), else
 * each half minute, and the bytes are counted: never more than PROBE_BYTES_PER_DAY in any 24 hours. On such a way that is
 * never idle they last for a second's beat of about 5 h; then it is asked each 5 s, and a loss is known that much later.
 */
import { ANSWERS_TO_UP, afterLoss, afterProbe, newHealth } from './health.ts'
import type { Health } from './health.ts'

/** One exchange costs no more: a DNS answer without extensions has 512 bytes at most; a TCP connection opened and closed, seven packets. */
export const PROBE_BYTES = 600
export const PROBE_BYTES_PER_DAY = 20 * 1024 * 1024
const DAY_MS = 86_400_000

const IN_USE_EVERY_MS = 1000
const IN_RESERVE_EVERY_MS = 5000
const DOWN_EVERY_MS = 2000
/** The same where bytes cost. */
const IDLE_METERED_EVERY_MS = 30_000
const RESERVE_METERED_EVERY_MS = 60_000
const DOWN_METERED_EVERY_MS = 30_000
const RISING_EVERY_MS = 1000

/** How long one target may be silent before all are asked: twice what it usually takes. */
const MIN_PATIENCE_MS = 300
const MAX_PATIENCE_MS = 900
/** How long all may be silent. */
const ALL_MS = 1000
/** A target that did not answer so often in a row is passed over: it is the target that is away, not the way. */
const SILENT_AFTER = 2
/** One turn in so many it is tried again; prime, so that over time this falls on each of them. */
const SILENT_TRIED_EVERY = 19

export interface Course {
  readonly isMetered: boolean
  readonly targets: readonly string[]
  readonly health: Health
  readonly round: Round | null
  readonly rounds: number
  /** When the last round began: pauses count from there. */
  readonly begunMs: number
  readonly isHurried: boolean
  /** No bytes are left before. */
  readonly notBeforeMs: number
  /** Whose turn it is. */
  readonly turn: number
  /** Of each target, how often in a row it was silent when it alone was asked. */
  readonly silences: readonly number[]
  readonly allowance: { readonly bytes: number; readonly atMs: number }
  /** Of the whole time, for the owner. */
  readonly spentBytes: number
  readonly lastReason: string
}

interface Round {
  readonly id: number
  readonly isAll: boolean
  readonly endsMs: number
  /** Who has not said yes or no. */
  readonly waiting: number
}

export type CourseInput =
  | { readonly kind: 'tick'; readonly nowMs: number; readonly use: Use }
  /** `round`: from the effect. Its answer may be late: that of one target still counts while all are asked. */
  | { readonly kind: 'result'; readonly round: number; readonly ok: boolean; readonly roundTripMs: number; readonly reason: string; readonly nowMs: number }
  /** The kernel says that the cable is out, or that there is no such interface. */
  | { readonly kind: 'loss'; readonly reason: string; readonly nowMs: number }
  /** It has to be known at once: what is in use does not answer, or this one was just paid for. */
  | { readonly kind: 'hurry' }

/** `busy`: in use, and something is sent over it. */
export type Use = 'busy' | 'idle' | 'reserve'

export interface CourseEffect {
  readonly kind: 'probe'
  readonly round: number
  readonly target: string
  readonly timeoutMs: number
}

export interface CourseStep {
  readonly course: Course
  readonly effects: readonly CourseEffect[]
}

/** `targets`: 1–4. */
export function newCourse(targets: readonly string[], isMetered: boolean, nowMs: number): Course {
  return {
    isMetered,
    targets,
    health: newHealth(nowMs),
    round: null,
    rounds: 0,
    begunMs: nowMs,
    isHurried: true,
    notBeforeMs: nowMs,
    turn: 0,
    silences: targets.map(() => 0),
    allowance: { bytes: PROBE_BYTES_PER_DAY / 2, atMs: nowMs },
    spentBytes: 0,
    lastReason: 'was not tried yet',
  }
}

export function stepCourse(course: Course, input: CourseInput): CourseStep {
  switch (input.kind) {
    case 'tick':
      return ticked(course, input.nowMs, input.use)
    case 'result':
      return answered(course, input)
    case 'loss':
      if (course.health.health === 'down') return only({ ...course, lastReason: input.reason })
      return only({ ...course, health: afterLoss(course.health, input.nowMs), round: null, isHurried: false, lastReason: input.reason })
    case 'hurry':
      return only(course.round === null ? { ...course, isHurried: true } : course)
  }
}

/** When `tick` has something to do; boot clock. */
export function dueMs(course: Course, use: Use): number {
  if (course.round !== null) return course.round.endsMs
  return Math.max(course.notBeforeMs, course.isHurried ? course.begunMs : course.begunMs + pauseMs(course, use))
}

function ticked(course: Course, nowMs: number, use: Use): CourseStep {
  if (course.round !== null) return nowMs < course.round.endsMs ? only(course) : closed(course, false, 0, 'no answer', nowMs)
  if (nowMs < dueMs(course, use)) return only(course)
  const filled = refilled(course, nowMs)
  // Kept back for asking all: a failure is never left half known.
  const neededBytes = PROBE_BYTES * (1 + course.targets.length)
  if (course.isMetered && filled.allowance.bytes < neededBytes) return only({ ...filled, notBeforeMs: nowMs + IN_USE_EVERY_MS })
  return begun(filled, false, nowMs)
}

function answered(course: Course, input: Extract<CourseInput, { kind: 'result' }>): CourseStep {
  const { round } = course
  if (round === null) return only(course)
  const isOfThis = input.round === round.id
  const isLate = round.isAll && input.round === round.id - 1
  if (input.ok) return isOfThis || isLate ? closed(course, true, input.roundTripMs, 'answers', input.nowMs) : only(course)
  if (!isOfThis) return only(course)
  if (round.waiting > 1) return only({ ...course, round: { ...round, waiting: round.waiting - 1 } })
  return closed(course, false, 0, input.reason, input.nowMs)
}

function closed(course: Course, ok: boolean, roundTripMs: number, reason: string, nowMs: number): CourseStep {
  const wasAll = course.round?.isAll ?? false
  const health = afterProbe(course.health, { ok, roundTripMs }, nowMs)
  const asked = whoseTurn(course)
  const silences = wasAll ? course.silences : course.silences.map((count, index) => (index !== asked ? count : ok ? 0 : count + 1))
  const after = { ...course, health, round: null, silences, turn: wasAll ? course.turn : course.turn + 1, lastReason: reason }
  if (!ok && !wasAll && health.health !== 'down') return begun(refilled(after, nowMs), true, nowMs)
  return only(after)
}

function begun(course: Course, isAll: boolean, nowMs: number): CourseStep {
  const { targets } = course
  const asked = isAll ? targets : [targets[whoseTurn(course)] ?? '']
  const id = course.rounds + 1
  const windowMs = isAll ? ALL_MS : bounded(2 * (course.health.roundTripMs ?? MAX_PATIENCE_MS), MIN_PATIENCE_MS, MAX_PATIENCE_MS)
  const bytes = PROBE_BYTES * asked.length
  return {
    course: {
      ...course,
      rounds: id,
      begunMs: nowMs,
      isHurried: false,
      round: { id, isAll, endsMs: nowMs + windowMs, waiting: asked.length },
      allowance: { ...course.allowance, bytes: course.allowance.bytes - bytes },
      spentBytes: course.spentBytes + bytes,
    },
    // One target's late answer is still good while all are asked.
    effects: asked.map((target) => ({ kind: 'probe', round: id, target, timeoutMs: isAll ? windowMs : windowMs + ALL_MS })),
  }
}

function whoseTurn({ targets, turn, silences }: Course): number {
  const order = targets.map((_, index) => (turn + index) % targets.length)
  const heard = order.find((index) => (silences[index] ?? 0) < SILENT_AFTER)
  return turn % SILENT_TRIED_EVERY === 0 || heard === undefined ? (order[0] ?? 0) : heard
}

function pauseMs(course: Course, use: Use): number {
  const { health, answersInARow } = course.health
  if (health === 'down') {
    if (answersInARow > 0 && answersInARow < ANSWERS_TO_UP) return RISING_EVERY_MS
    return course.isMetered ? DOWN_METERED_EVERY_MS : DOWN_EVERY_MS
  }
  if (use === 'reserve') return course.isMetered ? RESERVE_METERED_EVERY_MS : IN_RESERVE_EVERY_MS
  return course.isMetered && use === 'idle' ? IDLE_METERED_EVERY_MS : IN_USE_EVERY_MS
}

/** Half of a day's bytes at most lie ready, half come in a day: together a day's in any 24 hours. */
function refilled(course: Course, nowMs: number): Course {
  const half = PROBE_BYTES_PER_DAY / 2
  const bytes = Math.min(half, course.allowance.bytes + ((nowMs - course.allowance.atMs) * half) / DAY_MS)
  return { ...course, allowance: { bytes, atMs: nowMs } }
}

const bounded = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value))
const only = (course: Course): CourseStep => ({ course, effects: [] })
