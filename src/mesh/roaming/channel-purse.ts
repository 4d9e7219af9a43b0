/**
 * Payments for guests between boxes, over direct payments of their channels: cumulative under one reference, so that what is ordered
 * again after a crash is only what is missing. What was sent and what came is counted from the channels' own history, oldest first; a
 * payment in another token, or for another purpose, counts for nothing here. The channels' room comes later than this one, and may go.
 */
import { MeshBoxError, asError, equalBytesConstantTime, utf8 } from '../../base/index.ts'
import type { Address, Cancel, Hash, Log, Timers } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import type { BoxId } from '../ports.ts'
import { readPurseMark, readSum, writePurseMark, writeSum } from './io/purse-table.ts'
import type { PurseKey } from './io/purse-table.ts'
import { Lane } from './parts.ts'
import type { RoamPayer } from './ports.ts'

export interface PursePayment {
  readonly id: number
  readonly kind: 'sent' | 'received'
  readonly token: Address
  readonly amount: bigint
  readonly reference: Hash
  readonly data: Uint8Array
}

/** The channels of this box. */
export interface PurseChannels {
  /** Row of the history that is newest; 0: there is none. Rows only rise. */
  newest(): number
  /** Direct payments among the next `most` rows behind `id`, oldest first; `lookedTo`: the last of these rows, null: there are no more. */
  after(id: number, most: number): { readonly payments: readonly PursePayment[]; readonly lookedTo: number | null }
  /** On disk here when it resolves; `delivered`: on the partner's. */
  pay(order: { readonly to: Address; readonly token: Address; readonly amount: bigint; readonly reference: Hash; readonly data: Uint8Array }): Promise<{ readonly delivered: Promise<void> }>
  /** `delivered`: the partner has it. `lost`: he never had it and never can, its channel is over and the money back. `unknown`: over, and nothing shows whether he had it. */
  arrival(id: number): 'delivered' | 'waiting' | 'lost' | 'unknown'
  onReceived(listener: (payment: Pick<PursePayment, 'data'>) => void): Cancel
}

export interface ChannelPurseParts {
  /** Of a box that is connected. */
  readonly payeeOf: (box: BoxId) => Address | null
  readonly store: Store
  readonly timers: Timers
  readonly log: Log
}

/** Stands in each payment. */
const NOTE = utf8('meshbox roaming')
/** Rows that one look takes: some milliseconds. */
const LOOKED_AT = 500
const NEXT_LOOK_MS = 20
/** Rows without anything of ours are not looked at again after a start. */
const MARK_EVERY = 5000
const DELIVERY_PATIENCE_MS = 10_000

export class ChannelPurse implements RoamPayer {
  readonly #parts: ChannelPurseParts
  readonly #listeners = new Set<(payment: { readonly reference: Hash }) => void>()
  readonly #lane = new Lane()
  #channels: PurseChannels | null = null
  #lookedTo: number | null = null
  #markedAt = 0
  #unlisten: Cancel = () => undefined

  constructor(parts: ChannelPurseParts) {
    this.#parts = parts
  }

  /** Null: the room has gone. */
  use(channels: PurseChannels | null): void {
    this.#unlisten()
    this.#channels = channels
    this.#unlisten = channels?.onReceived(({ data }) => isOurs(data) && this.#look()) ?? (() => undefined)
    if (channels !== null) this.#look()
  }

  payeeOf(box: BoxId): Address | null {
    return this.#channels === null ? null : this.#parts.payeeOf(box)
  }

