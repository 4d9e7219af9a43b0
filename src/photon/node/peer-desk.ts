/**
 * What partners say and what it does: to their channel, to the payments in it, and to what is sent to them again when
 * two ends meet (photon.md 9.5). Decides nothing by itself; all of it lands in the draft of one turn.
 */
import { ZERO_HASH } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import { awaitPartner, freeze, secretHashOf, sendReestablish } from '../channel/index.ts'
import type { ChannelFact, ChannelMachine, ChannelReceived } from '../channel/index.ts'
import { inputOf } from '../payment/index.ts'
import type { ChannelKey, Message } from '../ports.ts'
import type { Draft } from './draft.ts'
import type { Engine, EngineOptions } from './engine.ts'
import type { LiveChannel } from './live-channel.ts'
import type { PaymentDesk } from './payment-desk.ts'
import { echoOf } from './seal.ts'
import { readPackets } from './tables/packets.ts'
import type { Who } from './tables/packets.ts'

/** Packets given back to a partner that was restored from an old copy, at once. */
const MAX_RETURNED = 256
const NO_DATA = new Uint8Array(0)

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

/** A partner does not want to settle together. */
export interface SettleRefusal {
  readonly key: ChannelKey
  readonly code: number
  readonly reason: string
}

export interface PeerDeskOptions extends EngineOptions {
  readonly account: Address
  readonly machine: ChannelMachine
  readonly engine: Engine
  readonly payments: PaymentDesk
  /** Whether anybody wants to be told of direct payments. */
  hasListener(): boolean
  paid(payment: ReceivedPayment): void
  alarmed(alarm: ChannelAlarm): void
  settleRefused(refusal: SettleRefusal): void
  claimed(from: Address, key: ChannelKey): void
}

export class PeerDesk {
  readonly #options: PeerDeskOptions

  constructor(options: PeerDeskOptions) {
    this.#options = options
  }

  /** Cheap looks first: a stranger's frame must not cost a recovered signature. */
  objection(from: Address, message: Message): string | null {
    if (message.kind === 'secret-request' || message.kind === 'reveal') return this.#isAboutOurs(message) || this.#options.engine.channels.isPartner(from) ? null : 'it is about no payment of ours'
    if (message.kind === 'ack') return message.sender === from ? null : 'an acknowledgement in the name of another'
    const key = 'envelope' in message ? message.envelope : 'key' in message ? message.key : null
    if (key === null) return `${message.kind} is not said here`
    const live = this.#options.engine.channels.get(key.channel)
    if (live === undefined && message.kind === 'reestablish') this.#options.claimed(from, key)
    return live !== undefined && live.partner === from ? null : 'there is no such channel with it'
  }

