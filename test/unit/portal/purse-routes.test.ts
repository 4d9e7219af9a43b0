/** What the wallet page asks about its purse, orders and the end of its channel: forms, bounds, and refusals in the guest's words. */
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import { LANGUAGES } from '../../../src/hotspot/portal/languages/index.ts'
import { GUEST_MAC, STREAM_BOARD, ScriptedDoor, startPortalApp, type PortalApp } from '../../support/portal-app.ts'
import { ask, post, type Reply } from './ask.ts'

const PAYER = `0x${'ab'.repeat(20)}`
const SIGNATURE = `0x${'22'.repeat(65)}`
const COMMON = { amount: '20', fee: '3', number: '0', validUntil: 3000, signature: SIGNATURE }
const PAY = { what: 'pay', ...COMMON, to: `0x${'cd'.repeat(20)}`, inside: false }
const OPEN = { what: 'open', ...COMMON, epoch: '1', settleTimeout: 600, consent: SIGNATURE }

let app: PortalApp
let door: ScriptedDoor
beforeAll(async () => {
  app = await startPortalApp({ walletScript: '/* a wallet */', stream: () => door })
})
afterAll(() => app.stop())
beforeEach(() => {
  door = new ScriptedDoor()
  app.time.advance(120_000)
})
const JSON_ONLY = { Accept: 'application/json' }
const order = (value: unknown, fields: Readonly<Record<string, string>> = {}, headers: Readonly<Record<string, string>> = {}): Promise<Reply> =>
  post(app, '/wallet/order', { address: PAYER, order: typeof value === 'string' ? value : JSON.stringify(value), ...fields }, { ...JSON_ONLY, ...headers })

it('what the purse holds is told in decimal text', async () => {
  door.purseView = { ...door.purseView, balance: 10n ** 30n, number: 7n, order: { hash: `0x${'0f'.repeat(32)}`, state: 'confirming' } }
  const reply = await ask(app, { path: `/stream/${PAYER}/purse.json` })
  expect([reply.status, JSON.parse(reply.body)]).toEqual([200, { ...door.purseView, balance: (10n ** 30n).toString(), arriving: '0', number: '7', epoch: '1' }])
})

it('its words come when they are asked for, in the page’s language, with what an order costs and how long it takes', async () => {
  for (const { code } of LANGUAGES) {
    app.time.advance(10_000)
    const { html, say } = JSON.parse((await ask(app, { path: `/wallet/purse.json?lang=${code}` })).body) as { html: string; say: Record<string, string> }
    expect(html + Object.values(say).join(''), code).not.toMatch(/\{\w+\}|undefined/)
    expect(say['sent'], code).toContain('%')
    expect(html, code).toContain(STREAM_BOARD.purse?.contract)
    expect(html, code).not.toMatch(/<script|style=|onclick/i)
  }
})

