/** Servers northbound: several at once with their filters, acknowledgements that get lost, orders that become answers, and who gets the air. */
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { afterEach, describe, expect, it } from 'vitest'
import { fromHex, silentLog, utf8 } from '../../../src/base/index.ts'
import type { Timers } from '../../../src/base/index.ts'
import { SystemClock, systemTimers } from '../../../src/base/io/system.ts'
import { airRules, newAirtime, reserve, settle } from '../../../src/iot/airtime/index.ts'
import type { AirClaim } from '../../../src/iot/airtime/index.ts'
import { regionNamed, timeOnAirUs } from '../../../src/iot/lorawan/index.ts'
import { checkOrder } from '../../../src/iot/network/order-limits.ts'
import type { Copy, Downlink, Heard, Route, TxAck, TxStatus } from '../../../src/iot/ports.ts'
import { frameHash } from '../../../src/iot/radio/frame-hash.ts'
import { decodeDatagram, encodeDatagram, readPushData } from '../../../src/iot/radio/gwmp/index.ts'
import { GwmpServer } from '../../../src/iot/radio/io/gwmp-socket.ts'
import { openUpstreamSocket } from '../../../src/iot/radio/io/upstream-socket.ts'
import { frameFilter } from '../../../src/iot/radio/northbound/filter.ts'
import { Receptions } from '../../../src/iot/radio/northbound/receptions.ts'
import { GwmpUpstream } from '../../../src/iot/radio/northbound/upstream.ts'
import { writePush } from '../../../src/iot/radio/northbound/write-push.ts'
import { Concentrators } from '../../../src/iot/radio/radio.ts'
import { Concentrator } from '../../support/concentrator.ts'
import { FakeTime } from '../../support/fakes.ts'

const GATEWAY = '0016c001ff10a235'
const PHY = fromHex('40f17dbe4900020001954378762b11ff0d') // DevAddr 49be7df1
const JOIN = fromHex('0039363463336913AA05693574323831330489C65B1304')
const clock = new SystemClock('never')
const open: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

