/** The Stations' door over real TCP and TLS: who gets in, frames and orders end to end, what breaks, floods, and CUPS as a Station parses it. */
import { X509Certificate, createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { fromHex, silentLog, toHex } from '../../../src/base/index.ts'
import { SystemClock, systemTimers } from '../../../src/base/io/system.ts'
import type { Downlink, Heard, TxWindow } from '../../../src/iot/ports.ts'
import { signSoftware, stationKeyOf } from '../../../src/iot/radio/cups/signing.ts'
import { credentialsOf } from '../../../src/iot/radio/cups/update-info.ts'
import type { UpdatePlan } from '../../../src/iot/radio/cups/update-info.ts'
import { frameHash } from '../../../src/iot/radio/frame-hash.ts'
import { ownCups } from '../../../src/iot/radio/io/own-cups.ts'
import { StationServer } from '../../../src/iot/radio/io/station-server.ts'
import type { StationListenOptions } from '../../../src/iot/radio/io/station-server.ts'
import { Concentrators } from '../../../src/iot/radio/radio.ts'
import { BasicStation } from '../../support/basic-station.ts'
import type { StationOptions } from '../../support/basic-station.ts'
import { makeAuthority, makeCertificate } from '../portal/certificate-maker.ts'

const GATEWAY = '0016c001ff10a235'
const PHY = fromHex('40f17dbe4900020001954378762b11ff0d')
const JOIN = fromHex('0039363463336913AA05693574323831330489C65B1304')
const clock = new SystemClock('never')
const open: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function box(options: Partial<StationListenOptions> = {}) {
  const radio = new Concentrators({ clock, timers: systemTimers, log: silentLog, hash: frameHash, collectMs: 100 })
  const door = await StationServer.open({ address: '127.0.0.1', port: 0, certificateFile: null, keyFile: null, tokens: {}, region: 'EU868', cups: null, clientAuthorityFile: null, firstChannelHz: null, ...options }, { clock, timers: systemTimers, log: silentLog, sink: radio.sink })
  radio.add(door)
  const heard: Heard[] = []
  radio.onHeard((one) => heard.push(one))
  open.push(() => radio.close(), () => door.close())
  return { radio, door, heard }
}
function station(port: number, options: Partial<StationOptions> = {}): BasicStation {
  const made = new BasicStation({ gateway: GATEWAY, port, ...options })
  open.push(() => made.stop())
  return made
}
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((later) => setTimeout(later, 2))
}
function answerTo(heard: Heard, id: number, delaysMs: readonly number[], change: Partial<TxWindow> = {}): Downlink {
  const copy = heard.copies[0]
  if (copy === undefined) throw new Error('heard by nobody')
  const windows = delaysMs.map((delayMs): TxWindow => ({ phy: Uint8Array.of(0x60, 1, 2, 3), frequencyHz: heard.frequencyHz, modulation: heard.modulation, powerDbm: 14, timing: { kind: 'after', time: copy.time, arrivedMs: copy.arrivedMs, delayUs: delayMs * 1_000 }, isInverted: true, preambleSymbols: 8, hasCrc: false, board: 0, antenna: 0, ...change }))
  return { id, gateway: copy.gateway, windows, purpose: 'data', priority: 0, tenant: null, devEui: null, expiresMs: Infinity }
}

