/** Between the portal's door and the channels: how often a device may ask, and what waits for money that is on its way. */
import { describe, expect, it } from 'vitest'
import type { GuestOrder } from '../../../src/hotspot/index.ts'
import { GuestOrderDoor } from '../../../src/main/guest-orders.ts'
import type { GuestOrders, PlacedOrder, StreamSide } from '../../../src/photon/index.ts'
import { FakeTime } from '../../support/fakes.ts'
import { BOX, DOMAIN, PaperSide, TOKEN } from './paper-side.ts'

const PAYER = `0x${'ab'.repeat(20)}` as const
const PHONE = '02:00:00:00:00:01'
const PAY: GuestOrder = { what: 'pay', amount: 5n, fee: 3n, number: 0n, validUntil: 1200, signature: `0x${'22'.repeat(65)}`, epoch: 0n, settleTimeout: 0, consent: null, to: `0x${'cd'.repeat(20)}`, inside: false }

function doorOver(): { readonly door: GuestOrderDoor; readonly placed: PlacedOrder[]; readonly told: string[]; readonly time: FakeTime; promised: bigint; readonly side: PaperSide } {
  const placed: PlacedOrder[] = []
  const told: string[] = []
  const time = new FakeTime()
  const side = new PaperSide()
  const channel = side.channelOf(PAYER)
  const terms = (earned: bigint): ReturnType<GuestOrders['settleOffer']> => ({ channel, epoch: 1n, terms: { p1: PAYER, balance1: 100n - earned, p2: BOX.address, balance2: earned, validUntil: 1300 } })
  const orders: GuestOrders = {
    purse: DOMAIN.contract,
    fee: 3n,
    finalSeconds: () => 60,
    standing: async () => ({ balance: 10n, arriving: 0n, number: 0n, head: 1000, channel: { channel, epoch: 1n, state: 'none', deposit: 0n }, settleTimeout: 60, order: null }),
    place: async (order) => {
      placed.push(order)
      return { hash: `0x${'01'.repeat(32)}`, state: 'waiting' }
    },
    settleOffer: (_payer, _token, earned) => terms(earned),
    settle: async (_payer, _token, earned) => {
      made.told.push('settled')
      return terms(earned())
    },
  }
  const made = { placed, told, time, promised: 0n, side }
  const withOrders: Pick<StreamSide, 'orders' | 'account'> = { orders, account: () => side.account(PAYER) }
  const door = new GuestOrderDoor({ side: withOrders, desk: { earnedOf: () => 30n, earnedForGood: async () => (told.push('on flash'), 30n), endStream: async (id) => void told.push(id) }, token: TOKEN, least: () => 4n, promisedTo: () => made.promised, clock: time })
  return Object.assign(made, { door })
}

describe('a device', () => {
  it('may order a few times, then seldom; another is not kept from it by that', async () => {
    const { door, placed, time } = doorOver()
    const tries = async (device: string, count: number): Promise<number> => {
      let passed = 0
      for (let index = 0; index < count; index++) await door.order(device, PAYER, PAY).then(() => passed++, (error: { code: string }) => expect(error.code).toBe('too-many-requests'))
      return passed
    }
    expect(await tries(PHONE, 20)).toBe(6)
    expect(await tries('02:00:00:00:00:02', 20)).toBe(6)
    expect(placed).toHaveLength(12)
    time.advance(60_000)
    expect(await tries(PHONE, 20)).toBe(3)
  })
  it('is not alone: a crowd of devices is held too', async () => {
    const { door } = doorOver()
    let passed = 0
    for (let index = 0; index < 300; index++) await door.purse(`02:00:00:00:01:${index.toString(16).padStart(2, '0')}`, PAYER).then(() => passed++, () => undefined)
    expect(passed).toBe(60)
  })
})

it('nothing moves in or out of a channel while money for a code is on its way into it; a payment does not care', async () => {
  const made = doorOver()
  made.promised = 1n
  await expect(made.door.order(PHONE, PAYER, { ...PAY, what: 'put-in', epoch: 1n, settleTimeout: 60 })).rejects.toMatchObject({ code: 'order-running' })
  await expect(made.door.takeOut(PHONE, PAYER, null)).rejects.toMatchObject({ code: 'order-running' })
  await made.door.order(PHONE, PAYER, PAY)
  expect(made.placed).toMatchObject([{ what: 'pay', token: TOKEN, from: PAYER, amount: 5n }])
})

it('what a stream has earned is the box’s at the end, and a signed end stops the stream', async () => {
  const made = doorOver()
  made.side.confirm(100n)
  expect(await made.door.takeOut(PHONE, PAYER, null)).toMatchObject({ guest: 70n, box: 30n })
  expect(made.told).toEqual([])
  await made.door.takeOut(PHONE, PAYER, { validUntil: 1300, signature: PAY.signature })
  expect(made.told).toEqual(['on flash', 'settled', made.side.channelOf(PAYER)])
})

it('so little that its channel could not be streamed in opens none, but may be put into one that is there', async () => {
  const { door, placed } = doorOver()
  const little = { ...PAY, amount: 3n, epoch: 1n, settleTimeout: 60, to: null }
  await expect(door.order(PHONE, PAYER, { ...little, what: 'open', consent: PAY.signature })).rejects.toMatchObject({ code: 'deposit-small' })
  await door.order(PHONE, PAYER, { ...little, what: 'put-in' })
  await door.order(PHONE, PAYER, { ...little, what: 'open', consent: PAY.signature, amount: 4n })
  expect(placed).toHaveLength(2)
})

it('without a purse there are no orders', async () => {
  const door = new GuestOrderDoor({ side: new PaperSide(), desk: { earnedOf: () => null, earnedForGood: async () => null, endStream: async () => undefined }, token: TOKEN, least: () => 4n, promisedTo: () => 0n, clock: new FakeTime() })
  expect(door.board()).toBeNull()
  await expect(door.order(PHONE, PAYER, PAY)).rejects.toMatchObject({ code: 'not-found' })
})
