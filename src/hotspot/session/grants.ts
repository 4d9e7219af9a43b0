/** What the kernel should hold for a session, and when somebody must look at it again. */
import type { Grant } from '../gate/types.ts'
import { bytesToSpend, currentOf, msLeft, totalMsLeft } from './allotment.ts'
import { boundDevices, settle } from './session.ts'
import type { Session } from './session.ts'

/**
 * A renewed lease that is also the last one is cut this much short: the time between reading the clock and
 * the kernel's commit would otherwise be given away, and expiry must not be late.
 */
const LAST_LEASE_MARGIN_MS = 40
/** What a gate takes (gate/grant.ts); a voucher printed elsewhere may say more. */
const MAX_QUOTA_BYTES = 2 ** 50
const RATE_KBPS = { least: 8, most: 10_000_000 }

/** Grants of a session that is open or being opened, from `nowMs` (boot clock); none when nothing is left. */
export function grantsOf(session: Session, nowMs: number, maxLeaseMs: number): Grant[] {
  if (session.state !== 'active' && session.state !== 'gate-open') return []
  const settled = settle(session, nowMs)
  const current = currentOf(settled.allotments)
  if (current === undefined) return []
  const left = totalMsLeft(settled.allotments)
  // The first lease needs no margin: the session's clock starts only after the kernel's.
  const margin = settled.state === 'active' ? LAST_LEASE_MARGIN_MS : 0
  const leaseMs = left === null ? maxLeaseMs : Math.min(maxLeaseMs, Math.max(1, left - margin))
  const bytes = bytesToSpend(settled.allotments)
  const quotaBytes = bytes === null || bytes > MAX_QUOTA_BYTES ? null : bytes
  // The next allotment may allow fewer devices, from the moment its turn comes: the newest keep their places.
  const devices = boundDevices(settled).slice(-current.devices)
  return devices.map(({ mac, ip4 }) => ({
    sessionId: settled.id,
    mac,
    ip4,
    leaseMs,
    quotaBytes,
    usedBytes: settled.upBytes + settled.downBytes,
    downKbps: rate(current.downKbps),
    upKbps: rate(current.upKbps),
  }))
}

/** When the kernel closes a session that was granted at `nowMs`, if nobody renews; see `grantsOf`. */
export function leaseEndOf(session: Session, nowMs: number, maxLeaseMs: number): number {
  const left = totalMsLeft(settle(session, nowMs).allotments)
  return nowMs + (left === null ? maxLeaseMs : Math.min(maxLeaseMs, left))
}

/** The same session with a lease that goes no further than what is left of it: for when that became less, and the kernel is told so. */
export function leaseWithinRest(session: Session): Session {
  const { run } = session
  const left = totalMsLeft(session.allotments)
  if (run === null || left === null || run.openUntilMs <= run.countedToMs + left) return session
  return { ...session, run: { ...run, openUntilMs: run.countedToMs + left } }
}

/** All bytes a session may ever use, as a grant tells it to the kernel; null = not limited. */
export function allowanceOf({ quotaBytes, usedBytes = 0 }: Pick<Grant, 'quotaBytes' | 'usedBytes'>): number | null {
  return quotaBytes === null ? null : quotaBytes + usedBytes
}

function rate(kbps: number | null): number | null {
  return kbps === null ? null : Math.min(RATE_KBPS.most, Math.max(RATE_KBPS.least, kbps))
}

/** Will the kernel close before the session's own time is over? Then the lease must be renewed. */
export function needsRenewal(session: Session): boolean {
  if (session.state !== 'active' || session.run === null) return false
  const left = totalMsLeft(session.allotments)
  return left === null || session.run.countedToMs + left > session.run.openUntilMs
}

/** Boot-clock moment at which the allotment in use runs out of time, if the gate is open until then. */
export function deadlineOf(session: Session): number | null {
  if (session.state !== 'active' || session.run === null) return null
  const current = currentOf(session.allotments)
  const left = current === undefined ? 0 : msLeft(current)
  if (left === null) return null
  const deadlineMs = session.run.countedToMs + left
  return deadlineMs <= session.run.openUntilMs ? deadlineMs : null
}

export function isByteLimited(session: Session): boolean {
  return session.allotments.some((allotment) => !allotment.isVoid && allotment.grantedBytes !== null)
}
