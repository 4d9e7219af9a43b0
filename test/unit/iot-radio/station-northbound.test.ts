/**
 * The gateways at a server northbound that speaks Basics Station: its words and what is made of them, without sockets; and over loopback against our own door for Stations,
 * and against servers that mean it badly. MESHBOX_STATION_FUZZ=NUMBER for more texts.
 */
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { fromHex, silentLog, toHex } from '../../../src/base/index.ts'
import type { Log, LogFields } from '../../../src/base/index.ts'
import { SystemClock, systemRandomness, systemTimers } from '../../../src/base/io/system.ts'
import { OPCODE, acceptFor, clientFrame, serverFrame } from '../../../src/base/websocket.ts'
import { decodeFrame, regionNamed } from '../../../src/iot/lorawan/index.ts'
import type { Copy, Downlink, Heard, Route, TxAck, TxStatus, TxWindow } from '../../../src/iot/ports.ts'
import { frameHash } from '../../../src/iot/radio/frame-hash.ts'
import { openRadio } from '../../../src/iot/radio/index.ts'
import type { OpenRadio } from '../../../src/iot/radio/index.ts'
import { openTextClient } from '../../../src/iot/radio/io/text-client.ts'
import type { ServerPlace, ServerSocketHandlers } from '../../../src/iot/radio/northbound/station/link.ts'
import { ToldTimes } from '../../../src/iot/radio/northbound/station/told-times.ts'
import { StationUpstream } from '../../../src/iot/radio/northbound/station/upstream.ts'
import { readFields, writeJson } from '../../../src/iot/radio/station/exact-json.ts'
import type { Fields } from '../../../src/iot/radio/station/exact-json.ts'
import { routerConfig } from '../../../src/iot/radio/station/router-config.ts'
import { readUplink } from '../../../src/iot/radio/station/uplink.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { makeAuthority, makeCertificate } from '../portal/certificate-maker.ts'

const RUNS = Number(process.env.MESHBOX_STATION_FUZZ ?? 20_000)
const EU868 = regionNamed('EU868')
const GATEWAY = '0016c001ff10a235'
const OTHER = '0016c001ff10ffff'
const PHY = fromHex('40f17dbe4900020001954378762b11ff0d') // DevAddr 49be7df1
const JOIN = fromHex('0039363463336913AA05693574323831330489C65B1304')
const ACCEPT = Uint8Array.of(0x20, ...new Uint8Array(16))
const CONFIG = writeJson(routerConfig({ region: EU868, netIds: null, muxTimeSeconds: 1_700_000_000, firstChannelHz: null }))
const SF7 = { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/5' } as const
const clock = new SystemClock('never')
const open: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

const copy = (time: Copy['time'], change: Partial<Copy> = {}): Copy => ({ gateway: GATEWAY, time, arrivedMs: clock.boottimeMs(), utcMs: null, gpsTimeMs: null, fineTimeNs: null, rssiDbm: -57, snrDb: 9, channel: 2, radio: 0, board: 0, antenna: 0, ...change })
const counter = (tmstUs: number): Copy['time'] => ({ kind: 'counter', tmstUs })
const heardAs = (phy: Uint8Array, copies: readonly Copy[], change: Partial<Heard> = {}): Heard => ({ id: frameHash(phy), phy, frequencyHz: 868_100_000, modulation: SF7, copies, isLate: false, ...change })
const configWith = (change: object): string => JSON.stringify({ ...(JSON.parse(CONFIG) as object), ...change })
const turns = async (): Promise<void> => { for (let n = 0; n < 10; n++) await Promise.resolve() }
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((later) => setTimeout(later, 2))
}

interface FakeSocket {
  readonly place: ServerPlace
  readonly handlers: ServerSocketHandlers
  readonly sent: Fields[]
  readonly pings: Uint8Array[]
  isClosed: boolean
}

/** Without sockets, so that minutes pass at once. */
class Line {
  readonly time = new FakeTime()
  readonly sockets: FakeSocket[] = []
  readonly orders: Omit<Downlink, 'tenant'>[] = []
  readonly warnings: string[] = []
  readonly upstream: StationUpstream
  ack: (order: Omit<Downlink, 'tenant'>) => Partial<TxAck> = () => ({})
  isHeld = false
  /** Give the answers that are held. */
  readonly held: (() => void)[] = []

