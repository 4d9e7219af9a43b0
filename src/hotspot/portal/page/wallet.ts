/**
 * The page of the guest's own key (docs/wallet.md). The box knows only whether this device has a session and which
 * address keeps it; everything about the key itself is filled in by the page's script, and all words it shows or hides
 * are here. What is typed as words stands in no form, so that no browser can send it.
 */
import { type Html, html } from '../html.ts'
import { type Texts, fill } from '../languages/language.ts'
import { durationText } from '../wording.ts'
import { type PageContext, form, link } from './context.ts'
import { page } from './document.ts'
import { checkIcon, chevronIcon, keyIcon, wordsIcon } from './icons.ts'
import { boughtAt, messageBox } from './parts.ts'
import { type PayPart, payCard } from './pay.ts'
import { WALLET_STYLE } from './style.ts'

const WALLET_SCRIPT_PATH = '/wallet.js'

export interface WalletPage {
  readonly hasSession: boolean
  /** EIP-55 address of the key that keeps the session; null if none does. */
  readonly keptBy: string | null
  readonly challenges: { readonly keep: string; readonly open: string }
  /** Minutes by the second; null: not sold so. */
  readonly pay: PayPart | null
  /**
   * Time under the key may be at another box: the script asks, and signs that it goes on here. Seconds that time kept here may be
   * used elsewhere before the key is shown there; null: sessions do not walk.
   */
  readonly walkSeconds: number | null
  /** Time of this device that another box sold. `isKeyAsked`: it goes on, or stays on, when the key is shown. */
  readonly visit: { readonly seller: string | null; readonly isKeyAsked: boolean } | null
}

export function walletPage(asked: PageContext, wallet: WalletPage): string {
  const context = { ...asked, destination: null } // no room for it in each of the language links
  const { text } = context.language
  const isPay = wallet.pay?.isMain === true
  const title = wallet.hasSession ? text.walletKeep : isPay ? text.payGo : text.moveHere
  const [otherBefore = '', otherAfter = ''] = text.walletOther.split('{key}')
  return page(context, {
    title,
    style: WALLET_STYLE,
    scriptPath: WALLET_SCRIPT_PATH,
    main: html`<section class="card" id="wallet" data-session="${wallet.hasSession ? 1 : 0}" data-kept="${wallet.keptBy ?? ''}" data-visit="${wallet.visit === null ? '' : wallet.visit.isKeyAsked ? 'key' : 'on'}"><h1 id="title" tabindex="-1">${title}</h1>${messageBox(context)}<p class="note" id="needs-script">${text.walletNeedsScript}</p><p class="ok good note" id="kept" role="status" hidden>${checkIcon}${text.walletKept}</p><p class="soft" id="why">${text.walletWhy}</p><p id="none" hidden>${!wallet.hasSession && (isPay ? text.payGoWhy : whyNone(text, wallet))}</p><p id="other" hidden>${otherBefore}<bdi class="address" dir="ltr">${wallet.keptBy ?? ''}</bdi>${otherAfter}</p>${signedForm(context, 'keep', wallet.challenges.keep, html`<button class="btn main">${keyIcon}${text.walletKeep}</button>`)}${signedForm(
      context,
      'open',
      wallet.challenges.open,
      html`<button class="btn" id="open-button">${wallet.hasSession || isPay ? text.moveHere : text.resume}</button><p class="soft">${text.moveHereNote}</p>`,
    )}${wallet.walkSeconds !== null && html`<p class="good note" id="walk-shown" role="status" hidden>${text.roamKeyShown}</p><div class="stack" id="walk" hidden><p id="walk-text" role="status">${text.roamKey}</p><button class="btn main" type="button" id="walk-button">${text.resume}</button></div>`}</section>
${wallet.pay !== null && payCard(context, wallet.pay)}<section class="card" id="key" aria-label="${text.walletKey}" hidden><p>${text.walletSave}</p><div class="qr" role="img" aria-label="${text.qrLabel}" id="qr"></div><p class="soft">${text.walletLink}</p><p><a class="address" id="link" href="/wallet" dir="ltr"></a></p>${wallet.walkSeconds !== null && wallet.hasSession && html`<p>${fill(text.walletWalks, { time: durationText(context.language, wallet.walkSeconds) })}</p>`}<p class="note">${text.moveSecret}</p><div class="rows"><details id="words-box"><summary>${wordsIcon}${text.walletShowWords}${chevronIcon}</summary><div class="stack"><ol class="words" id="words" lang="en" dir="ltr" aria-label="${text.walletWords}"></ol></div></details></div><p class="soft">${text.walletKey}: <bdi class="address" dir="ltr" id="address"></bdi></p></section>
<div class="card rows" id="restore" hidden><details id="restore-box"><summary>${keyIcon}${text.walletHave}${chevronIcon}</summary><div class="stack"><label for="typed">${text.walletWords}</label><textarea class="typed" id="typed" rows="4" maxlength="400" lang="en" dir="ltr" autocomplete="off" autocapitalize="none" autocorrect="off" spellcheck="false" aria-describedby="bad-words"></textarea><p class="error" id="bad-words" role="alert" hidden>${text.walletBadWords}</p><button class="btn" type="button" id="use-words">${text.walletUse}</button></div></details></div>
<p class="foot">${text.walletBurner}</p>
<p><a class="btn" href="${link(context, '/')}">${text.back}</a></p>`,
  })
}

/** On a device without time of this box. */
function whyNone(text: Texts, { visit }: WalletPage): Html {
  if (visit !== null && !visit.isKeyAsked && visit.seller !== null) return boughtAt(text, visit.seller)
  return html`${visit !== null ? text.roamKey : text.walletNone}<br>${text.walletShowKey}`
}

/** The script fills in address and signature when the button is pressed. */
function signedForm(context: PageContext, action: 'keep' | 'open', challenge: string, inside: Html): Html {
  return html`<div id="${action}-box" hidden>${form(
    context,
    `/wallet/${action}`,
    html`<input type="hidden" name="challenge" value="${challenge}"><input type="hidden" name="address"><input type="hidden" name="signature">${inside}`,
    'stack',
    action,
  )}</div>`
}
