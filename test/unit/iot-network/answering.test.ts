/** What a device is told, and when: its queue, confirmed orders, MAC commands, ADR, class C. */
import { afterEach, describe, expect, it } from 'vitest'
import { fromHex, momentOf, utf8 } from '../../../src/base/index.ts'
import type { QueueItem } from '../../../src/iot/ports.ts'
import { Box } from './box.ts'
import { Sensor, joined } from './sensor.ts'
import type { Received } from './sensor.ts'

const KEY = fromHex('0102030405060708090a0b0c0d0e0f10')
const EUI = '0202020202020202'

let box: Box
afterEach(() => box.close())

async function start(options: ConstructorParameters<typeof Box>[0] = {}, more: Parameters<typeof joined>[2] = {}): Promise<Sensor> {
  box = await new Box(options).open()
  const sensor = new Sensor(EUI, KEY)
  await joined(box, sensor, more)
  await box.pass(2_000)
  return sensor
}

const order = (text: string, more: Partial<QueueItem> = {}) => box.network.server.enqueue({ devEui: EUI, fPort: 2, payload: utf8(text), isConfirmed: false, asker: 'test', expiresAt: null, ...more })

/** One uplink with what follows it in its windows. */
async function speak(sensor: Sensor, options: Parameters<Sensor['frame']>[1] = {}, radio: Parameters<Box['heard']>[1] = {}): Promise<Received | null> {
  const upMs = box.time.boottimeMs()
  const before = box.air.sent.length
  const up = { frequencyHz: radio.frequencyHz ?? 868_100_000, dataRate: sensor.dataRate }
  const [delays, modulation] = [sensor.delays, sensor.modulation]
  await box.network.server.take(box.heard(sensor.frame(utf8('x'), options), { modulation, ...radio }))
  await box.pass((sensor.rxDelay + 2) * 1_000)
  const sent = box.air.sent[before]
  if (sent === undefined) return null
  const window = sensor.windowOf(sent, upMs, up, delays)
  expect(window).not.toBeNull()
  return sensor.hear(sent.window.phy, window ?? 'rx1')
}

const state = (queueId: number): QueueItem | undefined => box.network.devices.queue(EUI).find((item) => item.queueId === queueId)

