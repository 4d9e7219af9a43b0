/** The mesh page in a real Chromium: every state, phone and desktop, light and dark; and joining, inviting, banning through the whole dashboard. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { decodeQR } from 'qr/decode.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/index.ts'
import { joinDesk } from '../../src/main/mesh-join.ts'
import { codeText, makeInvitation } from '../../src/mesh/joining/index.ts'
import { axeFindings } from '../support/axe.ts'
import { bundleDashboard, startDashboardApp } from '../support/dashboard-app.ts'
import { launchOwnerBrowser, openOwnerPage, openView, signIn, soon } from '../support/dashboard-browser.ts'
import { seededRandom } from '../support/fakes.ts'
import { meshPages } from '../support/mesh-pages.ts'
import { ROOF, scriptedMesh } from '../support/mesh-views.ts'
import { picture, startPageStory, type PageStory } from '../support/page-story.ts'
import { TERMS, boxDocuments, curve, keys } from '../unit/mesh-joining/boxes.ts'

const STATES = ['busy', 'nobody', 'one', 'twenty', 'partition', 'gateway-lost', 'broken'] as const

let browser: Browser
let story: PageStory
beforeAll(async () => {
  story = await startPageStory({ story: 'mesh-story', title: 'Mesh', samples: { PAGES: await meshPages() } })
  browser = await launchOwnerBrowser()
})
afterAll(async () => {
  await browser.close()
  await story.close()
})

const wide = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

/** As a phone sees it: the drawn pixels. */
async function readPicture(page: Page): Promise<string> {
  const { side, data } = await page.getByRole('img', { name: 'The code as a picture' }).evaluate((svg) => {
    const side = 420
    const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side })
    const pen = canvas.getContext('2d')
    if (pen === null) throw new Error('no canvas')
    const [x = 0, y = 0, width = 1] = (svg.getAttribute('viewBox') ?? '').split(' ').map(Number)
    pen.fillStyle = '#fff'
    pen.fillRect(0, 0, side, side)
    pen.scale(side / width, side / width)
    pen.translate(-x, -y)
    pen.fillStyle = '#000'
    pen.fill(new Path2D(svg.querySelector('path')?.getAttribute('d') ?? ''), 'evenodd')
    return { side, data: [...pen.getImageData(0, 0, side, side).data] }
  })
  return decodeQR({ width: side, height: side, data: Uint8ClampedArray.from(data) })
}

/** Pairs of things on the map that lie over each other. */
const overlaps = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const boxes = [...document.querySelectorAll<SVGElement>('.mesh-map .mesh-node > circle:not(.mesh-globe), .mesh-map .mesh-net > rect')].map((each) => each.getBoundingClientRect())
    const frame = document.querySelector('.mesh-map svg')?.getBoundingClientRect() ?? new DOMRect()
    const found: string[] = []
    boxes.forEach((one, index) => {
      if (one.left < frame.left || one.right > frame.right || one.top < frame.top || one.bottom > frame.bottom) found.push(`${index} leaves the map`)
      for (const [other, two] of boxes.entries()) if (other > index && one.left < two.right && two.left < one.right && one.top < two.bottom && two.top < one.bottom) found.push(`${index} over ${other}`)
    })
    return found
  })

