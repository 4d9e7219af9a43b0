/** Streams in the real session core: paid time becomes gate time, to the tick; earnings reach the ledger once; restarts. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { forgetOldSessions } from '../../../src/hotspot/io/session-tables.ts'
import type { StreamEvidence, StreamSale } from '../../../src/hotspot/stream/index.ts'
import { settle as settled } from '../../../src/hotspot/session/index.ts'
import { settle } from '../../support/hotspot-box.ts'
import { StreamHotspot } from './stream-hotspot.ts'

const MAC = '02:00:00:00:00:01'
const SALE: StreamSale = { stream: 'channel.1.00000001', channel: 'channel', epoch: 1n, device: MAC, payer: '0xaa', unit: 7n, tickSeconds: 1, base: 0n }
const voucher = (cumulative: bigint): StreamEvidence => ({ cumulative, tip: '0x11', steps: 60, signature: new Uint8Array(65).fill(1) })
const GRACE = 15

let box: StreamHotspot
beforeEach(async () => {
  box = new StreamHotspot()
  await box.start()
})
afterEach(() => box.dispose())

const isOpen = (): boolean => box.kernel.isOpen(MAC)
const balance = (account: string): bigint => box.store.read((tx) => box.ledger.balance(tx, account, 'MBX'))
const allow = async (ticks: number, sale = SALE): Promise<void> => {
  box.till.allow(sale, ticks)
  await settle()
}
/** A tick each second from `from` on, as the payee's desk would say it. */
async function pay(from: number, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await allow(from + second + 1 + GRACE)
    await box.advance(1000)
  }
}
/** Seconds until the kernel closes, counted in steps of a tenth. */
async function secondsOpen(most: number): Promise<number> {
  for (let tenths = 0; tenths < most * 10; tenths++) {
    if (!isOpen()) return tenths / 10
    await box.advance(100)
  }
  return most
}

describe('paid by the second', () => {
  it('the gate opens with the first tick, stays open while ticks come, and closes one interval after the last paid second', async () => {
    await allow(1 + GRACE)
    expect(isOpen()).toBe(true)
    await pay(1, 100)
    expect(isOpen()).toBe(true)
    expect(box.till.used(SALE.stream)).toBeGreaterThanOrEqual(99)
    // 101 ticks are paid and 100 s have passed.
    const rest = await secondsOpen(60)
    expect(rest).toBeGreaterThanOrEqual(GRACE)
    expect(rest).toBeLessThanOrEqual(1 + GRACE)
    expect(box.till.used(SALE.stream)).toBe(101 + GRACE)
  })
  it('the kernel never holds a lease past what is paid, however long the box’s leases are', async () => {
    await allow(1 + GRACE)
    const started = box.time.boottimeMs()
    for (let second = 0; second < 90; second++) {
      await allow(second + 2 + GRACE)
      await box.advance(1000)
      expect(box.kernel.openUntilMs(MAC)).toBeLessThanOrEqual(started + (second + 2 + GRACE) * 1000 + 50)
      expect(isOpen()).toBe(true)
    }
  })
  it('a hundred guests share one change of the gate when their leases end', async () => {
    const sales = Array.from({ length: 100 }, (_, n) => ({ ...SALE, stream: `channel${n}.1.1`, channel: `channel${n}`, device: `02:00:00:00:01:${n.toString(16).padStart(2, '0')}` }))
    for (const sale of sales) box.till.allow(sale, 1 + GRACE)
    for (let round = 0; round < 20; round++) await settle()
    const turns = box.store.stats().turns
    for (let second = 0; second < 30; second++) {
      for (const sale of sales) box.till.allow(sale, second + 2 + GRACE)
      await box.advance(1000)
    }
    expect(box.kernel.openMacs()).toHaveLength(100)
    // Checkpoints, and no write for each tick or guest.
    expect(box.store.stats().turns - turns).toBeLessThanOrEqual(10)
  })
  it('paid again after the time was used up, the next session goes on counting', async () => {
    await allow(5 + GRACE)
    await box.advance(25_000)
    expect(isOpen()).toBe(false)
    expect(box.till.used(SALE.stream)).toBe(20)
    await box.advance(6000)
    await allow(40 + GRACE)
    expect(isOpen()).toBe(true)
    await box.advance(10_000)
    expect(box.till.used(SALE.stream)).toBe(30)
    expect(await box.till.end(SALE.stream)).toBe(30)
    expect(isOpen()).toBe(false)
  })
})

