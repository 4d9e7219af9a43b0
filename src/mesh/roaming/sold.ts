/**
 * A session that this box sold and that walks: (state, input) → (state, what to answer). Only the seller moves it, so it is in one
 * place by the seller's word; each move has a higher number. A device alone (its MAC) moves it freely, as walking has to; who goes
 * to and fro between two places faster than people walk is two, and then only the guest's key or code moves it, the
 * last one shown. What is used is what its places report, never more than the time that passed while it was theirs: no second
 * counts twice. Of a session that a guest's key holds, a device alone has only so many seconds elsewhere: what is
 * beyond them is charged when the key was shown to the box where he is. docs/mesh.md
 */
import type { Address, Hash } from '../../base/index.ts'
import type { BoxId, Mac, RoamTicket } from '../ports.ts'
import type { StayReport } from '../documents/index.ts'

/** A place may let the guest on so long after the seller last said so. */
export const LEASE_MS = 60_000
/** So many moves without proof within this time: somebody uses it in two places. */
const CONTEST_WINDOW_MS = 10_000
export const CONTEST_MOVES = 3
/** As long as nobody tried in vain for this time, a device alone is believed again. */
const CONTEST_REST_MS = 30_000
/** A guest who was not heard for so long is idle. */
export const IDLE_MS = 1000
/** Two moves by proof are at least so far apart. */
const PROOF_EVERY_MS = 1000
/** What a place that is silent may have used is charged so long; then only what it reported. */
export const RECONCILE_MS = 600_000
const MAX_STAYS = 16

export interface Stay {
  readonly holder: BoxId
  readonly counter: number
  readonly unitsPerMinute: bigint
  /** What was left when it began. */
  readonly allowedSeconds: number
  readonly allowedBytes: bigint | null
  /** The most that will be believed: what was allowed, and once it is over what it was charged with then. */
  readonly capSeconds: number
  readonly beganMs: number
  /** Null: it is there now. */
  readonly endedMs: number | null
  /** Last word of the holder, and what of it was believed. */
  readonly reportedMs: number
  readonly usedSeconds: number
  readonly usedBytes: bigint
  readonly isIdle: boolean
  /** Nothing will be added. */
  readonly isFinal: boolean
  /** Acknowledged with a signature, and owed for. */
  readonly signedSeconds: number
  readonly signedMs: number
  /** The most that is charged before the guest's key is shown here; null: it was shown when the stay began, or there is none. */
  readonly unprovedSeconds: number | null
  /** When it was shown here; null: not since the stay began. */
  readonly provedMs: number | null
}

export interface SoldRoam {
  readonly sessionId: string
  readonly mac: Mac
  readonly bearerHash: Hash
  readonly token: Address | null
  /** The most that a minute is worth. */
  readonly unitsPerMinute: bigint
  readonly counter: number
  readonly holder: BoxId
  /** The move is on disk; that our own hotspot let go, or took back, is not known yet. */
  readonly isMoving: boolean
  /** What there was to use elsewhere when it left here last, all that had been used elsewhere before included. */
  readonly baseSeconds: number
  readonly baseBytes: bigint | null
  /** Of stays that are no longer kept. */
  readonly settledSeconds: number
  readonly settledBytes: bigint
  /** Oldest first. */
  readonly stays: readonly Stay[]
  /** Late moves without proof. */
  readonly movesMs: readonly number[]
  readonly contestedUntilMs: number | null
  /** The last move was by proof. */
  readonly isProved: boolean
  readonly provedMs: number | null
  /** Seconds elsewhere that are charged on the device's word alone, between two times that the key is shown; null: no key holds it. */
  readonly proofAfterSeconds: number | null
  /** Of them, used in stays that are over. */
  readonly unprovedSeconds: number
}

export type Refusal = 'ended' | 'prove' | 'again' | 'too-dear'

export interface SoldClaim {
  readonly claimant: BoxId
  readonly hasProof: boolean
  readonly unitsPerMinute: bigint
  /** With the key, for another device than before: where it is already, it begins anew. */
  readonly isNewDevice: boolean
  /** Since the guest was heard here; matters while it is here. */
  readonly homeIdleMs: number
  readonly nowMs: number
}

export type ClaimAnswer =
  /** It is there already. */
  | { readonly kind: 'same'; readonly state: SoldRoam }
  | { readonly kind: 'move'; readonly state: SoldRoam }
  | { readonly kind: 'refused'; readonly state: SoldRoam; readonly why: Refusal }

