/**
 * Payments of boxes without a channel with each other: over the one in between, under a lock, for a fee. Each order has an amount of its own, by which it is known
 * at both ends, and its secret's hash in between. When all is quiet the three histories are held against each other and against what was ordered, what they come to
 * against the counters of the channels, and the fees against the ledger of the box in between.
 */
import type { Address, Hash } from '../../../src/base/index.ts'
import type { PhotonNode, StoredPayment } from '../../../src/photon/node/index.ts'
import { TOKEN, channelOf } from '../../unit/photon-node/box.ts'

/** Of each payment, to the box in between. */
const FEE = 1n
const MAX_FEE = 5n
/** Above all that is paid directly at once. */
const FIRST_AMOUNT = 10_000n
const PAGE = 500

export interface RoutedBox {
  readonly account: Address
  readonly neighbours: readonly RoutedBox[]
  readonly isOn: boolean
  readonly life: { readonly node: Pick<PhotonNode, 'payLocked' | 'paymentsAfter' | 'channelOfNumber' | 'channel'> }
  /** What the entries of this source in its ledger come to. */
  earnedOf(source: string): bigint
  tried<T>(phase: string, work: () => Promise<T>): Promise<T | undefined>
}

interface Order {
  readonly from: RoutedBox
  readonly over: RoutedBox
  readonly to: RoutedBox
  readonly amount: bigint
  /** It was on disk when whoever ordered it was told so. */
  isOrdered: boolean
}

/** One box's history. */
interface Told {
  lastId: number
  /** By amount: fees of its own orders that came through, how many were given up, and the hashes under which it was paid. */
  readonly sent: Map<bigint, bigint[]>
  readonly failed: Map<bigint, number>
  readonly received: Map<bigint, Hash[]>
  /** By hash: fees of what it carried. */
  readonly mediated: Map<Hash, bigint[]>
  /** Directly, by channel. */
  readonly paid: Map<Hash, bigint>
  readonly earned: Map<Hash, bigint>
}

export class RoutedPayments {
  readonly #boxes: readonly RoutedBox[]
  readonly #orders: Order[] = []
  readonly #told = new Map<RoutedBox, Told>()
  /** Orders that came through, and that were given up. */
  readonly done = { paid: 0, failed: 0 }

  constructor(boxes: readonly RoutedBox[]) {
    this.#boxes = boxes
    for (const box of boxes) this.#told.set(box, { lastId: 0, sent: new Map(), failed: new Map(), received: new Map(), mediated: new Map(), paid: new Map(), earned: new Map() })
  }

