/** Tenants who gave no keys: a frame is billed when its counter rises. What does not rise is handed over and costs nothing, until it is a line of its own. */
import { afterEach, describe, expect, it } from 'vitest'
import type { Moment } from '../../../src/base/index.ts'
import type { Downlink } from '../../../src/iot/ports.ts'
import { forgetLines, forgetOldestLines, moveLine, surplusLines } from '../../../src/iot/tenants/io/line-tables.ts'
import { follow } from '../../../src/iot/tenants/line.ts'
import type { Line } from '../../../src/iot/tenants/line.ts'
import type { Tx } from '../../../src/store/index.ts'
import { heardOf, opened, tenant, uplink } from './tenant-box.ts'
import type { TenantBox } from './tenant-box.ts'

const HOUR_MS = 3_600_000
const at = (hours: number, bootId = 'first', wallTrusted = true): Moment => ({ bootId, boottimeMs: hours * HOUR_MS, wallMs: 1e12 + hours * HOUR_MS, wallTrusted })

/** What becomes of counters heard one after another, an hour apart unless it is said. */
function walk(counters: readonly number[], hoursApart = 1, from: Line | null = null): { readonly words: string; readonly line: Line | null } {
  let line = from
  const words = counters.map((fCnt, index) => {
    const next = follow(line, fCnt, at(index * hoursApart), false)
    line = next.line
    return next.verdict[0]
  })
  return { words: words.join(''), line }
}

describe('a counter', () => {
  it('rises by 1 to 16,384, over its 16 bits too', () => {
    expect(walk([5, 6, 9, 16_393, 32_000, 48_000, 60_000, 65_535, 0, 3]).words).toBe('rrrrrrrrrr')
    for (const [last, fCnt, word] of [[5, 5, 's'], [5, 4, 's'], [5, 16_390, 's'], [65_530, 16_378, 'r'], [65_530, 16_379, 's']] as const) expect(walk([last, fCnt]).words).toBe(`r${word}`)
  })

  it('that begins anew is believed when it has risen three times over a day, and not before', () => {
    expect(walk([900, 0, 1, 2, 3, 4], 8).words).toBe('rsssrr')
    expect(walk([900, 0, 1, 2, 3, 4], 1).words).toBe('rsssss')
    expect(walk([900, 0, 1], 30).words, 'two frames are no line').toBe('rss')
  })

  it('that stands still, or falls, is never billed', () => {
    expect(walk([0, 0, 0, 0, 0, 0], 24).words).toBe('rsssss')
    expect(walk([900, 90, 80, 70, 60, 50, 40], 24).words).toBe('rssssss')
  })

  it('is no line of its own while the device itself goes on once a day: a recording played in its order costs nothing', () => {
    const played = Array.from({ length: 200 }, (_, n) => (n % 20 === 0 ? 1_000 + n : n))
    expect(walk([999, ...played]).words.replaceAll('s', '')).toHaveLength(1 + 10)
  })

  it('of earlier runs of the machine counts by a clock that is believed, else as old as this run', () => {
    const { line } = walk([900, 0, 1, 2], 0)
    const after = (moment: Moment): string => follow(line, 3, moment, false).verdict
    expect([after({ ...at(1, 'second'), wallMs: 1e12 + 25 * HOUR_MS }), after({ ...at(1, 'second', false), wallMs: 1e12 + 25 * HOUR_MS }), after(at(25, 'second', false))]).toEqual(['rises', 'stays', 'rises'])
  })

  it('begins anew at once after a join, with one of its first frames', () => {
    const { line } = walk([900])
    expect([follow(line, 0, at(1), true).verdict, follow(line, 8, at(1), true).verdict, follow(line, 901, at(1), true).verdict]).toEqual(['restarts', 'stays', 'rises'])
  })
})

const ACCEPT: Omit<Downlink, 'tenant'> = {
  id: 1, gateway: '0102030405060708', purpose: 'join', priority: 0, devEui: null, expiresMs: Infinity,
  windows: [{ phy: new Uint8Array(33), frequencyHz: 868_100_000, modulation: heardOf(uplink(1)).modulation, powerDbm: 14, hasCrc: false, isInverted: true, preambleSymbols: 8, board: 0, antenna: 0, timing: { kind: 'now' } }],
}

const joinRequest = (nonce: number): Uint8Array => {
  const phy = new Uint8Array(23)
  phy.set([0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, nonce], 1)
  return phy
}

