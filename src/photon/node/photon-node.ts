/**
 * One account's channels of one contract: what may be asked of them, and what the partner's messages and the chain's
 * events do to them. Decisions are the pure machines' (channel/, payment/); that they become true all at once, or not at
 * all, is the engine's. docs/photon-node.md
 */
import { MeshBoxError, ZERO_HASH } from '../../base/index.ts'
import type { Address, Cancel, Hash, Randomness } from '../../base/index.ts'
import { awaitPartner, channelMachine, freeze, openChannel, orderClose, sendReestablish } from '../channel/index.ts'
import type { ChannelFact, ChannelMachine, ChannelReceived, ChannelRole, ChannelRules, ChannelState, Refusal } from '../channel/index.ts'
import type { ChannelEvent, Domain, Message, SecretEvent } from '../ports.ts'
import { createDigests, createWire } from '../wire/index.ts'
import type { Keccak } from '../wire/index.ts'
import type { Draft } from './draft.ts'
import { Engine } from './engine.ts'
import type { EngineOptions } from './engine.ts'
import { LiveChannel, MAX_IN_FLIGHT } from './live-channel.ts'
import type { DutySink, MomentSource } from './ports.ts'
import { RandomHashes } from './random-hashes.ts'
import { echoOf } from './seal.ts'
import { hasChannel, insertChannel } from './tables/channels.ts'
import { readHistory } from './tables/history.ts'
import type { StoredPayment } from './tables/history.ts'
import { readPackets } from './tables/packets.ts'

/** Live channels of one node. */
const MAX_CHANNELS = 4096
/** Packets given back to a partner that was restored from an old copy, at once. */
const MAX_RETURNED = 256

export interface PhotonNodeOptions extends Omit<EngineOptions, 'wire' | 'digests' | 'keccak256'> {
  readonly domain: Domain
  readonly keccak256: Keccak
  readonly randomness: Randomness
  readonly moments: MomentSource
  readonly duties: DutySink
  readonly rules?: Partial<ChannelRules>
  /** Whether a new channel is one between boxes or a guest's. */
  roleOf(partner: Address): ChannelRole
}

export interface DirectPayment {
  readonly channel: Hash
  readonly amount: bigint
  readonly paymentId?: Hash
  readonly data?: Uint8Array
}

/** On disk here; `delivered` resolves when it is on the partner's disk, which may be days later. */
export interface SentPayment {
  readonly paymentId: Hash
  readonly channel: Hash
  readonly nonce: bigint
  readonly delivered: Promise<void>
}

/** Stored before it is told. */
export interface ReceivedPayment {
  readonly channel: Hash
  readonly from: Address
  readonly amount: bigint
  readonly paymentId: Hash | null
  readonly data: Uint8Array
}

export interface ChannelAlarm {
  readonly channel: Hash
  readonly reason: string
}

