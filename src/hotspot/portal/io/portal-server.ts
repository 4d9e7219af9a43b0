/**
 * The guest side on the network: a plain HTTP listener, where the gate sends captured requests, and a TLS
 * one for as long as a usable certificate is at hand. Never listens for the owner's side.
 */
import type { FastifyInstance } from 'fastify'
import type { AddressInfo } from 'node:net'
import { asError, type Cancel, type Clock, type Log, type Randomness, type Timers } from '../../../base/index.ts'
import type { Config } from '../../../config/index.ts'
import type { Signer } from '../../../identity/index.ts'
import type { MacAddress, NeighbourTable } from '../../gate/types.ts'
import type { GuestDesk } from '../../types.ts'
import type { AheadDoor } from '../../ahead/index.ts'
import type { StreamDoor } from '../../stream/index.ts'
import { WalletCheck } from '../../wallet/index.ts'
import { type CertificateCheck, type TlsPair, checkCertificate } from '../certificate.ts'
import { createFront } from '../front.ts'
import type { GuestRpc } from '../guest-rpc.ts'
import { originOf } from '../host-rule.ts'
import { API_PATH, type Option114, option114 } from '../option-114.ts'
import { Reception } from '../reception.ts'
import { Seals } from '../seals.ts'
import { StreamDesk } from '../stream-desk.ts'
import { createListener } from './listener.ts'

export interface PortalDeps {
  readonly desk: GuestDesk
  readonly neighbours: NeighbourTable
  /** Read at each request; addresses and ports only at start. */
  readonly config: () => Config
  readonly clock: Clock
  readonly timers: Timers
  readonly randomness: Randomness
  readonly log: Log
  /** Compiled guest script (dist/web/guest.js). */
  readonly script: string
  /** Compiled wallet script (dist/web/wallet.js); left out = guests' own keys are not offered. */
  readonly walletScript?: string
  /** The chain for guests who are online, at /rpc; left out or null = there is no such path. */
  readonly rpc?: () => GuestRpc | null
  /** Minutes paid by the second, on the wallet page; left out or null = not sold so. Asked for each message. */
  readonly stream?: () => StreamDoor | null
  /** Minutes that other boxes buy ahead; left out or null = not sold so. Asked for each request. */
  readonly ahead?: () => AheadDoor | null
  /** Who checks guests' signatures; default: noble. */
  readonly signer?: Pick<Signer, 'recover'>
  /**
   * The certificate, or how to read it (`() => readTlsFiles(…)`): then it is read again each minute, so that a
   * renewed one is used by itself, and one that cannot be read leaves the shop open without TLS. null or
   * left out = plain HTTP only.
   */
  readonly tls?: TlsPair | null | TlsSource
  /** Told at start and whenever the announcement of the API changes: withdrawn before a certificate ends. */
  readonly onOption114?: (option: Option114) => void
}

/** Reads certificate and key; throws MeshBoxError if they cannot be read. */
export type TlsSource = () => TlsPair | null

const RECHECK_CERTIFICATE_MS = 60_000
const STOP_PATIENCE_MS = 2_000

export class PortalServer {
  readonly #deps: PortalDeps
  readonly #log: Log
  readonly #reception: Reception
  readonly #streams: StreamDesk
  readonly #seals: Seals
  #http: FastifyInstance | null = null
  #https: FastifyInstance | null = null
  #httpPort: number
  #source: TlsSource
  /** What the open TLS listener was made with. */
  #pair: TlsPair | null = null
  #check: CertificateCheck | null = null
  #announced: Option114 | null = null
  #cancelRecheck: Cancel = () => undefined
  /** TLS listener changes happen one after another. */
  #turn: Promise<void> = Promise.resolve()