  constructor({ url = 'wss://:t0ken@lns.example/', routes = null }: { readonly url?: string; readonly routes?: readonly Route[] | null } = {}) {
    let id = 0
    this.upstream = new StationUpstream({ url, routes }, {
      clock: this.time, timers: this.time, random: seededRandom(3), nextDownlinkId: () => (id += 1),
      log: { ...silentLog, warn: (text: string, fields?: LogFields) => this.warnings.push(`${text} ${JSON.stringify(fields)}`) } as Log,
      openSocket: (place, handlers) => {
        const socket: FakeSocket = { place, handlers, sent: [], pings: [], isClosed: false }
        this.sockets.push(socket)
        return { send: (text) => socket.sent.push(readFields(text)), ping: (bytes) => socket.pings.push(bytes), close: () => { socket.isClosed = true } }
      },
    })
    this.upstream.onDownlink((order) => {
      this.orders.push(order)
      const ack: TxAck = { id: order.id, gateway: order.gateway, statuses: ['OK'], sent: 0, onAirUs: 1, ...this.ack(order) }
      return this.isHeld ? new Promise((done) => this.held.push(() => done(ack))) : Promise.resolve(ack)
    })
    this.upstream.gateway({ id: GATEWAY, isOnline: true, region: 'EU868' })
  }
  get socket(): FakeSocket {
    const last = this.sockets.at(-1)
    if (last === undefined) throw new Error('nothing was opened')
    return last
  }
  say(message: string | object): this {
    this.socket.handlers.onText(typeof message === 'string' ? message : writeJson(message as Record<string, string>))
    return this
  }
  /** Through discovery to the configuration. */
  up(config = CONFIG): this {
    this.socket.handlers.onOpen()
    this.say({ router: '16:c001:ff10:a235', muxs: '::1', uri: 'wss://lns.example:8887/traffic/eui-0016C001FF10A235' })
    this.socket.handlers.onOpen()
    return this.say(config)
  }
  of(kind: string): Fields[] {
    return this.socket.sent.filter(({ msgtype }) => msgtype === kind)
  }
  pong(): void {
    const last = this.socket.pings.at(-1)
    if (last !== undefined) this.socket.handlers.onPong(last)
  }
  heard(phy: Uint8Array, time: Copy['time'] = counter(1_000), change: Partial<Heard> = {}): Heard {
    return heardAs(phy, [copy(time, { arrivedMs: this.time.boottimeMs() })], change)
  }
  /** Hears a frame and is asked to answer it. */
  async answered(change: object, time: Copy['time'] = counter(1_000)): Promise<this> {
    const delivered = this.upstream.deliver(this.heard(PHY, time))
    this.pong()
    await delivered
    const { xtime, rctx } = this.of('updf').at(-1)?.['upinfo'] as Fields
    this.say({ msgtype: 'dnmsg', DevEui: '00-00-00-00-00-00-00-05', dC: 0, diid: 40_250_921_680_313_459n, pdu: '60F17DBE49', priority: 0, RxDelay: 1, RX1DR: 5, RX1Freq: 868_100_000, RX2DR: 0, RX2Freq: 869_525_000, xtime: xtime as bigint, rctx: rctx as bigint, MuxTime: 1_700_000_000.5, ...change })
    await turns()
    return this
  }
}

describe('the way to a server', () => {
  it('is asked for, and taken with the same token; the configuration makes it one that is there', async () => {
    const line = new Line()
    expect(line.socket.place).toEqual({ url: 'wss://lns.example/router-info', authorization: 'Bearer t0ken' })
    line.socket.handlers.onOpen()
    expect(line.socket.sent).toEqual([{ router: '16:c001:ff10:a235' }])
    line.say({ uri: 'wss://lns.example:8887/gw' })
    expect(line.sockets[0]?.isClosed).toBe(true)
    expect(line.socket.place).toEqual({ url: 'wss://lns.example:8887/gw', authorization: 'Bearer t0ken' })
    line.socket.handlers.onOpen()
    expect(line.socket.sent).toEqual([{ msgtype: 'version', station: 'MeshBox', firmware: null, package: null, model: 'MeshBox', protocol: 2, features: '' }])
    expect([line.upstream.isOnline, await line.upstream.deliver(line.heard(PHY))]).toEqual([false, false])
    line.say(CONFIG)
    expect(line.upstream.isOnline).toBe(true)
    expect(line.of('timesync')).toHaveLength(1)
    await line.upstream.close()
    expect([line.time.pendingTimers, line.socket.isClosed, line.upstream.isOnline]).toEqual([0, true, false])
  })
  it.each<[string, string, string | null]>([
    ['ws://lns.example:3001', 'ws://lns.example:3001/router-info', null],
    ['ws://lns.example:3001/a/b/', 'ws://lns.example:3001/a/b/router-info', null],
    ['wss://lns.example/router-info', 'wss://lns.example/router-info', null],
    ['wss://gate:p%40ss@lns.example', 'wss://lns.example/router-info', `Basic ${Buffer.from('gate:p@ss').toString('base64')}`],
  ])('of %s begins at %s', (url, asked, authorization) => {
    expect(new Line({ url }).socket.place).toEqual({ url: asked, authorization })
  })
  it.each<[string, object | string, string]>([
    ['no JSON', 'nothing', 'json'], ['a refusal', { error: 'not allowed' }, 'not allowed'], ['no uri', {}, 'uri'], ['a uri that is none', { uri: 'here' }, 'uri'], ['a uri without end', { uri: `wss://lns.example/${'a'.repeat(600)}` }, 'uri'],
    ['another machine', { uri: 'wss://127.0.0.1/admin' }, '127.0.0.1'], ['no TLS where it was asked for', { uri: 'ws://lns.example/' }, 'ws://lns.example'], ['another protocol', { uri: 'https://lns.example/' }, 'https'], ['a name in it', { uri: 'wss://a:b@lns.example/' }, 'uri'],
  ])('ends at %s', (_what, words, named) => {
    const line = new Line()
    line.socket.handlers.onOpen()
    line.say(words)
    expect(line.warnings).toHaveLength(1)
    expect(line.warnings[0]).toContain(named)
    expect(line.warnings[0]).not.toContain('t0ken')
    expect([line.sockets.length, line.socket.isClosed]).toEqual([1, true])
    line.time.advance(1_000)
    expect(line.sockets).toHaveLength(2)
  })
  it('is tried ever more slowly, and quickly again after a connection that lasted', () => {
    const line = new Line()
    const pauses = Array.from({ length: 12 }, () => {
      line.socket.handlers.onEnd('refused')
      const [from, count] = [line.time.boottimeMs(), line.sockets.length]
      while (line.sockets.length === count) line.time.advance(100)
      return line.time.boottimeMs() - from
    })
    expect(pauses[0]).toBeLessThanOrEqual(1_000)
    for (const [n, pause] of pauses.entries()) expect(pause).toBeGreaterThanOrEqual(Math.min(300_000, 1_000 * 2 ** n) / 2)
    expect(Math.max(...pauses)).toBeLessThanOrEqual(300_000)
    expect(line.warnings).toHaveLength(1)
    line.up()
    // Words, so that it is not silent.
    for (let n = 0; n < 4; n++) { line.pong(); line.time.advance(20_000) }
    line.socket.handlers.onEnd('gone')
    const before = line.sockets.length
    line.time.advance(1_000)
    expect(line.sockets).toHaveLength(before + 1)
    expect(line.warnings).toHaveLength(2)
  })
  it('that stays silent is left: before its configuration and after', () => {
    const line = new Line()
    line.time.advance(20_000)
    expect([line.socket.isClosed, line.warnings[0]]).toEqual([true, expect.stringContaining('no configuration')])
    line.time.advance(1_000)
    line.up()
    line.time.advance(119_000)
    expect(line.upstream.isOnline).toBe(true)
    expect(line.of('timesync').length).toBeGreaterThan(2)
    line.time.advance(1_000)
    expect([line.upstream.isOnline, line.socket.isClosed, line.warnings[1]]).toEqual([false, true, expect.stringContaining('says nothing')])
  })
  it('of a gateway that went is closed, and opened when it is back; there are 64 at most', () => {
    const line = new Line().up()
    line.upstream.gateway({ id: GATEWAY, isOnline: false, region: 'EU868' })
    expect([line.socket.isClosed, line.upstream.size.links, line.time.pendingTimers]).toEqual([true, 0, 0])
    for (let n = 0; n < 100; n++) line.upstream.gateway({ id: `0016c001ff10${(0x1000 + n).toString(16)}`, isOnline: true, region: 'EU868' })
    expect(line.upstream.size.links).toBe(64)
  })
})

