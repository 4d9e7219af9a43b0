/**
 * The door of Basics Station: WebSockets for discovery (`/router-info`) and frames (`/gateway/<eui>`), and CUPS (`POST /update-info`), over TCP
 * or TLS as configured.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { BlockList, isIP } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { TlsOptions } from 'node:tls'
import { MeshBoxError, RateLimit, asError, fromUtf8, httpStatus } from '../../../base/index.ts'
import type { Clock, Log, Timers } from '../../../base/index.ts'
import { CLOSE, acceptOf } from '../../../base/websocket.ts'
import type { Downlink, Eui, Gateway, IotSettings } from '../../ports.ts'
import { answerUpdate, readUpdateRequest } from '../cups/update-info.ts'
import type { UpdatePlan, UpdateRequest } from '../cups/update-info.ts'
import type { RadioDoor, RadioSink, RadioTxAck } from '../door.ts'
import { routerIdOf } from '../station/router-id.ts'
import type { StationSession } from '../station/session.ts'
import { StationDesk } from '../station/station-desk.ts'
import type { Credentials } from '../station/station-desk.ts'
import { TextSocket, refuseUpgrade } from './text-socket.ts'

const MAX_CONNECTIONS = 320
/** Of one host, besides those of gateways that were let in: it cannot take the places of the others. */
const MAX_STRANGERS_OF_HOST = 40
/** Discovery takes a moment; who stays is no Station. */
const MAX_DISCOVERIES = 32
const DISCOVERY_MS = 20_000
const REQUEST_MS = 20_000
const MAX_BODY_BYTES = 8_192
/** Of a concentrator; the same as one host may send of datagrams. */
const TEXTS = { burst: 2_000, perSecond: 1_000 } as const
const REQUESTS = { burst: 20, perSecond: 2 } as const
const ROUTER_INFO = /^(?:\/[\w./-]*)?\/router-info$/
const GATEWAY_PATH = /^\/gateway\/([0-9a-f]{16})$/
const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** What a gateway should have; null: CUPS has nothing for it. */
export type CupsPlans = (request: UpdateRequest) => UpdatePlan | null

export interface StationListenOptions extends NonNullable<IotSettings['station']> {
  readonly region: string
  /** Null: no CUPS here. */
  readonly cups: CupsPlans | null
  /** Gateways must show a certificate by this authority, whose common name is their EUI; null: they show none. Only with TLS. */
  readonly clientAuthorityFile: string | null
  /** Where the eight channels begin, in a plan of 64 or 96; null: where most networks listen. */
  readonly firstChannelHz: number | null
}

export interface StationListenParts {
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  readonly sink: RadioSink
}

export class StationServer implements RadioDoor {
  readonly #options: StationListenOptions
  readonly #parts: StationListenParts
  readonly #server: Server
  readonly #isTls: boolean
  readonly #desk: StationDesk
  readonly #texts = new RateLimit(TEXTS)
  readonly #requests = new RateLimit(REQUESTS)
  readonly #sockets = new Set<TextSocket>()
  /** Ports of each host whose connection is not a gateway's. */
  readonly #strangers = new Map<string, Set<number>>()
  #discoveries = 0
  #isClosed = false

