/**
 * Where a request comes from and whom it thinks it talks to; pure.
 *
 *   Host             must be a name of ours, else a web page could point its own name at the box (DNS
 *                    rebinding) and its scripts would count as same-origin
 *   Origin,          must be our own page: another site must not make the owner's browser act
 *   Sec-Fetch-Site   (Fetch Metadata; sent by browsers on https and localhost only, Origin on all POSTs)
 *   remote address   never from the guest network; the first-run wizard only from the box itself or from
 *                    the network that the owner's address is on
 */
import { MeshBoxError } from '../base/index.ts'
import { isInside, isLoopback, isUnspecified, parseAddress, parseCidr } from './ip-address.ts'

export interface NetworkAddress {
  readonly interface: string
  /** `192.168.1.1/24`, `fe80::1/64` */
  readonly cidr: string
}

/** Host header without its port, lower case; null when it is no host at all. */
export function hostName(hostHeader: string | undefined): string | null {
  if (hostHeader === undefined || hostHeader.length > 255) return null
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(hostHeader)
  const name = match?.[1]?.toLowerCase().replace(/\.$/, '')
  if (name === undefined) return null
  return name.startsWith('[') ? name.slice(1, -1) : name
}

/** `ownNames`: the listening address and the names configured for it; localhost is always ours. */
export function checkHost(hostHeader: string | undefined, ownNames: readonly string[]): void {
  const name = hostName(hostHeader)
  const ours = ['localhost', '127.0.0.1', '::1', ...ownNames.map((own) => own.toLowerCase())]
  if (name !== null && ours.some((own) => own === name || sameAddress(own, name))) return
  throw new MeshBoxError('forbidden', 'this name does not belong to the box; open the dashboard by its own address', {
    code: 'wrong-host',
    field: 'host',
    value: hostHeader ?? '',
    allowed: ours.join(', '),
  })
}

/** For everything that changes something or shows data: refuses what another site's page sends. */
export function checkSameOrigin(headers: { host?: string | undefined; origin?: string | undefined; secFetchSite?: string | undefined }): void {
  const site = headers.secFetchSite
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw crossSite('sec-fetch-site', site)
  if (headers.origin === undefined) return
  const match = /^https?:\/\/([^/]+)$/i.exec(headers.origin)
  if (match?.[1]?.toLowerCase() !== headers.host?.toLowerCase()) throw crossSite('origin', headers.origin)
}

/** Where pages cannot set it and programs leave it out: a request that another site's page caused. */
export function checkReferer(referer: string | undefined, host: string | undefined): void {
  if (referer === undefined || referer === '') return
  const match = /^https?:\/\/([^/]+)/i.exec(referer)
  if (match?.[1]?.toLowerCase() !== host?.toLowerCase()) throw crossSite('referer', referer)
}

function crossSite(field: string, value: string): MeshBoxError {
  return new MeshBoxError('forbidden', 'another web site sent this request; it was not carried out', {
    code: 'cross-site',
    field,
    value,
    allowed: "the dashboard's own pages",
  })
}

/** Guests never reach the owner's side, whatever the firewall lets through. */
export function isFromGuests(remote: string, guestInterface: string, addresses: readonly NetworkAddress[]): boolean {
  const address = parseAddress(remote)
  if (address === null || isLoopback(address)) return false
  return addresses.some((one) => one.interface === guestInterface && inCidr(address, one.cidr))
}

/** batman-adv's own interfaces: what comes over them without a bridge is from other boxes. */
const MESH_INTERFACE = /^bat\d+$/
/** The same on every link: it says nothing about which. */
const LINK_LOCAL = /^fe80:/i

/** Nor do other boxes. A mesh that is a part of the owner's bridge is the owner's network. */
export function isFromMesh(remote: string, addresses: readonly NetworkAddress[]): boolean {
  const address = parseAddress(remote)
  return address !== null && !isLoopback(address) && addresses.some((one) => MESH_INTERFACE.test(one.interface) && !LINK_LOCAL.test(one.cidr) && inCidr(address, one.cidr))
}

/** For further doors of the owner's: neither a guest nor another box. `guestInterface` null: there are no guests. */
export function isFromOwnersSide(remote: string, guestInterface: string | null, addresses: readonly NetworkAddress[]): boolean {
  return parseAddress(remote) !== null && !(guestInterface !== null && isFromGuests(remote, guestInterface, addresses)) && !isFromMesh(remote, addresses)
}

/** The box itself, or the network that the owner's own address is on. */
export function isFromOwnerNetwork(remote: string, ownerAddress: string, addresses: readonly NetworkAddress[]): boolean {
  const address = parseAddress(remote)
  if (address === null) return false
  if (isLoopback(address)) return true
  const own = parseAddress(ownerAddress)
  if (own === null || isLoopback(own)) return false
  return addresses.some((one) => inCidr(own, one.cidr) && startsAt(ownerAddress, one.cidr) && inCidr(address, one.cidr))
}

/**
 * Throws MeshBoxError `forbidden`, code `bad-owner-address`, unless the owner's side may listen there:
 * never on all addresses at once, never on an address of the guest interface or of the mesh.
 */
export function checkListenAddress(ownerAddress: string, guestInterface: string | null, addresses: readonly NetworkAddress[]): void {
  const refuse = (why: string): MeshBoxError =>
    new MeshBoxError('forbidden', `owner.address: ${why}`, {
      code: 'bad-owner-address',
      field: 'owner.address',
      value: ownerAddress,
      allowed: 'one address of the box that guests cannot reach, e.g. 127.0.0.1 or 192.168.1.1',
    })
  const address = parseAddress(ownerAddress)
  if (address === null) throw refuse('is not an IP address')
  if (isUnspecified(address)) throw refuse('would listen on every network, also on the guests\'')
  if (isLoopback(address)) return
  const onGuests = addresses.some((one) => one.interface === guestInterface && (startsAt(ownerAddress, one.cidr) || inCidr(address, one.cidr)))
  if (onGuests) throw refuse(`belongs to the guest interface ${guestInterface}`)
  if (addresses.some((one) => MESH_INTERFACE.test(one.interface) && startsAt(ownerAddress, one.cidr))) throw refuse('belongs to the mesh')
}

function inCidr(address: Uint8Array, cidr: string): boolean {
  const network = parseCidr(cidr)
  return network !== null && isInside(address, network)
}

function startsAt(address: string, cidr: string): boolean {
  return sameAddress(address, cidr.split('/')[0] ?? '')
}

function sameAddress(a: string, b: string): boolean {
  const left = parseAddress(a)
  const right = parseAddress(b)
  return left !== null && right !== null && left.every((byte, index) => byte === right[index])
}