  /** Over the neighbour that both have. */
  async order(from: RoutedBox, to: RoutedBox): Promise<void> {
    const over = from.neighbours.find(({ neighbours }) => neighbours.includes(to))
    if (over === undefined || !from.isOn) return
    const order: Order = { from, over, to, amount: FIRST_AMOUNT + BigInt(this.#orders.length), isOrdered: false }
    this.#orders.push(order)
    order.isOrdered = (await from.tried('pay through', () => from.life.node.payLocked({ token: TOKEN, target: to.account, amount: order.amount, maxFee: MAX_FEE }))) !== undefined
  }

  /** When all is quiet. */
  problems(): readonly string[] {
    for (const box of this.#boxes) this.#listen(box)
    return [...this.#orders.flatMap((order) => this.#wrongEnd(order)), ...this.#boxes.flatMap((box) => [...this.#wrongCounters(box), ...this.#wrongFees(box)])]
  }

  #listen(box: RoutedBox): void {
    const told = this.#toldBy(box)
    for (;;) {
      const rows = box.life.node.paymentsAfter(told.lastId, PAGE)
      for (const row of rows) this.#hear(box, told, row)
      if (rows.length < PAGE) return
    }
  }

  #hear(box: RoutedBox, told: Told, { id, kind, amount, channelNumber, key, fee }: StoredPayment): void {
    told.lastId = id
    const channel = (): Hash => box.life.node.channelOfNumber(channelNumber)?.key.channel ?? '0x'
    if (kind === 'direct-sent') add(told.paid, channel(), amount)
    else if (kind === 'direct-received') add(told.earned, channel(), amount)
    else if (kind === 'received') push(told.received, amount, key)
    else if (kind === 'mediated') push(told.mediated, key, fee ?? 0n)
    else if (kind === 'sent') {
      push(told.sent, amount, fee ?? 0n)
      this.done.paid++
    } else if (kind === 'failed') {
      told.failed.set(amount, (told.failed.get(amount) ?? 0) + 1)
      this.done.failed++
    }
  }

  #wrongEnd(order: Order): readonly string[] {
    const { from, over, to, amount, isOrdered } = order
    const [sent, failed] = [this.#sent(order), this.#toldBy(from).failed.get(amount) ?? 0]
    const paid = this.#toldBy(from).sent.get(amount) ?? []
    const received = this.#toldBy(to).received.get(amount) ?? []
    const fees = received.flatMap((key) => this.#toldBy(over).mediated.get(key) ?? [])
    const said = `${amount} of ${from.account} to ${to.account}: sent ${sent} times, failed ${failed}, received ${received.length}, fees paid: ${paid.join(', ') || 'none'}, fees of the box in between: ${fees.join(', ') || 'none'}`
    return [
      ...(sent + failed > 1 || (isOrdered && sent + failed === 0) ? [`a payment over a box in between has not ended once: ${said}`] : []),
      ...(sent !== received.length ? [`what was paid over a box in between is not what came: ${said}`] : []),
      ...(paid.some((fee) => fee !== FEE) ? [`a payer's book has another fee than the box in between asks for: ${said}`] : []),
      ...(fees.length !== received.length || fees.some((fee) => fee !== FEE) ? [`a box in between has not earned its fee once: ${said}`] : []),
    ]
  }

  /** With each neighbour the counters of the channel are what its payments come to, its own and those it carried. Nothing is locked. */
  #wrongCounters(box: RoutedBox): readonly string[] {
    const told = this.#toldBy(box)
    return box.neighbours.flatMap((other) => {
      const id = channelOf(box.account, other.account)
      const channel = box.life.node.channel(id)
      if (channel === undefined) return [`${box.account} has lost its channel with ${other.account}`]
      const { own, partner } = channel
      const [out, came] = [(told.paid.get(id) ?? 0n) + this.#routed(box, other), (told.earned.get(id) ?? 0n) + this.#routed(other, box)]
      const said = `${box.account} with ${other.account}: paid ${out} and got ${came} by its history, ${own.transferred} and ${partner.transferred} by the channel, locked ${own.locked} and ${partner.locked}`
      return [
        ...(own.transferred !== out || partner.transferred !== came ? [`a channel's counters are not what its payments come to: ${said}`] : []),
        ...(own.locked !== 0n || partner.locked !== 0n ? [`something is locked and nothing is under way: ${said}`] : []),
      ]
    })
  }

  #wrongFees(box: RoutedBox): readonly string[] {
    const fees = [...this.#toldBy(box).mediated.values()].flat().reduce((sum, fee) => sum + fee, 0n)
    const booked = box.earnedOf('photon:fee')
    const due = this.#orders.reduce((sum, order) => (order.over === box ? sum + FEE * BigInt(this.#sent(order)) : sum), 0n)
    return fees === booked && booked === due ? [] : [`the fees of ${box.account} differ: ${due} by what it carried, ${fees} by its history, ${booked} in its ledger`]
  }

  /** What went from one to the other in the channel between them, for others or on the way to others. */
  #routed(payer: RoutedBox, payee: RoutedBox): bigint {
    return this.#orders.reduce((sum, order) => {
      const { from, over, to, amount } = order
      const each = from === payer && over === payee ? amount + FEE : over === payer && to === payee ? amount : 0n
      return sum + each * BigInt(this.#sent(order))
    }, 0n)
  }

  #sent({ from, amount }: Order): number {
    return this.#toldBy(from).sent.get(amount)?.length ?? 0
  }

  #toldBy(box: RoutedBox): Told {
    const told = this.#told.get(box)
    if (told === undefined) throw new Error('a box of another town')
    return told
  }
}

function add(sums: Map<Hash, bigint>, key: Hash, amount: bigint): void {
  sums.set(key, (sums.get(key) ?? 0n) + amount)
}

function push<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}
