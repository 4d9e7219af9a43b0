/**
 * The answer to a request that was meant for somebody else and redirected here by the gate.
 *
 * Unpaid: 302 to the portal, whatever was asked. All probes (Android, Apple, Windows, Firefox, ChromeOS,
 * NetworkManager, Fire OS) read a 3xx as "captive"; a 200 with a tiny body would be read by Android as a
 * broken network. Never 301: it would be kept. `Connection: close`, because the next connection is what
 * the gate decides anew. The body is longer than 4 bytes for clients that look at it.
 *
 * Paid: the gate has opened, but this connection was redirected before it did. We have not got what was
 * asked for; sending the same address again could loop for as long as the redirect is remembered. So: 503
 * with `Retry-After: 1` on a closed connection, which probes read as "try again" and not as a portal, and
 * for people a page that asks for the same address by itself after 2 seconds.
 */
import { type Answer, plainPage, redirectAnswer } from './answer.ts'
import { escapeHtml } from './html.ts'
import type { Language } from './languages/language.ts'

const RETRY_SECONDS = 2

/** `portalUrl` is the whole address with its query. */
export function capturedUnpaid(portalUrl: string, language: Language): Answer {
  const href = escapeHtml(portalUrl)
  const answer = plainPage(302, `<title>Wi-Fi</title>`, `<p lang="${language.code}" dir="${language.direction}"><a href="${href}">${escapeHtml(language.text.getOnline)}</a></p>`)
  return { ...answer, headers: { ...redirectAnswer(302, portalUrl).headers, 'Content-Type': 'text/html; charset=utf-8', Connection: 'close' } }
}

/** `address`: what was asked for, null if it is nothing a person would want to see again. */
export function capturedPaid(address: string | null, portalUrl: string, language: Language): Answer {
  const { text } = language
  const again = address === null ? '' : `<meta http-equiv="refresh" content="${RETRY_SECONDS};url=${escapeHtml(address)}">`
  const body = `<p lang="${language.code}" dir="${language.direction}">${escapeHtml(text.online)}. ${escapeHtml(text.oneMoment)}… <a href="${escapeHtml(portalUrl)}">${escapeHtml(text.toStart)}</a></p>`
  return plainPage(503, `${again}<title>Wi-Fi</title>`, body, { 'Retry-After': '1', Connection: 'close' })
}
