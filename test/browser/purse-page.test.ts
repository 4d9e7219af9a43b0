/**
 * A guest with tokens and no coin for gas, in a real browser that lacks what mini-browsers lack, on plain HTTP, against
 * the portal, a real hotspot with a fake kernel, the whole of Photon, and our own chain that is really run: he opens a
 * channel by a signed order, streams, puts more in, sends tokens to somebody, and takes the rest out.
 */
import { join } from 'node:path'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { silentLog } from '../../src/base/index.ts'
import type { Address } from '../../src/base/index.ts'
import { hotspotMigrations } from '../../src/hotspot/index.ts'
import { LANGUAGES } from '../../src/hotspot/portal/languages/index.ts'
import { PortalServer } from '../../src/hotspot/portal/index.ts'
import { ledgerMigrations } from '../../src/ledger/index.ts'
import { GuestStreams } from '../../src/main/guest-streams.ts'
import { encodeCall } from '../../src/photon/chain/index.ts'
import { streamMigrations } from '../../src/photon/stream/io/journal.ts'
import { openStore } from '../../src/store/index.ts'
import { keyOf } from '../../src/web/wallet/key.ts'
import { axeFindings } from '../support/axe.ts'
import { seededRandom } from '../support/fakes.ts'
import { fastFolder, guest, halfHour, startBox, type TestBox } from '../support/hotspot-box.ts'
import { ScriptedNeighbours, compileGuestScript, compileWalletScript } from '../support/portal-app.ts'
import { launchGuestBrowser } from '../support/portal-browser.ts'
import { Street, keccak } from '../unit/photon-box/street.ts'
import type { Box } from '../unit/photon-box/street.ts'
import { person } from '../unit/spectrum/village.ts'

const KEY = keyOf(new Uint8Array(16).fill(11))
const me = KEY.address.toLowerCase() as Address
const [BOX, RICH, MAKER, FRIEND] = [person(780), person(781), person(782), person(783)]
/** The token has no decimals. */
const FEE = 3n
const UNIT = 1n
const anna = guest(1)
const folder = fastFolder()

let browser: Browser
let street: Street
let photon: Box
let box: TestBox
let streams: GuestStreams
let server: PortalServer
let clockwork: NodeJS.Timeout
let mining: Promise<void> = Promise.resolve()
/** Blocks come as fast as they are made; a test that looks at something in between stops them. */
let isMining = true
const contexts: BrowserContext[] = []
let errors: string[] = []

beforeAll(async () => {
  browser = await launchGuestBrowser()
  street = await Street.build(folder, [BOX, RICH], MAKER)
  photon = await street.box(BOX, { orders: { purse: street.purse, fee: FEE } })
  await street.until(() => photon.desk.status().state === 'ready')
  const store = openStore({ path: join(folder, 'hotspot.db'), migrations: [...ledgerMigrations, ...hotspotMigrations, ...streamMigrations], log: silentLog })
  box = await startBox({ folder, store, changes: { hotspot: { portalHost: 'wifi.example', portalAddress: '127.0.0.1', portalPort: 0, gate: 'nft' }, config: { packages: [halfHour] } } })
  box.config = { ...box.config, token: { ...box.config.token, symbol: 'TOK', decimals: 0 }, photon: { ...box.config.photon, streamToken: street.token, streamPricePerMinute: UNIT * 60n, minSettleTimeout: 10, settleTimeout: 60 } }
  const neighbours = new ScriptedNeighbours()
  neighbours.mac = () => anna.mac
  neighbours.ip4Of = () => anna.ip4 ?? ''
  const shared = { config: () => box.config, clock: box.time, timers: box.time, log: silentLog }
  streams = new GuestStreams({ ...shared, hotspot: box.hotspot, channels: () => photon.photon, keccak, store, journalPath: join(folder, 'streams'), randomness: seededRandom(3) })
  streams.start()
  const scripts = { script: await compileGuestScript(), walletScript: await compileWalletScript() }
  server = new PortalServer({ ...shared, ...scripts, desk: box.hotspot.guests, neighbours, randomness: seededRandom(5), stream: () => streams.door() })
  await server.start()
  let lastMs = performance.now()
  let isBusy = false
  clockwork = setInterval(() => {
    const nowMs = performance.now()
    box.time.advance(nowMs - lastMs)
    street.time.advance(nowMs - lastMs)
    lastMs = nowMs
    if (isBusy || !isMining) return
    isBusy = true
    mining = street.chain.mine().finally(() => {
      isBusy = false
    })
  }, 100)
}, 60_000)
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close()
  expect(errors).toEqual([])
})
afterAll(async () => {
  clearInterval(clockwork)
  await mining
  await server.stop()
  await streams.stop()
  await box.dispose()
  await photon.stop()
  await browser.close()
})

