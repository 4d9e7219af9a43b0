/** The one way to the air: who gets a slot, what is refused before it is sent, and what a restart remembers. */
import { afterEach, describe, expect, it } from 'vitest'
import { fromHex, utf8 } from '../../../src/base/index.ts'
import { timeOnAirUs } from '../../../src/iot/lorawan/index.ts'
import type { Downlink, DownlinkPurpose, TxWindow } from '../../../src/iot/ports.ts'
import { Box, lora } from './box.ts'
import { Sensor, joined } from './sensor.ts'

let box: Box
afterEach(() => box.close())

const [RX1_HZ, RX2_HZ] = [868_100_000, 869_525_000]

/** A tenant's frame: so long after now. */
function tenantOrder(more: Partial<Downlink> & { bytes?: number; spreadingFactor?: number; preamble?: number; delaysMs?: readonly number[]; hz?: readonly number[]; timing?: TxWindow['timing'] } = {}): Downlink {
  const { bytes = 20, spreadingFactor = 7, preamble = 8, delaysMs = [1_000, 2_000], hz = [RX1_HZ, RX2_HZ], timing, ...rest } = more
  const concentrator = box.air.concentrators[0]
  const arrivedMs = box.time.boottimeMs()
  const windows = delaysMs.map((delayMs, index): TxWindow => ({
    phy: new Uint8Array(bytes).fill(0x60),
    frequencyHz: hz[index] ?? RX1_HZ,
    modulation: lora(spreadingFactor),
    powerDbm: 14,
    timing: timing ?? { kind: 'after', time: { kind: 'counter', tmstUs: concentrator?.counterUs() ?? 0 }, arrivedMs, delayUs: delayMs * 1_000 },
    isInverted: true,
    preambleSymbols: preamble,
    hasCrc: false,
    board: 0,
    antenna: 0,
  }))
  return { id: box.network.nextDownlinkId(), gateway: concentrator?.id ?? '', windows, purpose: 'data', priority: 0, tenant: 'farm', devEui: null, expiresMs: arrivedMs + 60_000, ...rest }
}

/** Heard just now, so that the box knows the counter. */
async function tick(): Promise<void> {
  await box.network.server.take(box.heard(Uint8Array.of(0xe0, 1)))
}