describe('an order', () => {
  it('goes to the box with device and key, exactly as it was signed', async () => {
    expect(JSON.parse((await order(PAY)).body)).toEqual({ hash: `0x${'0f'.repeat(32)}`, state: 'waiting' })
    expect((await order(OPEN)).status).toBe(200)
    const { consent: _, ...more } = OPEN
    expect((await order({ ...more, what: 'put-in' })).status).toBe(200)
    expect(door.ordered.map((one) => [one.device, one.payer, one.order.what, one.order.amount, one.order.consent, one.order.to])).toEqual([
      [GUEST_MAC, PAYER, 'pay', 20n, null, PAY.to],
      [GUEST_MAC, PAYER, 'open', 20n, SIGNATURE, null],
      [GUEST_MAC, PAYER, 'put-in', 20n, null, null],
    ])
  })
  it('of a page of others, or of an old one of ours, is refused', async () => {
    expect((await order(PAY, { token: 'x'.repeat(24) })).status).toBe(403)
    expect((await order(PAY, {}, { Origin: 'http://evil.example' })).status).toBe(403)
    expect((await order(PAY, { address: PAYER.toUpperCase() })).status).toBe(400)
    expect((await ask(app, { path: '/wallet/order' })).status).toBe(405)
    expect(door.ordered).toEqual([])
  })
  it.each<[string, 'conflict' | 'unavailable' | 'limit', string, number]>([
    ['purse-short', 'conflict', 'That is more than you have.', 409],
    ['order-old', 'conflict', 'This page was out of date. Please press the button once more.', 409],
    ['order-running', 'conflict', 'Something of yours is still on its way. Please wait until it is done.', 409],
    ['no-gas', 'unavailable', 'The Wi-Fi box is busy. Please try again in a moment.', 503],
    ['too-many-requests', 'limit', 'Too many requests. Please wait: 30 seconds', 429],
  ])('that is refused (%s) is answered in the guest’s words', async (code, kind, words, status) => {
    door.refusal = new MeshBoxError(kind, 'x', { code, ...(kind === 'limit' ? { retryAfterSeconds: 30 } : {}) })
    const reply = await order(PAY)
    expect([reply.status, (JSON.parse(reply.body) as { text: string }).text]).toEqual([status, words])
  })
  it('of any other form never reaches the box', async () => {
    const whole = fc.constantFrom<Record<string, unknown>>(PAY, OPEN)
    const broken = fc.oneof(
      fc.string({ maxLength: 1200 }),
      fc.json({ maxDepth: 2 }),
      fc.tuple(whole, fc.nat(), fc.oneof(fc.string(), fc.integer({ max: 0 }), fc.constant(null), fc.constant(1.5), fc.constant('1'.repeat(90)))).map(([one, at, value]) => {
        const names = Object.keys(one)
        return JSON.stringify({ ...one, [names[at % names.length] ?? '']: value })
      }),
    )
    const numbers = ['amount', 'fee', 'number', 'epoch']
    await fc.assert(
      fc.asyncProperty(broken, async (text) => {
        app.time.advance(60_000)
        door.ordered.length = 0
        const { status } = await order(text)
        // What happens to be digits is an order like another; the signature says whether it is his.
        const one = door.ordered[0]?.order
        if (one === undefined) expect([400, 413, 403]).toContain(status)
        else expect(numbers.every((name) => /^\d{0,78}$/.test(String((JSON.parse(text) as Record<string, unknown>)[name] ?? '')))).toBe(true)
      }),
      { numRuns: 120 },
    )
  })
})

describe('taking out', () => {
  const takeOut = (fields: Readonly<Record<string, string>>): Promise<Reply> => post(app, '/wallet/take-out', { address: PAYER, ...fields }, JSON_ONLY)
  it('is offered first, and done with a signature', async () => {
    expect(JSON.parse((await takeOut({})).body)).toMatchObject({ guest: (10n ** 18n).toString(), box: '0', epoch: '1', validUntil: 1300 })
    expect(JSON.parse((await takeOut({ order: JSON.stringify({ validUntil: 1234, signature: SIGNATURE }) })).body)).toMatchObject({ validUntil: 1234 })
  })
  it.each(['', '{}', 'null', '[]', JSON.stringify({ validUntil: -1, signature: SIGNATURE }), JSON.stringify({ validUntil: 5, signature: '0x22' })])('is refused with %s', async (text) => {
    expect((await takeOut({ order: text })).status).toBe(400)
  })
})

it('where no orders are taken none of it is there, and the page does not speak of it', async () => {
  door.shown = { ...STREAM_BOARD, purse: null }
  for (const path of [`/stream/${PAYER}/purse.json`, '/wallet/purse.json']) expect((await ask(app, { path })).status, path).toBe(404)
  expect((await order(PAY)).status).toBe(404)
  expect((await ask(app, { path: '/wallet' })).body).not.toContain('id="purse"')
  door.shown = STREAM_BOARD
  expect((await ask(app, { path: '/wallet' })).body).toContain('id="purse"')
})
