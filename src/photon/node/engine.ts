/**
 * The loop of a node: takes what is there (frames, orders), has it decided, signs all of it together, stores it in one
 * turn, and only then acknowledges and sends. One group after the other; what comes meanwhile forms the next group.
 */
import { MeshBoxError, RateLimit, asError } from '../../base/index.ts'
import type { Address, Cancel, Clock, Hash, Log, Timers } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import type { ChannelReceived } from '../channel/index.ts'
import type { ChainMoment, Message } from '../ports.ts'
import { ChannelSet } from './channel-set.ts'
import { keptAs, storeTurn } from './commit.ts'
import { Draft } from './draft.ts'
import type { Outgoing } from './draft.ts'
import { gather } from './gather.ts'
import type { GatherTools, Gathered, Unreadable } from './gather.ts'
import { Inbox, MAX_GROUP } from './inbox.ts'
import type { LiveChannel } from './live-channel.ts'
import { MAX_OUTBOX, Outbox } from './outbox.ts'
import type { PacedTransport, Soon } from './ports.ts'
import { ackPacket, echoOf, seal } from './seal.ts'
import type { SealTools } from './seal.ts'
import { readLiveChannels } from './tables/channels.ts'
import { nextOutboxId, readOutbox } from './tables/outbox.ts'
import type { OutboxRow } from './tables/outbox.ts'
import { readPackets } from './tables/packets.ts'
import type { PacketRow } from './tables/packets.ts'

/** Orders that wait; the next one is refused. */
const MAX_ORDERS = 10_000
const TICK_MS = 250
/** Frames that no honest peer sends: so many at once and per second before the connection is ended. */
const STRIKES = { burst: 64, perSecond: 2 } as const

/** What the node above decides. */
export interface EngineHooks {
  moment(): ChainMoment
  /** Why the message needs no closer look; null: its signer is worth recovering. */
  objection(from: Address, message: Message): string | null
  received(draft: Draft, from: Address, received: ChannelReceived): void
  connected(draft: Draft, peer: Address): void
  /** Says again where we stand in a channel. */
  greet(draft: Draft, live: LiveChannel): void
  /** Last look before the turn is sealed, e.g. for duties. */
  closing(draft: Draft): void
  /** There is mail for somebody who is not connected. */
  wanted(peer: Address): void
  /** A new live channel from its row. */
  restored(number: number, acked: bigint, state: LiveChannel['state']): LiveChannel
}

export interface EngineOptions extends SealTools {
  readonly recovery: GatherTools['recovery']
  readonly store: Store
  readonly transport: PacedTransport
  readonly clock: Clock
  readonly timers: Timers
  readonly soon: Soon
  readonly log: Log
}

interface Order {
  run(draft: Draft): void
  stored(): void
  failed(error: Error): void
}

type Item = Gathered | Unreadable

export class Engine {
  readonly channels = new ChannelSet()
  readonly #options: EngineOptions
  readonly #hooks: EngineHooks
  readonly #outbox = new Outbox()
  readonly #inbox = new Inbox()
  readonly #strikes = new RateLimit(STRIKES)
  readonly #connected = new Set<Address>()
  readonly #cancels: Cancel[] = []
  #orders: Order[] = []
  #nextOutboxId = 1
  #isRunning = false
  #isKicked = false
  /** From start to stop. */
  #isOpen = false
  #idle: (() => void)[] = []
  #groups = 0
  #refusedFrames = 0

  constructor(options: EngineOptions, hooks: EngineHooks) {
    this.#options = options
    this.#hooks = hooks
  }

