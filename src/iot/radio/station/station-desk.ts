/**
 * All Stations: who may connect, where he is told to, and which connection a gateway is behind. No sockets: the server in ../io brings
 * requests and texts.
 */
import { MeshBoxError, equalBytesConstantTime, momentOf, utf8 } from '../../../base/index.ts'
import type { Cancel, Clock, Log, Timers } from '../../../base/index.ts'
import { regionNamed } from '../../lorawan/index.ts'
import type { Region } from '../../lorawan/index.ts'
import type { Downlink, Eui, Gateway } from '../../ports.ts'
import type { RadioDoor, RadioSink, RadioTxAck } from '../door.ts'
import { readFields, writeJson } from './exact-json.ts'
import { id6Of, routerIdOf } from './router-id.ts'
import { routerConfig } from './router-config.ts'
import { StationSession } from './session.ts'
import type { SessionCounts } from './session.ts'

/** Connections of known gateways; and names that are remembered after they went. */
const MAX_SESSIONS = 256
const MAX_REMEMBERED = 512
const FORGET_MS = 30 * 24 * 3_600_000
/** Station needs 20 ms, the connection some more; it holds frames for ten minutes. */
const LEAST_LEAD_MS = 60
const MOST_LEAD_MS = 600_000
/** As often as packet forwarders say how they are. */
const STATS_MS = 30_000

export interface StationOptions {
  readonly region: string
  /** Of each gateway: what its Authorization header must say. */
  readonly tokens: Readonly<Record<Eui, string>>
  /** No tokens are configured, and only this machine can reach the door: everybody may. */
  readonly isOpen: boolean
  /** Where the eight channels begin, in a plan of 64 or 96; null: where most networks listen. */
  readonly firstChannelHz: number | null
}

export interface StationParts {
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  readonly sink: RadioSink
}

/** How a gateway shows who it is. */
export interface Credentials {
  /** The header as it came. */
  readonly authorization: string | undefined
  /** The gateway that its TLS certificate, checked against our authority, is made out to; null: none was asked for. */
  readonly certifiedName: Eui | null
}

/** A connection, as the server has it. */
export interface StationLink {
  send(text: string): void
  close(): void
}

export class StationDesk implements RadioDoor {
  readonly #region: Region
  readonly #options: StationOptions
  readonly #parts: StationParts
  readonly #sessions = new Map<Eui, { readonly session: StationSession; readonly link: StationLink }>()
  /** When each was last heard, for those that went. */
  readonly #gone = new Map<Eui, number>()
  readonly #counts = { frames: 0, refused: 0, stray: 0, foreign: 0 }
  readonly #stopStats: Cancel
  #unauthorized = 0

