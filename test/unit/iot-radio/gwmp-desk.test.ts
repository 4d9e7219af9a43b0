/** GWMP's server without sockets: paths and those who would steal them, floods, orders in all their outcomes, bytes nobody meant. MESHBOX_GWMP_FUZZ=NUMBER for more of the last. */
import { describe, expect, it } from 'vitest'
import { fromHex, silentLog, toHex, utf8 } from '../../../src/base/index.ts'
import type { Downlink, Gateway, GatewayStats, TxWindow } from '../../../src/iot/ports.ts'
import type { RadioTxAck, Reception } from '../../../src/iot/radio/door.ts'
import { decodeDatagram, encodeDatagram, writeTxAck } from '../../../src/iot/radio/gwmp/index.ts'
import type { Datagram } from '../../../src/iot/radio/gwmp/index.ts'
import { GwmpDesk } from '../../../src/iot/radio/gwmp/gwmp-desk.ts'
import { MAX_GATEWAYS, MAX_GATEWAYS_PER_HOST, PathTable } from '../../../src/iot/radio/gwmp/paths.ts'
import { rxpkOf } from '../../support/concentrator.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'

const RUNS = Number(process.env.MESHBOX_GWMP_FUZZ ?? 30_000)
const GATEWAY = '0016c001ff10a235'
const HOST = { host: '192.0.2.7', port: 40_001 }
const PHY = fromHex('40f17dbe4900020001954378762b11ff0d')

class Bench {
  readonly time = new FakeTime()
  readonly sent: { readonly datagram: Datagram; readonly hex: string; readonly to: string }[] = []
  readonly received: Reception[] = []
  readonly stats: GatewayStats[] = []
  readonly gateways: Gateway[] = []
  readonly soon: (() => void)[] = []
  readonly desk: GwmpDesk
  #token = 0

