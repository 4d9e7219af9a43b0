/**
 * DHCPv4 option 114 (RFC 8910): the address of the captive portal API, or nothing. A broken API is worse
 * than none, because devices that find it broken stop looking, so it is withheld unless a certificate will
 * hold for as long as a lease handed out now may live.
 */
import type { CertificateCheck, TrustedNow } from './certificate.ts'
import { originOf } from './host-rule.ts'

export interface Option114 {
  /** null = withheld. */
  readonly uri: string | null
  readonly reason: string
}

export interface Option114State extends TrustedNow {
  /** null = no certificate is configured. */
  readonly certificate: CertificateCheck | null
  readonly portalHost: string
  readonly tlsPort: number
}

export const API_PATH = '/captive-portal/api'
const LEASE_MS = 24 * 3600 * 1000
/** DHCP options have a one-byte length. */
const MAX_URI_BYTES = 255

export function option114(state: Option114State): Option114 {
  const { certificate } = state
  if (certificate === null) return withheld('no certificate is configured')
  if (!certificate.usable) return withheld(certificate.reason)
  if (state.isWallTrusted && (certificate.notAfterMs ?? 0) - state.wallMs < LEASE_MS)
    return withheld('the certificate expires in less than 24 hours')
  const uri = originOf(true, state.portalHost, state.tlsPort) + API_PATH
  if (uri.length > MAX_URI_BYTES) return withheld(`the address is longer than ${MAX_URI_BYTES} bytes`)
  return { uri, reason: certificate.reason }
}

function withheld(reason: string): Option114 {
  return { uri: null, reason }
}
