/**
 * One gateway at one server northbound that speaks Basics Station: asks at `/router-info` where to go, says its version there, takes the configuration, and
 * then sends what it heard and takes orders. No sockets. What breaks begins anew, after ever longer pauses.
 *
 * Station's protocol acknowledges no frame. A ping goes behind each, and a server's WebSocket answers pings in the order of what it read: with the
 * pong it has the frame, and only then it counts as delivered. An order is confirmed by `dntxed` when it was on the air; to one that was not, nothing is
 * said, as Station does. `runcmd` and `rmtsh` are never obeyed.
 */
import { Complaints, MeshBoxError, RateLimit, inputError, utf8 } from '../../../../base/index.ts'
import type { Cancel, Clock, Log, Randomness, Timers } from '../../../../base/index.ts'
import { decodeFrame } from '../../../lorawan/index.ts'
import type { Region } from '../../../lorawan/index.ts'
import type { Copy, Eui, Heard, TxAck } from '../../../ports.ts'
import { numberField, readFields, writeJson } from '../../station/exact-json.ts'
import type { Fields, Writable } from '../../station/exact-json.ts'
import { dashedEui, id6Of } from '../../station/router-id.ts'
import { orderOf } from '../orders.ts'
import type { Order as DeskOrder } from '../orders.ts'
import { readOrder } from './read-order.ts'
import type { Order } from './read-order.ts'
import { readServerConfig } from './server-config.ts'
import type { ServerConfig } from './server-config.ts'
import { ToldTimes } from './told-times.ts'
import { isWritable, writeUp } from './write-up.ts'

/** Frames whose pong is waited for. */
const MAX_PENDING = 256
const ANSWER_MS = 5_000
/** Station has 128 places for what is to be sent. */
const MAX_ORDERS = 128
/** What a server may say: orders and words. */
const WORDS = { burst: 300, perSecond: 100 } as const
/** From asking for a connection until it is of use. */
const OPENING_MS = 20_000
const BEAT_MS = 30_000
/** Beats without a word, a pong among them. */
const MAX_SILENT_BEATS = 3
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 300_000
/** A connection that lasted so long was a good one: the next pause is short again. */
const STEADY_MS = 60_000
const MAX_URL = 512
const NOBODY = '0000000000000000'

export interface ServerPlace {
  readonly url: string
  /** Of the Authorization header; null: none. */
  readonly authorization: string | null
}

export interface ServerSocket {
  send(text: string): void
  ping(bytes: Uint8Array): void
  /** `onEnd` does not follow. */
  close(): void
}

export interface ServerSocketHandlers {
  onOpen(): void
  /** Asked before each message, ping and pong. False: too much; the socket ends. */
  mayTake(): boolean
  onText(text: string): void
  onPong(bytes: Uint8Array): void
  /** Once. `reason`: for the log. */
  onEnd(reason: string): void
}

export interface LinkParts {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Randomness
  readonly log: Log
  openSocket(place: ServerPlace, handlers: ServerSocketHandlers): ServerSocket
  /** u32, never the same twice within a day. */
  nextDownlinkId(): number
  /** Null: nobody takes orders. */
  order(order: DeskOrder): Promise<TxAck> | null
}

/** One connection that has its configuration. */
interface Ready {
  readonly config: ServerConfig
  readonly times: ToldTimes
}

interface Pending {
  readonly cancel: Cancel
  readonly done: (isDelivered: boolean) => void
}

export interface LinkCounts {
  readonly frames: number
  readonly orders: number
  readonly sent: number
  /** Messages that could not be read, or asked what may not be. */
  readonly refused: number
  /** Messages of other kinds. */
  readonly foreign: number
  /** Commands and remote shells that were asked for in vain. */
  readonly commands: number
}

type Handler = (link: StationLink, fields: Fields) => void

