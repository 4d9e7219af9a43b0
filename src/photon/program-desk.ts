/**
 * What the owner's programs may ask over the original's REST (photon.md 6.1) and the owner's own doors do not: the whole of a
 * channel, what a third party needs to act for us, fees by token and channel, coin sent away, and holding payments back.
 */
import { MeshBoxError, hexOf, inputError } from '../base/index.ts'
import type { Address, Hash } from '../base/index.ts'
import type { FeeBoard, FeeSettings, PaymentModes, RunningPhoton } from './box/index.ts'
import type { ChannelState } from './channel/index.ts'
import type { PhotonParts } from './parts.ts'
import type { ChainPoint, FeePolicy } from './ports.ts'
import type { RunningLegacy } from './v1/index.ts'
import { encodeCall, wrappedBalance } from './chain/index.ts'
import type { KeptTransaction } from './chain/index.ts'
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

  /**
   * At the newest block, by proof; `token` null: the coin. Of a token whose storage is not known its own `balanceOf` is run over proved
   * state. Errors: conflict `photon-2999` for what is no token; unavailable `photon-2008`.
   */
  async balanceOf(account: Address, token: Address | null): Promise<bigint> {
    const { chain, curve, wrappedCoin = null } = this.#options.parts
    const keccak = (bytes: Uint8Array): Uint8Array => curve.keccak256(bytes)
    const head = chain.head()
    if (head === null) throw notNow()
    if (token !== null && token !== wrappedCoin) return this.#askedOf(head, token, account)
    const found = token === null ? ((await chain.account(head, account))?.balanceWei ?? null) : await wrappedBalance(chain, keccak, head, token, account)
    if (found === null) throw notNow()
    return found
  }

  async #askedOf(head: ChainPoint, token: Address, account: Address): Promise<bigint> {
    const { chain, curve } = this.#options.parts
    if (chain.view === undefined) throw new MeshBoxError('conflict', 'this box runs no calls: ask a node of the chain', { code: 'photon-2999' })
    const answer = await chain.view(head, token, encodeCall((bytes) => curve.keccak256(bytes), 'balanceOf(address)', [account]))
    if (answer === null) throw notNow()
    // Nothing at all comes back where there is no contract.
    if (answer === 'reverted' || answer.length < WORD) throw new MeshBoxError('conflict', 'there is no token at this address, or it does not say', { code: 'photon-2999', field: 'token', value: token })
    return BigInt(hexOf(answer.subarray(0, WORD)))
  }

  /** What both accounts handed to the pool, newest first: what is on its way, then what is in the chain. */
  transactions(): readonly KeptTransaction[] {
    const [own, legacy] = [this.#options.own(), this.#options.legacy()]
    const all = this.#options.parts.store.read((tx) => [...(own?.duties.transactions(tx) ?? []), ...(legacy?.duties.transactions(tx) ?? []).map(inItsLife)])
    return all.sort((a, b) => Number(a.mined !== null) - Number(b.mined !== null) || (b.mined?.block ?? b.head) - (a.mined?.block ?? a.head))
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

const WORD = 32

/** The original's contract names a life by the block that it began in: known when the opening is mined. */
function inItsLife(one: KeptTransaction): KeptTransaction {
  const { due, mined } = one
  return due.duty.kind !== 'open' || due.key === null ? one : { ...one, due: { ...due, key: { ...due.key, epoch: BigInt(mined?.block ?? 0) } } }
}

function notNow(): Error {
  return new MeshBoxError('unavailable', 'the chain cannot be asked now', { code: 'photon-2008' })
}

function starting(): Error {
  return new MeshBoxError('unavailable', 'the channel contract could not be read from the chain yet', { code: 'photon-starting', retryAfterSeconds: 30 })
}
