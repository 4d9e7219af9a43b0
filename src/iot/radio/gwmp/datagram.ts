/**
 * Semtech's UDP protocol (GWMP), versions 1 and 2: the envelope. Lora-net/packet_forwarder, PROTOCOL.TXT.
 *
 *   version 1 | token 2 | kind 1 | gateway 8 | JSON
 *   0 PUSH_DATA  up, gateway and JSON        1 PUSH_ACK   down, nothing more
 *   2 PULL_DATA  up, gateway                 4 PULL_ACK   down, nothing more
 *   3 PULL_RESP  down, JSON                  5 TX_ACK     up, gateway, perhaps JSON; in version 2 only
 *
 * The token is two bytes that are given back as they came; whoever compares them compares bytes, not numbers, since implementations
 * disagree on their order. The gateway is 8 bytes, most significant first. Nothing is authenticated: a server believes this only on loopback.
 */
import { inputError, toHex } from '../../../base/index.ts'
import { euiBytes } from '../../lorawan/index.ts'
import type { Eui } from '../../ports.ts'

export type DatagramKind = 'push-data' | 'push-ack' | 'pull-data' | 'pull-resp' | 'pull-ack' | 'tx-ack'

/** By number on the wire. */
const KINDS: readonly DatagramKind[] = ['push-data', 'push-ack', 'pull-data', 'pull-resp', 'pull-ack', 'tx-ack']
const HEADER_BYTES = 4
const GATEWAY_BYTES = 8
/** Forwarders for sx1302 send up to 255 packets at once. */
export const MAX_DATAGRAM_BYTES = 65_507

export interface Datagram {
  readonly version: 1 | 2
  /** Two bytes as they came, as a number whose high byte was first. */
  readonly token: number
  readonly kind: DatagramKind
  /** Null where the kind has none. */
  readonly gateway: Eui | null
  /** JSON, without the NULs and blanks that some put after it; empty where there is none. A view of the datagram, not a copy. */
  readonly body: Uint8Array
}

const hasGateway = (kind: DatagramKind): boolean => kind === 'push-data' || kind === 'pull-data' || kind === 'tx-ack'

/** Errors: input `datagram`; nothing else is ever thrown on a peer's bytes. */
export function decodeDatagram(bytes: Uint8Array): Datagram {
  if (bytes.length < HEADER_BYTES || bytes.length > MAX_DATAGRAM_BYTES) throw inputError('datagram', `${bytes.length} bytes`, `${HEADER_BYTES} to ${MAX_DATAGRAM_BYTES} bytes`)
  const version = bytes[0]
  if (version !== 1 && version !== 2) throw inputError('datagram', `version ${version}`, 'version 1 or 2')
  const kind = KINDS[bytes[3] ?? 255]
  if (kind === undefined) throw inputError('datagram', `kind ${bytes[3]}`, 'kinds 0 to 5')
  const bodyAt = hasGateway(kind) ? HEADER_BYTES + GATEWAY_BYTES : HEADER_BYTES
  if (bytes.length < bodyAt) throw inputError('datagram', `${bytes.length} bytes`, `at least ${bodyAt} bytes for ${kind}`)
  return {
    version,
    token: (bytes[1] ?? 0) * 256 + (bytes[2] ?? 0),
    kind,
    gateway: hasGateway(kind) ? toHex(bytes.subarray(HEADER_BYTES, bodyAt)) : null,
    body: trimmed(bytes.subarray(bodyAt)),
  }
}

/** Errors: input. */
export function encodeDatagram(datagram: Datagram): Uint8Array {
  const { version, token, kind, gateway, body } = datagram
  if (!Number.isInteger(token) || token < 0 || token > 0xffff) throw inputError('token', token, '0 to 65535')
  if (hasGateway(kind) !== (gateway !== null)) throw inputError('gateway', gateway, hasGateway(kind) ? `a gateway for ${kind}` : `none for ${kind}`)
  const bodyAt = gateway === null ? HEADER_BYTES : HEADER_BYTES + GATEWAY_BYTES
  if (bodyAt + body.length > MAX_DATAGRAM_BYTES) throw inputError('datagram', `${bodyAt + body.length} bytes`, `at most ${MAX_DATAGRAM_BYTES} bytes`)
  const bytes = new Uint8Array(bodyAt + body.length)
  bytes.set([version, token >> 8, token & 0xff, KINDS.indexOf(kind)])
  if (gateway !== null) bytes.set(euiBytes(gateway, 'gateway'), HEADER_BYTES)
  bytes.set(body, bodyAt)
  return bytes
}

/**
 * The four bytes to answer at once, before anything is parsed; null when this is nothing to be acknowledged. A forwarder waits 100 ms
 * for it and counts what is missing.
 */
export function ackFor(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length < HEADER_BYTES + GATEWAY_BYTES || (bytes[0] !== 1 && bytes[0] !== 2)) return null
  const kind = KINDS[bytes[3] ?? 255]
  const answer = kind === 'push-data' ? 'push-ack' : kind === 'pull-data' ? 'pull-ack' : null
  if (answer === null) return null
  // Of Node's pool: a socket would take four bytes of the heap out of it first.
  const ack = Buffer.allocUnsafe(HEADER_BYTES)
  ack[0] = bytes[0]
  ack[1] = bytes[1] ?? 0
  ack[2] = bytes[2] ?? 0
  ack[3] = KINDS.indexOf(answer)
  return ack
}

function trimmed(body: Uint8Array): Uint8Array {
  let end = body.length
  while (end > 0 && (body[end - 1] === 0 || body[end - 1] === 0x20 || body[end - 1] === 0x0a || body[end - 1] === 0x0d)) end -= 1
  return body.subarray(0, end)
}
