/** What the payee's desk of streams asks of the channels and of the chain; see `StreamSide`. */
import { MAX_AMOUNT, MeshBoxError, asError, hexOf, inputError } from '../../base/index.ts'
import type { Address, Cancel, Hash, Log } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import type { Store } from '../../store/index.ts'
import { streamAccount } from '../channel/index.ts'
import type { ChannelMoment, ChannelState } from '../channel/index.ts'
import { guestOrderState } from '../chain/index.ts'
import type { BoxDuty, DutyDesk, GuestOrderState } from '../chain/index.ts'
import { openConsentDigest } from '../contracts/orders.ts'
import type { GuestOrders } from '../guest-orders.ts'
import { readLife } from '../node/index.ts'
import type { AccountSigner, PhotonNode } from '../node/index.ts'
import type { GuestChannel, GuestOpening, PhotonSettings, StreamSide } from '../parts.ts'
import type { ChannelKey, Domain, Duty, StreamAccount } from '../ports.ts'
import { nodeSha256, valueOf } from '../stream/index.ts'
import type { ClaimFacts, ClaimReason, HeldVoucher, PaidLife } from '../stream/index.ts'
import { channelIdOf } from '../route/index.ts'
import type { ProvedChannels } from './proved-channels.ts'

export interface StreamSideOptions {
  readonly node: PhotonNode
  readonly duties: Pick<DutyDesk, 'put' | 'pending' | 'look'>
  readonly proved: Pick<ProvedChannels, 'newest'>
  readonly store: Store
  readonly signer: AccountSigner
  readonly curve: Pick<Secp256k1, 'keccak256' | 'recoverAddress'>
  readonly settings: Pick<PhotonSettings, 'maxOfflineExposure' | 'revealTimeout'>
  readonly moment: () => ChannelMoment
  /** The chain has a channel that this box does not know: young, or older than its book. */
  readonly unknown: (token: Address, payer: Address) => void
  readonly log: Log
}

export class ChannelStreams implements StreamSide {
  readonly self: Address
  readonly domain: Domain
  readonly sha256 = nodeSha256
  /** Null: the owner takes none. Given when both are made. */
  orders: GuestOrders | null = null
  readonly #options: StreamSideOptions
  readonly #listeners = new Set<(key: ChannelKey) => void>()
  /** Claims on their way to the chain count as claimed. */
  readonly #claiming = new Map<Hash, { readonly epoch: bigint; readonly value: bigint }>()

  constructor(options: StreamSideOptions) {
    this.#options = options
    this.self = options.node.account
    this.domain = options.node.domain
  }

  sign(digest: Uint8Array): Uint8Array {
    return this.#options.signer.sign(digest)
  }

  recover(digest: Uint8Array, signature: Uint8Array): Address | null {
    if (signature.length !== SIGNATURE_BYTES) return null
    const signer = this.#options.curve.recoverAddress(digest, signature)
    return signer === null ? null : hexOf(signer)
  }

  account(payer: Address, terms: Parameters<StreamSide['account']>[1]): StreamAccount | null {
    const state = this.#channel(payer, terms.token)
    if (state === undefined || state.phase !== 'opened' || state.settleTimeout < terms.settleTimeout || state.partner.deposit < terms.minDeposit) return null
    const account = streamAccount(state, payer)
    return account === null ? null : this.#withinExposure(state, account)
  }

