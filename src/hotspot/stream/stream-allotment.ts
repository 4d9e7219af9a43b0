/**
 * A stream in a session, pure: one allotment that grows with what is paid (portal.md row 16). Everything else of a
 * session is as for a voucher: it pauses, moves to another address, and ends when the time is used up.
 */
import { leaseWithinRest } from '../session/index.ts'
import type { Allotment, Session, Step, Terms } from '../session/index.ts'

/** While the kernel's lease has less than this left, and more was paid, the gate is told soon. */
const SHORT_LEASE_MS = 10_000

/** `bearer` is the stream: it is found by it, and nobody can type it in. */
export function streamTerms(stream: string, grantedMs: number, rates: Pick<Terms, 'downKbps' | 'upKbps'>): Terms {
  return { source: 'stream', bearer: stream, label: 'Paid by the second', grantedMs, grantedBytes: null, devices: 1, ...rates, price: 0n }
}

export function streamAllotment(session: Session, stream: string): Allotment | undefined {
  return session.allotments.find((each) => each.bearer === stream)
}

/** The same session with `grantedMs` for the stream in all, never less than before, and what was paid for it by now. */
export function withGrant(session: Session, stream: string, grantedMs: number, price: bigint): Session {
  return change(session, stream, (each) => (grantedMs <= (each.grantedMs ?? 0) ? each : { ...each, grantedMs, price }))
}

/** What is paid beyond what was used goes back to the guest: the allotment ends where its use ends. */
export function clipped(session: Session, stream: string, price: bigint): Step {
  const cut = leaseWithinRest(change(session, stream, (each) => (each.usedMs === 0 ? { ...each, isVoid: true } : { ...each, grantedMs: each.usedMs, price })))
  return { session: cut, effects: [{ type: 'write', reversals: [] }, ...(cut.state === 'active' ? [{ type: 'gate', open: true, close: [] } as const] : [])] }
}

/** Will the kernel close before the time that is now paid for is over, and soon? */
export function needsLeaseSoon(session: Session, nowMs: number): boolean {
  return session.state === 'active' && session.run !== null && session.run.openUntilMs - nowMs < SHORT_LEASE_MS
}

function change(session: Session, stream: string, alter: (allotment: Allotment) => Allotment): Session {
  let isChanged = false
  const allotments = session.allotments.map((each) => {
    if (each.bearer !== stream) return each
    const altered = alter(each)
    isChanged ||= altered !== each
    return altered
  })
  return isChanged ? { ...session, allotments } : session
}
