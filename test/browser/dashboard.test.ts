/** Coming in, the first look, and a silent box: the dashboard in a real Chromium against the real owner room and its HTTP door. */
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest'
import type { Browser, Page } from 'playwright-core'
import { decodeQR } from 'qr/decode.js'
import { readQr } from '../../src/hotspot/voucher/index.ts'
import type { DashboardFiles } from '../../src/owner/io/static-files.ts'
import { PASSWORD, bundleDashboard, startDashboardApp, type DashboardApp } from '../support/dashboard-app.ts'
import { errorAt as errorAtField, launchOwnerBrowser, openOwnerPage, openView, signIn, soon, type OwnerPage } from '../support/dashboard-browser.ts'
import { KEYS } from '../unit/voucher/fixed-keys.ts'

const CSRF_HEADER = 'x-meshbox-csrf'
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

describe('first run', () => {
  beforeEach(() => start('fresh'))

  it('leads from the set-up code to the first sheet of vouchers', async () => {
    await page.getByRole('heading', { name: 'What is your place called?' }).waitFor()
    await button('Next').click()
    expect(await errorAt('Name of the place')).toBe('Please give your place a name.')
    expect(await errorAt('Set-up code')).toBe('Please type the set-up code.')
    await page.getByLabel('Name of the place').fill('Blue Door')
    await page.getByLabel('Set-up code').fill('aaaa-bbbb')
    await button('Next').click()

    await page.getByRole('heading', { name: 'What does Wi-Fi cost?' }).waitFor()
    await page.getByLabel('1 MBX buys').fill('0')
    await button('Next').click()
    expect(await errorAt('1 MBX buys')).toContain('more than 0')
    await page.getByRole('radio', { name: '15 min' }).check()
    await page.getByText('An hour costs a guest 4 MBX.').waitFor()
    await button('Next').click()

    await page.getByRole('radio', { name: /Kiosk/ }).check()
    await button('Next').click()
    await page.getByRole('radio', { name: 'br-lan' }).waitFor()
    expect(await page.getByRole('radio', { name: 'br-guest' }).isChecked()).toBe(true)
    await button('Next').click()

    await page.getByLabel('Password', { exact: true }).fill('too short')
    await button('Finish set-up').click()
    expect(await errorAt('Password')).toContain('at least 10')
    await page.locator('.strength').getByText('Too short').waitFor()
    await page.getByLabel('Password', { exact: true }).fill('seven green old bicycles')
    await page.locator('.strength').getByText('Strong').waitFor()
    await button('Finish set-up').click()
    expect(await errorAt('Type it once more')).toContain('not the same')
    await page.getByLabel('Type it once more').fill('seven green old bicycles')
    await button('Finish set-up').click()

    // the box refuses the made-up code: back at its field, everything else still filled in
    expect(await errorAt('Set-up code')).toContain('not the set-up code')
    expect(await page.getByLabel('Name of the place').inputValue()).toBe('Blue Door')
    expect(app.owner.access.isUnclaimed).toBe(true)
    await page.getByLabel('Set-up code').fill(app.owner.access.firstRun.setupCode)
    for (let step = 0; step < 4; step++) await button('Next').click()
    expect(await page.getByLabel('Password', { exact: true }).inputValue()).toBe('seven green old bicycles')
    await button('Finish set-up').click()

    await page.getByRole('heading', { name: 'Blue Door is open' }).waitFor()
    expect(app.owner.access.isUnclaimed).toBe(false)
    const tariff = app.owner.tariff()
    expect(tariff.minutesPerToken).toMatch(/^15(\.|$)/)
    expect(tariff.packages.map((one) => one.label)).toEqual(['10 minutes', '30 minutes', '1 hour', '3 hours'])
    await button('Print your first sheet of vouchers').click()
    await dialog().getByRole('button', { name: 'Make 32 vouchers' }).click()
    await dialog().getByText('32 vouchers ready').waitFor()
    expect(app.owner.voucherBatches().batches.map((batch) => batch.count)).toEqual([32])
  })

  it('can do without a price per minute', async () => {
    await page.getByLabel('Name of the place').fill('Blue Door')
    await page.getByLabel('Set-up code').fill(app.owner.access.firstRun.setupCode)
    await button('Next').click()
    await page.getByRole('switch', { name: 'Only sell packages' }).check()
    await button('Next').click()
    expect(await page.getByRole('radio').count()).toBe(1)
    await button('Next').click()
    await button('Next').click()
    await page.getByLabel('Password', { exact: true }).fill('seven green old bicycles')
    await page.getByLabel('Type it once more').fill('seven green old bicycles')
    await button('Finish set-up').click()
    await page.getByRole('heading', { name: 'Blue Door is open' }).waitFor()
    await button('Go to the dashboard').click()
    await page.getByRole('heading', { level: 1, name: 'Today' }).waitFor()
    expect(app.owner.tariff().minutesPerToken).toBeNull()
  })
})

