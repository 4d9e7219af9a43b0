/** IP addresses as 16 bytes (IPv4 as ::ffff:a.b.c.d), so that both kinds compare the same way; pure. */

export interface Cidr {
  readonly base: Uint8Array
  /** 0–128, counted over the 16 bytes. */
  readonly prefixBits: number
}

const V4_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

/** null when it is no address. A zone (`%eth0`) is dropped. */
export function parseAddress(text: string): Uint8Array | null {
  if (text.length > 64) return null
  const plain = text.replace(/%.*$/, '')
  if (!plain.includes(':')) {
    const four = parseFour(plain)
    return four === null ? null : Uint8Array.from([...V4_PREFIX, ...four])
  }
  const halves = plain.split('::')
  if (halves.length > 2) return null
  const front = groupsOf(halves[0] ?? '', halves.length === 1)
  const back = halves.length === 2 ? groupsOf(halves[1] ?? '', true) : []
  if (front === null || back === null) return null
  const missing = 16 - front.length - back.length
  if (halves.length === 1 ? missing !== 0 : missing < 2) return null
  return Uint8Array.from([...front, ...Array<number>(missing).fill(0), ...back])
}

/** `address/prefix`; null when it is none. */
export function parseCidr(text: string): Cidr | null {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text)
  const base = parseAddress(match?.[1] ?? '')
  if (base === null) return null
  const prefixBits = Number(match?.[2]) + ((match?.[1] ?? '').includes(':') ? 0 : 96)
  return prefixBits > 128 ? null : { base, prefixBits }
}

export function isInside(address: Uint8Array, network: Cidr): boolean {
  for (let bit = 0; bit < network.prefixBits; bit += 8) {
    const mask = network.prefixBits - bit >= 8 ? 0xff : (0xff << (8 - (network.prefixBits - bit))) & 0xff
    if (((address[bit / 8] ?? 0) & mask) !== ((network.base[bit / 8] ?? 0) & mask)) return false
  }
  return true
}

const isV4 = (address: Uint8Array): boolean => V4_PREFIX.every((byte, index) => address[index] === byte)

/** 127.0.0.0/8 or ::1 */
export function isLoopback(address: Uint8Array): boolean {
  if (isV4(address)) return address[12] === 127
  return address.every((byte, index) => byte === (index === 15 ? 1 : 0))
}

/** 0.0.0.0 or :: */
export function isUnspecified(address: Uint8Array): boolean {
  return address.slice(isV4(address) ? 12 : 0).every((byte) => byte === 0)
}

function parseFour(text: string): number[] | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  const four = match?.slice(1).map(Number)
  return four === undefined || four.some((byte) => byte > 255) ? null : four
}

/** Hex groups; the last may be an IPv4 address where the whole address ends. */
function groupsOf(text: string, mayEndInFour: boolean): number[] | null {
  if (text === '') return []
  const bytes: number[] = []
  const groups = text.split(':')
  for (const [index, group] of groups.entries()) {
    const four = mayEndInFour && index === groups.length - 1 ? parseFour(group) : null
    if (four !== null) bytes.push(...four)
    else if (/^[0-9a-f]{1,4}$/i.test(group)) bytes.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff)
    else return null
  }
  return bytes
}
