/** The channels page in a real Chromium: every state, phone and desktop, light and dark; and orders through the whole dashboard. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { axeFindings } from '../support/axe.ts'
import { CHANNEL_PAGES } from '../support/channel-pages.ts'
import { bundleDashboard, startDashboardApp, type DashboardApp } from '../support/dashboard-app.ts'
import { launchOwnerBrowser, openOwnerPage, openView, signIn } from '../support/dashboard-browser.ts'
import { picture, startPageStory, type PageStory } from '../support/page-story.ts'
import { ALARMED, GUEST, MINUTE, NEIGHBOUR, hash, scriptedPhoton } from '../support/photon-views.ts'


let browser: Browser
let story: PageStory
let app: DashboardApp
beforeAll(async () => {
  story = await startPageStory({ story: 'channels-story', title: 'Channels', samples: { PAGES: CHANNEL_PAGES } })
  browser = await launchOwnerBrowser()
  app = await startDashboardApp(await bundleDashboard(), 'busy')
})
afterAll(async () => {
  await browser.close()
  await app.stop()
  await story.close()
})

describe('the channels page', () => {
  for (const [name, { channels }] of Object.entries(CHANNEL_PAGES))
    it.each([
      [320, 700, 'light'],
      [390, 844, 'dark'],
      [1280, 860, 'light'],
    ] as const)(`shows channels that are ${name}, %i wide, %i high, %s`, async (width, height, theme) => {
      const { page, complaints, close } = await openOwnerPage(browser, `${story.url}#${name}/${theme}`, { width, height })
      try {
        await page.getByRole('heading', { name: 'Channels', exact: true }).waitFor()
        expect(await page.locator('.channel-bar').count()).toBe(channels.length)
        expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0)
        await picture(page, `channels-${name}-${width}-${theme}`, true)
        expect(await axeFindings(page, 9)).toEqual([])
        expect(complaints).toEqual([])
      } finally {
        await close()
      }
    })

  it('says what is wrong and what to do about it', async () => {
    const { page, close } = await openOwnerPage(browser, `${story.url}#halted/light`)
    try {
      await expect.poll(() => page.getByRole('alert').first().innerText()).toContain('could not be read: channels may have changed')
      expect(await page.locator('.channel', { hasText: 'two different states' }).innerText()).toContain('Close it without the partner to get your money back.')
      await page.getByRole('button', { name: 'Call back' }).first().click()
      expect(await page.title()).toBe(`called back ${hash(101)}`)
    } finally {
      await close()
    }
  })
})

describe('orders', () => {
  it('say first what becomes of the money, and reach the box', async () => {
    const { page, complaints, close } = await openOwnerPage(browser, app.url)
    try {
      await signIn(page)
      await openView(page, '#/channels/new')
      const dialog = page.getByRole('dialog')
      await dialog.getByRole('button', { name: 'Open' }).click()
      await dialog.getByText('This is not an account').waitFor()
      await dialog.getByLabel('Account of the other side').fill(NEIGHBOUR)
      await dialog.getByLabel('Amount').fill('2,5')
      await dialog.getByRole('radio', { name: /Another box/ }).check()
      await dialog.getByText(/2\.50.MIN leaves the box’s account and stays in the contract/).waitFor()
      await dialog.getByRole('button', { name: /^Lock 2\.50.MIN and open$/ }).click()
      await dialog.waitFor({ state: 'detached' })
      expect(app.photon.asked.at(-1)).toBe(`open ${NEIGHBOUR} ${MINUTE} 2500000 null core`)

      await openView(page, '#/channels/pay')
      await dialog.getByLabel('Account to pay').fill(GUEST)
      await dialog.getByLabel('Amount').fill('4')
      await dialog.getByLabel('Message to the receiver').fill('two teas')
      await dialog.getByRole('button', { name: 'Look for a way' }).click()
      await dialog.getByText('Over a channel of your own, for no fee.').waitFor()
      await dialog.getByRole('button', { name: /^Pay 4.MIN$/ }).click()
      await dialog.waitFor({ state: 'detached' })
      expect(app.photon.asked.at(-1)).toBe(`pay ${GUEST} ${MINUTE} 4000000 false 0 8 null`)

      await openView(page, `#/channels/${hash(1)}`)
      await dialog.getByRole('button', { name: 'End channel' }).click()
      await dialog.getByText(/None of the money can be used for 40,000 blocks/).waitFor()
      await dialog.getByRole('button', { name: 'End it' }).click()
      await dialog.getByText('Closing together').waitFor()
      expect(app.photon.asked.at(-1)).toBe(`close ${hash(1)} false`)
      await page.keyboard.press('Escape')
      await dialog.waitFor({ state: 'detached' })
      expect(complaints).toEqual([])
    } finally {
      await close()
    }
  })

  it.each([
    [390, 844],
    [1280, 860],
  ] as const)('turn coins into tokens, take an alarm away, and say why a partner did not close, %i wide', async (width, height) => {
    const raised = [...ALARMED.alarms]
    const asked: string[] = []
    const photon = scriptedPhoton({
      status: () => ({ ...ALARMED, alarms: raised }),
      clearAlarm: async (id) => {
        asked.push(`clear ${id}`)
        raised.splice(0, 1)
      },
      paths: (target) => [{ nodes: [NEIGHBOUR, target], fee: 20_000n }],
      wrap: async ({ amount }) => void asked.push(`wrap ${amount}`),
      unwrap: async ({ amount }) => void asked.push(`unwrap ${amount}`),
    })
    const troubled = await startDashboardApp(await bundleDashboard(), 'busy', { photon })
    const { page, complaints, close } = await openOwnerPage(browser, troubled.url, { width, height })
    try {
      await signIn(page)
      await openView(page, '#/channels')
      const dialog = page.getByRole('dialog')
      await expect.poll(() => page.getByRole('alert').nth(1).innerText()).toContain('This goes away by itself')
      await page.getByRole('link', { name: 'I have looked' }).click()
      await dialog.getByText(/reads every channel anew from the contract, with proof/).waitFor()
      expect(await axeFindings(page, 9)).toEqual([])
      await picture(page, `channels-alarm-${width}`)
      await dialog.getByRole('button', { name: 'I have looked' }).click()
      await dialog.waitFor({ state: 'detached' })
      await expect.poll(() => page.getByRole('link', { name: 'I have looked' }).count()).toBe(0)

      await page.getByRole('link', { name: 'Turn into tokens or back' }).click()
      await dialog.getByRole('button', { name: 'Turn into tokens' }).click()
      await dialog.getByText('Type an amount').waitFor()
      await dialog.getByLabel('Amount').fill('1.5')
      await picture(page, `channels-coins-${width}`)
      await dialog.getByRole('button', { name: 'Turn into tokens' }).click()
      await dialog.waitFor({ state: 'detached' })
      await openView(page, '#/channels/coins')
      await dialog.getByRole('radio', { name: /Tokens into coins/ }).check()
      await dialog.getByText(/There are 40.wSMT/).waitFor()
      await dialog.getByLabel('Amount').fill('2')
      expect(await axeFindings(page, 9)).toEqual([])
      await dialog.getByRole('button', { name: 'Turn into coins' }).click()
      await dialog.waitFor({ state: 'detached' })
      expect(asked).toEqual(['clear 1', 'wrap 1500000000000000000', 'unwrap 2000000000000000000'])

      await openView(page, '#/channels/pay')
      await dialog.getByLabel('Account to pay').fill(GUEST)
      await dialog.getByLabel('Amount').fill('4')
      await dialog.getByRole('button', { name: 'Look for a way' }).click()
      await dialog.getByText('With at most 0.02 MIN fee, over 1 other box.').waitFor()
      expect(await dialog.getByRole('list', { name: 'Its way' }).getByRole('listitem').evaluateAll((hops) => hops.map((hop) => hop.getAttribute('title')?.toLowerCase()))).toEqual([NEIGHBOUR, GUEST])
      expect(await axeFindings(page, 9)).toEqual([])
      await page.keyboard.press('Escape')
      await dialog.waitFor({ state: 'detached' })

      await openView(page, `#/channels/${hash(5)}`)
      await dialog.getByText(/did not want to end it together: a payment of mine is under way. You can end it alone./).waitFor()
      await picture(page, `channels-refused-${width}`)
      await dialog.getByRole('button', { name: 'End channel' }).click()
      await dialog.getByRole('button', { name: 'End it' }).click()
      await expect.poll(() => photon.asked.at(-1)).toBe(`close ${hash(5)} true`)
      expect(complaints).toEqual([])
    } finally {
      await close()
      await troubled.stop()
    }
  })
})
