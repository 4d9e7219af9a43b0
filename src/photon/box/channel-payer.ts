/** Direct payments through this box's own channels, for rooms that settle with a partner by reference (carrying in the mesh, for one). */
import { MeshBoxError } from '../../base/index.ts'
import type { Address, Cancel } from '../../base/index.ts'
import { spendable } from '../channel/index.ts'
import type { Arrival, ChannelState } from '../channel/index.ts'
import type { PhotonNode, StoredPayment } from '../node/index.ts'
import type { DirectRow, DirectSide } from '../parts.ts'
import type { PaymentModes } from './payment-modes.ts'

/** Channels' numbers do not change: looked up once. */
const MAX_NUMBERS = 1024

export class ChannelPayer implements DirectSide {
  readonly #node: PhotonNode
  readonly #modes: PaymentModes
  readonly #numbers = new Map<number, ChannelState>()

  constructor(node: PhotonNode, modes: PaymentModes) {
    this.#node = node
    this.#modes = modes
  }

  newest(): number {
    return this.#node.payments(null, 1)[0]?.id ?? 0
  }

  after(id: number, most: number): { readonly payments: readonly DirectRow[]; readonly lookedTo: number | null } {
    const rows = this.#node.paymentsAfter(id, most)
    return { payments: rows.flatMap((row) => this.#direct(row) ?? []), lookedTo: rows.length < most ? null : (rows.at(-1)?.id ?? null) }
  }

  async pay({ to, token, amount, reference, data }: Parameters<DirectSide['pay']>[0]): Promise<{ readonly delivered: Promise<void> }> {
    this.#modes.checkNew(true)
    const channel = this.#open(to, token)
    if (channel === undefined) throw new MeshBoxError('not-found', `there is no open channel with ${to} in this token: open one with \`meshbox channel open ${to} AMOUNT --core\``, { code: 'photon-channel', field: 'to', value: to })
    return this.#node.payDirect({ channel: channel.key.channel, amount, paymentId: reference, data })
  }

  spendable(to: Address, token: Address): bigint | null {
    const channel = this.#open(to, token)
    return channel === undefined ? null : spendable(channel)
  }

  arrival(id: number): Arrival {
    const [row] = this.#node.paymentsAfter(id - 1, 1)
    const channel = row?.id === id ? this.#channel(row.channelNumber) : null
    return row === undefined || channel === null ? 'waiting' : this.#node.arrival(row.channelNumber, channel.key, row.nonce)
  }

  onReceived(listener: (payment: Omit<DirectRow, 'id' | 'kind'>) => void): Cancel {
    return this.#node.onPayment(({ channel, from, amount, paymentId, data }) => {
      const token = this.#node.channel(channel)?.token
      if (token !== undefined && paymentId !== null) listener({ partner: from, token, amount, reference: paymentId, data })
    })
  }

  #open(to: Address, token: Address): ChannelState | undefined {
    return this.#node.channels().find((state) => state.partner.address === to && state.token === token && state.phase === 'opened')
  }

  #direct({ id, kind, channelNumber, amount, key, data }: StoredPayment): DirectRow | null {
    if (kind !== 'direct-sent' && kind !== 'direct-received') return null
    const channel = this.#channel(channelNumber)
    if (channel === null) return null
    const partner: Address = channel.partner.address
    return { id, kind: kind === 'direct-sent' ? 'sent' : 'received', partner, token: channel.token, amount, reference: key, data }
  }

  #channel(number: number): ChannelState | null {
    const known = this.#numbers.get(number)
    if (known !== undefined) return known
    const read = this.#node.channelOfNumber(number)
    const oldest = this.#numbers.keys().next()
    if (this.#numbers.size >= MAX_NUMBERS && !oldest.done) this.#numbers.delete(oldest.value)
    if (read !== null) this.#numbers.set(number, read)
    return read
  }
}
