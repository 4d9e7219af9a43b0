/**
 * The owner's side: its verbs (`Owner`), its two doors (dashboard over HTTP, control socket), and the API they speak. Every domain comes in as a
 * port that may be null while its role is off; the answer is then what is missing, not an error. Verbs check what they are given and
 * leave deciding to the rooms; no route is open without the owner's login but those that `ROUTES` says. docs/owner-api.md
 */
export { Owner } from './owner.ts'
export { LogRing } from './log-ring.ts'
export type { LogEvent } from './log-ring.ts'
export type { IotPort } from './iot.ts'
export type { JoinDesk, MeshPort } from './mesh.ts'
export { photonOutOfOrder } from './photon.ts'
export type { PhotonPort, PhotonToken } from './photon.ts'
export type { PayoutPort } from './payout.ts'
export type { ChainDesk, ConfigDoor, OwnerPorts } from './ports.ts'
export { CSRF_HEADER, ROUTES, SESSION_COOKIE } from './api.ts'
export type * from './api.ts'
export { OwnerServer } from './io/owner-server.ts'
export type { OwnerServerOptions, PhotonRestDoor } from './io/owner-server.ts'
export type { TlsFiles } from './io/http-server.ts'
export type { DashboardFile, DashboardFiles } from './io/static-files.ts'
export { ControlServer } from './io/control-server.ts'
export type { ControlServerOptions } from './io/control-server.ts'
export { machineAddresses } from './io/machine-addresses.ts'
export { isFromOwnersSide } from './request-origin.ts'
export type { NetworkAddress } from './request-origin.ts'
export { SystemFactsReader } from './io/system-facts.ts'
export type { SystemFactsOptions } from './io/system-facts.ts'
export { openMetricsToken, openPhotonToken } from './io/metrics-token.ts'
