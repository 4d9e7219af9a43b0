/** The wallet's routes over a real socket: its page and policy, its script, its two verbs, and what is refused. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { MeshBoxError } from '../../../src/base/index.ts'
import { keyOf } from '../../../src/web/wallet/key.ts'
import { walletStatement } from '../../../src/web/wallet/statement.ts'
import { GUEST_MAC, STATES, compileWalletScript, startPortalApp, type PortalApp } from '../../support/portal-app.ts'
import { ask, type Reply } from '../portal/ask.ts'

const anna = keyOf(new Uint8Array(16).fill(1))
let app: PortalApp
let script = ''
beforeAll(async () => {
  script = await compileWalletScript()
  app = await startPortalApp({ walletScript: script })
})
afterAll(() => app.stop())
beforeEach(() => {
  app.desk.shown = STATES['online'] ?? app.desk.shown
  app.desk.refusal = null
  app.desk.kept = null
  app.desk.verbs.length = 0
  app.neighbours.mac = () => GUEST_MAC
  app.time.advance(60_000) // a new guest: limits are tried on their own
})

const host = (): string => `wifi.example:${app.server.ports.http}`
const attribute = (html: string, pattern: RegExp): string => pattern.exec(html)?.[1] ?? ''

/** The fields as the page's script would fill them in. */
async function fields(action: 'keep' | 'open', change: { signedHost?: string; signedAction?: 'keep' | 'open' } = {}): Promise<Record<string, string>> {
  const { body } = await ask(app, { path: '/wallet' })
  const form = attribute(body, new RegExp(`<form method="post" action="/wallet/${action}"[^>]*>(.*?)</form>`))
  const challenge = attribute(form, /name="challenge" value="([^"]+)"/)
  const signature = anna.sign(walletStatement(change.signedHost ?? host(), change.signedAction ?? action, challenge))
  return { token: attribute(form, /name="token" value="([^"]+)"/), challenge, address: anna.address, signature }
}
function send(action: 'keep' | 'open', form: Record<string, string>, headers: Record<string, string> = {}): Promise<Reply> {
  return ask(app, { method: 'POST', path: `/wallet/${action}`, body: new URLSearchParams(form).toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers } })
}

describe('the page', () => {
  it('allows its script and forms to us, and no other way out', async () => {
    const { status, headers, body } = await ask(app, { path: '/wallet' })
    expect(status).toBe(200)
    const policy = String(headers['content-security-policy'])
    expect(policy).toMatch(/script-src 'sha256-[^']+' 'self'/)
    for (const rule of ["default-src 'none'", "connect-src 'none'", "form-action 'self'", "base-uri 'none'"]) expect(policy).toContain(rule)
    expect(String((await ask(app)).headers['content-security-policy'])).not.toMatch(/script-src[^;]*'self'/)
    expect(headers['referrer-policy']).toBe('no-referrer')
    expect(/<textarea[^>]*\sname=/.exec(body)).toBeNull() // typed words are in no form
    expect(body.indexOf('<textarea')).toBeGreaterThan(body.lastIndexOf('</form>'))
  })
  it('is linked from the start page, with and without a session', async () => {
    expect((await ask(app)).body).toContain('href="/wallet"')
    app.desk.shown = STATES['welcome'] ?? app.desk.shown
    expect((await ask(app, { path: '/?lang=fr' })).body).toContain('href="/wallet?lang=fr"')
  })
  it('says which key keeps the session, only to its device', async () => {
    app.desk.kept = anna.address
    expect((await ask(app, { path: '/wallet' })).body).toContain(`data-session="1" data-kept="${anna.address}"`)
    app.desk.shown = STATES['ended-time'] ?? app.desk.shown
    app.desk.kept = null
    expect((await ask(app, { path: '/wallet' })).body).toContain('data-session="0" data-kept=""')
  })
  it('is not there without a script', async () => {
    const plain = await startPortalApp()
    try {
      for (const path of ['/wallet', '/wallet.js']) expect((await ask(plain, { path })).status).toBe(404)
      expect((await ask(plain)).body).not.toContain('/wallet')
      const body = new URLSearchParams({ token: /name="token" value="([^"]+)"/.exec((await ask(plain)).body)?.[1] ?? '', challenge: 'x' }).toString()
      expect((await ask(plain, { method: 'POST', path: '/wallet/keep', body, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })).status).toBe(404)
      expect(plain.desk.verbs).toEqual([])
    } finally {
      await plain.stop()
    }
  })
})

