/**
 * The one door into the payment machines: an input, a view, and out come changed records and commands. Which machine
 * looks at what is written here; what they decide is in their own files. Never throws on what a peer or the chain says.
 */
import type { Address, Hash } from '../../base/index.ts'
import { CODE } from './codes.ts'
import { directDelivered, directFailed, directReceived, directSent } from './direct.ts'
import { cancelPayment, initiatorMoment, initiatorRefused, initiatorRestarted, initiatorSettled, mayReveal, partDisposed, revealAllowed, revealedByItself, routesFound, secretPublic, secretRequested, secretShown, startPayment } from './initiator.ts'
import type { Moved } from './initiator.ts'
import { keep, keeperDisposed, keeperMoment, keeperOver, keeperPublic, keeperRefused, keeperSecret } from './keeper.ts'
import { carriedDisposed, carriedPaid, carriedPublic, carriedRemoved, carriedSecret, mediate, mediateAgain, mediatorMoment, mediatorRefused, mediatorSettled } from './mediator.ts'
import { secretHashOf } from '../channel/index.ts'
import { STATUS, initiatorId, isSameLock, keeperId, mediatorId, targetId } from './state.ts'
import type { Failure, HeldLock, PayOrder, PaymentState, SwapState, TargetState } from './state.ts'
import { legsOf, mayTake, swapAfter, swapExpectation, swapFault, swapOf, takerLimit } from './swap.ts'
import { ASKING, giveBack, takeLock, targetMoment, targetPaid, targetPublic, targetRefused, targetRemoved, targetSecret, targetSettled } from './target.ts'
import type { Expectation } from './target.ts'
import type { ChannelCommand, PaymentCommand, PaymentInput, Step, SwapOrder } from './turn.ts'
import type { ChannelGlance, PaymentView } from './view.ts'

type Input<K extends PaymentInput['kind']> = Extract<PaymentInput, { kind: K }>
type Handlers = { readonly [K in PaymentInput['kind']]: (draft: Draft, input: Input<K>) => void }

/** What one step has changed so far; later rules of the same step see it. */
class Draft {
  readonly view: PaymentView
  readonly commands: PaymentCommand[] = []
  readonly #changed = new Map<string, PaymentState>()

  constructor(view: PaymentView) {
    this.view = view
  }

  payment = (id: string): PaymentState | undefined => this.#changed.get(id) ?? this.view.payment(id)

