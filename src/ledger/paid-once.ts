/**
 * Payments over channels by reference: an order that was given once is not paid twice, in whichever run of the process it comes
 * again. Before the first attempt it is written how far the channels' history went; a reference that is found behind that place
 * was paid. The channels' room comes later than who pays, and may go. What is shared by carrying in the mesh and by payouts.
 */
import { MeshBoxError, utf8 } from '../base/index.ts'
import type { Address, Hash, Timers } from '../base/index.ts'
import type { ReadTx, Store, Tx } from '../store/index.ts'

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

/** What paying once asks of the channels. */
export interface PayingChannels {
  /** Id of the newest payment that ended; 0: none. Ids only rise. */
  newest(): number
  /** Direct payments behind `id`, oldest first, `most` looked at; `lookedTo`: the last id that was looked at, null: there are no more. */
  after(id: number, most: number): { readonly payments: readonly ChannelPayment[]; readonly lookedTo: number | null }
  /** On disk here when it resolves; `delivered`: on the partner's. Errors: not-found, without a channel; conflict; unavailable; limit. */
  pay(order: PaymentOrderTerms & { readonly data: Uint8Array }): Promise<{ readonly delivered: Promise<void> }>
  /** Whether the partner is known to have it. */
  isDelivered(id: number): boolean
}

export interface PaidOnceParts {
  /** What the payments are for: stands in each, at most 32 bytes. */
  readonly note: string
  /** Of who pays: begins the codes of errors, `<room>-no-channels` and `<room>-reference-used`. */
  readonly room: string
  readonly store: Store
  readonly timers: Timers
  /** How far the history went when an order was given first; null: it was never given. */
  readonly readMark: (tx: ReadTx, reference: Hash) => number | null
  readonly noteMark: (tx: Tx, reference: Hash, historyId: number) => void
}

/** Rows of history that one look takes: some milliseconds. */
export const LOOKED_AT = 500
export const NEXT_LOOK_MS = 20
const DELIVERY_LOOK_MS = 1000

export class PaidOnce {
  readonly #parts: PaidOnceParts
  readonly #data: Uint8Array
  readonly #underWay = new Map<Hash, { readonly amount: bigint; readonly to: Address; readonly done: Promise<void> }>()
  #channels: PayingChannels | null = null

  constructor(parts: PaidOnceParts) {
    this.#parts = parts
    this.#data = utf8(parts.note)
  }

  /** Null: the room has gone. */
  use(channels: PayingChannels | null): void {
    this.#channels = channels
  }

  /** Resolves when the payment is on both disks. Errors: unavailable `<room>-no-channels`; conflict `<room>-reference-used`; the channels' own. */
  pay(order: PaymentOrderTerms): Promise<void> {
    const before = this.#underWay.get(order.reference)
    if (before !== undefined) return before.amount === order.amount && before.to === order.to ? before.done : Promise.reject(this.#otherOrder(order))
    const done = this.#pay(order).finally(() => this.#underWay.delete(order.reference))
    this.#underWay.set(order.reference, { amount: order.amount, to: order.to, done })
    return done
  }

  /** Whether the order has left this box, or may be leaving it now. Errors: as `pay`. */
  async hasLeft(order: PaymentOrderTerms): Promise<boolean> {
    if (this.#underWay.has(order.reference)) return true
    const mark = this.#parts.store.read((tx) => this.#parts.readMark(tx, order.reference))
    return mark !== null && (await this.#find(order, mark)) !== null
  }

  async #pay(order: PaymentOrderTerms): Promise<void> {
    const { store, readMark, noteMark } = this.#parts
    const known = store.read((tx) => readMark(tx, order.reference))
    const paid = known === null ? null : await this.#find(order, known)
    if (paid !== null) return this.#delivered(paid)
    if (known === null) {
      const newest = this.#now().newest()
      await store.turn((tx) => noteMark(tx, order.reference, newest))
    }
    const { delivered } = await this.#now().pay({ ...order, data: this.#data })
    await delivered
  }

  /** The payment of this order among those behind `after`; null: it was not paid. */
  async #find({ to, token, amount, reference }: PaymentOrderTerms, after: number): Promise<number | null> {
    for (let at: number | null = after; at !== null; ) {
      const { payments, lookedTo } = this.#now().after(at, LOOKED_AT)
      const found = payments.find((payment) => payment.kind === 'sent' && payment.reference === reference)
      if (found !== undefined) {
        if (found.partner !== to || found.token !== token || found.amount !== amount) throw this.#otherOrder({ to, token, amount, reference })
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

  #now(): PayingChannels {
    if (this.#channels === null) throw new MeshBoxError('unavailable', 'payment channels are not up yet', { code: `${this.#parts.room}-no-channels`, retryAfterSeconds: 30 })
    return this.#channels
  }

  #otherOrder({ reference }: PaymentOrderTerms): MeshBoxError {
    return new MeshBoxError('conflict', `another payment was ordered under ${reference}`, { code: `${this.#parts.room}-reference-used`, field: 'reference', value: reference })
  }
}
