/**
 * When a rule fires: `(watch, rule, value, now) → {watch, verdict}`. A spell begins with the first value that fits and ends with one that does
 * not (beyond the hysteresis), or with a long silence. It has lasted `forSeconds` when a reading says so: a rule never acts on
 * what nobody measured. While its valve is open, in its cool-down, and beyond its runs of an hour it keeps still.
 */
import type { Value } from '../ports.ts'
import type { LocalRule } from './rule.ts'

export interface Watch {
  /** Start of the spell, on CLOCK_BOOTTIME. Null: the last value did not fit. */
  readonly sinceMs: number | null
  readonly lastMs: number | null
  readonly quietUntilMs: number
  /** Starts of the last hour's runs, oldest first. */
  readonly startsMs: readonly number[]
  /** Told once an hour that it would have run too often. */
  readonly toldMs: number | null
}

export const NEW_WATCH: Watch = { sinceMs: null, lastMs: null, quietUntilMs: 0, startsMs: [], toldMs: null }

export type Verdict = 'no' | 'waits' | 'quiet' | 'too-often' | 'fires'

/** Of one rule; with the cool-down it bounds rules that call each other. */
export const MAX_RUNS_AN_HOUR = 30
const HOUR_MS = 3_600_000
/** A spell is not assumed to go on through a longer silence. */
const LONGEST_SILENCE_MS = 2 * HOUR_MS

export function look(watch: Watch, rule: LocalRule, value: Value['value'], nowMs: number): { readonly watch: Watch; readonly verdict: Verdict } {
  const longest = Math.max(LONGEST_SILENCE_MS, rule.when.forSeconds * 1_000)
  const wasSilent = watch.lastMs !== null && nowMs - watch.lastMs > longest
  const since = wasSilent ? null : watch.sinceMs
  if (!(fits(rule, value) || (since !== null && isNear(rule, value)))) return { watch: { ...watch, sinceMs: null, lastMs: nowMs }, verdict: 'no' }
  const seen: Watch = { ...watch, sinceMs: since ?? nowMs, lastMs: nowMs, startsMs: watch.startsMs.filter((start) => nowMs - start < HOUR_MS) }
  if (nowMs - (seen.sinceMs ?? nowMs) < rule.when.forSeconds * 1_000) return { watch: seen, verdict: 'waits' }
  // Only a value that fits by itself opens a valve.
  if (!fits(rule, value)) return { watch: seen, verdict: 'waits' }
  if (nowMs < seen.quietUntilMs) return { watch: seen, verdict: 'quiet' }
  if (seen.startsMs.length >= MAX_RUNS_AN_HOUR) {
    const isTold = seen.toldMs !== null && nowMs - seen.toldMs < HOUR_MS
    return { watch: isTold ? seen : { ...seen, toldMs: nowMs }, verdict: isTold ? 'quiet' : 'too-often' }
  }
  const onForMs = (rule.then.durationSeconds ?? 0) * 1_000
  return { watch: { ...seen, quietUntilMs: nowMs + onForMs + rule.coolDownSeconds * 1_000, startsMs: [...seen.startsMs, nowMs] }, verdict: 'fires' }
}

/** A text that is a number is compared as one; other kinds are equal only to their own. */
export function fits(rule: LocalRule, value: Value['value']): boolean {
  const { is, than } = rule.when
  const given = typeof than === 'number' ? numberOf(value) : value
  if (given === null) return false
  if (is === '=') return given === than
  if (is === '!=') return given !== than
  if (typeof than !== 'number' || typeof given !== 'number') return false
  return is === '<' ? given < than : is === '<=' ? given <= than : is === '>' ? given > than : given >= than
}

function isNear(rule: LocalRule, value: Value['value']): boolean {
  const { is, than } = rule.when
  const given = numberOf(value)
  if (given === null || typeof than !== 'number' || rule.hysteresis === undefined) return false
  if (is === '<' || is === '<=') return given < than + rule.hysteresis
  return (is === '>' || is === '>=') && given > than - rule.hysteresis
}

function numberOf(value: Value['value']): number | null {
  if (typeof value === 'boolean') return Number(value)
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : null
}