describe('pause, resume, end', () => {
  it('a paused session uses no ticks, whatever is paid meanwhile', async () => {
    await allow(60 + GRACE)
    await box.advance(10_000)
    await box.pause(MAC)
    expect(isOpen()).toBe(false)
    await allow(90 + GRACE)
    await box.advance(30_000)
    expect(box.till.used(SALE.stream)).toBe(10)
    await box.resume(MAC)
    await box.advance(10_000)
    expect(box.till.used(SALE.stream)).toBe(20)
    expect(box.live.ofDevice(MAC)?.allotments[0]?.grantedMs).toBe((90 + GRACE) * 1000)
  })
  it('the end gives the ticks used, closes, and is the same when asked again', async () => {
    await allow(600 + GRACE)
    await box.advance(61_400)
    expect(await box.till.end(SALE.stream)).toBe(62)
    expect(isOpen()).toBe(false)
    expect(box.live.ofDevice(MAC)).toBeUndefined()
    expect(await box.till.end(SALE.stream)).toBe(62)
    await allow(700)
    await box.advance(2000)
    expect(isOpen()).toBe(false)
    expect(box.till.used(SALE.stream)).toBe(62)
  })
  it('a stream that is over stays so after the service was killed: whoever asked for the end has not noted it, and asks again', async () => {
    const sale = { ...SALE, tickSeconds: 2 }
    await allow(300 + GRACE, sale)
    await box.advance(500_400)
    expect(await box.till.end(SALE.stream)).toBe(251)
    await box.kill()
    await box.start()
    expect([box.till.isOver(SALE.stream), box.till.isOver('channel.1.00000002')]).toEqual([true, false])
    await allow(300 + GRACE, sale)
    await box.advance(2000)
    expect(isOpen()).toBe(false)
    expect(box.till.used(SALE.stream)).toBe(251)
    expect(await box.till.end(SALE.stream)).toBe(251)
  })
  it('so does one that an earlier version ended: its session says what it used', async () => {
    await allow(300 + GRACE)
    await box.advance(200_000)
    expect(await box.till.end(SALE.stream)).toBe(200)
    await box.kill()
    await box.store.turn((tx) => tx.run('UPDATE hotspot_stream SET used_ms = NULL'))
    await box.start()
    await allow(300 + GRACE)
    await box.advance(2000)
    expect(isOpen()).toBe(false)
    expect([box.till.used(SALE.stream), await box.till.end(SALE.stream)]).toEqual([200, 200])
  })
  it('ended before it was used: nothing was used', async () => {
    await allow(600 + GRACE)
    expect(await box.till.end(SALE.stream)).toBe(0)
  })
  it('time of a voucher in the same session stays when the stream ends', async () => {
    await allow(60 + GRACE)
    const session = box.live.ofDevice(MAC)
    if (session === undefined) throw new Error('no session')
    await box.keeper.perform(session, {
      type: 'bought',
      at: box.keeper.now(),
      terms: { source: 'owner', bearer: null, label: 'a gift', grantedMs: 600_000, grantedBytes: null, devices: 1, downKbps: null, upKbps: null, price: 0n },
    })
    await box.advance(10_000)
    expect(await box.till.end(SALE.stream)).toBe(10)
    expect(isOpen()).toBe(true)
    await box.advance(5000)
    const left = box.live.ofDevice(MAC)
    expect(left && settled(left, box.time.boottimeMs()).allotments.map(({ usedMs }) => usedMs)).toEqual([10_000, 5000])
  })
})

