/**
 * A lane for members alone: what is about money or guests is neither said to a box without standing nor heard from it. It
 * opens when the box is let in, and closes when its standing goes, as if it had disconnected.
 */
import type { Cancel } from '../../base/index.ts'
import type { BoxId, PeerLane, PeerSide } from '../ports.ts'
import type { Community } from './community.ts'

export function memberLane(lane: PeerLane, community: Pick<Community, 'standing' | 'onStanding'>): PeerLane {
  const isMember = (box: BoxId): boolean => {
    const standing = community.standing(box)
    return standing === 'admitted' || standing === 'provisional'
  }
  const sides = new Map<BoxId, PeerSide>()
  const open = new Set<BoxId>()
  const opens = new Set<(peer: BoxId, side: PeerSide) => void>()
  const closes = new Set<(peer: BoxId) => void>()
  const look = (peer: BoxId): void => {
    const side = sides.get(peer)
    const shall = side !== undefined && isMember(peer)
    if (shall === open.has(peer)) return
    if (shall) {
      open.add(peer)
      for (const listener of opens) listener(peer, side)
    } else {
      open.delete(peer)
      for (const listener of closes) listener(peer)
    }
  }
  lane.onOpen((peer, side) => {
    sides.set(peer, side)
    look(peer)
  })
  lane.onClose((peer) => {
    sides.delete(peer)
    look(peer)
  })
  community.onStanding(({ box }) => look(box))
  const added = <T>(set: Set<T>, one: T): Cancel => {
    set.add(one)
    return () => set.delete(one)
  }
  return {
    send: (to, frame) => open.has(to) && lane.send(to, frame),
    onFrame: (listener) => lane.onFrame((from, frame) => (open.has(from) ? listener(from, frame) : undefined)),
    onOpen: (listener) => added(opens, listener),
    onClose: (listener) => added(closes, listener),
    penalise: (peer, points, reason) => lane.penalise(peer, points, reason),
  }
}