describe('signing in', () => {
  beforeEach(() => start('busy'))

  it('says what is wrong, and how long to wait after too many tries', async () => {
    for (let tries = 0; tries < 3; tries++) {
      await page.getByLabel('Owner password').fill(`wrong guess number ${tries}`)
      await button('Sign in').click()
      expect(await errorAt('Owner password')).toContain('not the password')
    }
    await page.getByLabel('Owner password').fill(PASSWORD)
    await button('Sign in').click()
    await page.getByText(/You can try again in \d+ seconds?\./).waitFor()
    await page.getByText('You can try again now.').waitFor()
    app.clock.aheadMs += 60_000
    await button('Sign in').click()
    await page.getByRole('heading', { level: 1, name: 'Today' }).waitFor()
  })

  it('asks again over the open page when the login has ended, and loses nothing typed', async () => {
    await signIn(page)
    await openView(page, '#/prices')
    await page.getByLabel('Price of a minute').fill('0.35')
    app.clock.aheadMs += 31 * 60_000
    await button('Save').click()
    await dialog().getByText('Please sign in again').waitFor()
    await page.getByLabel('Owner password').fill(PASSWORD)
    await dialog().getByRole('button', { name: 'Sign in' }).click()
    await dialog().waitFor({ state: 'detached' })
    expect(await page.getByLabel('Price of a minute').inputValue()).toBe('0.35')
    await button('Save').click()
    await soon(() => app.owner.tariff().pricePerMinute.text).toBe('0.35')
  })

  it('signs out, and shows nothing of the box afterwards', async () => {
    await signIn(page)
    await button('Sign out').click()
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
    expect(await page.locator('body').innerText()).not.toContain('Earned')
  })

  it('carries the CSRF text on every change, and fetches a new one when another tab has signed in', async () => {
    await signIn(page)
    const sent: (string | undefined)[] = []
    page.on('request', (request) => {
      if (request.method() !== 'GET' && request.url().endsWith('/pause')) sent.push(request.headers()[CSRF_HEADER])
    })
    await page.evaluate(async (password) => {
      await fetch('/api/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ password }) })
    }, PASSWORD)
    await openView(page, '#/guests/s000011')
    await button('Pause').click()
    await dialog().getByText('Paused by you').waitFor()
    expect(sent).toHaveLength(2)
    expect(new Set(sent).size).toBe(2)
    expect(app.desk.session('s000011').state).toBe('paused')
  })
})

describe('home', () => {
  beforeEach(async () => {
    await start('busy')
    await signIn(page)
  })

  it('shows what was earned, exactly, with every day of the plot by keyboard and as a table', async () => {
    const earnings = app.owner.earnings({ days: 30 })
    const shown = async (label: string): Promise<string> => (await page.locator('.sums > div, .sum-more > div').filter({ hasText: label }).last().locator('.amount').innerText()).replaceAll(',', '').replace(/\s+/, '\u00a0')
    const text = (amount: string): string => `${amount.replace(/\.(\d)$/, '.$10')}\u00a0MBX`
    expect(await shown('Earned today')).toBe(text(earnings.earnedToday.all.text))
    expect(await shown('This month')).toBe(text(earnings.earnedMonth?.all.text ?? ''))
    expect(await shown('All time')).toBe(text(earnings.earnedTotal.all.text))

    const plot = page.getByRole('slider', { name: /Earned per day/ })
    await plot.focus()
    await page.keyboard.press('Home')
    expect(await plot.getAttribute('aria-valuenow')).toBe('1')
    expect(await plot.getAttribute('aria-valuetext')).toContain(text(earnings.days[0]?.all.text ?? ''))
    await page.keyboard.press('ArrowRight')
    expect(await plot.getAttribute('aria-valuetext')).toContain(text(earnings.days[1]?.all.text ?? ''))
    await button('Table').click()
    const rows = page.locator('.table tbody tr')
    expect(await rows.count()).toBe(30)
    expect(await rows.first().innerText()).toContain(text(earnings.days[29]?.owner.text ?? ''))
  })

  it('gives the guest at the counter a voucher: code, QR and the price to collect', async () => {
    await button('New voucher').click()
    await dialog().getByRole('radio', { name: /2 hours/ }).check()
    await dialog().getByRole('button', { name: 'Make voucher' }).click()
    const code = (await dialog().locator('.handover-code').innerText()).trim()
    const made = app.owner.vouchers({ limit: 1000 }).vouchers.find((voucher) => voucher.code === code)
    expect(made).toMatchObject({ label: '2 hours', state: 'unused', seconds: 7200 })
    await dialog().getByText('10 MBX', { exact: true }).waitFor()

    await dialog().locator('svg.qr').waitFor()
    const image = await dialog().locator('svg.qr').evaluate((svg) => {
      const side = 400
      const canvas = document.createElement('canvas')
      canvas.width = canvas.height = side
      const pen = canvas.getContext('2d')
      const [x = 0, y = 0, width = 1] = (svg.getAttribute('viewBox') ?? '').split(' ').map(Number)
      if (!pen) return null
      pen.fillStyle = '#fff'
      pen.fillRect(0, 0, side, side)
      pen.scale(side / width, side / width)
      pen.translate(-x, -y)
      pen.fillStyle = '#000'
      pen.fill(new Path2D(svg.querySelector('path')?.getAttribute('d') ?? ''), 'evenodd')
      return { side, data: [...pen.getImageData(0, 0, side, side).data] }
    })
    const scanned = decodeQR({ width: image?.side ?? 0, height: image?.side ?? 0, data: Uint8ClampedArray.from(image?.data ?? []) })
    expect(`${readQr(scanned, KEYS).slot}.${readQr(scanned, KEYS).box}.${readQr(scanned, KEYS).serial}`).toBe(made?.id)

    await button('Another one').click()
    await dialog().getByText('What does the guest want?').waitFor()
    await page.keyboard.press('Escape')
    await dialog().waitFor({ state: 'detached' })
  })

  it('has the health of the box in one line that leads to the details', async () => {
    await page.getByText('Recovery words were never shown').waitFor()
    await page.locator('.strip').getByRole('link').click()
    await page.getByRole('heading', { level: 1, name: 'Box health' }).waitFor()
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H1')
    expect(await page.title()).toBe('Box health · Corner Café')
  })

  it('counts by itself what was earned while the clock was not trusted', async () => {
    app.clock.trusted = false
    await page.reload()
    await page.getByText('Earned since the box was switched on').waitFor()
    await page.getByText('The box is not sure of the date', { exact: true }).waitFor()
    await page.getByText('Clock is not confirmed').waitFor()
    expect(await page.getByText('This month', { exact: true }).count()).toBe(0)
  })
})

describe('when the box does not answer', () => {
  beforeEach(async () => {
    await start('busy')
    await signIn(page)
  })

  it('says so, keeps what was typed, never repeats a change by itself, and goes on when the box is back', async () => {
    await openView(page, '#/vouchers/new')
    await page.getByLabel('Own words (optional)').fill('Market day')
    await opened.context.setOffline(true)
    await button('Make 32 vouchers').click()
    await dialog().getByText('it is not sure whether this was carried out', { exact: false }).waitFor()
    await page.getByText('No answer from the box.', { exact: false }).waitFor({ state: 'attached' })
    expect(await page.getByLabel('Own words (optional)').inputValue()).toBe('Market day')
    const batches = app.owner.voucherBatches().batches.length
    await opened.context.setOffline(false)
    await page.getByText('No answer from the box.', { exact: false }).waitFor({ state: 'detached' })
    expect(app.owner.voucherBatches().batches).toHaveLength(batches)
    await button('Make 32 vouchers').click()
    await dialog().getByText('32 vouchers ready').waitFor()
    expect(app.owner.voucherBatches().batches).toHaveLength(batches + 1)
  })

  it('does not pretend to have signed out', async () => {
    await opened.context.setOffline(true)
    await button('Sign out').click()
    await page.getByText('you are still signed in', { exact: false }).waitFor()
    await opened.context.setOffline(false)
    await page.getByText('No answer from the box.', { exact: false }).waitFor({ state: 'detached' })
    await button('Sign out').click()
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
  })

  it('says why it does not let this browser in', async () => {
    const refusal = { error: 'guest-network', message: "the dashboard cannot be reached from the guests' network" }
    await opened.context.route('**/api/login', (route) => route.fulfill({ status: 403, json: refusal }))
    await page.reload()
    await page.getByText(refusal.message).waitFor()
    await opened.context.unroute('**/api/login')
    await button('Try again').click()
    await page.getByRole('heading', { level: 1, name: 'Today' }).waitFor()
  })

  it('waits at the first page until it answers', async () => {
    await opened.context.route('**/api/**', (route) => route.abort())
    await page.reload()
    await page.getByText('No answer from the box.', { exact: false }).waitFor()
    await opened.context.unroute('**/api/**')
    await button('Try now').click()
    await page.getByRole('heading', { level: 1, name: 'Today' }).waitFor()
  })
})

describe('an empty book', () => {
  beforeEach(async () => {
    await start('empty')
    await signIn(page)
  })

  it('says in each view what to do first', async () => {
    await page.getByText('Your first sale will show up here.').waitFor()
    await openView(page, '#/guests')
    await page.getByText('Sell a voucher, and the guest shows up here', { exact: false }).waitFor()
    await openView(page, '#/vouchers')
    await page.getByText('No vouchers yet').waitFor()
    await button('Make vouchers').click()
    await dialog().getByText('There is no package to sell yet.', { exact: false }).waitFor()
    await dialog().getByRole('link', { name: 'Go to Prices' }).click()
    await page.getByText('No packages yet.', { exact: false }).waitFor()
  })
})
