/** Minutes for boxes at the portal: what is read of a request, what is told, and whose device it is. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import type { AheadDoor, AheadState, AheadTerms } from '../../../src/hotspot/index.ts'
import { GUEST_MAC, startPortalApp, type PortalApp } from '../../support/portal-app.ts'
import { ask, post, type Reply } from './ask.ts'

const PRICE = { payee: `0x${'11'.repeat(20)}`, token: `0x${'22'.repeat(20)}`, unitsPerMinute: 10n ** 18n }
const REFERENCE = `0x${'ab'.repeat(32)}`

class Door implements AheadDoor {
  readonly orders: (readonly [string, string])[] = []
  refusal: MeshBoxError | null = null
  answer: AheadState = { state: 'ordered', ...PRICE }
  terms(): AheadTerms {
    if (this.refusal !== null) throw this.refusal
    return { ...PRICE, minSeconds: 60, maxSeconds: 86_400, leftSeconds: 7, boxesPort: 2081 }
  }
  async order(device: string, reference: string): Promise<AheadState> {
    if (this.refusal !== null) throw this.refusal
    this.orders.push([device, reference])
    return this.answer
  }
}

let app: PortalApp
let door: Door | null
beforeAll(async () => {
  app = await startPortalApp({ ahead: () => door })
})
afterAll(() => app.stop())
beforeEach(() => {
  door = new Door()
  app.time.advance(120_000)
})
const order = (fields: Readonly<Record<string, string>> = {}, headers: Readonly<Record<string, string>> = {}): Promise<Reply> => post(app, '/ahead', { reference: REFERENCE, ...fields }, { Accept: 'application/json', ...headers })

it('the price is told in decimal text, with what an order has to carry', async () => {
  const reply = await ask(app, { path: '/ahead.json' })
  expect([reply.status, JSON.parse(reply.body)]).toEqual([200, { ...PRICE, unitsPerMinute: '1000000000000000000', minSeconds: 60, maxSeconds: 86_400, leftSeconds: 7, boxesPort: 2081, formToken: expect.any(String) }])
})

it('an order goes to the box with the device that the packet came from, and nothing else of it', async () => {
  expect(JSON.parse((await order()).body)).toEqual({ state: 'ordered', ...PRICE, unitsPerMinute: '1000000000000000000' })
  if (door !== null) door.answer = { state: 'paid', leftSeconds: 600 }
  expect(JSON.parse((await order()).body)).toEqual({ state: 'paid', leftSeconds: 600 })
  expect(door?.orders).toEqual([[GUEST_MAC, REFERENCE], [GUEST_MAC, REFERENCE]])
})

describe('refused', () => {
  it('are pages of others, old seals, other fields and other ways to ask', async () => {
    expect((await order({}, { Origin: 'http://evil.example' })).status).toBe(403)
    const old = await order({ token: 'x'.repeat(24) })
    expect([old.status, (JSON.parse(old.body) as { error: string }).error]).toEqual([403, 'page-old'])
    expect((await order({ mac: '02:00:00:00:00:99' })).status).toBe(400)
    expect((await ask(app, { path: '/ahead' })).status).toBe(405)
    expect(door?.orders).toEqual([])
  })

  it.each<['input' | 'conflict' | 'limit', number]>([['input', 400], ['conflict', 409], ['limit', 429]])('by the box (%s) are told as JSON', async (kind, status) => {
    if (door !== null) door.refusal = new MeshBoxError(kind, 'no', { code: 'ahead-other-device' })
    const reply = await order()
    expect([reply.status, JSON.parse(reply.body)]).toEqual([status, { error: 'ahead-other-device', message: 'no' }])
  })

  it('where nothing is sold so there is no such page', async () => {
    door = null
    for (const reply of [await ask(app, { path: '/ahead.json' }), await order()]) expect([reply.status, (JSON.parse(reply.body) as { error: string }).error]).toEqual([404, 'not-found'])
  })
})
