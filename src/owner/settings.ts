/** The settings page: what is configured, and the facts of the network; pure reading. */
import { toHex } from '../base/index.ts'
import type { SettingsJson } from './api/settings.ts'
import type { OwnerPorts } from './ports.ts'

export function settingsJson(ports: Pick<OwnerPorts, 'config' | 'desk' | 'identity' | 'voucherKeys'>, ownerTls: boolean): SettingsJson {
  const { main, token, hotspot, owner, shares } = ports.config.current()
  const hotspotStatus = ports.desk?.status()
  return {
    name: main.name,
    roles: [...main.roles],
    token: { symbol: token.symbol, decimals: token.decimals },
    network: {
      gate: hotspot.gate,
      guestInterface: hotspot.guestInterface,
      uplinkInterfaces: [...hotspot.uplinkInterfaces],
      portalHost: hotspot.portalHost,
      portalAddress: hotspot.portalAddress,
      portalPort: hotspot.portalPort,
      tlsPort: hotspot.tlsPort,
      clientIsolation: hotspot.clientIsolation,
      walledGardenDomains: [...hotspot.walledGardenDomains],
      walledGardenAddresses: [...hotspot.walledGardenAddresses],
      maxSessions: hotspot.maxSessions,
      leaseSeconds: hotspot.leaseSeconds,
    },
    owner: { address: owner.address, port: owner.port, sessionMinutes: owner.sessionMinutes, tls: ownerTls },
    portalTls: {
      configured: hotspot.tlsCertificateFile !== null,
      option114: hotspotStatus?.option114 ?? 'withheld',
      reason: hotspotStatus?.option114Reason ?? 'the hotspot is not switched on',
    },
    shares: shares.map((share) => ({ ...share, sources: [...share.sources] })),
    identity: {
      address: ports.identity.address,
      minerAddress: ports.identity.addressFor('chain-miner'),
      publicKey: toHex(ports.identity.publicKey),
      recoveryWordsShown: ports.identity.recoveryWordsShown,
      voucherPublicKey: toHex(ports.voucherKeys.publicKey),
    },
  }
}
