/**
 * Hostile requests at every route, through the listener as it runs: always an answer, never a failure of
 * ours, never a stack trace, and no verb of the desk without a form of our own page. Most are injected,
 * which is fast but tidies the target as a browser would; a tenth more go over a socket byte for byte.
 * PORTAL_FUZZ_REQUESTS sets the number of injected requests (default 100,000).
 */
import fc from 'fast-check'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { InjectOptions } from 'fastify'
import { MeshBoxError, silentLog, type Log } from '../../../src/base/index.ts'
import { createFront } from '../../../src/hotspot/portal/front.ts'
import { createListener } from '../../../src/hotspot/portal/io/listener.ts'
import { Reception } from '../../../src/hotspot/portal/reception.ts'
import type { GuestRpc } from '../../../src/hotspot/portal/index.ts'
import { StreamDesk } from '../../../src/hotspot/portal/stream-desk.ts'
import { EXACT_PATHS } from '../../../src/hotspot/portal/routes/table.ts'
import { Seals } from '../../../src/hotspot/portal/seals.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { GUEST_MAC, QR_PAYLOAD, STATES, ScriptedDesk, ScriptedDoor, ScriptedNeighbours, TICKET, TYPED_CODE, portalConfig } from '../../support/portal-app.ts'

const REQUESTS = Number(process.env['PORTAL_FUZZ_REQUESTS'] ?? 100_000)
const PER_PROPERTY = Math.ceil(REQUESTS / 4)
const RAW_REQUESTS = Math.ceil(REQUESTS / 10)

const config = portalConfig({ portalPort: 80 })
const time = new FakeTime()
const desk = new ScriptedDesk()
const neighbours = new ScriptedNeighbours()
const seals = new Seals(seededRandom(1).bytes(32))
const failures: string[] = []
const log: Log = { ...silentLog, error: (message, fields) => failures.push(`${message} ${String(fields?.['error'])}`), room: () => log }
/** A chain that says the same to everybody. */
const RPC: GuestRpc = { answer: async (text) => ({ text: text === '' ? null : '{"jsonrpc":"2.0","id":1,"result":"0x1"}', retryAfterSeconds: text.length > 100 ? 1 : null }) }
const door = new ScriptedDoor()
const streams = new StreamDesk(() => door, time, time)
const reception = new Reception({ desk, neighbours, config: () => config, clock: time, log, seals, front: createFront(''), rpc: () => RPC, streams, streamDoor: () => door, ahead: () => null, httpPort: () => 80, tls: () => null })
const app = createListener({ reception, streams, timers: time, log, tls: null })
beforeAll(async () => {
  await app.ready()
})
afterAll(() => app.close())

const STATE_NAMES = Object.keys(STATES)
const REFUSALS: readonly (Error | null)[] = [
  null,
  null,
  null,
  new MeshBoxError('conflict', 'x', { code: 'voucher-used' }),
  new MeshBoxError('limit', 'x', { code: 'too-many-guesses', retryAfterSeconds: 30 }),
  new MeshBoxError('not-found', 'x', { code: 'no-session' }),
]

