/** The owner's verbs and views over the running channels; before they run, what can be said then. */
import { sha256 } from '@noble/hashes/sha2.js'
import { MeshBoxError, bytesOf, hexOf, inputError, momentOf } from '../../base/index.ts'
import type { Address, Cancel, Hash } from '../../base/index.ts'
import { withdrawable } from '../channel/index.ts'
import type { ChannelState } from '../channel/index.ts'
import type { ChannelView, DutyView, OpenOrder, PayOrder, PaymentRow, PhotonDesk, PhotonStatus, SwapOrder } from '../desk.ts'
import type { PhotonParts } from '../parts.ts'
import { orderedHash } from '../payment/index.ts'
import { channelIdOf } from '../route/index.ts'
import type { Alarms } from './alarms.ts'
import { BY_OWNER, channelView, dutyViews, historyRow, openRow } from './desk-views.ts'
import type { ViewTools } from './desk-views.ts'
import { awaitGreetings } from './greetings.ts'
import { putNote } from './note-table.ts'
import { channelWith } from './own-channels.ts'
import { roleNote } from './running-photon.ts'
import type { RunningPhoton } from './running-photon.ts'

/** Blocks for which a signature under a withdrawal or a settlement holds. */
const AGREEMENT_BLOCKS = 300
const MAX_DEPOSIT = (1n << 128n) - 1n
const MAX_PAYMENTS = 1000
/** Ended payments looked through for one. */
const SEARCHED_ROWS = 1000
const MAX_DATA_BYTES = 256
const FEE_SOURCE = 'photon:fee'
const STREAM_SOURCE = 'hotspot:stream'

export interface OwnerDeskOptions {
  readonly parts: PhotonParts
  readonly alarms: Alarms
  /** Null: the contract has not been read yet. */
  readonly running: () => RunningPhoton | null
  /** Why nothing runs and nothing will before the owner has looked. */
  readonly isHalted: () => boolean
}

export class OwnerDesk implements PhotonDesk {
  readonly #options: OwnerDeskOptions
  readonly #listeners = new Set<() => void>()

  constructor(options: OwnerDeskOptions) {
    this.#options = options
  }

