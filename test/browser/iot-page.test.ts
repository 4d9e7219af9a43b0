/** The sensors page in a real Chromium: every state, phone and desktop, light and dark; and orders through the whole dashboard to a room that runs. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { axeFindings } from '../support/axe.ts'
import { IOT_PAGES, LOOKS, TENANT_LOOKS } from '../support/iot-pages.ts'
import { Concentrator } from '../support/concentrator.ts'
import { bundleDashboard, startDashboardApp } from '../support/dashboard-app.ts'
import { launchOwnerBrowser, openOwnerPage, openView, signIn, soon } from '../support/dashboard-browser.ts'
import { FREQ_MHZ, GATEWAY, KEY, PUMP, TENANTS, devEuiOf, frameOf, openPlace } from '../support/iot-place.ts'
import { picture, startPageStory, type PageStory } from '../support/page-story.ts'
import { TOKEN, tenant } from '../unit/iot-tenants/tenant-box.ts'
import { makeAuthority, makeCertificate } from '../unit/portal/certificate-maker.ts'

type Screen = readonly [width: number, height: number, theme: 'light' | 'dark']
const SCREENS: readonly Screen[] = [
  [320, 700, 'light'],
  [390, 844, 'dark'],
  [1280, 860, 'light'],
]
/** The narrowest is for what is long. */
const screensOf = (name: string): readonly Screen[] => (['working', 'huge', 'soil'].includes(name) ? SCREENS : name in LOOKS ? SCREENS.slice(1, 2) : SCREENS.slice(1))

const AUTHORITY = makeAuthority('Hill CA')
const LONG = { notBeforeMs: Date.UTC(2000, 0, 1), notAfterMs: Date.UTC(2049, 0, 1) }
const [OWN, OTHER] = [makeCertificate(AUTHORITY, { names: ['box.hill'], ...LONG }), makeCertificate(AUTHORITY, { names: ['other.hill'], ...LONG })]

let browser: Browser
let story: PageStory
beforeAll(async () => {
  story = await startPageStory({ story: 'iot-story', title: 'Sensors', samples: { PAGES: IOT_PAGES, LOOKS, TENANTS: TENANT_LOOKS } })
  browser = await launchOwnerBrowser()
})
afterAll(async () => {
  await browser?.close()
  await story.close()
})

/** Opens it, looks whether it fits and can be read by everybody, and takes a picture if one is wanted. */
async function looksRight(hash: string, [width, height, theme]: Screen, said: (page: Page) => Promise<void>): Promise<void> {
  const { page, complaints, close } = await openOwnerPage(browser, `${story.url}#${hash}/${theme}`, { width, height })
  try {
    await page.getByRole('heading', { name: 'Sensors', exact: true, includeHidden: true }).waitFor({ state: 'attached' })
    await said(page)
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0)
    expect(await page.evaluate(() => [...document.querySelectorAll('.dialog-body')].map((body) => body.scrollWidth - body.clientWidth).filter((over) => over > 0))).toEqual([])
    await picture(page, `iot-${hash.replace('/', '-')}-${width}-${theme}`, true)
    expect(await axeFindings(page, 6)).toEqual([])
    expect(complaints).toEqual([])
  } finally {
    await close()
  }
}

