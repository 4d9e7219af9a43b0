/** The owner's daily work: guests, vouchers, prices, health, settings, in a real Chromium against the real owner room. */
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest'
import type { Browser, Page } from 'playwright-core'
import type { DashboardFiles } from '../../src/owner/io/static-files.ts'
import { BOX_WORDS, PASSWORD, VOUCHER_WORDS, bundleDashboard, startDashboardApp, type DashboardApp } from '../support/dashboard-app.ts'
import { errorAt as errorAtField, launchOwnerBrowser, openOwnerPage, openView, signIn, soon, type OwnerPage } from '../support/dashboard-browser.ts'

let browser: Browser
let files: DashboardFiles
let app: DashboardApp
let opened: OwnerPage
let page: Page

beforeAll(async () => {
  ;[browser, files] = await Promise.all([launchOwnerBrowser(), bundleDashboard()])
})
afterAll(async () => {
  await browser.close()
})

async function start(kind: 'fresh' | 'empty' | 'busy'): Promise<void> {
  app = await startDashboardApp(files, kind)
  opened = await openOwnerPage(browser, app.url)
  page = opened.page
}
afterEach(async () => {
  expect(opened.complaints).toEqual([])
  await opened.close()
  await app.stop()
})

const dialog = () => page.getByRole('dialog')
const button = (name: string) => page.getByRole('button', { name, exact: true })
const errorAt = (label: string): Promise<string> => errorAtField(page, label)

describe('guests', () => {
  beforeEach(async () => {
    await start('busy')
    await signIn(page)
    await openView(page, '#/guests')
    await page.locator('.guest').first().waitFor()
  })
  const row = (mac: string) => page.locator('.guest').filter({ hasText: mac })
  const secondsIn = (clock: string): number => clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)

  it('counts down between two answers of the box', async () => {
    const left = row('d6:90:3e:44:28:1c').locator('.remaining')
    const first = secondsIn(await left.innerText())
    await opened.context.route('**/api/sessions**', (route) => route.abort()) // from now on nothing comes from the box
    await soon(async () => secondsIn(await left.innerText())).toBeLessThan(first)
    await opened.context.unroute('**/api/sessions**')
  })

  it('pauses and resumes', async () => {
    await row('d6:90:3e:44:28:1c').getByRole('link').click()
    await button('Pause').click()
    await dialog().getByText('Paused by you').waitFor()
    expect(app.desk.session('s000011').state).toBe('paused')
    await button('Resume').click()
    await dialog().getByText('Online', { exact: true }).waitFor()
    expect(app.desk.session('s000011').state).toBe('active')
    await page.keyboard.press('Escape')
    await dialog().waitFor({ state: 'detached' })
    expect(new URL(page.url()).hash).toBe('#/guests')
    expect(await page.evaluate(() => document.activeElement?.closest('.guest')?.textContent)).toContain('d6:90:3e:44:28:1c')
  })

  it('adds time: a preset, and any number of minutes', async () => {
    const before = app.desk.session('s000011').secondsLeft ?? 0
    await openView(page, '#/guests/s000011')
    await button('Add time').click()
    await page.getByRole('radio', { name: '+1 h' }).check()
    await button('Add 60 min').click()
    await soon(() => app.desk.session('s000011').secondsLeft).toBeGreaterThan(before + 3400)
    await button('Add time').click()
    await page.getByRole('radio', { name: 'Other' }).check()
    await page.getByLabel('Minutes to add').fill('2.5')
    await button('Add 0 min').click()
    expect(await errorAt('Minutes to add')).toContain('whole number')
    await page.getByLabel('Minutes to add').fill('45')
    await button('Add 45 min').click()
    await soon(() => app.desk.session('s000011').secondsLeft).toBeGreaterThan(before + 3400 + 2600)
  })

  it('asks with the amount before a refund, and then says the exact one', async () => {
    await openView(page, '#/guests/s000011')
    await button('Refund').click()
    await dialog().getByText(/^[34]\.\d\d\sMBX$/).waitFor()
    await dialog().getByText(/Of 10\sMBX paid/).waitFor()
    expect(app.desk.session('s000011').state).toBe('active')
    await button('Refund and end').click()
    await dialog().getByText('Give back to the guest').waitFor()
    const { refunded, state, endReason } = app.desk.session('s000011')
    expect([state, endReason]).toEqual(['ended', 'refunded'])
    const shown = (await dialog().locator('.collect-sum').innerText()).replace('…', '').replace(/\s.*$/, '')
    expect(String(refunded).startsWith(shown.replace('.', ''))).toBe(true)
    await button('Done').click()
    await row('d6:90:3e:44:28:1c').waitFor({ state: 'detached' })
  })

  it('ends a visit only after asking', async () => {
    await openView(page, '#/guests/s000011')
    await button('End visit').click()
    await dialog().getByText(/loses what is left \(4\d min\)/).waitFor()
    await button('Back').click()
    expect(app.desk.session('s000011').state).toBe('active')
    await button('End visit').click()
    await button('End visit').click()
    await dialog().getByText('Ended by you').waitFor()
    expect(app.desk.session('s000011').endReason).toBe('ended-by-owner')
  })

  it('finds a device, and keeps a history', async () => {
    await page.getByLabel('Find a guest').fill('5e:0b')
    await page.getByText('Nothing found').waitFor()
    await page.getByRole('radio', { name: 'History' }).check()
    await soon(() => page.locator('.guest').count()).toBe(8)
    await page.getByLabel('Find a guest').fill('')
    await soon(() => page.locator('.guest').count()).toBe(15)
    await page.getByText('The box was not sure of the time then.').first().waitFor({ state: 'attached' })
  })
})