  changed(): void {
    for (const listener of this.#listeners) listener()
  }

  onChange(listener: () => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  status(): PhotonStatus {
    const { parts, alarms, running, isHalted } = this.#options
    const { chain, settings, signer, wrappedCoin = null } = parts
    const now = running()
    const state = isHalted() || now?.isLost === true ? 'halted' : now === null ? 'starting' : now.moments.now().isFrozen ? 'offline' : 'ready'
    return {
      state,
      account: signer.account,
      contract: settings.contract,
      chainId: chain.chainId,
      head: chain.head()?.number ?? null,
      gasWei: now?.gasWei ?? null,
      wrapped: wrappedCoin === null ? null : { token: wrappedCoin, balance: now?.coin.wrapped ?? null },
      original: null,
      channels: now?.node.channels().length ?? 0,
      peers: now?.lanes.connected.length ?? 0,
      listening: now?.door.addresses() ?? [],
      alarms: alarms.all(),
      earned: this.#earned(),
    }
  }

  channels(): readonly ChannelView[] {
    const now = this.#options.running()
    return now === null ? [] : now.node.channels().map((state) => channelView(state, this.#viewTools(now)))
  }

  channel(id: Hash): ChannelView | null {
    const now = this.#options.running()
    const state = now?.node.channel(id)
    return now === null || state === undefined ? null : channelView(state, this.#viewTools(now))
  }

  async open(order: OpenOrder): Promise<{ readonly channel: Hash }> {
    const now = this.#running()
    const { settings, store, signer } = this.#options.parts
    const { partner, token, amount, role } = order
    checkAmount('amount', amount)
    if (partner === signer.account) throw inputError('partner', partner, "another box's account")
    if (role === 'core' && now.tokenOf(token) === null) throw inputError('token', token, 'a token of photon.tokens, for a core channel')
    const settleTimeout = order.settleTimeout ?? (role === 'core' ? settings.coreSettleTimeout : settings.settleTimeout)
    if (settleTimeout < settings.minSettleTimeout || settleTimeout > MAX_SETTLE_TIMEOUT) throw inputError('settleTimeout', settleTimeout, `${settings.minSettleTimeout} to ${MAX_SETTLE_TIMEOUT} blocks`)
    const channel = channelIdOf(settings.contract, token, signer.account, partner)
    const found = await now.proved.newest(channel, signer.account, partner)
    if (found === null) throw new MeshBoxError('unavailable', 'the chain cannot say now whether there is such a channel', { code: 'photon-no-proof', retryAfterSeconds: 10 })
    if (found.state !== 'none' || now.node.channel(channel) !== undefined) throw new MeshBoxError('conflict', 'there is such a channel already; put more into that one', { code: 'photon-channel-exists' })
    const epoch = found.epoch + 1n
    await store.turn((tx) => {
      putNote(tx, roleNote(channel), role)
      now.duties.put(tx, [{ duty: { kind: 'open', token, partner, amount, settleTimeout, epoch }, key: { channel, epoch }, fromBlock: 0, deadlineBlock: null }])
    })
    void now.duties.look()
    this.changed()
    return { channel }
  }

  async deposit(id: Hash, amount: bigint): Promise<void> {
    const { now, state } = this.#known(id)
    checkAmount('amount', amount)
    if (state.phase !== 'opened') throw wrongPhase(state)
    const { key, token, own, partner, settleTimeout } = state
    await this.#options.parts.store.turn((tx) =>
      now.duties.put(tx, [{ duty: { kind: 'deposit', token, participant: own.address, partner: partner.address, amount, settleTimeout, epoch: key.epoch }, key, fromBlock: 0, deadlineBlock: null }]),
    )
    void now.duties.look()
    this.changed()
  }

  async withdraw(id: Hash, amount: bigint): Promise<void> {
    const { now, state } = this.#known(id)
    const most = withdrawable(state.own, state.partner) - state.own.withdrawn
    if (amount < 1n || amount > most) throw inputError('amount', amount, most > 0n ? `1 to ${most} smallest units` : 'nothing: all of it is promised')
    await now.node.askWithdraw(id, amount, now.moments.now().block + AGREEMENT_BLOCKS)
    this.changed()
  }

  async close(id: Hash, isForced: boolean): Promise<void> {
    const { now } = this.#known(id)
    if (isForced) await now.node.close(id, BY_OWNER)
    else {
      await now.refusals.forget(id)
      await now.node.askSettle(id, now.moments.now().block + AGREEMENT_BLOCKS)
    }
    void now.duties.look()
    this.changed()
  }

  async pay(order: PayOrder): Promise<{ readonly id: Hash }> {
    const now = this.#running()
    const { target, token, amount, maxFee, data, secretHash, secret = null } = order
    checkAmount('amount', amount)
    if (data.length > MAX_DATA_BYTES) throw inputError('data', `${data.length} bytes`, `at most ${MAX_DATA_BYTES} bytes`)
    if (target === now.node.account) throw inputError('target', target, "another box's account")
    if (order.isDirect) {
      if (secretHash !== null) throw inputError('secretHash', secretHash, 'none in a direct payment')
      if (secret !== null) throw inputError('secret', '(hidden)', 'none in a direct payment')
      const state = channelWith(now.node, target, token)
      if (state === null) throw new MeshBoxError('not-found', 'there is no channel with it in this token', { code: 'photon-channel', field: 'target', value: target })
      await this.#greeted(now, token, (waiting) => !waiting.includes(state.key.channel))
      const { paymentId, delivered } = await now.node.payDirect({ channel: state.key.channel, amount, data })
      void delivered.then(() => this.changed())
      this.changed()
      return { id: paymentId }
    }
    await this.#greeted(now, token, () => now.router.find({ token, target, amount, maxFee, maxParts: MAX_PARTS_PAID }).length > 0)
    const id = await now.node.payLocked({ token, target, amount, maxFee, data, maxParts: MAX_PARTS_PAID, ...(secretHash === null ? {} : { secretHash }), ...(secret === null ? {} : { secret, isRevealAllowed: false }) })
    this.changed()
    return { id: now.node.payment(id)?.secretHash ?? secretHash ?? '0x' }
  }

  async cancel(id: Hash): Promise<void> {
    const { now, name } = this.#openPayment(id)
    await now.node.cancel(name)
    this.changed()
  }

  async allowReveal(id: Hash): Promise<void> {
    const { now, name } = this.#openPayment(id)
    await now.node.allowReveal(name)
    this.changed()
  }

  async giveSecret(secret: Hash): Promise<void> {
    const now = this.#running()
    const secretHash = hexOf(sha256(bytesOf(secret)))
    if (!now.node.openPayments().some((payment) => payment.role === 'target' && payment.secretHash === secretHash))
      throw new MeshBoxError('not-found', 'no payment to this box waits for that secret', { code: 'photon-payment', field: 'secret', value: secretHash })
    await now.node.giveSecret(secret)
    this.changed()
  }

  async swap(order: SwapOrder): Promise<void> {
    const now = this.#running()
    checkSwap(order, now.node.account)
    const { secret, routes: _found, ...leg } = order
    const { side, token, target, amount, maxFee, receivingToken } = leg
    await this.#greeted(now, token, () => now.router.find({ token, target, amount, maxFee, maxParts: 1 }).length > 0)
    // The taker's lock may come over another channel, with another partner.
    await this.#greeted(now, receivingToken, (waiting) => !waiting.some((id) => now.node.channel(id)?.partner.address === target))
    await now.node.swap({ ...leg, ...(side === 'maker' && secret !== null ? { secret } : {}) })
    this.changed()
  }

  payment(id: Hash): PaymentRow | null {
    return this.#openRows().find((row) => row.id === id) ?? this.#endedRows(null, SEARCHED_ROWS).find(({ row }) => row.id === id)?.row ?? null
  }

  payments({ before, limit }: { readonly before: number | null; readonly limit: number }): { readonly rows: readonly PaymentRow[]; readonly next: number | null } {
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAYMENTS) throw inputError('limit', limit, `1 to ${MAX_PAYMENTS}`)
    const ended = this.#endedRows(before, limit)
    // Those under way come before the first page.
    const rows = [...(before === null ? this.#openRows() : []), ...ended.map(({ row }) => row)]
    return { rows, next: ended.length < limit ? null : (ended.at(-1)?.place ?? null) }
  }

  duties(): readonly DutyView[] {
    const now = this.#options.running()
    return now === null ? [] : dutyViews(this.#options.parts.store.read((tx) => now.duties.pending(tx)))
  }

  paths(target: Address, token: Address, amount: bigint): ReturnType<PhotonDesk['paths']> {
    const now = this.#running()
    checkAmount('amount', amount)
    return now.router.find({ token, target, amount, maxFee: amount, maxParts: 1 }).flatMap((parts) => parts.map(({ hops, fee }) => ({ nodes: hops.map(({ node }) => node), fee })))
  }

  watching(): ReturnType<PhotonDesk['watching']> {
    return this.#options.running()?.watching.standing() ?? { jobs: 0, guardians: [] }
  }

  peers(): ReturnType<PhotonDesk['peers']> {
    const now = this.#options.running()
    if (now === null) return []
    const known = now.known.all()
    const strangers = now.lanes.connected.filter((account) => !known.some((one) => one.account === account))
    return [...known.map(({ account, address }) => ({ account, address, isConnected: now.lanes.isConnected(account) })), ...strangers.map((account) => ({ account, address: null, isConnected: true }))]
  }

  async clearAlarm(id: string): Promise<void> {
    const { alarms } = this.#options
    const alarm = alarms.find(id)
    if (alarm === null) throw new MeshBoxError('not-found', 'there is no such alarm', { code: 'photon-alarm', field: 'id', value: id })
    if (!alarm.isClearable) throw new MeshBoxError('conflict', 'it goes when its reason goes; nothing is to be cleared', { code: 'photon-alarm-stands' })
    if (alarm.code === 'chain-gap' || alarm.code === 'chain-lost') await this.#running().recovery.clear(alarm.code)
    alarms.dismiss(id)
    this.changed()
  }

  wrap({ amount }: { readonly amount: bigint }): Promise<void> {
    return this.#running().coin.order('wrap', amount)
  }

  unwrap({ amount }: { readonly amount: bigint }): Promise<void> {
    return this.#running().coin.order('unwrap', amount)
  }

  async addPeer(account: Address, address: string): Promise<void> {
    const now = this.#running()
    if (account === now.node.account) throw inputError('account', account, "another box's account")
    if (address.length > MAX_ADDRESS_CHARS || !MULTIADDR.test(address)) throw inputError('address', address, 'a multiaddress such as /ip4/192.0.2.7/tcp/60402')
    await now.known.add(account, address)
    this.changed()
  }

  #running(): RunningPhoton {
    const now = this.#options.running()
    if (now !== null) return now
    throw new MeshBoxError('unavailable', 'the channel contract could not be read from the chain yet; payment channels follow as soon as it can', { code: 'photon-starting', retryAfterSeconds: 30 })
  }

  #greeted(now: RunningPhoton, token: Address, isEnough: (waiting: readonly Hash[]) => boolean): Promise<void> {
    const { clock, timers } = this.#options.parts
    return awaitGreetings({ node: now.node, isConnected: (account) => now.lanes.isConnected(account), clock, timers }, token, isEnough)
  }

  #known(id: Hash): { readonly now: RunningPhoton; readonly state: ChannelState } {
    const now = this.#running()
    const state = now.node.channel(id)
    if (state === undefined) throw new MeshBoxError('not-found', 'there is no such channel', { code: 'photon-channel', field: 'channel', value: id })
    return { now, state }
  }

  #openPayment(id: Hash): { readonly now: RunningPhoton; readonly name: string } {
    const now = this.#running()
    const found = now.node.openPayments().find((payment) => payment.role === 'initiator' && orderedHash(payment) === id)
    if (found === undefined) throw new MeshBoxError('not-found', 'no payment of this box with that id is under way', { code: 'photon-payment', field: 'id', value: id })
    return { now, name: found.id }
  }

  #openRows(): readonly PaymentRow[] {
    const payments = this.#options.running()?.node.openPayments() ?? []
    return payments.flatMap((payment) => openRow(payment) ?? [])
  }

  #endedRows(before: number | null, limit: number): readonly { readonly place: number; readonly row: PaymentRow }[] {
    const node = this.#options.running()?.node
    if (node === undefined) return []
    const channels = new Map<number, ChannelState | null>()
    return node.payments(before, limit).map((stored) => {
      if (!channels.has(stored.channelNumber)) channels.set(stored.channelNumber, stored.channelNumber === 0 ? null : node.channelOfNumber(stored.channelNumber))
      const channel = channels.get(stored.channelNumber) ?? null
      const arrival = stored.kind !== 'direct-sent' || channel === null ? 'delivered' : node.arrival(stored.channelNumber, channel.key, stored.nonce)
      return { place: stored.id, row: historyRow(stored, channel, node.account, arrival) }
    })
  }