describe('the sensors page', () => {
  const says: Readonly<Record<string, readonly (string | RegExp)[]>> = {
    working: ['Listening', /soil.18\.2.%/, 'Its last try to join was refused: DevNonce 5 was used before.', 'out of credit', 'owes 0.00048 VTK of 0.001 VTK', 'no time on air left, then no time on air left · 1 h 5 min ago', 'only says what it would do', 'P 869.4–869.65', 'used up'],
    none: ['No gateway yet', 'packet forwarders to 192.168.1.1:1700 (UDP), Basics Station to 192.168.1.1:3001', 'No sensor yet', 'Nobody pays for frames yet'],
    'no-mosquitto': ['MQTT does not work: mosquitto is not installed. Install the package mosquitto on the box. Readings, rules and bills go on without it', '1,204 readings wait for it'],
    silent: ['The gateway is silent', 'heard 1 h 6 min ago', '812 frames, 60 KiB · 17 too old, let go and not billed'],
    shut: ['No door is open', 'Readings stay on the box'],
    old: ['the database is busy', 'heard before the last start'],
    huge: ['has paid 0.0005 VTK ahead', '123,456,789,012,345,678,901,234,567 units'],
  }
  const plain = (text: string): string => text.replace(/\u00a0/g, ' ').replace(/\s+/g, ' ')

  for (const name of Object.keys(IOT_PAGES))
    it.each(screensOf(name))(`shows ${name}, %i wide, %i high, %s`, (...screen) =>
      looksRight(`page/${name}`, screen, async (page) => {
        const text = plain(await page.locator('main').innerText())
        for (const wanted of says[name] ?? [/nobody wrote down what this page has to say/]) expect(text).toMatch(typeof wanted === 'string' ? new RegExp(wanted.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) : wanted)
      }),
    )

  it.each(screensOf('off'))('says how to switch it on, %i wide, %i high, %s', (...screen) =>
    looksRight('off/none', screen, async (page) => {
      expect(await page.locator('main').innerText()).toContain('the role `iot`')
    }),
  )
})

describe('one sensor', () => {
  for (const name of Object.keys(LOOKS))
    it.each(screensOf(name))(`is drawn: ${name}, %i wide, %i high, %s`, (...screen) =>
      looksRight(`look/${name}`, screen, async (page) => {
        const dialog = page.getByRole('dialog')
        await dialog.waitFor()
        if (name === 'pump') expect(await dialog.innerText()).toMatch(/Frames up, down, down to its application\s+102, 3, 97/)
        const { points } = LOOKS[name]!
        expect(await dialog.locator('.iot-plot-line').count()).toBe(name === 'newcomer' ? 0 : name === 'soil' || name === 'one-point' ? 2 : 0)
        if (points.length > 1) expect(await dialog.locator('figcaption').first().innerText()).toBe('soil, %: from 15 to 25.5, last 22.44')
      }),
    )

  it('hands out what is chosen and taken back', async () => {
    const { page, close } = await openOwnerPage(browser, `${story.url}#look/soil/light`)
    try {
      const dialog = page.getByRole('dialog')
      await dialog.getByRole('radio', { name: '7 days' }).click()
      expect(await page.title()).toBe('span week')
      await dialog.getByLabel('Value').selectOption('light')
      expect(await page.title()).toBe('drawn light')
      await dialog.getByRole('button', { name: 'Take back' }).click()
      expect(await page.title()).toBe('taken back 4')
    } finally {
      await close()
    }
  })
})

describe('the certificates of a tenant', () => {
  const says: Readonly<Record<string, readonly string[]>> = {
    'no-tls': [],
    bare: ['Any public authority'],
    expiring: ['A certificate ends within 14 days.', 'CN=Acme Metering Root', 'CN=box-17', 'until', 'lies here, sealed', 'ends soon'],
    expired: ['A certificate has ended', 'sealed by another box', 'ended'],
  }
  for (const name of Object.keys(TENANT_LOOKS))
    it.each([[320, 700, 'light'], [390, 844, 'dark'], [390, 844, 'light'], [1280, 800, 'light'], [1280, 800, 'dark']] as const)(`are shown: ${name}, %i wide, %i high, %s`, (...screen) =>
      looksRight(`tenant/${name}`, screen, async (page) => {
        const dialog = page.getByRole('dialog')
        await dialog.waitFor()
        const text = await dialog.innerText()
        expect(text.includes('Certificates')).toBe(name !== 'no-tls')
        for (const wanted of says[name]!) expect(text).toContain(wanted)
        if (name === 'no-tls') return
        await dialog.getByRole('button', { name: 'Change certificates' }).scrollIntoViewIfNeeded()
        await picture(page, `iot-certificates-shown-${name}-${screen[0]}-${screen[2]}`)
        await dialog.getByRole('button', { name: 'Change certificates' }).click()
        await dialog.getByLabel('Its private key', { exact: true }).waitFor()
        expect(await dialog.getByRole('switch').count()).toBe(name === 'bare' ? 0 : 2)
        await picture(page, `iot-certificates-${name}-${screen[0]}-${screen[2]}`, true)
        expect(await axeFindings(page, 6)).toEqual([])
        expect(await page.evaluate(() => [...document.querySelectorAll('.dialog-body')].map((body) => body.scrollWidth - body.clientWidth).filter((over) => over > 0))).toEqual([])
        await dialog.getByRole('button', { name: 'Save' }).click()
        await dialog.getByText('Nothing to change').waitFor()
        await dialog.getByRole('button', { name: 'Back' }).click()
        await dialog.getByText('Bill and receipts').waitFor()
      }),
    )
})

