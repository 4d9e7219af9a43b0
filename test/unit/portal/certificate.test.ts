/** Which certificates carry the TLS portal, and when DHCP may announce the API. */
import { describe, expect, it } from 'vitest'
import { type CertificateCheck } from '../../../src/hotspot/portal/index.ts'
import { option114 } from '../../../src/hotspot/portal/option-114.ts'
import { checkCertificate } from '../../../src/hotspot/portal/certificate.ts'
import { makeAuthority, makeCertificate, makeSelfSigned } from './certificate-maker.ts'

const DAY = 86_400_000
const NOW = Date.UTC(2026, 5, 1)
const WISH = { names: ['wifi.example'], notBeforeMs: NOW - DAY, notAfterMs: NOW + 30 * DAY }
const TRUSTED = { wallMs: NOW, isWallTrusted: true }
const authority = makeAuthority()
const good = makeCertificate(authority, WISH)

describe('a certificate', () => {
  const check = (pair: { certificatePem: string; keyPem: string }, host = 'wifi.example', now = TRUSTED): CertificateCheck => checkCertificate(pair, host, now)

  it('is usable when name, key and dates fit', () => {
    expect(check(good)).toEqual({ usable: true, reason: 'the certificate is valid until 2026-07-01', notAfterMs: WISH.notAfterMs })
  })
  it('may be a chain, and may carry wildcards', () => {
    expect(check({ ...good, certificatePem: good.certificatePem + authority.certificatePem }).usable).toBe(true)
    expect(check(makeCertificate(authority, { ...WISH, names: ['*.cafe.example'] }), 'wifi.cafe.example').usable).toBe(true)
  })
  it('is refused for another name, without any name, or for an address', () => {
    expect(check(good, 'other.example')).toMatchObject({ usable: false, reason: expect.stringContaining("not for portal_host 'other.example'") })
    expect(check(makeCertificate(authority, { ...WISH, names: [] }))).toMatchObject({ usable: false, reason: expect.stringContaining('no name at all') })
    expect(check(good, '10.0.0.1')).toMatchObject({ usable: false, reason: expect.stringContaining('is an address') })
    expect(check(good, 'fd00::1').usable).toBe(false)
  })
  it("is refused with somebody else's key", () => {
    expect(check({ ...good, keyPem: makeCertificate(authority, WISH).keyPem })).toMatchObject({ usable: false, reason: expect.stringContaining('private key does not belong') })
  })
  it('is refused when it is signed by itself', () => {
    expect(check(makeSelfSigned(WISH))).toMatchObject({ usable: false, reason: expect.stringContaining('signed by itself') })
  })
  it('is refused outside its dates only by a clock that is trusted', () => {
    const at = (wallMs: number, isWallTrusted: boolean): boolean => check(good, 'wifi.example', { wallMs, isWallTrusted }).usable
    expect(at(WISH.notAfterMs + 1, true)).toBe(false)
    expect(at(WISH.notBeforeMs - 1, true)).toBe(false)
    expect(at(WISH.notAfterMs + 3650 * DAY, false)).toBe(true)
    expect(at(0, false)).toBe(true)
  })
  it.each([
    ['', 'no certificate'],
    ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', 'no certificate'],
  ])('that is not one is told so (%j)', (certificatePem, reason) => {
    expect(check({ ...good, certificatePem })).toEqual({ usable: false, reason: expect.stringContaining(reason), notAfterMs: null })
  })
  it('with a key that is not one is told so', () => {
    expect(check({ ...good, keyPem: 'secret' })).toEqual({ usable: false, reason: expect.stringContaining('no private key'), notAfterMs: null })
  })
})

describe('option 114', () => {
  const certificate = checkCertificate(good, 'wifi.example', TRUSTED)
  const state = { certificate, portalHost: 'wifi.example', tlsPort: 443, ...TRUSTED }

  it('is the address of the API, with the port only if it is not 443', () => {
    expect(option114(state).uri).toBe('https://wifi.example/captive-portal/api')
    expect(option114({ ...state, tlsPort: 8443 }).uri).toBe('https://wifi.example:8443/captive-portal/api')
  })
  it('is withheld without a usable certificate, with the reason', () => {
    expect(option114({ ...state, certificate: null })).toEqual({ uri: null, reason: 'no certificate is configured' })
    expect(option114({ ...state, certificate: { ...certificate, usable: false, reason: 'because' } })).toEqual({ uri: null, reason: 'because' })
  })
  it('is withheld in the last 24 hours, when the clock is trusted', () => {
    const lateMs = WISH.notAfterMs - DAY + 1
    expect(option114({ ...state, wallMs: lateMs }).uri).toBeNull()
    expect(option114({ ...state, wallMs: lateMs - 1 }).uri).not.toBeNull()
    expect(option114({ ...state, wallMs: lateMs, isWallTrusted: false }).uri).not.toBeNull()
  })
  it('is withheld if it does not fit into a DHCP option', () => {
    expect(option114({ ...state, portalHost: `${'a'.repeat(240)}.example` }).uri).toBeNull()
  })
})
