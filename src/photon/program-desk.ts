/**
 * What the owner's programs may ask over the original's REST (photon.md 6.1) and the owner's own doors do not: the whole of a
 * channel, what a third party needs to act for us, fees by token and channel, coin sent away, and holding payments back.
 */
import { MeshBoxError, inputError } from '../base/index.ts'
import type { Address, Hash } from '../base/index.ts'
import type { FeeBoard, FeeSettings, PaymentModes, RunningPhoton } from './box/index.ts'
import type { ChannelState } from './channel/index.ts'
import type { PhotonParts } from './parts.ts'
import type { FeePolicy } from './ports.ts'
import type { RunningLegacy } from './v1/index.ts'
import { wrappedBalance } from './chain/index.ts'
import { monitoringOrder, monitoringPayload } from './watch/index.ts'
import type { MonitoringPayload } from './watch/index.ts'
import { createDigests } from './wire/index.ts'

export interface ProgramDeskOptions {
  readonly parts: PhotonParts
  readonly modes: PaymentModes
  readonly fees: FeeBoard
  readonly own: () => RunningPhoton | null
  readonly legacy: () => RunningLegacy | null
}

export class ProgramDesk {
  readonly #options: ProgramDeskOptions

  constructor(options: ProgramDeskOptions) {
    this.#options = options
  }

  /** In either room; null: there is none. */
  channel(id: Hash): ChannelState | null {
    return this.#options.own()?.node.channel(id) ?? this.#options.legacy()?.node.channel(id) ?? null
  }

  /** A payment to this box that waits for its secret, in either room. `block`: as high as the chain is. */
  waiting(token: Address, secretHash: Hash): { readonly payment: Extract<ReturnType<RunningPhoton['node']['openPayments']>[number], { role: 'target' }>; readonly block: number } | null {
    for (const room of [this.#options.own(), this.#options.legacy()]) {
      for (const payment of room?.node.openPayments() ?? []) if (payment.role === 'target' && payment.token === token && payment.secretHash === secretHash) return { payment, block: room?.moments.now().block ?? 0 }
    }
    return null
  }

  /** Signed by the channel's own account. Errors: not-found `photon-channel`. */
  monitoring(id: Hash, thirdParty: Address): MonitoringPayload {
    const { parts, own, legacy } = this.#options
    const keccak = (bytes: Uint8Array): Uint8Array => parts.curve.keccak256(bytes)
    const isOwn = own()?.node.channel(id) !== undefined
    const room = isOwn ? own() : legacy()
    const state = room?.node.channel(id)
    const signer = isOwn ? parts.signer : (legacy()?.legacy.signer ?? parts.signer)
    if (state === undefined) throw new MeshBoxError('not-found', 'there is no such channel', { code: 'photon-channel', field: 'channel', value: id })
    if (thirdParty === state.own.address || thirdParty === state.partner.address) throw inputError('address', thirdParty, 'a third party: neither this box nor its partner')
    return monitoringPayload(createDigests(state.domain, keccak), (digest) => signer.sign(digest), monitoringOrder(keccak, state, thirdParty))
  }

  /** At the newest block, by proof; `token` null: the coin. Errors: conflict `photon-2999` for a token whose storage is not known; unavailable. */
  async balanceOf(account: Address, token: Address | null): Promise<bigint> {
    const { chain, curve, wrappedCoin = null } = this.#options.parts
    if (token !== null && token !== wrappedCoin) throw new MeshBoxError('conflict', 'not offered: only balances of the coin and of its token can be proved; ask a node of the chain', { code: 'photon-2999' })
    const head = chain.head()
    const found = head === null ? null : token === null ? ((await chain.account(head, account))?.balanceWei ?? null) : await wrappedBalance(chain, (bytes) => curve.keccak256(bytes), head, token, account)
    if (found === null) throw new MeshBoxError('unavailable', 'the chain cannot be asked now', { code: 'photon-2008' })
    return found
  }

  /** Resolves when the order is on disk. Errors: input; conflict `photon-1002`; unavailable. */
  async sendCoin(to: Address, amountWei: bigint): Promise<void> {
    const now = this.#options.own()
    if (now === null) throw starting()
    await now.coin.send(to, amountWei)
  }

  /** What is set, and what the configuration says where nothing is. */
  fees(): { readonly set: FeeSettings; readonly configured: Omit<FeePolicy, 'validFromSeconds'> } {
    return { set: this.#options.fees.settings, configured: this.#options.parts.settings.fee }
  }

  /** Resolves when it is on disk; neighbours are told within the minute. Errors: input. */
  setFees(settings: FeeSettings): Promise<void> {
    return this.#options.fees.set(settings)
  }

  setDirectOnly(isOn: boolean): void {
    this.#options.modes.setDirectOnly(isOn)
  }

  /** Errors: conflict `photon-1021` while payments of this box, or carried by it, run: nothing has changed then. */
  prepareUpdate(): void {
    const running = [this.#options.own(), this.#options.legacy()].reduce((sum, room) => sum + (room?.node.openPayments().length ?? 0), 0)
    if (running > 0) throw new MeshBoxError('conflict', `${running} transfers are running`, { code: 'photon-1021' })
    this.#options.modes.endNew()
  }

  /** Doors to others are shut for good; the chain is still followed and answered. */
  async stop(): Promise<void> {
    this.#options.modes.endAll()
    await Promise.all([this.#options.own()?.shut(), this.#options.legacy()?.shut()])
  }
}

function starting(): Error {
  return new MeshBoxError('unavailable', 'the channel contract could not be read from the chain yet', { code: 'photon-starting', retryAfterSeconds: 30 })
}
