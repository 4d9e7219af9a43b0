/** What the gate's rules depend on, made from the configuration once. Checked, because it becomes nft text. */
import { inputError } from '../../base/index.ts'
import type { HotspotConfig } from '../../config/index.ts'
import { isIp4, readIp } from './address.ts'

export interface GateRules {
  readonly guestInterface: string
  /** Null: whatever address of the guest interface the kernel chooses (the portal listens on all). */
  readonly portalAddress: string | null
  readonly portalPort: number
  /** Null when there is no certificate: port 443 of the box is then refused like any other. */
  readonly tlsPort: number | null
  /** Where other boxes pay; null: nowhere. */
  readonly boxesPort: number | null
  readonly dnsQueriesPerSecond: number
  readonly dnsKibPerMinute: number
  /** Are there walled-garden domains, so that dnsmasq fills garden4 and garden6? */
  readonly hasGardenDomains: boolean
  /** Addresses or prefixes, IPv4 and IPv6. */
  readonly gardenAddresses: readonly string[]
  readonly clientIsolation: boolean
  readonly portPinSeconds: number
  /** Devices the kernel's sets have room for, open and recently closed together. */
  readonly maxDevices: number
}

/** Devices per session that must fit beside those lately closed; bounded by what the sets may cost in memory. */
const DEVICES_PER_SESSION = 4
const FEWEST_DEVICES = 256

/** Unpaid guests that can use DNS to their full limit at once; more share: bounds what rotating MACs wins. */
export const DNS_CLIENTS_AT_ONCE = 16

export function gateRules(config: HotspotConfig): GateRules {
  const portalAddress = readIp(config.portalAddress)
  if (portalAddress === null) throw inputError('portalAddress', config.portalAddress, 'an IPv4 or IPv6 address')
  const hasTls = config.tlsCertificateFile !== null && config.tlsKeyFile !== null
  return checkRules({
    guestInterface: config.guestInterface,
    portalAddress: portalAddress === '0.0.0.0' || portalAddress === '::' ? null : portalAddress,
    portalPort: config.portalPort,
    tlsPort: hasTls ? config.tlsPort : null,
    boxesPort: config.boxesPort === 0 ? null : config.boxesPort,
    dnsQueriesPerSecond: config.dnsQueriesPerSecond,
    dnsKibPerMinute: config.dnsKibPerMinute,
    hasGardenDomains: config.walledGardenDomains.length > 0,
    gardenAddresses: config.walledGardenAddresses,
    clientIsolation: config.clientIsolation,
    portPinSeconds: config.portPinSeconds,
    maxDevices: Math.max(FEWEST_DEVICES, config.maxSessions * DEVICES_PER_SESSION),
  })
}

/** Throws MeshBoxError `input` naming the field. */
export function checkRules(rules: GateRules): GateRules {
  checkInterface('guestInterface', rules.guestInterface)
  checkNumber('portalPort', rules.portalPort, 1, 65_535)
  if (rules.tlsPort !== null) checkNumber('tlsPort', rules.tlsPort, 1, 65_535)
  if (rules.boxesPort !== null) checkNumber('boxesPort', rules.boxesPort, 1, 65_535)
  checkNumber('dnsQueriesPerSecond', rules.dnsQueriesPerSecond, 1, 100_000)
  checkNumber('dnsKibPerMinute', rules.dnsKibPerMinute, 1, 1_000_000)
  checkNumber('portPinSeconds', rules.portPinSeconds, 0, 86_400)
  checkNumber('maxDevices', rules.maxDevices, 1, 65_536)
  if (rules.portalAddress !== null && readIp(rules.portalAddress) !== rules.portalAddress) throw inputError('portalAddress', rules.portalAddress, 'an IPv4 or IPv6 address, or null')
  for (const text of rules.gardenAddresses) checkPrefix(text)
  return rules
}

/** Linux: up to 15 bytes, no slash, no white space; we refuse what nft's language could misread as well. */
export function checkInterface(field: string, name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/.test(name)) throw inputError(field, name, 'an interface name: 1 to 15 letters, digits, dots, dashes, underscores')
  return name
}

export function splitFamilies(addresses: readonly string[]): { ip4: string[]; ip6: string[] } {
  const isFour = (text: string): boolean => isIp4(text.split('/', 1)[0] ?? '')
  return { ip4: addresses.filter(isFour), ip6: addresses.filter((text) => !isFour(text)) }
}

function checkPrefix(text: string): void {
  const [address = '', length, ...rest] = text.split('/')
  const most = isIp4(address) ? 32 : 128
  const isLength = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= most)
  if (readIp(address) === null || !isLength || rest.length > 0) throw inputError('gardenAddresses', text, 'an address, or address/length')
}

function checkNumber(field: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) throw inputError(field, value, `a whole number from ${least} to ${most}`)
}