const copy = (tmstUs: number, change: Partial<Copy> = {}): Copy => ({
  gateway: GATEWAY, time: { kind: 'counter', tmstUs }, arrivedMs: clock.boottimeMs(), utcMs: null, gpsTimeMs: null, fineTimeNs: null, rssiDbm: -57, snrDb: 9, channel: 2, radio: 0, board: 0, antenna: 0, ...change,
})
const heardAs = (phy: Uint8Array, ...copies: readonly Copy[]): Heard => ({
  id: frameHash(phy), phy, frequencyHz: 868_100_000, modulation: { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/5' }, copies, isLate: false,
})
const txpk = (tmst: number | null, change: object = {}): Uint8Array =>
  utf8(JSON.stringify({ txpk: { ...(tmst === null ? { imme: true } : { tmst }), rfch: 0, freq: 868.1, powe: 14, modu: 'LORA', datr: 'SF7BW125', codr: '4/5', ipol: true, size: 12, data: Buffer.from(PHY.subarray(0, 12)).toString('base64'), ...change } }))

/** Without sockets, so that minutes pass at once. */
class Line {
  readonly time = new FakeTime()
  readonly sent: { readonly kind: string; readonly token: number; readonly body: string }[] = []
  readonly warnings: string[] = []
  opened = 0
  closed = 0
  answers: (datagram: ReturnType<typeof decodeDatagram>) => Uint8Array | null = (datagram) =>
    datagram.kind === 'pull-data' || datagram.kind === 'push-data' ? encodeDatagram({ version: 2, token: datagram.token, kind: datagram.kind === 'pull-data' ? 'pull-ack' : 'push-ack', gateway: null, body: new Uint8Array() }) : null
  #onDatagram: (bytes: Uint8Array) => void = () => undefined
  #onError: (error: Error) => void = () => undefined
  readonly upstream: GwmpUpstream
  #id = 0

  constructor(routes: readonly Route[] | null = null) {
    this.upstream = new GwmpUpstream({ host: 'lns.example', port: 1700, routes }, {
      clock: this.time, timers: this.time, log: { ...silentLog, warn: (message) => void this.warnings.push(message) },
      nextDownlinkId: () => (this.#id += 1),
      openSocket: (_place, onDatagram, onError) => {
        this.opened += 1
        this.#onDatagram = onDatagram
        this.#onError = onError
        return {
          send: (bytes) => {
            const datagram = decodeDatagram(bytes)
            this.sent.push({ kind: datagram.kind, token: datagram.token, body: Buffer.from(datagram.body).toString() })
            const answer = this.answers(datagram)
            if (answer !== null) queueMicrotask(() => onDatagram(answer))
          },
          close: () => { this.closed += 1 },
        }
      },
    })
  }
  receive(kind: 'pull-resp' | 'push-ack' | 'pull-ack', token: number, body: Uint8Array = new Uint8Array()): void {
    this.#onDatagram(encodeDatagram({ version: 2, token, kind, gateway: null, body }))
  }
  raw(bytes: Uint8Array): void {
    this.#onDatagram(bytes)
  }
  break(): void {
    this.#onError(new Error('connection refused'))
  }
  of(kind: string) {
    return this.sent.filter((one) => one.kind === kind)
  }
  heard(tmstUs = 1_000): Heard {
    return heardAs(PHY, { ...copy(tmstUs), arrivedMs: this.time.boottimeMs() })
  }
}
const turns = async (): Promise<void> => { for (let n = 0; n < 10; n++) await Promise.resolve() }

describe('what a server gets', () => {
  it.each<[string, readonly Route[] | null, readonly [boolean, boolean]]>([
    ['everything', null, [true, true]],
    ['its addresses', [{ kind: 'dev-addr', prefix: 0x49be0000, prefixBits: 16 }], [true, false]],
    ['not the neighbour’s', [{ kind: 'dev-addr', prefix: 0x49bf0000, prefixBits: 16 }], [false, false]],
    ['its network', [{ kind: 'net-id', netId: 0x000024 }], [true, false]],
    ['its joins', [{ kind: 'join', joinEui: 'aa13693363343639', devEui: null }], [false, true]],
    ['one device’s joins', [{ kind: 'join', joinEui: 'aa13693363343639', devEui: '3331383274356906' }], [false, false]],
    ['one of several', [{ kind: 'net-id', netId: 1 }, { kind: 'join', joinEui: 'aa13693363343639', devEui: '3331383274356905' }], [false, true]],
    ['nothing', [], [false, false]],
  ])('is %s', (_name, routes, expected) => {
    const fits = frameFilter(routes)
    expect([fits(PHY), fits(JOIN)]).toEqual(expected)
    // Downlinks that a concentrator overheard, and noise.
    expect([fits(fromHex('60f17dbe4920020001f9d65d27')), fits(Uint8Array.of(0x20, ...new Uint8Array(16))), fits(Uint8Array.of(0xff))]).toEqual([false, false, false])
  })
  it('is a rejoin of 1.1 by the network, the device or the JoinEUI that it names', () => {
    const [byNetId, byJoinEui] = [fromHex('c000130000010203040506070801000a0b0c0d'), fromHex('c001010203040506070811121314151617180100aabbccdd')]
    const routes: readonly Route[] = [{ kind: 'net-id', netId: 0x13 }, { kind: 'net-id', netId: 0x14 }, { kind: 'join', joinEui: '0000000000000001', devEui: '0807060504030201' }, { kind: 'join', joinEui: '0807060504030201', devEui: null }, { kind: 'dev-addr', prefix: 0, prefixBits: 1 }]
    expect(routes.map((route) => [byNetId, byJoinEui].map(frameFilter([route])))).toEqual([[true, false], [false, false], [true, false], [false, true], [false, false]])
  })
  it('is what the forwarder said, in its own words', () => {
    const heard = heardAs(PHY, copy(7, { utcMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6), gpsTimeMs: 5, fineTimeNs: 8 }), copy(0, { time: { kind: 'station', xtime: (5n << 48n) + 0x1_0000_0007n, rctx: 0n }, snrDb: null }), copy(0, { time: { kind: 'foreign', context: new Uint8Array() } }))
    const { packets, refused } = readPushData(writePush(heard, heard.copies))
    expect(refused).toEqual([])
    expect(packets.map(({ copies }) => copies[0]?.time)).toEqual([{ kind: 'counter', tmstUs: 7 }, { kind: 'counter', tmstUs: 7 }, { kind: 'foreign', context: new Uint8Array() }])
    expect(packets[0]).toMatchObject({ phy: PHY, frequencyHz: 868_100_000, modulation: heard.modulation, crc: 'right', copies: [{ utcMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6), gpsTimeMs: 5, fineTimeNs: 8, rssiDbm: -57, snrDb: 9, channel: 2 }] })
    expect(readPushData(writePush({ ...heard, modulation: { kind: 'lr-fhss', widthHz: 136_719, codingRate: '1/3', gridSteps: 8 } }, heard.copies)).packets[0]?.modulation).toMatchObject({ kind: 'lr-fhss', gridSteps: 8 })
    expect(readPushData(writePush({ ...heard, modulation: { kind: 'fsk', bitsPerSecond: 50_000, deviationHz: 0 } }, heard.copies)).packets[0]?.modulation).toMatchObject({ kind: 'fsk', bitsPerSecond: 50_000 })
  })
})

