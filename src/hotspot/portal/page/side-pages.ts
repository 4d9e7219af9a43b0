/** The pages beside the start page: add time, other device, scanned voucher, receipt, and when something fails. */
import type { BearerPreview, GuestView } from '../../types.ts'
import { type Html, html, trusted } from '../html.ts'
import { countText, dataText, durationText } from '../wording.ts'
import { type PageContext, form, link, walletLink } from './context.ts'
import { type PageBody, page } from './document.ts'
import { codeForm, messageBox, priceCard } from './parts.ts'

function backLink(context: PageContext): Html {
  return html`<p><a class="btn" href="${link(context, '/')}">${context.language.text.back}</a></p>`
}

/** Its own page, so that the refresh of the start page without scripts never wipes a half-typed code. */
export function addTimePage(context: PageContext, view: GuestView): string {
  const { text } = context.language
  const prices = priceCard(context, view.board)
  return page(context, {
    title: text.addTime,
    wide: prices !== null,
    main: html`<section class="card"><h1>${text.addTime}</h1><p class="soft">${text.addTimeNote}</p>${messageBox(context)}${codeForm(context, text.addTime)}${backLink(context)}</section>
${prices}`,
  })
}

/** `qrSvg` is our own encoder's output; `address` is the ticket's link. */
export function movePage(context: PageContext, address: string, qrSvg: string): string {
  const { text } = context.language
  return page(context, {
    title: text.move,
    main: html`<section class="card"><h1>${text.move}</h1><ol class="steps"><li><span>${text.moveJoin}</span></li><li><span>${text.moveScan}</span></li></ol><div class="qr" role="img" aria-label="${text.qrLabel}">${trusted(qrSvg)}</div><p class="address" dir="ltr">${address}</p><p class="note">${text.moveSecret}</p>${backLink(context)}</section>`,
  })
}

export function scannedPage(context: PageContext, bearer: string, preview: BearerPreview): string {
  const { language } = context
  const { text } = language
  if (preview.tokens !== null) return tokenPage(context, bearer, preview.label)
  const isVoucher = preview.kind === 'voucher'
  const title = isVoucher ? text.yourVoucher : text.moveHere
  const limits = [
    preview.seconds === null ? text.noTimeLimit : durationText(language, preview.seconds),
    preview.bytes === null ? text.noDataLimit : dataText(language, preview.bytes),
  ].join(' · ')
  return page(context, {
    title,
    main: html`<section class="card"><h1>${title}</h1>${messageBox(context)}<div class="ticket"><b><bdi>${preview.label}</bdi></b><p>${limits}</p><p class="soft">${countText(language, 'device', preview.devices)}</p></div>${form(
      context,
      '/redeem',
      html`<input type="hidden" name="code" value="${bearer}"><button class="btn main">${isVoucher ? text.useVoucher : text.resume}</button>`,
    )}<p class="soft">${isVoucher ? text.scannedNote : text.moveHereNote}</p>${backLink(context)}</section>`,
  })
}

/** A scanned code worth tokens: it goes along behind the `#`, which is not sent, to the page that has the key. */
function tokenPage(context: PageContext, bearer: string, label: string): string {
  const { text } = context.language
  return page(context, {
    title: text.yourVoucher,
    main: html`<section class="card"><h1>${text.yourVoucher}</h1><div class="ticket"><b><bdi>${label}</bdi></b></div><p>${text.tokenCode}</p>${
      context.hasWallet && html`<p><a class="btn main" href="${walletLink(context)}#c=${bearer}">${text.payAdd}</a></p>`
    }<p class="soft">${text.scannedNote}</p>${backLink(context)}</section>`,
  })
}

export function receiptPage(context: PageContext, receipt: string): string {
  const { text } = context.language
  return page(context, {
    title: text.receipt,
    main: html`<section class="card"><h1>${text.receipt}</h1><pre dir="ltr" lang="en" tabindex="0">${receipt}</pre><p class="soft">${text.receiptNote}</p><div class="pair"><a class="btn main" href="/receipt.txt" download>${text.saveFile}</a><a class="btn" href="${link(context, '/')}">${text.back}</a></div></section>`,
  })
}

export interface Problem {
  readonly title: string
  readonly text: string
  /** For whoever wrote the request: which field was wrong and what is allowed, in English. */
  readonly detail: string | null
  readonly wait?: PageBody['wait']
}

export function problemPage(context: PageContext, problem: Problem): string {
  const body: PageBody = {
    title: problem.title,
    main: html`<section class="card"><h1>${problem.title}</h1><p>${problem.text}</p>${problem.detail !== null && html`<pre dir="ltr" lang="en">${problem.detail}</pre>`}<p><a class="btn main" href="${link(context, '/')}">${context.language.text.toStart}</a></p></section>`,
  }
  return page(context, problem.wait === undefined ? body : { ...body, wait: problem.wait })
}
