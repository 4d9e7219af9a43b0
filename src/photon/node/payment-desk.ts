/**
 * Carries out what the payment machines want, in the turn that decided it: commands by the channels' verbs, refused ones
 * fed back, records stored with the channels they moved.
 */
import { MeshBoxError } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import type { Store, Tx } from '../../store/index.ts'
import { learnSecret } from '../channel/index.ts'
import type { ChannelMachine, Refusal } from '../channel/index.ts'
import { DEFAULT_PAYMENT_RULES, PaymentTable, glanceOf, isPartPaid, orderedHash, step } from '../payment/index.ts'
import type { ChannelCommand, ChannelGlance, Failure, Notice, PayOrder, PaymentCommand, PaymentInput, PaymentRules, PaymentState, PaymentView } from '../payment/index.ts'
import type { ChainMoment, Domain, Router } from '../ports.ts'
import type { ChannelSet } from './channel-set.ts'
import type { Draft } from './draft.ts'
import type { FeeBook } from './ports.ts'
import { putPayments, purgePayments, readOpenPayments, readPayment } from './tables/payments.ts'

/** A bound on our own mistakes: no input needs a tenth of it. */
const MAX_STEPS = 1000
const NO_DATA = new Uint8Array(0)
const NO_SUCH_CHANNEL: Refusal = { ok: false, code: 3002, reason: 'no such channel' }

export interface PaymentDeskOptions {
  readonly self: Address
  readonly domain: Domain
  readonly store: Store
  readonly machine: ChannelMachine
  readonly channels: ChannelSet
  readonly router: Router
  readonly fees: FeeBook
  readonly paymentRules?: Partial<PaymentRules>
  feeFor(channel: ChannelGlance, amount: bigint): bigint
  /** Why no new lock is given, taken or carried by the owner's will. */
  heldBack(): Failure | null
  /** A secret fresh from the kernel, and its hash. */
  freshSecret(): { readonly secret: Hash; readonly secretHash: Hash }
  wallMs(): number
}

/** What became of a payment, or must be known of it. Told after it is stored. */
export interface PaymentNotice {
  readonly id: string
  readonly what: Notice
  readonly failure: Failure | null
  readonly payment: PaymentState | null
}

type NoticeCommand = Extract<PaymentCommand, { kind: 'notice' }>

const ENDINGS: Partial<Record<Notice, 'sent' | 'received' | 'mediated' | 'failed' | 'cancelled' | 'swapped'>> = {
  sent: 'sent',
  received: 'received',
  mediated: 'mediated',
  failed: 'failed',
  cancelled: 'cancelled',
  swapped: 'swapped',
}

export class PaymentDesk {
  readonly #options: PaymentDeskOptions
  readonly #rules: PaymentRules
  readonly #table = new PaymentTable()
  readonly #tell: (notice: PaymentNotice) => void
  /** Changes of the draft under way, and what the machines see of it. */
  readonly #drafts = new WeakMap<Draft, { readonly changed: Changed; readonly view: PaymentView }>()

  constructor(options: PaymentDeskOptions, tell: (notice: PaymentNotice) => void) {
    this.#options = options
    this.#rules = { ...DEFAULT_PAYMENT_RULES, ...options.paymentRules }
    this.#tell = tell
  }

