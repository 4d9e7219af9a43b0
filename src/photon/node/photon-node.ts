/**
 * One account's channels of one contract: what may be asked of them, and what the partner's messages and the chain's
 * events do to them. Decisions are the pure machines' (channel/, payment/); that they become true all at once, or not at
 * all, is the engine's. docs/photon-node.md
 */
import { MeshBoxError } from '../../base/index.ts'
import type { Address, Cancel, Hash } from '../../base/index.ts'
import { arrivalAtEnd, awaitPartner, channelMachine, guestTerms, openChannel, orderClose, restored, withView } from '../channel/index.ts'
import type { Arrival, ChannelMachine, ChannelState, GuestSettlement, Refusal, SignedEnd, StreamNote } from '../channel/index.ts'
import { initiatorId, swapId } from '../payment/index.ts'
import type { PaymentState } from '../payment/index.ts'
import type { ChannelEvent, ChannelKey, Domain, SecretEvent, SettleTerms } from '../ports.ts'
import { createDigests, createWire } from '../wire/index.ts'
import type { Draft } from './draft.ts'
import { Engine } from './engine.ts'
import type { EngineOptions } from './engine.ts'
import { LiveChannel, MAX_IN_FLIGHT } from './live-channel.ts'
import { OutsideChannels } from './outside-channels.ts'
import type { DirectPayment, LockedPayment, PhotonNodeOptions, SentPayment, SwapLeg } from './node-terms.ts'
import { freshSecret, payOrderOf } from './pay-order.ts'
import { PaymentDesk } from './payment-desk.ts'
import type { PaymentNotice } from './payment-desk.ts'
import { PeerDesk } from './peer-desk.ts'
import type { ChannelAlarm, ReceivedPayment, SettleRefusal } from './peer-desk.ts'
import { RandomHashes } from './random-hashes.ts'
import { readChannel } from './tables/channels.ts'
import { readHistory, readHistoryAfter } from './tables/history.ts'
import type { StoredPayment } from './tables/history.ts'

/** Channels whose duties are looked at in one turn of the loop. */
const MOMENT_SLICE = 64
/** Duties are put so long before they may be done. */
const DUTY_AHEAD_BLOCKS = 2

export class PhotonNode {
  readonly account: Address
  readonly domain: Domain
  readonly #options: PhotonNodeOptions
  readonly #engine: Engine
  readonly #machine: ChannelMachine
  readonly #engineOptions: EngineOptions
  readonly #paymentListeners = new Set<(payment: ReceivedPayment) => void>()
  readonly #noticeListeners = new Set<(notice: PaymentNotice) => void>()
  readonly #desk: PaymentDesk
  readonly #peers: PeerDesk
  readonly #alarmListeners = new Set<(alarm: ChannelAlarm) => void>()
  readonly #refusalListeners = new Set<(refusal: SettleRefusal) => void>()
  readonly #cancels: Cancel[] = []
  readonly #ids: RandomHashes
  #wasFrozen = false
  /** Channels brought to what was proved of them, where no event told it. */
  readonly outside: OutsideChannels

