/**
 * Another box's session that is used here: (state, input) → (state, effects). It is let in by the seller's signed ticket for a lease,
 * which each answer to a report renews; without one it is let go, with the reason shown, and let in again when the seller says
 * so. What was used is said until the seller has heard it. docs/mesh.md
 */
import type { BoxId, RoamTicket } from '../ports.ts'
import type { StayReport } from '../documents/index.ts'
import type { Used } from './ports.ts'
import { MAX_UNSIGNED_SECONDS } from './account.ts'
import { LEASE_MS } from './sold.ts'

export const REPORT_EVERY_MS = 4000
const REPORT_AGAIN_MS = 1000
const RESUME_MS = 5000
/** A last word that nobody wants to hear is kept so long. */
export const LAST_WORD_MS = 900_000

export interface HeldRoam {
  readonly ticket: RoamTicket
  /** Signed by the seller: how the stay began, and the newest receipt of it. */
  readonly first: Uint8Array
  readonly receipt: Uint8Array | null
  /** Seconds that were left in the first. */
  readonly allowedSeconds: number
  /** Seconds of this stay that the receipt says. */
  readonly receiptSeconds: number
  readonly isIn: boolean
  readonly leaseUntilMs: number
  readonly reportDueMs: number
  /** When it was let go for good; null: the seller has not said that. */
  readonly goneMs: number | null
  /** Why it is not in, for the guest. */
  readonly reason: string | null
  /** As of the last look. */
  readonly used: Used
}

export type HeldEffect =
  | { readonly kind: 'admit'; readonly ticket: RoamTicket }
  | { readonly kind: 'release'; readonly reason: string }
  /** The seller has heard all. */
  | { readonly kind: 'forget' }

export interface HeldStep {
  readonly state: HeldRoam
  readonly effects: readonly HeldEffect[]
}

export const SELLER_SILENT = 'the box that sold this time cannot be reached; it goes on when it can'
export const WENT_ELSEWHERE = 'this time is now used at another box'
export const SELLER_OWES = 'the box that sold this time owes this one too much for its guests'
export const NEEDS_KEY = 'the key that holds this time has to be shown'
export const USED_UP = 'this time is used up'

/**
 * A ticket of the seller, asked for at `askedMs`, whose signature and holder were checked. Null: it is stale or says what cannot be,
 * and changes nothing.
 */
export function takeTicket(before: HeldRoam | null, ticket: RoamTicket, frame: Uint8Array, askedMs: number): HeldStep | null {
  if (ticket.leftSeconds <= 0 || ticket.leftBytes === 0n) return null
  if (before !== null && ticket.counter < before.ticket.counter) return null
  if (before !== null && ticket.counter === before.ticket.counter) {
    // Asked for before it went: it came late.
    if (before.goneMs !== null && askedMs <= before.goneMs) return null
    if (ticket.unitsPerMinute !== before.ticket.unitsPerMinute || ticket.token !== before.ticket.token) return null
    if (isUnsigned(before)) return null
    return admitted({ ...before, ticket, goneMs: null }, askedMs)
  }
  const state: HeldRoam = { ticket, first: frame, receipt: null, allowedSeconds: ticket.leftSeconds, receiptSeconds: 0, isIn: false, leaseUntilMs: 0, reportDueMs: askedMs + REPORT_EVERY_MS, goneMs: null, reason: null, used: { seconds: 0, bytes: 0n } }
  return admitted(state, askedMs)
}

/** `ok` comes with what is left of the session. */
export type SellersWord = { readonly verdict: 'ok'; readonly leftSeconds: number; readonly leftBytes: bigint | null } | { readonly verdict: 'gone' | 'ended' | 'prove' }

/** The seller's answer to a report that was sent at `atMs`. `isOverdrawn`: it owes more than is borne. */
export function hearSeller(state: HeldRoam, word: SellersWord, sent: { readonly atMs: number; readonly isFinal: boolean; readonly isOverdrawn: boolean }): HeldStep {
  if (word.verdict === 'ok' && state.goneMs === null) {
    if (sent.isOverdrawn || isUnsigned(state)) return letGo({ ...state, isIn: false }, SELLER_OWES, sent.atMs + REPORT_EVERY_MS, false)
    const ticket = { ...state.ticket, leftSeconds: word.leftSeconds, leftBytes: word.leftBytes }
    return admitted({ ...state, ticket, reportDueMs: sent.atMs + REPORT_EVERY_MS }, sent.atMs)
  }
  if (word.verdict === 'prove' && state.goneMs === null) return letGo(state, NEEDS_KEY, sent.atMs + REPORT_EVERY_MS, false)
  if (sent.isFinal) return { state, effects: [{ kind: 'forget' }] }
  return letGo(state, word.verdict === 'ended' ? USED_UP : WENT_ELSEWHERE, sent.atMs, true)
}

