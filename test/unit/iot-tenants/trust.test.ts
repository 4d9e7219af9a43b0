/** What a server may keep to itself: bounded, whatever share of its frames it acknowledges; and a server whose line is bad goes on. */
import { afterEach, describe, expect, it } from 'vitest'
import { Trust } from '../../../src/iot/tenants/trust.ts'
import { seededRandom } from '../../support/fakes.ts'
import { FakeServer, heardOf, opened, tenant, turns, uplink } from './tenant-box.ts'
import type { TenantBox } from './tenant-box.ts'

const [FRAMES, UNDER_WAY, QUICK] = [16, 64, 6]
const [PRICE, DEAREST] = [10n, 110n]
const HOUR_MS = 3_600_000

/** What he may have had for nothing after so long, having paid so much: docs/iot.md says the same. */
const boundOf = (paid: bigint, dearest: bigint, hours: number): bigint => dearest * BigInt(FRAMES + UNDER_WAY + QUICK + Math.ceil(hours)) + paid / 20n

/** A frame a second is there for him; `keeps` says which he does not acknowledge. One after the other, but up to 64 at once while he is trusted. */
function play(keeps: (n: number, amount: bigint) => boolean, amounts: (n: number) => bigint, hours: number): { readonly paid: bigint; readonly kept: bigint; readonly refused: number } {
  const trust = new Trust(FRAMES)
  let [paid, kept, refused] = [0n, 0n, 0]
  const ends: { atMs: number; amount: bigint; wasDoubted: boolean }[] = []
  for (let nowMs = 0, n = 0; nowMs < hours * HOUR_MS; nowMs += 1_000, n++) {
    while (ends[0] !== undefined && ends[0].atMs <= nowMs) {
      const { amount, wasDoubted, atMs } = ends.shift() ?? { amount: 0n, wasDoubted: false, atMs: 0 }
      trust.missed(amount, wasDoubted, atMs)
    }
    const amount = amounts(n)
    const wasDoubted = trust.isDoubted(amount)
    if (wasDoubted ? ends.length > 0 || trust.isResting(nowMs) : ends.length >= UNDER_WAY) refused++
    else if (keeps(n, amount)) {
      kept += amount
      ends.push({ atMs: nowMs + 60_000, amount, wasDoubted })
    } else {
      paid += amount
      trust.billed(amount)
    }
  }
  return { paid, kept, refused }
}

describe('a server that keeps frames to itself', () => {
  it.each([1, 2, 3, 5, 10, 15, 16, 17, 19, 20, 21, 22, 40, 64, 100, 1_000])('and acknowledges one in %i, or all others: bounded after each of many hours', (every) => {
    for (const keeps of [(n: number) => n % every !== 0, (n: number) => n % every === 0])
      for (const hours of [1, 10, 100]) {
        const { paid, kept } = play(keeps, () => PRICE, hours)
        expect(kept).toBeLessThanOrEqual(boundOf(paid, PRICE, hours))
      }
  })

  it('pays the cheap ones and keeps the dear ones: it is money that counts', () => {
    const random = seededRandom(3)
    for (const share of [0.02, 0.05, 0.1, 0.3, 0.7, 1]) {
      const dear = (): bigint => (random.next() < 0.2 ? DEAREST : PRICE)
      const { paid, kept } = play((_n, amount) => amount === DEAREST && random.next() < share, dear, 50)
      expect(kept).toBeLessThanOrEqual(boundOf(paid, DEAREST, 50))
    }
  })

  it('by any other plan: in runs, when he is trusted again, when he was paid up long before', () => {
    const random = seededRandom(7)
    for (let plan = 0; plan < 40; plan++) {
      const [run, share, patience] = [1 + Math.floor(random.next() * 3_000), random.next(), random.next()]
      const { paid, kept } = play((n) => (Math.floor(n / run) % 2 === 1 ? random.next() < share : random.next() < patience * 0.1), () => PRICE * BigInt(1 + Math.floor(random.next() * 11)), 30)
      expect(kept, `plan ${plan}`).toBeLessThanOrEqual(boundOf(paid, DEAREST, 30))
    }
  })

  it('and pays nothing at all: 16, those under way, then one an hour', () => {
    const { paid, kept } = play(() => true, () => PRICE, 240)
    expect(paid).toBe(0n)
    expect(kept).toBeGreaterThan(PRICE * 240n) // it is asked again: it may be mended
    expect(kept).toBeLessThanOrEqual(boundOf(0n, PRICE, 240))
  })

  it('of frames that cost nothing is not looked at', () => {
    expect(play(() => true, () => 0n, 2).refused).toBeLessThan(2 * 3_600)
    const trust = new Trust(0)
    expect([trust.isDoubted(0n), trust.isDoubted(1n)]).toEqual([false, true])
  })
})