  /** Errors: input `region`, `first-channel`. */
  constructor(options: StationOptions, parts: StationParts) {
    this.#region = regionNamed(options.region)
    routerConfig({ region: this.#region, netIds: null, muxTimeSeconds: 0, firstChannelHz: options.firstChannelHz }) // now rather than when a Station asks
    this.#options = options
    this.#parts = parts
    this.#stopStats = parts.timers.every(STATS_MS, () => {
      for (const { session } of this.#sessions.values()) parts.sink.stats(session.stats())
    })
  }

  get counts(): SessionCounts & { readonly unauthorized: number } {
    const sum = { ...this.#counts }
    for (const { session } of this.#sessions.values()) addTo(sum, session.counts)
    return { ...sum, unauthorized: this.#unauthorized }
  }

  get size(): { readonly sessions: number; readonly gone: number; readonly pending: number } {
    return { sessions: this.#sessions.size, gone: this.#gone.size, pending: [...this.#sessions.values()].reduce((total, { session }) => total + session.pending, 0) }
  }

  /** In constant time for a known gateway. */
  mayConnect(gateway: Eui, { authorization, certifiedName }: Credentials): boolean {
    // A certificate says who it is, and nobody else: with it no token is asked for.
    if (certifiedName !== null) {
      const isHis = certifiedName === gateway
      if (!isHis) this.#unauthorized += 1
      return isHis
    }
    const token = Object.hasOwn(this.#options.tokens, gateway) ? this.#options.tokens[gateway] : undefined
    const isRight = token === undefined ? this.#options.isOpen : equalBytesConstantTime(utf8(token), utf8(authorization ?? ''))
    if (!isRight) this.#unauthorized += 1
    return isRight
  }

  /** The answer to a text on `/router-info`. `uriOf`: where that gateway should connect. Never throws. */
  discover(text: string, credentials: Credentials, uriOf: (gateway: Eui) => string): string {
    try {
      const gateway = routerIdOf(readFields(text)['router'])
      if (!this.mayConnect(gateway, credentials)) return writeJson({ router: id6Of(gateway), error: 'not allowed' })
      // `muxs` names the server; we are one, and the gateway's own name is as good as any.
      return writeJson({ router: id6Of(gateway), muxs: id6Of(gateway), uri: uriOf(gateway) })
    } catch (thrown) {
      if (!(thrown instanceof MeshBoxError)) throw thrown
      return writeJson({ error: thrown.message })
    }
  }

  /** A gateway that may has connected. The connection it had before is closed. Null: there is no room. */
  connect(gateway: Eui, link: StationLink): StationSession | null {
    const before = this.#sessions.get(gateway)
    if (before === undefined && this.#sessions.size >= MAX_SESSIONS) return null
    if (before !== undefined) this.#end(gateway, before.session)
    before?.link.close()
    const session = new StationSession(gateway, this.#region, { ...this.#parts, firstChannelHz: this.#options.firstChannelHz, send: (text) => link.send(text) })
    this.#sessions.set(gateway, { session, link })
    this.#gone.delete(gateway)
    this.#parts.sink.gateway(this.#gatewayOf(gateway, true, session.heardMs))
    return session
  }

  /** The connection is over. */
  disconnect(session: StationSession): void {
    const { gateway } = session
    if (this.#sessions.get(gateway)?.session !== session) return
    this.#end(gateway, session)
    this.#remember(gateway, session.heardMs)
    this.#parts.sink.gateway(this.#gatewayOf(gateway, false, session.heardMs))
  }

  gateways(): readonly Gateway[] {
    const nowMs = this.#parts.clock.boottimeMs()
    for (const [gateway, heardMs] of this.#gone) if (nowMs - heardMs >= FORGET_MS) this.#gone.delete(gateway)
    return [
      ...[...this.#sessions.values()].map(({ session }) => this.#gatewayOf(session.gateway, true, session.heardMs)),
      ...[...this.#gone].map(([gateway, heardMs]) => this.#gatewayOf(gateway, false, heardMs)),
    ]
  }

  async transmit(downlink: Downlink): Promise<RadioTxAck> {
    const session = this.#sessions.get(downlink.gateway)?.session
    if (session?.isConfigured !== true) return { id: downlink.id, gateway: downlink.gateway, statuses: downlink.windows.map(() => 'GATEWAY_AWAY'), sent: null, onAirUs: 0, doubtful: null }
    return session.transmit(downlink)
  }

  close(): void {
    this.#stopStats()
    for (const { session, link } of [...this.#sessions.values()]) {
      link.close()
      this.disconnect(session)
    }
  }

  #end(gateway: Eui, session: StationSession): void {
    this.#sessions.delete(gateway)
    addTo(this.#counts, session.counts)
    session.close()
  }

  #remember(gateway: Eui, heardMs: number): void {
    this.#gone.delete(gateway)
    this.#gone.set(gateway, heardMs)
    if (this.#gone.size > MAX_REMEMBERED) this.#gone.delete(this.#gone.keys().next().value ?? gateway)
  }

  #gatewayOf(id: Eui, isOnline: boolean, heardMs: number): Gateway {
    const now = momentOf(this.#parts.clock)
    const silentMs = now.boottimeMs - heardMs
    return { id, door: 'station', region: this.#region.name, isOnline, lastSeen: { ...now, boottimeMs: heardMs, wallMs: now.wallMs - silentMs }, dutyModel: 'blocking', minLeadMs: LEAST_LEAD_MS, maxLeadMs: MOST_LEAD_MS }
  }
}

function addTo(sum: { frames: number; refused: number; stray: number; foreign: number }, counts: SessionCounts): void {
  sum.frames += counts.frames
  sum.refused += counts.refused
  sum.stray += counts.stray
  sum.foreign += counts.foreign
}
