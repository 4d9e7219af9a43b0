/** Requests meant for others: every probe, every host trick, and what becomes of the address asked for. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { isOwnHost, parseAuthority, parseTarget } from '../../../src/hotspot/portal/host-rule.ts'
import { STATES, startPortalApp, type PortalApp } from '../../support/portal-app.ts'
import { ask, formToken, raw } from './ask.ts'

let app: PortalApp
beforeAll(async () => {
  app = await startPortalApp()
})
beforeEach(() => {
  app.desk.shown = STATES['welcome'] ?? app.desk.shown
  app.time.advance(60_000)
})
afterAll(() => app.stop())

const PROBES: readonly [string, string][] = [
  ['connectivitycheck.gstatic.com', '/generate_204'],
  ['www.google.com', '/gen_204'],
  ['play.googleapis.com', '/generate_204'],
  ['captive.apple.com', '/hotspot-detect.html'],
  ['www.apple.com', '/library/test/success.html'],
  ['www.msftconnecttest.com', '/connecttest.txt'],
  ['ipv6.msftconnecttest.com', '/connecttest.txt'],
  ['www.msftncsi.com', '/ncsi.txt'],
  ['detectportal.firefox.com', '/canonical.html'],
  ['detectportal.firefox.com', '/success.txt?ipv4'],
  ['www.gstatic.com', '/generate_204'],
  ['nmcheck.gnome.org', '/check_network_status.txt'],
  ['connectivity-check.ubuntu.com', '/'],
  ['spectrum.s3.amazonaws.com', '/kindle-wifi/wifistub.html'],
]
const portal = (): string => `http://wifi.example:${app.server.ports.http}/`

describe.each(PROBES)('the probe http://%s%s', (host, path) => {
  it('is led to the portal while unpaid', async () => {
    const reply = await ask(app, { host, path })
    expect(reply.status).toBe(302)
    expect(reply.headers['location']).toBe(portal()) // and remembers no address: nobody typed this one
    expect(reply.headers['cache-control']).toBe('no-store')
    expect(reply.headers['connection']).toBe('close')
    expect(reply.body.length).toBeGreaterThan(4)
    expect(reply.body).not.toMatch(/wispr/i)
  })
  it('is neither led astray nor told it is online when it reaches us by a race', async () => {
    app.desk.shown = STATES['online'] ?? app.desk.shown
    const reply = await ask(app, { host, path })
    expect([reply.status, reply.headers['retry-after'], reply.headers['connection']]).toEqual([503, '1', 'close'])
    expect(reply.headers).not.toHaveProperty('location')
  })
})

describe('a captured request', () => {
  it.each(['paused', 'ended-time', 'credited', 'opening'])('of a guest whose session is %s is led to the portal', async (state) => {
    app.desk.shown = STATES[state] ?? app.desk.shown
    expect((await ask(app, { host: 'news.example' })).status).toBe(302)
  })
  it.each(['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'DELETE', 'PROPFIND'])('by %s is led to the portal, and no verb is done', async (method) => {
    const before = app.desk.verbs.length
    const reply = await ask(app, { host: 'evil.example', path: '/end', method, ...(method === 'POST' ? { body: 'token=x' } : {}) })
    expect(reply.status).toBe(302)
    expect(app.desk.verbs.length).toBe(before)
  })
  it('of an unknown device is led to the portal as well', async () => {
    app.neighbours.mac = () => null
    const reply = await ask(app, { host: 'news.example', path: '/today' })
    app.neighbours.mac = () => '02:00:00:00:00:01'
    expect([reply.status, reply.headers['location']]).toEqual([302, portal()])
  })
  it.each(['welcome', 'online'])('ends its connection, which the gate decides anew (%s)', async (state) => {
    app.desk.shown = STATES[state] ?? app.desk.shown
    const back = await raw(app, 'GET /generate_204 HTTP/1.1\r\nHost: www.gstatic.com\r\nConnection: keep-alive\r\n\r\n')
    expect(back).toMatch(/\r\nconnection: close\r\n/i)
  })
  it.each([`/ads?${'x'.repeat(3000)}`, '/a#b'])('for a target that we would not read is led to the portal all the same', async (target) => {
    const back = await raw(app, `GET ${target} HTTP/1.1\r\nHost: news.example\r\nConnection: close\r\n\r\n`)
    expect(back).toMatch(/^HTTP\/1\.1 302 /)
    expect(back).toContain(`location: ${portal()}\r\n`)
  })
  it('for a person who is online asks again by itself', async () => {
    app.desk.shown = STATES['online'] ?? app.desk.shown
    const reply = await ask(app, { host: 'news.example', path: '/a?b=1&c="><script>' .replace(/["<>]/g, encodeURIComponent) })
    expect(reply.body).toContain('content="2;url=http://news.example/a?b=1&amp;c=%22%3E%3Cscript%3E"')
  })
  it('speaks the language of the browser', async () => {
    expect((await ask(app, { host: 'news.example', headers: { 'Accept-Language': 'de' } })).body).toContain('lang="de"')
  })
})

describe('the address that was asked for', () => {
  const follow = async (host: string, path: string): Promise<string> => {
    const reply = await ask(app, { host, path })
    const location = String(reply.headers['location'])
    expect(location.startsWith(portal())).toBe(true)
    return location.slice(portal().length - 1)
  }
  it('comes back as a link that names the host, once the guest is online', async () => {
    const query = await follow('news.example:8080', '/today?page=2')
    app.desk.shown = STATES['online'] ?? app.desk.shown
    const page = await ask(app, { path: query })
    expect(page.body).toContain('href="http://news.example:8080/today?page=2"')
    expect(page.body).toContain('Continue to news.example:8080')
  })
  it('stays in the links and forms on the way there, and through the redirect after it', async () => {
    const query = await follow('news.example', '/')
    const page = await ask(app, { path: query })
    const action = /<form method="post" action="([^"]+)"/.exec(page.body)?.[1]?.replaceAll('&amp;', '&') ?? ''
    expect(action).toContain('u=http%3A%2F%2Fnews.example%2F')
    const done = await ask(app, {
      method: 'POST',
      path: action,
      body: new URLSearchParams({ token: await formToken(app), code: 'ABCDE-FGHJK' }).toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    })
    expect([done.status, done.headers['location']]).toEqual([303, query])
  })
  it('is not shown with a forged or missing seal, nor to another device', async () => {
    app.desk.shown = STATES['online'] ?? app.desk.shown
    const query = await follow('news.example', '/').catch(() => '')
    expect(query).toBe('') // online: not captured any more, so there is none
    app.desk.shown = STATES['welcome'] ?? app.desk.shown
    const sealed = await follow('news.example', '/')
    app.desk.shown = STATES['online'] ?? app.desk.shown
    for (const path of [sealed.replace('news.', 'evil.'), '/?u=http%3A%2F%2Fevil.example%2F', '/?u=javascript%3Aalert(1)&s=AAAA']) {
      const page = await ask(app, { path })
      expect(page.body).not.toContain('evil.example')
      expect(page.body).not.toContain('javascript:')
    }
    app.neighbours.mac = () => '02:00:00:00:00:99'
    const others = await ask(app, { path: sealed })
    app.neighbours.mac = () => '02:00:00:00:00:01'
    expect(others.body).not.toContain('news.example')
  })
  it('is forgotten when it is longer than 400 characters', async () => {
    expect(await follow('news.example', `/${'a'.repeat(500)}`)).toBe('/')
  })
})

describe('whose host it is', () => {
  const own = { portalHost: 'Wifi.Example', portalAddress: '10.9.0.1', localAddress: '::ffff:10.9.0.1', loopback: false }
  const isOurs = (text: string, names = own): boolean => {
    const authority = parseAuthority(text)
    return authority !== null && isOwnHost(authority.host, names)
  }
  it.each(['wifi.example', 'WIFI.EXAMPLE:80', 'wifi.example.', '10.9.0.1', '10.9.0.1:2080'])('%s is ours', (host) => expect(isOurs(host)).toBe(true))
  it.each([
    'evil.example', 'wifi.example.evil.example', 'evil.example#wifi.example', 'wifi.example@evil.example', 'user:wifi.example@evil.example', 'wifi.example:99999', 'wifi.example:0', 'wifi.example:80:80',
    'wifi.example/..', 'wifi.example\\', ' wifi.example', '', '.', '[::1', 'wifi..example', 'xn--wifi.example', '10.9.0.01', '0x0a090001', 'localhost', '127.0.0.1', '0.0.0.0', '[::]',
  ])('%j is not', (host) => expect(isOurs(host)).toBe(false))
  it('the loopback is ours in record-only mode', () => {
    for (const host of ['localhost:2080', '127.0.0.1', '[::1]:2080']) expect(isOurs(host, { ...own, loopback: true })).toBe(true)
  })
  it('the address the guest came in by is ours, with any portal_address', () => {
    const any = { ...own, portalAddress: '::', localAddress: 'fe80::1%br-guest' }
    expect(isOurs('[fe80::1]:2080', any)).toBe(true)
    expect(isOurs('[::]', any)).toBe(false)
    expect(isOurs('0.0.0.0', { ...any, portalAddress: '0.0.0.0' })).toBe(false)
  })
  it('an absolute target outweighs the Host header', async () => {
    expect(parseTarget('http://captive.apple.com/x?y')).toEqual({ authority: 'captive.apple.com', path: '/x', query: 'y' })
    const back = await raw(app, `GET http://evil.example/ HTTP/1.1\r\nHost: wifi.example:${app.server.ports.http}\r\nConnection: close\r\n\r\n`)
    expect(back).toMatch(/^HTTP\/1.1 302 /)
    const ours = await raw(app, `GET http://wifi.example:${app.server.ports.http}/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`)
    expect(ours).toMatch(/^HTTP\/1.1 200 /)
  })
  it('two Host headers are refused', async () => {
    expect(await raw(app, 'GET / HTTP/1.1\r\nHost: wifi.example\r\nHost: evil.example\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
  })
  it('no Host at all is somebody else', async () => {
    expect(await raw(app, 'GET / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 302 /)
  })
  it('by port 80 a guest is led to the port that stays open once he has paid', async () => {
    const reply = await ask(app, { host: 'wifi.example', path: '/v/ABC?lang=de' })
    expect([reply.status, reply.headers['location']]).toEqual([302, `http://wifi.example:${app.server.ports.http}/v/ABC?lang=de`])
  })
  it('probe paths on our own host are not special', async () => {
    for (const path of ['/generate_204', '/hotspot-detect.html', '/connecttest.txt']) expect((await ask(app, { path })).status).toBe(404)
  })
})
