/** A box that sells by the second, for a browser: the payee's desk behind HTTP and WebSocket (RFC 6455, binary messages only). */
import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { silentLog } from '../../../src/base/index.ts'
import type { Address } from '../../../src/base/index.ts'
import { PayeeDesk, PollingPeer, nodeSha256 } from '../../../src/photon/stream/index.ts'
import type { StreamDeskDeps } from '../../../src/photon/stream/index.ts'
import { streamSigner } from '../../../src/web/stream/index.ts'
import { PaperJournal, TickService, accountOf, termsWith } from '../../unit/photon-stream/stream-town.ts'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const BOX = streamSigner(new Uint8Array(32).fill(0x42))

export class StreamBox {
  readonly service = new TickService()
  readonly terms = termsWith()
  readonly payee = BOX.address
  readonly desk: PayeeDesk
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #polling = new PollingPeer('phone')
  readonly #beat: NodeJS.Timeout
  /** How frames came. */
  readonly ways = { socket: 0, post: 0 }
  page: () => string = () => ''

  constructor(script: string, hasSocket: boolean) {
    const deps: StreamDeskDeps = {
      sha256: nodeSha256,
      recover: BOX.recover,
      sign: BOX.sign,
      clock: { bootId: 'one', boottimeMs: () => performance.now(), wallMs: () => Date.now(), isWallTrusted: () => true },
      timers: {
        after: (delayMs, run) => {
          const timer = setTimeout(run, delayMs)
          return () => clearTimeout(timer)
        },
        every: (intervalMs, run) => {
          const timer = setInterval(run, intervalMs)
          return () => clearInterval(timer)
        },
      },
      randomness: { bytes: (length) => new Uint8Array(randomBytes(length)) },
      log: silentLog,
      terms: () => this.terms,
      account: (payer) => accountOf(payer, undefined, BOX.address),
      wrongSignatures: { burst: 200, perSecond: 40 },
      paid: () => null,
      claimFacts: () => ({ claimed: 0n, isClosing: false }),
      service: this.service,
      journal: new PaperJournal(),
      policy: () => ({ flush: { everyMs: 60_000, value: 1n << 60n }, claim: { threshold: 1n << 100n, lowDeposit: 0n }, idleMs: 600_000 }),
      note: () => undefined,
      claim: () => undefined,
    }
    this.desk = new PayeeDesk(deps)
    this.desk.start()
    this.#beat = setInterval(() => this.service.second(), 1000)
    this.#server = createServer((request, response) => {
      if (request.url === '/stream' && request.method === 'POST') {
        const chunks: Buffer[] = []
        request.on('data', (chunk: Buffer) => chunks.push(chunk))
        request.on('end', () => {
          const body = Buffer.concat(chunks)
          if (body.length > 0) this.ways.post++
          this.desk.receive(this.#polling, body)
          // What follows from the frames may wait for the disk: that comes with the next answer.
          void this.desk.quiet().then(() => response.writeHead(200, { 'Content-Type': 'application/octet-stream' }).end(this.#polling.take()))
        })
      } else if (request.url === '/stream.js') response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(script)
      else response.writeHead(200, { 'Content-Type': 'text/html' }).end(this.page())
    })
    this.#server.on('upgrade', (request, socket: Socket) => {
      if (!hasSocket) {
        socket.destroy()
        return
      }
      const accept = createHash('sha1').update(`${request.headers['sec-websocket-key'] ?? ''}${GUID}`).digest('base64')
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`)
      this.#serve(socket)
    })
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return (this.#server.address() as AddressInfo).port
  }

  /** As when a phone walks out of reach and comes back. */
  dropSockets(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    clearInterval(this.#beat)
    await this.desk.stop()
    this.dropSockets()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    const peer = { device: 'phone', send: (bytes: Uint8Array) => void socket.write(binaryMessage(bytes)) }
    let waiting = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      waiting = Buffer.concat([waiting, chunk])
      for (let message = takeMessage(waiting); message !== null; message = takeMessage(waiting)) {
        waiting = waiting.subarray(message.size)
        if (message.opcode === 8) socket.end()
        if (message.opcode !== 2) continue
        this.ways.socket++
        this.desk.receive(peer, message.payload)
      }
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
  }
}

export function channelIdOfBox(payer: Address): `0x${string}` {
  return accountOf(payer, undefined, BOX.address).channel
}

function binaryMessage(payload: Uint8Array): Buffer {
  const head = payload.length < 126 ? Buffer.of(0x82, payload.length) : Buffer.of(0x82, 126, payload.length >> 8, payload.length & 255)
  return Buffer.concat([head, payload])
}

/** The first whole message of a client, which masks what it sends; null: more must come. */
function takeMessage(bytes: Buffer): { opcode: number; payload: Buffer; size: number } | null {
  if (bytes.length < 6) return null
  const short = bytes.readUInt8(1) & 127
  const at = short === 126 ? 4 : 2
  if (bytes.length < at + 4) return null
  const length = short === 126 ? bytes.readUInt16BE(2) : short
  const mask = bytes.subarray(at, at + 4)
  if (bytes.length < at + 4 + length) return null
  const payload = Buffer.from(bytes.subarray(at + 4, at + 4 + length).map((byte, index) => byte ^ (mask[index % 4] ?? 0)))
  return { opcode: bytes.readUInt8(0) & 15, payload, size: at + 4 + length }
}