describe('a configuration', () => {
  it.each<[string, object]>([
    ['region', { region: 'US902' }], ['region', { region: 7 }], ['region', { region: undefined }], ['freq_range', { freq_range: null }], ['freq_range', { freq_range: [1, 2] }], ['freq_range', { freq_range: [870_000_000, 863_000_000] }], ['freq_range', { freq_range: ['a', 'b'] }],
    ['DRs', { DRs: null }], ['DRs', { DRs: Array(17).fill([7, 125, 0]) }], ['DRs', { DRs: [[13, 125, 0]] }], ['DRs', { DRs: [[7, 124, 0]] }], ['DRs', { DRs: [7] }], ['max_eirp', { max_eirp: 51 }], ['max_eirp', { max_eirp: -1 }],
    ['NetID', { NetID: 'x' }], ['NetID', { NetID: [1 << 24] }], ['NetID', { NetID: Array(257).fill(1) }], ['JoinEui', { JoinEui: {} }], ['JoinEui', { JoinEui: [1] }], ['JoinEui', { JoinEui: Array(65).fill([1, 2]) }],
  ])('with a wrong %s is refused by that name', (field, change) => {
    const line = new Line().up(configWith(change))
    expect(line.upstream.isOnline).toBe(false)
    expect(line.warnings[0]).toContain(`${field}: `)
  })
  it.each(['EU863', 'EU868'])('for %s is taken, and what is nobody else’s business is not: switches, channels', (region) => {
    expect(new Line().up(configWith({ region, nodc: true, nocca: true, nodwell: true, sx1301_conf: 'x', upchannels: 7, bcning: [] })).upstream.isOnline).toBe(true)
  })
  it('says whose frames are wanted, and a second one takes its place unless it is wrong', async () => {
    const line = new Line().up(configWith({ NetID: [0x24], JoinEui: [['AA-13-69-33-63-34-36-00', 'aa136933633436ff']] }))
    const goes = async (phy: Uint8Array): Promise<boolean> => {
      const isAwaited = line.upstream.isAwaited(line.heard(phy))
      const delivered = line.upstream.deliver(line.heard(phy))
      line.pong()
      // What is known beforehand not to be sent is nobody's to acknowledge.
      expect(await delivered).toBe(isAwaited)
      return delivered
    }
    expect([await goes(PHY), await goes(JOIN)]).toEqual([true, true])
    line.say(configWith({ NetID: [0x13], JoinEui: [[1, 2]] }))
    expect([await goes(PHY), await goes(JOIN)]).toEqual([false, false])
    line.say(configWith({ region: 'US902' }))
    expect([line.upstream.isOnline, await goes(PHY)]).toEqual([true, false])
    line.say(configWith({ NetID: [], JoinEui: [] }))
    expect([await goes(PHY), await goes(JOIN)]).toEqual([false, true])
    line.say(CONFIG)
    expect([await goes(PHY), await goes(JOIN)]).toEqual([true, true])
  })
})

