/** The listeners: TLS comes and goes with its certificate, stopping waits for nobody, places are shared out. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import { readTlsFiles } from '../../../src/hotspot/portal/index.ts'
import { STATES, startPortalApp, type PortalApp } from '../../support/portal-app.ts'
import { ask, post } from './ask.ts'
import { makeAuthority, makeCertificate, type Made } from './certificate-maker.ts'

const DAY = 86_400_000
/** Where FakeTime starts. */
const WALL = 1_700_000_000_000
const authority = makeAuthority()
const ca = authority.certificatePem
/** Outlives the clock of the test's own TLS client, which is the real one. */
const LASTING = makeCertificate(authority, { names: ['wifi.example'], notBeforeMs: WALL - DAY, notAfterMs: Date.UTC(2048, 0, 1) })
const certificate = (daysLeft: number): Made => makeCertificate(authority, { names: ['wifi.example'], notBeforeMs: WALL - DAY, notAfterMs: WALL + daysLeft * DAY })

let app: PortalApp
afterEach(() => app.stop())
const settle = (): Promise<void> => app.server.setTls(null)

describe('the TLS portal', () => {
  it('is open and announced with a usable certificate', async () => {
    app = await startPortalApp({ tls: LASTING })
    expect(app.announced).toEqual([{ uri: `https://wifi.example:${app.server.ports.https}/captive-portal/api`, reason: 'the certificate is valid until 2048-01-01' }])
    const page = await ask(app, { ca })
    expect([page.status, page.body.includes('Get online')]).toEqual([200, true])
  })
  it('is where captured guests are sent, but only by a trusted clock', async () => {
    app = await startPortalApp({ tls: certificate(30) })
    const location = async (): Promise<unknown> => (await ask(app, { host: 'captive.apple.com', path: '/hotspot-detect.html' })).headers['location']
    expect(await location()).toBe(`http://wifi.example:${app.server.ports.http}/`)
    app.time.trusted = true
    expect(await location()).toBe(`https://wifi.example:${app.server.ports.https}/`)
  })
  it('takes over plain requests by name, leaves those by address, and does a form either way', async () => {
    app = await startPortalApp({ tls: certificate(30) })
    const done = post(app, '/pause')
    expect((await done).status).toBe(303)
    app.time.trusted = true
    const byName = await ask(app, { path: '/v/ABC?lang=fr' })
    expect([byName.status, byName.headers['location']]).toEqual([302, `https://wifi.example:${app.server.ports.https}/v/ABC?lang=fr`])
    expect((await ask(app, { host: `127.0.0.1:${app.server.ports.http}` })).status).toBe(200)
  })
  it('keeps its own origin in forms', async () => {
    app = await startPortalApp({ tls: LASTING })
    app.time.trusted = true
    const token = /name="token" value="([^"]+)"/.exec((await ask(app, { ca })).body)?.[1] ?? ''
    const send = (origin: string): ReturnType<typeof ask> =>
      ask(app, { ca, method: 'POST', path: '/pause', body: `token=${token}`, headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: origin } })
    expect((await send(`https://wifi.example:${app.server.ports.https}`)).status).toBe(303)
    expect((await send(`http://wifi.example:${app.server.ports.http}`)).status).toBe(403)
  })
  it('is withdrawn a day before its end and closed at its end, by the clock alone', async () => {
    app = await startPortalApp({ tls: certificate(2) })
    app.time.trusted = true
    app.time.advance(1.5 * DAY)
    await untilAnnounced(2)
    expect(app.announced.at(-1)).toEqual({ uri: null, reason: 'the certificate expires in less than 24 hours' })
    expect(app.server.ports.https).not.toBeNull()
    expect(app.server.apiUriFor('02:00:00:00:00:01')).toBeNull()
    app.time.advance(DAY)
    await untilAnnounced(3)
    expect(app.announced.at(-1)).toEqual({ uri: null, reason: 'the certificate expired on 2023-11-16' })
    expect(app.server.ports.https).toBeNull()
    expect((await ask(app)).status).toBe(200)
  })
  it('comes back with a renewed certificate', async () => {
    app = await startPortalApp({ tls: null })
    expect(app.announced).toEqual([{ uri: null, reason: 'no certificate is configured' }])
    await app.server.setTls(LASTING)
    expect((await ask(app, { ca })).status).toBe(200)
    await settle()
    expect([app.server.ports.https, app.announced.at(-1)?.uri]).toEqual([null, null])
  })
  it('takes a renewed certificate from its files by itself, and leaves the shop open when they are gone', async () => {
    let source: () => Made | null = () => certificate(2)
    app = await startPortalApp({ tls: () => source() })
    source = () => LASTING
    app.time.advance(60_000)
    await untilAnnounced(2)
    expect((await ask(app, { ca })).status).toBe(200)
    source = () => {
      throw new MeshBoxError('input', 'hotspot.tls_key_file: gone', { code: 'tls-file' })
    }
    app.time.advance(60_000)
    await untilAnnounced(3)
    expect(app.announced.at(-1)).toEqual({ uri: null, reason: 'hotspot.tls_key_file: gone' })
    expect((await ask(app)).status).toBe(200)
  })
  it('is left out, with the reason, when its port is taken', async () => {
    const other = await startPortalApp()
    app = await startPortalApp({ tls: certificate(30), hotspot: { tlsPort: other.server.ports.http ?? 0 } })
    await other.stop()
    expect(app.announced.at(-1)?.reason).toContain('could not be opened')
    expect((await ask(app)).status).toBe(200)
  })

  /** The recheck runs behind the timer, which is done when its announcement is there. */
  async function untilAnnounced(count: number): Promise<void> {
    while (app.announced.length < count) await new Promise((resolve) => setImmediate(resolve))
  }
})

