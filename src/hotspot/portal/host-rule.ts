/**
 * Which requests are for us and which were captured. The gate redirects port 80 of unpaid guests to the
 * portal, so a request says by its Host (or its absolute target, RFC 9112 section 3.2.2) whom it was meant
 * for. Everything that is not exactly one of our own names was captured; this is also what stops DNS
 * rebinding, since a page of another name can never reach a route of ours.
 */
export interface Authority {
  /** Lower case, no brackets, no trailing dot. */
  readonly host: string
  /** null = the scheme's own. */
  readonly port: number | null
}

export interface OwnNames {
  readonly portalHost: string
  /** What the portal listens on; unspecified addresses name nobody. */
  readonly portalAddress: string
  /** The address this very connection came in on; null where there is none. */
  readonly localAddress: string | null
  /** Record-only mode: the developer's own machine is the guest. */
  readonly loopback: boolean
}

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*\.?$/
const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1'])
const UNSPECIFIED = new Set(['0.0.0.0', '::'])

/** A Host header's value; null if it is not of the form `name`, `1.2.3.4` or `[v6]` with an optional port. */
export function parseAuthority(text: string): Authority | null {
  if (text.length > 260) return null
  const match = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([^[\]:@/?#\\\s]+))(?::(\d{1,5}))?$/.exec(text)
  if (!match) return null
  const host = (match[1] ?? match[2] ?? '').toLowerCase()
  if (match[1] === undefined && !HOST_NAME.test(host)) return null
  const port = match[3] === undefined ? null : Number(match[3])
  if (port !== null && (port < 1 || port > 65_535)) return null
  return { host: host.replace(/\.$/, ''), port }
}

export function isOwnHost(host: string, own: OwnNames): boolean {
  if (host === own.portalHost.toLowerCase()) return true
  if (own.loopback && LOOPBACK.has(host)) return true
  if (!UNSPECIFIED.has(own.portalAddress) && host === plainAddress(own.portalAddress)) return true
  return own.localAddress !== null && host === plainAddress(own.localAddress)
}

/** Without an IPv4-mapped prefix and without a zone: `::ffff:10.0.0.1` → `10.0.0.1`, `fe80::1%br` → `fe80::1`. */
export function plainAddress(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '')
}

/** `http://host:port`, the scheme's own port left out, IPv6 in brackets. */
export function originOf(secure: boolean, host: string, port: number): string {
  const name = host.includes(':') ? `[${host}]` : host
  const usual = secure ? 443 : 80
  return `${secure ? 'https' : 'http'}://${name}${port === usual ? '' : `:${port}`}`
}

export interface Target {
  /** From an absolute target; null = the Host header says it. */
  readonly authority: string | null
  /** As it was sent, not decoded, from the first slash up to the question mark. */
  readonly path: string
  /** Without the question mark; null = none. */
  readonly query: string | null
}

/** The target of a request line; null for what is neither `/path` nor `http://host/path`. */
export function parseTarget(target: string): Target | null {
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/is.exec(target)
  const rest = absolute ? (absolute[2] ?? '') : target
  const [path = '', ...queries] = rest.split('?')
  if (absolute ? path !== '' && !path.startsWith('/') : !path.startsWith('/')) return null
  if (!/^[\x21-\x7e]*$/.test(rest) || rest.includes('#')) return null
  return {
    authority: absolute ? (absolute[1] ?? '') : null,
    path: path === '' ? '/' : path,
    query: queries.length === 0 ? null : queries.join('?'),
  }
}
