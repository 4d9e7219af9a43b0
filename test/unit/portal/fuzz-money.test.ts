/**
 * Hostile requests at the guests' routes that move tokens, with the page's own form token, so that what lies behind it is
 * reached: codes worth tokens, orders by key, taking out, keeping, and frames. Always an answer of 4xx or what was asked
 * for, in the guest's own words and with the field named, never a failure of ours; nothing that is not whole reaches the desk.
 * MESHBOX_MONEY_FUZZ_REQUESTS sets the number of requests (default 20,000).
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MeshBoxError, silentLog, type Log } from '../../../src/base/index.ts'
import { createFront } from '../../../src/hotspot/portal/front.ts'
import { createListener } from '../../../src/hotspot/portal/io/listener.ts'
import { Reception } from '../../../src/hotspot/portal/reception.ts'
import { Seals } from '../../../src/hotspot/portal/seals.ts'
import { StreamDesk } from '../../../src/hotspot/portal/stream-desk.ts'
import { WalletCheck } from '../../../src/hotspot/wallet/index.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { GUEST_MAC, STATES, ScriptedDesk, ScriptedDoor, ScriptedNeighbours, TOKEN_PAYLOAD, TYPED_CODE, portalConfig } from '../../support/portal-app.ts'

const REQUESTS = Number(process.env['MESHBOX_MONEY_FUZZ_REQUESTS'] ?? 20_000)

const config = portalConfig({ portalPort: 80 })
const time = new FakeTime()
const desk = new ScriptedDesk()
const neighbours = new ScriptedNeighbours()
const seals = new Seals(seededRandom(1).bytes(32))
const failures: string[] = []
const log: Log = { ...silentLog, error: (message, fields) => failures.push(`${message} ${String(fields?.['error'])}`), room: () => log }
const door = new ScriptedDoor()
const streams = new StreamDesk(() => door, time, time)
const front = createFront('', { script: '/* a wallet */', check: new WalletCheck({ clock: time, randomness: seededRandom(3) }) })
const reception = new Reception({ desk, neighbours, config: () => config, clock: time, log, seals, front, rpc: () => null, streams, streamDoor: () => door, ahead: () => null, httpPort: () => 80, tls: () => null })
const app = createListener({ reception, streams, timers: time, log, tls: null })
beforeAll(async () => {
  neighbours.mac = () => GUEST_MAC
  await app.ready()
})
afterAll(() => app.close())

const PAYER = `0x${'ab'.repeat(20)}`
const SIGNATURE = `0x${'22'.repeat(65)}`
const WHOLE = {
  code: [TYPED_CODE, TOKEN_PAYLOAD],
  address: [PAYER],
  consent: [JSON.stringify({ channel: `0x${'11'.repeat(32)}`, amount: '20', settleTimeout: 600, epoch: '1', validUntil: 3000, signature: SIGNATURE })],
  order: [
    JSON.stringify({ what: 'put-in', amount: '5', fee: '1', number: '0', validUntil: 1200, signature: SIGNATURE, epoch: '1', settleTimeout: 600 }),
    JSON.stringify({ what: 'pay', amount: '5', fee: '1', number: '0', validUntil: 1200, signature: SIGNATURE, to: PAYER, inside: false }),
    JSON.stringify({ validUntil: 1200, signature: SIGNATURE }),
  ],
  challenge: ['c'.repeat(40)],
  signature: [SIGNATURE],
} as const

/** JSON of the right shape with a wrong value somewhere, or of any shape. */
const jsonArb = fc.oneof(
  fc.tuple(fc.constantFrom(...WHOLE.order, ...WHOLE.consent), fc.nat(), fc.oneof(fc.constantFrom<unknown>(null, true, -1, 0, 1.5, 2 ** 60, '', '-1', '01', '0x', 'Infinity', [], {}, '9'.repeat(60)), fc.string({ maxLength: 20 }))).map(([text, place, wrong]) => {
    const fields = JSON.parse(text) as Record<string, unknown>
    const names = Object.keys(fields)
    fields[names[place % names.length] ?? ''] = wrong
    return JSON.stringify(fields)
  }),
  fc.json({ maxDepth: 3 }),
  fc.constantFrom('{', '[]', 'null', '{"__proto__":{"polluted":1}}', `{"what":"${'a'.repeat(3000)}"}`, '[[[[[[[[[['),
)
const valueArb = (name: keyof typeof WHOLE): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom<string>(...WHOLE[name]) },
    { weight: 2, arbitrary: name === 'order' || name === 'consent' ? jsonArb : fc.string({ maxLength: 90, unit: 'binary' }) },
    { weight: 1, arbitrary: fc.integer({ min: 400, max: 3000 }).map((length) => 'A'.repeat(length)) },
  )
