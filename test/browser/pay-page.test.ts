/**
 * "Pay as you go" in a real browser that lacks what mini-browsers lack, on plain HTTP, against the portal, the payee's
 * desk and a real hotspot with a fake kernel; the channel is on paper. And how the page looks.
 */
import { join } from 'node:path'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../src/base/index.ts'
import { hotspotMigrations } from '../../src/hotspot/index.ts'
import { LANGUAGES } from '../../src/hotspot/portal/languages/index.ts'
import { PortalServer } from '../../src/hotspot/portal/index.ts'
import { ledgerMigrations } from '../../src/ledger/index.ts'
import { GuestStreams } from '../../src/main/guest-streams.ts'
import { streamMigrations } from '../../src/photon/stream/io/journal.ts'
import { openStore } from '../../src/store/index.ts'
import { keyOf } from '../../src/web/wallet/key.ts'
import { fragmentOf } from '../../src/web/wallet/link.ts'
import { axeFindings } from '../support/axe.ts'
import { seededRandom } from '../support/fakes.ts'
import { fastFolder, guest, halfHour, startBox, type TestBox } from '../support/hotspot-box.ts'
import { ScriptedNeighbours, compileGuestScript, compileWalletScript } from '../support/portal-app.ts'
import { launchGuestBrowser } from '../support/portal-browser.ts'
import { PaperSide, TOKEN } from '../unit/guest-streams/paper-side.ts'

const KEY = keyOf(new Uint8Array(16).fill(7))
const UNIT = 1000n
const WORTH = 20_000_000n
const tokens = { ...halfHour, id: 'tokens', slot: 5, label: 'Twenty tokens', seconds: null, tokens: WORTH }
const anna = guest(1)

let browser: Browser
let scripts: { script: string; walletScript: string }
let box: TestBox
let side: PaperSide
let streams: GuestStreams
let server: PortalServer
let clockwork: NodeJS.Timeout
const contexts: BrowserContext[] = []
let errors: string[]

beforeAll(async () => {
  browser = await launchGuestBrowser()
  scripts = { script: await compileGuestScript(), walletScript: await compileWalletScript() }
})
afterAll(() => browser.close())
beforeEach(async () => {
  errors = []
  const folder = fastFolder()
  const store = openStore({ path: join(folder, 'box.db'), migrations: [...ledgerMigrations, ...hotspotMigrations, ...streamMigrations], log: silentLog })
  side = new PaperSide()
  box = await startBox({ folder, store, changes: { hotspot: { portalHost: 'wifi.example', portalAddress: '127.0.0.1', portalPort: 0, gate: 'nft' }, config: { packages: [halfHour, tokens] } } })
  box.config = { ...box.config, photon: { ...box.config.photon, streamToken: TOKEN, streamPricePerMinute: UNIT * 60n } }
  const neighbours = new ScriptedNeighbours()
  neighbours.mac = () => anna.mac
  neighbours.ip4Of = () => anna.ip4 ?? ''
  const shared = { config: () => box.config, clock: box.time, timers: box.time, log: silentLog }
  streams = new GuestStreams({ ...shared, hotspot: box.hotspot, channels: () => side.photon, keccak: keccak_256, store, journalPath: join(folder, 'streams'), randomness: seededRandom(3) })
  streams.start()
  server = new PortalServer({ ...shared, ...scripts, desk: box.hotspot.guests, neighbours, randomness: seededRandom(5), stream: () => streams.door() })
  await server.start()
  // The box's time goes as the browser's does.
  let lastMs = performance.now()
  clockwork = setInterval(() => {
    const nowMs = performance.now()
    box.time.advance(nowMs - lastMs)
    lastMs = nowMs
  }, 50)
})
afterEach(async () => {
  clearInterval(clockwork)
  for (const context of contexts.splice(0)) await context.close()
  await server.stop()
  await streams.stop()
  await box.dispose()
  expect(errors).toEqual([])
})

const portal = (path: string): string => `http://wifi.example:${server.ports.http}${path}`
const ownLink = (): string => portal(`/wallet${fragmentOf(KEY.entropy)}`)
const payer = KEY.address.toLowerCase() as `0x${string}`

async function phone(options: BrowserContextOptions & { hasWebSocket?: boolean } = {}): Promise<Page> {
  const { hasWebSocket = true, ...rest } = options
  const context = await browser.newContext({ locale: 'en', viewport: { width: 360, height: 740 }, ...rest })
  contexts.push(context)
  const page = await context.newPage()
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of [45]\d\d/.test(message.text())) errors.push(message.text())
  })
  await page.addInitScript((hasSocket) => {
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
    if (!hasSocket) Object.defineProperty(window, 'WebSocket', { value: undefined })
  }, hasWebSocket)
  return page
}
const touched = (page: Page): Promise<string[]> => page.evaluate(() => (window as unknown as { touched: string[] }).touched)
const isOnline = (): boolean => box.kernel.isOpen(anna.mac)
const earned = (of: `0x${string}`): bigint => box.store.read((tx) => box.ledger.balance(tx, `channel:${side.channelOf(of)}`, 'MBX'))
const shown = async (page: Page, id: string): Promise<string> => ((await page.textContent(`#${id}`)) ?? '').replace('\u00a0', ' ')