describe('a session', () => {
  it('counts a frame as delivered when it was acknowledged, and sends it again with the same token until then', async () => {
    const line = new Line()
    let losses = 2
    const answers = line.answers
    line.answers = (datagram) => (datagram.kind === 'push-data' && losses-- > 0 ? null : answers(datagram))
    const delivered = line.upstream.deliver(line.heard())
    line.time.advance(2_000)
    expect(await delivered).toBe(true)
    expect(new Set(line.of('push-data').map(({ token }) => token)).size).toBe(1)
    expect(line.of('push-data')).toHaveLength(3)
    line.answers = (datagram) => (datagram.kind === 'push-data' ? null : answers(datagram))
    const lost = line.upstream.deliver(line.heard(2_000))
    line.time.advance(3_000)
    expect(await lost).toBe(false)
    expect(line.upstream.size.pending).toBe(0)
  })
  it('is kept alive, says when the server is away, and asks ever more slowly until it is back', async () => {
    const line = new Line()
    line.upstream.gateway({ id: GATEWAY, isOnline: true })
    await turns()
    expect(line.upstream.isOnline).toBe(true)
    for (let n = 0; n < 3; n++) { line.time.advance(10_000); await turns() }
    expect(line.of('pull-data')).toHaveLength(4)
    const answers = line.answers
    line.answers = () => null
    line.time.advance(36_000)
    expect(line.upstream.isOnline).toBe(false)
    expect(await line.upstream.deliver(line.heard())).toBe(false)
    line.time.advance(600_000)
    expect(line.of('pull-data').length).toBeLessThan(20)
    expect(line.opened).toBeGreaterThan(1)
    expect(line.closed).toBe(line.opened - 1)
    line.answers = answers
    line.time.advance(60_000)
    await turns()
    expect(line.upstream.isOnline).toBe(true)
    expect(await line.upstream.deliver(line.heard())).toBe(true)
    line.answers = (datagram) => (datagram.kind === 'push-data' ? null : answers(datagram))
    const waiting = line.upstream.deliver(line.heard(2))
    line.break()
    expect([await waiting, await line.upstream.deliver(line.heard(3)), line.upstream.size.pending]).toEqual([false, false, 0])
    line.answers = answers
    line.time.advance(60_000)
    await turns()
    expect(line.upstream.isOnline).toBe(true)
  })
  it('is never given late frames, nor more than can wait', async () => {
    const line = new Line()
    line.answers = () => null
    expect(await line.upstream.deliver({ ...line.heard(), isLate: true })).toBe(false)
    const all = Array.from({ length: 300 }, (_, n) => line.upstream.deliver(line.heard(n)))
    expect(line.upstream.size.pending).toBe(256)
    expect(await Promise.all(all.slice(256))).toEqual(Array(44).fill(false))
    await line.upstream.close()
    expect(await Promise.all(all)).toEqual(Array(300).fill(false))
    expect(line.time.pendingTimers).toBe(0)
  })
  it('says every half minute how it goes', async () => {
    const line = new Line()
    await line.upstream.deliver(line.heard())
    line.time.advance(30_000)
    expect(JSON.parse(line.of('push-data').at(-1)?.body ?? '')).toMatchObject({ stat: { rxnb: 1, rxok: 1, rxfw: 1, ackr: 100, dwnb: 0, txnb: 0 } })
  })
})