const formArb = fc.tuple(...(Object.keys(WHOLE) as (keyof typeof WHOLE)[]).map((name) => fc.tuple(fc.constant(name), fc.option(valueArb(name), { nil: null }), fc.nat({ max: 9 }))))
const pathArb = fc.constantFrom('/wallet/top-up', '/wallet/order', '/wallet/take-out', '/wallet/keep', '/wallet/open')
const REFUSALS: readonly (Error | null)[] = [null, null, new MeshBoxError('conflict', 'x', { code: 'not-tokens' }), new MeshBoxError('limit', 'x', { code: 'too-many-requests', retryAfterSeconds: 9 }), new MeshBoxError('unavailable', 'x', { code: 'chain-offline', retryAfterSeconds: 60 })]

function expectClean(status: number, body: string, allowed503: boolean): void {
  expect(failures).toEqual([])
  if (status >= 500) expect([status, allowed503]).toEqual([503, true])
  expect(/\n\s+at \S+ \(|node:internal|\.ts:\d|undefined is not|Unexpected token/.test(body), body.slice(0, 200)).toBe(false)
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
}

describe(`${REQUESTS} hostile requests at the routes that move tokens`, () => {
  it('are answered, name what is wrong, and reach the desk only whole', async () => {
    let named = 0
    await fc.assert(
      fc.asyncProperty(pathArb, formArb, fc.constantFrom(...REFUSALS), fc.constantFrom('application/json', 'text/html'), async (url, fields, refusal, accept) => {
        time.advance(2_000)
        const form = new URLSearchParams({ token: seals.formToken(GUEST_MAC) })
        for (const [name, value, times] of fields) if (value !== null) for (let n = 0; n < (times === 9 ? 2 : 1); n++) form.append(name, value)
        desk.shown = STATES['captive'] ?? desk.shown
        desk.refusal = door.refusal = refusal
        desk.verbs.length = door.ordered.length = 0
        const reply = await app.inject({ method: 'POST', url, remoteAddress: '10.9.0.7', headers: { host: 'wifi.example', accept, 'content-type': 'application/x-www-form-urlencoded' }, payload: form.toString() })
        expectClean(reply.statusCode, reply.body, refusal?.message === 'x')
        expect([200, 303, 400, 403, 404, 409, 413, 429, 503]).toContain(reply.statusCode)
        if (url === '/wallet/order' && door.ordered.length > 0) expect(door.ordered[0]?.payer).toBe(PAYER)
        expect(desk.verbs.length).toBeLessThanOrEqual(1)
        if (reply.statusCode !== 400 || accept !== 'application/json') return
        const { field } = JSON.parse(reply.body) as { field?: unknown }
        if (typeof field === 'string') named++
      }),
      { numRuns: Math.ceil(REQUESTS / 2), seed: 20261122, endOnFailure: true },
    )
    expect(named).toBeGreaterThan(REQUESTS / 50)
  })
  it('as frames are taken or refused, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.constantFrom('application/octet-stream', 'application/octet-stream; x=1', 'text/plain', 'application/json', ''), fc.constantFrom('POST', 'GET', 'PUT', 'OPTIONS'), fc.boolean(), async (bytes, type, method, large) => {
        time.advance(2_000)
        const payload = large ? Buffer.concat([bytes, Buffer.alloc(16_300)]) : Buffer.from(bytes)
        const reply = await app.inject({ method: method as 'POST', url: '/stream', remoteAddress: '10.9.0.7', headers: { host: 'wifi.example', ...(type === '' ? {} : { 'content-type': type }) }, ...(method === 'GET' ? {} : { payload }) })
        expectClean(reply.statusCode, reply.body, false)
        expect([200, 204, 400, 403, 404, 405, 413, 415, 429]).toContain(reply.statusCode)
      }),
      { numRuns: Math.ceil(REQUESTS / 4), seed: 20261122, endOnFailure: true },
    )
  })
  it('for balances are found or not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.constant(PAYER), fc.string({ maxLength: 60 })), fc.constantFrom('.json', '', '.json/', '.JSON'), async (payer, end) => {
        time.advance(2_000)
        const url = `/stream/${encodeURIComponent(payer)}${end}`
        const reply = await app.inject({ method: 'GET', url, remoteAddress: '10.9.0.7', headers: { host: 'wifi.example' } })
        expectClean(reply.statusCode, reply.body, false)
        expect(reply.statusCode).toBe(/^\/stream\/0x[0-9a-f]{40}\.json$/.test(url) ? 200 : 404)
      }),
      { numRuns: Math.ceil(REQUESTS / 4), seed: 20261122, endOnFailure: true },
    )
  })
})