describe('orders', () => {
  const FIELD = 0x0000_1009
  /** Cayenne LPP, channel 1: 21.5 °C. */
  const WARM = Uint8Array.of(1, 0x67, 0, 215)

  it('reach the room that runs: a sensor, something for it, a rule, a tenant', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'meshbox-iot-page-'))
    const place = await openPlace(folder, { gwmp: 0, server: 9 })
    const { desk } = place.room
    await desk.putDevice({
      devEui: devEuiOf(FIELD), name: 'field-3', joinEui: '0000000000000000', macVersion: '1.0.3', deviceClass: 'A', codec: 'cayenne-lpp', allowsCounterReset: false,
      isDisabled: false, expectedIntervalSeconds: null, appKey: null, nwkKey: null, abp: { devAddr: FIELD, nwkSKey: KEY, network11: null, appSKey: KEY, fCntUp: 0, fCntDown: 0, aFCntDown: 0 },
    })
    const app = await startDashboardApp(await bundleDashboard(), 'busy', { iot: { desk, tokens: () => [{ address: TOKEN, symbol: 'TOK', decimals: 6 }] } })
    const concentrator = new Concentrator({ gateway: GATEWAY, port: Number(desk.overview().doors.gwmp?.split(':')[1]) })
    const { page, complaints, close } = await openOwnerPage(browser, app.url)
    try {
      await signIn(page)
      await openView(page, '#/iot')
      await page.getByRole('heading', { name: 'No gateway yet' }).waitFor()
      await concentrator.start()
      await page.getByRole('heading', { name: 'Listening' }).waitFor()
      concentrator.hear({ freq: FREQ_MHZ, phy: frameOf(FIELD, 0, false, WARM) })
      concentrator.hear({ freq: FREQ_MHZ, phy: frameOf(TENANTS, 0) })
      await page.getByText('field-3: reading').waitFor()
      await page.getByText(/temperature_1.21\.5/).first().waitFor()

      await openView(page, '#/iot/new')
      const dialog = page.getByRole('dialog')
      await dialog.getByRole('button', { name: 'Save' }).click()
      await dialog.getByText('Type 16 hex digits.').waitFor()
      await dialog.getByLabel('Name', { exact: true }).fill('cold-room')
      await dialog.getByLabel('DevEUI').fill('70-B3-D5-7E-D0-00-00-AA')
      await dialog.getByLabel('AppKey', { exact: true }).fill('000102030405060708090a0b0c0d0e0f')
      await dialog.getByLabel('Codec').selectOption('cayenne-lpp')
      await dialog.getByRole('button', { name: 'Save' }).click()
      await dialog.waitFor({ state: 'detached' })
      await page.getByRole('link', { name: 'cold-room' }).waitFor()
      expect(desk.device('70b3d57ed00000aa')).toMatchObject({ name: 'cold-room', codec: 'cayenne-lpp', activation: 'otaa', session: null })

      await openView(page, '#/iot/new')
      await dialog.getByLabel('Name', { exact: true }).fill('two-keys')
      await dialog.getByLabel('DevEUI').fill('70b3d57ed00000ab')
      await dialog.getByLabel('AppKey', { exact: true }).fill('000102030405060708090a0b0c0d0e0f')
      await dialog.getByLabel('LoRaWAN version').selectOption('1.1')
      await dialog.getByRole('button', { name: 'Save' }).click()
      await dialog.getByText('Type 32 hex digits.').waitFor()
      for (const [width, height] of [[320, 700], [390, 844], [1280, 860]] as const) {
        await page.setViewportSize({ width, height })
        expect(await page.evaluate(() => [...document.querySelectorAll('.dialog-body')].map((body) => body.scrollWidth - body.clientWidth).filter((over) => over > 0))).toEqual([])
        await dialog.getByLabel('NwkKey', { exact: true }).scrollIntoViewIfNeeded()
        await picture(page, `iot-form-11-${width}`, false)
      }
      expect(await axeFindings(page, 6)).toEqual([])
      await dialog.getByLabel('NwkKey', { exact: true }).fill('0f0e0d0c0b0a09080706050403020100')
      await dialog.getByRole('button', { name: 'Save' }).click()
      await dialog.waitFor({ state: 'detached' })
      await page.getByRole('link', { name: 'two-keys' }).waitFor()
      expect(desk.device('70b3d57ed00000ab')).toMatchObject({ name: 'two-keys', macVersion: '1.1', activation: 'otaa', session: null })

      await openView(page, `#/iot/${devEuiOf(PUMP)}`)
      await dialog.getByRole('button', { name: 'Send to it' }).click()
      await dialog.getByLabel('Bytes, in hex').fill('01f')
      await dialog.getByRole('button', { name: 'Send to it' }).click()
      await dialog.getByText('Type pairs of hex digits').waitFor()
      await dialog.getByLabel('Bytes, in hex').fill('01ff')
      await dialog.getByRole('button', { name: 'Send to it' }).click()
      await dialog.getByText('waits').first().waitFor()
      expect(desk.queue(devEuiOf(PUMP)).map(({ payload, fPort, asker }) => [...payload, fPort, asker])).toEqual([[1, 255, 1, 'rest']])
      await dialog.getByRole('button', { name: 'Take back' }).click()
      await soon(() => desk.queue(devEuiOf(PUMP)).filter(({ state }) => state === 'queued')).toEqual([])
      await page.keyboard.press('Escape')

      await openView(page, `#/iot/${devEuiOf(FIELD)}`)
      await dialog.getByText(/^temperature_1/).first().waitFor()
      // The dashboard's clock and the room's are not of one day here.
      const csv = await page.context().request.get(new URL(`${(await dialog.getByRole('link', { name: /CSV/ }).getAttribute('href')) ?? ''}?to=${Date.now() + 60_000}`, app.url).href)
      expect([csv.status(), await csv.text()]).toEqual([200, expect.stringMatching(/^[^\r\n]*\r\n[^\r\n]*21\.5[^\r\n]*\r\n$/)])
      await page.keyboard.press('Escape')

      await openView(page, '#/iot/new-rule')
      await dialog.getByLabel('Name', { exact: true }).fill('Cool the field')
      await dialog.getByLabel('If what, then what').fill('if temperature_1 of nowhere > 20 set field-3 {}')
      await dialog.getByRole('button', { name: 'Try it with past readings' }).click()
      await dialog.getByText(/the name or DevEUI of a device that is registered/).waitFor()
      await dialog.getByLabel('If what, then what').fill(`if temperature_1 of field-3 > 20 set ${devEuiOf(PUMP)} {"open":true} for 10 min then {"open":false}`)
      await dialog.getByRole('button', { name: 'Try it with past readings' }).click()
      await dialog.getByText('With 1 kept reading it would have acted once:').waitFor()
      await dialog.getByRole('button', { name: 'Save' }).click()
      await dialog.waitFor({ state: 'detached' })
      await page.getByRole('link', { name: 'Cool the field' }).click()
      await dialog.getByRole('button', { name: 'Let it act' }).click()
      await dialog.waitFor({ state: 'detached' })
      expect(desk.rules().map(({ id, isLive }) => [id, isLive])).toEqual([['cool-the-field', true]])

      await page.getByRole('link', { name: 'Farm' }).click()
      await dialog.getByText('dev-addr 26010000/16').waitFor()
      const bill = await page.context().request.get(new URL((await dialog.getByRole('link', { name: 'Bill and receipts' }).getAttribute('href')) ?? '', app.url).href)
      expect([bill.status(), Object.keys((await bill.json()) as object).toSorted()]).toEqual([200, ['receipts', 'units']])
      await dialog.getByRole('button', { name: 'Pause' }).click()
      await dialog.getByRole('button', { name: 'Serve again' }).waitFor()
      expect(desk.tenant('farm')?.isPaused).toBe(true)
      await page.keyboard.press('Escape')

      await desk.putTenant({ ...tenant({ id: 'hill', name: 'Hill', payer: `0x${'a1'.repeat(20)}`, routes: [{ kind: 'dev-addr', prefix: 0x2800_0000, prefixBits: 16 }], destination: { kind: 'station', url: 'wss://:t0ken@127.0.0.1:9/' } }) })
      await openView(page, '#/iot/tenant-hill')
      await dialog.getByRole('button', { name: 'Change certificates' }).click()
      await dialog.getByText('meshbox tenant set is safer').waitFor()
      await dialog.getByLabel('Vouches for his server', { exact: true }).fill(AUTHORITY.certificatePem)
      await dialog.getByLabel('Shown to his server: file').setInputFiles({ name: 'box.pem', mimeType: 'application/x-pem-file', buffer: Buffer.from(OWN.certificatePem) })
      await soon(() => dialog.getByLabel('Shown to his server', { exact: true }).inputValue()).toBe(OWN.certificatePem)
      await dialog.getByLabel('Its private key', { exact: true }).fill(OTHER.keyPem)
      await dialog.getByRole('button', { name: 'Save' }).click()
      await dialog.getByText(/the private key of the first certificate/).waitFor()
      expect(await dialog.getByLabel('Its private key', { exact: true }).getAttribute('aria-invalid')).toBe('true')
      await dialog.getByLabel('Its private key', { exact: true }).fill(OWN.keyPem)
      await dialog.getByRole('button', { name: 'Save' }).click()
      await dialog.getByText('CN=box.hill').waitFor()
      await dialog.getByText('lies here, sealed').waitFor()
      // One toast, over the dialog; the page's lies behind it.
      expect(await page.getByText('Saved.', { exact: true }).evaluateAll((all) => all.map((one) => getComputedStyle(one).visibility).toSorted())).toEqual(['hidden', 'visible'])
      expect(desk.tenant('hill')).toMatchObject({ destination: { url: 'wss://:t0ken@127.0.0.1:9/', tls: { key: OWN.keyPem } }, prices: tenant().prices, creditWindow: 1_000n })
      expect(await page.content()).not.toContain('PRIVATE')
      await dialog.getByRole('button', { name: 'Change certificates' }).click()
      await dialog.getByRole('switch', { name: 'Show none, forget the key' }).click()
      await dialog.getByRole('button', { name: 'Save' }).click()
      await dialog.getByText('CN=box.hill').waitFor({ state: 'detached' })
      expect(desk.tenant('hill')).toMatchObject({ tls: { ca: [{ subject: 'CN=Hill CA' }], client: null } })
      await page.keyboard.press('Escape')

      await openView(page, '#/iot/70b3d57ed00000aa')
      await dialog.getByRole('button', { name: 'Remove', exact: true }).click()
      await dialog.getByRole('button', { name: 'Remove for good?' }).click()
      await dialog.waitFor({ state: 'detached' })
      expect(desk.device('70b3d57ed00000aa')).toBe(null)
      expect(complaints).toEqual([])
    } finally {
      await close()
      concentrator.stop()
      await app.stop()
      await place.room.stop()
      await place.store.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
