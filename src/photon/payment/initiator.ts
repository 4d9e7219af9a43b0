/**
 * Who pays: photon.md 3.2, with parts over several paths under one secret hash, hold payments and circular ones.
 * `(state, what happened, view) → state and commands`; states are drawn in docs/photon-payment.md.
 *
 * Rules that hold the money: the secret leaves only while all parts lie locked and far from their end, and only for
 * the whole amount; once it has left nothing is taken back before its time; a channel where this hash was given up never
 * gets it again (its receiver could not claim it): the rest is tried over other channels, then anew with a fresh secret.
 */
import type { Address, Hash } from '../../base/index.ts'
import type { Path } from '../ports.ts'
import { CODE } from './codes.ts'
import { channelOf, holdback, isClaimable, isFarFromEnd, isPending, phaseAfterRefusal, watchOut } from './deadlines.ts'
import { isPathSound, pathChannel } from './paths.ts'
import { lockBlocks } from './rules.ts'
import { secretHashOf } from '../channel/index.ts'
import { STATUS, initiatorId, orderedHash } from './state.ts'
import type { Failure, HeldLock, InitiatorState, OutPart, PayOrder } from './state.ts'
import type { ChannelCommand, PaymentCommand } from './turn.ts'
import type { PaymentView } from './view.ts'

export interface Moved<State> {
  readonly state: State
  readonly commands: readonly PaymentCommand[]
}

/** `swap`: this is one leg of it. Never throws: what cannot be started is a failed record. */
export function startPayment(order: PayOrder, routes: readonly (readonly Path[])[], view: PaymentView, swap: { readonly id: string; readonly expirationLimit: number | null } | null): Moved<InitiatorState> {
  const state: InitiatorState = {
    role: 'initiator',
    id: initiatorId(order.token, order.secretHash),
    token: order.token,
    secretHash: order.secretHash,
    secret: order.secret,
    registeredBlock: null,
    isEnded: false,
    target: order.target,
    amount: order.amount,
    maxFee: order.maxFee,
    maxParts: Math.min(order.maxParts, view.rules.maxParts),
    data: order.data,
    paymentId: order.paymentId,
    status: STATUS.init,
    isRevealAllowed: order.isRevealAllowed,
    isAsked: false,
    isRevealed: false,
    swapId: swap?.id ?? null,
    expirationLimit: swap?.expirationLimit ?? null,
    parts: [],
    routes,
    isSearching: false,
    searchedBlock: view.moment.block,
    searches: 0,
    freshRetries: order.freshRetries,
    ...(order.orderedHash === undefined ? {} : { orderedHash: order.orderedHash }),
    domain: order.domain,
    startedBlock: view.moment.block,
    failure: null,
  }
  const wrong = orderFault(order, view)
  return wrong === null ? nextTry(state, view) : failed(state, wrong)
}

function orderFault(order: PayOrder, view: PaymentView): Failure | null {
  if (order.amount <= 0n || order.maxFee < 0n) return { code: CODE.invalidAmount, reason: 'the amount must be above 0 and the fee not below' }
  if (order.maxParts < 1) return { code: CODE.argument, reason: 'a payment has at least one part' }
  if (order.secret !== null && secretHashOf(order.secret) !== order.secretHash) return { code: CODE.argument, reason: 'the secret does not fit its hash' }
  return holdback(view)
}

/** The router's answer to `find-routes`. */
export function routesFound(state: InitiatorState, routes: readonly (readonly Path[])[], view: PaymentView): Moved<InitiatorState> {
  if (!state.isSearching) return still(state)
  return proceed({ ...state, isSearching: false, routes: [...routes, ...state.routes] }, view)
}

/** The target asks. `amount` must be the whole payment; a swap's secret is never given this way. */
export function secretRequested(state: InitiatorState, from: Address, amount: bigint, view: PaymentView): Moved<InitiatorState> {
  if (state.isEnded || state.swapId !== null || from !== state.target || state.status === STATUS.cancelled) return still(state)
  if (amount !== state.amount)
    return { state, commands: [notice(state, 'amount-mismatch', { code: CODE.transferAmountMismatch, reason: `the target asks for ${amount}, not for ${state.amount}` })] }
  if (state.isRevealed && state.secret !== null && state.status !== STATUS.failed)
    return { state, commands: [{ kind: 'send-reveal', to: state.target, secret: state.secret, data: state.data }] } // it has lost our answer
  return maybeReveal({ ...state, isAsked: true }, view)
}

export function revealAllowed(state: InitiatorState, view: PaymentView): Moved<InitiatorState> {
  return state.isEnded ? still(state) : maybeReveal({ ...state, isRevealAllowed: true }, view)
}