describe('vouchers', () => {
  beforeEach(async () => {
    await start('busy')
    await signIn(page)
    await openView(page, '#/vouchers')
    await page.locator('.batch').first().waitFor()
  })

  it('makes a batch, with objections at the fields, and offers it for printing', async () => {
    await button('Make vouchers').click()
    await page.getByLabel('How many').fill('1001')
    await page.locator('.dialog-foot .button-primary').click()
    expect(await errorAt('How many')).toContain('1 to 1000')
    await page.getByLabel('How many').fill('40')
    await page.getByLabel('Use by (optional)').fill('2020-01-31')
    await page.getByLabel('Own words (optional)').fill('Summer fair')
    await button('Make 40 vouchers').click()
    expect(await errorAt('Use by (optional)')).toContain('today or later')
    await page.getByLabel('Use by (optional)').fill('2099-12-31')
    await button('Make 40 vouchers').click()
    await dialog().getByText('40 vouchers ready').waitFor()
    const [sheet] = await Promise.all([opened.context.waitForEvent('page'), dialog().getByRole('link', { name: /Print sheet/ }).click()])
    await sheet.locator('.voucher').first().waitFor()
    expect(await sheet.locator('.voucher').count()).toBe(40)
    await sheet.close()
    const [csv] = await Promise.all([page.waitForEvent('download'), dialog().getByRole('link', { name: 'Export CSV' }).click()])
    expect(csv.suggestedFilename()).toMatch(/^vouchers-.*\.csv$/)
    await page.keyboard.press('Escape')
    await page.getByRole('link', { name: 'Summer fair' }).waitFor()
    expect(app.owner.voucherBatches().batches[0]).toMatchObject({ label: 'Summer fair', count: 40, unused: 40 })
  })

  it('revokes one voucher and a whole batch, after asking', async () => {
    await page.getByRole('link', { name: '1 day' }).click()
    await page.getByRole('heading', { level: 1, name: '1 day' }).waitFor()
    await page.getByRole('radio', { name: 'Unused' }).check()
    await soon(() => page.locator('.code-row').count()).toBe(12)
    const code = await page.locator('.code-text').first().innerText()
    await button(`Revoke ${code}`).click()
    await dialog().getByText(`Revoke ${code}?`).waitFor()
    await button('Revoke').click()
    await soon(() => page.locator('.code-row').count()).toBe(11)
    await button('Revoke batch').click()
    await dialog().getByText(/11 unused codes stop working/).waitFor()
    await button('Revoke').click()
    await page.getByText('None in this batch.').waitFor()
    expect(app.owner.vouchers({ batch: 'b0002', state: 'unused' }).vouchers).toEqual([])
  })

  it('folds away what was made one by one', async () => {
    await app.owner.createVouchers({ packageId: 'day', count: 1 })
    await page.reload()
    await page.getByText('1 single voucher').click()
    await page.locator('details').getByRole('link', { name: '1 day' }).click()
    await soon(() => page.locator('.code-row').count()).toBe(1)
  })
})

