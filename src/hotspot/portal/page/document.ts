/**
 * The frame of every guest page: one HTML document with everything inside, so that it is one request and
 * needs nothing that the mini-browsers of phones lack (cookies, storage, scripts, other hosts).
 */
import { type Html, html, trusted } from '../html.ts'
import { LANGUAGES } from '../languages/index.ts'
import { type PageContext, link, withQuery } from './context.ts'
import { arcs, globeIcon, wifiIcon } from './icons.ts'
import { STYLE } from './style.ts'

export interface PageBody {
  /** The main heading's words, also the window's title. */
  readonly title: string
  readonly main: Html
  /** A style sheet and a script of our own beside those of every page; the policy must allow them. */
  readonly style?: string
  readonly scriptPath?: string
  /** Two columns where there is room. */
  readonly wide?: boolean
  /** Without scripts: load the start page again after so many seconds; for pages that show time passing. */
  readonly reloadSeconds?: number
  /** Load `path` after so many seconds, with and without scripts: for pages that wait for something. */
  readonly wait?: { readonly seconds: number; readonly path: string }
}

export function page(context: PageContext, body: PageBody): string {
  const { language } = context
  const title = context.message === null ? body.title : `${language.text.didNotWork} – ${body.title}`
  const home = link(context, body.wait?.path ?? '/')
  return html`<!doctype html>
<html lang="${language.code}" dir="${language.direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="theme-color" content="#0d5b4a">
<meta name="format-detection" content="telephone=no">
<title>${title} ${'·'} ${context.venue}</title>
<link rel="icon" href="data:,">
${reload(body, home)}<style>${trusted(STYLE)}</style>${body.style !== undefined && html`<style>${trusted(body.style)}</style>`}
</head>
<body>
<header class="band">${arcs}<div class="wrap"><div class="brand"><p class="venue"><bdi>${context.venue}</bdi></p><p class="what">${wifiIcon}${language.text.guestWifi}</p></div>${languageMenu(context)}</div></header>
<main class="wrap${body.wide === true ? ' two' : ''}" data-home="${home}"${body.wait === undefined ? null : html` data-wait="${body.wait.seconds}"`}>
${body.main}
</main>
<script>${trusted(context.script)}</script>${body.scriptPath !== undefined && html`
<script src="${body.scriptPath}"></script>`}
</body>
</html>
`.html
}

/** A refresh that names its page: the address shown may be that of a form's answer. */
function reload(body: PageBody, home: string): Html | null {
  const seconds = body.wait?.seconds ?? body.reloadSeconds
  if (seconds === undefined) return null
  return html`<noscript><meta http-equiv="refresh" content="${seconds};url=${home}"></noscript>
`
}

function languageMenu(context: PageContext): Html {
  const links = LANGUAGES.map((language) => {
    const current = language.code === context.language.code
    const address = withQuery(context.selfPath, language.code, context.destination)
    return html`<a href="${address}" lang="${language.code}"${current && html` aria-current="true"`}>${language.name}</a>`
  })
  const { language } = context
  return html`<details class="lang"><summary><span class="sr">${language.text.language}: </span>${globeIcon}${language.name}</summary><div class="langs">${links}</div></details>`
}
