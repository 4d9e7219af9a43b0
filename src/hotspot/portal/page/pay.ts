/**
 * "Pay as you go" on the wallet page: what a minute costs, what the guest's key has, one button to start and one to
 * stop, and how far ahead to pay. Numbers that change are the script's (web/wallet/pay.ts), all words are here.
 */
import type { StreamBoard } from '../../stream/index.ts'
import { type Html, html } from '../html.ts'
import { fill } from '../languages/language.ts'
import { countText, priceText } from '../wording.ts'
import type { PageContext } from './context.ts'
import { playIcon, pauseIcon } from './icons.ts'
import { MAX_BEARER_LENGTH } from './parts.ts'
import { purseBox } from './purse.ts'

const MINUTE_SECONDS = 60
const RUN_AHEAD = [
  { seconds: 90, unit: 'second', count: 90 },
  { seconds: 600, unit: 'minute', count: 10 },
] as const
/** Bridges the throttled timers of a tab that is not looked at for a moment. */
const USUAL_SECONDS = 90
const BLOCK_MINUTES = 30
/** Where the script puts a number of its own into a text. */
const GAP = '%'

export interface PayPart {
  /** The page is about nothing else: then its heading is the card's. */
  readonly isMain: boolean
  readonly board: StreamBoard
  /** What this page may spend; null: it came by TLS. */
  readonly cap: bigint | null
}

export function payCard(context: PageContext, { board, cap, isMain }: PayPart): Html {
  const { language } = context
  const { text } = language
  const price = (seconds: number): string => priceText(language, board.unit * BigInt(Math.ceil(seconds / board.tickSeconds)), board)
  const ahead = RUN_AHEAD.map(({ seconds, unit, count }) => choice(String(seconds), fill(text.payAheadUpTo, { time: countText(language, unit, count), price: price(seconds) }), seconds === USUAL_SECONDS))
  const block = fill(text.payBlock, { time: countText(language, 'minute', BLOCK_MINUTES), price: price(BLOCK_MINUTES * MINUTE_SECONDS) })
  const rows = [row(countText(language, 'minute', 1), price(MINUTE_SECONDS), null), row(text.payBalance, '–', 'pay-balance'), row(text.paySpent, '–', 'pay-spent'), row(text.payAhead, '–', 'pay-ahead')]
  return html`<section class="card" id="pay" aria-labelledby="${isMain ? 'title' : 'pay-title'}" data-pay="${facts(context, board, cap)}" data-say="${sayings(context)}" hidden>${!isMain && html`<h2 id="pay-title">${text.payGo}</h2><p class="soft">${text.payGoWhy}</p>`}<p class="note good" id="pay-say" role="status" hidden></p><p class="error" id="pay-error" role="alert" hidden></p><ul class="menu">${rows}</ul><p class="note" id="pay-offline"${board.isChainReachable && html` hidden`}>${text.payOffline}</p><fieldset class="choice" id="pay-choice"><legend>${text.payIfClosed}</legend>${choice('0', text.payAheadNone)}${ahead}${choice(`block-${BLOCK_MINUTES}`, block)}</fieldset><button class="btn main big" type="button" id="pay-start">${playIcon}${text.payStart}</button><button class="btn danger big" type="button" id="pay-stop" hidden>${pauseIcon}${text.payStop}</button>${
    cap !== null && html`<p class="soft">${fill(text.payCap, { price: priceText(language, cap, board) })}</p>`
  }<div class="trial" id="pay-add-box"><label for="pay-code">${text.payCode}</label><input class="code" id="pay-code" type="text" lang="en" dir="ltr" maxlength="${MAX_BEARER_LENGTH}" autocomplete="off" autocapitalize="characters" autocorrect="off" spellcheck="false" enterkeyhint="go" placeholder="ABCDE-FGHJK"><button class="btn" type="button" id="pay-add">${text.payAdd}</button></div><p class="soft" id="pay-own" hidden>${text.payOwn}</p>${board.purse !== null && purseBox(context)}</section>
`
}

function row(label: string, value: string, id: string | null): Html {
  return html`<li><b>${label}</b><span class="price"><bdi${id !== null && html` id="${id}"`}>${value}</bdi></span></li>`
}

function choice(value: string, label: string, isChosen = false): Html {
  return html`<label class="pick"><input type="radio" name="ahead" value="${value}"${isChosen && html` checked`}><span>${label}</span></label>`
}

/** What the script checks the box's offers against, and how it writes money. */
function facts({ language, formToken }: PageContext, { unit, chainId, isChainReachable: _, purse, ...board }: StreamBoard, cap: bigint | null): string {
  const { decimal, digits } = language
  return JSON.stringify({ ...board, purse: purse === null ? null : { contract: purse.contract, fee: purse.fee.toString(), least: purse.least.toString() }, chainId: chainId.toString(), unit: unit.toString(), cap: cap === null ? null : cap.toString(), decimal, digits, formToken })
}

function sayings({ language: { text } }: PageContext): string {
  return JSON.stringify({
    connecting: text.connecting,
    running: text.payRunning,
    ended: text.payEnded,
    usedUp: text.payUsedUp,
    none: text.payNone,
    opening: text.payOpening,
    added: fill(text.payAdded, { amount: GAP }),
    busy: text.busy,
    failed: text.failed,
  })
}
