/**
 * Who is behind an address, as three tools write it: `ip -o neigh` and `ip -o monitor neigh`
 * (iproute2), /proc/net/arp, and dnsmasq's lease file.
 */
import { isIp4, readIp, readMac } from './address.ts'
import type { MacAddress } from './types.ts'

export interface NeighbourLine {
  readonly ip: string
  /** Null: the kernel does not know it any more. */
  readonly mac: MacAddress | null
}

/** States in which the kernel vouches for the MAC, if only from memory. */
const KNOWN = new Set(['REACHABLE', 'STALE', 'DELAY', 'PROBE', 'PERMANENT'])

/**
 * `10.77.0.11 dev br-guest lladdr 02:00:00:00:00:01 REACHABLE`, with `Deleted ` before it when an entry went.
 * Null for other interfaces and for lines that are none of these. `device` may be left out of the line when
 * the tool was asked for one interface only.
 */
export function readNeighbourLine(line: string, device: string): NeighbourLine | null {
  const words = line.trim().split(/\s+/)
  const isDeleted = words[0] === 'Deleted' || words[0] === 'delete'
  if (isDeleted) words.shift()
  const ip = readIp(words[0] ?? '')
  if (ip === null) return null
  const after = (word: string): string | undefined => (words.includes(word) ? words[words.indexOf(word) + 1] : undefined)
  const dev = after('dev')
  if (dev !== undefined && dev !== device) return null
  const mac = readMac(after('lladdr') ?? '')
  const isKnown = words.some((word) => KNOWN.has(word))
  if (isDeleted || words.includes('FAILED')) return { ip, mac: null }
  return mac !== null && isKnown ? { ip, mac } : null
}

const PORT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/

/**
 * `dev guest1 lladdr 02:00:00:00:00:01 REACHABLE`, without an address: a bridge has just learned at which of its ports a device is, which
 * it does with the device's first frame. Null for other lines, and for what a port has of its own.
 */
export function readPortLine(line: string): { readonly port: string; readonly mac: MacAddress } | null {
  const [dev, port = '', lladdr, station = '', ...states] = line.trim().split(/\s+/)
  const mac = readMac(station)
  return dev === 'dev' && lladdr === 'lladdr' && PORT.test(port) && mac !== null && states.includes('REACHABLE') ? { port, mac } : null
}

/** /proc/net/arp: address, hardware type, flags (0x2 = complete), MAC, mask, device. */
export function readArpTable(text: string, device: string): NeighbourLine[] {
  return text.split('\n').flatMap((line) => {
    const [ip = '', , flags = '', mac = '', , dev = ''] = line.trim().split(/\s+/)
    const station = readMac(mac)
    return dev === device && isIp4(ip) && (Number(flags) & 2) !== 0 && station !== null ? [{ ip, mac: station }] : []
  })
}

export interface DhcpLease {
  readonly mac: MacAddress
  readonly ip4: string
}

/**
 * dnsmasq's lease file: `<expiry> <mac> <ip> <name> <client id>` per line; after a line `duid …` come IPv6
 * leases, which name no MAC. The expiry is wall time and is not looked at: dnsmasq removes what is over. Later
 * lines are newer.
 */
export function readLeases(text: string, mostLeases: number): DhcpLease[] {
  const leases: DhcpLease[] = []
  for (const line of text.split('\n')) {
    const [, macText = '', ip = ''] = line.trim().split(/\s+/)
    if (line.startsWith('duid ')) break
    const mac = readMac(macText.slice(-17)) // a hardware type other than Ethernet comes before it, `06-…`
    if (mac !== null && isIp4(ip)) leases.push({ mac, ip4: ip })
    if (leases.length >= mostLeases) break
  }
  return leases
}
