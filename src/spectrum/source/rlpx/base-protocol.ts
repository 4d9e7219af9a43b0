/**
 * devp2p's base protocol, version 5: Hello, Disconnect, Ping, Pong (codes 0 to 3; capabilities start at 16).
 * Only eth/63 is offered, so it always starts at 16.
 */
import { decodeRlp, encodeRlp, fromUtf8, inputError, integerBytes, utf8 } from '../../../base/index.ts'
import type { RlpItem } from '../../../base/index.ts'
import { bytesField, fixedField, integerField, listField } from '../../codec/fields.ts'
import { ETH_VERSION } from '../eth63.ts'
import { NODE_ID_BYTES } from './handshake.ts'

export const BASE_CODE = { hello: 0, disconnect: 1, ping: 2, pong: 3 } as const
export const CAPABILITY_OFFSET = 16
const BASE_VERSION = 5
/** From this version on, everything after Hello is packed with snappy. */
const SNAPPY_VERSION = 5
export const MAX_BASE_BYTES = 2048
const MAX_CAPABILITIES = 32
const MAX_NAME_BYTES = 256
const EMPTY_LIST = Uint8Array.of(0xc0)
export const EMPTY_PAYLOAD = EMPTY_LIST

/** Why a connection is ended, as told to the other side. */
export const DISCONNECT = {
  requested: 0x00,
  network: 0x01,
  breach: 0x02,
  useless: 0x03,
  tooManyPeers: 0x04,
  alreadyConnected: 0x05,
  incompatible: 0x06,
  nullIdentity: 0x07,
  quitting: 0x08,
  unexpectedIdentity: 0x09,
  self: 0x0a,
  timeout: 0x0b,
  subprotocol: 0x10,
} as const
export type DisconnectCode = (typeof DISCONNECT)[keyof typeof DISCONNECT]

export interface Hello {
  readonly version: number
  readonly clientName: string
  readonly capabilities: readonly { readonly name: string; readonly version: number }[]
  /** 0: it does not listen. */
  readonly listenPort: number
  /** 64 bytes. */
  readonly nodeId: Uint8Array
}

export function ourHello(clientName: string, listenPort: number, nodeId: Uint8Array): Hello {
  return { version: BASE_VERSION, clientName, capabilities: [{ name: 'eth', version: ETH_VERSION }], listenPort, nodeId }
}

export function encodeHello(hello: Hello): Uint8Array {
  const capabilities = hello.capabilities.map(({ name, version }): RlpItem => [utf8(name), integerBytes(version)])
  return encodeRlp([integerBytes(hello.version), utf8(hello.clientName), capabilities, integerBytes(hello.listenPort), hello.nodeId])
}

/** More fields than these are for later versions, and passed over. Errors: input `hello`. */
export function decodeHello(payload: Uint8Array): Hello {
  const fields = listField(decodeRlp(payload, { maxBytes: MAX_BASE_BYTES, maxItems: 16 + 3 * MAX_CAPABILITIES, maxDepth: 3 }, 'hello'), 'hello')
  const capabilities = listField(fields[2], 'hello.capabilities')
  if (capabilities.length > MAX_CAPABILITIES) throw inputError('hello.capabilities', `${capabilities.length} items`, `at most ${MAX_CAPABILITIES}`)
  return {
    version: Number(integerField(fields[0], 'hello.version', 4)),
    clientName: Buffer.from(bytesField(fields[1], 'hello.clientName', MAX_NAME_BYTES)).toString('utf8').replace(/[^\x20-\x7e]/g, '?'),
    capabilities: capabilities.map((item) => {
      const [name, version] = listField(item, 'hello.capability', 2)
      return { name: fromUtf8(bytesField(name, 'hello.capability.name', 32)), version: Number(integerField(version, 'hello.capability.version', 4)) }
    }),
    listenPort: Number(integerField(fields[3], 'hello.listenPort', 8)),
    nodeId: fixedField(fields[4], 'hello.nodeId', NODE_ID_BYTES).slice(),
  }
}

export function speaksEth63(hello: Hello): boolean {
  return hello.capabilities.some(({ name, version }) => name === 'eth' && version === ETH_VERSION)
}

export function usesSnappy(hello: Hello): boolean {
  return hello.version >= SNAPPY_VERSION
}

export function encodeDisconnect(code: DisconnectCode): Uint8Array {
  return encodeRlp([integerBytes(code)])
}

/** A list with the code, or the code alone, as some send it; null: neither. Its last words are no reason to fail. */
export function decodeDisconnect(payload: Uint8Array): number | null {
  const byte = payload.length === 2 && payload[0] === 0xc1 ? payload[1] : payload.length === 1 ? payload[0] : undefined
  if (byte === undefined || (byte > 0x7f && byte !== 0x80)) return null
  return byte === 0x80 ? 0 : byte
}
