/** The chain page in a real Chromium: every state of a chain, phone and desktop, light and dark. */
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
import { CHAIN_BRANCHES, CHAIN_VIEWS } from '../support/chain-views.ts'
import { PASSWORD, bundleDashboard, startDashboardApp, type DashboardApp } from '../support/dashboard-app.ts'
import { launchOwnerBrowser, openOwnerPage, openView, signIn } from '../support/dashboard-browser.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PAGE = '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Chain</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/story.css"></head><body><div id="app"></div><script src="/story.js"></script></body></html>'
/** A folder to look at the pictures in. */
const PICTURES = process.env['MESHBOX_PICTURES']

let browser: Browser
let server: Server
let app: DashboardApp
let url = ''
beforeAll(async () => {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: { story: 'test/support/chain-story.tsx', 'style/story': 'src/web/owner/style.css' },
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
  server = createServer((request, response) => {
    const [type, body] = request.url === '/story.js' ? ['text/javascript', script] : request.url === '/story.css' ? ['text/css', style] : ['text/html', PAGE]
    response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(body)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  browser = await launchOwnerBrowser()
  app = await startDashboardApp(await bundleDashboard(), 'busy', { chain: 'alarm' })
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

describe('the chain page', () => {
  for (const [name, view] of Object.entries(CHAIN_VIEWS))
    it.each([
      [390, 844, 'light'],
      [1280, 860, 'light'],
      [390, 844, 'dark'],
    ] as const)(`shows a chain that is ${name}, %i wide, %i high, %s`, async (width, height, theme) => {
      const { page, complaints, close } = await openOwnerPage(browser, `${url}#${name}/${theme}`, { width, height })
      try {
        await page.locator('.ring').waitFor()
        expect(await page.locator('.slot').count()).toBe(view.round.slots.length)
        expect(await page.locator('.slot-mark').count()).toBe(view.round.slots.filter((slot) => slot.isOwn).length)
        expect(await page.locator('.slot-missed').count()).toBe(view.round.slots.filter((slot) => slot.state === 'missed').length)
        expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0)
        if (PICTURES !== undefined) {
          mkdirSync(PICTURES, { recursive: true })
          await page.screenshot({ path: join(PICTURES, `${name}-${width}-${theme}.png`), fullPage: true })
        }
        await page.getByRole('button', { name: 'All turns of this round' }).click()
        expect(await page.locator('.slot-line').count()).toBe(view.round.slots.length)
        expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0)
        expect(await axeFindings(page)).toEqual([])
        expect(complaints).toEqual([])
      } finally {
        await close()
      }
    })

  it('asks the owner to look at an alarm, and says when that is done', async () => {
    const { page, close } = await openOwnerPage(browser, `${url}#alarm/light`)
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
    const picture = async (name: string): Promise<void> => {
      if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, `${name}-${width}.png`) })
    }
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
      expect(await axeFindings(page)).toEqual([])
      await picture('send')
      await dialog.getByLabel('Your owner password').fill(PASSWORD)
      await dialog.getByRole('button', { name: /^Send 2\.50.SMT$/ }).click()
      await dialog.waitFor({ state: 'detached' })
      expect(app.chainAsked.splice(0)).toEqual([`send 0x${'b2'.repeat(20)} 2.5`])

      await page.getByRole('link', { name: 'Take the deposit back' }).click()
      await dialog.getByText(/waits for as long as the chain says/).waitFor()
      await picture('poc')
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
        expect(await axeFindings(page)).toEqual([])
        await picture('adopt')
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
