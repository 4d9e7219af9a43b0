/**
 * A tenant's server whose certificate is of an authority of its own, or that asks the box for one: over real TLS on loopback, his LNS (our own door for Stations) and his
 * broker. Whom the box does not know it does not speak to, whatever else it was told.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { Aedes } from 'aedes'
import { expect, it, onTestFinished } from 'vitest'
import { momentOf, silentLog } from '../../../src/base/index.ts'
import type { Log, LogFields } from '../../../src/base/index.ts'
import { SystemClock, systemRandomness, systemTimers } from '../../../src/base/io/system.ts'
import { openDelivery } from '../../../src/iot/deliveries.ts'
import { connectMqtt } from '../../../src/iot/mqtt/io/client.ts'
import type { Delivery, DestinationTls, Gateway, Radio, Tenant } from '../../../src/iot/ports.ts'
import { openRadio } from '../../../src/iot/radio/index.ts'
import { checkTls } from '../../../src/iot/tenants/certificates.ts'
import { checkTenant } from '../../../src/iot/tenants/terms.ts'
import { copy, heard } from '../iot-mqtt/frames.ts'
import { tenant } from '../iot-tenants/tenant-box.ts'
import { makeAuthority, makeCertificate } from '../portal/certificate-maker.ts'

const GATEWAY = '0016c001ff10a235'
const WISH = { notBeforeMs: Date.UTC(2000, 0, 1), notAfterMs: Date.UTC(2049, 0, 1) }
const authority = makeAuthority('Acme CA')
const stranger = makeAuthority('Nobody')
const SERVER = makeCertificate(authority, { names: ['localhost'], ...WISH })
const BOX = makeCertificate(authority, { names: [GATEWAY], ...WISH })
const FALSE_BOX = makeCertificate(stranger, { names: [GATEWAY], ...WISH })
const CA = authority.certificatePem
const pairOf = (made: typeof BOX): Pick<DestinationTls, 'certificate' | 'key'> => ({ certificate: made.certificatePem, key: made.keyPem })
const BARE = { certificate: null, key: null }
const clock = new SystemClock('never')

interface Tried {
  readonly delivery: Delivery
  readonly warnings: readonly string[]
  readonly problems: () => readonly string[]
}

/** As the box opens it, with its one gateway there. */
function deliveryTo(destination: Tenant['destination']): Tried {
  const warnings: string[] = []
  const said = (text: string, fields?: LogFields): unknown => warnings.push(`${text} ${JSON.stringify(fields)}`)
  const gateway: Gateway = { id: GATEWAY, door: 'gwmp', region: 'EU868', isOnline: true, lastSeen: momentOf(clock), dutyModel: 'window', minLeadMs: 0, maxLeadMs: 1_000 }
  const radio: Radio = { gateways: () => [gateway], onHeard: () => () => undefined, onStats: () => () => undefined, onGateway: () => () => undefined, transmit: () => Promise.reject(new Error('nothing is sent here')) }
  const connections: { readonly problem: string | null }[] = []
  const delivery = openDelivery(checkTenant({ ...tenant({ id: 'acme', routes: [{ kind: 'dev-addr', prefix: 0x49be_7df1, prefixBits: 32 }] }), destination: checkTls(destination, null, clock) }), {
    radio,
    connect: (settings) => {
      const made = connectMqtt(settings, { timers: systemTimers, randomness: systemRandomness, log: silentLog, firstWaitMs: 10 })
      connections.push(made)
      return made
    },
    broker: null, hasListener: () => null, nextDownlinkId: () => 1, clock, timers: systemTimers, random: systemRandomness,
    log: { ...silentLog, warn: said, error: said, info: said, debug: said } as Log,
  })
  onTestFinished(() => delivery.close())
  return { delivery, warnings, problems: () => connections.map(({ problem }) => problem ?? '') }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((later) => setTimeout(later, 5))
}

