/**
 * A WebSocket, pure: what a browser needs to carry binary messages, or a gateway to carry texts (RFC 6455); the client's side for texts to a
 * server of somebody else's. No extensions, no subprotocols; one kind of message each. A message is bounded before anything is kept of it, and
 * bytes that are no WebSocket close it.
 */
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11' // section 1.3
const KEY = /^[A-Za-z0-9+/]{22}==$/
const MAX_CONTROL_BYTES = 125
/** Of a message; browsers send whole ones. */
const MAX_PARTS = 16

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const
/** Section 7.4.1. */
export const CLOSE = { normal: 1000, away: 1001, protocol: 1002, unsupported: 1003, notUtf8: 1007, policy: 1008, tooBig: 1009 } as const

export interface UpgradeRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** `Sec-WebSocket-Accept` of a request for a WebSocket of version 13; null if it is none. */
export function acceptOf({ method, headers }: UpgradeRequest): string | null {
  const { upgrade, 'sec-websocket-key': key, 'sec-websocket-version': version } = headers
  const isAsked = method === 'GET' && typeof upgrade === 'string' && upgrade.toLowerCase() === 'websocket' && version === '13'
  if (!isAsked || typeof key !== 'string' || !KEY.test(key)) return null
  return acceptFor(key)
}

/** `Sec-WebSocket-Accept` that a server must answer this `Sec-WebSocket-Key` with. */
export function acceptFor(key: string): string {
  return createHash('sha1').update(key + GUID).digest('base64')
}

/** One unmasked frame, as servers send them. `payload`: at most 65,535 bytes. */
export function serverFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const isShort = payload.length <= MAX_CONTROL_BYTES
  const out = new Uint8Array((isShort ? 2 : 4) + payload.length)
  out[0] = 0x80 | opcode
  if (isShort) out[1] = payload.length
  else out.set([126, payload.length >> 8, payload.length & 0xff], 1)
  out.set(payload, out.length - payload.length)
  return out
}

/** One frame as clients send them. `payload`: at most 65,535 bytes; `mask`: 4 bytes nobody can foresee (5.3). */
export function clientFrame(opcode: number, payload: Uint8Array, mask: Uint8Array): Uint8Array {
  const plain = serverFrame(opcode, payload)
  const headBytes = plain.length - payload.length
  const out = new Uint8Array(plain.length + mask.length)
  out.set(plain.subarray(0, headBytes))
  out[1] = 0x80 | (plain[1] ?? 0)
  out.set(mask, headBytes)
  for (let index = 0; index < payload.length; index++) out[headBytes + 4 + index] = (payload[index] ?? 0) ^ (mask[index & 3] ?? 0)
  return out
}

export function closeFrame(code: number): Uint8Array {
  return serverFrame(OPCODE.close, Uint8Array.of(code >> 8, code & 0xff))
}

export type SocketEvent =
  /** Of the one kind that is read; a text's bytes are UTF-8. */
  | { readonly type: 'message'; readonly bytes: Uint8Array }
  | { readonly type: 'ping'; readonly bytes: Uint8Array }
  | { readonly type: 'pong'; readonly bytes: Uint8Array }
  /** Nothing more is read. `code`: what to answer with. */
  | { readonly type: 'close'; readonly code: number }

interface Head {
  readonly isLast: boolean
  readonly opcode: number
  readonly length: number
  /** Of head and mask. */
  readonly size: number
}

/** Reads what the other side sends, in pieces of any size; keeps at most one message and one frame's head. */
export class SocketReader {
  readonly #maxBytes: number
  readonly #reads: 'binary' | 'text'
  readonly #maskBytes: 0 | 4
  #waiting: Uint8Array = new Uint8Array()
  /** The parts of a message so far; null: none is open. */
  #parts: Uint8Array[] | null = null
  #partsBytes = 0
  #isOver = false

  /** `maxBytes`: of a message, its parts together; less than 65,536. `reads`: messages of the other kind close it. `from`: who speaks. */
  constructor(maxBytes: number, reads: 'binary' | 'text' = 'binary', from: 'client' | 'server' = 'client') {
    this.#maxBytes = maxBytes
    this.#reads = reads
    this.#maskBytes = from === 'client' ? 4 : 0
  }

