/**
 * The captive portal API of RFC 8908, section 5: what a device may know about its own state.
 *
 *   captive             always
 *   user-portal-url     only where the portal has TLS (MUST be https)
 *   venue-info-url      only if the owner set one with https (SHOULD be https)
 *   can-extend-session  always; false only for a session that has no limit
 *   seconds-remaining   only online and limited by time
 *   bytes-remaining     only online and limited by volume; layer-3 bytes, both directions, as the gate counts
 */
import type { SessionView } from '../types.ts'

export interface CapportState {
  readonly captive: boolean
  readonly 'user-portal-url'?: string
  readonly 'venue-info-url'?: string
  readonly 'can-extend-session': boolean
  readonly 'seconds-remaining'?: number
  readonly 'bytes-remaining'?: number
}

/** The kernel confirmed the grant and something is left of it. Everything else is captive. */
export function isOnline(session: SessionView): boolean {
  return session.state === 'active' && session.secondsLeft !== 0 && session.bytesLeft !== 0
}

/** `portalUrl`: the TLS portal's address, null without TLS. */
export function capportState(session: SessionView | null, portalUrl: string | null, venueUrl: string | null): CapportState {
  const running = session !== null && isOnline(session) ? session : null
  const online = running !== null
  const seconds = running?.secondsLeft ?? null
  const bytes = running?.bytesLeft ?? null
  return {
    captive: !online,
    ...(portalUrl === null ? {} : { 'user-portal-url': portalUrl }),
    ...(venueUrl === null || !venueUrl.startsWith('https://') ? {} : { 'venue-info-url': venueUrl }),
    'can-extend-session': !online || seconds !== null || bytes !== null,
    ...(seconds === null ? {} : { 'seconds-remaining': Math.floor(seconds) }),
    ...(bytes === null ? {} : { 'bytes-remaining': Math.floor(bytes) }),
  }
}
