/**
 * What a box has done wrong: (standing, breach) → standing. A hundred points within ten minutes are a ban, the first for ten
 * minutes and each next one twice as long, at most a day. The owner's ban has no end. docs/mesh.md
 */
export const BAN_POINTS = 100
export const POINTS_REMEMBERED_MS = 600_000
export const FIRST_BAN_MS = 600_000
export const LONGEST_BAN_MS = 86_400_000
/** When the owner's ban ends, where a number must be said: it goes through JSON, which Infinity does not. */
export const FOR_GOOD_MS = Number.MAX_SAFE_INTEGER
/** Points are kept by minute: what is remembered of a box does not grow with its breaches. */
const STEP_MS = 60_000
const STEPS = POINTS_REMEMBERED_MS / STEP_MS
const MAX_REASON_CHARACTERS = 160

export interface Ban {
  /** Boottime; null: the owner's, until it is taken back. */
  readonly untilMs: number | null
  readonly durationMs: number | null
  readonly reason: string
}

export interface Standing {
  /** Newest last, at most `STEPS`. */
  readonly breaches: readonly { readonly step: number; readonly points: number }[]
  /** How many there were; each makes the next one longer. */
  readonly bans: number
  readonly ban: Ban | null
}

export const GOOD_STANDING: Standing = { breaches: [], bans: 0, ban: null }

/** `points`: 1–100, anything else is brought into that range. */
export function penalised(before: Standing, points: number, reason: string, nowMs: number): Standing {
  const step = Math.floor(nowMs / STEP_MS)
  const fresh = recent(before, step)
  const last = fresh.at(-1)
  const added = Math.min(BAN_POINTS, Math.max(1, points))
  const breaches = last?.step === step ? [...fresh.slice(0, -1), { step, points: last.points + added }] : [...fresh, { step, points: added }]
  const total = breaches.reduce((sum, breach) => sum + breach.points, 0)
  if (total < BAN_POINTS || isBanned(before, nowMs)) return { ...before, breaches }
  const durationMs = Math.min(LONGEST_BAN_MS, FIRST_BAN_MS * 2 ** Math.min(before.bans, 10))
  return { breaches: [], bans: before.bans + 1, ban: { untilMs: nowMs + durationMs, durationMs, reason: cut(reason) } }
}

export function bannedByOwner(before: Standing, reason: string): Standing {
  return { ...before, breaches: [], ban: { untilMs: null, durationMs: null, reason: cut(reason) } }
}

export function isBanned({ ban }: Standing, nowMs: number): boolean {
  return ban !== null && (ban.untilMs === null || nowMs < ban.untilMs)
}

export function pointsOf(standing: Standing, nowMs: number): number {
  return recent(standing, Math.floor(nowMs / STEP_MS)).reduce((sum, breach) => sum + breach.points, 0)
}

function recent(standing: Standing, step: number): Standing['breaches'] {
  return standing.breaches.filter((breach) => breach.step > step - STEPS)
}

function cut(reason: string): string {
  return reason.slice(0, MAX_REASON_CHARACTERS)
}