describe('beside a voucher that is taken back', () => {
  it('nothing is charged for which the kernel is shut, and whoever pays stays online', async () => {
    const terms = { source: 'voucher', bearer: '1.0.1', label: 'forty', grantedMs: 40_000, grantedBytes: null, devices: 1, downKbps: null, upKbps: null, price: 0n } as const
    await box.redeem.begin(await box.redeem.newDevice(MAC, null), terms, (_tx, session) => session)
    await allow(1 + GRACE)
    await box.advance(5000)
    const session = box.live.ofDevice(MAC)
    if (session === undefined) throw new Error('no session')
    await box.keeper.perform(session, { type: 'revoke', at: box.keeper.now(), bearer: '1.0.1' })
    for (let second = 0; second < 40; second++) {
      await allow(second + 2 + GRACE)
      expect(isOpen(), `in second ${second}`).toBe(true)
      await box.advance(1000)
    }
    expect(box.till.used(SALE.stream)).toBe(40)
  })
})

describe('beside others', () => {
  it('whoever pays is served by himself, and whoever shares his voucher is not served for it', async () => {
    const OTHER = '02:00:00:00:00:02'
    const terms = { source: 'voucher', bearer: '1.0.1', label: 'for two', grantedMs: 20_000, grantedBytes: null, devices: 2, downKbps: null, upKbps: null, price: 0n } as const
    await box.redeem.begin(await box.redeem.newDevice(MAC, null), terms, (_tx, session) => session)
    const shared = box.live.ofDevice(MAC)
    if (shared === undefined) throw new Error('no session')
    await box.keeper.perform(shared, { type: 'bind', at: box.keeper.now(), device: await box.redeem.newDevice(OTHER, null), byTicket: false })
    expect([box.kernel.isOpen(MAC), box.kernel.isOpen(OTHER)]).toEqual([true, true])
    await allow(60 + GRACE)
    expect([box.kernel.isOpen(MAC), box.kernel.isOpen(OTHER)]).toEqual([true, true])
    await box.advance(30_000)
    expect([box.kernel.isOpen(MAC), box.kernel.isOpen(OTHER)]).toEqual([true, false])
    expect(box.till.used(SALE.stream)).toBe(30)
  })
})

