/** Frames that could not be handed over in time: let go for nothing, kept, and handed over later by their own rule. */
import { afterEach, describe, expect, it } from 'vitest'
import { fromHex } from '../../../src/base/index.ts'
import { auditReceipts } from '../../../src/iot/tenants/receipt/index.ts'
import { BOX, PAYER, curve, heardOf, opened, tenant, turns, uplink } from './tenant-box.ts'
import type { TenantBox } from './tenant-box.ts'

let box: TenantBox
afterEach(() => box.close())

const rows = (table: string): number => box.store.read((tx) => tx.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))?.n ?? -1

describe('undelivered', () => {
  it('after 60 s a frame is let go, costs nothing, and waits in the ring; then it is sold late, in order, at its own price', async () => {
    box = await opened()
    box.server().isOnline = false
    const takes = [1, 2, 3].map((fCnt) => box.house.take(heardOf(uplink(fCnt)), ['farm']))
    await box.pass(59_000, 500)
    expect(rows('iot_held')).toBe(3)
    const outcomes = await box.run(Promise.all(takes), 500)
    expect(outcomes.map((each) => each.get('farm'))).toEqual(['late', 'late', 'late'])
    expect(box.units()).toHaveLength(0)
    expect(box.house.admin.tenants()[0]).toMatchObject({ owed: 0n, lateFrames: 3 })

    box.server().isOnline = true
    await box.pass(2_000)
    expect(box.server().got.map((heard) => [heard.isLate, heard.id])).toEqual([1, 2, 3].map((fCnt) => [true, heardOf(uplink(fCnt)).id]))
    expect(box.units().map(({ kind, units, amount }) => [kind, units, amount])).toEqual([['late', 1, 4n], ['late', 1, 4n], ['late', 1, 4n]])
    expect(box.house.admin.tenants()[0]).toMatchObject({ owed: 12n, lateFrames: 0 })
  })

  it('in the order in which they were heard, also those that were being delivered while later ones went straight to the ring', async () => {
    box = await opened({ limits: { inFlight: 3 } }, [tenant({ creditWindow: 1_000_000n })])
    box.server().isOnline = false
    const takes = []
    for (let fCnt = 1; fCnt <= 8; fCnt++) {
      takes.push(box.house.take(heardOf(uplink(fCnt)), ['farm']))
      await box.pass(100, 50)
    }
    // Three wait their minute, five lie in the ring: back before the minute is over, the three come live, and none of the five before them.
    expect([rows('iot_held'), rows('iot_late')]).toEqual([3, 5])
    await box.pass(61_000, 500)
    expect((await Promise.all(takes)).map((each) => each.get('farm'))).toEqual(Array(8).fill('late'))
    box.server().isOnline = true
    await box.pass(6_000)
    expect(box.server().got.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((fCnt) => heardOf(uplink(fCnt)).id))
    expect(box.units()).toHaveLength(8)
  })

  it('none of them goes before an older one that is still being delivered', async () => {
    box = await opened({ limits: { inFlight: 1 } }, [tenant({ creditWindow: 1_000_000n })])
    box.server().answer = () => false // it refuses, and is there
    const takes = [1, 2].map(async (fCnt) => {
      await box.pass(100 * (fCnt - 1), 50)
      return box.house.take(heardOf(uplink(fCnt)), ['farm'])
    })
    await box.pass(20_000, 500)
    expect([rows('iot_held'), rows('iot_late')]).toEqual([1, 1])
    expect(box.server().got.filter(({ isLate }) => isLate)).toEqual([])
    box.server().answer = () => true
    await box.pass(20_000, 500)
    expect((await Promise.all(takes)).map((each) => each.get('farm'))).toEqual(['sold', 'late'])
    expect(box.server().got.slice(-2).map(({ id, isLate }) => [id, isLate])).toEqual([[heardOf(uplink(1)).id, false], [heardOf(uplink(2)).id, true]])
  })

  it('at a price of 0 late frames are in no bill at all', async () => {
    box = await opened({}, [tenant({ prices: { ...tenant().prices, perLateFrame: 0n } })])
    box.server().isOnline = false
    const take = box.house.take(heardOf(uplink(1)), ['farm'])
    await box.pass(61_000, 500)
    expect((await take).get('farm')).toBe('late')
    box.server().isOnline = true
    await box.pass(2_000)
    expect(box.server().got).toHaveLength(1)
    expect(rows('iot_unit') + rows('iot_held') + rows('iot_late')).toBe(0)
  })

  it('a server that comes back within the time gets it live, once, with what it needs to answer', async () => {
    box = await opened()
    box.server().isOnline = false
    const take = box.house.take(heardOf(uplink(1)), ['farm'])
    await box.pass(20_000, 500)
    box.server().isOnline = true
    expect((await box.run(take)).get('farm')).toBe('sold')
    expect(box.server().got).toEqual([heardOf(uplink(1))])
  })

  it('a refusal is tried again, not sooner than a second later; the frame is billed once', async () => {
    box = await opened()
    let refusals = 2
    box.server().answer = () => refusals-- <= 0
    expect(await box.take(uplink(1))).toBe('sold')
    expect(box.server().got).toHaveLength(3)
    expect(box.units()).toHaveLength(1)
  })

  it('without credit nothing is kept, and what is kept waits for a payment', async () => {
    box = await opened({}, [tenant({ creditWindow: 10n })])
    box.server().isOnline = false
    const take = box.house.take(heardOf(uplink(1)), ['farm'])
    await turns()
    expect(await box.take(uplink(2))).toBe('no-credit')
    await box.pass(61_000, 500)
    expect((await take).get('farm')).toBe('late')
    box.server().isOnline = true
    expect(await box.take(uplink(3))).toBe('sold')
    await box.pass(6_000)
    expect(box.server().got).toHaveLength(1)
    box.payments.pay(10n)
    await box.pass(6_000)
    expect(box.server().got.map((heard) => heard.isLate)).toEqual([false, true])
  })

  it('a late frame that is not acknowledged stays first', async () => {
    box = await opened()
    box.server().isOnline = false
    const takes = [1, 2].map((fCnt) => box.house.take(heardOf(uplink(fCnt)), ['farm']))
    await box.run(Promise.all(takes), 500)
    box.server().isOnline = true
    box.server().answer = () => false
    await box.pass(2_000)
    expect(box.server().got.map((heard) => heard.id)).toEqual([heardOf(uplink(1)).id])
    expect(rows('iot_late')).toBe(2)
    expect(rows('iot_held')).toBe(0)
    box.server().answer = () => true
    await box.pass(8_000)
    expect(box.server().got.map((heard) => heard.id)).toEqual([1, 1, 2].map((fCnt) => heardOf(uplink(fCnt)).id))
    expect(box.units()).toHaveLength(2)
  })

  it('joins are of no use later: a repetition of one that did not arrive is taken', async () => {
    const phy = fromHex('0039363463336913AA05693574323831330489C65B1304')
    const joinEui = [...phy.subarray(1, 9)].reverse().map((byte) => byte.toString(16).padStart(2, '0')).join('')
    box = await opened({}, [tenant({ routes: [{ kind: 'join', joinEui, devEui: null }] })])
    box.server().isOnline = false
    expect((await box.run(box.house.take(heardOf(phy), ['farm']), 500)).get('farm')).toBe('undelivered')
    box.server().isOnline = true
    expect(await box.take(phy)).toBe('sold')
  })
})

