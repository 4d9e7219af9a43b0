/**
 * The guest's key walks: a guest with a real browser buys at one of two bundled services, keeps his time under a key, and goes on at the
 * other without paying again: with the page open, with the page in his pocket, without it, and on another phone. portal.md 2.11, docs/wallet.md.
 */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AuditJson, EntriesJson, MeshGuestsJson, MeshVisitorJson, SessionJson, SessionsJson, VoucherCreateReply } from '../../src/owner/index.ts'
import { launchIn, type GuestBrowser } from '../support/chromium.ts'
import { TOWN, isRoot } from '../support/netns.ts'
import type { Phone } from '../support/phone.ts'
import { waitFor } from '../support/town-services.ts'
import { HOME, WalkingTown, type Site } from '../support/walking-town.ts'

/** More than a hidden page lets pass between two questions. */
const WITHOUT_KEY_SECONDS = 45
const PATIENCE_MS = 120_000

describe.skipIf(!isRoot())('a guest whose key walks with him (needs root)', () => {
  let street: WalkingTown
  let anna: Phone
  let page: Page
  let boughtMs = 0
  let link = ''
  const browsers: GuestBrowser[] = []
  const errors: string[] = []

  beforeAll(async () => {
    street = await WalkingTown.create(() => Promise.resolve({ roles: [], sections: [], mesh: { roam_seconds_without_key: String(WITHOUT_KEY_SECONDS) } }))
    anna = street.phone
    page = await browserOf(anna)
  })
  afterAll(async () => {
    for (const one of browsers) await one.close()
    await street?.destroy()
  })

  async function browserOf({ guest }: Phone): Promise<Page> {
    const launched = await launchIn(guest.ns)
    browsers.push(launched)
    const context = await launched.browser.newContext({ locale: 'en', viewport: { width: 360, height: 740 } })
    const opened = await context.newPage()
    opened.on('pageerror', (error) => errors.push(error.message))
    return opened
  }
  const open = (where: Page, url: string): Promise<unknown> => where.goto(url, { waitUntil: 'load' })
  const seen = (where: Page, selector: string): Promise<unknown> => where.waitForSelector(selector, { state: 'visible', timeout: PATIENCE_MS })
  const passes = async ({ guest }: Phone): Promise<boolean> => (await guest.ns.run('ping', ['-4', '-c', '1', '-W', '1', TOWN.internet4])).code === 0
  const goesOn = (where: string, who = anna): Promise<unknown> => waitFor(`the guest to go on ${where}`, () => passes(who), PATIENCE_MS)
  const isOut = (who: Phone): Promise<unknown> => waitFor('the guest to be out', async () => !(await passes(who)), PATIENCE_MS)
  const sessions = async ({ service }: Site): Promise<readonly SessionJson[]> => (await service.cliJson<SessionsJson>('sessions', 'list')).sessions
  const visitor = async (): Promise<MeshVisitorJson | undefined> => (await street.theirs.service.cliJson<MeshGuestsJson>('mesh', 'guests')).visitors[0]

  it('he buys ten minutes at ours and keeps them under a key, and is told what to do at another box', async () => {
    const { vouchers } = await street.ours.service.cliJson<VoucherCreateReply>('voucher', 'create', 'long', '1', '--codes')
    await open(page, HOME)
    await page.fill('#code', vouchers[0]?.code ?? '')
    await Promise.all([page.waitForNavigation(), page.press('#code', 'Enter')])
    boughtMs = performance.now()
    await seen(page, '#clock')
    await page.click('text=Keep my time')
    await page.click('button:has-text("Keep my time")')
    await seen(page, '#kept')
    link = (await page.textContent('#link')) ?? ''
    expect(link).toMatch(/\/wallet#w=[A-Za-z0-9_-]{22}$/)
    expect(await page.textContent('#key')).toContain(`for ${WITHOUT_KEY_SECONDS} seconds at most`)
    await goesOn('at the box that sold his time')
  })

  it('with the page open he walks on, and it shows the key by itself', async () => {
    await street.walk()
    await goesOn('at the other box')
    await seen(page, '#walk-shown')
    const shown = await anna.open(HOME)
    expect(shown.body).toContain('Corner café')
    expect(shown.body).not.toContain('Show the key')
    expect(await sessions(street.ours)).toMatchObject([{ state: 'paused', pauseReason: 'away' }])
  })

  it('with the page in his pocket he walks home and back, and is asked for nothing', async () => {
    await page.evaluate(() => void Object.defineProperty(document, 'hidden', { configurable: true, get: () => true }))
    await street.walk()
    await goesOn('at home')
    await street.walk()
    await goesOn('at the other box')
    await waitFor('more seconds there than are had without the key', async () => {
      const now = await visitor()
      return now?.isIn === true && now.usedSeconds > WITHOUT_KEY_SECONDS + 5
    }, PATIENCE_MS)
    await goesOn('at the other box, still')
  })

  it('without the page he goes on for as long as was said; then a page asks for the key, and with it he goes on', async () => {
    await open(page, 'about:blank')
    await street.walk()
    await goesOn('at home')
    await street.walk()
    await goesOn('at the other box')
    await open(page, HOME)
    await seen(page, 'text=Show the key soon, or you go offline here.')
    await open(page, 'about:blank')
    await waitFor('the key to be asked for', async () => /key/.test((await visitor())?.reason ?? ''), PATIENCE_MS)
    await isOut(anna)
    await open(page, HOME)
    await seen(page, 'text=Show the key so that it goes on here.')
    await page.click('a:has-text("Continue")')
    await seen(page, 'text=Open your link, scan your QR code, or type your words.')
    await open(page, link)
    await seen(page, '#walk-shown')
    await goesOn('at the other box, with the key')
    await page.click('text=Back')
    await seen(page, 'text=You are online')
    await seen(page, 'text=Corner café')
  })

  it('on another phone the link brings it there; the key that was shown last has it', async () => {
    const ben = await street.anotherPhone()
    const other = await browserOf(ben)
    await open(page, link)
    for (const [who, where, former] of [[ben, other, anna], [anna, page, ben], [ben, other, anna]] as const) {
      if (where.url() !== link) await open(where, link)
      await seen(where, '#walk-button')
      await Promise.all([where.waitForURL(`${HOME}#`, { timeout: PATIENCE_MS }), where.click('#walk-button')])
      await seen(where, 'text=You are online')
      await goesOn('where the key was shown', who)
      await isOut(former)
    }
  })

  it('paid once: no more of his time is gone than passed, and both boxes’ books are sound', async () => {
    const [session, ...more] = await sessions(street.ours)
    expect([more, await sessions(street.theirs)]).toEqual([[], []])
    expect(600 - (session?.secondsLeft ?? 0)).toBeLessThanOrEqual(Math.ceil((performance.now() - boughtMs) / 1000))
    const earned = await Promise.all([street.ours, street.theirs].map(async ({ service }) => (await service.cliJson<EntriesJson>('earnings', 'entries')).entries.length))
    expect(earned).toEqual([1, 0])
    for (const { service } of [street.ours, street.theirs]) expect(await service.cliJson<AuditJson>('audit')).toMatchObject({ isSound: true, differences: [] })
    expect(errors).toEqual([])
  })
})
