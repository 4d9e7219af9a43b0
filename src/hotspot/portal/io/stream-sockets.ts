/**
 * Guests' WebSockets: who asked was found out by the reception as for any request, so a socket belongs to one device for
 * its life. A device has a few, all together have a bound; one that does not read, or says nothing, is closed.
 */
import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { asError, type Log, type Timers } from '../../../base/index.ts'
import type { MacAddress } from '../../gate/types.ts'
import { plainPage, type Answer } from '../answer.ts'
import type { Reception, RequestHead } from '../reception.ts'
import { MAX_STREAM_BYTES } from '../stream-desk.ts'
import type { StreamDesk } from '../stream-desk.ts'
import { CLOSE, OPCODE, SocketReader, closeFrame, serverFrame } from '../../../base/websocket.ts'

const MAX_SOCKETS = 1024
/** A page that was loaded anew leaves one behind that has not noticed. The oldest gives way. */
const MAX_PER_DEVICE = 3
const BEAT_MS = 20_000
/** Beats without a word, a pong among them. */
const MAX_SILENT_BEATS = 3
/** What waits for a guest who does not read. */
const MAX_UNSENT_BYTES = 65_536

interface Open {
  readonly mac: MacAddress
  readonly socket: Duplex
  silentBeats: number
}

export class StreamSockets {
  readonly #desk: StreamDesk
  readonly #log: Log
  /** In the order they came. */
  readonly #open = new Set<Open>()
  readonly #stopBeat: () => void
  #isClosed = false

  constructor(desk: StreamDesk, timers: Timers, log: Log) {
    this.#desk = desk
    this.#log = log
    this.#stopBeat = timers.every(BEAT_MS, () => this.#beat())
  }

  get size(): number {
    return this.#open.size
  }

  /** Node hands over the connection: all of it is ours from here. */
  attach(server: Server, reception: Reception, headOf: (request: IncomingMessage) => RequestHead): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, first: Buffer) => {
      socket.on('error', () => socket.destroy())
      reception.upgrade(headOf(request)).then(
        (outcome) => {
          if (socket.destroyed) return
          if ('status' in outcome) return refuse(socket, outcome)
          if (this.#isClosed || this.#open.size >= MAX_SOCKETS) return refuse(socket, plainPage(503, '<title>Wi-Fi</title>', '', { 'Retry-After': '60' }))
          socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${outcome.accept}\r\n\r\n`)
          this.#serve(outcome.mac, socket, first)
        },
        (thrown: unknown) => {
          this.#log.error('a stream could not be connected', { error: asError(thrown) })
          socket.destroy()
        },
      )
    })
  }

  /** Before the listeners close: Node does not count these among its own. */
  closeAll(): void {
    this.#stopBeat()
    this.#isClosed = true
    for (const open of this.#open) this.#close(open, CLOSE.away)
  }

  #serve(mac: MacAddress, socket: Duplex, first: Uint8Array): void {
    const own = [...this.#open].filter((other) => other.mac === mac)
    for (const old of own.slice(0, Math.max(0, own.length - MAX_PER_DEVICE + 1))) this.#close(old, CLOSE.policy)
    const open: Open = { mac, socket, silentBeats: 0 }
    this.#open.add(open)
    if ('setTimeout' in socket && typeof socket.setTimeout === 'function') socket.setTimeout(0) // the listener's own, for requests
    const reader = new SocketReader(MAX_STREAM_BYTES)
    const peer = { device: mac, send: (frames: Uint8Array): void => this.#send(open, serverFrame(OPCODE.binary, frames)) }
    const take = (chunk: Uint8Array): void => {
      open.silentBeats = 0
      for (const event of reader.take(chunk)) {
        if (!this.#open.has(open)) return
        if (event.type === 'close') this.#close(open, event.code)
        else if (event.type === 'ping') this.#limited(open, event.bytes.length, () => this.#send(open, serverFrame(OPCODE.pong, event.bytes)))
        else if (event.type === 'message') this.#limited(open, event.bytes.length, () => this.#desk.receive(peer, event.bytes))
      }
    }
    socket.on('data', take)
    socket.on('close', () => this.#open.delete(open))
    socket.on('end', () => socket.destroy())
    if (first.length > 0) take(first)
  }

  #limited(open: Open, bytes: number, run: () => void): void {
    if (this.#desk.admit(open.mac, bytes) > 0) this.#close(open, CLOSE.policy)
    else run()
  }

  #send({ socket }: Open, frame: Uint8Array): void {
    if (socket.destroyed || !socket.writable) return
    if (socket.writableLength > MAX_UNSENT_BYTES) socket.destroy()
    else socket.write(frame)
  }

  #close(open: Open, code: number): void {
    this.#open.delete(open)
    if (open.socket.writable) open.socket.end(closeFrame(code), () => open.socket.destroy())
    else open.socket.destroy()
  }

  #beat(): void {
    for (const open of this.#open)
      if (++open.silentBeats > MAX_SILENT_BEATS) open.socket.destroy()
      else this.#send(open, serverFrame(OPCODE.ping, new Uint8Array()))
  }
}

/** By hand: the request is not the HTTP server's any more. */
function refuse(socket: Duplex, { status, headers, body, bytes }: Answer): void {
  const content = Buffer.from(bytes ?? Buffer.from(body))
  const lines = Object.entries({ ...headers, 'Content-Length': String(content.length), Connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\n${lines.join('')}\r\n`, 'latin1')
  socket.end(Buffer.concat([head, content]), () => socket.destroy())
}