describe('who takes no late frames', () => {
  const writesOf = async (work: () => Promise<unknown>): Promise<number> => {
    const changes = (): number => box.store.read((tx) => tx.get<{ n: number }>('SELECT total_changes() AS n'))?.n ?? -1
    const before = changes()
    await work()
    return changes() - before
  }

  it('because his protocol has none, has none kept, and nothing is written for him afterwards', async () => {
    box = await opened({ limits: { inFlight: 2 } })
    const server = box.server()
    server.takesLate = false
    server.isOnline = false
    const takes = [1, 2, 3].map((fCnt) => box.house.take(heardOf(uplink(fCnt)), ['farm']))
    expect((await box.run(Promise.all(takes), 500)).map((each) => each.get('farm'))).toEqual(['undelivered', 'undelivered', 'undelivered'])
    expect(rows('iot_late') + rows('iot_held')).toBe(0)
    server.isOnline = true
    expect(await writesOf(() => box.pass(600_000, 1_000))).toBe(0)
    expect(server.got).toEqual([])
    expect(await writesOf(() => box.take(uplink(4)))).toBeGreaterThan(0)
    expect(box.units()).toHaveLength(1)
  })

  it('of a place where he could, and is at one now where he cannot, is given none of those that wait', async () => {
    box = await opened()
    box.server().isOnline = false
    expect((await box.run(box.house.take(heardOf(uplink(1)), ['farm']), 500)).get('farm')).toBe('late')
    box.server().takesLate = false
    box.server().isOnline = true
    expect(await writesOf(() => box.pass(600_000, 1_000))).toBe(0)
    expect(box.server().got).toEqual([])
  })

  it('since nobody of his is there for them, has nothing held for it', async () => {
    box = await opened()
    const server = box.server()
    server.isAwaited = ({ isLate }) => !isLate
    server.isOnline = false
    await box.run(box.house.take(heardOf(uplink(1)), ['farm']), 500)
    server.isOnline = true
    expect(await writesOf(() => box.pass(600_000, 1_000))).toBe(0)
    expect([server.got, rows('iot_late')]).toEqual([[], 1])
    server.isAwaited = () => true
    await box.pass(6_000)
    expect([server.got.length, rows('iot_late')]).toEqual([1, 0])
  })

  it('and refuses them one after the other is asked ever more seldom, at last four times an hour, and has them when he wants them', async () => {
    box = await opened({}, [tenant({ creditWindow: 1_000_000n })])
    const server = box.server()
    server.isOnline = false
    await box.run(Promise.all([1, 2].map((fCnt) => box.house.take(heardOf(uplink(fCnt)), ['farm']))), 500)
    server.isOnline = true
    server.answer = () => false
    await box.pass(6 * 3_600_000, 5_000)
    expect(server.got.length).toBeGreaterThan(6 * 3)
    expect(server.got.length).toBeLessThan(6 * 4 + 12)
    server.answer = () => true
    await box.pass(16 * 60_000, 5_000)
    expect([box.units().length, rows('iot_late')]).toEqual([2, 0])
  })
})

