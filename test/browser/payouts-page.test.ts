/** The payouts page in a real Chromium: every state, widths where things could overlap, light and dark; and orders through the whole dashboard. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PayoutVerbs } from '../../src/owner/payout.ts'
import { axeFindings } from '../support/axe.ts'
import { bundleDashboard, startDashboardApp, type DashboardApp } from '../support/dashboard-app.ts'
import { launchOwnerBrowser, openOwnerPage, openView, signIn } from '../support/dashboard-browser.ts'
import { picture, startPageStory, type PageStory } from '../support/page-story.ts'
import { HUGE_PARTIES, scriptedPayouts, type ScriptedPayouts } from '../support/payout-views.ts'

const pageOf = (port: ScriptedPayouts) => new PayoutVerbs(port).payouts({ limit: 10 })
const PAGES = { busy: pageOf(scriptedPayouts()), none: pageOf(scriptedPayouts([])), huge: pageOf(scriptedPayouts(HUGE_PARTIES)) }

let browser: Browser
let story: PageStory
let app: DashboardApp
const payouts = scriptedPayouts()
beforeAll(async () => {
  story = await startPageStory({ story: 'payouts-story', title: 'Payouts', samples: { PAGES } })
  browser = await launchOwnerBrowser()
  app = await startDashboardApp(await bundleDashboard(), 'busy', { payouts })
})
afterAll(async () => {
  await browser.close()
  await app.stop()
  await story.close()
})

/** Texts and buttons of one row that lie on each other, and what is cut off at the right edge. */
async function misplaced(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = []
    const width = document.documentElement.clientWidth
    if (document.documentElement.scrollWidth > width) found.push(`the page is ${document.documentElement.scrollWidth} wide`)
    for (const row of document.querySelectorAll('.party, .payout-line, .card-head, .page-head')) {
      const leaves = [...row.querySelectorAll('h1, h2, h3, p, dt, dd, a, button, .pill, .tiny')].filter((one) => !one.closest('.hidden-text') && one.getBoundingClientRect().width > 0)
      for (const [at, one] of leaves.entries()) {
        const a = one.getBoundingClientRect()
        if (a.right > width + 0.5) found.push(`cut off: ${one.textContent ?? ''}`)
        for (const other of leaves.slice(at + 1)) {
          if (one.contains(other) || other.contains(one)) continue
          const b = other.getBoundingClientRect()
          if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1) found.push(`${one.textContent ?? ''} on ${other.textContent ?? ''}`)
        }
      }
    }
    return found
  })
}

describe('the payouts page', () => {
  for (const name of Object.keys(PAGES))
    it.each([
      [360, 780, 'light'],
      [390, 844, 'dark'],
      [900, 700, 'light'],
      [1100, 800, 'dark'],
      [1280, 860, 'light'],
    ] as const)(`shows parties that are ${name}, %i wide, %i high, %s`, async (width, height, theme) => {
      const { page, complaints, close } = await openOwnerPage(browser, `${story.url}#${name}/${theme}`, { width, height })
      try {
        await page.getByRole('heading', { name: 'Payouts', exact: true }).waitFor()
        await picture(page, `payouts-${name}-${width}-${theme}`, true)
        expect(await misplaced(page)).toEqual([])
        expect(await axeFindings(page, 9)).toEqual([])
        expect(complaints).toEqual([])
      } finally {
        await close()
      }
    })

  it('says who gets what, what is in the way, and tries again', async () => {
    const { page, close } = await openOwnerPage(browser, `${story.url}#busy/light`)
    try {
      const line = (name: string) => page.locator('.party', { hasText: name })
      await line('maria').waitFor()
      expect(await line('maria').innerText()).toMatch(/Investor · 10 % of everything[^]*12\.50.MBX[^]*431.MBX[^]*Waits for 03:00 UTC/)
      expect(await line('hill-house').innerText()).toMatch(/Fails[^]*There is no open channel[^]*4 tries so far, the next in 4 min/)
      expect(await line('bakery').innerText()).toMatch(/On its way[^]*never paid twice[^]*over one other box · fee 0\.0025.MBX, at your cost · over by block 120450, in about 11 min/)
      expect(await line('football-club').first().innerText()).toMatch(/No account[^]*config payee/)
      expect(await line('uncle').getByRole('link').count()).toBe(0)
      await line('hill-house').getByRole('button', { name: /^Try now.*hill-house$/ }).click()
      expect(await page.title()).toBe('tried 8')
    } finally {
      await close()
    }
  })
})

it.each([
  [390, 844],
  [1280, 860],
] as const)('orders reach the box, and statements can be had, %i wide', async (width, height) => {
  payouts.asked.length = 0
  const { page, complaints, close } = await openOwnerPage(browser, app.url, { width, height })
  try {
    await signIn(page)
    if (width < 900) await openView(page, '#/more')
    await page.getByRole('link', { name: 'Payouts', exact: true }).first().click()
    const dialog = page.getByRole('dialog')
    await page.getByRole('link', { name: /^Pay now.*maria$/ }).click()
    await dialog.getByText(/It is paid once/).waitFor()
    expect(await axeFindings(page, 9)).toEqual([])
    await picture(page, `payouts-pay-${width}`)
    await dialog.getByRole('button', { name: /^Pay 12\.50.MBX$/ }).click()
    await dialog.waitFor({ state: 'detached' })

    await page.getByRole('link', { name: /^Paid by hand.*football-club$/ }).click()
    await dialog.getByLabel('How much').fill('51')
    await dialog.getByRole('button', { name: 'Write it down' }).click()
    await dialog.getByText(/Type an amount, at most 50.MBX/).waitFor()
    expect(await axeFindings(page, 9)).toEqual([])
    await picture(page, `payouts-note-${width}`)
    await dialog.getByLabel('How much').fill('20,5')
    await dialog.getByLabel(/Note for yourself/).fill('cash, on Sunday')
    await dialog.getByRole('button', { name: 'Write it down' }).click()
    await dialog.waitFor({ state: 'detached' })

    await page.getByRole('button', { name: /^Try now.*hill-house$/ }).click()
    await expect.poll(() => payouts.asked).toEqual(['pay investor:maria MBX', 'note community:football-club MBX 20500000000000000000 cash, on Sunday', 'resume 8 false'])
    await picture(page, `payouts-whole-${width}`, true)
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: /^Statement.*1: maria$/ }).click()
    expect((await download).suggestedFilename()).toBe('meshbox-payout-1.txt')
    expect(complaints).toEqual([])
  } finally {
    await close()
  }
})