/** True when every part lies locked, in all the whole amount, with time to spare: only then may the secret go out. */
export function mayReveal(state: InitiatorState, view: PaymentView): boolean {
  return (
    state.status === STATUS.canCancel &&
    state.isRevealAllowed &&
    lockedAmount(state) === state.amount &&
    lockedParts(state).every((part) => isFarFromEnd(part.held.lock, view) && channelOf(part.held, view)?.isOpen === true)
  )
}

function maybeReveal(state: InitiatorState, view: PaymentView): Moved<InitiatorState> {
  if (state.isRevealed || !state.isAsked || state.secret === null || !mayReveal(state, view)) return still(state)
  return {
    state: { ...state, isRevealed: true, status: STATUS.cannotCancel },
    commands: [{ kind: 'send-reveal', to: state.target, secret: state.secret, data: state.data }],
  }
}

/** Somebody shows the secret. Only the parts of the hop that showed it are paid: the others show it in their turn. */
export function secretShown(state: InitiatorState, from: Address, secret: Hash, view: PaymentView): Moved<InitiatorState> {
  if (state.isEnded) return still(state)
  const parts = state.parts.map((part): OutPart => (part.phase === 'locked' && part.held.partner === from ? { ...part, phase: 'owed' } : part))
  if (parts.every((part, at) => part === state.parts[at])) return still(state)
  return watch(revealed({ ...state, secret, parts }), view)
}

/** The secret is public: whoever holds one of our locks can claim it, so he is paid. */
export function secretPublic(state: InitiatorState, secret: Hash, block: number, view: PaymentView): Moved<InitiatorState> {
  if (state.isEnded) return still(state)
  const known: InitiatorState = { ...state, secret, registeredBlock: block }
  if (!known.parts.some((part) => isPending(part.phase) && isClaimable(part.held.lock, block))) return still(known)
  return watch(revealed(known), view)
}

/** The first hop gives a lock up: try elsewhere, or fail. After the secret has left it is ignored (F11). */
export function partDisposed(state: InitiatorState, channel: Hash, code: number, reason: string, hopIndex: number | null, view: PaymentView): Moved<InitiatorState> {
  const part = lockedPart(state, channel)
  if (part === undefined) return still(state)
  const failure: Failure = { code, reason }
  if (state.isRevealed) return { state, commands: [notice(state, 'refund-after-reveal', failure)] }
  const given: PaymentCommand[] = []
  if (hopIndex !== null) given.push({ kind: 'report-path', path: part.path, outcome: { ok: false, hopIndex: boundedHop(hopIndex, part.path), code } })
  return after(given, watch({ ...replaced(state, part, 'refunding'), isAsked: false, failure }, view))
}

/** Only before the secret has left. Locks already given come back by themselves, at the latest when they expire. */
export function cancelPayment(state: InitiatorState, view: PaymentView): Moved<InitiatorState> {
  if (state.isEnded || state.isRevealed || (state.status !== STATUS.canCancel && state.status !== STATUS.init))
    return { state, commands: [notice(state, 'ignored', { code: CODE.cannotCancel, reason: 'the secret has left, or the payment is over' })] }
  return finish({ state: { ...state, status: STATUS.cancelled, isSearching: false }, commands: [notice(state, 'cancelled', null)] }, view)
}

/** A new height, or the chain is in view again. */
export function initiatorMoment(state: InitiatorState, view: PaymentView): Moved<InitiatorState> {
  const isUnanswered = state.isSearching && !view.moment.isFrozen && view.moment.block >= state.searchedBlock + view.rules.searchTimeoutBlocks
  const watched = isUnanswered ? proceed({ ...state, isSearching: false }, view) : watch(state, view)
  if (watched.state.isEnded || watched.state.isRevealed) return watched
  return after(watched.commands, maybeReveal(watched.state, view))
}

export function initiatorSettled(state: InitiatorState, held: Pick<HeldLock, 'channel' | 'epoch'>, view: PaymentView): Moved<InitiatorState> {
  const parts = state.parts.map((part): OutPart => (isPending(part.phase) && part.held.channel === held.channel && part.held.epoch === held.epoch ? { ...part, phase: 'chain' } : part))
  return finish({ state: { ...state, parts }, commands: [] }, view)
}

export function initiatorRefused(state: InitiatorState, command: ChannelCommand, failure: Failure, view: PaymentView): Moved<InitiatorState> {
  if (command.kind === 'send-locked') {
    const part = state.parts.find((one) => one.phase === 'locked' && one.held.channel === command.channel && one.held.lock.expiration === command.lock.expiration)
    // It never left, so the channel may still be used for this hash.
    return part === undefined ? still(state) : proceed({ ...state, parts: state.parts.filter((one) => one !== part), failure }, view)
  }
  const part = state.parts.findLast((one) => one.held.channel === command.channel && !isPending(one.phase) && one.phase !== 'chain')
  return part === undefined ? still(state) : still({ ...replaced(state, part, phaseAfterRefusal(command)), isEnded: false })
}

