/** Every page in every language: one small document, nothing from outside, nothing that could be injected. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { GuestView } from '../../../src/hotspot/types.ts'
import { createFront } from '../../../src/hotspot/portal/front.ts'
import { LANGUAGES } from '../../../src/hotspot/portal/languages/index.ts'
import { en } from '../../../src/hotspot/portal/languages/en.ts'
import type { Language } from '../../../src/hotspot/portal/languages/language.ts'
import type { PageContext } from '../../../src/hotspot/portal/page/context.ts'
import { homePage } from '../../../src/hotspot/portal/page/home.ts'
import { addTimePage, movePage, problemPage, receiptPage, scannedPage } from '../../../src/hotspot/portal/page/side-pages.ts'
import { walletPage } from '../../../src/hotspot/portal/page/wallet.ts'
import { STYLE } from '../../../src/hotspot/portal/page/style.ts'
import encodeQR from 'qr'
import { BOARD, RECEIPT, STATES, STREAM_BOARD, TICKET, compileGuestScript, session, view, withSession } from '../../support/portal-app.ts'

const MAX_BYTES = 30_000
let script = ''
beforeAll(async () => {
  script = await compileGuestScript()
})

function context(language: Language, change: Partial<PageContext> = {}): PageContext {
  return {
    venue: 'Café Aurora',
    language,
    chosenLanguage: language.code,
    destination: { url: `http://news.example/${'a'.repeat(370)}`, host: 'news.example', seal: 'x'.repeat(24) },
    formToken: 't'.repeat(24),
    origin: 'http://wifi.example:2080',
    selfPath: '/',
    script,
    hasWallet: true,
    hasPay: true,
    message: null,
    ...change,
  }
}

/** All pages that exist, as heavy as they get. */
function pages(language: Language): Record<string, string> {
  const plain = context(language)
  const refused = context(language, { message: { text: language.text.ticketStale, typed: 'ABCDE-FGHJK', aboutCode: true } })
  const address = `http://wifi.example:2080/t/${TICKET}`
  const states = Object.entries(STATES).map(([name, shown]): [string, string] => [name, homePage(plain, shown)])
  return {
    ...Object.fromEntries(states),
    refused: homePage(refused, view()),
    add: addTimePage(refused, withSession()),
    move: movePage(plain, address, encodeQR(address.toUpperCase(), 'svg', { ecc: 'medium', border: 1 })),
    scanned: scannedPage(plain, 'A'.repeat(184), { kind: 'voucher', label: 'Day pass', seconds: 86_400, bytes: 5e9, tokens: null, devices: 3 }),
    ticket: scannedPage(plain, TICKET, { kind: 'ticket', label: 'One hour', seconds: 86_400, bytes: 5e9, tokens: null, devices: 3 }),
    receipt: receiptPage(plain, RECEIPT.repeat(3)),
    wallet: walletPage(refused, { hasSession: true, keptBy: `0x${'aB'.repeat(20)}`, challenges: { keep: 'c'.repeat(40), open: 'd'.repeat(40) }, pay: { isMain: false, board: STREAM_BOARD, cap: 10n ** 18n }, walkSeconds: 120, visit: null }),
    pay: walletPage(plain, { hasSession: false, keptBy: null, challenges: { keep: 'c'.repeat(40), open: 'd'.repeat(40) }, pay: { isMain: true, board: STREAM_BOARD, cap: null }, walkSeconds: 120, visit: null }),
    problem: problemPage(plain, { title: language.text.didNotWork, text: language.text.badRequest, detail: 'x'.repeat(200) }),
  }
}

describe.each(LANGUAGES.map((language) => [language.code, language] as const))('in %s', (_code, language) => {
  it(`each page is at most ${MAX_BYTES} bytes, with the script, not compressed`, () => {
    for (const [name, html] of Object.entries(pages(language))) expect(Buffer.byteLength(html), name).toBeLessThanOrEqual(MAX_BYTES)
  })
  it('each page names its language and direction, and leaves no gap open', () => {
    for (const [name, html] of Object.entries(pages(language))) {
      expect(html.includes(`<html lang="${language.code}" dir="${language.direction}">`), name).toBe(true)
      expect(/\{\w+\}/.exec(html.replace(/<style>.*<\/style>|<script>.*<\/script>/g, '')), name).toBeNull()
    }
  })
})

