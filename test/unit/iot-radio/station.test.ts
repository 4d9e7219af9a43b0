/** Basics Station's words: names, 64-bit times, frames put together again, what a radio is told, orders in one message or several. MESHBOX_STATION_FUZZ=NUMBER for more of the last. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, fromHex, silentLog, toHex } from '../../../src/base/index.ts'
import { REGIONS, decodeFrame, regionNamed } from '../../../src/iot/lorawan/index.ts'
import type { Downlink, Gateway, GatewayStats, TxWindow } from '../../../src/iot/ports.ts'
import type { RadioTxAck, Reception } from '../../../src/iot/radio/door.ts'
import { readFields, writeJson } from '../../../src/iot/radio/station/exact-json.ts'
import { dashedEui, id6Of, routerIdOf } from '../../../src/iot/radio/station/router-id.ts'
import { routerConfig } from '../../../src/iot/radio/station/router-config.ts'
import { StationSession } from '../../../src/iot/radio/station/session.ts'
import { StationDesk } from '../../../src/iot/radio/station/station-desk.ts'
import { readUplink } from '../../../src/iot/radio/station/uplink.ts'
import { apart } from '../../support/basic-station.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'

const RUNS = Number(process.env.MESHBOX_STATION_FUZZ ?? 20_000)
const EU868 = regionNamed('EU868')
const GATEWAY = '0016c001ff10a235'
const XTIME = (0x2an << 48n) + 5_000_001n

describe('names', () => {
  it.each<[unknown, string]>([
    ['0:ff:fe00:1', '000000fffe000001'], ['::1', '0000000000000001'], ['1::', '0001000000000000'], ['1::2', '0001000000000002'], ['ABCD:12:0:9', 'abcd001200000009'], ['::', '0000000000000000'],
    ['00-16-C0-01-FF-10-A2-35', GATEWAY], [GATEWAY.toUpperCase(), GATEWAY], ['00:16:c0:01:ff:10:a2:35', GATEWAY], [1, '0000000000000001'], [0x0016c001ff10a235n, GATEWAY], [-1n, 'ffffffffffffffff'],
  ])('%s is %s', (given, eui) => {
    expect(routerIdOf(given)).toBe(eui)
    expect(routerIdOf(id6Of(eui))).toBe(eui)
    expect(routerIdOf(dashedEui(eui))).toBe(eui)
  })
  it.each([null, undefined, '', 'x', '1:2:3', '1:2:3:4:5', '1::2::3', ':::', '12345::', '1:2:3:4::', 1.5, 2n ** 64n, {}, 'g'.repeat(16)])('%s is none', (given) => {
    expect(() => routerIdOf(given)).toThrow(MeshBoxError)
  })
  it('come back as they went', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }).map(toHex), (eui) => { expect([routerIdOf(id6Of(eui)), routerIdOf(BigInt(`0x${eui}`)), routerIdOf(BigInt.asIntN(64, BigInt(`0x${eui}`)))]).toEqual([eui, eui, eui]) }))
    expect(id6Of('000000fffe000001')).toBe('0:ff:fe00:1')
  })
})

describe('64-bit numbers', () => {
  it('are read and written to the last digit', () => {
    expect(readFields('{"xtime":40250921680313459,"n":-9223372036854775808,"f":1.5,"i":7,"s":"40250921680313459"}')).toEqual({ xtime: 40250921680313459n, n: -(2n ** 63n), f: 1.5, i: 7, s: '40250921680313459' })
    expect(writeJson({ xtime: 40250921680313459n, a: [1, null, 'x"'], b: undefined, c: true })).toBe('{"xtime":40250921680313459,"a":[1,null,"x\\""],"c":true}')
  })
  it.each(['', '[]', '1', '{', 'null', '['.repeat(8_000) + ']'.repeat(8_000)])('%s is refused', (text) => {
    expect(() => readFields(text)).toThrow(MeshBoxError)
  })
})

describe('a radio', () => {
  it.each(REGIONS.map(({ name }) => name))('of %s is told channels that fit two radios', (name) => {
    const region = regionNamed(name)
    const config = JSON.parse(writeJson(routerConfig({ region, netIds: null, muxTimeSeconds: 1, firstChannelHz: null }))) as { DRs: number[][]; freq_range: number[]; upchannels: number[][]; hwspec: string; sx1301_conf: Record<string, { enable: boolean; freq: number; radio: number; if: number }>[] }
    const board = config.sx1301_conf[0] ?? {}
    const radios = [board['radio_0'], board['radio_1']]
    const heardHz = Object.entries(board).filter(([key, { enable }]) => key.startsWith('chan_multi') && enable).map(([, { radio, if: offset }]) => {
      expect(Math.abs(offset)).toBeLessThanOrEqual(400_000)
      expect(radios[radio]?.enable).toBe(true)
      return (radios[radio]?.freq ?? 0) + offset
    })
    expect(config.upchannels.slice(0, heardHz.length).map(([hz]) => hz).toSorted()).toEqual(heardHz.toSorted())
    // What a device of this region may use at once is listened to, as far as 8 channels go.
    if (!region.hasFixedChannels) expect(region.channels.every(({ frequencyHz }) => heardHz.includes(frequencyHz))).toBe(true)
    else expect(heardHz.every((hz) => region.channels.some(({ frequencyHz }) => frequencyHz === hz))).toBe(true)
    expect(config.DRs).toHaveLength(16)
    expect(heardHz.every((hz) => hz > (config.freq_range[0] ?? 0) && hz < (config.freq_range[1] ?? 0))).toBe(true)
  })
  it('of Europe and America is told the names and data rates that every Station knows', () => {
    const of = (name: string) => JSON.parse(writeJson(routerConfig({ region: regionNamed(name), netIds: [0x13], muxTimeSeconds: 1.5, firstChannelHz: null }))) as Record<string, unknown>
    expect(of('EU868')).toMatchObject({ msgtype: 'router_config', region: 'EU863', hwspec: 'sx1301/1', NetID: [0x13], MuxTime: 1.5, freq_range: [863_000_000, 870_000_000] })
    expect((of('EU868')['DRs'] as number[][]).slice(0, 9)).toEqual([[12, 125, 0], [11, 125, 0], [10, 125, 0], [9, 125, 0], [8, 125, 0], [7, 125, 0], [7, 250, 0], [0, 0, 0], [-1, 0, 0]])
    expect(of('US915')).toMatchObject({ region: 'US902' })
    expect((of('US915')['DRs'] as number[][])[8]).toEqual([12, 500, 1])
    expect(of('AS923-1')).toMatchObject({ region: 'AS923-1' })
  })
})

describe('eight channels of many', () => {
  const of = (name: string, firstChannelHz: number) => JSON.parse(writeJson(routerConfig({ region: regionNamed(name), netIds: null, muxTimeSeconds: 1, firstChannelHz }))) as { upchannels: number[][]; sx1301_conf: Record<string, { enable: boolean }>[] }
  it('begin where the owner wants them, the wide one among them', () => {
    expect(of('US915', 902_300_000).upchannels.map(([hz]) => hz)).toEqual([902_300_000, 902_500_000, 902_700_000, 902_900_000, 903_100_000, 903_300_000, 903_500_000, 903_700_000, 903_000_000])
    expect(of('US915', 903_900_000)).toEqual(JSON.parse(writeJson(routerConfig({ region: regionNamed('US915'), netIds: null, muxTimeSeconds: 1, firstChannelHz: null }))))
    expect(of('CN470', 470_300_000).sx1301_conf[0]?.['chan_Lora_std']).toEqual({ enable: false })
  })
  it.each([['US915', 902_400_000], ['US915', 913_700_000], ['US915', 903_000_000], ['EU868', 868_100_000]])('of %s do not begin at %i', (name, hz) => {
    expect(() => of(name, hz)).toThrow(/first-channel/)
  })
})

class Bench {
  readonly time = new FakeTime()
  readonly received: Reception[] = []
  readonly sent: Record<string, unknown>[] = []
  readonly session: StationSession
  constructor() {
    this.session = new StationSession(GATEWAY, EU868, {
      clock: this.time, timers: this.time, log: silentLog,
      sink: { received: (one) => this.received.push(one), stats: () => undefined, gateway: () => undefined },
      firstChannelHz: null,
      send: (text) => this.sent.push(readFields(text)),
    })
  }
  say(message: string | object): this {
    this.session.take(typeof message === 'string' ? message : JSON.stringify(message))
    return this
  }
  hear(phy: Uint8Array, change = ''): this {
    return this.say(`{${apart(phy)},"DR":5,"Freq":868100000,"upinfo":{"rctx":3,"xtime":${XTIME},"gpstime":0,"fts":-1,"rssi":-60,"snr":8.5,"rxtime":1700000000.25}${change}}`)
  }
  window(delayUs: number, change: Partial<TxWindow> = {}): TxWindow {
    return { phy: fromHex('60f17dbe4920020001f9d65d27'), frequencyHz: 868_100_000, modulation: { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/5' }, powerDbm: 14, timing: { kind: 'after', time: { kind: 'station', xtime: XTIME, rctx: 3n }, arrivedMs: this.time.boottimeMs(), delayUs }, isInverted: true, preambleSymbols: 8, hasCrc: false, board: 0, antenna: 0, ...change }
  }
  order(windows: readonly TxWindow[], id = 11): Promise<RadioTxAck> {
    const downlink: Downlink = { id, gateway: GATEWAY, windows, purpose: 'data', priority: 7, tenant: null, devEui: '0102030405060708', expiresMs: this.time.boottimeMs() + 30_000 }
    return this.session.transmit(downlink)
  }
  get orders() {
    return this.sent.filter(({ msgtype }) => msgtype === 'dnmsg')
  }
}
const SF12 = { kind: 'lora', spreadingFactor: 12, bandwidthHz: 125_000, codingRate: '4/5' } as const
async function settled(answer: Promise<RadioTxAck>): Promise<RadioTxAck | null> {
  let got: RadioTxAck | null = null
  void answer.then((ack) => { got = ack })
  for (let n = 0; n < 4; n++) await Promise.resolve()
  return got
}

describe('frames', () => {
  it.each(['40f17dbe4900020001954378762b11ff0d', '40F17DBE49000300012A3518AF', '60f17dbe4920020001f9d65d27', '0039363463336913AA05693574323831330489C65B1304', 'e0deadbeef', '8004030201030000060373070ae264d4f7e117d2c0'])('%s is put together again', (hex) => {
    const bench = new Bench().hear(fromHex(hex))
    expect(bench.received.map(({ phy }) => toHex(phy))).toEqual([hex.toLowerCase()])
    expect(bench.received[0]).toMatchObject({ frequencyHz: 868_100_000, modulation: { spreadingFactor: 7 }, copy: { gateway: GATEWAY, arrivedMs: bench.time.boottimeMs(), time: { kind: 'station', xtime: XTIME, rctx: 3n }, rssiDbm: -60, snrDb: 8.5, utcMs: 1_700_000_000_250, gpsTimeMs: null, fineTimeNs: null } })
  })
  it('of any bytes that a data frame may have come back the same', () => {
    const frame = fc.record({ mType: fc.constantFrom(0x40, 0x80), head: fc.uint8Array({ minLength: 7, maxLength: 7 }), fOpts: fc.nat(15), body: fc.uint8Array({ maxLength: 100 }), mic: fc.uint8Array({ minLength: 4, maxLength: 4 }) })
    fc.assert(fc.property(frame, ({ mType, head, fOpts, body, mic }) => {
      const phy = Uint8Array.of(mType, ...head, ...new Uint8Array(fOpts).fill(7), ...body, ...mic)
      phy[5] = ((phy[5] ?? 0) & 0xf0) | fOpts
      expect(toHex(readUplink('updf', readFields(`{${apart(phy)},"DR":0,"Freq":868100000,"upinfo":{"xtime":1}}`), EU868).phy)).toBe(toHex(phy))
    }))
  })
  it('a rejoin request is not what a Station says by that name, since it takes 23 bytes for one: refused, and why', () => {
    // MHDR 0xc0, then as many bytes as a join request has: what lora.c of Station 2.0.6 makes a `rejoin` of.
    const words = apart(fromHex(`c0${'11'.repeat(22)}`))
    expect(words).toContain('"msgtype":"rejoin"')
    expect(() => readUplink('rejoin', readFields(`{${words},"DR":0,"Freq":868100000,"upinfo":{"xtime":1}}`), EU868)).toThrow(expect.objectContaining({ kind: 'input', field: 'msgtype', value: 'rejoin' }))
    // Those of LoRaWAN 1.1 it drops, and a packet forwarder hands over.
    expect(['c000130000010203040506070801000a0b0c0d', `c001${'22'.repeat(18)}0a0b0c0d`].map((text) => [fromHex(text).length, decodeFrame(fromHex(text)).type])).toEqual([[19, 'rejoin-request'], [24, 'rejoin-request']])
  })
  it.each(['{"msgtype":"updf"}', `{${apart(fromHex('40F17DBE49000300012A3518AF'))},"DR":16,"Freq":868100000,"upinfo":{"xtime":1}}`, `{${apart(fromHex('40F17DBE49000300012A3518AF'))},"DR":5,"Freq":0,"upinfo":{"xtime":1}}`, `{${apart(fromHex('40F17DBE49000300012A3518AF'))},"DR":5,"Freq":868100000}`, '{"msgtype":"propdf","FRMPayload":"","DR":5,"Freq":868100000,"upinfo":{"xtime":1}}', '{"msgtype":"updf","MHdr":64,"DevAddr":1,"FCtrl":3,"FCnt":1,"FOpts":"01","FPort":1,"FRMPayload":"","MIC":1,"DR":5,"Freq":868100000,"upinfo":{"xtime":1}}', '{"msgtype":"updf","MHdr":64,"DevAddr":1,"FCtrl":0,"FCnt":1,"FOpts":"","FPort":-1,"FRMPayload":"01","MIC":1,"DR":5,"Freq":868100000,"upinfo":{"xtime":1}}'])('%s is refused and costs nothing else', (text) => {
    const bench = new Bench().say(text).hear(fromHex('40f17dbe4900020001954378762b11ff0d'))
    expect(bench.session.counts).toEqual({ frames: 1, refused: 1, stray: 0, foreign: 0 })
  })
  it('a shell, commands and what nobody knows are not taken, and never answered', () => {
    const bench = new Bench().say({ msgtype: 'rmtsh', rmtsh: [] }).say({ msgtype: 'runcmd', command: 'sh' }).say({ msgtype: '__proto__' }).say({ msgtype: 5 }).say({})
    expect([bench.session.counts.foreign, bench.sent]).toEqual([5, []])
  })
  it('time is told when it is believed, and 0 when not', () => {
    const bench = new Bench().say('{"msgtype":"timesync","txtime":40250921680313459}')
    bench.time.trusted = true
    bench.say({ msgtype: 'timesync', txtime: 12 })
    const gpsMs = bench.time.wallMs() - 315_964_800_000 + 18_000
    expect(bench.sent).toMatchObject([{ msgtype: 'timesync', txtime: 40250921680313459n, gpstime: 0 }, { txtime: 12, gpstime: BigInt(gpsMs) * 1_000n }])
    bench.say({ msgtype: 'timesync' })
    expect(bench.session.counts.refused).toBe(1)
  })
})

describe('an order', () => {
  it('of RX1 and RX2 is one message, and dntxed says which it was', async () => {
    const bench = new Bench()
    const windows = [bench.window(1_000_000), bench.window(2_000_000, { frequencyHz: 869_525_000, modulation: SF12 })]
    const answer = bench.order(windows)
    expect(bench.orders).toEqual([{ msgtype: 'dnmsg', DevEui: '01-02-03-04-05-06-07-08', pdu: '60F17DBE4920020001F9D65D27', priority: 7, dC: 0, RxDelay: 1, xtime: XTIME, rctx: 3, RX1DR: 5, RX1Freq: 868_100_000, RX2DR: 0, RX2Freq: 869_525_000, diid: 88, MuxTime: bench.time.wallMs() / 1_000 }])
    bench.say({ msgtype: 'dntxed', diid: 87 }).say({ msgtype: 'dntxed' })
    expect(bench.session.counts).toMatchObject({ stray: 1, refused: 1 })
    bench.say(`{"msgtype":"dntxed","diid":88,"DR":0,"Freq":869525000,"xtime":${XTIME + 2_000_000n}}`)
    expect(await settled(answer)).toEqual({ id: 11, gateway: GATEWAY, statuses: ['TOO_LATE', 'OK'], sent: 1, onAirUs: 1_155_072, doubtful: null })
    const first = bench.order(windows, 12)
    bench.say('{"msgtype":"dntxed","seqno":96,"DR":5,"Freq":868100000}')
    expect(await settled(first)).toMatchObject({ statuses: ['OK', 'IGNORED'], sent: 0 })
    const second = bench.order(windows, 13)
    bench.say('{"msgtype":"dntxed","diid":104,"DR":0,"Freq":869525000,"xtime":0}')
    expect(await settled(second)).toMatchObject({ statuses: ['TOO_LATE', 'OK'], sent: 1 })
    expect(bench.session.pending).toBe(0)
  })
  it('that is not confirmed until its last window is over was too late', async () => {
    const bench = new Bench()
    const answer = bench.order([bench.window(1_000_000), bench.window(2_000_000)])
    bench.time.advance(2_000)
    expect(await settled(answer)).toBeNull()
    bench.time.advance(600)
    expect(await settled(answer)).toEqual({ id: 11, gateway: GATEWAY, statuses: ['TOO_LATE', 'TOO_LATE'], sent: null, onAirUs: 0, doubtful: null })
    bench.say({ msgtype: 'dntxed', diid: 88 })
    expect(bench.session.counts.stray).toBe(1)
  })
  it('whose windows carry different bytes is asked for one after another', async () => {
    const bench = new Bench()
    const answer = bench.order([bench.window(1_000_000), bench.window(2_000_000, { phy: Uint8Array.of(0x60, 2) })])
    expect(bench.orders).toHaveLength(1)
    expect(bench.orders[0]).not.toHaveProperty('RX2DR')
    bench.time.advance(1_600)
    expect(bench.orders[1]).toMatchObject({ diid: 89, RxDelay: 2, pdu: '6002' })
    bench.say({ msgtype: 'dntxed', diid: 89 })
    expect(await settled(answer)).toMatchObject({ statuses: ['TOO_LATE', 'OK'], sent: 1 })
  })
  it('for now is class C, for GPS time class B; odd delays are put into the time', async () => {
    const bench = new Bench()
    void bench.order([bench.window(0, { timing: { kind: 'now' } })], 1)
    void bench.order([bench.window(0, { timing: { kind: 'gps', gpsTimeMs: 1_234_567.5 }, preambleSymbols: 10, hasCrc: true })], 2)
    void bench.order([bench.window(1_500_000)], 3)
    void bench.order([bench.window(16_000_000)], 4)
    expect(bench.orders).toMatchObject([
      { dC: 2, RX2DR: 5, RX2Freq: 868_100_000 }, { dC: 1, DR: 5, Freq: 868_100_000, gpstime: 1_234_567_500, preamble: 10, addcrc: 1 }, { RxDelay: 1, xtime: XTIME + 500_000n }, { RxDelay: 1, xtime: XTIME + 15_000_000n },
    ])
    bench.session.close()
  })
  it('that Station could not take is refused here', async () => {
    const bench = new Bench()
    const refused = await settled(bench.order([bench.window(1_000_000, { frequencyHz: 915_000_000 }), bench.window(1_000_000, { modulation: { kind: 'lora', spreadingFactor: 7, bandwidthHz: 500_000, codingRate: '4/5' } }), bench.window(1_000_000, { timing: { kind: 'after', time: { kind: 'counter', tmstUs: 1 }, arrivedMs: 0, delayUs: 1 } }), bench.window(10_000)]))
    expect(refused?.statuses).toEqual(['TX_FREQ', 'INTERNAL_ERROR', 'INTERNAL_ERROR', 'TOO_LATE'])
    expect(bench.orders).toEqual([])
    for (let id = 0; id < 128; id++) void bench.order([bench.window(1_000_000)], id)
    expect(await settled(bench.order([bench.window(1_000_000)], 999))).toMatchObject({ statuses: ['QUEUE_FULL'] })
  })
  it('of a connection that broke is in doubt', async () => {
    const bench = new Bench()
    const answer = bench.order([bench.window(1_000_000), bench.window(2_000_000)])
    bench.session.close()
    expect(await settled(answer)).toEqual({ id: 11, gateway: GATEWAY, statuses: ['GATEWAY_AWAY', 'GATEWAY_AWAY'], sent: null, onAirUs: 0, doubtful: 0 })
    expect(bench.time.pendingTimers).toBe(0)
  })
})

describe('the desk of all Stations', () => {
  const desk = () => {
    const time = new FakeTime()
    const stats: GatewayStats[] = []
    const gateways: Gateway[] = []
    const made = new StationDesk({ region: 'EU868', tokens: {}, isOpen: true, firstChannelHz: null }, { clock: time, timers: time, log: silentLog, sink: { received: () => undefined, stats: (one) => stats.push(one), gateway: (one) => gateways.push(one) } })
    return { time, stats, gateways, made }
  }
  const link = { send: () => undefined, close: () => undefined }
  const name = (n: number): string => n.toString(16).padStart(16, '0')

  it('says every half minute what each heard and sent in it', () => {
    const { time, stats, made } = desk()
    const session = made.connect(GATEWAY, link)
    session?.take(`{${apart(fromHex('40F17DBE49000300012A3518AF'))},"DR":5,"Freq":868100000,"upinfo":{"xtime":1}}`)
    time.advance(60_000)
    expect(stats.map(({ gateway, received, forwarded, downlinksAsked }) => [gateway, received, forwarded, downlinksAsked])).toEqual([[GATEWAY, 1, 1, 0], [GATEWAY, 0, 0, 0]])
    made.close()
    expect(time.pendingTimers).toBe(0)
  })
  it('keeps a bounded number of connections and of names, each for a month', () => {
    const { time, gateways, made } = desk()
    const sessions = Array.from({ length: 300 }, (_, n) => made.connect(name(n), link))
    expect(sessions.filter((session) => session === null)).toHaveLength(44)
    for (const session of sessions) if (session !== null) made.disconnect(session)
    for (let n = 1_000; n < 2_000; n++) {
      const session = made.connect(name(n), link)
      if (session !== null) made.disconnect(session)
    }
    expect(made.size).toEqual({ sessions: 0, gone: 512, pending: 0 })
    expect(gateways.at(-1)).toMatchObject({ id: name(1_999), isOnline: false, door: 'station' })
    time.advance(30 * 24 * 3_600_000)
    expect(made.gateways()).toEqual([])
  })
})

it('no text makes a session throw', () => {
  const bench = new Bench()
  const random = seededRandom(11)
  const seeds = [`{${apart(fromHex('40f17dbe4900020001954378762b11ff0d'))},"DR":5,"Freq":868100000,"upinfo":{"rctx":3,"xtime":${XTIME},"rssi":-60,"snr":8.5}}`, '{"msgtype":"dntxed","diid":88,"DR":0,"Freq":869525000,"xtime":1}', '{"msgtype":"timesync","txtime":12}', '{"msgtype":"jreq","MHdr":0,"JoinEui":"::1","DevEui":"1::","DevNonce":1,"MIC":-1,"DR":1,"Freq":868100000,"upinfo":{"xtime":1}}']
  const pieces = ['null', '-1', '1e400', '[]', '{}', '"', '99999999999999999999', ',', ':', 'true', '"__proto__":1,']
  for (let n = 0; n < RUNS; n++) {
    let text = seeds[Math.floor(random.next() * seeds.length)] ?? ''
    for (let edits = Math.floor(random.next() * 3); edits >= 0; edits--) {
      const at = Math.floor(random.next() * text.length)
      text = text.slice(0, at) + (pieces[Math.floor(random.next() * pieces.length)] ?? '') + text.slice(at + Math.floor(random.next() * 6))
    }
    bench.say(text)
    if (bench.sent.length > 1_000) bench.sent.length = 0
  }
  const { frames, refused } = bench.session.counts
  expect(refused).toBeGreaterThan(RUNS / 4)
  expect(frames).toBeGreaterThan(0)
  expect(bench.session.pending).toBe(0)
})