  load(): void {
    for (const state of this.#options.store.read((tx) => readOpenPayments(tx, this.#options.domain.contract))) this.#table.put(state)
  }

  get size(): number {
    return this.#table.size
  }

  payment(id: string): PaymentState | undefined {
    return this.#table.get(id) ?? this.#options.store.read((tx) => readPayment(tx, this.#options.domain.contract, id))
  }

  open(): readonly PaymentState[] {
    return this.#table.open()
  }

  /** Whether anything under way has to do with this hash: others' messages about it are not worth a look. */
  knows(secretHash: Hash): boolean {
    return this.#table.withSecretHash(secretHash).length > 0
  }

  take(draft: Draft, input: PaymentInput): void {
    const { changed, view } = this.#changesOf(draft)
    const inputs: PaymentInput[] = [input]
    const notices: NoticeCommand[] = []
    for (let steps = 0; inputs.length > 0; steps++) {
      const next = inputs.shift()
      if (next === undefined) break
      if (steps > MAX_STEPS) throw new MeshBoxError('internal', 'the payment machines do not come to an end', { code: 'photon-steps' })
      const { changes, commands } = step(view, next)
      for (const state of changes) changed.put(state)
      for (const command of commands)
        if (command.kind === 'notice') notices.push(command)
        else inputs.push(...this.#carryOut(draft, command))
    }
    // Last: a command that its channel refuses opens again what was over a step before.
    for (const notice of notices) this.#notice(draft, changed, notice)
  }

  #carryOut(draft: Draft, command: Exclude<PaymentCommand, NoticeCommand>): readonly PaymentInput[] {
    const { router, fees } = this.#options
    switch (command.kind) {
      case 'send-request':
        draft.say(command.to, { kind: 'secret-request', secretHash: command.secretHash, amount: command.amount, paymentId: command.paymentId })
        return []
      case 'send-reveal':
        draft.say(command.to, { kind: 'reveal', secret: command.secret, data: command.data })
        return []
      case 'find-routes':
        return [{ kind: 'routes', id: command.id, routes: router.find(command.request) }]
      case 'pay-again': {
        const order: PayOrder = { ...command.order, ...this.#options.freshSecret() }
        return [{ kind: 'pay', order, routes: [] }]
      }
      case 'report-path':
        draft.afterwards.push(() => router.report(command.path, command.outcome))
        return []
      case 'post-fee': {
        const [from, to] = [this.#options.channels.get(command.incoming.channel), this.#options.channels.get(command.outgoing.channel)]
        const earning = { paymentKey: command.id, token: command.token, amount: command.fee, from: from?.partner ?? this.#options.self, to: to?.partner ?? this.#options.self }
        draft.writes.push((tx) => fees.post(tx, earning))
        return []
      }
      default: {
        const refusal = this.#byChannel(draft, command)
        return refusal === null ? [] : [{ kind: 'command-refused', command, code: refusal.code, reason: refusal.reason }]
      }
    }
  }

  #byChannel(draft: Draft, command: ChannelCommand): Refusal | null {
    const { machine, channels } = this.#options
    const live = channels.get(command.channel)
    if (live === undefined) return NO_SUCH_CHANNEL
    const [state, { moment }] = [draft.state(live), draft]
    switch (command.kind) {
      case 'send-direct':
        return draft.send(live, machine.sendDirect(state, command, moment))
      case 'send-locked':
        return draft.send(live, machine.sendLocked(state, command, moment))
      case 'send-unlock':
        return draft.send(live, machine.sendUnlock(state, command.secret, moment))
      case 'send-expired':
        return draft.send(live, machine.sendExpired(state, command.secretHash, moment))
      case 'send-disposed':
        return draft.send(live, machine.sendDisposed(state, command.secretHash, { code: command.code, reason: command.reason, hopIndex: command.hopIndex }, moment))
      case 'send-disposed-response':
        return draft.send(live, machine.sendDisposedResponse(state, command.secretHash, moment))
      case 'learn-secret':
        draft.put(live, learnSecret(state, command.secret))
        draft.dutiful.add(live)
        return null
    }
  }

  #notice(draft: Draft, changed: Changed, command: NoticeCommand): void {
    const payment = changed.get(command.id) ?? this.payment(command.id) ?? null
    const kind = ENDINGS[command.what]
    if ((kind === 'sent' || kind === 'failed') && payment?.isEnded === false) return
    if (kind !== undefined && payment !== null && payment.role !== 'direct')
      draft.history.push({
        kind,
        channelNumber: 0,
        nonce: 0n,
        amount: amountOf(payment),
        wallMs: this.#options.wallMs(),
        key: payment.role === 'initiator' ? orderedHash(payment) : payment.secretHash,
        peer: peerOf(payment),
        data: payment.role === 'initiator' || payment.role === 'target' ? payment.data : NO_DATA,
        token: payment.token,
        fee: feeOf(payment),
        note: command.failure === null ? '' : `${command.failure.reason} (${command.failure.code})`,
      })
    draft.afterwards.push(() => this.#tell({ id: command.id, what: command.what, failure: command.failure, payment }))
  }

  /** The draft's changes, made true with it: stored in its turn, then put into the table. */
  #changesOf(draft: Draft): { readonly changed: Changed; readonly view: PaymentView } {
    const known = this.#drafts.get(draft)
    if (known !== undefined) return known
    const changed = new Changed()
    const changes = { changed, view: this.#view(draft, changed) }
    this.#drafts.set(draft, changes)
    draft.writes.push((tx: Tx) => {
      if (changed.size === 0) return
      const { contract } = this.#options.domain
      const isUnderWay = (state: PaymentState): boolean => !state.isEnded && this.#table.get(state.id) !== undefined
      const all = [...changed.values()]
      putPayments(tx, contract, all.filter((state) => !isUnderWay(state)), false)
      putPayments(tx, contract, all.filter(isUnderWay), true)
      purgePayments(tx)
    })
    draft.afterwards.push(() => {
      for (const state of changed.values()) this.#table.put(state)
    })
    return changes
  }

  #view(draft: Draft, changed: Changed): PaymentView {
    const { channels, self, feeFor, heldBack } = this.#options
    const table = this.#table
    /** As they are by now: those of the table first, in their order, then those that began in this draft. */
    const current = (known: readonly PaymentState[], begun: Iterable<PaymentState>): readonly PaymentState[] => {
      const states: PaymentState[] = []
      for (const state of known) {
        const now = changed.get(state.id) ?? state
        if (!now.isEnded) states.push(now)
      }
      for (const state of begun) if (!state.isEnded && table.get(state.id) === undefined) states.push(state)
      return states
    }
    return {
      self,
      moment: draft.moment satisfies ChainMoment,
      rules: this.#rules,
      heldBack: heldBack(),
      payment: (id) => changed.get(id) ?? this.payment(id),
      withSecretHash: (secretHash) => current(table.withSecretHash(secretHash), changed.under(secretHash)),
      open: () => current(table.open(), changed.values()),
      channel: (channel) => {
        const live = channels.get(channel)
        return live === undefined ? undefined : glanceOf(draft.state(live))
      },
      channelTo: (partner, token) => {
        for (const live of channels.with(partner)) if (live.state.token === token) return glanceOf(draft.state(live))
        return undefined
      },
      *channels() {
        for (const live of channels.all()) yield glanceOf(draft.state(live))
      },
      feeFor,
    }
  }
}

/** Records that a draft has changed: a group's are many, and each input asks for those under its own hash. */
class Changed {
  readonly #byId = new Map<string, PaymentState>()
  readonly #idsByHash = new Map<Hash, Set<string>>()

  get size(): number {
    return this.#byId.size
  }

  get(id: string): PaymentState | undefined {
    return this.#byId.get(id)
  }

  /** A record's hash never changes. */
  put(state: PaymentState): void {
    this.#byId.set(state.id, state)
    const ids = this.#idsByHash.get(state.secretHash)
    if (ids === undefined) this.#idsByHash.set(state.secretHash, new Set([state.id]))
    else ids.add(state.id)
  }

  values(): IterableIterator<PaymentState> {
    return this.#byId.values()
  }

  under(secretHash: Hash): readonly PaymentState[] {
    const ids = this.#idsByHash.get(secretHash)
    return ids === undefined ? [] : Array.from(ids, (id) => this.#byId.get(id)).filter((state) => state !== undefined)
  }
}

function amountOf(payment: PaymentState): bigint {
  switch (payment.role) {
    case 'mediator':
      return payment.fee
    case 'swap':
      return payment.pay.amount
    case 'keeper':
      return payment.held.lock.amount
    default:
      return payment.amount
  }
}

/** What it cost us on the way, or earned us. */
function feeOf(payment: PaymentState): bigint {
  if (payment.role === 'mediator') return payment.fee
  return payment.role === 'initiator' ? payment.parts.reduce((sum, part) => (isPartPaid(payment, part) ? sum + part.path.fee : sum), 0n) : 0n
}

function peerOf(payment: PaymentState): Address | null {
  switch (payment.role) {
    case 'initiator':
      return payment.target
    case 'target':
    case 'mediator':
      return payment.initiator
    case 'swap':
      return payment.pay.target
    case 'keeper':
      return payment.held.partner
    case 'direct':
      return payment.partner
  }
}
