/** The client's side of a WebSocket that carries texts, over TCP or TLS: bounded in what it reads and what it keeps unsent. No redirections. */
import { randomBytes } from 'node:crypto'
import { request as requestPlain } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { request as requestTls } from 'node:https'
import type { Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import { fromUtf8, utf8 } from '../../../base/index.ts'
import { CLOSE, OPCODE, SocketReader, acceptFor, clientFrame, closeFrame } from '../../../base/websocket.ts'
import type { ServerPlace, ServerSocket, ServerSocketHandlers } from '../northbound/station/link.ts'

/** A configuration for 72 channels on nine boards is 10 KiB. */
const MAX_TEXT_BYTES = 32_768
const MAX_UNSENT_BYTES = 262_144
const MAX_HEADER_BYTES = 8_192
const KEY_BYTES = 16
const MASK_BYTES = 4
const CLOSE_CODE_AT = 2
/** For a peer to take our goodbye. */
const GOODBYE_MS = 5_000

/** `context`: for `wss:`, whom to believe and what to show; null: as Node does it. */
export function openTextClient({ url, authorization }: ServerPlace, handlers: ServerSocketHandlers, context: SecureContext | null = null): ServerSocket {
  return new TextClient(url, authorization, handlers, context)
}

class TextClient implements ServerSocket {
  readonly #handlers: ServerSocketHandlers
  readonly #reader = new SocketReader(MAX_TEXT_BYTES, 'text', 'server')
  readonly #request: ReturnType<typeof requestPlain>
  #socket: Socket | null = null
  #isOver = false

  constructor(url: string, authorization: string | null, handlers: ServerSocketHandlers, context: SecureContext | null) {
    this.#handlers = handlers
    const place = new URL(url)
    const key = randomBytes(KEY_BYTES).toString('base64')
    const isTls = place.protocol === 'wss:'
    place.protocol = isTls ? 'https:' : 'http:'
    this.#request = (isTls ? requestTls : requestPlain)(place, {
      agent: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      ...(isTls ? { rejectUnauthorized: true, ...(context === null ? {} : { secureContext: context }) } : {}),
      headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': key, ...(authorization === null ? {} : { Authorization: authorization }) },
    })
    this.#request.on('error', (error) => this.#end(error.message))
    this.#request.on('response', ({ statusCode }) => this.#end(`it answers ${statusCode ?? 'nothing'} where a WebSocket was asked for`))
    this.#request.on('upgrade', (response: IncomingMessage, socket: Socket, first: Buffer) => this.#begin(response, socket, first, acceptFor(key)))
    this.#request.on('close', () => {
      if (this.#socket === null) this.#end('it closed')
    })
    this.#request.end()
  }

  send(text: string): void {
    this.#write(OPCODE.text, utf8(text))
  }

  ping(bytes: Uint8Array): void {
    this.#write(OPCODE.ping, bytes)
  }

  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#leave(CLOSE.normal)
  }

  #begin({ headers }: IncomingMessage, socket: Socket, first: Buffer, accept: string): void {
    socket.on('error', (error) => this.#end(error.message))
    if (this.#isOver) return void socket.destroy()
    this.#socket = socket
    if (headers.upgrade?.toLowerCase() !== 'websocket' || headers['sec-websocket-accept'] !== accept || headers['sec-websocket-extensions'] !== undefined) return this.#end('it does not speak WebSocket')
    socket.setNoDelay(true)
    socket.on('close', () => this.#end('it closed the connection'))
    socket.on('end', () => socket.destroy())
    socket.on('data', (chunk: Uint8Array) => this.#take(chunk))
    this.#handlers.onOpen()
    if (first.length > 0) this.#take(first)
  }

  #take(chunk: Uint8Array): void {
    if (this.#isOver) return
    for (const event of this.#reader.take(chunk)) {
      if (this.#isOver) return
      if (event.type === 'close') return this.#end(`it closed, or sent what is no WebSocket text (${event.code})`, event.code)
      if (!this.#handlers.mayTake()) return this.#end('it says too much', CLOSE.policy)
      if (event.type === 'ping') this.#write(OPCODE.pong, event.bytes)
      if (event.type === 'pong') this.#handlers.onPong(event.bytes)
      if (event.type === 'message') this.#handlers.onText(fromUtf8(event.bytes))
    }
  }

  #write(opcode: number, payload: Uint8Array): void {
    const socket = this.#socket
    if (this.#isOver || socket === null || !socket.writable) return
    if (socket.writableLength > MAX_UNSENT_BYTES) this.#end('it does not read')
    else socket.write(clientFrame(opcode, payload, randomBytes(MASK_BYTES)))
  }

  #end(reason: string, code: number | null = null): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#leave(code)
    this.#handlers.onEnd(reason)
  }

  /** `code`: of our goodbye; null: none. */
  #leave(code: number | null): void {
    const socket = this.#socket
    if (code === null || socket?.writable !== true) {
      socket?.destroy()
      return void this.#request.destroy()
    }
    socket.pause()
    socket.setTimeout(GOODBYE_MS, () => socket.destroy())
    socket.write(clientFrame(OPCODE.close, closeFrame(code).subarray(CLOSE_CODE_AT), randomBytes(MASK_BYTES)), () => socket.destroy())
  }
}
