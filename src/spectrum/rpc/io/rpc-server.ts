/**
 * JSON-RPC over HTTP on one address: POST / and nothing else. A refusal of the door itself is a status with a
 * JSON-RPC error in it; whatever a method says is 200, as clients expect. It logs no body.
 */
import Fastify from 'fastify'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { AddressInfo } from 'node:net'
import { asError, inputError } from '../../../base/index.ts'
import type { Log } from '../../../base/index.ts'
import { limitPerPeer } from '../../../base/io/connection-shares.ts'
import { callerKey, isAllowedOrigin, isEverywhere, isOwnHost } from '../door.ts'
import type { DoorNames } from '../door.ts'
import { errorText } from '../request.ts'
import { RPC_CODES, RpcError } from '../rpc-error.ts'
import type { Rpc } from '../rpc.ts'

const MAX_HEADER_BYTES = 8 * 1024
const REQUEST_TIMEOUT_MS = 15_000
const KEEP_ALIVE_MS = 30_000
/** A silent connection, also while a call runs. */
const SILENCE_MS = 120_000
const MAX_CONNECTIONS = 128
const MAX_CONNECTIONS_PER_CALLER = 32
const PREFLIGHT_SECONDS = 600
const TOO_MANY = 429

export interface RpcServerOptions {
  readonly rpc: Rpc
  /** One address of this machine; never all of them at once. */
  readonly address: string
  /** 0 takes a free one. */
  readonly port: number
  readonly names: DoorNames
  /** False: this remote address is not let in, e.g. a guest at the owner's door. */
  readonly admits: (remoteAddress: string) => boolean
  readonly log: Log
}

export class RpcServer {
  readonly #app: FastifyInstance
  readonly #options: RpcServerOptions

  /** Errors: input `address` for one that means every network. */
  constructor(options: RpcServerOptions) {
    if (isEverywhere(options.address)) throw inputError('address', options.address, 'one address of the box; this one would listen on every network')
    this.#options = options
    this.#app = Fastify({
      logger: false,
      bodyLimit: options.rpc.policy.maxBodyBytes,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionTimeout: SILENCE_MS,
      forceCloseConnections: true,
      exposeHeadRoutes: false,
      schemaController: { compilersFactory: { buildValidator: () => noSchema, buildSerializer: () => noSchema } },
      http: { maxHeaderSize: MAX_HEADER_BYTES },
      frameworkErrors: (error, _request, reply) => void refuse(reply, error.statusCode ?? 400, 'this is not a JSON-RPC request'),
    }) as unknown as FastifyInstance
    this.#app.server.maxConnections = MAX_CONNECTIONS
    limitPerPeer(this.#app.server, MAX_CONNECTIONS_PER_CALLER, callerKey)
    this.#addRoutes()
  }

  /** Where it listens. Errors: as the system has them, e.g. EADDRINUSE. */
  async start(): Promise<{ readonly address: string; readonly port: number }> {
    const { address, port, log } = this.#options
    await this.#app.listen({ host: address, port })
    const bound = this.#app.server.address() as AddressInfo
    log.info('JSON-RPC open', { address: bound.address, port: bound.port, for: this.#options.rpc.policy.name })
    return { address: bound.address, port: bound.port }
  }

  async stop(): Promise<void> {
    await this.#app.close()
  }

  #addRoutes(): void {
    const { rpc, names, log } = this.#options
    const app = this.#app
    app.removeAllContentTypeParsers()
    // A form of another site can be sent unasked, JSON cannot.
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => done(null, body))
    app.addHook('onRequest', async (request, reply) => {
      const { host, origin } = request.headers
      void reply.headers({ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', vary: 'Origin' })
      if (!this.#options.admits(request.socket.remoteAddress ?? '')) return refuse(reply, 403, 'this network may not use this door')
      if (!isOwnHost(names, host)) return refuse(reply, 403, 'host: this name does not belong to the box; use its own address')
      if (!isAllowedOrigin(names, origin)) return refuse(reply, 403, 'origin: this web site may not use the box; its owner can allow it')
      if (origin !== undefined) void reply.header('access-control-allow-origin', origin)
      return undefined
    })
    app.options('/', (_request, reply) => {
      void reply.headers({
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'content-type',
        'access-control-max-age': String(PREFLIGHT_SECONDS),
        // Chrome asks so before a public page may reach a private address; the origin was allowed above.
        'access-control-allow-private-network': 'true',
      })
      return reply.code(204).send()
    })
    app.post('/', async (request, reply) => {
      const { text, retryAfterSeconds } = await rpc.answer(typeof request.body === 'string' ? request.body : '', { key: callerKey(request.socket.remoteAddress ?? '') })
      if (text === null) return reply.code(204).send()
      // Clients wait and try again by themselves when the status says so.
      if (retryAfterSeconds !== null) void reply.code(TOO_MANY).header('retry-after', String(retryAfterSeconds))
      return reply.send(text)
    })
    app.setNotFoundHandler((request, reply) => {
      if (request.url !== '/') return refuse(reply, 404, 'JSON-RPC is at /')
      void reply.header('allow', 'POST, OPTIONS')
      return refuse(reply, 405, 'JSON-RPC is asked with POST')
    })
    app.setErrorHandler((thrown, _request, reply) => {
      const { statusCode, code } = asError(thrown) as Error & { readonly statusCode?: number; readonly code?: string }
      if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return refuse(reply, 413, `the body is too large; at most ${rpc.policy.maxBodyBytes} bytes`)
      if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return refuse(reply, 415, 'the body must be application/json')
      if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return refuse(reply, statusCode, 'the request is malformed')
      log.error('JSON-RPC request failed', { error: asError(thrown) })
      return reply.code(500).send(errorText(null, new RpcError(RPC_CODES.internal, 'something went wrong in the box; its log says what')))
    })
  }
}

function refuse(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).type('application/json; charset=utf-8').send(errorText(null, new RpcError(RPC_CODES.request, message)))
}

/** The one route checks its body itself: with this in place Fastify does not load its compilers. */
function noSchema(): never {
  throw new Error('JSON-RPC has no Fastify schema')
}
