import { afterEach, describe, expect, it } from 'vitest'
import type { OwnerServer } from '../../../src/owner/index.ts'
import { Browser } from './http.ts'
import { PlainPassword, buildHouse } from './house.ts'
import type { House } from './house.ts'

const WANTED = { name: 'Bar Sol', minutesPerToken: 20, password: 'a new password', packages: 'cafe', guestInterface: 'br-new' }
const OWNER = '192.168.1.5'
let house: House
afterEach(() => house.close())

async function fresh(over = {}): Promise<{ server: OwnerServer; browser: Browser; body: Record<string, unknown> }> {
  house = await buildHouse({ password: new PlainPassword() })
  const server = house.server({ address: '192.168.1.1', ...over })
  return { server, browser: new Browser(server, OWNER), body: { ...WANTED, setupCode: house.owner.access.firstRun.setupCode } }
}

describe('a box without an owner', () => {
  it('only lets the wizard work', async () => {
    const { browser } = await fresh()
    expect((await browser.ask('loginState')).json()).toEqual({ state: 'setup', name: 'Café Alegría' })
    for (const route of ['status', 'sessions', 'settings', 'earnings', 'vouchers', 'log', 'supportBundle', 'reload', 'logout', 'backupDownload'] as const)
      expect([route, (await browser.ask(route)).json()['error']]).toEqual([route, 'not-set-up'])
    expect((await browser.login('')).status).toBe(400)
    expect((await browser.login('whatever it is')).json()).toMatchObject({ error: 'not-set-up' })
  })

  it('shows what there is to choose, and never the set-up code', async () => {
    const { browser } = await fresh()
    const form = await browser.ask('setupForm')
    expect(form.json()).toMatchObject({
      name: 'Café Alegría',
      token: { symbol: 'TOK', decimals: 6 },
      minutesPerToken: '10',
      guestInterface: 'br-guest',
      interfaces: ['br-lan', 'br-guest'],
      passwordMinLength: 10,
    })
    for (const answer of [form, await browser.ask('loginState'), await browser.raw('GET', '/'), await browser.raw('GET', '/metrics', { from: '127.0.0.1' })])
      expect(answer.text).not.toContain(house.owner.access.firstRun.setupCode)
  })

  it('cannot be claimed without the set-up code, and guessing it is braked', async () => {
    const { browser, body } = await fresh()
    for (let n = 0; n < 3; n++) expect((await browser.ask('setup', { body: { ...body, setupCode: 'AAAA-AAAA' } })).json()).toMatchObject({ error: 'wrong-setup-code', field: 'setupCode' })
    expect((await browser.ask('setup', { body })).status).toBe(429)
    expect(house.password.isSet).toBe(false)
    house.time.advance(2000)
    expect((await browser.ask('setup', { body })).status).toBe(200)
  })

  it.each(['8.8.8.8', '192.168.2.5', 'fd99::1'])('cannot be claimed from %s', async (from) => {
    const { browser, body } = await fresh()
    for (const answer of [await browser.ask('setup', { body, from }), await browser.ask('setupForm', { from })]) expect(answer.json()).toMatchObject({ error: 'not-owner-network' })
    expect(house.password.isSet).toBe(false)
  })

  it('can be claimed from the box itself', async () => {
    const { browser, body } = await fresh()
    expect((await browser.ask('setup', { body, from: '127.0.0.1' })).status).toBe(200)
  })

  it('cannot be claimed by a page of another site', async () => {
    const { browser, body } = await fresh()
    expect((await browser.ask('setup', { body, headers: { origin: 'http://evil.example' } })).json()).toMatchObject({ error: 'cross-site' })
    expect((await browser.ask('setup', { body, headers: { host: 'evil.example' } })).json()).toMatchObject({ error: 'wrong-host' })
    expect(house.password.isSet).toBe(false)
  })

  it('prints the set-up code in its log when it starts, and in the status of its console', async () => {
    const { server } = await fresh({ address: '127.0.0.1' })
    await server.start()
    const code = house.owner.access.firstRun.setupCode
    expect(house.ring.last().map((event) => event.line).join('\n')).toContain(`enter the set-up code ${code}`)
    expect(house.owner.consoleStatus().setupCode).toBe(code)
    expect(house.owner.status()).not.toHaveProperty('setupCode')
  })
})