describe('the mesh page', () => {
  for (const name of STATES)
    it.each([
      [390, 844, 'dark'],
      [1280, 860, 'light'],
    ] as const)(`shows a mesh that is ${name}, %i wide, %i high, %s`, async (width, height, theme) => {
      const { page, complaints, close } = await openOwnerPage(browser, `${story.url}#${name}/${theme}`, { width, height })
      try {
        await page.getByRole('heading', { level: 1, name: 'Mesh' }).waitFor()
        const { view } = (await meshPages())[name] ?? {}
        const others = view?.map.nodes.filter(({ isSelf }) => !isSelf).length ?? 0
        // The map, and in words all that it shows.
        await soon(() => page.locator('.mesh-map svg').count()).toBe(others === 0 ? 0 : 1)
        await soon(() => page.locator('.mesh-map .mesh-node').count()).toBe(others === 0 ? 0 : others + 1)
        expect(await page.getByRole('rowheader').count()).toBe(others)
        expect(await wide(page)).toBe(0)
        await picture(page, `mesh-${name}-${width}-${theme}`, true)
        expect(await overlaps(page)).toEqual([])
        expect(await axeFindings(page, 9)).toEqual([])
        expect(complaints).toEqual([])
      } finally {
        await close()
      }
    })

  it('says what is wrong, since when, and what to do', async () => {
    const { page, close } = await openOwnerPage(browser, `${story.url}#gateway-lost/light`)
    try {
      await page.getByText('No way out is left. Guests see why').waitFor()
      await page.getByText('Roof two had one and is gone for 1 min').waitFor()
      expect(await page.getByRole('alert').innerText()).toContain('Roof two: no answer for 30 s for 1 min')
      expect(await page.getByRole('img', { name: /2 gone, No Internet/ }).count()).toBe(1)
      expect(await page.getByRole('row', { name: /Roof two/ }).innerText()).toContain('gone for 1 min')
    } finally {
      await close()
    }
    const broken = await openOwnerPage(browser, `${story.url}#broken/light`)
    try {
      expect(await broken.page.getByRole('alert').innerText()).toContain('opkg install kmod-batman-adv')
      await broken.page.getByRole('heading', { name: 'The mesh cannot start' }).waitFor()
    } finally {
      await broken.close()
    }
  })
})

