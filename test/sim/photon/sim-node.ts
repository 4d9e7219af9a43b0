/**
 * A node of the simulation: the real channel and payment machines over a "disk" in memory. A turn works on a draft; the
 * draft becomes the disk in one assignment, or nothing of it ever was. What is sent is on that disk first.
 */
import type { Address, Hash } from '../../../src/base/index.ts'
import { awaitPartner, channelMachine, freeze, learnSecret, orderClose, sealed, secretHashOf, sendReestablish } from '../../../src/photon/channel/index.ts'
import type { ChannelFact, ChannelState, Refusal, Sent } from '../../../src/photon/channel/index.ts'
import { DEFAULT_PAYMENT_RULES, glanceOf, inputOf, step } from '../../../src/photon/payment/index.ts'
import type { ChannelCommand, PaymentCommand, PaymentInput, PaymentState, PaymentView, TargetState } from '../../../src/photon/payment/index.ts'
import type { ChainMoment, ChannelKey, Duty, Message, PathRequest, Received } from '../../../src/photon/ports.ts'
import { lockHash } from '../../../src/photon/wire/index.ts'
import type { Event } from './model-chain.ts'
import { digest, signed } from './signing.ts'

export const REVEAL_BLOCKS = 8
export const CONFIRMATION_BLOCKS = 3
export const machine = channelMachine(digest, { revealTimeout: REVEAL_BLOCKS, confirmations: CONFIRMATION_BLOCKS, minSettleTimeout: 30, maxOfflineExposure: 200n })
export const rules = { ...DEFAULT_PAYMENT_RULES, revealTimeoutBlocks: REVEAL_BLOCKS, confirmationBlocks: CONFIRMATION_BLOCKS, partsTimeoutBlocks: 8, swapTimeoutBlocks: 25 }
export const feeFor = (amount: bigint): bigint => 1n + amount / 50n

export interface Row {
  readonly id: number
  readonly to: Address
  readonly received: Received
  /** The direct payment it carries, to be told of its ack. */
  readonly direct: string | null
}

export interface Disk {
  readonly channels: ReadonlyMap<Hash, ChannelState>
  readonly payments: ReadonlyMap<string, PaymentState>
  readonly outbox: readonly Row[]
  readonly nextRow: number
  /** Envelope packets by channel and nonce, ours and the partner's. */
  readonly sent: ReadonlyMap<string, Received>
  readonly got: ReadonlyMap<string, Received>
  readonly fees: ReadonlyMap<string, bigint>
  /** How far the chain's events have been taken in. */
  readonly eventsSeen: number
}

export interface Frame {
  readonly from: Address
  readonly to: Address
  readonly body: { readonly kind: 'packet'; readonly row: number | null; readonly received: Received } | { readonly kind: 'ack'; readonly row: number } | { readonly kind: 'hello'; readonly received: Received; readonly wantsAnswer: boolean }
}

/** What a cheat leaves undone or does later than it should; an honest node has none. */
export interface Habits {
  readonly skipsUnlock: boolean
  /** Keeps the secret until so many blocks before its lock ends. */
  readonly revealsLate: number | null
  /** Closes channels with proofs that are not the newest, at random. */
  readonly closesStale: boolean
  /** Then it does not show the secret to its payer at all, but closes the channel and registers it on the chain. */
  readonly revealsByChain: boolean
}

export const HONEST: Habits = { skipsUnlock: false, revealsLate: null, closesStale: false, revealsByChain: false }

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends ReadonlyMap<infer A, infer B> ? Map<A, B> : T[K] extends readonly (infer A)[] ? A[] : T[K] }
export type Draft = Mutable<Disk> & { readonly frames: Frame[]; readonly searches: { readonly id: string; readonly request: PathRequest }[] }

export class SimNode {
  readonly address: Address
  readonly habits: Habits
  disk: Disk
  isUp = true
  /** Has no view of the chain. */
  isOffline = false
  /** Block of the last view. */
  block: number
  /** Router questions under way: gone after a crash. */
  searches: { readonly id: string; readonly request: PathRequest }[] = []
  /** Reveals a late revealer keeps back: block from which they go out. */
  held: { readonly fromBlock: number; readonly to: Address; readonly secret: Hash }[] = []
  /** What a revealer by chain has decided to do there. */
  wishes: { readonly to: Address; readonly secret: Hash }[] = []
  /** Payments whose secret came with time to spare: these must be received. */
  readonly shownInTime = new Set<string>()
  readonly #freshSecret: () => Hash

  constructor(address: Address, habits: Habits, channels: readonly ChannelState[], block: number, freshSecret: () => Hash) {
    this.address = address
    this.habits = habits
    this.block = block
    this.#freshSecret = freshSecret
    this.disk = { channels: new Map(channels.map((state) => [state.key.channel, state])), payments: new Map(), outbox: [], nextRow: 1, sent: new Map(), got: new Map(), fees: new Map(), eventsSeen: 0 }
  }