describe('a Station', () => {
  it('finds its way, is configured, heard and answered, in RX2 when RX1 is not free', async () => {
    const { radio, door, heard } = await box()
    const one = station(door.port)
    expect(await one.discover('16:c001:ff10:a235')).toEqual({ router: '16:c001:ff10:a235', muxs: '16:c001:ff10:a235', uri: `ws://127.0.0.1:${door.port}/gateway/${GATEWAY}` })
    expect(await one.connect()).toMatchObject({ msgtype: 'router_config', region: 'EU863' })
    expect(radio.gateways()).toMatchObject([{ id: GATEWAY, door: 'station', region: 'EU868', isOnline: true, dutyModel: 'blocking' }])
    one.hear(PHY)
    one.hear(JOIN, { Freq: 868_300_000, DR: 0 })
    await until(() => heard.length === 2)
    expect(heard.map(({ phy, frequencyHz }) => [toHex(phy), frequencyHz])).toEqual([[toHex(PHY), 868_100_000], [toHex(JOIN), 868_300_000]])
    one.busy = (_order, window) => window === 1
    expect(await radio.transmit(answerTo(heard[0] as Heard, 5, [1_000, 2_000]))).toMatchObject({ statuses: ['TOO_LATE', 'OK'], sent: 1, doubtful: null })
    expect(one.sent).toEqual([{ diid: 40, window: 2, pdu: '60010203' }])
    one.busy = () => false
    expect(await radio.transmit(answerTo(heard[0] as Heard, 6, [0], { timing: { kind: 'now' } }))).toMatchObject({ statuses: ['OK'] })
    expect(door.counts).toEqual({ frames: 2, refused: 0, stray: 0, foreign: 0, unauthorized: 0 })
  })
  it('that connects again takes the place of its old connection, and one that goes is away', async () => {
    const { radio, door, heard } = await box()
    const [first, second] = [station(door.port), station(door.port)]
    await first.connect()
    first.hear(PHY)
    await until(() => heard.length === 1)
    const answer = radio.transmit(answerTo(heard[0] as Heard, 5, [5_000]))
    await second.connect()
    expect(await answer).toMatchObject({ statuses: ['GATEWAY_AWAY'], doubtful: 0 })
    await until(() => first.isClosed)
    expect(radio.gateways()).toMatchObject([{ id: GATEWAY, isOnline: true }])
    second.hear(JOIN)
    await until(() => heard.length === 2)
    second.stop()
    await until(() => radio.gateways()[0]?.isOnline === false)
    expect(await radio.transmit(answerTo(heard[1] as Heard, 6, [5_000]))).toMatchObject({ statuses: ['GATEWAY_AWAY'], doubtful: null })
    expect(door.size).toEqual({ sessions: 0, gone: 1, pending: 0, sockets: 0, discoveries: 0, strangers: 0 })
    // What its connections counted stays counted.
    expect(door.counts.frames).toBe(2)
  })
  it('gets in with its own token only', async () => {
    const { door } = await box({ tokens: { [GATEWAY]: 'Bearer geheim', '0016c001ff10ffff': 'Bearer other' } })
    for (const authorization of [undefined, 'Bearer other', 'Bearer gehei', 'geheim']) {
      const stranger = station(door.port, authorization === undefined ? {} : { authorization })
      expect(await stranger.discover()).toEqual({ router: '16:c001:ff10:a235', error: 'not allowed' })
      await stranger.connect()
      expect(stranger.status).toBe(401)
    }
    const unknown = station(door.port, { gateway: '1111111111111111', authorization: 'Bearer geheim' })
    await unknown.connect()
    expect(unknown.status).toBe(401)
    const one = station(door.port, { authorization: 'Bearer geheim' })
    expect(await one.discover()).toMatchObject({ uri: `ws://127.0.0.1:${door.port}/gateway/${GATEWAY}` })
    expect(await one.connect()).toMatchObject({ msgtype: 'router_config' })
    expect(door.counts.unauthorized).toBe(9)
  })
  it('gets in without a token only where nobody else can reach the door', async () => {
    const { door } = await box({ address: '0.0.0.0' })
    const stranger = station(door.port)
    await stranger.connect()
    expect(stranger.status).toBe(401)
  })
  it('comes over TLS, with a certificate it can check', async () => {
    const authority = makeAuthority()
    const made = makeCertificate(authority, { names: ['localhost'], notBeforeMs: Date.UTC(2000, 0, 1), notAfterMs: Date.UTC(2049, 0, 1) })
    const folder = mkdtempSync(join(tmpdir(), 'station-'))
    open.push(() => rmSync(folder, { recursive: true }))
    const [certificateFile, keyFile] = [join(folder, 'tc.crt'), join(folder, 'tc.key')]
    writeFileSync(certificateFile, made.certificatePem)
    writeFileSync(keyFile, made.keyPem)
    const { door, heard } = await box({ certificateFile, keyFile })
    const one = station(door.port, { ca: Buffer.from(authority.certificatePem) })
    expect(await one.discover()).toMatchObject({ uri: `wss://127.0.0.1:${door.port}/gateway/${GATEWAY}` })
    await one.connect()
    one.hear(PHY)
    await until(() => heard.length === 1)
    const plain = station(door.port)
    await plain.open('/router-info')
    expect(plain.isClosed).toBe(true)
    await expect(box({ certificateFile, keyFile: null })).rejects.toMatchObject({ code: 'no-certificate' })
    await expect(box({ certificateFile: join(folder, 'none'), keyFile })).rejects.toMatchObject({ code: 'no-certificate' })
  })
  it('that shows a certificate is who it says, and nobody else', async () => {
    const authority = makeAuthority()
    const folder = mkdtempSync(join(tmpdir(), 'station-'))
    open.push(() => rmSync(folder, { recursive: true }))
    const wish = { notBeforeMs: Date.UTC(2000, 0, 1), notAfterMs: Date.UTC(2049, 0, 1) }
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text)
      return join(folder, name)
    }
    const server = makeCertificate(authority, { names: ['localhost'], ...wish })
    const clientAuthorityFile = file('authority', authority.certificatePem)
    const { door } = await box({ address: '127.0.0.1', certificateFile: file('cert', server.certificatePem), keyFile: file('key', server.keyPem), clientAuthorityFile })
    const ca = Buffer.from(authority.certificatePem)
    const made = (name: string, by = authority) => {
      const { certificatePem, keyPem } = makeCertificate(by, { names: [name], ...wish })
      return { ca, own: { cert: certificatePem, key: keyPem } }
    }
    const one = station(door.port, made('00-16-c0-01-ff-10-a2-35'))
    expect(await one.discover()).toMatchObject({ uri: `wss://127.0.0.1:${door.port}/gateway/${GATEWAY}` })
    expect(await one.connect()).toMatchObject({ msgtype: 'router_config' })
    for (const name of ['0016c001ff10ffff', 'localhost']) {
      const other = station(door.port, made(name))
      await other.connect()
      expect(other.status).toBe(401)
    }
    for (const stranger of [station(door.port, { ca }), station(door.port, made(GATEWAY, makeAuthority('Another')))]) {
      await stranger.connect()
      expect(stranger.status).toBe(0)
    }
    expect(one.isClosed).toBe(false)
    await expect(box({ clientAuthorityFile })).rejects.toMatchObject({ code: 'no-certificate' })
  })
  it.each<[string, (one: BasicStation) => void, number]>([
    ['binary, as a remote shell would', (one) => one.frame(2, Buffer.from('rmtsh')), 1003],
    ['a text longer than any frame', (one) => one.frame(1, Buffer.alloc(20_000, 0x20)), 1009],
    ['what is no UTF-8', (one) => one.frame(1, Buffer.from([0xc3, 0x28])), 1007],
    ['bytes without a mask', (one) => one.raw(Uint8Array.of(0x81, 1, 65)), 1002],
    ['more than a concentrator hears', (one) => { for (let n = 0; n < 8_000; n++) one.say('{}') }, 1008],
  ])('that sends %s is closed', async (_name, spoil, code) => {
    const { door } = await box()
    const [one, other] = [station(door.port), station(door.port, { gateway: '0016c001ff10ffff' })]
    await one.connect()
    await other.connect()
    spoil(one)
    await until(() => one.isClosed)
    expect(one.closeCode).toBe(code)
    await until(() => door.size.sessions === 1)
    expect(other.isClosed).toBe(false)
  })
  it.each([['/elsewhere', 404], ['/gateway/xyz', 404], ['/gateway/0016C001FF10A235', 404]])('at %s finds nothing', async (path, status) => {
    const { door } = await box()
    const one = station(door.port)
    await one.open(path)
    expect(one.status).toBe(status)
  })
  it('discovery answers nonsense with a reason, and is bounded', async () => {
    const { door } = await box()
    expect(await station(door.port).discover('what')).toMatchObject({ error: expect.stringContaining('router') as string })
    const all = Array.from({ length: 60 }, () => station(door.port))
    await Promise.all(all.map((one) => one.open('/router-info')))
    expect(all.filter(({ status }) => status === 101).length).toBeLessThanOrEqual(32)
    expect(all.some(({ status }) => status === 429)).toBe(true)
    expect(door.size.discoveries).toBeLessThanOrEqual(32)
  })
  it.each([false, true])('gets in while another host holds all the connections it can (TLS: %s)', async (isTls) => {
    const authority = makeAuthority()
    const made = makeCertificate(authority, { names: ['localhost'], notBeforeMs: Date.UTC(2000, 0, 1), notAfterMs: Date.UTC(2049, 0, 1) })
    const folder = mkdtempSync(join(tmpdir(), 'station-'))
    open.push(() => rmSync(folder, { recursive: true }))
    const [certificateFile, keyFile] = [join(folder, 'cert'), join(folder, 'key')]
    writeFileSync(certificateFile, made.certificatePem)
    writeFileSync(keyFile, made.keyPem)
    const { door } = await box(isTls ? { certificateFile, keyFile } : {})
    const how = isTls ? { ca: Buffer.from(authority.certificatePem) } : {}
    const before = station(door.port, how)
    expect(await before.connect()).toMatchObject({ msgtype: 'router_config' })
    expect(door.size).toMatchObject({ sessions: 1, strangers: 0 })
    let ended = 0
    const silent = Array.from({ length: 60 }, () => connectTcp({ host: '127.0.0.1', port: door.port, localAddress: '127.0.0.2' }).on('error', () => undefined).on('close', () => ended++))
    open.push(() => silent.forEach((socket) => socket.destroy()))
    await until(() => ended === 20 && door.size.strangers === 40)
    const one = station(door.port, { gateway: '0016c001ff10ffff', ...how })
    expect(await one.connect()).toMatchObject({ msgtype: 'router_config' })
    for (const socket of silent) socket.destroy()
    await until(() => door.size.strangers === 0)
    expect(door.size).toMatchObject({ sessions: 2, sockets: 2 })
  })
  it('at 260 frames a second each is handed over once, and nothing grows', async () => {
    const { radio, door, heard } = await box()
    const one = station(door.port)
    await one.connect()
    const COUNT = 520
    let sent = 0
    const startedMs = performance.now()
    while (sent < COUNT) {
      const dueNow = Math.min(COUNT, Math.floor(((performance.now() - startedMs) / 1_000) * 260))
      while (sent < dueNow) one.hear(Uint8Array.of(0x40, ++sent, sent >> 8, 3, 0x26, 0, 1, 0, 1, 9, 9, 9, 9))
      await new Promise((later) => setTimeout(later, 5))
    }
    await until(() => heard.length === COUNT)
    expect(new Set(heard.map(({ id }) => id)).size).toBe(COUNT)
    expect(radio.size).toEqual({ open: 0, known: COUNT, present: 1 })
    expect(door.size).toEqual({ sessions: 1, gone: 0, pending: 0, sockets: 1, discoveries: 0, strangers: 0 })
  })
})

