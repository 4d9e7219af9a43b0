/** The channels page in a real Chromium: every state, phone and desktop, light and dark; and orders through the whole dashboard. */
import { mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AxeResults } from 'axe-core'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHANNEL_PAGES } from '../support/channel-pages.ts'
import { bundleDashboard, startDashboardApp, type DashboardApp } from '../support/dashboard-app.ts'
import { launchOwnerBrowser, openOwnerPage, openView, signIn } from '../support/dashboard-browser.ts'
import { ALARMED, GUEST, MINUTE, NEIGHBOUR, hash, scriptedPhoton } from '../support/photon-views.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PAGE = '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Channels</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/story.css"></head><body><div id="app"></div><script src="/pages.js"></script><script src="/story.js"></script></body></html>'
/** A folder to look at the pictures in. */
const PICTURES = process.env['MESHBOX_PICTURES']

let browser: Browser
let server: Server
let app: DashboardApp
let url = ''
beforeAll(async () => {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: { story: 'test/support/channels-story.tsx', 'style/story': 'src/web/owner/style.css' },
    outdir: 'out',
    bundle: true,
    format: 'iife',
    target: 'es2020',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    tsconfigRaw: {},
    write: false,
  })
  const script = outputFiles.find((file) => file.path.endsWith('story.js'))?.text ?? ''
  const style = outputFiles.find((file) => file.path.endsWith('story.css'))?.text ?? ''
  const samples = `PAGES=${JSON.stringify(CHANNEL_PAGES)}`
  server = createServer((request, response) => {
    const [type, body] = request.url === '/pages.js' ? ['text/javascript', samples] : request.url === '/story.js' ? ['text/javascript', script] : request.url === '/story.css' ? ['text/css', style] : ['text/html', PAGE]
    response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(body)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  browser = await launchOwnerBrowser()
  app = await startDashboardApp(await bundleDashboard(), 'busy')
})
afterAll(async () => {
  await browser.close()
  await app.stop()
  await new Promise((resolve) => server.close(resolve))
})

async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  const results = await page.evaluate((values): Promise<AxeResults> => (window as unknown as { axe: typeof import('axe-core') }).axe.run(document, { runOnly: { type: 'tag', values } }), TAGS)
  expect(results.passes.length).toBeGreaterThan(8)
  return results.violations.map((violation) => `${violation.id} ${violation.nodes.map((node) => `${node.html} ${node.failureSummary ?? ''}`).join(' | ')}`)
}

describe('the channels page', () => {
  for (const [name, { channels }] of Object.entries(CHANNEL_PAGES))
    it.each([
      [320, 700, 'light'],
      [390, 844, 'dark'],
      [1280, 860, 'light'],
    ] as const)(`shows channels that are ${name}, %i wide, %i high, %s`, async (width, height, theme) => {
      const { page, complaints, close } = await openOwnerPage(browser, `${url}#${name}/${theme}`, { width, height })
      try {
        await page.getByRole('heading', { name: 'Channels', exact: true }).waitFor()
        expect(await page.locator('.channel-bar').count()).toBe(channels.length)
        expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0)
        if (PICTURES !== undefined) {
          mkdirSync(PICTURES, { recursive: true })
          await page.screenshot({ path: join(PICTURES, `channels-${name}-${width}-${theme}.png`), fullPage: true })
        }
        expect(await axeFindings(page)).toEqual([])
        expect(complaints).toEqual([])
      } finally {
        await close()
      }
    })

  it('says what is wrong and what to do about it', async () => {
    const { page, close } = await openOwnerPage(browser, `${url}#halted/light`)
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
      wrap: async ({ amount }) => void asked.push(`wrap ${amount}`),
      unwrap: async ({ amount }) => void asked.push(`unwrap ${amount}`),
    })
    const troubled = await startDashboardApp(await bundleDashboard(), 'busy', { photon })
    const { page, complaints, close } = await openOwnerPage(browser, troubled.url, { width, height })
    const picture = async (name: string): Promise<void> => {
      if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, `channels-${name}-${width}.png`) })
    }
    try {
      await signIn(page)
      await openView(page, '#/channels')
      const dialog = page.getByRole('dialog')
      await expect.poll(() => page.getByRole('alert').nth(1).innerText()).toContain('This goes away by itself')
      await page.getByRole('link', { name: 'I have looked' }).click()
      await dialog.getByText(/reads every channel anew from the contract, with proof/).waitFor()
      expect(await axeFindings(page)).toEqual([])
      await picture('alarm')
      await dialog.getByRole('button', { name: 'I have looked' }).click()
      await dialog.waitFor({ state: 'detached' })
      await expect.poll(() => page.getByRole('link', { name: 'I have looked' }).count()).toBe(0)

      await page.getByRole('link', { name: 'Turn into tokens or back' }).click()
      await dialog.getByRole('button', { name: 'Turn into tokens' }).click()
      await dialog.getByText('Type an amount').waitFor()
      await dialog.getByLabel('Amount').fill('1.5')
      await picture('coins')
      await dialog.getByRole('button', { name: 'Turn into tokens' }).click()
      await dialog.waitFor({ state: 'detached' })
      await openView(page, '#/channels/coins')
      await dialog.getByRole('radio', { name: /Tokens into coins/ }).check()
      await dialog.getByText(/There are 40.wSMT/).waitFor()
      await dialog.getByLabel('Amount').fill('2')
      expect(await axeFindings(page)).toEqual([])
      await dialog.getByRole('button', { name: 'Turn into coins' }).click()
      await dialog.waitFor({ state: 'detached' })
      expect(asked).toEqual(['clear 1', 'wrap 1500000000000000000', 'unwrap 2000000000000000000'])

      await openView(page, `#/channels/${hash(5)}`)
      await dialog.getByText(/did not want to end it together: a payment of mine is under way. You can end it alone./).waitFor()
      await picture('refused')
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
