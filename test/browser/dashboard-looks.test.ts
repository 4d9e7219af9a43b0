/** What the owner sees: axe in every view, light and dark, phone and desktop; narrow screens; keyboard and focus. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Browser, Page } from 'playwright-core'
import { axeFindings } from '../support/axe.ts'
import { hash } from '../support/photon-views.ts'
import { bundleDashboard, startDashboardApp, type DashboardApp } from '../support/dashboard-app.ts'
import { launchOwnerBrowser, openOwnerPage, openView, signIn } from '../support/dashboard-browser.ts'
import { picture } from '../support/page-story.ts'

/** With gzip, as it is sent. */
const SCRIPT_BUDGET_BYTES = 48_000
/** Pages that most visits do not open. */
const SELDOM_BUDGET_BYTES = 46_000

interface View {
  readonly name: string
  readonly hash: string
  /** There when the view is complete. */
  readonly ready: string
  readonly then?: (page: Page) => Promise<void>
}

const click = (name: string) => async (page: Page) => page.getByRole('button', { name, exact: true }).click()
const VIEWS: readonly View[] = [
  { name: 'home', hash: '#/home', ready: '.chart' },
  { name: 'home, table', hash: '#/home', ready: '.chart', then: click('Table') },
  { name: 'counter voucher', hash: '#/home/voucher', ready: 'dialog .choice' },
  { name: 'counter voucher made', hash: '#/home/voucher', ready: 'dialog .choice', then: async (page) => click('Make voucher')(page).then(() => page.locator('svg.qr').waitFor()) },
  { name: 'guests', hash: '#/guests', ready: '.guest' },
  { name: 'history', hash: '#/guests', ready: '.guest', then: (page) => page.getByRole('radio', { name: 'History' }).check() },
  { name: 'guest', hash: '#/guests/s000011', ready: 'dialog .visit-left' },
  { name: 'guest, add time', hash: '#/guests/s000011', ready: 'dialog .visit-left', then: async (page) => click('Add time')(page).then(() => page.getByRole('radio', { name: 'Other' }).check()) },
  { name: 'guest, refund', hash: '#/guests/s000011', ready: 'dialog .visit-left', then: click('Refund') },
  { name: 'guest, end', hash: '#/guests/s000011', ready: 'dialog .visit-left', then: click('End visit') },
  { name: 'vouchers', hash: '#/vouchers', ready: '.batch' },
  { name: 'make vouchers', hash: '#/vouchers/new', ready: 'dialog .choice', then: async (page) => page.getByLabel('How many').fill('0').then(() => page.locator('.dialog-foot .button-primary').click()) },
  { name: 'batch', hash: '#/vouchers/b0002', ready: '.code-row' },
  { name: 'batch, revoke', hash: '#/vouchers/b0002', ready: '.code-row', then: click('Revoke batch') },
  { name: 'prices', hash: '#/prices', ready: '.guest-page' },
  { name: 'package', hash: '#/prices', ready: '.guest-page', then: async (page) => click('Add package')(page).then(() => click('Save')(page)) },
  { name: 'happy hour', hash: '#/prices', ready: '.guest-page', then: async (page) => click('Add happy hour')(page).then(() => click('Save')(page)) },
  { name: 'chain', hash: '#/chain', ready: '[aria-labelledby="chain-round"]' },
  { name: 'channels', hash: '#/channels', ready: '.channel-bar' },
  { name: 'channel', hash: `#/channels/${hash(1)}`, ready: 'dialog .channel-bar' },
  { name: 'channel, alarm', hash: `#/channels/${hash(4)}`, ready: 'dialog .channel-bar' },
  { name: 'channel, add money', hash: `#/channels/${hash(1)}`, ready: 'dialog .channel-bar', then: async (page) => click('Add money')(page).then(() => page.locator('.dialog-foot .button-primary').click()) },
  { name: 'channel, close', hash: `#/channels/${hash(1)}`, ready: 'dialog .channel-bar', then: click('End channel') },
  { name: 'open a channel', hash: '#/channels/new', ready: 'dialog .choice', then: (page) => page.locator('.dialog-foot .button-primary').click() },
  { name: 'pay', hash: '#/channels/pay', ready: 'dialog .switch', then: (page) => page.locator('.dialog-foot .button-primary').click() },
  { name: 'health', hash: '#/health', ready: '.log-line' },
  { name: 'recovery words', hash: '#/health', ready: '.log-line', then: click('Show the words') },
  { name: 'settings', hash: '#/settings', ready: '.facts' },
  { name: 'more', hash: '#/more', ready: 'h1' },
]

