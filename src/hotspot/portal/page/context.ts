/** What every guest page needs to know besides the guest's own state. */
import { type Html, html } from '../html.ts'
import type { Destination } from '../destination.ts'
import type { Language } from '../languages/language.ts'

export interface PageContext {
  readonly venue: string
  readonly language: Language
  /** The code to keep in links; null while the browser's own language is followed. */
  readonly chosenLanguage: string | null
  readonly destination: Destination | null
  /** Bound to this device; null for pages without forms. */
  readonly formToken: string | null
  /** `http://wifi.example:2080`, as this guest reaches us. */
  readonly origin: string
  /** Where a language link leads: the page itself, or the start page for the answer to a form. */
  readonly selfPath: string
  /** Compiled guest script. */
  readonly script: string
  /** Guests may keep their time under a key of their own. */
  readonly hasWallet: boolean
  /** Minutes are sold by the second, on the wallet page. */
  readonly hasPay: boolean
  readonly message: PageMessage | null
}

export interface PageMessage {
  readonly text: string
  /** What was typed and is kept in the field. */
  readonly typed: string
  /** True if the code field is what has to be changed. */
  readonly aboutCode: boolean
}

/** A link inside the portal that keeps the language and the destination in the URL. */
export function link(context: PageContext, path: string): string {
  return withQuery(path, context.chosenLanguage, context.destination)
}

/** Without the destination, whose 400 characters the fullest pages have no room for once more. */
export function walletLink(context: PageContext): string {
  return withQuery('/wallet', context.chosenLanguage, null)
}

export function withQuery(path: string, language: string | null, destination: Destination | null): string {
  const query = new URLSearchParams()
  if (language !== null) query.set('lang', language)
  if (destination !== null) {
    query.set('u', destination.url)
    query.set('s', destination.seal)
  }
  const text = query.toString()
  return text === '' ? path : `${path}?${text}`
}

/** A form that posts to one of our verbs, with its token. */
export function form(context: PageContext, action: string, inside: Html, className: string | null = null, id: string | null = null): Html {
  return html`<form method="post" action="${link(context, action)}"${id === null ? null : html` id="${id}"`}${className === null ? null : html` class="${className}"`}><input type="hidden" name="token" value="${context.formToken ?? ''}">${inside}</form>`
}