describe('a frame', () => {
  it.each<[string, Uint8Array, 'jreq' | 'updf' | 'propdf']>([
    ['of data', PHY, 'updf'], ['of data without a port', fromHex('40f17dbe49000200aabbccdd'), 'updf'], ['of data with commands', fromHex('80f17dbe49030200020305aabbccdd'), 'updf'], ['of data at port 0', fromHex('80f17dbe4900ffff00010203aabbccdd'), 'updf'],
    ['of an address in the upper half', fromHex('40fffffffe000200aabbccdd'), 'updf'], ['that joins', JOIN, 'jreq'], ['of a kind of its own', fromHex('e001020304050607'), 'propdf'],
  ])('%s is put together again as it was', (_what, phy, kind) => {
    const line = new Line().up()
    void line.upstream.deliver(line.heard(phy, { kind: 'station', xtime: 0x2a00_0000_0000_0005n, rctx: 3n }))
    const [fields = {}] = line.of(kind)
    expect(fields['RefTime']).toBeCloseTo(1_700_000_000, 3)
    const { phy: read, modulation, frequencyHz, copy: read_ } = readUplink(kind, fields, EU868)
    expect([toHex(read), modulation, frequencyHz]).toEqual([toHex(phy), SF7, 868_100_000])
    expect(read_).toMatchObject({ time: { kind: 'station', xtime: 0x2a00_0000_0000_0005n, rctx: 3n }, rssiDbm: -57, snrDb: 9, utcMs: null, gpsTimeMs: null, fineTimeNs: null })
  })
  it('keeps the times that its gateway said', () => {
    const line = new Line().up()
    void line.upstream.deliver(heardAs(PHY, [copy(counter(7), { utcMs: 1_700_000_000_250, gpsTimeMs: 1_400_000_000_123.5, fineTimeNs: 77, snrDb: null, rssiDbm: null }), copy(counter(9), { antenna: 1 })]))
    expect(line.of('updf')).toHaveLength(1)
    expect(readUplink('updf', line.of('updf')[0] ?? {}, EU868).copy).toMatchObject({ utcMs: 1_700_000_000_250, gpsTimeMs: 1_400_000_000_123.5, fineTimeNs: 77, rssiDbm: null, snrDb: null })
  })
  it('has the server’s number of its data rate, and stays here where it has none', async () => {
    const line = new Line().up(configWith({ DRs: [[-1, 0, 0], [7, 125, 1], [7, 125, 0], [0, 0, 0]] }))
    void line.upstream.deliver(line.heard(PHY))
    void line.upstream.deliver(line.heard(PHY, counter(5), { modulation: { kind: 'fsk', bitsPerSecond: 50_000, deviationHz: 0 } }))
    expect(line.of('updf').map(({ DR }) => DR)).toEqual([2, 3])
    for (const modulation of [{ ...SF7, spreadingFactor: 8 }, { kind: 'lr-fhss', widthHz: 137_000, codingRate: '1/3', gridSteps: 8 }] as const) expect(await line.upstream.deliver(line.heard(PHY, counter(9), { modulation }))).toBe(false)
    expect([SF7, { ...SF7, spreadingFactor: 8 }].map((modulation) => line.upstream.isAwaited(line.heard(PHY, counter(9), { modulation })))).toEqual([true, false])
    expect(new Line().upstream.isAwaited(line.heard(PHY)), 'no connection yet').toBe(false)
    // Rejoins of 1.1 have no message; late ones no word that says so; and a route is a route.
    expect(decodeFrame(fromHex('c000130000010203040506070801000a0b0c0d')).type).toBe('rejoin-request')
    expect(await line.upstream.deliver(line.heard(fromHex('c000130000010203040506070801000a0b0c0d')))).toBe(false)
    expect(await line.upstream.deliver(line.heard(PHY, counter(1), { isLate: true }))).toBe(false)
    const routed = new Line({ routes: [{ kind: 'net-id', netId: 0x13 }] }).up()
    expect(await routed.upstream.deliver(routed.heard(PHY))).toBe(false)
  })
  it('is delivered when the pong behind it is there, or behind a later one; not after 5 s, and not when the connection ends', async () => {
    const line = new Line().up()
    const two = [line.upstream.deliver(line.heard(PHY)), line.upstream.deliver(line.heard(JOIN))]
    for (const wrong of ['', 'x', '99999', '0', '1'.repeat(40)]) line.socket.handlers.onPong(Buffer.from(wrong))
    expect(line.upstream.size.pending).toBe(2)
    line.pong()
    expect(await Promise.all(two)).toEqual([true, true])
    const slow = line.upstream.deliver(line.heard(PHY))
    line.time.advance(5_000)
    expect(await slow).toBe(false)
    const many = Array.from({ length: 300 }, (_, n) => line.upstream.deliver(line.heard(PHY, counter(n))))
    expect(line.upstream.size.pending).toBe(256)
    line.socket.handlers.onEnd('gone')
    expect(await Promise.all(many)).toEqual(Array(300).fill(false))
    expect(line.upstream.size.pending).toBe(0)
    expect(line.upstream.counts(GATEWAY)).toMatchObject({ frames: 2 })
  })
})