  get moment(): ChainMoment {
    return { block: this.block, isFrozen: this.isOffline }
  }

  draft(): Draft {
    const { channels, payments, outbox, nextRow, sent, got, fees, eventsSeen } = this.disk
    return { channels: new Map(channels), payments: new Map(payments), outbox: [...outbox], nextRow, sent: new Map(sent), got: new Map(got), fees: new Map(fees), eventsSeen, frames: [], searches: [] }
  }

  commit(draft: Draft): void {
    const { channels, payments, outbox, nextRow, sent, got, fees, eventsSeen } = draft
    this.disk = { channels, payments, outbox, nextRow, sent, got, fees, eventsSeen }
  }

  /** One input and all that follows from it in the same turn. */
  input(draft: Draft, first: PaymentInput): void {
    const queue: PaymentInput[] = [first]
    for (let rounds = 0; ; rounds++) {
      const input = queue.shift()
      if (input === undefined) return
      if (rounds > 500) throw new Error(`a turn does not end: ${first.kind}`)
      const { changes, commands } = step(this.#view(draft), input)
      for (const change of changes) {
        if (change.role === 'target' && change.isShown) this.#noteShown(change, draft.payments.get(change.id))
        draft.payments.set(change.id, change)
      }
      for (const command of commands) this.#carryOut(draft, command, queue)
    }
  }

  #noteShown(change: TargetState, before: PaymentState | undefined): void {
    const isNew = before?.role === 'target' && !before.isShown
    const isInTime = change.parts.every((part) => part.phase !== 'held' || part.held.lock.expiration - this.block > REVEAL_BLOCKS)
    if (isNew && isInTime && change.registeredBlock === null) this.shownInTime.add(change.id)
  }

  take(draft: Draft, frame: Frame): void {
    const { body } = frame
    if (body.kind === 'ack') return this.#acked(draft, frame.from, body.row)
    if (body.kind === 'hello') return this.#greeted(draft, frame.from, body.received, body.wantsAnswer)
    const isTaken = this.#received(draft, body.received)
    if (isTaken && body.row !== null) draft.frames.push({ from: this.address, to: frame.from, body: { kind: 'ack', row: body.row } })
  }

