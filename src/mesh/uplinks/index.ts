/**
 * Several ways out: how well each does, which is taken, and what is bought. `UplinkWatch` probes and chooses, `UpstreamPurse` buys minutes of a
 * hotspot under a day's cap; both decide in pure files, the rest is doors. An order is on disk before anything is paid for it. docs/mesh.md
 */
export { createGatewayMode } from './io/gateway-mode.ts'
export type { GatewayMode } from './io/gateway-mode.ts'
export { KernelUplinkRoutes } from './io/kernel-uplink-routes.ts'
export { createResellerBook } from './io/reseller-table.ts'
export { createUplinkLinks } from './io/uplink-links.ts'
export { createUplinkProbe } from './io/uplink-probe.ts'
export { HotspotSeller } from './hotspot-seller.ts'
export type { AheadAnswer, AheadPortal, HotspotSellerParts, UpstreamPayments } from './hotspot-seller.ts'
export { createAheadPortal } from './io/ahead-portal.ts'
export type { ResellerLimits, UpstreamOffer, UpstreamOrder, UpstreamSeller, UpstreamTerms } from './reseller.ts'
export { UplinkWatch } from './uplink-watch.ts'
export type { LinkSight, UplinkDetail, UplinkLinks, UplinkRouting, UplinkSetting } from './uplink-watch.ts'
export { UpstreamPurse } from './upstream-purse.ts'
export type { ResellerBook, UpstreamPurseView } from './upstream-purse.ts'