describe('CUPS', () => {
  const UNCHANGED: UpdatePlan = { cupsUri: null, tcUri: null, cupsCredentials: null, tcCredentials: null, software: null }
  const der = (bytes: number): Uint8Array => Uint8Array.of(0x30, 0x82, bytes >> 8, bytes & 255, ...new Uint8Array(bytes).fill(5))
  const signer = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const update = new Uint8Array(70_000).map((_, at) => at)
  const software = { package: '2.1', models: ['corecell'], bytes: update, signatures: [signSoftware(update, signer)] }
  const keyCrc = crc32(stationKeyOf(signer))
  const asked = { router: '16:c001:ff10:a235', cupsUri: 'http://cups', tcUri: 'ws://old', cupsCredCrc: 1, tcCredCrc: 2, station: '2.0.6', model: 'corecell', package: '2.0', keys: [keyCrc] }

  /** As Station's parser takes it. */
  const parsed = (body: Buffer) => {
    let at = 0
    const segment = (bytes: number): Buffer => {
      const length = body.readUIntLE(at, bytes)
      at += bytes + length
      return body.subarray(at - length, at)
    }
    const [cupsUri, tcUri, cupsCred, tcCred, signature, bytes] = [1, 1, 2, 2, 4, 4].map(segment) as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer]
    expect(at).toBe(body.length)
    return { cupsUri: cupsUri.toString(), tcUri: tcUri.toString(), cupsCred, tcCred, signature, bytes }
  }
  const ask = async (plan: UpdatePlan | null, body: unknown = asked, headers: Record<string, string> = {}, tokens: Record<string, string> = {}) => {
    const { door } = await box({ cups: () => plan, tokens })
    const response = await fetch(`http://127.0.0.1:${door.port}/update-info`, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) })
    return { status: response.status, body: Buffer.from(await response.arrayBuffer()) }
  }

  it('says nothing where nothing is to be said', async () => {
    for (const plan of [null, UNCHANGED, { ...UNCHANGED, cupsUri: 'http://cups', tcUri: 'ws://old' }]) expect((await ask(plan)).body.toString('hex')).toBe('0000' + '0000' + '0000' + '00000000' + '00000000')
  })
  it('gives what differs: addresses, credentials in one row, software with a signature that holds', async () => {
    const tcCredentials = credentialsOf(der(300), null, Buffer.from('Authorization: Bearer x\r\n'))
    const { status, body } = await ask({ cupsUri: null, tcUri: 'wss://new', cupsCredentials: der(400), tcCredentials, software })
    expect(status).toBe(200)
    const answer = parsed(body)
    expect([answer.cupsUri, answer.tcUri]).toEqual(['', 'wss://new'])
    expect(answer.cupsCred.length).toBe(404)
    expect(answer.tcCred.subarray(304, 308).toString('hex')).toBe('00000000')
    expect(answer.tcCred.subarray(308).toString()).toBe('Authorization: Bearer x\r\n')
    expect(answer.signature.readUInt32LE(0)).toBe(keyCrc)
    const point = stationKeyOf(signer)
    const onGateway = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x: Buffer.from(point.subarray(0, 32)).toString('base64url'), y: Buffer.from(point.subarray(32)).toString('base64url') } })
    expect(verify('sha512', answer.bytes, onGateway, answer.signature.subarray(4))).toBe(true)
    expect(verify('sha512', answer.bytes.subarray(1), onGateway, answer.signature.subarray(4))).toBe(false)
    const again = parsed((await ask({ ...UNCHANGED, tcCredentials }, { ...asked, tcCredCrc: crc32(tcCredentials) })).body)
    expect(again.tcCred.length).toBe(0)
  })
  it('of the box: itself as the server, with the authority to believe and the token over TLS, and no secret without', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'meshbox-cups-'))
    open.push(() => rmSync(folder, { recursive: true }))
    const certificateFile = join(folder, 'tc.crt')
    const authority = makeAuthority()
    const made = makeCertificate(authority, { names: ['localhost'], notBeforeMs: Date.UTC(2000, 0, 1), notAfterMs: Date.UTC(2049, 0, 1) })
    const tokens = { [GATEWAY]: 'Bearer x' }
    const request = { ...asked, gateway: GATEWAY }
    writeFileSync(certificateFile, `${made.certificatePem}\n${authority.certificatePem}`)
    const secure = ownCups({ address: '192.168.1.1', port: 3001, certificateFile, keyFile: join(folder, 'tc.key'), tokens })(request)
    const answer = parsed((await ask(secure)).body)
    expect([answer.cupsUri, answer.tcUri, answer.cupsCred.length, answer.bytes.length]).toEqual(['', 'wss://192.168.1.1:3001', 0, 0])
    const trust = new X509Certificate(authority.certificatePem).raw
    expect(answer.tcCred).toEqual(Buffer.concat([trust, Buffer.alloc(4), Buffer.from('Authorization: Bearer x\r\n')]))
    expect(ownCups({ address: 'fd00::1', port: 3001, certificateFile: null, keyFile: null, tokens })(request)).toEqual({ ...UNCHANGED, tcUri: 'ws://[fd00::1]:3001' })
    expect(ownCups({ address: '0.0.0.0', port: 3001, certificateFile: null, keyFile: null, tokens })(request)).toEqual(UNCHANGED)
  })
  it.each([['is there already', { package: '2.1' }], ['is for another model', { model: 'rpi' }], ['is signed by nobody the gateway believes', { keys: [7] }], ['a gateway would run unsigned', { keys: [] }]])('keeps back software that %s', async (_name, change) => {
    expect(parsed((await ask({ ...UNCHANGED, software }, { ...asked, ...change })).body)).toMatchObject({ signature: Buffer.alloc(0), bytes: Buffer.alloc(0) })
  })
  it('is refused to strangers and to what is no request', async () => {
    expect((await ask(UNCHANGED, asked, {}, { [GATEWAY]: 'Bearer x' })).status).toBe(401)
    expect((await ask(UNCHANGED, asked, { authorization: 'Bearer x' }, { [GATEWAY]: 'Bearer x' })).status).toBe(200)
    for (const body of ['', '{', { router: 'x' }, { ...asked, keys: 'many' }, { ...asked, keys: Array(17).fill(1) }, { ...asked, tcCredCrc: -1 }, { ...asked, tcUri: 'x'.repeat(256) }]) expect((await ask(UNCHANGED, body)).status).toBe(400)
    expect((await ask(UNCHANGED, ' '.repeat(10_000))).status).toBe(429)
    const { door } = await box()
    expect((await fetch(`http://127.0.0.1:${door.port}/update-info`, { method: 'POST', body: '{}' })).status).toBe(404)
    expect((await fetch(`http://127.0.0.1:${door.port}/`)).status).toBe(404)
  })
  it('refuses certificates that Station would cut in the wrong place, and keys of other kinds', () => {
    expect(() => credentialsOf(Uint8Array.of(0x30, 3, 1, 2, 3), null, new Uint8Array())).toThrow(/trust/)
    expect(() => credentialsOf(der(300), der(300).subarray(1), new Uint8Array())).toThrow(/certificate/)
    expect(() => signSoftware(update, generateKeyPairSync('ed25519').privateKey)).toThrow(/P-256/)
  })
})
