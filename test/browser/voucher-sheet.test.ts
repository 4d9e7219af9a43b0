/** The printable sheet in a real Chromium: pages, cells, nothing cut off, every code readable from the print. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { decodeQR } from 'qr/decode.js'
import { inflateSync } from 'node:zlib'
import { encodeCode, encodeQr, readCode, readQr, voucherId } from '../../src/hotspot/voucher/index.ts'
import { voucherSheet } from '../../src/hotspot/voucher/sheet.ts'
import type { SheetVoucher, VoucherSheet, VoucherTerms } from '../../src/hotspot/voucher/index.ts'
import { KEYS } from '../unit/voucher/fixed-keys.ts'

const LABELS = ['30 minutes', '1 day', '2 GiB', 'Long weekend with the whole family, four devices, fast lane, 20 GiB included', 'Donaudampfschifffahrtsgesellschaftskapitänspatent', 'يوم كامل مع العائلة وأربعة أجهزة', 'W'.repeat(64)]
const NOTES = [undefined, '2.50 MBX, 2 devices', 'a note that is a good deal longer than the cell is wide']
const PIXELS_PER_MM = 96 / 25.4
let browser: Browser
let page: Page

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
  page = await browser.newPage({ viewport: { width: 900, height: 1200 }, deviceScaleFactor: 3 })
})
afterAll(async () => {
  await browser.close()
})

function termsOf(index: number): VoucherTerms {
  const validUntilDay = index % 2 ? 20_900 : null
  return { slot: 1, box: 2, serial: index, seconds: 1800, bytes: index % 3 ? null : 2 ** 31, tokens: null, devices: 2, downKbps: null, upKbps: null, price: 2_500_000_000_000_000_000n, validUntilDay }
}

function sheetOf(count: number, change: Partial<VoucherSheet> = {}): VoucherSheet {
  const vouchers = Array.from({ length: count }, (_, index): SheetVoucher => {
    const terms = termsOf(index)
    const note = NOTES[index % NOTES.length]
    return {
      id: voucherId(terms),
      code: encodeCode(terms, KEYS),
      qrUrl: encodeQr(terms, KEYS, 'http://wifi.lan'),
      label: LABELS[index % LABELS.length] ?? '',
      validUntilText: terms.validUntilDay === null ? null : '2027-03-23',
      ...(note === undefined ? {} : { note }),
    }
  })
  return { venue: 'Café zur Rosa', portalHost: 'http://wifi.lan', vouchers, printedText: '2026-11-21', ...change }
}

/** Pages of a PDF: its page objects, in the compressed object streams as well. */
function pdfPages(pdf: Buffer): number {
  const text = pdf.toString('latin1')
  let all = text
  for (const match of text.matchAll(/\/FlateDecode[^]*?stream\r?\n/g)) {
    const start = match.index + match[0].length
    const end = text.indexOf('endstream', start)
    if (match[0].includes('/ObjStm')) all += inflateSync(pdf.subarray(start, end)).toString('latin1')
  }
  return all.match(/\/Type\s*\/Page\b(?!s)/g)?.length ?? 0
}

/** Elements that show less than they hold, or stick out of their cell, other than by an ellipsis. */
async function overflowing(): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = []
    for (const cell of document.querySelectorAll('.voucher')) {
      const box = cell.getBoundingClientRect()
      if (cell.scrollHeight > cell.clientHeight + 1 || cell.scrollWidth > cell.clientWidth + 1) found.push(`cell ${cell.textContent}`)
      for (const part of cell.querySelectorAll('*')) {
        if (part instanceof SVGElement && part.tagName !== 'svg') continue
        const inner = part.getBoundingClientRect()
        if (inner.left < box.left - 0.5 || inner.right > box.right + 0.5 || inner.top < box.top - 0.5 || inner.bottom > box.bottom + 0.5)
          found.push(`${part.className} of ${cell.textContent}`)
      }
      const column = cell.querySelector('.text')
      if (column && column.scrollHeight > column.clientHeight + 1) found.push(`column of ${cell.textContent}`)
      for (const whole of cell.querySelectorAll('.code, .id, .until'))
        if (whole.scrollWidth > whole.clientWidth) found.push(`${whole.className} of ${cell.textContent}`)
    }
    return found
  })
}

async function show(sheet: VoucherSheet): Promise<void> {
  await page.emulateMedia({ media: 'print' })
  await page.setContent(voucherSheet(sheet))
}