describe('a slot', () => {
  it.each([
    ['data', 'mac'],
    ['mac', 'ack'],
    ['ack', 'join'],
  ] as [DownlinkPurpose, DownlinkPurpose][])('asked for by %s is taken by %s, as long as it is held back', async (weak, strong) => {
    box = await new Box().open()
    await tick()
    const first = box.network.desk.submit(tenantOrder({ purpose: weak, priority: 255 }))
    await box.pass(500)
    const second = box.network.desk.submit(tenantOrder({ purpose: strong, delaysMs: [500, 1_500] }))
    await box.pass(3_000)
    expect([(await first).statuses, (await second).statuses]).toEqual([['COLLISION_PACKET', 'OK'], ['OK', 'IGNORED']])
  })

  it('by priority among equals, then first come; what is given is not taken away', async () => {
    box = await new Box().open()
    await tick()
    const low = box.network.desk.submit(tenantOrder({ priority: 1 }))
    const high = box.network.desk.submit(tenantOrder({ priority: 2 }))
    const same = box.network.desk.submit(tenantOrder({ priority: 2, delaysMs: [1_000] }))
    await box.pass(850)
    const late = box.network.desk.submit(tenantOrder({ purpose: 'join', delaysMs: [150] }))
    await box.pass(2_000)
    expect((await low).statuses).toEqual(['COLLISION_PACKET', 'OK'])
    expect((await high).statuses).toEqual(['OK', 'IGNORED'])
    expect((await same).statuses).toEqual(['COLLISION_PACKET'])
    expect((await late).statuses).toEqual(['COLLISION_PACKET'])
  })

  it('is taken as long as the forwarder needs to load the next, after the frame before is off the air', async () => {
    box = await new Box().open()
    await tick()
    const airMs = timeOnAirUs(lora(7), 20, { hasCrc: false }) / 1_000
    const acks = [1_000, 1_000 + airMs + 39, 3_000, 3_000 + airMs + 41].map((delayMs) => box.network.desk.submit(tenantOrder({ delaysMs: [delayMs] })))
    await box.pass(4_000)
    expect((await Promise.all(acks)).map(({ statuses }) => statuses[0])).toEqual(['OK', 'COLLISION_PACKET', 'OK', 'OK'])
  })

  it('lost to one whose gateway has not answered yet leaves the second window: two devices heard in the same moment are both answered', async () => {
    box = await new Box().open()
    await tick()
    const first = box.network.desk.submit(tenantOrder())
    const second = box.network.desk.submit(tenantOrder())
    const third = box.network.desk.submit(tenantOrder())
    await box.pass(3_000)
    expect([await first, await second, await third].map(({ statuses }) => statuses)).toEqual([['OK', 'IGNORED'], ['COLLISION_PACKET', 'OK'], ['COLLISION_PACKET', 'COLLISION_PACKET']])
    expect(box.air.sent).toHaveLength(2)
  })

  it('is not asked for again and again while a gateway is silent', async () => {
    box = await new Box().open()
    await tick()
    let answer: () => void = () => undefined
    box.air.answersAfter = new Promise<void>((resolve) => (answer = resolve))
    const first = box.network.desk.submit(tenantOrder())
    const second = box.network.desk.submit(tenantOrder())
    await box.pass(3_000)
    expect((await second).statuses).toEqual(['COLLISION_PACKET', 'COLLISION_PACKET'])
    answer()
    expect((await first).statuses).toEqual(['OK', 'IGNORED'])
    expect(box.air.asked).toHaveLength(1)
  })

  it('is handed over 300 ms before, also when the counter wraps in between', async () => {
    box = await new Box().open()
    const concentrator = box.air.concentrators[0]
    if (concentrator !== undefined) concentrator.offsetUs -= concentrator.counterUs() + 500_000
    await tick()
    const start = box.time.boottimeMs()
    const ack = box.network.desk.submit(tenantOrder())
    await box.pass(650)
    expect(box.air.asked).toEqual([])
    await box.pass(100)
    expect(box.air.sent[0]?.startMs).toBeCloseTo(start + 1_000, 1)
    expect(await ack).toMatchObject({ sent: 0, onAirUs: expect.any(Number) })
  })

  it('that is over says TOO_LATE, one in GPS time GPS_UNLOCKED without it; one far ahead is held back until it is near', async () => {
    box = await new Box().open()
    await tick()
    const order = tenantOrder()
    const far = box.network.desk.submit(tenantOrder({ delaysMs: [600_000], expiresMs: box.time.boottimeMs() + 700_000 }))
    box.time.advance(970)
    const late = box.network.desk.submit(order)
    const gps = box.network.desk.submit(tenantOrder({ timing: { kind: 'gps', gpsTimeMs: 1 }, delaysMs: [0] }))
    await box.pass(2_000)
    expect((await late).statuses).toEqual(['TOO_LATE', 'OK'])
    expect((await gps).statuses).toEqual(['GPS_UNLOCKED'])
    box.time.advance(596_000)
    await box.pass(2_000)
    expect((await far).statuses).toEqual(['OK'])
  })

  it('of a forwarder that started anew ends as TOO_LATE', async () => {
    box = await new Box().open()
    await tick()
    const ack = box.network.desk.submit(tenantOrder({ delaysMs: [5_000, 6_000] }))
    await box.pass(1_000)
    const concentrator = box.air.concentrators[0]
    if (concentrator !== undefined) concentrator.offsetUs -= 1_500_000_000
    await tick()
    await box.pass(6_000)
    expect((await ack).statuses).toEqual(['TOO_LATE', 'TOO_LATE'])
    expect(box.air.asked).toEqual([])
  })
})