  /** While the chain is out of view a guest's counter may rise so far and no further: the rules of channel/exposure.ts, ahead of the money. */
  #withinExposure(state: ChannelState, account: StreamAccount): StreamAccount | null {
    const { settings, moment } = this.#options
    const { isFrozen, offlineBlocks = 0 } = moment()
    if (!isFrozen) return account
    if (offlineBlocks >= state.settleTimeout - settings.revealTimeout) return null
    const most = (state.offlineFrom ?? state.partner.transferred) + settings.maxOfflineExposure
    return { ...account, ceiling: account.ceiling < most ? account.ceiling : most }
  }

  claimFacts({ channel, epoch }: ChannelKey): ClaimFacts {
    const state = this.#options.node.channel(channel)
    // A life that is over pays nothing more.
    if (state === undefined || state.key.epoch !== epoch) return { claimed: MAX_AMOUNT, isClosing: false }
    // What is earned is in the settlement that both have signed; a claim before it would make it fail.
    if (state.phase === 'cooperative-settling') return { claimed: MAX_AMOUNT, isClosing: false }
    const claiming = this.#claiming.get(channel)
    const onItsWay = claiming?.epoch === epoch ? claiming.value : 0n
    return { claimed: state.partner.claimed > onItsWay ? state.partner.claimed : onItsWay, isClosing: state.phase !== 'opened' }
  }

  paid({ channel, epoch }: ChannelKey): PaidLife | null {
    const { node, store } = this.#options
    const live = node.channel(channel)
    const life = live?.key.epoch === epoch ? live : store.read((tx) => readLife(tx, this.domain.contract, { channel, epoch }))
    const account = life === null ? null : streamAccount(life, life.partner.address)
    return life === null || account === null ? null : { claimed: life.partner.claimed, proved: account.proved }
  }

  note(account: StreamAccount, point: HeldVoucher): void {
    const { voucher, index, preimage } = point
    const { cumulative, unit, steps } = voucher
    const evidence = { voucher, preimage: hexOf(preimage), steps: index }
    this.#options.node
      .noteStream(account, { payer: account.payer, cumulative, value: valueOf(point), reserved: cumulative + unit * BigInt(steps), evidence })
      // The stream's own record holds it; the channel hears of it with the next value.
      .catch((thrown: unknown) => this.#options.log.warn('a channel could not note how far its stream is', { channel: account.channel, error: asError(thrown).message }))
  }

  claim(duty: Extract<Duty, { kind: 'claim' }>, key: ChannelKey, reason: ClaimReason): void {
    const state = this.#options.node.channel(key.channel)
    const { voucher, steps } = duty
    const value = voucher.cumulative + voucher.unit * BigInt(steps)
    this.#options.log.info('a stream is claimed', { channel: key.channel, value: value.toString(), reason })
    this.#put(duty, key, reason === 'closing' ? (state?.dispute?.settleBlock ?? null) : null).then(
      () => this.#claiming.set(key.channel, { epoch: key.epoch, value }),
      (thrown: unknown) => this.#options.log.error('a claim could not be stored; it is tried again', { channel: key.channel, error: asError(thrown) }),
    )
  }

  onChannel(listener: (key: ChannelKey) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The chain has told something of the channel, or what may be taken in it has changed. */
  changed(key: ChannelKey): void {
    for (const listener of this.#listeners) listener(key)
  }

  /** A claim that failed for good is not on its way any more. */
  claimEnded(key: ChannelKey): void {
    this.#claiming.delete(key.channel)
  }

  async standing(payer: Address, token: Address): Promise<GuestChannel> {
    const state = this.#channel(payer, token)
    if (state !== undefined) return { ...state.key, state: state.phase === 'opened' ? 'open' : 'closing', deposit: state.partner.deposit }
    const channel = channelIdOf(this.domain.contract, token, this.self, payer)
    const found = await this.#options.proved.newest(channel, payer, this.self)
    if (found === null) throw new MeshBoxError('unavailable', 'the chain cannot say now how the channel stands', { code: 'photon-no-proof', retryAfterSeconds: 10 })
    if (found.state === 'open') this.#options.unknown(token, payer)
    if (found.state !== 'none') return { channel, epoch: found.epoch, state: found.state === 'open' ? 'opening' : 'closing', deposit: found.sides[0].deposit }
    const epoch = found.epoch + 1n
    const isOrdered = this.#options.store.read((tx) => this.#options.duties.pending(tx)).jobs.some(({ due }) => (due.duty.kind === 'open-for' || due.duty.kind === 'purse') && due.key?.channel === channel && due.key.epoch === epoch)
    return { channel, epoch, state: isOrdered ? 'opening' : 'none', deposit: 0n }
  }

  async openFor(order: GuestOpening): Promise<void> {
    const { payer, token, amount, settleTimeout, epoch, validUntil, signature, reference } = order
    const channel = channelIdOf(this.domain.contract, token, this.self, payer)
    const digest = openConsentDigest((bytes) => this.#options.curve.keccak256(bytes), this.domain, { channel, epoch, participant: payer, amount, settleTimeout, validUntil })
    if (this.recover(digest, signature) !== payer) throw inputError('signature', hexOf(signature), "the guest's own, over exactly this opening")
    await this.#put({ kind: 'open-for', token, participant: payer, partner: this.self, amount, settleTimeout, epoch, validUntil, signature, reference }, { channel, epoch }, validUntil)
  }

  async fund(payer: Address, token: Address, amount: bigint, reference: string): Promise<void> {
    const state = this.#channel(payer, token)
    if (state === undefined || state.phase !== 'opened') throw new MeshBoxError('conflict', 'the guest has no open channel with this box', { code: 'photon-no-channel' })
    const { key, settleTimeout } = state
    await this.#put({ kind: 'deposit', token, participant: payer, partner: this.self, amount, settleTimeout, epoch: key.epoch, reference }, key, null)
  }

  orderState(payer: Address, token: Address, epoch: bigint, reference: string): GuestOrderState {
    const channel = channelIdOf(this.domain.contract, token, this.self, payer)
    return guestOrderState(this.#options.store.read((tx) => this.#options.duties.pending(tx)), { channel, epoch }, reference)
  }

  async #put(duty: BoxDuty, key: ChannelKey, deadlineBlock: number | null): Promise<void> {
    const { store, duties, moment } = this.#options
    await store.turn((tx) => duties.put(tx, [{ duty, key: { channel: key.channel, epoch: key.epoch }, fromBlock: moment().block, deadlineBlock }]))
    void duties.look()
  }

  #channel(payer: Address, token: Address): ChannelState | undefined {
    return this.#options.node.channel(channelIdOf(this.domain.contract, token, this.self, payer))
  }
}

const SIGNATURE_BYTES = 65