const portal = (path: string): string => `http://wifi.example:${server.ports.http}${path}`
const shown = async (page: Page, id: string): Promise<string> => ((await page.textContent(`#${id}`)) ?? '').replace('\u00a0', ' ')
const touched = (page: Page): Promise<string[]> => page.evaluate(() => (window as unknown as { touched: string[] }).touched)
const inPurse = (who: Address): Promise<bigint> => street.chain.ask(street.purse, encodeCall(keccak, 'balanceOf(address,address)', [street.token, who]))

async function phone(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ locale: 'en', viewport: { width: 390, height: 844 }, ...options })
  contexts.push(context)
  const page = await context.newPage()
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of [45]\d\d/.test(message.text())) errors.push(message.text())
  })
  await page.addInitScript(() => {
    const list: string[] = []
    Object.defineProperty(window, 'touched', { value: list })
    const forbid = (owner: object, name: string): void => {
      Object.defineProperty(owner, name, {
        configurable: true,
        get: () => {
          list.push(name)
          throw new DOMException(`${name} is not available`, 'SecurityError')
        },
      })
    }
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches', 'alert', 'confirm', 'prompt', 'open', 'Worker', 'WebAssembly', 'fetch']) forbid(window, name)
    for (const name of ['clipboard', 'mediaDevices', 'serviceWorker', 'credentials', 'share', 'sendBeacon']) forbid(navigator, name)
    forbid(document, 'cookie')
    forbid(Crypto.prototype, 'subtle')
  })
  return page
}

/** With his own words, so that the page takes the key for his. */
async function ownPage(options: BrowserContextOptions = {}, lang = 'en'): Promise<Page> {
  const page = await phone(options)
  await page.goto(portal(`/wallet?lang=${lang}`))
  await page.click('#restore-box summary')
  await page.fill('#typed', KEY.words.join(' '))
  await page.click('#use-words')
  await page.waitForSelector('#purse')
  return page
}

/** Somebody with gas pays into his purse. */
async function fund(amount: bigint): Promise<void> {
  isMining = false
  await mining
  await street.chain.call(RICH, street.token, encodeCall(keccak, 'approve(address,uint256)', [street.purse, amount]))
  await street.chain.call(RICH, street.purse, encodeCall(keccak, 'fund(address,address,uint256)', [street.token, me, amount]))
  isMining = true
}

