/**
 * One desk over both rooms, so that the owner's doors need not know of two: a channel is found in the room it is in, a
 * payment goes where there is a channel, and a channel with a node that is known on the LAN is one of the original's contract.
 */
import type { Address, Hash } from '../base/index.ts'
import { OwnerDesk, checkSwap } from './box/index.ts'
import type { PaymentModes } from './box/index.ts'
import type { ChannelView, DutyView, OpenOrder, PayOrder, PaymentRow, PhotonDesk, PhotonStatus, SwapOrder } from './desk.ts'
import type { LanSide, LegacyDesk } from './v1/index.ts'

export class JoinedDesk extends OwnerDesk {
  readonly #legacy: () => LegacyDesk | null

  readonly #side: LanSide | null
  readonly #modes: PaymentModes

  /** `legacy`: null while it does not run. `side`: null where the box has none. */
  constructor(options: ConstructorParameters<typeof OwnerDesk>[0], side: LanSide | null, legacy: () => LegacyDesk | null, modes: PaymentModes) {
    super(options)
    this.#modes = modes
    this.#side = side
    this.#legacy = legacy
  }

  override status(): PhotonStatus {
    const status = { ...super.status(), original: originalOf(this.#side) }
    const legacy = this.#legacy()
    return legacy === null ? status : { ...status, channels: status.channels + legacy.channels().length, peers: status.peers + legacy.peers().filter(({ isConnected }) => isConnected).length }
  }

  override channels(): readonly ChannelView[] {
    return [...super.channels(), ...(this.#legacy()?.channels() ?? [])]
  }

  override channel(id: Hash): ChannelView | null {
    return super.channel(id) ?? this.#legacy()?.channel(id) ?? null
  }

  override async open(order: OpenOrder): Promise<{ readonly channel: Hash }> {
    const legacy = this.#legacy()
    if (legacy === null || !legacy.knows(order.partner)) return super.open(order)
    return this.#told(legacy.open(order))
  }

  override async deposit(id: Hash, amount: bigint): Promise<void> {
    const legacy = this.#roomOf(id)
    return legacy === null ? super.deposit(id, amount) : this.#told(legacy.deposit(id, amount))
  }

  override async withdraw(id: Hash, amount: bigint): Promise<void> {
    const legacy = this.#roomOf(id)
    return legacy === null ? super.withdraw(id, amount) : legacy.withdraw()
  }

  override async close(id: Hash, isForced: boolean): Promise<void> {
    const legacy = this.#roomOf(id)
    return legacy === null ? super.close(id, isForced) : this.#told(legacy.close(id, isForced))
  }

  override async pay(order: PayOrder): Promise<{ readonly id: Hash }> {
    this.#modes.checkNew(order.isDirect)
    const legacy = this.#legacy()
    const hasOwn = super.channels().some(({ partner, token }) => partner.address === order.target && token === order.token)
    return legacy === null || hasOwn || !legacy.reaches(order) ? super.pay(order) : this.#told(legacy.pay(order))
  }

  override async swap(order: SwapOrder): Promise<void> {
    this.#modes.checkNew(false)
    const legacy = this.#legacy()
    const hasOwn = super.channels().some(({ partner, token }) => partner.address === order.target && token === order.token)
    if (legacy === null || hasOwn || !legacy.reaches(order)) return super.swap(order)
    checkSwap(order, legacy.account)
    return this.#told(legacy.swap(order))
  }

  override paths(target: Address, token: Address, amount: bigint): ReturnType<PhotonDesk['paths']> {
    const legacy = this.#legacy()?.paths(target, token, amount) ?? []
    return legacy.length > 0 ? legacy : super.paths(target, token, amount)
  }

  override async cancel(id: Hash): Promise<void> {
    const [legacy, name] = this.#paymentRoom(id)
    return legacy === null ? super.cancel(id) : this.#told(legacy.cancel(name))
  }

  override async allowReveal(id: Hash): Promise<void> {
    const [legacy, name] = this.#paymentRoom(id)
    return legacy === null ? super.allowReveal(id) : this.#told(legacy.allowReveal(name))
  }

  /** What has ended is in one history. */
  override payment(id: Hash): PaymentRow | null {
    return this.#legacy()?.openRows().find((row) => row.id === id) ?? super.payment(id)
  }

  override payments(page: Parameters<PhotonDesk['payments']>[0]): ReturnType<PhotonDesk['payments']> {
    const { rows, next } = super.payments(page)
    return { rows: page.before === null ? [...(this.#legacy()?.openRows() ?? []), ...rows] : rows, next }
  }

  override duties(): readonly DutyView[] {
    return [...super.duties(), ...(this.#legacy()?.duties() ?? [])]
  }

  override peers(): ReturnType<PhotonDesk['peers']> {
    return [...super.peers(), ...(this.#legacy()?.peers() ?? [])]
  }

  #roomOf(id: Hash): LegacyDesk | null {
    const legacy = this.#legacy()
    return legacy?.has(id) === true ? legacy : null
  }

  #paymentRoom(id: Hash): readonly [LegacyDesk, string] | readonly [null, null] {
    const legacy = this.#legacy()
    const name = legacy?.openPayment(id) ?? null
    return legacy === null || name === null ? [null, null] : [legacy, name]
  }

  async #told<T>(done: Promise<T>): Promise<T> {
    const result = await done
    this.changed()
    return result
  }
}

function originalOf(side: LanSide | null): PhotonStatus['original'] {
  if (side === null) return null
  const { state, listening, gasWei } = side.status()
  return { state, account: side.account, contract: side.contract, listening: listening === null ? null : `${listening.host}:${listening.port}`, gasWei }
}
