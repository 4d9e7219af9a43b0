/** What goes back to a guest, before any socket: status, headers, whole body. */
import type { ServedScript } from './wallet-script.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Sent instead of `body` where there is one: what is no text. */
  readonly bytes?: Uint8Array
}

const HTML = 'text/html; charset=utf-8'
/** Everything depends on who asks and when: nobody may keep it. */
const NO_STORE = 'no-store'

/** Sent with every answer of the portal itself. */
const COMMON = {
  'Cache-Control': NO_STORE,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
} as const
/** For what holds no page of ours. */
const NOTHING_ALLOWED = "default-src 'none'; frame-ancestors 'none'"

export function htmlAnswer(status: number, csp: string, body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { ...COMMON, 'Content-Type': HTML, 'Content-Security-Policy': csp, ...headers }, body }
}

export function jsonAnswer(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return jsonTextAnswer(status, `${JSON.stringify(value)}\n`, headers)
}

/** `body`: JSON already, or nothing. */
export function jsonTextAnswer(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { ...COMMON, 'Content-Type': 'application/json; charset=utf-8', 'Content-Security-Policy': NOTHING_ALLOWED, ...headers }, body }
}

/** For our own page's script alone. */
export function bytesAnswer(bytes: Uint8Array): Answer {
  return { status: 200, headers: { ...COMMON, 'Content-Type': 'application/octet-stream', 'Content-Security-Policy': NOTHING_ALLOWED }, body: '', bytes }
}

export function textFileAnswer(fileName: string, body: string): Answer {
  return {
    status: 200,
    headers: {
      ...COMMON,
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Disposition': `attachment; filename="${fileName}"`,
      'Content-Security-Policy': NOTHING_ALLOWED,
    },
    body,
  }
}

/** Asked for again at each use, and then mostly answered with 304. The same for everybody, so it may be kept. */
export function scriptAnswer(script: ServedScript, asked: { readonly ifNoneMatch: string; readonly acceptEncoding: string }): Answer {
  const takesGzip = /(^|[,\s])gzip\s*(,|$|;\s*q=(1|0\.0*[1-9]|0\.[1-9]))/.test(asked.acceptEncoding)
  const headers = { ...COMMON, 'Cache-Control': 'no-cache', ETag: script.etag, Vary: 'Accept-Encoding', 'Content-Security-Policy': NOTHING_ALLOWED }
  if (asked.ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === script.etag)) return { status: 304, headers, body: '' }
  return {
    status: 200,
    headers: { ...headers, 'Content-Type': 'text/javascript; charset=utf-8', ...(takesGzip ? { 'Content-Encoding': 'gzip' } : {}) },
    body: '',
    bytes: takesGzip ? script.gzip : script.plain,
  }
}

/** 302 or 303 only: a permanent redirect would be kept by the browser and follow the guest home. */
export function redirectAnswer(status: 302 | 303, location: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { ...COMMON, Location: location, 'Content-Security-Policy': NOTHING_ALLOWED, ...headers }, body: '' }
}

/** A small page without anything in it: for captured requests and for refusals before we know who asks. */
export function plainPage(status: number, head: string, body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return htmlAnswer(status, NOTHING_ALLOWED, `<!doctype html><html><head><meta charset="utf-8">${head}</head><body>${body}</body></html>\n`, headers)
}