/** Of a session that was never elsewhere. */
export function newSoldRoam(self: BoxId, ticket: RoamTicket): SoldRoam {
  const { sessionId, mac, bearerHash, token, unitsPerMinute, counter, leftSeconds, leftBytes, proofAfterSeconds } = ticket
  return {
    sessionId,
    mac,
    bearerHash,
    token,
    unitsPerMinute,
    counter,
    holder: self,
    isMoving: false,
    baseSeconds: leftSeconds,
    baseBytes: leftBytes,
    settledSeconds: 0,
    settledBytes: 0n,
    stays: [],
    movesMs: [],
    contestedUntilMs: null,
    isProved: false,
    provedMs: null,
    proofAfterSeconds,
    unprovedSeconds: 0,
  }
}

/** `self`: the seller, who may claim it back. The claimant's signature and proof were checked. */
export function claimSold(state: SoldRoam, self: BoxId, claim: SoldClaim): ClaimAnswer {
  const { claimant, hasProof, nowMs } = claim
  const refused = (why: Refusal, changes: Partial<SoldRoam> = {}): ClaimAnswer => ({ kind: 'refused', state: { ...state, ...changes }, why })
  if (leftSeconds(state, nowMs) <= 0 && claimant !== self) return refused('ended')
  if (claimant === state.holder && !claim.isNewDevice) {
    if (hasProof) return { kind: 'same', state: provedHere(state, nowMs) }
    return claimant !== self && unprovedLeft(state, nowMs) === 0 ? refused('prove') : { kind: 'same', state }
  }
  if (claimant !== self && (claim.unitsPerMinute > state.unitsPerMinute || (claim.unitsPerMinute > 0n && state.token === null))) return refused('too-dear')
  const movesMs = state.movesMs.filter((at) => nowMs - at < CONTEST_WINDOW_MS)
  if (hasProof) {
    if (state.provedMs !== null && nowMs - state.provedMs < PROOF_EVERY_MS) return refused('again')
    return { kind: 'move', state: { ...moved(state, self, claim), movesMs: [], contestedUntilMs: null, isProved: true, provedMs: nowMs } }
  }
  if (claimant !== self && unprovedLeft(state, nowMs) === 0) return refused('prove', { movesMs })
  const isContested = (state.contestedUntilMs !== null && nowMs < state.contestedUntilMs) || movesMs.length >= CONTEST_MOVES
  // One who walks to and fro is silent where he was; two are not.
  const isHeard = isHeardOf(state, self, claim)
  if (isContested && isHeard) return refused('prove', { movesMs, contestedUntilMs: nowMs + CONTEST_REST_MS })
  if (state.isProved && isHeard) return refused('again')
  return { kind: 'move', state: { ...moved(state, self, claim), movesMs: [...movesMs, nowMs].slice(-CONTEST_MOVES), contestedUntilMs: null, isProved: false } }
}

/** What was left when our own gate had closed. */
export function leftHome(state: SoldRoam, left: { readonly seconds: number; readonly bytes: bigint | null }, nowMs: number): SoldRoam {
  const spent = spentElsewhere(state, nowMs)
  const stays = state.stays.map((stay) => (stay.endedMs === null ? { ...stay, allowedSeconds: left.seconds, allowedBytes: left.bytes, capSeconds: left.seconds } : stay))
  return { ...state, isMoving: false, baseSeconds: left.seconds + spent.seconds, baseBytes: left.bytes === null ? null : left.bytes + spent.bytes, stays }
}

export interface ReportAnswer {
  readonly state: SoldRoam
  /** `ok`: the lease goes on. */
  readonly verdict: 'ok' | 'gone' | 'ended' | 'prove'
}

