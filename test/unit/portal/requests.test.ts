/** Routes of our own host: what they do, what they refuse and how they say so. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import { EXACT_PATHS } from '../../../src/hotspot/portal/routes/table.ts'
import { QR_PAYLOAD, RECEIPT, STATES, TICKET, TYPED_CODE, startPortalApp, type PortalApp } from '../../support/portal-app.ts'
import { ask, formToken, post, raw } from './ask.ts'

let app: PortalApp
const show = (state: string): void => {
  app.desk.shown = STATES[state] ?? app.desk.shown
}
beforeAll(async () => {
  app = await startPortalApp()
})
beforeEach(() => {
  show('welcome')
  app.desk.refusal = null
  app.desk.verbs.length = 0
  app.neighbours.mac = () => '02:00:00:00:00:01'
  app.time.advance(60_000)
})
afterAll(() => app.stop())
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' }

describe('the verbs', () => {
  it.each([
    ['/redeem', { code: ` ${TYPED_CODE} ` }, 'redeem'],
    ['/trial', {}, 'trial'],
    ['/pause', {}, 'pause'],
    ['/resume', {}, 'resume'],
    ['/end', {}, 'end'],
  ])('%s is done once and ends in a full navigation', async (path, fields, verb) => {
    const reply = await post(app, path, fields)
    expect([reply.status, reply.headers['location'], reply.headers['cache-control']]).toEqual([303, '/', 'no-store'])
    expect(app.desk.verbs).toEqual([verb === 'redeem' ? { verb, bearer: TYPED_CODE } : { verb }])
  })
  it('keep the language in the URL', async () => {
    expect((await post(app, '/redeem?lang=ar', { code: TYPED_CODE })).headers['location']).toBe('/?lang=ar')
  })
  it.each(EXACT_PATHS.filter((path) => ['/redeem', '/trial', '/pause', '/resume', '/end'].includes(path)))('%s by GET or PUT does nothing', async (path) => {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']) {
      const reply = await ask(app, { path, method })
      expect([reply.status, reply.headers['allow']]).toEqual([405, 'POST'])
    }
    expect(app.desk.verbs).toEqual([])
  })
})

describe('a refusal of the desk', () => {
  it.each([
    [new MeshBoxError('input', 'x', { code: 'bad-code' }), 400, 'This code is not valid here.'],
    [new MeshBoxError('input', 'x', { code: 'code-typo' }), 400, 'Something is mistyped.'],
    [new MeshBoxError('conflict', 'x', { code: 'voucher-used' }), 409, 'already been used'],
    [new MeshBoxError('conflict', 'x', { code: 'voucher-revoked' }), 409, 'withdrawn'],
    [new MeshBoxError('conflict', 'x', { code: 'voucher-expired' }), 409, 'last day'],
    [new MeshBoxError('conflict', 'x', { code: 'ticket-stale' }), 409, 'out of date'],
    [new MeshBoxError('limit', 'x', { code: 'too-many-guesses', retryAfterSeconds: 90 }), 429, 'Please wait: 1 minute'],
    [new MeshBoxError('limit', 'x', { code: 'no-room' }), 429, 'All places are taken'],
    [new MeshBoxError('unavailable', 'x', { code: 'gate-failed' }), 503, 'your code is still good'],
    [new MeshBoxError('conflict', 'x', { code: 'never-heard-of' }), 409, 'not possible right now'],
  ])('is shown in the page: %s', async (refusal, status, words) => {
    app.desk.refusal = refusal
    const reply = await post(app, '/redeem', { code: 'abcde-<b>' })
    expect(reply.status).toBe(status)
    expect(reply.body).toContain('role="alert"')
    expect(reply.body).toContain(words)
    expect(reply.body).toContain('value="abcde-&lt;b&gt;"') // what was typed stays, harmless
    expect(reply.headers['retry-after']).toBe(refusal.retryAfterSeconds?.toString())
  })
  it('marks the field if that is what has to be changed', async () => {
    expect((await post(app, '/redeem', { code: 'wrong' })).body).toContain('aria-invalid="true"')
    app.desk.refusal = new MeshBoxError('unavailable', 'x', { code: 'gate-failed' })
    expect((await post(app, '/redeem', { code: TYPED_CODE })).body).not.toContain('aria-invalid="true"')
  })
  it('names the field to programs', async () => {
    const reply = await post(app, '/redeem', { code: '' }, { Accept: 'application/json' })
    expect([reply.status, JSON.parse(reply.body)]).toEqual([400, expect.objectContaining({ error: 'code-missing', field: 'code' })])
    expect(app.desk.verbs).toEqual([])
  })
  it('of a scanned voucher is shown on the start page', async () => {
    const reply = await ask(app, { path: '/v/UNKNOWN' })
    expect([reply.status, reply.body.includes('This code is not valid here.')]).toEqual([400, true])
  })
  it('that is a bug of ours shows neither stack nor cause', async () => {
    app.desk.refusal = new TypeError('secret detail of the implementation')
    for (const headers of [{}, { Accept: 'application/json' }]) {
      const reply = await post(app, '/redeem', { code: TYPED_CODE }, headers)
      expect(reply.status).toBe(500)
      expect(reply.body).not.toMatch(/secret detail|TypeError|\.ts\b|\n\s+at /)
    }
  })
})

describe('a form from elsewhere', () => {
  const send = (headers: Record<string, string>, token: string): ReturnType<typeof ask> =>
    ask(app, { method: 'POST', path: '/redeem', body: new URLSearchParams({ token, code: TYPED_CODE }).toString(), headers: { ...FORM, ...headers } })
  it.each([
    { Origin: 'http://evil.example' },
    { Origin: 'https://wifi.example' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
  ])('is refused even with the right token: %j', async (headers) => {
    expect((await send(headers, await formToken(app))).status).toBe(403)
    expect(app.desk.verbs).toEqual([])
  })
  it('is refused without the token of this device, and asks to press again', async () => {
    const token = await formToken(app)
    app.neighbours.mac = () => '02:00:00:00:00:02'
    for (const wrong of [token, '', 'x'.repeat(24)]) {
      const reply = await send({}, wrong)
      expect(reply.status).toBe(403)
      expect(reply.body).toContain('press the button once more')
      expect(reply.body).toContain(`value="${TYPED_CODE}"`)
    }
    expect(app.desk.verbs).toEqual([])
  })
  it.each([{ Origin: 'null' }, { 'Sec-Fetch-Site': 'same-origin' }, { 'Sec-Fetch-Site': 'none' }])('our own page is let in: %j', async (headers) => {
    expect((await send(headers, await formToken(app))).status).toBe(303)
  })
  it('our own origin is let in', async () => {
    expect((await send({ Origin: `http://wifi.example:${app.server.ports.http}` }, await formToken(app))).status).toBe(303)
  })
})

describe('what is looked at', () => {
  it('a scanned voucher or ticket says what it gives, and spends nothing', async () => {
    const voucher = await ask(app, { path: `/v/${QR_PAYLOAD}` })
    expect(voucher.body).toContain('Day pass')
    expect(voucher.body).toContain(`name="code" value="${QR_PAYLOAD}"`)
    const ticket = await ask(app, { path: `/T/${TICKET.toLowerCase()}` })
    expect(ticket.body).toContain(`name="code" value="${TICKET}"`)
    expect(app.desk.verbs).toEqual([])
  })
  it('the other device gets a link and a QR code of it', async () => {
    show('online')
    const reply = await ask(app, { path: '/move' })
    expect(reply.body).toContain(`http://wifi.example:${app.server.ports.http}/t/${TICKET}`)
    expect(reply.body).toContain('<svg')
    show('welcome')
    expect((await ask(app, { path: '/move' })).headers['location']).toBe('/')
  })
  it('the receipt is a page and a file; without a session there is none', async () => {
    show('online')
    expect((await ask(app, { path: '/receipt' })).body).toContain('MESHBOX RECEIPT 1')
    const file = await ask(app, { path: '/receipt.txt' })
    expect([file.body, file.headers['content-type'], file.headers['content-disposition']]).toEqual([RECEIPT, 'text/plain; charset=utf-8', 'attachment; filename="wifi-receipt.txt"'])
    show('welcome')
    expect((await ask(app, { path: '/receipt' })).status).toBe(404)
  })
  it('the status is for the clock of the page', async () => {
    show('online')
    expect(JSON.parse((await ask(app, { path: '/status.json' })).body)).toMatchObject({ state: 'active', secondsLeft: 5025, data: '312 MB' })
    show('welcome')
    expect(JSON.parse((await ask(app, { path: '/status.json' })).body)).toEqual({ state: 'none' })
  })
  it('time is added on a page of its own, only beside a session', async () => {
    show('paused')
    expect((await ask(app, { path: '/add' })).body).toContain('It is added to what you have left.')
    show('ended-time')
    expect((await ask(app, { path: '/add' })).headers['location']).toBe('/')
  })
  it('HEAD is GET without the body', async () => {
    for (const path of ['/', '/receipt.txt', '/status.json', '/captive-portal/api', '/nothing']) {
      show('online')
      const [get, head] = [await ask(app, { path }), await ask(app, { path, method: 'HEAD' })]
      expect([head.status, head.body, head.headers['content-type']]).toEqual([get.status, '', get.headers['content-type']])
    }
  })
  it('a device the box does not know is asked to wait, and nothing is spent', async () => {
    const token = await formToken(app)
    app.neighbours.mac = () => null
    for (const path of ['/', '/status.json', `/v/${QR_PAYLOAD}`]) {
      const reply = await ask(app, { path })
      expect([reply.status, reply.headers['retry-after']]).toEqual([503, '3'])
    }
    expect((await ask(app, { path: `/v/${QR_PAYLOAD}` })).body).toContain(`data-home="/v/${QR_PAYLOAD}"`) // the scan is not lost
    const reply = await ask(app, { method: 'POST', path: '/redeem', body: `token=${token}&code=${TYPED_CODE}`, headers: FORM })
    expect([reply.status, app.desk.verbs]).toEqual([503, []])
  })
})

describe('bad requests', () => {
  it.each([
    '/nothing', '//', '/./', '/../', '/%2e%2e/', '/..%2fredeem', '/redeem/', '/Redeem', '/v', '/v/', '/v/a/b', '/v/%41', '/v/a%00', '/t/../redeem', '/status.json/', '/status.json%20', '/;/', '/redeem;x', '/.git/config', '/v/' + 'A'.repeat(257), '/\\',
  ])('%s is no page', async (path) => {
    expect((await ask(app, { path })).status).toBe(404)
  })
  it.each(['*', 'redeem', 'ftp://wifi.example/', '/a#b', '/\u00e9'])('%j is no target', async (target) => {
    const back = await raw(app, `GET ${target} HTTP/1.1\r\nHost: wifi.example:${app.server.ports.http}\r\nConnection: close\r\n\r\n`)
    expect(back).toMatch(/^HTTP\/1.1 400 /)
  })
  it('too long a URL is 414', async () => {
    expect((await ask(app, { path: `/?${'a'.repeat(2048)}` })).status).toBe(414)
  })
  it('too large a form is 413 and names the limit', async () => {
    const reply = await ask(app, { method: 'POST', path: '/redeem', body: `code=${'a'.repeat(5000)}`, headers: { ...FORM, Accept: 'application/json' } })
    expect([reply.status, JSON.parse(reply.body)]).toEqual([413, expect.objectContaining({ field: 'body', allowed: 'at most 4096 bytes' })])
  })
  it.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'x', ''])('content type %j is 415 and names what is allowed', async (type) => {
    const reply = await ask(app, { method: 'POST', path: '/redeem', body: '{}', headers: { 'Content-Type': type, Accept: 'application/json' } })
    expect([reply.status, JSON.parse(reply.body)]).toEqual([415, expect.objectContaining({ field: 'Content-Type', allowed: 'application/x-www-form-urlencoded' })])
  })
  it.each(['token=a&token=b', 'other=1', 'code=a&code=b'])('a form with %s is refused by the name of the field', async (body) => {
    const reply = await ask(app, { method: 'POST', path: '/redeem', body, headers: { ...FORM, Accept: 'application/json' } })
    expect([reply.status, JSON.parse(reply.body).error, typeof JSON.parse(reply.body).field]).toEqual([400, 'bad-input', 'string'])
  })
  it('too many or too large headers are refused by the parser, plainly', async () => {
    const back = await raw(app, `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(9000)}\r\n\r\n`)
    expect(back).toMatch(/^HTTP\/1.1 431 [^]*Connection: close/)
    expect(await raw(app, 'NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
  })
  it('bytes in a query cannot become a header', async () => {
    const reply = await ask(app, { host: 'wifi.example', path: '/?lang=de%0d%0aSet-Cookie:%20a=b' })
    expect(reply.headers).not.toHaveProperty('set-cookie')
    expect(reply.headers['location']).toContain('%0d%0a')
  })
  it('a GET that brings a body loses its connection, not the answer', async () => {
    const back = await raw(app, `GET / HTTP/1.1\r\nHost: wifi.example:${app.server.ports.http}\r\nConnection: keep-alive\r\nContent-Length: 100\r\n\r\n${'x'.repeat(100)}`)
    expect(back).toMatch(/^HTTP\/1\.1 200 [^]*\r\nconnection: close\r\n/i)
  })
})

describe('limits', () => {
  it('one address is slowed down after its burst, and may come back', async () => {
    app.neighbours.mac = (address) => `02:00:00:00:01:${address.length.toString(16).padStart(2, '0')}`
    let refused
    for (let count = 0; count < 200 && refused === undefined; count++) {
      const reply = await ask(app, { path: '/nothing' })
      if (reply.status === 429) refused = reply
    }
    expect(refused?.headers['retry-after']).toBe('1')
    app.time.advance(10_000)
    expect((await ask(app, { path: '/nothing' })).status).toBe(404)
  })
  it('forms are counted per device', async () => {
    const token = await formToken(app)
    const statuses = []
    for (let count = 0; count < 14; count++) statuses.push((await ask(app, { method: 'POST', path: '/pause', body: `token=${token}`, headers: FORM })).status)
    expect(statuses.filter((status) => status === 303)).toHaveLength(12)
    expect(statuses.slice(12)).toEqual([429, 429])
  })
})

describe('every answer', () => {
  it('of our host forbids what it does not need', async () => {
    for (const path of ['/', '/nothing', '/status.json', '/receipt.txt']) {
      show('online')
      const { headers } = await ask(app, { path })
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['referrer-policy']).toBe('no-referrer')
      expect(headers['x-frame-options']).toBe('DENY')
      expect(headers['cache-control']).toContain('no-store')
      expect(headers['content-security-policy']).toContain("default-src 'none'")
      expect(headers['content-security-policy']).not.toContain('unsafe')
      expect(headers).not.toHaveProperty('set-cookie')
    }
  })
})
