/**
 * What a guest's key has in the network's purse, on the card of "pay as you go": into his balance, to somebody else, out
 * of here; and what he needs if this box is gone. What it costs and how long it takes stands above the buttons.
 * Numbers and signatures are the script's (web/wallet/purse.ts).
 */
import type { PurseBoard, StreamBoard } from '../../stream/index.ts'
import { type Html, html } from '../html.ts'
import { fill } from '../languages/language.ts'
import { durationText, priceText } from '../wording.ts'
import type { PageContext } from './context.ts'
import { chevronIcon, keyIcon, wordsIcon } from './icons.ts'

/** Where the script puts an amount of its own into a text. */
const GAP = '%'
const ADDRESS_LENGTH = 42
const MAX_TYPED_AMOUNT = 40

/** In the page from its first load: the two lines, and what has to be there when the box is not. */
export function purseBox({ language: { text } }: PageContext): Html {
  return html`<div class="rows" id="purse"><details id="purse-box"><summary>${keyIcon}${text.purse}${chevronIcon}</summary><div class="stack" id="purse-place"></div></details><details id="facts-box"><summary>${wordsIcon}${text.keepFacts}${chevronIcon}</summary><div class="stack"><p class="soft">${text.keepFactsWhy}</p><div class="qr" role="img" aria-label="${text.keepFacts}" id="facts-qr"></div><pre class="facts" id="facts" lang="en" dir="ltr" tabindex="0"></pre></div></details></div>`
}

/** Fetched when the guest opens it, so that the page stays small for those who do not. */
export function pursePart(context: PageContext, board: StreamBoard, purse: PurseBoard): { readonly html: string; readonly say: Readonly<Record<string, string>> } {
  const { language } = context
  const { text } = language
  const price = priceText(language, purse.fee, board)
  const time = durationText(language, purse.finalSeconds)
  const least = fill(text.purseLeast, { price: priceText(language, purse.least, board) })
  const part = html`<p class="soft">${fill(text.purseWhy, { price, time })}</p><ul class="menu"><li><b>${text.purseBalance}</b><span class="price"><bdi id="purse-balance">${'–'}</bdi></span></li><li id="purse-coming" hidden><b>${text.purseArriving}</b><span class="price"><bdi id="purse-arriving"></bdi></span></li></ul><p class="note good" id="purse-say" role="status" hidden></p><p class="error" id="purse-error" role="alert" hidden></p><p class="soft">${text.purseHow}</p><p class="address" dir="ltr">${purse.contract}</p><label for="purse-amount">${text.purseAmount}</label><input class="typed" id="purse-amount" type="text" inputmode="decimal" lang="en" dir="ltr" maxlength="${MAX_TYPED_AMOUNT}" autocomplete="off" aria-describedby="purse-error">${purse.least > 0n && html`<p class="soft">${least}</p>`}<button class="btn main" type="button" id="purse-in">${text.pursePutIn}</button><label for="purse-to">${text.purseTo}</label><input class="typed" id="purse-to" type="text" lang="en" dir="ltr" maxlength="${ADDRESS_LENGTH}" autocomplete="off" autocapitalize="none" autocorrect="off" spellcheck="false" placeholder="0x" aria-describedby="purse-error"><label class="pick"><input type="checkbox" id="purse-inside"><span>${text.purseInside}</span></label><button class="btn" type="button" id="purse-send">${text.purseSend}</button><div class="stack" id="out-box" hidden><p class="soft">${fill(text.takeOutWhy, { price })}</p><button class="btn danger" type="button" id="take-out">${text.takeOut}</button></div>`
  return { html: part.html, say: { ...sayings(context, price, time), least } }
}

function sayings({ language: { text } }: PageContext, price: string, time: string): Readonly<Record<string, string>> {
  return {
    sent: fill(text.purseSent, { amount: GAP, price, time }),
    out: fill(text.takeOutSent, { amount: GAP, time }),
    done: text.purseDone,
    failed: text.purseFailed,
    tooMuch: text.purseTooMuch,
    running: text.purseRunning,
    badAddress: text.purseBadAddress,
    busy: text.busy,
    wrong: text.failed,
  }
}