  constructor(options: PhotonNodeOptions) {
    const { domain, keccak256 } = options
    this.account = options.signer.account
    this.domain = domain
    this.#options = options
    this.#ids = new RandomHashes(options.randomness)
    this.#machine = channelMachine(keccak256, options.rules)
    this.#engineOptions = { ...options, wire: createWire(domain, keccak256), digests: createDigests(domain, keccak256) }
    this.#engine = new Engine(this.#engineOptions, {
      moment: () => options.moments.now(),
      objection: (from, message) => this.#peers.objection(from, message),
      received: (draft, from, received) => this.#peers.received(draft, from, received),
      connected: (draft, peer) => this.#peers.connected(draft, peer),
      greet: (draft, live) => this.#peers.greet(draft, live),
      closing: (draft) => this.#putDuties(draft),
      wanted: (peer) => options.reach?.(peer),
      restored: (number, acked, state) => new LiveChannel(number, acked, options.fromOldCopy ? restored(state) : awaitPartner(state)),
    })
    const { store, router, fees, feeFor } = options
    this.#desk = new PaymentDesk(
      {
        self: this.account,
        domain,
        store,
        machine: this.#machine,
        channels: this.#engine.channels,
        router,
        fees,
        feeFor,
        heldBack: () => options.heldBack?.() ?? null,
        freshSecret: () => freshSecret(this.#ids),
        wallMs: () => this.#wallMs(),
        ...(options.paymentRules === undefined ? {} : { paymentRules: options.paymentRules }),
      },
      (notice) => this.#tell(this.#noticeListeners, notice),
    )
    this.#peers = new PeerDesk({
      ...this.#engineOptions,
      account: this.account,
      machine: this.#machine,
      engine: this.#engine,
      payments: this.#desk,
      hasListener: () => this.#paymentListeners.size > 0,
      paid: (payment) => this.#tell(this.#paymentListeners, payment),
      alarmed: (alarm) => this.#tell(this.#alarmListeners, alarm),
      claimed: (from, key) => options.claimed?.(from, key),
      settleRefused: (refusal) => this.#tell(this.#refusalListeners, refusal),
    })
    this.outside = new OutsideChannels({
      contract: domain.contract,
      store: options.store,
      engine: this.#engine,
      meet: (draft, live) => this.#peers.meet(draft, live),
      alarmed: (alarm) => this.#tell(this.#alarmListeners, alarm),
      failed: (failure, error) => options.log.warn(`photon: ${failure}`, { error }),
    })
  }

  /** `peers`: connected already. */
  start(peers: readonly Address[] = []): void {
    this.#desk.load()
    this.#engine.start(peers)
    this.#storeRestored()
    this.#background('payments could not be taken up again', (draft) => this.#desk.take(draft, { kind: 'restarted' }))
    this.#cancels.push(this.#options.moments.onChange(() => this.#onMoment()))
    this.#onMoment()
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel()
    await this.#engine.stop()
  }

  get counts(): Engine['counts'] {
    return this.#engine.counts
  }

  /** As they are on disk. */
  channels(): readonly ChannelState[] {
    return [...this.#engine.channels.all()].map((live) => live.state)
  }

  channel(channel: Hash): ChannelState | undefined {
    return this.#engine.channels.get(channel)?.state
  }

  /** May be paid through now: connected, and both ends agree on where they are. */
  isReady(channel: Hash): boolean {
    return this.#engine.channels.get(channel)?.isInSync === true
  }

  /** Packets of ours that the partner has not acknowledged. */
  inFlight(channel: Hash): number {
    return this.#engine.channels.get(channel)?.inFlight ?? 0
  }

  /** Ended payments, newest first; `before`: the last id of the page before. */
  payments(before: number | null = null, most = 100): readonly StoredPayment[] {
    return this.#options.store.read((tx) => readHistory(tx, before, most))
  }

  /** Behind the row `after`, oldest first. */
  paymentsAfter(after: number, most = 100): readonly StoredPayment[] {
    return this.#options.store.read((tx) => readHistoryAfter(tx, after, most))
  }

  onPayment(listener: (payment: ReceivedPayment) => void): Cancel {
    this.#paymentListeners.add(listener)
    return () => this.#paymentListeners.delete(listener)
  }

  /** A channel was frozen, or the chain has what we do not know. */
  onAlarm(listener: (alarm: ChannelAlarm) => void): Cancel {
    this.#alarmListeners.add(listener)
    return () => this.#alarmListeners.delete(listener)
  }

  /** A partner said no to `askSettle`. */
  onRefusal(listener: (refusal: SettleRefusal) => void): Cancel {
    this.#refusalListeners.add(listener)
    return () => this.#refusalListeners.delete(listener)
  }

  /**
   * Final once it resolves. Errors: not-found `photon-channel`; unavailable `photon-not-ready`; limit `photon-in-flight`;
   * conflict `photon-refused` with 6.3's code in its text.
   */
  payDirect(payment: DirectPayment): Promise<SentPayment> {
    return this.#engine.order((draft) => {
      const live = this.#ready(payment.channel)
      if (live.inFlight >= MAX_IN_FLIGHT) throw new MeshBoxError('limit', `${MAX_IN_FLIGHT} payments are on their way through this channel`, { code: 'photon-in-flight', retryAfterSeconds: 1 })
      const paymentId = payment.paymentId ?? this.#ids.next()
      const data = payment.data ?? NO_DATA
      let arrived = (): void => undefined
      const delivered = new Promise<void>((resolve) => (arrived = resolve))
      accept(draft.send(live, this.#machine.sendDirect(draft.state(live), { amount: payment.amount, paymentId: this.domain.profile === 'v1' ? null : paymentId, data }, draft.moment), arrived))
      const { nonce } = draft.state(live).own
      draft.history.push({ kind: 'direct-sent', channelNumber: live.number, nonce, amount: payment.amount, wallMs: this.#wallMs(), key: paymentId, peer: null, data, note: '' })
      return { paymentId, channel: payment.channel, nonce, delivered }
    })
  }

  /** Starts a locked payment; resolves with its id when its locks are on disk. What becomes of it: `onNotice`, `payment`. */
  async payLocked(payment: LockedPayment): Promise<string> {
    const order = payOrderOf(payment, this.domain, this.#ids)
    await this.#engine.order((draft) => this.#desk.take(draft, { kind: 'pay', order, routes: payment.routes ?? [] }))
    return initiatorId(order.token, order.secretHash)
  }

  async swap(leg: SwapLeg): Promise<string> {
    const { side, receivingToken, receivingAmount } = leg
    await this.#engine.order((draft) => this.#desk.take(draft, { kind: 'swap', order: { side, pay: payOrderOf(leg, this.domain, this.#ids), receivingToken, receivingAmount }, routes: leg.routes ?? [] }))
    return swapId(leg.secretHash)
  }

  /** Only before the secret is out; the notice tells. */
  cancel(id: string): Promise<void> {
    return this.#engine.order((draft) => this.#desk.take(draft, { kind: 'cancel', id }))
  }

  allowReveal(id: string): Promise<void> {
    return this.#engine.order((draft) => this.#desk.take(draft, { kind: 'allow-reveal', id }))
  }

  /** For the receiver of a payment whose secret somebody else gave it. */
  giveSecret(secret: Hash): Promise<void> {
    return this.#engine.order((draft) => this.#desk.take(draft, { kind: 'secret-given', secret }))
  }

  /** One under way, or one of the newest that ended. */
  payment(id: string): PaymentState | undefined {
    return this.#desk.payment(id)
  }

  openPayments(): readonly PaymentState[] {
    return this.#desk.open()
  }

  /** What becomes of locked payments and swaps, told after it is stored. */
  onNotice(listener: (notice: PaymentNotice) => void): Cancel {
    this.#noticeListeners.add(listener)
    return () => this.#noticeListeners.delete(listener)
  }

  /** Asks the partner to settle together; v2: its signature holds until block `validUntil`. */
  askSettle(channel: Hash, validUntil: number | null): Promise<void> {
    return this.#verb(channel, (live, draft) => draft.send(live, this.#machine.askSettle(draft.state(live), validUntil, draft.moment)))
  }

  /** Asks the partner to let us take `amount` out. */
  askWithdraw(channel: Hash, amount: bigint, validUntil: number): Promise<void> {
    return this.#verb(channel, (live, draft) => draft.send(live, this.#machine.askWithdraw(draft.state(live), { amount, validUntil }, draft.moment)))
  }

  /** How far a stream in the channel has come, with what claims it. Of another life it is not taken. */
  noteStream({ channel, epoch }: ChannelKey, note: StreamNote): Promise<void> {
    return this.#engine.order((draft) => {
      const live = this.#known(channel)
      if (draft.state(live).key.epoch !== epoch) return
      const noted = this.#machine.noteStream(draft.state(live), note, draft.moment)
      if (!noted.ok) throw refused(noted)
      draft.put(live, noted.state)
    })
  }

  /** What a guest would sign to end his channel with us; null: what is left does not pay the fee. */
  guestSettlement(channel: Hash, settlement: GuestSettlement): SettleTerms | null {
    return guestTerms(this.#known(channel).state, settlement)
  }

  /** The guest's signature and ours over `guestSettlement`; of another life they are not taken. Resolves when both are on disk. */
  settleWithGuest({ channel, epoch }: ChannelKey, settlement: GuestSettlement, signed: SignedEnd): Promise<void> {
    return this.#engine.order((draft) => {
      const live = this.#known(channel)
      const state = draft.state(live)
      if (state.key.epoch !== epoch) throw new MeshBoxError('conflict', 'the channel has another life now', { code: 'order-old' })
      const agreed = this.#machine.settleWithGuest(state, settlement, signed, draft.moment)
      if (!agreed.ok) throw refused(agreed)
      draft.put(live, agreed.state)
      draft.dutiful.add(live)
    })
  }

  /** A channel's newest life but one, and those before: what their payments were of. */
  channelOfNumber(number: number): ChannelState | null {
    return this.#options.store.read((tx) => readChannel(tx, number))?.state ?? null
  }

  /** What is known of that direct payment of ours. `number`: of the channel's life, which may be over, or under another contract. */
  arrival(number: number, { channel }: ChannelKey, nonce: bigint): Arrival {
    const live = this.#engine.channels.get(channel)
    const row = live?.number === number ? live : this.#options.store.read((tx) => readChannel(tx, number))
    return row === null ? 'waiting' : nonce <= row.acked ? 'delivered' : arrivalAtEnd(row.state, nonce)
  }

  /** Closes on the chain, without the partner. */
  close(channel: Hash, note: string): Promise<void> {
    return this.#engine.order((draft) => {
      const live = this.#known(channel)
      const closed = orderClose(draft.state(live), note)
      if (!closed.ok) throw refused(closed)
      draft.put(live, closed.state)
      draft.dutiful.add(live)
    })
  }

  /** What the chain says, in its order, deep enough to rest on. Resolves when it is on disk; the caller then moves on. */
  async onChannelEvent(event: ChannelEvent): Promise<void> {
    if (event.kind === 'opened') return this.#opened(event)
    await this.#engine.order((draft) => {
      const live = this.#engine.channels.get(event.channel)
      if (live === undefined) return
      const told = this.#machine.onChain(draft.state(live), event, draft.moment)
      draft.put(live, told.state)
      for (const fact of told.facts) this.#peers.fact(draft, live, fact, null)
      // What was too much before this was known, a deposit for one, comes at once.
      if (live.hasRefused && live.isInSync) this.#peers.greet(draft, live)
      if (told.state.phase === 'settled') draft.afterwards.push(() => this.#engine.channels.remove(live))
      draft.dutiful.add(live)
    })
  }

  async onSecretEvent(event: SecretEvent): Promise<void> {
    await this.#engine.order((draft) => {
      for (const live of this.#engine.channels.all()) {
        const told = this.#machine.onChain(draft.state(live), event, draft.moment)
        if (told.state === draft.state(live)) continue
        draft.put(live, told.state)
        draft.dutiful.add(live)
      }
      this.#desk.take(draft, { kind: 'secret-on-chain', secret: event.secret, secretHash: event.secretHash, block: event.block })
    })
  }

  async #opened(event: Extract<ChannelEvent, { kind: 'opened' }>): Promise<void> {
    if (event.a !== this.account && event.b !== this.account) return
    const partner = event.a === this.account ? event.b : event.a
    const { domain } = this
    const state = openChannel({
      domain,
      token: event.token,
      own: this.account,
      partner,
      key: { channel: event.channel, epoch: event.epoch },
      settleTimeout: event.settleTimeout,
      role: this.#options.roleOf(event, partner),
      ownDeposit: 0n,
      partnerDeposit: 0n,
      openBlock: event.block,
    })
    await this.outside.adopt(state)
  }

  // ---- chain

  /** In slices: no turn of the loop looks at thousands of channels. */
  #onMoment(): void {
    const { isFrozen } = this.#options.moments.now()
    if (this.#wasFrozen && !isFrozen) this.#askForRefused()
    this.#wasFrozen = isFrozen
    const all = [...this.#engine.channels.all()].filter(({ state }) => state.phase !== 'opened' || state.partner.locked > 0n || state.offlineFrom !== null)
    for (let at = 0; at < all.length; at += MOMENT_SLICE)
      this.#background('the new height of the chain could not be taken in', (draft) => {
        for (const live of all.slice(at, at + MOMENT_SLICE)) this.#passBlock(draft, live)
      })
    if (this.#desk.size > 0) this.#background('payments could not take in the new height of the chain', (draft) => this.#desk.take(draft, { kind: 'moment' }))
  }

  /** Without a view of the chain too much was not taken: partners who hear where we stand send it again at once. */
  #askForRefused(): void {
    const asked = [...this.#engine.channels.all()].filter((live) => live.isInSync)
    for (let at = 0; at < asked.length; at += MOMENT_SLICE)
      this.#background('partners could not be told that the chain is in view again', (draft) => {
        for (const live of asked.slice(at, at + MOMENT_SLICE)) this.#peers.greet(draft, live)
      })
  }

  #passBlock(draft: Draft, live: LiveChannel): void {
    const state = withView(draft.state(live), draft.moment)
    draft.put(live, state)
    draft.dutiful.add(live)
    const reason = this.#machine.closeReason(state, draft.moment)
    const closed = reason === null ? null : orderClose(state, reason)
    if (closed !== null && closed.ok) draft.put(live, closed.state)
  }

  /**
   * What is due later is not put yet: whoever has such duties is looked at with each block, and most secrets that could go to the
   * chain never have to, since the partner pays.
   */
  #putDuties(draft: Draft): void {
    for (const live of draft.dutiful) {
      const duties = this.#machine.dutiesOf(draft.state(live), draft.moment).filter((due) => due.fromBlock <= draft.moment.block + DUTY_AHEAD_BLOCKS)
      if (duties.length > 0) draft.writes.push((tx) => this.#options.duties.put(tx, duties))
    }
  }

  /** In memory they count as restored from the beginning; the mark of the old copy goes with the turn that keeps that. */
  #storeRestored(): void {
    const { fromOldCopy } = this.#options
    if (!fromOldCopy) return
    this.#background('a restored copy could not be noted', (draft) => {
      for (const live of this.#engine.channels.all()) draft.states.set(live, live.state)
      draft.writes.push(fromOldCopy)
    })
  }

  // ---- small

  /** What nobody waits for; it comes again with the next height or start. */
  #background(failure: string, decide: (draft: Draft) => void): void {
    this.#engine.order(decide).catch((error: unknown) => this.#options.log.warn(`photon: ${failure}`, { error }))
  }

  #verb(channel: Hash, run: (live: LiveChannel, draft: Draft) => Refusal | null): Promise<void> {
    return this.#engine.order((draft) => accept(run(this.#ready(channel), draft)))
  }

  #known(channel: Hash): LiveChannel {
    const live = this.#engine.channels.get(channel)
    if (live === undefined) throw new MeshBoxError('not-found', 'there is no such channel', { code: 'photon-channel', field: 'channel', value: channel })
    return live
  }

  #ready(channel: Hash): LiveChannel {
    const live = this.#known(channel)
    if (!live.isInSync) throw new MeshBoxError('unavailable', 'the partner is not connected', { code: 'photon-not-ready', retryAfterSeconds: 5 })
    return live
  }

  #tell<T>(listeners: ReadonlySet<(news: T) => void>, news: T): void {
    for (const listener of listeners) {
      try {
        listener(news)
      } catch (error) {
        this.#options.log.error('photon: a listener failed', { error })
      }
    }
  }

  #wallMs(): number {
    return Math.round(this.#options.clock.wallMs())
  }
}

const NO_DATA = new Uint8Array(0)

function accept(refusal: Refusal | null): void {
  if (refusal !== null) throw refused(refusal)
}

function refused({ code, reason }: Refusal): MeshBoxError {
  return new MeshBoxError('conflict', `${reason} (${code})`, { code: 'photon-refused' })
}
