/**
 * Who carries: photon.md 3.3. One record per lock that came in to be sent on. Rules that hold the money: the lock we
 * give never outlives the lock we were given; a lock given up in writing is never claimed; the payee is paid before we
 * are only while there is time to bring the secret to the chain.
 */
import type { Hash } from '../../base/index.ts'
import { CODE } from './codes.ts'
import { channelOf, holdback, isClaimable, isFarFromEnd, isPastClaim, isPending, unlock, watchIn, watchOut } from './deadlines.ts'
import type { Moved } from './initiator.ts'
import { mediatorId } from './state.ts'
import type { Failure, HeldLock, LockedTerms, MediatorState } from './state.ts'
import type { ChannelCommand, PaymentCommand } from './turn.ts'
import type { ChannelGlance, PaymentView } from './view.ts'

/** A lock for somebody else: where it goes next and what leaves there, or why it goes back. */
export function mediate(incoming: ChannelGlance, terms: LockedTerms, unwelcome: Failure | null, view: PaymentView): Moved<MediatorState> {
  const held: HeldLock = { ...incoming.key, partner: incoming.partner, lock: terms.lock }
  const onward = unwelcome ?? onwardOf(incoming, terms, view)
  const state: MediatorState = {
    role: 'mediator',
    id: mediatorId(held),
    token: incoming.token,
    secretHash: terms.lock.secretHash,
    secret: null,
    registeredBlock: null,
    isEnded: false,
    incoming: held,
    incomingPhase: 'held',
    outgoing: null,
    outgoingPhase: 'returned',
    initiator: terms.initiator,
    target: terms.target,
    fee: 0n,
    isFeePosted: false,
    failure: null,
  }
  if ('code' in onward) return giveUp(state, onward, 0)
  const { channel, command } = onward
  const outgoing: HeldLock = { ...channel.key, partner: channel.partner, lock: command.lock }
  return {
    state: { ...state, outgoing, outgoingPhase: 'locked', fee: terms.lock.amount - command.lock.amount },
    commands: [{ kind: 'send-locked', payment: state.id, channel: channel.key.channel, ...command }],
  }
}

/** The same lock again (its receiver gave it up once): it must never be claimed, so it goes back again. */
export function mediateAgain(state: MediatorState): Moved<MediatorState> {
  return giveUp({ ...state, isEnded: false, incomingPhase: 'held' }, { code: CODE.duplicateLock, reason: 'this lock was given up before' }, 0)
}

interface Onward {
  readonly channel: ChannelGlance
  readonly command: LockedTerms
}

function onwardOf(incoming: ChannelGlance, terms: LockedTerms, view: PaymentView): Onward | Failure {
  const { lock } = terms
  const held = holdback(view)
  if (held !== null) return held
  // Leaves are at the ends of a path: the payer's own at its beginning.
  if (incoming.role !== 'core' && incoming.partner !== terms.initiator) return { code: CODE.noRoute, reason: 'a leaf channel carries only its own payments' }
  if (!incoming.isOpen) return { code: CODE.payerChannelClosed, reason: 'the channel this came through is closed' }
  if (!isFarFromEnd(lock, view)) return { code: CODE.revealTimeout, reason: `the lock ends in block ${lock.expiration}, too soon` }
  const crowd = quotaFault(incoming, terms, view)
  if (crowd !== null) return crowd
  return incoming.domain.profile === 'v1' ? onwardOld(incoming, terms, view) : onwardNew(incoming, terms, view)
}

/** Griefing bound (8.3): how much of us one payer may tie up. The lock itself is already among `partnerLocks`. */
function quotaFault(incoming: ChannelGlance, terms: LockedTerms, view: PaymentView): Failure | null {
  const { rules } = view
  if (incoming.partnerLocks.length > rules.maxLocksPerPeer) return { code: CODE.tooManyLocks, reason: `more than ${rules.maxLocksPerPeer} locks` }
  const inFlight = incoming.partnerLocks.reduce((sum, one) => sum + one.amount, 0n)
  if (inFlight * 1000n > incoming.capacity * BigInt(rules.maxInFlightPerMille)) return { code: CODE.tooManyLocks, reason: 'too much in flight from here' }
  if (terms.lock.amount * 1000n > incoming.capacity * BigInt(rules.maxLockPerMille)) return { code: CODE.channelBalance, reason: 'the lock is too large for this channel' }
  return null
}

