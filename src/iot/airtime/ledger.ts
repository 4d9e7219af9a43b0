/**
 * How long one transmitter was, and will be, on air: `(state, order) → {state, verdicts}`. Times are microseconds of CLOCK_BOOTTIME.
 *
 * An order reserves every alternative it may be sent in (a forwarder tries the second by itself when it refuses the first); the answer
 * settles it, and what was not sent is free again. A reservation counts as sent until then, so that no order of events can make
 * any hour hold more than its share. Checked for every hour a new frame touches: the sum over a sliding hour is highest where one of the
 * frames ends, so those moments are all there is to look at. The hour counted is two seconds longer than the law's: a concentrator
 * starts a frame for `now` up to a second after it was told.
 */
import { inputError } from '../../base/index.ts'
import type { SubBandBudget } from '../ports.ts'
import { pricePerMs } from './price.ts'
import { COUNTED_US, WHOLE_PPM, WINDOW_US, budgetUs, soldUs } from './rules.ts'
import type { AirBand, AirRules } from './rules.ts'

/** A frame that was sent, or may be. */
export interface OnAir {
  readonly downlinkId: number
  readonly window: number
  readonly startUs: number
  readonly durationUs: number
  /** False: not answered yet. */
  readonly isSettled: boolean
  /** As quoted when it was reserved. */
  readonly pricePerMs: bigint
}

/** Of one transmitter. */
export interface AirtimeState {
  readonly rules: AirRules
  /** By name of band; in order of start. */
  readonly onAir: ReadonlyMap<string, readonly OnAir[]>
}

export interface AirWindow {
  readonly frequencyHz: number
  readonly powerDbm: number
  readonly startUs: number
  readonly durationUs: number
}

/** `reserved`: the owner's join or ACK, which may use the reserved share. `own`: what else is his. `sold`: a tenant's, whatever it is. */
export type AirClaim = 'reserved' | 'own' | 'sold'

export interface AirOrder {
  /** New: an id that is still reserved is the caller's error. */
  readonly downlinkId: number
  readonly windows: readonly AirWindow[]
  readonly claim: AirClaim
}

export interface AirVerdict {
  readonly status: 'OK' | 'TX_FREQ' | 'TX_POWER' | 'DUTY_CYCLE_OVERFLOW'
  /** Null: TX_FREQ. */
  readonly band: string | null
  /** 0 unless OK. */
  readonly pricePerMs: bigint
}

export function newAirtime(rules: AirRules): AirtimeState {
  return { rules, onAir: new Map(rules.bands.map((band) => [band.name, []])) }
}

/** One verdict per window; those that are OK are reserved. Errors: input for an id that is reserved, or times that cannot be. */
export function reserve(state: AirtimeState, order: AirOrder, nowUs: number): { readonly state: AirtimeState; readonly verdicts: readonly AirVerdict[] } {
  for (const entries of state.onAir.values()) if (entries.some((entry) => entry.downlinkId === order.downlinkId && !entry.isSettled)) throw inputError('downlink-id', order.downlinkId, 'one that is not reserved')
  let next = forget(state, nowUs)
  const verdicts: AirVerdict[] = []
  for (const [index, window] of order.windows.entries()) {
    if (!(window.durationUs > 0) || !Number.isSafeInteger(window.durationUs) || !Number.isSafeInteger(window.startUs)) throw inputError('air-window', `${window.startUs} + ${window.durationUs}`, 'whole microseconds, longer than 0')
    const band = next.rules.bands.find((known) => window.frequencyHz >= known.fromHz && window.frequencyHz < known.toHz)
    const entries = band === undefined ? [] : (next.onAir.get(band.name) ?? [])
    const status = band === undefined ? 'TX_FREQ' : window.powerDbm > band.maxEirpDbm ? 'TX_POWER' : fits(next.rules, band, entries, window, order.claim) ? 'OK' : 'DUTY_CYCLE_OVERFLOW'
    if (band === undefined || status !== 'OK') {
      verdicts.push({ status, band: band?.name ?? null, pricePerMs: 0n })
      continue
    }
    const price = pricePerMs(band, next.rules.surge, usedAt(entries, window.startUs), budgetUs(band) ?? soldUs(next.rules))
    verdicts.push({ status, band: band.name, pricePerMs: price })
    const added = inserted(entries, { downlinkId: order.downlinkId, window: index, startUs: window.startUs, durationUs: window.durationUs, isSettled: false, pricePerMs: price })
    next = { ...next, onAir: new Map(next.onAir).set(band.name, added) }
  }
  return { state: next, verdicts }
}