  constructor(allowed: readonly string[] = []) {
    this.desk = new GwmpDesk({ region: 'EU868', gateways: allowed }, {
      clock: this.time, timers: this.time, log: silentLog,
      sink: { received: (one) => this.received.push(one), stats: (one) => this.stats.push(one), gateway: (one) => this.gateways.push(one) },
      send: (bytes, to) => this.sent.push({ datagram: decodeDatagram(bytes), hex: toHex(bytes), to: `${to.host}:${to.port}` }),
      soon: (run) => this.soon.push(run),
    })
  }
  /** As a door does it: what the desk gives goes back at once. */
  arrive(bytes: Uint8Array, from = HOST): void {
    const ack = this.desk.take(bytes, from)
    if (ack !== null) this.sent.push({ datagram: decodeDatagram(ack), hex: toHex(ack), to: `${from.host}:${from.port}` })
  }
  run(): this {
    while (this.soon.length > 0) this.soon.shift()?.()
    return this
  }
  take(kind: Datagram['kind'], body: object | string | null = null, from = HOST, gateway = GATEWAY, version: 1 | 2 = 2, token = (this.#token += 1)): this {
    this.arrive(encodeDatagram({ version, token, kind, gateway, body: body === null ? new Uint8Array() : utf8(typeof body === 'string' ? body : JSON.stringify(body)) }), from)
    return this.run()
  }
  hear(tmst: number): this {
    return this.take('push-data', { rxpk: [rxpkOf({ phy: PHY }, tmst)] })
  }
  get orders() {
    return this.sent.filter(({ datagram }) => datagram.kind === 'pull-resp')
  }
  answer(status: Parameters<typeof writeTxAck>[0] | 'nothing' = 'nothing', from = HOST): this {
    const token = this.orders.at(-1)?.datagram.token ?? 0
    return this.take('tx-ack', status === 'nothing' ? null : Buffer.from(writeTxAck(status)).toString(), from, GATEWAY, 2, token)
  }
}

const window = (delayMs: number, time: FakeTime, change: Partial<TxWindow> = {}): TxWindow => ({
  phy: PHY, frequencyHz: 868_100_000, modulation: { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/5' }, powerDbm: 14,
  timing: { kind: 'after', time: { kind: 'counter', tmstUs: 5_000_000 }, arrivedMs: time.boottimeMs(), delayUs: delayMs * 1_000 },
  isInverted: true, preambleSymbols: 8, hasCrc: false, board: 0, antenna: 0, ...change,
})
const order = (windows: readonly TxWindow[], id = 0x1_2345): Downlink => ({ id, gateway: GATEWAY, windows, purpose: 'data', priority: 1, tenant: null, devEui: null, expiresMs: Infinity })
const online = (): Bench => new Bench().take('pull-data').hear(5_000_000)
/** The answer, if it is there without any more time. */
async function settled(answer: Promise<RadioTxAck>): Promise<RadioTxAck | null> {
  let got: RadioTxAck | null = null
  void answer.then((ack) => { got = ack })
  await Promise.resolve()
  await Promise.resolve()
  return got
}

describe('the door', () => {
  it('acknowledges before it parses', () => {
    const bench = new Bench()
    bench.arrive(encodeDatagram({ version: 2, token: 0xabcd, kind: 'push-data', gateway: GATEWAY, body: utf8('{"rxpk":[') }), HOST)
    expect(bench.sent.map(({ hex, to }) => [hex, to])).toEqual([['02abcd01', '192.0.2.7:40001']])
    expect(bench.desk.counts.refusedDatagrams).toBe(0)
    bench.run()
    expect(bench.desk.counts.refusedDatagrams).toBe(1)
  })
  it('takes what can be read of a datagram, whatever its siblings are', () => {
    const good = rxpkOf({ phy: PHY }, 7)
    const bench = new Bench().take('push-data', { rxpk: [good, { ...good, data: '?' }, null, { ...good, stat: -1 }, { ...good, stat: 0 }, { ...good, freq: 868.3 }], stat: { rxnb: 5 } })
    expect(bench.received.map(({ frequencyHz }) => frequencyHz)).toEqual([868_100_000, 868_300_000])
    expect(bench.received[0]?.copy).toMatchObject({ gateway: GATEWAY, arrivedMs: bench.time.boottimeMs(), time: { kind: 'counter', tmstUs: 7 } })
    expect(bench.desk.counts).toMatchObject({ packets: 4, refusedPackets: 2, badCrc: 2 })
    expect(bench.stats).toMatchObject([{ gateway: GATEWAY, received: 5 }])
  })
  it('hears nothing from port 0, where no answer can be sent', () => {
    const bench = new Bench().take('pull-data', null, { ...HOST, port: 0 }).take('push-data', { rxpk: [rxpkOf({ phy: PHY }, 1)] }, { ...HOST, port: 0 })
    expect([bench.sent, bench.received, bench.gateways, bench.desk.counts.refusedDatagrams]).toEqual([[], [], [], 2])
  })
  it('lets nobody else speak where gateways are named, and does not even acknowledge', () => {
    const bench = new Bench(['0016c001ff10ffff']).hear(1)
    expect([bench.sent, bench.received, bench.desk.counts.foreign]).toEqual([[], [], 1])
    bench.take('push-data', { rxpk: [rxpkOf({ phy: PHY }, 1)] }, HOST, '0016c001ff10ffff')
    expect(bench.received).toHaveLength(1)
  })
  it('tells of gateways: new, reachable, silent', () => {
    const bench = online()
    expect(bench.gateways.map(({ id, isOnline }) => [id, isOnline])).toEqual([[GATEWAY, true], [GATEWAY, true]])
    bench.time.advance(95_000)
    expect(bench.gateways.at(-1)?.isOnline).toBe(false)
    expect(bench.desk.gateways()).toMatchObject([{ id: GATEWAY, isOnline: false, door: 'gwmp', dutyModel: 'window', lastSeen: { boottimeMs: bench.time.boottimeMs() - 95_000 } }])
    bench.time.advance(31 * 24 * 3_600_000)
    expect(bench.desk.gateways()).toEqual([])
    expect(bench.desk.size).toMatchObject({ gateways: 0, clocks: 0 })
  })
})

describe('paths', () => {
  it('follow another port at once, and another host only after silence', async () => {
    const bench = online()
    const thief = { host: '198.51.100.9', port: 1 }
    bench.take('pull-data', null, { ...HOST, port: 40_002 })
    void bench.desk.transmit(order([window(1_000, bench.time)]))
    expect(bench.orders.at(-1)?.to).toBe('192.0.2.7:40002')
    // Nor does his word for the order count.
    bench.answer('OK', thief)
    for (let seconds = 0; seconds < 300; seconds += 10) {
      bench.time.advance(10_000)
      bench.take('pull-data', null, { ...HOST, port: 40_002 }).take('pull-data', null, thief).take('push-data', { rxpk: [rxpkOf({ phy: PHY }, 1)] }, thief)
    }
    expect(bench.received).toHaveLength(1)
    expect(bench.desk.counts.foreign).toBe(61)
    void bench.desk.transmit(order([window(1_000, bench.time, { timing: { kind: 'now' } })], 2))
    expect(bench.orders.at(-1)?.to).toBe('192.0.2.7:40002')
    bench.time.advance(36_000)
    bench.take('pull-data', null, thief)
    void bench.desk.transmit(order([window(1_000, bench.time, { timing: { kind: 'now' } })], 3))
    expect(bench.orders.at(-1)?.to).toBe('198.51.100.9:1')
  })
  it('are bounded by host and in all, and made-up names push out nobody who is there', () => {
    const paths = new PathTable()
    const name = (n: number): string => n.toString(16).padStart(16, '0')
    expect(paths.pulled(name(1), 2, HOST, 0)).toBe('new')
    for (let n = 0; n < 5_000; n++) paths.pulled(name(1_000 + n), 2, { host: `host-${n % 20}`, port: 1 }, 1_000)
    expect(paths.size).toBe(MAX_GATEWAYS)
    expect(paths.placeOf(name(1), 1_000)).toEqual(HOST)
    const alone = new PathTable()
    for (let n = 0; n < 100; n++) alone.pulled(name(n), 2, HOST, n)
    expect(alone.size).toBe(MAX_GATEWAYS_PER_HOST)
    // After they fell silent there is room again.
    expect(alone.pulled(name(200), 2, HOST, 91_000)).toBe('new')
    expect(alone.size).toBe(MAX_GATEWAYS_PER_HOST)
  })
})

describe('orders', () => {
  it('are a yes with the first window, and what was on the air is said', async () => {
    const bench = online()
    const answer = bench.desk.transmit(order([window(1_000, bench.time), window(2_000, bench.time)]))
    expect(bench.orders).toHaveLength(1)
    expect(bench.orders[0]?.datagram.token).toBe(0x2345)
    expect(JSON.parse(Buffer.from(bench.orders[0]?.datagram.body ?? []).toString())).toMatchObject({ txpk: { tmst: 6_000_000, freq: 868.1 } })
    bench.answer()
    expect(await settled(answer)).toEqual({ id: 0x1_2345, gateway: GATEWAY, statuses: ['OK', 'IGNORED'], sent: 0, onAirUs: 46_336, doubtful: null })
  })
  it('go to the next window when one is refused, and only then', async () => {
    const bench = online()
    const answer = bench.desk.transmit(order([window(1_000, bench.time), window(2_000, bench.time), window(3_000, bench.time)]))
    bench.answer('TX_FREQ')
    expect(bench.orders).toHaveLength(2)
    expect(bench.orders[1]?.datagram.token).not.toBe(bench.orders[0]?.datagram.token)
    bench.answer('OK')
    expect(await settled(answer)).toMatchObject({ statuses: ['TX_FREQ', 'OK', 'IGNORED'], sent: 1 })
  })
  it('end with every refusal in words, TOO_EARLY for a slot that is over read as TOO_LATE', async () => {
    const bench = online()
    const answer = bench.desk.transmit(order([window(1_000, bench.time), window(2_000, bench.time)]))
    bench.answer('TOO_EARLY').answer('GPS_UNLOCKED')
    expect(await settled(answer)).toEqual({ id: 0x1_2345, gateway: GATEWAY, statuses: ['TOO_LATE', 'GPS_UNLOCKED'], sent: null, onAirUs: 0, doubtful: null })
  })
  it('are asked for with less power where the forwarder’s table has none such, and the next at once with what it took', async () => {
    const bench = online()
    const asked = (): number[] => bench.orders.map(({ datagram }) => (JSON.parse(Buffer.from(datagram.body).toString()) as { txpk: { powe: number } }).txpk.powe)
    const first = bench.desk.transmit(order([window(1_000, bench.time, { powerDbm: 30 }), window(2_000, bench.time)]))
    bench.answer('TX_POWER').answer('TX_POWER').answer('TX_POWER').answer('OK')
    expect(await settled(first)).toMatchObject({ statuses: ['OK', 'IGNORED'], sent: 0 })
    expect([asked(), new Set(bench.orders.map(({ datagram }) => datagram.token)).size]).toEqual([[30, 29, 28, 27], 4])
    const second = bench.desk.transmit(order([window(3_000, bench.time, { powerDbm: 30.5 })], 2))
    bench.answer('OK')
    expect([(await settled(second))?.sent, asked().at(-1)]).toEqual([0, 27])
    // Nothing that it takes: the next window, and in the end the forwarder's word. The place of what was refused is free.
    const third = bench.desk.transmit(order([window(5_000, bench.time, { powerDbm: 20 }), window(6_000, bench.time, { powerDbm: 20 })], 3))
    for (let n = 0; n < 22; n++) bench.answer('TX_POWER')
    expect(await settled(third)).toMatchObject({ statuses: ['TX_POWER', 'TX_POWER'], sent: null })
    expect([bench.orders.length, asked().slice(5, 16), bench.desk.size.orders]).toEqual([27, Array.from({ length: 11 }, (_, n) => 20 - n), { pending: 0, resting: 27, queued: 2 }])
    // Another table, perhaps: asked from the start.
    bench.hear(1_000_000_000).hear(1_000_000_001)
    const fourth = bench.desk.transmit(order([window(1_000, bench.time, { powerDbm: 30, timing: { kind: 'now' } })], 4))
    bench.answer('OK')
    expect([(await settled(fourth))?.sent, asked().at(-1)]).toEqual([0, 30])
  })
  it('are sent once more when no answer came, and a collision with ourselves is a yes', async () => {
    const bench = online()
    const answer = bench.desk.transmit(order([window(1_000, bench.time)]))
    bench.time.advance(60)
    expect(bench.orders.map(({ hex }) => hex)).toEqual([bench.orders[0]?.hex, bench.orders[0]?.hex])
    bench.answer('COLLISION_PACKET')
    expect(await settled(answer)).toMatchObject({ statuses: ['OK'], sent: 0 })
    expect(bench.desk.counts.orders).toMatchObject({ repeated: 1, sent: 1 })
    // The answer to the first, late: it belongs to nothing any more, nor to the next order with these low bits.
    bench.answer('OK')
    const next = bench.desk.transmit(order([window(3_000, bench.time)], 0x9_2345))
    bench.take('tx-ack', Buffer.from(writeTxAck('TX_FREQ')).toString(), HOST, GATEWAY, 2, 0x2345)
    expect(await settled(next)).toBeNull()
    expect(bench.desk.counts.orders.stray).toBe(2)
  })
  it('whose second copy came too late are in doubt: the first may be waiting for its slot', async () => {
    const bench = online()
    const answer = bench.desk.transmit(order([window(1_000, bench.time), window(2_000, bench.time)]))
    bench.time.advance(60)
    bench.answer('TOO_EARLY')
    expect(await settled(answer)).toMatchObject({ statuses: ['TOO_LATE', 'IGNORED'], sent: null, doubtful: 0 })
    expect(bench.orders).toHaveLength(2)
  })
  it('that nobody answers are in doubt: not sent, and not free either', async () => {
    const bench = online()
    const answer = bench.desk.transmit(order([window(1_000, bench.time), window(2_000, bench.time)]))
    bench.time.advance(999)
    expect(await settled(answer)).toBeNull()
    bench.time.advance(1)
    expect(await settled(answer)).toEqual({ id: 0x1_2345, gateway: GATEWAY, statuses: ['GATEWAY_AWAY', 'IGNORED'], sent: null, onAirUs: 0, doubtful: 0 })
    expect(bench.orders).toHaveLength(2)
    expect(bench.desk.size.orders.pending).toBe(0)
  })
  it('for now are never repeated; version 1 has no answers', async () => {
    const bench = online()
    const answer = bench.desk.transmit(order([window(0, bench.time, { timing: { kind: 'now' } })]))
    bench.time.advance(2_000)
    expect(bench.orders).toHaveLength(1)
    expect(await settled(answer)).toMatchObject({ doubtful: 0 })
    bench.take('pull-data', null, HOST, GATEWAY, 1)
    expect(await settled(bench.desk.transmit(order([window(0, bench.time, { timing: { kind: 'now' } })], 2)))).toMatchObject({ statuses: ['OK'], sent: 0 })
    expect(bench.orders.at(-1)?.datagram.version).toBe(1)
  })
  it('are judged here when the forwarder could only refuse', async () => {
    const bench = online()
    expect(await settled(bench.desk.transmit(order([window(32, bench.time), window(600_000, bench.time)])))).toMatchObject({ statuses: ['TOO_LATE', 'TOO_EARLY'] })
    void bench.desk.transmit(order([window(1_000, bench.time)], 1))
    expect(await settled(bench.desk.transmit(order([window(1_040, bench.time)], 2)))).toMatchObject({ statuses: ['COLLISION_PACKET'] })
    // A place that was refused is free again.
    bench.answer('TX_FREQ')
    void bench.desk.transmit(order([window(1_040, bench.time)], 3))
    expect(bench.orders).toHaveLength(2)
    for (let n = 1; n < 32; n++) void bench.desk.transmit(order([window(1_040 + 100 * n, bench.time)], 3 + n))
    expect(await settled(bench.desk.transmit(order([window(9_000, bench.time)], 99)))).toMatchObject({ statuses: ['QUEUE_FULL'] })
    expect(await settled(bench.desk.transmit(order([window(1_000, bench.time, { timing: { kind: 'after', time: { kind: 'station', xtime: 1n, rctx: 0n }, arrivedMs: 0, delayUs: 1 } })], 98)))).toMatchObject({ statuses: ['INTERNAL_ERROR'] })
  })
  it('for a counter that started anew are too late, and are right again with the next reception', async () => {
    const bench = online()
    const before = window(1_000, bench.time)
    bench.hear(1_000_000_000)
    expect(await settled(bench.desk.transmit(order([before])))).toMatchObject({ statuses: ['TOO_LATE'] })
    const after = window(1_000, bench.time, { timing: { kind: 'after', time: { kind: 'counter', tmstUs: 1_000_000_000 }, arrivedMs: bench.time.boottimeMs(), delayUs: 1_000_000 } })
    void bench.desk.transmit(order([after], 2))
    expect(bench.orders).toHaveLength(1)
    bench.time.advance(10)
    bench.hear(1_000_010_000)
    expect(bench.desk.size.orders.queued).toBe(0)
  })
  it('across the wrap of the counter are sums of 32 bits', () => {
    const bench = new Bench().take('pull-data').hear(2 ** 32 - 400_000)
    void bench.desk.transmit(order([window(1_000, bench.time, { timing: { kind: 'after', time: { kind: 'counter', tmstUs: 2 ** 32 - 400_000 }, arrivedMs: bench.time.boottimeMs(), delayUs: 1_000_000 } })]))
    expect(JSON.parse(Buffer.from(bench.orders[0]?.datagram.body ?? []).toString())).toMatchObject({ txpk: { tmst: 600_000 } })
  })
  it('without a way down end at once; on closing all end', async () => {
    const away = new Bench().hear(5_000_000)
    expect(await settled(away.desk.transmit(order([window(1_000, away.time), window(2_000, away.time)])))).toMatchObject({ statuses: ['GATEWAY_AWAY', 'GATEWAY_AWAY'], doubtful: null })
    const bench = online()
    const answer = bench.desk.transmit(order([window(1_000, bench.time)]))
    bench.desk.close()
    expect(await settled(answer)).toMatchObject({ doubtful: 0 })
    expect(bench.time.pendingTimers).toBe(0)
  })
})

describe('bounds', () => {
  it('a flood is not acknowledged beyond what a concentrator can send, and others are served meanwhile', () => {
    const bench = new Bench()
    for (let n = 0; n < 20_000; n++) bench.take('pull-data', null, { host: 'flood', port: 1 + n % 60_000 }, 'ffffffffffffffff')
    expect(bench.sent.length).toBe(2_000)
    expect(bench.desk.counts.tooMuch).toBe(18_000)
    bench.hear(1)
    expect(bench.received).toHaveLength(1)
    bench.time.advance(1_000)
    bench.take('pull-data', null, { host: 'flood', port: 1 }, 'ffffffffffffffff')
    expect(bench.desk.counts.tooMuch).toBe(18_000)
  })
  it('a flood of made-up addresses does not starve a gateway that is there', () => {
    const bench = online()
    for (let n = 0; n < 20_000; n++) bench.take('pull-data', null, { host: `made-up-${n}`, port: 1 }, n.toString(16).padStart(16, '0'))
    expect(bench.desk.counts.pulls).toBe(1 + 999)
    for (let n = 0; n < 500; n++) bench.hear(5_100_000 + n)
    expect(bench.received).toHaveLength(501)
    expect(bench.desk.size.hosts).toBeLessThanOrEqual(256)
  })
  it('what waits for its turn is bounded', () => {
    const bench = online()
    bench.sent.length = 0
    const datagram = encodeDatagram({ version: 2, token: 1, kind: 'push-data', gateway: GATEWAY, body: utf8(' '.repeat(1_000) + '{}') })
    for (let n = 0; n < 1_500; n++) bench.arrive(datagram)
    expect(bench.desk.size.waiting).toBe(512)
    expect(bench.sent).toHaveLength(512)
    bench.run()
    expect(bench.desk.size.waiting).toBe(0)
    expect(bench.desk.counts.pushes).toBe(513)
  })
  it('no bytes make it throw or keep more than its tables allow', () => {
    const bench = online()
    const random = seededRandom(7)
    const whole = encodeDatagram({ version: 2, token: 1, kind: 'push-data', gateway: GATEWAY, body: utf8(JSON.stringify({ rxpk: [rxpkOf({ phy: PHY }, 9)], stat: { rxnb: 1 } })) })
    for (let n = 0; n < RUNS; n++) {
      const bytes = random.next() < 0.3 ? random.bytes(Math.floor(random.next() * 60)) : whole.slice(0, random.next() < 0.5 ? whole.length : Math.floor(random.next() * whole.length))
      if (bytes.length > 3) {
        bytes[0] = random.next() < 0.9 ? 2 : (bytes[0] ?? 0)
        bytes[3] = Math.floor(random.next() * 7)
        for (let flips = Math.floor(random.next() * 4); flips > 0; flips--) bytes[Math.floor(random.next() * bytes.length)] = Math.floor(random.next() * 256)
      }
      bench.arrive(bytes, { host: `10.0.0.${n % 250}`, port: n % 65_536 })
      if (n % 100 === 0) bench.run().time.advance(200)
      if (bench.received.length > 1_000) bench.received.length = 0
      if (bench.sent.length > 1_000) bench.sent.length = 0
    }
    bench.run()
    expect(bench.desk.size.gateways).toBeLessThanOrEqual(MAX_GATEWAYS)
    expect(bench.desk.size.hosts).toBeLessThanOrEqual(256)
    expect(bench.desk.size.orders).toEqual({ pending: 0, resting: 0, queued: 0 })
    expect(bench.desk.counts.pushes).toBeGreaterThan(100)
  })
})