let browser: Browser
let files: Awaited<ReturnType<typeof bundleDashboard>>
let busy: DashboardApp
let fresh: DashboardApp
beforeAll(async () => {
  ;[browser, files] = await Promise.all([launchOwnerBrowser(), bundleDashboard()])
  ;[busy, fresh] = await Promise.all([startDashboardApp(files, 'busy'), startDashboardApp(files, 'fresh')])
})
afterAll(async () => {
  await browser.close()
  await Promise.all([busy.stop(), fresh.stop()])
})

async function show(page: Page, view: View): Promise<void> {
  await openView(page, '#/more') // so that nothing of the view before is left open
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await openView(page, view.hash)
  await page.locator(view.ready).first().waitFor()
  await view.then?.(page)
}

/** What lies beyond the right edge of the window, other than inside something that scrolls by itself. */
async function overflowing(page: Page, name: string): Promise<string[]> {
  return page.evaluate((view) => {
    const width = document.documentElement.clientWidth
    const found = document.documentElement.scrollWidth > width ? [`${view}: the page is ${document.documentElement.scrollWidth} wide`] : []
    for (const element of document.querySelectorAll('main *, dialog *, nav *')) {
      if (element instanceof SVGElement && element.tagName !== 'svg') continue // an svg shows nothing beyond its own box
      const { right, width: own } = element.getBoundingClientRect()
      const scrolls = element.closest('.table-frame, .log, .tabs')
      if (own > 0 && right > width + 0.5 && !scrolls && !element.closest('.hidden-text')) found.push(`${view}: ${element.tagName} .${element.className} ${element.textContent?.slice(0, 40)}`)
    }
    return found
  }, name)
}

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  it.each([
    ['phone', 360, 780],
    ['desktop', 1280, 860],
  ] as const)('axe finds nothing to complain about in any view, %s', async (_name, width, height) => {
    const { page, close, complaints } = await openOwnerPage(browser, busy.url, { width, height, colorScheme })
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
    const findings = await axeFindings(page, 11)
    await signIn(page)
    for (const view of VIEWS) {
      await show(page, view)
      findings.push(...(await axeFindings(page, 11)).map((finding) => `${view.name}: ${finding}`))
    }
    expect(findings).toEqual([])
    expect(complaints).toEqual([])
    await close()
  })

  it('axe finds nothing in the first run, nor in its objections', async () => {
    const { page, close } = await openOwnerPage(browser, fresh.url, { width: 360, height: 780, colorScheme })
    const findings: string[] = []
    await page.getByRole('heading', { name: 'What is your place called?' }).waitFor()
    await page.getByRole('button', { name: 'Next' }).click()
    findings.push(...(await axeFindings(page, 11)).map((finding) => `place, wrong: ${finding}`))
    await page.getByLabel('Name of the place').fill('Blue Door')
    await page.getByLabel('Set-up code').fill('AAAA-BBBB')
    for (const step of ['price', 'packages', 'network', 'password']) {
      await page.getByRole('button', { name: 'Next' }).click()
      findings.push(...(await axeFindings(page, 11)).map((finding) => `${step}: ${finding}`))
    }
    await page.getByLabel('Password', { exact: true }).fill('abcdefghijklm')
    await page.getByRole('button', { name: 'Finish set-up' }).click()
    findings.push(...(await axeFindings(page, 11)).map((finding) => `password, wrong: ${finding}`))
    expect(findings).toEqual([])
    await close()
  })
})