/**
 * The gateway has answered. `sent`: index of the window that was on air; null: none. The others are free again. `sentUs` is null when
 * nothing was reserved under that window, which a caller must treat as its own error: something was sent that nobody allowed.
 */
export function settle(state: AirtimeState, downlinkId: number, sent: number | null): { readonly state: AirtimeState; readonly settled: OnAir | null } {
  const onAir = new Map(state.onAir)
  let settled: OnAir | null = null
  for (const [band, entries] of state.onAir) {
    if (!entries.some((entry) => entry.downlinkId === downlinkId && !entry.isSettled)) continue
    const kept: OnAir[] = []
    for (const entry of entries) {
      if (entry.downlinkId !== downlinkId || entry.isSettled) kept.push(entry)
      else if (entry.window === sent) {
        settled = { ...entry, isSettled: true }
        kept.push(settled)
      }
    }
    onAir.set(band, kept)
  }
  return { state: { ...state, onAir }, settled }
}

/** Puts back what was on disk at the start (restore.ts says when it was, in this boot's time). */
export function recall(state: AirtimeState, band: string, entry: OnAir): AirtimeState {
  const entries = state.onAir.get(band)
  // A band that the new configuration does not have: nothing is sent there any more.
  return entries === undefined ? state : { ...state, onAir: new Map(state.onAir).set(band, inserted(entries, entry)) }
}

/** Other rules from now on; what was on air stays, by name of band. */
export function withRules(state: AirtimeState, rules: AirRules): AirtimeState {
  return { rules, onAir: new Map(rules.bands.map((band) => [band.name, state.onAir.get(band.name) ?? []])) }
}

/** For views and for who asks before he orders. */
export function budgets(state: AirtimeState, nowUs: number): readonly SubBandBudget[] {
  return state.rules.bands.map((band) => {
    const entries = state.onAir.get(band.name) ?? []
    const whole = budgetUs(band)
    const reserved = whole === null ? 0 : reservedUs(state.rules, whole)
    const used = usedAt(entries, nowUs)
    const pending = entries.reduce((sum, entry) => (entry.startUs + entry.durationUs > nowUs ? sum + entry.startUs + entry.durationUs - Math.max(nowUs, entry.startUs) : sum), 0)
    const free = whole === null ? WINDOW_US : Math.max(0, whole - reserved - used - pending)
    return {
      name: band.name,
      fromHz: band.fromHz,
      toHz: band.toHz,
      dutyPpm: band.dutyPpm,
      windowMs: WINDOW_US / 1_000,
      usedUs: used,
      reservedUs: reserved,
      freeUs: free,
      pricePerMs: pricePerMs(band, state.rules.surge, used, whole ?? soldUs(state.rules)),
    }
  })
}

/** What no hour can hold any more is dropped; answers stay as they were. */
export function forget(state: AirtimeState, nowUs: number): AirtimeState {
  const isOld = (entry: OnAir): boolean => entry.isSettled && entry.startUs + entry.durationUs <= nowUs - longestRestUs(state.rules)
  if (![...state.onAir.values()].some((entries) => entries[0] !== undefined && isOld(entries[0]))) return state
  return { ...state, onAir: new Map([...state.onAir].map(([band, entries]) => [band, entries.filter((entry) => !isOld(entry))])) }
}

