/** A box with its network server on a real database, and concentrators that behave as Semtech's do: what they were told is written down. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog, toHex } from '../../../src/base/index.ts'
import { regionNamed, timeOnAirUs } from '../../../src/iot/lorawan/index.ts'
import { airtimeMigrations, airtimeTables, keptRows, networkMigrations, networkRows, openNetwork } from '../../../src/iot/network/index.ts'
import type { Network, NetworkWishes } from '../../../src/iot/network/index.ts'
import type { Copy, Device, Downlink, Gateway, Heard, JoinEvent, KeySeal, Modulation, QueueItem, Radio, Reading, TxAck, TxStatus, TxWindow } from '../../../src/iot/ports.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'

export const EU868 = regionNamed('EU868')
export const SF7: Modulation = { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/5' }
export const lora = (spreadingFactor: number): Modulation => ({ kind: 'lora', spreadingFactor, bandwidthHz: 125_000, codingRate: '4/5' })
const ROUND = 2 ** 32

/** Keys at rest under a pad, so that a key in the file would be seen. */
export const testSeal: KeySeal = {
  seal: (key) => key.map((byte) => byte ^ 0x5a),
  open: (sealed) => sealed.map((byte) => byte ^ 0x5a),
}

export interface OnAir {
  readonly gateway: string
  readonly window: TxWindow
  /** Of the box's clock, milliseconds. */
  readonly startMs: number
  readonly durationMs: number
  readonly downlink: Downlink
}

/** One concentrator: its u32 counter, and a queue that refuses as the forwarder does. */
export class Concentrator {
  readonly id: string
  isOnline = true
  /** Its counter is this far ahead of the box's clock. */
  offsetUs: number
  /** Refuses the next windows with these words, in order; null: takes it. */
  readonly refusals: (TxStatus | null)[] = []
  readonly #time: FakeTime

  constructor(id: string, time: FakeTime, offsetUs: number) {
    this.id = id
    this.#time = time
    this.offsetUs = offsetUs
  }

  counterUs(atMs = this.#time.boottimeMs()): number {
    return Math.round((((atMs * 1_000 + this.offsetUs) % ROUND) + ROUND) % ROUND)
  }

  /** When the counter will say so: within 36 minutes either way. */
  atMs(tmstUs: number): number {
    const ahead = (((tmstUs - this.counterUs()) % ROUND) + ROUND) % ROUND
    return this.#time.boottimeMs() + (ahead >= ROUND / 2 ? ahead - ROUND : ahead) / 1_000
  }
}

export class Air implements Radio {
  readonly concentrators: Concentrator[]
  readonly sent: OnAir[] = []
  readonly asked: Downlink[] = []
  /** No gateway answers before. */
  answersAfter: Promise<unknown> = Promise.resolve()
  readonly #time: FakeTime
  readonly #listeners = new Set<(gateway: Gateway) => void>()

  constructor(time: FakeTime, count: number) {
    this.#time = time
    this.concentrators = Array.from({ length: count }, (_, index) => new Concentrator((0xb0_0000 + index).toString(16).padStart(16, '0'), time, 4_294_000_000 + index * 700_000_000))
  }

