/**
 * The one way to the air. An order waits until shortly before its slot; then one turn makes the frame, takes its counter and reserves its
 * airtime, and only when that is on disk the gateway is told. What the gateway answers is stored in a second turn.
 *
 * What is refused before it was sent says so in the field's words: TOO_LATE, COLLISION_PACKET, DUTY_CYCLE_OVERFLOW, GATEWAY_AWAY ….
 */
import { asError, momentOf } from '../../base/index.ts'
import type { Cancel, Clock, Log, Timers } from '../../base/index.ts'
import type { Store, Tx } from '../../store/index.ts'
import { airRules, budgets, recalled } from '../airtime/index.ts'
import type { AirClaim, AirRules, AirWishes } from '../airtime/index.ts'
import { timeOnAirUs } from '../lorawan/index.ts'
import type { Region } from '../lorawan/index.ts'
import type { AirtimeTables, Downlink, DownlinkDesk, DownlinkPurpose, Eui, Gateway, Heard, Radio, SubBandBudget, TenantId, TxAck, TxStatus, TxWindow } from '../ports.ts'
import { GatewayAir } from './gateway-air.ts'
import type { Granted } from './gateway-air.ts'
import { checkOrder } from './order-limits.ts'
import { HOLD_BACK_MS, isBefore, leadStatus, overlaps, startOf } from './slots.ts'
import type { Span } from './slots.ts'

/** Orders that wait for one gateway; the forwarder's own queue holds 32. */
const MAX_HELD = 64
/** A slot further ahead than a slot's own hold-back and this is waited for again. */
const EARLY_MS = 50
const HOUR_MS = 3_600_000
/** Rows on disk older than any rule looks back: a blocking band of 0.1 % rests 2.8 hours after 10 seconds. */
const AIRTIME_KEPT_MS = 3 * HOUR_MS

/** An order whose frame is made late. */
export interface SlotOrder {
  readonly id: number
  readonly gateway: Eui
  readonly windows: readonly Omit<TxWindow, 'phy'>[]
  /** How long the frame will be, about: only for who takes whose slot. */
  readonly likelyBytes: number
  readonly purpose: DownlinkPurpose
  readonly priority: number
  readonly tenant: TenantId | null
  readonly devEui: Eui | null
  readonly expiresMs: number
  /** Looked at before a turn is spent on it. */
  isWanted(): boolean
  /** By window; null: not there. All null or null itself: nothing to say after all. What it writes is undone when no window is free. */
  prepare(tx: Tx): readonly (Uint8Array | null)[] | null
  /** What `prepare` wrote is undone, and it will be asked again for a later window, or the order is withdrawn. */
  undone(): void
  /** In the turn that stores the end. */
  settled(tx: Tx, ack: TxAck): void
  /** False: of an order that came to nothing, `settled` would write nothing. */
  keepsFailure(): boolean
}

interface Held {
  readonly order: SlotOrder
  readonly seq: number
  /** Of the gateway's clock when it was asked. */
  readonly epoch: number
  readonly statuses: (TxStatus | null)[]
  readonly finish: (ack: TxAck | null) => void
  cancel: Cancel
}

/** Thrown inside a turn so that what was prepared is undone. */
class NothingFree extends Error {
  readonly statuses: readonly (TxStatus | null)[]
  constructor(statuses: readonly (TxStatus | null)[]) {
    super('no window is free')
    this.statuses = statuses
  }
}

export interface DeskParts {
  readonly store: Store
  readonly airtime: AirtimeTables
  readonly radio: Radio
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  readonly region: Region
  readonly air: AirWishes
  /** GPS time now; null: not known. */
  readonly gpsNowMs: () => number | null
}

export class SlotDesk implements DownlinkDesk {
  readonly #parts: DeskParts
  readonly #gateways = new Map<Eui, GatewayAir>()
  readonly #held = new Map<Eui, Map<number, Held>>()
  readonly #listeners = new Set<(ack: TxAck, devEui: Eui | null, tenant: TenantId | null) => void>()
  readonly #stopPruning: Cancel
  readonly #rules = new Map<Gateway['dutyModel'], AirRules>()
  #seq = 0
  #isStopped = false