describe('earnings', () => {
  it('one entry for each voucher, for what it added; told twice it is posted once', async () => {
    box.till.earned(SALE, 420n, voucher(0n))
    await settle()
    box.till.earned(SALE, 420n, voucher(0n))
    box.till.earned(SALE, 840n, voucher(420n))
    await settle()
    box.till.earned(SALE, 700n, voucher(420n))
    await settle()
    const entries = box.store.read((tx) => box.ledger.entries(tx, { limit: 10 }))
    expect(entries.map(({ source, evidence }) => [source, evidence.type, evidence.facts?.['value']])).toEqual([
      ['hotspot:stream', 'stream-voucher', '420'],
      ['hotspot:stream', 'stream-voucher', '840'],
    ])
    expect(balance('channel:channel')).toBe(840n)
    expect(box.store.read((tx) => box.ledger.audit(tx)).every(({ sum, unbalancedEntries }) => sum === 0n && unbalancedEntries.length === 0)).toBe(true)
  })
  it('what the channel was worth before is not earned again by the next stream', async () => {
    box.till.earned(SALE, 420n, voucher(0n))
    await settle()
    box.till.earned({ ...SALE, stream: 'channel.1.00000002', base: 420n }, 500n, voucher(420n))
    await settle()
    expect(balance('channel:channel')).toBe(500n)
  })
  it('told again when its session is long forgotten it is still posted once, and the others are posted too', async () => {
    await allow(120 + GRACE)
    box.till.earned(SALE, 420n, voucher(0n))
    await settle()
    box.till.earned(SALE, 840n, voucher(420n))
    await settle()
    await box.till.end(SALE.stream)
    await box.kill()
    await box.store.turn((tx) => tx.run('DELETE FROM hotspot_session'))
    await box.start()
    box.till.earned(SALE, 840n, voucher(420n))
    box.till.earned({ ...SALE, stream: 'other.1.00000001', channel: 'other' }, 70n, voucher(0n))
    await settle()
    expect([balance('channel:channel'), balance('channel:other')]).toEqual([840n, 70n])
  })
  it('a last value that the disk did not take before its session was forgotten is posted for what it adds', async () => {
    await allow(120 + GRACE)
    box.till.earned(SALE, 420n, voucher(0n))
    await settle()
    await box.till.end(SALE.stream)
    await box.kill()
    await box.store.turn((tx) => tx.run('DELETE FROM hotspot_session'))
    await box.start()
    box.till.earned(SALE, 840n, voucher(420n))
    await settle()
    expect(balance('channel:channel')).toBe(840n)
  })
  it('so is what a stream adds that is still open when its session was forgotten; and that session is kept until then', async () => {
    await allow(20 + GRACE)
    box.till.earned(SALE, 70n, voucher(0n))
    await box.advance(40_000)
    expect(box.live.ofDevice(MAC)).toBeUndefined()
    await box.kill()
    await box.store.turn((tx) => forgetOldSessions(tx, 0))
    await box.start()
    await allow(20 + GRACE)
    await box.advance(1000)
    expect(isOpen()).toBe(false)
    box.till.earned(SALE, 140n, voucher(70n))
    await settle()
    expect(balance('channel:channel')).toBe(140n)
    expect(await box.till.end(SALE.stream)).toBe(20 + GRACE)
    await box.store.turn((tx) => forgetOldSessions(tx, 0))
    expect(box.store.read((tx) => tx.all('SELECT id FROM hotspot_session'))).toEqual([])
  })
  it('of each channel the newest stream is remembered, however many there were and are forgotten with their sessions', async () => {
    for (let n = 1; n <= 12; n++)
      for (const channel of ['channel', 'channel2', 'other']) {
        const stream = `${channel}.1.${n.toString(16).padStart(8, '0')}`
        const sale = { ...SALE, channel, stream, base: BigInt(n - 1) * 70n }
        // One of three pays a debt and no more: the gate is not opened for it.
        if (n % 3 !== 0) await allow(10 + GRACE, sale)
        await box.advance(1000)
        box.till.earned(sale, BigInt(n) * 70n, voucher(sale.base))
        await settle()
        await box.till.end(stream)
      }
    await box.kill()
    await box.store.turn((tx) => tx.run('DELETE FROM hotspot_session'))
    await box.start()
    const names = (table: string): unknown[] => box.store.read((tx) => tx.all<{ stream: string }>(`SELECT stream FROM ${table} ORDER BY stream`)).map(({ stream }) => stream)
    expect(names('hotspot_stream')).toEqual(['channel.1.0000000b', 'channel2.1.0000000b', 'other.1.0000000b'])
    expect(names('hotspot_stream_posted')).toEqual(['channel.1.0000000b', 'channel.1.0000000c', 'channel2.1.0000000b', 'channel2.1.0000000c', 'other.1.0000000b', 'other.1.0000000c'])
    expect(['channel', 'channel2', 'other'].map((channel) => balance(`channel:${channel}`))).toEqual([840n, 840n, 840n])
  })
  it('told again after a restart it is still posted once', async () => {
    box.till.earned(SALE, 420n, voucher(0n))
    await settle()
    await box.kill()
    await box.start()
    box.till.earned(SALE, 420n, voucher(0n))
    await settle()
    expect(balance('channel:channel')).toBe(420n)
  })
})

describe('restarts', () => {
  it('the service is killed: the guest stays online, and no tick is used twice or given for nothing', async () => {
    await allow(1 + GRACE)
    await pay(1, 100)
    await box.checkpoint.write()
    await box.kill()
    await box.advance(3000)
    await box.start()
    await allow(104 + GRACE)
    expect(isOpen()).toBe(true)
    await box.advance(1000)
    const used = box.till.used(SALE.stream)
    expect(used).toBeGreaterThanOrEqual(98)
    expect(used).toBeLessThanOrEqual(106)
    const rest = await secondsOpen(60)
    expect(rest).toBeLessThanOrEqual(104 + GRACE - used + 1.1)
  })
  it('what was granted is on disk after a minute, so that a block goes on by itself', async () => {
    await allow(600)
    await box.advance(65_000)
    await box.kill()
    await box.start()
    await settle()
    expect(isOpen()).toBe(true)
    expect(box.live.ofDevice(MAC)?.allotments[0]?.grantedMs).toBe(600_000)
  })
})
