/**
 * The wallet in a real browser that lacks what mini-browsers lack, against a real hotspot with a fake kernel: keep on
 * one device, take up on another. And how the page looks and weighs.
 */
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { silentLog } from '../../src/base/index.ts'
import { LANGUAGES } from '../../src/hotspot/portal/languages/index.ts'
import { PortalServer } from '../../src/hotspot/portal/index.ts'
import { keyOf } from '../../src/web/wallet/key.ts'
import { fragmentOf } from '../../src/web/wallet/link.ts'
import { axeFindings } from '../support/axe.ts'
import { seededRandom } from '../support/fakes.ts'
import { guest, startBox, type TestBox } from '../support/hotspot-box.ts'
import { ScriptedNeighbours, compileGuestScript, compileWalletScript } from '../support/portal-app.ts'
import { launchGuestBrowser } from '../support/portal-browser.ts'

const KEY = keyOf(new Uint8Array(16).fill(7))
const FRAGMENT = fragmentOf(KEY.entropy)
const [anna, ben] = [guest(1), guest(2)] as const

let browser: Browser
let scripts: { script: string; walletScript: string }
let box: TestBox
let server: PortalServer
/** Whose phone is asking: all of them come from the loopback here. */
let asking = anna
const contexts: BrowserContext[] = []
let errors: string[]

beforeAll(async () => {
  browser = await launchGuestBrowser()
  scripts = { script: await compileGuestScript(), walletScript: await compileWalletScript() }
})
afterAll(() => browser.close())
beforeEach(async () => {
  errors = []
  asking = anna
  box = await startBox({ changes: { hotspot: { portalHost: 'wifi.example', portalAddress: '127.0.0.1', portalPort: 0, gate: 'nft' } } })
  const neighbours = new ScriptedNeighbours()
  neighbours.mac = () => asking.mac
  neighbours.ip4Of = () => asking.ip4 ?? ''
  server = new PortalServer({ desk: box.hotspot.guests, neighbours, config: () => box.config, clock: box.time, timers: box.time, randomness: seededRandom(5), log: silentLog, ...scripts })
  await server.start()
})
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close()
  await server.stop()
  await box.dispose()
  expect(errors).toEqual([])
})

const portal = (path = '/'): string => `http://wifi.example:${server.ports.http}${path}`

/** A phone of its own; what mini-browsers lack throws and is noted when touched. */
async function phone(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ locale: 'en', viewport: { width: 360, height: 740 }, ...options })
  contexts.push(context)
  const page = await context.newPage()
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of [45]\d\d/.test(message.text())) errors.push(message.text())
  })
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
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches', 'alert', 'confirm', 'prompt', 'open', 'WebSocket', 'Worker', 'WebAssembly']) forbid(window, name)
    for (const name of ['clipboard', 'mediaDevices', 'serviceWorker', 'credentials', 'share', 'sendBeacon']) forbid(navigator, name)
    forbid(document, 'cookie')
    forbid(Crypto.prototype, 'subtle')
    for (const name of ['fetch', 'XMLHttpRequest']) Object.defineProperty(window, name, { value: undefined })
  })
  return page
}
const touched = (page: Page): Promise<string[]> => page.evaluate(() => (window as unknown as { touched: string[] }).touched)
const online = async (): Promise<string> => (await box.hotspot.guests.redeem(anna, (await box.voucher('half-hour')).code)).id