export class StationLink {
  readonly gateway: Eui
  readonly #region: Region
  readonly #place: ServerPlace
  readonly #parts: LinkParts
  readonly #complaints: Complaints
  readonly #words = new RateLimit(WORDS, 1)
  readonly #pending = new Map<number, Pending>()
  /** By diid: asked of the desk and not answered yet. */
  readonly #orders = new Set<bigint>()
  readonly #counts = { frames: 0, orders: 0, sent: 0, refused: 0, foreign: 0, commands: 0 }
  #socket: ServerSocket | null = null
  #ready: Ready | null = null
  #pings = 0
  #silentBeats = 0
  #pauseMs = FIRST_PAUSE_MS
  #readyMs: number | null = null
  #isTold = false
  #isClosed = false
  /** What the server's clock is ahead of boot time, seconds; null: it has not said. */
  #clockAhead: number | null = null
  #stops: Cancel[] = []

  constructor(gateway: Eui, region: Region, place: ServerPlace, parts: LinkParts) {
    this.gateway = gateway
    this.#region = region
    this.#place = place
    this.#parts = parts
    this.#complaints = new Complaints(parts)
    this.#discover()
  }

  get isOnline(): boolean {
    return this.#ready !== null
  }

  get counts(): LinkCounts {
    return { ...this.#counts }
  }

  get size(): { readonly pending: number; readonly orders: number } {
    return { pending: this.#pending.size, orders: this.#orders.size }
  }

  /** False at once: there is no connection, or the server does not want it. Otherwise when it has the frame, at the latest after 5 s. */
  deliver(heard: Heard, copy: Copy): Promise<boolean> {
    const [ready, socket] = [this.#ready, this.#socket]
    const frame = decodeFrame(heard.phy)
    if (ready === null || socket === null || this.#pending.size >= MAX_PENDING || !ready.config.wants(frame)) return Promise.resolve(false)
    const text = writeUp(heard, frame, copy, ready.times.tell(copy), ready.config, this.#refTime())
    if (text === null) return Promise.resolve(false)
    socket.send(text)
    return new Promise((done) => {
      const number = this.#ping(socket)
      const cancel = this.#parts.timers.after(ANSWER_MS, () => {
        this.#pending.delete(number)
        done(false)
      })
      this.#pending.set(number, { cancel, done })
    })
  }

  /** Whether `deliver` would send it now. */
  wants(heard: Heard): boolean {
    if (this.#ready === null) return false
    const { config } = this.#ready
    const frame = decodeFrame(heard.phy)
    return this.#pending.size < MAX_PENDING && config.wants(frame) && isWritable(heard, frame, config)
  }

  close(): void {
    this.#isClosed = true
    this.#drop()
  }

  // ---- the way to the server

  #discover(): void {
    const url = `${this.#place.url.replace(/(?:\/router-info)?\/*$/, '')}/router-info`
    const socket = this.#open(url, () => socket.send(writeJson({ router: id6Of(this.gateway) })), (text) => {
      const uri = this.#uriOf(text)
      this.#drop()
      this.#connect(uri)
    })
  }

  #connect(url: string): void {
    const socket = this.#open(url, () => socket.send(writeJson({ msgtype: 'version', station: 'MeshBox', firmware: null, package: null, model: 'MeshBox', protocol: 2, features: '' })), (text) => this.#take(text))
  }

