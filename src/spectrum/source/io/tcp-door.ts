/** RLPx over TCP: sockets as wires. The kernel's buffers and the socket's own (64 KiB each way, Node's own bound) are all that is held below. */
import { createServer, connect } from 'node:net'
import type { Server, Socket } from 'node:net'
import { MeshBoxError } from '../../../base/index.ts'
import type { WireDoor } from '../eth63-node.ts'
import { closedError } from '../rlpx/wire.ts'
import type { Wire } from '../rlpx/wire.ts'

const DIAL_TIMEOUT_MS = 8_000
/** Sockets open at once, in both directions: above it, calls are not taken at all. */
const MAX_SOCKETS = 128

export class TcpDoor implements WireDoor {
  #server: Server | null = null
  readonly #sockets = new Set<Socket>()

  get openSockets(): number {
    return this.#sockets.size
  }

  listen(address: string, port: number, onWire: (wire: Wire) => void): Promise<number> {
    const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
      this.#track(socket)
      onWire(this.#wireOf(socket))
    })
    server.maxConnections = MAX_SOCKETS
    server.on('error', () => undefined) // one call that could not be taken (no descriptor left) is lost; that of listening is told below
    this.#server = server
    return new Promise((resolve, reject) => {
      server.once('error', (error) => reject(new MeshBoxError('unavailable', `cannot listen on ${address}:${port}: ${error.message}`, { code: 'cannot-listen', cause: error })))
      server.listen(port, address, () => {
        const bound = server.address()
        resolve(bound !== null && typeof bound === 'object' ? bound.port : port)
      })
    })
  }

  dial(address: string, port: number): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: address, port, noDelay: true, keepAlive: true })
      this.#track(socket)
      const timer = setTimeout(() => socket.destroy(), DIAL_TIMEOUT_MS)
      const failed = (error?: Error): void => {
        clearTimeout(timer)
        reject(new MeshBoxError('unavailable', `cannot connect to ${address}:${port}: ${error?.message ?? 'no answer'}`, { code: 'cannot-connect', cause: error }))
      }
      socket.once('connect', () => {
        clearTimeout(timer)
        resolve(this.#wireOf(socket))
      })
      socket.once('error', failed)
      socket.once('close', () => failed())
    })
  }

  async close(): Promise<void> {
    const server = this.#server
    this.#server = null
    const isClosed = new Promise<void>((resolve) => (server === null ? resolve() : server.close(() => resolve())))
    // What has been said goes out first: a peer is told that we quit.
    for (const socket of this.#sockets) socket.end()
    const patience = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, 250)
    await Promise.all([isClosed, ...[...this.#sockets].map((socket) => new Promise<void>((resolve) => (socket.destroyed ? resolve() : socket.once('close', () => resolve()))))])
    clearTimeout(patience)
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('error', () => undefined) // every error is followed by 'close', which the reader and the writer see
  }

  #wireOf(socket: Socket): Wire {
    return {
      remoteAddress: plainAddress(socket.remoteAddress ?? ''),
      remotePort: socket.remotePort ?? 0,
      incoming: socket,
      write: (bytes) => write(socket, bytes),
      end: () => socket.end(),
      destroy: () => socket.destroy(),
    }
  }
}

function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  if (socket.destroyed || !socket.writable) return Promise.reject(closedError('the wire is gone'))
  if (socket.write(bytes)) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const drained = (): void => {
      socket.off('close', gone)
      resolve()
    }
    const gone = (): void => {
      socket.off('drain', drained)
      reject(closedError('the wire is gone'))
    }
    socket.once('drain', drained)
    socket.once('close', gone)
  })
}

/** IPv4 as IPv4, also where the kernel shows it as IPv6. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}