  gateways(): readonly Gateway[] {
    const lastSeen = { bootId: this.#time.bootId, boottimeMs: this.#time.boottimeMs(), wallMs: 0, wallTrusted: false }
    return this.concentrators.map(({ id, isOnline }) => ({ id, door: 'gwmp', region: 'EU868', isOnline, lastSeen, dutyModel: 'window', minLeadMs: 50, maxLeadMs: 512_000 }))
  }
  onHeard(): () => void {
    return () => undefined
  }
  onStats(): () => void {
    return () => undefined
  }
  onGateway(listener: (gateway: Gateway) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  /** The process that listened is gone. */
  forgetListeners(): void {
    this.#listeners.clear()
  }
  online(at: number, isOnline: boolean): void {
    const concentrator = this.concentrators[at] as Concentrator
    concentrator.isOnline = isOnline
    const gateway = this.gateways()[at] as Gateway
    for (const listener of this.#listeners) listener(gateway)
  }

  transmit(downlink: Downlink): Promise<TxAck> {
    this.asked.push(downlink)
    const concentrator = this.concentrators.find(({ id }) => id === downlink.gateway) as Concentrator
    const statuses: TxStatus[] = []
    let onAirUs = 0
    for (const window of downlink.windows) {
      if (statuses.includes('OK')) {
        statuses.push('IGNORED')
        continue
      }
      const status = this.#try(concentrator, window, downlink)
      statuses.push(status)
      if (status === 'OK') onAirUs = timeOnAirUs(window.modulation, window.phy.length, window)
    }
    const sent = statuses.indexOf('OK')
    return this.answersAfter.then(() => ({ id: downlink.id, gateway: downlink.gateway, statuses, sent: sent < 0 ? null : sent, onAirUs }))
  }

  #try(concentrator: Concentrator, window: TxWindow, downlink: Downlink): TxStatus {
    const refusal = concentrator.refusals.shift()
    if (refusal !== undefined && refusal !== null) return refusal
    const nowMs = this.#time.boottimeMs()
    if (window.timing.kind === 'after' && window.timing.time.kind !== 'counter') return 'GPS_UNLOCKED'
    const startMs = window.timing.kind === 'after' && window.timing.time.kind === 'counter' ? concentrator.atMs((window.timing.time.tmstUs + window.timing.delayUs) % ROUND) : nowMs + 80
    const durationMs = timeOnAirUs(window.modulation, window.phy.length, window) / 1_000
    // The forwarder compares without a sign: what is past is far ahead.
    if (startMs < nowMs) return 'TOO_EARLY'
    if (window.timing.kind === 'after' && startMs - nowMs <= 32.5) return 'TOO_LATE'
    const isTaken = this.sent.some((other) => other.gateway === concentrator.id && startMs < other.startMs + other.durationMs && other.startMs < startMs + durationMs)
    if (isTaken) return 'COLLISION_PACKET'
    this.sent.push({ gateway: concentrator.id, window, startMs, durationMs, downlink })
    return 'OK'
  }
}

export class Box {
  readonly time = new FakeTime()
  readonly air: Air
  readonly readings: Reading[] = []
  readonly joins: JoinEvent[] = []
  readonly queue: QueueItem[] = []
  readonly acks: TxAck[] = []
  readonly dir = mkdtempSync(join(tmpdir(), 'meshbox-lora-'))
  readonly random
  wishes: NetworkWishes
  store!: Store
  network!: Network
  /** Throws inside the turn that stores a reading, when set. */
  keep: (reading: Reading) => void = () => undefined

  constructor(options: { gateways?: number; wishes?: Partial<NetworkWishes>; seed?: number } = {}) {
    this.air = new Air(this.time, options.gateways ?? 1)
    this.wishes = { region: 'EU868', netId: 0, ...options.wishes }
    this.random = seededRandom(options.seed ?? 1)
  }

  async open(wrap: (store: Store) => Store = (store) => store): Promise<this> {
    this.store = openStore({ path: join(this.dir, 'box.sqlite'), migrations: [...networkMigrations, ...airtimeMigrations], log: silentLog })
    this.network = await openNetwork({
      store: wrap(this.store),
      rows: keptRows(networkRows(testSeal)),
      airtime: airtimeTables,
      radio: this.air,
      clock: this.time,
      timers: this.time,
      random: this.random,
      log: silentLog,
      wishes: this.wishes,
      keep: (_tx, reading) => this.keep(reading),
    })
    this.network.server.onReading((reading) => this.readings.push(reading))
    this.network.server.onJoin((event) => this.joins.push(event))
    this.network.server.onQueue((item) => this.queue.push(item))
    this.network.desk.onAck((ack) => this.acks.push(ack))
    return this
  }

  /** Ends the run in order, or as a power cut does. */
  async restart(isClean: boolean): Promise<this> {
    if (isClean) await this.network.stop()
    this.time.reboot(this.time.bootId, this.time.boottimeMs())
    this.air.forgetListeners()
    await this.store.close()
    return this.open()
  }

  async close(): Promise<void> {
    await this.store.close()
    rmSync(this.dir, { recursive: true, force: true })
  }

  /** Lets what was begun come to its end: turns are committed in a step of the event loop each. */
  async settle(): Promise<void> {
    for (let step = 0; step < 8; step++) await new Promise((next) => setImmediate(next))
  }

  /** Time goes on in small steps, with everything that falls due done. */
  async pass(ms: number, stepMs = 50): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.time.advance(Math.min(stepMs, left))
      await this.settle()
    }
  }

  /** A frame as it reaches the box from the gateways that heard it. */
  heard(phy: Uint8Array, options: { gateways?: readonly number[]; frequencyHz?: number; modulation?: Modulation; snrDb?: number; delayMs?: number } = {}): Heard {
    const { gateways = [0], frequencyHz = 868_100_000, modulation = SF7, snrDb = 5, delayMs = 0 } = options
    const nowMs = this.time.boottimeMs()
    const copies = gateways.map((index, order): Copy => {
      const concentrator = this.air.concentrators[index] as Concentrator
      return {
        gateway: concentrator.id,
        time: { kind: 'counter', tmstUs: concentrator.counterUs(nowMs - delayMs) },
        arrivedMs: nowMs,
        utcMs: null,
        gpsTimeMs: null,
        fineTimeNs: null,
        rssiDbm: -60 - order,
        snrDb: snrDb - order,
        channel: 0,
        radio: 0,
        board: 0,
        antenna: 0,
      }
    })
    return { id: toHex(new Uint8Array(createHash('sha256').update(phy).digest())), phy, frequencyHz, modulation, copies, isLate: false }
  }
}

export function otaa(devEui: string, key: Uint8Array, more: Partial<Device> = {}): Device {
  return {
    devEui,
    name: `sensor ${devEui.slice(-4)}`,
    joinEui: '0101010101010101',
    macVersion: '1.0.3',
    region: 'EU868',
    deviceClass: 'A',
    activation: 'otaa',
    appKey: null,
    rootKey: key,
    codec: null,
    allowsCounterReset: false,
    isDisabled: false,
    expectedIntervalSeconds: null,
    ...more,
  }
}
