/**
 * One listening socket of the portal. fastify does the HTTP: sockets, time limits, body size and type. Its
 * router is not used, because every target must be answered by our own rule, captured ones above all, and
 * a wrong method must be told from a wrong path; so each request is rewritten to `/` before routing.
 */
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { MeshBoxError, type Log, type Timers } from '../../../base/index.ts'
import { limitPerPeer } from '../../../base/io/connection-shares.ts'
import type { Answer } from '../answer.ts'
import type { TlsPair } from '../certificate.ts'
import { MAX_FORM_BYTES } from '../form.ts'
import { MAX_RPC_BYTES } from '../guest-rpc.ts'
import { plainAddress } from '../host-rule.ts'
import type { FormAwaited, Reception, RequestHead } from '../reception.ts'
import { MAX_STREAM_BYTES, type StreamDesk } from '../stream-desk.ts'
import { StreamSockets } from './stream-sockets.ts'

export interface ListenerOptions {
  readonly reception: Reception
  readonly streams: StreamDesk
  readonly timers: Timers
  readonly log: Log
  readonly tls: TlsPair | null
}

const MAX_HEADER_BYTES = 8192
const MAX_HEADERS = 64
/** As many guests' streams, and room for everybody's requests. */
const MAX_CONNECTIONS = 2048
const MAX_CONNECTIONS_PER_ADDRESS = 24
const MAX_REQUESTS_PER_CONNECTION = 100
const KEEP_ALIVE_MS = 5_000
const HEADERS_TIMEOUT_MS = 5_000
const REQUEST_TIMEOUT_MS = 10_000
const IDLE_SOCKET_MS = 15_000
const CHECK_TIMEOUTS_EVERY_MS = 2_000
const FORM_TYPE = 'application/x-www-form-urlencoded'
const RPC_TYPE = 'application/json'
const STREAM_TYPE = 'application/octet-stream'
/** A body is read only by routes that want one; a request that brings one elsewhere loses its connection. */
const BODY_HEADERS = ['content-length', 'transfer-encoding']

interface Reading {
  head: RequestHead
  awaited: FormAwaited | null
}