/** What network/order-limits.ts lets pass takes at most 4.3 s: 64 bytes at SF12, 4/8, with the longest preamble. Counted is what was sent before it did, too. */
export const LONGEST_FRAME_US = 10_000_000

/** Blocking rests as long as the frame and its share make it; a band with a share of 0 is never used. */
function longestRestUs(rules: AirRules): number {
  if (rules.model === 'window') return COUNTED_US
  return Math.max(COUNTED_US, ...rules.bands.map((band) => (band.dutyPpm === null || band.dutyPpm === 0 ? 0 : (LONGEST_FRAME_US * WHOLE_PPM) / band.dutyPpm)))
}

function reservedUs(rules: AirRules, whole: number): number {
  return Math.ceil((whole / WHOLE_PPM) * rules.reservedPpm)
}

function fits(rules: AirRules, band: AirBand, entries: readonly OnAir[], frame: AirWindow, claim: AirClaim): boolean {
  const whole = budgetUs(band)
  if (whole !== null && rules.model === 'blocking' && !restsBetween(band, entries, frame)) return false
  const lawful = whole === null ? Infinity : claim === 'reserved' ? whole : whole - reservedUs(rules, whole)
  const most = claim === 'sold' ? Math.min(lawful, soldUs(rules)) : lawful
  return most === Infinity || mostInAnyHour(entries, frame) <= most
}

/** Basics Station's rule, for the new frame after the others and for the others after it. */
function restsBetween(band: AirBand, entries: readonly OnAir[], frame: AirWindow): boolean {
  const rest = (durationUs: number): number => Math.ceil((durationUs * WHOLE_PPM) / (band.dutyPpm ?? WHOLE_PPM))
  return entries.every((entry) => (entry.startUs <= frame.startUs ? entry.startUs + rest(entry.durationUs) <= frame.startUs : frame.startUs + rest(frame.durationUs) <= entry.startUs))
}

/** The most that any hour with a piece of `frame` in it would hold, frame included. One pass over what is near, in order of ends. */
function mostInAnyHour(entries: readonly OnAir[], frame: AirWindow): number {
  const [from, to] = [frame.startUs - COUNTED_US, frame.startUs + frame.durationUs + COUNTED_US]
  const near = [frame, ...entries.filter((entry) => entry.startUs + entry.durationUs > from && entry.startUs < to)]
  const starts = near.map((entry) => entry.startUs - from).sort((a, b) => a - b)
  const ends = near.map((entry) => entry.startUs + entry.durationUs - from).sort((a, b) => a - b)
  const [untilNow, untilAnHourAgo] = [runningSum(starts, ends), runningSum(starts, ends)]
  let most = 0
  for (const moment of ends) {
    const sum = untilNow(moment) - untilAnHourAgo(moment - COUNTED_US)
    if (moment > COUNTED_US && moment < to - from && sum > most) most = sum
  }
  return most
}

/** On air from the beginning until a moment; moments are asked for in order. */
function runningSum(starts: readonly number[], ends: readonly number[]): (moment: number) => number {
  let [started, ended, sumOfStarts, sumOfEnds] = [0, 0, 0, 0]
  return (moment) => {
    for (; (starts[started] ?? Infinity) < moment; started++) sumOfStarts += starts[started] ?? 0
    for (; (ends[ended] ?? Infinity) <= moment; ended++) sumOfEnds += ends[ended] ?? 0
    return sumOfEnds + (started - ended) * moment - sumOfStarts
  }
}

/** On air in the hour before `moment`. */
function usedAt(entries: readonly OnAir[], moment: number): number {
  let sum = 0
  for (const entry of entries) sum += Math.max(0, Math.min(entry.startUs + entry.durationUs, moment) - Math.max(entry.startUs, moment - COUNTED_US))
  return sum
}

function inserted(entries: readonly OnAir[], entry: OnAir): readonly OnAir[] {
  const at = entries.findLastIndex((other) => other.startUs <= entry.startUs) + 1
  return [...entries.slice(0, at), entry, ...entries.slice(at)]
}
