/** The GET routes for guests: they show, and change nothing. */
import encodeQR from 'qr'
import { MeshBoxError } from '../../../base/index.ts'
import { type Answer, htmlAnswer, jsonAnswer, redirectAnswer, textFileAnswer } from '../answer.ts'
import { type AskedByGuest, type Counter, type GuestGet, type LookingDesk, pageContext } from '../asked.ts'
import { link } from '../page/context.ts'
import { homePage } from '../page/home.ts'
import { addTimePage, movePage, receiptPage, scannedPage } from '../page/side-pages.ts'
import { isAboutCode, refusalText } from '../refusal.ts'
import { statusOf } from '../problem.ts'
import { clockParts, countText, dataText } from '../wording.ts'

export const home: GuestGet = (asked, counter) => {
  return htmlAnswer(200, counter.front.csp, homePage(pageContext(asked, counter), counter.desk.view(asked.client)))
}

/** Only beside an open session; without one the start page has the same form. */
export const addTime: GuestGet = (asked, counter) => {
  const view = counter.desk.view(asked.client)
  const state = view.session?.state
  if (state !== 'active' && state !== 'paused') return toStart(asked, counter)
  return htmlAnswer(200, counter.front.csp, addTimePage(pageContext(asked, counter), view))
}

export const move: GuestGet = (asked, counter) => {
  const { ticket } = counter.desk.view(asked.client)
  if (ticket === null) return toStart(asked, counter)
  const address = `${asked.origin}/t/${ticket}`
  const svg = encodeQR(address.toUpperCase(), 'svg', { ecc: 'medium', border: 1 })
  return htmlAnswer(200, counter.front.csp, movePage(pageContext(asked, counter), address, svg.replace('<svg ', '<svg aria-hidden="true" ')))
}

export const receiptView: GuestGet = (asked, counter) => {
  return htmlAnswer(200, counter.front.csp, receiptPage(pageContext(asked, counter), counter.desk.receipt(asked.client)))
}

export const receiptFile: GuestGet = (asked, counter) => textFileAnswer('wifi-receipt.txt', counter.desk.receipt(asked.client))

/**
 * A scanned voucher or ticket: what it gives, and a button. Scanning spends nothing, because phones open
 * scanned links by themselves and some ask for them twice.
 */
export const scanned: GuestGet = (asked, counter, bearer) => {
  try {
    const preview = counter.desk.preview(asked.client, bearer)
    return htmlAnswer(200, counter.front.csp, scannedPage(pageContext(asked, counter), bearer, preview))
  } catch (error) {
    if (!(error instanceof MeshBoxError)) throw error
    const message = { text: refusalText(asked.language, error), typed: '', aboutCode: isAboutCode(error) }
    return htmlAnswer(statusOf(error), counter.front.csp, homePage(pageContext(asked, counter, message), counter.desk.view(asked.client)))
  }
}

/** For the page's script to set its clock by; the words are ready to be shown. */
export const status: GuestGet = (asked, counter) => {
  const { session } = counter.desk.view(asked.client)
  if (session === null) return jsonAnswer(200, { state: 'none' })
  const { days } = clockParts(session.secondsLeft ?? 0)
  const limitBytes = session.bytesLeft === null ? null : session.bytesLeft + session.upBytes + session.downBytes
  return jsonAnswer(200, {
    state: session.state,
    secondsLeft: session.secondsLeft,
    secondsUsed: session.secondsUsed,
    bytesLeft: session.bytesLeft,
    days: countText(asked.language, 'day', days),
    data: session.bytesLeft === null ? null : dataText(asked.language, session.bytesLeft),
    dataShare: session.bytesLeft === null || limitBytes === null || limitBytes === 0 ? null : session.bytesLeft / limitBytes,
  })
}

function toStart(asked: AskedByGuest, counter: Counter<LookingDesk>): Answer {
  return redirectAnswer(303, link(pageContext(asked, counter), '/'))
}