describe('stopping', () => {
  it('does not wait for guests who hold a connection open', async () => {
    app = await startPortalApp()
    const idle = await open(app)
    const half = await open(app)
    half.write('GET / HTTP/1.1\r\nHost: wifi')
    const closed = Promise.all([idle, half].map((socket) => new Promise((resolve) => socket.on('close', resolve))))
    const stopped = app.stop()
    await new Promise((resolve) => setImmediate(resolve))
    app.time.advance(2_000)
    await stopped
    await closed
    expect(app.server.ports).toEqual({ http: null, https: null })
  })
  it('can be done twice, and before starting', async () => {
    app = await startPortalApp()
    await app.stop()
    await app.stop()
    expect(app.server.url).toMatch(/^http:\/\/wifi\.example:\d+$/)
  })
})

describe('connections', () => {
  it('one address holds at most 24', async () => {
    app = await startPortalApp()
    const sockets = await Promise.all(Array.from({ length: 24 }, () => open(app)))
    const refused = await open(app)
    await new Promise((resolve) => refused.on('close', resolve))
    const gone = new Promise((resolve) => sockets[0]?.on('close', resolve))
    sockets[0]?.end('GET / HTTP/1.1\r\nConnection: close\r\nHost: a\r\n\r\n')
    sockets[0]?.resume()
    await gone
    let status = 0
    while (status !== 302) status = await ask(app, { host: 'news.example' }).then((reply) => reply.status, () => 0) // the server sees the close a moment later
    expect(status).toBe(302)
    for (const socket of sockets) socket.destroy()
  })
})

describe('a client that never finishes', () => {
  it('its headers is told so and cut off', async () => {
    app = await startPortalApp()
    const socket = await open(app)
    socket.write('GET / HTTP/1.1\r\nHost: wifi.example\r\nX-Slow: ')
    let back = ''
    socket.on('data', (chunk: Buffer) => (back += chunk.toString('latin1')))
    await new Promise((resolve) => socket.on('close', resolve))
    expect(back).toMatch(/^HTTP\/1\.1 408 /)
  })
})

describe('certificate files', () => {
  it('are read, or the option is named', () => {
    const folder = mkdtempSync(join(tmpdir(), 'meshbox-tls-'))
    try {
      const file = join(folder, 'a.pem')
      writeFileSync(file, 'PEM')
      expect(readTlsFiles({ tlsCertificateFile: null, tlsKeyFile: null })).toBeNull()
      expect(readTlsFiles({ tlsCertificateFile: file, tlsKeyFile: file })).toEqual({ certificatePem: 'PEM', keyPem: 'PEM' })
      const fails = (tlsCertificateFile: string | null, tlsKeyFile: string | null): unknown => {
        try {
          return readTlsFiles({ tlsCertificateFile, tlsKeyFile })
        } catch (error) {
          return error instanceof MeshBoxError ? [error.kind, error.field] : error
        }
      }
      expect(fails(file, null)).toEqual(['input', 'tls_key_file'])
      expect(fails(null, file)).toEqual(['input', 'tls_certificate_file'])
      expect(fails(join(folder, 'none'), file)).toEqual(['input', 'tls_certificate_file'])
      writeFileSync(join(folder, 'big'), Buffer.alloc(300_000))
      expect(fails(file, join(folder, 'big'))).toEqual(['input', 'tls_key_file'])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('the page on a moving shop', () => {
  it('shows what the desk says now', async () => {
    app = await startPortalApp()
    for (const [state, words] of [['online', 'You are online'], ['paused', 'Paused'], ['ended-time', 'Your time is over']] as const) {
      app.desk.shown = STATES[state] ?? app.desk.shown
      expect((await ask(app)).body.includes(words)).toBe(true)
    }
  })
})

function open(to: PortalApp): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: to.server.ports.http ?? 0 }, () => resolve(socket))
    socket.on('error', reject)
  })
}