async function delivered({ delivery }: Tried): Promise<void> {
  while (!(await delivery.deliver(heard({ copies: [copy({ gateway: GATEWAY })] })))) await new Promise((later) => setTimeout(later, 5))
}

/** His LNS. `asks`: for a certificate of its authority. */
async function lns(asks: boolean): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-own-ca-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const station = { address: '127.0.0.1', port: 0, certificateFile: file('cert', SERVER.certificatePem), keyFile: file('key', SERVER.keyPem), clientAuthorityFile: asks ? file('ca', CA) : null, tokens: {} }
  const server = await openRadio({ region: 'EU868', collectMs: 0, gwmp: null, station }, { clock, timers: systemTimers, log: silentLog, cups: null })
  onTestFinished(() => server.close())
  return server.ports.station ?? 0
}

/** His broker. */
async function broker(asks: boolean): Promise<number> {
  const aedes = await Aedes.createBroker()
  const server = createServer({ cert: SERVER.certificatePem, key: SERVER.keyPem, ...(asks ? { ca: CA, requestCert: true, rejectUnauthorized: true } : {}) }, (socket) => void aedes.handle(socket))
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    await new Promise<void>((resolve) => aedes.close(() => resolve()))
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const stationAt = (port: number, tls?: DestinationTls, host = 'localhost'): Tenant['destination'] => ({ kind: 'station', url: `wss://${host}:${port}`, ...(tls === undefined ? {} : { tls }) })
const brokerAt = (port: number, tls?: DestinationTls, host = 'localhost'): Tenant['destination'] => ({ kind: 'chirpstack', url: `mqtts://${host}:${port}`, topicPrefix: '', encoding: 'json', ...(tls === undefined ? {} : { tls }) })
const noKeyIn = (text: string): void => {
  for (const { keyPem } of [BOX, FALSE_BOX]) for (const line of keyPem.split('\n').filter((one) => one !== '' && !one.startsWith('-'))) expect(text).not.toContain(line)
}

it.each([
  ['an LNS', lns, stationAt],
  ['a broker', broker, brokerAt],
] as const)('%s: believed for the authority that the owner named, and for no other', async (_what, serve, at) => {
  const port = await serve(false)
  const isRefused = async (destination: Tenant['destination']): Promise<void> => {
    const tried = deliveryTo(destination)
    await until(() => /certificate|altnames/i.test(tried.warnings.join(' ') + tried.problems().join(' ')))
    expect(await tried.delivery.deliver(heard({ copies: [copy({ gateway: GATEWAY })] }))).toBe(false)
    await tried.delivery.close()
  }
  await isRefused(at(port))
  await isRefused(at(port, { ca: stranger.certificatePem, ...BARE }))
  // The name is looked at as well: that certificate is for localhost.
  await isRefused(at(port, { ca: CA, ...BARE }, '127.0.0.1'))
  await delivered(deliveryTo(at(port, { ca: CA, ...BARE })))
  // One of several will do.
  await delivered(deliveryTo(at(port, { ca: `${stranger.certificatePem}${CA}`, ...BARE })))
})

it.each([
  ['an LNS', lns, stationAt],
  ['a broker', broker, brokerAt],
] as const)('%s that asks for a certificate gets the one it was given, and none of its key is said', async (_what, serve, at) => {
  const port = await serve(true)
  for (const own of [BARE, pairOf(FALSE_BOX)]) {
    const tried = deliveryTo(at(port, { ca: CA, ...own }))
    await until(() => tried.warnings.length > 0 || tried.problems().some((text) => text !== '' && text !== 'not connected yet'))
    expect(await tried.delivery.deliver(heard({ copies: [copy({ gateway: GATEWAY })] }))).toBe(false)
    noKeyIn(tried.warnings.join(' ') + tried.problems().join(' '))
    await tried.delivery.close()
  }
  const tried = deliveryTo(at(port, { ca: CA, ...pairOf(BOX) }))
  await delivered(tried)
  noKeyIn(tried.warnings.join(' '))
})
