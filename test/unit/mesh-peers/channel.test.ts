/** One stream: what a flooding, dripping, hoarding or sleeping peer gets, and that an honest one is never slowed into a penalty. */
import { beforeEach, describe, expect, it } from 'vitest'
import { Channel, FLOOD_GRACE_MS, FLOOD_POINTS, STALL_MS, frameTimeoutMs } from '../../../src/mesh/peers/channel.ts'
import { joinFrames } from '../../../src/mesh/peers/frames.ts'
import { MemoryBudget } from '../../../src/mesh/peers/memory-budget.ts'
import type { PeerProtocol } from '../../../src/mesh/ports.ts'
import { FakeTime } from '../../support/fakes.ts'
import { MemoryStream } from './memory-wire.ts'

const PROTOCOL: PeerProtocol = { name: '/test/1', maxFrameBytes: 1000, maxQueuedBytes: 4000, maxFramesPerSecond: 10, maxBytesPerSecond: 5000, sides: ['mesh'] }
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

let time: FakeTime
let budget: MemoryBudget
let spentMs: number
let written: number
beforeEach(() => {
  time = new FakeTime()
  spentMs = 0
  written = 0
  budget = new MemoryBudget(1_000_000, 10_000)
})

interface End {
  readonly channel: Channel
  readonly stream: MemoryStream
  readonly frames: Uint8Array[]
  readonly breaches: number[]
  readonly ends: { points: number; reason: string }[]
}

function end(protocol = PROTOCOL, onFrame: (frame: Uint8Array) => void = () => undefined): End {
  const stream = new MemoryStream()
  const frames: Uint8Array[] = []
  const breaches: number[] = []
  const ends: { points: number; reason: string }[] = []
  const channel = new Channel(
    protocol,
    stream,
    {
      onFrame: (frame) => {
        frames.push(frame)
        onFrame(frame)
      },
      onBreach: (points) => breaches.push(points),
      onEnd: (points, reason) => ends.push({ points, reason }),
    },
    { clock: { boottimeMs: () => time.boottimeMs() + spentMs }, timers: time, budget },
  )
  stream.attach(channel)
  return { channel, stream, frames, breaches, ends }
}

function pair(protocol = PROTOCOL): [End, End] {
  const [a, b] = [end(protocol), end(protocol)]
  a.stream.other = b.stream
  b.stream.other = a.stream
  return [a, b]
}

