/** What the node of a box is given, and what it can besides ports.ts. */
import type { Cancel } from '../../base/index.ts'
import type { Beacon, BoxId, Mac, MeshTools, PeerNode, PeerProtocol, PeerSide } from '../ports.ts'
import type { PacedLane } from './lane.ts'
import type { PeerShelf } from './peer-book.ts'
import type { Wire } from './wire.ts'

export interface PeerSettings {
  /** Shown to other boxes' owners; at most 64 bytes. */
  readonly name: string
  /** First 8 bytes of the community's key hash: boxes of others are not let in. */
  readonly community: Uint8Array
  /** `fd12:3456:789a::/48`: who comes from there is on the mesh; everybody else is on the Internet. */
  readonly meshPrefixes: readonly string[]
  /** Whether boxes may come from the Internet; false: only those that the owner named. */
  readonly acceptsInternet: boolean
  /** `/ip4/…/tcp/…` or `/dns4/…/tcp/…`: dialled for ever. */
  readonly staticPeers: readonly string[]
  readonly maxPeers: number
  readonly maxInternetPeers: number
  /** Connections from one address, known or not; left out: as many as there are places. */
  readonly maxPeersOfHost?: number
}

export const DEFAULT_MAX_PEERS = 50

export interface PeerParts extends MeshTools {
  readonly settings: PeerSettings
  readonly wire: Wire
  readonly shelf: PeerShelf
  /** batman-adv's name of this box now. */
  readonly originator: () => Mac | null
  /** Why a box is not let in, for people; null: it is. Left out: all of the community are. */
  readonly refuses?: (box: BoxId, side: PeerSide) => string | null
}

/** What the owner must hear of; the same of the same box at most every ten minutes. */
export type PeerAlarm =
  /** Two boxes show the key of `box`; neither is let in for `TWIN_REST_MS`. */
  | { readonly kind: 'twin'; readonly box: BoxId; readonly peerIds: readonly string[]; readonly addresses: readonly string[] }
  /** Another box shows this box's own key. */
  | { readonly kind: 'own-key-elsewhere'; readonly peerId: string; readonly address: string }
  /** `by` says that another box shows this box's key. */
  | { readonly kind: 'called-twin'; readonly by: BoxId }
  /** A ban or an address could not be written. */
  | { readonly kind: 'not-written'; readonly reason: string }

export interface BoxPeerNode extends PeerNode {
  /** Errors: what the network says, after which it may be tried again; input when it runs or was stopped. */
  start(): Promise<void>
  stop(): Promise<void>
  open(protocol: PeerProtocol): PacedLane
  /** Where it listens. */
  addresses(): readonly string[]
  isConnected(box: BoxId): boolean
  /** What noise has shown, while it is connected. */
  peerIdOf(box: BoxId): Uint8Array | null
  /** A partner: never sent away for others. Any number of tags; the place is free when the last is taken back. */
  protect(box: BoxId, tag: string): Cancel
  disconnect(box: BoxId, reason: string): void
  /** A beacon whose signature is good. */
  heard(beacon: Beacon): void
  onAlarm(listener: (alarm: PeerAlarm) => void): Cancel
  /** For the bounds' sake: all that grows with peers. */
  sizes(): { readonly links: number; readonly seated: number; readonly streams: number; readonly remembered: number; readonly addresses: number; readonly hosts: number; readonly writtenBytes: number; readonly heldBytes: number }
}
