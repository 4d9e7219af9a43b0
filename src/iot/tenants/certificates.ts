/**
 * Certificates for the way to a tenant's server, as the owner gives them: PEM texts (RFC 7468), held to what they must be. Of a text only the blocks are kept that
 * its field is for, so that a key never lies among certificates. Expiry counts for what is new: a certificate whose time ran out must not keep the owner from changing a price.
 */
import { X509Certificate, createPrivateKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { inputError } from '../../base/index.ts'
import type { Clock } from '../../base/index.ts'
import type { CertificateFacts, Destination, DestinationTls, Expiry, TlsFacts } from '../ports.ts'

const MAX_CHARS = 16 * 1024
const MAX_CERTIFICATES = 16
const MAX_SUBJECT = 200
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g
const KEY = /-----BEGIN (?:RSA |EC )?PRIVATE KEY-----[A-Za-z0-9+/=\s]+-----END (?:RSA |EC )?PRIVATE KEY-----/g
const KEY_FORM = 'one private key in PEM form, without a passphrase'

/** How long before the end of their time the owner is told. */
const EXPIRY_NOTICE_MS = 14 * 24 * 3_600_000

type Dated = Omit<CertificateFacts, 'expiry'>

interface WhatIsRead {
  readonly ca: readonly Dated[]
  readonly client: Dated | null
}

const READ = new WeakMap<DestinationTls, WhatIsRead>()

/** Dates are compared only where the clock is to be believed. */
type Now = Pick<Clock, 'wallMs' | 'isWallTrusted'>

/** As it is stored and used. `before`: what the tenant had. Errors: input `destination`, `ca`, `clientCertificate`, `clientKey`. */
export function checkTls(destination: Destination, before: Destination | null, now: Now): Destination {
  const asked = tlsOf(destination)
  if (asked === null || (destination.kind !== 'station' && destination.kind !== 'chirpstack')) return destination
  const { tls: _tls, ...rest } = destination
  if (asked.ca === null && asked.certificate === null && asked.key === null) return rest
  const { protocol } = new URL(destination.url)
  if (protocol !== 'wss:' && protocol !== 'mqtts:') throw inputError('destination', `${protocol}// with certificates`, 'wss:// or mqtts://, or none of ca, clientCertificate, clientKey')
  const known = before === null ? null : tlsOf(before)
  return { ...rest, tls: { ca: asked.ca === null ? null : authorities(asked.ca, known?.ca ?? null, now), ...clientPair(asked, known, now) } }
}

/** Null: none of its own. */
export function tlsOf(destination: Destination): DestinationTls | null {
  return destination.kind === 'station' || destination.kind === 'chirpstack' ? (destination.tls ?? null) : null
}

/** Of a checked one. */
export function tlsFacts(tls: DestinationTls, now: Now): TlsFacts {
  const { ca, client } = readOnce(tls)
  const dated = (one: Dated): CertificateFacts => ({ ...one, expiry: expiryAt(one.notAfterMs, now) })
  const ends = [...(ca.length === 0 ? [] : [Math.max(...ca.map(({ notAfterMs }) => notAfterMs))]), ...(client === null ? [] : [client.notAfterMs])]
  return { ca: ca.map(dated), client: client === null ? null : dated(client), isKeyLost: tls.certificate !== null && tls.key === null, expiry: expiryAt(Math.min(...ends), now) }
}

/** The box's state is asked for every few seconds. */
function readOnce(tls: DestinationTls): WhatIsRead {
  const read = READ.get(tls)
  if (read !== undefined) return read
  const { ca, certificate } = tls
  const [client = null] = certificate === null ? [] : certificatesOf(certificate, 'clientCertificate')
  const facts: WhatIsRead = { ca: ca === null ? [] : certificatesOf(ca, 'ca').map(factsOf), client: client === null ? null : factsOf(client) }
  READ.set(tls, facts)
  return facts
}

function expiryAt(endMs: number, now: Now): Expiry {
  const leftMs = endMs - now.wallMs()
  if (!now.isWallTrusted() || leftMs > EXPIRY_NOTICE_MS) return null
  return leftMs < 0 ? 'expired' : 'expiring'
}

function authorities(text: string, known: string | null, now: Now): string {
  const found = certificatesOf(text, 'ca')
  if (text !== known && found.every((one) => isOver(factsOf(one), now))) throw inputError('ca', `only what expired, the last on ${lastDay(found)}`, 'at least one certificate that has not expired')
  return pemOf(found)
}

function clientPair({ certificate, key }: DestinationTls, known: DestinationTls | null, now: Now): Pick<DestinationTls, 'certificate' | 'key'> {
  if (certificate === null && key === null) return { certificate, key }
  if (certificate === null) throw inputError('clientCertificate', 'nothing', 'the certificate of clientKey')
  if (certificate === known?.certificate && key === known.key) return { certificate, key }
  if (key === null) throw inputError('clientKey', 'nothing', 'the private key of clientCertificate')
  const found = certificatesOf(certificate, 'clientCertificate')
  const privateKey = keyOf(key)
  const [own] = found
  if (own === undefined || !own.checkPrivateKey(privateKey)) throw inputError('clientKey', 'the key of another certificate', 'the private key of the first certificate in clientCertificate')
  if (certificate !== known?.certificate && isOver(factsOf(own), now)) throw inputError('clientCertificate', `one that expired on ${lastDay([own])}`, 'a certificate that has not expired')
  return { certificate: pemOf(found), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

/** At least one. Errors: input. */
function certificatesOf(text: string, field: 'ca' | 'clientCertificate'): readonly X509Certificate[] {
  const allowed = `1 to ${MAX_CERTIFICATES} certificates in PEM form, at most ${MAX_CHARS} characters`
  if (text.length > MAX_CHARS) throw inputError(field, `${text.length} characters`, allowed)
  const blocks = text.match(CERTIFICATE) ?? []
  if (blocks.length < 1 || blocks.length > MAX_CERTIFICATES) throw inputError(field, `${blocks.length} certificates in PEM form`, allowed)
  return blocks.map((block, index) => {
    const certificate = readOrNull(() => new X509Certificate(block))
    if (certificate === null || !Number.isFinite(Date.parse(certificate.validTo))) throw inputError(field, `number ${index + 1}, which cannot be read`, allowed)
    return certificate
  })
}

/** What is wrong is told without a word of the key, and without OpenSSL's. */
function keyOf(text: string): KeyObject {
  if (text.length > MAX_CHARS) throw inputError('clientKey', `${text.length} characters`, `${KEY_FORM}, at most ${MAX_CHARS} characters`)
  if (text.includes('ENCRYPTED')) throw inputError('clientKey', 'a key with a passphrase', KEY_FORM)
  const blocks = text.match(KEY) ?? []
  const [block] = blocks
  if (block === undefined || blocks.length > 1) throw inputError('clientKey', `${blocks.length} private keys in PEM form`, KEY_FORM)
  const key = readOrNull(() => createPrivateKey(block))
  if (key === null) throw inputError('clientKey', 'a key that cannot be read', KEY_FORM)
  return key
}

/** OpenSSL says in its own words, which tell an owner nothing, that it is none. */
function readOrNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}

function pemOf(certificates: readonly X509Certificate[]): string {
  return certificates.map((one) => one.toString().trim()).join('\n')
}

function factsOf(certificate: X509Certificate): Dated {
  // Either may be left out of a certificate, whatever the types say.
  const { subject, subjectAltName }: { readonly subject: string | undefined; readonly subjectAltName: string | undefined } = certificate
  const name = (subject ?? subjectAltName ?? '').replace(/\p{Control}+/gu, ', ').slice(0, MAX_SUBJECT)
  return { subject: name === '' ? 'no name' : name, notAfterMs: Date.parse(certificate.validTo) }
}

function isOver({ notAfterMs }: Dated, now: Now): boolean {
  return expiryAt(notAfterMs, now) === 'expired'
}

function lastDay(certificates: readonly X509Certificate[]): string {
  return new Date(Math.max(...certificates.map((one) => factsOf(one).notAfterMs))).toISOString().slice(0, 10)
}
