/**
 * Payments over channels by reference: an order that was given once is not paid twice, in whichever run of the process it comes
 * again. Before the first attempt it is written how far the channels' history went; a reference that is found behind that place
 * was paid, unless it was lost with its channel: then it is paid anew. The channels' room comes later than who pays, and may go. What is
 * shared by carrying in the mesh and by payouts.
 */
import { MeshBoxError, utf8 } from '../base/index.ts'
import type { Address, Cancel, Hash, Timers } from '../base/index.ts'
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
  /** `delivered`: the partner is known to have it. `lost`: he never had it and never can, its channel is over and the money back. `unknown`: over, and nothing shows whether he had it. */
  arrival(id: number): 'delivered' | 'waiting' | 'lost' | 'unknown'
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
/** What is not acknowledged by then is looked at from time to time: its channel may end. */
const DELIVERY_PATIENCE_MS = 30_000

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

  /** Resolves when the payment is on both disks. Errors: unavailable `<room>-no-channels`; conflict `<room>-reference-used`, `<room>-lost` (asked for again it is paid anew), `<room>-unknown` (it is not); the channels' own. */
  pay(order: PaymentOrderTerms): Promise<void> {
    const before = this.#underWay.get(order.reference)
    if (before !== undefined) return before.amount === order.amount && before.to === order.to ? before.done : Promise.reject(this.#otherOrder(order))
    const done = this.#pay(order).finally(() => this.#underWay.delete(order.reference))
    this.#underWay.set(order.reference, { amount: order.amount, to: order.to, done })
    return done
  }

  /** Whether the order has left this box and did not come back, or may be leaving it now. Errors: as `pay`. */
  async hasLeft(order: PaymentOrderTerms): Promise<boolean> {
    if (this.#underWay.has(order.reference)) return true
    const mark = this.#parts.store.read((tx) => this.#parts.readMark(tx, order.reference))
    return mark !== null && (await this.#find(order, mark)) !== null
  }

  /** Whether whoever ordered may give it up: it has not left, it came back, or nobody but the recipient can say. Errors: as `pay`. */
  async mayBeGivenUp(order: PaymentOrderTerms): Promise<boolean> {
    if (this.#underWay.has(order.reference)) return false
    const mark = this.#parts.store.read((tx) => this.#parts.readMark(tx, order.reference))
    const id = mark === null ? null : await this.#find(order, mark)
    return id === null || this.#now().arrival(id) === 'unknown'
  }

  async #pay(order: PaymentOrderTerms): Promise<void> {
    const { store, readMark, noteMark } = this.#parts
    const known = store.read((tx) => readMark(tx, order.reference))
    const paid = known === null ? null : await this.#find(order, known)
    if (paid !== null) return this.#delivered(order, paid)
    const mark = known ?? this.#now().newest()
    if (known === null) await store.turn((tx) => noteMark(tx, order.reference, mark))
    const { delivered } = await this.#now().pay({ ...order, data: this.#data })
    if (await this.#isIn(delivered, DELIVERY_PATIENCE_MS)) return
    const id = await this.#find(order, mark)
    if (id === null) throw this.#lost(order)
    await Promise.race([delivered, this.#delivered(order, id)])
  }

  async #isIn(delivered: Promise<void>, patienceMs: number): Promise<boolean> {
    let cancel: Cancel = () => undefined
    const late = new Promise<false>((resolve) => (cancel = this.#parts.timers.after(patienceMs, () => resolve(false))))
    try {
      return await Promise.race([delivered.then(() => true), late])
    } finally {
      cancel()
    }
  }

  /** The payment of this order among those behind `after`; null: it was not paid, or was lost. */
  async #find({ to, token, amount, reference }: PaymentOrderTerms, after: number): Promise<number | null> {
    for (let at: number | null = after; at !== null; ) {
      const { payments, lookedTo } = this.#now().after(at, LOOKED_AT)
      const found = payments.find((payment) => payment.kind === 'sent' && payment.reference === reference && this.#now().arrival(payment.id) !== 'lost')
      if (found !== undefined) {
        if (found.partner !== to || found.token !== token || found.amount !== amount) throw this.#otherOrder({ to, token, amount, reference })
        return found.id
      }
      at = lookedTo
      if (at !== null) await this.#wait(NEXT_LOOK_MS)
    }
    return null
  }

  async #delivered(order: PaymentOrderTerms, id: number): Promise<void> {
    for (;;) {
      const arrival = this.#now().arrival(id)
      if (arrival === 'lost') throw this.#lost(order)
      if (arrival === 'unknown') throw new MeshBoxError('conflict', `the channel is over, and nothing shows whether ${order.to} had the payment ${order.reference}: ask him for his history`, { code: `${this.#parts.room}-unknown` })
      if (arrival === 'delivered') return
      await this.#wait(DELIVERY_LOOK_MS)
    }
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#parts.timers.after(delayMs, resolve))
  }

  #now(): PayingChannels {
    if (this.#channels === null) throw new MeshBoxError('unavailable', 'payment channels are not up yet', { code: `${this.#parts.room}-no-channels`, retryAfterSeconds: 30 })
    return this.#channels
  }

  #lost({ to }: PaymentOrderTerms): MeshBoxError {
    return new MeshBoxError('conflict', `the channel ended before ${to} had the payment, and the chain has paid it back: it is paid anew`, { code: `${this.#parts.room}-lost` })
  }

  #otherOrder({ reference }: PaymentOrderTerms): MeshBoxError {
    return new MeshBoxError('conflict', `another payment was ordered under ${reference}`, { code: `${this.#parts.room}-reference-used`, field: 'reference', value: reference })
  }
}
