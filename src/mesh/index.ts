/**
 * Boxes that find, pay and help each other. `MeshRoom` starts parts that main/mesh.ts makes: a view of batman-adv, a node for other boxes
 * (`PeerHub`), metering (`RelayDesk`), ways out (`UplinkWatch`), roaming, joining. They need ports for payments, the kernel and the hotspot (ports.ts),
 * and promise: debts are on disk before they are asked for, what another box says counts only as far as it is signed and bounded, and a
 * part that cannot start leaves the others running. docs/mesh.md
 */
export { meshDesk } from './desk.ts'
export type { DeskAdvert, DeskBox, DeskCarriage, DeskParts, DeskPurchase, DeskRelay, MapNode, MeshAlarm, MeshDesk, MeshMap, MeshPath, MeshPrices, MeshStatus } from './desk.ts'
export { MeshRoom } from './mesh.ts'
export type { MeshPart, MeshTimes } from './mesh.ts'
export { createDocuments } from './documents/index.ts'
export { CHAIN_FILE_PROTOCOL, Community, MAX_CHAIN_FILE_BYTES, chainFileAnswer, chainFileHash, codeParts, fetchChainFile, invitationKeys, keyOf, readInvitation, readTicket, signClaim } from './joining/index.ts'
export type { CodeTerms, CommunityCode } from './joining/index.ts'
export { AccountLane, PeerHub, createNeighbourhood, createPeerShelf } from './peers/index.ts'
export type { AccountBinding, BoxPeerNode, PacedLane, PeerAlarm, PeerShelf, Wire } from './peers/index.ts'
export { CarryKernel } from './io/carry-kernel.ts'
export { readMeshDevices } from './io/mesh-devices.ts'
export { BoxLinks, CARRIAGE_LANE, LINKS_LANE, ChannelPayments, PRICE_LANE, RelayDesk, noteOrder, readOrder } from './metering/index.ts'
export type { CarryRules, EarningsBook, RelayPayments } from './metering/index.ts'
export { ChannelPurse, NEEDS_KEY, ROAM_PROTOCOL, Roaming, SELLER_OWES, SELLER_SILENT, USED_UP, WENT_ELSEWHERE, createRoamBook } from './roaming/index.ts'
export type { AwayGuest, PurseChannels, RoamChange, RoamDebt, RoamGuests, RoamSight, RoamTerms, Visitor } from './roaming/index.ts'
export { HotspotSeller, KernelUplinkRoutes, UplinkWatch, UpstreamPurse, createAheadPortal, createGatewayMode, createResellerBook, createUplinkLinks, createUplinkProbe } from './uplinks/index.ts'
export type { ResellerLimits, UpstreamOrder, UpstreamPayments } from './uplinks/index.ts'
export { MeshWatch, createKernelReader } from './view/index.ts'
export type { MeshReader } from './view/index.ts'
export type * from './ports.ts'
