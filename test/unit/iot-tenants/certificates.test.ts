/** Certificates for the way to a tenant's server: what is taken, what is said of what is not, how they lie on disk. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { MeshBoxError, silentLog } from '../../../src/base/index.ts'
import type { Destination, DestinationTls } from '../../../src/iot/ports.ts'
import { checkTls, tlsFacts, tlsOf } from '../../../src/iot/tenants/certificates.ts'
import { FakeTime } from '../../support/fakes.ts'
import { makeAuthority, makeCertificate } from '../portal/certificate-maker.ts'
import { opened, tenant } from './tenant-box.ts'
import type { TenantBox } from './tenant-box.ts'

const LONG = { notBeforeMs: Date.UTC(2000, 0, 1), notAfterMs: Date.UTC(2049, 0, 1) }
const OVER = { notBeforeMs: Date.UTC(2000, 0, 1), notAfterMs: Date.UTC(2010, 0, 1) }
const authority = makeAuthority('Farm CA')
const CLIENT = makeCertificate(authority, { names: ['box.farm'], ...LONG })
const OTHER = makeCertificate(authority, { names: ['other.farm'], ...LONG })
const EXPIRED = makeCertificate(authority, { names: ['old.farm'], ...OVER })
const CA = authority.certificatePem
const NONE: DestinationTls = { ca: null, certificate: null, key: null }
const PAIR = { certificate: CLIENT.certificatePem, key: CLIENT.keyPem }
const URLS = { station: 'wss://:t0ken@lns.example:8887/', chirpstack: 'mqtts://gate:t0ken@lns.example:8883' } as const
const to = (tls: Partial<DestinationTls>, url: string = URLS.station): Destination => ({ kind: 'station', url, tls: { ...NONE, ...tls } })
const now = new FakeTime()
now.trusted = true
const checked = (destination: Destination, before: Destination | null = null): DestinationTls | null => tlsOf(checkTls(destination, before, now))
const refusal = (work: () => unknown): MeshBoxError => {
  try {
    work()
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) return thrown
  }
  throw new Error('it was taken')
}

describe('what is taken', () => {
  it('is kept as blocks of the one kind that its field is for', () => {
    const kept = checked(to({ ca: `Farm CA\n${CA}${CLIENT.keyPem}`, certificate: `${CLIENT.keyPem}${CLIENT.certificatePem}${CA}`, key: `${CLIENT.certificatePem}${CLIENT.keyPem}` }))
    expect(kept?.ca).not.toContain('PRIVATE')
    expect(kept?.ca).not.toContain('Farm')
    expect(kept?.certificate?.match(/-----BEGIN [A-Z ]+-----/g)).toEqual(['-----BEGIN CERTIFICATE-----', '-----BEGIN CERTIFICATE-----'])
    expect(kept?.key?.match(/-----BEGIN [A-Z ]+-----/g)).toEqual(['-----BEGIN PRIVATE KEY-----'])
    expect(tlsFacts(kept ?? NONE, now)).toEqual({ ca: [{ subject: 'CN=Farm CA', notAfterMs: LONG.notAfterMs, expiry: null }], client: { subject: 'CN=box.farm', notAfterMs: LONG.notAfterMs, expiry: null }, isKeyLost: false, expiry: null })
  })

  it('is a key in the older form, too', () => {
    const key = createPrivateKey(CLIENT.keyPem).export({ type: 'sec1', format: 'pem' }).toString()
    expect(key).toContain('BEGIN EC PRIVATE KEY')
    expect(checked(to({ ...PAIR, key }))?.key).toBe(CLIENT.keyPem)
  })

  it('is nothing at all where none is given, or where no URL leads', () => {
    expect(checkTls(to({}), null, now)).toEqual({ kind: 'station', url: URLS.station })
    expect(checkTls({ kind: 'broker' }, null, now)).toEqual({ kind: 'broker' })
  })

  it('is what he had, whatever has become of it since', () => {
    const old = to({ ca: CA, certificate: EXPIRED.certificatePem, key: null })
    expect(checked(old, old)).toMatchObject({ certificate: EXPIRED.certificatePem, key: null })
    expect(tlsFacts(old.kind === 'station' && old.tls !== undefined ? old.tls : NONE, now).isKeyLost).toBe(true)
  })
})

describe('what is refused', () => {
  const encrypted = generateKeyPairSync('ec', { namedCurve: 'P-256', privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }, publicKeyEncoding: { type: 'spki', format: 'pem' } }).privateKey
  const rsaEncrypted = generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }, publicKeyEncoding: { type: 'spki', format: 'pem' } }).privateKey
  const broken = CA.replace(/\n[^-]{20}/, '\nAAAA')
  it.each<[string, string, Destination, RegExp]>([
    ['no TLS', 'destination', to({ ca: CA }, 'ws://lns.example'), /ws:\/\/.*wss:\/\/ or mqtts/],
    ['no certificate', 'ca', to({ ca: 'Farm CA' }), /0 certificates in PEM form/],
    ['a key for a certificate', 'ca', to({ ca: CLIENT.keyPem }), /0 certificates/],
    ['one that cannot be read', 'ca', to({ ca: `${CA}${broken}` }), /number 2, which cannot be read/],
    ['too many', 'ca', to({ ca: CA.repeat(17) }), /17 certificates|characters/],
    ['too long', 'ca', to({ ca: 'A'.repeat(16_385) }), /16385 characters/],
    ['only expired ones', 'ca', to({ ca: EXPIRED.certificatePem }), /expired.*2010-01-01/],
    ['an expired one of ours', 'clientCertificate', to({ certificate: EXPIRED.certificatePem, key: EXPIRED.keyPem }), /expired on 2010-01-01/],
    ['a certificate alone', 'clientKey', to({ certificate: CLIENT.certificatePem }), /private key of clientCertificate/],
    ['a key alone', 'clientCertificate', to({ key: CLIENT.keyPem }), /certificate of clientKey/],
    ['the key of another', 'clientKey', to({ ...PAIR, key: OTHER.keyPem }), /another certificate/],
    ['a key with a passphrase', 'clientKey', to({ ...PAIR, key: encrypted }), /without a passphrase/],
    ['one of the older form', 'clientKey', to({ ...PAIR, key: rsaEncrypted }), /without a passphrase/],
    ['no key', 'clientKey', to({ ...PAIR, key: CLIENT.certificatePem }), /0 private keys/],
    ['two keys', 'clientKey', to({ ...PAIR, key: CLIENT.keyPem + OTHER.keyPem }), /2 private keys/],
    ['a key that cannot be read', 'clientKey', to({ ...PAIR, key: CLIENT.keyPem.replace(/\n[^-]{20}/, '\nAAAA') }), /cannot be read/],
    ['a key that is too long', 'clientKey', to({ ...PAIR, key: 'A'.repeat(16_385) }), /16385 characters/],
  ])('%s: the field is named, and no word of a key is said', (_what, field, destination, said) => {
    const error = refusal(() => checkTls(destination, null, now))
    expect([error.kind, error.field]).toEqual(['input', field])
    expect(error.message).toMatch(said)
    const { key } = tlsOf(destination) ?? NONE
    const words = JSON.stringify([error.message, error.value, error.allowed, String(error.cause)])
    for (const lineOfKey of (key ?? '').split('\n').filter((text) => /^[A-Za-z0-9+/=]{20,}$/.test(text))) expect(words).not.toContain(lineOfKey)
  })

  it('dates count only while the clock is to be believed', () => {
    const doubtful = new FakeTime()
    expect(tlsOf(checkTls(to({ ca: EXPIRED.certificatePem }), null, doubtful))?.ca).toContain('BEGIN CERTIFICATE')
    const tls = { ca: `${CA}${EXPIRED.certificatePem}`, certificate: EXPIRED.certificatePem, key: null }
    expect(tlsFacts(tls, doubtful)).toMatchObject({ ca: [{ expiry: null }, { expiry: null }], client: { expiry: null }, expiry: null })
    expect(tlsFacts(tls, now)).toMatchObject({ ca: [{ expiry: null }, { expiry: 'expired' }], client: { expiry: 'expired' }, expiry: 'expired' })
    expect(tlsFacts({ ...tls, certificate: null }, now).expiry, 'one authority is enough').toBe(null)
    expect(tlsFacts({ ...tls, ca: EXPIRED.certificatePem, certificate: null }, now).expiry).toBe('expired')
  })

  it('the last 14 days are told of, of what is needed', () => {
    const endsIn = (days: number): string => makeCertificate(authority, { names: ['box.farm'], notBeforeMs: 0, notAfterMs: now.wallMs() + days * 86_400_000 }).certificatePem
    const expiries = (ca: string | null, certificate: string | null): unknown => {
      const facts = tlsFacts({ ca, certificate, key: null }, now)
      return [...facts.ca, ...(facts.client === null ? [] : [facts.client])].map(({ expiry }) => expiry).concat(facts.expiry)
    }
    expect(expiries(null, endsIn(15))).toEqual([null, null])
    expect(expiries(null, endsIn(13))).toEqual(['expiring', 'expiring'])
    expect(expiries(null, endsIn(-1))).toEqual(['expired', 'expired'])
    expect(expiries(`${endsIn(13)}${endsIn(15)}`, null), 'the next authority is there').toEqual(['expiring', null, null])
    expect(expiries(`${endsIn(13)}${endsIn(-1)}`, endsIn(15))).toEqual(['expiring', 'expired', null, 'expiring'])
    expect(expiries(endsIn(13), endsIn(-1)), 'the earlier end counts').toEqual(['expiring', 'expired', 'expired'])
  })

  it('of nothing there is no end', () => {
    expect(tlsFacts(NONE, now)).toEqual({ ca: [], client: null, isKeyLost: false, expiry: null })
  })
})

describe('on disk', () => {
  let box: TenantBox
  afterEach(() => box.close())
  const bytesOfKey = Buffer.from(CLIENT.keyPem.replace(/-----[^-]+-----|\s/g, ''), 'base64')
  const filesHave = (text: string | Buffer): boolean => readdirSync(box.folder).some((name) => readFileSync(join(box.folder, name)).includes(text))

  it.each([
    ['station', { kind: 'station', url: URLS.station, tls: { ca: CA, ...PAIR } }],
    ['chirpstack', { kind: 'chirpstack', url: URLS.chirpstack, topicPrefix: '', encoding: 'json', tls: { ca: CA, ...PAIR } }],
    ['without a password', { kind: 'station', url: 'wss://lns.example/', tls: { ca: null, ...PAIR } }],
  ] as const)('the key lies sealed beside the rest, and is there after a restart (%s)', async (_kind, destination) => {
    box = await opened({}, [tenant({ destination })])
    const [first] = box.house.admin.tenants()
    const { tls } = first?.destination as { tls: DestinationTls }
    expect([tls.key, first?.tls?.client?.subject]).toEqual([CLIENT.keyPem, 'CN=box.farm'])
    await box.restart()
    expect(box.house.admin.tenants()[0]?.destination).toEqual(first?.destination)
    await box.run(box.house.admin.pause('farm', true))
    expect(box.house.admin.tenants()[0]?.destination).toEqual(first?.destination)
    const [line = ''] = CLIENT.keyPem.split('\n').filter((text) => !text.startsWith('-'))
    expect([filesHave(line), filesHave(bytesOfKey.subarray(-32)), filesHave('PRIVATE'), filesHave('t0ken')]).toEqual([false, false, false, false])
    // The same look finds what does lie there in the clear.
    expect(filesHave(CLIENT.certificatePem.split('\n')[1] ?? '-')).toBe(true)

    await box.run(box.house.admin.put(tenant({ destination: { kind: 'broker' } })))
    expect([box.house.admin.tenants()[0]?.tls, box.store.read((tx) => tx.get('SELECT sealed FROM iot_tenant'))]).toEqual([null, { sealed: null }])
  })

  it('that another box sealed is told of, and all else goes on, changes of his terms too', async () => {
    const errors: string[] = []
    box = await opened({ deps: { log: { ...silentLog, error: (words) => errors.push(words) } } }, [tenant({ destination: { kind: 'station', url: 'wss://lns.example/', tls: { ca: CA, ...PAIR } } })])
    box.house = box.newHouse(box.store, { seal: { seal: (key) => key, open: () => { throw new MeshBoxError('unavailable', 'sealed elsewhere', { code: 'key-sealed-elsewhere' }) } } })
    await box.run(box.house.start())
    const [farm] = box.house.admin.tenants()
    expect(farm?.tls).toMatchObject({ ca: [{ subject: 'CN=Farm CA' }], client: { subject: 'CN=box.farm' }, isKeyLost: true })
    expect(errors).toEqual([expect.stringContaining('--client-key')])
    await box.run(box.house.admin.put(tenant({ name: 'Farm II', destination: farm?.destination ?? { kind: 'broker' } })))
    expect(box.house.admin.tenants()[0]).toMatchObject({ name: 'Farm II', tls: { isKeyLost: true } })
    await box.run(box.house.admin.put(tenant({ destination: { kind: 'station', url: 'wss://lns.example/', tls: { ca: CA, ...PAIR } } })))
    expect(box.house.admin.tenants()[0]?.tls?.isKeyLost).toBe(false)
  })

  it('what is refused is not written', async () => {
    box = await opened({}, [])
    const pair = makeCertificate(authority, { names: ['box.farm'], ...LONG })
    await expect(box.run(box.house.admin.put(tenant({ destination: { kind: 'station', url: 'wss://lns.example/', tls: { ca: null, certificate: pair.certificatePem, key: OTHER.keyPem } } })))).rejects.toMatchObject({ kind: 'input', field: 'clientKey' })
    expect(box.store.read((tx) => tx.all('SELECT id FROM iot_tenant'))).toEqual([])
  })
})