describe('on narrow screens', () => {
  it.each([900, 1000, 1100, 1200])('what is said of a guest does not lie upon each other at %i pixels', async (width) => {
    const { page, close } = await openOwnerPage(browser, busy.url, { width, height: 800 })
    await signIn(page)
    await openView(page, '#/guests')
    await page.locator('.guest').first().waitFor()
    const upon = await page.evaluate(() => {
      // What is seen, not its cell: text may be wider than the cell that it is in.
      const boxes = (row: Element): DOMRect[] => {
        const found: DOMRect[] = []
        const texts = document.createTreeWalker(row, NodeFilter.SHOW_TEXT)
        for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
          if (text.parentElement?.closest('.hidden-text')) continue
          const range = document.createRange()
          range.selectNodeContents(text)
          found.push(...[...range.getClientRects()].filter(({ width, height }) => width > 0 && height > 0))
        }
        return found
      }
      return [...document.querySelectorAll('.guest')].filter((row) => {
        const all = boxes(row)
        return all.some((a, i) => all.slice(i + 1).some((b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1))
      }).length
    })
    await picture(page, `guests-${width}`)
    expect(upon).toBe(0)
    await close()
  })
  it.each([320, 360, 768])('nothing has to be scrolled sideways at %i pixels', async (width) => {
    const { page, close } = await openOwnerPage(browser, busy.url, { width, height: 700 })
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
    const findings = await overflowing(page, 'login')
    await signIn(page)
    for (const view of VIEWS) {
      await show(page, view)
      findings.push(...(await overflowing(page, view.name)))
    }
    expect(findings).toEqual([])
    await close()
  })

  it('nothing in the first run has to be scrolled sideways at 320 pixels', async () => {
    const { page, close } = await openOwnerPage(browser, fresh.url, { width: 320, height: 640 })
    await page.getByLabel('Name of the place').fill('W'.repeat(48))
    await page.getByLabel('Set-up code').fill('AAAA-BBBB')
    const findings: string[] = []
    for (const step of ['place', 'price', 'packages', 'network']) {
      findings.push(...(await overflowing(page, step)))
      await page.getByRole('button', { name: 'Next' }).click()
    }
    expect([...findings, ...(await overflowing(page, 'password'))]).toEqual([])
    await close()
  })

  it('a name of 48 wide letters breaks nothing', async () => {
    const { page, close } = await openOwnerPage(browser, busy.url, { width: 320, height: 640 })
    await signIn(page)
    await openView(page, '#/settings')
    await page.getByLabel('Name of the place').fill('W'.repeat(48))
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Name saved.').waitFor()
    for (const view of VIEWS.filter((one) => ['home', 'prices', 'settings'].includes(one.name))) {
      await show(page, view)
      expect(await overflowing(page, view.name)).toEqual([])
    }
    await page.getByRole('link', { name: 'More' }).click()
    await openView(page, '#/settings')
    await page.getByLabel('Name of the place').fill('Corner Café')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Name saved.').waitFor()
    await close()
  })
})

describe('by keyboard', () => {
  const focused = (page: Page): Promise<string> => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '')

  it('the first stop leads past the navigation, and a new view takes the focus to its heading', async () => {
    const { page, close } = await openOwnerPage(browser, busy.url)
    await signIn(page)
    await page.locator('.chart').waitFor()
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
    await page.evaluate(() => window.getSelection()?.removeAllRanges())
    await page.locator('.skip').focus()
    await page.keyboard.press('Enter')
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('MAIN')
    await page.locator('.nav-side').getByRole('link', { name: 'Vouchers' }).focus()
    await page.keyboard.press('Enter')
    await page.locator('.batch').first().waitFor()
    expect(await focused(page)).toBe('Vouchers')
    await close()
  })

  it('a dialog keeps the focus inside and gives it back', async () => {
    const { page, close } = await openOwnerPage(browser, busy.url)
    await signIn(page)
    await page.getByRole('button', { name: 'New voucher' }).focus()
    await page.keyboard.press('Enter')
    await page.locator('dialog .choice').first().waitFor()
    expect(await focused(page)).toBe('New voucher')
    expect(await page.evaluate(() => document.activeElement?.closest('dialog') !== null)).toBe(true)
    for (let stop = 0; stop < 8; stop++) {
      await page.keyboard.press('Tab')
      expect(await page.evaluate(() => document.activeElement === document.body || document.activeElement?.closest('dialog') !== null)).toBe(true)
    }
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await focused(page)).toBe('New voucher')
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('BUTTON')
    await close()
  })

  it('moves nothing for who asked for less motion', async () => {
    const { page, close } = await openOwnerPage(browser, busy.url)
    await signIn(page)
    await page.locator('.dot').first().waitFor()
    const moving = await page.evaluate(() => document.getAnimations().filter((animation) => Number(animation.effect?.getComputedTiming().duration) > 1).length)
    expect(moving).toBe(0)
    await close()
  })
})

it('is small enough for a phone on a slow link', () => {
  const gzipped = (path: string): number => files.get(path)?.gzip?.length ?? Number.NaN
  expect(gzipped('/dashboard.js') + gzipped('/dashboard-shared.js')).toBeLessThan(SCRIPT_BUDGET_BYTES)
  expect(gzipped('/dashboard-seldom.js')).toBeLessThan(SELDOM_BUDGET_BYTES)
  expect(files.get('/dashboard.js')?.body.length).toBeGreaterThan(10_000)
})
