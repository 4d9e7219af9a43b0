/**
 * The bytes between the package and its broker, with a door beside them: PUBLISH packets of ours go out between those of the package, those of one
 * turn of the event loop in one write, and the PUBACKs come back to us. The package publishes nothing, so all of them are ours.
 */
import { connect as connectTcp, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { secureContextOf } from '../../io/server-tls.ts'
import type { DestinationTls } from '../../ports.ts'
import { PubackSieve } from '../publish-packet.ts'

const PORTS: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'tcp:': 1883, 'mqtts:': 8883, 'ssl:': 8883 }

/** Of the broker at once: PUBACKs, mostly. */
const READ_BYTES = 16 * 1024

/** Gets bytes that are overwritten when it has returned. False: no more until the socket is resumed. */
type Hear = (bytes: Buffer) => boolean

/** Errors: TypeError for what is no URL, or none of mqtt, tcp, mqtts, ssl; input for certificates that TLS does not take. */
export function openBrokerSocket(url: string, tls: DestinationTls | null, hear: Hear): Socket {
  const { protocol, hostname, port } = new URL(url)
  const usual = PORTS[protocol]
  if (usual === undefined) throw new TypeError(`${protocol} is no way to a broker; allowed: mqtt:, mqtts:`)
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  const bytes = Buffer.allocUnsafe(READ_BYTES)
  const callback = (length: number): boolean => hear(bytes.subarray(0, length))
  // One buffer for all reads: without, Node asks for 64 KiB each time, and gives most of it back.
  const to = { host, port: port === '' ? usual : Number(port), onread: { buffer: bytes, callback } }
  if (usual === 1883) return connectTcp(to)
  return connectTls({ ...to, ...(isIP(host) === 0 ? { servername: host } : {}), rejectUnauthorized: true, ...(tls === null ? {} : { secureContext: secureContextOf(tls) }) })
}

export class BrokerStream extends Duplex {
  readonly #socket: Socket
  #batch: Buffer[] = []
  #batchBytes = 0

  /** Errors: what `open` throws. */
  constructor(open: (hear: Hear) => Socket, acknowledged: (id: number, reason: number) => void) {
    super()
    let hasRoom = true
    const sieve = new PubackSieve(acknowledged, (bytes) => {
      hasRoom = this.push(Buffer.from(bytes))
    })
    const socket = open((bytes) => {
      hasRoom = true
      sieve.take(bytes)
      return hasRoom
    })
    this.#socket = socket
    socket.setNoDelay(true)
    socket.resume() // its end is told only while it is read
    socket.on('end', () => this.push(null))
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', () => this.destroy())
  }

  /** What was given and is not with the kernel yet. */
  get backlogBytes(): number {
    return this.#batchBytes + this.#socket.writableLength
  }

  /** One whole packet. */
  send(packet: Buffer): void {
    this.#batchBytes += packet.length
    if (this.#batch.push(packet) === 1) process.nextTick(() => this.#flush())
  }

  #flush(): void {
    const [only] = this.#batch
    if (only === undefined || this.#socket.destroyed) return
    this.#socket.write(this.#batch.length === 1 ? only : Buffer.concat(this.#batch, this.#batchBytes))
    this.#batch = []
    this.#batchBytes = 0
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done)
  }

  /** The package holds a packet's pieces together until it is whole. */
  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#flush()
    this.#socket.end(() => done())
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }
}
