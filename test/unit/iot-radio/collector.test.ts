/** Copies of one transmission become one; repetitions of a device stay frames of their own; floods stay within bounds. And the concentrator's clock. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Copy } from '../../../src/iot/ports.ts'
import { CopyCollector } from '../../../src/iot/radio/collector.ts'
import { NeighbourContest, SOLE_BOX } from '../../../src/iot/radio/copy-contest.ts'
import type { ContestOffer } from '../../../src/iot/radio/copy-contest.ts'
import { CounterClock } from '../../../src/iot/radio/counter-clock.ts'
import type { Reception } from '../../../src/iot/radio/door.ts'
import { FakeTime } from '../../support/fakes.ts'

const ROUND = 2 ** 32
const reception = (gateway: string, tmstUs: number | null, change: Partial<Copy> = {}): Reception => ({
  phy: Uint8Array.of(1, 2, 3),
  frequencyHz: 868_100_000,
  modulation: { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/5' },
  copy: {
    gateway, time: tmstUs === null ? { kind: 'foreign', context: new Uint8Array() } : { kind: 'counter', tmstUs }, arrivedMs: 0, utcMs: null, gpsTimeMs: null, fineTimeNs: null,
    rssiDbm: -50, snrDb: 5, channel: 0, radio: 0, board: 0, antenna: 0, ...change,
  },
})

describe('copies', () => {
  it('are merged within the window, best first, and handed over once', () => {
    const collector = new CopyCollector()
    expect(collector.take('f', reception('a', 100, { snrDb: -3 }), 1_000, 200)).toBe('new')
    expect(collector.take('f', reception('b', 77_000_000, { snrDb: 7 }), 1_050, 200)).toBe('copy')
    expect(collector.take('f', reception('c', 5, { snrDb: 7, rssiDbm: -40 }), 1_199, 200)).toBe('copy')
    expect(collector.take('f', reception('d', null, { snrDb: 12 }), 1_199, 200)).toBe('copy')
    expect(collector.due(1_199)).toEqual([])
    expect(collector.nextDueMs).toBe(1_200)
    const [heard, ...more] = collector.due(1_200)
    expect(more).toEqual([])
    // `d` has no time of its own: no answer could go through it, however well it heard.
    expect(heard?.copies.map(({ gateway }) => gateway)).toEqual(['c', 'b', 'a', 'd'])
    expect(collector.take('f', reception('e', 9), 1_400, 200)).toBe('late-copy')
    expect(collector.due(5_000)).toEqual([])
    expect(collector.counts).toEqual({ new: 1, copy: 3, repeated: 0, 'late-copy': 1 })
  })
  it('of a repeated datagram are none, however late; antennas of one gateway are', () => {
    const collector = new CopyCollector()
    collector.take('f', reception('a', 100), 0, 0)
    expect(collector.take('f', reception('a', 100), 0, 0)).toBe('repeated')
    expect(collector.take('f', reception('a', 100, { antenna: 1 }), 0, 0)).toBe('copy')
    expect(collector.due(0).map(({ copies }) => copies.length)).toEqual([2])
    expect(collector.take('f', reception('a', 100), 15_000, 0)).toBe('repeated')
    expect(collector.due(60_000)).toEqual([])
  })
  it('of a device that sends the same again are a frame of their own, by the counter or by the time of arrival', () => {
    const collector = new CopyCollector()
    collector.take('f', reception('a', ROUND - 500_000), 0, 0)
    collector.due(0)
    // 0.9 s apart on the counter, across its wrap; 2.1 s are another transmission though the datagrams came together.
    expect(collector.take('f', reception('a', 400_000), 3_000, 0)).toBe('late-copy')
    expect(collector.take('f', reception('a', 1_600_000), 3_001, 0)).toBe('new')
    expect(collector.due(3_001)).toHaveLength(1)
    expect(collector.take('f', reception('b', 9), 3_500, 0)).toBe('late-copy')
    expect(collector.take('f', reception('b', 2_600_000), 6_000, 0)).toBe('new')
  })
  it('that are still collected when the next transmission comes are not lost', () => {
    const collector = new CopyCollector()
    collector.take('f', reception('a', 0), 0, 5_000)
    collector.take('f', reception('a', 2_000_000), 2_000, 5_000)
    expect(collector.due(2_000).map(({ copies }) => copies.length)).toEqual([1])
    expect(collector.due(7_000).map(({ copies }) => copies.length)).toEqual([1])
  })
  it('stay within bounds: copies, transmissions, what is known', () => {
    const collector = new CopyCollector()
    for (let gateway = 0; gateway < 100; gateway++) collector.take('f', reception(String(gateway), gateway), 0, 200)
    expect(collector.due(200)[0]?.copies).toHaveLength(32)
    let handed = 0
    for (let frame = 0; frame < 40_000; frame++) {
      collector.take(`x${frame}`, reception('a', frame), 1_000 + frame / 10, 60_000)
      if (frame % 500 === 0) handed += collector.due(1_000 + frame / 10).length
    }
    expect(collector.size.open).toBeLessThanOrEqual(1_024 + 500)
    expect(collector.size.known).toBeLessThanOrEqual(8_192)
    expect(handed + collector.due(1_000_000).length).toBe(40_000)
    expect(collector.size.open).toBe(0)
  })
})

describe("a concentrator's clock", () => {
  it('finds the moment of a slot from the least delayed reading, across wraps', () => {
    fc.assert(
      fc.property(fc.nat(ROUND - 1), fc.array(fc.record({ gapMs: fc.integer({ min: 1, max: 20_000 }), delayMs: fc.nat(80) }), { minLength: 3, maxLength: 60 }), (startUs, readings) => {
        const clock = new CounterClock()
        const trueUs = (atMs: number): number => (startUs + atMs * 1_000) % ROUND
        let atMs = 0
        for (const { gapMs, delayMs } of readings) clock.observe(trueUs((atMs += gapMs + 100)), atMs + delayMs)
        const slotMs = atMs + 1_000
        const found = clock.bootMsOf(trueUs(slotMs), atMs + 100) ?? Infinity
        const leastDelay = Math.min(...readings.slice(-2).map(({ delayMs }) => delayMs))
        expect(found).toBeGreaterThanOrEqual(slotMs - 0.01)
        expect(found).toBeLessThanOrEqual(slotMs + Math.max(leastDelay, 0) + 0.01)
        expect(clock.runs).toBe(0)
      }),
    )
  })
  it('believes a restart when two readings agree, and answers only in the time of the newest until then', () => {
    const clock = new CounterClock()
    clock.observe(900_000_000, 10_000)
    clock.observe(905_000_000, 15_000)
    clock.observe(2_000_000, 20_000)
    expect(clock.runs).toBe(0)
    expect(clock.isCurrent(905_000_000, 15_000)).toBe(false)
    expect(clock.isCurrent(2_000_000, 20_000)).toBe(true)
    expect(clock.bootMsOf(3_000_000, 20_000)).toBeNull()
    clock.observe(4_000_000, 22_000)
    expect(clock.runs).toBe(1)
    expect(clock.bootMsOf(5_000_000, 22_000)).toBe(23_000)
  })
  it('passes over one mistaken reading', () => {
    const clock = new CounterClock()
    clock.observe(1_000_000, 1_000)
    clock.observe(3_999_000_000, 2_000)
    clock.observe(3_000_000, 3_000)
    expect(clock.runs).toBe(0)
    expect(clock.isCurrent(3_000_000, 3_000)).toBe(true)
    expect(clock.bootMsOf(4_000_000, 3_000)).toBe(4_000)
  })
})

describe('a contest between boxes', () => {
  const village = (time: FakeTime, names: readonly string[]) => {
    const listeners = new Map<string, (offer: ContestOffer) => void>()
    return names.map((self) => new NeighbourContest({
      self, boxes: names.length - 1,
      tell: (offer) => { for (const [name, listener] of listeners) if (name !== self) listener(offer) },
      onOffer: (listener) => { listeners.set(self, listener); return () => listeners.delete(self) },
    }, time, time))
  }
  it.each([[1, [false, true, false]], [2, [false, true, true]], [3, [true, true, true]]])('sells %i copies, the best ones', async (maxCopies, expected) => {
    const time = new FakeTime()
    const boxes = village(time, ['a', 'b', 'c'])
    const snrDb = [-5, 8, 8]
    const asked = boxes.map((box, i) => box.isOurs({ frame: 'f', snrDb: snrDb[i] ?? 0, maxCopies, withinMs: 200 }))
    time.advance(200)
    expect(await Promise.all(asked)).toEqual(expected)
  })
  it('is over at once where there is one box', async () => {
    expect(await SOLE_BOX.isOurs({ frame: 'f', snrDb: 0, maxCopies: 1, withinMs: 200 })).toBe(true)
    expect(await village(new FakeTime(), ['a'])[0]?.isOurs({ frame: 'f', snrDb: 0, maxCopies: 1, withinMs: 200 })).toBe(true)
  })
  it('keeps a bounded number of frames', () => {
    const time = new FakeTime()
    const boxes = village(time, ['a', 'b'])
    for (let i = 0; i < 10_000; i++) void boxes[0]?.isOurs({ frame: `f${i}`, snrDb: 1, maxCopies: 1, withinMs: 1 })
    expect(boxes[1]?.size).toBeLessThanOrEqual(4_096)
  })
})