describe('an order', () => {
  it('becomes both windows of the frame that it answers, and is confirmed with the window that was sent', async () => {
    const line = new Line().up()
    line.ack = () => ({ statuses: ['TOO_LATE', 'OK'], sent: 1 })
    await line.answered({}, counter(4_294_500_000))
    const [order] = line.orders
    expect(order).toMatchObject({ gateway: GATEWAY, purpose: 'data', priority: 100, devEui: null })
    expect(order?.windows).toMatchObject([
      { phy: fromHex('60f17dbe49'), frequencyHz: 868_100_000, modulation: SF7, powerDbm: 16, isInverted: true, hasCrc: false, preambleSymbols: 8, timing: { kind: 'after', time: { kind: 'counter', tmstUs: 4_294_500_000 }, delayUs: 1_000_000 } },
      { frequencyHz: 869_525_000, modulation: { spreadingFactor: 12 }, powerDbm: 16, timing: { kind: 'after', delayUs: 2_000_000 } },
    ])
    const { xtime } = line.of('updf')[0]?.['upinfo'] as { xtime: bigint }
    expect(line.of('dntxed')).toMatchObject([{ diid: 40_250_921_680_313_459n, seqno: 40_250_921_680_313_459n, DR: 0, Freq: 869_525_000, DevEui: '00-00-00-00-00-00-00-05', xtime: xtime + 2_000_000n }])
  })
  it('may have one window only, a longer delay, commands for the sender, and less power', async () => {
    const orders = async (change: object, config = CONFIG) => (await new Line().up(config).answered(change)).orders.map(({ windows, purpose }) => [purpose, ...windows.map(({ timing, powerDbm, hasCrc, preambleSymbols }) => [timing.kind === 'after' ? timing.delayUs : timing.kind, powerDbm, hasCrc, preambleSymbols])])
    expect(await orders({ RX2DR: null, RX2Freq: null, RxDelay: 5 })).toEqual([['data', [5_000_000, 16, false, 8]]])
    expect(await orders({ RX1DR: undefined, RX1Freq: undefined, RxDelay: 0, pdu: toHex(ACCEPT), addcrc: 1, preamble: 12 })).toEqual([['join', [2_000_000, 16, true, 12]]])
    expect(await orders({ RX2DR: undefined, RX2Freq: undefined }, configWith({ max_eirp: 10 }))).toEqual([['data', [1_000_000, 10, false, 8]]])
  })
  it('of class C goes out at once, unless it answers a frame; of class B at its GPS time', async () => {
    const line = new Line().up()
    await line.answered({ dC: 2, xtime: undefined, RX1DR: undefined, RX1Freq: undefined })
    await line.answered({ dC: 2, xtime: 5 })
    await line.answered({ dC: 2 })
    await line.answered({ dC: 1, DR: 3, Freq: 869_525_000, gpstime: 1_400_000_000_000_000n })
    expect(line.orders.map(({ windows, priority }) => [priority, ...windows.map(({ timing }) => timing.kind)])).toEqual([[50, 'now'], [50, 'now'], [100, 'after', 'after'], [50, 'gps']])
    expect(line.orders[3]?.windows[0]?.timing).toEqual({ kind: 'gps', gpsTimeMs: 1_400_000_000_000 })
    expect(line.of('dntxed').map(({ xtime, gpstime, DR }) => [xtime === 0, gpstime, DR])).toEqual([[true, 0, 0], [true, 0, 0], [false, 0, 5], [true, 1_400_000_000_000_000n, 3]])
  })
  it.each<[string, TxStatus | null, object]>([['no air left', 'DUTY_CYCLE_OVERFLOW', {}], ['a collision', 'COLLISION_PACKET', {}], ['a frame of long ago', null, { xtime: 77 }], ['no frame', null, { xtime: undefined }]])('that came to nothing for %s is not confirmed', async (_why, status, change) => {
    const line = new Line().up()
    line.ack = () => ({ statuses: [status ?? 'TOO_LATE'], sent: null, onAirUs: 0 })
    await line.answered(change)
    expect([line.orders.length, line.of('dntxed').length]).toEqual([status === null ? 0 : 1, 0])
    expect(line.upstream.size.orders).toBe(0)
  })
  it.each<[string, object]>([
    ['dC', { dC: 3 }], ['dC', { dC: undefined }], ['diid', { diid: 'x' }], ['DevEui', { DevEui: 'x' }], ['pdu', { pdu: '' }], ['pdu', { pdu: 'AA'.repeat(256) }], ['pdu', { pdu: 5 }], ['RX1DR', { RX1DR: 16 }], ['RX1DR', { RX1DR: 9 }], ['RX1DR', { RX1DR: undefined }], ['RX1Freq', { RX1Freq: undefined }],
    ['RX1Freq', { RX1Freq: 915_000_000 }], ['RX2Freq', { RX2Freq: 868_650_000 }], ['RxDelay', { RxDelay: 16 }], ['preamble', { preamble: 1e9 }], ['xtime', { xtime: 1.5 }], ['RX1DR', { RX1DR: null, RX1Freq: null, RX2DR: null, RX2Freq: null }], ['gpstime', { dC: 1, DR: 0, Freq: 869_525_000 }], ['DR', { dC: 1, gpstime: 5 }],
  ])('with a wrong %s orders nothing', async (_field, change) => {
    const line = await new Line().up().answered(change)
    expect([line.orders.length, line.upstream.counts(GATEWAY)?.refused, line.upstream.isOnline]).toEqual([0, 1, true])
  })
  it('that comes twice is one; there are 128 at most; nobody hears of those that outlive their connection', async () => {
    const line = new Line().up()
    line.isHeld = true
    for (let n = 0; n < 200; n++) {
      line.say({ msgtype: 'dnmsg', DevEui: 1, dC: 2, diid: n % 150, pdu: '60', RX2DR: 0, RX2Freq: 869_525_000 })
      await turns()
    }
    // 128 are held, 22 new ones find no room, and the first 50 come again.
    expect([line.orders.length, line.upstream.size.orders, line.upstream.counts(GATEWAY)?.refused]).toEqual([128, 128, 22])
    line.socket.handlers.onEnd('gone')
    for (const give of line.held) give()
    await turns()
    expect([line.upstream.size.orders, line.of('dntxed').length]).toEqual([0, 0])
  })
  it('that the desk throws out costs itself, and a device without a name is confirmed to nobody', async () => {
    const line = new Line().up()
    line.ack = () => { throw new Error('power') }
    await line.answered({})
    expect(line.warnings.join()).toContain('power')
    line.ack = () => ({})
    await line.answered({ DevEui: '00-00-00-00-00-00-00-00', diid: 5 })
    expect([line.orders.length, line.of('dntxed').length, line.upstream.size.orders]).toEqual([2, 0, 0])
  })
  it('to run something is never obeyed, and told once', () => {
    const line = new Line().up()
    const said = line.socket.sent.length
    for (let n = 0; n < 5; n++) line.say({ msgtype: 'runcmd', command: 'reboot', arguments: ['-f'] }).say({ msgtype: 'rmtsh', user: 'root', start: 1 })
    line.say({ msgtype: 'getxtime' }).say({ msgtype: 'constructor' }).say({ hello: 1 })
    expect(line.upstream.counts(GATEWAY)).toMatchObject({ commands: 10, foreign: 3 })
    expect([line.warnings.length, line.socket.sent.length, line.upstream.isOnline]).toEqual([1, said, true])
  })
})