  #viewTools(now: RunningPhoton): ViewTools {
    const { chain } = this.#options.parts
    return {
      moment: now.moments.now(),
      tokenOf: (address) => now.tokenOf(address),
      isReady: (channel) => now.node.isReady(channel),
      refusalOf: (state) => now.refusals.of(state.key),
      blockMs: (number) => {
        const seconds = chain.at(number)?.timeSeconds
        return seconds === undefined ? null : seconds * 1000
      },
    }
  }

  #earned(): PhotonStatus['earned'] {
    const { ledger, store, clock, settings } = this.#options.parts
    const totals = store.read((tx) => ledger.totals(tx, momentOf(clock)))
    return settings.tokens.map(({ address, symbol }) => {
      const sources = totals.find((one) => one.token === symbol)?.bySource ?? []
      const of = (name: string): bigint => sources.find(({ source }) => source === name)?.allTime.total ?? 0n
      return { token: address, symbol, fees: of(FEE_SOURCE), streams: of(STREAM_SOURCE) }
    })
  }
}

const MAX_SETTLE_TIMEOUT = 2_700_000
/** One that is too large for any path goes in so many parts. */
const MAX_PARTS_PAID = 4
const MAX_ADDRESS_CHARS = 255
const MULTIADDR = /^\/(ip4|ip6|dns4|dns6)\/[0-9a-zA-Z.:-]+\/tcp\/[1-9]\d{0,4}(\/p2p\/[0-9A-Za-z]+)?$/

/** Errors: input, naming the field. */
export function checkSwap({ target, token, receivingToken, side, secret, secretHash, amount, receivingAmount }: SwapOrder, self: Address): void {
  checkAmount('amount', amount)
  checkAmount('receivingAmount', receivingAmount)
  if (target === self) throw inputError('target', target, "another box's account")
  if (token === receivingToken) throw inputError('receivingToken', receivingToken, 'another token than the one sent')
  if (side === 'maker' && (secret === null || hexOf(sha256(bytesOf(secret))) !== secretHash)) throw inputError('secret', '(hidden)', 'the secret of secretHash, for the maker')
}

function checkAmount(field: string, amount: bigint): void {
  if (amount < 1n || amount > MAX_DEPOSIT) throw inputError(field, amount, '1 to 2^128 − 1 smallest units')
}

function wrongPhase({ phase }: ChannelState): Error {
  return new MeshBoxError('conflict', `the channel is ${phase}`, { code: 'photon-phase' })
}