describe('an order of a server', () => {
  const answering = async (ack: Partial<TxAck>, order: Uint8Array) => {
    const line = new Line()
    const orders: Omit<Downlink, 'tenant'>[] = []
    line.upstream.onDownlink((one) => {
      orders.push(one)
      return Promise.resolve({ id: one.id, gateway: one.gateway, statuses: ['OK'], sent: 0, onAirUs: 1, ...ack })
    })
    await line.upstream.deliver(line.heard(4_294_500_000))
    line.receive('pull-resp', 0xbeef, order)
    await turns()
    return { line, orders, answers: line.of('tx-ack') }
  }
  it('becomes an answer to the frame it belongs to, across the wrap of the counter', async () => {
    const { orders, answers } = await answering({}, txpk(532_704)) // 1 s after 4294500000
    expect(orders).toMatchObject([{ gateway: GATEWAY, purpose: 'data', devEui: null, windows: [{ frequencyHz: 868_100_000, powerDbm: 14, isInverted: true, timing: { kind: 'after', time: { kind: 'counter', tmstUs: 4_294_500_000 }, delayUs: 1_000_000 } }] }])
    expect(answers).toMatchObject([{ token: 0xbeef, body: '' }])
  })
  it.each<[TxStatus, string]>([['TOO_LATE', 'TOO_LATE'], ['COLLISION_PACKET', 'COLLISION_PACKET'], ['TX_FREQ', 'TX_FREQ'], ['TX_POWER', 'TX_POWER'], ['DUTY_CYCLE_OVERFLOW', 'TOO_LATE'], ['GATEWAY_AWAY', 'TOO_LATE'], ['QUEUE_FULL', 'TOO_LATE']])('that ended as %s is answered with %s', async (status, word) => {
    const { answers } = await answering({ statuses: [status], sent: null, onAirUs: 0 }, txpk(532_704))
    expect(answers.map(({ body }) => JSON.parse(body) as object)).toEqual([{ txpk_ack: { error: word } }])
  })
  it('that the desk does not take, such as one with a preamble of 65,535, is answered with TOO_LATE', async () => {
    const line = new Line()
    const asked: number[] = []
    line.upstream.onDownlink((one) => {
      asked.push(...one.windows.map(({ preambleSymbols }) => preambleSymbols))
      checkOrder(one, regionNamed('EU868'))
      return Promise.resolve({ id: one.id, gateway: one.gateway, statuses: ['OK'], sent: 0, onAirUs: 1 })
    })
    await line.upstream.deliver(line.heard(4_294_500_000))
    line.receive('pull-resp', 7, txpk(532_704, { prea: 65_535 }))
    await turns()
    expect([asked, line.of('tx-ack').map(({ body }) => body)]).toEqual([[65_535], ['{"txpk_ack":{"error":"TOO_LATE"}}']])
  })
  it('for now, and join accepts, are told apart', async () => {
    expect((await answering({}, txpk(null))).orders).toMatchObject([{ windows: [{ timing: { kind: 'now' } }], purpose: 'data' }])
    expect((await answering({}, txpk(532_704, { data: Buffer.from(Uint8Array.of(0x20, ...new Uint8Array(16))).toString('base64'), size: 17 }))).orders).toMatchObject([{ purpose: 'join' }])
  })
  it('that nothing can be made of is refused and orders nothing', async () => {
    for (const order of [txpk(900_000_000), txpk(4_294_500_000), utf8('{"txpk":{}}'), utf8('nothing'), txpk(532_704, { modu: 'LORA', datr: 'SF99BW125' })]) {
      const { orders, answers } = await answering({}, order)
      expect(orders).toEqual([])
      expect(answers.map(({ body }) => JSON.parse(body) as object)).toEqual([{ txpk_ack: { error: 'TOO_LATE' } }])
    }
  })
  it('that nothing can be made of is in the log once a minute, however many come', async () => {
    const { line } = await answering({}, utf8('nothing'))
    for (let token = 0; token < 200; token++) line.receive('pull-resp', token, utf8(`nothing ${token}`))
    await turns()
    expect([line.of('tx-ack').length, line.warnings]).toEqual([201, ['an order of a LoRa server is refused']])
  })
  it('that comes twice is ordered once and answered twice', async () => {
    const { line, orders } = await answering({}, txpk(532_704))
    line.receive('pull-resp', 0xbeef, txpk(532_704))
    await turns()
    expect(orders).toHaveLength(1)
    expect(line.of('tx-ack')).toHaveLength(2)
    for (let token = 0; token < 500; token++) line.receive('pull-resp', token, txpk(532_704))
    expect(line.upstream.size.orders).toBeLessThanOrEqual(64)
    line.raw(Uint8Array.of(1, 2))
    line.raw(fromHex('0200010502'))
  })
  it('means the newest reception that makes whole seconds, else the newest', () => {
    const kept = new Receptions()
    for (const tmstUs of [1_000_000, 1_500_000, 1_700_123]) kept.note(copy(tmstUs))
    expect(kept.answerAt(2_500_000)).toMatchObject({ time: { tmstUs: 1_500_000 }, delayUs: 1_000_000 })
    expect(kept.answerAt(2_500_001)).toMatchObject({ time: { tmstUs: 1_700_123 } })
    expect(kept.answerAt(1_000_000)).toBeNull()
    expect(kept.answerAt(20_000_000)).toBeNull()
    for (let n = 0; n < 1_000; n++) kept.note(copy(n))
    expect(kept.size).toBe(256)
  })
})