describe('the script', () => {
  it('is whole, and asked for again is not sent again', async () => {
    const first = await ask(app, { path: '/wallet.js' })
    expect(first).toMatchObject({ status: 200, body: script, headers: { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' } })
    expect(first.headers['content-encoding']).toBeUndefined()
    const again = await ask(app, { path: '/wallet.js', headers: { 'If-None-Match': String(first.headers['etag']) } })
    expect(again).toMatchObject({ status: 304, body: '' })
    expect((await ask(app, { path: '/wallet.js', headers: { 'If-None-Match': '"other"' } })).status).toBe(200)
  })
  it('is compressed for whoever takes that, to 60 kB at most', async () => {
    const answer = await fetch(`${app.origin}/wallet.js`, { headers: { 'Accept-Encoding': 'gzip' } })
    expect(answer.headers.get('content-encoding')).toBe('gzip')
    expect(Number(answer.headers.get('content-length'))).toBeLessThanOrEqual(60_000)
    expect(await answer.text()).toBe(script)
    expect((await ask(app, { path: '/wallet.js', headers: { 'Accept-Encoding': 'br, gzip;q=0' } })).body).toBe(script)
  })
})

describe('a signed form', () => {
  it('keeps the session under its key and stays on the page', async () => {
    const reply = await send('keep', await fields('keep'))
    expect(reply).toMatchObject({ status: 303, headers: { location: '/wallet' } })
    expect(app.desk.verbs).toEqual([{ verb: 'keep', bearer: anna.address }])
  })
  it('opens the kept session and leaves the key behind', async () => {
    app.desk.shown = STATES['welcome'] ?? app.desk.shown
    const reply = await send('open', await fields('open'))
    expect(reply).toMatchObject({ status: 303, headers: { location: '/#' } })
    expect(app.desk.verbs).toEqual([{ verb: 'open', bearer: anna.address }])
  })
  it('sent twice counts once', async () => {
    const form = await fields('keep')
    expect((await send('keep', form)).status).toBe(303)
    const again = await send('keep', form)
    expect(again.status).toBe(403)
    expect(again.body).toContain('out of date')
    expect(app.desk.verbs).toHaveLength(1)
  })
  it('of another action, host, device, page or moment does nothing', async () => {
    const keep = await fields('keep')
    const replies = [
      await send('open', keep),
      await send('keep', await fields('keep', { signedHost: 'wifi.example' })),
      await send('keep', await fields('keep', { signedAction: 'open' })),
      await send('keep', { ...(await fields('keep')), address: keyOf(new Uint8Array(16).fill(2)).address }),
      await send('keep', { ...(await fields('keep')), token: 'x'.repeat(24) }),
      await send('keep', await fields('keep'), { Origin: 'http://evil.example' }),
    ]
    expect(replies.map((reply) => reply.status)).toEqual([403, 400, 400, 400, 403, 403])
    const stale = await fields('keep')
    app.time.advance(600_001)
    expect((await send('keep', stale)).status).toBe(403)
    const mine = await fields('keep')
    app.neighbours.mac = () => '02:00:00:00:00:02'
    const token = attribute((await ask(app, { path: '/wallet' })).body, /name="token" value="([^"]+)"/)
    expect((await send('keep', { ...mine, token })).status).toBe(403)
    expect(app.desk.verbs).toEqual([])
  })
  it('that the desk refuses shows why, on the page, with fresh challenges', async () => {
    app.desk.refusal = new MeshBoxError('not-found', 'x', { code: 'key-unknown' })
    const form = await fields('open')
    const reply = await send('open', form)
    expect(reply.status).toBe(404)
    expect(reply.body).toContain('No time is kept under this key.')
    expect(reply.body).toContain('id="wallet"')
    expect(reply.body).not.toContain(form['challenge'])
    app.desk.refusal = new MeshBoxError('conflict', 'x', { code: 'key-full' })
    expect((await send('keep', await fields('keep'))).body).toContain('four sessions')
  })
  it('too many of them have to wait', async () => {
    const statuses: number[] = []
    for (let turn = 0; turn < 7; turn++) statuses.push((await send('keep', await fields('keep'))).status)
    expect(statuses).toEqual([303, 303, 303, 303, 303, 429, 429])
  })
  it('of whatever bytes never reaches the desk and never breaks anything', async () => {
    const { token } = await fields('keep')
    const text = fc.string({ maxLength: 200, unit: 'binary' })
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('keep' as const, 'open' as const), fc.record({ challenge: text, address: text, signature: text }, { requiredKeys: [] }), async (action, junk) => {
        app.time.advance(1_000)
        const reply = await send(action, { token: token ?? '', ...junk })
        expect([400, 403, 429]).toContain(reply.status)
        expect(reply.body).not.toMatch(/\n\s+at |\.ts:\d/)
      }),
      { numRuns: 150 },
    )
    expect(app.desk.verbs).toEqual([])
  })
})
