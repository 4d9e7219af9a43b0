/** `enode://<128 hex digits>@<address>:<tcp port>[?discport=<udp port>]`: where a node is, and the key it must prove. */
import { fromHex, inputError, toHex } from '../../base/index.ts'
import { NODE_ID_BYTES } from './rlpx/handshake.ts'

export interface Enode {
  /** 64 bytes: the public key without its first byte. */
  readonly nodeId: Uint8Array
  /** IPv4, or IPv6 without brackets. Names are not looked up. */
  readonly address: string
  readonly tcpPort: number
  readonly udpPort: number
}

const SCHEME = 'enode://'
const PORT = 65_535

/** Errors: input `enode`, saying which part. */
export function parseEnode(url: string): Enode {
  if (!url.startsWith(SCHEME)) throw inputError('enode', url, 'enode://<node id>@<address>:<port>')
  const [, id, host, port, discport] = /^([^@]*)@(.*?):(\d*)(?:\?discport=(\d+))?$/.exec(url.slice(SCHEME.length)) ?? []
  if (id === undefined || host === undefined || port === undefined) throw inputError('enode', url, 'enode://<node id>@<address>:<port>, and ?discport=<port> where UDP has another')
  if (!/^[0-9a-fA-F]*$/.test(id) || id.length !== 2 * NODE_ID_BYTES) throw inputError('enode.nodeId', `${id.length} characters: ${id}`, `${2 * NODE_ID_BYTES} hex digits`)
  const address = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  const isV6 = host !== address
  if (isV6 ? !isIpv6(address) : !isIpv4(address)) throw inputError('enode.address', host, 'an IPv4 address, or an IPv6 address in brackets; no name')
  const tcpPort = portOf('enode.port', port)
  return { nodeId: fromHex(id), address, tcpPort, udpPort: discport === undefined ? tcpPort : portOf('enode.discport', discport) }
}

export function formatEnode(node: Enode): string {
  const host = node.address.includes(':') ? `[${node.address}]` : node.address
  return `${SCHEME}${toHex(node.nodeId)}@${host}:${node.tcpPort}${node.udpPort === node.tcpPort ? '' : `?discport=${node.udpPort}`}`
}

function portOf(field: string, text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > PORT) throw inputError(field, text, `1 to ${PORT}`)
  return port
}

export function isIpv4(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
}

function isIpv6(text: string): boolean {
  return bytesOfIpv6(text) !== null
}

/** 16 bytes; null: no address. No zone, no IPv4 in the end. */
export function bytesOfIpv6(text: string): Uint8Array | null {
  const halves = text.split('::')
  if (halves.length > 2 || !/^[0-9a-fA-F:]+$/.test(text)) return null
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const gap = 8 - head.length - tail.length
  if (halves.length === 2 ? gap < 1 : gap !== 0) return null
  const groups = [...head, ...Array.from({ length: gap }, () => '0'), ...tail]
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return null
  return new Uint8Array(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]))
}
