/** Real datagrams on loopback, through the native addon and through node:dgram: the simulated concentrator against our door, through a network that loses and repeats; two gateways that hear one frame; a full concentrator for a while. */
import { createSocket } from 'node:dgram'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { SystemClock, systemTimers } from '../../../src/base/io/system.ts'
import type { Downlink, Heard, OpenUdp, TxWindow } from '../../../src/iot/ports.ts'
import { frameHash } from '../../../src/iot/radio/frame-hash.ts'
import { GwmpServer } from '../../../src/iot/radio/io/gwmp-socket.ts'
import { Concentrators } from '../../../src/iot/radio/radio.ts'
import { loadUdp } from '../../../src/native/index.ts'
import { Concentrator } from '../../support/concentrator.ts'
import type { ConcentratorOptions } from '../../support/concentrator.ts'
import { seededRandom } from '../../support/fakes.ts'
import { builtAddon } from '../native/built-addon.ts'

const GATEWAY = '0016c001ff10a235'
const clock = new SystemClock('never')
const open: (() => Promise<void> | void)[] = []
let addon: OpenUdp | null = null
/** Of the tests that run. */
let openUdp: OpenUdp | null = null

beforeAll(async () => {
  addon = loadUdp(await builtAddon('host', 'udp'))
})

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function station(collectMs = 200, address = '127.0.0.1', port = 0) {
  const radio = new Concentrators({ clock, timers: systemTimers, log: silentLog, hash: frameHash, collectMs })
  const door = await GwmpServer.open({ address, port, region: 'EU868', gateways: [] }, { clock, timers: systemTimers, log: silentLog, sink: radio.sink, openUdp })
  radio.add(door)
  const heard: Heard[] = []
  radio.onHeard((one) => heard.push(one))
  open.push(() => radio.close(), () => door.close())
  return { radio, door, heard }
}

async function forwarder(port: number, options: Partial<ConcentratorOptions> = {}): Promise<Concentrator> {
  const concentrator = new Concentrator({ gateway: GATEWAY, port, ...options })
  await concentrator.start()
  open.push(() => concentrator.stop())
  return concentrator
}

