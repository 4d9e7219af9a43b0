/**
 * The server's side of GWMP without sockets: every datagram is acknowledged first, from its first bytes, and parsed when there is time.
 * What cannot be parsed costs its own packet and nothing else.
 */
import { Complaints, MeshBoxError, momentOf } from '../../../base/index.ts'
import type { Cancel, Clock, Log, Timers } from '../../../base/index.ts'
import type { Downlink, Eui, Gateway } from '../../ports.ts'
import { CounterClock } from '../counter-clock.ts'
import type { RadioDoor, RadioSink, RadioTxAck } from '../door.ts'
import { ackFor, decodeDatagram } from './datagram.ts'
import type { Datagram } from './datagram.ts'
import { MOST_LEAD_MS } from './jit-view.ts'
import { OrderDesk } from './orders.ts'
import type { OrderCounts } from './orders.ts'
import { PathTable } from './paths.ts'
import type { PathVerdict, Place } from './paths.ts'
import { readPushData } from './push-data.ts'
import { SourceBudget } from './source-budget.ts'
import { readTxAck } from './tx-ack.ts'

/** What waits to be parsed; more is not acknowledged, so that the forwarder counts it as lost. */
const MAX_WAITING = 512
const MAX_WAITING_BYTES = 4 * 1024 * 1024
/** Of parsing, before the event loop gets its turn; one datagram of 255 packets takes about as long on a slow ARM. */
const TURN_MS = 10
const SWEEP_MS = 5_000
/** An order should be here so long before its slot: forwarders refuse at 32 to 42 ms, and the network takes its time. */
const LEAST_LEAD_MS = 50

export interface GwmpOptions {
  /** As lorawan/regions names it. */
  readonly region: string
  /** Who may speak; empty: everybody who reaches the door. */
  readonly gateways: readonly Eui[]
}

export interface GwmpParts {
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  readonly sink: RadioSink
  send(bytes: Uint8Array, to: Place): void
  /** Runs it soon, after what the sockets have ready. */
  soon(run: () => void): void
}

export interface GwmpCounts {
  readonly pushes: number
  readonly pulls: number
  readonly acks: number
  readonly packets: number
  readonly refusedPackets: number
  /** Packets whose CRC was wrong, or that have none. */
  readonly badCrc: number
  readonly refusedDatagrams: number
  /** Above what one host may send, or more than can be kept until it is parsed. */
  readonly tooMuch: number
  /** In the name of a gateway that is somewhere else, or not allowed. */
  readonly foreign: number
  readonly orders: OrderCounts
}

interface Waiting {
  readonly bytes: Uint8Array
  readonly from: Place
  readonly arrivedMs: number
}

export class GwmpDesk implements RadioDoor {
  readonly #options: GwmpOptions
  readonly #allowed: ReadonlySet<Eui>
  readonly #parts: GwmpParts
  readonly #complaints: Complaints
  readonly #paths = new PathTable()
  readonly #clocks = new Map<Eui, CounterClock>()
  readonly #budget: SourceBudget
  readonly #orders: OrderDesk
  readonly #waiting: Waiting[] = []
  readonly #stopSweep: Cancel
  #waitingBytes = 0
  #isTurnAsked = false
  #isClosed = false
  readonly #counts = { pushes: 0, pulls: 0, acks: 0, packets: 0, refusedPackets: 0, badCrc: 0, refusedDatagrams: 0, tooMuch: 0, foreign: 0 }