  take(chunk: Uint8Array): SocketEvent[] {
    const events: SocketEvent[] = []
    if (this.#isOver) return events
    let bytes = this.#waiting.length === 0 ? chunk : joined([this.#waiting, chunk])
    for (;;) {
      const head = this.#headOf(bytes)
      if (head === 'more') break
      if (typeof head === 'number') return this.#end(events, head)
      if (bytes.length < head.size + head.length) break
      const event = this.#frame(head, this.#maskBytes === 0 ? bytes.slice(head.size, head.size + head.length) : unmasked(bytes, head))
      bytes = bytes.subarray(head.size + head.length)
      if (event?.type === 'close') return this.#end(events, event.code)
      if (event !== null) events.push(event)
    }
    // A copy: what a socket hands over is part of a larger buffer that would be kept for a few bytes.
    this.#waiting = bytes.slice()
    return events
  }

  /** A number: the code to close with, before the frame's payload is waited for. */
  #headOf(bytes: Uint8Array): Head | 'more' | number {
    const [first, second] = bytes
    if (first === undefined || second === undefined) return 'more'
    const [isLast, opcode, short] = [(first & 0x80) !== 0, first & 0x0f, second & 0x7f]
    const isControl = opcode >= OPCODE.close
    // Bits of extensions nobody agreed on; frames of a client that are not masked, or of a server that are (5.1); control frames in parts or long (5.5).
    if ((first & 0x70) !== 0 || (second & 0x80) !== 0 !== (this.#maskBytes === 4) || (isControl && (!isLast || short > MAX_CONTROL_BYTES))) return CLOSE.protocol
    if (opcode === (this.#reads === 'text' ? OPCODE.binary : OPCODE.text)) return CLOSE.unsupported
    if (!Object.values<number>(OPCODE).includes(opcode)) return CLOSE.protocol
    if (!isControl && (opcode === OPCODE.continuation) !== (this.#parts !== null)) return CLOSE.protocol
    if (short === 127) return CLOSE.tooBig // more than 65,535 bytes, or a length that is longer than it needs to be
    const at = short === 126 ? 4 : 2
    if (bytes.length < at) return 'more'
    const length = short === 126 ? ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0) : short
    if (short === 126 && length <= MAX_CONTROL_BYTES) return CLOSE.protocol
    if (!isControl && this.#partsBytes + length > this.#maxBytes) return CLOSE.tooBig
    return { isLast, opcode, length, size: at + this.#maskBytes }
  }

  #frame({ isLast, opcode }: Head, payload: Uint8Array): SocketEvent | null {
    if (opcode === OPCODE.close) return { type: 'close', code: CLOSE.normal }
    if (opcode === OPCODE.ping) return { type: 'ping', bytes: payload }
    if (opcode === OPCODE.pong) return { type: 'pong', bytes: payload }
    const parts = [...(this.#parts ?? []), payload]
    if (!isLast) {
      if (parts.length > MAX_PARTS) return { type: 'close', code: CLOSE.policy }
      this.#parts = parts
      this.#partsBytes += payload.length
      return null
    }
    this.#parts = null
    this.#partsBytes = 0
    const bytes = joined(parts)
    // Section 8.1: a text that is none closes the connection.
    return this.#reads === 'text' && !isUtf8(bytes) ? { type: 'close', code: CLOSE.notUtf8 } : { type: 'message', bytes }
  }

  #end(events: SocketEvent[], code: number): SocketEvent[] {
    this.#isOver = true
    this.#waiting = new Uint8Array()
    this.#parts = null
    return [...events, { type: 'close', code }]
  }
}

function unmasked(bytes: Uint8Array, { size, length }: Head): Uint8Array {
  const out = bytes.slice(size, size + length)
  for (let index = 0; index < length; index++) out[index] = (out[index] ?? 0) ^ (bytes[size - 4 + (index & 3)] ?? 0)
  return out
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1 && parts[0] !== undefined) return parts[0]
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
