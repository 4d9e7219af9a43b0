/**
 * Other boxes: one node for all protocols, found by a beacon, within bounds. libp2p is io/libp2p-wire.ts and is not exported
 * here: it is loaded by who needs it, from a file of its own. docs/mesh.md
 */
export { AccountLane } from './account-lane.ts'
export type { AccountBinding, AccountLaneParts } from './account-lane.ts'
export type { BeaconSocket, BeaconSocketEnds, BeaconStationParts } from './beacon-station.ts'
export type { BeaconFacts } from './beacon.ts'
export { ip6Text, ipBytes } from './addresses.ts'
export type { PacedLane } from './lane.ts'
export { createPeerShelf } from './io/tables.ts'
export { createNeighbourhood } from './io/neighbourhood.ts'
export type { NeighbourhoodParts } from './io/neighbourhood.ts'
export { PeerHub } from './node.ts'
export type { BoxPeerNode, PeerAlarm, PeerParts, PeerSettings } from './parts.ts'
export { FOR_GOOD_MS } from './penalties.ts'
export type { PeerShelf, StoredPeer } from './peer-book.ts'
export type { Wire, WireConnection, WireOwner, WireStream } from './wire.ts'