/** v2: the path says what each hop is to get; what is left is our fee. */
function onwardNew(incoming: ChannelGlance, terms: LockedTerms, view: PaymentView): Onward | Failure {
  const [next, ...rest] = terms.path
  if (next === undefined || next.amount === null) return { code: CODE.noRoute, reason: 'no next hop' }
  if (terms.path.length > view.rules.maxHops) return { code: CODE.noRoute, reason: 'the path is too long' }
  const channel = carrier(incoming, next.node, terms.target, view)
  if ('code' in channel) return channel
  const { amount } = next
  if (amount <= 0n) return { code: CODE.invalidAmount, reason: 'nothing would be sent on' }
  const last = terms.path.at(-1)?.amount ?? amount
  if (terms.lock.amount - amount < view.feeFor(channel, amount)) return { code: CODE.noFee, reason: 'the fee is too small' }
  return checked(channel, { ...terms, lock: { ...terms.lock, amount }, fee: amount - last, path: rest }, view)
}

/** v1: the path is the whole list, the fee is counted on the target's amount, and the last carrier keeps the rest. */
function onwardOld(incoming: ChannelGlance, terms: LockedTerms, view: PaymentView): Onward | Failure {
  const at = terms.path.findIndex((hop) => hop.node === view.self)
  const next = at < 0 ? undefined : terms.path[at + 1]
  if (next === undefined) return { code: CODE.noRoute, reason: 'no next hop' }
  const channel = carrier(incoming, next.node, terms.target, view)
  if ('code' in channel) return channel
  const fee = view.feeFor(channel, terms.amount)
  if (terms.fee < fee) return { code: CODE.noFee, reason: 'the fee is too small' }
  const left = next.node === terms.target ? 0n : terms.fee - fee
  return checked(channel, { ...terms, lock: { ...terms.lock, amount: terms.amount + left }, fee: left }, view)
}

function carrier(incoming: ChannelGlance, node: HeldLock['partner'], target: HeldLock['partner'], view: PaymentView): ChannelGlance | Failure {
  const channel = view.channelTo(node, incoming.token, incoming.domain)
  if (channel === undefined || channel.key.channel === incoming.key.channel) return { code: CODE.noRoute, reason: 'no channel to the next hop' }
  if (channel.role !== 'core' && node !== target) return { code: CODE.noRoute, reason: 'a leaf channel carries only its own payments' }
  return channel.isUsable ? channel : { code: CODE.noRoute, reason: 'the channel to the next hop is not in use' }
}

function checked(channel: ChannelGlance, command: LockedTerms, view: PaymentView): Onward | Failure {
  const lock = { ...command.lock, expiration: Math.min(command.lock.expiration, view.moment.block + channel.settleTimeout) }
  if (!isFarFromEnd(lock, view)) return { code: CODE.revealTimeout, reason: 'the next channel settles too fast' }
  if (channel.spendable < lock.amount) return { code: CODE.channelBalance, reason: 'not enough in the channel to the next hop' }
  if (channel.ownLocks.some((one) => one.secretHash === lock.secretHash)) return { code: CODE.duplicateLock, reason: 'this hash is locked there already' }
  return { channel, command: { ...command, lock } }
}

/** Whoever showed it, the secret fits: claim, and pay on. Nothing of it after we have given the lock up. */
export function carriedSecret(state: MediatorState, secret: Hash, view: PaymentView): Moved<MediatorState> {
  if (state.isEnded || state.incomingPhase === 'disposed' || state.secret !== null) return still(state)
  const commands: PaymentCommand[] = []
  if (state.incomingPhase === 'held') {
    commands.push({ kind: 'learn-secret', payment: state.id, channel: state.incoming.channel, secret })
    commands.push({ kind: 'send-reveal', to: state.incoming.partner, secret, data: NO_DATA })
  }
  return after(commands, mediatorMoment({ ...state, secret }, view))
}

