/**
 * Nodes of the original Photon on the LAN: channels of its contract, its packets over UDP, and mDNS to find each other.
 * `RunningLegacy` is the room once the contract has been read; `LegacyDesk` the owner's verbs over it; `LegacyParts` what it
 * needs. Opt-in, and never on the guests' side: its packets are signed and not private. docs/photon-v1.md
 */
export { MDNS_GROUP, MDNS_PORT } from './announcer.ts'
export type { AnnouncerParts } from './announcer.ts'
export type { DatagramSocket, DoorCounts, GroupSocket, LanDoorParts } from './lan-door.ts'
export { LegacyDesk } from './legacy-desk.ts'
export type { LegacyBlockTools, OurChannel } from './legacy-block.ts'
export type { LegacyChannel, LegacySide, ProvedLegacyChannel } from './legacy-storage.ts'
export type { MdnsMessage, MdnsQuestion, MdnsRecord, Name } from './mdns-codec.ts'
export type { LanSide, LanStatus, LegacyParts, LegacySettings } from './parts.ts'
export { Places } from './places.ts'
export type { LanNode, Place } from './places.ts'
export { RunningLegacy } from './running-legacy.ts'
