/** One WebSocket that carries texts, the server's side: bounded in what it reads, what it keeps unsent, and how long it waits for a word. */
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { fromUtf8, utf8 } from '../../../base/index.ts'
import type { Cancel, Timers } from '../../../base/index.ts'
import { CLOSE, OPCODE, SocketReader, closeFrame, serverFrame } from '../../../base/websocket.ts'

/** A frame of 255 bytes is 510 letters of hex and some fields. */
const MAX_TEXT_BYTES = 16_384
const MAX_UNSENT_BYTES = 262_144
const BEAT_MS = 30_000
/** Beats without a word, a pong among them. */
const MAX_SILENT_BEATS = 3
/** For a peer to take our goodbye. */
const GOODBYE_MS = 5_000

export interface TextSocketHandlers {
  /** False: too much; the socket is closed for it. */
  onText(text: string): boolean
  onClose(): void
}

export class TextSocket {
  readonly #socket: Duplex
  readonly #handlers: TextSocketHandlers
  readonly #reader = new SocketReader(MAX_TEXT_BYTES, 'text')
  readonly #timers: Timers
  readonly #stopBeat: Cancel
  #silentBeats = 0
  #isOver = false

  /** `accept`: the value of Sec-WebSocket-Accept. `first`: what came behind the request. */
  constructor(socket: Duplex, accept: string, handlers: TextSocketHandlers, timers: Timers) {
    this.#socket = socket
    this.#handlers = handlers
    this.#timers = timers
    if ('setTimeout' in socket && typeof socket.setTimeout === 'function') socket.setTimeout(0) // the listener's own, for requests
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`)
    socket.on('close', () => this.#end())
    socket.on('end', () => socket.destroy())
    this.#stopBeat = timers.every(BEAT_MS, () => this.#beat())
  }

  /** From now on texts come; the caller has put things in order before. */
  start(first: Uint8Array): void {
    this.#socket.on('data', (chunk: Uint8Array) => this.#take(chunk))
    if (first.length > 0) this.#take(first)
  }

  send(text: string): void {
    this.#write(serverFrame(OPCODE.text, utf8(text)))
  }

  close(code: number): void {
    if (this.#isOver) return
    const socket = this.#socket
    if (socket.writable) {
      // One that does not read would keep its place for ever.
      const cancel = this.#timers.after(GOODBYE_MS, () => socket.destroy())
      socket.on('close', cancel)
      socket.end(closeFrame(code), () => socket.destroy())
    } else socket.destroy()
    this.#end()
  }

  #take(chunk: Uint8Array): void {
    if (this.#isOver) return
    this.#silentBeats = 0
    for (const event of this.#reader.take(chunk)) {
      if (this.#isOver) return
      if (event.type === 'close') return this.close(event.code)
      if (event.type === 'ping') this.#write(serverFrame(OPCODE.pong, event.bytes))
      if (event.type === 'message' && !this.#handlers.onText(fromUtf8(event.bytes))) return this.close(CLOSE.policy)
    }
  }

  #write(frame: Uint8Array): void {
    if (this.#isOver || !this.#socket.writable) return
    if (this.#socket.writableLength > MAX_UNSENT_BYTES) this.#socket.destroy()
    else this.#socket.write(frame)
  }

  #beat(): void {
    if (++this.#silentBeats > MAX_SILENT_BEATS) this.#socket.destroy()
    else this.#write(serverFrame(OPCODE.ping, new Uint8Array()))
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#stopBeat()
    this.#handlers.onClose()
  }
}

/** By hand: the request is not the HTTP server's any more. */
export function refuseUpgrade(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`, () => socket.destroy())
}