describe('a guest with a slip of paper and no app', () => {
  it('types the code, keeps the key, starts, pays second by second, and stops', async () => {
    const page = await phone()
    await page.goto(portal('/wallet'))
    const code = (await box.voucher('tokens')).code
    await page.fill('#pay-code', code)
    await page.click('#pay-add')
    // The key was made for it, and is shown so that it can be kept.
    await page.waitForSelector('#key:not([hidden])')
    await page.waitForSelector('#pay-say:has-text("on its way")')
    const address = ((await page.textContent('#address')) ?? '').toLowerCase() as `0x${string}`
    await expect.poll(() => side.opened.length, { timeout: 20_000 }).toBe(1)
    expect(side.opened[0]).toMatchObject({ payer: address, amount: WORTH })
    expect(await page.isDisabled('#pay-start')).toBe(true)
    side.confirm(WORTH)
    await page.waitForSelector('#pay-start:not([disabled])', { timeout: 20_000 })
    expect(await shown(page, 'pay-balance')).toBe('20 MBX')
    await page.click('#pay-start')
    await page.waitForSelector('#pay[data-phase="paying"]')
    await expect.poll(isOnline).toBe(true)
    await page.waitForSelector('text=You are paying by the second')
    await expect.poll(() => shown(page, 'pay-spent'), { timeout: 20_000 }).toMatch(/^0\.0(0[3-9]|1\d) MBX$/)
    await page.click('#pay-stop')
    await page.waitForSelector('#pay[data-phase="over"]')
    await page.waitForSelector('text=Stopped. Nothing more is paid.')
    await expect.poll(isOnline).toBe(false)
    const [, milli = ''] = /^0\.(\d{1,3}) MBX$/.exec(await shown(page, 'pay-spent')) ?? []
    expect(earned(address)).toBe(BigInt(milli.padEnd(3, '0')) * UNIT)
    expect(await touched(page)).toEqual([])
    expect(await page.evaluate(() => isSecureContext)).toBe(false)
  })
  it('without WebSocket pays by POST; what he chose to pay ahead is what he has when the page is gone', async () => {
    side.confirm(WORTH)
    const page = await phone({ hasWebSocket: false })
    await page.goto(ownLink())
    await page.check('input[value="90"]')
    await page.click('#pay-start:not([disabled])')
    await page.waitForSelector('#pay[data-phase="paying"]')
    await expect.poll(() => shown(page, 'pay-ahead')).toMatch(/^1:3[0-2]$/)
    expect(await page.isDisabled('input[value="90"]')).toBe(true)
    await page.close()
    clearInterval(clockwork)
    await box.advance(85_000)
    expect(isOnline()).toBe(true)
    await box.advance(40_000)
    expect(isOnline()).toBe(false)
    expect(earned(payer)).toBeLessThanOrEqual(110n * UNIT)
  })
  it('spends no more than the cap of a page that came by plain HTTP', async () => {
    side.confirm(WORTH)
    box.config = { ...box.config, tariff: { ...box.config.tariff, burnerCap: 5n * UNIT } }
    const page = await phone()
    await page.goto(ownLink())
    await page.click('#pay-start:not([disabled])')
    await page.waitForSelector('text=Your balance is used up.', { timeout: 20_000 })
    await expect.poll(isOnline).toBe(false)
    expect(earned(payer)).toBe(5n * UNIT)
  })
  it('cannot be led to put money under somebody else’s key', async () => {
    const page = await phone()
    await page.goto(ownLink())
    await page.waitForSelector('#pay-own:not([hidden])')
    expect(await page.isVisible('#pay-code')).toBe(false)
    await page.click('#restore-box summary')
    await page.fill('#typed', KEY.words.join(' '))
    await page.click('#use-words')
    await page.waitForSelector('#pay-code')
  })
  it('is told why a code is refused, and a scanned one is in the field already', async () => {
    const page = await phone()
    const [row] = await box.hotspot.owner.createVouchers({ packageId: 'half-hour', count: 1 })
    await page.goto(portal(`/wallet#c=${'A7KQ2M0X4TBC9D'.repeat(10)}`))
    expect(await page.inputValue('#pay-code')).toBe('A7KQ2M0X4TBC9D'.repeat(10))
    expect(page.url()).not.toContain('A7KQ2M0X4TBC9D')
    await page.fill('#pay-code', row?.code ?? '')
    await page.press('#pay-code', 'Enter')
    await page.waitForSelector('#pay-error:has-text("This code is for time")')
  })
  it('is told when the box is out of the network’s reach', async () => {
    side.confirm(WORTH)
    side.status = { ...side.status, state: 'offline' }
    const page = await phone()
    await page.goto(ownLink())
    await page.waitForSelector('text=cannot reach the payment network')
    await page.click('#pay-start:not([disabled])')
    await expect.poll(isOnline).toBe(true)
  })
})

describe('the page', () => {
  it.each(['light', 'dark'] as const)('axe finds nothing to complain about in %s', async (colorScheme) => {
    side.confirm(WORTH)
    const page = await phone({ colorScheme, bypassCSP: true, reducedMotion: 'reduce' })
    await page.goto(ownLink())
    await page.waitForSelector('#pay-start:not([disabled])')
    expect(await axeFindings(page, 9)).toEqual([])
  })
  it('needs no sideways scrolling from 320 to 1280 pixels in any language, and what can be touched is 44 pixels high', async () => {
    side.confirm(WORTH)
    for (const width of [320, 1280]) {
      const page = await phone({ viewport: { width, height: 740 } })
      for (const { code } of LANGUAGES) {
        box.time.advance(10_000) // limits are tried elsewhere
        await page.goto(portal(`/wallet?lang=${code}${fragmentOf(KEY.entropy)}`))
        await page.waitForSelector('#pay-start:not([disabled])')
        const { scrolls, small } = await page.evaluate(() => ({
          scrolls: document.documentElement.scrollWidth,
          small: Array.from(document.querySelectorAll<HTMLElement>('#pay button, #pay input.code, #pay .pick')).filter((each) => each.offsetHeight > 0 && each.offsetHeight < 44).length,
        }))
        expect([code, scrolls <= width, small]).toEqual([code, true, 0])
      }
    }
  })
})