/** After a start: what was asked of others and is not on disk is asked again. */
export function initiatorRestarted(state: InitiatorState, view: PaymentView): Moved<InitiatorState> {
  return state.isSearching ? proceed({ ...state, isSearching: false, searches: Math.max(0, state.searches - 1) }, view) : still(state)
}

/** Does what has become due for the parts, then what follows from it. */
function watch(state: InitiatorState, view: PaymentView): Moved<InitiatorState> {
  const commands: PaymentCommand[] = []
  const parts = state.parts.map((part): OutPart => {
    const watched = watchOut(state.id, part.held, part.phase, state.secret, state.registeredBlock, view)
    if (watched.phase === part.phase) return part
    commands.push(...watched.commands)
    if (watched.phase === 'unlocked') commands.push({ kind: 'report-path', path: part.path, outcome: { ok: true } })
    return { ...part, phase: watched.phase }
  })
  return parts.every((part, at) => part === state.parts[at]) ? still(state) : finish({ state: { ...state, parts }, commands }, view)
}

/** Nothing promised any more: over, with what it came to. With time to try elsewhere: tries. Otherwise as it is. */
function finish(moved: Moved<InitiatorState>, view: PaymentView): Moved<InitiatorState> {
  const { state, commands } = moved
  if (state.isEnded || state.isSearching) return moved
  if (state.parts.some((part) => isPending(part.phase))) {
    const isOpenToTry = !state.isRevealed && state.status === STATUS.canCancel
    return isOpenToTry ? after(commands, nextTry(state, view)) : moved
  }
  const isPaid = state.parts.some((part) => isPartPaid(state, part))
  if (isPaid) return { state: { ...state, status: STATUS.success, isEnded: true, failure: null }, commands: [...commands, notice(state, 'sent', null)] }
  if (state.status === STATUS.cancelled) return { state: { ...state, isEnded: true }, commands }
  if (state.isRevealed || state.parts.some((part) => part.phase === 'expired' || part.phase === 'chain'))
    return after(commands, failed(state, state.failure ?? { code: CODE.lockExpired, reason: 'nobody claimed it in time' }))
  return after(commands, nextTry(state, view))
}

/** Given for good: unlocked, or the contract gives it to its receiver. */
export function isPartPaid({ registeredBlock }: InitiatorState, { phase, held }: OutPart): boolean {
  return phase === 'unlocked' || (phase === 'chain' && isClaimable(held.lock, registeredBlock))
}

function proceed(state: InitiatorState, view: PaymentView): Moved<InitiatorState> {
  if (state.status === STATUS.cancelled || state.isRevealed) return finish({ state, commands: [] }, view)
  return nextTry(state, view)
}

/** Sends what is missing over the best set of paths left; asks the router when none is. */
function nextTry(state: InitiatorState, view: PaymentView): Moved<InitiatorState> {
  const locked = lockedParts(state)
  const missing = state.amount - lockedAmount(state)
  if (missing === 0n || state.isSearching || state.parts.some((part) => part.phase === 'refunding')) return still(state)
  const feeLeft = state.maxFee - locked.reduce((sum, part) => sum + part.path.fee, 0n)
  const partsLeft = state.maxParts - locked.length
  const taken = new Set(state.parts.map((part) => part.held.channel)) // also where it was given up: a channel takes a hash once
  const best = view.moment.isFrozen ? undefined : state.routes.find((set) => isSetUsable(set, missing, feeLeft, partsLeft, taken, state, view))
  if (best !== undefined) return sendSet({ ...state, routes: state.routes.filter((set) => set !== best) }, best, view)
  if (state.searches < view.rules.maxSearches && partsLeft > 0 && !view.moment.isFrozen) {
    const request = { token: state.token, target: state.target, amount: missing, maxFee: feeLeft, maxParts: partsLeft }
    return { state: { ...state, isSearching: true, searchedBlock: view.moment.block, searches: state.searches + 1, routes: locked.length === 0 ? [] : state.routes }, commands: [{ kind: 'find-routes', id: state.id, request }] }
  }
  if (locked.length > 0) return still(state) // the target gives incomplete parts back in time
  return failed(state, state.failure ?? { code: CODE.noPath, reason: 'no path has the money within the fee; each part may be a tenth of what a channel between others holds' })
}

