/** Pieces that several guest pages share: the code form, the price list, the dial, the message. */
import { type Html, html } from '../html.ts'
import { type Texts, fill } from '../languages/language.ts'
import type { Offer, PriceBoard, SessionView } from '../../types.ts'
import { clockParts, countText, dataText, durationText, grantText, percentText, priceText } from '../wording.ts'
import { type PageContext, form, link, walletLink } from './context.ts'
import { chevronIcon, devicesIcon, endIcon, keyIcon, receiptIcon } from './icons.ts'

/** What a guest may put into the field: a code, or a pasted address with a voucher or ticket in it. */
export const MAX_BEARER_LENGTH = 512

export function messageBox(context: PageContext): Html | null {
  const { message, language } = context
  if (message === null) return null
  const text = message.aboutCode ? html`<a href="#code">${message.text}</a>` : html`${message.text}`
  return html`<div class="error" role="alert"><b>${language.text.didNotWork}</b>${text}</div>`
}

/** Time that goes on here and that another box sold. */
export function boughtAt(text: Texts, name: string): Html {
  const [before = '', after = ''] = text.roamVisiting.split('{name}')
  return html`${before}<bdi>${name}</bdi>${after}`
}

/** `button`: what pressing it does here. */
export function codeForm(context: PageContext, button: string = context.language.text.goOnline): Html {
  const { text } = context.language
  const wrong = context.message?.aboutCode === true
  return form(
    context,
    '/redeem',
    html`<label for="code">${text.codeLabel}</label>
<input class="code" id="code" name="code" type="text" lang="en" dir="ltr" required maxlength="${MAX_BEARER_LENGTH}" autocomplete="off" autocapitalize="characters" autocorrect="off" spellcheck="false" enterkeyhint="go" placeholder="ABCDE-FGHJK" aria-describedby="code-hint" value="${context.message?.typed ?? ''}"${wrong && html` aria-invalid="true"`}>
<p class="soft" id="code-hint">${text.codeHint}</p>
<button class="btn main">${button}</button>`,
    'stack',
  )
}

export function trialForm(context: PageContext, board: PriceBoard): Html | null {
  if (board.trial === null) return null
  const { language } = context
  const amount = grantText(language, board.trial.minutes * 60, board.trial.mib === null ? null : board.trial.mib * 1024 * 1024)
  return form(
    context,
    '/trial',
    html`<p class="soft">${fill(language.text.trialOffer, { amount })}</p><button class="btn">${language.text.tryFree}</button>`,
    'trial',
  )
}

/** Null if the owner offers nothing by name and sells neither minutes nor data singly. */
export function priceCard(context: PageContext, board: PriceBoard): Html | null {
  const { language } = context
  const single = [
    ...(board.pricePerMinute > 0n ? [priceRow(countText(language, 'minute', 1), '', priceText(language, board.pricePerMinute, board))] : []),
    ...(board.pricePerMib > 0n ? [priceRow(dataText(language, 1024 * 1024), '', priceText(language, board.pricePerMib, board))] : []),
  ]
  const rows = [...board.offers.map((offer) => offerRow(context, board, offer)), ...single]
  if (rows.length === 0) return null
  const happy = board.happyHour
  return html`<section class="card" aria-labelledby="prices"><div class="head"><h2 id="prices">${language.text.prices}</h2>${
    happy && html`<span class="badge"><bdi>${happy.label}</bdi> ${'·'} ${fill(language.text.discount, { percent: percentText(language, happy.discountPercent) })}</span>`
  }</div><ul class="menu">${rows}</ul><p class="soft">${language.text.pauseAnyTime}</p></section>`
}

function offerRow(context: PageContext, board: PriceBoard, offer: Offer): Html {
  const { language } = context
  const contents = [
    offer.seconds === null ? language.text.noTimeLimit : durationText(language, offer.seconds),
    ...(offer.bytes === null ? [] : [dataText(language, offer.bytes)]),
    ...(offer.devices > 1 ? [countText(language, 'device', offer.devices)] : []),
  ].join(' · ')
  const before = offer.priceBefore === null ? null : priceText(language, offer.priceBefore, board)
  return priceRow(offer.label, contents === offer.label ? '' : contents, priceText(language, offer.price, board), before === null ? null : { price: before, words: fill(language.text.insteadOf, { price: before }) })
}

function priceRow(label: string, contents: string, price: string, before: { price: string; words: string } | null = null): Html {
  return html`<li><b><bdi>${label}</bdi></b><span class="price"><bdi>${price}</bdi></span>${
    (contents !== '' || before !== null) && html`<span class="what-in">${contents}</span>`
  }${before && html`<span class="was"><s aria-hidden="true"><bdi>${before.price}</bdi></s><span class="sr">${before.words}</span></span>`}</li>`
}

/** From here on the dial and the clock ask the guest to add time. */
const LOW_SECONDS = 300
const LOW_SHARE = 0.05
const DIAL_RADIUS = 54

/** Share of the session that is left, 0–1, by whichever limit the dial shows. */
function shareLeft(left: number, used: number): number {
  const total = left + used
  return total <= 0 ? 0 : Math.max(0, Math.min(1, left / total))
}

