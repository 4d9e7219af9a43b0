/**
 * `make guide-pictures`: the pictures of docs/guide, taken in Chromium from the product's own pages: the dashboard behind its real door, the
 * guest page behind the portal's. What they show is made by the scripted desks that the browsers' tests use, so that a picture changes only when
 * the page does. The town and its sensors are taken from `make run`, which must be running with its story told; without one nothing is taken, unless
 * ARGS=--without-town leaves those two out.
 */
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { OWNER_NET, ROOT, readState, type LabState } from '../lab/town.ts'
import { PASSWORD as LAB_PASSWORD } from '../lab/first-config.ts'
import { bundleDashboard, startDashboardApp } from '../../test/support/dashboard-app.ts'
import { launchOwnerBrowser, openOwnerPage, openView, signIn } from '../../test/support/dashboard-browser.ts'
import { scriptedMesh } from '../../test/support/mesh-views.ts'
import { scriptedPayouts } from '../../test/support/payout-views.ts'
import { STATES, compileGuestScript, startPortalApp } from '../../test/support/portal-app.ts'
import { launchGuestBrowser } from '../../test/support/portal-browser.ts'
import { townToPicture } from './options.ts'
import { withPalette } from './palette-png.ts'

const FOLDER = join(ROOT, 'docs/guide/pictures')
const COLOURS = 48
const MAX_BYTES = 1_500_000
const DESK = { width: 1280, height: 800 }
const PHONE = { width: 360, height: 640 }

const town = townOrEnd()
mkdirSync(FOLDER, { recursive: true })
const browser = await launchOwnerBrowser()
try {
  await dashboard(browser)
  await payouts(browser)
  await guestPages()
  if (town !== null) await fromTown(browser, town)
} finally {
  await browser.close()
}
const whole = readdirSync(FOLDER).reduce((sum, name) => sum + statSync(join(FOLDER, name)).size, 0)
console.log(`all pictures: ${(whole / 1000).toFixed(0)} kB (allowed: ${MAX_BYTES / 1000})`)
if (town === null) console.log('LEFT AS THEY ARE, as --without-town says: town.png, sensors.png')
if (whole > MAX_BYTES) process.exit(1)

function townOrEnd(): LabState | null {
  try {
    return townToPicture(process.argv.slice(2), readState())
  } catch (error) {
    console.error(`guide-pictures: ${error instanceof Error ? error.message : String(error)}`)
    return process.exit(1)
  }
}

async function keep(page: Page, name: string): Promise<void> {
  await page.waitForTimeout(400) // a chart's first drawing; nothing else moves
  const small = withPalette(await page.screenshot(), COLOURS)
  writeFileSync(join(FOLDER, `${name}.png`), small)
  console.log(`${name.padEnd(14)} ${(small.length / 1000).toFixed(0)} kB`)
}

async function dashboard(from: Browser): Promise<void> {
  const files = await bundleDashboard()
  const [fresh, busy] = await Promise.all([startDashboardApp(files, 'fresh'), startDashboardApp(files, 'busy', { mesh: scriptedMesh() })])
  try {
    const first = await openOwnerPage(from, fresh.url, DESK)
    await keep(first.page, 'first-run')
    await first.close()
    const owner = await openOwnerPage(from, busy.url, DESK)
    await signIn(owner.page)
    await keep(owner.page, 'home')
    for (const [name, hash, heading] of [['guests', '#/guests', 'Guests'], ['vouchers', '#/vouchers', 'Vouchers'], ['prices', '#/prices', 'Prices'], ['chain', '#/chain', 'Chain'], ['channels', '#/channels', 'Channels'], ['mesh', '#/mesh', 'Mesh'], ['health', '#/health', 'Health']] as const) {
      await openView(owner.page, hash)
      await owner.page.getByRole('heading', { level: 1 }).filter({ hasText: new RegExp(heading, 'i') }).waitFor({ timeout: 15_000 }).catch(async () => {
        throw new Error(`the view ${hash} has no heading '${heading}': ${await owner.page.locator('h1').allTextContents()}`)
      })
      await keep(owner.page, name)
    }
    await owner.close()
  } finally {
    await Promise.all([fresh.stop(), busy.stop()])
  }
}

/** A box of its own: one payout of it fails, which would stand on every other page. */
async function payouts(from: Browser): Promise<void> {
  const app = await startDashboardApp(await bundleDashboard(), 'busy', { payouts: scriptedPayouts() })
  try {
    const owner = await openOwnerPage(from, app.url, DESK)
    await signIn(owner.page)
    await openView(owner.page, '#/payouts')
    await owner.page.getByText('Who shares').waitFor()
    await keep(owner.page, 'payouts')
    await owner.close()
  } finally {
    await app.stop()
  }
}

async function guestPages(): Promise<void> {
  const guests = await launchGuestBrowser()
  const app = await startPortalApp({ script: await compileGuestScript() })
  try {
    for (const [name, state] of [['guest-welcome', 'welcome'], ['guest-online', 'online']] as const) {
      const shown = STATES[state]
      if (shown === undefined) throw new Error(`the guest page has no state '${state}'`)
      app.desk.shown = shown
      const page = await guests.newPage({ viewport: PHONE, reducedMotion: 'reduce' })
      await page.goto(`http://wifi.example:${app.server.ports.http}/?lang=en`)
      await keep(page, name)
      await page.close()
    }
  } finally {
    await guests.close()
    await app.stop()
  }
}

async function fromTown(from: Browser, { live: address }: LabState): Promise<void> {
  const live = await from.newPage({ viewport: { width: 1280, height: 800 } })
  await live.goto(address)
  await live.locator('#boxes tr').nth(4).waitFor()
  await live.waitForTimeout(3_000) // the first frames and coins are on their way
  // Where this machine keeps the town is of no interest to a reader.
  await live.evaluate(() => {
    for (const line of document.querySelectorAll('#said li')) if (line.textContent.includes('--socket')) line.remove()
  })
  await keep(live, 'town')
  await live.close()
  const owner = await openOwnerPage(from, `http://${OWNER_NET.box}:2090/`, DESK)
  await signIn(owner.page, LAB_PASSWORD)
  await openView(owner.page, '#/iot')
  await owner.page.getByText('field-3').first().waitFor()
  await keep(owner.page, 'sensors')
  await owner.close()
}