describe('in a browser without storage, cookies, fetch, clipboard, camera, windows and crypto.subtle', () => {
  it('time is kept with one press and taken up on another device with the link', async () => {
    const id = await online()
    const first = await phone()
    const asked: { url: string; body: string }[] = []
    first.on('request', (request) => asked.push({ url: request.url(), body: request.postData() ?? '' }))
    await first.goto(portal())
    await first.click('text=Keep my time')
    await first.click('button:has-text("Keep my time")')
    await first.waitForSelector('text=Your time is kept')
    const link = (await first.textContent('#link')) ?? ''
    expect(link).toMatch(/^http:\/\/wifi\.example:\d+\/wallet#w=[A-Za-z0-9_-]{22}$/)
    expect(first.url()).toBe(link)
    expect(await first.getAttribute('#link', 'href')).toBe(link)
    expect(box.hotspot.guests.keptAddress(anna)).toBe(await first.textContent('#address'))
    expect(await first.locator('#qr svg').boundingBox().then((size) => (size?.width ?? 0) > 200)).toBe(true)
    expect(await touched(first)).toEqual([])

    await first.click('summary:has-text("Show the 12 words")')
    await first.waitForSelector('#words li')
    const words = await first.locator('#words li').allTextContents()
    expect(words).toHaveLength(12)
    const secret = link.slice(link.indexOf('#w=') + 3)
    for (const { url, body } of asked) {
      expect(new URL(url).search + new URL(url).pathname + body).not.toContain(secret)
      expect(body).not.toContain(words.slice(0, 3).join(' '))
      expect(body).not.toContain(words.slice(0, 3).join('+'))
    }

    asking = ben
    const second = await phone()
    await second.goto(link)
    await second.click('#open-button:has-text("Continue")')
    await second.waitForSelector('text=You are online')
    expect(second.url()).not.toContain(secret)
    expect(box.hotspot.guests.view(ben).session).toMatchObject({ id, state: 'active', devices: [{ mac: ben.mac }] })
    expect([box.kernel.isOpen(anna.mac), box.kernel.isOpen(ben.mac)]).toEqual([false, true])
    expect(await touched(second)).toEqual([])
    expect(await contexts[1]?.cookies()).toEqual([])
  })
  it('the words alone are enough, and a wrong one is told', async () => {
    const id = await online()
    await box.hotspot.guests.keepWithKey(anna, KEY.address)
    asking = ben
    const page = await phone()
    await page.goto(portal())
    await page.click('text=I already have a key')
    await page.fill('#typed', KEY.words.join(' ').replace(/^\S+/, 'zebra'))
    await page.click('text=Use this key')
    expect(await page.isVisible('#bad-words')).toBe(true)
    expect(page.url()).toBe(portal('/wallet'))
    await page.fill('#typed', `  ${KEY.words.join('  ').toUpperCase()} `)
    await page.click('text=Use this key')
    expect(page.url()).toBe(portal(`/wallet${FRAGMENT}`))
    expect(await page.textContent('#address')).toBe(KEY.address)
    await page.click('#open-button:has-text("Continue")')
    await page.waitForSelector('text=You are online')
    expect(box.hotspot.guests.view(ben).session).toMatchObject({ id })
    expect(await touched(page)).toEqual([])
  })
  it('a key with nothing under it is told so, and is not lost by that or by a change of language', async () => {
    asking = ben
    const page = await phone()
    await page.goto(portal(`/wallet${FRAGMENT}`))
    await page.click('#open-button:has-text("Continue")')
    await page.waitForSelector('text=No time is kept under this key.')
    expect(await page.textContent('#address')).toBe(KEY.address)
    await page.click('.lang summary')
    await page.click('text=Deutsch')
    await page.waitForSelector('h1:has-text("Auf diesem Gerät weitersurfen")')
    expect(await page.textContent('#address')).toBe(KEY.address)
    expect(page.url()).toBe(portal(`/wallet?lang=de${FRAGMENT}`))
  })
  it('a page that waited too long asks for one more press, with the same key', async () => {
    await online()
    const page = await phone()
    await page.goto(portal('/wallet'))
    box.time.advance(700_000)
    await page.click('button:has-text("Keep my time")')
    await page.waitForSelector('text=once more')
    const made = await page.textContent('#address')
    await page.click('button:has-text("Keep my time")')
    await page.waitForSelector('text=Your time is kept')
    expect(made).toMatch(/^0x/)
    expect(box.hotspot.guests.keptAddress(anna)).toBe(made)
  })
  it('a link that somebody else made never gets the session of who opens it', async () => {
    await online()
    const page = await phone()
    await page.goto(portal(`/wallet${FRAGMENT}`))
    expect(await page.isVisible('#key')).toBe(false)
    await page.click('button:has-text("Keep my time")')
    await page.waitForSelector('text=Your time is kept')
    const kept = box.hotspot.guests.keptAddress(anna)
    expect(kept).toBe(await page.textContent('#address'))
    expect(kept).not.toBe(KEY.address)
    expect(page.url()).not.toContain(FRAGMENT)
  })
  it('typed words are the guest’s own key: further time can be kept under it', async () => {
    await online()
    const page = await phone()
    await page.goto(portal('/wallet'))
    await page.click('summary:has-text("I already have a key")')
    await page.fill('#typed', KEY.words.join(' '))
    await page.click('text=Use this key')
    await page.click('button:has-text("Keep my time")')
    await page.waitForSelector('text=Your time is kept')
    expect(box.hotspot.guests.keptAddress(anna)).toBe(KEY.address)
  })
  it('a link opened in the page takes the place of the key before', async () => {
    const page = await phone()
    await page.goto(portal(`/wallet${FRAGMENT}`))
    const other = keyOf(new Uint8Array(16).fill(8))
    await page.evaluate((fragment) => void (location.hash = fragment), fragmentOf(other.entropy))
    await page.waitForFunction((address) => document.getElementById('address')?.textContent === address, other.address)
  })
})

describe('without JavaScript', () => {
  it('the page says what does the same, and offers nothing that would not work', async () => {
    await online()
    const page = await phone({ javaScriptEnabled: false })
    await page.goto(portal('/wallet'))
    expect(await page.isVisible('text=Your voucher code, or “Use on another device”, does the same.')).toBe(true)
    expect(await page.locator('main button:visible, main textarea:visible').count()).toBe(0)
    await page.click('text=Back')
    expect(await page.textContent('h1')).toBe('You are online')
  })
})

describe('the page', () => {
  /** Name, what is behind the #, has a session, kept by. */
  const VIEWS = [
    ['first', '', true, null],
    ['somebody’s link', FRAGMENT, true, null],
    ['kept', FRAGMENT, true, KEY.address],
    ['kept elsewhere', '', true, '0x9858EfFD232B4033E47d90003D41EC34EcaEda94'],
    ['another device', FRAGMENT, false, null],
    ['nothing', '', false, null],
  ] as const

  async function look(page: Page, [, fragment, hasSession, keptBy]: (typeof VIEWS)[number], language = 'en'): Promise<void> {
    box.time.advance(20_000)
    asking = hasSession ? anna : ben
    if (hasSession && box.hotspot.guests.view(anna).session === null) await online()
    if (keptBy !== null) await box.hotspot.guests.keepWithKey(anna, keptBy)
    await page.goto('about:blank')
    await page.goto(portal(`/wallet?lang=${language}${fragment}`))
    for (const details of await page.locator('main details:visible').all()) await details.evaluate((element) => element.setAttribute('open', ''))
    const folder = process.env['WALLET_SCREENSHOTS']
    if (folder !== undefined) await page.screenshot({ path: `${folder}/${VIEWS.findIndex((view) => view[1] === fragment && view[2] === hasSession && view[3] === keptBy)}-${language}-${page.viewportSize()?.width}.png`, fullPage: true })
  }

  it.each(['light', 'dark'] as const)('axe finds nothing to complain about in %s', async (colorScheme) => {
    const page = await phone({ colorScheme, bypassCSP: true, reducedMotion: 'reduce' })
    for (const view of VIEWS) {
      await look(page, view)
      expect((await axeFindings(page, 11)).map((finding) => `${view[0]}: ${finding}`)).toEqual([])
    }
  })
  it('needs no sideways scrolling at 320 pixels in any language, and what can be touched is 44 pixels high', async () => {
    const page = await phone({ viewport: { width: 320, height: 640 } })
    for (const { code } of LANGUAGES)
      for (const view of VIEWS) {
        if (code !== 'en' && view[0] !== 'kept' && view[0] !== 'another device') continue
        await look(page, view, code)
        const [width, right, small] = await page.evaluate(() => [
          document.documentElement.scrollWidth,
          Math.max(...Array.from(document.querySelectorAll('main *')).filter((element) => !element.closest('.sr')).map((element) => element.getBoundingClientRect().right)),
          Array.from(document.querySelectorAll('main a, main button, main summary, main textarea'))
            .filter((element) => element.getBoundingClientRect().height > 0 && element.getBoundingClientRect().height < 44)
            .map((element) => element.outerHTML),
        ])
        expect(width, `${code} ${view[0]}`).toBe(320)
        expect(right, `${code} ${view[0]}`).toBeLessThanOrEqual(320)
        expect(small, `${code} ${view[0]}`).toEqual([])
      }
  })
  it('is at most 30,000 bytes, and its script 60,000 compressed, in two requests', async () => {
    await online()
    const page = await phone()
    const requests: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    const answer = await page.goto(portal(`/wallet${FRAGMENT}`), { waitUntil: 'load' })
    expect((await answer?.body())?.length).toBeLessThanOrEqual(30_000)
    expect(gzipSync(scripts.walletScript, { level: 9 }).length).toBeLessThanOrEqual(60_000)
    expect(requests.map((url) => url.replace(/#.*/, ''))).toEqual([portal('/wallet'), portal('/wallet.js')])
  })
})