export function createListener(options: ListenerOptions): FastifyInstance {
  const { reception, log, tls } = options
  const readings = new WeakMap<FastifyRequest, Reading>()
  const limits = { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: CHECK_TIMEOUTS_EVERY_MS }
  const common = {
    logger: false,
    bodyLimit: MAX_FORM_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: IDLE_SOCKET_MS,
    maxRequestsPerSocket: MAX_REQUESTS_PER_CONNECTION,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    rewriteUrl: () => '/',
    clientErrorHandler: refuseMalformed,
  } as const
  const app = (
    tls === null
      ? fastify({ ...common, http: limits })
      : fastify({ ...common, https: { ...limits, cert: tls.certificatePem, key: tls.keyPem, minVersion: 'TLSv1.2' } })
  ) as FastifyInstance

  app.server.maxHeadersCount = MAX_HEADERS
  app.server.maxConnections = MAX_CONNECTIONS
  limitPerPeer(app.server, MAX_CONNECTIONS_PER_ADDRESS, plainAddress)
  const sockets = new StreamSockets(options.streams, options.timers, log)
  sockets.attach(app.server, reception, (request) => headOfRequest(request, request.url ?? '', tls !== null))
  app.addHook('preClose', async () => sockets.closeAll())

  app.removeAllContentTypeParsers()
  app.addContentTypeParser(FORM_TYPE, { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.addContentTypeParser(RPC_TYPE, { parseAs: 'string', bodyLimit: MAX_RPC_BYTES }, (_request, body, done) => done(null, body))
  app.addContentTypeParser(STREAM_TYPE, { parseAs: 'buffer', bodyLimit: MAX_STREAM_BYTES }, (_request, body, done) => done(null, body))

  app.addHook('onRequest', async (request, reply) => {
    const head = headOf(request, tls !== null)
    const reading: Reading = { head, awaited: null }
    readings.set(request, reading)
    const result = await reception.receive(head)
    if ('status' in result) return send(reply, result, head)
    // Before the body is read, for each type has its own bound.
    const type = typeOf(result)
    if (plainType(head) !== type) throw wrongType(head, type)
    reading.awaited = result
    return undefined
  })
  const finish = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const reading = readings.get(request)
    if (reading?.awaited == null) throw new MeshBoxError('internal', 'a request reached no route', { code: 'internal' })
    const isStream = reading.awaited.match.route.kind === 'stream'
    const body = isStream ? bytesOf(request.body) : typeof request.body === 'string' ? request.body : ''
    return send(reply, await reception.complete(reading.awaited, body), reading.head)
  }
  app.route({ method: 'POST', url: '/', handler: finish })
  app.setNotFoundHandler(finish)
  app.setErrorHandler(async (error, request, reply) => {
    const head = readings.get(request)?.head ?? headOf(request, tls !== null)
    const answer = await reception.refuse(head, typedError(error, head, log))
    return send(reply, { ...answer, headers: { ...answer.headers, Connection: 'close' } }, head)
  })
  return app
}

function send(reply: FastifyReply, answer: Answer, head: RequestHead): FastifyReply {
  const isFormRoute = head.method === 'POST'
  const hasUnreadBody = !isFormRoute && BODY_HEADERS.some((name) => (head.headers[name] ?? '0') !== '0')
  const close = hasUnreadBody ? { Connection: 'close' } : {}
  // as bytes: to a string fastify adds a charset, which captive+json (RFC 8908) has no parameter for
  return reply.code(answer.status).headers({ ...answer.headers, ...close }).send(answer.bytes === undefined ? Buffer.from(answer.body) : Buffer.from(answer.bytes))
}

function headOf(request: FastifyRequest, secure: boolean): RequestHead {
  return headOfRequest(request.raw, request.originalUrl, secure)
}

function headOfRequest(raw: IncomingMessage, target: string, secure: boolean): RequestHead {
  const { socket } = raw
  return {
    method: raw.method ?? '',
    target,
    headers: raw.headers,
    hostHeaders: countHosts(raw.rawHeaders),
    remoteAddress: socket.remoteAddress ?? '',
    localAddress: socket.localAddress ?? null,
    localPort: socket.localPort ?? null,
    secure,
  }
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) if (rawHeaders[index]?.toLowerCase() === 'host') count++
  return count
}

function typeOf({ match }: FormAwaited): string {
  if (match.route.kind === 'stream') return STREAM_TYPE
  return match.route.kind === 'rpc' ? RPC_TYPE : FORM_TYPE
}

function bytesOf(body: unknown): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array()
}

/** Without its parameters. */
function plainType({ headers }: RequestHead): string {
  return String(headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

function wrongType(head: RequestHead, allowed: string): MeshBoxError {
  const value = head.headers['content-type'] ?? 'none'
  return new MeshBoxError('input', `Content-Type: only ${allowed} is allowed`, { code: 'wrong-content-type', field: 'Content-Type', value, allowed })
}

/** fastify's own refusals in our words; anything else is our fault and keeps its cause for the log. */
function typedError(error: unknown, head: RequestHead, log: Log): unknown {
  if (error instanceof MeshBoxError) return error
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new MeshBoxError('input', `body: at most ${MAX_FORM_BYTES} bytes are allowed`, { code: 'body-too-large', field: 'body', allowed: `at most ${MAX_FORM_BYTES} bytes` })
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return wrongType(head, FORM_TYPE)
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new MeshBoxError('input', 'Content-Length: not the length of the body', { code: 'bad-input', field: 'Content-Length', allowed: 'the length of the body' })
    default:
      log.debug('a guest request broke off', { code })
      return error
  }
}

/** What the HTTP parser itself refuses never becomes a request. */
function refuseMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return void socket.destroy()
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request'
  const body = `${status.slice(4)}\n`
  socket.end(`HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n${body}`)
}
