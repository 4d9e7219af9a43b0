/**
 * A guest's phone without a screen: asks pages with curl inside the guest's namespace, follows no redirect
 * by itself, keeps no cookie, and presses buttons by filling the page's own forms, hidden fields included.
 */
import type { GuestHost } from './netns.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** curl's exit code; 0 when there was an answer. */
  readonly code: number
}

export interface AskOptions {
  readonly method?: string
  readonly form?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly family?: 4 | 6
  readonly timeoutSeconds?: number
}

interface Form {
  readonly action: string
  readonly method: string
  readonly fields: Record<string, string>
}

export class Phone {
  readonly guest: GuestHost

  readonly #trustedCa: string | null

  /** `trustedCa`: PEM file of a certificate authority this phone trusts. */
  constructor(guest: GuestHost, trustedCa: string | null = null) {
    this.guest = guest
    this.#trustedCa = trustedCa
  }

  async ask(url: string, options: AskOptions = {}): Promise<Answer> {
    const args = ['-s', '-i', '--max-time', String(options.timeoutSeconds ?? 5), '-A', 'Mozilla/5.0 (Linux; Android 15) MeshBoxPhone']
    if (this.#trustedCa !== null) args.push('--cacert', this.#trustedCa)
    if (options.family !== undefined) args.push(`-${options.family}`)
    if (options.method !== undefined) args.push('-X', options.method)
    for (const [name, value] of Object.entries(options.headers ?? {})) args.push('-H', `${name}: ${value}`)
    for (const [name, value] of Object.entries(options.form ?? {})) args.push('--data-urlencode', `${name}=${value}`)
    const result = await this.guest.ns.run('curl', [...args, url])
    if (result.code !== 0) return { status: 0, headers: {}, body: '', code: result.code }
    return { ...parseAnswer(result.stdout), code: 0 }
  }

  /** Opens a page and follows redirects as a browser would, at most five. */
  async open(url: string, options: AskOptions = {}): Promise<Answer & { url: string }> {
    let at = url
    for (let hops = 0; ; hops++) {
      const answer = await this.ask(at, options)
      const next = answer.headers['location']
      if (answer.status < 300 || answer.status > 399 || next === undefined || hops === 5) return { ...answer, url: at }
      at = new URL(next, at).href
    }
  }

  /** Fills the page's form whose action ends with `action` and sends it; gives the answer itself (303, 4xx …). */
  async submit(pageUrl: string, action: string, fields: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const page = await this.open(pageUrl)
    const form = formsOf(page.body).find((candidate) => new URL(candidate.action, page.url).pathname === action)
    if (!form) throw new Error(`the page ${page.url} (status ${page.status}) has no form for ${action}: ${page.body.replace(/<style>.*?<\/style>/s, '').slice(0, 1500)}`)
    return this.ask(new URL(form.action, page.url).href, {
      method: form.method.toUpperCase(),
      form: { ...form.fields, ...fields },
      headers: { origin: new URL(page.url).origin },
    })
  }

  /** Does a packet come back from the Internet? */
  async isOnline(family: 4 | 6, address: string): Promise<boolean> {
    const result = await this.guest.ns.run('ping', [`-${family}`, '-c', '2', '-i', '0.2', '-W', '1', address])
    return result.code === 0
  }
}

function parseAnswer(text: string): { status: number; headers: Record<string, string>; body: string } {
  let rest = text
  for (;;) {
    const end = rest.indexOf('\r\n\r\n')
    const head = end < 0 ? rest : rest.slice(0, end)
    const body = end < 0 ? '' : rest.slice(end + 4)
    const lines = head.split('\r\n')
    const status = Number(/^HTTP\/[\d.]+ (\d{3})/.exec(lines[0] ?? '')?.[1] ?? 0)
    if (status === 100) {
      rest = body
      continue
    }
    const headers: Record<string, string> = {}
    for (const line of lines.slice(1)) {
      const colon = line.indexOf(':')
      if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
    }
    return { status, headers, body }
  }
}

function formsOf(html: string): Form[] {
  return [...html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)].map((match) => {
    const fields: Record<string, string> = {}
    for (const input of (match[2] ?? '').matchAll(/<input\b([^>]*)>/g)) {
      const name = attribute(input[1] ?? '', 'name')
      if (name !== undefined && attribute(input[1] ?? '', 'type') === 'hidden') fields[name] = attribute(input[1] ?? '', 'value') ?? ''
    }
    return { action: attribute(match[1] ?? '', 'action') ?? '', method: attribute(match[1] ?? '', 'method') ?? 'get', fields }
  })
}

function attribute(tag: string, name: string): string | undefined {
  const found = new RegExp(`\\b${name}=(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`).exec(tag)
  const value = found?.[1] ?? found?.[2] ?? found?.[3]
  return value?.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>')
}