/** What a path may be made of, whole or in parts. */
const pathArb = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...EXACT_PATHS, `/v/${QR_PAYLOAD}`, `/V/${QR_PAYLOAD}`, `/t/${TICKET}`, '/v/ABCDE', `/captive-portal/api/${seals.apiName(GUEST_MAC)}`) },
  { weight: 2, arbitrary: fc.array(fc.constantFrom('/', '..', '.', '%2e', '%2f', '%00', '%', '\\', 'v', 't', 'V', 'redeem', 'captive-portal', 'api', ';', ':', '*', '~', '', 'http://', '@', 'A'.repeat(60)), { maxLength: 12 }).map((parts) => `/${parts.join('')}`) },
  { weight: 1, arbitrary: fc.string({ maxLength: 60, unit: 'binary-ascii' }).map((text) => `/${text}`) },
  { weight: 1, arbitrary: fc.webUrl() },
)
const queryArb = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  { weight: 2, arbitrary: fc.array(fc.tuple(fc.constantFrom('lang', 'u', 's', 'token', 'code', '__proto__', ''), fc.oneof(fc.constantFrom('de', 'ar', 'xx', 'http://evil.example/', 'javascript:alert(1)'), fc.string({ maxLength: 40 }))), { maxLength: 4 }).map((pairs) => `?${new URLSearchParams(pairs).toString()}`) },
  { weight: 1, arbitrary: fc.string({ maxLength: 80, unit: 'binary-ascii' }).map((text) => `?${text}`) },
  { weight: 1, arbitrary: fc.integer({ min: 1900, max: 2300 }).map((length) => `?${'q'.repeat(length)}`) },
)
const hostArb = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('wifi.example', 'WIFI.example:80', '127.0.0.1') },
  { weight: 2, arbitrary: fc.constantFrom('captive.apple.com', 'wifi.example:81', 'wifi.example.evil.example', 'a@wifi.example', 'wifi.example/', '[::1]', '', '[', ':', 'localhost') },
  { weight: 1, arbitrary: fc.string({ maxLength: 40 }).map(headerText) },
)
/** Targets that the injecting library can parse; the others go over the socket. */
const targetArb = fc.tuple(pathArb, queryArb).map(([path, query]) => path + query).filter((target) => URL.canParse(target, 'http://localhost'))
const headersArb = fc.dictionary(
  fc.constantFrom('accept', 'accept-language', 'origin', 'sec-fetch-site', 'content-type', 'x-forwarded-for', 'x-http-method-override', 'cookie', 'range', 'if-none-match', 'expect'),
  fc.oneof(
    fc.constantFrom('application/json', 'text/html', 'application/captive+json', 'application/x-www-form-urlencoded', 'null', 'http://wifi.example', 'http://evil.example', 'same-origin', 'cross-site', 'de, ar;q=0.5', 'PUT', 'bytes=0-1'),
    fc.string({ maxLength: 60 }).map(headerText),
  ),
  { maxKeys: 5 },
)
const bodyArb = fc.oneof(
  fc.constant(''),
  fc.array(fc.tuple(fc.constantFrom('token', 'code', 'u', '__proto__', 'constructor'), fc.oneof(fc.constantFrom(TYPED_CODE, QR_PAYLOAD, seals.formToken(GUEST_MAC)), fc.string({ maxLength: 60 }))), { maxLength: 4 }).map((pairs) => new URLSearchParams(pairs).toString()),
  fc.string({ maxLength: 300, unit: 'binary' }),
  fc.integer({ min: 4000, max: 5000 }).map((length) => `code=${'a'.repeat(length)}`),
)
const stateArb = fc.tuple(fc.constantFrom(...STATE_NAMES), fc.constantFrom(...REFUSALS), fc.boolean())

function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').trim()
}

/** Sends bytes, resolves with everything that came back until the other side closed. */
function exchange(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let back = ''
    const socket = connect({ host: '127.0.0.1', port }, () => socket.end(bytes))
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => (back += chunk))
    socket.on('error', () => resolve(back)) // a reset after the answer is an answer
    socket.on('close', () => resolve(back))
  })
}

async function inject(options: InjectOptions): Promise<{ status: number; body: string; headers: Record<string, unknown> }> {
  time.advance(1_000) // limits are tried elsewhere
  const reply = await app.inject({ remoteAddress: '10.9.0.7', ...options })
  return { status: reply.statusCode, body: reply.body, headers: reply.headers }
}

