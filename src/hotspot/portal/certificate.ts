/**
 * Whether a configured certificate can carry the TLS portal: RFC 8908 makes clients ignore an API whose
 * certificate does not check out against their own trust store, and a browser shows a warning instead of
 * the page. Everything that can be told without that trust store is told here, with the reason.
 */
import { X509Certificate, createPrivateKey } from 'node:crypto'

export interface TlsPair {
  /** The server's certificate first, then the intermediate ones. */
  readonly certificatePem: string
  readonly keyPem: string
}

export interface CertificateCheck {
  readonly usable: boolean
  /** One sentence for the owner. */
  readonly reason: string
  /** Milliseconds since 1970; null if there is no readable certificate. */
  readonly notAfterMs: number | null
}

export interface TrustedNow {
  readonly wallMs: number
  /** Dates are compared only while this is true: a box without a clock must not refuse its own portal. */
  readonly isWallTrusted: boolean
}

export function checkCertificate(pair: TlsPair, portalHost: string, now: TrustedNow): CertificateCheck {
  const read = readPair(pair)
  if (typeof read === 'string') return { usable: false, reason: read, notAfterMs: null }
  const { certificate, keyMatches } = read
  const notAfterMs = Date.parse(certificate.validTo)
  const notBeforeMs = Date.parse(certificate.validFrom)
  const refuse = (reason: string): CertificateCheck => ({ usable: false, reason, notAfterMs })

  if (!keyMatches) return refuse('the private key does not belong to the certificate')
  if (isAddress(portalHost)) return refuse(`portal_host '${portalHost}' is an address; RFC 8908 asks for a name`)
  if (certificate.checkHost(portalHost, { subject: 'never' }) === undefined)
    return refuse(`the certificate is for ${namesOf(certificate)}, not for portal_host '${portalHost}'`)
  if (certificate.issuer === certificate.subject && certificate.verify(certificate.publicKey))
    return refuse("the certificate is signed by itself, which guests' devices do not trust")
  if (now.isWallTrusted && now.wallMs > notAfterMs) return refuse(`the certificate expired on ${isoDay(notAfterMs)}`)
  if (now.isWallTrusted && now.wallMs < notBeforeMs) return refuse(`the certificate is not valid before ${isoDay(notBeforeMs)}`)
  return { usable: true, reason: `the certificate is valid until ${isoDay(notAfterMs)}`, notAfterMs }
}

/** The certificate and whether the key is its own, or why they cannot be read. */
function readPair(pair: TlsPair): { certificate: X509Certificate; keyMatches: boolean } | string {
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(pair.certificatePem)
  } catch {
    return 'the certificate file holds no certificate in PEM form'
  }
  try {
    return { certificate, keyMatches: certificate.checkPrivateKey(createPrivateKey(pair.keyPem)) }
  } catch {
    return 'the key file holds no private key in PEM form'
  }
}

function namesOf(certificate: X509Certificate): string {
  const names = (certificate.subjectAltName ?? '').replaceAll('DNS:', '')
  return names === '' ? 'no name at all' : names.slice(0, 120)
}

function isAddress(host: string): boolean {
  return host.includes(':') || /^\d{1,3}(\.\d{1,3}){3}$/.test(host)
}

function isoDay(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString().slice(0, 10) : 'an unreadable date'
}
