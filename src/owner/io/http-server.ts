/**
 * The Fastify instance both doors are built on: bounded in every direction, strict schemas, one form of
 * error. It logs nothing by itself, so that no body, cookie or query ever reaches the log.
 */
import Fastify from 'fastify'
import type { ConnectionError, FastifyInstance, FastifyReply } from 'fastify'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { Log, PublicError } from '../../base/index.ts'
import { ROUTES } from '../api.ts'
import type { RouteName } from '../api.ts'
import type { Owner } from '../owner.ts'
import { fault } from '../request-schema.ts'
import type { RequestSchema } from '../request-schema.ts'
import { refusalOf, refusalOfUnknown, sendError } from './http-errors.ts'
import { SHARED } from './routes.ts'
import type { Call, Handler, SharedRoute } from './routes.ts'

const BODY_LIMIT = 64 * 1024
const MAX_HEADER_BYTES = 8 * 1024
const MAX_PARAM_CHARS = 128
const REQUEST_TIMEOUT_MS = 15_000
const KEEP_ALIVE_MS = 30_000
/** A silent connection, also while we work: a backup of large books to slow flash takes its time. */
const SILENCE_MS = 10 * 60_000

export interface TlsFiles {
  /** PEM texts. */
  readonly certificate: string
  readonly key: string
}

export function createHttpServer(log: Log, maxConnections: number, tls: TlsFiles | null = null): FastifyInstance {
  const options = {
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionTimeout: SILENCE_MS,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
    schemaController: { compilersFactory: { buildValidator: () => noSchema, buildSerializer: () => noSchema } },
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error: Error, request: Parameters<typeof refusalOf>[1], reply: FastifyReply) => {
      secure(reply)
      void sendError(reply, refusalOf(error, request, log))
    },
    ...(tls === null ? { http: { maxHeaderSize: MAX_HEADER_BYTES } } : { https: { cert: tls.certificate, key: tls.key, maxHeaderSize: MAX_HEADER_BYTES, minVersion: 'TLSv1.2' } }),
  } as const
  // The two calls differ only in their types: plain and TLS servers are one to the routes.
  const app = Fastify(options as Parameters<typeof Fastify>[0]) as unknown as FastifyInstance
  app.server.maxConnections = maxConnections
  app.removeContentTypeParser('text/plain') // JSON only: a form of another site cannot send that unasked

  app.addHook('onRequest', async (_request, reply) => secure(reply))
  app.addHook('preValidation', async (request) => {
    // A POST without a body is one without fields: its schema says whether that will do.
    if (request.method !== 'GET' && request.body === undefined) request.body = {}
    const { schema } = request.routeOptions.config
    for (const part of ['params', 'query', 'body'] as const) {
      const wanted = schema?.[part]
      const wrong = wanted === undefined ? null : fault(wanted, request[part], part)
      if (wrong) throw wrong
    }
  })
  app.setErrorHandler((error, request, reply) => sendError(reply, refusalOf(error, request, log)))
  app.setNotFoundHandler((request, reply) => {
    const refusal = refusalOfUnknown(request.method, request.url.split('?')[0] ?? '')
    if (refusal.allow !== null) void reply.header('allow', refusal.allow)
    return sendError(reply, refusal)
  })
  return app
}

/** Requests are checked by request-schema.ts: with this in place Fastify does not load its compilers. */
function noSchema(): never {
  throw new Error('routes of the owner have no Fastify schema')
}

/** What is not HTTP at all, in the form of every other refusal. */
function refuseConnection(error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const isLarge = error.code === 'HPE_HEADER_OVERFLOW'
  const isLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
  const status = isLarge ? '431 Request Header Fields Too Large' : isLate ? '408 Request Timeout' : '400 Bad Request'
  const body: PublicError = isLarge
    ? { error: 'too-large', message: 'the headers are too large', allowed: `at most ${MAX_HEADER_BYTES} bytes` }
    : isLate
      ? { error: 'too-slow', message: 'the request did not come in time' }
      : { error: 'bad-request', message: 'this is not an HTTP request' }
  const text = JSON.stringify(body)
  socket.end(`HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`)
}

/** Headers of every answer; a page that needs another policy sets its own over it. */
function secure(reply: FastifyReply): void {
  void reply.headers({
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  })
}

/** Adds every shared route; `access` in its config tells the door's hooks what it takes to get in. */
export function addSharedRoutes(app: FastifyInstance, owner: Owner, ownerTls: boolean): void {
  for (const name of Object.keys(SHARED) as SharedRoute[]) addRoute(app, owner, name, SHARED[name] as Handler<RouteName>, ownerTls)
}

/** One route of the table. */
export function addRoute(app: FastifyInstance, owner: Owner, name: RouteName, handler: Handler<RouteName>, ownerTls: boolean): void {
  const { method, path, access } = ROUTES[name]
  app.route({
    method,
    url: path,
    config: { access, schema: handler.schema },
    handler: async (request, reply) => {
      const call = {
        params: request.params as Call['params'],
        query: request.query as Call['query'],
        body: request.body,
        ownerTls,
      }
      const answer = await handler.run(owner, call as Call<never>)
      const pieces = comesInPieces(answer) ? await begun(answer) : null
      if (handler.contentSecurityPolicy !== undefined) void reply.header('content-security-policy', handler.contentSecurityPolicy)
      if (handler.saveAs) void reply.header('content-disposition', `attachment; filename="${handler.saveAs(call)}"`)
      void reply.type(handler.type ?? 'application/json; charset=utf-8')
      if (pieces !== null) return pieces
      return handler.type === undefined ? JSON.stringify(answer) : typeof answer === 'string' ? answer : Buffer.from(answer as unknown as Uint8Array)
    },
  })
}

function comesInPieces(answer: unknown): answer is AsyncIterable<string> {
  return typeof answer === 'object' && answer !== null && Symbol.asyncIterator in answer
}

/** What is refused is refused before the first byte. */
async function begun(pieces: AsyncIterable<string>): Promise<Readable> {
  const rest = pieces[Symbol.asyncIterator]()
  const first = await rest.next()
  return Readable.from(
    (async function* () {
      for (let piece = first; piece.done !== true; piece = await rest.next()) yield piece.value
    })(),
  )
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route; see Access in api.ts. `none` is not under the API at all. */
    access?: (typeof ROUTES)[RouteName]['access'] | 'none'
    schema?: RequestSchema
  }
}
