/**
 * Orders over a network that loses, delays, repeats and reorders, against a forwarder as Semtech's queue works, in simulated time: whatever
 * happens, what is said of the air is true. MESHBOX_ORDER_RUNS=NUMBER for more of it.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import type { Downlink, TxStatus, TxWindow } from '../../../src/iot/ports.ts'
import type { RadioTxAck } from '../../../src/iot/radio/door.ts'
import { GwmpDesk } from '../../../src/iot/radio/gwmp/gwmp-desk.ts'
import { decodeDatagram, encodeDatagram, readPullResp, writeTxAck } from '../../../src/iot/radio/gwmp/index.ts'
import { rxpkOf } from '../../support/concentrator.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'

const RUNS = Number(process.env.MESHBOX_ORDER_RUNS ?? 25)
const GATEWAY = '0016c001ff10a235'
const FROM = { host: '192.0.2.7', port: 4_000 }
const ROUND = 2 ** 32
/** 13 bytes at SF7 without CRC, and what the forwarder wants between two frames. */
const AIR_US = 41_216
const GAP_MS = 2.5

interface Weather {
  readonly lossUp: number
  readonly lossDown: number
  readonly twiceUp: number
  readonly twiceDown: number
  readonly mostDelayMs: number
}

/** One run: orders as they come, and what the forwarder sent, by the order that the bytes name. */
function run(seed: number, weather: Weather, counterFrom: number): { readonly acks: ReadonlyMap<number, RadioTxAck>; readonly air: ReadonlyMap<number, readonly number[]>; readonly asked: number; readonly left: number } {
  const time = new FakeTime()
  const random = seededRandom(seed)
  const startMs = time.boottimeMs()
  const counter = (): number => (counterFrom + Math.round((time.boottimeMs() - startMs) * 1_000)) % ROUND
  let queue: { startMs: number; order: number; window: number }[] = []
  const air = new Map<number, number[]>()
  const carry = (bytes: Uint8Array, loss: number, twice: number, arrive: (bytes: Uint8Array) => void): void => {
    if (random.next() < loss) return
    for (let copies = random.next() < twice ? 2 : 1; copies > 0; copies--) time.after(Math.floor(random.next() * weather.mostDelayMs), () => arrive(bytes))
  }
  const judge = (tmst: number, order: number, window: number): TxStatus => {
    const leadUs = (tmst - counter() + ROUND) % ROUND
    if (leadUs > 512_000_000) return 'TOO_EARLY'
    if (leadUs <= 32_500) return 'TOO_LATE'
    const slotMs = time.boottimeMs() + leadUs / 1_000
    queue = queue.filter(({ startMs: other }) => other > time.boottimeMs() - AIR_US / 1_000)
    if (queue.some((other) => Math.abs(other.startMs - slotMs) < AIR_US / 1_000 + GAP_MS)) return 'COLLISION_PACKET'
    if (queue.length >= 32) return 'COLLISION_PACKET'
    queue.push({ startMs: slotMs, order, window })
    time.after(leadUs / 1_000, () => air.set(order, [...(air.get(order) ?? []), window]))
    return 'OK'
  }
  const desk = new GwmpDesk({ region: 'EU868', gateways: [] }, {
    clock: time, timers: time, log: silentLog,
    sink: { received: () => undefined, stats: () => undefined, gateway: () => undefined },
    soon: (run) => run(),
    send: (bytes) => {
      const { kind, token, body } = decodeDatagram(bytes)
      if (kind !== 'pull-resp') return
      carry(bytes, weather.lossDown, weather.twiceDown, () => {
        const { phy, timing } = readPullResp(body)
        const status = judge(timing.kind === 'counter' ? timing.tmstUs : 0, (phy[1] ?? 0) * 256 + (phy[2] ?? 0), phy[3] ?? 0)
        const answer = encodeDatagram({ version: 2, token, kind: 'tx-ack', gateway: GATEWAY, body: status === 'OK' ? new Uint8Array() : writeTxAck(status) })
        carry(answer, weather.lossUp, weather.twiceUp, (arrived) => void desk.take(arrived, FROM))
      })
    },
  })
  const upward = (kind: 'pull-data' | 'push-data', body: string): unknown => desk.take(encodeDatagram({ version: 2, token: 1, kind, gateway: GATEWAY, body: Buffer.from(body) }), FROM)
  const acks = new Map<number, RadioTxAck>()
  let asked = 0
  for (let order = 1; order <= 60; order++) {
    time.advance(Math.floor(random.next() * 300))
    upward('pull-data', '')
    const tmst = counter()
    upward('push-data', JSON.stringify({ rxpk: [rxpkOf({ phy: Uint8Array.of(1) }, tmst)] }))
    const window = (index: number): TxWindow => ({
      phy: Uint8Array.of(0x60, order >> 8, order & 255, index, ...new Uint8Array(9)), frequencyHz: 868_100_000, modulation: { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/5' }, powerDbm: 14,
      timing: { kind: 'after', time: { kind: 'counter', tmstUs: tmst }, arrivedMs: time.boottimeMs(), delayUs: (1 + index) * 1_000_000 }, isInverted: true, preambleSymbols: 8, hasCrc: false, board: 0, antenna: 0,
    })
    const downlink: Downlink = { id: order * 65_537, gateway: GATEWAY, windows: [window(0), window(1)], purpose: 'data', priority: 0, tenant: null, devEui: null, expiresMs: Infinity }
    // Late by more or less: sometimes too late for the first window.
    time.after(Math.floor(random.next() * 1_300), () => {
      asked += 1
      void desk.transmit(downlink).then((ack) => acks.set(order, ack))
    })
  }
  time.advance(20_000)
  const left = desk.size.orders.pending
  desk.close()
  return { acks, air, asked, left }
}

const weathers = fc.record({ lossUp: fc.constantFrom(0, 0.1, 0.4), lossDown: fc.constantFrom(0, 0.1, 0.4), twiceUp: fc.constantFrom(0, 0.3), twiceDown: fc.constant(0), mostDelayMs: fc.constantFrom(1, 40, 150) })
const counters = fc.constantFrom(0, ROUND - 3_000_000, 123_456_789)

it('a yes was on the air, what was on the air is a yes or in doubt, and no order is on the air twice', async () => {
  await fc.assert(fc.asyncProperty(fc.nat(), weathers, counters, async (seed, weather, counterFrom) => {
    const { acks, air, asked, left } = run(seed, weather, counterFrom)
    for (let n = 0; n < 10; n++) await Promise.resolve()
    expect([acks.size, asked, left]).toEqual([60, 60, 0])
    for (const [order, { statuses, sent, doubtful, onAirUs }] of acks) {
      const windows = air.get(order) ?? []
      expect(windows.length).toBeLessThanOrEqual(1)
      if (sent !== null) expect(windows).toEqual([sent])
      if (windows.length > 0) expect(windows).toEqual([sent ?? doubtful])
      expect(statuses).toHaveLength(2)
      expect(statuses.filter((status) => status === 'OK')).toHaveLength(sent === null ? 0 : 1)
      expect(onAirUs > 0).toBe(sent !== null)
      expect(sent !== null && doubtful !== null).toBe(false)
    }
  }), { numRuns: RUNS })
})

it('without loss nothing is in doubt', async () => {
  const { acks } = run(5, { lossUp: 0, lossDown: 0, twiceUp: 0.2, twiceDown: 0, mostDelayMs: 20 }, 0)
  await Promise.resolve()
  expect([...acks.values()].filter(({ doubtful }) => doubtful !== null)).toEqual([])
  expect([...acks.values()].filter(({ sent }) => sent !== null).length).toBeGreaterThan(40)
})

it('also where orders are repeated on their way, each ends once and a yes was on the air', async () => {
  await fc.assert(fc.asyncProperty(fc.nat(), weathers, async (seed, weather) => {
    const { acks, air } = run(seed, { ...weather, twiceDown: 0.5 }, 0)
    for (let n = 0; n < 10; n++) await Promise.resolve()
    expect(acks.size).toBe(60)
    for (const [order, { sent }] of acks) if (sent !== null) expect(air.get(order) ?? []).toContain(sent)
  }), { numRuns: Math.ceil(RUNS / 2) })
})
