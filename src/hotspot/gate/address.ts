/**
 * Addresses as the kernel, dnsmasq and the socket layer write them, in one spelling each: MAC in lower case,
 * IPv4 dotted quad, IPv6 as RFC 5952 has it and without a zone. An IPv4 address wrapped in IPv6
 * (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2) becomes the IPv4 address: a socket listening on `::` shows
 * IPv4 guests that way.
 */
import type { MacAddress } from './types.ts'

const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/
const BYTE = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const IP4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`)
const IP6_LONGEST = 45

/** Lower-case MAC address of one station; null for anything else, for a group address and for all zeros. */
export function readMac(text: string): MacAddress | null {
  const mac = text.toLowerCase()
  if (!MAC.test(mac) || mac === '00:00:00:00:00:00') return null
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1 ? null : mac
}

export function isIp4(text: string): boolean {
  return IP4.test(text)
}

/** The one spelling of an IPv4 or IPv6 address; null when it is neither. A zone (`%eth0`) is left out. */
export function readIp(text: string): string | null {
  if (isIp4(text)) return text
  const address = text.split('%', 1)[0] ?? ''
  if (!address.includes(':') || address.length > IP6_LONGEST || !/^[0-9a-fA-F:.]+$/.test(address)) return null
  const parsed = URL.parse(`http://[${address}]/`)
  if (parsed === null) return null
  const ip6 = parsed.hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(ip6)
  if (!mapped) return ip6
  const [high, low] = [Number.parseInt(mapped[1] ?? '', 16), Number.parseInt(mapped[2] ?? '', 16)]
  return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`
}

/** 32 hex digits of an IPv6 address in the one spelling; null for anything else. */
export function ip6Hex(ip6: string): string | null {
  const halves = ip6.split('::')
  if (halves.length > 2 || !/^[0-9a-f:]+$/.test(ip6)) return null
  const groups = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(':'))
  const [head, tail] = [groups(halves[0]), groups(halves[1])]
  const gap = halves.length === 2 ? 8 - head.length - tail.length : 0
  const all = [...head, ...new Array<string>(Math.max(0, gap)).fill('0'), ...tail]
  return all.length === 8 && all.every((group) => group.length <= 4) ? all.map((group) => group.padStart(4, '0')).join('') : null
}
