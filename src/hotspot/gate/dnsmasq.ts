/**
 * What we hand to dnsmasq, as text. Two files:
 *
 * - a snippet for its `conf-dir`: the portal's own name (`host-record`), and per domain of the walled garden
 *   one `nftset` line, by which dnsmasq puts the addresses it resolves into our kernel sets (dnsmasq 2.87 or
 *   newer, built with nftset; on OpenWrt `dnsmasq-full`). dnsmasq reads it at its start only.
 * - a file for `dhcp-optsfile`: the captive portal API's URI as DHCPv4 option 114 and DHCPv6 option 103
 *   (RFC 8910 section 2), or nothing. dnsmasq reads it again on SIGHUP.
 */
import { inputError } from '../../base/index.ts'
import { isIp4, readIp } from './address.ts'
import { GARDEN4, GARDEN6, TABLE } from './names.ts'

export interface DnsmasqNames {
  readonly portalHost: string
  /** The box's addresses on the guest link, IPv4 and IPv6. */
  readonly routerAddresses: readonly string[]
  /** Domains (with everything below them) that unpaid guests may reach. */
  readonly gardenDomains: readonly string[]
}

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/
/** RFC 8910 section 2.1: an option has a one-byte length. */
const LONGEST_URI = 255

/** The snippet for `conf-dir`. Throws MeshBoxError `input` for a name dnsmasq could misread. */
export function dnsmasqSnippet(names: DnsmasqNames): string {
  const lines = ['# Written by meshbox; changes are lost.']
  const host = checkedName('portalHost', names.portalHost)
  const addresses = names.routerAddresses.map((text) => {
    const address = readIp(text)
    if (address === null) throw inputError('routerAddresses', text, 'an IPv4 or IPv6 address')
    return address
  })
  // dnsmasq takes one address of each family per host-record.
  const [ip4, ip6] = [addresses.filter(isIp4), addresses.filter((address) => !isIp4(address))]
  for (let i = 0; i < Math.max(ip4.length, ip6.length); i++)
    lines.push(`host-record=${[host, ip4[i], ip6[i]].filter((part) => part !== undefined).join(',')}`)
  for (const domain of names.gardenDomains) lines.push(nftsetLine(checkedName('gardenDomains', domain)))
  return `${lines.join('\n')}\n`
}

/** `4#` and `6#`: which of the answers go into which set. */
export function nftsetLine(domain: string): string {
  return `nftset=/${domain}/4#inet#${TABLE}#${GARDEN4},6#inet#${TABLE}#${GARDEN6}`
}

/** The file for `dhcp-optsfile`; `uri` null when there is no API a client could trust. */
export function dnsmasqOptions(uri: string | null): string {
  if (uri === null) return ''
  if (uri.length > LONGEST_URI || !/^https:\/\/[A-Za-z0-9._~:/?#@!$&()*+;=%-]+$/.test(uri))
    throw inputError('uri', uri, `an https address of at most ${LONGEST_URI} characters, without quotes, commas and spaces`)
  return `114,${uri}\noption6:103,${uri}\n`
}

function checkedName(field: string, name: string): string {
  if (name.length > 253 || !NAME.test(name)) throw inputError(field, name, 'a host name in lower case')
  return name
}
