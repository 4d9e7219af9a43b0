/**
 * The paid session: what it is, and what can be asked of it. The rules are in step.ts; docs/hotspot.md
 * draws the states. Pure data: a clock reading comes in with every input, durations are counted on the
 * boot clock only, in whole milliseconds, and wall time is kept for display.
 */
import type { Moment } from '../../base/index.ts'
import type { DeviceCounters, MacAddress } from '../gate/types.ts'
import type { EndReason, PauseReason, SessionState } from '../types.ts'
import { currentOf, spendMs } from './allotment.ts'
import type { Allotment, Terms } from './allotment.ts'

export type Reading = Omit<DeviceCounters, 'mac'>
export const NOTHING_READ: Reading = { upBytes: 0, downBytes: 0, upPackets: 0, downPackets: 0 }

export interface Device {
  readonly mac: MacAddress
  readonly ip4: string | null
  /** False: it gave its place to another device; kept so that the receipt's counters stay whole. */
  readonly isBound: boolean
  /** It came in by another device's link and is a guest here; false: by what was paid, or by the session's key. */
  readonly byTicket: boolean
  /** The gate's counters up to which traffic has been charged. */
  readonly seen: Reading
  /** Charged to this session. */
  readonly used: Reading
}

/** The gate is open: time runs from `countedToMs`, but never past the kernel's own lease. */
export interface Run {
  /** Boot clock; time before it has been charged. */
  readonly countedToMs: number
  /** Boot clock; when the kernel closes if nobody renews. After it no time is charged. */
  readonly openUntilMs: number
}

export interface SessionToken {
  readonly symbol: string
  readonly decimals: number
}

export interface Session {
  /** 16 lower-case hex digits; sorts by age. */
  readonly id: string
  readonly state: SessionState
  readonly endReason: EndReason | null
  readonly pauseReason: PauseReason | null
  readonly allotments: readonly Allotment[]
  /** Oldest binding first. */
  readonly devices: readonly Device[]
  /** What it was paid in: the receipt says so for ever, whatever the box is set to later. null: not known, from an older version. */
  readonly token: SessionToken | null
  /** Goes up when the session changes hands: tickets with a lower number are stale. */
  readonly ticketCounter: number
  readonly upBytes: number
  readonly downBytes: number
  readonly run: Run | null
  /** When it was journaled, and when it ended. */
  readonly started: Moment | null
  readonly ended: Moment | null
}

export interface NewDevice {
  readonly mac: MacAddress
  readonly ip4: string | null
  /** The gate's counters of this MAC before it belonged to this session. */
  readonly seen: Reading
}

export type SessionInput =
  | { readonly type: 'preflight' }
  | { readonly type: 'received'; readonly terms: Terms; readonly device: NewDevice }
  | { readonly type: 'journaled'; readonly at: Moment }
  /** Tell the gate. `by` matters while the owner holds the session paused. */
  | { readonly type: 'open'; readonly by: 'guest' | 'owner' | 'service' }
  /** The kernel has it, for `leaseMs` at most or until all time is used up. */
  | { readonly type: 'opened'; readonly at: Moment; readonly leaseMs: number }
  /** The kernel did not take the change: nothing of it happened. */
  | { readonly type: 'refused'; readonly at: Moment }
  /** The kernel keeps it open until `openUntilMs`, as it was told at `fromMs` (boot clock); the news may come later. */
  | { readonly type: 'renewed'; readonly at: Moment; readonly fromMs: number; readonly openUntilMs: number }
  /** All counters of the gate: a device that is missing has none. `gone`: devices that have just left and are charged once more. */
  | { readonly type: 'counted'; readonly at: Moment; readonly counters: ReadonlyMap<MacAddress, Reading>; readonly gone?: readonly MacAddress[] }
  /** The kernel closed because its count says that all bytes are used up, but for a last packet that did not fit. */
  | { readonly type: 'spent'; readonly at: Moment }
  | { readonly type: 'tick'; readonly at: Moment }
  | { readonly type: 'bought'; readonly at: Moment; readonly terms: Terms }
  | { readonly type: 'bind'; readonly at: Moment; readonly device: NewDevice; readonly byTicket: boolean }
  | { readonly type: 'unbind'; readonly at: Moment; readonly mac: MacAddress }
  | { readonly type: 'moved'; readonly at: Moment; readonly mac: MacAddress; readonly ip4: string }
  | { readonly type: 'pause'; readonly at: Moment; readonly reason: PauseReason }
  | { readonly type: 'end'; readonly at: Moment; readonly reason: EndReason }
  | { readonly type: 'refund'; readonly at: Moment }
  | { readonly type: 'revoke'; readonly at: Moment; readonly bearer: string }
  /** Used at another box since this was last said; negative: less than was thought. `isBack`: it is used here again. */
  | { readonly type: 'used-away'; readonly at: Moment; readonly ms: number; readonly bytes: number; readonly isBack: boolean }
  /** Read back from disk by a new process; `sameBoot`: the stored boot-clock readings still count. */
  | { readonly type: 'restored'; readonly at: Moment; readonly sameBoot: boolean }

