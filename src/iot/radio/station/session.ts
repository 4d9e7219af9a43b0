/**
 * One Station on its connection, from `version` to the end: text in, texts out. No sockets. A message that cannot be read costs itself; a
 * remote shell is neither asked for nor answered, and commands are never run.
 */
import { MeshBoxError, momentOf } from '../../../base/index.ts'
import type { Clock, Log, Timers } from '../../../base/index.ts'
import type { Region } from '../../lorawan/index.ts'
import type { Downlink, Eui, GatewayStats } from '../../ports.ts'
import type { RadioSink, RadioTxAck } from '../door.ts'
import { readFields, writeJson } from './exact-json.ts'
import type { Fields } from './exact-json.ts'
import { StationOrders } from './orders.ts'
import { routerConfig } from './router-config.ts'
import { readUplink } from './uplink.ts'
import type { UpKind } from './uplink.ts'

const UNIX_TO_GPS_SECONDS = 315_964_800
/** Since 2017; none is announced. */
const LEAP_SECONDS = 18

export interface SessionParts {
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  readonly sink: RadioSink
  readonly firstChannelHz: number | null
  send(text: string): void
}

export interface SessionCounts {
  readonly frames: number
  readonly refused: number
  /** Confirmations of nothing that was asked. */
  readonly stray: number
  /** Messages that are not taken from a Station, a remote shell's among them. */
  readonly foreign: number
}

type Handler = (session: StationSession, fields: Fields) => void

export class StationSession {
  readonly gateway: Eui
  readonly #region: Region
  readonly #parts: SessionParts
  readonly #orders: StationOrders
  readonly #counts = { frames: 0, refused: 0, stray: 0, foreign: 0 }
  #told = { frames: 0, asked: 0, sent: 0 }
  #isConfigured = false
  heardMs: number

  constructor(gateway: Eui, region: Region, parts: SessionParts) {
    this.gateway = gateway
    this.#region = region
    this.#parts = parts
    this.heardMs = parts.clock.boottimeMs()
    this.#orders = new StationOrders({ ...parts, region, muxTimeSeconds: () => this.#muxTimeSeconds() })
  }

  get counts(): SessionCounts {
    return { ...this.#counts }
  }

  get pending(): number {
    return this.#orders.size
  }

  /** It got its configuration: orders may come. */
  get isConfigured(): boolean {
    return this.#isConfigured
  }

  /** Since the last time; Station itself says nothing of how it is. */
  stats(): GatewayStats {
    const now = { frames: this.#counts.frames, ...this.#orders.counts }
    const before = this.#told
    this.#told = now
    const frames = now.frames - before.frames
    return { gateway: this.gateway, at: momentOf(this.#parts.clock), location: null, received: frames, receivedOk: frames, forwarded: frames, downlinksAsked: now.asked - before.asked, downlinksSent: now.sent - before.sent, ackPercent: null, temperatureC: null }
  }

  transmit(downlink: Downlink): Promise<RadioTxAck> {
    return this.#orders.transmit(downlink)
  }

  take(text: string): void {
    this.heardMs = this.#parts.clock.boottimeMs()
    try {
      const fields = readFields(text)
      const kind = fields['msgtype']
      const handler = typeof kind === 'string' && Object.hasOwn(HANDLERS, kind) ? HANDLERS[kind] : undefined
      if (handler === undefined) this.#counts.foreign += 1
      else handler(this, fields)
    } catch (thrown) {
      if (!(thrown instanceof MeshBoxError)) throw thrown
      this.#counts.refused += 1
      this.#parts.log.debug('a Station said what cannot be read', { gateway: this.gateway, reason: thrown.message })
    }
  }

  close(): void {
    this.#orders.close()
  }

  version(fields: Fields): void {
    const word = (name: string): string => String(fields[name] ?? '').slice(0, 64)
    this.#parts.log.info('a Station', { gateway: this.gateway, station: word('station'), model: word('model'), package: word('package') })
    this.#parts.send(writeJson(routerConfig({ region: this.#region, netIds: null, muxTimeSeconds: this.#muxTimeSeconds(), firstChannelHz: this.#parts.firstChannelHz })))
    this.#isConfigured = true
  }

  heard(kind: UpKind, fields: Fields): void {
    const { copy, ...reception } = readUplink(kind, fields, this.#region)
    this.#counts.frames += 1
    this.#parts.sink.received({ ...reception, copy: { ...copy, gateway: this.gateway, arrivedMs: this.heardMs } })
  }

  sent(fields: Fields): void {
    if (!this.#orders.sent(fields)) this.#counts.stray += 1
  }

  /** GPS time only from a clock that is believed; Station does without where it gets 0. */
  timesync(fields: Fields): void {
    const { txtime } = fields
    if (typeof txtime !== 'number' && typeof txtime !== 'bigint') throw new MeshBoxError('input', 'txtime: not there', { code: 'bad-input', field: 'txtime' })
    const { clock } = this.#parts
    const gpstime = clock.isWallTrusted() ? BigInt(Math.round((clock.wallMs() - (UNIX_TO_GPS_SECONDS - LEAP_SECONDS) * 1_000) * 1_000)) : 0n
    this.#parts.send(writeJson({ msgtype: 'timesync', txtime, gpstime, MuxTime: this.#muxTimeSeconds() }))
  }

  #muxTimeSeconds(): number {
    return this.#parts.clock.wallMs() / 1_000
  }
}

const HANDLERS: Readonly<Record<string, Handler>> = {
  version: (session, fields) => session.version(fields),
  jreq: (session, fields) => session.heard('jreq', fields),
  rejoin: (session, fields) => session.heard('rejoin', fields),
  updf: (session, fields) => session.heard('updf', fields),
  propdf: (session, fields) => session.heard('propdf', fields),
  dntxed: (session, fields) => session.sent(fields),
  timesync: (session, fields) => session.timesync(fields),
}
