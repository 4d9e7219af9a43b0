/**
 * Orders of guests' keys, between the portal's door and the channels: how often a device may ask, words into bytes, and
 * what the payee's desk of streams knows of the channel. What is signed is looked at by the channels' room.
 */
import { MeshBoxError, RateLimit, fromHex } from '../base/index.ts'
import type { Address, Clock } from '../base/index.ts'
import type { GuestOrder, OrderView, PurseBoard, PurseView, TakeOutOffer } from '../hotspot/index.ts'
import type { GuestOrders, PlacedOrder, StreamSide } from '../photon/index.ts'
import { STOP } from '../photon/stream/index.ts'
import type { PayeeDesk } from '../photon/stream/index.ts'

export interface GuestOrderDoorParts {
  readonly side: Pick<StreamSide, 'orders' | 'account'>
  readonly desk: Pick<PayeeDesk, 'earnedOf' | 'earnedForGood' | 'endStream'>
  readonly token: Address
  /** A channel that holds less cannot be streamed in. */
  readonly least: () => bigint
  /** Of codes, and not in his channel yet: until it is, nothing else may move there. */
  readonly promisedTo: (payer: string) => bigint
  readonly clock: Pick<Clock, 'boottimeMs'>
}

/** Each look reads the chain by proof. */
const LOOKS = { burst: 20, perSecond: 0.25 }
/** Each costs a signature or two, and may cost gas. */
const ORDERS = { burst: 6, perSecond: 0.05 }
/** Of all devices: a crowd must not keep the box reading proofs. */
const ALL_LOOKS = { burst: 60, perSecond: 2 }
const ALL_ORDERS = { burst: 20, perSecond: 0.5 }
const ALL = 'all'

export class GuestOrderDoor {
  readonly #parts: GuestOrderDoorParts
  readonly #looks = new RateLimit(LOOKS)
  readonly #orders = new RateLimit(ORDERS)
  readonly #allLooks = new RateLimit(ALL_LOOKS, 1)
  readonly #allOrders = new RateLimit(ALL_ORDERS, 1)

  constructor(parts: GuestOrderDoorParts) {
    this.#parts = parts
  }

  /** Null: this box takes none. */
  board(): PurseBoard | null {
    const { orders } = this.#parts.side
    return orders === null || orders === undefined ? null : { contract: orders.purse, fee: orders.fee, least: this.#parts.least(), finalSeconds: orders.finalSeconds() }
  }

  async purse(device: string, payer: string): Promise<PurseView> {
    this.#admit(device, this.#looks, this.#allLooks)
    const orders = this.#taken()
    const { balance, arriving, number, head, channel, settleTimeout, order } = await orders.standing(payer as Address, this.#parts.token)
    return {
      balance,
      arriving,
      number,
      head,
      channel: channel.channel,
      epoch: channel.epoch,
      channelState: channel.state,
      settleTimeout,
      order: order === null ? null : { hash: order.hash, state: order.state },
    }
  }

  async order(device: string, payer: string, order: GuestOrder): Promise<OrderView> {
    this.#admit(device, this.#orders, this.#allOrders)
    if (order.what !== 'pay') this.#checkPromised(payer)
    if (order.what === 'open' && order.amount < this.#parts.least()) throw new MeshBoxError('conflict', 'amount: so little opens no channel', { code: 'deposit-small', field: 'amount', allowed: `at least ${this.#parts.least()} smallest units` })
    const { hash, state } = await this.#taken().place(placedOf(order, payer as Address, this.#parts.token))
    return { hash, state }
  }

  async takeOut(device: string, payer: string, signed: { readonly validUntil: number; readonly signature: string } | null): Promise<TakeOutOffer> {
    this.#admit(device, this.#orders, this.#allOrders)
    this.#checkPromised(payer)
    const { side, desk, token } = this.#parts
    const orders = this.#taken()
    const channel = side.account(payer as Address, { token, minDeposit: 0n, settleTimeout: 0 })?.channel ?? null
    const earned = (): bigint => (channel === null ? 0n : (desk.earnedOf(channel) ?? 0n))
    // What is signed for good, and not less, is on flash before.
    if (signed !== null && channel !== null) await desk.earnedForGood(channel)
    const offer = signed === null ? orders.settleOffer(payer as Address, token, earned()) : await orders.settle(payer as Address, token, earned, signed.validUntil, fromHex(signed.signature))
    // He has signed that nothing moves any more.
    if (signed !== null) await desk.endStream(offer.channel, STOP.closing)
    const { channel: id, epoch, terms } = offer
    return { channel: id, epoch, guest: terms.balance1, box: terms.balance2, validUntil: terms.validUntil ?? 0 }
  }

  #taken(): GuestOrders {
    const { orders } = this.#parts.side
    if (orders === null || orders === undefined) throw new MeshBoxError('not-found', 'this box takes no orders', { code: 'not-found' })
    return orders
  }

  #checkPromised(payer: string): void {
    if (this.#parts.promisedTo(payer) > 0n) throw new MeshBoxError('conflict', 'money for a code is on its way; one after the other', { code: 'order-running', retryAfterSeconds: 60 })
  }

  #admit(device: string, own: RateLimit, all: RateLimit): void {
    const nowMs = this.#parts.clock.boottimeMs()
    const seconds = own.take(device, nowMs) || all.take(ALL, nowMs)
    if (seconds > 0) throw new MeshBoxError('limit', `too many requests; wait ${seconds} s`, { code: 'too-many-requests', retryAfterSeconds: seconds })
  }
}

function placedOf(order: GuestOrder, from: Address, token: Address): PlacedOrder {
  const { what, amount, fee, number, validUntil, epoch, settleTimeout } = order
  const common = { token, from, amount, fee, number, validUntil, signature: fromHex(order.signature) }
  switch (what) {
    case 'pay':
      return { what, ...common, to: (order.to ?? '0x') as Address, inside: order.inside }
    case 'put-in':
      return { what, ...common, epoch, settleTimeout }
    case 'open':
      return { what, ...common, epoch, settleTimeout, consent: fromHex(order.consent ?? '0x') }
  }
}
