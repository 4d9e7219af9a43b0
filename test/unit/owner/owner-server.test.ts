import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { CSRF_HEADER } from '../../../src/owner/index.ts'
import type { OwnerServer } from '../../../src/owner/index.ts'
import { Browser } from './http.ts'
import { PASSWORD, PlainPassword, buildHouse } from './house.ts'
import type { House, HouseOptions } from './house.ts'
import { SELF_SIGNED } from './self-signed.ts'

let house: House
afterEach(() => house.close())

async function open(options: HouseOptions = {}, over = {}): Promise<{ server: OwnerServer; browser: Browser }> {
  house = await buildHouse(options)
  const server = house.server(over)
  return { server, browser: new Browser(server) }
}

describe('login', () => {
  it('says first what is to be done, then lets in who knows the password', async () => {
    const { browser } = await open()
    expect((await browser.ask('loginState')).json()).toEqual({ state: 'login', name: 'Café Alegría' })
    expect((await browser.ask('status')).json()).toEqual({ error: 'not-logged-in', message: 'log in first' })
    const answer = await browser.login(PASSWORD)
    expect(answer.json()).toMatchObject({ state: 'in', idleMinutes: 30 })
    expect((await browser.ask('status')).status).toBe(200)
    expect((await browser.ask('loginState')).json()).toMatchObject({ state: 'in', csrf: browser.csrf })
  })

  it('sets a cookie that scripts and other sites cannot use', async () => {
    const { browser } = await open()
    const [cookie] = [(await browser.login(PASSWORD)).headers['set-cookie']].flat()
    expect(cookie).toMatch(/^meshbox_owner=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
  })

  it('marks the cookie Secure when the door speaks TLS', async () => {
    const { browser } = await open({}, { tls: SELF_SIGNED })
    expect([(await browser.login(PASSWORD)).headers['set-cookie']].flat()[0]).toMatch(/; Secure$/)
  })

  it('gives each login another cookie and another CSRF token', async () => {
    const { server } = await open()
    const [one, two] = [new Browser(server), new Browser(server)]
    await one.login(PASSWORD)
    await two.login(PASSWORD)
    expect(one.cookie).not.toBe(two.cookie)
    expect(one.csrf).not.toBe(two.csrf)
    one.csrf = two.csrf
    expect((await one.ask('reload')).json()).toMatchObject({ error: 'bad-csrf' })
  })

  it('does not repeat the password it was given', async () => {
    const { browser } = await open()
    const wrong = await browser.login('hunter2-hunter2')
    expect(wrong.status).toBe(401)
    expect(wrong.text).not.toContain('hunter2')
    const long = await browser.login('hunter2'.repeat(100))
    expect(long.status).toBe(400)
    expect(long.json()).toMatchObject({ error: 'bad-input', field: 'password', value: '(hidden)' })
    expect(house.ring.last().map((event) => event.line).join('\n')).not.toContain('hunter2')
  })

  it('makes who guesses wait longer and longer, and not the others', async () => {
    const { server } = await open()
    const thief = new Browser(server, '192.168.1.66')
    for (let n = 0; n < 3; n++) expect((await thief.login('wrong wrong wrong')).status).toBe(401)
    const braked = await thief.login(PASSWORD)
    expect(braked.status).toBe(429)
    expect(braked.headers['retry-after']).toBe('2')
    expect(braked.json()).toMatchObject({ error: 'too-many-tries', retryAfterSeconds: 2 })
    expect((await new Browser(server, '192.168.1.5').login(PASSWORD)).status).toBe(200)
    house.time.advance(2000)
    expect((await thief.login('wrong wrong wrong')).status).toBe(401)
    house.time.advance(3999)
    expect((await thief.login(PASSWORD)).status).toBe(429)
    house.time.advance(1)
    expect((await thief.login(PASSWORD)).status).toBe(200)
  })

  it('does not let parallel guesses slip past the brake', async () => {
    const { server } = await open()
    const statuses = await Promise.all(Array.from({ length: 50 }, async () => (await new Browser(server, '192.168.1.66').login('wrong wrong wrong')).status))
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(3)
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(47)
  })

  it('ends with the idle time, with logout, and does not count the refreshing of the page as use', async () => {
    const { server, browser } = await open()
    await browser.login(PASSWORD)
    house.time.advance(29 * 60_000)
    expect((await browser.ask('status', { headers: { 'x-meshbox-background': '1' } })).status).toBe(200)
    house.time.advance(60_001)
    expect((await browser.ask('status')).status).toBe(401)
    const other = new Browser(server)
    await other.login(PASSWORD)
    const stolen = other.cookie
    const out = await other.ask('logout')
    expect(out.json()).toMatchObject({ state: 'login' })
    expect([out.headers['set-cookie']].flat()[0]).toContain('Max-Age=0')
    other.cookie = stolen
    expect((await other.ask('status')).status).toBe(401)
  })

  it('tells the box what time the browser has, only when the password was right', async () => {
    const { browser } = await open()
    await browser.login('wrong wrong wrong', { browserWallMs: 1_800_000_000_001 })
    await browser.login(PASSWORD, { browserWallMs: 1_800_000_000_000 })
    expect(house.observed).toEqual([1_800_000_000_000])
    expect((await browser.login(PASSWORD, { browserWallMs: 5 })).json()).toMatchObject({ field: 'browserWallMs' })
  })

  it('changes the password and ends all other logins', async () => {
    const { server, browser } = await open()
    const other = new Browser(server)
    await browser.login(PASSWORD)
    await other.login(PASSWORD)
    expect((await browser.ask('changePassword', { body: { current: 'wrong wrong wrong', next: 'new password 99' } })).status).toBe(401)
    const changed = await browser.ask('changePassword', { body: { current: PASSWORD, next: 'new password 99' } })
    expect(changed.json()).toMatchObject({ state: 'in' })
    expect((await browser.ask('status')).status).toBe(200)
    expect((await other.ask('status')).status).toBe(401)
    expect((await other.login('new password 99')).status).toBe(200)
  })
})

describe('requests that are not the owner\'s own', () => {
  it('need the CSRF token of the login for everything that is not GET', async () => {
    const { browser } = await open()
    await browser.login(PASSWORD)
    for (const csrf of [undefined, '', 'A'.repeat(43)]) {
      const refused = await browser.ask('kick', { params: { id: '00000000000000a2' }, headers: { [CSRF_HEADER]: csrf } })
      expect([refused.status, refused.json()['error']]).toEqual([403, 'bad-csrf'])
    }
    expect(house.desk.asked).toEqual([])
    expect((await browser.ask('kick', { params: { id: '00000000000000a2' } })).status).toBe(200)
  })

  it.each([{ origin: 'http://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }])('are refused with %j, also for reading and logging in', async (headers) => {
    const { browser } = await open()
    await browser.login(PASSWORD)
    for (const answer of [await browser.ask('status', { headers }), await browser.ask('reload', { headers }), await browser.ask('login', { headers, body: { password: PASSWORD } }), await browser.ask('loginState', { headers })])
      expect([answer.status, answer.json()['error']]).toEqual([403, 'cross-site'])
    expect(house.config.reloads).toBe(0)
  })

  it('cannot come as a form', async () => {
    const { browser } = await open()
    await browser.login(PASSWORD)
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
      expect((await browser.ask('reload', { body: '{}', headers: { 'content-type': type } })).json()).toMatchObject({ error: 'bad-content-type' })
    expect(house.config.reloads).toBe(0)
  })

  it.each(['evil.example', '192.168.1.1', '127.0.0.1.evil.example:2090', '[::2]'])('are refused for the name %s (DNS rebinding)', async (host) => {
    const { browser } = await open()
    await browser.login(PASSWORD)
    for (const url of ['/', '/api/login', '/api/status', '/metrics', '/dashboard.js', '/nothing']) {
      const answer = await browser.raw('GET', url, { headers: { host } })
      expect([url, answer.status, answer.json()['error']]).toEqual([url, 403, 'wrong-host'])
    }
  })

  it.each(['127.0.0.1:2090', 'localhost', 'box.example', 'BOX.example:80', '[::1]:2090'])('are answered for the name %s', async (host) => {
    const { browser } = await open()
    expect((await browser.raw('GET', '/api/login', { headers: { host } })).status).toBe(200)
  })

  it.each(['10.77.5.5', 'fd00:77::5', '::ffff:10.77.5.5'])('are refused from the guest address %s, whatever they carry', async (from) => {
    const { browser } = await open()
    await browser.login(PASSWORD)
    for (const url of ['/', '/api/login', '/api/status', '/healthz', '/metrics', '/nothing']) {
      const answer = await browser.raw('GET', url, { from })
      expect([url, answer.status, answer.json()['error']]).toEqual([url, 403, 'guest-network'])
    }
  })

  it.each(['10.200.7.7', '::ffff:10.200.7.7'])('are refused from another box of the mesh, %s', async (from) => {
    const { browser } = await open({}, { addresses: () => [{ interface: 'br-lan', cidr: '192.168.1.1/24' }, { interface: 'bat0', cidr: '10.200.0.1/16' }] })
    for (const url of ['/', '/api/login', '/healthz', '/metrics']) {
      const answer = await browser.raw('GET', url, { from })
      expect([url, answer.status, answer.json()['error']]).toEqual([url, 403, 'mesh-network'])
    }
  })
})

describe('answers', () => {
  it('carry the headers that keep a browser from being used against the owner', async () => {
    const { browser } = await open()
    await browser.login(PASSWORD)
    for (const url of ['/', '/api/status', '/api/nothing', '/healthz']) {
      const { headers } = await browser.raw('GET', url)
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['x-frame-options']).toBe('DENY')
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
      expect(headers['content-security-policy']).toContain("default-src 'none'")
    }
    expect((await browser.raw('GET', '/api/status')).headers['cache-control']).toBe('no-store')
  })

  it('serve the dashboard from memory, compressed when asked, not again when known', async () => {
    const { browser } = await open()
    const page = await browser.raw('GET', '/')
    expect([page.status, page.headers['content-type'], page.text]).toEqual([200, 'text/html; charset=utf-8', '<!doctype html><title>MeshBox</title>'])
    expect(page.headers['content-security-policy']).toContain("script-src 'self'")
    expect((await browser.raw('GET', '/', { headers: { 'if-none-match': 'W/"i1"' } })).status).toBe(304)
    expect((await browser.raw('GET', '/dashboard.js')).text).toBe('export {}')
    const zipped = await browser.raw('GET', '/dashboard.js', { headers: { 'accept-encoding': 'br, gzip' } })
    expect([zipped.headers['content-encoding'], zipped.text]).toEqual(['gzip', '(zipped)'])
  })

  it('say 404 for what is not there and 405 with the methods that are', async () => {
    const { browser } = await open()
    for (const url of ['/api', '/api/nothing', '/etc/passwd', '/../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/index.html/'])
      expect([url, (await browser.raw('GET', url)).status]).toEqual([url, 404])
    const wrong = await browser.raw('DELETE', '/api/tariff')
    expect([wrong.status, wrong.headers['allow'], wrong.json()['error']]).toEqual([405, 'GET, PUT', 'bad-method'])
    expect((await browser.raw('GET', '/%zz')).json()).toEqual({ error: 'bad-path', message: 'the path is malformed' })
  })

  it('name what is wrong in a body', async () => {
    const { browser } = await open()
    await browser.login(PASSWORD)
    const create = async (body: unknown): Promise<unknown> => (await browser.ask('createVouchers', { body })).json()
    expect(await create({ packageId: 'half_hour' })).toEqual({ error: 'bad-input', message: 'count: nothing is not allowed; allowed: a value; it is missing', field: 'count', value: 'nothing', allowed: 'a value; it is missing' })
    expect(await create({ packageId: 'half_hour', count: '5' })).toMatchObject({ field: 'count', value: '5', allowed: 'a whole number' })
    expect(await create({ packageId: 'half_hour', count: 1001 })).toMatchObject({ field: 'count', value: '1001', allowed: '1..1000' })
    expect(await create({ packageId: 'half_hour', count: 5, extra: 1 })).toMatchObject({ field: 'extra', allowed: 'no such field here' })
    expect(await create({ packageId: 'half hour', count: 5 })).toMatchObject({ field: 'packageId', allowed: 'letters, digits, and . _ : -' })
    expect(await create({ packageId: 'half_hour', count: 5, note: 'a\nb' })).toMatchObject({ field: 'note', allowed: 'one line of text without control characters' })
    expect(await create([])).toMatchObject({ field: 'body', allowed: 'an object' })
    expect(await create('{')).toMatchObject({ error: 'bad-json' })
    expect(await create('{"__proto__":{"x":1}}')).toMatchObject({ error: 'bad-json' })
    expect((await browser.ask('createVouchers', { body: `"${'x'.repeat(70_000)}"` })).status).toBe(413)
    expect((await browser.ask('sessions', { query: { limit: 501 } })).json()).toMatchObject({ field: 'limit', value: '501', allowed: '1..500' })
    expect((await browser.raw('GET', '/api/sessions?limit=1&limit=2')).json()).toMatchObject({ field: 'limit', allowed: 'a text' })
    expect((await browser.raw('GET', '/api/sessions?nothing=2')).json()).toMatchObject({ field: 'nothing' })
  })

  it('do not tell what went wrong inside; the log does', async () => {
    const { browser } = await open()
    await browser.login(PASSWORD)
    house.config.failSaves = true
    const answer = await browser.ask('changeTariff', { body: { pricePerMinute: '0.2' } })
    expect(answer.status).toBe(500)
    expect(answer.json()).toEqual({ error: 'internal', message: 'something went wrong in the box; the log says what' })
    expect(house.ring.last(5, 'error').map((event) => event.line)).toEqual(['owner: request failed path=/api/tariff error="disk on fire"'].map((line) => line.replace('owner', 'meshbox')))
  })
})

describe('metrics and liveness', () => {
  it('is alive without a login, a name or anything else', async () => {
    const { browser } = await open()
    expect((await browser.raw('GET', '/healthz', { headers: { host: 'whatever' }, from: '192.168.1.5' })).json()).toEqual({ ok: true })
  })

  it('gives metrics to the box itself, and to others only with the token', async () => {
    const { browser } = await open()
    expect((await browser.raw('GET', '/metrics')).text).toContain('meshbox_sessions{state="active"} 1\n')
    const from = '192.168.1.5'
    for (const authorization of [undefined, 'Bearer wrong-wrong-wrong-wrong', 'Basic x', 'Bearer '])
      expect((await browser.raw('GET', '/metrics', { from, headers: { authorization } })).json()).toMatchObject({ error: 'needs-token' })
    expect((await browser.raw('GET', '/metrics', { from, headers: { authorization: 'Bearer metrics-token-of-the-test' } })).status).toBe(200)
  })

  it('has no token to give away when none is configured', async () => {
    const { browser } = await open({}, { metricsToken: null })
    expect((await browser.raw('GET', '/metrics', { from: '192.168.1.5', headers: { authorization: 'Bearer metrics-token-of-the-test' } })).status).toBe(401)
  })
})

describe('words and backups', () => {
  it('shows words only over a private channel, and only to who types the password again', async () => {
    const { server, browser } = await open()
    const far = new Browser(server, '192.168.1.5')
    await far.login(PASSWORD)
    expect((await far.ask('revealWords', { body: { password: PASSWORD } })).json()).toMatchObject({ error: 'needs-private-channel' })
    await browser.login(PASSWORD)
    expect((await browser.ask('revealWords', { body: { password: 'wrong wrong wrong' } })).status).toBe(401)
    expect((await browser.ask('revealVoucherWords', { body: { password: PASSWORD } })).json()['words']).toHaveLength(12)
    const words = (await browser.ask('revealWords', { body: { password: PASSWORD } })).json()['words'] as string[]
    expect([12, 24]).toContain(words.length)
    expect((await browser.ask('revealWords', { body: { password: PASSWORD } })).json()).toMatchObject({ error: 'words-already-shown' })
  })

  it('sends coins only for who types the password again', async () => {
    const { browser } = await open()
    await browser.login(PASSWORD)
    const order = { to: `0x${'b2'.repeat(20)}`, amount: '2.5' }
    const refused = await browser.ask('sendCoinsConfirmed', { body: { ...order, password: 'wrong wrong wrong' } })
    expect([refused.status, refused.json()]).toEqual([401, expect.objectContaining({ error: 'wrong-password' })])
    expect((await browser.ask('sendCoinsConfirmed', { body: { ...order, password: PASSWORD } })).json()).toMatchObject({ amount: { text: '2.5' } })
    expect((await browser.raw('POST', '/api/chain/send', { body: order })).status).toBe(404)
  })

  it('sends a backup that is a whole SQLite file, and leaves nothing behind', async () => {
    const { browser } = await open()
    await browser.login(PASSWORD)
    const before = readdirSync(house.dir).sort()
    const answer = await browser.ask('backupDownload')
    expect(answer.headers['content-disposition']).toBe('attachment; filename="meshbox-backup.sqlite3"')
    expect(answer.bytes.subarray(0, 15).toString()).toBe('SQLite format 3')
    expect(String(answer.bytes.length)).toBe(answer.headers['content-length'])
    await expect.poll(() => readdirSync(house.dir).sort()).toEqual(before)
  })
})

describe('a backup the browser gave up', () => {
  it('does not stand in the way of the next one', async () => {
    house = await buildHouse({
      store: (store) => ({
        read: (body) => store.read(body),
        stats: () => store.stats(),
        backup: async (path) => {
          begun++
          await held
          return store.backup(path)
        },
      }),
    })
    let begun = 0
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const server = house.server()
    const browser = new Browser(server)
    await browser.login(PASSWORD)
    const url = await server.start()
    const headers = { cookie: `meshbox_owner=${browser.cookie ?? ''}`, [CSRF_HEADER]: browser.csrf ?? '' }
    const giveUp = new AbortController()
    const first = fetch(`${url}api/backup/download`, { method: 'POST', headers, signal: giveUp.signal })
    await expect.poll(() => begun).toBe(1)
    expect((await browser.ask('backupDownload')).json()).toMatchObject({ error: 'backup-running' })
    giveUp.abort()
    await expect(first).rejects.toThrow()
    release()
    await expect.poll(async () => (await browser.ask('backupDownload')).status).toBe(200)
    await expect.poll(() => readdirSync(house.dir).filter((name) => name.startsWith('.download-'))).toEqual([])
  })
})

describe('listening', () => {
  it.each(['0.0.0.0', '::', '10.77.0.1', 'fd00:77::1'])('refuses %s', async (address) => {
    const { server } = await open({}, { address })
    await expect(server.start()).rejects.toMatchObject({ code: 'bad-owner-address', field: 'owner.address' })
  })

  it('answers real connections, and bad ones in the same form', async () => {
    const { server } = await open()
    const url = await server.start()
    const { port } = new URL(url)
    expect(await (await fetch(`${url}healthz`)).json()).toEqual({ ok: true })
    const raw = (bytes: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect(Number(port), '127.0.0.1', () => socket.end(bytes))
        let text = ''
        socket.on('data', (chunk) => (text += chunk.toString()))
        socket.on('end', () => resolve(text))
        socket.on('error', reject)
      })
    expect(await raw('nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400 [^]*\{"error":"bad-request"/)
    expect(await raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 [^]*\{"error":"too-large"/)
    expect(await raw('FOO / HTTP/1.1\r\nHost: localhost\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
    expect(await raw('GET / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
    expect(await raw('GET / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 403 [^]*\{"error":"wrong-host"/)
  })

  it('leaves room for others when one machine opens all the connections it can', async () => {
    const { server } = await open()
    const { port } = new URL(await server.start())
    let [held, refused] = [0, 0]
    const sockets = Array.from({ length: 100 }, () => {
      const socket = connect(Number(port), '127.0.0.1')
      socket.on('connect', () => held++)
      socket.on('close', () => refused++)
      socket.on('error', () => undefined)
      return socket
    })
    await expect.poll(() => [held, refused]).toEqual([100, 84])
    const count = await new Promise<number>((resolve) => server.app.server.getConnections((_error, connections) => resolve(connections)))
    expect(count).toBe(16)
    for (const socket of sockets) socket.destroy()
    await expect.poll(async () => (await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null))?.status).toBe(200)
  })

  it('says why it cannot listen', async () => {
    const { server } = await open({}, { address: '203.0.113.77' })
    await expect(server.start()).rejects.toMatchObject({ kind: 'unavailable', code: 'owner-address' })
  })
})

describe('a box without a hotspot', () => {
  it('shows its state and says what is missing', async () => {
    const { browser } = await open({ withoutHotspot: true, configText: '' , password: new PlainPassword(PASSWORD) })
    await browser.login(PASSWORD)
    expect((await browser.ask('status')).json()).toMatchObject({ roles: [], gate: { state: 'down' } })
    expect((await browser.ask('sessions')).json()).toMatchObject({ error: 'hotspot-off' })
    expect((await browser.ask('tariff')).status).toBe(200)
    expect((await browser.raw('GET', '/metrics')).status).toBe(200)
  })
})
