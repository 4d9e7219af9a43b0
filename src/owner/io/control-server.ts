/**
 * The owner's verbs for the command line: HTTP and JSON over a Unix socket that only the user of the
 * service (root on a router) can open. There is no login: the file's mode 0600 is the lock. What only
 * somebody on the box itself may do (set-up code, recovery words, password without the old one) is here
 * and not on the dashboard's door.
 */
import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { createConnection } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { MeshBoxError, asError, inputError } from '../../base/index.ts'
import type { Log } from '../../base/index.ts'
import type { Owner } from '../owner.ts'
import { METRICS_TYPE } from '../metrics.ts'
import { CONTROL_ROUTES } from './control-routes.ts'
import { addRoute, addSharedRoutes, createHttpServer } from './http-server.ts'
import type { Handler } from './routes.ts'
import type { RouteName } from '../api.ts'

/** sockaddr_un.sun_path has 108 bytes with its final zero (unix(7)). */
const MAX_PATH_BYTES = 107
const MAX_CONNECTIONS = 16
const PROBE_MS = 1000

export interface ControlServerOptions {
  readonly owner: Owner
  /** config.main.controlSocket */
  readonly socketPath: string
  readonly log: Log
  /** Whether the dashboard's door speaks TLS; shown in the settings. */
  readonly ownerTls?: boolean
}

export class ControlServer {
  readonly app: FastifyInstance
  readonly #options: ControlServerOptions

  constructor(options: ControlServerOptions) {
    if (Buffer.byteLength(options.socketPath) > MAX_PATH_BYTES || !options.socketPath.startsWith('/') || options.socketPath.includes('\0'))
      throw inputError('control_socket', options.socketPath, `an absolute path of at most ${MAX_PATH_BYTES} bytes`)
    this.#options = options
    this.app = createHttpServer(options.log, MAX_CONNECTIONS)
    const ownerTls = options.ownerTls ?? false
    addSharedRoutes(this.app, options.owner, ownerTls)
    for (const name of Object.keys(CONTROL_ROUTES) as (keyof typeof CONTROL_ROUTES)[])
      addRoute(this.app, options.owner, name, CONTROL_ROUTES[name] as Handler<RouteName>, ownerTls)
    this.app.get('/metrics', (_request, reply) => reply.type(METRICS_TYPE).send(options.owner.metrics()))
  }

  /**
   * A socket left behind by a killed service is replaced; one that answers is not.
   * Errors: conflict `already-running`; unavailable `control-socket`.
   */
  async start(): Promise<void> {
    const { socketPath, log } = this.#options
    await this.app.ready()
    await removeStale(socketPath)
    await new Promise<void>((resolve, reject) => {
      const failed = (error: Error): void => reject(socketFailed(socketPath, error))
      this.app.server.once('error', failed)
      // The socket must never exist with wider rights, not even for a moment: bind happens inside listen().
      const before = process.umask(0o177)
      try {
        this.app.server.listen(socketPath, () => {
          this.app.server.off('error', failed)
          resolve()
        })
      } finally {
        process.umask(before)
      }
    })
    chmodSync(socketPath, 0o600)
    log.info('control socket open', { path: socketPath })
  }

  async stop(): Promise<void> {
    await this.app.close() // closing a listening Unix socket also removes its file
  }
}

async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket())
    throw new MeshBoxError('conflict', `${path} is in the way: it is not a socket; remove it or configure another control_socket`, {
      code: 'control-socket',
      field: 'control_socket',
      value: path,
    })
  if (await answers(path))
    throw new MeshBoxError('conflict', `another service already listens on ${path}`, { code: 'already-running', field: 'control_socket', value: path })
  unlinkSync(path)
}

/** Does somebody accept connections there? */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    socket.setTimeout(PROBE_MS, () => {
      socket.destroy()
      resolve(true) // bound, but slow: not ours to remove
    })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.destroy()
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false)
      else if (error.code === 'EAGAIN') resolve(true)
      else reject(socketFailed(path, error))
    })
  })
}

function socketFailed(path: string, thrown: unknown): MeshBoxError {
  return new MeshBoxError('unavailable', `control socket ${path}: ${asError(thrown).message}`, {
    code: 'control-socket',
    field: 'control_socket',
    value: path,
    cause: thrown,
  })
}
