/** Disks that fail, frames that are lost, repeated and forged, copies that are old, peers that flood. */
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { Box, accountSigner, channelOf, keyOf, noble, tempDir, until } from './box.ts'
import type { BoxSettings } from './box.ts'
import { MemoryLink } from './memory-link.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanUps.splice(0).reverse()) await clean()
})

const [A, B] = [accountSigner(noble, keyOf(1)).account, accountSigner(noble, keyOf(2)).account]
const CHANNEL = channelOf(A, B)

interface Pair {
  readonly a: Box
  readonly b: Box
  readonly time: FakeTime
  readonly links: readonly [MemoryLink, MemoryLink]
}

function make(key: number, link: MemoryLink, time: FakeTime, more: Partial<BoxSettings> = {}): Box {
  const box = new Box({ key, dir: tempDir(cleanUps), transport: link, clock: time, timers: time, ...more })
  cleanUps.push(() => box.stop())
  return box
}

async function pair(more: { a?: Partial<BoxSettings>; b?: Partial<BoxSettings> } = {}): Promise<Pair> {
  const time = new FakeTime()
  const links = [new MemoryLink(A), new MemoryLink(B)] as const
  const [a, b] = [make(1, links[0], time, more.a), make(2, links[1], time, more.b)]
  a.node.start()
  b.node.start()
  await a.open(B, 1_000_000n)
  await b.open(A, 1_000_000n)
  MemoryLink.join(...links)
  await until(() => a.node.isReady(CHANNEL) && b.node.isReady(CHANNEL))
  return { a, b, time, links }
}

/** Lets time pass until the ends agree: resends come by timers. */
async function settle({ a, b, time }: Pick<Pair, 'a' | 'b' | 'time'>): Promise<void> {
  await until(() => {
    time.advance(500)
    return a.node.inFlight(CHANNEL) === 0 && b.node.inFlight(CHANNEL) === 0
  })
}

/** A store whose turns fail while `isBroken`. */
function breakable(): { wrap: (store: Store) => Store; isBroken: boolean } {
  const switchable = {
    isBroken: false,
    wrap: (store: Store): Store => ({
      turn: (body) => (switchable.isBroken ? Promise.reject(new MeshBoxError('unavailable', 'the disk is full', { code: 'store-full' })) : store.turn(body)),
      read: (body) => store.read(body),
      backup: (path) => store.backup(path),
      stats: () => store.stats(),
      close: () => store.close(),
    }),
  }
  return switchable
}

describe('a disk that fails', () => {
  test("at the payer's: the order is told, nothing is sent, the nonce is not used up", async () => {
    const disk = breakable()
    const { a, b, links, time } = await pair({ a: { wrapStore: disk.wrap } })
    disk.isBroken = true
    const before = links[0].sent
    await expect(a.node.payDirect({ channel: CHANNEL, amount: 5n })).rejects.toMatchObject({ code: 'store-full' })
    expect(links[0].sent).toBe(before)
    expect(a.node.channel(CHANNEL)?.own.nonce).toBe(0n)
    disk.isBroken = false
    await (await a.node.payDirect({ channel: CHANNEL, amount: 7n })).delivered
    await settle({ a, b, time })
    expect(b.node.channel(CHANNEL)?.partner).toMatchObject({ nonce: 1n, transferred: 7n })
  })

  test("at the payee's: nothing is acknowledged or told; what is sent again is taken once", async () => {
    const disk = breakable()
    const { a, b, links, time } = await pair({ b: { wrapStore: disk.wrap } })
    const got: bigint[] = []
    b.node.onPayment((payment) => got.push(payment.amount))
    disk.isBroken = true
    const before = links[1].sent
    for (const amount of [1n, 2n, 3n]) await a.node.payDirect({ channel: CHANNEL, amount })
    await until(() => b.node.counts.groups > 3 && b.node.counts.waitingFrames === 0)
    expect(got).toEqual([])
    expect(links[1].sent).toBe(before)
    expect(b.node.channel(CHANNEL)?.partner.nonce).toBe(0n)
    disk.isBroken = false
    await settle({ a, b, time })
    expect(got).toEqual([1n, 2n, 3n])
    expect(b.node.channel(CHANNEL)?.partner.transferred).toBe(6n)
  })
})