describe('sheet of vouchers', () => {
  it.each([
    [1, [1]],
    [32, [32]],
    [33, [32, 1]],
    [100, [32, 32, 32, 4]],
  ])('%i vouchers go on pages of %o', async (count, perPage) => {
    await show(sheetOf(count))
    const found = await page.evaluate(() => [...document.querySelectorAll('.page')].map((one) => one.querySelectorAll('.voucher').length))
    expect(found).toEqual(perPage)
    expect(pdfPages(await page.pdf({ preferCSSPageSize: true, printBackground: true }))).toBe(perPage.length)
    expect(pdfPages(await page.pdf({ format: 'A4' }))).toBe(perPage.length)
  })

  it('a page is 4 × 8 cells of 48.5 × 35 mm on A4, with cut marks between them', async () => {
    await show(sheetOf(32))
    const boxes = await page.evaluate(() => {
      const [x0, y0] = [document.querySelector('.page')?.getBoundingClientRect().x ?? 0, document.querySelector('.page')?.getBoundingClientRect().y ?? 0]
      return [...document.querySelectorAll('.voucher')].map((cell) => {
        const { x, y, width, height } = cell.getBoundingClientRect()
        return { x: x - x0, y: y - y0, width, height }
      })
    })
    boxes.forEach((box, index) => {
      expect(box.x / PIXELS_PER_MM).toBeCloseTo(8 + (index % 4) * 48.5, 1)
      expect(box.y / PIXELS_PER_MM).toBeCloseTo(6 + Math.floor(index / 4) * 35, 1)
      expect(box.width / PIXELS_PER_MM).toBeCloseTo(48.5, 1)
      expect(box.height / PIXELS_PER_MM).toBeCloseTo(35, 1)
    })
    const paths = await page.evaluate(() => [...document.querySelectorAll('.cuts path')].map((path) => path.getAttribute('d') ?? ''))
    for (let column = 0; column <= 4; column++) expect(paths.join('')).toContain(`M${8 + column * 48.5} 6V286`)
    for (let row = 0; row <= 8; row++) expect(paths.join('')).toContain(`M8 ${6 + row * 35}H202`)
  })

  it.each([
    ['an everyday name', {}],
    ['a long name', { venue: 'The Old Lighthouse Keeper’s Café, Bar & Reading Room' }],
    ['a name without a space', { venue: 'W'.repeat(48) }],
    ['a right-to-left name', { venue: 'مقهى الوردة البيضاء للقراءة والشاي والقهوة' }],
    ['a right-to-left sheet', { venue: 'בית הקפה', texts: { language: 'he', direction: 'rtl', howTo: 'פתחו דף כלשהו והקלידו את הקוד הזה', validUntil: 'בתוקף עד', print: 'הדפסה' } }],
    ['long texts', { texts: { language: 'de', direction: 'ltr', howTo: 'Irgendeine Seite im Browser öffnen und diesen Code eingeben', validUntil: 'Zum ersten Mal verwendbar bis', print: 'Drucken' } }],
  ] as const)('nothing leaves its cell or is cut in half: %s', async (_name, change) => {
    await show(sheetOf(42, change))
    expect(await overflowing()).toEqual([])
  })

  it('every QR code and every typed code on the print reads back', async () => {
    const sheet = sheetOf(33)
    await show(sheet)
    const codes = await page.evaluate(() => [...document.querySelectorAll('.code')].map((code) => (code instanceof HTMLElement ? code.innerText : '')))
    expect(codes).toHaveLength(33)
    codes.forEach((code, index) => expect(readCode(code, KEYS)).toEqual({ slot: 1, box: 2, serial: index }))
    const cells = await page.locator('.voucher').all()
    for (const [index, cell] of cells.entries()) {
      const url = decodeQR(await pixels(await cell.screenshot()), { timeLimit: 5000 })
      expect(url).toBe(sheet.vouchers[index]?.qrUrl)
      expect(readQr(url, KEYS)).toEqual(termsOf(index))
    }
  })

  it('prints black on white, and keeps its button to the screen', async () => {
    await show(sheetOf(1))
    const isShown = (): Promise<boolean> => page.locator('button').isVisible()
    expect(await isShown()).toBe(false)
    const colours = await page.evaluate(() => [...document.querySelectorAll('.page, .page *')].map((part) => getComputedStyle(part)).flatMap((style) => [style.color, style.fill, style.backgroundColor]))
    for (const colour of new Set(colours)) {
      const [red, green, blue] = colour.match(/\d+/g) ?? []
      expect([green, blue]).toEqual([red, red])
    }
    await page.emulateMedia({ media: 'screen' })
    expect(await isShown()).toBe(true)
    await page.evaluate(() => {
      window.print = () => void (document.title = 'printed')
    })
    await page.locator('button').click()
    expect(await page.title()).toBe('printed')
  })

  /** PNG → RGBA, by the browser's own decoder. */
  async function pixels(png: Buffer): Promise<{ width: number; height: number; data: Uint8ClampedArray }> {
    const { width, height, base64 } = await decoder.evaluate(async (source) => {
      const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${source}`)).blob())
      const canvas = new OffscreenCanvas(image.width, image.height)
      const context = canvas.getContext('2d')
      context?.drawImage(image, 0, 0)
      const data = context?.getImageData(0, 0, image.width, image.height).data ?? new Uint8ClampedArray()
      let binary = ''
      for (let at = 0; at < data.length; at += 8192) binary += String.fromCharCode(...data.subarray(at, at + 8192))
      return { width: image.width, height: image.height, base64: btoa(binary) }
    }, png.toString('base64'))
    return { width, height, data: new Uint8ClampedArray(Buffer.from(base64, 'base64')) }
  }

  let decoder: Page
  beforeAll(async () => {
    decoder = await browser.newPage()
  })
})