/** Until it is so; the test's own limit ends a wait for nothing. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((later) => setTimeout(later, 2))
}

const phyOf = (n: number): Uint8Array => Uint8Array.of(0x40, n, n >> 8, n >> 16, 0x26, 0, n, n >> 8, 1, 9, 9, 9, 9)

function answerTo(heard: Heard, id: number, delaysMs: readonly number[], change: Partial<TxWindow> = {}): Downlink {
  const copy = heard.copies[0]
  if (copy === undefined) throw new Error('heard by nobody')
  const windows = delaysMs.map((delayMs): TxWindow => ({
    phy: Uint8Array.of(0x60, 1, 2, 3, 4, 0, 0, 0, 1, 1, 1, 1), frequencyHz: heard.frequencyHz, modulation: heard.modulation, powerDbm: 14,
    timing: { kind: 'after', time: copy.time, arrivedMs: copy.arrivedMs, delayUs: delayMs * 1_000 },
    isInverted: true, preambleSymbols: 8, hasCrc: false, board: 0, antenna: 0, ...change,
  }))
  return { id, gateway: copy.gateway, windows, purpose: 'data', priority: 0, tenant: null, devEui: null, expiresMs: Infinity }
}

for (const way of ['the addon', 'node:dgram']) describe(`a forwarder on loopback, ${way}`, () => {
  beforeAll(() => {
    openUdp = way === 'the addon' ? addon : null
  })

  it('is heard, acknowledged, and sends our answer at the counter we meant', async () => {
    const { radio, door, heard } = await station()
    const concentrator = await forwarder(door.port, { counterUs: 2 ** 32 - 100_000 })
    await until(() => radio.gateways().some(({ isOnline }) => isOnline))
    const [tmst = 0] = concentrator.hear({ phy: phyOf(1) })
    await until(() => heard.length === 1)
    const ack = await radio.transmit(answerTo(heard[0] as Heard, 7, [3_000, 4_000]))
    expect(ack).toMatchObject({ statuses: ['OK', 'IGNORED'], sent: 0 })
    await until(() => concentrator.onAir.length === 1)
    expect(concentrator.onAir[0]?.tmst).toBe((tmst + 3_000_000) % 2 ** 32)
    await until(() => concentrator.seen.pushAcks === 1 && concentrator.seen.pullAcks === 1)
  })
  it('tries the next window when the forwarder refuses, in the forwarder’s words', async () => {
    const { radio, door, heard } = await station()
    const concentrator = await forwarder(door.port)
    await until(() => radio.gateways().some(({ isOnline }) => isOnline))
    concentrator.hear({ phy: phyOf(1) })
    await until(() => heard.length === 1)
    const [wrong, right] = [answerTo(heard[0] as Heard, 1, [5_000], { frequencyHz: 915_000_000 }), answerTo(heard[0] as Heard, 1, [6_000])]
    expect(await radio.transmit({ ...right, windows: [...wrong.windows, ...right.windows] })).toMatchObject({ statuses: ['TX_FREQ', 'OK'], sent: 1 })
  })
  it('is not asked for a frame that it would take and then drop, because the one before is on the air when it should be loaded', async () => {
    const { radio, door, heard } = await station()
    const concentrator = await forwarder(door.port)
    await until(() => radio.gateways().some(({ isOnline }) => isOnline))
    concentrator.hear({ phy: phyOf(1) })
    await until(() => heard.length === 1)
    // 12 bytes at SF9 without CRC, with the preamble that is asked for: 144.384 ms, and 4.096 for each symbol above 8.
    const slow: Partial<TxWindow> = { modulation: { kind: 'lora', spreadingFactor: 9, bandwidthHz: 125_000, codingRate: '4/5' }, preambleSymbols: 12 }
    const orders = [[2_000], [2_180, 2_300]].map((delaysMs, n) => answerTo(heard[0] as Heard, n + 1, delaysMs, slow))
    const acks = await Promise.all(orders.map((order) => radio.transmit(order)))
    expect(acks.map(({ statuses }) => statuses)).toEqual([['OK'], ['COLLISION_PACKET', 'OK']])
    await until(() => concentrator.onAir.length === 2)
    expect(concentrator.swallowed).toEqual([])
  })
  it('sends with the highest power that its table has, whether it refuses what is not there or takes less by itself', async () => {
    const { radio, door, heard } = await station()
    const [old, young] = [await forwarder(door.port), await forwarder(door.port, { gateway: '0016c001ff10ffff', chip: 'sx1302' })]
    await until(() => radio.gateways().filter(({ isOnline }) => isOnline).length === 2)
    old.hear({ phy: phyOf(1) })
    young.hear({ phy: phyOf(2) })
    await until(() => heard.length === 2)
    // As late as the next test: a machine that stands still for seconds has time for all four tries.
    const acks = await Promise.all(heard.map((one) => radio.transmit(answerTo(one, 1, [12_000], { powerDbm: 30 }))))
    expect(acks.map(({ statuses }) => statuses)).toEqual([['OK'], ['OK']])
    expect([old.answers, young.answers]).toEqual([['TX_POWER', 'TX_POWER', 'TX_POWER', 'NONE'], ['NONE']])
    await until(() => old.onAir.length === 1 && young.onAir.length === 1)
    expect([old, young].map(({ onAir }) => onAir[0]?.powe)).toEqual([27, 27])
  })
  it('gets every order through a network that loses a third of it and repeats another, once each on the air', async () => {
    const random = seededRandom(3)
    let isHostile = false
    const fate = (): 'through' | 'lost' | 'twice' => {
      if (!isHostile) return 'through'
      const throwOf = random.next()
      return throwOf < 0.2 ? 'lost' : throwOf < 0.5 ? 'twice' : 'through'
    }
    const { radio, door, heard } = await station()
    const concentrator = await forwarder(door.port, { fate })
    await until(() => radio.gateways().some(({ isOnline }) => isOnline))
    for (let n = 0; n < 20; n++) concentrator.hear({ phy: phyOf(n) })
    await until(() => heard.length === 20)
    isHostile = true
    // Far enough away that a machine which stands still for seconds refuses none of them as too late.
    const acks = await Promise.all(heard.map((one, n) => radio.transmit(answerTo(one, n, [12_000 + 100 * n]))))
    isHostile = false
    const sent = acks.filter((ack) => ack.sent === 0)
    const doubtful = acks.filter((ack) => ack.doubtful === 0)
    // Where the network repeats an order and loses the answer to the first, what comes is the answer to the second: the place is taken, by itself.
    // Nobody can tell that from a true collision.
    const refused = acks.filter((ack) => ack.sent !== 0 && ack.doubtful !== 0)
    expect(new Set(refused.flatMap(({ statuses }) => statuses))).toEqual(new Set(refused.length === 0 ? [] : ['COLLISION_PACKET']))
    expect(sent.length + doubtful.length + refused.length).toBe(20)
    expect(sent.length).toBeGreaterThanOrEqual(9)
    // What it took is in its queue and comes on the air by itself: by then each of them is there once.
    await until(() => concentrator.onAir.length >= concentrator.answers.filter((answer) => answer === 'NONE').length)
    expect(concentrator.onAir.length).toBeGreaterThanOrEqual(sent.length)
    expect(concentrator.swallowed).toEqual([])
    // Whatever was on the air was said to be, or in doubt; nothing twice.
    expect(concentrator.onAir.length).toBeLessThanOrEqual(20)
    expect(new Set(concentrator.onAir.map(({ tmst }) => tmst)).size).toBe(concentrator.onAir.length)
  })
  it('two of them that hear one frame make one frame with two copies, the better first', async () => {
    const { radio, door, heard } = await station(900)
    const [near, far] = [await forwarder(door.port), await forwarder(door.port, { gateway: '0016c001ff10ffff' })]
    await until(() => radio.gateways().filter(({ isOnline }) => isOnline).length === 2)
    far.hear({ phy: phyOf(1), lsnr: -4 })
    near.hear({ phy: phyOf(1), lsnr: 8 })
    await until(() => heard.length === 1)
    expect(heard[0]?.copies.map(({ gateway }) => gateway)).toEqual([GATEWAY, '0016c001ff10ffff'])
  })
  it('speaks through an IPv6 door as the same host', async () => {
    const { radio, door, heard } = await station(0, '::')
    const concentrator = await forwarder(door.port)
    await until(() => radio.gateways().some(({ isOnline }) => isOnline))
    concentrator.hear({ phy: phyOf(1) })
    await until(() => heard.length === 1)
    const ack = await radio.transmit(answerTo(heard[0] as Heard, 7, [5_000]))
    expect(ack.sent).toBe(0)
    await concentrator.moveDown()
    await until(() => concentrator.seen.pullAcks === 2)
    expect((await radio.transmit(answerTo(heard[0] as Heard, 8, [6_000]))).sent).toBe(0)
  })
  it('refuses an address that is taken, with a reason', async () => {
    const { door } = await station()
    await expect(GwmpServer.open({ address: '127.0.0.1', port: door.port, region: 'EU868', gateways: [] }, { clock, timers: systemTimers, log: silentLog, sink: { received: () => undefined, stats: () => undefined, gateway: () => undefined }, openUdp })).rejects.toMatchObject({ code: 'cannot-listen', message: expect.stringContaining(`UDP 127.0.0.1:${door.port}: `) })
  })
  it('at 260 packets a second every one is acknowledged and handed over, and nothing grows', async () => {
    const { radio, door, heard } = await station()
    const concentrator = await forwarder(door.port, { fate: () => 'through' })
    await until(() => radio.gateways().some(({ isOnline }) => isOnline))
    const RATE = 260
    const SECONDS = 3
    let sent = 0
    const startedMs = performance.now()
    while (sent < RATE * SECONDS) {
      const dueNow = Math.min(RATE * SECONDS, Math.floor(((performance.now() - startedMs) / 1_000) * RATE))
      while (sent < dueNow) concentrator.hear({ phy: phyOf((sent += 1)) })
      await new Promise((later) => setTimeout(later, 5))
    }
    await until(() => heard.length === sent && concentrator.seen.pushAcks === concentrator.pushes)
    expect(new Set(heard.map(({ id }) => id)).size).toBe(sent)
    expect(radio.size).toEqual({ open: 0, known: sent, present: 1 })
    expect(door.size).toEqual({ gateways: 1, clocks: 1, hosts: 1, waiting: 0, orders: { pending: 0, resting: 0, queued: 0 } })
    expect(door.counts).toMatchObject({ packets: sent, tooMuch: 0, refusedPackets: 0 })
  })
  it('a flood from one host is neither acknowledged nor kept beyond what one may send, and who was there is served after it', async () => {
    const { radio, door, heard } = await station()
    const concentrator = await forwarder(door.port)
    await until(() => radio.gateways().some(({ isOnline }) => isOnline))
    const stranger = createSocket('udp4')
    open.push(() => void stranger.close())
    let answers = 0
    stranger.on('message', (bytes) => {
      answers += bytes.length
    })
    const pull = Buffer.from('02000102aabbccddeeff0011', 'hex')
    // A datagram too short for anything, one of version 3, and PULL_DATA under a name of its own each time.
    for (let n = 0; n < 6_000; n++) {
      pull.writeUInt32BE(n, 8)
      await new Promise((sent) => stranger.send(n % 3 === 0 ? Buffer.of(2, 0, 1) : n % 3 === 1 ? Buffer.from(pull).fill(3, 0, 1) : pull, door.port, '127.0.0.1', sent))
    }
    await until(() => door.size.waiting === 0 && answers > 0)
    expect(answers / 4).toBeLessThanOrEqual(door.counts.pulls + door.counts.foreign)
    expect(door.size.gateways).toBeLessThanOrEqual(64)
    // Until its share of what one host may send is there again.
    while (heard.length === 0) {
      concentrator.hear({ phy: phyOf(heard.length) })
      await new Promise((later) => setTimeout(later, 20))
    }
  })
  it('is closed while datagrams come, and tells nothing any more', async () => {
    const { door, heard } = await station()
    const concentrator = await forwarder(door.port)
    for (let n = 0; n < 100; n++) concentrator.hear({ phy: phyOf(n) })
    await until(() => heard.length > 0)
    const { port } = door
    await door.close()
    open.splice(1, 1)
    const known = heard.length
    const { door: next, heard: afterwards } = await station(0, '127.0.0.1', port)
    concentrator.hear({ phy: phyOf(200) })
    await until(() => afterwards.some(({ phy }) => phy[1] === 200))
    expect([next.port, heard.length]).toEqual([port, known])
  })
})
