/**
 * How well one way out does, by probes: (health, result) → health. A way is believed down only when nobody of its targets
 * answers twice in a row, and up again after three answers: one lost packet moves no traffic, and a way that flutters
 * does not pull guests to and fro. docs/mesh.md
 */
import type { UplinkHealth } from '../ports.ts'

/** Results that loss and round trip are worked out over. */
export const PROBE_WINDOW = 20
export const FAILURES_TO_DOWN = 2
export const ANSWERS_TO_UP = 3
/** Above it a way works badly. */
const POOR_LOSS = 0.15
const POOR_ROUND_TRIP_MS = 1500
/** One in so many counts: what lately was is worth more than a minute ago. */
const SMOOTHING = 4
/** Falls within this time that make a way intermittent. */
const FALLS_REMEMBERED_MS = 600_000
const FALLS_KEPT = 8

export interface ProbeResult {
  readonly ok: boolean
  readonly roundTripMs: number
}

export interface Health {
  readonly health: UplinkHealth
  readonly sinceMs: number
  /** Newest last; true: answered. */
  readonly window: readonly boolean[]
  readonly roundTripMs: number | null
  readonly failuresInARow: number
  readonly answersInARow: number
  /** When it went down, newest last. */
  readonly fallsAtMs: readonly number[]
}

export function newHealth(nowMs: number): Health {
  return { health: 'unknown', sinceMs: nowMs, window: [], roundTripMs: null, failuresInARow: 0, answersInARow: 0, fallsAtMs: [] }
}

/** `result`: of all targets together; ok if one of them answered. */
export function afterProbe(before: Health, result: ProbeResult, nowMs: number): Health {
  const answersInARow = result.ok ? before.answersInARow + 1 : 0
  // What was before it fell says nothing of how it does now.
  const isRising = before.health === 'down' && result.ok
  const lately = isRising ? before.window.slice(before.window.length - answersInARow + 1) : before.window
  const roundTripBefore = isRising && answersInARow === 1 ? null : before.roundTripMs
  const measured: Health = {
    ...before,
    window: [...lately, result.ok].slice(-PROBE_WINDOW),
    roundTripMs: result.ok ? smoothed(roundTripBefore, result.roundTripMs) : before.roundTripMs,
    failuresInARow: result.ok ? 0 : before.failuresInARow + 1,
    answersInARow,
  }
  return turned(measured, nextHealth(measured), nowMs)
}

/** The kernel says that the cable is out or the radio is gone: nothing has to be waited for. */
export function afterLoss(before: Health, nowMs: number): Health {
  return turned({ ...before, failuresInARow: Math.max(before.failuresInARow, FAILURES_TO_DOWN), answersInARow: 0 }, 'down', nowMs)
}

/** 0–1. */
export function lossOf(health: Health): number {
  return health.window.length === 0 ? 0 : health.window.filter((ok) => !ok).length / health.window.length
}

/** It fell more than once lately: guests are told that it comes and goes. */
export function isFluttering(health: Health, nowMs: number): boolean {
  return health.fallsAtMs.filter((at) => nowMs - at < FALLS_REMEMBERED_MS).length > 1
}

function nextHealth(measured: Health): UplinkHealth {
  if (measured.failuresInARow >= FAILURES_TO_DOWN) return 'down'
  if (measured.health === 'down' && measured.answersInARow < ANSWERS_TO_UP) return 'down'
  if (measured.answersInARow === 0) return measured.health // one failure: not yet
  return lossOf(measured) > POOR_LOSS || (measured.roundTripMs ?? 0) > POOR_ROUND_TRIP_MS ? 'poor' : 'good'
}

function turned(measured: Health, health: UplinkHealth, nowMs: number): Health {
  if (health === measured.health) return measured
  const fell = health === 'down' && measured.health !== 'unknown' ? { fallsAtMs: [...measured.fallsAtMs, nowMs].slice(-FALLS_KEPT) } : {}
  return { ...measured, ...fell, health, sinceMs: nowMs }
}

function smoothed(before: number | null, now: number): number {
  return before === null ? now : before + (now - before) / SMOOTHING
}