function isSetUsable(set: readonly Path[], missing: bigint, feeLeft: bigint, partsLeft: number, taken: ReadonlySet<Hash>, state: InitiatorState, view: PaymentView): boolean {
  if (set.length === 0 || set.length > partsLeft) return false
  if (set.reduce((sum, path) => sum + path.amount, 0n) !== missing || set.reduce((sum, path) => sum + path.fee, 0n) > feeLeft) return false
  const channels = new Set(taken)
  for (const path of set) {
    const channel = pathChannel(path, state.token, view)
    if (channel === undefined || channels.has(channel.key.channel) || !isPathSound(path, state.target, view)) return false
    if (channel.domain.profile === 'v1' && path.amount !== state.amount) return false // its messages know no parts
    if (channel.spendable < path.amount + path.fee || endOf(state, channel.settleTimeout, view) - view.moment.block <= view.rules.revealTimeoutBlocks) return false
    channels.add(channel.key.channel)
  }
  return true
}

function sendSet(state: InitiatorState, set: readonly Path[], view: PaymentView): Moved<InitiatorState> {
  const commands: PaymentCommand[] = []
  const parts: OutPart[] = []
  for (const path of set) {
    const channel = pathChannel(path, state.token, view)
    if (channel === undefined) continue
    const lock = { expiration: endOf(state, channel.settleTimeout, view), amount: path.amount + path.fee, secretHash: state.secretHash }
    const isOld = channel.domain.profile === 'v1'
    parts.push({ path, phase: 'locked', held: { ...channel.key, partner: channel.partner, lock } })
    commands.push({
      kind: 'send-locked',
      payment: state.id,
      channel: channel.key.channel,
      lock,
      amount: state.amount,
      fee: path.fee,
      initiator: view.self,
      target: state.target,
      path: isOld ? path.hops.map((hop) => ({ node: hop.node, amount: null })) : path.hops.slice(1).map((hop) => ({ node: hop.node, amount: hop.amount })),
      paymentId: state.paymentId,
    })
  }
  return { state: { ...state, status: STATUS.canCancel, parts: [...state.parts, ...parts], failure: null }, commands }
}

function endOf(state: InitiatorState, settleTimeout: number, view: PaymentView): number {
  const longest = view.moment.block + lockBlocks(settleTimeout, view.rules)
  return state.expirationLimit === null ? longest : Math.min(longest, state.expirationLimit)
}

/** The secret is out: nothing is taken back before its time from here on. */
function revealed(state: InitiatorState): InitiatorState {
  return { ...state, isRevealed: true, status: state.status === STATUS.canCancel ? STATUS.cannotCancel : state.status }
}

function lockedParts(state: InitiatorState): readonly OutPart[] {
  return state.parts.filter((part) => part.phase === 'locked')
}

function lockedPart(state: InitiatorState, channel: Hash): OutPart | undefined {
  return state.parts.find((part) => part.phase === 'locked' && part.held.channel === channel)
}

export function lockedAmount(state: InitiatorState): bigint {
  return lockedParts(state).reduce((sum, part) => sum + part.path.amount, 0n)
}

function replaced(state: InitiatorState, part: OutPart, phase: OutPart['phase']): InitiatorState {
  return { ...state, parts: state.parts.map((one) => (one === part ? { ...part, phase } : one)) }
}

/** What a peer says of the place is believed only where the path has one. */
function boundedHop(hopIndex: number, path: Path): number {
  return Number.isInteger(hopIndex) && hopIndex >= 0 && hopIndex < path.hops.length ? hopIndex : 0
}

function failed(state: InitiatorState, failure: Failure): Moved<InitiatorState> {
  const over = { ...state, status: STATUS.failed, isEnded: true, isSearching: false, failure }
  const wasGivenUp = state.parts.length > 0 && state.parts.every((part) => part.phase === 'returned')
  if (!wasGivenUp || state.secret === null || state.swapId !== null || state.freshRetries < 1) return { state: over, commands: [notice(state, 'failed', failure)] }
  const { domain, token, target, amount, maxFee, maxParts, data, paymentId, isRevealAllowed, freshRetries } = state
  return { state: over, commands: [{ kind: 'pay-again', id: state.id, order: { domain, token, target, amount, maxFee, maxParts, data, paymentId, isRevealAllowed, freshRetries: freshRetries - 1, orderedHash: orderedHash(state) } }] }
}

function notice(state: InitiatorState, what: 'sent' | 'failed' | 'cancelled' | 'ignored' | 'amount-mismatch' | 'refund-after-reveal', failure: Failure | null): PaymentCommand {
  return { kind: 'notice', id: state.id, what, failure }
}

function still(state: InitiatorState): Moved<InitiatorState> {
  return { state, commands: [] }
}

function after(first: readonly PaymentCommand[], moved: Moved<InitiatorState>): Moved<InitiatorState> {
  return { state: moved.state, commands: [...first, ...moved.commands] }
}

/** The secret goes out by another way than an answer: a circle's end or a swap's other leg. `mayReveal` was true. */
export function revealedByItself(state: InitiatorState): InitiatorState {
  return revealed(state)
}
