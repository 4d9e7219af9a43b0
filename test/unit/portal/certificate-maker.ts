/**
 * Makes small X.509 certificates (RFC 5280) with any names and dates, signed by an authority of its own,
 * so that the tests need neither openssl nor files that expire.
 */
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'

export interface Authority {
  readonly name: string
  readonly privateKey: KeyObject
  readonly certificatePem: string
}

export interface CertificateWish {
  readonly names: readonly string[]
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

export interface Made {
  readonly certificatePem: string
  readonly keyPem: string
}

const ECDSA_SHA256 = sequence(oid([1, 2, 840, 10045, 4, 3, 2]))
const FOREVER: Pick<CertificateWish, 'notBeforeMs' | 'notAfterMs'> = { notBeforeMs: Date.UTC(2000, 0, 1), notAfterMs: Date.UTC(2049, 0, 1) }

export function makeAuthority(name = 'Test Authority'): Authority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { name, privateKey, certificatePem: pem(certificate({ names: [], ...FOREVER }, name, name, publicKey, privateKey, true)) }
}

export function makeCertificate(authority: Authority, wish: CertificateWish): Made {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject = wish.names[0] ?? 'nobody'
  return { certificatePem: pem(certificate(wish, authority.name, subject, publicKey, authority.privateKey, false)), keyPem: keyPem(privateKey) }
}

export function makeSelfSigned(wish: CertificateWish): Made {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = wish.names[0] ?? 'nobody'
  return { certificatePem: pem(certificate(wish, name, name, publicKey, privateKey, false)), keyPem: keyPem(privateKey) }
}

function certificate(wish: CertificateWish, issuer: string, subject: string, publicKey: KeyObject, signer: KeyObject, isAuthority: boolean): Buffer {
  const extensions = [
    extension([2, 5, 29, 19], sequence(...(isAuthority ? [der(0x01, Buffer.from([0xff]))] : []))),
    ...(wish.names.length === 0 ? [] : [extension([2, 5, 29, 17], sequence(...wish.names.map((name) => der(0x82, Buffer.from(name)))))]),
  ]
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1, ...Buffer.from(subject).subarray(0, 8)])),
    ECDSA_SHA256,
    commonName(issuer),
    sequence(utcTime(wish.notBeforeMs), utcTime(wish.notAfterMs)),
    commonName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  )
  const signature = createSign('sha256').update(body).sign(signer)
  return sequence(body, ECDSA_SHA256, der(0x03, Buffer.concat([Buffer.from([0]), signature])))
}

function extension(id: readonly number[], value: Buffer): Buffer {
  return sequence(oid(id), der(0x04, value))
}

function commonName(name: string): Buffer {
  return sequence(der(0x31, sequence(oid([2, 5, 4, 3]), der(0x0c, Buffer.from(name)))))
}

function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14)
  return der(0x17, Buffer.from(`${digits}Z`))
}

function oid(arcs: readonly number[]): Buffer {
  const [first = 0, second = 0, ...rest] = arcs
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const groups = [arc & 0x7f]
    for (let value = arc >> 7; value > 0; value >>= 7) groups.unshift((value & 0x7f) | 0x80)
    bytes.push(...groups)
  }
  return der(0x06, Buffer.from(bytes))
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts))
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content
  const head = length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), content])
}

function pem(bytes: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`
}

function keyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}
