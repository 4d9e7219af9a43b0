/**
 * One server northbound, spoken to as the gateways' own forwarder would (GWMP 2): a `Delivery`. Several stand side by side, each with its
 * own filter. A PULL_RESP does not name a gateway, so each gateway that is on-line has a session of its own, with its own socket. Who says to be a gateway proves nothing, so a
 * name alone opens no session: frames of a gateway without one go, in its name, over another's socket, and only where there is none at all one is opened for them.
 *
 * A frame counts as delivered when its PUSH_ACK is there; it is sent at most three times with the same token. What the server orders goes to
 * the listener, that is to the one desk that everybody's orders go to, and its verdict goes back as TX_ACK.
 */
import { Complaints, MeshBoxError } from '../../../base/index.ts'
import type { Cancel, Clock, Log, Timers } from '../../../base/index.ts'
import type { Copy, Delivery, Eui, Gateway, Heard, Route, TxAck } from '../../ports.ts'
import { decodeDatagram, encodeDatagram, readPullResp, writeTxAck } from '../gwmp/index.ts'
import type { Datagram, TxRequest } from '../gwmp/index.ts'
import { frameFilter } from './filter.ts'
import { OrderTakers, orderOf } from './orders.ts'
import type { Order, OrderListener } from './orders.ts'
import { Receptions } from './receptions.ts'
import { SessionState } from './session-state.ts'
import { writePush, writeStat } from './write-push.ts'

const MAX_SESSIONS = 64
/** Frames that wait for their PUSH_ACK, per session. */
const MAX_PENDING = 256
const PUSH_TRIES = 3
const PUSH_WAIT_MS = 1_000
const STAT_MS = 30_000
/** A PULL_RESP that comes again within this is the same order. */
const SAME_ORDER_MS = 10_000
const MAX_ORDERS = 64

export interface UpstreamSocket {
  send(bytes: Uint8Array): void
  close(): void
}

export interface UpstreamOptions {
  readonly host: string
  readonly port: number
  /** Null: every uplink. */
  readonly routes: readonly Route[] | null
}

export interface UpstreamParts {
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  /** Connected: only what comes from the server is told. `onError`: the address is not known, or nobody is there. */
  openSocket(place: { readonly host: string; readonly port: number }, onDatagram: (bytes: Uint8Array) => void, onError: (error: Error) => void): UpstreamSocket
  /** u32, never the same twice within a day. */
  nextDownlinkId(): number
}

interface Pending {
  readonly datagram: Uint8Array
  /** The session's gateway heard it: counts in what is said of that. */
  readonly isOwn: boolean
  tries: number
  cancel: Cancel
  readonly done: (isDelivered: boolean) => void
}

interface Session {
  readonly gateway: Eui
  /** False: there is no other session, so this one stays for frames. */
  isOnline: boolean
  readonly state: SessionState
  readonly receptions: Receptions
  readonly pending: Map<number, Pending>
  /** By token, with what they were and when: the newest last. */
  readonly orders: Map<number, { readonly body: string; readonly atMs: number; answer: Uint8Array | null }>
  socket: UpstreamSocket | null
  token: number
  cancelPull: Cancel
  readonly counts: { received: number; acked: number; ordered: number; sent: number }
}

export class GwmpUpstream implements Delivery {
  readonly #options: UpstreamOptions
  readonly #parts: UpstreamParts
  readonly #complaints: Complaints
  readonly #fits: (phy: Uint8Array) => boolean
  readonly #sessions = new Map<Eui, Session>()
  /** Also those that there was no room for. */
  readonly #online = new Set<Eui>()
  readonly #takers = new OrderTakers()
  readonly #stopStat: Cancel
  #isClosed = false