describe('on loopback', () => {
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await new Promise((later) => setTimeout(later, 2))
  }
  let lastId = 0
  /** On a busy machine an answer within this process takes longer than the product waits: what it does then is not what is tested here. */
  const patient: Timers = { ...systemTimers, after: (delayMs, run) => systemTimers.after(delayMs * 50, run) }
  const upstreamTo = (port: number, routes: readonly Route[] | null, timers = systemTimers): GwmpUpstream => {
    const upstream = new GwmpUpstream({ host: '127.0.0.1', port, routes }, { clock, timers, log: silentLog, openSocket: openUpstreamSocket, nextDownlinkId: () => (lastId += 1) })
    open.push(() => upstream.close())
    return upstream
  }
  const box = async (timers = systemTimers) => {
    const radio = new Concentrators({ clock, timers: systemTimers, log: silentLog, hash: frameHash, collectMs: 50 })
    const door = await GwmpServer.open({ address: '127.0.0.1', port: 0, region: 'EU868', gateways: [] }, { clock, timers, log: silentLog, sink: radio.sink, openUdp: null })
    radio.add(door)
    const heard: Heard[] = []
    radio.onHeard((one) => heard.push(one))
    open.push(() => radio.close(), () => door.close())
    return { radio, door, heard }
  }

  it('four servers get each what is theirs, in the gateway’s own name', async () => {
    const servers = await Promise.all([box(), box(), box(), box()])
    const routes: readonly (readonly Route[] | null)[] = [null, [{ kind: 'dev-addr', prefix: 0x49000000, prefixBits: 8 }], [{ kind: 'join', joinEui: 'aa13693363343639', devEui: null }], [{ kind: 'net-id', netId: 0x13 }]]
    const upstreams = servers.map(({ door }, n) => upstreamTo(door.port, routes[n] ?? null))
    const verdicts = await Promise.all([PHY, JOIN].map((phy, n) => Promise.all(upstreams.map((upstream) => upstream.deliver(heardAs(phy, copy(n)))))))
    expect(verdicts).toEqual([[true, true, false, false], [true, false, true, false]])
    await until(() => servers[0]?.heard.length === 2 && servers[1]?.heard.length === 1 && servers[2]?.heard.length === 1)
    expect(servers[3]?.heard).toEqual([])
    expect(servers[1]?.heard[0]).toMatchObject({ id: frameHash(PHY), copies: [{ gateway: GATEWAY }] })
    await until(() => upstreams.slice(0, 3).every(({ isOnline }) => isOnline))
  })

  it('a server that is not there costs nobody anything, and is found when it comes', async () => {
    const place = createSocket('udp4')
    await new Promise<void>((bound) => place.bind(0, '127.0.0.1', () => bound()))
    const { port } = place.address()
    await new Promise<void>((closed) => place.close(() => closed()))
    const upstream = upstreamTo(port, null)
    expect(await upstream.deliver(heardAs(PHY, copy(1)))).toBe(false)
    expect(upstream.isOnline).toBe(false)
    const nowhere = new GwmpUpstream({ host: 'no-such-host.invalid', port: 1700, routes: null }, { clock, timers: systemTimers, log: silentLog, openSocket: openUpstreamSocket, nextDownlinkId: () => 1 })
    open.push(() => nowhere.close())
    expect(await nowhere.deliver(heardAs(PHY, copy(1)))).toBe(false)
  })

  it('two servers and the box itself want the air: one ledger decides, and everybody hears why', async () => {
    const { radio, door, heard } = await box(patient)
    const concentrator = new Concentrator({ gateway: GATEWAY, port: door.port })
    await concentrator.start()
    open.push(() => concentrator.stop())
    await until(() => radio.gateways().some(({ isOnline }) => isOnline))
    // The desk of network/ in its essence: ledger first, radio after, the ledger settled by what the radio says.
    let air = newAirtime(airRules(regionNamed('EU868'), 'window', { dutyPpm: { M: 40 } })) // 144 ms an hour, 20 % of it kept back
    const submit = async (downlink: Omit<Downlink, 'tenant'>, claim: AirClaim = 'sold'): Promise<TxAck> => {
      const nowUs = Math.round(clock.boottimeMs() * 1_000)
      const window = downlink.windows[0]
      if (window === undefined || window.timing.kind !== 'after') throw new Error('no window')
      const startUs = Math.round(window.timing.arrivedMs * 1_000) + window.timing.delayUs
      const asked = reserve(air, { downlinkId: downlink.id, windows: [{ frequencyHz: window.frequencyHz, powerDbm: window.powerDbm, startUs, durationUs: timeOnAirUs(window.modulation, window.phy.length, { hasCrc: window.hasCrc }) }], claim }, nowUs)
      air = asked.state
      const verdict = asked.verdicts[0]?.status ?? 'TX_FREQ'
      if (verdict !== 'OK') return { id: downlink.id, gateway: downlink.gateway, statuses: [verdict], sent: null, onAirUs: 0 }
      const ack = await radio.transmit({ ...downlink, tenant: null })
      air = settle(air, downlink.id, ack.sent).state
      return ack
    }
    const statuses: TxStatus[][] = []
    const servers = await Promise.all([1, 2].map(async () => {
      const socket: Socket = createSocket('udp4')
      const seen: string[] = []
      let place: { port: number } | null = null
      socket.on('message', (bytes, from) => {
        const { kind, token, body } = decodeDatagram(bytes)
        if (kind === 'tx-ack') seen.push(body.length === 0 ? 'OK' : (JSON.parse(Buffer.from(body).toString()) as { txpk_ack: { error: string } }).txpk_ack.error)
        if (kind === 'pull-data' || kind === 'push-data') socket.send(encodeDatagram({ version: 2, token, kind: kind === 'pull-data' ? 'pull-ack' : 'push-ack', gateway: null, body: new Uint8Array() }), from.port)
        if (kind === 'pull-data') place = { port: from.port }
      })
      await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', () => bound()))
      open.push(() => new Promise<void>((closed) => socket.close(() => closed())))
      const upstream = upstreamTo(socket.address().port, null, patient)
      upstream.onDownlink(async (order) => {
        const ack = await submit(order)
        statuses.push([...ack.statuses])
        return ack
      })
      upstream.gateway({ id: GATEWAY, isOnline: true })
      await until(() => place !== null)
      return { upstream, seen, order: (token: number, tmst: number, change = {}) => socket.send(encodeDatagram({ version: 2, token, kind: 'pull-resp', gateway: null, body: txpk(tmst, change) }), (place as unknown as { port: number }).port) }
    }))
    concentrator.hear({ phy: PHY })
    await until(() => heard.length === 1)
    for (const { upstream } of servers) expect(await upstream.deliver(heard[0] as Heard)).toBe(true)
    const time = heard[0]?.copies[0]?.time
    const tmst = time?.kind === 'counter' ? time.tmstUs : 0
    const at = (seconds: number): number => (tmst + seconds * 1_000_000) % 2 ** 32
    // 41 ms each with CRC: two fit below the reserved fifth, the third does not.
    servers[0]?.order(1, at(12))
    await until(() => servers[0]?.seen.length === 1)
    servers[1]?.order(2, at(12))
    await until(() => servers[1]?.seen.length === 1)
    servers[1]?.order(3, at(13))
    await until(() => servers[1]?.seen.length === 2)
    servers[0]?.order(4, at(14))
    await until(() => servers[0]?.seen.length === 2)
    expect(statuses).toEqual([['OK'], ['COLLISION_PACKET'], ['OK'], ['DUTY_CYCLE_OVERFLOW']])
    expect(servers.map(({ seen }) => seen)).toEqual([['OK', 'TOO_LATE'], ['COLLISION_PACKET', 'OK']])
    // The box's own join accept may use what is kept back.
    const copyOfIt = heard[0]?.copies[0] as Copy
    const own: Downlink = { id: 9_999, gateway: GATEWAY, purpose: 'join', priority: 255, tenant: null, devEui: null, expiresMs: Infinity, windows: [{ phy: Uint8Array.of(0x20, 1, 2, 3), frequencyHz: 868_100_000, modulation: { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/5' }, powerDbm: 14, timing: { kind: 'after', time: copyOfIt.time, arrivedMs: copyOfIt.arrivedMs, delayUs: 15_000_000 }, isInverted: true, preambleSymbols: 8, hasCrc: false, board: 0, antenna: 0 }] }
    expect(await submit(own, 'reserved')).toMatchObject({ statuses: ['OK'] })
    // Not how many orders came: one that is asked for again, or that only the concentrator knows to collide, is one more of them.
    expect(concentrator.answers.filter((word) => word === 'NONE')).toHaveLength(3)
  })
})
