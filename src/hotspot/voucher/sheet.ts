/**
 * The sheet an owner prints and cuts: a stand-alone HTML page (no other file, no request), A4, 32
 * vouchers a page. Everything from outside is escaped, and the page forbids itself any script but its
 * own print button by a content security policy.
 */
import { createHash } from 'node:crypto'
import { inputError } from '../../base/index.ts'
import { qrOutline } from './qr-outline.ts'
import { SHEET_STYLE } from './sheet-style.ts'
import type { VoucherId } from './types.ts'

export interface SheetVoucher {
  readonly id: VoucherId
  /** `ABCDE-FGHJK` */
  readonly code: string
  /** From `encodeQr`. */
  readonly qrUrl: string
  /** What it is worth, e.g. `30 minutes` or `1 day · 2.50 MBX`. */
  readonly label: string
  /** Last day of first use, e.g. `2027-01-31`; null = no last day. */
  readonly validUntilText: string | null
  readonly note?: string
}

export interface VoucherSheet {
  readonly venue: string
  /** What a guest may type into the address bar if no page opens by itself. */
  readonly portalHost: string
  /** 1–10,000 */
  readonly vouchers: readonly SheetVoucher[]
  /** When or by whom it was printed, for the foot of the page; may be empty. */
  readonly printedText: string
  /** Default: English. */
  readonly texts?: SheetTexts
}

export interface SheetTexts {
  /** Language tag of the texts, e.g. `ar`. */
  readonly language: string
  readonly direction: 'ltr' | 'rtl'
  /** One short line under the code. */
  readonly howTo: string
  /** Before the date: `use by`. */
  readonly validUntil: string
  readonly print: string
}

const ENGLISH: SheetTexts = {
  language: 'en',
  direction: 'ltr',
  howTo: 'Open any page, type this code',
  validUntil: 'Use by',
  print: 'Print',
}

const COLUMNS = 4
const ROWS = 8
const PER_PAGE = COLUMNS * ROWS
const MAX_VOUCHERS = 10_000
/** Modules of white that readers need around a code (ISO/IEC 18004, 9.1). */
const QUIET_ZONE = 4
/** Labels of more characters are set smaller. */
const LARGE_LABEL = 14

const SCRIPT = "{const b=document.querySelector('button');b.hidden=false;b.onclick=()=>print()}"
/** Also to be sent as the header of the page, where a stricter general policy is the rule. */
export const SHEET_CONTENT_SECURITY_POLICY = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${createHash('sha256').update(SCRIPT).digest('base64')}'; base-uri 'none'; form-action 'none'`

/** HTML text, about 5 kB a voucher. Throws `input` for no vouchers or more than 10,000. */
export function voucherSheet(sheet: VoucherSheet): string {
  return [...voucherSheetParts(sheet)].join('')
}

/**
 * The same page in parts of at most one voucher. A QR code takes a router some milliseconds: who serves a
 * large sheet lets others have their turn between two parts.
 */
export function* voucherSheetParts(sheet: VoucherSheet): Generator<string, void, undefined> {
  const { vouchers, venue, portalHost, printedText, texts = ENGLISH } = sheet
  if (vouchers.length < 1 || vouchers.length > MAX_VOUCHERS) throw inputError('vouchers', vouchers.length, `1..${MAX_VOUCHERS}`)
  const pages = Math.ceil(vouchers.length / PER_PAGE)
  yield headHtml(venue, vouchers.length, pages, texts)
  for (let page = 1; page <= pages; page++) {
    yield '<section class="page">\n'
    for (const voucher of vouchers.slice((page - 1) * PER_PAGE, page * PER_PAGE)) yield voucherHtml(venue, texts, voucher)
    yield `${CUT_MARKS}
<footer><span dir="auto">${escape(portalHost)}</span><span dir="auto">${escape(printedText)}</span><span dir="ltr">${page} / ${pages}</span></footer>
</section>
`
  }
  yield `</main>\n<script>${SCRIPT}</script>\n</body>\n</html>\n`
}

function headHtml(venue: string, vouchers: number, pages: number, texts: SheetTexts): string {
  return `<!doctype html>
<html lang="${escape(texts.language)}" dir="${texts.direction}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${SHEET_CONTENT_SECURITY_POLICY}">
<meta name="viewport" content="width=860">
<title>${escape(venue)} (${vouchers})</title>
<style>${SHEET_STYLE}</style>
</head>
<body>
<header class="bar"><p><b dir="auto">${escape(venue)}</b><small dir="auto">${vouchers} × Wi-Fi, A4 × ${pages}</small></p><button type="button" hidden>${escape(texts.print)}</button></header>
<main>
`
}

function voucherHtml(venue: string, texts: SheetTexts, voucher: SheetVoucher): string {
  const line = (className: string, text: string): string =>
    text === '' ? '' : `<p class="${className}" dir="auto">${escape(text)}</p>`
  const until =
    voucher.validUntilText === null
      ? ''
      : `<p class="until"><span dir="auto">${escape(texts.validUntil)}</span><b>${escape(voucher.validUntilText)}</b></p>`
  const labelClass = [...voucher.label].length > LARGE_LABEL ? 'label long' : 'label'
  return `<article class="voucher">${qrSvg(voucher.qrUrl)}<div class="text">${line('venue', venue)}${line(labelClass, voucher.label)}${line('note', voucher.note ?? '')}</div><p class="code">${escape(voucher.code)}</p><div class="foot">${line('how', texts.howTo)}${until}<p class="id">${escape(voucher.id)}</p></div></article>
`
}

function qrSvg(text: string): string {
  const { modules, path } = qrOutline(text)
  const side = modules + 2 * QUIET_ZONE
  return `<svg class="qr" role="img" aria-label="QR" viewBox="${-QUIET_ZONE} ${-QUIET_ZONE} ${side} ${side}"><path fill-rule="evenodd" d="${path}"/></svg>`
}

/** Short ticks at the edges for a cutting machine, fine dots between the cells for scissors. In mm. */
const CUT_MARKS = ((): string => {
  const left = 8
  const top = 6
  const across = Array.from({ length: COLUMNS + 1 }, (_, index) => left + index * 48.5)
  const down = Array.from({ length: ROWS + 1 }, (_, index) => top + index * 35)
  const ticks = across.map((x) => `M${x} 2.5v3M${x} 286.5v2`).join('') + down.map((y) => `M3 ${y}h4M203 ${y}h4`).join('')
  const dots = across.map((x) => `M${x} ${top}V${top + ROWS * 35}`).join('') + down.map((y) => `M${left} ${y}H${left + COLUMNS * 48.5}`).join('')
  return `<svg class="cuts" aria-hidden="true" viewBox="0 0 210 297"><path fill="none" stroke="#000" stroke-width=".2" d="${ticks}"/><path fill="none" stroke="#888" stroke-width=".15" stroke-dasharray=".3 1.2" d="${dots}"/></svg>`
})()

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