  constructor(deps: PortalDeps) {
    this.#deps = deps
    this.#log = deps.log.room('portal')
    const tls = deps.tls ?? null
    this.#source = typeof tls === 'function' ? tls : () => tls
    this.#httpPort = deps.config().hotspot.portalPort
    this.#seals = new Seals(deps.randomness.bytes(32))
    const streamDoor = (): StreamDoor | null => deps.stream?.() ?? null
    this.#streams = new StreamDesk(streamDoor, deps.clock, deps.timers)
    this.#reception = new Reception({
      desk: deps.desk,
      neighbours: deps.neighbours,
      config: deps.config,
      clock: deps.clock,
      log: this.#log,
      seals: this.#seals,
      front: createFront(deps.script, deps.walletScript === undefined ? null : { script: deps.walletScript, check: new WalletCheck(deps) }),
      rpc: () => deps.rpc?.() ?? null,
      streams: this.#streams,
      streamDoor,
      ahead: () => deps.ahead?.() ?? null,
      httpPort: () => this.#httpPort,
      tls: () => (this.#https === null || this.#check?.usable !== true ? null : { isAnnounced: this.option114().uri !== null, isSure: deps.clock.isWallTrusted(), port: portOf(this.#https) }),
    })
  }

  /** Rejects if the plain listener cannot be opened; a TLS listener that cannot is logged and left out. */
  async start(): Promise<void> {
    const { portalAddress, portalPort } = this.#deps.config().hotspot
    const http = this.#newListener(null)
    await http.listen({ host: portalAddress, port: portalPort })
    this.#http = http
    this.#httpPort = portOf(http)
    this.#log.info('the portal listens', { url: this.url })
    await this.#inTurn(() => this.#refreshTls())
    this.#cancelRecheck = this.#deps.timers.every(RECHECK_CERTIFICATE_MS, () => {
      this.#inTurn(() => this.#refreshTls()).catch(() => undefined) // logged where turns are taken
    })
  }

  async stop(): Promise<void> {
    this.#cancelRecheck()
    await this.#inTurn(async () => {
      const open = [this.#http, this.#https]
      this.#http = null
      this.#https = null
      await Promise.all(open.map((app) => this.#close(app)))
    })
  }

  /** A renewed or removed certificate (SIGHUP). */
  async setTls(pair: TlsPair | null): Promise<void> {
    await this.#inTurn(() => {
      this.#source = () => pair
      return this.#refreshTls()
    })
  }

  /** `http://host[:port]`, what is printed on vouchers and shown to people. */
  get url(): string {
    return originOf(false, this.#deps.config().hotspot.portalHost, this.#httpPort)
  }

  /** Ports that are really open, for tests and for port 0; null = not listening. */
  get ports(): { http: number | null; https: number | null } {
    return { http: this.#http && portOf(this.#http), https: this.#https && portOf(this.#https) }
  }

  /** What DHCP may say now. */
  option114(): Option114 {
    const { portalHost, tlsPort } = this.#deps.config().hotspot
    return option114({
      certificate: this.#check,
      portalHost,
      tlsPort: this.#https === null ? tlsPort : portOf(this.#https),
      wallMs: this.#deps.clock.wallMs(),
      isWallTrusted: this.#deps.clock.isWallTrusted(),
    })
  }

  /** The API's address for one device, for a lease that names it; null while option 114 is withheld. */
  apiUriFor(mac: MacAddress): string | null {
    const { uri } = this.option114()
    return uri === null ? null : uri.slice(0, -API_PATH.length) + `${API_PATH}/${this.#seals.apiName(mac)}`
  }

  /** The certificate's state may change by the clock alone, or by being renewed: looked at each minute. */
  async #refreshTls(): Promise<void> {
    const { hotspot } = this.#deps.config()
    const { pair, check } = this.#readTls(hotspot.portalHost)
    if (check !== null && !check.usable && check.reason !== this.#check?.reason) this.#log.warn('no TLS portal', { reason: check.reason })
    this.#check = check
    const isSame = pair?.certificatePem === this.#pair?.certificatePem && pair?.keyPem === this.#pair?.keyPem
    if (this.#https !== null && (check?.usable !== true || !isSame)) {
      const old = this.#https
      this.#https = null
      await this.#close(old)
    }
    if (this.#http !== null && this.#https === null && pair !== null && check?.usable === true) await this.#openTls(pair, hotspot)
    this.#announce()
  }

  #readTls(portalHost: string): { pair: TlsPair | null; check: CertificateCheck | null } {
    try {
      const pair = this.#source()
      const now = { wallMs: this.#deps.clock.wallMs(), isWallTrusted: this.#deps.clock.isWallTrusted() }
      return { pair, check: pair === null ? null : checkCertificate(pair, portalHost, now) }
    } catch (error) {
      return { pair: null, check: { usable: false, reason: asError(error).message, notAfterMs: null } }
    }
  }

  async #openTls(pair: TlsPair, hotspot: { portalAddress: string; tlsPort: number }): Promise<void> {
    try {
      const https = this.#newListener(pair)
      await https.listen({ host: hotspot.portalAddress, port: hotspot.tlsPort })
      this.#https = https
      this.#pair = pair
      this.#log.info('the TLS portal listens', { port: portOf(https), reason: this.#check?.reason })
    } catch (error) {
      this.#check = { usable: false, reason: `port ${hotspot.tlsPort} could not be opened: ${asError(error).message}`, notAfterMs: null }
      this.#log.error('the TLS portal could not be opened', { port: hotspot.tlsPort, error: asError(error) })
    }
  }

  #announce(): void {
    const option = this.option114()
    if (option.uri === this.#announced?.uri && option.reason === this.#announced.reason) return
    this.#announced = option
    this.#deps.onOption114?.(option)
  }

  #newListener(tls: TlsPair | null): FastifyInstance {
    return createListener({ reception: this.#reception, streams: this.#streams, timers: this.#deps.timers, log: this.#log, tls })
  }

  /** Lets answers in progress go out, but waits for nobody longer than the patience. */
  async #close(app: FastifyInstance | null): Promise<void> {
    if (app === null) return
    const cancel = this.#deps.timers.after(STOP_PATIENCE_MS, () => app.server.closeAllConnections())
    try {
      await app.close()
    } finally {
      cancel()
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const next = this.#turn.then(work)
    this.#turn = next.catch((error: unknown) => this.#log.error('the portal could not change its listeners', { error: asError(error) }))
    return next
  }
}

function portOf(app: FastifyInstance): number {
  return (app.server.address() as AddressInfo | null)?.port ?? 0
}
