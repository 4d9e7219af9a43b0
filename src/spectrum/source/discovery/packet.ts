/**
 * Packets of discovery v4 as Spectrum sends them: the types are 10 to 13 instead of 1 to 4 (spec 4), so that its
 * nodes and Ethereum's do not find each other. No node records (ENR).
 *
 * | bytes | what |
 * |---|---|
 * | 0..31 | keccak256 of all that follows: the name of the packet |
 * | 32..96 | signature r ‖ s ‖ v (0 or 1) over keccak256 of all that follows it |
 * | 97 | type |
 * | 98.. | RLP list; more items than here, and bytes behind it, are for later versions and passed over |
 *
 * | type | | list |
 * |---|---|---|
 * | 10 | ping | [4, from, to, expiration] |
 * | 11 | pong | [to, name of the ping, expiration] |
 * | 12 | findnode | [target node id 64, expiration] |
 * | 13 | neighbours | [[address, udp, tcp, node id], …], expiration |
 *
 * `from` and `to` are [address 4 or 16 bytes, udp, tcp]; expiration is Unix time.
 */
import { concatBytes, decodeRlp, encodeRlp, equalBytesConstantTime, inputError, integerBytes } from '../../../base/index.ts'
import type { RlpItem } from '../../../base/index.ts'
import type { Secp256k1 } from '../../../native/index.ts'
import { HASH_BYTES, bytesField, fixedField, integerField, listField, safeIntegerField } from '../../codec/fields.ts'
import { bytesOfIpv6, isIpv4 } from '../enode.ts'
import type { Enode } from '../enode.ts'
import { extentAt } from '../raw-rlp.ts'
import { NODE_ID_BYTES } from '../rlpx/handshake.ts'

export const MAX_PACKET_BYTES = 1280
/** So many nodes with IPv6 addresses fit a packet. */
export const MAX_NEIGHBOURS = 12
export const DISCOVERY_VERSION = 4
const PACKET_TYPE = { ping: 10, pong: 11, findnode: 12, neighbours: 13 } as const

const SIGNATURE_BYTES = 65
const TYPE_AT = HASH_BYTES + SIGNATURE_BYTES
const MAX_PORT = 65_535
const MAX_ITEMS = 128

export interface Endpoint {
  /** IPv4 or IPv6 text; empty: not said. */
  readonly address: string
  readonly udpPort: number
  readonly tcpPort: number
}

export type Packet =
  | { readonly kind: 'ping'; readonly version: number; readonly from: Endpoint; readonly to: Endpoint; readonly expirationSeconds: number }
  | { readonly kind: 'pong'; readonly to: Endpoint; readonly pingHash: Uint8Array; readonly expirationSeconds: number }
  | { readonly kind: 'findnode'; readonly target: Uint8Array; readonly expirationSeconds: number }
  | { readonly kind: 'neighbours'; readonly nodes: readonly Enode[]; readonly expirationSeconds: number }

export interface Received {
  readonly packet: Packet
  /** 64 bytes: who signed. */
  readonly nodeId: Uint8Array
  /** 32 bytes: the packet's name. */
  readonly hash: Uint8Array
}

export function encodePacket(curve: Secp256k1, nodeKey: Uint8Array, packet: Packet): { readonly bytes: Uint8Array; readonly hash: Uint8Array } {
  const typed = concatBytes(Uint8Array.of(PACKET_TYPE[packet.kind]), encodeRlp(itemsOf(packet)))
  const signature = curve.sign(curve.keccak256(typed), nodeKey)
  signature[SIGNATURE_BYTES - 1] = (signature[SIGNATURE_BYTES - 1] ?? 0) - 27 // on the wire v is 0 or 1
  const signed = concatBytes(signature, typed)
  const hash = curve.keccak256(signed)
  return { bytes: concatBytes(hash, signed), hash }
}

/** Errors: input `packet`…, and nothing else, whatever the bytes are. */
export function decodePacket(curve: Secp256k1, bytes: Uint8Array): Received {
  if (bytes.length > MAX_PACKET_BYTES || bytes.length <= TYPE_AT + 1) throw inputError('packet', `${bytes.length} bytes`, `${TYPE_AT + 2} to ${MAX_PACKET_BYTES}`)
  const hash = bytes.slice(0, HASH_BYTES)
  if (!equalBytesConstantTime(curve.keccak256(bytes.subarray(HASH_BYTES)), hash)) throw inputError('packet', 'a wrong hash', 'the hash of what follows')
  const signature = bytes.slice(HASH_BYTES, TYPE_AT)
  const typed = bytes.slice(TYPE_AT)
  const packet = packetOf(typed)
  const publicKey = (signature[SIGNATURE_BYTES - 1] ?? 0) > 1 ? null : curve.recover(curve.keccak256(typed), signature, 'accept')
  if (publicKey === null) throw inputError('packet.signature', 'a signature of nobody', 'one by the sender')
  return { packet, nodeId: publicKey.slice(1), hash }
}

