/** What servers northbound have in common, whatever they speak: who takes their orders, and what an order is to the one desk that all orders go to. */
import type { Cancel } from '../../../base/index.ts'
import { timeOnAirUs } from '../../lorawan/index.ts'
import type { Downlink, Eui, TxAck, TxWindow } from '../../ports.ts'

/** Whose device it is for, only its server knows: here it is nobody's. */
export type Order = Omit<Downlink, 'tenant'>
export type OrderListener = (order: Order) => Promise<TxAck>

/** Answers of class A before what can wait. */
const PRIORITY = { answer: 100, now: 50 } as const
/** A moment of class B may be a beacon period, 128 s, ahead. */
const GPS_AHEAD_MS = 140_000
const SLACK_MS = 1_000
const JOIN_ACCEPT = 1

export class OrderTakers {
  readonly #listeners = new Set<OrderListener>()

  add(listener: OrderListener): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Null: nobody takes orders. */
  ask(order: Order): Promise<TxAck> | null {
    const [listener] = this.#listeners
    return listener === undefined ? null : listener(order)
  }
}

/** `windows`: at least one, alternatives to each other; the last one says how long the order is of use. */
export function orderOf(asked: { readonly id: number; readonly gateway: Eui; readonly windows: readonly TxWindow[]; readonly nowMs: number }): Order {
  const { nowMs, windows } = asked
  const [first, last] = [windows[0], windows.at(-1)]
  if (first === undefined || last === undefined) throw new RangeError('an order without a window')
  const { timing } = last
  const slotMs = timing.kind === 'after' ? timing.arrivedMs + timing.delayUs / 1_000 : timing.kind === 'gps' ? nowMs + GPS_AHEAD_MS : nowMs
  return {
    id: asked.id,
    gateway: asked.gateway,
    windows,
    purpose: (first.phy[0] ?? 0) >> 5 === JOIN_ACCEPT ? 'join' : 'data',
    priority: timing.kind === 'after' ? PRIORITY.answer : PRIORITY.now,
    devEui: null,
    expiresMs: slotMs + timeOnAirUs(last.modulation, last.phy.length, last) / 1_000 + SLACK_MS,
  }
}