/** `allowed`: statuses from 500 up that are meant. */
function checkAnswer(reply: { status: number; body: string; headers: Record<string, unknown> }, allowed: readonly number[]): void {
  expect(failures).toEqual([])
  if (reply.status >= 500) expect(allowed).toContain(reply.status)
  expect(/\n\s+at \S+ \(|node:internal|\.ts:\d|<script>alert/.test(reply.body)).toBe(false)
  expect(reply.headers).not.toHaveProperty('set-cookie')
  const location = reply.headers['location']
  if (location !== undefined) expect(location).toMatch(/^(\/(?!\/)|http:\/\/(wifi\.example|127\.0\.0\.1)\/)/i)
}

/** 503 is meant for an unknown device, and for a paid guest who reached us by a race. */
function prepare([state, refusal, isKnown]: [string, Error | null, boolean]): number[] {
  desk.shown = STATES[state] ?? desk.shown
  desk.refusal = refusal
  desk.verbs.length = 0
  neighbours.mac = () => (isKnown ? GUEST_MAC : null)
  return state.startsWith('online') || !isKnown ? [503] : []
}

describe(`${REQUESTS} hostile requests`, () => {
  const run = { numRuns: PER_PROPERTY, endOnFailure: true }

  it('that look never do', async () => {
    await fc.assert(
      fc.asyncProperty(stateArb, fc.constantFrom<'GET' | 'HEAD'>('GET', 'HEAD'), targetArb, hostArb, headersArb, async (state, method, url, host, headers) => {
        const allowed = prepare(state)
        const reply = await inject({ method, url, headers: { ...headers, host } })
        checkAnswer(reply, allowed)
        expect(desk.verbs).toEqual([])
      }),
      run,
    )
  })
  it('that post without our token never do', async () => {
    await fc.assert(
      fc.asyncProperty(stateArb, targetArb, hostArb, headersArb, bodyArb, async (state, url, host, headers, body) => {
        const allowed = prepare(state)
        const payload = body.replaceAll(seals.formToken(GUEST_MAC), 'x'.repeat(24))
        checkAnswer(await inject({ method: 'POST', url, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers, host }, payload }), allowed)
        expect(desk.verbs).toEqual([])
      }),
      run,
    )
  })
  it('that post with our token do at most the one verb of their route', async () => {
    await fc.assert(
      fc.asyncProperty(stateArb, fc.constantFrom('/redeem', '/trial', '/pause', '/resume', '/end'), queryArb, fc.string({ maxLength: 700, unit: 'binary' }), async (state, path, query, code) => {
        const allowed = prepare(state)
        const payload = new URLSearchParams({ token: seals.formToken(GUEST_MAC), code }).toString()
        const reply = await inject({ method: 'POST', url: path + query, headers: { 'content-type': 'application/x-www-form-urlencoded', host: 'wifi.example' }, payload })
        checkAnswer(reply, allowed)
        expect(desk.verbs.length).toBeLessThanOrEqual(1)
        for (const done of desk.verbs) expect(path).toBe(`/${done.verb}`)
      }),
      run,
    )
  })
  it(`byte for byte are answered (${RAW_REQUESTS})`, async () => {
    await app.listen({ host: '127.0.0.1', port: 0 })
    const address = app.server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const lineArb = fc.oneof(
      { weight: 6, arbitrary: fc.tuple(fc.constantFrom('GET', 'HEAD', 'POST', 'OPTIONS', 'get', 'CONNECT', 'G\0T'), pathArb, queryArb, fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/9', '')).map((parts) => `${parts[0]} ${parts[1]}${parts[2]} ${parts[3]}`) },
      { weight: 1, arbitrary: fc.string({ maxLength: 200, unit: 'binary' }) },
    )
    const headArb = fc.array(
      fc.oneof(
        fc.constantFrom('Host: wifi.example', 'Host: evil.example', 'Host:', 'Content-Length: 5', 'Content-Length: -1', 'Content-Length: 99999999', 'Transfer-Encoding: chunked', 'Transfer-Encoding: x', 'Expect: 100-continue', 'Upgrade: websocket', 'Connection: upgrade', 'Content-Type: application/x-www-form-urlencoded', `Cookie: ${'a'.repeat(9000)}`, ' folded', 'no colon', 'X:\u0000'),
        fc.string({ maxLength: 60, unit: 'binary' }),
      ),
      { maxLength: 6 },
    )
    await fc.assert(
      fc.asyncProperty(stateArb, lineArb, headArb, fc.string({ maxLength: 40, unit: 'binary' }), async (state, line, head, tail) => {
        prepare(state)
        time.advance(1_000)
        const back = await exchange(port, Buffer.from([line, ...head, '', tail].join('\r\n'), 'latin1'))
        expect(failures).toEqual([])
        expect(back === '' || /^HTTP\/1\.1 (100|200|204|302|303|4\d\d|503) /.test(back), back.slice(0, 80)).toBe(true)
        expect(/\n\s+at \S+ \(|node:internal|\.ts:\d/.test(back)).toBe(false)
        expect(desk.verbs).toEqual([])
      }),
      { numRuns: RAW_REQUESTS, endOnFailure: true },
    )
  })
  it('by any method are answered', async () => {
    await fc.assert(
      fc.asyncProperty(stateArb, fc.constantFrom('PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'SEARCH', 'MOVE', 'LOCK', 'REPORT'), targetArb, hostArb, headersArb, bodyArb, async (state, method, url, host, headers, body) => {
        const allowed = prepare(state)
        const reply = await inject({ method: method as 'PUT', url, headers: { ...headers, host }, payload: body })
        checkAnswer(reply, allowed)
        expect(reply.status).not.toBe(200)
        expect(desk.verbs).toEqual([])
      }),
      run,
    )
  })
})