it('what nobody took for 30 days is gone, whatever lies behind it', async () => {
  box = await opened()
  box.server().isOnline = false
  await box.run(box.house.take(heardOf(uplink(1)), ['farm']), 500)
  await box.sleep(29 * 24 * 3_600_000)
  await box.run(box.house.take(heardOf(uplink(2)), ['farm']), 500)
  await box.sleep(2 * 24 * 3_600_000)
  await box.pass(2_000)
  expect(box.house.admin.tenants()[0]?.lateFrames).toBe(1)
  box.server().isOnline = true
  await box.pass(6_000)
  expect(box.server().got.map(({ id }) => id)).toEqual([heardOf(uplink(2)).id])
})

describe('a late frame with no price of its own', () => {
  it('costs what it would have cost in time, and is in the receipt so', async () => {
    box = await opened({}, [tenant({ prices: { ...tenant().prices, perLateFrame: null } })])
    box.server().isOnline = false
    await box.run(Promise.all([box.house.take(heardOf(uplink(1, { bytes: 1 })), ['farm']), box.house.take(heardOf(uplink(2, { bytes: 100 })), ['farm'])]), 500)
    await box.restart()
    expect(box.house.admin.tenants()[0]?.prices.perLateFrame, 'on disk').toBeNull()
    box.server().isOnline = true
    await box.pass(70_000, 500)
    expect(box.units().map(({ kind, units, amount }) => [kind, units, amount])).toEqual([['late', 1, 10n], ['late', 5, 50n]])
    expect(box.receipts()[0]?.cumAmount).toBe(60n)
    expect(auditReceipts({ receipts: box.receipts(), units: box.units(), frames: new Set(box.server().got.map(({ id }) => id)), gateway: BOX, payer: PAYER, pricePerUnit: 10n }, curve)).toMatchObject({ problems: [], provenUnits: 2 })
  })
})

describe('a server that takes frames and never acknowledges', () => {
  it('gets what is in flight in the first minute, then one after ever longer pauses; the rest waits in the ring', async () => {
    box = await opened({ limits: { inFlight: 8, unanswered: 4 } }, [tenant({ creditWindow: 1_000_000n })])
    box.server().answer = () => new Promise<boolean>(() => undefined)
    const takes = []
    for (let minute = 0; minute < 10; minute++) {
      for (let i = 0; i < 30; i++) takes.push(box.house.take(heardOf(uplink(30 * minute + i)), ['farm']))
      await turns(20)
      await box.pass(60_000, 1_000)
    }
    const outcomes = await Promise.all(takes)
    expect(outcomes.every((each) => each.get('farm') === 'late')).toBe(true)
    const live = box.server().got.filter((heard) => !heard.isLate)
    expect(live.length).toBeLessThanOrEqual(8 + 4)
    const late = new Set(box.server().got.filter((heard) => heard.isLate).map((heard) => heard.id))
    expect(late.size, 'of the late ones the first, again and again').toBe(1)
    expect(box.units()).toHaveLength(0)

    box.server().answer = () => true
    // It was silent for ten minutes, and its pause is not longer than that.
    await box.pass(600_000, 1_000)
    expect(await box.take(uplink(1_000))).toBe('sold')
    expect(box.house.admin.tenants()[0]?.lateFrames).toBe(0)
  })
})