describe('each page', () => {
  it('asks nobody else for anything', () => {
    for (const [name, html] of Object.entries(pages(en))) {
      expect([...html.matchAll(/\b(?:src|srcset|data|poster|background)="([^"]*)"/g)].map((match) => match[1]), name).toEqual(name === 'wallet' || name === 'pay' ? ['/wallet.js'] : [])
      expect([...html.matchAll(/<link[^>]*>/g)].map((match) => match[0]), name).toEqual(['<link rel="icon" href="data:,">'])
      expect(/@import|url\((?!#)/.exec(html), name).toBeNull()
      expect(/\sstyle="|\son\w+="/.exec(html), name).toBeNull() // the policy forbids them
    }
  })
  it('is balanced HTML with one main heading and unique ids', () => {
    for (const [name, html] of Object.entries(pages(en))) {
      expect(html.match(/<h1/g), name).toHaveLength(1)
      const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1])
      expect(new Set(ids).size, name).toBe(ids.length)
      for (const tag of ['section', 'div', 'form', 'p', 'ul', 'ol', 'li', 'a', 'button', 'details', 'summary', 'span', 'bdi', 'b'])
        expect(html.match(new RegExp(`<${tag}[\\s>]`, 'g'))?.length ?? 0, `${name} <${tag}>`).toBe(html.match(new RegExp(`</${tag}>`, 'g'))?.length ?? 0)
    }
  })
  it('does not say "almost over" to a guest who pays as he goes', () => {
    const soon = { secondsLeft: 95, bytesLeft: null }
    const isHidden = (html: string): boolean => /id="low" hidden/.test(html)
    expect(isHidden(homePage(context(en), withSession(soon)))).toBe(false)
    expect(isHidden(homePage(context(en), withSession({ ...soon, source: 'stream' })))).toBe(true)
    expect(homePage(context(en), withSession({ ...soon, source: 'stream' }))).toContain('data-low="0"')
  })
  it('leads to paying by the second where that is sold, else to the key', () => {
    expect(homePage(context(en), view())).toContain(en.text.payGo)
    expect(homePage(context(en, { hasPay: false }), view())).toContain(en.text.walletHave)
  })
  it('shows the price before anything is paid', () => {
    expect(homePage(context(en), view())).toContain('1.2\u00a0MBX')
  })
  it('reloads by itself without scripts only where time passes, never over a half-typed code', () => {
    for (const [name, html] of Object.entries(pages(en))) {
      const refresh = /<noscript><meta http-equiv="refresh" content="(\d+);url=([^"]+)"><\/noscript>/.exec(html)
      const expected = name.startsWith('online') ? '30' : name === 'opening' ? '2' : undefined
      expect(refresh?.[1], name).toBe(expected)
      if (refresh) expect(html.includes('id="code"'), name).toBe(false)
      expect(html.replace(/<noscript>.*<\/noscript>/, '').includes('http-equiv="refresh"'), name).toBe(false)
    }
  })
  it('carries the token in every form', () => {
    for (const [name, html] of Object.entries(pages(en)))
      expect(html.match(/<form method="post"/g)?.length ?? 0, name).toBe(html.match(/name="token" value="t{24}"/g)?.length ?? 0)
  })
})

describe('what comes from outside is text', () => {
  const EVIL = `"><script>alert(1)</script><img src=x onerror=alert(1)>'&`
  const shown = (html: string): void => {
    expect(html.includes('<script>alert')).toBe(false)
    expect(html.includes('<img')).toBe(false)
    expect(html.includes('&lt;script&gt;alert(1)')).toBe(true)
  }
  const evilBoard: GuestView['board'] = { ...BOARD, symbol: EVIL, offers: BOARD.offers.map((offer) => ({ ...offer, label: EVIL })), happyHour: { label: EVIL, discountPercent: 5 } }
  it('the venue, labels, prices, typed text, receipt, problem and address', () => {
    shown(homePage(context(en, { venue: EVIL }), view()))
    shown(homePage(context(en), view({ board: evilBoard })))
    shown(homePage(context(en, { message: { text: EVIL, typed: EVIL, aboutCode: true } }), view()))
    shown(homePage(context(en, { destination: { url: EVIL, host: EVIL, seal: EVIL } }), withSession()))
    shown(homePage(context(en), withSession({ label: EVIL })))
    shown(homePage(context(en, { formToken: EVIL }), withSession({}, { ticket: EVIL })))
    shown(homePage(context(en), view({ session: session({ state: 'credited' }), ticket: EVIL })))
    shown(scannedPage(context(en), EVIL, { kind: 'voucher', label: EVIL, seconds: 1, bytes: null, tokens: null, devices: 1 }))
    shown(receiptPage(context(en), EVIL))
    shown(problemPage(context(en), { title: EVIL, text: EVIL, detail: EVIL }))
    shown(movePage(context(en), EVIL, '<svg></svg>'))
  })
})

describe('the front', () => {
  it('allows by hash exactly the style and the script of the page', async () => {
    const { createHash } = await import('node:crypto')
    const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
    const front = createFront(script)
    const html = homePage(context(en, { script: front.script }), view())
    expect(/<style>([^]*?)<\/style>/.exec(html)?.[1]).toBe(STYLE)
    expect(front.csp).toContain(`style-src ${hash(STYLE)};`)
    expect(front.csp).toContain(`script-src ${hash(/<script>([^]*?)<\/script>/.exec(html)?.[1] ?? '')};`)
  })
  it('refuses a script that could end its element, or that is too large', () => {
    expect(() => createFront('a="</SCRIPT>"')).toThrow('script')
    expect(() => createFront('a="<!--"')).toThrow('script')
    expect(() => createFront('a'.repeat(8001))).toThrow('script')
  })
})
