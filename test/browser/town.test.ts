/**
 * A guest with a real browser in the real town: capture → pay → online → countdown → expiry → blocked, over
 * IPv4 and over IPv6, with JavaScript and without. The box is the bundled service.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SessionsJson, VoucherCreateReply } from '../../src/owner/index.ts'
import { PORTAL, boxConfig } from '../support/box-config.ts'
import { launchIn, type GuestBrowser } from '../support/chromium.ts'
import { TOWN, Town, isRoot, type GuestHost } from '../support/netns.ts'
import { boxFiles, dhcp, slaac, startBoxDnsmasq, startInternet, startService, waitFor, type BoxFiles, type Service } from '../support/town-services.ts'

describe.skipIf(!isRoot())('a guest with a browser (needs root)', () => {
  let town: Town
  let files: BoxFiles
  let service: Service
  let dir = ''
  const browsers: GuestBrowser[] = []

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'meshbox-browser-town-'))
    town = await Town.create({ guests: 2, addresses: 'dynamic' })
    files = boxFiles(dir)
    writeFileSync(files.config, boxConfig(files))
    await startInternet(town, dir)
    service = await startService(town.box, files)
    await startBoxDnsmasq(town, files)
    for (const guest of town.guests) {
      await dhcp(guest, files)
      await slaac(guest)
      browsers.push(await launchIn(guest.ns))
    }
  })
  afterAll(async () => {
    for (const one of browsers) await one.close()
    await service?.stop()
    await town?.destroy()
    rmSync(dir, { recursive: true, force: true })
  })

  const voucher = async (packageId: string): Promise<string> => (await service.cliJson<VoucherCreateReply>('voucher', 'create', packageId, '1', '--codes')).vouchers[0]?.code ?? ''
  const isOpen = async (guest: GuestHost): Promise<boolean> =>
    (await service.cliJson<SessionsJson>('sessions', 'list')).sessions.some((one) => one.state === 'active' && one.devices.some((device) => device.mac === guest.mac))
  const visit = async (page: Page, url: string): Promise<string> => {
    await page.goto(url, { waitUntil: 'load', timeout: 15_000 })
    return page.content()
  }

  const wholeWay = (name: string, index: 0 | 1, internetUrl: string, javaScript: boolean): void => {
    it(`${name}, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
      const guest = town.guests[index] as GuestHost
      const context = await (browsers[index] as GuestBrowser).browser.newContext({ javaScriptEnabled: javaScript, viewport: { width: 360, height: 740 } })
      const page = await context.newPage()
      try {
        await visit(page, internetUrl)
        expect(page.url().startsWith(PORTAL)).toBe(true) // captured
        expect(await page.content()).toContain('0.1') // the price, before paying
        await page.fill('#code', await voucher('short'))
        await Promise.all([page.waitForNavigation(), page.press('#code', 'Enter')])
        expect(page.url().startsWith(PORTAL)).toBe(true) // one full navigation
        const clock = page.locator('#clock')
        await clock.waitFor()
        if (javaScript) {
          const first = await clock.textContent()
          await waitFor('the countdown to move', async () => (await clock.textContent()) !== first, 5000)
        }
        const outside = await context.newPage()
        expect(await visit(outside, internetUrl)).toContain('Welcome to the Internet')
        await waitFor('the end of the six seconds', async () => !(await isOpen(guest)), 15_000)
        await visit(outside, internetUrl)
        expect(outside.url().startsWith(PORTAL)).toBe(true) // blocked, and told so
      } finally {
        await context.close()
      }
    })
  }
  wholeWay('IPv4', 0, `http://${TOWN.internet4}/`, true)
  wholeWay('IPv6', 0, `http://[${TOWN.internet6}]/`, true)
  wholeWay('IPv4', 1, `http://${TOWN.internet4}/`, false)
  wholeWay('IPv6', 1, `http://[${TOWN.internet6}]/`, false)

  it('survives a mini-browser: no cookies, no storage, no fetch, no pop-ups', async () => {
    const context = await (browsers[1] as GuestBrowser).browser.newContext({ viewport: { width: 320, height: 568 } })
    await context.addInitScript(() => {
      for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) Object.defineProperty(window, name, { get: () => { throw new Error('denied') } })
      Object.defineProperty(document, 'cookie', { get: () => '', set: () => { throw new Error('denied') } })
      window.fetch = () => Promise.reject(new Error('denied'))
      window.open = () => null
      window.alert = () => undefined
    })
    const page = await context.newPage()
    const failures: string[] = []
    page.on('pageerror', (error) => failures.push(error.message))
    try {
      await visit(page, 'http://captive.apple.com/hotspot-detect.html')
      await page.fill('#code', await voucher('long'))
      await Promise.all([page.waitForNavigation(), page.press('#code', 'Enter')])
      await page.locator('#clock').waitFor()
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)
      expect(await visit(page, 'http://captive.apple.com/hotspot-detect.html')).toContain('Success')
      expect(failures).toEqual([])
    } finally {
      await context.close()
    }
  })
})
