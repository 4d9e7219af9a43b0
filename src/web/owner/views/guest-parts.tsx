/** A session as the guest list, the home page and the detail sheet show it. */
import type { SessionJson } from '../../../owner/api.ts'
import { showBytes, showClock, showDateTime } from '../format.ts'
import { useSecond } from '../live.ts'
import * as S from '../strings.ts'
import { Hidden } from '../ui/notice.tsx'

/** Seconds left now; the clock of an active session runs on between two answers of the box. */
function secondsLeftAt(session: SessionJson, at: number, now: number): number | null {
  if (session.secondsLeft === null) return null
  const passed = session.state === 'active' ? Math.max(0, Math.floor((now - at) / 1000)) : 0
  return Math.max(0, session.secondsLeft - passed)
}

export function useSecondsLeft(session: SessionJson, at: number): number | null {
  return secondsLeftAt(session, at, useSecond(session.state === 'active'))
}

/** What is left, ticking: '24:10', or bytes, or that there is no limit. */
export function Remaining({ session, at }: { session: SessionJson; at: number }) {
  const left = useSecondsLeft(session, at)
  if (session.state === 'ended') return null
  if (left === null) return <span class="remaining num">{session.bytesLeft === null ? S.guestsNoLimit : S.guestsBytesLeft(showBytes(session.bytesLeft))}</span>
  return <span class={`remaining num${left < 120 && session.state === 'active' ? ' remaining-low' : ''}`}>{showClock(left)}</span>
}

/** How much of the time (or of the data) is left, 0–100; null when nothing limits it. */
export function percentLeft(session: SessionJson, secondsLeft: number | null): number | null {
  if (secondsLeft !== null) {
    const whole = session.secondsUsed + (session.secondsLeft ?? 0)
    return whole > 0 ? Math.min(100, (secondsLeft / whole) * 100) : 0
  }
  if (session.bytesLeft === null) return null
  const whole = session.upBytes + session.downBytes + session.bytesLeft
  return whole > 0 ? (session.bytesLeft / whole) * 100 : 0
}

const LOOKS: Record<SessionJson['state'], { pill: string; dot: string }> = {
  quoted: { pill: '', dot: 'dot-hollow' },
  preflight: { pill: '', dot: 'dot-hollow' },
  received: { pill: '', dot: 'dot-hollow' },
  journaled: { pill: '', dot: 'dot-hollow' },
  'gate-open': { pill: 'pill-good', dot: 'dot-hollow' },
  active: { pill: 'pill-good', dot: 'dot-live' },
  paused: { pill: 'pill-warn', dot: 'dot-pause' },
  ended: { pill: '', dot: 'dot-hollow' },
  credited: { pill: 'pill-warn', dot: 'dot-hollow' },
}

export function StatePill({ session, long = false }: { session: SessionJson; long?: boolean }) {
  const look = LOOKS[session.state]
  const why =
    session.state === 'paused' && session.pauseReason !== null
      ? S.pausedBy[session.pauseReason]
      : session.state === 'ended' && session.endReason !== null
        ? S.ended[session.endReason]
        : undefined
  const word = S.state[session.state] ?? session.state
  return (
    <span class={`pill ${look.pill}`}>
      <span class={`dot ${look.dot}`} aria-hidden="true" />
      {session.state === 'ended' ? (why ?? word) : long && why ? `${word} ${why}` : word}
    </span>
  )
}

export function Traffic({ session }: { session: SessionJson }) {
  return (
    <span class="num nowrap traffic">
      <span>
        <span aria-hidden="true">↓</span>
        <Hidden>{S.guestsDown}</Hidden> {showBytes(session.downBytes)}
      </span>
      <span class="quiet">
        <span aria-hidden="true">↑</span>
        <Hidden>{S.guestsUp}</Hidden> {showBytes(session.upBytes)}
      </span>
    </span>
  )
}

/** When the visit began; marked when the box was not sure of the time. */
export function Started({ session }: { session: SessionJson }) {
  return (
    <span class="num" title={session.startedWallTrusted ? undefined : S.timeUnsure}>
      {showDateTime(session.startedWallMs)}
      {!session.startedWallTrusted && (
        <>
          {' '}
          <span aria-hidden="true">?</span>
          <Hidden>{S.timeUnsure}</Hidden>
        </>
      )}
    </span>
  )
}