export class PhotonNode {
  readonly account: Address
  readonly domain: Domain
  readonly #options: PhotonNodeOptions
  readonly #engine: Engine
  readonly #machine: ChannelMachine
  readonly #engineOptions: EngineOptions
  readonly #paymentListeners = new Set<(payment: ReceivedPayment) => void>()
  readonly #alarmListeners = new Set<(alarm: ChannelAlarm) => void>()
  readonly #cancels: Cancel[] = []
  readonly #ids: RandomHashes

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
      objection: (from, message) => this.#objection(from, message),
      received: (draft, from, received) => this.#received(draft, from, received),
      connected: (draft, peer) => this.#connected(draft, peer),
      closing: (draft) => this.#putDuties(draft),
      restored: (number, acked, state) => new LiveChannel(number, acked, awaitPartner(state)),
    })
  }

  /** `peers`: connected already. */
  start(peers: readonly Address[] = []): void {
    this.#engine.start(peers)
    this.#cancels.push(this.#options.moments.onChange(() => this.#onMoment()))
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

  onPayment(listener: (payment: ReceivedPayment) => void): Cancel {
    this.#paymentListeners.add(listener)
    return () => this.#paymentListeners.delete(listener)
  }

  /** A channel was frozen, or the chain has what we do not know. */
  onAlarm(listener: (alarm: ChannelAlarm) => void): Cancel {
    this.#alarmListeners.add(listener)
    return () => this.#alarmListeners.delete(listener)
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

  /** Asks the partner to settle together; v2: its signature holds until block `validUntil`. */
  askSettle(channel: Hash, validUntil: number | null): Promise<void> {
    return this.#verb(channel, (live, draft) => draft.send(live, this.#machine.askSettle(draft.state(live), validUntil, draft.moment)))
  }

  /** Asks the partner to let us take `amount` out. */
  askWithdraw(channel: Hash, amount: bigint, validUntil: number): Promise<void> {
    return this.#verb(channel, (live, draft) => draft.send(live, this.#machine.askWithdraw(draft.state(live), { amount, validUntil }, draft.moment)))
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
      for (const fact of told.facts) this.#fact(draft, live, fact, null)
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
      role: this.#options.roleOf(partner),
      ownDeposit: 0n,
      partnerDeposit: 0n,
      openBlock: event.block,
    })
    await this.#engine.order((draft) => {
      if (this.#options.store.read((tx) => hasChannel(tx, domain.contract, event.channel, event.epoch))) return
      if (this.#engine.channels.size >= MAX_CHANNELS) throw new MeshBoxError('limit', `${MAX_CHANNELS} channels are open`, { code: 'photon-channels' })
      let number = 0
      draft.writes.push((tx) => {
        number = insertChannel(tx, state)
      })
      draft.afterwards.push(() => {
        const live = new LiveChannel(number, 0n, awaitPartner(state))
        this.#engine.channels.add(live)
        if (this.#engine.isConnected(partner)) void this.#engine.order((next) => this.#connected(next, partner))
      })
    })
  }

  // ---- what peers say

  /** Cheap looks first: a stranger's frame must not cost a recovered signature. */
  #objection(from: Address, message: Message): string | null {
    if (message.kind === 'secret-request' || message.kind === 'reveal') return null
    if (message.kind === 'ack') return message.sender === from ? null : 'an acknowledgement in the name of another'
    const key = 'envelope' in message ? message.envelope : 'key' in message ? message.key : null
    if (key === null) return `${message.kind} is not said here`
    const live = this.#engine.channels.get(key.channel)
    return live !== undefined && live.partner === from ? null : 'there is no such channel with it'
  }

  #received(draft: Draft, from: Address, received: ChannelReceived): void {
    const { message } = received
    if (message.kind === 'ack') {
      this.#engine.acknowledged(from, message.echo)
      return
    }
    const key = 'envelope' in message ? message.envelope : 'key' in message ? message.key : null
    const live = key === null ? undefined : this.#engine.channels.get(key.channel)
    if (live === undefined) return
    const taken = this.#machine.receive(draft.state(live), received, draft.moment)
    if (!taken.ok) {
      this.#options.log.debug('photon: a message was not taken', { from, kind: message.kind, code: taken.code, reason: taken.reason })
      return
    }
    draft.put(live, taken.state)
    const isNew = !taken.facts.some((fact) => fact.kind === 'duplicate')
    if ('envelope' in message && isNew) {
      const who = received.sender === this.account ? 'own' : 'partner'
      draft.taken.push({ channelNumber: live.number, who, nonce: message.envelope.nonce, packet: received.packet })
    }
    for (const fact of taken.facts) this.#fact(draft, live, fact, received)
    if (message.kind === 'reestablish' && draft.state(live).sync.kind === 'in-sync') draft.afterwards.push(() => this.#inSync(live, message.seenNonce))
    if (message.kind !== 'reestablish' && received.sender !== this.account) this.#acknowledge(draft, live, received, isNew)
  }

  #acknowledge(draft: Draft, live: LiveChannel, received: ChannelReceived, isNew: boolean): void {
    const { wire, keccak256 } = this.#engineOptions
    const isCumulative = wire.domain.profile === 'v2' && 'envelope' in received.message
    if (isCumulative) {
      // The newest stands for all before it, also where an old one was sent again.
      const newest = draft.state(live).partner.proof
      if (newest !== null) draft.acknowledge(live.state.key.channel, live.partner, newest.extra)
      return
    }
    const echo = echoOf(wire, keccak256, received.extra, received.packet, this.account)
    if (wire.domain.profile === 'v1' && isNew) draft.acksToKeep.push(echo)
    draft.acknowledge(echo, live.partner, echo)
  }

  #fact(draft: Draft, live: LiveChannel, fact: ChannelFact, received: ChannelReceived | null): void {
    switch (fact.kind) {
      case 'direct-received': {
        const { amount, nonce, paymentId, data } = fact
        draft.history.push({ kind: 'direct-received', channelNumber: live.number, nonce, amount, wallMs: this.#wallMs(), key: paymentId ?? ZERO_HASH, peer: null, data, note: '' })
        if (this.#paymentListeners.size === 0) return
        const payment: ReceivedPayment = { channel: live.state.key.channel, from: live.partner, amount, paymentId, data: data.length === 0 ? NO_DATA : data.slice() }
        draft.afterwards.push(() => this.#tell(this.#paymentListeners, payment))
        return
      }
      case 'own-adopted':
        // All that was missing has been given back: the partner has seen just that.
        if (draft.state(live).sync.kind === 'in-sync') draft.afterwards.push(() => this.#inSync(live, fact.nonce))
        return
      case 'must-resend':
        return this.#mustResend(draft, live, fact)
      case 'must-return':
        return this.#mustReturn(draft, live, fact.fromNonce, fact.toNonce)
      case 'withdraw-requested':
        if (received === null || !('contractSignature' in received.message)) return
        draft.send(live, this.#machine.answerWithdraw(draft.state(live), { terms: fact.terms, signature: received.message.contractSignature }, draft.moment))
        return
      case 'settle-requested':
        if (received === null || !('contractSignature' in received.message)) return
        draft.send(live, this.#machine.answerSettle(draft.state(live), { terms: fact.terms, signature: received.message.contractSignature }, draft.moment))
        draft.dutiful.add(live)
        return
      case 'withdraw-agreed':
      case 'settle-agreed':
        draft.dutiful.add(live)
        return
      case 'must-freeze':
        return this.#alarm(draft, live, fact.reason)
      case 'unknown-proof-posted':
        return this.#alarm(draft, live, `the contract has a proof of ours with nonce ${fact.nonce} that we do not know`)
      case 'restored-from-old-copy':
        this.#options.log.warn('photon: we were restored from an old copy; the partner is asked for what is missing', { channel: live.state.key.channel, nonce: fact.nonce.toString() })
        return
      default:
        return
    }
  }

  // ---- meeting again

  #connected(draft: Draft, peer: Address): void {
    for (const live of this.#engine.channels.with(peer)) {
      if (this.domain.profile === 'v1') {
        draft.afterwards.push(() => this.#inSync(live, live.acked))
        continue
      }
      draft.put(live, awaitPartner(draft.state(live)))
      draft.send(live, sendReestablish(draft.state(live)))
    }
  }

  #inSync(live: LiveChannel, seen: bigint): void {
    if (!this.#engine.isConnected(live.partner)) return
    live.seenUpTo(seen, this.#options.clock.boottimeMs())
    live.isInSync = true
    this.#engine.flushChannel(live)
  }

  #mustResend(draft: Draft, live: LiveChannel, fact: Extract<ChannelFact, { kind: 'must-resend' }>): void {
    const { wire } = this.#engineOptions
    const [stored] = fact.seenNonce === 0n ? [] : this.#options.store.read((tx) => readPackets(tx, live.number, 'own', fact.seenNonce, fact.seenNonce, 1))
    const seen = stored === undefined ? null : wire.decode(new Uint8Array(stored))
    if (seen !== null && !('refused' in seen) && seen.extra !== fact.seenHash) {
      draft.put(live, freeze(draft.state(live), `the partner knows another packet of ours with nonce ${fact.seenNonce}`).state)
      return this.#alarm(draft, live, `the partner knows another packet of ours with nonce ${fact.seenNonce}`)
    }
    draft.afterwards.push(() => this.#engine.loadOutstanding(live, fact.seenNonce))
  }

  /** The partner was restored from an old copy: it gets its own packets back, those that are still kept. */
  #mustReturn(draft: Draft, live: LiveChannel, from: bigint, to: bigint): void {
    const first = to - from >= BigInt(MAX_RETURNED) ? to - BigInt(MAX_RETURNED) + 1n : from
    draft.afterwards.push(() => {
      const packets = this.#options.store.read((tx) => readPackets(tx, live.number, 'partner', first, to, MAX_RETURNED))
      for (const packet of packets) this.#engine.sendNow(live.partner, new Uint8Array(packet))
    })
  }

  // ---- chain

  #onMoment(): void {
    const all = [...this.#engine.channels.all()].filter((live) => live.state.phase !== 'opened' || live.state.partner.locked > 0n)
    if (all.length === 0) return
    void this.#engine
      .order((draft) => {
        for (const live of all) draft.dutiful.add(live)
      })
      .catch((error: Error) => this.#options.log.warn('photon: duties could not be stored', { error }))
  }

  #putDuties(draft: Draft): void {
    for (const live of draft.dutiful) {
      const duties = this.#machine.dutiesOf(draft.state(live), draft.moment)
      if (duties.length > 0) draft.writes.push((tx) => this.#options.duties.put(tx, duties))
    }
  }

  // ---- small

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

  #alarm(draft: Draft, live: LiveChannel, reason: string): void {
    draft.dutiful.add(live)
    this.#options.log.error('photon: a channel was stopped', { channel: live.state.key.channel, reason })
    draft.afterwards.push(() => this.#tell(this.#alarmListeners, { channel: live.state.key.channel, reason }))
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
