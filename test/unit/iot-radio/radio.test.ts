/** The doors joined: the window in which copies are collected, listeners that fail, orders through the right door, and a whole radio opened and closed as configured. */
import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { SystemClock, systemTimers } from '../../../src/base/io/system.ts'
import type { Downlink, Gateway, Heard, TxWindow } from '../../../src/iot/ports.ts'
import { openGwmpDelivery, openRadio } from '../../../src/iot/radio/index.ts'
import type { RadioDoor, Reception } from '../../../src/iot/radio/door.ts'
import { frameHash } from '../../../src/iot/radio/frame-hash.ts'
import { Concentrators } from '../../../src/iot/radio/radio.ts'
import { BasicStation } from '../../support/basic-station.ts'
import { Concentrator } from '../../support/concentrator.ts'
import { FakeTime } from '../../support/fakes.ts'

const PHY = Uint8Array.of(0x40, 1, 2, 3, 0x26, 0, 1, 0, 1, 9, 9, 9, 9)
const lora = { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/5' } as const

function bench(collectMs = 200) {
  const time = new FakeTime()
  const radio = new Concentrators({ clock: time, timers: time, log: silentLog, hash: frameHash, collectMs })
  const heard: Heard[] = []
  radio.onHeard((one) => heard.push(one))
  const reception = (gateway: string, tmstUs: number, phy = PHY): Reception => ({ phy, frequencyHz: 868_100_000, modulation: lora, copy: { gateway, time: { kind: 'counter', tmstUs }, arrivedMs: time.boottimeMs(), utcMs: null, gpsTimeMs: null, fineTimeNs: null, rssiDbm: 1, snrDb: 1, channel: 0, radio: 0, board: 0, antenna: 0 } })
  const gateway = (id: string, isOnline: boolean): Gateway => ({ id, door: 'gwmp', region: 'EU868', isOnline, lastSeen: { bootId: time.bootId, boottimeMs: time.boottimeMs(), wallMs: 0, wallTrusted: false }, dutyModel: 'window', minLeadMs: 1, maxLeadMs: 2 })
  return { time, radio, heard, reception, gateway }
}
const turn = (): Promise<void> => Promise.resolve().then(() => undefined)

describe('frames', () => {
  it('of the only gateway are handed over in the same turn, with all its antennas', async () => {
    const { radio, heard, reception } = bench()
    const [left, right] = [reception('a', 1), reception('a', 1)]
    radio.sink.received(left)
    radio.sink.received({ ...right, copy: { ...right.copy, antenna: 1 } })
    expect(heard).toEqual([])
    await turn()
    expect(heard.map(({ id, copies }) => [id, copies.length])).toEqual([[frameHash(PHY), 2]])
  })
  it('wait for the window while another gateway is there, and not for one that is long silent', async () => {
    const { time, radio, heard, reception, gateway } = bench()
    radio.sink.gateway(gateway('a', true))
    radio.sink.gateway(gateway('b', true))
    radio.sink.received(reception('a', 1))
    await turn()
    time.advance(150)
    radio.sink.received(reception('b', 9))
    await turn()
    expect(heard).toEqual([])
    time.advance(50)
    expect(heard.map(({ copies }) => copies.length)).toEqual([2])
    radio.sink.gateway(gateway('b', false))
    time.advance(120_000)
    radio.sink.received(reception('a', 130_000_000, Uint8Array.of(1)))
    await turn()
    expect(heard).toHaveLength(2)
    expect(time.pendingTimers).toBe(0)
  })
  it('reach every listener, also behind one that fails', async () => {
    const { radio, heard, reception } = bench()
    const order: string[] = []
    const stop = radio.onHeard(() => { throw new Error('listener') })
    radio.onHeard(() => order.push('last'))
    radio.sink.received(reception('a', 1))
    await turn()
    stop()
    expect([heard.length, order]).toEqual([1, ['last']])
  })
  it('that are collected when the box stops are handed over', async () => {
    const { time, radio, heard, reception, gateway } = bench()
    radio.sink.gateway(gateway('a', true))
    radio.sink.gateway(gateway('b', true))
    radio.sink.received(reception('a', 1))
    await turn()
    radio.close()
    expect([heard.length, time.pendingTimers]).toEqual([1, 0])
  })
  it('of names made up by a flood keep a bounded table', () => {
    const { radio, reception } = bench()
    for (let n = 0; n < 5_000; n++) radio.sink.received(reception(`g${n}`, n, Uint8Array.of(n, n >> 8)))
    expect(radio.size.present).toBeLessThanOrEqual(512)
  })
})

it('an order goes through the door behind which its gateway is reachable', async () => {
  const { radio, gateway } = bench()
  const asked: string[] = []
  const door = (name: string, isOnline: boolean): RadioDoor => ({ gateways: () => [gateway('a', isOnline)], transmit: ({ id, gateway: to }) => { asked.push(name); return Promise.resolve({ id, gateway: to, statuses: ['OK'], sent: 0, onAirUs: 1, doubtful: null }) } })
  const downlink: Downlink = { id: 1, gateway: 'a', windows: [{ timing: { kind: 'now' } } as TxWindow], purpose: 'data', priority: 0, tenant: null, devEui: null, expiresMs: Infinity }
  radio.add(door('old', false))
  expect((await radio.transmit(downlink)).statuses).toEqual(['GATEWAY_AWAY'])
  const remove = radio.add(door('new', true))
  expect((await radio.transmit(downlink)).sent).toBe(0)
  expect(radio.gateways()).toMatchObject([{ id: 'a', isOnline: true }])
  expect((await radio.transmit({ ...downlink, expiresMs: 1 })).statuses).toEqual(['TOO_LATE'])
  remove()
  expect(asked).toEqual(['new'])
})

describe('as configured', () => {
  const parts = { clock: new SystemClock('never'), timers: systemTimers, log: silentLog, cups: null }
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await new Promise((later) => setTimeout(later, 2))
  }
  const settings = { region: 'EU868', collectMs: 900, gwmp: { address: '127.0.0.1', port: 0, gateways: [] }, station: { address: '127.0.0.1', port: 0, certificateFile: null, keyFile: null, tokens: {} } }

  it('a forwarder and a Station hear one frame together; a server northbound gets both copies', async () => {
    const upstream = await openRadio({ ...settings, station: null }, parts)
    const above: Heard[] = []
    upstream.onHeard((one) => above.push(one))
    const radio = await openRadio(settings, parts)
    const heard: Heard[] = []
    radio.onHeard((one) => heard.push(one))
    const delivery = openGwmpDelivery({ host: '127.0.0.1', port: upstream.ports.gwmp ?? 0, routes: null, nextDownlinkId: () => 1 }, radio, parts)
    const forwarder = new Concentrator({ gateway: '0016c001ff10a235', port: radio.ports.gwmp ?? 0 })
    const station = new BasicStation({ gateway: '0016c001ff10ffff', port: radio.ports.station ?? 0 })
    await forwarder.start()
    await station.connect()
    // The gateways' sessions northbound are there before a frame is.
    await until(() => upstream.gateways().filter(({ isOnline }) => isOnline).length === 2 && delivery.isOnline)
    station.hear(PHY, { snr: 3 })
    forwarder.hear({ phy: PHY, lsnr: 7 })
    await until(() => heard.length === 1)
    expect(heard[0]?.copies.map(({ gateway, time }) => [gateway, time.kind])).toEqual([['0016c001ff10a235', 'counter'], ['0016c001ff10ffff', 'station']])
    expect(await delivery.deliver(heard[0] as Heard)).toBe(true)
    await until(() => above.length === 1)
    expect(above[0]?.copies).toHaveLength(2)
    expect(radio.counts()).toMatchObject({ copies: { new: 1, copy: 1 }, gwmp: { packets: 1 }, station: { frames: 1 } })
    forwarder.stop()
    station.stop()
    await delivery.close()
    await radio.close()
    await upstream.close()
  })
  it('a door that cannot be opened leaves none open', async () => {
    const first = await openRadio(settings, parts)
    const taken = { ...settings, gwmp: { ...settings.gwmp }, station: { ...settings.station, port: first.ports.station ?? 0 } }
    await expect(openRadio(taken, parts)).rejects.toMatchObject({ code: 'cannot-listen' })
    await expect(openRadio({ ...settings, station: null, region: 'ATLANTIS' }, parts)).rejects.toMatchObject({ field: 'region' })
    await first.close()
    const shut = await openRadio({ ...settings, gwmp: null, station: null }, parts)
    expect([shut.ports, shut.gateways(), shut.counts().gwmp]).toEqual([{ gwmp: null, station: null }, [], null])
    await shut.close()
  })
})