/** A report of the stay with this holder and counter; any number of times, in any order. */
export function reportSold(state: SoldRoam, holder: BoxId, report: StayReport, nowMs: number): ReportAnswer {
  const stay = state.stays.find((each) => each.holder === holder && each.counter === report.counter)
  if (stay === undefined) return { state, verdict: 'gone' }
  const isHere = stay.endedMs === null
  // A figure is believed up to the time that passed, and up to what the others have left.
  const passed = Math.max(0, Math.floor(((stay.endedMs ?? nowMs) - stay.beganMs) / 1000))
  const others = spentElsewhere({ ...state, stays: state.stays.filter((each) => each !== stay) }, nowMs)
  const room = Math.max(0, state.baseSeconds - others.seconds)
  const isClosed = stay.isFinal || (stay.endedMs !== null && nowMs - stay.endedMs > RECONCILE_MS)
  const believed = isClosed ? stay.usedSeconds : Math.max(stay.usedSeconds, Math.min(report.seconds, passed, stay.capSeconds, room, provedLimit(stay, nowMs)))
  const bytesRoom = state.baseBytes === null ? report.bytes : atLeastZero(state.baseBytes - others.bytes)
  const bytes = isClosed ? stay.usedBytes : largest(stay.usedBytes, smallest(report.bytes, bytesRoom))
  const reported: Stay = { ...stay, reportedMs: nowMs, usedSeconds: believed, usedBytes: bytes, isIdle: report.isIdle, isFinal: stay.isFinal || (report.isFinal && !isHere) }
  const after = { ...state, stays: state.stays.map((each) => (each === stay ? reported : each)) }
  if (!isHere) return { state: after, verdict: 'gone' }
  const left = leftOf(after, nowMs)
  if (left.seconds <= 0 || left.bytes === 0n) return { state: after, verdict: 'ended' }
  return { state: after, verdict: isUnproved(stay) && believed >= (stay.unprovedSeconds ?? 0) ? 'prove' : 'ok' }
}

/** Acknowledged: this figure will be paid. `newSeconds`: beyond what was signed before. */
export function signStay(state: SoldRoam, counter: number, nowMs: number): { readonly state: SoldRoam; readonly newSeconds: number; readonly stay: Stay | null } {
  const stay = state.stays.find((each) => each.counter === counter) ?? null
  if (stay === null) return { state, newSeconds: 0, stay }
  const signed = { ...stay, signedSeconds: stay.usedSeconds, signedMs: nowMs }
  return { state: { ...state, stays: state.stays.map((each) => (each === stay ? signed : each)) }, newSeconds: stay.usedSeconds - stay.signedSeconds, stay: signed }
}

/**
 * Stays that were over long ago are added up: nothing of them will change, and their holders have their receipts. `isOver`: the session
 * itself is; then nobody moves it on, and its last stay is over when its holder has nothing more to say of it.
 */
export function pruneSold(state: SoldRoam, isOver: boolean, nowMs: number): SoldRoam {
  const isDone = (stay: Stay): boolean => (stay.endedMs === null ? isOver && nowMs - stay.reportedMs > RECONCILE_MS : nowMs - stay.endedMs > RECONCILE_MS)
  const done = state.stays.filter((stay, index) => isDone(stay) || index < state.stays.length - MAX_STAYS)
  if (done.length === 0) return state
  return {
    ...state,
    settledSeconds: done.reduce((sum, stay) => sum + stay.usedSeconds, state.settledSeconds),
    settledBytes: done.reduce((sum, stay) => sum + stay.usedBytes, state.settledBytes),
    stays: state.stays.filter((stay) => !done.includes(stay)),
  }
}

/** Of stays that are over and whose holder has not said its last word. */
export function openEnds(state: SoldRoam, nowMs: number): readonly Stay[] {
  return state.stays.filter((stay) => stay.endedMs !== null && !stay.isFinal && nowMs - stay.endedMs <= RECONCILE_MS)
}

/** Whole seconds, rounded to the guest. */
function leftSeconds(state: SoldRoam, nowMs: number): number {
  return leftOf(state, nowMs).seconds
}

export function leftOf(state: SoldRoam, nowMs: number): { readonly seconds: number; readonly bytes: bigint | null } {
  const spent = spentElsewhere(state, nowMs)
  return { seconds: Math.max(0, state.baseSeconds - spent.seconds), bytes: state.baseBytes === null ? null : atLeastZero(state.baseBytes - spent.bytes) }
}

/** All that was used away from here. */
export function spentElsewhere(state: Pick<SoldRoam, 'settledSeconds' | 'settledBytes' | 'stays'>, nowMs: number): { readonly seconds: number; readonly bytes: bigint } {
  return state.stays.reduce((sum, stay) => ({ seconds: sum.seconds + usedSeconds(stay, nowMs), bytes: sum.bytes + stay.usedBytes }), { seconds: state.settledSeconds, bytes: state.settledBytes })
}

/**
 * The ticket of a stay, with what is left of what it was allowed by what is acknowledged. Two of one counter, both signed by the
 * seller, show what the seller owes: the difference in seconds at the price in them.
 */
export function ticketOf(state: SoldRoam, self: BoxId, stay: Stay): RoamTicket {
  const { sessionId, mac, bearerHash, token } = state
  const leftBytes = stay.allowedBytes === null ? null : atLeastZero(stay.allowedBytes - stay.usedBytes)
  return { seller: self, sessionId, mac, bearerHash, leftSeconds: stay.allowedSeconds - stay.signedSeconds, leftBytes, unitsPerMinute: stay.unitsPerMinute, token, counter: stay.counter, holder: stay.holder, proofAfterSeconds: isUnproved(stay) ? stay.unprovedSeconds : null }
}