describe('the wizard', () => {
  it('sets name, price, network, packages and password, and logs in', async () => {
    const { browser, body } = await fresh()
    const answer = await browser.ask('setup', { body: { ...body, browserWallMs: 1_800_000_000_000 } })
    expect(answer.json()).toMatchObject({ state: 'in', name: 'Bar Sol', reload: { needsRestart: [] } })
    const config = house.config.current()
    expect(config.main.name).toBe('Bar Sol')
    expect(config.tariff.pricePerMinute).toBe(50_000n)
    expect(config.hotspot.guestInterface).toBe('br-new')
    expect(config.packages.map((one) => [one.id, one.price])).toEqual([
      ['half_hour', 1_500_000n],
      ['hour', 2_700_000n],
      ['three_hours', 6_800_000n],
      ['day', 18_000_000n],
    ])
    expect(await house.password.verify('a new password')).toBe(true)
    expect((await browser.ask('status')).status).toBe(200)
    expect(house.observed).toEqual([1_800_000_000_000])
    expect(house.owner.consoleStatus()).not.toHaveProperty('setupCode')
  })

  it('keeps comments and everything it was not asked for', async () => {
    const { browser, body } = await fresh()
    await browser.ask('setup', { body: { ...body, packages: 'keep' } })
    expect(house.config.text()).toContain('# prices')
    expect(house.config.current().shares).toHaveLength(1)
    expect(house.config.current().packages.map((one) => one.price)).toEqual([3_000_000n])
  })

  it.each([
    ['name', { name: '' }],
    ['name', { name: 'x'.repeat(49) }],
    ['password', { password: 'too short' }],
    ['minutesPerToken', { minutesPerToken: 0.0001 }],
    ['minutesPerToken', { minutesPerToken: -5 }],
    ['minutesPerToken', { minutesPerToken: '10' }],
    ['packages', { packages: 'cafe', minutesPerToken: 0 }],
    ['packages', { packages: 'casino' }],
    ["hotspot 'hotspot', guest_interface", { guestInterface: 'a b' }],
    ['extra', { extra: 1 }],
  ])('refuses a bad %s and changes nothing', async (field, bad) => {
    const { browser, body } = await fresh()
    const before = house.config.text()
    const answer = await browser.ask('setup', { body: { ...body, ...bad } })
    expect(answer.status).toBe(400)
    expect(answer.json()).toMatchObject({ field })
    expect(house.config.text()).toBe(before)
    expect(house.password.isSet).toBe(false)
  })

  it('leaves a fresh box when the configuration cannot be saved, and works when tried again', async () => {
    const { browser, body } = await fresh()
    house.config.failSaves = true
    expect((await browser.ask('setup', { body })).status).toBe(500)
    expect(house.password.isSet).toBe(false)
    house.config.failSaves = false
    expect((await browser.ask('setup', { body })).json()).toMatchObject({ state: 'in' })
  })

  it('answers a second press of the button like the first', async () => {
    const { server, body } = await fresh()
    const [one, two] = [new Browser(server, OWNER), new Browser(server, OWNER)]
    const answers = await Promise.all([one.ask('setup', { body }), two.ask('setup', { body })])
    expect(answers.map((answer) => answer.status)).toEqual([200, 200])
    expect(house.config.saved).toBe(1)
    expect((await two.ask('status')).status).toBe(200)
  })

  it('does not let a second one in who has the code but not the password', async () => {
    const { server, browser, body } = await fresh()
    await browser.ask('setup', { body })
    const late = await new Browser(server, '192.168.1.6').ask('setup', { body: { ...body, password: 'another password', name: 'Mine now' } })
    expect(late.json()).toMatchObject({ error: 'already-set-up' })
    expect(house.config.current().main.name).toBe('Bar Sol')
    expect(await house.password.verify('a new password')).toBe(true)
    expect((await browser.ask('setupForm')).json()).toMatchObject({ error: 'already-set-up' })
  })

  it('gives the box to exactly one of many who try at once', async () => {
    const { server, body } = await fresh()
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_unused, n) => new Browser(server, `192.168.1.${n + 10}`).ask('setup', { body: { ...body, password: `password of ${n} ...` } })),
    )
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1)
    expect(house.config.saved).toBe(1)
  })
})