describe('times', () => {
  it('of a counter go on where it wraps, those of a Station as they are, and nothing is kept for ever', () => {
    const times = new ToldTimes(5)
    const at = (time: Copy['time']): bigint => times.tell(copy(time)).xtime
    const first = at(counter(4_294_967_000))
    expect(first).toBe((5n << 48n) + 4_294_967_000n)
    expect([at(counter(704)) - first, at(counter(4_294_966_000)) - first, at(counter(1_000_704)) - first]).toEqual([1_000n, -1_000n, 1_001_000n])
    expect([at({ kind: 'station', xtime: 9n, rctx: 2n }), at({ kind: 'foreign', context: new Uint8Array() })]).toEqual([9n, 0n])
    expect(times.answerAt(1_000_009n)).toMatchObject({ rctx: 2n, timing: { delayUs: 1_000_000, time: { xtime: 9n } } })
    expect(times.answerAt(first + 1_001_000n + 500_000n)).toMatchObject({ timing: { delayUs: 500_000 } })
    expect(times.answerAt(first + 1_001_000n)).toMatchObject({ timing: { delayUs: 1_000_000, time: { tmstUs: 704 } } })
    expect([times.answerAt(first - 1_000n), times.answerAt(first + 20_000_000n)]).toEqual([null, null])
    for (let n = 0; n < 1_000; n++) at(counter(n))
    expect(times.size).toBe(256)
  })
})

it('no text of a server makes it fall', async () => {
  const random = seededRandom(11)
  const line = new Line().up()
  line.ack = () => ({ sent: null })
  void line.upstream.deliver(line.heard(PHY))
  line.pong()
  const { xtime } = line.of('updf')[0]?.['upinfo'] as { xtime: bigint }
  const order = `{"msgtype":"dnmsg","DevEui":"00-00-00-00-00-00-00-05","dC":0,"diid":7,"pdu":"60F17DBE49","RxDelay":1,"RX1DR":5,"RX1Freq":868100000,"RX2DR":0,"RX2Freq":869525000,"xtime":${xtime},"rctx":0,"MuxTime":1700000000.5}`
  const seeds = [CONFIG, order, order.replace('"dC":0', '"dC":2'), '{"msgtype":"timesync","txtime":5,"gpstime":1400000000000000,"MuxTime":1.5}', '{"uri":"wss://lns.example/a"}', '{"msgtype":"runcmd","command":"x"}']
  const pieces = ['', '0', '-1', '1e999', 'null', '[]', '{', '}', '"', ':', ',', '[[', '99999999999999999999', '9007199254740993', 'true', '"EU868"', '\u0000', 'é', '__proto__', '-', '.5']
  for (let n = 0; n < RUNS; n++) {
    let text = seeds[Math.floor(random.next() * seeds.length)] ?? ''
    for (let edits = Math.floor(random.next() * 4); edits > 0; edits--) {
      const at = Math.floor(random.next() * text.length)
      text = text.slice(0, at) + (pieces[Math.floor(random.next() * pieces.length)] ?? '') + text.slice(at + Math.floor(random.next() * 6))
    }
    line.say(text)
    if (n % 64 === 0) await turns()
    line.socket.sent.length = 0
    if (!line.upstream.isOnline) {
      line.time.advance(300_000)
      line.up()
    }
  }
  await turns()
  const counts = line.upstream.counts(GATEWAY)
  expect(counts?.refused).toBeGreaterThan(RUNS / 8)
  expect(counts?.orders).toBeGreaterThan(RUNS / 64)
  expect(line.upstream.size).toMatchObject({ links: 1, orders: 0 })
  expect(line.orders.every(({ windows }) => windows.length >= 1 && windows.length <= 2 && windows.every(({ powerDbm, phy }) => powerDbm <= 50 && phy.length > 0))).toBe(true)
})