describe('an order', () => {
  it('beyond the region’s limits is an error', async () => {
    box = await new Box().open()
    const windowless = { ...tenantOrder(), windows: [] }
    await expect(box.network.desk.submit(windowless)).rejects.toThrow(/windows/)
    await expect(box.network.desk.submit(tenantOrder({ spreadingFactor: 12, bytes: 65 }))).rejects.toThrow(/phy/)
    await expect(box.network.desk.submit(tenantOrder({ hz: [868_650_000, RX2_HZ] }))).rejects.toThrow(/frequency/)
    await expect(box.network.desk.submit(tenantOrder({ preamble: 65_535 }))).rejects.toThrow(/preamble: 65535 .* 6 to 16 symbols/)
    const loud = tenantOrder()
    await expect(box.network.desk.submit({ ...loud, windows: loud.windows.map((window) => ({ ...window, powerDbm: 20 })) })).rejects.toThrow(/power/)
  })

  it('for a gateway nobody knows is GATEWAY_AWAY, and nothing is remembered of it', async () => {
    box = await new Box().open()
    const ack = box.network.desk.submit(tenantOrder({ gateway: 'ffffffffffffffff' }))
    await box.pass(1_000)
    expect((await ack).statuses).toEqual(['GATEWAY_AWAY', 'GATEWAY_AWAY'])
  })

  it('more than 64 for one gateway: QUEUE_FULL', async () => {
    box = await new Box().open()
    await tick()
    const acks = Array.from({ length: 65 }, () => box.network.desk.submit(tenantOrder({ delaysMs: [10_000] })))
    await box.settle()
    expect((await acks[64])?.statuses).toEqual(['QUEUE_FULL'])
    box.network.desk.stop()
    expect((await acks[0])?.statuses).toEqual(['IGNORED'])
  })

  it('over the airtime is DUTY_CYCLE_OVERFLOW before anything is sent, also after a restart; the owner’s ACK still goes', async () => {
    box = await new Box().open()
    const sensor = new Sensor('0202020202020202', fromHex('0102030405060708090a0b0c0d0e0f10'))
    await joined(box, sensor)
    await box.pass(2_000)
    const statuses: string[] = []
    // 1.8 s each of the 28.8 s that data may use in an hour of band M.
    for (let round = 0; round < 20; round++) {
      await tick()
      const ack = box.network.desk.submit(tenantOrder({ spreadingFactor: 12, bytes: 33, delaysMs: [1_000], hz: [RX1_HZ] }))
      await box.pass(4_000)
      statuses.push((await ack).statuses[0] ?? '')
    }
    expect(statuses.filter((status) => status === 'OK')).toHaveLength(15)
    expect(statuses.slice(15)).toEqual(Array(5).fill('DUTY_CYCLE_OVERFLOW'))
    const asked = box.air.asked.length
    await box.restart(false)
    await tick()
    const after = box.network.desk.submit(tenantOrder({ spreadingFactor: 12, bytes: 33, delaysMs: [1_000], hz: [RX1_HZ] }))
    await box.pass(3_000)
    expect((await after).statuses).toEqual(['DUTY_CYCLE_OVERFLOW'])
    expect(box.air.asked).toHaveLength(asked)
    const band = box.network.desk.budget(box.air.concentrators[0]?.id ?? '').find(({ name }) => name === 'M')
    expect(band?.freeUs).toBeLessThan(1_811_000)
    await box.network.server.take(box.heard(sensor.frame(utf8('a'), { isConfirmed: true })))
    await box.pass(2_000)
    expect(sensor.hear(box.air.sent.at(-1)?.window.phy as Uint8Array)).toMatchObject({ ack: true })
  })

  it('numbers of downlinks are never given out twice, over restarts and blocks', async () => {
    box = await new Box().open()
    const seen = new Set<number>()
    for (let run = 0; run < 3; run++) {
      for (let i = 0; i < 5_000; i++) {
        seen.add(box.network.nextDownlinkId())
        if (i % 1_000 === 0) await box.settle()
      }
      await box.restart(run % 2 === 0)
    }
    expect(seen.size).toBe(15_000)
  })
})