/** Our payer has paid. */
export function carriedPaid(state: MediatorState, secret: Hash, view: PaymentView): Moved<MediatorState> {
  if (state.isEnded || state.incomingPhase !== 'held') return still(state)
  return mediatorMoment({ ...state, secret, incomingPhase: 'paid' }, view)
}

export function carriedPublic(state: MediatorState, secret: Hash, block: number, view: PaymentView): Moved<MediatorState> {
  if (state.isEnded) return still(state)
  const public_: MediatorState = { ...state, registeredBlock: block }
  return state.secret === null ? carriedSecret(public_, secret, view) : mediatorMoment(public_, view)
}

/** The payee gives our lock up: so do we, upstream. Not once the secret is known (F11). */
export function carriedDisposed(state: MediatorState, code: number, reason: string, hopIndex: number | null, view: PaymentView): Moved<MediatorState> {
  if (state.isEnded || state.outgoing === null || state.outgoingPhase !== 'locked') return still(state)
  if (state.secret !== null || state.incomingPhase !== 'held')
    return { state, commands: [{ kind: 'notice', id: state.id, what: 'refund-after-reveal', failure: { code, reason } }] }
  const failure: Failure = { code, reason }
  const refunding = watchCarried({ ...state, outgoingPhase: 'refunding', failure }, view)
  return after(refunding.commands, giveUp(refunding.state, failure, hopIndex === null || hopIndex < 0 ? 0 : Math.min(hopIndex + 1, view.rules.maxHops)))
}

/** The payer has taken the lock back, expired or after we gave it up. */
export function carriedRemoved(state: MediatorState, view: PaymentView): Moved<MediatorState> {
  if (state.isEnded || state.incomingPhase === 'paid') return still(state)
  return ended(still({ ...state, incomingPhase: state.incomingPhase === 'disposed' ? 'disposed' : 'gone' }), true, view)
}

export function mediatorSettled(state: MediatorState, held: Pick<HeldLock, 'channel' | 'epoch'>, view: PaymentView): Moved<MediatorState> {
  const { incoming, outgoing } = state
  const isIn = incoming.channel === held.channel && incoming.epoch === held.epoch && state.incomingPhase === 'held'
  const isOut = outgoing !== null && outgoing.channel === held.channel && outgoing.epoch === held.epoch && isPending(state.outgoingPhase)
  if (state.isEnded || (!isIn && !isOut)) return still(state)
  return mediatorMoment({ ...state, incomingPhase: isIn ? 'gone' : state.incomingPhase, outgoingPhase: isOut ? 'chain' : state.outgoingPhase }, view)
}

/** What a refused command leaves: a lock that never left goes back to its payer; the rest is tried again. */
export function mediatorRefused(state: MediatorState, command: ChannelCommand, failure: Failure, view: PaymentView): Moved<MediatorState> {
  switch (command.kind) {
    case 'send-locked':
      return giveUp({ ...state, outgoing: null, outgoingPhase: 'returned' }, failure, 0)
    case 'send-unlock':
    case 'send-expired':
      return still({ ...state, outgoingPhase: 'locked', isEnded: false })
    case 'send-disposed-response':
      return still({ ...state, outgoingPhase: 'refunding', isEnded: false })
    case 'send-disposed':
      // Not given up in writing, so it may still be paid or expire; we have nothing of our own in it.
      return ended(still({ ...state, incomingPhase: 'gone' }), true, view)
    default:
      return still(state)
  }
}

/** A new height, a channel that can send again, or anything that may have made something due. */
export function mediatorMoment(state: MediatorState, view: PaymentView): Moved<MediatorState> {
  if (state.isEnded) return still(state)
  const moved = ended(watchCarried(state, view), false, view)
  const { incomingPhase, outgoingPhase, isEnded } = moved.state
  const isSame = incomingPhase === state.incomingPhase && outgoingPhase === state.outgoingPhase && isEnded === state.isEnded
  return isSame ? { state, commands: moved.commands } : moved
}

