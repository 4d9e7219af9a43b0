/**
 * Which way out is taken. What works is better than what works badly; of those, the cheaper; of those that cost the same, what
 * the owner named first. A way that works is left only for one that is better by more than 10 % (portal.md row 20), and not
 * before that has been so for a while; one that is down is left at once.
 */
import type { Reach, UplinkHealth, UplinkKind } from '../ports.ts'

/** How long another way has to have been better before traffic moves there. */
export const BETTER_FOR_MS = 30_000
const HYSTERESIS_PER_CENT = 10n

export interface Candidate {
  readonly name: string
  readonly kind: UplinkKind
  readonly health: UplinkHealth
  /** Since when it has this health. */
  readonly sinceMs: number
  readonly unitsPerMiB: bigint
  /** Money for it is spent up to the cap: not to be taken. */
  readonly isSpent: boolean
  readonly isFluttering: boolean
}

export interface Choice {
  readonly name: string | null
  readonly reason: string
  readonly sinceMs: number
  /** A better way, and since when it is better without a break. */
  readonly rival: { readonly name: string; readonly sinceMs: number } | null
}

export const NO_CHOICE: Choice = { name: null, reason: 'no way out was tried yet', sinceMs: 0, rival: null }

const RANK: Record<UplinkHealth, number> = { good: 2, poor: 1, unknown: 0, down: 0 }

/** `candidates` in the owner's order. Deterministic. */
export function choose(before: Choice, candidates: readonly Candidate[], nowMs: number): Choice {
  const usable = candidates.filter(isUsable)
  const best = usable.reduce<Candidate | null>((found, each) => (found === null || isBetter(each, found) ? each : found), null)
  const current = candidates.find((each) => each.name === before.name)
  if (best === null) return none(before, candidates, nowMs)
  if (current === undefined || !isUsable(current)) return take(best, current === undefined ? 'the best there is' : `${current.name} ${whyNot(current)}`, nowMs)
  // A rival stays the rival while it is better, though another may be better still: two that change places would else
  // begin the time anew for ever.
  const rival = usable.find((each) => each.name === before.rival?.name && isClearlyBetter(each, current)) ?? best
  if (rival.name === current.name || !isClearlyBetter(rival, current)) return { ...before, rival: null }
  const sinceMs = before.rival?.name === rival.name ? before.rival.sinceMs : nowMs
  if (nowMs - sinceMs < BETTER_FOR_MS) return { ...before, rival: { name: rival.name, sinceMs } }
  return take(rival, RANK[rival.health] > RANK[current.health] ? `works better than ${current.name}` : `costs less than ${current.name}`, nowMs)
}

/** What guests are told of the way that is taken. */
export function reachOf(choice: Choice, candidates: readonly Candidate[]): Reach {
  const current = candidates.find((each) => each.name === choice.name)
  if (current === undefined || RANK[current.health] === 0) return 'none'
  return current.health === 'poor' || current.isFluttering ? 'intermittent' : 'internet'
}

function isUsable(each: Candidate): boolean {
  return RANK[each.health] > 0 && !each.isSpent
}

function isBetter(a: Candidate, b: Candidate): boolean {
  return RANK[a.health] > RANK[b.health] || (RANK[a.health] === RANK[b.health] && a.unitsPerMiB < b.unitsPerMiB)
}

function isClearlyBetter(a: Candidate, b: Candidate): boolean {
  if (RANK[a.health] !== RANK[b.health]) return RANK[a.health] > RANK[b.health]
  return a.unitsPerMiB * 100n < b.unitsPerMiB * (100n - HYSTERESIS_PER_CENT)
}

function take(best: Candidate, reason: string, nowMs: number): Choice {
  return { name: best.name, reason, sinceMs: nowMs, rival: null }
}

function none(before: Choice, candidates: readonly Candidate[], nowMs: number): Choice {
  const reason = candidates.length === 0 ? 'no way out is configured' : candidates.map((each) => `${each.name} ${whyNot(each)}`).join('; ')
  return before.name === null ? { ...before, reason, rival: null } : { name: null, reason, sinceMs: nowMs, rival: null }
}

function whyNot(each: Candidate): string {
  if (each.isSpent) return 'has cost what may be spent on it'
  return each.health === 'unknown' ? 'was not tried yet' : 'is down'
}
