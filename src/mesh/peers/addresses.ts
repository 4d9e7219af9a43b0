/**
 * Where a box can be reached, and which side that is. A link-local address is never one: a dial to it needs a zone, which
 * libp2p loses (performance.md §4). Text in and out is `/ip6/fd…/tcp/40003`, with or without `/p2p/…` behind.
 */
import { inputError } from '../../base/index.ts'
import type { PeerSide } from '../ports.ts'

const MAX_ADDRESS_CHARACTERS = 256
const ADDRESS = /^\/(ip4|ip6|dns4|dns6)\/([0-9a-zA-Z.:-]{1,253})\/tcp\/([0-9]{1,5})(?:\/p2p\/([1-9A-HJ-NP-Za-km-z]{1,128}))?$/
const IP4_BYTES = 4
const IP6_BYTES = 16
const MAPPED_PREFIX = '00000000000000000000ffff'

export interface PeerAddress {
  readonly kind: 'ip' | 'name'
  /** Without zone; IPv6 shortened as the kernel prints it is not promised: compare `key`. */
  readonly host: string
  readonly port: number
  readonly peerId: string | null
  /** Same place, same key. */
  readonly key: string
  /** For libp2p. */
  readonly text: string
}

/** A part of the address space, `fd12:3456::/48`. */
export interface Prefix {
  readonly bytes: Uint8Array
  readonly bits: number
}

/** Errors: input `address`: of a form or a kind that is not dialled. */
export function parseAddress(text: string): PeerAddress {
  const match = text.length > MAX_ADDRESS_CHARACTERS ? null : ADDRESS.exec(text)
  const [, protocol = '', host = '', digits = '', peerId] = match ?? []
  const port = Number(digits)
  if (match === null || port < 1 || port > 65_535) throw inputError('address', text, '/ip4|ip6|dns4|dns6/HOST/tcp/PORT, with /p2p/ID behind it or not')
  const kind = protocol.startsWith('dns') ? 'name' : 'ip'
  if (kind === 'ip') {
    const bytes = ipBytes(host)
    if (bytes === null || bytes.length !== (protocol === 'ip4' ? IP4_BYTES : IP6_BYTES)) throw inputError('address', text, `an ${protocol} address`)
    if (!isDiallable(bytes)) throw inputError('address', text, 'an address of one box that needs no zone')
  }
  return { kind, host, port, peerId: peerId ?? null, key: `${keyOf(host)}/${port}`, text }
}

/** Of an IP and a port. */
export function addressText(host: string, port: number): string {
  return `/${host.includes(':') ? 'ip6' : 'ip4'}/${host}/tcp/${port}`
}

/** Host of what libp2p says of the other end; null where that is no plain TCP address. */
export function hostOf(multiaddr: string): string | null {
  const [, protocol, host] = multiaddr.split('/', 3)
  return (protocol === 'ip4' || protocol === 'ip6') && host !== undefined && ipBytes(host) !== null ? host : null
}

/** Of the listening addresses, the port at `host`; null: it does not listen there. */
export function portAt(host: string, listening: readonly string[]): number | null {
  const key = keyOf(host)
  for (const text of listening) {
    const [, , there = '', , port = ''] = text.split('/')
    if (keyOf(there) === key && /^[0-9]+$/.test(port)) return Number(port)
  }
  return null
}

/** Errors: input `prefix`. */
export function parsePrefix(text: string): Prefix {
  const [host = '', digits = ''] = text.split('/', 2)
  const bytes = ipBytes(host)
  const bits = /^[0-9]{1,3}$/.test(digits) ? Number(digits) : Number.NaN
  if (bytes === null || !(bits >= 1 && bits <= 8 * bytes.length)) throw inputError('prefix', text, 'ADDRESS/BITS')
  return { bytes, bits }
}

/** Nobody outside has an address of the community's prefix: packets from there that claim one get no answer. */
export function sideOf(host: string, meshPrefixes: readonly Prefix[]): PeerSide {
  const bytes = ipBytes(host)
  return bytes !== null && meshPrefixes.some((prefix) => isWithin(bytes, prefix)) ? 'mesh' : 'internet'
}

export function isWithin(bytes: Uint8Array, prefix: Prefix): boolean {
  if (bytes.length !== prefix.bytes.length) return false
  for (let bit = 0; bit < prefix.bits; bit += 8) {
    const mask = 0xff & (0xff00 >> Math.min(8, prefix.bits - bit))
    if ((((bytes[bit >> 3] ?? 0) ^ (prefix.bytes[bit >> 3] ?? 0)) & mask) !== 0) return false
  }
  return true
}

/** RFC 4193: fc00::/7. */
export function isUniqueLocal(bytes: Uint8Array): boolean {
  return bytes.length === IP6_BYTES && ((bytes[0] ?? 0) & 0xfe) === 0xfc
}

/** 4 or 16 bytes, mapped IPv4 as its 4; null: no address, or one with a zone. */
export function ipBytes(host: string): Uint8Array | null {
  return host.includes(':') ? ip6Bytes(host) : ip4Bytes(host)
}

/** Eight groups, none shortened: one text for each address. */
export function ip6Text(bytes: Uint8Array): string {
  const groups: string[] = []
  for (let at = 0; at < IP6_BYTES; at += 2) groups.push((((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16))
  return groups.join(':')
}

function ip4Bytes(host: string): Uint8Array | null {
  const parts = host.split('.')
  if (parts.length !== IP4_BYTES || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256)) return null
  return Uint8Array.from(parts, Number)
}

function ip6Bytes(host: string): Uint8Array | null {
  const halves = host.split('::')
  if (halves.length > 2) return null
  const [head = '', tail] = halves
  const front = groupBytes(head)
  const back = tail === undefined ? [] : groupBytes(tail)
  if (front === null || back === null) return null
  const missing = IP6_BYTES - front.length - back.length
  if (tail === undefined ? missing !== 0 : missing < 2) return null
  const bytes = Uint8Array.from([...front, ...new Array<number>(missing).fill(0), ...back])
  return Buffer.from(bytes.subarray(0, 12)).toString('hex') === MAPPED_PREFIX ? bytes.slice(12) : bytes
}

function groupBytes(text: string): number[] | null {
  if (text === '') return []
  const bytes: number[] = []
  const groups = text.split(':')
  for (const [index, group] of groups.entries()) {
    if (index === groups.length - 1 && group.includes('.')) {
      const last = ip4Bytes(group)
      if (last === null) return null
      bytes.push(...last)
    } else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16)
      bytes.push(value >> 8, value & 0xff)
    } else return null
  }
  return bytes.length > IP6_BYTES ? null : bytes
}

/** Not of nobody, of everybody, or of one link only. */
function isDiallable(bytes: Uint8Array): boolean {
  const [first = 0, second = 0] = bytes
  if (bytes.length === IP4_BYTES) return first !== 0 && first < 224 && !(first === 169 && second === 254)
  if (first === 0xff || (first === 0xfe && (second & 0xc0) === 0x80)) return false
  return bytes.some((byte) => byte !== 0)
}

function keyOf(host: string): string {
  const bytes = ipBytes(host)
  return bytes === null ? host.toLowerCase() : Buffer.from(bytes).toString('hex')
}