  private constructor(options: StationListenOptions, parts: StationListenParts) {
    this.#options = options
    this.#parts = parts
    const tls = tlsOf(options)
    this.#isTls = tls !== null
    const isOpen = Object.keys(options.tokens).length === 0 && isLoopback(options.address)
    this.#desk = new StationDesk({ region: options.region, tokens: options.tokens, isOpen, firstChannelHz: options.firstChannelHz }, parts)
    this.#server = tls === null ? createServer() : createTlsServer(tls)
    this.#server.maxConnections = MAX_CONNECTIONS
    this.#server.requestTimeout = REQUEST_MS
    this.#server.headersTimeout = REQUEST_MS
    this.#server.on('connection', (socket: Socket) => this.#meet(socket))
    this.#server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.#request(request, response))
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, first: Buffer) => {
      socket.on('error', () => socket.destroy())
      this.#upgrade(request, socket, first)
    })
    this.#server.on('clientError', (_error, socket) => socket.destroy())
    this.#server.on('tlsClientError', (_error: Error, socket: Duplex) => socket.destroy())
  }

  /** Errors: unavailable `cannot-listen`, `no-certificate`; input `region`. */
  static open(options: StationListenOptions, parts: StationListenParts): Promise<StationServer> {
    return new Promise((resolve, reject) => {
      const door = new StationServer(options, parts)
      const fail = (error: Error): void => reject(new MeshBoxError('unavailable', `cannot listen at TCP ${options.address}:${options.port}: ${error.message}`, { code: 'cannot-listen', cause: error }))
      door.#server.once('error', fail)
      door.#server.listen(options.port, options.address, () => {
        door.#server.removeListener('error', fail)
        door.#server.on('error', (error) => parts.log.warn('the door of the Stations', { error }))
        resolve(door)
      })
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get counts(): StationDesk['counts'] {
    return this.#desk.counts
  }

  get size(): StationDesk['size'] & { readonly sockets: number; readonly discoveries: number; readonly strangers: number } {
    const strangers = [...this.#strangers.values()].reduce((sum, ports) => sum + ports.size, 0)
    return { ...this.#desk.size, sockets: this.#sockets.size, discoveries: this.#discoveries, strangers }
  }

  gateways(): readonly Gateway[] {
    return this.#desk.gateways()
  }

  transmit(downlink: Downlink): Promise<RadioTxAck> {
    return this.#desk.transmit(downlink)
  }

  /** Orders that wait end as unanswered. */
  close(): Promise<void> {
    this.#isClosed = true
    this.#desk.close()
    for (const socket of this.#sockets) socket.close(CLOSE.away)
    return new Promise((closed) => {
      this.#server.close(() => closed())
      this.#server.closeAllConnections()
    })
  }

  /** A connection under TLS is the same host and port before and behind it. */
  #meet(socket: Socket): void {
    const { remoteAddress: host = '', remotePort: port = 0 } = socket
    const ports = this.#strangers.get(host) ?? new Set()
    if (ports.size >= MAX_STRANGERS_OF_HOST) return void socket.destroy()
    this.#strangers.set(host, ports.add(port))
    socket.once('close', () => this.#isStrangeNoMore(host, port))
  }

  #isStrangeNoMore(host: string, port: number): void {
    const ports = this.#strangers.get(host)
    ports?.delete(port)
    if (ports?.size === 0) this.#strangers.delete(host)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, first: Buffer): void {
    const accept = acceptOf({ method: request.method ?? '', headers: request.headers })
    const path = (request.url ?? '').split('?')[0] ?? ''
    if (accept === null || this.#isClosed) return refuseUpgrade(socket, 400)
    if (ROUTER_INFO.test(path)) return this.#discovery(request, socket, accept, first)
    const gateway = GATEWAY_PATH.exec(path)?.[1]
    if (gateway === undefined) return refuseUpgrade(socket, 404)
    // Before the token is looked at: guessing is slow.
    if (this.#isTooFast(request)) return refuseUpgrade(socket, 429)
    if (!this.#desk.mayConnect(gateway, this.#credentialsOf(request))) return refuseUpgrade(socket, 401)
    this.#isStrangeNoMore(request.socket.remoteAddress ?? '', request.socket.remotePort ?? 0)
    return this.#frames(gateway, socket, accept, first)
  }

  #discovery(request: IncomingMessage, socket: Duplex, accept: string, first: Buffer): void {
    if (this.#discoveries >= MAX_DISCOVERIES || this.#isTooFast(request)) return refuseUpgrade(socket, 429)
    this.#discoveries += 1
    const credentials = this.#credentialsOf(request)
    const uriOf = (gateway: Eui): string => `${this.#isTls ? 'wss' : 'ws'}://${this.#hostOf(request)}/gateway/${gateway}`
    const stop = this.#parts.timers.after(DISCOVERY_MS, () => link.close(CLOSE.normal))
    const link = new TextSocket(socket, accept, {
      onText: (text) => {
        link.send(this.#desk.discover(text, credentials, uriOf))
        return !this.#isTooFast(request)
      },
      onClose: () => {
        stop()
        this.#sockets.delete(link)
        this.#discoveries -= 1
      },
    }, this.#parts.timers)
    this.#sockets.add(link)
    link.start(first)
  }

  #frames(gateway: Eui, socket: Duplex, accept: string, first: Buffer): void {
    let session: StationSession | null = null
    const link = new TextSocket(socket, accept, {
      onText: (text) => {
        if (this.#texts.take(gateway, this.#parts.clock.boottimeMs()) > 0) return false
        session?.take(text)
        return true
      },
      onClose: () => {
        this.#sockets.delete(link)
        if (session !== null) this.#desk.disconnect(session)
      },
    }, this.#parts.timers)
    this.#sockets.add(link)
    session = this.#desk.connect(gateway, { send: (text) => link.send(text), close: () => link.close(CLOSE.policy) })
    if (session === null) link.close(CLOSE.policy)
    else link.start(first)
  }

  async #request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (this.#options.cups === null || request.method !== 'POST' || request.url !== '/update-info') throw new MeshBoxError('not-found', 'nothing is here', { code: 'not-found' })
      if (this.#isTooFast(request)) throw new MeshBoxError('limit', 'too many requests', { code: 'too-many' })
      const asked = readUpdateRequest(await bodyOf(request))
      if (!this.#desk.mayConnect(asked.gateway, this.#credentialsOf(request))) throw new MeshBoxError('unauthorized', 'this gateway, with this token, is not known', { code: 'unauthorized' })
      const answer = answerUpdate(asked, this.#options.cups(asked) ?? { cupsUri: null, tcUri: null, cupsCredentials: null, tcCredentials: null, software: null })
      response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': answer.length }).end(answer)
    } catch (thrown) {
      if (!(thrown instanceof MeshBoxError)) this.#parts.log.error('CUPS failed', { error: asError(thrown) })
      const status = thrown instanceof MeshBoxError ? httpStatus(thrown.kind) : 500
      response.writeHead(status, { Connection: 'close', 'Content-Length': 0 }).end()
      request.resume()
    }
  }

  #credentialsOf({ headers, socket }: IncomingMessage): Credentials {
    const isCertified = this.#options.clientAuthorityFile !== null && socket instanceof TLSSocket
    return { authorization: headers.authorization, certifiedName: isCertified ? nameOf(socket.getPeerCertificate().subject?.CN) : null }
  }

  #isTooFast(request: IncomingMessage): boolean {
    return this.#requests.take(request.socket.remoteAddress ?? '', this.#parts.clock.boottimeMs()) > 0
  }

  /** As the gateway reached us: it may be through a name, or another address than ours. */
  #hostOf(request: IncomingMessage): string {
    const { host } = request.headers
    if (host !== undefined && /^[\w.-]{1,253}(:\d{1,5})?$|^\[[\da-f:.]+\](:\d{1,5})?$/i.test(host)) return host
    const { address } = this.#options
    return `${isIP(address) === 6 ? `[${address}]` : address}:${this.port}`
  }
}

function tlsOf({ certificateFile, keyFile, clientAuthorityFile }: StationListenOptions): TlsOptions | null {
  if (certificateFile === null && keyFile === null && clientAuthorityFile === null) return null
  try {
    if (certificateFile === null || keyFile === null) throw new Error('a certificate and its key belong together')
    const own = { cert: readFileSync(certificateFile), key: readFileSync(keyFile), handshakeTimeout: REQUEST_MS }
    return clientAuthorityFile === null ? own : { ...own, ca: readFileSync(clientAuthorityFile), requestCert: true, rejectUnauthorized: true }
  } catch (thrown) {
    throw new MeshBoxError('unavailable', `no TLS for Stations: ${asError(thrown).message}`, { code: 'no-certificate', cause: thrown })
  }
}

/** A name that is no EUI is nobody's, which no gateway has. */
function nameOf(commonName: unknown): Eui {
  try {
    return routerIdOf(commonName)
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) return ''
    throw thrown
  }
}

function isLoopback(address: string): boolean {
  const kind = isIP(address)
  return kind !== 0 && LOOPBACK.check(address, kind === 6 ? 'ipv6' : 'ipv4')
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > MAX_BODY_BYTES) throw new MeshBoxError('limit', 'the request is too long', { code: 'too-long' })
    parts.push(part)
  }
  return fromUtf8(Buffer.concat(parts))
}