  #open(url: string, onOpen: () => void, onText: (text: string) => void): ServerSocket {
    const { timers, clock } = this.#parts
    this.#socket = this.#parts.openSocket({ url, authorization: this.#place.authorization }, {
      onOpen,
      mayTake: () => this.#words.take('', clock.boottimeMs()) === 0,
      onText: (text) => this.#hear(() => onText(text)),
      onPong: (bytes) => this.#answered(bytes),
      onEnd: (reason) => this.#fail(reason),
    })
    this.#stops = [timers.after(OPENING_MS, () => this.#fail('no configuration came'))]
    return this.#socket
  }

  /** Where it should connect. Errors: input for what is no such place, or another machine than the owner named. */
  #uriOf(text: string): string {
    const { uri, error } = readFields(text)
    if (typeof error === 'string' && error !== '') throw inputError('error', error.slice(0, 100), 'a uri')
    const allowed = 'a ws:// or wss:// URL at the host that the owner named, wss:// where he named that'
    if (typeof uri !== 'string' || uri.length > MAX_URL || !URL.canParse(uri)) throw inputError('uri', typeof uri, allowed)
    const [named, asked] = [new URL(this.#place.url), new URL(uri)]
    const isSafe = asked.protocol === 'wss:' || (asked.protocol === 'ws:' && named.protocol === 'ws:')
    if (!isSafe || asked.hostname !== named.hostname || asked.username !== '' || asked.password !== '') throw inputError('uri', `${asked.protocol}//${asked.host}`, allowed)
    asked.hash = ''
    return asked.href
  }

  /** Words before the configuration that cannot be read end the connection; after it they cost themselves. */
  #hear(read: () => void): void {
    this.#silentBeats = 0
    try {
      read()
    } catch (thrown) {
      if (!(thrown instanceof MeshBoxError)) throw thrown
      this.#counts.refused += 1
      if (this.#ready === null) this.#fail(thrown.message)
      else this.#parts.log.debug('a LoRa server said what cannot be taken', { ...this.#names(), reason: thrown.message })
    }
  }

  #fail(reason: string): void {
    if (this.#isClosed) return
    const { clock, timers, random, log } = this.#parts
    const nowMs = clock.boottimeMs()
    if (this.#readyMs !== null && nowMs - this.#readyMs >= STEADY_MS) this.#pauseMs = FIRST_PAUSE_MS
    this.#drop()
    if (!this.#isTold) log.warn('a LoRa server cannot be reached', { ...this.#names(), reason })
    this.#isTold = true
    // A half and a chance: boxes that lost the same server do not come back together.
    const chance = (random.bytes(1)[0] ?? 0) / 256
    this.#stops = [timers.after(this.#pauseMs * (0.5 + chance / 2), () => this.#discover())]
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2)
  }

  /** Nothing is open any more, and what waited was not delivered. */
  #drop(): void {
    for (const stop of this.#stops.splice(0)) stop()
    this.#socket?.close()
    this.#socket = null
    this.#ready = null
    this.#readyMs = null
    this.#clockAhead = null
    this.#silentBeats = 0
    for (const { cancel, done } of this.#pending.values()) {
      cancel()
      done(false)
    }
    this.#pending.clear()
  }

  // ---- pings

  #ping(socket: ServerSocket): number {
    this.#pings += 1
    socket.ping(utf8(String(this.#pings)))
    return this.#pings
  }

  #answered(bytes: Uint8Array): void {
    this.#silentBeats = 0
    const text = bytes.length > 16 ? '' : Buffer.from(bytes).toString('latin1')
    const number = /^\d{1,15}$/.test(text) ? Number(text) : 0
    if (number > this.#pings) return
    // A server may answer only the last of several (RFC 6455, 5.5.3).
    for (const [sent, { cancel, done }] of this.#pending) {
      if (sent > number) break
      this.#pending.delete(sent)
      cancel()
      this.#counts.frames += 1
      done(true)
    }
  }

  #beat(): void {
    if (this.#silentBeats >= MAX_SILENT_BEATS) return this.#fail('it says nothing any more')
    this.#silentBeats += 1
    if (this.#socket !== null) this.#ping(this.#socket)
    this.#askTime()
  }

  #askTime(): void {
    this.#say({ msgtype: 'timesync', txtime: Math.round(this.#parts.clock.boottimeMs() * 1_000) })
  }

  // ---- its words

  #take(text: string): void {
    const fields = readFields(text)
    const kind = fields['msgtype']
    const handler = typeof kind === 'string' && Object.hasOwn(HANDLERS, kind) ? HANDLERS[kind] : undefined
    if (handler === undefined) this.#counts.foreign += 1
    else handler(this, fields)
  }

  /** A second one takes the place of the first. Errors: input. */
  configure(fields: Fields): void {
    const { timers, clock, random, log } = this.#parts
    const config = readServerConfig(fields, this.#region)
    this.clock(fields)
    if (this.#ready !== null) {
      this.#ready = { config, times: this.#ready.times }
      return
    }
    this.#ready = { config, times: new ToldTimes(1 + ((random.bytes(1)[0] ?? 0) % 127)) }
    this.#readyMs = clock.boottimeMs()
    this.#isTold = false
    for (const stop of this.#stops.splice(0)) stop()
    this.#stops = [timers.every(BEAT_MS, () => this.#beat())]
    log.info('a LoRa server has taken a gateway', this.#names())
    this.#askTime()
  }

  /** `MuxTime`: the server's clock in seconds, which its frames are told back as `RefTime`. */
  clock(fields: Fields): void {
    const seconds = numberField(fields, 'MuxTime')
    if (seconds !== null && seconds > 0 && seconds < 1e11) this.#clockAhead = seconds - this.#parts.clock.boottimeMs() / 1_000
  }

  /** Errors: input. */
  ordered(fields: Fields): void {
    const ready = this.#ready
    if (ready === null) throw inputError('msgtype', 'dnmsg', 'router_config first')
    this.clock(fields)
    const order = readOrder(fields, ready.config, this.#region, ready.times)
    if (this.#orders.has(order.diid)) return
    if (this.#orders.size >= MAX_ORDERS) throw new MeshBoxError('limit', 'more orders than a Station holds', { code: 'orders-too-many', field: 'diid', value: String(order.diid), allowed: `${MAX_ORDERS} at once` })
    this.#counts.orders += 1
    this.#orders.add(order.diid)
    void this.#send(order, ready).finally(() => this.#orders.delete(order.diid))
  }

  command(kind: string): void {
    if (this.#counts.commands === 0) this.#parts.log.warn('a LoRa server asked for a command to be run; that is never done', { ...this.#names(), asked: kind })
    this.#counts.commands += 1
  }

  /** Never rejects. */
  async #send(order: Order, ready: Ready): Promise<void> {
    try {
      const windows = order.windows.map(({ window }) => window)
      const ack = windows.length === 0 ? null : await this.#parts.order(orderOf({ id: this.#parts.nextDownlinkId(), gateway: this.gateway, windows, nowMs: this.#parts.clock.boottimeMs() }))
      if (ack === null || ack.sent === null) return this.#parts.log.debug('an order of a LoRa server was not sent', { ...this.#names(), diid: String(order.diid), statuses: ack?.statuses.join(' ') ?? 'TOO_LATE' })
      this.#counts.sent += 1
      // Of the connection that asked, and as Station does: without a device nobody is told.
      if (this.#ready?.times === ready.times && order.devEui !== NOBODY) this.#confirm(order, ack.sent)
    } catch (thrown) {
      this.#complaints.warn('an order of a LoRa server is refused', { ...this.#names(), reason: thrown instanceof Error ? thrown.message : typeof thrown })
    }
  }

  #confirm({ diid, devEui, windows }: Order, sent: number): void {
    const asked = windows[sent]
    if (asked === undefined) return
    const { dataRate: DR, rctx, xtime, gpsUs: gpstime, window } = asked
    this.#say({ msgtype: 'dntxed', seqno: diid, diid, DR, Freq: window.frequencyHz, DevEui: dashedEui(devEui), rctx, xtime, txtime: this.#parts.clock.boottimeMs() / 1_000, gpstime })
  }

  #say(message: Writable): void {
    this.#socket?.send(writeJson(message))
  }

  #refTime(): number {
    return this.#clockAhead === null ? 0 : this.#clockAhead + this.#parts.clock.boottimeMs() / 1_000
  }

  /** Never a name or password of the URL. */
  #names(): { readonly gateway: Eui; readonly host: string } {
    return { gateway: this.gateway, host: new URL(this.#place.url).host }
  }
}

const HANDLERS: Readonly<Record<string, Handler>> = {
  router_config: (link, fields) => link.configure(fields),
  dnmsg: (link, fields) => link.ordered(fields),
  timesync: (link, fields) => link.clock(fields),
  runcmd: (link) => link.command('runcmd'),
  rmtsh: (link) => link.command('rmtsh'),
}
