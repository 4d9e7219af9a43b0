/**
 * The start page: what it shows follows from the state of the guest's session alone. (GuestView, context)
 * → HTML; nothing here reads or changes anything else.
 */
import type { EndReason, GuestView, RoamState, SessionView } from '../../types.ts'
import { isOnline } from '../capport-api.ts'
import { html, type Html } from '../html.ts'
import { type Texts, fill } from '../languages/language.ts'
import { grantText, priceText } from '../wording.ts'
import { type PageContext, form, link, walletLink } from './context.ts'
import { page } from './document.ts'
import { checkIcon, chevronIcon, keyIcon, pauseIcon, playIcon, plusIcon } from './icons.ts'
import { boughtAt, codeForm, dial, isLow, messageBox, priceCard, sessionRows, trialForm, usedText } from './parts.ts'

const WAIT_SECONDS = 2
const RELOAD_SECONDS = 30

export function homePage(context: PageContext, view: GuestView): string {
  const { session } = view
  if (session === null) return welcomePage(context, view)
  if (isOnline(session)) return onlinePage(context, view, session)
  switch (session.state) {
    case 'quoted':
    case 'preflight':
    case 'received':
    case 'journaled':
    case 'gate-open':
      return openingPage(context)
    case 'paused':
      return pausedPage(context, view, session)
    case 'credited':
      return creditedPage(context, view, session)
    case 'active': // nothing left of it: the kernel has closed, the state follows
    case 'ended':
      return endedPage(context, view, session)
  }
}

function welcomePage(context: PageContext, view: GuestView): string {
  const { text } = context.language
  const prices = priceCard(context, view.board)
  return page(context, {
    title: text.getOnline,
    wide: prices !== null,
    main: html`<section class="card"><h1>${text.getOnline}</h1>${messageBox(context)}${wayOutNote(context, view, false)}${view.roam === 'key' ? keyNote(context) : view.roam !== null && html`<p class="note">${roamText(text, view.roam)}</p>`}${codeForm(context)}<p class="soft">${text.whereVoucher}</p>${view.trialAvailable && trialForm(context, view.board)}</section>
${prices}${context.hasWallet && html`<p class="card rows"><a href="${walletLink(context)}">${keyIcon}${context.hasPay ? text.payGo : text.walletHave}${chevronIcon}</a></p>`}`,
  })
}

function openingPage(context: PageContext): string {
  const { text } = context.language
  return page(context, {
    title: text.connecting,
    wait: { seconds: WAIT_SECONDS, path: '/' },
    main: html`<section class="card center" aria-live="polite"><div class="dial pulse"><svg aria-hidden="true" viewBox="0 0 120 120" fill="none" stroke="currentColor" stroke-width="7"><circle cx="60" cy="60" r="54"/></svg><div class="face"><h1>${text.connecting}</h1></div></div><p class="soft">${text.connectingNote}</p></section>`,
  })
}

function onlinePage(context: PageContext, view: GuestView, session: SessionView): string {
  const { language, destination } = context
  const { text } = language
  const isVisiting = view.roam === 'visiting' || view.roam === 'visiting-key' // its box can stop and end it, this one cannot
  return page(context, {
    title: text.online,
    wide: true,
    reloadSeconds: RELOAD_SECONDS,
    main: html`<section class="card center"><h1 class="ok">${checkIcon}${text.online}</h1><p class="soft">${isVisiting ? boughtAt(text, session.label) : html`<bdi>${session.label}</bdi>`}</p>${messageBox(context)}${wayOutNote(context, view, !isVisiting)}${dial(context, session, 'running')}${view.roam === 'visiting-key' && keyNote(context, true)}<p class="note" id="low"${!isLow(session) && html` hidden`}>${text.almostOver}</p>${
      destination && html`<p><a class="btn" href="${destination.url}" rel="noreferrer"><bdi>${fill(text.goOn, { host: destination.host })}</bdi></a></p>`
    }<div class="pair">${!isVisiting && form(context, '/pause', html`<button class="btn">${pauseIcon}${text.pause}</button>`)}<a class="btn main" href="${link(context, '/add')}">${plusIcon}${text.addTime}</a></div></section>
<div class="stack">${!isVisiting && sessionRows(context, { canMove: view.ticket !== null, canEnd: true })}<p class="foot">${comeBack(context)}</p></div>`,
  })
}

/** No fault of the guest's, and nothing that he could do; time that only waits for the Internet may stand still. */
function wayOutNote({ language: { text } }: PageContext, { wayOut }: GuestView, mayPause: boolean): Html | false {
  if (wayOut === 'internet') return false
  return html`<p class="note">${wayOut === 'none' ? text.noInternet : text.unsteadyInternet}${wayOut === 'none' && mayPause && html` ${text.noInternetPause}`}</p>`
}

