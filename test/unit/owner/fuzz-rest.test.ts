/**
 * Hostile requests at the REST interface for programs, on the owner's server as it runs: from who may ask and who may
 * not, with paths, queries and bodies of any kind. Always an answer in one of the two forms, never a failure of ours.
 * MESHBOX_REST_FUZZ_REQUESTS sets the number of requests (default 10,000).
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemTimers } from '../../../src/base/io/system.ts'
import { createRest, deskApi, serveRest } from '../../../src/photon/rest/index.ts'
import { ROUTES } from '../../../src/photon/rest/rest.ts'
import type { OwnerServer } from '../../../src/owner/index.ts'
import { seededRandom } from '../../support/fakes.ts'
import { CHANNELS, GUEST, MINUTE, hash } from '../../support/photon-views.ts'
import { buildHouse } from './house.ts'
import type { House } from './house.ts'
import { scriptedPrograms } from '../../support/photon-programs.ts'

const REQUESTS = Number(process.env['MESHBOX_REST_FUZZ_REQUESTS'] ?? 10_000)
const TOKEN = 'photon-token-of-the-test'

let house: House
let server: OwnerServer
const programs = scriptedPrograms()
const faults: string[] = []
beforeAll(async () => {
  house = await buildHouse()
  const parts = { desk: house.photon.desk, programs, build: { version: '1.2.3', commit: '', built: '' }, revealTimeout: 30, randomness: seededRandom(1), timers: { ...systemTimers, after: (_delayMs: number, run: () => void) => (run(), () => undefined) } }
  const rest = createRest(deskApi(parts), (thrown) => faults.push(String(thrown)))
  server = house.server({ photonRest: { serve: (app, authorize) => serveRest(app, rest, authorize), token: TOKEN } })
  await server.start()
})
afterAll(() => house.close())

const WORDS = ['1', '0', '-1', '', 'x', MINUTE, GUEST, CHANNELS[0]?.id ?? '', hash(1), `0x${'f'.repeat(64)}`, '0x', '9'.repeat(80), '..', '%2e%2e', '%00', '%', 'a'.repeat(120), '__proto__', '1e400', 'Infinity']
const wordArb = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...WORDS) }, { weight: 1, arbitrary: fc.string({ maxLength: 20, unit: 'binary' }).map(encodeURIComponent) })
const pathArb = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom(...ROUTES), fc.array(wordArb, { minLength: 6, maxLength: 6 })).map(([{ path }, words]) => path.split('/').map((part, index) => (part.startsWith(':') ? (words[index % 6] ?? '') : part)).join('/')) },
  { weight: 1, arbitrary: fc.array(wordArb, { maxLength: 6 }).map((parts) => parts.join('/')) },
)
const valueArb = fc.oneof(fc.constantFrom<unknown>(1, -1, 0, 1.5, 2 ** 70, null, true, '1', '', [], {}, GUEST, '9'.repeat(90), { a: { b: {} } }), fc.string({ maxLength: 30 }))
const bodyArb = fc.oneof(
  { weight: 3, arbitrary: fc.dictionary(fc.constantFrom('amount', 'token_address', 'partner_address', 'settle_timeout', 'new_channel', 'balance', 'state', 'force', 'withdraw', 'is_direct', 'secret', 'data', 'fee', 'op', '__proto__'), valueArb, { maxKeys: 7 }).map((body) => JSON.stringify(body)) },
  { weight: 1, arbitrary: fc.constantFrom('', '{', 'null', '[]', '"x"', '[[[[', `{"amount":${'9'.repeat(500)}}`, '{"amount":1e999}', 'long') },
  { weight: 1, arbitrary: fc.string({ maxLength: 200, unit: 'binary' }) },
)
const authArb = fc.constantFrom<string | undefined>(`Bearer ${TOKEN}`, `Bearer ${TOKEN}`, `Bearer ${TOKEN}`, `Bearer ${TOKEN}`, undefined, 'Bearer x', `Basic ${Buffer.from('a:wrong').toString('base64')}`, 'Digest y', `bearer  ${TOKEN}`)

describe(`${REQUESTS} hostile requests at the REST of programs`, () => {
  it('are answered or refused, and nobody without the token is let in', async () => {
    let answered = 0
    let refused = 0
    const { port } = server.app.server.address() as { port: number }
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'HEAD'), fc.constantFrom('/api/1/', '/api/2/', '/api/3/', '/api/1', '/API/1/'), pathArb, fc.oneof(fc.constant(''), fc.tuple(wordArb, wordArb).map(([a, b]) => `?${a}=${b}&amount=1`)), bodyArb, authArb, fc.constantFrom('application/json', 'text/plain', 'application/x-www-form-urlencoded', 'x/y; z'), async (method, root, path, query, body, authorization, type) => {
        const url = `${root}${path}${query}`
        // Injected targets are tidied as a browser does it: what leads out of the interface is tried elsewhere.
        if (!URL.canParse(url, 'http://localhost') || !/^\/api\/[123](\/|$)/i.test(new URL(url, 'http://localhost').pathname)) return
        house.time.advance(5_000)
        house.photon.asked.length = 0
        programs.asked.length = 0
        const hasBody = method !== 'GET' && method !== 'HEAD'
        const reply = await server.app.inject({ method: method as 'GET', url, remoteAddress: '127.0.0.1', headers: { host: `127.0.0.1:${port}`, ...(authorization === undefined ? {} : { authorization }), ...(hasBody ? { 'content-type': type } : {}) }, ...(hasBody ? { payload: body === 'long' ? `"${'a'.repeat(70_000)}"` : body } : {}) })
        const shown = `${method} ${url.slice(0, 200)} ${body.slice(0, 100)} → ${reply.statusCode} ${reply.body.slice(0, 200)}`
        expect(faults, shown).toEqual([])
        if (reply.statusCode >= 500) expect([reply.statusCode, shown]).toEqual([503, shown])
        expect(/\bat .*\.[jt]s:\d+|node_modules|undefined is not|Unexpected token/.test(reply.body), shown).toBe(false)
        expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
        if (authorization !== `Bearer ${TOKEN}` && !/^bearer +photon-token-of-the-test$/i.test(authorization ?? '')) {
          expect(reply.statusCode, shown).not.toBe(200)
          expect([house.photon.asked, programs.asked], shown).toEqual([[], []])
          refused++
        } else if (reply.statusCode === 200) answered++
        if (method !== 'HEAD' && reply.body !== '') expect(() => JSON.parse(reply.body) as unknown, shown).not.toThrow()
      }),
      { numRuns: REQUESTS, seed: 20261122, endOnFailure: true },
    )
    expect(answered).toBeGreaterThan(REQUESTS / 50)
    expect(refused).toBeGreaterThan(REQUESTS / 5)
  })
})