describe('a server that means well', () => {
  it('and loses a frame in a hundred altogether is never doubted', () => {
    const random = seededRandom(5)
    expect(play(() => random.next() < 0.01, () => PRICE, 100).refused).toBe(0)
  })

  it('and was cut off with all that was under way is given the next one at once, and more at once when it has paid for a while', () => {
    const trust = new Trust(FRAMES)
    for (let n = 0; n < UNDER_WAY; n++) trust.missed(PRICE, false, 0)
    expect([trust.isDoubted(PRICE), trust.isResting(0)]).toEqual([true, false])
    let paid = 0
    for (; trust.isDoubted(PRICE); paid++) trust.billed(PRICE)
    expect(paid).toBe(20 * (UNDER_WAY - FRAMES) + 1)
  })

  it('and was silent for a night is given a frame within the hour, and is not doubted for ever', () => {
    const trust = new Trust(FRAMES)
    let nowMs = 0
    for (; nowMs < 12 * HOUR_MS; nowMs += 60_000) if (!trust.isDoubted(PRICE) || !trust.isResting(nowMs)) trust.missed(PRICE, trust.isDoubted(PRICE), nowMs)
    expect(trust.isResting(nowMs + HOUR_MS)).toBe(false)
    let paid = 0
    for (; trust.isDoubted(PRICE); paid++) trust.billed(PRICE)
    expect(paid).toBeLessThan(20 * (QUICK + 15))
  })
})

describe('a tenant', () => {
  let box: TenantBox
  afterEach(() => box.close())

  /** Of frames that come a few at a time: those that his server had, and what it paid. */
  async function served(every: number, frames: number): Promise<{ readonly kept: number; readonly paid: number }> {
    box = await opened({}, [tenant({ creditWindow: 1_000_000n, destination: { kind: 'gwmp', host: 'x', port: 1 } })])
    const server = box.server()
    server.takesLate = false
    const had = new Set<string>()
    server.answer = (heard) => {
      had.add(heard.id)
      return had.size % every === 0 ? true : new Promise<boolean>(() => undefined)
    }
    const takes: Promise<unknown>[] = []
    for (let n = 0; n < frames; n += 4) {
      for (let i = 0; i < 4; i++) takes.push(box.house.take(heardOf(uplink(n + i)), ['farm']))
      await turns(8)
      await box.pass(5_000, 1_000)
    }
    await box.run(Promise.all(takes), 1_000)
    const paid = box.units().length
    return { kept: had.size - paid, paid }
  }

  it.each([2, 16, 1_000])('whose server acknowledges every %ith frame it has had gets no more than that', async (every) => {
    const { kept, paid } = await served(every, 800)
    const hours = (200 * 5 + 60) / 3_600
    expect(BigInt(kept)).toBeLessThanOrEqual(boundOf(BigInt(paid), 1n, hours))
    expect(kept).toBeGreaterThanOrEqual(FRAMES)
  })

  it('whose line loses one try in three pays for every frame, and has none refused', async () => {
    const random = seededRandom(2)
    box = await opened({}, [tenant({ creditWindow: 1_000_000n })])
    box.server().answer = () => random.next() > 0.33
    const outcomes = []
    for (let n = 0; n < 200; n++) outcomes.push(await box.take(uplink(n)))
    expect(new Set(outcomes)).toEqual(new Set(['sold']))
    expect(box.units()).toHaveLength(200)
  })

  it('is begun with anew at another place, and not by a pause', async () => {
    box = await opened({ limits: { unanswered: 1, holdMs: 1_000 } })
    box.server().answer = () => false
    for (const n of [1, 2]) expect(await box.take(uplink(n))).toBe('late')
    box.server().answer = () => true
    await box.run(box.house.admin.pause('farm', true))
    await box.run(box.house.admin.pause('farm', false))
    expect(await box.take(uplink(3)), 'he has his pause of a minute').toBe('late')
    box.servers.set('farm', new FakeServer())
    await box.run(box.house.admin.put(tenant({ destination: { kind: 'gwmp', host: 'x', port: 1 } })))
    expect(await box.take(uplink(4))).toBe('sold')
  })

  it('is not doubted for what nobody was there to get, as our own broker knows', async () => {
    box = await opened({ limits: { unanswered: 1, holdMs: 1_000 } })
    const server = box.server()
    let isThere = false
    server.isAwaited = () => isThere
    for (let n = 0; n < 5; n++) expect(await box.take(uplink(n))).toBe('late')
    expect(server.got).toEqual([])
    isThere = true
    expect(await box.take(uplink(9))).toBe('sold')
  })

  it('that is doubted is named once in the log, not for each frame', async () => {
    const said: string[] = []
    const log = { debug: () => undefined, info: () => undefined, warn: (message: string) => void said.push(message), error: () => undefined, room: () => log }
    box = await opened({ limits: { unanswered: 2, holdMs: 1_000 }, deps: { log } })
    box.server().answer = () => false
    for (let n = 0; n < 5; n++) await box.take(uplink(n))
    expect(said).toEqual([expect.stringContaining('does not acknowledge')])
  })
})