/** The key is on the wallet page alone: from there it is shown. */
function keyNote(context: PageContext, isOnline = false): Html {
  const { text } = context.language
  return html`<p class="note">${isOnline ? text.roamKeySoon : text.roamKey}</p>${context.hasWallet && html`<p><a class="btn main" href="${walletLink(context)}">${keyIcon}${isOnline ? text.walletUse : text.resume}</a></p>`}`
}

/** Where to find the page again; the address is set apart so that it stays left to right. */
function comeBack(context: PageContext): Html {
  const [before = '', after = ''] = context.language.text.comeBack.split('{address}')
  return html`${before}<bdi dir="ltr"><b>${context.origin.replace(/^https?:\/\//, '')}</b></bdi>${after}`
}

function pausedPage(context: PageContext, view: GuestView, session: SessionView): string {
  const { text } = context.language
  const mayResume = session.pauseReason !== 'owner'
  return page(context, {
    title: text.paused,
    wide: true,
    main: html`<section class="card center"><h1>${text.paused}</h1><p class="soft">${pauseText(text, view, session)}</p>${messageBox(context)}${wayOutNote(context, view, false)}${dial(context, session, 'still')}<div class="pair">${
      mayResume && view.roam !== 'key' && form(context, '/resume', html`<button class="btn main">${playIcon}${text.resume}</button>`)
    }<a class="btn" href="${link(context, '/add')}">${plusIcon}${text.addTime}</a></div>${session.pauseReason === 'away' && (view.roam === 'key' ? keyNote(context) : codeForm(context))}</section>
<div class="stack">${sessionRows(context, { canMove: view.ticket !== null, canEnd: true })}</div>`,
  })
}

function pauseText(text: Texts, { roam }: GuestView, { pauseReason }: SessionView): string {
  switch (pauseReason) {
    case 'away':
      return roamText(text, roam ?? 'elsewhere')
    case 'idle':
      return text.pausedIdle
    case 'owner':
      return text.pausedOwner
    case 'restart':
      return text.pausedRestart
    case 'guest':
    case null:
      return text.pausedNote
  }
}

/** Why a session that walks does not go on here. Of one that does, the page itself tells. */
function roamText(text: Texts, roam: RoamState): string {
  switch (roam) {
    case 'visiting':
    case 'visiting-key':
    case 'elsewhere':
    case 'key': // its note says the rest
      return text.roamElsewhere
    case 'silent':
      return text.roamSilent
    case 'prove':
      return text.roamProve
    case 'dear':
      return text.roamDear
  }
}

function creditedPage(context: PageContext, view: GuestView, session: SessionView): string {
  const { text } = context.language
  const amount = grantText(context.language, session.secondsLeft, session.bytesLeft)
  return page(context, {
    title: text.stillGood,
    wide: true,
    main: html`<section class="card"><h1>${text.stillGood}</h1><p>${fill(text.stillGoodNote, { amount })}</p>${messageBox(context)}${
      view.ticket !== null && form(context, '/redeem', html`<input type="hidden" name="code" value="${view.ticket}"><button class="btn main">${text.tryAgain}</button>`)
    }${view.ticket === null && codeForm(context)}</section>
<div class="stack">${sessionRows(context, { canMove: view.ticket !== null, canEnd: false })}</div>`,
  })
}

function endedPage(context: PageContext, view: GuestView, session: SessionView): string {
  const { language } = context
  const { text } = language
  const title = endText(text, session)
  const refunded = session.refunded > 0n ? fill(text.refunded, { amount: priceText(language, session.refunded, view.board) }) : null
  return page(context, {
    title,
    wide: true,
    main: html`<section class="card"><h1>${title}</h1><p class="soft">${usedText(context, session)}</p>${refunded && html`<p class="note good">${refunded}</p>`}${messageBox(context)}<p>${text.anotherCode}</p>${codeForm(context)}${view.trialAvailable && trialForm(context, view.board)}</section>
<div class="stack">${priceCard(context, view.board)}${sessionRows(context, { canMove: false, canEnd: false })}</div>`,
  })
}

/** An active session with nothing left is told by what ran out. */
function endText(text: Texts, session: SessionView): string {
  const reason: EndReason = session.endReason ?? (session.bytesLeft === 0 ? 'bytes-used' : 'time-used')
  switch (reason) {
    case 'time-used':
      return text.timeOver
    case 'bytes-used':
      return text.dataUsed
    case 'ended-by-guest':
      return text.endedByYou
    case 'ended-by-owner':
    case 'refunded':
      return text.endedByVenue
    case 'revoked':
      return text.withdrawn
    case 'replaced':
      return text.replaced
  }
}
