/**
 * Payments between boxes over payment channels, by reference: sending pays once (`PaidOnce` of the ledger). What came is read from
 * the same history, oldest first, so that nothing is missed and nothing has to be told twice. The channels' room comes later than
 * this one, and may go.
 */
import { equalBytesConstantTime, utf8 } from '../../base/index.ts'
import type { Cancel, Timers } from '../../base/index.ts'
import { LOOKED_AT, NEXT_LOOK_MS, PaidOnce } from '../../ledger/index.ts'
import type { ChannelPayment, PayingChannels, PaymentOrderTerms } from '../../ledger/index.ts'
import type { Store } from '../../store/index.ts'
import { noteOrder, readOrder } from './io/order-table.ts'
import type { ReceivedPayment, RelayPayments } from './ports.ts'

/** The channels of this box, as payments between boxes need them. */
export interface DirectChannels extends PayingChannels {
  /** Told after it is on disk. */
  onReceived(listener: (payment: Omit<ChannelPayment, 'id' | 'kind'>) => void): Cancel
}

export interface ChannelPaymentsParts {
  /** What they are for: stands in each payment, at most 32 bytes. */
  readonly note: string
  readonly store: Store
  readonly timers: Timers
}

export class ChannelPayments implements RelayPayments {
  readonly #parts: ChannelPaymentsParts
  readonly #note: Uint8Array
  readonly #listeners = new Set<(payment: Omit<ReceivedPayment, 'mark'>) => void>()
  readonly #paying: PaidOnce
  #channels: DirectChannels | null = null
  /** Nothing of ours lies between what was asked for and here. */
  #emptyTo = 0
  #unlisten: Cancel = () => undefined
  #cancelLook: Cancel = () => undefined

  constructor(parts: ChannelPaymentsParts) {
    this.#parts = parts
    this.#note = utf8(parts.note)
    this.#paying = new PaidOnce({ ...parts, room: 'mesh', readMark: readOrder, noteMark: noteOrder })
  }

  /** Null: the room has gone. */
  use(channels: DirectChannels | null): void {
    this.#unlisten()
    this.#cancelLook()
    this.#channels = channels
    this.#paying.use(channels)
    this.#unlisten = channels?.onReceived((payment) => this.#isOurs(payment.data) && this.#tell({ ...payment, from: payment.partner })) ?? (() => undefined)
  }

  pay(order: PaymentOrderTerms): Promise<void> {
    return this.#paying.pay(order)
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

  #isOurs(data: Uint8Array): boolean {
    return data.length === this.#note.length && equalBytesConstantTime(data, this.#note)
  }

  #tell({ from, token, amount, reference }: Omit<ReceivedPayment, 'mark'>): void {
    for (const listener of this.#listeners) listener({ from, token, amount, reference })
  }
}