  constructor(options: UpstreamOptions, parts: UpstreamParts) {
    this.#options = options
    this.#parts = parts
    this.#complaints = new Complaints(parts)
    this.#fits = frameFilter(options.routes)
    this.#stopStat = parts.timers.every(STAT_MS, () => {
      for (const session of this.#sessions.values()) this.#stat(session)
    })
  }

  readonly takesLate = false

  /** Of any session: the server answers. */
  get isOnline(): boolean {
    const nowMs = this.#parts.clock.boottimeMs()
    return [...this.#sessions.values()].some(({ state }) => state.isOnline(nowMs))
  }

  get size(): { readonly sessions: number; readonly pending: number; readonly orders: number } {
    const sum = (of: (session: Session) => number): number => [...this.#sessions.values()].reduce((total, session) => total + of(session), 0)
    return { sessions: this.#sessions.size, pending: sum(({ pending }) => pending.size), orders: sum(({ orders }) => orders.size) }
  }

  fits(phy: Uint8Array): boolean {
    return this.#fits(phy)
  }

  /** News of a gateway. One that is there has its session, so that orders can come before its first frame; one that went would be asked to send what it cannot. */
  gateway({ id, isOnline }: Pick<Gateway, 'id' | 'isOnline'>): void {
    if (isOnline) this.#online.add(id)
    else this.#online.delete(id)
    const session = this.#sessions.get(id)
    if (session !== undefined) session.isOnline = isOnline
    for (const other of [...this.#sessions.values()]) if (!other.isOnline && (this.#online.size > 0 || this.#sessions.size > 1)) this.#leave(other)
    for (const there of this.#online) if (!this.#sessions.has(there)) this.#open(there, true)
  }

  /** False at once: filtered out, late (GWMP cannot say so), or the server does not answer. */
  async deliver(heard: Heard): Promise<boolean> {
    if (this.#isClosed || heard.isLate || !this.#fits(heard.phy)) return false
    const byGateway = new Map<Eui, Copy[]>()
    for (const copy of heard.copies) byGateway.set(copy.gateway, [...(byGateway.get(copy.gateway) ?? []), copy])
    const delivered = await Promise.all([...byGateway].map(([gateway, copies]) => this.#push(gateway, heard, copies)))
    return delivered.some(Boolean)
  }

  /** Whether one of its gateways has a session that would send it now. */
  isAwaited({ phy, copies, isLate }: Heard): boolean {
    if (this.#isClosed || isLate || !this.#fits(phy)) return false
    return copies.some(({ gateway }) => {
      const session = this.#knownFor(gateway)
      return session === undefined || this.#canSend(session)
    })
  }

  onDownlink(listener: OrderListener): Cancel {
    return this.#takers.add(listener)
  }

  close(): Promise<void> {
    this.#isClosed = true
    this.#stopStat()
    for (const session of [...this.#sessions.values()]) this.#leave(session)
    return Promise.resolve()
  }

  #leave(session: Session): void {
    this.#sessions.delete(session.gateway)
    session.cancelPull()
    for (const pending of session.pending.values()) this.#settle(session, pending, false)
    session.pending.clear()
    session.socket?.close()
    session.socket = null
  }

  #push(gateway: Eui, heard: Heard, copies: readonly Copy[]): Promise<boolean> {
    const session = this.#sessionFor(gateway)
    if (session === null) return Promise.resolve(false)
    const isOwn = session.gateway === gateway
    if (isOwn) session.counts.received += 1
    if (!this.#canSend(session)) return Promise.resolve(false)
    if (isOwn) for (const copy of copies) session.receptions.note(copy)
    const token = this.#nextToken(session)
    const datagram = encodeDatagram({ version: 2, token, kind: 'push-data', gateway, body: writePush(heard, copies) })
    return new Promise((done) => {
      const pending: Pending = { datagram, isOwn, tries: 0, cancel: () => undefined, done }
      session.pending.set(token, pending)
      this.#tryPush(session, token, pending)
    })
  }

  #tryPush(session: Session, token: number, pending: Pending): void {
    if (pending.tries >= PUSH_TRIES) {
      session.pending.delete(token)
      return this.#settle(session, pending, false)
    }
    pending.tries += 1
    pending.cancel = this.#parts.timers.after(PUSH_WAIT_MS, () => this.#tryPush(session, token, pending))
    session.socket?.send(pending.datagram)
  }

  #settle(session: Session, pending: Pending, isDelivered: boolean): void {
    pending.cancel()
    if (isDelivered && pending.isOwn) session.counts.acked += 1
    pending.done(isDelivered)
  }

  /** Its own, or any: all go to one server. One that is answered before one that is not. */
  #knownFor(gateway: Eui): Session | undefined {
    const own = this.#sessions.get(gateway)
    if (own !== undefined) return own
    const all = [...this.#sessions.values()]
    return all.find((session) => this.#canSend(session)) ?? all[0]
  }

  #sessionFor(gateway: Eui): Session | null {
    return this.#knownFor(gateway) ?? this.#open(gateway, false)
  }

  #canSend({ state, pending }: Session): boolean {
    return !state.isAway(this.#parts.clock.boottimeMs()) && pending.size < MAX_PENDING
  }

  #open(gateway: Eui, isOnline: boolean): Session | null {
    if (this.#isClosed || this.#sessions.size >= MAX_SESSIONS) return null
    const session: Session = {
      gateway, isOnline, state: new SessionState(), receptions: new Receptions(), pending: new Map(), orders: new Map(),
      socket: null, token: 0, cancelPull: () => undefined, counts: { received: 0, acked: 0, ordered: 0, sent: 0 },
    }
    this.#sessions.set(gateway, session)
    this.#pull(session)
    return session
  }

  /** Keepalive, and the way back after a failure: a socket of its own is opened anew, its name asked for anew. */
  #pull(session: Session): void {
    const nowMs = this.#parts.clock.boottimeMs()
    if (session.state.needsSocket(nowMs)) {
      session.socket?.close()
      session.socket = null
    }
    session.socket ??= this.#connect(session)
    session.socket.send(encodeDatagram({ version: 2, token: this.#nextToken(session), kind: 'pull-data', gateway: session.gateway, body: new Uint8Array() }))
    session.cancelPull()
    session.cancelPull = this.#parts.timers.after(session.state.pulled(nowMs), () => this.#pull(session))
  }

  #connect(session: Session): UpstreamSocket {
    const { host, port } = this.#options
    session.state.opened(this.#parts.clock.boottimeMs())
    return this.#parts.openSocket({ host, port }, (bytes) => this.#take(session, bytes), (error) => {
      if (session.state.failed()) this.#parts.log.warn('a LoRa server cannot be reached', { host, port, error })
      // Whoever brought the frames knows better what to do with them than to wait here.
      for (const pending of session.pending.values()) this.#settle(session, pending, false)
      session.pending.clear()
    })
  }

  #take(session: Session, bytes: Uint8Array): void {
    if (this.#sessions.get(session.gateway) !== session) return
    let datagram: Datagram
    try {
      datagram = decodeDatagram(bytes)
    } catch (thrown) {
      if (!(thrown instanceof MeshBoxError)) throw thrown
      return this.#parts.log.debug('a LoRa server sent what is no GWMP', { host: this.#options.host, reason: thrown.message })
    }
    switch (datagram.kind) {
      case 'push-ack': {
        const pending = session.pending.get(datagram.token)
        session.state.answered(this.#parts.clock.boottimeMs())
        session.pending.delete(datagram.token)
        if (pending !== undefined) this.#settle(session, pending, true)
        return
      }
      case 'pull-ack':
        return session.state.answered(this.#parts.clock.boottimeMs())
      case 'pull-resp':
        return this.#ordered(session, datagram)
      default: // what only gateways say
    }
  }

  #ordered(session: Session, { token, body }: Datagram): void {
    const nowMs = this.#parts.clock.boottimeMs()
    const text = Buffer.from(body).toString('latin1')
    for (const [known, { atMs }] of session.orders) {
      if (nowMs - atMs < SAME_ORDER_MS && session.orders.size < MAX_ORDERS) break
      session.orders.delete(known)
    }
    const before = session.orders.get(token)
    if (before?.body === text) {
      if (before.answer !== null) session.socket?.send(before.answer)
      return
    }
    const order = { body: text, atMs: nowMs, answer: null as Uint8Array | null }
    session.orders.delete(token)
    session.orders.set(token, order)
    session.counts.ordered += 1
    const answer = (status: TxAck['statuses'][number]): void => {
      order.answer = encodeDatagram({ version: 2, token, kind: 'tx-ack', gateway: session.gateway, body: status === 'OK' ? new Uint8Array() : writeTxAck(status) })
      if (status === 'OK') session.counts.sent += 1
      session.socket?.send(order.answer)
    }
    void this.#ask(session, body).then((ack) => answer(ack === null ? 'TOO_LATE' : ack.sent !== null ? 'OK' : (ack.statuses.find((status) => status !== 'IGNORED') ?? 'TOO_LATE')))
  }

  /** Null: there is nothing that could be sent. Never rejects. */
  async #ask(session: Session, body: Uint8Array): Promise<TxAck | null> {
    try {
      const order = this.#orderOf(session, readPullResp(body))
      return order === null ? null : await this.#takers.ask(order)
    } catch (thrown) {
      this.#complaints.warn('an order of a LoRa server is refused', { host: this.#options.host, reason: thrown instanceof Error ? thrown.message : typeof thrown })
      return null
    }
  }

  #orderOf(session: Session, request: TxRequest): Order | null {
    const nowMs = this.#parts.clock.boottimeMs()
    const timing = request.timing.kind === 'counter' ? session.receptions.answerAt(request.timing.tmstUs) : request.timing
    if (timing === null) return null
    return orderOf({ id: this.#parts.nextDownlinkId(), gateway: session.gateway, windows: [{ ...request, timing }], nowMs })
  }

  #stat(session: Session): void {
    const { received, acked, ordered, sent } = session.counts
    const body = writeStat({ wallMs: this.#parts.clock.wallMs(), received, forwarded: received, ackPercent: received === 0 ? 100 : (100 * acked) / received, ordered, sent })
    session.socket?.send(encodeDatagram({ version: 2, token: this.#nextToken(session), kind: 'push-data', gateway: session.gateway, body }))
    Object.assign(session.counts, { received: 0, acked: 0, ordered: 0, sent: 0 })
  }

  #nextToken(session: Session): number {
    do session.token = (session.token + 1) % 0x1_0000
    while (session.pending.has(session.token))
    return session.token
  }
}
