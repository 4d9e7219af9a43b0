/**
 * Payments between boxes over payment channels, by reference: an order that was given once is not paid twice, in whichever run of
 * the process it comes again. Before the first attempt it is written how far the channels' history went; a reference that is
 * found behind that place was paid. What came is read from the same history, oldest first, so that nothing is missed and nothing
 * has to be told twice. The channels' room comes later than this one, and may go.
 */
import { MeshBoxError, equalBytesConstantTime, utf8 } from '../../base/index.ts'
import type { Address, Cancel, Hash, Timers } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import { noteOrder, readOrder } from './io/order-table.ts'
import type { ReceivedPayment, RelayPayments } from './ports.ts'

export interface ChannelPayment {
  readonly id: number
  readonly kind: 'sent' | 'received'
  readonly partner: Address
  readonly token: Address
  readonly amount: bigint
  readonly reference: Hash
  readonly data: Uint8Array
}

export interface PaymentOrderTerms {
  readonly to: Address
  readonly token: Address
  readonly amount: bigint
  readonly reference: Hash
}

/** The channels of this box, as payments between boxes need them. */
export interface DirectChannels {
  /** Id of the newest payment that ended; 0: none. Ids only rise. */
  newest(): number
  /** Direct payments behind `id`, oldest first, `most` looked at; `lookedTo`: the last id that was looked at, null: there are no more. */
  after(id: number, most: number): { readonly payments: readonly ChannelPayment[]; readonly lookedTo: number | null }
  /** On disk here when it resolves; `delivered`: on the partner's. Errors: not-found, without a channel; conflict; unavailable; limit. */
  pay(order: PaymentOrderTerms & { readonly data: Uint8Array }): Promise<{ readonly delivered: Promise<void> }>
  /** Whether the partner is known to have it. */
  isDelivered(id: number): boolean
  /** Told after it is on disk. */
  onReceived(listener: (payment: Omit<ChannelPayment, 'id' | 'kind'>) => void): Cancel
}

export interface ChannelPaymentsParts {
  /** What they are for: stands in each payment, at most 32 bytes. */
  readonly note: string
  readonly store: Store
  readonly timers: Timers
}

/** Rows of history that one look takes: some milliseconds. */
const LOOKED_AT = 500
const NEXT_LOOK_MS = 20
const DELIVERY_LOOK_MS = 1000

export class ChannelPayments implements RelayPayments {
  readonly #parts: ChannelPaymentsParts
  readonly #note: Uint8Array
  readonly #listeners = new Set<(payment: Omit<ReceivedPayment, 'mark'>) => void>()
  readonly #underWay = new Map<Hash, { readonly amount: bigint; readonly to: Address; readonly done: Promise<void> }>()
  #channels: DirectChannels | null = null
  /** Nothing of ours lies between what was asked for and here. */
  #emptyTo = 0
  #unlisten: Cancel = () => undefined
  #cancelLook: Cancel = () => undefined

  constructor(parts: ChannelPaymentsParts) {
    this.#parts = parts
    this.#note = utf8(parts.note)
  }

  /** Null: the room has gone. */
  use(channels: DirectChannels | null): void {
    this.#unlisten()
    this.#cancelLook()
    this.#channels = channels
    this.#unlisten = channels?.onReceived((payment) => this.#isOurs(payment.data) && this.#tell({ ...payment, from: payment.partner })) ?? (() => undefined)
  }

  pay(order: PaymentOrderTerms): Promise<void> {
    const before = this.#underWay.get(order.reference)
    if (before !== undefined) return before.amount === order.amount && before.to === order.to ? before.done : Promise.reject(otherOrder(order))
    const done = this.#pay(order).finally(() => this.#underWay.delete(order.reference))
    this.#underWay.set(order.reference, { amount: order.amount, to: order.to, done })
    return done
  }

  onPaid(listener: (payment: Omit<ReceivedPayment, 'mark'>) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  receivedAfter(mark: bigint, most: number): readonly ReceivedPayment[] {
    const channels = this.#channels
    if (channels === null) return []
    const from = Math.max(Number(mark), this.#emptyTo)
    const { payments, lookedTo } = channels.after(from, LOOKED_AT)
    const ours = payments.filter(({ kind, data }) => kind === 'received' && this.#isOurs(data)).slice(0, most)
    if (ours.length === 0 && lookedTo !== null) {
      // A long history is looked through in pieces.
      this.#emptyTo = lookedTo
      this.#lookOn()
    }
    return ours.map(({ id, partner, token, amount, reference }) => ({ from: partner, token, amount, reference, mark: BigInt(id) }))
  }

  #lookOn(): void {
    this.#cancelLook()
    this.#cancelLook = this.#parts.timers.after(NEXT_LOOK_MS, () => {
      const [first] = this.receivedAfter(0n, 1)
      if (first !== undefined) this.#tell(first)
    })
  }

  async #pay(order: PaymentOrderTerms): Promise<void> {
    const { store } = this.#parts
    const known = store.read((tx) => readOrder(tx, order.reference))
    const paid = known === null ? null : await this.#find(order, known)
    if (paid !== null) return this.#delivered(paid)
    if (known === null) {
      const newest = this.#now().newest()
      await store.turn((tx) => noteOrder(tx, order.reference, newest))
    }
    const { delivered } = await this.#now().pay({ ...order, data: this.#note })
    await delivered
  }

  /** The payment of this order among those behind `after`; null: it was not paid. */
  async #find({ to, token, amount, reference }: PaymentOrderTerms, after: number): Promise<number | null> {
    for (let at: number | null = after; at !== null; ) {
      const { payments, lookedTo } = this.#now().after(at, LOOKED_AT)
      const found = payments.find((payment) => payment.kind === 'sent' && payment.reference === reference)
      if (found !== undefined) {
        if (found.partner !== to || found.token !== token || found.amount !== amount) throw otherOrder({ to, token, amount, reference })
        return found.id
      }
      at = lookedTo
      if (at !== null) await this.#wait(NEXT_LOOK_MS)
    }
    return null
  }

  async #delivered(id: number): Promise<void> {
    while (!this.#now().isDelivered(id)) await this.#wait(DELIVERY_LOOK_MS)
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#parts.timers.after(delayMs, resolve))
  }

  #now(): DirectChannels {
    if (this.#channels === null) throw new MeshBoxError('unavailable', 'payment channels are not up yet', { code: 'mesh-no-channels', retryAfterSeconds: 30 })
    return this.#channels
  }

  #isOurs(data: Uint8Array): boolean {
    return data.length === this.#note.length && equalBytesConstantTime(data, this.#note)
  }

  #tell({ from, token, amount, reference }: Omit<ReceivedPayment, 'mark'>): void {
    for (const listener of this.#listeners) listener({ from, token, amount, reference })
  }
}

function otherOrder({ reference }: PaymentOrderTerms): MeshBoxError {
  return new MeshBoxError('conflict', `another payment was ordered under ${reference}`, { code: 'mesh-reference-used', field: 'reference', value: reference })
}
