/** What guests see and can reach: axe in every state, light and dark; narrow screens; right to left; keyboards. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Browser, Page } from 'playwright-core'
import { LANGUAGES } from '../../src/hotspot/portal/languages/index.ts'
import { axeFindings } from '../support/axe.ts'
import { QR_PAYLOAD, STATES, TICKET, compileGuestScript, startPortalApp, type PortalApp } from '../support/portal-app.ts'
import { launchGuestBrowser } from '../support/portal-browser.ts'

/** Name, state of the guest, path. */
const VIEWS: readonly (readonly [string, string, string])[] = [
  ...Object.keys(STATES).map((state) => [state, state, '/'] as const),
  ['add', 'online', '/add'],
  ['move', 'online', '/move'],
  ['receipt', 'online', '/receipt'],
  ['scanned voucher', 'welcome', `/v/${QR_PAYLOAD}`],
  ['ticket', 'welcome', `/t/${TICKET}`],
  ['bad scan', 'welcome', '/v/AAAA'],
  ['no such page', 'welcome', '/nothing'],
]

/** The views with the longest words in the narrowest places: tried in every language. */
const TIGHT = new Set(['welcome', 'online-days', 'online-free', 'online-low', 'paused-owner', 'credited', 'ended-refunded', 'add', 'move', 'ticket', 'bad scan'])

let browser: Browser
let app: PortalApp
beforeAll(async () => {
  browser = await launchGuestBrowser()
  app = await startPortalApp({ script: await compileGuestScript() })
})
afterAll(async () => {
  await browser.close()
  await app.stop()
})

async function load(page: Page, state: string, path: string, language = 'en'): Promise<void> {
  app.desk.shown = STATES[state] ?? app.desk.shown
  app.time.advance(60_000)
  await page.goto(`http://wifi.example:${app.server.ports.http}${path}?lang=${language}`)
}

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  it('axe finds nothing to complain about in any state', async () => {
    const page = await browser.newPage({ viewport: { width: 360, height: 740 }, colorScheme, reducedMotion: 'reduce', bypassCSP: true })
    for (const [name, state, path] of VIEWS) {
      await load(page, state, path)
      for (const details of await page.locator('details').all()) await details.evaluate((element) => element.setAttribute('open', ''))
      expect((await axeFindings(page, 11)).map((finding) => `${name}: ${finding}`)).toEqual([])
    }
    await page.close()
  })
})

describe('at 320 pixels', () => {
  it.each(LANGUAGES.map((language) => language.code))('nothing has to be scrolled sideways in %s', async (code) => {
    const page = await browser.newPage({ viewport: { width: 320, height: 640 } })
    for (const [name, state, path] of VIEWS) {
      if (code !== 'en' && !TIGHT.has(name)) continue
      await load(page, state, path, code)
      const [width, right] = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        Math.max(...Array.from(document.querySelectorAll('main *')).filter((element) => !element.closest('.sr')).map((element) => element.getBoundingClientRect().right)),
      ])
      expect(width, name).toBe(320)
      expect(right, name).toBeLessThanOrEqual(320)
    }
    await page.close()
  })
  it('what can be touched is at least 44 pixels high', async () => {
    const page = await browser.newPage({ viewport: { width: 320, height: 640 } })
    for (const [name, state, path] of VIEWS) {
      await load(page, state, path)
      for (const details of await page.locator('details').all()) await details.evaluate((element) => element.setAttribute('open', ''))
      const small = await page.evaluate(() =>
        Array.from(document.querySelectorAll('a, button, summary, input:not([type=hidden])'))
          .filter((element) => !element.closest('[role=alert]') && element.getBoundingClientRect().height < 44)
          .map((element) => element.outerHTML),
      )
      expect(small, name).toEqual([])
    }
    await page.close()
  })
})

describe('right to left', () => {
  it.each(['ar', 'fa'])('%s is laid out from the right; clock, code and address stay left to right', async (code) => {
    const page = await browser.newPage({ viewport: { width: 360, height: 740 } })
    const left = async (selector: string): Promise<number> => (await page.locator(selector).first().boundingBox())?.x ?? NaN
    await load(page, 'online', '/', code)
    expect(await page.evaluate(() => getComputedStyle(document.body).direction)).toBe('rtl')
    expect(await left('.venue')).toBeGreaterThan(await left('.lang summary'))
    expect(await left('.rows a svg')).toBeGreaterThan(await left('.rows a .go'))
    expect(await page.evaluate(() => getComputedStyle(document.getElementById('clock') ?? document.body).direction)).toBe('ltr')
    expect(await page.textContent('#clock')).toMatch(/^1:23:4\d$/)
    await load(page, 'welcome', '/', code)
    expect(await page.evaluate(() => getComputedStyle(document.getElementById('code') ?? document.body).direction)).toBe('ltr')
    await page.close()
  })
})

describe('by keyboard', () => {
  it('everything is reached in the order it is read, and the focus is seen', async () => {
    const page = await browser.newPage({ viewport: { width: 360, height: 740 } })
    await load(page, 'welcome', '/')
    const seen: string[] = []
    for (let step = 0; step < 4; step++) {
      await page.keyboard.press('Tab')
      const [name, outline] = await page.evaluate(() => {
        const focused = document.activeElement
        const style = focused ? getComputedStyle(focused) : null
        return [(focused?.id ?? '') || (focused?.textContent ?? ''), `${style?.outlineStyle} ${style?.outlineWidth}`]
      })
      seen.push(name ?? '')
      expect(outline, name).toBe('solid 3px')
    }
    expect(seen).toEqual(['Language: English', 'code', 'Go online', 'Try it free'])
    await page.keyboard.press('Shift+Tab')
    await page.close()
  })
  it('the language menu opens and closes', async () => {
    const page = await browser.newPage({ viewport: { width: 360, height: 740 } })
    await load(page, 'welcome', '/')
    await page.focus('.lang summary')
    await page.keyboard.press('Enter')
    expect(await page.isVisible('text=Deutsch')).toBe(true)
    await page.keyboard.press('Escape')
    expect(await page.isVisible('text=Deutsch')).toBe(false)
    await page.close()
  })
})