/** A stream has little left all the time: it is paid for as it goes. */
function lowSeconds({ source }: SessionView): number {
  return source === 'stream' ? 0 : LOW_SECONDS
}

export function isLow(session: SessionView): boolean {
  if (session.secondsLeft !== null && session.secondsLeft <= lowSeconds(session)) return true
  return session.bytesLeft !== null && shareLeft(session.bytesLeft, session.upBytes + session.downBytes) <= LOW_SHARE
}

/**
 * The big clock in its ring. `running` puts in what the script needs to tick; without a script it shows
 * the time of the last load. The clock itself is not announced as it ticks: role=timer is silent, and the
 * status line beside it speaks at 10, 5 and 1 minutes.
 */
export function dial(context: PageContext, session: SessionView, mode: 'running' | 'still'): Html {
  const { language } = context
  const seconds = session.secondsLeft
  const usedBytes = session.upBytes + session.downBytes
  const share =
    seconds !== null ? shareLeft(seconds, session.secondsUsed) : session.bytesLeft !== null ? shareLeft(session.bytesLeft, usedBytes) : 1
  const look = mode === 'still' ? ' still' : isLow(session) ? ' low' : ''
  return html`<div class="dial${look}" id="dial"><svg aria-hidden="true" viewBox="0 0 120 120" fill="none" stroke="currentColor" stroke-width="7"><circle class="track" cx="60" cy="60" r="${DIAL_RADIUS}"/><circle id="ring" cx="60" cy="60" r="${DIAL_RADIUS}" pathLength="100" stroke-dasharray="${(share * 100).toFixed(1)} 100" stroke-linecap="${share > 0.005 ? 'round' : 'butt'}" transform="rotate(-90 60 60)"/></svg><div class="face">${face(context, session, mode)}</div></div>${
    mode === 'running' && seconds !== null && html`<p class="sr" role="status" id="say" data-say="${announcements(context)}"></p>`
  }${seconds !== null && session.bytesLeft !== null && dataMeter(language.text.dataLeft, dataText(language, session.bytesLeft), shareLeft(session.bytesLeft, usedBytes))}`
}

function face(context: PageContext, session: SessionView, mode: 'running' | 'still'): Html {
  const { language } = context
  const seconds = session.secondsLeft
  if (seconds === null) {
    const big = session.bytesLeft === null ? language.text.noTimeLimit : dataText(language, session.bytesLeft)
    const caption = session.bytesLeft === null ? language.text.noDataLimit : language.text.dataLeft
    return html`<p class="clock ${session.bytesLeft === null ? 'words' : 'wide'}" id="data">${big}</p><p class="cap">${caption}</p>`
  }
  const { days, clock } = clockParts(seconds)
  const tick = mode === 'running' && html` data-left="${seconds}" data-used="${session.secondsUsed}" data-low="${lowSeconds(session)}"`
  return html`<p class="days" id="days"${days === 0 && html` hidden`}>${countText(language, 'day', days)}</p><p class="clock${clock.length > 5 ? ' wide' : ''}" id="clock" role="timer" aria-labelledby="cap" dir="ltr"${tick}>${clock}</p><p class="cap" id="cap">${language.text.timeLeft}</p>`
}

function dataMeter(label: string, amount: string, share: number): Html {
  return html`<div class="meter"><p class="row"><span>${label}</span><b id="data">${amount}</b></p><svg aria-hidden="true" viewBox="0 0 100 10" preserveAspectRatio="none"><rect id="bar" width="${(share * 100).toFixed(1)}" height="10" fill="currentColor"/></svg></div>`
}

/** What the status line says when so many seconds are left, as JSON for the script. */
function announcements(context: PageContext): string {
  const { language } = context
  return JSON.stringify(
    Object.fromEntries(
      [600, 300, 60].map((seconds) => [seconds, fill(language.text.leftSay, { time: countText(language, 'minute', seconds / 60) })]),
    ),
  )
}

/** Rows under a session: other device, receipt, end. */
export function sessionRows(context: PageContext, options: { canMove: boolean; canEnd: boolean }): Html {
  const { text } = context.language
  return html`<div class="card rows">${
    options.canMove && html`<a href="${link(context, '/move')}">${devicesIcon}${text.move}${chevronIcon}</a>`
  }${
    options.canMove && context.hasWallet && html`<a href="${walletLink(context)}">${keyIcon}${text.walletKeep}${chevronIcon}</a>`
  }<a href="${link(context, '/receipt')}">${receiptIcon}${text.receipt}${chevronIcon}</a>${
    options.canEnd && html`<details><summary>${endIcon}${text.end}${chevronIcon}</summary><div class="stack"><p class="soft">${text.endWarning}</p>${form(context, '/end', html`<button class="btn danger">${text.endNow}</button>`)}</div></details>`
  }</div>`
}

export function usedText(context: PageContext, session: SessionView): string {
  const { language } = context
  const amount = `${durationText(language, session.secondsUsed)} · ${dataText(language, session.upBytes + session.downBytes)}`
  return fill(language.text.usedSoFar, { amount })
}