describe('frames that do not come as they were sent', () => {
  test('lost, repeated and late frames: each payment counts once, in order', async () => {
    const { a, b, time, links } = await pair()
    const random = seededRandom(7)
    const late: Uint8Array[] = []
    for (const link of links)
      link.onWay = (frame) => {
        const dice = random.next()
        if (dice < 0.25) return []
        if (dice < 0.5) return [frame, frame]
        if (dice < 0.6) return [...late.splice(0), frame]
        if (dice < 0.65) late.push(frame.slice())
        return [frame]
      }
    const got: bigint[] = []
    b.node.onPayment((payment) => got.push(payment.amount))
    a.node.onPayment((payment) => got.push(-payment.amount))
    for (let i = 1; i <= 30; i++) {
      await a.node.payDirect({ channel: CHANNEL, amount: BigInt(i) })
      if (i % 3 === 0) await b.node.payDirect({ channel: CHANNEL, amount: 1n })
    }
    await settle({ a, b, time })
    expect(got.filter((amount) => amount > 0n)).toEqual(Array.from({ length: 30 }, (_, i) => BigInt(i + 1)))
    expect(got.filter((amount) => amount < 0n)).toHaveLength(10)
    expect(b.node.channel(CHANNEL)).toMatchObject({ own: { transferred: 10n }, partner: { transferred: 465n } })
    expect(a.node.channel(CHANNEL)?.phase).toBe('opened')
  })

  test('what is sent again is byte for byte what was sent first, also after a restart', async () => {
    const dir = tempDir(cleanUps)
    const { a, b, time, links } = await pair({ a: { dir } })
    const seen: string[] = []
    links[0].onWay = (frame) => {
      seen.push(Buffer.from(frame).toString('hex'))
      return []
    }
    await a.node.payDirect({ channel: CHANNEL, amount: 9n })
    time.advance(1500)
    time.advance(2500)
    await until(() => seen.length >= 3)
    links[0].cut()
    await a.stop()
    const link = new MemoryLink(A)
    const again = make(1, link, time, { dir })
    again.node.start()
    const resent: string[] = []
    link.onWay = (frame) => {
      resent.push(Buffer.from(frame).toString('hex'))
      return [frame]
    }
    MemoryLink.join(link, links[1])
    await settle({ a: again, b, time })
    expect(new Set(seen).size).toBe(1)
    expect(resent).toContain(seen[0])
    expect(b.node.channel(CHANNEL)?.partner.transferred).toBe(9n)
  })

  test('garbage and changed bytes move nothing, and too much of it ends the connection', async () => {
    const { a, b, links } = await pair()
    const random = seededRandom(3)
    const packets: Uint8Array[] = []
    links[0].onWay = (frame) => {
      packets.push(frame.slice())
      return [frame]
    }
    await (await a.node.payDirect({ channel: CHANNEL, amount: 50n })).delivered
    const [packet] = packets
    if (packet === undefined) throw new Error('nothing was sent')
    for (let i = 0; i < 60; i++) {
      const frame = i % 2 === 0 ? random.bytes(1 + Math.floor(random.next() * 300)) : packet.slice()
      if (i % 2 === 1) frame[Math.floor(random.next() * frame.length)] = (frame[0] ?? 0) ^ (1 + i)
      links[1].hear(A, frame)
    }
    await until(() => b.node.counts.waitingFrames === 0)
    await (await a.node.payDirect({ channel: CHANNEL, amount: 1n })).delivered
    expect(b.node.channel(CHANNEL)?.partner.transferred).toBe(51n)
    expect(links[1].disconnected).toEqual([])
    for (let i = 0; i < 200; i++) links[1].hear(A, random.bytes(40))
    await until(() => links[1].disconnected.length > 0)
    expect(b.node.channel(CHANNEL)?.phase).toBe('opened')
  })

  test("a stranger's frames cost no signature, and a third party cannot speak in a channel", async () => {
    const { a, b, links } = await pair()
    const packets: Uint8Array[] = []
    links[0].onWay = (frame) => {
      packets.push(frame.slice())
      return []
    }
    await a.node.payDirect({ channel: CHANNEL, amount: 50n })
    await until(() => packets.length > 0)
    const stranger = accountSigner(noble, keyOf(9)).account
    for (const packet of packets) links[1].hear(stranger, packet)
    await until(() => b.node.counts.refusedFrames >= 1)
    expect(b.node.channel(CHANNEL)?.partner.nonce).toBe(0n)
  })

  test('a flood is held back at a bound, and what was held back is still taken', async () => {
    const { a, b, links, time } = await pair()
    const packets: Uint8Array[] = []
    links[0].onWay = (frame) => {
      packets.push(frame.slice())
      return [frame]
    }
    await (await a.node.payDirect({ channel: CHANNEL, amount: 1n })).delivered
    let largest = 0
    for (let i = 0; i < 3000; i++) {
      links[1].hear(A, packets[0] ?? new Uint8Array(1))
      largest = Math.max(largest, b.node.counts.waitingFrames)
    }
    expect(largest).toBeLessThanOrEqual(1024)
    expect(links[1].paused).toBe(1)
    await until(() => b.node.counts.waitingFrames === 0)
    expect(links[1].paused).toBe(0)
    await a.node.payDirect({ channel: CHANNEL, amount: 2n })
    await settle({ a, b, time })
    expect(b.node.channel(CHANNEL)?.partner.transferred).toBe(3n)
  })
})