describe('a box in a mesh', () => {
  it('invites, takes back, bans and expels, and shows what changes meanwhile, by keys alone', async () => {
    const [width, height] = [390, 844]
    let price = 15_000n
    const mesh = scriptedMesh()
    const status = mesh.desk.status
    // As long as codes are.
    const code = codeText(keys, makeInvitation(boxDocuments(0), keys, { ...TERMS, community: boxDocuments(0).self, number: 4, uses: 2, notAfterSeconds: 86_400, nonce: new Uint8Array(16).fill(9) }))
    const invite = async (order: { uses: number; validMs: number | null }): Promise<{ code: string; number: number }> => ({ ...(await mesh.desk.invite(order)), code })
    const live = { ...mesh, desk: { ...mesh.desk, invite, status: () => ({ ...status(), connected: price === 15_000n ? 1 : 3 }) } }
    const app = await startDashboardApp(await bundleDashboard(), 'busy', { mesh: live })
    const { page, complaints, close } = await openOwnerPage(browser, app.url, { width, height })
    const dialog = page.getByRole('dialog')
    try {
      await signIn(page)
      await openView(page, '#/mesh')
      await page.getByText('3 boxes are in reach, 1 talks with this one.').waitFor()
      expect(mesh.looks.count).toBeGreaterThan(0)
      price = 20_000n
      await page.getByText('3 boxes are in reach, all talk with this one.').waitFor()

      await page.getByRole('link', { name: 'Invite a box' }).first().focus()
      await page.keyboard.press('Enter')
      await dialog.getByLabel('For how many boxes').fill('99')
      await page.keyboard.press('Enter')
      await dialog.getByText('A number from 1 to 32.').waitFor()
      await dialog.getByLabel('For how many boxes').fill('2')
      await dialog.getByLabel(/Taken back after days/).fill('7')
      expect(await axeFindings(page, 9)).toEqual([])
      await page.keyboard.press('Enter')
      await dialog.getByRole('heading', { name: 'Code 4' }).waitFor()
      expect(await dialog.getByRole('textbox', { name: 'The code as text' }).innerText()).toBe(code)
      // What a phone's camera reads from the picture is the code.
      expect(await readPicture(page)).toBe(code)
      await picture(page, `mesh-invited-${width}`)
      expect(await axeFindings(page, 9)).toEqual([])
      await page.keyboard.press('Escape')
      await dialog.waitFor({ state: 'detached' })
      await page.getByRole('button', { name: 'Take back Code 3' }).press('Enter')
      await page.getByText('It is worth nothing any more.').first().waitFor()

      await page.getByRole('link', { name: 'roof two' }).first().press('Enter')
      await dialog.getByText('yes, 3.4 ms').waitFor()
      await picture(page, `mesh-box-${width}`)
      expect(await axeFindings(page, 9)).toEqual([])
      await dialog.getByRole('button', { name: 'Ban' }).press('Enter')
      await dialog.getByLabel('Why (for you, later)').fill('noisy')
      await page.keyboard.press('Enter')
      await dialog.waitFor({ state: 'detached' })
      await page.getByRole('link', { name: 'roof two' }).first().press('Enter')
      await dialog.getByRole('button', { name: 'Expel' }).press('Enter')
      await dialog.getByText(/no box of the community carries for it/).waitFor()
      await dialog.getByRole('button', { name: 'Expel' }).press('Enter')
      await dialog.waitFor({ state: 'detached' })
      await page.getByRole('link', { name: 'noisy' }).press('Enter')
      await dialog.getByText(/This box does not speak with it.*sends too much/).waitFor()
      await dialog.getByRole('button', { name: 'Take the ban back' }).press('Enter')
      await soon(() => mesh.asked).toEqual([`invite 2 ${7 * 86_400_000}`, 'take-back 3', `ban ${ROOF} noisy`, `expel ${ROOF}`, `unban 0x${'d4'.repeat(20)}`])
      await page.keyboard.press('Escape')
      await dialog.waitFor({ state: 'detached' })
      mesh.asked.length = 0

      // What is carried between two boxes, from the line that says who pays.
      await page.getByText('2.5 MIN are owed; up to 2 MIN may be').waitFor()
      const carried = page.getByRole('link', { name: 'This box carries for roof two' })
      await carried.press('Enter')
      await dialog.getByRole('button', { name: 'Let it begin again' }).waitFor()
      await picture(page, `mesh-carriage-${width}`)
      expect(await axeFindings(page, 9)).toEqual([])
      expect(await wide(page)).toBe(0)
      await dialog.getByRole('button', { name: 'Let it begin again' }).press('Enter')
      await page.getByText('It may begin again now.').first().waitFor()
      await dialog.getByRole('button', { name: 'Stop carrying' }).press('Enter')
      await dialog.getByLabel('Why (told to the other box)').fill('the roof is mended')
      await page.keyboard.press('Enter')
      await dialog.waitFor({ state: 'detached' })
      await carried.press('Enter')
      await dialog.getByRole('button', { name: 'Write off' }).press('Enter')
      await dialog.getByText('0.10\u00a0MIN for carrying that ended, or for its guests here, are asked for no more').waitFor()
      await dialog.getByRole('button', { name: 'Write off' }).press('Enter')
      await dialog.waitFor({ state: 'detached' })
      expect(mesh.asked).toEqual([`readmit ${ROOF}`, `end ${ROOF} the roof is mended`, `write-off ${ROOF}`])

      const walking = page.getByRole('region', { name: 'Guests who walk' })
      const lines = (await walking.innerText()).replaceAll('\u00a0', ' ').split('\n').map((line) => line.trim())
      expect(lines.filter((line) => line.length > 1)).toEqual([
        'Guests who walk',
        'Guest of this box, at roof two', '0a:00:00:00:00:11', '30 min left', expect.stringMatching(/^there for /),
        'Guest of roof two, here', '0a:00:00:00:00:22', '0.002 MIN for a minute', '15 min left', '2 min, 3.8 MiB used here',
        expect.stringMatching(/^Guest of /), '0a:00:00:00:00:33', 'the box that sold this time cannot be reached; it goes on when it can', '5 min left', '1 min, 0 B used here',
        'This box pays roof two for guests', '−0.006 MIN', expect.stringMatching(/^0\.004 MIN open · /),
        'roof two pays for guests', '+0.004 MIN',
      ])
      expect(complaints).toEqual([])
    } finally {
      await close()
      await app.stop()
    }
  })
})

