/**
 * Orders of guests without coin for gas (guest-orders.ts has the shapes). Everything the contracts would look at is looked
 * at first: signature, number, deadline, fee, sender by what was signed; balance, number and channel by proof, at the
 * newest block and as deep as money may rest on. Then the order is a duty like any other: on disk, sent, watched until
 * it is deep enough; the purse's numbers see to it that it happens once. One at a time of each guest and few of all, so that
 * strangers do not keep the box's own transactions waiting. Who makes one fail waits long for the next.
 */
import { MAX_AMOUNT, MeshBoxError, ZERO_ADDRESS, hexOf, momentOf } from '../../base/index.ts'
import type { Address, Clock, Hash, Log } from '../../base/index.ts'
import type { Ledger } from '../../ledger/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import type { ReadTx, Store, Tx } from '../../store/index.ts'
import { CHAIN_ID_SLOT, orderGas, proveOrder, provePurse } from '../chain/index.ts'
import type { BoxDuty, DueBoxDuty, DutyDesk, DutyOutcome, PurseAccount, SignedOrder } from '../chain/index.ts'
import type { ChannelMoment } from '../channel/index.ts'
import { openConsentDigest, openingOrderDigest, paymentOrderDigest } from '../contracts/orders.ts'
import type { ContractPlace, OpeningOrder, PaymentOrder } from '../contracts/orders.ts'
import type { GuestOrderView, GuestOrders, PlacedOrder, PurseStanding, SettleOffer } from '../guest-orders.ts'
import type { AccountSigner, PhotonNode } from '../node/index.ts'
import type { GuestChannel, PhotonSettings } from '../parts.ts'
import type { ChainPoint, ChainPort } from '../ports.ts'
import { channelIdOf } from '../route/index.ts'
import { createDigests } from '../wire/index.ts'

export interface GuestOrdersOptions {
  readonly purse: Address
  readonly fee: bigint
  readonly chain: Pick<ChainPort, 'head' | 'safe' | 'storage' | 'account'>
  readonly node: PhotonNode
  readonly duties: DutyDesk
  readonly store: Store
  readonly ledger: Pick<Ledger, 'earn'>
  readonly signer: AccountSigner
  readonly curve: Secp256k1
  readonly settings: Pick<PhotonSettings, 'settleTimeout' | 'maxGasPriceWei'>
  readonly gasPriceWei: () => bigint
  readonly moment: () => ChannelMoment
  readonly standing: (payer: Address, token: Address) => Promise<GuestChannel>
  readonly symbolOf: (token: Address) => string
  readonly clock: Clock
  readonly log: Log
}

/** Blocks in which an order may be sent, and how many must be left when it is placed. */
const ORDER_BLOCKS = 300
const LEAST_BLOCKS_LEFT = 40
/** Of all guests, on their way at once. */
const MAX_ORDERS = 6
/** So many failed within `FAILED_BLOCKS`: no more are taken. The scheduler remembers them longer than that. */
const MAX_FAILED = 8
const FAILED_BLOCKS = 300
/** The box's own transactions have this much more than the order takes. */
const GAS_RESERVE = 4n
/** Blocks above a transaction before it counts, and until the follower has told of it. */
const FINAL_BLOCKS = 20
const LIKELY_BLOCK_SECONDS = 15
const CHANNELS_SLOT = 2n
const SIGNATURE_BYTES = 65
const MAX_DEPOSIT = (1n << 128n) - 1n
const FEE_SOURCE = 'photon:order'
const REFUSED: readonly MeshBoxError['kind'][] = ['input', 'conflict']
/** Ways into a channel, and out of it. */
const MOVES: readonly BoxDuty['kind'][] = ['deposit', 'open-for', 'purse', 'claim', 'withdraw', 'cooperative-settle', 'close']

type PurseDue = DueBoxDuty & { readonly duty: Extract<BoxDuty, { kind: 'purse' }> }

export class ChannelOrders implements GuestOrders {
  readonly purse: Address
  readonly fee: bigint
  readonly #options: GuestOrdersOptions
  readonly #keccak: (bytes: Uint8Array) => Uint8Array
  /** Once the purse has said, by proof, that it is of our contract and chain. */
  #isOurs = false