describe('a box restored from an old copy', () => {
  async function withOldCopy(amounts: readonly bigint[]): Promise<{ again: Box; b: Box; time: FakeTime }> {
    const [dir, copy] = [tempDir(cleanUps), tempDir(cleanUps)]
    const { a, b, time, links } = await pair({ a: { dir } })
    await (await a.node.payDirect({ channel: CHANNEL, amount: 100n })).delivered
    mkdirSync(copy, { recursive: true })
    await a.store.backup(join(copy, 'box.sqlite'))
    for (const amount of amounts) await (await a.node.payDirect({ channel: CHANNEL, amount })).delivered
    await settle({ a, b, time })
    links[0].cut()
    await a.stop()
    const restored = tempDir(cleanUps)
    cpSync(copy, restored, { recursive: true })
    const link = new MemoryLink(A)
    const again = make(1, link, time, { dir: restored })
    again.node.start()
    MemoryLink.join(link, links[1])
    return { again, b, time }
  }

  test('gets its own packets back before it sends anything, and goes on from there', async () => {
    const { again, b, time } = await withOldCopy([20n, 3n, 4n])
    expect(again.node.channel(CHANNEL)?.own.transferred).toBe(100n)
    await until(() => again.node.isReady(CHANNEL))
    expect(again.node.channel(CHANNEL)?.own).toMatchObject({ nonce: 4n, transferred: 127n })
    await again.node.payDirect({ channel: CHANNEL, amount: 1n })
    await settle({ a: again, b, time })
    expect(b.node.channel(CHANNEL)?.partner).toMatchObject({ nonce: 5n, transferred: 128n })
    expect(b.node.channel(CHANNEL)?.phase).toBe('opened')
  })

  test('that has signed another packet under a used nonce is stopped, at both ends, and nothing more is sent', async () => {
    const [dirA, dirB] = [tempDir(cleanUps), tempDir(cleanUps)]
    const [copyA, copyB] = [tempDir(cleanUps), tempDir(cleanUps)]
    const { a, b, time, links } = await pair({ a: { dir: dirA }, b: { dir: dirB } })
    await (await a.node.payDirect({ channel: CHANNEL, amount: 100n })).delivered
    await settle({ a, b, time })
    await a.store.backup(join(copyA, 'box.sqlite'))
    await b.store.backup(join(copyB, 'box.sqlite'))
    await (await a.node.payDirect({ channel: CHANNEL, amount: 20n })).delivered
    links[0].cut()
    await a.stop()
    // Two old copies meet each other: to them nonce 2 is free.
    const [linkA, linkB] = [new MemoryLink(A), new MemoryLink(B)]
    const [oldA, oldB] = [make(1, linkA, time, { dir: copyA }), make(2, linkB, time, { dir: copyB })]
    oldA.node.start()
    oldB.node.start()
    MemoryLink.join(linkA, linkB)
    await until(() => oldA.node.isReady(CHANNEL))
    await (await oldA.node.payDirect({ channel: CHANNEL, amount: 33n })).delivered
    linkA.cut()
    const alarms: string[] = []
    oldA.node.onAlarm(() => alarms.push('a'))
    b.node.onAlarm(() => alarms.push('b'))
    MemoryLink.join(linkA, links[1])
    await until(() => alarms.includes('a') && alarms.includes('b'))
    expect([oldA.node.channel(CHANNEL)?.phase, b.node.channel(CHANNEL)?.phase]).toEqual(['error', 'error'])
    await expect(oldA.node.payDirect({ channel: CHANNEL, amount: 1n })).rejects.toBeInstanceOf(MeshBoxError)
    expect(b.duties.some(({ duty }) => duty.kind === 'close' && duty.proof?.transferred === 120n)).toBe(true)
  })
})

test('who hears of the channel long after its partner agrees with it all the same', async () => {
  const time = new FakeTime()
  const links = [new MemoryLink(A), new MemoryLink(B)] as const
  const [a, b] = [make(1, links[0], time), make(2, links[1], time)]
  a.node.start()
  b.node.start()
  MemoryLink.join(...links)
  await a.open(B, 1_000_000n)
  // What A said of it was said to one who knew no such channel.
  await until(() => links[0].sent > 0)
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  await b.open(A, 1_000_000n)
  await until(() => {
    time.advance(500)
    return a.node.isReady(CHANNEL) && b.node.isReady(CHANNEL)
  })
  await (await b.node.payDirect({ channel: CHANNEL, amount: 5n })).delivered
  const sent = links.map((link) => link.sent)
  for (let second = 0; second < 30; second++) {
    time.advance(1000)
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  // And once they agree, nobody goes on asking.
  expect(links.map((link) => link.sent)).toEqual(sent)
})

test('what was taken without a view of the chain counts no more when the view is back: the next time without it has all of its room', async () => {
  const both = await pair({ b: { maxOfflineExposure: 50n } })
  const { a, b } = both
  for (const block of [1001, 1002]) {
    b.moments.move({ isFrozen: true })
    await a.node.payDirect({ channel: CHANNEL, amount: 50n })
    await settle(both)
    expect(b.node.channel(CHANNEL)?.offlineFrom).not.toBe(null)
    b.moments.move({ isFrozen: false, block })
    await until(() => b.node.channel(CHANNEL)?.offlineFrom === null)
  }
  expect(b.node.channel(CHANNEL)?.partner.transferred).toBe(100n)
})