  constructor(parts: DeskParts) {
    this.#parts = parts
    this.#stopPruning = parts.timers.every(HOUR_MS, () => {
      parts.store.turn((tx) => parts.airtime.recent(tx, this.#oldest())).catch((error: unknown) => parts.log.error('old airtime is still on disk', { error: asError(error) }))
    })
  }

  /** What was on the air before this start. Before anything is placed. */
  async load(): Promise<void> {
    const { store, airtime, clock } = this.#parts
    const rows = await store.turn((tx) => airtime.recent(tx, this.#oldest()))
    for (const gateway of new Set(rows.map((row) => row.gateway))) {
      const air = new GatewayAir(this.#rulesOf(gateway))
      this.#gateways.set(gateway, air)
      for (const { band, entry } of recalled(rows.filter((row) => row.gateway === gateway), clock)) air.recall(band, entry)
    }
  }

  /** Each frame teaches the gateways' clocks. */
  heard(heard: Heard): void {
    for (const { time, gateway, arrivedMs } of heard.copies) if (time.kind === 'counter') (this.#gateways.get(gateway) ?? this.#airOf(gateway)).heard(time.tmstUs, arrivedMs)
  }

  onAck(listener: (ack: TxAck, devEui: Eui | null, tenant: TenantId | null) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async submit(downlink: Downlink): Promise<TxAck> {
    checkOrder(downlink, this.#parts.region)
    const ack = await this.place({
      ...downlink,
      likelyBytes: Math.max(...downlink.windows.map((window) => window.phy.length)),
      isWanted: () => true,
      prepare: () => downlink.windows.map((window) => window.phy),
      undone: () => undefined,
      settled: () => undefined,
      keepsFailure: () => false,
    })
    return ack ?? refusedAll(downlink, 'IGNORED')
  }

  budget(gateway: Eui): readonly SubBandBudget[] {
    return budgets(this.#airOf(gateway).airtime, this.#nowUs())
  }

  /** Whether there is a place left for what nobody waits for: half of them are kept for what somebody does. */
  hasPlaceToAsk(gateway: Eui): boolean {
    return (this.#held.get(gateway)?.size ?? 0) < MAX_HELD / 2
  }

  /** Resolves always: null when there was nothing to say. Never rejects. */
  place(order: SlotOrder): Promise<TxAck | null> {
    const held = this.#held.get(order.gateway) ?? new Map<number, Held>()
    return new Promise((finish) => {
      const entry: Held = { order, seq: this.#seq++, epoch: this.#epochOf(order.gateway), statuses: order.windows.map(() => null), finish, cancel: () => undefined }
      if (this.#isStopped) return finish(refusedAll(order, 'IGNORED'))
      if (held.has(order.id) || this.#gateways.get(order.gateway)?.isPromised(order.id) === true) return finish(refusedAll(order, 'INTERNAL_ERROR'))
      if (this.#gatewayOf(order.gateway) === null) return void this.#end(entry, 'GATEWAY_AWAY')
      if (held.size >= MAX_HELD) return void this.#end(entry, 'QUEUE_FULL')
      this.#hold(entry)
    })
  }

  /** Takes back what still waits. False: it is on its way, or was. */
  withdraw(gateway: Eui, id: number): boolean {
    const entry = this.#held.get(gateway)?.get(id)
    if (entry === undefined) return false
    this.#unhold(entry)
    entry.finish(null)
    return true
  }

  stop(): void {
    this.#isStopped = true
    this.#stopPruning()
    for (const held of this.#held.values()) for (const entry of [...held.values()]) {
      this.#unhold(entry)
      entry.finish(refusedAll(entry.order, 'IGNORED'))
    }
  }

  /** Waits until shortly before the first window that is still possible. */
  #arm(entry: Held): void {
    const next = entry.order.windows.findIndex((_, index) => entry.statuses[index] === null)
    const startUs = next < 0 ? null : this.#startOf(entry, next)
    const waitMs = startUs === null ? 0 : (startUs - this.#nowUs()) / 1_000 - HOLD_BACK_MS
    entry.cancel = this.#parts.timers.after(Math.max(0, waitMs), () => this.#due(entry))
  }

  #due(entry: Held): void {
    const { order, statuses } = entry
    if (!order.isWanted()) {
      this.#unhold(entry)
      return entry.finish(null)
    }
    const gateway = this.#gatewayOf(order.gateway)
    if (gateway?.isOnline !== true) return void this.#end(entry, 'GATEWAY_AWAY')
    const nowUs = this.#nowUs()
    if (order.expiresMs * 1_000 <= nowUs) return void this.#end(entry, 'TOO_LATE')
    for (const [index, window] of order.windows.entries()) statuses[index] ??= this.#judge(entry, index, window, gateway, nowUs)
    const next = statuses.findIndex((status) => status === null)
    if (next < 0) return void this.#end(entry, 'IGNORED')
    const startUs = this.#startOf(entry, next) ?? nowUs
    if (order.windows[next]?.timing.kind !== 'now' && isAhead(startUs, nowUs)) return this.#arm(entry)
    this.#unhold(entry)
    void this.#send(entry, gateway)
  }

  /** Null: it may be sent. */
  #judge(entry: Held, index: number, window: Omit<TxWindow, 'phy'>, gateway: Gateway, nowUs: number): TxStatus | null {
    // The counter started anew: nobody knows where this slot is now.
    if (window.timing.kind === 'after' && window.timing.time.kind === 'counter' && entry.epoch !== this.#epochOf(gateway.id)) return 'TOO_LATE'
    const startUs = this.#startOf(entry, index)
    const late = leadStatus(window.timing, startUs, nowUs, gateway)
    if (late !== null || startUs === null) return late
    const span: Span = { startUs, durationUs: timeOnAirUs(window.modulation, entry.order.likelyBytes, window) }
    const isLost = [...(this.#held.get(gateway.id)?.values() ?? [])].some((other) => other !== entry && isBefore(rankOf(other), rankOf(entry)) && overlaps(this.#likelySpan(other), span))
    return isLost ? 'COLLISION_PACKET' : null
  }

  /** Where another order will be, as far as one can say: its first window that is not lost. */
  #likelySpan(entry: Held): Span {
    const index = Math.max(0, entry.statuses.findIndex((status) => status === null))
    const window = entry.order.windows[index]
    const startUs = this.#startOf(entry, index)
    if (window === undefined || startUs === null) return { startUs: -Infinity, durationUs: 0 }
    return { startUs, durationUs: timeOnAirUs(window.modulation, entry.order.likelyBytes, window) }
  }

  async #send(entry: Held, gateway: Gateway): Promise<void> {
    const { order } = entry
    const { store, radio, log } = this.#parts
    const air = this.#airOf(gateway.id)
    let prepared: Prepared | null
    try {
      prepared = await store.turn((tx) => this.#prepare(tx, entry, air))
    } catch (thrown) {
      air.release(order.id)
      if (thrown instanceof NothingFree) {
        entry.statuses.splice(0, Infinity, ...thrown.statuses)
        if (thrown.statuses.includes(null) && !this.#isStopped) {
          order.undone()
          return this.#hold(entry)
        }
      } else log.error('a downlink could not be stored, so it is not sent', { gateway: gateway.id, error: asError(thrown) })
      return this.#end(entry, 'INTERNAL_ERROR')
    }
    if (prepared === null) return entry.finish(null)
    const { windows, indexes, statuses } = prepared
    const { id, purpose, priority, tenant, devEui, expiresMs } = order
    const answer = await radio.transmit({ id, gateway: gateway.id, windows, purpose, priority, tenant, devEui, expiresMs })
    const sent = answer.sent === null ? null : (indexes[answer.sent] ?? null)
    const all = statuses.map((status, index): TxStatus => status ?? answer.statuses[indexes.indexOf(index)] ?? 'IGNORED')
    // What may have been on the air counts as if it had been.
    const onAir = sent ?? (typeof answer.doubtful === 'number' ? (indexes[answer.doubtful] ?? null) : null)
    if (!air.settle(order.id, onAir)) log.error('a gateway sent what nobody had reserved', { gateway: gateway.id, downlink: order.id })
    await this.#store(entry, { ...answer, statuses: all, sent, doubtful: sent === null ? onAir : null })
  }

  /** In the turn: frame, counter, airtime. Null: nothing to say. */
  #prepare(tx: Tx, entry: Held, air: GatewayAir): Prepared | null {
    const { order } = entry
    const phys = order.prepare(tx)
    if (phys === null || phys.every((phy) => phy === null)) return null
    const nowUs = this.#nowUs()
    const asked: { readonly index: number; readonly window: TxWindow; readonly span: Span }[] = []
    for (const [index, open] of order.windows.entries()) {
      const phy = phys[index] ?? null
      const startUs = this.#startOf(entry, index)
      if (phy === null || startUs === null || entry.statuses[index] !== null) continue
      asked.push({ index, window: { ...open, phy }, span: { startUs, durationUs: timeOnAirUs(open.modulation, phy.length, open) } })
    }
    const { statuses: judged, granted, mayComeFree } = air.promise(order.id, asked, claimOf(order), nowUs)
    const statuses = order.windows.map((_, index): TxStatus | null => {
      const at = asked.findIndex((one) => one.index === index)
      if (at < 0) return entry.statuses[index] ?? 'IGNORED'
      return judged[at] === 'OK' ? null : (judged[at] ?? 'INTERNAL_ERROR')
    })
    // What only stands by for an order that is being answered will be free by then: looked at again shortly before, once.
    const isWorthWaiting = ({ index, span }: (typeof asked)[number]): boolean => mayComeFree.has(index) && isAhead(span.startUs, nowUs)
    if (granted.length === 0) throw new NothingFree(statuses.map((status, index) => (asked.some((one) => one.index === index && isWorthWaiting(one)) ? null : status)))
    for (const grant of granted) this.#parts.airtime.reserve(tx, this.#rowOf(order, grant))
    const given = asked.filter(({ index }) => granted.some(({ window }) => window === index))
    return { windows: given.map(({ window }) => window), indexes: given.map(({ index }) => index), statuses }
  }

  #rowOf(order: SlotOrder, { window, subBand, pricePerMs, span }: Granted): Parameters<AirtimeTables['reserve']>[1] {
    const { clock } = this.#parts
    const aheadMs = (span.startUs - this.#nowUs()) / 1_000
    const now = momentOf(clock)
    const startsAt = { ...now, boottimeMs: span.startUs / 1_000, wallMs: now.wallMs + aheadMs }
    return { gateway: order.gateway, downlinkId: order.id, window, subBand, pricePerMs, startsAt, durationUs: span.durationUs, isSettled: false }
  }

  /** Nothing was sent: the windows that have no reason of their own get this one. */
  #end(entry: Held, rest: TxStatus): Promise<void> {
    this.#unhold(entry)
    const statuses = entry.statuses.map((status) => status ?? rest)
    const ack: TxAck = { id: entry.order.id, gateway: entry.order.gateway, statuses, sent: null, onAirUs: 0 }
    // Nothing of it is on disk, and nothing would be: a crowd that is refused costs no turns.
    return entry.order.keepsFailure() ? this.#store(entry, ack) : Promise.resolve(this.#tell(entry, ack))
  }

  async #store(entry: Held, ack: TxAck): Promise<void> {
    const { store, airtime, log } = this.#parts
    try {
      await store.turn((tx) => {
        airtime.settle(tx, ack.gateway, ack.id, ack.sent ?? ack.doubtful ?? null)
        entry.order.settled(tx, ack)
      })
    } catch (thrown) {
      // What was reserved counts as sent until somebody says otherwise, and a queue's order stays as it is: the safe side of both.
      log.error('the end of a downlink could not be stored', { gateway: ack.gateway, error: asError(thrown) })
    }
    this.#tell(entry, ack)
  }

  #tell(entry: Held, ack: TxAck): void {
    entry.finish(ack)
    for (const listener of this.#listeners) listener(ack, entry.order.devEui, entry.order.tenant)
  }

  #startOf(entry: Held, index: number): number | null {
    const timing = entry.order.windows[index]?.timing
    return timing === undefined ? null : startOf(timing, { nowUs: this.#nowUs(), clock: this.#gateways.get(entry.order.gateway)?.clock ?? null, gpsNowMs: this.#parts.gpsNowMs() })
  }

  #hold(entry: Held): void {
    const held = this.#held.get(entry.order.gateway) ?? new Map<number, Held>()
    held.set(entry.order.id, entry)
    this.#held.set(entry.order.gateway, held)
    this.#arm(entry)
  }

  #unhold(entry: Held): void {
    entry.cancel()
    const held = this.#held.get(entry.order.gateway)
    if (held?.get(entry.order.id) === entry) held.delete(entry.order.id)
    if (held?.size === 0) this.#held.delete(entry.order.gateway)
  }

  /** Of a gateway that nobody knows, nothing is kept. */
  #airOf(gateway: Eui): GatewayAir {
    const rules = this.#rulesOf(gateway)
    const air = this.#gateways.get(gateway) ?? new GatewayAir(rules)
    air.use(rules)
    if (this.#gatewayOf(gateway) !== null) this.#gateways.set(gateway, air)
    return air
  }

  /** Made once per kind of gateway. */
  #rulesOf(gateway: Eui): AirRules {
    const model = this.#gatewayOf(gateway)?.dutyModel ?? 'window'
    const rules = this.#rules.get(model) ?? airRules(this.#parts.region, model, this.#parts.air)
    this.#rules.set(model, rules)
    return rules
  }

  #gatewayOf(gateway: Eui): Gateway | null {
    return this.#parts.radio.gateways().find(({ id }) => id === gateway) ?? null
  }

  #epochOf(gateway: Eui): number {
    return this.#gateways.get(gateway)?.clock?.epoch ?? 0
  }

  /** Whole: the clock's milliseconds have a fraction of any length, time on air is counted in microseconds. */
  #nowUs(): number {
    return Math.floor(this.#parts.clock.boottimeMs() * 1_000)
  }

  #oldest(): ReturnType<typeof momentOf> {
    const now = momentOf(this.#parts.clock)
    return { ...now, boottimeMs: now.boottimeMs - AIRTIME_KEPT_MS, wallMs: now.wallMs - AIRTIME_KEPT_MS }
  }
}

interface Prepared {
  readonly windows: readonly TxWindow[]
  /** Of each, its index in the order. */
  readonly indexes: readonly number[]
  /** Of all windows of the order; null: given to the gateway. */
  readonly statuses: readonly (TxStatus | null)[]
}

function claimOf({ tenant, purpose }: SlotOrder): AirClaim {
  if (tenant !== null) return 'sold'
  return purpose === 'join' || purpose === 'ack' ? 'reserved' : 'own'
}

/** Too far for a slot to be asked for now. */
function isAhead(startUs: number, nowUs: number): boolean {
  return startUs - nowUs > (HOLD_BACK_MS + EARLY_MS) * 1_000
}

function rankOf({ order, seq }: Held): { readonly purpose: DownlinkPurpose; readonly priority: number; readonly seq: number } {
  return { purpose: order.purpose, priority: order.priority, seq }
}

function refusedAll(order: { readonly id: number; readonly gateway: Eui; readonly windows: readonly unknown[] }, status: TxStatus): TxAck {
  return { id: order.id, gateway: order.gateway, statuses: order.windows.map(() => status), sent: null, onAirUs: 0 }
}