describe('on loopback', () => {
  const parts = { clock, timers: systemTimers, log: silentLog, cups: null }
  const lns = async (station: { readonly port?: number; readonly tokens?: Record<string, string>; readonly certificateFile?: string; readonly keyFile?: string } = {}): Promise<{ radio: OpenRadio; heard: Heard[]; port: number }> => {
    const radio = await openRadio({ region: 'EU868', collectMs: 1_500, gwmp: null, station: { address: '127.0.0.1', port: 0, certificateFile: null, keyFile: null, tokens: {}, ...station } }, parts)
    open.push(() => radio.close())
    const heard: Heard[] = []
    radio.onHeard((one) => heard.push(one))
    return { radio, heard, port: radio.ports.station ?? 0 }
  }
  let lastId = 0
  const upstreamTo = (url: string, gateways = [GATEWAY]): { upstream: StationUpstream; warnings: string[] } => {
    const warnings: string[] = []
    const upstream = new StationUpstream({ url, routes: null }, {
      clock, timers: systemTimers, random: systemRandomness, openSocket: openTextClient, nextDownlinkId: () => (lastId += 1),
      log: { ...silentLog, warn: (text: string, fields?: LogFields) => warnings.push(`${text} ${JSON.stringify(fields)}`) } as Log,
    })
    open.push(() => upstream.close())
    for (const id of gateways) upstream.gateway({ id, isOnline: true, region: 'EU868' })
    return { upstream, warnings }
  }
  const isUp = (radio: OpenRadio, count: number) => (): boolean => radio.gateways().filter(({ isOnline }) => isOnline).length === count
  const answerTo = (heard: Heard | undefined, id: number, delaysMs: readonly number[], change: Partial<TxWindow> = {}): Downlink => {
    const best = heard?.copies[0]
    if (heard === undefined || best === undefined) throw new Error('heard by nobody')
    const windows = delaysMs.map((delayMs, n): TxWindow => ({ phy: ACCEPT, frequencyHz: n === 0 ? heard.frequencyHz : 869_525_000, modulation: heard.modulation, powerDbm: 14, timing: { kind: 'after', time: best.time, arrivedMs: best.arrivedMs, delayUs: delayMs * 1_000 }, isInverted: true, preambleSymbols: 8, hasCrc: false, board: 0, antenna: 0, ...change }))
    return { id, gateway: best.gateway, windows, purpose: 'join', priority: 0, tenant: null, devEui: '3331383274356905', expiresMs: Infinity }
  }

  it('our own server hears both gateways, and its answers come to the gateway that heard best, with what became of them', async () => {
    const { radio, heard, port } = await lns()
    const { upstream } = upstreamTo(`ws://127.0.0.1:${port}`, [GATEWAY, OTHER])
    await until(isUp(radio, 2))
    await until(() => upstream.size.online === 2)
    expect(await upstream.deliver(heardAs(JOIN, [copy(counter(4_294_500_000)), copy(counter(17), { gateway: OTHER, snrDb: 2 })]))).toBe(true)
    await until(() => heard.length === 1)
    expect(heard[0]).toMatchObject({ phy: JOIN, frequencyHz: 868_100_000, modulation: SF7, copies: [{ gateway: GATEWAY, time: { kind: 'station' }, snrDb: 9 }, { gateway: OTHER, snrDb: 2 }] })

    const orders: Omit<Downlink, 'tenant'>[] = []
    const verdicts: Partial<TxAck>[] = [{ statuses: ['OK', 'IGNORED'], sent: 0 }, { statuses: ['TOO_LATE', 'OK'], sent: 1 }, { statuses: ['DUTY_CYCLE_OVERFLOW'], sent: null, onAirUs: 0 }, { statuses: ['OK'], sent: 0 }]
    upstream.onDownlink((order) => {
      orders.push(order)
      return Promise.resolve({ id: order.id, gateway: order.gateway, statuses: ['OK'], sent: 0, onAirUs: 1_000, ...verdicts[orders.length - 1] })
    })
    // Windows of the join, 5 and 6 s after it: there is time to confirm them on a slow machine.
    expect(await radio.transmit(answerTo(heard[0], 1, [5_000, 6_000]))).toMatchObject({ statuses: ['OK', 'IGNORED'], sent: 0, doubtful: null })
    expect(await radio.transmit(answerTo(heard[0], 2, [5_000, 6_000]))).toMatchObject({ statuses: ['TOO_LATE', 'OK'], sent: 1 })
    expect(orders[0]).toMatchObject({ gateway: GATEWAY, purpose: 'join', windows: [{ phy: ACCEPT, frequencyHz: 868_100_000, timing: { time: { kind: 'counter', tmstUs: 4_294_500_000 }, delayUs: 5_000_000 } }, { frequencyHz: 869_525_000, timing: { delayUs: 6_000_000 } }] })
    // No air: nothing is said, so the server learns it when the window is over.
    expect(await radio.transmit(answerTo(heard[0], 3, [5_000]))).toMatchObject({ statuses: ['TOO_LATE'], sent: null })
    expect(await radio.transmit(answerTo(heard[0], 4, [0], { timing: { kind: 'now' } }))).toMatchObject({ statuses: ['OK'], sent: 0 })
    expect(orders[3]?.windows).toMatchObject([{ timing: { kind: 'now' } }])
    // Too late for the server itself: it is not even asked for.
    expect(await radio.transmit(answerTo(heard[0], 5, [1_000]))).toMatchObject({ statuses: ['TOO_LATE'], sent: null })
    expect(orders).toHaveLength(4)
  })

  it('a server that goes is found when it is back; a gateway that goes is gone there too', async () => {
    const first = await lns()
    const { upstream, warnings } = upstreamTo(`ws://127.0.0.1:${first.port}`)
    await until(() => upstream.isOnline)
    expect(await upstream.deliver(heardAs(PHY, [copy(counter(1))]))).toBe(true)
    await first.radio.close()
    await until(() => !upstream.isOnline)
    expect(await upstream.deliver(heardAs(PHY, [copy(counter(2))]))).toBe(false)
    const second = await lns({ port: first.port })
    await until(() => upstream.isOnline)
    expect(await upstream.deliver(heardAs(PHY, [copy(counter(3))]))).toBe(true)
    await until(() => second.heard.length === 1)
    expect(warnings.length).toBeGreaterThan(0)
    upstream.gateway({ id: GATEWAY, isOnline: false, region: 'EU868' })
    await until(isUp(second.radio, 0))
  })

  it('gets in with its token, and with no other', async () => {
    const { port, radio } = await lns({ tokens: { [GATEWAY]: 'Bearer s3cret' } })
    const { warnings } = upstreamTo(`ws://:guess@127.0.0.1:${port}`)
    await until(() => warnings.length > 0)
    expect(warnings[0]).toContain('not allowed')
    const { upstream } = upstreamTo(`ws://:s3cret@127.0.0.1:${port}`)
    await until(() => upstream.isOnline && isUp(radio, 1)())
  })

  it('over TLS believes who its authorities vouch for, and nobody else', async () => {
    const authority = makeAuthority()
    const { certificatePem, keyPem } = makeCertificate(authority, { names: ['localhost'], notBeforeMs: Date.UTC(2000, 0, 1), notAfterMs: Date.UTC(2049, 0, 1) })
    const folder = mkdtempSync(join(tmpdir(), 'north-'))
    open.push(() => rmSync(folder, { recursive: true }))
    const [certificateFile, keyFile] = [join(folder, 'cert'), join(folder, 'key')]
    writeFileSync(certificateFile, certificatePem)
    writeFileSync(keyFile, keyPem)
    const { port, radio } = await lns({ certificateFile, keyFile, tokens: { [GATEWAY]: 'Bearer s3cret' } })
    const stranger = upstreamTo(`wss://:s3cret@localhost:${port}`)
    await until(() => stranger.warnings.length > 0)
    expect(stranger.warnings[0]).toMatch(/certificate/)
    await stranger.upstream.close()
    const before = getCACertificates('default')
    open.push(() => setDefaultCACertificates(before))
    setDefaultCACertificates([...before, authority.certificatePem])
    const { upstream } = upstreamTo(`wss://:s3cret@localhost:${port}`)
    await until(() => upstream.isOnline && isUp(radio, 1)())
    expect(await upstream.deliver(heardAs(PHY, [copy(counter(1))]))).toBe(true)
  })

  /** Says what it wants once a WebSocket is open; `reply` stands for the handshake where it is given. */
  const hostile = async (say: (socket: Duplex) => void, reply?: (key: string) => string): Promise<number> => {
    const server: Server = createServer((_request, response) => response.writeHead(302, { Location: 'http://127.0.0.1:1/' }).end())
    const sockets = new Set<Duplex>()
    server.on('connection', (socket) => sockets.add(socket))
    server.on('upgrade', (request, socket) => {
      const key = String(request.headers['sec-websocket-key'])
      socket.on('error', () => socket.destroy())
      socket.write(reply === undefined ? `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptFor(key)}\r\n\r\n` : reply(key))
      say(socket)
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', () => listening()))
    open.push(() => new Promise<void>((closed) => {
      server.close(() => closed())
      for (const socket of sockets) socket.destroy()
    }))
    return (server.address() as AddressInfo).port
  }
  const head101 = (...lines: readonly string[]): string => `HTTP/1.1 101 Switching Protocols\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`

  it.each<[string, (socket: Duplex) => void, string]>([
    ['a text too long', (socket) => socket.write(Uint8Array.of(0x81, 126, 0x80, 0x01)), '1009'],
    ['a text without end', (socket) => socket.write(Uint8Array.of(0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0)), '1009'],
    ['a text in a thousand parts', (socket) => { socket.write(Uint8Array.of(0x01, 1, 65)); for (let n = 0; n < 1_000; n++) socket.write(Uint8Array.of(0, 1, 65)) }, '1008'],
    ['a masked frame', (socket) => socket.write(clientFrame(OPCODE.text, Uint8Array.of(65), Uint8Array.of(1, 2, 3, 4))), '1002'],
    ['binary', (socket) => socket.write(serverFrame(OPCODE.binary, Uint8Array.of(65))), '1003'],
    ['no UTF-8', (socket) => socket.write(serverFrame(OPCODE.text, Uint8Array.of(0xff))), '1007'],
    ['no JSON', (socket) => socket.write(serverFrame(OPCODE.text, Buffer.from('hello'))), 'json'],
    ['a flood of pings', (socket) => socket.write(Buffer.concat(Array.from({ length: 1_000 }, () => Buffer.from(serverFrame(OPCODE.ping, new Uint8Array()))))), 'too much'],
    ['goodbye', (socket) => socket.write(Uint8Array.of(0x88, 2, 3, 0xe8)), '1000'],
    ['the end', (socket) => socket.destroy(), 'closed'],
  ])('a server that says %s is left', async (_what, say, named) => {
    const { upstream, warnings } = upstreamTo(`ws://127.0.0.1:${await hostile(say)}`)
    await until(() => warnings.length > 0)
    expect(warnings[0]).toContain(named)
    expect(upstream.isOnline).toBe(false)
  })
  it.each<[string, string]>([
    ['the accept of another key', head101('Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${acceptFor('dGhlIHNhbXBsZSBub25jZQ==')}`)],
    ['an extension nobody asked for', head101('Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Extensions: permessage-deflate')],
    ['another protocol', head101('Upgrade: h2c', 'Connection: Upgrade')],
    ['a redirection', 'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n'],
    ['a head without end', `HTTP/1.1 101 Switching Protocols\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`],
    ['noise', 'SSH-2.0-OpenSSH\r\n\r\n'],
  ])('a server that answers with %s is none', async (_what, answer) => {
    const { upstream, warnings } = upstreamTo(`ws://127.0.0.1:${await hostile(() => undefined, () => answer)}`)
    await until(() => warnings.length > 0)
    expect(upstream.isOnline).toBe(false)
  })
})
