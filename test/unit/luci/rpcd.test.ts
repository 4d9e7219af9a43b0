/** The ubus object: the real script, asked as rpcd asks it, in front of the real service, and of bad ones. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { EarningsJson, SessionsJson, StatusJson, VoucherCreateReply } from '../../../src/owner/index.ts'
import { LORA_SCRIPT, Rpcd, SCRIPT, close, listen, startRpcdBox } from './rpcd-box.ts'
import type { RpcdBox } from './rpcd-box.ts'

const FEED = fileURLToPath(new URL('../../../openwrt-feed/', import.meta.url))
const READ = ['status', 'sessions', 'earnings', 'lora']
const WRITE = ['voucher', 'session', 'reload']

it.each([SCRIPT, LORA_SCRIPT])('%s is a script of POSIX shell, clean for shellcheck', (script) => {
  expect(spawnSync('shellcheck', ['-s', 'sh', script], { encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '' })
  expect(statSync(script).mode & 0o777).toBe(0o755)
})

describe('with the real service', () => {
  let box: RpcdBox
  beforeAll(async () => {
    box = await startRpcdBox('busy')
  })
  afterAll(() => box.stop())

  it('names its methods and the kinds of their arguments', async () => {
    const { json } = await box.rpcd.run(['list'])
    expect(Object.keys(json).sort()).toEqual([...READ, ...WRITE].sort())
    for (const args of Object.values(json)) for (const kind of Object.values(args as object)) expect(['str', 32]).toContain(kind)
  })

  it('gives the state of the box', async () => {
    const { json } = await box.rpcd.call('status')
    const status = json as unknown as StatusJson
    expect(status).toMatchObject({ name: 'Corner Café', version: '0.1.0', roles: ['hotspot'] })
    expect(status.health.length).toBeGreaterThan(3)
    expect(status.sessions.active).toBe(box.app.owner.status().sessions.active)
  })

  it('lists sessions page by page, and finds one by its MAC', async () => {
    const all = (await box.rpcd.call('sessions', { state: 'all', limit: 100 })).json as unknown as SessionsJson
    const first = (await box.rpcd.call('sessions', { state: 'all', limit: 4 })).json as unknown as SessionsJson
    expect(first.sessions.map(({ id }) => id)).toEqual(all.sessions.slice(0, 4).map(({ id }) => id))
    const next = (await box.rpcd.call('sessions', { state: 'all', limit: 4, before_id: first.nextBeforeId ?? '' })).json as unknown as SessionsJson
    expect(next.sessions.map(({ id }) => id)).toEqual(all.sessions.slice(4, 8).map(({ id }) => id))
    const found = (await box.rpcd.call('sessions', { find: '8e:4d:a7:16:6b:f2' })).json as unknown as SessionsJson
    expect(found.sessions.map(({ devices }) => devices[0]?.mac)).toEqual(['8e:4d:a7:16:6b:f2'])
  })

  it('leaves the mark of the caller out of what it asks', async () => {
    const { json } = await box.rpcd.call('sessions', { limit: 2, ubus_rpc_session: '0123456789abcdef0123456789abcdef' })
    expect(json).not.toHaveProperty('error')
  })

  it('gives the earnings of as many days as wanted', async () => {
    const { json } = await box.rpcd.call('earnings', { days: 7 })
    const earnings = json as unknown as EarningsJson
    expect(earnings.days).toHaveLength(7)
    expect(BigInt(earnings.earnedTotal.all.units)).toBeGreaterThan(0n)
  })

  it('pauses, resumes and ends a session', async () => {
    const open = ((await box.rpcd.call('sessions')).json as unknown as SessionsJson).sessions.find(({ state }) => state === 'active')
    const id = open?.id ?? ''
    expect((await box.rpcd.call('session', { id, action: 'pause' })).json).toMatchObject({ id, state: 'paused' })
    expect((await box.rpcd.call('session', { id, action: 'resume' })).json).toMatchObject({ id, state: 'active' })
    expect((await box.rpcd.call('session', { id, action: 'kick' })).json).toMatchObject({ id, state: 'ended' })
    expect((await box.rpcd.call('session', { id: 's999999', action: 'kick' })).json).toMatchObject({ error: expect.any(String) as string })
  })

  it('makes vouchers with their codes; a note of any characters arrives as it is', async () => {
    const note = `Café "A" \\ $(touch pwned) \`id\` 😀 ' & % ; |`
    const { json } = await box.rpcd.call('voucher', { package: 'half_hour', count: 3, valid_until: '2027-01-31', note })
    const made = json as unknown as VoucherCreateReply
    expect(made.vouchers).toHaveLength(3)
    for (const { code, label, validUntil } of made.vouchers) {
      expect(code).toMatch(/^[0-9A-Z-]{8,}$/)
      expect(label).toBe(note)
      expect(validUntil).toBe('2027-01-31')
    }
    expect(existsSync(`${box.rpcd.folder}/pwned`)).toBe(false)
  })

  it('passes on what the service itself refuses', async () => {
    expect((await box.rpcd.call('voucher', { package: 'no_such', count: 1 })).json).toMatchObject({ error: expect.any(String) as string, message: expect.any(String) as string })
    expect((await box.rpcd.call('voucher', { package: 'half_hour', count: 1, valid_until: '2027-13-77' })).json).toHaveProperty('error')
    expect((await box.rpcd.call('voucher', { package: 'half_hour', count: 1, note: 'x'.repeat(49) })).json).toMatchObject({ field: 'note' })
  })

  it('reloads', async () => {
    expect((await box.rpcd.call('reload')).json).toEqual({ applied: [], needsRestart: [] })
  })

  it('answers reads without a code of a voucher', async () => {
    const codes = box.app.owner.vouchers({ limit: 1000 }).vouchers.map(({ code }) => code)
    expect(codes.length).toBeGreaterThan(100)
    for (const method of READ) {
      const { text } = await box.rpcd.call(method, method === 'sessions' ? { state: 'all', limit: 100 } : {})
      expect(codes.filter((code) => text.includes(code))).toEqual([])
    }
  })
})

it('does not tell the set-up code of a fresh box', async () => {
  const box = await startRpcdBox('fresh')
  try {
    const code = box.app.owner.consoleStatus().setupCode ?? 'there is none'
    expect(code).toMatch(/^[A-Z2-9]{4}-[A-Z2-9]{4}$/)
    const { text, json } = await box.rpcd.call('status')
    expect(json).toMatchObject({ setup: { passwordSet: false } })
    expect(text).not.toContain(code)
    expect(text).not.toContain(code.replace('-', ''))
  } finally {
    await box.stop()
  }
})

describe('what reaches the service', () => {
  const ALLOWED = /^(GET \/api\/(status|iot|sessions\?[A-Za-z0-9._%=&-]+|earnings(\?days=\d+)?)|POST \/api\/(reload|vouchers|sessions\/[A-Za-z0-9][A-Za-z0-9._:-]*\/(kick|pause|resume)))$/
  let rpcd: Rpcd
  let service: Awaited<ReturnType<typeof listen>>
  beforeEach(async () => {
    rpcd = new Rpcd()
    service = await listen(rpcd.socketPath, (_request, response) => response.end('{"done":true}'))
  })
  afterEach(async () => {
    await close(service.server)
    rpcd.remove()
  })

  const HOSTILE = [
    '$(touch pwned)', '`touch pwned`', '; touch pwned', "'; touch pwned; '", '" ; touch pwned "', '\\"; touch pwned', '| touch pwned', '&& touch pwned', '\n touch pwned', '\r\ntouch pwned',
    '../../etc/passwd', '..', '.', '-o/pwned', '--output=pwned', '@/etc/passwd', 'a/kick?x=', 'a%2F..%2F', 'a b', 'a#b', 'a?b', '[1-9]', '{a,b}', '*', '~', '\u0000', '\u0007', 'é', '😀', '\u2028', '', 'x'.repeat(65), '%s%s%n', '${IFS}', '$PATH', 'http://other/', 'a\\', '//x',
  ]
  it('of the object of concentrators is their state, and nothing else', async () => {
    const env = { MESHBOX_SOCKET: rpcd.socketPath }
    expect((await rpcd.run(['list'], '', env, LORA_SCRIPT)).json).toEqual({ status: {} })
    expect((await rpcd.run(['call', 'status'], '{}', env, LORA_SCRIPT)).json).toEqual({ done: true })
    expect((await rpcd.run(['call', 'status'], '{"id":"x"}', env, LORA_SCRIPT)).json).toMatchObject({ error: 'bad-input' })
    expect((await rpcd.run(['call', 'reload'], '{}', env, LORA_SCRIPT)).json).toMatchObject({ error: 'bad-input' })
    expect(service.asked).toEqual([{ verb: 'GET', url: '/api/iot', body: '' }])
  })

  it('is only ever of the allowed form, whatever stands in a text', async () => {
    for (const text of HOSTILE) {
      for (const [method, args] of [
        ['sessions', { find: text }],
        ['sessions', { before_id: text }],
        ['sessions', { state: text }],
        ['session', { id: text, action: 'kick' }],
        ['session', { id: 's1', action: text }],
        ['voucher', { package: text, count: 1 }],
        ['voucher', { package: 'p', count: 1, valid_until: text }],
      ] as const) {
        const { code, json } = await rpcd.call(method, args)
        expect(code, text).toBe(0)
        expect(json, `${method} ${JSON.stringify(args)}`).toMatchObject({ error: 'bad-input' })
      }
    }
    expect(service.asked).toEqual([])
    expect(readdirSync(rpcd.folder).sort()).toEqual(['bin', 'control.sock'])
  })

  it('is refused when the JSON is not one flat object of known fields', async () => {
    const inputs: (string | Uint8Array)[] = [
      '', ' ', 'null', '[]', '"x"', '5', '{', '}', '{}{}', '{} x', '{"limit":5,}', '{,}', '{"limit"}', '{"limit":}', '{limit:5}', "{'limit':5}", '{"limit":5 "find":"a"}', '{"limit":[5]}', '{"limit":{"a":1}}',
      '{"limit":5,"limit":6}', '{"limit":05}', '{"limit":5.0}', '{"limit":1e1}', '{"limit":-5}', '{"limit":0}', '{"limit":101}', '{"limit":99999999999999999999}', '{"limit":"5"}', '{"limit":true}', '{"find":5}', '{"other":1}',
      '{"find":"a\nb"}', '{"find":"a\\x41"}', '{"find":"a\\u12"}', '{"find":"\\u0061"}', '{"find":"a', '{"fi\\u006ed":"a"}', '{"find":"a"}\u0000', `{"find":"${'a'.repeat(5000)}"}`, '{"limit":NaN}', '\ufeff{}',
      new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), new Uint8Array(3000).fill(0x7b), '['.repeat(4000), '{"a":'.repeat(700),
    ]
    for (const input of inputs) {
      const { code, json } = await rpcd.call('sessions', input)
      expect(code).toBe(0)
      // A zero byte after the object may end the text for some awk; nothing behind it is ever looked at.
      if (input !== '{"find":"a"}\u0000') expect(json, JSON.stringify(input).slice(0, 60)).toMatchObject({ error: 'bad-input' })
    }
    expect(service.asked.filter(({ verb, url }) => !ALLOWED.test(`${verb} ${url}`))).toEqual([])
  })

  it('is refused for methods that are not there, and when a field is missing', async () => {
    for (const method of ['', 'list', 'password', 'backup', '../status', 'status;id', 'session s1', 'identityWords']) expect((await rpcd.call(method)).json).toMatchObject({ error: 'bad-input' })
    expect((await rpcd.call('session', { id: 's1' })).json).toMatchObject({ error: 'bad-input', field: 'action' })
    expect((await rpcd.call('session', { action: 'kick' })).json).toMatchObject({ error: 'bad-input', field: 'id' })
    expect((await rpcd.call('voucher', { package: 'p' })).json).toMatchObject({ error: 'bad-input', field: 'count' })
    expect((await rpcd.call('voucher', { package: 'p', count: 101 })).json).toMatchObject({ error: 'bad-input', field: 'count' })
    expect((await rpcd.call('status', { limit: 1 })).json).toMatchObject({ error: 'bad-input', field: 'limit' })
    expect((await rpcd.call('reload', { now: true })).json).toMatchObject({ error: 'bad-input', field: 'now' })
    expect(service.asked).toEqual([])
  })

  it('is exactly what was asked for', async () => {
    await rpcd.call('status', { ubus_rpc_session: 'a' })
    await rpcd.call('sessions')
    await rpcd.call('sessions', ' {\n"find" : "8E:4d" ,\t"limit": 7, "state" :"all","before_id":null } \n')
    await rpcd.call('session', { id: 's000012', action: 'pause' })
    await rpcd.call('earnings', { days: 62 })
    await rpcd.call('voucher', { count: 2, package: 'half_hour' })
    await rpcd.call('reload')
    expect(service.asked.map(({ verb, url, body }) => `${verb} ${url} ${body}`.trim())).toEqual([
      'GET /api/status',
      'GET /api/sessions?limit=50',
      'GET /api/sessions?state=all&find=8E%3A4d&limit=7',
      'POST /api/sessions/s000012/pause {}',
      'GET /api/earnings?days=62',
      'POST /api/vouchers {"packageId":"half_hour","count":2}',
      'POST /api/reload {}',
    ])
    for (const { verb, url } of service.asked) expect(`${verb} ${url}`).toMatch(ALLOWED)
  })

  it('carries any note unchanged, or refuses it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), async (note) => {
        service.asked.length = 0
        const { json } = await rpcd.call('voucher', { package: 'p', count: 1, note })
        if (json['error'] === undefined) expect(JSON.parse(service.asked[0]?.body ?? '')).toEqual({ packageId: 'p', count: 1, note })
        // DEL is the one character JSON lets stand that is refused here; long ones are more than 600 bytes.
        else expect(note.includes('\u007f') || JSON.stringify(note).length > 600).toBe(true)
      }),
      { numRuns: 60, seed: 20261122 },
    )
  })

  it('takes the socket from the configuration', async () => {
    rpcd.provide('uci', `[ "$*" = "-q get meshbox.main.control_socket" ] && echo '${rpcd.socketPath}'`)
    expect((await rpcd.call('status', {}, {})).json).toEqual({ done: true })
  })
})

describe.concurrent('when the service is not well', () => {
  async function withService(answer: Parameters<typeof listen>[1], then: (rpcd: Rpcd) => Promise<void>): Promise<void> {
    const rpcd = new Rpcd()
    const { server } = await listen(rpcd.socketPath, answer)
    try {
      await then(rpcd)
    } finally {
      await close(server)
      rpcd.remove()
    }
  }

  it('says that it is not running', async () => {
    const rpcd = new Rpcd()
    try {
      for (const method of READ) expect((await rpcd.call(method)).json).toMatchObject({ error: 'service-down', message: expect.stringContaining('/etc/init.d/meshbox start') as string })
    } finally {
      rpcd.remove()
    }
  })

  it('says that it does not answer, after a bounded time', () =>
    withService(
      () => undefined,
      async (rpcd) => expect((await rpcd.call('status')).json).toMatchObject({ error: 'service-slow' }),
    ))

  it('says that it broke off', () =>
    withService(
      (_request, response) => {
        response.writeHead(200, { 'content-length': 1000 })
        response.write('{"name":')
        setImmediate(() => response.destroy())
      },
      async (rpcd) => expect((await rpcd.call('status')).json).toMatchObject({ error: 'service-lost' }),
    ))

  it('does not take answers that are too large, or no JSON', async () => {
    await withService(
      (_request, response) => response.end(`{"a":"${'x'.repeat(300_000)}"}`),
      async (rpcd) => expect((await rpcd.call('status')).json).toMatchObject({ error: 'too-large' }),
    )
    await withService(
      (_request, response) => response.writeHead(502).end('<h1>Bad gateway</h1>'),
      async (rpcd) => expect((await rpcd.call('status')).json).toMatchObject({ error: 'internal', message: expect.stringContaining('502') as string }),
    )
  })

  it('passes a large answer that is not too large on whole', () =>
    withService(
      (_request, response) => response.end(`{"a":"${'\\n'.repeat(100_000)}"}`),
      async (rpcd) => expect((await rpcd.call('status')).json).toEqual({ a: '\n'.repeat(100_000) }),
    ))

  it('says that curl is missing', () =>
    withService(
      (_request, response) => response.end('{}'),
      async (rpcd) => {
        rpcd.withdraw('curl')
        expect((await rpcd.call('status')).json).toMatchObject({ error: 'no-curl' })
        rpcd.provide('curl', 'exit 4')
        expect((await rpcd.call('status')).json).toMatchObject({ error: 'no-curl' })
      },
    ))
})

describe('the access lists', () => {
  type Group = { readonly ubus?: Readonly<Record<string, readonly string[]>>; readonly uci?: readonly string[] }
  type Acl = Readonly<Record<string, { readonly description: string; readonly read: Group; readonly write: Group }>>
  const load = (path: string): Acl => JSON.parse(readFileSync(`${FEED}${path}`, 'utf8')) as Acl

  it.each([
    ['meshbox', 'meshbox/files/usr/share/rpcd/acl.d/meshbox.json'],
    ['luci-app-meshbox', 'luci-app-meshbox/root/usr/share/rpcd/acl.d/luci-app-meshbox.json'],
  ])('%s: looking is reading, everything else is writing', (name, path) => {
    const acl = load(path)
    expect(Object.keys(acl)).toEqual([name])
    expect([...(acl[name]?.read.ubus?.['meshbox'] ?? [])].sort()).toEqual([...READ].sort())
    expect(acl[name]?.read.ubus?.['meshbox.lora']).toEqual(['status'])
    expect([...(acl[name]?.write.ubus?.['meshbox'] ?? [])].sort()).toEqual([...WRITE].sort())
  })

  it('LuCI gets the configuration of this package and no other', () => {
    const { read, write } = load('luci-app-meshbox/root/usr/share/rpcd/acl.d/luci-app-meshbox.json')['luci-app-meshbox'] ?? {}
    expect(read?.uci).toEqual(['meshbox'])
    expect(write?.uci).toEqual(['meshbox'])
    expect(Object.keys(read?.ubus ?? {})).toEqual(['meshbox', 'meshbox.lora'])
  })
})