describe('the queue', () => {
  it('is emptied in order, one with each frame, and the device knows that more waits', async () => {
    const sensor = await start()
    for (const text of ['one', 'two', 'three']) await order(text)
    const got = [await speak(sensor), await speak(sensor), await speak(sensor)]
    expect(got.map((frame) => [new TextDecoder().decode(frame?.payload), frame?.isPending])).toEqual([['one', true], ['two', true], ['three', false]])
    expect(box.network.devices.queue(EUI).map((item) => [item.state, item.tries[0]?.statuses])).toEqual(Array(3).fill(['sent', ['OK', 'IGNORED']]))
  })

  it('an order given on the very reading goes out in the windows of that frame', async () => {
    const sensor = await start()
    await speak(sensor)
    const stop = box.network.server.onReading(() => void order('now'))
    expect(await speak(sensor)).toMatchObject({ payload: utf8('now') })
    stop()
  })

  it('an order that comes while a device to which nothing was to be said still listens goes out in its windows; a later one waits for its next frame', async () => {
    const sensor = await start({ wishes: { hasAdr: false } })
    for (let round = 0; round < 3; round++) await speak(sensor)
    const before = box.air.sent.length
    const heard = box.heard(sensor.frame(utf8('x')))
    await box.network.server.take(heard)
    await box.pass(500)
    expect(box.network.desk.hasPlaceToAsk(box.air.concentrators[0]?.id ?? '')).toBe(true)
    await order('in time')
    await box.pass(2_500)
    expect(box.air.sent.slice(before)).toHaveLength(1)
    expect(sensor.hear(box.air.sent[before]?.window.phy as Uint8Array, 'rx1')?.payload).toEqual(utf8('in time'))
    await order('too late')
    await box.pass(5_000)
    expect(box.air.sent.slice(before)).toHaveLength(1)
    expect((await speak(sensor))?.payload).toEqual(utf8('too late'))
  })

  it('holds 32, refuses ports, lengths and devices that are not there', async () => {
    await start()
    await expect(order('x', { fPort: 0 })).rejects.toThrow(/fport/)
    await expect(order('x', { fPort: 224 })).rejects.toThrow(/fport/)
    await expect(order('x'.repeat(243))).rejects.toThrow(/payload.*at most 242/)
    await expect(order('x', { devEui: '0909090909090909' })).rejects.toThrow(/no device/)
    for (let i = 0; i < 32; i++) await order('x')
    await expect(order('x')).rejects.toMatchObject({ kind: 'limit' })
    const first = box.network.devices.queue(EUI)[0] as QueueItem
    expect(await box.network.devices.cancel(first.queueId)).toMatchObject({ state: 'expired' })
    await expect(box.network.devices.cancel(first.queueId)).rejects.toMatchObject({ kind: 'conflict' })
    await order('x')
  })

  it('an order whose time is over is not sent', async () => {
    const sensor = await start()
    const item = await order('late', { expiresAt: { ...momentOf(box.time), boottimeMs: box.time.boottimeMs() + 10_000 } })
    await order('good')
    box.time.advance(20_000)
    expect(await speak(sensor)).toMatchObject({ payload: utf8('good') })
    expect(state(item.queueId)).toMatchObject({ state: 'expired' })
    expect(box.queue.filter((event) => event.queueId === item.queueId).map((event) => event.state)).toEqual(['queued', 'expired'])
  })

  it('what the gateway refused waits for the next frame under another counter, with the reasons; eight times', async () => {
    const sensor = await start()
    await speak(sensor)
    const item = await order('open')
    const concentrator = box.air.concentrators[0]
    concentrator?.refusals.push('TOO_LATE', 'TX_FREQ')
    await speak(sensor)
    expect(state(item.queueId)).toMatchObject({ state: 'queued', tries: [{ statuses: ['TOO_LATE', 'TX_FREQ'] }] })
    const got = await speak(sensor)
    expect(got).toMatchObject({ payload: utf8('open'), window: 'rx1' })
    expect(state(item.queueId)).toMatchObject({ state: 'sent', tries: [{}, { statuses: ['OK', 'IGNORED'] }] })
    const lost = await order('never')
    for (let round = 0; round < 8; round++) {
      concentrator?.refusals.push('COLLISION_PACKET', 'COLLISION_PACKET')
      await speak(sensor)
    }
    expect(state(lost.queueId)).toMatchObject({ state: 'failed' })
    expect(state(lost.queueId)?.tries).toHaveLength(8)
  })

  it('what the gateway refuses after the device has spoken again goes out in the windows of that frame', async () => {
    const sensor = await start()
    await speak(sensor)
    const item = await order('open')
    let answer = (): void => undefined
    box.air.answersAfter = new Promise<void>((resolve) => (answer = resolve))
    box.air.concentrators[0]?.refusals.push('TX_FREQ', 'TX_FREQ')
    await box.network.server.take(box.heard(sensor.frame(utf8('x'))))
    await box.pass(900)
    expect(state(item.queueId)).toMatchObject({ state: 'sent', tries: [] })
    await box.network.server.take(box.heard(sensor.frame(utf8('x'))))
    answer()
    const before = box.air.sent.length
    await box.pass(3_000)
    expect(box.air.sent).toHaveLength(before + 1)
    expect(state(item.queueId)).toMatchObject({ state: 'sent', tries: [{ statuses: ['TX_FREQ', 'TX_FREQ'] }, { statuses: ['OK', 'IGNORED'] }] })
  })

  it('a gateway without a path is said to be away', async () => {
    const sensor = await start()
    const item = await order('open')
    box.air.online(0, false)
    await speak(sensor)
    expect(state(item.queueId)).toMatchObject({ state: 'queued', tries: [{ statuses: ['GATEWAY_AWAY', 'GATEWAY_AWAY'] }] })
    box.air.online(0, true)
    expect(await speak(sensor)).toMatchObject({ payload: utf8('open') })
  })

  it('a long order goes where it fits: RX1 when it is faster', async () => {
    const sensor = await start()
    await speak(sensor)
    const item = await order('x'.repeat(200))
    const upMs = box.time.boottimeMs()
    await box.network.server.take(box.heard(sensor.frame(utf8('a'))))
    await box.pass(2_000)
    expect(box.air.asked.at(-1)?.windows).toHaveLength(1)
    expect(box.air.sent.at(-1)?.startMs).toBeCloseTo(upMs + 1_000, 0)
    expect(state(item.queueId)?.tries[0]?.statuses).toEqual(['OK', 'IGNORED'])
  })
})

describe('a confirmed order', () => {
  it('is acknowledged by the next frame', async () => {
    const sensor = await start()
    const item = await order('open', { isConfirmed: true })
    expect(await speak(sensor)).toMatchObject({ isConfirmed: true })
    expect(state(item.queueId)).toMatchObject({ state: 'sent' })
    await speak(sensor)
    expect(state(item.queueId)).toMatchObject({ state: 'acknowledged' })
  })

  it('is sent three times under three counters when nothing comes back, and then it failed', async () => {
    const sensor = await start()
    const item = await order('open', { isConfirmed: true })
    const next = await order('after', { isConfirmed: false })
    for (let round = 0; round < 3; round++) {
      expect(await speak(sensor)).toMatchObject({ payload: utf8('open') })
      sensor.mustAck = false
    }
    expect(await speak(sensor)).toMatchObject({ payload: utf8('after') })
    expect(state(item.queueId)).toMatchObject({ state: 'failed' })
    expect(state(next.queueId)).toMatchObject({ state: 'sent' })
    expect(new Set(sensor.received.map((frame) => frame.fCnt)).size).toBe(sensor.received.length)
  })
})

