/**
 * The LuCI pages in a real Chromium, asked through the real rpcd script, in front of the real owner room. What stands
 * for LuCI itself is our own (test/unit/luci/harness); docs/luci.md says what that leaves open.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeOptions, loadConfig, parseUci, plainSections } from '../../src/config/index.ts'
import { launchOwnerBrowser, openOwnerPage, soon } from '../support/dashboard-browser.ts'
import type { OwnerPage } from '../support/dashboard-browser.ts'
import { serve } from '../unit/luci/harness/server.ts'
import type { Site } from '../unit/luci/harness/server.ts'
import { startRpcdBox } from '../unit/luci/rpcd-box.ts'
import { LANGUAGES, readPo } from '../unit/luci/words.ts'
import type { RpcdBox } from '../unit/luci/rpcd-box.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const CONFIG = `
config meshbox 'main'
	option name 'Corner Café'
	list roles 'hotspot'
config token 'token'
	option symbol 'MBX'
config owner 'owner'
	option address '192.168.1.1'
config tariff 'tariff'
	option price_per_minute '0.1'
config package 'half_hour'
	option slot '0'
	option label '30 minutes'
	option seconds '1800'
	option price '3'
config package 'day'
	option slot '2'
	option label '1 day <b>all</b> inclusive'
	option seconds '86400'
	option price '30'
	option devices '3'
config share 'investor'
	option role 'investor'
	option beneficiary 'maria'
	option parts_per_million '100000'
`

let browser: Browser
let box: RpcdBox
let site: Site
let opened: OwnerPage
beforeAll(async () => {
  browser = await launchOwnerBrowser()
})
afterAll(() => browser.close())
beforeEach(async () => {
  box = await startRpcdBox('busy')
  site = await serve({ rpcd: box.rpcd, config: CONFIG })
})
afterEach(async () => {
  await opened.close()
  await site.close()
  await box.stop()
})

async function open(path: string, width = 1280): Promise<Page> {
  opened = await openOwnerPage(browser, `${site.url}${path}`, { width, height: 900 })
  const { page } = opened
  await soon(() => page.evaluate(() => document.body.dataset['ready'])).toBeDefined()
  expect(opened.complaints).toEqual([])
  return page
}
const section = (page: Page, title: string) => page.locator('.cbi-section', { has: page.getByRole('heading', { name: title, exact: true }) })

it('shows the state, the earnings, the guests online and the health of the box', async () => {
  const page = await open('/overview')
  expect(await page.getByRole('heading', { level: 2 }).textContent()).toBe('Corner Café')
  const { earnedToday } = box.app.owner.earnings({})
  expect(await section(page, 'Earnings').textContent()).toContain(`Today${earnedToday.all.text} MBX`)
  const bars = await page.locator('.meshbox-plot rect').count()
  expect(bars).toBe(30)
  const sessions = box.app.owner.sessions({}).sessions
  expect(await section(page, 'Guests online').locator('tr:not(.table-titles)').count()).toBe(sessions.length)
  for (const { devices } of sessions) for (const { mac } of devices) expect(await section(page, 'Guests online').textContent()).toContain(mac)
  const { health } = box.app.owner.status()
  expect(await section(page, 'Health').locator('tr:not(.table-titles)').count()).toBe(health.length)
  expect(await section(page, 'Health').locator('.meshbox-bad, .meshbox-warn').count()).toBe(health.filter(({ level }) => level !== 'ok').length)
  await page.getByText('parts are good').click()
  await page.evaluate(() => window.watched.poll())
  expect(await page.locator('details').getAttribute('open')).toBe('')
  expect(await page.getByRole('link', { name: 'Open the dashboard' }).getAttribute('href')).toBe('http://192.168.1.1:2090/')
})

it('takes over what changes while it is open, and says when the service is gone', async () => {
  const page = await open('/overview')
  const guests = section(page, 'Guests online')
  const before = await guests.locator('tr').count()
  box.app.desk.addGuest({ packageId: 'day', mac: '02:00:00:00:00:77', ip4: '10.80.0.99', usedSeconds: 60, mibDown: 1 })
  await page.evaluate(() => window.watched.poll())
  expect(await guests.locator('tr').count()).toBe(before + 1)
  expect(await guests.textContent()).toContain('02:00:00:00:00:77')

  box.rpcd.provide('curl', 'exit 7')
  await page.evaluate(() => window.watched.poll())
  expect(await page.getByRole('alert').textContent()).toContain('the service is not running')
  expect(await guests.textContent()).toContain('02:00:00:00:00:77')
})

it('pauses, resumes and, once asked twice, ends a session', async () => {
  const page = await open('/overview')
  const row = section(page, 'Guests online').locator('tr', { hasText: '8e:4d:a7:16:6b:f2' })
  await row.getByRole('button', { name: 'Pause' }).click()
  await soon(() => row.textContent()).toContain('paused')
  await row.getByRole('button', { name: 'Resume' }).click()
  await soon(() => row.textContent()).toContain('online')
  await row.getByRole('button', { name: 'End' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  expect(await row.count()).toBe(1)
  await row.getByRole('button', { name: 'End' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'End' }).click()
  await soon(() => row.count()).toBe(0)
  expect(box.app.owner.sessions({ state: 'all', find: '8e:4d:a7:16:6b:f2' }).sessions[0]?.state).toBe('ended')
})

it('makes vouchers and shows their codes, and what the box refuses', async () => {
  const page = await open('/overview')
  await page.getByLabel('Package').selectOption('day')
  await page.getByLabel('How many').fill('3')
  await page.getByLabel('Text on the voucher').fill('Tür & "Tor"')
  await page.getByRole('button', { name: 'Make vouchers' }).click()
  const codes = page.getByLabel('Voucher codes')
  await soon(() => codes.count()).toBe(1)
  const shown = (await codes.inputValue()).split('\n')
  const made = box.app.owner.vouchers({ limit: 1000 }).vouchers.filter(({ label }) => label === 'Tür & "Tor"')
  expect(shown.toSorted()).toEqual(made.map(({ code }) => code).toSorted())
  expect(shown).toHaveLength(3)
  await page.getByRole('button', { name: 'Close' }).click()

  await page.getByLabel('How many').fill('101')
  await page.getByRole('button', { name: 'Make vouchers' }).click()
  expect(await page.getByRole('alert').textContent()).toContain('1 to 100')
  await page.getByLabel('How many').fill('1')
  await page.getByLabel('Last day of first use').fill('2020-01-01')
  await page.getByRole('button', { name: 'Make vouchers' }).click()
  await soon(() => page.getByRole('alert').count()).toBe(2)
})

it('offers no change to who may only look', async () => {
  const page = await open('/overview?read-only')
  expect(await page.getByRole('button').count()).toBe(0)
  expect(await page.getByRole('heading', { name: 'New vouchers' }).count()).toBe(0)
  const denied = await page.evaluate(async () => (await fetch('/ubus', { method: 'POST', body: JSON.stringify(['meshbox', 'voucher', { package: 'day', count: 1 }]) })).json() as Promise<unknown>)
  expect(denied).toEqual([6])
})

it('takes no text of the box for HTML', async () => {
  const page = await open('/overview')
  expect(await page.getByLabel('Package').textContent()).toContain('1 day <b>all</b> inclusive')
  const original = box.app.owner.sessions.bind(box.app.owner)
  const hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
  box.app.owner.sessions = (query) => {
    const answer = original(query)
    return { ...answer, sessions: answer.sessions.map((session) => ({ ...session, label: hostile, devices: [{ mac: hostile, ip4: hostile }] })) }
  }
  await page.evaluate(() => window.watched.poll())
  expect(await section(page, 'Guests online').textContent()).toContain(hostile)
  expect(await section(page, 'Guests online').locator('img, script').count()).toBe(0)
})

it.each([390, 1280])('stands on a screen of %d pixels without scrolling sideways, and is usable without eyes', async (width) => {
  for (const path of ['/overview', '/settings']) {
    const page = await open(path, width)
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
    await page.evaluate(AXE)
    const faults = await page.evaluate(async () => {
      const { axe } = window as unknown as { axe: { run(root: string, options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }
      // The frame around the view is not ours: rules about the page as a whole are left out.
      const { violations } = await axe.run('#view', { rules: { region: { enabled: false }, 'page-has-heading-one': { enabled: false } } })
      return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`)
    })
    expect(faults.filter((fault) => !fault.startsWith('empty-table-header'))).toEqual([])
    if (path === '/overview') await opened.close()
  }
})

it.each(LANGUAGES)('in %s it fits on a phone, and no word stays English', async (language) => {
  const words = readPo(language)
  const translated = await serve({ rpcd: box.rpcd, config: CONFIG, words: Object.fromEntries(words) })
  try {
    for (const path of ['/overview', '/settings']) {
      opened = await openOwnerPage(browser, `${translated.url}${path}`, { width: 390, height: 900 })
      await soon(() => opened.page.evaluate(() => document.body.dataset['ready'])).toBe('yes')
      expect(await opened.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
      const headings = await opened.page.locator('h3, .cbi-value-title').allTextContents()
      expect(headings.length).toBeGreaterThan(7)
      expect(headings.filter((heading) => words.has(heading) && words.get(heading) !== heading)).toEqual([])
      if (path === '/overview') await opened.close()
    }
  } finally {
    await translated.close()
  }
})

it('a fresh box: leads to the wizard, and does not show the set-up code', async () => {
  const fresh = await startRpcdBox('fresh')
  const freshSite = await serve({ rpcd: fresh.rpcd, config: '' })
  try {
    opened = await openOwnerPage(browser, `${freshSite.url}/overview`)
    await soon(() => opened.page.evaluate(() => document.body.dataset['ready'])).toBe('yes')
    const text = (await opened.page.locator('body').textContent()) ?? ''
    expect(text).toContain('This box has no owner yet')
    expect(text).toContain('meshbox status')
    expect(text).toContain('ssh -L 2090:127.0.0.1:2090 root@127.0.0.1')
    expect(text).not.toContain(fresh.app.owner.consoleStatus().setupCode)
  } finally {
    await freshSite.close()
    await fresh.stop()
  }
})

it('settings: every option is one of the service, with the default the service has', async () => {
  const page = await open('/settings')
  const options = await page.evaluate(() => window.watched.options())
  expect(options.length).toBeGreaterThan(30)
  for (const { section: name, name: option, placeholder, default: preset } of options) {
    const known = describeOptions().find((candidate) => (candidate.sectionName ?? candidate.section) === name && candidate.option === option)
    expect(known, `${name}.${option}`).toBeDefined()
    if (placeholder !== '' && placeholder !== 'no limit') expect(known?.fallback, `${name}.${option}`).toBe(placeholder)
    if (placeholder === 'no limit') expect(known?.fallback, `${name}.${option}`).toMatch(/^not set: /)
    if (preset !== null) expect(known?.fallback, `${name}.${option}`).toBe(preset)
  }
})

it('settings: saving without a change changes nothing the service sees', async () => {
  const page = await open('/settings')
  const before = loadConfig(CONFIG, 'meshbox')
  expect(await page.evaluate(() => window.watched.save())).toEqual([])
  expect(loadConfig(site.text(), 'meshbox')).toEqual(before)
})

it('settings: what is typed is in the file, and the service takes it', async () => {
  const page = await open('/settings')
  const type = (name: string, value: string) => page.locator(`[id="cbid.${name}"]`).fill(value)
  await type('main.name', 'Café Ö "Zwei"')
  await type('tariff.price_per_minute', '0.05')
  await type('hotspot.walled_garden_domains', 'menu.example.org\nnews.example.org')
  await type('hotspot.walled_garden_addresses', '192.0.2.0/24\n2001:db8::/32')
  await type('owner.address', '10.0.0.1')
  await type('tariff.burner_cap', '1.5')
  await type('chain.network', 'testnet')
  await type('photon.contract', `0x${'4D'.repeat(20)}`)
  await type('photon.tokens', `0x${'4E'.repeat(20)}:SMT:18`)
  await type('photon.listen_address', '10.1.2.3')
  await page.locator('[id="cbid.photon.listen_zones"] input[value="mesh"]').check()
  await page.locator('[id="cbid.photon.rest"]').check()
  for (const role of ['light', 'photon']) await page.locator(`[id="cbid.main.roles"] input[value="${role}"]`).check()
  await page.locator('[id="cbid.hotspot.client_isolation"]').uncheck()
  expect(await page.evaluate(() => window.watched.save())).toEqual([])
  const config = loadConfig(site.text(), 'meshbox')
  expect(config.main.name).toBe('Café Ö "Zwei"')
  expect(config.tariff.pricePerMinute).toBe(5n * 10n ** 16n)
  expect(config.hotspot).toMatchObject({ walledGardenDomains: ['menu.example.org', 'news.example.org'], walledGardenAddresses: ['192.0.2.0/24', '2001:db8::/32'], clientIsolation: false })
  expect(config.owner.address).toBe('10.0.0.1')
  expect(config.shares).toHaveLength(1)
  expect(config.main.roles).toEqual(['hotspot', 'light', 'photon'])
  expect(config.tariff.burnerCap).toBe(15n * 10n ** 17n)
  expect(config.chain.network).toBe('testnet')
  expect(config.photon).toMatchObject({ contract: `0x${'4D'.repeat(20)}`, listenAddress: '10.1.2.3', listenZones: ['mesh'], rest: true, tokens: [{ symbol: 'SMT' }] })
})

it('settings: names the mistake at its field and saves nothing', async () => {
  const page = await open('/settings')
  await page.locator('[id="cbid.tariff.price_per_minute"]').fill('0,5')
  await page.locator('[id="cbid.owner.address"]').fill('0.0.0.0')
  await page.locator('[id="cbid.hotspot.portal_host"]').fill('box.local')
  const objections = await page.evaluate(() => window.watched.save())
  expect(objections.map((objection) => objection.split(':')[0])).toEqual(['tariff.price_per_minute', 'hotspot.portal_host', 'owner.address'])
  expect(await page.locator('[data-name="address"] .cbi-error').textContent()).toContain('not 0.0.0.0')
  expect(site.text()).toBe(CONFIG)
})

it('settings: a new package gets a free number; a number is given once', async () => {
  const page = await open('/settings')
  await page.getByLabel('New package').fill('week')
  await page.getByRole('button', { name: 'Add' }).click()
  const dialog = page.getByRole('dialog')
  expect(await dialog.getByLabel('Number on vouchers').inputValue()).toBe('1')
  await dialog.getByLabel('Label').fill('One week')
  await dialog.getByLabel('Price').fill('100')
  await dialog.getByLabel('Time (seconds)').fill('604800')
  await dialog.getByLabel('Number on vouchers').fill('2')
  await dialog.getByRole('button', { name: 'Save package' }).click()
  expect(await dialog.locator('[data-name="slot"] .cbi-error').textContent()).toContain('day')
  await dialog.getByLabel('Number on vouchers').fill('1')
  await dialog.getByRole('button', { name: 'Save package' }).click()
  expect(await page.evaluate(() => window.watched.save())).toEqual([])
  expect(loadConfig(site.text(), 'meshbox').packages.find(({ id }) => id === 'week')).toMatchObject({ slot: 1, label: 'One week', seconds: 604800, devices: 1, offered: true })
  expect(plainSections(parseUci(site.text(), 'meshbox')).map(({ name }) => name)).toContain('investor')
})