describe('a tenant without keys', () => {
  let box: TenantBox
  afterEach(() => box.close())

  it('does not pay for what is played again after a day, after a restart either; what follows is billed', async () => {
    box = await opened()
    const recorded = [1, 2, 3, 4, 5].map((fCnt) => uplink(fCnt))
    for (const phy of recorded) expect(await box.take(phy)).toBe('sold')
    await box.sleep(24.5 * HOUR_MS)
    await box.pass(300_000, 10_000) // what was taken a day ago is forgotten
    for (const phy of recorded) expect(await box.take(phy)).toBe('free')
    expect(await box.take(uplink(6))).toBe('sold')
    expect(box.house.admin.tenants()[0]).toMatchObject({ owed: 60n, account: { cumUplinks: 6n }, outcomes: { free: 5, sold: 1 } })
    expect(box.server().got).toHaveLength(11)
  })

  it('gets every frame of a device that began at 0 again, and pays for them from the second day on', async () => {
    box = await opened()
    await box.take(uplink(700))
    const outcomes: (string | undefined)[] = []
    for (let hour = 0; hour < 30; hour += 6) {
      outcomes.push(await box.take(uplink(hour / 6, { bytes: 11 })))
      await box.sleep(6 * HOUR_MS)
    }
    expect(outcomes).toEqual(['free', 'free', 'free', 'free', 'sold'])
    expect(box.server().got).toHaveLength(6)
  })

  it('gets no more for nothing than a day of a slow device and a tenth of what he pays, whatever his devices count', async () => {
    box = await opened()
    await box.take(uplink(5_000))
    for (let n = 1; n <= 96; n++) expect(await box.take(uplink(5_000 - n))).toBe('free')
    expect(await box.take(uplink(4_000))).toBe('repeated')
    for (let n = 1; n <= 10; n++) expect(await box.take(uplink(5_000 + n))).toBe('sold')
    expect([await box.take(uplink(3_000)), await box.take(uplink(2_000))]).toEqual(['free', 'repeated'])
    expect(box.server().got).toHaveLength(108)
  })

  it('gets no more of them when many are heard at once, nor for joins that cost nothing', async () => {
    box = await opened({}, [tenant({ routes: [...tenant().routes, { kind: 'join', joinEui: '1122334455667788', devEui: null }] })])
    await box.take(uplink(5_000))
    for (let n = 1; n <= 90; n++) await box.take(uplink(5_000 - n))
    const many = await box.run(Promise.all(Array.from({ length: 30 }, (_, n) => box.house.take(heardOf(uplink(4_000 - n)), ['farm']))))
    expect(many.filter((each) => each.get('farm') === 'free')).toHaveLength(6)
    for (let nonce = 0; nonce < 20; nonce++) expect(await box.take(joinRequest(nonce))).toBe('sold')
    expect(await box.take(uplink(3_000))).toBe('repeated')
  })

  it('loses none of them to a server that is away, and those that it got without a word count', async () => {
    box = await opened({ limits: { holdMs: 100, unanswered: 1_000 } })
    await box.take(uplink(5_000))
    box.server().isOnline = false
    for (let n = 1; n <= 100; n++) expect(await box.take(uplink(5_000 - n))).toBe('undelivered')
    box.server().isOnline = true
    box.server().answer = () => false
    for (let n = 1; n <= 90; n++) expect(await box.take(uplink(4_500 - n))).toBe('undelivered')
    box.server().answer = () => true
    const outcomes = []
    for (let n = 1; n <= 7; n++) outcomes.push(await box.take(uplink(4_000 - n)))
    expect(outcomes).toEqual([...Array<string>(6).fill('free'), 'repeated'])
  })

  it('is offered a repetition of one that came while too much was under way', async () => {
    box = await opened({ limits: { inFlight: 1 } })
    await box.take(uplink(9))
    box.server().isOnline = false
    const first = box.house.take(heardOf(uplink(10)), ['farm'])
    await box.pass(500)
    expect(await box.take(uplink(3))).toBe('undelivered')
    box.server().isOnline = true
    expect((await box.run(first)).get('farm')).toBe('sold')
    expect(await box.take(uplink(3))).toBe('free')
  })

  it('pays at once for a device that his server let join through this box, once for each join', async () => {
    box = await opened()
    for (const fCnt of [700, 701]) await box.take(uplink(fCnt))
    await box.run(box.house.order('farm', ACCEPT))
    expect([await box.take(uplink(0)), await box.take(uplink(1))]).toEqual(['sold', 'sold'])
    await box.take(uplink(700, { devAddr: 0x2601_0002 }))
    expect(await box.take(uplink(0, { devAddr: 0x2601_0002 }))).toBe('free')

    // Of two at once it is one, and one that goes straight to the ring counts, too.
    const addresses = [0x2601_0003, 0x2601_0004, 0x2601_0005]
    for (const devAddr of addresses) await box.take(uplink(700, { devAddr }))
    await box.run(box.house.order('farm', { ...ACCEPT, id: 2 }))
    const both = await box.run(Promise.all(addresses.slice(0, 2).map((devAddr) => box.house.take(heardOf(uplink(0, { devAddr })), ['farm']))))
    expect(both.map((each) => each.get('farm'))).toEqual(['sold', 'free'])
    expect(await box.take(uplink(0, { devAddr: 0x2601_0005 }))).toBe('free')
  })

  it('pays late for one device that joined while too much was under way, not for every one', async () => {
    box = await opened({ limits: { inFlight: 1 } })
    for (const devAddr of [0x2601_0002, 0x2601_0003]) await box.take(uplink(700, { devAddr }))
    await box.run(box.house.order('farm', ACCEPT))
    box.server().isOnline = false
    const first = box.house.take(heardOf(uplink(1)), ['farm'])
    await box.pass(500)
    expect(await box.take(uplink(0, { devAddr: 0x2601_0002 }))).toBe('late')
    expect(await box.take(uplink(0, { devAddr: 0x2601_0003 }))).toBe('undelivered')
    await box.pass(61_000, 500)
    expect((await first).get('farm')).toBe('late')
  })

  it('has nothing held, billed or kept late of what is free and not taken; a repetition is offered again', async () => {
    box = await opened({ limits: { holdMs: 2_000 } })
    await box.take(uplink(9))
    box.server().answer = () => false
    expect(await box.take(uplink(3))).toBe('undelivered')
    box.server().answer = () => true
    expect(await box.take(uplink(3))).toBe('free')
    expect(box.house.admin.tenants()[0]).toMatchObject({ owed: 10n, lateFrames: 0 })
  })

  it('leaves no counters behind when he is gone', async () => {
    box = await opened()
    await box.take(uplink(9))
    const lines = (): number => box.store.read((tx) => tx.get<{ count: number }>('SELECT count(*) AS count FROM iot_line')?.count ?? 0)
    expect(lines()).toBe(1)
    await box.run(box.house.admin.end('farm'))
    expect(lines()).toBe(0)
  })

  it('has so many counters kept; those begun first go first', async () => {
    box = await opened()
    await box.store.turn((tx) => {
      for (let devAddr = 0; devAddr < 30; devAddr++) moveLine(tx, 'farm', devAddr, 7, at(0), false)
    })
    expect(await box.store.turn((tx) => forgetOldestLines(tx, 'farm', surplusLines(tx, 'farm', 20)))).toBe(10)
    expect(await box.store.turn((tx) => [9, 10].map((devAddr) => moveLine(tx, 'farm', devAddr, 7, at(0), false)))).toEqual(['rises', 'stays'])
  })

  it('has no counters of other tenants read for his own, nor his own sorted', async () => {
    box = await opened()
    const plans = await box.store.turn((tx) => {
      const statements: [string, readonly unknown[]][] = []
      const noted = <T>(answer: T) => (sql: string, ...values: readonly unknown[]): T => (statements.push([sql, values]), answer)
      const spy = { ...tx, run: noted(0), get: noted(undefined), all: noted([]) } as unknown as Tx
      surplusLines(spy, 'farm')
      forgetOldestLines(spy, 'farm', 5)
      forgetLines(spy, 'farm')
      moveLine(spy, 'farm', 7, 7, at(0), false)
      return statements.map(([sql, values]) => tx.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...values.map((value) => value as string)).map(({ detail }) => detail))
    })
    expect(plans.length).toBe(5)
    expect(plans.flat().filter((step) => /SCAN|TEMP B-TREE/.test(step) && !/LIST SUBQUERY/.test(step))).toEqual([])
    expect(plans.flat().filter((step) => /tenant=\?/.test(step)).length).toBeGreaterThanOrEqual(4)
  })
})