describe('sending', () => {
  it('puts frames of one turn into one write', async () => {
    const [a, b] = pair()
    for (let i = 1; i <= 5; i++) a.channel.send(new Uint8Array(i).fill(i))
    await settle()
    expect(a.stream.written).toHaveLength(1)
    expect(b.frames.map((frame) => frame.length)).toEqual([1, 2, 3, 4, 5])
  })

  it('is no faster than the partner must take, and costs the sender nothing', async () => {
    const [a, b] = pair({ ...PROTOCOL, maxQueuedBytes: 100_000, maxFramesPerSecond: 100 })
    for (let i = 0; i < 60; i++) expect(a.channel.send(new Uint8Array(500))).toBe(true)
    const arrived: number[] = []
    for (let second = 0; second < 9; second++) {
      await settle()
      arrived.push(b.frames.length)
      for (let step = 0; step < 20; step++) {
        time.advance(50)
        await settle()
      }
    }
    expect(arrived[0]).toBe(8) // a burst of one second
    for (let second = 1; second < 5; second++) expect((arrived[second] ?? 0) - (arrived[second - 1] ?? 0)).toBeLessThanOrEqual(9)
    expect(b.frames).toHaveLength(60)
    expect(b.breaches).toEqual([])
  })

  it('to a peer that does not read is refused above the bound, and ends after a while', async () => {
    const [a] = pair()
    a.stream.isStuck = true
    const taken = Array.from({ length: 20 }, () => a.channel.send(new Uint8Array(900))).filter(Boolean).length
    expect(taken).toBe(4)
    await settle()
    expect(a.channel.queuedBytes()).toBeLessThanOrEqual(PROTOCOL.maxQueuedBytes)
    expect(budget.written).toBe(a.channel.queuedBytes())
    time.advance(STALL_MS - 1)
    expect(a.ends).toEqual([])
    time.advance(1)
    expect(a.ends).toEqual([{ points: 0, reason: `/test/1: it did not read for ${STALL_MS} ms` }])
    expect(budget.written).toBe(0)
    expect(a.channel.send(Uint8Array.of(1))).toBe(false)
  })

  it('goes on for a slow reader that takes something now and then', async () => {
    const [a] = pair()
    a.stream.isStuck = true
    a.channel.send(new Uint8Array(900))
    for (let i = 0; i < 5; i++) {
      await settle()
      time.advance(STALL_MS - 1)
      a.stream.loosen()
      a.stream.isStuck = true
      a.channel.send(new Uint8Array(900))
    }
    expect(a.ends).toEqual([])
  })

  it('goes on for one that takes a little of what waits', async () => {
    const [a] = pair()
    a.stream.isStuck = true
    a.channel.send(new Uint8Array(900))
    for (let i = 0; i < 5; i++) {
      await settle()
      time.advance(STALL_MS - 1)
      a.stream.loosen(100)
    }
    expect(a.ends).toEqual([])
    time.advance(STALL_MS)
    expect(a.ends).toHaveLength(1)
  })

  it('of all peers together is bounded; some room is left for those that read, however many do not', () => {
    const max = 100_000
    budget = new MemoryBudget(max, 10_000)
    const asleep = Array.from({ length: 50 }, () => end({ ...PROTOCOL, maxQueuedBytes: 50_000 }))
    for (let round = 0; round < 100; round++) {
      for (const { channel, stream } of asleep) {
        stream.isStuck = true
        channel.send(new Uint8Array(500))
      }
    }
    expect(budget.written).toBeLessThan(max)
    expect(end().channel.send(new Uint8Array(500))).toBe(true)
    for (const { channel } of asleep) channel.end(0, 'over')
    expect(budget.written).toBe(502)
  })

  it('of a frame that is too long is our own error', () => {
    expect(() => end().channel.send(new Uint8Array(1001))).toThrow('1 to 1000 bytes')
  })
})

