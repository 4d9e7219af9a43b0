/**
 * Who may stay when there are more boxes than places. A partner (whoever has a tag: a payment channel, a carriage, a watch
 * job) is never sent away; among the others the mesh goes before the Internet, good conduct before bad, and who was there
 * before who comes: newcomers without end cannot push out the neighbours.
 */
import type { PeerSide } from '../ports.ts'

export interface Place {
  readonly side: PeerSide
  readonly isTagged: boolean
  /** The owner named its address. */
  readonly isStatic: boolean
  readonly points: number
  readonly sinceMs: number
}

export interface PlaceLimits {
  readonly maxPeers: number
  /** Of them, from the Internet. */
  readonly maxInternetPeers: number
}

export type Seat<P extends Place> = { readonly kind: 'free' } | { readonly kind: 'instead'; readonly of: P } | { readonly kind: 'none' }

/** A tagged newcomer is let in beyond the limits when there is nobody left to send away: tags are ours to give. */
export function seatFor<P extends Place>(newcomer: Place, seated: readonly P[], { maxPeers, maxInternetPeers }: PlaceLimits): Seat<P> {
  const ofInternet = seated.filter((place) => place.side === 'internet')
  const isSideFull = newcomer.side === 'internet' && ofInternet.length >= maxInternetPeers
  if (!isSideFull && seated.length < maxPeers) return { kind: 'free' }
  const worst = [...(isSideFull ? ofInternet : seated)].sort(compare).at(-1)
  if (worst !== undefined && !worst.isTagged && (newcomer.isTagged || rank(newcomer) < rank(worst))) return { kind: 'instead', of: worst }
  return newcomer.isTagged ? { kind: 'free' } : { kind: 'none' }
}

/** Best first. */
function compare(a: Place, b: Place): number {
  return rank(a) - rank(b) || a.points - b.points || a.sinceMs - b.sinceMs
}

function rank(place: Place): number {
  return (place.isTagged ? 0 : 8) + (place.isStatic ? 0 : 4) + (place.side === 'mesh' ? 0 : 2) + (place.points >= 20 ? 1 : 0)
}

/**
 * Of two connections with one box, when neither is known to be dead: both ends must keep the same one. `isOlderOurs`: this
 * box dialled it. Dialled by both at the same time, the one that the lower box dialled stays; else the newer one, for who
 * dials again has lost the older one.
 */
export function keepsOlder(connections: { readonly isOlderOurs: boolean; readonly isNewerOurs: boolean; readonly apartMs: number; readonly isSelfLower: boolean }): boolean {
  const { isOlderOurs, isNewerOurs, apartMs, isSelfLower } = connections
  return isOlderOurs !== isNewerOurs && apartMs < SAME_TIME_MS && isOlderOurs === isSelfLower
}

const SAME_TIME_MS = 3000