function itemsOf(packet: Packet): RlpItem {
  const expiration = integerBytes(packet.expirationSeconds)
  switch (packet.kind) {
    case 'ping':
      return [integerBytes(packet.version), endpointItem(packet.from), endpointItem(packet.to), expiration]
    case 'pong':
      return [endpointItem(packet.to), packet.pingHash, expiration]
    case 'findnode':
      return [packet.target, expiration]
    case 'neighbours':
      return [packet.nodes.map((node): RlpItem => [...endpointItem(node), node.nodeId]), expiration]
  }
}

function packetOf(typed: Uint8Array): Packet {
  const list = typed.subarray(1)
  const { end } = extentAt(list, 0, list.length, 'packet')
  const fields = listField(decodeRlp(list.subarray(0, end), { maxBytes: MAX_PACKET_BYTES, maxItems: MAX_ITEMS, maxDepth: 4 }, 'packet'), 'packet')
  const expiration = (at: number): number => safeIntegerField(fields[at], 'packet.expiration')
  switch (typed[0]) {
    case PACKET_TYPE.ping:
      return { kind: 'ping', version: Number(integerField(fields[0], 'ping.version', 4)), from: endpointOf(fields[1], 'ping.from'), to: endpointOf(fields[2], 'ping.to'), expirationSeconds: expiration(3) }
    case PACKET_TYPE.pong:
      return { kind: 'pong', to: endpointOf(fields[0], 'pong.to'), pingHash: fixedField(fields[1], 'pong.ping', HASH_BYTES).slice(), expirationSeconds: expiration(2) }
    case PACKET_TYPE.findnode:
      return { kind: 'findnode', target: fixedField(fields[0], 'findnode.target', NODE_ID_BYTES).slice(), expirationSeconds: expiration(1) }
    case PACKET_TYPE.neighbours:
      return { kind: 'neighbours', nodes: nodesOf(fields[0]), expirationSeconds: expiration(1) }
    default:
      throw inputError('packet.type', typed[0], '10 to 13')
  }
}

function nodesOf(item: RlpItem | undefined): readonly Enode[] {
  const nodes = listField(item, 'neighbours')
  if (nodes.length > 2 * MAX_NEIGHBOURS) throw inputError('neighbours', `${nodes.length} nodes`, `at most ${2 * MAX_NEIGHBOURS}`)
  return nodes.map((node) => {
    const fields = listField(node, 'neighbours.node')
    return { ...endpointOf(fields.slice(0, 3), 'neighbours.node'), nodeId: fixedField(fields[3], 'neighbours.nodeId', NODE_ID_BYTES).slice() }
  })
}

function endpointItem(endpoint: Endpoint): RlpItem[] {
  return [addressBytes(endpoint.address), integerBytes(endpoint.udpPort), integerBytes(endpoint.tcpPort)]
}

function endpointOf(item: RlpItem | undefined, field: string): Endpoint {
  const fields = listField(item, field)
  const address = bytesField(fields[0], `${field}.address`, 16)
  return { address: addressText(address, `${field}.address`), udpPort: portOf(fields[1], `${field}.udp`), tcpPort: portOf(fields[2], `${field}.tcp`) }
}

function portOf(item: RlpItem | undefined, field: string): number {
  // Some write a port in two bytes even where the first is zero.
  const bytes = bytesField(item, field, 2)
  const port = bytes.reduce((sum, byte) => sum * 256 + byte, 0)
  if (port > MAX_PORT) throw inputError(field, port, `at most ${MAX_PORT}`)
  return port
}

function addressBytes(address: string): Uint8Array {
  if (address === '') return new Uint8Array(0)
  if (isIpv4(address)) return new Uint8Array(address.split('.').map(Number))
  const bytes = bytesOfIpv6(address)
  if (bytes === null) throw inputError('address', address, 'IPv4 or IPv6')
  return bytes
}

function addressText(bytes: Uint8Array, field: string): string {
  if (bytes.length === 0) return ''
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) throw inputError(field, `${bytes.length} bytes`, '4 or 16')
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff
  if (isMapped) return bytes.subarray(12).join('.')
  return Array.from({ length: 8 }, (_, group) => (((bytes[2 * group] ?? 0) << 8) | (bytes[2 * group + 1] ?? 0)).toString(16)).join(':')
}