describe('MAC commands', () => {
  it('a device that asks is told its margin, and the time when the box knows it', async () => {
    const sensor = await start({ gateways: 2 })
    await speak(sensor)
    const blind = await speak(sensor, { commands: [{ name: 'LinkCheckReq' }, { name: 'DeviceTimeReq' }] }, { snrDb: 2.4, gateways: [0, 1] })
    expect(blind?.commands).toContainEqual({ name: 'LinkCheckAns', margin: 10, gateways: 2 })
    expect(blind?.commands.some((command) => command.name === 'DeviceTimeAns')).toBe(false)
    box.time.trusted = true
    const upWallMs = box.time.wallMs()
    const told = (await speak(sensor, { commands: [{ name: 'DeviceTimeReq' }] }))?.commands.find((command) => command.name === 'DeviceTimeAns')
    const gpsMs = upWallMs - 315_964_800_000 + 18_000
    expect(told).toEqual({ name: 'DeviceTimeAns', seconds: Math.floor(gpsMs / 1_000), fraction: Math.floor(((gpsMs % 1_000) * 256) / 1_000) })
  })

  it('a copy that comes late takes nothing from the answer', async () => {
    const sensor = await start()
    await speak(sensor)
    const from = box.air.sent.length
    const heard = box.heard(sensor.frame(utf8('x'), { isConfirmed: true, commands: [{ name: 'LinkCheckReq' }] }))
    await box.network.server.take(heard)
    await box.pass(300)
    expect(await box.network.server.take(heard)).toMatchObject({ kind: 'repeated' })
    await box.pass(2_500)
    expect(box.air.sent).toHaveLength(from + 1)
    const got = sensor.hear(box.air.sent.at(-1)?.window.phy as Uint8Array)
    expect(got).toMatchObject({ ack: true })
    expect(got?.commands.map((command) => command.name)).toContain('LinkCheckAns')
  })

  it('battery and margin are asked for and kept', async () => {
    const sensor = await start()
    expect((await speak(sensor))?.commands).toContainEqual({ name: 'DevStatusReq' })
    await speak(sensor)
    expect(box.network.devices.device(EUI)?.session).toMatchObject({ battery: 200, marginDb: 7 })
    expect((await speak(sensor))?.commands ?? []).not.toContainEqual({ name: 'DevStatusReq' })
  })

  it('a device that never answers is asked three times', async () => {
    const sensor = await start({ wishes: { hasAdr: false } })
    let asked = 0
    for (let round = 0; round < 6; round++) {
      const got = await speak(sensor)
      if (got?.commands.some((command) => command.name === 'DevStatusReq') === true) asked++
      sensor.answers = []
    }
    expect(asked).toBe(3)
  })

  it('what the gateway refused to ask is asked again after a minute, and not with each frame', async () => {
    const sensor = await start({ wishes: { hasAdr: false } })
    box.air.concentrators[0]?.refusals.push('TOO_LATE', 'TOO_LATE')
    const asked = box.air.asked.length
    expect(await speak(sensor)).toBeNull()
    expect(box.air.asked).toHaveLength(asked + 1)
    expect(await speak(sensor)).toBeNull()
    expect(box.air.asked).toHaveLength(asked + 1)
    // Who is owed an answer gets it, with the question.
    expect((await speak(sensor, { isConfirmed: true }))?.commands).toContainEqual({ name: 'DevStatusReq' })
    sensor.answers = []
    await box.pass(60_000, 1_000)
    expect((await speak(sensor))?.commands).toContainEqual({ name: 'DevStatusReq' })
  })

  it('an ABP device is led to the plan: channels, windows, delays; and both sides end the same', async () => {
    box = await new Box({ wishes: { rxDelaySeconds: 3, rx1DrOffset: 1, rx2: { frequencyHz: 869_525_000, dataRate: 3 }, extraChannelsHz: [867_100_000, 867_300_000, 867_500_000] } }).open()
    const sensor = new Sensor(EUI, KEY)
    const key = new Uint8Array(16).fill(9)
    await box.network.devices.put(
      { devEui: EUI, name: 'old', joinEui: '0101010101010101', macVersion: '1.0.2', region: 'EU868', deviceClass: 'A', activation: 'abp', appKey: null, rootKey: null, codec: null, allowsCounterReset: false, isDisabled: false, expectedIntervalSeconds: null },
      sensor.session({ fNwkSIntKey: key, sNwkSIntKey: key, nwkSEncKey: key, appSKey: key }, 0x01020304),
    )
    for (let round = 0; round < 8; round++) await speak(sensor)
    expect(sensor.refused).toEqual([])
    expect([sensor.rxDelay, sensor.rx1Offset, sensor.rx2]).toEqual([3, 1, { frequencyHz: 869_525_000, dataRate: 3 }])
    expect(sensor.frequencies.slice(3)).toEqual([867_100_000, 867_300_000, 867_500_000])
    const session = box.network.devices.device(EUI)?.session
    expect(session).toMatchObject({ rxDelaySeconds: 3, rx1DrOffset: 1, rx2DataRate: 3 })
    expect(session?.channels.map((channel) => channel?.frequencyHz)).toEqual(sensor.frequencies)
    // Settled: an unconfirmed frame has no answer any more.
    expect(await speak(sensor)).toBeNull()
  })

  it('ADR brings a strong device to the fastest and quietest, a device that refuses is not asked again', async () => {
    const sensor = await start()
    sensor.dataRate = 0
    for (let round = 0; round < 6; round++) await speak(sensor, {}, { snrDb: 9 - 2 * sensor.txPower })
    expect([sensor.dataRate, sensor.txPower]).toEqual([5, 2])
    expect(box.network.devices.device(EUI)?.session).toMatchObject({ dataRate: 5, txPowerIndex: 2 })
    sensor.refusesPower = true
    const asked: string[] = []
    for (let round = 0; round < 8; round++) {
      const got = await speak(sensor, {}, { snrDb: 30 })
      for (const command of got?.commands ?? []) if (command.name === 'LinkADRReq') asked.push(`${command.dataRate}/${command.txPower}`)
    }
    expect(new Set(asked).size).toBe(asked.length)
    expect(sensor.txPower).toBe(2)
  })

  it('is answered when it asks whether anybody is there', async () => {
    const sensor = await start({ wishes: { hasAdr: false } })
    for (let round = 0; round < 3; round++) await speak(sensor)
    expect(await speak(sensor)).toBeNull()
    expect(await speak(sensor, { adrAckReq: true })).not.toBeNull()
  })
})

