/**
 * The guest side of the hotspot: the page, the captive portal API, and what DHCP may say about it. `PortalServer` needs a `GuestDesk` to ask
 * and who is asking from which address; it decides nothing about money, and has no path of the owner's. docs/portal.md
 */
export { PortalServer } from './io/portal-server.ts'
export type { PortalDeps, TlsSource } from './io/portal-server.ts'
export type { GuestRpc } from './guest-rpc.ts'
export { readTlsFiles } from './io/tls-files.ts'
export type { CertificateCheck, TlsPair } from './certificate.ts'
export type { Option114, Option114State } from './option-114.ts'