function watchCarried(before: MediatorState, view: PaymentView): Moved<MediatorState> {
  const state: MediatorState = { ...before, incomingPhase: watchIn(before.incoming, before.incomingPhase, before.registeredBlock, view) }
  const { outgoing } = state
  if (outgoing === null) return still(state)
  if (state.secret !== null && isPayable(state, outgoing, view)) {
    return { state: { ...state, outgoingPhase: 'unlocked' }, commands: [unlock(state.id, outgoing, state.secret)] }
  }
  const out = watchOut(state.id, outgoing, state.outgoingPhase, state.secret, state.registeredBlock, view)
  return { state: { ...state, outgoingPhase: out.phase }, commands: out.commands }
}

/** Paying on is safe: we have our money, or there is time to get it by the chain. */
function isPayable(state: MediatorState, outgoing: HeldLock, view: PaymentView): boolean {
  if (state.outgoingPhase !== 'locked' || channelOf(outgoing, view)?.isReady !== true || view.moment.block > outgoing.lock.expiration) return false
  if (state.incomingPhase === 'paid') return true
  return state.incomingPhase === 'held' && isFarFromEnd(state.incoming.lock, view) && channelOf(state.incoming, view)?.isOpen === true
}

/** In writing, for good. `hopIndex`: how many hops behind us it was refused; the initiator counts from its first hop. */
function giveUp(state: MediatorState, failure: Failure, hopIndex: number): Moved<MediatorState> {
  return {
    state: { ...state, incomingPhase: 'disposed', failure },
    commands: [{ kind: 'send-disposed', payment: state.id, channel: state.incoming.channel, secretHash: state.secretHash, code: failure.code, reason: failure.reason, hopIndex }],
  }
}

/** Over when nothing of ours is reserved and nothing is owed to us. `isReleased`: the payer has taken the lock back. */
function ended(moved: Moved<MediatorState>, isReleased: boolean, view: PaymentView): Moved<MediatorState> {
  const { state } = moved
  const commands = [...moved.commands]
  let { isFeePosted } = state
  const { outgoing } = state
  const isOutPaid = state.outgoingPhase === 'unlocked' || (state.outgoingPhase === 'chain' && outgoing !== null && isClaimable(outgoing.lock, state.registeredBlock))
  if (state.incomingPhase === 'paid' && isOutPaid && !isFeePosted && outgoing !== null) {
    isFeePosted = true
    commands.push({ kind: 'post-fee', id: state.id, token: state.token, fee: state.fee, incoming: keyOf(state.incoming), outgoing: keyOf(outgoing), secretHash: state.secretHash })
    commands.push({ kind: 'notice', id: state.id, what: 'mediated', failure: null })
  }
  const isOutOver = outgoing === null || !isPending(state.outgoingPhase)
  const isDisposedOver = state.incomingPhase === 'disposed' && (isReleased || isPastClaim(state.incoming.lock, view) || channelOf(state.incoming, view) === undefined)
  const isInOver = state.incomingPhase === 'paid' || state.incomingPhase === 'gone' || isDisposedOver
  const isEnded = isOutOver && isInOver
  if (isEnded && state.incomingPhase === 'paid' && !isFeePosted && outgoing !== null) {
    isFeePosted = true // the payee let its lock expire: all of it stays with us
    commands.push({ kind: 'post-fee', id: state.id, token: state.token, fee: state.incoming.lock.amount, incoming: keyOf(state.incoming), outgoing: keyOf(outgoing), secretHash: state.secretHash })
  }
  if (isEnded && state.incomingPhase === 'gone' && isOutPaid)
    commands.push({ kind: 'notice', id: state.id, what: 'lock-lost', failure: { code: CODE.lockExpired, reason: 'paid on without having been paid in time' } })
  return { state: { ...state, isFeePosted, isEnded }, commands }
}

const NO_DATA = new Uint8Array(0)

function keyOf(held: HeldLock): { channel: Hash; epoch: bigint } {
  return { channel: held.channel, epoch: held.epoch }
}

function still(state: MediatorState): Moved<MediatorState> {
  return { state, commands: [] }
}

function after(first: readonly PaymentCommand[], moved: Moved<MediatorState>): Moved<MediatorState> {
  return { state: moved.state, commands: [...first, ...moved.commands] }
}
