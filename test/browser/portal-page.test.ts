/** The guest page in a real browser: captured, paying, counting down, with and without what mini-browsers lack. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { LANGUAGES } from '../../src/hotspot/portal/languages/index.ts'
import { QR_PAYLOAD, STATES, TICKET, TYPED_CODE, compileGuestScript, startPortalApp, withSession, type PortalApp } from '../support/portal-app.ts'
import { launchGuestBrowser } from '../support/portal-browser.ts'

let browser: Browser
let app: PortalApp
let context: BrowserContext
let page: Page
let errors: string[]

beforeAll(async () => {
  browser = await launchGuestBrowser()
  app = await startPortalApp({ script: await compileGuestScript() })
})
afterAll(async () => {
  await browser.close()
  await app.stop()
})
beforeEach(() => {
  show('welcome')
  app.desk.refusal = null
  app.desk.verbs.length = 0
})
afterEach(async () => {
  await context.close()
  expect(errors).toEqual([])
})

function show(state: string): void {
  app.desk.shown = STATES[state] ?? app.desk.shown
  app.time.advance(60_000) // a new guest: the limits of requests are tried elsewhere
}
const portal = (path = '/'): string => `http://wifi.example:${app.server.ports.http}${path}`
async function openPage(options: BrowserContextOptions = {}): Promise<void> {
  context = await browser.newContext({ locale: 'en', viewport: { width: 360, height: 740 }, ...options })
  page = await context.newPage()
  errors = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of [45]\d\d/.test(message.text())) errors.push(message.text())
  })
}
const heading = (): Promise<string | null> => page.textContent('h1')

describe('a captured guest', () => {
  it('lands on the page, types the code, is online, and goes on where he wanted to', async () => {
    await openPage()
    await page.goto(`http://news.example:${app.server.ports.http}/today?page=2`)
    expect(page.url().startsWith(portal('/?'))).toBe(true)
    expect(await heading()).toBe('Get online')
    await page.locator('#code').pressSequentially('abcdefghjk')
    expect(await page.inputValue('#code')).toBe(TYPED_CODE)
    await page.click('text=Go online')
    await page.waitForSelector('text=You are online')
    expect(app.desk.verbs).toEqual([{ verb: 'redeem', bearer: TYPED_CODE }])
    expect(await page.getAttribute('text=Continue to news.example', 'href')).toBeNull() // the words; the link is around them
    expect(await page.locator('a', { hasText: 'Continue to news.example' }).getAttribute('href')).toBe(`http://news.example:${app.server.ports.http}/today?page=2`)
  })
  it('is told what is wrong, keeps what he typed, and is led to the field', async () => {
    await openPage()
    await page.goto(portal())
    await page.fill('#code', 'AAAAA-AAAAA')
    await page.click('text=Go online')
    await page.waitForSelector('[role=alert]')
    expect(await page.inputValue('#code')).toBe('AAAAA-AAAAA')
    expect(await page.title()).toMatch(/^That did not work/)
    await page.click('[role=alert] a')
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('code')
  })
  it('pauses, goes on, takes it to another device, ends it', async () => {
    show('online')
    await openPage()
    await page.goto(portal())
    await page.click('button:has-text("Pause")')
    await page.waitForSelector('h1:has-text("Paused")')
    await page.click('button:has-text("Continue")')
    await page.waitForSelector('text=You are online')
    await page.click('text=Use on another device')
    expect(await page.textContent('.address')).toBe(portal(`/t/${TICKET}`))
    expect(await page.locator('[role=img] svg').boundingBox().then((box) => (box?.width ?? 0) > 200)).toBe(true)
    await page.click('text=Back')
    await page.click('summary:has-text("End for good")')
    await page.click('text=End now')
    await page.waitForSelector('text=You ended your session')
    expect(app.desk.verbs.map((done) => done.verb)).toEqual(['pause', 'resume', 'end'])
  })
  it('scans a voucher: sees what it gives, and only the button uses it', async () => {
    await openPage()
    await page.goto(portal(`/V/${QR_PAYLOAD}`))
    expect(await page.textContent('.ticket')).toContain('Day pass')
    await page.reload()
    expect(app.desk.verbs).toEqual([])
    await page.click('text=Use this voucher')
    await page.waitForSelector('text=You are online')
    expect(app.desk.verbs).toEqual([{ verb: 'redeem', bearer: QR_PAYLOAD }])
  })
  it('presses twice and is served once', async () => {
    await openPage()
    await page.goto(portal())
    await page.fill('#code', TYPED_CODE)
    await page.evaluate(() => {
      const button = document.querySelector<HTMLButtonElement>('form[action^="/redeem"] button')
      button?.click()
      button?.click()
    })
    await page.waitForSelector('text=You are online')
    expect(app.desk.verbs).toHaveLength(1)
  })
})

describe('the clock', () => {
  it('ticks, and the ring with it', async () => {
    show('online')
    await openPage()
    await page.goto(portal())
    const read = (): Promise<(string | null)[]> => Promise.all([page.textContent('#clock'), page.getAttribute('#ring', 'stroke-dasharray')])
    const [first] = await read()
    await page.waitForFunction((before) => document.getElementById('clock')?.textContent !== before, first)
    const [second] = await read()
    expect([first, second]).toEqual(['1:23:45', expect.stringMatching(/^1:23:4[0-4]$/)])
    expect(await page.locator('#clock').getAttribute('role')).toBe('timer')
  })
  it('speaks at the last minute, not each second', async () => {
    app.desk.shown = withSession({ secondsLeft: 61, bytesLeft: null })
    await openPage()
    await page.goto(portal())
    expect(await page.textContent('#say')).toBe('')
    await page.waitForFunction(() => document.getElementById('say')?.textContent === '1 minute left')
    expect(await page.isVisible('text=Almost over')).toBe(true)
  })
  it('at zero loads the page in full, which says that it is over', async () => {
    app.desk.shown = withSession({ secondsLeft: 2, bytesLeft: null })
    await openPage()
    await page.goto(portal('/?lang=de'))
    show('ended-time')
    await page.waitForSelector('h1:has-text("Ihre Zeit ist abgelaufen")')
    expect(page.url()).toBe(portal('/?lang=de'))
  })
  it('follows the server when the page is looked at again', async () => {
    show('online')
    await openPage()
    await page.goto(portal())
    app.desk.shown = withSession({ secondsLeft: 600, bytesLeft: 1024 * 1024 })
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
    await page.waitForFunction(() => /^(10:00|09:5\d)$/.test(document.getElementById('clock')?.textContent ?? ''))
    expect(await page.textContent('#data')).toBe('1 MB')
    show('paused')
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
    await page.waitForSelector('h1:has-text("Paused")')
  })
})

describe('without JavaScript', () => {
  it('everything works, and waiting pages load themselves', async () => {
    await openPage({ javaScriptEnabled: false })
    await page.goto(portal())
    await page.click('.lang summary')
    await page.click('text=Français')
    expect(await heading()).toBe('Se connecter')
    await page.fill('#code', TYPED_CODE)
    await page.click('text=Aller en ligne')
    expect(await heading()).toBe('Vous êtes en ligne')
    expect(page.url()).toBe(portal('/?lang=fr'))
    await page.click('button:has-text("Pause")')
    expect(await heading()).toBe('En pause')
    await page.click('text=Ajouter du temps')
    await page.fill('#code', TYPED_CODE)
    await page.click('button:has-text("Ajouter du temps")')
    expect(await heading()).toBe('Vous êtes en ligne')
    show('opening')
    await page.goto(portal())
    show('online')
    await page.waitForSelector('text=You are online') // by the refresh of the page alone
  })
})

describe('in a mini-browser', () => {
  it('needs no cookies, storage, clipboard, camera, fetch, dialogs or windows', async () => {
    await openPage()
    await page.addInitScript(() => {
      const touched: string[] = []
      Object.defineProperty(window, 'touched', { value: touched })
      const forbid = (owner: object, name: string): void => {
        Object.defineProperty(owner, name, {
          configurable: true,
          get: () => {
            touched.push(name)
            throw new DOMException(`${name} is not available`, 'SecurityError')
          },
        })
      }
      for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches', 'alert', 'confirm', 'prompt', 'open']) forbid(window, name)
      for (const name of ['clipboard', 'mediaDevices', 'serviceWorker', 'credentials', 'share']) forbid(navigator, name)
      forbid(document, 'cookie')
      Object.defineProperty(window, 'fetch', { value: undefined })
      Object.defineProperty(window, 'XMLHttpRequest', { value: undefined })
    })
    const touched = (): Promise<string[]> => page.evaluate(() => (window as unknown as { touched: string[] }).touched)
    await page.goto(portal())
    await page.fill('#code', TYPED_CODE)
    await page.click('text=Go online')
    await page.waitForSelector('text=You are online')
    const before = await page.textContent('#clock')
    await page.waitForFunction((text) => document.getElementById('clock')?.textContent !== text, before)
    expect(await touched()).toEqual([])
    await page.click('button:has-text("Pause")')
    await page.waitForSelector('h1:has-text("Paused")')
    expect(await touched()).toEqual([])
    expect(await context.cookies()).toEqual([])
  })
})

describe('the first load', () => {
  it.each(LANGUAGES.map((language) => language.code))('in %s is one request of at most 30,000 bytes', async (code) => {
    await openPage({ locale: code })
    for (const state of ['welcome', 'online']) {
      show(state)
      const requests: string[] = []
      page.on('request', (request) => requests.push(request.url()))
      const answer = await page.goto(portal(), { waitUntil: 'networkidle' })
      expect((await answer?.body())?.length).toBeLessThanOrEqual(30_000)
      expect(requests).toEqual([portal()])
      expect(await page.getAttribute('html', 'lang')).toBe(code)
      page.removeAllListeners('request')
    }
  })
})