  constructor(options: GuestOrdersOptions) {
    this.#options = options
    this.purse = options.purse
    this.fee = options.fee
    this.#keccak = (bytes) => options.curve.keccak256(bytes)
  }

  finalSeconds(): number {
    const { chain } = this.#options
    const [head, safe] = [chain.head(), chain.safe()]
    const blocks = head === null || safe === null ? 0 : head.number - safe.number
    const seconds = head === null || safe === null || blocks <= 0 ? LIKELY_BLOCK_SECONDS : Math.max(1, (head.timeSeconds - safe.timeSeconds) / blocks)
    return Math.ceil(seconds * FINAL_BLOCKS)
  }

  async standing(payer: Address, token: Address): Promise<PurseStanding> {
    const { standing, node, settings } = this.#options
    const { head, newest, deep } = await this.#account(payer, token)
    const channel = await standing(payer, token)
    const balance = newest.balance < deep.balance ? newest.balance : deep.balance
    const open = channel.state === 'open' ? node.channel(channel.channel) : undefined
    return { balance, arriving: newest.balance - balance, number: newest.nextNumber, head: head.number, channel, settleTimeout: open?.settleTimeout ?? settings.settleTimeout, order: this.#newest(payer, newest.nextNumber) }
  }

  async place(placed: PlacedOrder): Promise<GuestOrderView> {
    const { node, store } = this.#options
    const { from, token } = placed
    this.#checkFigures(placed)
    const channel = channelIdOf(node.domain.contract, token, node.account, from)
    const { signed, digest } = this.#signed(placed)
    const known = this.#views(from, placed.number).find(({ hash }) => hash === signed.hash)
    if (known !== undefined) return known
    if (this.#recover(digest, placed.signature) !== from) throw badSignature('order')
    if (placed.what === 'open') this.#checkConsent(placed, channel)

    const { head, safe, newest, deep } = await this.#account(from, token)
    // Nobody remembers it any more, but the purse does.
    if (placed.number < deep.nextNumber && (await proveOrder(this.#options.chain, this.#keccak, safe, signed)) === 'done') return { hash: signed.hash, state: 'done' }
    store.read((tx) => this.#checkRoom(tx, from, placed.what === 'pay' ? null : channel))
    if (placed.number !== newest.nextNumber || placed.number < deep.nextNumber) throw old('its number is not the next one')
    if (placed.validUntil < head.number + LEAST_BLOCKS_LEFT || placed.validUntil > head.number + ORDER_BLOCKS) throw old(`it has to be valid until a block in ${head.number + LEAST_BLOCKS_LEFT}..${head.number + ORDER_BLOCKS}`)
    const whole = placed.amount + placed.fee
    if (newest.balance < whole || deep.balance < whole) throw new MeshBoxError('conflict', 'the purse does not hold so much for him, or not deep enough in the chain yet', { code: 'purse-short' })
    if (placed.what !== 'pay') await this.#checkChannel(placed)
    await this.#checkGas(head, signed.what)

    const key = placed.what === 'pay' ? null : { channel, epoch: placed.epoch }
    const due: PurseDue = { duty: { kind: 'purse', ...signed }, key, fromBlock: 0, deadlineBlock: placed.validUntil }
    await store.turn((tx) => {
      // Others may have come while the chain was asked.
      this.#checkRoom(tx, from, key?.channel ?? null)
      this.#options.duties.put(tx, [due])
    })
    this.#options.log.info('an order of a guest is sent for him', { what: signed.what, from, amount: placed.amount.toString(), fee: placed.fee.toString(), order: signed.hash })
    void this.#options.duties.look()
    return { hash: signed.hash, state: 'waiting' }
  }

  /** From the scheduler, within the turn that ends it: the fee is booked with it. */
  ending(tx: Tx, { duty }: DueBoxDuty, outcome: DutyOutcome): void {
    if (duty.kind !== 'purse' || outcome !== 'done') return
    const { ledger, symbolOf, clock, log } = this.#options
    const { token, fee, from } = duty.order
    try {
      ledger.earn(tx, { source: FEE_SOURCE, token: symbolOf(token), amount: fee, from: `purse:${from}`, evidence: { type: 'guest-order', id: duty.hash }, at: momentOf(clock) })
    } catch (thrown) {
      // What the book refuses, it refuses again; the deadlines of others do not wait for it. A failed disk undoes the whole turn.
      if (!(thrown instanceof MeshBoxError) || !REFUSED.includes(thrown.kind)) throw thrown
      log.error('the fee of an order could not be booked', { order: duty.hash, error: thrown.message })
    }
  }

  /** From the scheduler, after it is on disk. */
  ended({ duty }: DueBoxDuty, outcome: DutyOutcome): void {
    if (duty.kind === 'purse' && outcome !== 'done') this.#options.log.warn('an order of a guest was not carried out', { from: duty.order.from, order: duty.hash, outcome })
  }

  settleOffer(payer: Address, token: Address, earned: bigint): SettleOffer {
    const { moment, node } = this.#options
    return this.#offer(payer, token, { earned, fee: this.fee, validUntil: moment().block + ORDER_BLOCKS }, channelIdOf(node.domain.contract, token, node.account, payer))
  }

  async settle(payer: Address, token: Address, earned: () => bigint, validUntil: number, signature: Uint8Array): Promise<SettleOffer> {
    const { moment, node, signer, duties } = this.#options
    const channel = channelIdOf(node.domain.contract, token, node.account, payer)
    const { block } = moment()
    if (validUntil < block + LEAST_BLOCKS_LEFT || validUntil > block + ORDER_BLOCKS) throw old('the offer is too old')
    const settlement = { earned: earned(), fee: this.fee, validUntil }
    const offer = this.#offer(payer, token, settlement, channel)
    const digest = createDigests(node.domain, this.#keccak).cooperativeSettle(offer, offer.terms)
    if (this.#recover(digest, signature) !== payer) throw badSignature('settlement')
    const head = this.#options.chain.head()
    if (head === null) throw offline()
    await this.#checkGas(head, 'pay')
    this.#checkStill(channel)
    if (earned() !== settlement.earned) throw old('more was paid by the second since')
    await node.settleWithGuest(offer, settlement, { terms: offer.terms, signatures: [signature, signer.sign(digest)] })
    this.#options.log.info('a guest ends his channel', { channel, payer, gets: offer.terms.balance1.toString() })
    void duties.look()
    return offer
  }

  #offer(payer: Address, token: Address, settlement: Parameters<PhotonNode['guestSettlement']>[1], channel: Hash): SettleOffer {
    const state = this.#options.node.channel(channel)
    if (state === undefined || state.phase !== 'opened' || state.partner.address !== payer || state.token !== token) throw new MeshBoxError('conflict', 'there is no open channel', { code: 'photon-no-channel' })
    if (this.#options.moment().isFrozen) throw offline()
    this.#checkStill(channel)
    const terms = this.#options.node.guestSettlement(channel, settlement)
    if (terms === null) throw short()
    return { ...state.key, terms }
  }

  /** Nothing is on its way that would change what is in the channel. */
  #checkStill(channel: Hash): void {
    const { store, duties } = this.#options
    const isMoving = store.read((tx) => duties.pending(tx)).jobs.some(({ due }) => due.key?.channel === channel && MOVES.includes(due.duty.kind))
    if (isMoving) throw running()
  }

  #checkFigures({ amount, fee, number, validUntil, signature, ...rest }: PlacedOrder): void {
    const bad = (field: string, allowed: string): MeshBoxError => new MeshBoxError('input', `${field}: ${allowed}`, { code: 'bad-order', field, allowed })
    if (amount < 1n || amount > MAX_DEPOSIT) throw bad('amount', '1 to 2^128 - 1 smallest units')
    if (fee !== this.fee) throw bad('fee', `${this.fee} smallest units`)
    if (number < 0n || number > MAX_AMOUNT || !Number.isSafeInteger(validUntil)) throw bad('number', "the purse's next one")
    if (signature.length !== SIGNATURE_BYTES) throw badSignature('order')
    if (rest.what !== 'pay') return
    const { node } = this.#options
    // Tokens sent there are lost, or the token refuses.
    if ([ZERO_ADDRESS, this.purse, rest.token, node.domain.contract].includes(rest.to)) throw bad('to', "somebody's account")
  }

  #signed(placed: PlacedOrder): { readonly signed: SignedOrder; readonly digest: Uint8Array } {
    const { node } = this.#options
    const { token, from, amount, fee, number, validUntil, signature } = placed
    const place: ContractPlace = { chainId: node.domain.chainId, contract: this.purse }
    const common = { token, from, amount, fee, sender: node.account, number, validUntil }
    if (placed.what === 'pay') {
      const order: PaymentOrder = { ...common, to: placed.to, inside: placed.inside }
      const digest = paymentOrderDigest(this.#keccak, place, order)
      return { signed: { purse: this.purse, hash: hexOf(digest), signature, what: 'pay', order }, digest }
    }
    const order: OpeningOrder = { ...common, partner: node.account, settleTimeout: placed.settleTimeout, epoch: placed.epoch }
    const digest = openingOrderDigest(this.#keccak, place, order)
    return { signed: { purse: this.purse, hash: hexOf(digest), signature, what: placed.what, order, consent: placed.what === 'open' ? placed.consent : NOTHING }, digest }
  }

  #checkConsent({ consent, from, amount, epoch, settleTimeout, validUntil }: Extract<PlacedOrder, { what: 'open' }>, channel: Hash): void {
    const digest = openConsentDigest(this.#keccak, this.#options.node.domain, { channel, epoch, participant: from, amount, settleTimeout, validUntil })
    if (this.#recover(digest, consent) !== from) throw badSignature('consent')
  }

  /** `channel`: the one that the order is for. */
  #checkRoom(tx: ReadTx, from: Address, channel: Hash | null): void {
    const { jobs, ended } = this.#options.duties.pending(tx)
    const orders = jobs.flatMap(({ due }) => (due.duty.kind === 'purse' ? [due.duty] : []))
    if (orders.some((one) => one.order.from === from) || (channel !== null && jobs.some(({ due }) => due.key?.channel === channel && MOVES.includes(due.duty.kind)))) throw running()
    if (orders.length >= MAX_ORDERS) throw new MeshBoxError('unavailable', 'the box sends orders of others just now', { code: 'orders-full', retryAfterSeconds: 30 })
    // They cost the box gas for nothing. One is its owner's mistake; many may be somebody's with many keys.
    const { block: head } = this.#options.moment()
    const failed = ended.filter(({ id, outcome, block }) => outcome === 'reverted' && head - block < FAILED_BLOCKS && id.startsWith(PURSE_ID))
    if (failed.length >= MAX_FAILED) throw new MeshBoxError('unavailable', 'too many orders failed not long ago', { code: 'orders-full', retryAfterSeconds: 3600 })
    if (failed.some(({ id }) => id.includes(`/${from}/`))) throw new MeshBoxError('limit', 'an order of this key failed not long ago', { code: 'too-many-requests', retryAfterSeconds: 3600 })
  }

  async #checkChannel(placed: Extract<PlacedOrder, { what: 'open' | 'put-in' }>): Promise<void> {
    const { standing, node, settings } = this.#options
    const channel = await standing(placed.from, placed.token)
    if (channel.state === 'closing') throw new MeshBoxError('conflict', 'this channel is being closed', { code: 'channel-closing' })
    const wanted = placed.what === 'open' ? 'none' : 'open'
    const state = node.channel(channel.channel)
    const settleTimeout = placed.what === 'open' ? settings.settleTimeout : state?.settleTimeout
    const isInOrder = placed.what === 'open' || (state?.phase === 'opened' && state.partner.deposit + state.own.deposit + placed.amount <= MAX_DEPOSIT)
    if (channel.state !== wanted || channel.epoch !== placed.epoch || settleTimeout !== placed.settleTimeout || !isInOrder) throw old('the channel is not as it was signed')
  }

  async #checkGas(head: ChainPoint, what: SignedOrder['what']): Promise<void> {
    const { chain, signer, gasPriceWei, settings } = this.#options
    const price = gasPriceWei()
    const account = await chain.account(head, signer.account)
    if (account === null) throw offline()
    const isTooDear = price > settings.maxGasPriceWei
    if (isTooDear || account.balanceWei < orderGas(what) * price * GAS_RESERVE) throw new MeshBoxError('unavailable', 'the box cannot pay the network now', { code: 'no-gas', retryAfterSeconds: 600 })
  }

  async #account(payer: Address, token: Address): Promise<{ readonly head: ChainPoint; readonly safe: ChainPoint; readonly newest: PurseAccount; readonly deep: PurseAccount }> {
    const { chain, node, moment } = this.#options
    const [head, safe] = [chain.head(), chain.safe()]
    if (head === null || safe === null || moment().isFrozen) throw offline()
    if (!this.#isOurs) {
      const [chainId, contract] = await Promise.all([chain.storage(safe, this.purse, CHAIN_ID_SLOT), chain.storage(safe, this.purse, CHANNELS_SLOT)])
      if (chainId === null || contract === null) throw unproved()
      if (chainId !== node.domain.chainId || contract !== BigInt(node.domain.contract)) throw new MeshBoxError('unavailable', 'photon.purse is no purse of this channel contract', { code: 'no-purse' })
      this.#isOurs = true
    }
    const [newest, deep] = await Promise.all([head, safe].map((point) => provePurse(chain, this.#keccak, point, this.purse, token, payer)))
    if (newest === null || newest === undefined || deep === null || deep === undefined) throw unproved()
    return { head, safe, newest, deep }
  }

  #newest(from: Address, nextNumber: bigint): GuestOrderView | null {
    return this.#views(from, nextNumber).at(-1) ?? null
  }

  /** Oldest first. */
  #views(from: Address, nextNumber: bigint): readonly GuestOrderView[] {
    const { store, duties } = this.#options
    const { jobs, ended } = store.read((tx) => duties.pending(tx))
    const over = ended.flatMap(({ id, outcome }): GuestOrderView[] =>
      id.startsWith(PURSE_ID) && id.includes(`/${from}/`) ? [{ hash: id.slice(id.lastIndexOf('/') + 1) as Hash, state: outcome === 'done' ? 'done' : 'failed' }] : [],
    )
    const now = jobs.flatMap(({ due }): GuestOrderView[] =>
      due.duty.kind === 'purse' && due.duty.order.from === from ? [{ hash: due.duty.hash, state: nextNumber > due.duty.order.number ? 'confirming' : 'waiting' }] : [],
    )
    return [...over, ...now]
  }

  #recover(digest: Uint8Array, signature: Uint8Array): Address | null {
    const signer = signature.length === SIGNATURE_BYTES ? this.#options.curve.recoverAddress(digest, signature) : null
    return signer === null ? null : hexOf(signer)
  }
}

const NOTHING = new Uint8Array(0)
/** How duties of this kind are named in what is remembered of ended ones (chain/duty-state.ts). */
const PURSE_ID = 'purse/'

function old(why: string): MeshBoxError {
  return new MeshBoxError('conflict', `what was signed is out of date: ${why}`, { code: 'order-old' })
}

function running(): MeshBoxError {
  return new MeshBoxError('conflict', 'something of this guest is on its way; one after the other', { code: 'order-running', retryAfterSeconds: 30 })
}

function short(): MeshBoxError {
  return new MeshBoxError('conflict', 'what is left does not pay the fee', { code: 'purse-short' })
}

function badSignature(field: string): MeshBoxError {
  return new MeshBoxError('input', `${field}: the signature is not of this key over just this`, { code: 'bad-signature', field })
}

function offline(): MeshBoxError {
  return new MeshBoxError('unavailable', 'the chain is not in reach', { code: 'chain-offline', retryAfterSeconds: 60 })
}

function unproved(): MeshBoxError {
  return new MeshBoxError('unavailable', 'the chain cannot say now what the purse holds', { code: 'photon-no-proof', retryAfterSeconds: 10 })
}