/** The seller says that it went on to where the number is higher. */
export function hearGone(state: HeldRoam, counter: number, nowMs: number): HeldStep {
  return counter <= state.ticket.counter ? { state, effects: [] } : letGo(state, WENT_ELSEWHERE, nowMs, true)
}

export function tickHeld(before: HeldRoam, used: Used, nowMs: number): HeldStep {
  const state = { ...before, used: { seconds: Math.max(before.used.seconds, used.seconds), bytes: used.bytes > before.used.bytes ? used.bytes : before.used.bytes } }
  if (state.goneMs !== null && nowMs - state.goneMs > LAST_WORD_MS) return { state, effects: [{ kind: 'forget' }] }
  if (state.isIn && nowMs >= state.leaseUntilMs) return letGo(state, SELLER_SILENT, nowMs, false)
  return { state, effects: [] }
}

/** It was not answered. */
export function reportFailed(state: HeldRoam, nowMs: number): HeldRoam {
  return { ...state, reportDueMs: nowMs + REPORT_AGAIN_MS }
}

/** A receipt of the seller, signature checked. Only one that says more than the one before is kept. */
export function keepReceipt(state: HeldRoam, receipt: RoamTicket, frame: Uint8Array): HeldRoam {
  const { counter, holder, unitsPerMinute, token } = state.ticket
  if (receipt.counter !== counter || receipt.holder !== holder || receipt.unitsPerMinute !== unitsPerMinute || receipt.token !== token) return state
  const seconds = state.allowedSeconds - receipt.leftSeconds
  return seconds <= state.receiptSeconds ? state : { ...state, receipt: frame, receiptSeconds: seconds }
}

export function stayReport(state: HeldRoam, isIdle: boolean): StayReport {
  return { sessionId: state.ticket.sessionId, counter: state.ticket.counter, seconds: state.used.seconds, bytes: state.used.bytes, isIdle, isFinal: state.goneMs !== null }
}

/** After a start: the kernel may have kept him in, for no longer than it takes to ask the seller. */
export function resumeHeld(state: HeldRoam, nowMs: number): HeldRoam {
  return { ...state, leaseUntilMs: Math.min(state.leaseUntilMs, nowMs + RESUME_MS), reportDueMs: nowMs }
}

/**
 * What the gate counts of a stay begins anew when its memory is gone (a power cut, a stay that was let go long ago), and the stay goes on: what
 * was known of it before stays used.
 */
export interface StayCount {
  readonly counter: number
  /** Used before the gate began anew. */
  readonly before: Used
  /** Of the gate, as of the last look. */
  readonly counted: Used
}

/** `last`: null at the first look of this process. `counted`: by the gate, for this stay's number. */
export function countStay(last: StayCount | null, { ticket, used }: Pick<HeldRoam, 'ticket' | 'used'>, counted: Used): StayCount {
  const { counter } = ticket
  if (last !== null && last.counter === counter && counted.seconds >= last.counted.seconds && counted.bytes >= last.counted.bytes) return { ...last, counted }
  const known = last !== null && last.counter === counter ? usedOf(last) : { seconds: 0, bytes: 0n }
  const before = { seconds: Math.max(known.seconds, used.seconds) - counted.seconds, bytes: (known.bytes > used.bytes ? known.bytes : used.bytes) - counted.bytes }
  return { counter, before: { seconds: Math.max(0, before.seconds), bytes: before.bytes > 0n ? before.bytes : 0n }, counted }
}

export function usedOf({ before, counted }: StayCount): Used {
  return { seconds: before.seconds + counted.seconds, bytes: before.bytes + counted.bytes }
}

export const keyOf = (seller: BoxId, sessionId: string): string => `${seller} ${sessionId}`

/** Too much of it is on the seller's word alone. */
const isUnsigned = ({ ticket, used, receiptSeconds }: HeldRoam): boolean => ticket.unitsPerMinute > 0n && used.seconds - receiptSeconds > MAX_UNSIGNED_SECONDS

/** The lease counts from when it was asked for: the seller's clock for it began no earlier. */
function admitted(state: HeldRoam, askedMs: number): HeldStep {
  const after = { ...state, isIn: true, leaseUntilMs: askedMs + LEASE_MS, reason: null }
  return { state: after, effects: [{ kind: 'admit', ticket: after.ticket }] }
}

function letGo(state: HeldRoam, reason: string, nowMs: number, isForGood: boolean): HeldStep {
  const after: HeldRoam = { ...state, isIn: false, reason, goneMs: isForGood ? (state.goneMs ?? nowMs) : state.goneMs, reportDueMs: nowMs }
  // Also where he should be out already: a gate may have been left open by a crash.
  return { state: after, effects: state.goneMs === null ? [{ kind: 'release', reason }] : [] }
}