describe('prices', () => {
  beforeEach(async () => {
    await start('busy')
    await signIn(page)
    await openView(page, '#/prices')
    await page.locator('.guest-page').waitFor()
  })

  it('shows a change to the guest before it is saved, keeps it while looking elsewhere, and saves it', async () => {
    await page.getByLabel('Price of a minute').fill('0,25')
    await page.locator('.guest-page').getByText('0.25 MBX a minute').waitFor()
    await page.getByText('1 MBX buys 4 minutes.').waitFor()
    await openView(page, '#/health')
    await page.getByRole('heading', { level: 1, name: 'Box health' }).waitFor()
    await openView(page, '#/prices')
    expect(await page.getByLabel('Price of a minute').inputValue()).toBe('0,25')
    expect(app.owner.tariff().pricePerMinute.text).toBe('0.1')
    await button('Save').click()
    await soon(() => app.owner.tariff().pricePerMinute.text).toBe('0.25')
    await button('Save').waitFor({ state: 'detached' })
  })

  it('says at the field what the box does not accept, and sends nothing that is no number', async () => {
    await page.getByLabel('Price of a minute').fill('1.2.3')
    await button('Save').click()
    expect(await errorAt('Price of a minute')).toContain('18 digits')
    await page.getByLabel('Price of a minute').fill('0.1')
    await page.getByLabel('Speed down').fill('3')
    await button('Save').click()
    expect(await errorAt('Speed down')).toContain('kbit/s')
    await button('Discard').click()
    expect(await page.getByLabel('Speed down').inputValue()).toBe('')
  })

  it('edits, adds, moves and removes packages', async () => {
    await button('Edit 2 hours').click()
    await page.getByLabel('Devices at once').fill('99')
    await button('Save').click()
    expect(await errorAt('Devices at once')).toContain('16')
    await page.getByLabel('Devices at once').fill('4')
    await page.getByLabel('Price', { exact: true }).fill('12.5')
    await button('Save').click()
    await dialog().waitFor({ state: 'detached' })
    expect(app.owner.tariff().packages[1]).toMatchObject({ id: 'two_hours', slot: 1, devices: 4, seconds: 7200, price: { text: '12.5' } })

    await button('Add package').click()
    await page.getByLabel('Name', { exact: true }).fill('Weekend')
    await page.getByLabel('Time', { exact: true }).fill('2')
    await page.getByLabel('Counted in').selectOption('days')
    await button('Save').click()
    expect(await errorAt('Price')).toContain('Type a price')
    await page.getByLabel('Price', { exact: true }).fill('45')
    await button('Save').click()
    await dialog().waitFor({ state: 'detached' })
    expect(app.owner.tariff().packages.at(-1)).toMatchObject({ id: 'weekend', label: 'Weekend', seconds: 172_800, price: { text: '45' }, offered: true })
    await page.locator('.guest-page').getByText('Weekend').waitFor()

    await button('Edit Weekend').click()
    await button('Move up').click()
    await dialog().waitFor({ state: 'detached' })
    expect(app.owner.tariff().packages.at(-2)?.id).toBe('weekend')
    await button('Edit Weekend').click()
    await button('Remove').click()
    await button('Remove for good?').click()
    await dialog().waitFor({ state: 'detached' })
    expect(app.owner.tariff().packages.map((one) => one.id)).not.toContain('weekend')
  })

  it('sells what goes into a guest’s payment channel, and bounds what a page without TLS spends', async () => {
    await button('Add package').click()
    await page.getByLabel('Name', { exact: true }).fill('Two tokens')
    await page.getByLabel('Price', { exact: true }).fill('2')
    await page.getByLabel('Worth in tokens').fill('2,5')
    await button('Save').click()
    expect(await errorAt('Worth in tokens, for a payment channel')).toContain('Tokens stand alone')
    await page.getByLabel('Time', { exact: true }).fill('')
    expect(await page.getByLabel('Offer on the guest’s page').count()).toBe(0)
    await button('Save').click()
    await dialog().waitFor({ state: 'detached' })
    expect(app.owner.tariff().packages.at(-1)).toMatchObject({ label: 'Two tokens', seconds: null, bytes: null, tokens: { text: '2.5' }, price: { text: '2' }, offered: false })
    await page.getByText(/2\.50.MBX for a payment channel/).waitFor()
    await page.getByLabel('Most a page without TLS spends').fill('1.5')
    await button('Save').click()
    await soon(() => app.owner.tariff().burnerCap.text).toBe('1.5')
  })

  it('changes only what was changed of a package whose contents cannot be shown in round numbers', async () => {
    const { packages } = app.owner.tariff()
    await app.owner.changeTariff({ packages: packages.map((one) => ({ ...one, price: one.price.text, tokens: null, ...(one.id === 'gigabyte' ? { bytes: 1_000_000_001, seconds: 5003 } : {}) })) })
    await page.reload()
    await button('Edit 1 GiB, no hurry').click()
    await page.getByLabel('Price', { exact: true }).fill('1,500')
    await button('Save').click()
    expect(await errorAt('Price')).toContain('with a point')
    await page.getByLabel('Price', { exact: true }).fill('8,5')
    await button('Save').click()
    await dialog().waitFor({ state: 'detached' })
    expect(app.owner.tariff().packages.find((one) => one.id === 'gigabyte')).toMatchObject({ bytes: 1_000_000_001, seconds: 5003, price: { text: '8.5' } })
  })

  it('edits happy hours and the free trial', async () => {
    await button('Add happy hour').click()
    await page.getByLabel('Name', { exact: true }).fill('Early birds')
    await page.getByLabel('Until', { exact: true }).fill('08:00')
    await button('Save').click()
    expect(await errorAt('Until')).toContain('another time')
    await page.getByLabel('Until', { exact: true }).fill('09:30')
    await dialog().getByRole('checkbox', { name: 'Sun' }).uncheck()
    await button('Save').click()
    await dialog().waitFor({ state: 'detached' })
    expect(app.owner.tariff().happyHours.at(-1)).toMatchObject({ id: 'early_birds', fromMinute: 480, toMinute: 570, days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat'], discountPercent: 20 })
    await page.getByRole('switch', { name: 'Offer a free trial' }).uncheck()
    await button('Save').click()
    await soon(() => app.owner.tariff().trialMinutes).toBe(0)
    expect(await page.locator('.guest-page').innerText()).not.toContain('Try it free')
  })
})

describe('health and settings', () => {
  beforeEach(async () => {
    await start('busy')
    await signIn(page)
  })

  it('shows the recovery words once, to who types the password again', async () => {
    await openView(page, '#/health')
    await button('Show the words').click()
    await page.getByLabel('Your owner password').fill('not the password')
    await button('Show them now').click()
    expect(await errorAt('Your owner password')).toContain('not the password')
    await page.getByLabel('Your owner password').fill(PASSWORD)
    await button('Show them now').click()
    await dialog().locator('.words').waitFor()
    expect(await dialog().locator('.words .mono').allInnerTexts()).toEqual(BOX_WORDS)
    for (let press = 0; press < 3; press++) await page.keyboard.press('Escape') // at the second one the browser closes by itself
    expect(await dialog().locator('.words').isVisible()).toBe(true)
    await page.evaluate(() => document.querySelector('dialog')?.close()) // what a phone's back gesture comes to
    await soon(() => dialog().locator('.words').isVisible()).toBe(true)
    await dialog().getByRole('switch', { name: 'I have written them down' }).check()
    await button('Close for good').click()
    await page.getByText('They were shown already.', { exact: false }).waitFor()
    expect(await page.content()).not.toContain(BOX_WORDS[2])
  })

  it('downloads a backup and a support bundle, and filters the log', async () => {
    await openView(page, '#/health')
    const [backup] = await Promise.all([page.waitForEvent('download'), button('Download backup').click()])
    expect(backup.suggestedFilename()).toBe('meshbox-backup.sqlite3')
    const [bundle] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download bundle' }).click()])
    expect(bundle.suggestedFilename()).toBe('meshbox-support.tar.gz')
    await page.getByText('free trial given').waitFor()
    await page.getByRole('radio', { name: 'Warnings' }).check()
    await page.getByText('rules were flushed').waitFor()
    expect(await page.getByText('free trial given').count()).toBe(0)
  })

  it('shows alarms and what is wrong, worst first', async () => {
    app.desk.gate = { state: 'degraded', reason: 'the shaper is missing', repairs: 3, devices: 0 }
    app.desk.alarms = [{ kind: 'forged-address', detail: '10.80.0.1 claimed by a guest', mac: '02:00:00:00:00:66', wallMs: app.clock.wallMs() }]
    await page.reload()
    await page.getByText('Gate limps: the shaper is missing').waitFor()
    await openView(page, '#/health')
    await page.getByText('10.80.0.1 claimed by a guest').waitFor()
    await page.getByText('repaired 3 times').waitFor()
  })

  it('changes the name and the password', async () => {
    await openView(page, '#/settings')
    await page.getByLabel('Name of the place').fill('Corner Café & Bar')
    await button('Save').click()
    await page.locator('.nav-side').getByText('Corner Café & Bar').waitFor()
    expect(app.owner.status().name).toBe('Corner Café & Bar')
    await page.getByLabel('Password now').fill('wrong wrong wrong')
    await page.getByLabel('New password').fill('nine red paper lanterns')
    await page.getByLabel('Type it once more').fill('nine red paper lanterns')
    await button('Change password').click()
    expect(await errorAt('Password now')).toContain('not the password')
    await page.getByLabel('Password now').fill(PASSWORD)
    await button('Change password').click()
    await page.getByText('Password changed.', { exact: false }).waitFor()
    await button('Sign out').click()
    await signIn(page, 'nine red paper lanterns')
  })

  it('shows the voucher words for a second box, and the chosen look stays', async () => {
    await openView(page, '#/settings')
    await button('Show the voucher words').click()
    await page.getByLabel('Your owner password').fill(PASSWORD)
    await button('Show them now').click()
    await dialog().locator('.words').waitFor()
    expect(await dialog().locator('.words .mono').allInnerTexts()).toEqual(VOUCHER_WORDS)
    await button('Done').click()
    const background = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).color + getComputedStyle(document.documentElement).backgroundColor)
    const light = await background()
    await page.getByRole('radio', { name: 'Dark' }).check()
    const dark = await background()
    expect(dark).not.toBe(light)
    await page.reload()
    await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor()
    expect(await background()).toBe(dark)
  })
})