  /** One payment of a reference is under way at a time. Errors: unavailable `mesh-not-delivered` while the partner does not take it; the same again asks whether he has. And what the channels say. */
  async pay(order: { readonly to: Address; readonly token: Address; readonly amount: bigint; readonly reference: Hash }): Promise<void> {
    const { delivered } = await this.#lane.run(async () => {
      const channels = this.#now()
      await this.#catchUp(channels)
      const sent = await this.#arrived(channels, { kind: 'sent', reference: order.reference, token: order.token })
      const missing = order.amount - sent
      if (missing > 0n) return channels.pay({ to: order.to, token: order.token, amount: missing, reference: order.reference, data: NOTE })
      return { delivered: Promise.resolve() }
    })
    // Others pay and are paid meanwhile.
    await new Promise<void>((resolve, reject) => {
      const cancel = this.#parts.timers.after(DELIVERY_PATIENCE_MS, () => reject(notDelivered()))
      delivered.then(resolve, reject).finally(cancel)
    })
  }

  /** What was sent, without a last payment that was lost with its channel: that is missing again. Where nothing shows it, it is not sent twice. */
  async #arrived(channels: PurseChannels, key: PurseKey): Promise<bigint> {
    const { amount, lastId } = this.#sum(key.kind, key.reference, key.token)
    const arrival = lastId === 0 ? 'delivered' : channels.arrival(lastId)
    if (arrival === 'waiting') throw notDelivered()
    if (arrival !== 'lost') return amount
    const lost = channels.after(lastId - 1, 1).payments.find(({ id }) => id === lastId)?.amount ?? 0n
    await this.#parts.store.turn((tx) => writeSum(tx, key, { amount: amount - lost, lastId: 0 }))
    this.#parts.log.warn('roaming: a payment was lost with its channel, and is paid anew', { reference: key.reference, amount: lost })
    return amount - lost
  }

  onPaid(listener: (payment: { readonly reference: Hash }) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  received(reference: Hash, token: Address): bigint {
    return this.#sum('received', reference, token).amount
  }

  #look(): void {
    const channels = this.#channels
    if (channels === null) return
    this.#lane.run(() => this.#catchUp(channels)).catch((thrown: unknown) => this.#parts.log.error('roaming: payments could not be counted', { error: asError(thrown) }))
  }

  /** All that the history has by now. */
  async #catchUp(channels: PurseChannels): Promise<void> {
    const { store, timers } = this.#parts
    for (;;) {
      const from = (this.#lookedTo ??= this.#markedAt = store.read(readPurseMark))
      // Before the look: what comes during it is above, or among what it found.
      const newest = channels.newest()
      const { payments, lookedTo } = channels.after(from, LOOKED_AT)
      const to = lookedTo ?? Math.max(from, newest, payments.at(-1)?.id ?? 0)
      const ours = payments.filter(({ data }) => isOurs(data))
      if (ours.length > 0 || to - this.#markedAt >= MARK_EVERY) {
        await store.turn((tx) => {
          for (const { kind, reference, token, amount, id } of ours) {
            const key: PurseKey = { kind, reference, token }
            writeSum(tx, key, { amount: readSum(tx, key).amount + amount, lastId: id })
          }
          writePurseMark(tx, to)
        })
        this.#markedAt = to
      }
      this.#lookedTo = to
      for (const { kind, reference } of ours) if (kind === 'received') for (const listener of this.#listeners) listener({ reference })
      if (lookedTo === null) return
      await new Promise<void>((resolve) => void timers.after(NEXT_LOOK_MS, resolve))
    }
  }

  #sum(kind: PurseKey['kind'], reference: Hash, token: Address): ReturnType<typeof readSum> {
    return this.#parts.store.read((tx) => readSum(tx, { kind, reference, token }))
  }

  #now(): PurseChannels {
    if (this.#channels === null) throw notUp()
    return this.#channels
  }
}

function isOurs(data: Uint8Array): boolean {
  return data.length === NOTE.length && equalBytesConstantTime(data, NOTE)
}

function notUp(): MeshBoxError {
  return new MeshBoxError('unavailable', 'payment channels are not up yet', { code: 'mesh-no-channels', retryAfterSeconds: 30 })
}

function notDelivered(): MeshBoxError {
  return new MeshBoxError('unavailable', 'the partner has not taken the payment yet', { code: 'mesh-not-delivered', retryAfterSeconds: 5 })
}