describe('a box in no mesh', () => {
  it('joins by a pasted code once the owner has seen what changes, and undoes it', async () => {
    const [width, height] = [390, 844]
    const founder = boxDocuments(0)
    const code = codeText(keys, makeInvitation(founder, keys, { ...TERMS, community: founder.self, number: 1, uses: 1, notAfterSeconds: null, nonce: new Uint8Array(16).fill(3) }))
    const files = { wireless: '' }
    const app = await startDashboardApp(await bundleDashboard(), 'busy', {
      joining: (config, folder) => {
        files.wireless = join(folder, 'wireless')
        writeFileSync(files.wireless, "config wifi-device 'radio0'\n\toption band '5g'\n\toption channel '36'\n")
        const current = (): Config => ({ ...config.current(), main: { ...config.current().main, dataDir: folder } })
        return joinDesk({ configPath: join(folder, 'meshbox'), config: { ...config, current }, box: boxDocuments(3).self, curve: () => curve, randomness: seededRandom(5) })
      },
    })
    const { page, complaints, close } = await openOwnerPage(browser, app.url, { width, height })
    const dialog = page.getByRole('dialog')
    try {
      await signIn(page)
      await openView(page, '#/mesh')
      await page.getByText('This box is in no mesh').waitFor()
      await picture(page, `mesh-off-${width}`)
      expect(await axeFindings(page, 9)).toEqual([])
      await page.getByRole('link', { name: 'Join a community' }).press('Enter')
      await dialog.getByRole('button', { name: 'Look what would change' }).click()
      await dialog.getByText('Paste the code here.').waitFor()
      await dialog.getByLabel('Code').fill(`${code.slice(0, 60)}x${code.slice(61)}`)
      await dialog.getByRole('button', { name: 'Look what would change' }).click()
      await dialog.getByText(/^Not accepted/).waitFor()
      await dialog.getByLabel('Code').fill(`${code.slice(0, 90)}\n${code.slice(90)}`)
      await dialog.getByRole('button', { name: 'Look what would change' }).click()
      await dialog.getByText(`Mesh ${TERMS.meshId}, channel 36, with a password`).waitFor()
      expect(await dialog.innerText()).not.toContain(TERMS.meshSecret)
      expect(readFileSync(files.wireless, 'utf8')).not.toContain(TERMS.meshSecret)
      await picture(page, `mesh-joining-${width}`)
      expect(await axeFindings(page, 9)).toEqual([])
      expect(await wide(page)).toBe(0)
      await dialog.getByRole('button', { name: 'Join' }).click()
      await page.getByText('Joined: restart the box').waitFor()
      expect(readFileSync(files.wireless, 'utf8')).toContain(TERMS.meshSecret)
      await page.getByRole('link', { name: 'Undo joining' }).click()
      await dialog.getByRole('button', { name: 'Look what would change' }).click()
      await dialog.getByRole('button', { name: 'Undo' }).click()
      await page.getByText('This box is in no mesh').waitFor()
      expect(readFileSync(files.wireless, 'utf8')).not.toContain('meshbox')

      await openView(page, '#/mesh/begin')
      await dialog.getByLabel('Name').fill('Roofs of Alma')
      await dialog.getByRole('button', { name: 'Look what would change' }).click()
      await dialog.getByText('Roofs of Alma').first().waitFor()
      await dialog.getByRole('button', { name: 'Begin' }).click()
      await page.getByText('this box belongs to Roofs of Alma').waitFor()
      expect(complaints).toEqual([])
    } finally {
      await close()
      await app.stop()
    }
  })

  it('says where to join when the files are not its own', async () => {
    const app = await startDashboardApp(await bundleDashboard(), 'busy')
    const { page, complaints, close } = await openOwnerPage(browser, app.url)
    try {
      await signIn(page)
      await page.getByRole('link', { name: 'Mesh', exact: true }).click()
      await page.getByText('Join with meshbox join on the router').waitFor()
      expect(complaints).toEqual([])
    } finally {
      await close()
      await app.stop()
    }
  })
})