function moved(state: SoldRoam, self: BoxId, { claimant, unitsPerMinute, hasProof, nowMs }: SoldClaim): SoldRoam {
  const counter = state.counter + 1
  const unproved = hasProof || state.proofAfterSeconds === null ? null : (unprovedLeft(state, nowMs) ?? 0)
  const unprovedSeconds = unproved === null ? 0 : (state.proofAfterSeconds ?? 0) - unproved
  const ended = state.stays.map((stay) => (stay.endedMs === null ? { ...stay, endedMs: nowMs, capSeconds: usedSeconds(stay, nowMs) } : stay))
  const without = { ...state, counter, holder: claimant, stays: ended, unprovedSeconds, isMoving: state.holder === self || claimant === self }
  if (claimant === self) return without
  const left = leftOf(without, nowMs)
  const stay: Stay = {
    holder: claimant,
    counter,
    unitsPerMinute,
    allowedSeconds: left.seconds,
    allowedBytes: left.bytes,
    capSeconds: left.seconds,
    beganMs: nowMs,
    endedMs: null,
    reportedMs: nowMs,
    usedSeconds: 0,
    usedBytes: 0n,
    isIdle: false,
    isFinal: false,
    signedSeconds: 0,
    signedMs: nowMs,
    unprovedSeconds: unproved,
    provedMs: null,
  }
  return { ...without, stays: [...ended, stay] }
}

/** What it is charged with now: what was reported, and for a while what may have been used since. */
function usedSeconds(stay: Stay, nowMs: number): number {
  if (stay.isFinal || nowMs - stay.reportedMs > RECONCILE_MS) return stay.usedSeconds
  const untilMs = stay.endedMs ?? nowMs
  const openMs = Math.max(0, Math.min(untilMs - stay.reportedMs, LEASE_MS))
  const passed = Math.max(0, Math.floor((untilMs - stay.beganMs) / 1000))
  return Math.min(stay.capSeconds, provedLimit(stay, nowMs), Math.max(stay.usedSeconds, Math.min(passed, stay.usedSeconds + Math.ceil(openMs / 1000))))
}

const isUnproved = (stay: Stay): boolean => stay.unprovedSeconds !== null && stay.provedMs === null

/** The most that is charged of a stay: before the key is shown what the device is trusted with, and from then on the time that passes. */
function provedLimit({ unprovedSeconds, provedMs, beganMs, endedMs }: Stay, nowMs: number): number {
  if (unprovedSeconds === null) return Number.POSITIVE_INFINITY
  if (provedMs === null) return unprovedSeconds
  const seconds = (ms: number): number => Math.max(0, Math.floor(ms / 1000))
  return Math.min(unprovedSeconds, seconds(provedMs - beganMs)) + seconds((endedMs ?? nowMs) - provedMs)
}

/** Seconds that may still be used elsewhere before the key is shown; null: no end. */
function unprovedLeft(state: SoldRoam, nowMs: number): number | null {
  if (state.proofAfterSeconds === null) return null
  const here = state.stays.at(-1)
  const used = here !== undefined && here.endedMs === null && isUnproved(here) ? usedSeconds(here, nowMs) : 0
  return Math.max(0, state.proofAfterSeconds - state.unprovedSeconds - used)
}

/** The key was shown where it is: what passes there from now on is charged. */
function provedHere(state: SoldRoam, nowMs: number): SoldRoam {
  const stays = state.stays.map((stay) => (stay.endedMs === null && isUnproved(stay) ? { ...stay, provedMs: nowMs } : stay))
  return { ...state, stays, unprovedSeconds: 0, isProved: true, provedMs: nowMs, contestedUntilMs: null, movesMs: [] }
}

/** Where it is now, the guest was heard lately. */
function isHeardOf(state: SoldRoam, self: BoxId, { homeIdleMs, nowMs }: SoldClaim): boolean {
  if (state.holder === self) return homeIdleMs < IDLE_MS
  const stay = state.stays.at(-1)
  return stay !== undefined && stay.endedMs === null && !stay.isIdle && nowMs - stay.reportedMs < CONTEST_WINDOW_MS
}

const largest = (a: bigint, b: bigint): bigint => (a > b ? a : b)
const smallest = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const atLeastZero = (amount: bigint): bigint => (amount > 0n ? amount : 0n)
