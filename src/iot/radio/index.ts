/**
 * The concentrators. `openRadio` opens the doors that are configured (packet forwarders over GWMP, Basics Station with CUPS) and joins them to one
 * `Radio`; `openGwmpDelivery` and `openStationDelivery` speak to one server northbound as the gateways' forwarder or Station would. The codecs of GWMP are in gwmp/index.ts, for tools.
 *
 * What an answer says beyond the ports: `RadioTxAck.doubtful`, a window that may have been on the air although its answer was lost. Whoever keeps
 * airtime leaves it reserved as sent; whoever bills does not bill it.
 */
export { NeighbourContest, SOLE_BOX } from './copy-contest.ts'
export type { ContestOffer, ContestPeers } from './copy-contest.ts'
export type { Software, UpdatePlan, UpdateRequest } from './cups/update-info.ts'
export type { RadioTxAck } from './door.ts'
export { openGwmpDelivery, openRadio, openStationDelivery } from './io/open-radio.ts'
export type { GwmpDeliveryOptions, OpenRadio, OpenRadioParts, RadioCounts, RadioSettings } from './io/open-radio.ts'
export type { CupsPlans } from './io/station-server.ts'
export { ownCups } from './io/own-cups.ts'
