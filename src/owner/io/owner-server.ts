/**
 * The dashboard's own listener: one address of the owner's network, never the guests'. Order of the checks
 * on each request, first refusal wins: remote address, Host, Origin, first run, login, CSRF token, schema.
 * What each is for stands in request-origin.ts, logins.ts and first-run.ts; docs/owner-api.md lists them.
 */
import type { FastifyInstance, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { MeshBoxError, asError, equalBytesConstantTime, utf8 } from '../../base/index.ts'
import type { Log, Randomness } from '../../base/index.ts'
import { limitPerPeer } from '../../base/io/connection-shares.ts'
import { BACKGROUND_HEADER, CSRF_HEADER } from '../api.ts'
import { isLoopback, parseAddress } from '../ip-address.ts'
import { addressKey } from '../login-throttle.ts'
import { METRICS_TYPE } from '../metrics.ts'
import type { Owner } from '../owner.ts'
import { ProgramAccess } from '../program-access.ts'
import { checkHost, checkListenAddress, checkReferer, checkSameOrigin, isFromGuests, isFromMesh, isFromOwnerNetwork } from '../request-origin.ts'
import type { NetworkAddress } from '../request-origin.ts'
import { BackupDownload } from './backup-download.ts'
import { addDashboardRoutes, tokenOf } from './dashboard-routes.ts'
import { addSharedRoutes, createHttpServer } from './http-server.ts'
import type { TlsFiles } from './http-server.ts'
import { machineAddresses } from './machine-addresses.ts'
import { addDashboardFiles } from './static-files.ts'
import type { DashboardFiles } from './static-files.ts'

const MAX_CONNECTIONS = 64
/** A browser opens six; nobody gets so many that others find none. */
const MAX_CONNECTIONS_PER_ADDRESS = 16

/** The REST interface of Photon, made by its own room. */
export interface PhotonRestDoor {
  /** Puts its routes on the server; `authorize` throws for who may not ask, before a body is read. */
  readonly serve: (server: FastifyInstance, authorize: onRequestAsyncHookHandler) => Promise<void>
  /** Bearer token of programs that have not the owner's password. */
  readonly token: string
}

export interface OwnerServerOptions {
  readonly owner: Owner
  /** config.owner.address and port; port 0 takes a free one. */
  readonly address: string
  readonly port: number
  /** Guests are refused by their address; null in record-only mode, where there are none. */
  readonly guestInterface: string | null
  /** Further names the owner opens the dashboard by. */
  readonly hostNames: readonly string[]
  readonly files: DashboardFiles
  readonly tls: TlsFiles | null
  /** Folder for the copy while a backup is downloaded: config.main.dataDir. */
  readonly dataDir: string
  /** Bearer token for /metrics from other machines; null = only from the box itself. */
  readonly metricsToken: string | null
  /** Left out: not served. */
  readonly photonRest?: PhotonRestDoor | null
  readonly boottimeMs: () => number
  readonly randomness: Randomness
  readonly log: Log
  /** What the machine's interfaces are; left out, the machine is asked. */
  readonly addresses?: () => NetworkAddress[]
}

export class OwnerServer {
  readonly app: FastifyInstance
  readonly #options: OwnerServerOptions
  readonly #names: readonly string[]
  readonly #interfaces: () => readonly NetworkAddress[]

  constructor(options: OwnerServerOptions) {
    this.#options = options
    this.#names = [options.address, ...options.hostNames]
    this.#interfaces = machineAddresses(options.boottimeMs, options.addresses)
    this.app = createHttpServer(options.log, MAX_CONNECTIONS, options.tls)
    this.app.addHook('onRequest', async (request) => this.#admit(request))
    limitPerPeer(this.app.server, MAX_CONNECTIONS_PER_ADDRESS, addressKey)
    const backup = new BackupDownload(options.owner, options.dataDir, options.randomness)
    addSharedRoutes(this.app, options.owner, options.tls !== null)
    addDashboardRoutes(this.app, {
      owner: options.owner,
      backup,
      isTls: options.tls !== null,
      interfaces: () => [...new Set(this.#interfaces().map((one) => one.interface))].filter((name) => name !== 'lo'),
      isLoopback: isLoopbackText,
    })
    addDashboardFiles(this.app, options.files)
    this.app.get('/healthz', { config: { access: 'none' } }, async () => ({ ok: true }))
    this.app.get('/metrics', { config: { access: 'none' } }, (request, reply) => {
      this.#admitToMetrics(request)
      return reply.type(METRICS_TYPE).send(options.owner.metrics())
    })
  }

  /** The URL it answers at. Errors: forbidden `bad-owner-address`; unavailable `owner-address`. */
  async start(): Promise<string> {
    const { address, port, guestInterface, owner, log, tls } = this.#options
    checkListenAddress(address, guestInterface, this.#interfaces())
    await this.#servePhotonRest()
    try {
      await this.app.listen({ host: address, port })
    } catch (thrown) {
      throw new MeshBoxError('unavailable', `the dashboard cannot listen on ${address} port ${port}: ${asError(thrown).message}`, {
        code: 'owner-address',
        field: 'owner.address',
        value: `${address}:${port}`,
        allowed: 'a free port on an address of the box',
        cause: thrown,
      })
    }
    const bound = this.app.server.address()
    const shown = typeof bound === 'object' && bound !== null ? bound.port : port
    const url = `${tls === null ? 'http' : 'https'}://${address.includes(':') ? `[${address}]` : address}:${shown}/`
    log.info(`dashboard at ${url}`)
    if (owner.access.isUnclaimed)
      log.warn(`this box has no owner yet: open ${url} and enter the set-up code ${owner.access.firstRun.setupCode}`)
    return url
  }

  async stop(): Promise<void> {
    await this.app.close()
  }

  /**
   * For programs, and for nobody with only a cookie: some of its GETs change something, and a browser sends cookies unasked.
   * Refusals ask for no Basic login, so that no browser ever keeps one and sends it with what other sites make it ask.
   */
  async #servePhotonRest(): Promise<void> {
    const { photonRest, owner, boottimeMs, randomness } = this.#options
    if (photonRest === undefined || photonRest === null) return
    const programs = new ProgramAccess({ access: owner.access, token: photonRest.token, boottimeMs, randomness })
    await photonRest.serve(this.app, async (request, reply) => {
      const { host, origin, referer, authorization } = request.headers
      checkSameOrigin({ host, origin, secFetchSite: headerOf(request, 'sec-fetch-site') })
      checkReferer(referer, host)
      void reply.header('www-authenticate', 'Bearer realm="photon"')
      await programs.require(request.ip, authorization)
      void reply.removeHeader('www-authenticate')
    })
  }

  #admit(request: FastifyRequest): void {
    const remote = request.ip
    const { guestInterface, owner, address } = this.#options
    if (guestInterface !== null && isFromGuests(remote, guestInterface, this.#interfaces()))
      throw new MeshBoxError('forbidden', "the dashboard cannot be reached from the guests' network", { code: 'guest-network' })
    if (isFromMesh(remote, this.#interfaces())) throw new MeshBoxError('forbidden', 'the dashboard cannot be reached from the mesh', { code: 'mesh-network' })
    const path = request.url.split('?')[0]
    if (path === '/healthz') return
    checkHost(request.headers.host, this.#names)
    const access = request.routeOptions.config.access
    if (access === undefined || access === 'none') return
    checkSameOrigin({ host: request.headers.host, origin: request.headers.origin, secFetchSite: headerOf(request, 'sec-fetch-site') })
    if (access === 'open') return
    if (access === 'setup') {
      if (owner.access.isUnclaimed && !isFromOwnerNetwork(remote, address, this.#interfaces()))
        throw new MeshBoxError('forbidden', "the first set-up is only possible from the box itself or from the owner's own network", {
          code: 'not-owner-network',
        })
      return
    }
    const csrf = { needed: request.method !== 'GET', given: headerOf(request, CSRF_HEADER) }
    owner.access.require(tokenOf(request), csrf, headerOf(request, BACKGROUND_HEADER) === '1')
  }

  /** From the box itself without more (the Host check keeps web pages out), else with the token. */
  #admitToMetrics(request: FastifyRequest): void {
    if (isLoopbackText(request.ip)) return
    const { metricsToken } = this.#options
    const given = /^Bearer ([\x21-\x7e]{16,256})$/.exec(request.headers.authorization ?? '')?.[1]
    if (metricsToken !== null && given !== undefined && equalBytesConstantTime(utf8(metricsToken), utf8(given))) return
    throw new MeshBoxError('unauthorized', 'metrics are given to the box itself, or for the token in the file metrics-token', { code: 'needs-token' })
  }
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

function isLoopbackText(remote: string): boolean {
  const address = parseAddress(remote)
  return address !== null && isLoopback(address)
}
