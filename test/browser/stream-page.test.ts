/**
 * The page that pays, in a real browser that lacks storage, clipboard, camera, pop-ups and `crypto.subtle`, against the
 * payee's desk over a real socket; hidden with its timers throttled; and without WebSocket, by POST.
 */
import { gzipSync } from 'node:zlib'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { streamSigner } from '../../src/web/stream/index.ts'
import { launchGuestBrowser } from '../support/portal-browser.ts'
import { StreamBox, channelIdOfBox } from './stream-page/server.ts'

const SECRET = '07'.repeat(32)
const GUEST = streamSigner(new Uint8Array(32).fill(7))
const CHANNEL = channelIdOfBox(GUEST.address)
const UNIT = 7n
/** Of the script alone, compressed; the portal allows 60,000 for a page's wallet in all. */
const MAX_GZIP_BYTES = 27_000

let browser: Browser
let script: string
let box: StreamBox | null = null
let errors: string[] = []

beforeAll(async () => {
  browser = await launchGuestBrowser()
  const result = await build({
    entryPoints: [fileURLToPath(new URL('./stream-page/entry.ts', import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    legalComments: 'none',
    platform: 'browser',
    target: ['es2020'],
    format: 'iife',
    logLevel: 'warning',
  })
  script = result.outputFiles[0]?.text ?? ''
})
afterAll(() => browser.close())
afterEach(async () => {
  for (const context of browser.contexts()) await context.close()
  await box?.stop()
  box = null
  expect(errors).toEqual([])
})

async function open(options: { hasSocket?: boolean; blockMinutes?: number; burnerCap?: bigint; hasWebSocketClass?: boolean } = {}): Promise<Page> {
  errors = []
  const started = new StreamBox(script, options.hasSocket ?? true)
  box = started
  const { terms } = started
  const told = {
    secret: SECRET,
    payee: started.payee,
    contract: terms.contract,
    token: terms.token,
    chainId: terms.chainId.toString(),
    unit: terms.unit.toString(),
    allowed: '1000000',
    burnerCap: (options.burnerCap ?? 500_000n).toString(),
    blockMinutes: options.blockMinutes ?? 0,
  }
  started.page = () => `<!doctype html><title>Minutes</title><body><button id="stop">Stop</button><script type="application/json" id="told">${JSON.stringify(told)}</script><script src="/stream.js"></script>`
  const port = await started.listen()
  const context = await browser.newContext()
  const page = await context.newPage()
  page.on('pageerror', (error) => errors.push(error.message))
  await page.addInitScript((hasClass) => {
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
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches', 'alert', 'confirm', 'prompt', 'open', 'Worker', 'WebAssembly', 'fetch']) forbid(window, name)
    for (const name of ['clipboard', 'mediaDevices', 'serviceWorker', 'credentials', 'share', 'sendBeacon']) forbid(navigator, name)
    forbid(document, 'cookie')
    forbid(Crypto.prototype, 'subtle')
    if (!hasClass) Object.defineProperty(window, 'WebSocket', { value: undefined })
    // A tab in the background: Chrome lets its timers run once a minute.
    let isHidden = false
    const setNow = window.setTimeout.bind(window)
    Object.defineProperty(document, 'visibilityState', { get: () => (isHidden ? 'hidden' : 'visible') })
    Object.assign(window, {
      setTimeout: (run: () => void, delay = 0) => setNow(run, isHidden ? Math.max(60_000, delay) : delay),
      hide: (value: boolean) => {
        isHidden = value
        document.dispatchEvent(new Event('visibilitychange'))
      },
    })
  }, options.hasWebSocketClass ?? true)
  // Not a secure context, as the portal's plain HTTP is none.
  await page.goto(`http://wifi.example:${port}/`)
  return page
}
const touched = (page: Page): Promise<string[]> => page.evaluate(() => (window as unknown as { touched: string[] }).touched)
const paidTicks = (): number => Math.max(0, ...(box?.service.allowed.values() ?? [])) - 15
const hide = (page: Page, isHidden: boolean): Promise<void> => page.evaluate((value) => (window as unknown as { hide(value: boolean): void }).hide(value), isHidden)
const phase = (page: Page, name: string): Promise<unknown> => page.waitForSelector(`body[data-phase="${name}"]`)
const shown = (page: Page, name: string): Promise<string | null> => page.getAttribute('body', `data-${name}`)

describe('a page that pays by the second', () => {
  it('is small', () => {
    const bytes = gzipSync(script, { level: 9 }).length
    console.log(`stream script: ${bytes} bytes compressed`)
    expect(bytes).toBeLessThanOrEqual(MAX_GZIP_BYTES)
  })
  it('opens, pays with a lead, loses its connection, goes on, and both agree to the unit at the stop', async () => {
    const page = await open()
    await phase(page, 'paying')
    await expect.poll(paidTicks).toBeGreaterThanOrEqual(91)
    expect(await touched(page)).toEqual([])
    expect(await page.evaluate(() => isSecureContext)).toBe(false)
    box?.dropSockets()
    const before = paidTicks()
    await expect.poll(paidTicks, { timeout: 30_000 }).toBeGreaterThan(before)
    await page.click('#stop')
    await phase(page, 'over')
    const spent = BigInt((await shown(page, 'spent')) ?? '-1')
    expect(spent).toBe(box?.desk.earnedOf(CHANNEL))
    expect(spent).toBe(UNIT * BigInt(box?.service.total ?? 0))
    expect(box?.ways.post).toBe(0)
  })
  it('hidden, it pays ten minutes ahead before its timers stop; shown again it pays no more until they are used', async () => {
    const page = await open()
    await phase(page, 'paying')
    await hide(page, true)
    await expect.poll(paidTicks).toBeGreaterThanOrEqual(601)
    await hide(page, false)
    await expect.poll(() => box?.service.total, { timeout: 20_000 }).toBeGreaterThanOrEqual(4)
    expect(paidTicks()).toBeLessThanOrEqual(601 + 20)
    expect(Number(await shown(page, 'ahead'))).toBeLessThanOrEqual(620)
  })
  it('a mini-browser buys a block: the page is gone, the minutes are not, and another page gets back what is left', async () => {
    const page = await open({ blockMinutes: 10, hasWebSocketClass: false })
    await expect.poll(paidTicks).toBe(600)
    expect(box?.ways.socket).toBe(0)
    const { port } = new URL(page.url())
    await page.close()
    await expect.poll(() => box?.service.total, { timeout: 20_000 }).toBeGreaterThanOrEqual(3)
    const [context] = browser.contexts()
    const back = await context?.newPage()
    await back?.goto(`http://wifi.example:${port}/`)
    if (back === undefined) throw new Error('no page')
    await phase(back, 'paying')
    await back.click('#stop')
    await phase(back, 'over')
    await expect.poll(() => box?.desk.earnedOf(CHANNEL)).toBe(UNIT * BigInt(box?.service.total ?? 0))
    expect(box?.desk.earnedOf(CHANNEL)).toBeLessThan(60n * UNIT)
  })
  it('where a WebSocket never opens it asks by POST; on plain HTTP the burner cap holds', async () => {
    const page = await open({ hasSocket: false, burnerCap: 5n * UNIT })
    await phase(page, 'paying')
    await expect.poll(paidTicks, { timeout: 20_000 }).toBe(5)
    expect(box?.ways.post).toBeGreaterThan(0)
    await phase(page, 'over')
    expect(await shown(page, 'spent')).toBe((5n * UNIT).toString())
  })
})