  received(draft: Draft, from: Address, received: ChannelReceived): void {
    const { message } = received
    if (message.kind === 'ack') {
      this.#options.engine.acknowledged(from, message.echo)
      return
    }
    if (message.kind === 'secret-request' || message.kind === 'reveal') return this.#plainMessage(draft, from, received, message)
    const key = 'envelope' in message ? message.envelope : 'key' in message ? message.key : null
    const live = key === null ? undefined : this.#options.engine.channels.get(key.channel)
    if (live === undefined) return
    // One that asks although we agree has not heard us, or takes again what it refused.
    const asksAgain = message.kind === 'reestablish' && live.isInSync && live.isGreetingDue(this.#options.clock.boottimeMs())
    if (asksAgain) this.greet(draft, live)
    const taken = this.#options.machine.receive(draft.state(live), received, draft.moment)
    if (!taken.ok) {
      // It is not acknowledged: the payer waits, connected, and does not know for what.
      if ('envelope' in message && live.refused(this.#options.clock.boottimeMs())) this.#options.log.info('photon: a payment of a partner is not taken now; it comes again', { from, channel: message.envelope.channel, kind: message.kind, reason: taken.reason })
      else this.#options.log.debug('photon: a message was not taken', { from, kind: message.kind, code: taken.code, reason: taken.reason })
      return
    }
    draft.put(live, taken.state)
    const isNew = !taken.facts.some((fact) => fact.kind === 'duplicate')
    if ('envelope' in message && isNew) {
      const who = received.sender === this.#options.account ? 'own' : 'partner'
      draft.taken.push({ channelNumber: live.number, who, nonce: message.envelope.nonce, packet: received.packet })
    }
    for (const fact of taken.facts) this.fact(draft, live, fact, received)
    if (message.kind === 'reestablish' && draft.state(live).sync.kind === 'in-sync') {
      // One that has lost its own packets is not asking for ours.
      const sendsAgain = asksAgain && message.sentNonce >= draft.state(live).partner.nonce
      draft.afterwards.push(() => {
        if (sendsAgain) live.forgetSent()
        this.#inSync(live, message.seenNonce)
      })
    }
    if (message.kind !== 'reestablish' && received.sender !== this.#options.account) this.#acknowledge(draft, live, received)
  }

  /** Taking such a message twice changes nothing more, so that v2 keeps no list of them. */
  #plainMessage(draft: Draft, from: Address, received: ChannelReceived, message: Extract<Message, { kind: 'secret-request' | 'reveal' }>): void {
    if (message.kind === 'reveal') this.#options.payments.take(draft, { kind: 'reveal', from: received.sender, secret: message.secret, data: message.data })
    else this.#options.payments.take(draft, { kind: 'secret-request', from: received.sender, secretHash: message.secretHash, amount: message.amount })
    const { wire, keccak256 } = this.#options
    const echo = echoOf(wire, keccak256, received.extra, received.packet, this.#options.account)
    draft.acknowledge(echo, from, echo)
  }

  #isAboutOurs(message: Extract<Message, { kind: 'secret-request' | 'reveal' }>): boolean {
    return this.#options.payments.knows(message.kind === 'reveal' ? secretHashOf(message.secret) : message.secretHash)
  }

  #acknowledge(draft: Draft, live: LiveChannel, received: ChannelReceived): void {
    const { wire, keccak256 } = this.#options
    const isCumulative = wire.domain.profile === 'v2' && 'envelope' in received.message
    if (isCumulative) {
      // The newest stands for all before it, also where an old one was sent again.
      const newest = draft.state(live).partner.proof
      if (newest !== null) draft.acknowledge(live.state.key.channel, live.partner, newest.extra)
      return
    }
    const echo = echoOf(wire, keccak256, received.extra, received.packet, this.#options.account)
    draft.acknowledge(echo, live.partner, echo)
  }

  fact(draft: Draft, live: LiveChannel, fact: ChannelFact, received: ChannelReceived | null): void {
    switch (fact.kind) {
      case 'direct-received': {
        const { amount, nonce, paymentId, data } = fact
        draft.history.push({ kind: 'direct-received', channelNumber: live.number, nonce, amount, wallMs: Math.round(this.#options.clock.wallMs()), key: paymentId ?? ZERO_HASH, peer: null, data, note: '' })
        if (!this.#options.hasListener()) return
        const payment: ReceivedPayment = { channel: live.state.key.channel, from: live.partner, amount, paymentId, data: data.length === 0 ? NO_DATA : data.slice() }
        draft.afterwards.push(() => this.#options.paid(payment))
        return
      }
      case 'own-adopted':
        // All that was missing has been given back: the partner has seen just that.
        if (draft.state(live).sync.kind !== 'in-sync') return
        draft.afterwards.push(() => this.#inSync(live, fact.nonce))
        // Payments that were begun after the old copy was made find their locks, or what became of them.
        this.#options.payments.take(draft, { kind: 'restarted' })
        return
      case 'must-resend':
        this.#mustResend(draft, live, fact)
        break
      case 'must-return':
        return this.#mustReturn(draft, live, fact.fromNonce, fact.toNonce)
      case 'withdraw-requested':
        if (received === null || !('contractSignature' in received.message)) return
        draft.send(live, this.#options.machine.answerWithdraw(draft.state(live), { terms: fact.terms, signature: received.message.contractSignature }, draft.moment))
        return
      case 'settle-requested':
        if (received === null || !('contractSignature' in received.message)) return
        draft.send(live, this.#options.machine.answerSettle(draft.state(live), { terms: fact.terms, signature: received.message.contractSignature }, draft.moment))
        draft.dutiful.add(live)
        return
      case 'withdraw-agreed':
      case 'settle-agreed':
        draft.dutiful.add(live)
        return
      case 'settle-refused':
        draft.afterwards.push(() => this.#options.settleRefused({ key: live.state.key, code: fact.code, reason: fact.reason }))
        return
      case 'must-freeze':
        return this.#alarm(draft, live, fact.reason)
      case 'unknown-proof-posted':
        return this.#alarm(draft, live, `the contract has a proof of ours with nonce ${fact.nonce} that we do not know`)
      case 'restored-from-old-copy':
        this.#options.log.warn('photon: we were restored from an old copy; the partner is asked for what is missing', { channel: live.state.key.channel, nonce: fact.nonce.toString() })
        return
      default:
        break
    }
    const input = inputOf(draft.state(live), fact)
    if (input !== null) this.#options.payments.take(draft, input)
  }

  // ---- meeting again

  connected(draft: Draft, peer: Address): void {
    for (const live of this.#options.engine.channels.with(peer)) this.meet(draft, live)
  }

  /** One channel alone, where the two are connected: what others of the same partner agree on stays so. */
  meet(draft: Draft, live: LiveChannel): void {
    if (this.#options.wire.domain.profile === 'v1') {
      draft.afterwards.push(() => this.#inSync(live, live.acked))
      return
    }
    draft.put(live, awaitPartner(draft.state(live)))
    this.greet(draft, live)
  }

  /** Where we stand in the channel. v1 has no such message: there what waits for its acknowledgement goes out again. */
  greet(draft: Draft, live: LiveChannel): void {
    if (this.#options.wire.domain.profile === 'v1') {
      if (live.isInSync) draft.afterwards.push(() => this.#sayAgain(live))
      return
    }
    live.greeted(this.#options.clock.boottimeMs())
    draft.send(live, sendReestablish(draft.state(live)))
  }

  #sayAgain(live: LiveChannel): void {
    live.forgetSent()
    this.#options.engine.flushChannel(live)
  }

  #inSync(live: LiveChannel, seen: bigint): void {
    if (!this.#options.engine.isConnected(live.partner)) return
    live.seenUpTo(seen, this.#options.clock.boottimeMs())
    live.hasMet = true
    this.#options.engine.flushChannel(live)
  }

  #mustResend(draft: Draft, live: LiveChannel, fact: Extract<ChannelFact, { kind: 'must-resend' }>): void {
    const { wire } = this.#options
    const [stored] = fact.seenNonce === 0n ? [] : this.#options.store.read((tx) => readPackets(tx, live.number, 'own', fact.seenNonce, fact.seenNonce, 1))
    const seen = stored === undefined ? null : wire.decode(new Uint8Array(stored))
    if (this.#isGone(live, 'own', fact.fromNonce, fact.toNonce)) return this.#freeze(draft, live, `the partner lacks our packet ${fact.fromNonce}, and it is not kept any more`)
    if (seen !== null && !('refused' in seen) && seen.extra !== fact.seenHash) return this.#freeze(draft, live, `the partner knows another packet of ours with nonce ${fact.seenNonce}`)
    draft.afterwards.push(() => this.#options.engine.loadOutstanding(live, fact.seenNonce))
  }

  /** The partner was restored from an old copy: it gets its own packets back, those that are still kept. */
  #mustReturn(draft: Draft, live: LiveChannel, from: bigint, to: bigint): void {
    const first = to - from >= BigInt(MAX_RETURNED) ? to - BigInt(MAX_RETURNED) + 1n : from
    if (this.#isGone(live, 'partner', to, to)) return this.#freeze(draft, live, `the partner has forgotten its packet ${to}, and it is not kept here: its proof is`)
    draft.afterwards.push(() => {
      const packets = this.#options.store.read((tx) => readPackets(tx, live.number, 'partner', first, to, MAX_RETURNED))
      for (const packet of packets) this.#options.engine.sendNow(live.partner, new Uint8Array(packet))
    })
  }

  /** What one end lacks and the other cannot give back keeps them apart for ever. Packets of this very turn are not on disk yet. */
  #isGone(live: LiveChannel, who: Who, from: bigint, to: bigint): boolean {
    const { own, partner } = live.state
    const stored = who === 'own' ? (own.proof?.nonce ?? 0n) : partner.nonce
    return from <= to && to <= stored && this.#options.store.read((tx) => readPackets(tx, live.number, who, from, from, 1)).length === 0
  }

  #freeze(draft: Draft, live: LiveChannel, reason: string): void {
    draft.put(live, freeze(draft.state(live), reason).state)
    this.#alarm(draft, live, reason)
  }

  #alarm(draft: Draft, live: LiveChannel, reason: string): void {
    draft.dutiful.add(live)
    this.#options.log.error('photon: a channel was stopped', { channel: live.state.key.channel, reason })
    draft.afterwards.push(() => this.#options.alarmed({ channel: live.state.key.channel, reason }))
  }
}
