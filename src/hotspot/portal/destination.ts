/**
 * Where the guest wanted to go when he was captured. It travels in the URL (`u`, sealed in `s`), since the
 * page has no cookies, and comes back only as a text link that names the host, never as a redirect. The
 * seal makes sure that it is an address this very device asked for: a link made by somebody else shows
 * nothing.
 */
import type { MacAddress } from '../gate/types.ts'
import type { Seals } from './seals.ts'

export interface Destination {
  /** `http://host[:port]/path?query`, printable ASCII, at most 400 characters. */
  readonly url: string
  readonly host: string
  readonly seal: string
}

const MAX_URL_LENGTH = 400

/** Hosts and paths that operating systems ask to find out whether they are captured: no guest meant them. */
const PROBE_HOSTS =
  /^(captive\.apple\.com|connectivitycheck\.|detectportal\.|nmcheck\.|connectivity-check\.|ipv6\.msft|(www\.)?msft(connecttest|ncsi)\.com|clients\d\.google\.com|play\.googleapis\.com|network-test\.)/
const PROBE_PATHS =
  /(generate_204|gen_204|hotspot-detect\.html|library\/test\/success\.html|connecttest\.txt|ncsi\.txt|success\.txt|canonical\.html|check_network_status\.txt|wifistub\.html|nm-check\.txt)$/

/** null for what no guest typed: probes, anything but plain pages, overlong addresses. */
export function capturedDestination(host: string, port: number | null, path: string, query: string | null): string | null {
  if (PROBE_HOSTS.test(host) || PROBE_PATHS.test(path) || path === '/favicon.ico') return null
  const name = host.includes(':') ? `[${host}]` : host
  const url = `http://${name}${port === null || port === 80 ? '' : `:${port}`}${path}${query === null ? '' : `?${query}`}`
  return url.length > MAX_URL_LENGTH ? null : url
}

/** Reads `u` and `s` of a query; null unless this device was captured on its way there. */
export function readDestination(query: URLSearchParams, mac: MacAddress, seals: Seals): Destination | null {
  const url = query.get('u')
  const seal = query.get('s')
  if (url === null || seal === null || url.length > MAX_URL_LENGTH || !seals.isDestination(mac, url, seal)) return null
  const host = /^http:\/\/([^/?#]+)/.exec(url)?.[1]
  return host === undefined ? null : { url, host, seal }
}