describe('a guest with tokens and no gas', () => {
  it('opens a channel from the page, is told honestly how far it is, and then streams', async () => {
    const page = await ownPage()
    await page.click('#purse-box summary')
    await page.waitForSelector('#purse-balance:has-text("0")')
    await page.waitForSelector('text=costs you 3')
    await fund(600n)
    await page.reload()
    await page.click('#restore-box summary')
    await page.fill('#typed', KEY.words.join(' '))
    await page.click('#use-words')
    await page.click('#purse-box summary')
    await page.waitForSelector('#purse-balance:has-text("600")', { timeout: 30_000 })

    await page.fill('#purse-amount', '700')
    await page.click('#purse-in')
    await page.waitForSelector('#purse-error:has-text("more than you have")')
    expect(photon.desk.duties()).toEqual([])

    await page.fill('#purse-amount', '300')
    isMining = false
    await mining
    await page.click('#purse-in')
    await page.waitForSelector('#purse-say:has-text("You signed 300")')
    // On its way: nothing else can be ordered, and it does not count yet.
    await page.waitForSelector('#purse-in:disabled')
    expect(await page.isDisabled('#pay-start')).toBe(true)
    expect(photon.desk.duties().map(({ kind }) => kind)).toEqual(['purse'])
    isMining = true
    await page.waitForSelector('#purse-say:has-text("Done.")', { timeout: 60_000 })
    await page.waitForSelector('#pay-start:not([disabled])', { timeout: 30_000 })
    expect(await shown(page, 'pay-balance')).toBe('300 TOK')
    expect([await inPurse(me), await inPurse(BOX.address)]).toEqual([297n, FEE])

    await page.click('#pay-start')
    await page.waitForSelector('#pay[data-phase="paying"]')
    await expect.poll(() => box.kernel.isOpen(anna.mac)).toBe(true)
    await expect.poll(() => shown(page, 'pay-spent'), { timeout: 20_000 }).toMatch(/^[4-9] TOK$/)
    // Nothing is taken out while it is being paid.
    expect(await page.isVisible('#take-out')).toBe(false)
    await page.click('#pay-stop')
    await page.waitForSelector('#pay[data-phase="over"]')
    await expect.poll(() => box.kernel.isOpen(anna.mac)).toBe(false)
    expect(await touched(page)).toEqual([])
    expect(await page.evaluate(() => isSecureContext)).toBe(false)
  }, 120_000)

  it('puts more in, and sends tokens to somebody', async () => {
    const page = await ownPage()
    await page.click('#purse-box summary')
    await page.waitForSelector('#purse-balance:has-text("297")', { timeout: 30_000 })
    const before = BigInt((await shown(page, 'pay-balance')).replace(' TOK', ''))
    await page.fill('#purse-amount', '100')
    await page.click('#purse-in')
    await page.waitForSelector('#purse-say:has-text("Done.")', { timeout: 60_000 })
    await expect.poll(() => shown(page, 'pay-balance'), { timeout: 30_000 }).toBe(`${before + 100n} TOK`)
    await page.fill('#purse-amount', '50')
    await page.fill('#purse-to', '0x123')
    await page.click('#purse-send')
    await page.waitForSelector('#purse-error:has-text("not an address")')
    await page.fill('#purse-to', FRIEND.address)
    await page.click('#purse-send')
    await page.waitForSelector('#purse-say:has-text("You signed 50")')
    await page.waitForSelector('#purse-say:has-text("Done.")', { timeout: 60_000 })
    expect([await street.balance(FRIEND.address), await inPurse(me)]).toEqual([50n, 297n - 100n - 50n - 2n * FEE])
    await page.fill('#purse-amount', '40')
    await page.check('#purse-inside')
    await page.click('#purse-send')
    await page.waitForSelector('#purse-say:has-text("You signed 40")')
    await page.waitForSelector('#purse-say:has-text("Done.")', { timeout: 60_000 })
    expect([await street.balance(FRIEND.address), await inPurse(FRIEND.address)]).toEqual([50n, 40n])
  }, 180_000)

  it('has on the page what he needs where this box is no more', async () => {
    const page = await ownPage()
    await page.click('#facts-box summary')
    await page.waitForSelector('#facts-qr svg') // drawn after it was opened
    const facts = JSON.parse((await page.textContent('#facts')) ?? '{}') as Record<string, unknown>
    expect(facts).toMatchObject({ chainId: street.chain.chainId.toString(), channelContract: street.photon, token: street.token, box: BOX.address, me, purse: street.purse })
    expect(await page.locator('#facts-qr svg').count()).toBe(1)
    expect(await page.locator('#facts').evaluate((node) => node.scrollWidth <= node.clientWidth)).toBe(true)
  })

  it('takes his money out: signed by the page, sent by the box, and the rest is at the address of his key', async () => {
    const page = await ownPage()
    await page.click('#purse-box summary')
    await page.waitForSelector('#take-out:not([disabled])', { timeout: 30_000 })
    const spendable = BigInt((await shown(page, 'pay-balance')).replace(' TOK', ''))
    await page.click('#take-out')
    await page.waitForSelector(`#purse-say:has-text("${spendable - FEE}")`)
    await expect.poll(() => photon.desk.channels().length, { timeout: 60_000 }).toBe(0)
    expect(await street.balance(me)).toBe(spendable - FEE)
    await expect.poll(() => page.isDisabled('#pay-start')).toBe(true)
    expect(await touched(page)).toEqual([])
  }, 90_000)
})

describe('the card', () => {
  it.each(['light', 'dark'] as const)('axe finds nothing to complain about in %s', async (colorScheme) => {
    const page = await ownPage({ colorScheme, bypassCSP: true, reducedMotion: 'reduce' })
    await page.click('#purse-box summary')
    await page.click('#facts-box summary')
    await page.waitForSelector('#purse-in')
    expect(await axeFindings(page, 9)).toEqual([])
  })
  it('needs no sideways scrolling from 320 to 1280 pixels in any language, and what can be touched is 44 pixels high', async () => {
    for (const width of [320, 1280]) {
      const page = await phone({ viewport: { width, height: 844 } })
      for (const { code } of LANGUAGES) {
        box.time.advance(10_000) // limits are tried elsewhere
        await page.goto(portal(`/wallet?lang=${code}`))
        await page.click('#purse-box summary')
        await page.waitForSelector('#purse-in')
        const { scrolls, small } = await page.evaluate(() => ({
          scrolls: document.documentElement.scrollWidth,
          small: Array.from(document.querySelectorAll<HTMLElement>('#purse button, #purse input:not([type=checkbox]), #purse .pick, #purse summary')).filter((each) => each.offsetHeight > 0 && each.offsetHeight < 44).map((each) => each.id),
        }))
        expect([code, scrolls <= width, small]).toEqual([code, true, []])
      }
    }
  }, 60_000)
})