  constructor(options: GwmpOptions, parts: GwmpParts) {
    this.#options = options
    this.#allowed = new Set(options.gateways)
    this.#parts = parts
    this.#complaints = new Complaints(parts)
    this.#budget = new SourceBudget(parts.clock.boottimeMs())
    this.#orders = new OrderDesk({
      clock: parts.clock,
      timers: parts.timers,
      send: (gateway, datagram) => this.#sendTo(gateway, datagram),
      version: (gateway) => this.#paths.version(gateway),
      counterClock: (gateway) => this.#clockOf(gateway),
    })
    this.#stopSweep = parts.timers.every(SWEEP_MS, () => this.#sweep())
  }

  get counts(): GwmpCounts {
    return { ...this.#counts, orders: this.#orders.counts }
  }

  /** What is kept, for tests of bounds and for the metrics. */
  get size(): { readonly gateways: number; readonly clocks: number; readonly hosts: number; readonly waiting: number; readonly orders: OrderDesk['size'] } {
    return { gateways: this.#paths.size, clocks: this.#clocks.size, hosts: this.#budget.size, waiting: this.#waiting.length, orders: this.#orders.size }
  }

  gateways(): readonly Gateway[] {
    return this.#paths.ids().map((id) => this.#gateway(id))
  }

  transmit(downlink: Downlink): Promise<RadioTxAck> {
    return this.#orders.transmit(downlink)
  }

  close(): void {
    this.#isClosed = true
    this.#stopSweep()
    this.#orders.close()
    this.#waiting.length = 0
  }

  /** One datagram; `bytes` are the desk's from now on. What it gives is to be sent back at once; null: nothing is. */
  take(bytes: Uint8Array, from: Place): Uint8Array | null {
    if (this.#isClosed) return null
    // UDP allows it for who wants no answer, and nothing can be sent there.
    if (from.port === 0) {
      this.#counts.refusedDatagrams += 1
      return null
    }
    const nowMs = this.#parts.clock.boottimeMs()
    const hasRoom = this.#waiting.length < MAX_WAITING && this.#waitingBytes + bytes.length <= MAX_WAITING_BYTES
    if (!hasRoom || !this.#budget.admit(from.host, bytes.length, this.#paths.isAt(from.host, nowMs), nowMs)) {
      this.#counts.tooMuch += 1
      this.#complaints.warn('more datagrams than a concentrator sends', { from: from.host })
      return null
    }
    if (!this.#isAllowed(bytes)) {
      this.#counts.foreign += 1
      return null
    }
    this.#waiting.push({ bytes, from, arrivedMs: nowMs })
    this.#waitingBytes += bytes.length
    this.#askTurn()
    return ackFor(bytes)
  }

  #askTurn(): void {
    if (this.#isTurnAsked) return
    this.#isTurnAsked = true
    this.#parts.soon(() => {
      this.#isTurnAsked = false
      this.#turn()
    })
  }

  #turn(): void {
    const { clock } = this.#parts
    const endsMs = clock.boottimeMs() + TURN_MS
    let taken = 0
    for (const waiting of this.#waiting) {
      taken += 1
      this.#waitingBytes -= waiting.bytes.length
      this.#parse(waiting)
      if (clock.boottimeMs() >= endsMs) break
    }
    this.#waiting.splice(0, taken)
    if (this.#waiting.length > 0) this.#askTurn()
  }

  #parse({ bytes, from, arrivedMs }: Waiting): void {
    try {
      const datagram = decodeDatagram(bytes)
      if (datagram.gateway === null) throw new MeshBoxError('input', `${datagram.kind} is not for servers`, { code: 'bad-input', field: 'datagram' })
      this.#dispatch(datagram, datagram.gateway, from, arrivedMs)
    } catch (thrown) {
      if (!(thrown instanceof MeshBoxError)) throw thrown
      this.#counts.refusedDatagrams += 1
      this.#complaints.warn('a datagram that is no GWMP', { from: from.host, reason: thrown.message })
    }
  }

  #dispatch(datagram: Datagram, gateway: Eui, from: Place, arrivedMs: number): void {
    switch (datagram.kind) {
      case 'pull-data': {
        this.#counts.pulls += 1
        this.#judged(this.#paths.pulled(gateway, datagram.version, from, arrivedMs), gateway, from)
        return this.#tellChanges(arrivedMs)
      }
      case 'push-data':
        this.#counts.pushes += 1
        if (this.#judged(this.#paths.heard(gateway, from, arrivedMs), gateway, from)) this.#pushed(datagram.body, gateway, arrivedMs)
        return
      case 'tx-ack':
        this.#counts.acks += 1
        if (this.#judged(this.#paths.heard(gateway, from, arrivedMs), gateway, from)) this.#orders.answered(gateway, datagram.token, readTxAck(datagram.body))
        return
      case 'push-ack':
      case 'pull-resp':
      case 'pull-ack':
        return // decodeDatagram gives them no gateway
    }
  }

  #pushed(body: Uint8Array, gateway: Eui, arrivedMs: number): void {
    const { sink } = this.#parts
    const { packets, refused, stats } = readPushData(body)
    this.#counts.packets += packets.length
    if (refused.length > 0) {
      this.#counts.refusedPackets += refused.length
      this.#complaints.warn('packets that cannot be read', { gateway, refused: refused.length, reason: refused[0]?.reason })
    }
    const clock = this.#clockOf(gateway)
    const runs = clock.runs
    for (const { phy, frequencyHz, modulation, crc, copies } of packets) {
      if (crc !== 'right') {
        this.#counts.badCrc += 1
        continue
      }
      if (copies[0]?.time.kind === 'counter') clock.observe(copies[0].time.tmstUs, arrivedMs)
      for (const copy of copies) sink.received({ phy, frequencyHz, modulation, copy: { ...copy, gateway, arrivedMs } })
    }
    if (clock.runs !== runs) {
      this.#orders.restarted(gateway)
      this.#parts.log.info('a concentrator has started anew', { gateway })
    }
    if (stats !== null) sink.stats({ gateway, at: momentOf(this.#parts.clock), ...stats })
  }

  #isAllowed(bytes: Uint8Array): boolean {
    if (this.#allowed.size === 0 || bytes.length < 12) return true
    return this.#allowed.has(Buffer.from(bytes.buffer, bytes.byteOffset + 4, 8).toString('hex'))
  }

  /** True: it is believed. */
  #judged(verdict: PathVerdict, gateway: Eui, from: Place): boolean {
    if (verdict === 'new') this.#parts.log.info('a gateway', { gateway, from: from.host })
    if (verdict === 'new') this.#parts.sink.gateway(this.#gateway(gateway))
    if (verdict === 'new' || verdict === 'known') return true
    this.#counts.foreign += 1
    this.#complaints.warn(verdict === 'full' ? 'no room for another gateway' : 'a gateway is somewhere else: somebody uses its name', { gateway, from: from.host })
    return false
  }

  #tellChanges(nowMs: number): void {
    for (const gateway of this.#paths.changes(nowMs)) this.#parts.sink.gateway(this.#gateway(gateway))
  }

  #sweep(): void {
    this.#tellChanges(this.#parts.clock.boottimeMs())
    const known = new Set(this.#paths.ids())
    for (const gateway of this.#clocks.keys()) if (!known.has(gateway)) this.#clocks.delete(gateway)
    this.#orders.keep(known)
  }

  #sendTo(gateway: Eui, datagram: Uint8Array): boolean {
    const place = this.#paths.placeOf(gateway, this.#parts.clock.boottimeMs())
    if (place === null || this.#isClosed) return false
    this.#parts.send(datagram, place)
    return true
  }

  #clockOf(gateway: Eui): CounterClock {
    let clock = this.#clocks.get(gateway)
    if (clock === undefined) this.#clocks.set(gateway, (clock = new CounterClock()))
    return clock
  }

  #gateway(id: Eui): Gateway {
    const { clock } = this.#parts
    const nowMs = clock.boottimeMs()
    const silentMs = nowMs - this.#paths.heardMs(id)
    const now = momentOf(clock)
    return {
      id,
      door: 'gwmp',
      region: this.#options.region,
      isOnline: this.#paths.placeOf(id, nowMs) !== null,
      lastSeen: { ...now, boottimeMs: now.boottimeMs - silentMs, wallMs: now.wallMs - silentMs },
      dutyModel: 'window',
      minLeadMs: LEAST_LEAD_MS,
      maxLeadMs: MOST_LEAD_MS,
    }
  }
}