  /** Only while it has not ended: that is known without the disk. `token`: of those that have one record per token. */
  unended<R extends PaymentState['role']>(role: R, secretHash: Hash, token: Address | null): Extract<PaymentState, { role: R }> | undefined {
    const isWanted = (state: PaymentState): state is Extract<PaymentState, { role: R }> => state.role === role && (token === null || state.token === token) && !state.isEnded
    for (const state of this.#changed.values()) if (state.secretHash === secretHash && isWanted(state)) return state
    for (const state of this.view.withSecretHash(secretHash)) if (!this.#changed.has(state.id) && isWanted(state)) return state
    return undefined
  }

  put(moved: Moved<PaymentState>): void {
    this.#changed.set(moved.state.id, moved.state)
    this.commands.push(...moved.commands)
  }

  /** Only what is different from before. */
  change(before: PaymentState, moved: Moved<PaymentState>): void {
    if (moved.state !== before) this.#changed.set(moved.state.id, moved.state)
    this.commands.push(...moved.commands)
  }

  changes(): readonly PaymentState[] {
    return [...this.#changed.values()]
  }

  /** Unfinished records under a hash, as they are by now. */
  under(secretHash: Hash): readonly PaymentState[] {
    return this.view.withSecretHash(secretHash).map((state) => this.#changed.get(state.id) ?? state)
  }
}

/** See `PaymentInput` and `PaymentCommand`. Pure. */
export function step(view: PaymentView, input: PaymentInput): Step {
  const draft = new Draft(view)
  // The table's entry for a kind takes exactly that kind; TypeScript cannot see the tie.
  const handle = HANDLERS[input.kind] as (draft: Draft, input: PaymentInput) => void
  handle(draft, input)
  linkLegs(draft)
  return { changes: draft.changes(), commands: draft.commands }
}

const HANDLERS: Handlers = {
  pay: (draft, { order, routes }) => pay(draft, order, routes),
  'pay-direct': (draft, input) => {
    const channel = draft.view.channel(input.channel)
    if (channel === undefined) return draft.commands.push(refusedOrder(input.reference, { code: CODE.channelNotFound, reason: 'no such channel' }))
    const state = directSent(channel, input, input.reference, draft.view.moment.block)
    return draft.put({ state, commands: [{ kind: 'send-direct', payment: state.id, channel: input.channel, amount: input.amount, paymentId: input.paymentId, data: input.data }] })
  },
  swap: (draft, { order, routes }) => startSwap(draft, order, routes),
  cancel: (draft, { id }) => {
    const state = draft.payment(id)
    if (state?.role === 'initiator') draft.change(state, cancelPayment(state, draft.view))
    if (state?.role === 'swap') giveSwapUp(draft, state, { code: CODE.cannotCancel, reason: 'called off' })
  },
  'allow-reveal': (draft, { id }) => {
    const state = draft.payment(id)
    if (state?.role === 'initiator') draft.change(state, revealAllowed(state, draft.view))
  },
  'secret-given': (draft, { secret }) => {
    for (const state of draft.under(secretHashOf(secret)))
      if (state.role === 'target') draft.change(state, targetSecret(state, secret, state.data, draft.view))
  },
  routes: (draft, { id, routes }) => {
    const state = draft.payment(id)
    if (state?.role === 'initiator') draft.change(state, routesFound(state, routes, draft.view))
  },
  'lock-received': (draft, { channel, terms, unwelcome }) => {
    const incoming = draft.view.channel(channel)
    if (incoming === undefined) return
    if (terms.target === draft.view.self) return takeOwn(draft, incoming, terms, unwelcome)
    const id = mediatorId({ ...incoming.key, partner: incoming.partner, lock: terms.lock })
    const known = draft.payment(id)
    draft.put(known?.role === 'mediator' ? mediateAgain(known) : mediate(incoming, terms, unwelcome, draft.view))
  },
  'lock-unlocked': (draft, { channel, secretHash, secret: shown }) => {
    for (const state of draft.under(secretHash)) {
      const secret = shown ?? state.secret
      if (secret === null) continue
      if (state.role === 'mediator' && state.incoming.channel === channel) draft.change(state, carriedPaid(state, secret, draft.view))
      else if (state.role === 'mediator') draft.change(state, carriedSecret(state, secret, draft.view))
      else if (state.role === 'target') draft.change(state, targetPaid(state, channel, secret, draft.view))
      else if (state.role === 'keeper' && state.direction === 'in' && state.held.channel === channel) draft.change(state, keeperOver(state, 'paid'))
    }
  },
  'lock-removed': (draft, { channel, secretHash }) => {
    for (const state of draft.under(secretHash)) {
      if (state.role === 'mediator' && state.incoming.channel === channel) draft.change(state, carriedRemoved(state, draft.view))
      else if (state.role === 'target') draft.change(state, targetRemoved(state, channel, draft.view))
      else if (state.role === 'keeper' && state.direction === 'in' && state.held.channel === channel) draft.change(state, keeperOver(state, 'gone'))
    }
  },
  'lock-disposed': (draft, { channel, secretHash, code, reason, hopIndex }) => {
    for (const state of draft.under(secretHash)) {
      if (state.role === 'initiator') draft.change(state, partDisposed(state, channel, code, reason, hopIndex, draft.view))
      else if (state.role === 'mediator' && state.outgoing?.channel === channel) draft.change(state, carriedDisposed(state, code, reason, hopIndex, draft.view))
      else if (state.role === 'keeper' && state.held.channel === channel) draft.change(state, keeperDisposed(state, draft.view))
    }
  },
  'lock-released': (draft, { channel, secretHash }) => {
    for (const state of draft.under(secretHash))
      if (state.role === 'mediator' && state.incoming.channel === channel && state.incomingPhase === 'disposed') draft.change(state, carriedRemoved(state, draft.view))
  },
  'direct-received': (draft, input) => {
    const channel = draft.view.channel(input.channel)
    if (channel === undefined) return
    const state = directReceived(channel, input, input.nonce, draft.view.moment.block)
    draft.put({ state, commands: [{ kind: 'notice', id: state.id, what: 'received', failure: null }] })
  },
  'direct-delivered': (draft, { id }) => {
    const state = draft.payment(id)
    if (state?.role === 'direct' && !state.isEnded) draft.put({ state: directDelivered(state), commands: [{ kind: 'notice', id, what: 'sent', failure: null }] })
  },
  'direct-lost': (draft, { id }) => {
    const failure: Failure = { code: CODE.transferWhenClosed, reason: 'the channel was settled without it' }
    const state = draft.payment(id)
    if (state?.role === 'direct' && !state.isEnded) draft.put({ state: directFailed(state, failure), commands: [{ kind: 'notice', id, what: 'failed', failure }] })
  },
  'channel-settled': (draft, { key }) => {
    for (const state of draft.view.open()) draft.change(state, settled(state, key, draft.view))
  },
  'channel-ready': (draft) => everyMoment(draft),
  'secret-request': (draft, { from, secretHash, amount }) => {
    for (const state of draft.under(secretHash)) if (state.role === 'initiator') draft.change(state, secretRequested(state, from, amount, draft.view))
  },
  reveal: (draft, { from, secret, data }) => {
    for (const state of draft.under(secretHashOf(secret))) {
      if (state.role === 'initiator') draft.change(state, secretShown(state, from, secret, draft.view))
      else if (state.role === 'mediator') draft.change(state, carriedSecret(state, secret, draft.view))
      else if (state.role === 'target') draft.change(state, targetSecret(state, secret, data, draft.view))
      else if (state.role === 'keeper') draft.change(state, keeperSecret(state, from, secret, draft.view))
    }
  },
  'secret-on-chain': (draft, { secret, secretHash, block }) => {
    for (const state of draft.under(secretHash)) {
      if (state.registeredBlock !== null) continue
      if (state.role === 'initiator') draft.change(state, secretPublic(state, secret, block, draft.view))
      else if (state.role === 'mediator') draft.change(state, carriedPublic(state, secret, block, draft.view))
      else if (state.role === 'target') draft.change(state, targetPublic(state, secret, block, draft.view))
      else if (state.role === 'keeper') draft.change(state, keeperPublic(state, secret, block, draft.view))
    }
  },
  moment: (draft) => everyMoment(draft),
  restarted: (draft) => {
    for (const state of draft.view.open()) if (state.role === 'initiator') draft.change(state, initiatorRestarted(state, draft.view))
    adoptStrays(draft)
  },
  'command-refused': (draft, { command, code, reason }) => {
    const state = draft.payment(command.payment)
    if (state !== undefined) draft.change(state, refused(state, command, { code, reason }, draft.view))
  },
}

function pay(draft: Draft, order: PayOrder, routes: Input<'pay'>['routes']): void {
  const id = initiatorId(order.token, order.secretHash)
  if (draft.payment(id) !== undefined) draft.commands.push({ kind: 'notice', id, what: 'ignored', failure: { code: CODE.duplicateSecret, reason: 'there is a payment under this hash' } })
  else draft.put(startPayment(order, routes, draft.view, null))
}

function startSwap(draft: Draft, order: SwapOrder, routes: Input<'swap'>['routes']): void {
  const fault = swapFault(order, draft.view)
  const swap = swapOf(order, draft.view)
  if (fault !== null) return void draft.commands.push({ kind: 'notice', id: swap.id, what: 'ignored', failure: fault })
  draft.put({ state: swap, commands: [] })
  if (order.side === 'maker') draft.put(startPayment(order.pay, routes, draft.view, { id: swap.id, expirationLimit: null }))
}

/** A lock whose target we are: asked for by nobody, our own circle, or a leg of a swap. */
function takeOwn(draft: Draft, channel: ChannelGlance, terms: Input<'lock-received'>['terms'], unwelcome: Failure | null): void {
  const { view } = draft
  const { secretHash } = terms.lock
  const known = draft.payment(targetId(channel.token, secretHash))
  const own = draft.unended('initiator', secretHash, channel.token)
  const swap = draft.unended('swap', secretHash, null)
  let expected: Expectation = ASKING
  let fault = unwelcome
  if (terms.initiator === view.self) {
    const isOurs = own !== undefined && own.target === view.self && own.status === STATUS.canCancel
    if (isOurs) expected = { kind: 'own', amount: own.amount, from: view.self, notBefore: null }
    else fault ??= { code: CODE.unwantedTransfer, reason: 'we have not sent this' }
  } else if (swap !== undefined && swap.receivingToken === channel.token) {
    expected = swapExpectation(swap, view)
    const { ours } = legsOf(swap, draft.payment)
    if (swap.side === 'maker' && ours?.status !== STATUS.canCancel) fault ??= { code: CODE.unwantedTransfer, reason: 'the swap is off' }
  }
  draft.put(takeLock(known?.role === 'target' ? known : undefined, channel, terms, fault, expected, view))
}

/** What one leg means for the other: circles are taken, swaps go on, fail and end. */
function linkLegs(draft: Draft): void {
  for (const state of draft.changes()) {
    if (state.role === 'target' && state.kind === 'own') takeCircle(draft, state)
    if (state.role === 'initiator' && state.target === draft.view.self) {
      const back = draft.unended('target', state.secretHash, state.token)
      if (back !== undefined) takeCircle(draft, back)
    }
    if (state.role !== 'initiator' && state.role !== 'target' && state.role !== 'swap') continue
    const swap = draft.unended('swap', state.secretHash, null)
    if (swap !== undefined) linkSwap(draft, swap)
  }
}

/** Our own payment has come back to us whole: taking it shows the secret to the others. */
function takeCircle(draft: Draft, before: TargetState): void {
  const back = draft.payment(before.id)
  if (back?.role !== 'target' || back.kind !== 'own' || back.isEnded || !back.isComplete || back.secret !== null) return
  const own = draft.payment(initiatorId(back.token, back.secretHash))
  if (own?.role !== 'initiator' || own.secret === null || !mayReveal(own, draft.view)) return
  draft.put({ state: revealedByItself(own), commands: [] })
  draft.put(targetSecret(back, own.secret, own.data, draft.view))
}

function linkSwap(draft: Draft, before: SwapState): void {
  const { view } = draft
  const swap = draft.payment(before.id)
  if (swap?.role !== 'swap' || swap.isEnded) return
  const { ours, theirs } = legsOf(swap, draft.payment)
  if (swap.side === 'maker' && swap.secret !== null && theirs !== undefined && !theirs.isEnded && theirs.secret === null && ours !== undefined && mayTake(ours, theirs, view)) {
    draft.put({ state: revealedByItself(ours), commands: [] })
    draft.put(targetSecret(theirs, swap.secret, theirs.data, view))
  }
  if (swap.side === 'taker' && theirs !== undefined && !theirs.isEnded && theirs.isComplete && ours === undefined) {
    draft.put(startPayment(swap.pay, [], view, { id: swap.id, expirationLimit: takerLimit(theirs, view) }))
    // The original's maker shows the secret when it is asked, and only once it has the taker's lock; before, it does not even acknowledge.
    if (swap.pay.domain.profile === 'v1') draft.commands.push({ kind: 'send-request', to: theirs.initiator, secretHash: theirs.secretHash, amount: theirs.amount, paymentId: theirs.paymentId })
  }
  const now = legsOf(swap, draft.payment)
  const hasFailed = now.ours?.isEnded === true && now.ours.status !== STATUS.success
  if (hasFailed && now.theirs !== undefined && !now.theirs.isEnded && now.theirs.secret === null)
    draft.change(now.theirs, giveBack(now.theirs, now.ours?.failure ?? { code: CODE.noPath, reason: 'the swap failed' }, view))
  const after = swapAfter(swap, draft.payment, view)
  if (after === swap) return
  const isDone = after.outcome === 'swapped'
  draft.put({ state: after, commands: [{ kind: 'notice', id: swap.id, what: isDone ? 'swapped' : 'failed', failure: isDone ? null : (now.ours?.failure ?? { code: CODE.timeout, reason: 'the other side did not come' }) }] })
}

/** Only while the secret has not been shown. */
function giveSwapUp(draft: Draft, swap: SwapState, failure: Failure): void {
  const { ours, theirs } = legsOf(swap, draft.payment)
  if (ours !== undefined && !ours.isEnded && !ours.isRevealed) draft.change(ours, cancelPayment(ours, draft.view))
  if (theirs !== undefined && theirs.secret === null && (ours === undefined || ours.isEnded)) draft.change(theirs, giveBack(theirs, failure, draft.view))
  const isUnmet = ours === undefined && theirs === undefined && !swap.isEnded
  if (isUnmet) draft.put({ state: { ...swap, isEnded: true, outcome: 'not-swapped' }, commands: [{ kind: 'notice', id: swap.id, what: 'cancelled', failure }] })
}

function everyMoment(draft: Draft): void {
  const { view } = draft
  for (const state of view.open()) {
    if (state.role === 'initiator') draft.change(state, initiatorMoment(state, view))
    else if (state.role === 'mediator') draft.change(state, mediatorMoment(state, view))
    else if (state.role === 'target') {
      draft.change(state, targetMoment(state, view))
      takeCircle(draft, state)
    }
    else if (state.role === 'keeper') draft.change(state, keeperMoment(state, view))
    else if (state.role === 'swap') swapMoment(draft, state)
  }
}

function swapMoment(draft: Draft, swap: SwapState): void {
  const { view } = draft
  const { ours, theirs } = legsOf(swap, draft.payment)
  const isLate = !view.moment.isFrozen && view.moment.block >= swap.deadlineBlock
  const isMet = theirs !== undefined && !theirs.isEnded
  if (isLate && !isMet && (ours === undefined || (!ours.isEnded && ours.status === STATUS.canCancel))) giveSwapUp(draft, swap, { code: CODE.timeout, reason: 'the other side did not come' })
  linkSwap(draft, swap)
}

function settled(state: PaymentState, key: Input<'channel-settled'>['key'], view: PaymentView): Moved<PaymentState> {
  if (state.role === 'initiator') return initiatorSettled(state, key, view)
  if (state.role === 'mediator') return mediatorSettled(state, key, view)
  if (state.role === 'target') return targetSettled(state, key, view)
  const isHere = state.role === 'keeper' && state.held.channel === key.channel && state.held.epoch === key.epoch
  return isHere ? keeperOver(state, state.direction === 'out' ? 'chain' : 'gone') : { state, commands: [] }
}

function refused(state: PaymentState, command: ChannelCommand, failure: Failure, view: PaymentView): Moved<PaymentState> {
  switch (state.role) {
    case 'initiator':
      return initiatorRefused(state, command, failure, view)
    case 'mediator':
      return mediatorRefused(state, command, failure, view)
    case 'target':
      return targetRefused(state, command)
    case 'keeper':
      return keeperRefused(state, command)
    case 'direct':
      return { state: directFailed(state, failure), commands: [{ kind: 'notice', id: state.id, what: 'failed', failure }] }
    case 'swap':
      return { state, commands: [] }
  }
}

/** Locks in the channels that no record knows: from a time after the copy this node was restored from. */
function adoptStrays(draft: Draft): void {
  const known = new Set<string>()
  const note = (direction: 'in' | 'out', held: HeldLock): unknown => known.add(keeperId(direction, held))
  for (const state of draft.view.open()) {
    if (state.role === 'initiator') for (const part of state.parts) note('out', part.held)
    if (state.role === 'target') for (const part of state.parts) note('in', part.held)
    if (state.role === 'keeper') note(state.direction, state.held)
    if (state.role === 'mediator') {
      note('in', state.incoming)
      if (state.outgoing !== null) note('out', state.outgoing)
    }
  }
  for (const channel of draft.view.channels())
    for (const [direction, locks] of [['out', channel.ownLocks], ['in', channel.partnerLocks]] as const)
      for (const { expiration, amount, secretHash } of locks) {
        const held: HeldLock = { ...channel.key, partner: channel.partner, lock: { expiration, amount, secretHash } }
        const target = direction === 'in' ? draft.payment(targetId(channel.token, secretHash)) : undefined
        const isGivenUp = target?.role === 'target' && target.parts.some((part) => part.phase === 'disposed' && isSameLock(part.held, held))
        if (!isGivenUp && !known.has(keeperId(direction, held))) draft.put({ state: keep(direction, held, channel.token), commands: [] })
      }
}

function refusedOrder(id: string | Address, failure: Failure): PaymentCommand {
  return { kind: 'notice', id, what: 'failed', failure }
}
