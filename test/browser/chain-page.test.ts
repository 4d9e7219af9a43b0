/** The chain page in a real Chromium: every state of a chain, phone and desktop, light and dark. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { axeFindings } from '../support/axe.ts'
import { CHAIN_BRANCHES, CHAIN_VIEWS } from '../support/chain-views.ts'
import { PASSWORD, bundleDashboard, startDashboardApp, type DashboardApp } from '../support/dashboard-app.ts'
import { launchOwnerBrowser, openOwnerPage, openView, signIn } from '../support/dashboard-browser.ts'
import { picture, startPageStory, type PageStory } from '../support/page-story.ts'


let browser: Browser
let story: PageStory
let app: DashboardApp
beforeAll(async () => {
  story = await startPageStory({ story: 'chain-story', title: 'Chain', samples: {} })
  browser = await launchOwnerBrowser()
  app = await startDashboardApp(await bundleDashboard(), 'busy', { chain: 'alarm' })
})
afterAll(async () => {
  await browser.close()
  await app.stop()
  await story.close()
})

describe('the chain page', () => {
  for (const [name, view] of Object.entries(CHAIN_VIEWS))
    it.each([
      [390, 844, 'light'],
      [1280, 860, 'light'],
      [390, 844, 'dark'],
    ] as const)(`shows a chain that is ${name}, %i wide, %i high, %s`, async (width, height, theme) => {
      const { page, complaints, close } = await openOwnerPage(browser, `${story.url}#${name}/${theme}`, { width, height })
      try {
        await page.locator('.ring').waitFor()
        expect(await page.locator('.slot').count()).toBe(view.round.slots.length)
        expect(await page.locator('.slot-mark').count()).toBe(view.round.slots.filter((slot) => slot.isOwn).length)
        expect(await page.locator('.slot-missed').count()).toBe(view.round.slots.filter((slot) => slot.state === 'missed').length)
        expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0)
        await picture(page, `chain-${name}-${width}-${theme}`, true)
        await page.getByRole('button', { name: 'All turns of this round' }).click()
        expect(await page.locator('.slot-line').count()).toBe(view.round.slots.length)
        expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0)
        expect(await axeFindings(page, 9)).toEqual([])
        expect(complaints).toEqual([])
      } finally {
        await close()
      }
    })

  it('asks the owner to look at an alarm, and says when that is done', async () => {
    const { page, close } = await openOwnerPage(browser, `${story.url}#alarm/light`)
    try {
      const notice = page.getByRole('alert')
      await expect.poll(() => notice.innerText()).toContain('accepts no payments over the chain until you have looked')
      await page.getByRole('button', { name: 'I have looked' }).click()
      expect(await page.title()).toBe('looked')
    } finally {
      await close()
    }
  })
})

describe('orders on the chain', () => {
  it.each([
    [390, 844],
    [1280, 860],
  ] as const)('say first what becomes of the money, and reach the box, %i wide', async (width, height) => {
    const { page, complaints, close } = await openOwnerPage(browser, app.url, { width, height })
    try {
      await signIn(page)
      await openView(page, '#/chain')
      const dialog = page.getByRole('dialog')
      await page.getByRole('link', { name: 'Send coins' }).click()
      await dialog.getByRole('button', { name: 'Send', exact: true }).click()
      await dialog.getByText('This is not an address').waitFor()
      await dialog.getByLabel('Address of the wallet').fill(`0x${'b2'.repeat(20)}`)
      await dialog.getByLabel('Amount').fill('2,5')
      await dialog.getByLabel('Your owner password').fill('not the password')
      await dialog.getByRole('button', { name: /^Send 2\.50.SMT$/ }).click()
      await dialog.getByText(/password/i).first().waitFor()
      expect(app.chainAsked).toEqual([])
      expect(await axeFindings(page, 9)).toEqual([])
      await picture(page, `chain-send-${width}`)
      await dialog.getByLabel('Your owner password').fill(PASSWORD)
      await dialog.getByRole('button', { name: /^Send 2\.50.SMT$/ }).click()
      await dialog.waitFor({ state: 'detached' })
      expect(app.chainAsked.splice(0)).toEqual([`send 0x${'b2'.repeat(20)} 2.5`])

      await page.getByRole('link', { name: 'Take the deposit back' }).click()
      await dialog.getByText(/waits for as long as the chain says/).waitFor()
      await picture(page, `chain-poc-${width}`)
      await dialog.getByRole('button', { name: 'Cancel' }).click()
      await dialog.waitFor({ state: 'detached' })
      expect(app.chainAsked).toEqual([])
      await page.getByRole('link', { name: 'Stop taking part' }).click()
      await dialog.getByRole('button', { name: 'Stop taking part' }).click()
      await dialog.waitFor({ state: 'detached' })
      expect(app.chainAsked.splice(0)).toEqual(['poc stop'])
      if (width > 1000) {
        await page.getByRole('link', { name: 'Take this chain' }).click()
        await dialog.getByText('41 blocks of the present chain count no more.').waitFor()
        expect(await axeFindings(page, 9)).toEqual([])
        await picture(page, `chain-adopt-${width}`)
        await dialog.getByRole('button', { name: 'Take back 41 blocks' }).click()
        await dialog.waitFor({ state: 'detached' })
        expect(app.chainAsked.splice(0)).toEqual([`adopt ${CHAIN_BRANCHES.branches[0]?.tip.hash}`])
        await expect.poll(() => page.getByRole('heading', { name: 'What there is to choose from' }).count()).toBe(0)
      }
      // A refused password is a 401, which Chromium writes down.
      expect(complaints.filter((one) => !one.includes('401'))).toEqual([])
    } finally {
      await close()
    }
  })
})
