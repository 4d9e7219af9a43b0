/** RFC 8908, section 5, key by key; then the same over TLS as a device asks it. */
import { afterEach, describe, expect, it } from 'vitest'
import { capportState } from '../../../src/hotspot/portal/capport-api.ts'
import { STATES, session, startPortalApp, view, withSession, type PortalApp, type PortalAppOptions } from '../../support/portal-app.ts'
import { ask } from './ask.ts'
import { makeAuthority, makeCertificate } from './certificate-maker.ts'

const PORTAL = 'https://wifi.example/'
const VENUE = 'https://aurora.example/'
const API = '/captive-portal/api'

describe('the state that is told', () => {
  it('captive: portal, venue, extension; no rest', () => {
    expect(capportState(null, PORTAL, VENUE)).toEqual({ captive: true, 'user-portal-url': PORTAL, 'venue-info-url': VENUE, 'can-extend-session': true })
  })
  it('online by time: seconds, no bytes', () => {
    const told = capportState(session({ secondsLeft: 90.9, bytesLeft: null }), PORTAL, VENUE)
    expect(told).toEqual({ captive: false, 'user-portal-url': PORTAL, 'venue-info-url': VENUE, 'can-extend-session': true, 'seconds-remaining': 90 })
  })
  it('online by bytes: bytes, no seconds', () => {
    const told = capportState(session({ secondsLeft: null, bytesLeft: 1234 }), PORTAL, null)
    expect(told).toEqual({ captive: false, 'user-portal-url': PORTAL, 'can-extend-session': true, 'bytes-remaining': 1234 })
  })
  it('online by both: both', () => {
    expect(capportState(session({ secondsLeft: 5, bytesLeft: 6 }), PORTAL, null)).toMatchObject({ 'seconds-remaining': 5, 'bytes-remaining': 6 })
  })
  it('online without limits: neither, and nothing to extend', () => {
    expect(capportState(session({ secondsLeft: null, bytesLeft: null }), PORTAL, null)).toEqual({ captive: false, 'user-portal-url': PORTAL, 'can-extend-session': false })
  })
  it.each(Object.keys(STATES).filter((name) => !name.startsWith('online')))('%s is captive and tells no rest', (name) => {
    const told = capportState(STATES[name]?.session ?? null, PORTAL, null)
    expect(told.captive).toBe(true)
    expect(told).not.toHaveProperty('seconds-remaining')
    expect(told).not.toHaveProperty('bytes-remaining')
  })
  it('a session with nothing left is captive before its state says so', () => {
    expect(capportState(session({ secondsLeft: 0 }), null, null).captive).toBe(true)
    expect(capportState(session({ bytesLeft: 0 }), null, null).captive).toBe(true)
  })
  it('never names a URL that is not https', () => {
    expect(Object.keys(capportState(null, null, 'http://aurora.example/'))).toEqual(['captive', 'can-extend-session'])
  })
})

describe('the API on the wire', () => {
  const authority = makeAuthority()
  const ca = authority.certificatePem
  const tls = makeCertificate(authority, { names: ['wifi.example'], notBeforeMs: Date.UTC(2023, 0), notAfterMs: Date.UTC(2040, 0) })
  let app: PortalApp
  const start = async (options: PortalAppOptions = {}): Promise<void> => {
    app = await startPortalApp({ tls, ...options })
  }
  afterEach(() => app.stop())

  it('answers a device over TLS with all six keys', async () => {
    await start()
    app.desk.shown = withSession({ secondsLeft: 300, bytesLeft: 4096 })
    const reply = await ask(app, { path: API, ca, headers: { Accept: 'application/captive+json' } })
    expect(reply.status).toBe(200)
    expect(reply.headers['content-type']).toBe('application/captive+json')
    expect(reply.headers['cache-control']).toBe('private, no-store')
    expect(reply.headers['vary']).toBe('Accept')
    expect(JSON.parse(reply.body)).toEqual({
      captive: false,
      'user-portal-url': `https://wifi.example:${app.server.ports.https}/`,
      'venue-info-url': 'https://aurora.example/',
      'can-extend-session': true,
      'seconds-remaining': 300,
      'bytes-remaining': 4096,
    })
  })
  it('says captive to a device the box does not know', async () => {
    await start()
    app.neighbours.mac = () => null
    const reply = await ask(app, { path: API, ca })
    expect([reply.status, JSON.parse(reply.body).captive]).toEqual([200, true])
  })
  it.each([
    ['text/html,application/xhtml+xml,*/*;q=0.8', 302],
    ['application/captive+json', 200],
    ['application/captive+json, text/html;q=0.5', 200],
    ['text/html, application/captive+json;q=0.1', 302],
    ['*/*', 200],
    ['', 200],
  ])('Accept: %s is answered %i, and the answer varies by it', async (accept, status) => {
    await start()
    const reply = await ask(app, { path: API, ca, headers: { Accept: accept } })
    expect([reply.status, reply.headers['vary']]).toEqual([status, 'Accept'])
    if (status === 302) expect(reply.headers['location']).toBe('/')
  })
  it('has an address for one device, which tells of that device wherever the question comes from', async () => {
    await start()
    const uri = app.server.apiUriFor('02:00:00:00:00:02') ?? ''
    const path = uri.replace(/^https:\/\/[^/]+/, '')
    expect(path).toMatch(/^\/captive-portal\/api\/[A-Za-z0-9_-]{24}$/)
    const asked: string[] = []
    app.desk.view = (client) => {
      asked.push(client.mac)
      return view()
    }
    expect((await ask(app, { path, ca })).status).toBe(200)
    expect(asked).toEqual(['02:00:00:00:00:02'])
  })
  it('takes a name of an earlier start for no name, and anything else for no page', async () => {
    await start()
    expect((await ask(app, { path: `${API}/${'A'.repeat(24)}`, ca })).status).toBe(200)
    expect((await ask(app, { path: `${API}/short`, ca })).status).toBe(404)
    expect((await ask(app, { path: `${API}/`, ca })).status).toBe(404)
  })
  it('names no portal over plain HTTP without a certificate', async () => {
    await start({ tls: null })
    expect(JSON.parse((await ask(app, { path: API })).body)).not.toHaveProperty('user-portal-url')
    expect(app.server.apiUriFor('02:00:00:00:00:02')).toBeNull()
  })
  it('refuses other methods', async () => {
    await start()
    const reply = await ask(app, { path: API, method: 'DELETE', ca })
    expect([reply.status, reply.headers['allow'], JSON.parse(reply.body).field]).toEqual([405, 'GET, HEAD', 'method'])
  })
})
