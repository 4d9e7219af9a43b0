/**
 * Who may talk to the door at all; pure.
 *
 *   Host     must be a name or address of ours, else a web page could point its own name at the box (DNS
 *            rebinding) and would be let in
 *   Origin   what a browser sends for a page: the dashboard's and the configured ones. Browser extensions
 *            are wallets that the person has installed. Programs send none
 */
export interface DoorNames {
  /** Host names and addresses that lead here, without a port. localhost is always ours. */
  readonly hosts: readonly string[]
  /** `http://192.168.1.1:8080`; of pages that may call. */
  readonly origins: readonly string[]
  readonly allowsExtensions: boolean
}

const ALWAYS_OURS = ['localhost', '127.0.0.1', '::1']
const EXTENSION = /^(chrome|moz|safari-web)-extension:\/\/[A-Za-z0-9-]{1,64}$/

/** `header`: as it came. */
export function isOwnHost(names: DoorNames, header: string | undefined): boolean {
  if (header === undefined || header.length > 255) return false
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(header)
  const name = match?.[1]?.toLowerCase().replace(/\.$/, '').replace(/^\[|\]$/g, '')
  return name !== undefined && [...ALWAYS_OURS, ...names.hosts.map((host) => host.toLowerCase())].includes(name)
}

/** Undefined: no page, so there is nobody that a browser would have to be told about. */
export function isAllowedOrigin(names: DoorNames, origin: string | undefined): boolean {
  if (origin === undefined) return true
  if (origin.length > 300) return false
  return names.origins.some((known) => known.toLowerCase() === origin.toLowerCase()) || (names.allowsExtensions && EXTENSION.test(origin))
}

/** Who is limited together: an IPv4 address, or the network (/64) that an IPv6 address is from, as one phone has many of them. */
export function callerKey(address: string): string {
  const bare = address.replace(/%.*$/, '').toLowerCase()
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare)
  if (mapped?.[1] !== undefined) return mapped[1]
  if (!bare.includes(':')) return bare
  const [front = '', back] = bare.split('::')
  const groups = (text: string): string[] => text.split(':').filter((group) => group !== '')
  const [before, after] = [groups(front), groups(back ?? '')]
  const zeros = back === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  return `${[...before, ...Array.from({ length: zeros }, () => '0'), ...after].slice(0, 4).join(':')}::/64`
}

/** An address that means "every network of this machine". */
export function isEverywhere(address: string): boolean {
  return address === '' || /^(0+\.){0,3}0+$/.test(address) || /^\[?[0:]+\]?$/.test(address) || /^\[?::ffff:(0+\.){3}0+\]?$/i.test(address)
}