  get counts(): { readonly groups: number; readonly refusedFrames: number; readonly waitingFrames: number; readonly waitingOrders: number } {
    return { groups: this.#groups, refusedFrames: this.#refusedFrames, waitingFrames: this.#inbox.size, waitingOrders: this.#orders.length }
  }

  start(peers: readonly Address[]): void {
    const { store, wire, transport, timers } = this.#options
    const { contract } = wire.domain
    const stored = store.read((tx) => ({ channels: readLiveChannels(tx, contract), outbox: readOutbox(tx, contract), nextId: nextOutboxId(tx) }))
    for (const row of stored.channels) {
      const live = this.#hooks.restored(row.number, row.acked, row.state)
      this.channels.add(live)
      this.loadOutstanding(live, row.acked)
    }
    for (const row of stored.outbox) this.#outbox.add(row)
    this.#isOpen = true
    this.#nextOutboxId = stored.nextId
    this.#cancels.push(
      transport.onFrame((from, frame) => this.#onFrame(from, frame)),
      transport.onConnected((peer) => this.#onConnected(peer)),
      transport.onDisconnected((peer) => this.#onDisconnected(peer)),
      timers.every(TICK_MS, () => this.#tick()),
    )
    for (const peer of peers) this.#onConnected(peer)
  }

  /** What is under way is finished and stored; nothing new is taken. */
  async stop(): Promise<void> {
    this.#isOpen = false
    for (const cancel of this.#cancels.splice(0)) cancel()
    if (this.#isRunning || this.#isKicked) await new Promise<void>((done) => this.#idle.push(done))
    for (const order of this.#orders.splice(0)) order.failed(notOpen())
    await this.#flush()
  }

  /**
   * Runs `decide` in the next group; resolves with what it gave when that is on disk. It must throw a MeshBoxError
   * before it has touched the draft, or not at all.
   */
  order<T>(decide: (draft: Draft) => T): Promise<T> {
    if (!this.#isOpen) return Promise.reject(notOpen())
    if (this.#orders.length >= MAX_ORDERS) return Promise.reject(new MeshBoxError('limit', `${MAX_ORDERS} payments wait to be stored; try again in a moment`, { code: 'photon-busy', retryAfterSeconds: 1 }))
    return new Promise<T>((resolve, reject) => {
      let result: T
      this.#orders.push({
        run: (draft) => {
          result = decide(draft)
        },
        stored: () => resolve(result),
        failed: reject,
      })
      this.#kick()
    })
  }

  isConnected(peer: Address): boolean {
    return this.#connected.has(peer)
  }

  /** Packets of ours from the one after `seen` on, as stored, to be sent (again). */
  loadOutstanding(live: LiveChannel, seen: bigint): void {
    const { wire, keccak256 } = this.#options
    const from = live.oldestOutstanding
    const { nonce } = live.state.own
    const before = from === null ? nonce : from - 1n
    if (seen >= before) return
    const packets = this.#options.store.read((tx) => readPackets(tx, live.number, 'own', seen + 1n, before, Number(before - seen)))
    live.addBefore(
      packets.flatMap((stored) => {
        const packet = new Uint8Array(stored)
        const decoded = wire.decode(packet)
        if ('refused' in decoded || !('envelope' in decoded.message)) return []
        return [{ nonce: decoded.message.envelope.nonce, echo: echoOf(wire, keccak256, decoded.extra, packet, live.partner), packet, delivered: null }]
      }),
    )
  }

  /** Sends what may go out on the channel now. */
  flushChannel(live: LiveChannel): void {
    if (!live.isInSync) return
    const { transport, clock } = this.#options
    for (const { packet } of live.takeUnsent(clock.boottimeMs())) if (!transport.send(live.partner, packet)) return live.forgetSent()
  }

  /** For what is said once and not kept. */
  sendNow(to: Address, frame: Uint8Array): void {
    this.#options.transport.send(to, frame)
  }

  acknowledged(from: Address, echo: Hash): boolean {
    const now = this.#options.clock.boottimeMs()
    for (const live of this.channels.with(from)) {
      if (!live.acknowledge(echo, now)) continue
      this.flushChannel(live)
      return true
    }
    return this.#outbox.acknowledge(from, echo)
  }

  #onFrame(from: Address, frame: Uint8Array): void {
    if (this.#inbox.add(from, frame) === 'hold') this.#options.transport.pause(from)
    this.#kick()
  }

  #onConnected(peer: Address): void {
    this.#connected.add(peer)
    this.#forgetSent(peer)
    void this.order((draft) => this.#hooks.connected(draft, peer)).then(
      () => this.#flushOutbox(peer),
      (error: Error) => this.#options.log.warn('photon: a connection could not be greeted', { peer, error }),
    )
  }

  #onDisconnected(peer: Address): void {
    this.#connected.delete(peer)
    this.#inbox.forget(peer)
    this.#forgetSent(peer)
  }

  #forgetSent(peer: Address): void {
    for (const live of this.channels.with(peer)) {
      live.hasMet = false
      live.forgetSent()
    }
    this.#outbox.forgetSent(peer)
  }

  #flushOutbox(peer: Address): void {
    if (!this.#connected.has(peer)) return
    for (const packet of this.#outbox.takeDue(peer, this.#options.clock.boottimeMs())) if (!this.#options.transport.send(peer, packet)) return
  }

  #tick(): void {
    const now = this.#options.clock.boottimeMs()
    for (const live of this.channels.all()) {
      live.resend(now)
      this.flushChannel(live)
    }
    for (const peer of [...this.#outbox.peers()]) this.#flushOutbox(peer)
    this.#greetAgain(now)
    if (!this.#isRunning && !this.#isKicked) void this.#flush()
  }

  #greetAgain(now: number): void {
    const silent = [...this.channels.all()].filter((live) => !live.isInSync && this.#connected.has(live.partner) && live.isGreetingDue(now))
    if (silent.length === 0) return
    const greet = (draft: Draft): void => {
      for (const live of silent) this.#hooks.greet(draft, live)
    }
    this.order(greet).catch((error: unknown) => this.#options.log.debug('photon: a partner could not be asked again where it stands', { error: asError(error) }))
  }

  /** Acknowledgements that came and have not been noted on disk: no hurry, losing them means sending twice. */
  async #flush(): Promise<void> {
    const acked = [...this.channels.all()].filter((live) => live.acked > live.storedAcked)
    const done = this.#outbox.takeDone()
    if (acked.length === 0 && done.length === 0) return
    await this.#store(new Draft(this.#hooks.moment()), [], [], acked, done).catch((error: unknown) => this.#options.log.warn('photon: acknowledgements could not be noted', { error: asError(error) }))
  }

  #kick(): void {
    if (this.#isKicked || this.#isRunning) return
    this.#isKicked = true
    this.#options.soon(() => {
      this.#isKicked = false
      this.#isRunning = true
      void this.#runGroup().finally(() => {
        this.#isRunning = false
        const hasMore = this.#isOpen && (this.#orders.length > 0 || this.#inbox.size > 0)
        if (hasMore) this.#kick()
        else for (const done of this.#idle.splice(0)) done()
      })
    })
  }

  async #runGroup(): Promise<void> {
    const orders = this.#orders.splice(0, MAX_GROUP)
    const { frames, resumed } = this.#inbox.take(Math.max(MAX_GROUP - orders.length, MAX_GROUP / 4))
    for (const peer of resumed) this.#options.transport.resume(peer)
    this.#groups++
    try {
      const { wire, digests, recovery } = this.#options
      const gathered = gather({ wire, digests, recovery, objection: (from, message) => this.#hooks.objection(from, message) }, frames)
      const items = gathered instanceof Promise ? await gathered : gathered
      await this.#turn(orders, items)
    } catch (thrown) {
      // Recovering signatures failed as such: nothing was decided, the peers send their frames again.
      const error = asError(thrown)
      this.#options.log.error('photon: a group of frames could not be read', { error })
      for (const order of orders) order.failed(error)
    }
  }

  /** If one input makes the machines throw (our own mistake), the others must not suffer: each is tried alone. */
  async #turn(orders: readonly Order[], items: readonly Item[]): Promise<void> {
    const draft = new Draft(this.#hooks.moment())
    const accepted: Order[] = []
    try {
      for (const order of orders) if (this.#runOrder(draft, order)) accepted.push(order)
      for (const item of items) this.#runItem(draft, item)
      this.#hooks.closing(draft)
      const sealing = seal(this.#options, draft)
      if (sealing instanceof Promise) await sealing
    } catch (thrown) {
      const error = asError(thrown)
      if (accepted.length + items.length > 1) {
        for (const order of accepted) await this.#turn([order], [])
        for (const item of items) await this.#turn([], [item])
        return
      }
      this.#options.log.error('photon: an input could not be handled', { error })
      for (const order of accepted) order.failed(error)
      return
    }
    try {
      await this.#finish(draft)
    } catch (thrown) {
      // Nothing of the draft is on disk, and nothing of it has left: peers send again, orders are told.
      for (const order of accepted) order.failed(asError(thrown))
      return
    }
    for (const order of accepted) order.stored()
  }

  #runOrder(draft: Draft, order: Order): boolean {
    try {
      order.run(draft)
      return true
    } catch (thrown) {
      if (!(thrown instanceof MeshBoxError)) throw thrown
      order.failed(thrown)
      return false
    }
  }

  #runItem(draft: Draft, item: Item): void {
    if ('refused' in item) return this.strike(item.from, item.refused)
    this.#hooks.received(draft, item.from, item.received)
  }

  /** A frame that no honest peer sends. */
  strike(from: Address, reason: string): void {
    this.#refusedFrames++
    if (this.#strikes.take(from, this.#options.clock.boottimeMs()) > 0) this.#options.transport.disconnect(from, reason)
    else this.#options.log.debug('photon: a frame was refused', { from, reason })
  }

  async #finish(draft: Draft): Promise<void> {
    const { wire, keccak256 } = this.#options
    const sent: PacketRow[] = []
    const outbox: OutboxRow[] = []
    const echoes: Hash[] = []
    for (const one of draft.outgoing) {
      const { packet, prepared } = one
      if (packet === null || prepared === null) continue
      const kept = keptAs(one)
      const echo = kept === 'nothing' ? prepared.extra : echoOf(wire, keccak256, prepared.extra, packet, one.to)
      echoes.push(echo)
      if (kept === 'packet' && one.live !== null && 'envelope' in one.message) sent.push({ channelNumber: one.live.number, who: 'own', nonce: one.message.envelope.nonce, packet })
      else if (kept === 'outbox' && !this.#outbox.has(one.to, echo)) outbox.push({ id: this.#nextOutboxId++, peer: one.to, echo, packet })
    }
    if (this.#outbox.size + outbox.length > MAX_OUTBOX) throw new MeshBoxError('limit', `${MAX_OUTBOX} messages wait for peers that do not answer`, { code: 'photon-outbox-full', retryAfterSeconds: 60 })
    const onlySaid = draft.outgoing.filter((one) => keptAs(one) === 'nothing')
    if (draft.hasWrites || sent.length > 0 || outbox.length > 0) {
      const acked = [...this.channels.all()].filter((live) => live.acked > live.storedAcked && !draft.states.has(live))
      await this.#store(draft, sent, outbox, acked, this.#outbox.takeDone())
    }
    // From here on it is true, whatever becomes of telling it.
    for (const [live, state] of draft.states) live.state = state
    draft.outgoing.forEach((one, index) => {
      const echo = echoes[index]
      if (one.packet === null || echo === undefined || one.live === null || !('envelope' in one.message)) return
      one.live.add({ nonce: one.message.envelope.nonce, echo, packet: one.packet, delivered: one.delivered })
    })
    for (const row of outbox) this.#outbox.add(row)
    try {
      this.#tell(draft, onlySaid, outbox)
    } catch (thrown) {
      this.#options.log.error('photon: what is stored could not be told; it is sent again', { error: asError(thrown) })
    }
    for (const then of draft.afterwards) {
      try {
        then()
      } catch (thrown) {
        this.#options.log.error('photon: a step after storing failed', { error: asError(thrown) })
      }
    }
  }

  #tell(draft: Draft, onlySaid: readonly Outgoing[], outbox: readonly OutboxRow[]): void {
    const { wire, transport } = this.#options
    for (const { to, echo } of draft.acks.values()) transport.send(to, ackPacket(wire, transport.self, echo))
    for (const one of onlySaid) if (one.packet !== null) transport.send(one.to, one.packet)
    for (const live of new Set(draft.outgoing.map((one) => one.live))) if (live !== null) this.flushChannel(live)
    for (const peer of new Set(outbox.map((row) => row.peer))) {
      if (this.#connected.has(peer)) this.#flushOutbox(peer)
      else this.#hooks.wanted(peer)
    }
  }

  async #store(draft: Draft, sent: readonly PacketRow[], outbox: readonly OutboxRow[], acked: readonly LiveChannel[], outboxDone: readonly number[]): Promise<void> {
    const { store, wire } = this.#options
    const ackedNow = new Map([...acked, ...draft.states.keys()].map((live) => [live, live.acked]))
    try {
      await store.turn((tx) => storeTurn(tx, { contract: wire.domain.contract, draft, sent, outbox, outboxDone, acked }))
    } catch (thrown) {
      this.#outbox.keepDone(outboxDone)
      throw thrown
    }
    for (const [live, nonce] of ackedNow) live.storedAcked = nonce
  }
}

function notOpen(): MeshBoxError {
  return new MeshBoxError('unavailable', 'payments have not been started, or are being stopped', { code: 'photon-not-open' })
}