export interface Reversal {
  readonly seq: number
  readonly entryId: number
  readonly amount: bigint
}

/** To be carried out in this order; one that fails stops those after it. */
export type SessionEffect =
  /** The session, and these refunds, must be on disk before anything else happens. */
  | { readonly type: 'write'; readonly reversals: readonly Reversal[] }
  /** One gate change: open (or renew, or alter) all its devices, and close these. */
  | { readonly type: 'gate'; readonly open: boolean; readonly close: readonly MacAddress[] }

export interface Step {
  readonly session: Session
  readonly effects: readonly SessionEffect[]
}

/** A price was named; nothing is owed yet. */
export function quotedSession(id: string, token: SessionToken | null = null): Session {
  return {
    id,
    token,
    state: 'quoted',
    endReason: null,
    pauseReason: null,
    allotments: [],
    devices: [],
    ticketCounter: 0,
    upBytes: 0,
    downBytes: 0,
    run: null,
    started: null,
    ended: null,
  }
}

/** The same session with the time up to `nowMs` charged. */
export function settle(session: Session, nowMs: number): Session {
  if (session.state !== 'active' || session.run === null) return session
  const untilMs = Math.min(Math.floor(nowMs), session.run.openUntilMs)
  const elapsedMs = untilMs - session.run.countedToMs
  if (elapsedMs <= 0) return session
  return {
    ...session,
    allotments: spendMs(session.allotments, elapsedMs),
    run: { ...session.run, countedToMs: untilMs },
  }
}

/** Less than this is not worth another write. */
const SLOW_CLOSING_MS = 100

/**
 * A session that was paused at `fromMs`, with the time charged until its close was handed to the gate: the disk, which
 * comes first, may be slow. What would leave nothing at all is not charged: a paused session has something left.
 */
export function settleClosing(paused: Session, run: Run, fromMs: number, closingMs: number): Session {
  const elapsedMs = Math.min(Math.floor(closingMs), run.openUntilMs) - Math.max(run.countedToMs, Math.min(Math.floor(fromMs), run.openUntilMs))
  if (paused.state !== 'paused' || elapsedMs < SLOW_CLOSING_MS) return paused
  const allotments = spendMs(paused.allotments, elapsedMs)
  return currentOf(allotments) === undefined ? paused : { ...paused, allotments }
}

export function boundDevices(session: Session): readonly Device[] {
  return session.devices.filter((device) => device.isBound)
}

export function isBoundTo(session: Session, mac: MacAddress): boolean {
  return session.devices.some((device) => device.isBound && device.mac === mac)
}

export function isOver(session: Session): boolean {
  return session.state === 'ended'
}

/** Is this device here only by another one's link? Then what stops or takes away time is not for it to ask. */
export function isVisitor(session: Session, mac: MacAddress): boolean {
  return session.devices.some((device) => device.isBound && device.mac === mac && device.byTicket)
}

/** How many devices may be online at once: what the allotment being used allows. */
export function devicesMax(session: Session): number {
  return (currentOf(session.allotments) ?? session.allotments.at(-1))?.devices ?? 1
}

/** Owed an open gate, without anybody asking: it was being opened, or was running when the service went. */
export function wantsOpening(session: Session): boolean {
  return (
    session.state === 'journaled' ||
    session.state === 'gate-open' ||
    (session.state === 'paused' && session.pauseReason === 'restart')
  )
}
