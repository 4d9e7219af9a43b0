/**
 * The concentrators, whatever they speak: joins the doors to one `Radio`. Copies of a frame are collected for a while when more than one
 * gateway is there to hear it; an order goes through the door that its gateway stands behind.
 */
import { asError } from '../../base/index.ts'
import type { Cancel, Clock, Log, Timers } from '../../base/index.ts'
import type { Downlink, Eui, Gateway, GatewayStats, Heard, Radio, TxStatus } from '../ports.ts'
import { CopyCollector } from './collector.ts'
import type { CollectorCounts } from './collector.ts'
import type { FrameHash, RadioDoor, RadioSink, RadioTxAck, Reception } from './door.ts'

/** A gateway that said nothing for so long, and has no way down, hears nothing that would be worth waiting for. */
const PRESENT_MS = 120_000
const MAX_PRESENT = 512
const NOW = Promise.resolve()

export interface RadioParts {
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  readonly hash: FrameHash
  /** Copies are collected so long when more than one gateway is there. */
  readonly collectMs: number
}

type Listener<T> = (value: T) => void

export class Concentrators implements Radio {
  readonly #parts: RadioParts
  readonly #doors = new Set<RadioDoor>()
  readonly #collector = new CopyCollector()
  /** When each gateway was last heard; Infinity: it has a way down. */
  readonly #present = new Map<Eui, number>()
  readonly #heard = new Set<Listener<Heard>>()
  readonly #stats = new Set<Listener<GatewayStats>>()
  readonly #gateways = new Set<Listener<Gateway>>()
  #isAsked = false
  #cancelDue: Cancel = () => undefined
  #timerDueMs: number | null = null

  /** What the doors are opened with. */
  readonly sink: RadioSink = {
    received: (reception) => this.#received(reception),
    stats: (stats) => this.#tell(this.#stats, stats),
    gateway: (gateway) => {
      this.#notePresence(gateway.id, gateway.isOnline ? Infinity : gateway.lastSeen.boottimeMs)
      this.#tell(this.#gateways, gateway)
    },
  }

  constructor(parts: RadioParts) {
    this.#parts = parts
  }

  get counts(): CollectorCounts {
    return this.#collector.counts
  }

  /** What is kept, for tests of bounds. */
  get size(): { readonly open: number; readonly known: number; readonly present: number } {
    return { ...this.#collector.size, present: this.#present.size }
  }

  add(door: RadioDoor): Cancel {
    this.#doors.add(door)
    return () => this.#doors.delete(door)
  }

  gateways(): readonly Gateway[] {
    const byId = new Map<Eui, Gateway>()
    for (const door of this.#doors)
      for (const gateway of door.gateways()) {
        const other = byId.get(gateway.id)
        if (other === undefined || (gateway.isOnline && !other.isOnline)) byId.set(gateway.id, gateway)
      }
    return [...byId.values()]
  }

  onHeard(listener: Listener<Heard>): Cancel {
    this.#heard.add(listener)
    return () => this.#heard.delete(listener)
  }

  onStats(listener: Listener<GatewayStats>): Cancel {
    this.#stats.add(listener)
    return () => this.#stats.delete(listener)
  }

  onGateway(listener: Listener<Gateway>): Cancel {
    this.#gateways.add(listener)
    return () => this.#gateways.delete(listener)
  }

  async transmit(downlink: Downlink): Promise<RadioTxAck> {
    const refusal = (status: TxStatus): RadioTxAck => ({ id: downlink.id, gateway: downlink.gateway, statuses: downlink.windows.map(() => status), sent: null, onAirUs: 0, doubtful: null })
    if (this.#parts.clock.boottimeMs() > downlink.expiresMs) return refusal('TOO_LATE')
    const door = [...this.#doors].find((known) => known.gateways().some(({ id, isOnline }) => id === downlink.gateway && isOnline))
    return door === undefined ? refusal('GATEWAY_AWAY') : door.transmit(downlink)
  }

  /** Hands over what is collected; nothing comes after. The doors are closed by whoever opened them. */
  close(): void {
    this.#cancelDue()
    this.#handOver(Infinity)
    this.#doors.clear()
  }

  #received(reception: Reception): void {
    const nowMs = this.#parts.clock.boottimeMs()
    const { gateway } = reception.copy
    this.#notePresence(gateway, this.#present.get(gateway) === Infinity ? Infinity : nowMs)
    this.#collector.take(this.#parts.hash(reception.phy), reception, nowMs, this.#isAlone(nowMs) ? 0 : this.#parts.collectMs)
    // After what is being read now: several antennas of one gateway come one after another. By a promise: queueMicrotask makes an async resource of each.
    if (this.#isAsked) return
    this.#isAsked = true
    void NOW.then(() => {
      this.#isAsked = false
      this.#handOver(this.#parts.clock.boottimeMs())
    })
  }

  #handOver(nowMs: number): void {
    for (const heard of this.#collector.due(nowMs)) this.#tell(this.#heard, heard)
    const nextMs = this.#collector.nextDueMs
    if (nextMs === this.#timerDueMs) return
    this.#cancelDue()
    this.#timerDueMs = nextMs
    if (nextMs === null) return
    this.#cancelDue = this.#parts.timers.after(Math.max(0, nextMs - nowMs), () => {
      this.#timerDueMs = null
      this.#handOver(Math.max(nextMs, this.#parts.clock.boottimeMs())) // a timer of whole milliseconds may be early by a fraction
    })
  }

  #isAlone(nowMs: number): boolean {
    let present = 0
    for (const heardMs of this.#present.values()) if (nowMs - heardMs < PRESENT_MS && ++present > 1) return false
    return true
  }

  #notePresence(gateway: Eui, heardMs: number): void {
    if (this.#present.size > 1) this.#present.delete(gateway) // to the end of the line
    this.#present.set(gateway, heardMs)
    if (this.#present.size > MAX_PRESENT) this.#present.delete(this.#present.keys().next().value ?? gateway)
  }

  #tell<T>(listeners: ReadonlySet<Listener<T>>, value: T): void {
    for (const listener of listeners)
      try {
        listener(value)
      } catch (thrown) {
        this.#parts.log.error('who listens to the concentrators failed', { error: asError(thrown) })
      }
  }
}