describe('class C', () => {
  it('gets an order at once where it was last heard, one after the other', async () => {
    const sensor = await start({ gateways: 2 }, { deviceClass: 'C' })
    await speak(sensor, {}, { gateways: [1] })
    await speak(sensor, {}, { gateways: [1] })
    const from = box.air.sent.length
    await order('one')
    await order('two')
    await box.pass(1_000)
    expect(box.air.sent.slice(from).map((sent) => [sent.gateway, sent.window.frequencyHz])).toEqual([[box.air.concentrators[1]?.id, 869_525_000]])
    expect(sensor.hear(box.air.sent.at(-1)?.window.phy as Uint8Array, 'always')).toMatchObject({ payload: utf8('one') })
    await box.pass(6_000)
    expect(sensor.hear(box.air.sent.at(-1)?.window.phy as Uint8Array, 'always')).toMatchObject({ payload: utf8('two') })
  })

  it('goes out at any moment of a clock whose milliseconds have a fraction, as a real one’s have', async () => {
    const sensor = await start({}, { deviceClass: 'C' })
    await speak(sensor)
    await speak(sensor)
    const from = box.air.sent.length
    box.time.advance(0.000_321)
    await order('one')
    await box.pass(1_000)
    expect(box.air.sent.length - from).toBe(1)
    expect(box.acks.at(-1)).toMatchObject({ statuses: ['OK'] })
  })

  it('a confirmed order without ACK is tried again after ten seconds, three times', async () => {
    const sensor = await start({}, { deviceClass: 'C' })
    await speak(sensor)
    await speak(sensor)
    const from = box.air.sent.length
    const item = await order('open', { isConfirmed: true })
    await box.pass(60_000, 500)
    expect(box.air.sent.length - from).toBe(3)
    expect(state(item.queueId)).toMatchObject({ state: 'failed' })
  })

  it('waits for a gateway that is away, and for one that was after a restart', async () => {
    const sensor = await start({}, { deviceClass: 'C' })
    await speak(sensor)
    await speak(sensor)
    box.air.online(0, false)
    const item = await order('open')
    await box.pass(30_000, 500)
    expect(state(item.queueId)).toMatchObject({ state: 'queued', tries: [] })
    await box.restart(true)
    box.air.online(0, true)
    await box.pass(1_000)
    expect(sensor.hear(box.air.sent.at(-1)?.window.phy as Uint8Array, 'always')).toMatchObject({ payload: utf8('open') })
  })
})
