/**
 * Addresses and names as configuration writes them: IPv4 dotted quads, IPv6 text (RFC 4291 section 2.2),
 * prefixes `address/length`, host names (RFC 1123 labels). Strict: no zones, no leading zeros in IPv4.
 */

/** 4 or 16 bytes, or null. An IPv4-mapped IPv6 address (::ffff:a.b.c.d) gives the 4 bytes. */
export function parseIp(text: string): Uint8Array | null {
  if (!text.includes(':')) return parseIp4(text)
  const bytes = parseIp6(text)
  const isMapped = bytes !== null && bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff
  return isMapped ? bytes.slice(12) : bytes
}

/** True for an address, or an address with a prefix length and no bits set behind it. */
export function isAddressOrPrefix(text: string): boolean {
  const [address, length, ...rest] = text.split('/')
  if (address === undefined || rest.length > 0) return false
  const bytes = address.includes(':') ? parseIp6(address) : parseIp4(address)
  if (bytes === null) return false
  if (length === undefined) return true
  if (!/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > bytes.length * 8) return false
  return bytes.every((byte, index) => (byte & (0xff >> Math.min(8, Math.max(0, Number(length) - index * 8)))) === 0)
}

/** 0.0.0.0, :: or ::ffff:0.0.0.0: listens on every interface. */
export function isWildcard(text: string): boolean {
  return parseIp(text)?.every((byte) => byte === 0) ?? false
}

export function isSameAddress(a: string, b: string): boolean {
  const [left, right] = [parseIp(a), parseIp(b)]
  return left !== null && right !== null && left.length === right.length && left.every((byte, index) => byte === right[index])
}

/** Lower-case labels of letters, digits and inner '-', at most 253 characters, at least `minLabels` labels. */
export function isHostName(text: string, minLabels: number): boolean {
  if (text.length > 253 || parseIp4(text) !== null) return false
  const labels = text.split('.')
  return labels.length >= minLabels && labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label))
}

function parseIp4(text: string): Uint8Array | null {
  const parts = text.split('.')
  if (parts.length !== 4) return null
  if (!parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return null
  return Uint8Array.from(parts, Number)
}

function parseIp6(text: string): Uint8Array | null {
  if (text.length > 45) return null
  const halves = text.split('::')
  if (halves.length > 2) return null
  const head = parseGroups(halves[0] ?? '', halves.length === 1)
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : []
  if (head === null || tail === null) return null
  const missing = 16 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 2) return null
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail])
}

/** Groups of up to four hex digits; the last may be an IPv4 address when these groups end the text. */
function parseGroups(text: string, mayEndInIp4: boolean): number[] | null {
  if (text === '') return []
  const bytes: number[] = []
  const groups = text.split(':')
  for (const [index, group] of groups.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16)
      bytes.push(value >> 8, value & 0xff)
      continue
    }
    const quad = mayEndInIp4 && index === groups.length - 1 ? parseIp4(group) : null
    if (quad === null) return null
    bytes.push(...quad)
  }
  return bytes
}
