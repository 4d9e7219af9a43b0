/** Minutes that another box buys ahead: one purchase for a reference, for the device that laid the order, at the price that was said. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Hash } from '../../../src/base/index.ts'
import { aheadTables, type AheadDoor, type AheadPrice } from '../../../src/hotspot/index.ts'
import { guest, openTestStore, startBox, type TestBox } from '../../support/hotspot-box.ts'

const PRICE: AheadPrice = { payee: `0x${'11'.repeat(20)}`, token: `0x${'22'.repeat(20)}`, unitsPerMinute: 7n }
const PAYER = `0x${'33'.repeat(20)}`
const reference = (n: number): Hash => `0x${n.toString(16).padStart(64, '0')}`
const anna = guest(1)
const ben = guest(2)

let box: TestBox
let door: AheadDoor
beforeEach(async () => {
  box = await startBox()
  door = box.hotspot.ahead.door(PRICE)
})
afterEach(() => box.dispose())

const pays = (n: number, amount: bigint, token = PRICE.token): Promise<void> => box.store.turn((tx) => aheadTables.add(tx, { payer: PAYER, token, amount, reference: reference(n) }))
const earned = (): bigint => box.store.read((tx) => box.ledger.entries(tx, { limit: 100 })).filter(({ source }) => source === 'hotspot:ahead').flatMap(({ postings }) => postings).filter(({ account }) => account === `photon:${PAYER}`).reduce((sum, { amount }) => sum + amount, 0n)
const isOpen = (mac: string): boolean => box.kernel.isOpen(mac)

it('nothing is opened before the payment is on disk; then once, for exactly what was paid', async () => {
  expect(await door.order(anna.mac, reference(1))).toEqual({ state: 'ordered', ...PRICE })
  expect([door.terms(anna.mac).leftSeconds, isOpen(anna.mac)]).toEqual([0, false])
  await pays(1, 70n)
  expect(await door.order(anna.mac, reference(1))).toEqual({ state: 'paid', leftSeconds: 600 })
  expect([isOpen(anna.mac), earned()]).toEqual([true, 70n])
  // The same again, side by side and later: no second purchase.
  await Promise.all([1, 2, 3].map(() => door.order(anna.mac, reference(1))))
  expect(await door.order(anna.mac, reference(1))).toEqual({ state: 'paid', leftSeconds: 600 })
  expect(earned()).toBe(70n)
})

it('what was bought is added to what the device has, and the session ends with it', async () => {
  for (const n of [1, 2]) {
    await pays(n, 70n)
    await door.order(anna.mac, reference(n))
  }
  expect(door.terms(anna.mac).leftSeconds).toBe(1200)
  await box.advance(1_200_000)
  expect([door.terms(anna.mac).leftSeconds, isOpen(anna.mac)]).toEqual([0, false])
  // A reference is one purchase for ever.
  expect(await door.order(anna.mac, reference(1))).toEqual({ state: 'paid', leftSeconds: 0 })
  expect([earned(), isOpen(anna.mac)]).toEqual([140n, false])
})

it('the device that laid the order has it, whoever else shows the reference', async () => {
  await door.order(anna.mac, reference(1))
  await expect(door.order(ben.mac, reference(1))).rejects.toMatchObject({ code: 'ahead-other-device' })
  await pays(1, 70n)
  await expect(door.order(ben.mac, reference(1))).rejects.toMatchObject({ code: 'ahead-other-device' })
  await door.order(anna.mac, reference(1))
  await expect(door.order(ben.mac, reference(1))).rejects.toMatchObject({ code: 'ahead-other-device' })
  expect([isOpen(anna.mac), isOpen(ben.mac)]).toEqual([true, false])
})

it('an order keeps the price that was said; one that nobody remembers has the price of the day', async () => {
  const dear = box.hotspot.ahead.door({ ...PRICE, unitsPerMinute: 70n })
  await door.order(anna.mac, reference(1))
  expect(await dear.order(anna.mac, reference(1))).toMatchObject({ unitsPerMinute: 7n })
  await pays(1, 70n)
  expect(await dear.order(anna.mac, reference(1))).toEqual({ state: 'paid', leftSeconds: 600 })
  await pays(2, 70n)
  expect(await dear.order(ben.mac, reference(2))).toEqual({ state: 'paid', leftSeconds: 60 })
})

it('money in another token buys nothing, and more under the same reference buys more', async () => {
  await pays(1, 70n, `0x${'99'.repeat(20)}`)
  expect(await door.order(anna.mac, reference(1))).toMatchObject({ state: 'ordered' })
  for (const left of [600, 1200]) {
    await pays(1, 70n)
    expect(await door.order(anna.mac, reference(1))).toEqual({ state: 'paid', leftSeconds: left })
  }
  expect(earned()).toBe(140n)
})

it('a paid order outlives a crash of the service, and is one purchase in the next one', async () => {
  await door.order(anna.mac, reference(1))
  await pays(1, 70n)
  await door.order(anna.mac, reference(1))
  await box.hotspot.stop()
  await box.store.close()
  const again = await startBox({ folder: box.folder, store: openTestStore(box.folder), time: box.time, kernel: box.kernel, gate: box.gate })
  box = again
  door = again.hotspot.ahead.door(PRICE)
  const { state } = await door.order(anna.mac, reference(1))
  expect([state, earned()]).toEqual(['paid', 70n])
  await expect(door.order(ben.mac, reference(1))).rejects.toMatchObject({ code: 'ahead-other-device' })
})

it('a gate that refuses takes nothing away: who asks again is let in', async () => {
  await pays(1, 70n)
  box.gate.failing = 1
  await door.order(anna.mac, reference(1)).catch(() => undefined)
  expect(isOpen(anna.mac)).toBe(false)
  expect(await door.order(anna.mac, reference(1))).toEqual({ state: 'paid', leftSeconds: 600 })
  expect([isOpen(anna.mac), earned()]).toEqual([true, 70n])
})

describe('bounds', () => {
  it('orders that nobody pays are few, and push out no one else’s of another device', async () => {
    const dear = box.hotspot.ahead.door({ ...PRICE, unitsPerMinute: 70n })
    await door.order(ben.mac, reference(1000))
    for (let n = 1; n <= 40; n++) await door.order(anna.mac, reference(n))
    // Forgotten ones are laid anew at the price of the day; the last four and the other device's are not.
    const prices = await Promise.all([37, 40, 1, 36].map((n) => dear.order(anna.mac, reference(n))))
    expect(prices.map((answer) => answer.state === 'ordered' && answer.unitsPerMinute)).toEqual([7n, 7n, 70n, 70n])
    expect(await dear.order(ben.mac, reference(1000))).toMatchObject({ unitsPerMinute: 7n })
  })

  it.each(['', '0x', `0x${'A'.repeat(64)}`, `0x${'a'.repeat(63)}`, `0x${'a'.repeat(65)}`, 'x'.repeat(3000)])('refuses the reference %j', async (text) => {
    await expect(door.order(anna.mac, text)).rejects.toMatchObject({ kind: 'input', field: 'reference' })
  })

  it('a device that the owner has paused is told before it pays', async () => {
    await pays(1, 70n)
    await door.order(anna.mac, reference(1))
    const [session] = box.hotspot.owner.sessions()
    await box.hotspot.owner.pause(session?.id ?? '')
    expect(() => door.terms(anna.mac)).toThrow('paused')
  })
})