describe('receiving', () => {
  it('holds a flood in the network, and counts it against the peer when it does not end', () => {
    const one = end()
    const pour = (): void => one.stream.receive(joinFrames(Array.from({ length: 40 }, () => new Uint8Array(10)), 1000))
    pour()
    pour()
    expect(one.frames).toHaveLength(40) // four seconds' worth at once
    expect(one.stream.isPaused).toBe(true)
    for (let ms = 0; ms < FLOOD_GRACE_MS; ms += 100) {
      if (ms % 1000 === 0) pour()
      time.advance(100)
    }
    expect(one.frames.length).toBeGreaterThanOrEqual(40 + 290)
    expect(one.frames.length).toBeLessThanOrEqual(40 + 301)
    expect(one.breaches.length).toBeLessThanOrEqual(1)
    for (let ms = 0; ms < 10_000; ms += 100) {
      if (ms % 1000 === 0) pour()
      time.advance(100)
    }
    expect(one.breaches.length).toBeGreaterThanOrEqual(9)
    expect(one.breaches.length).toBeLessThanOrEqual(11)
    expect(new Set(one.breaches)).toEqual(new Set([FLOOD_POINTS]))
  })

  it('takes bytes as well as frames into account', () => {
    const one = end()
    one.channel.onBytes(joinFrames(Array.from({ length: 30 }, () => new Uint8Array(1000)), 1000))
    expect(one.frames).toHaveLength(20)
    expect(one.stream.isPaused).toBe(true)
  })

  it('forgives an honest sender whose link stands still again and again', async () => {
    const [a, b] = pair({ ...PROTOCOL, maxQueuedBytes: 100_000 })
    for (let second = 0; second < 300; second++) {
      a.channel.send(new Uint8Array(500))
      for (let i = 0; i < 7; i++) a.channel.send(new Uint8Array(400)) // as much as it may
      if (second % 30 === 10) a.stream.isStuck = true
      if (second % 30 === 20) {
        const late = a.stream.written.length
        a.stream.isStuck = false
        b.stream.receive(Buffer.concat(a.stream.written.slice(written, late)))
        a.stream.loosen()
      }
      if (!a.stream.isStuck) await settle()
      if (second % 30 === 9) written = a.stream.written.length
      for (let step = 0; step < 10; step++) {
        time.advance(100)
        await settle()
      }
    }
    expect(b.frames.length).toBeGreaterThan(2000)
    expect(b.breaches).toEqual([])
  })

  it('forgives a link that stood still for three seconds', () => {
    const one = end()
    time.advance(10_000)
    one.channel.onBytes(joinFrames(Array.from({ length: 40 }, () => new Uint8Array(10)), 1000))
    expect(one.breaches).toEqual([])
  })

  it('ends with points at a length that cannot be', () => {
    const one = end()
    one.channel.onBytes(Uint8Array.of(0xff, 0x7f))
    expect(one.ends).toEqual([{ points: 20, reason: expect.stringContaining('1 to 1000 bytes') as string }])
    one.channel.onBytes(joinFrames([Uint8Array.of(1)], 1000))
    expect(one.frames).toEqual([])
  })

  it('ends a frame that drips', () => {
    const one = end()
    const limitMs = frameTimeoutMs(PROTOCOL)
    one.channel.onBytes(Uint8Array.of(100))
    for (let second = 0; second < Math.floor(limitMs / 1000); second++) {
      time.advance(1000)
      one.channel.onBytes(Uint8Array.of(1))
    }
    expect(one.ends).toEqual([])
    time.advance(1000)
    expect(one.ends).toEqual([{ points: 10, reason: `/test/1: a frame took longer than ${limitMs} ms` }])
  })

  it('does not count a pause of our own against the peer', () => {
    const one = end()
    one.channel.onBytes(Uint8Array.of(2, 1))
    one.channel.pause()
    time.advance(10 * frameTimeoutMs(PROTOCOL))
    expect(one.ends).toEqual([])
    one.channel.resume()
    one.channel.onBytes(Uint8Array.of(2))
    expect(one.frames).toHaveLength(1)
  })

  it('hands nothing on while the consumer rests, and everything in order afterwards', () => {
    const one = end()
    const frame = (i: number): Uint8Array => joinFrames([Uint8Array.of(i)], 1000)
    one.channel.onBytes(frame(1))
    one.channel.pause()
    one.stream.receive(frame(2))
    one.stream.receive(frame(3))
    expect(one.frames).toHaveLength(1)
    one.channel.resume()
    expect(one.frames.map((each) => each[0])).toEqual([1, 2, 3])
  })

  it('gives others their turn after a slice, and goes on', () => {
    const one = end({ ...PROTOCOL, maxFramesPerSecond: 1000 }, () => {
      spentMs += 3 // what a listener takes
    })
    one.channel.onBytes(joinFrames(Array.from({ length: 20 }, () => Uint8Array.of(1)), 1000))
    expect(one.frames).toHaveLength(4)
    expect(one.stream.isPaused).toBe(true)
    time.advance(0)
    expect(one.frames).toHaveLength(20)
    expect(one.stream.isPaused).toBe(false)
    expect(one.breaches).toEqual([])
  })

  it('ends the stream, and not the service, when a listener throws at a frame', () => {
    const one = end(PROTOCOL, () => {
      throw new Error('a decoder refused it')
    })
    one.channel.onBytes(joinFrames([Uint8Array.of(1), Uint8Array.of(2)], 1000))
    expect(one.ends).toEqual([{ points: 20, reason: 'a decoder refused it' }])
    expect(one.frames).toHaveLength(1)
  })

  it('ends those that make us keep most, until the rest fits', () => {
    const ends = [end(), end(), end()]
    for (const [index, { channel, stream }] of ends.entries()) {
      channel.pause()
      stream.receive(new Uint8Array(2000 * (index + 1)))
    }
    expect(budget.held()).toBe(12_000)
    budget.sweep()
    expect(ends.map((each) => each.ends.map(({ points }) => points))).toEqual([[], [], [0]]) // our own rest is not their fault
    expect(budget.held()).toBe(6000)
    budget.sweep()
    expect(budget.streams).toBe(2)
    const flooder = end()
    flooder.channel.onBytes(joinFrames(Array.from({ length: 50 }, () => new Uint8Array(10)), 1000))
    flooder.stream.receive(new Uint8Array(9000))
    budget.sweep()
    expect(flooder.ends).toMatchObject([{ points: 20 }])
    expect(budget.streams).toBe(2)
  })
})