  #acked(draft: Draft, from: Address, id: number): void {
    const row = draft.outbox.find((one) => one.id === id && one.to === from)
    draft.outbox = draft.outbox.filter((one) => one !== row)
    if (row !== undefined && row.direct !== null) this.input(draft, { kind: 'direct-delivered', id: row.direct })
  }

  /** What was never acknowledged: the proof in the contract tells whether it came. */
  #settled(draft: Draft, state: ChannelState): void {
    for (const row of draft.outbox) {
      const { message } = row.received
      if (row.direct === null || !('envelope' in message) || message.envelope.channel !== state.key.channel) continue
      this.input(draft, { kind: message.envelope.nonce <= (state.dispute?.own.nonce ?? 0n) ? 'direct-delivered' : 'direct-lost', id: row.direct })
    }
    draft.outbox = draft.outbox.filter(({ received: { message } }) => !('envelope' in message) || message.envelope.channel !== state.key.channel)
  }

  /** Greets each partner: nothing goes out on the channel before it has answered. */
  greet(draft: Draft, partner: Address): void {
    for (const [id, state] of draft.channels) {
      if (state.partner.address !== partner) continue
      draft.channels.set(id, awaitPartner(state))
      this.#hello(draft, id, true)
    }
  }

  /** What is not acknowledged goes again, in order. */
  resend(draft: Draft, to: Address): void {
    for (const [id, state] of draft.channels) if (state.partner.address === to && state.sync.kind !== 'in-sync' && state.phase !== 'settled') this.#hello(draft, id, true)
    for (const row of draft.outbox) if (row.to === to) draft.frames.push({ from: this.address, to, body: { kind: 'packet', row: row.id, received: row.received } })
  }

  /** The chain's news up to now, block by block, then the height itself. */
  follow(draft: Draft, events: readonly Event[]): void {
    for (const event of events.slice(draft.eventsSeen)) {
      for (const [id, state] of draft.channels) {
        const told = machine.onChain(state, event, this.moment)
        draft.channels.set(id, told.state)
        this.#facts(draft, id, told.facts)
      }
      if (event.kind === 'secret') this.input(draft, { kind: 'secret-on-chain', secret: event.secret, secretHash: event.secretHash, block: event.block })
    }
    draft.eventsSeen = events.length
    this.input(draft, { kind: 'moment' })
    for (const [id, state] of draft.channels) {
      const reason = machine.closeReason(state, this.moment)
      if (reason !== null) this.close(draft, id, reason)
    }
    if (!this.habits.revealsByChain) for (const late of this.held.filter((one) => one.fromBlock <= this.block)) this.#post(draft, late.to, { kind: 'reveal', secret: late.secret, data: new Uint8Array(0) })
    else this.wishes.push(...this.held.filter((one) => one.fromBlock <= this.block))
    this.held = this.held.filter((one) => one.fromBlock > this.block)
  }

  duties(): readonly { readonly key: ChannelKey | null; readonly duty: Duty }[] {
    const due = [...this.disk.channels.values()].flatMap((state) => machine.dutiesOf(state, this.moment).filter((one) => one.fromBlock <= this.block))
    return this.habits.revealsLate === null ? due : due.filter((one) => one.duty.kind !== 'register-secret')
  }

  close(draft: Draft, channel: Hash, reason: string): void {
    const state = draft.channels.get(channel)
    if (state === undefined) return
    const ordered = orderClose(state, reason)
    if (ordered.ok) draft.channels.set(channel, ordered.state)
  }

  /** After a start: everything that was under way is taken up from the disk. */
  restarted(draft: Draft): void {
    this.searches = []
    this.held = []
    for (const [id, state] of draft.channels) draft.channels.set(id, awaitPartner(state))
    this.input(draft, { kind: 'restarted' })
  }

  #received(draft: Draft, received: Received): boolean {
    const { message } = received
    if (message.kind === 'secret-request') this.input(draft, { kind: 'secret-request', from: received.sender, secretHash: message.secretHash, amount: message.amount })
    else if (message.kind === 'reveal') this.input(draft, { kind: 'reveal', from: received.sender, secret: message.secret, data: message.data })
    else {
      const key = 'envelope' in message ? message.envelope : 'key' in message ? message.key : null
      const state = key === null ? undefined : draft.channels.get(key.channel)
      if (state === undefined) return true
      const taken = machine.receive(state, received, this.moment)
      if (!taken.ok) return !('envelope' in message)
      draft.channels.set(state.key.channel, taken.state)
      if ('envelope' in message) (received.sender === this.address ? draft.sent : draft.got).set(packetName(message.envelope.channel, message.envelope.nonce), received)
      this.#facts(draft, state.key.channel, taken.facts)
    }
    return true
  }

  #greeted(draft: Draft, from: Address, received: Received, wantsAnswer: boolean): void {
    const { message } = received
    if (message.kind !== 'reestablish') return
    const state = draft.channels.get(message.key.channel)
    if (state === undefined) return
    const taken = machine.receive(state, received, this.moment)
    if (!taken.ok) return
    draft.channels.set(state.key.channel, taken.state)
    this.#facts(draft, state.key.channel, taken.facts)
    if (wantsAnswer && from === state.partner.address) this.#hello(draft, state.key.channel, false)
  }

  #facts(draft: Draft, channel: Hash, facts: readonly ChannelFact[]): void {
    for (const fact of facts) {
      const state = draft.channels.get(channel)
      if (state === undefined) return
      if (fact.kind === 'must-resend') {
        const known = draft.sent.get(packetName(channel, fact.seenNonce))
        if (fact.seenNonce > 0n && known !== undefined && known.extra !== fact.seenHash) draft.channels.set(channel, taken(freeze(state, 'the partner has another packet of ours')))
        for (let nonce = fact.fromNonce; nonce <= fact.toNonce; nonce++) this.#again(draft, state.partner.address, draft.sent.get(packetName(channel, nonce)))
      }
      if (fact.kind === 'must-return') for (let nonce = fact.fromNonce; nonce <= fact.toNonce; nonce++) this.#again(draft, state.partner.address, draft.got.get(packetName(channel, nonce)))
      if (fact.kind === 'settled') this.#settled(draft, state)
      const input = inputOf(state, fact)
      if (input !== null) this.input(draft, input)
      // Back from an old copy: what lies in the channel and is in no record.
      if (fact.kind === 'own-adopted' || fact.kind === 'in-sync') this.input(draft, { kind: 'restarted' })
    }
  }

  /** As it was sent then; where it has a row that row's ack still counts. */
  #again(draft: Draft, to: Address, received: Received | undefined): void {
    if (received === undefined) return
    const row = draft.outbox.find((one) => one.received === received)
    draft.frames.push({ from: this.address, to, body: { kind: 'packet', row: row?.id ?? null, received } })
  }

  #hello(draft: Draft, channel: Hash, wantsAnswer: boolean): void {
    const state = draft.channels.get(channel)
    const hello = state === undefined ? undefined : sendReestablish(state)
    if (state === undefined || hello === undefined || !hello.ok) return
    draft.frames.push({ from: this.address, to: state.partner.address, body: { kind: 'hello', received: this.#sign(hello.message), wantsAnswer } })
  }

  #carryOut(draft: Draft, command: PaymentCommand, queue: PaymentInput[]): void {
    switch (command.kind) {
      case 'send-request':
        return this.#post(draft, command.to, { kind: 'secret-request', secretHash: command.secretHash, amount: command.amount, paymentId: command.paymentId })
      case 'send-reveal':
        return this.#reveal(draft, command.to, command.secret, command.data)
      case 'find-routes':
        draft.searches.push({ id: command.id, request: command.request })
        return
      case 'pay-again': {
        const secret = this.#freshSecret()
        queue.push({ kind: 'pay', order: { ...command.order, secret, secretHash: secretHashOf(secret) }, routes: [] })
        return
      }
      case 'post-fee':
        if (draft.fees.has(command.id)) throw new Error(`the fee of ${command.id} is posted twice`)
        draft.fees.set(command.id, command.fee)
        return
      case 'report-path':
      case 'notice':
        return
      default:
        return this.#channelCommand(draft, command, queue)
    }
  }

  #channelCommand(draft: Draft, command: ChannelCommand, queue: PaymentInput[]): void {
    const state = draft.channels.get(command.channel)
    if (state === undefined) throw new Error(`no channel ${command.channel}`)
    if (command.kind === 'learn-secret') return void draft.channels.set(command.channel, learnSecret(state, command.secret))
    if (command.kind === 'send-unlock' && this.habits.skipsUnlock) return
    const outcome = this.#verb(state, command)
    if (!outcome.ok) return void queue.push({ kind: 'command-refused', command, code: outcome.code, reason: outcome.reason })
    const received = this.#sign(outcome.message)
    draft.channels.set(command.channel, sealed(outcome.state, outcome.message, received.extra, received.signature))
    this.#queue(draft, state.partner.address, received, command.kind === 'send-direct' ? command.payment : null)
  }

  #verb(state: ChannelState, command: Exclude<ChannelCommand, { kind: 'learn-secret' }>): Sent | Refusal {
    switch (command.kind) {
      case 'send-direct':
        return machine.sendDirect(state, command, this.moment)
      case 'send-locked':
        return machine.sendLocked(state, command, this.moment)
      case 'send-unlock':
        return machine.sendUnlock(state, command.secret, this.moment)
      case 'send-expired':
        return machine.sendExpired(state, command.secretHash, this.moment)
      case 'send-disposed':
        return machine.sendDisposed(state, command.secretHash, { code: command.code, reason: command.reason, hopIndex: command.hopIndex }, this.moment)
      case 'send-disposed-response':
        return machine.sendDisposedResponse(state, command.secretHash, this.moment)
    }
  }

  #reveal(draft: Draft, to: Address, secret: Hash, data: Uint8Array): void {
    const late = this.habits.revealsLate
    const lock = [...draft.channels.values()].filter((state) => state.partner.address === to).flatMap((state) => state.partner.locks).find((one) => one.secretHash === secretHashOf(secret))
    if (late === null || lock === undefined) return this.#post(draft, to, { kind: 'reveal', secret, data })
    this.held.push({ fromBlock: lock.expiration - late, to, secret })
  }

  #post(draft: Draft, to: Address, message: Message): void {
    this.#queue(draft, to, this.#sign(message), null)
  }

  #queue(draft: Draft, to: Address, received: Received, direct: string | null): void {
    const { message } = received
    if ('envelope' in message) draft.sent.set(packetName(message.envelope.channel, message.envelope.nonce), received)
    const id = draft.nextRow++
    draft.outbox.push({ id, to, received, direct })
    draft.frames.push({ from: this.address, to, body: { kind: 'packet', row: id, received } })
  }

  #sign(message: Message): Received & { readonly signature: Uint8Array } {
    return signed(this.address, message, (lock) => lockHash(digest, lock))
  }

  #view(draft: Draft): PaymentView {
    const glances = () => [...draft.channels.values()].map(glanceOf)
    return {
      self: this.address,
      moment: this.moment,
      rules,
      payment: (id) => draft.payments.get(id),
      withSecretHash: (hash) => [...draft.payments.values()].filter((state) => !state.isEnded && state.secretHash === hash),
      open: () => [...draft.payments.values()].filter((state) => !state.isEnded),
      channel: (id) => {
        const state = draft.channels.get(id)
        return state === undefined ? undefined : glanceOf(state)
      },
      channelTo: (partner, token) => glances().find((one) => one.partner === partner && one.token === token),
      channels: glances,
      feeFor: (_channel, amount) => feeFor(amount),
    }
  }
}

export function packetName(channel: Hash, nonce: bigint): string {
  return `${channel} ${nonce}`
}

function taken(outcome: { readonly ok: true; readonly state: ChannelState } | Refusal): ChannelState {
  if (!outcome.ok) throw new Error(outcome.reason)
  return outcome.state
}
