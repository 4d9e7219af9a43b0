/** The moves of money that we make: each gives the next envelope of our side (specs/photon.md 2.2, 2.4). */
import type { Address, Hash } from '../../base/index.ts'
import type { EnvelopeMessage, Hop, Lock, Message } from '../ports.ts'
import { capacity, ownLockable, spendable } from './amounts.ts'
import { CODE } from './codes.ts'
import { ZERO_SECRET_HASH, isHash, lockIn, plainLock, secretHashOf, withLock, withMark, withoutLock } from './locks.ts'
import { MAX_NONCE, PROFILE_RULES } from './rules.ts'
import type { ChannelMoment } from './rules.ts'
import type { ChannelPhase, ChannelSide, ChannelState, PendingLock } from './state.ts'
import type { ChannelTools, Refusal, Sent } from './verdict.ts'
import { refuse } from './verdict.ts'

export interface DirectOrder {
  readonly amount: bigint
  readonly paymentId: Hash | null
  readonly data: Uint8Array
}

export interface LockOrder {
  readonly lock: Lock
  readonly amount: bigint
  readonly fee: bigint
  readonly initiator: Address
  readonly target: Address
  readonly path: readonly Hop[]
  readonly paymentId: Hash | null
}

export interface DisposalReason {
  readonly code: number
  readonly reason: string
  readonly hopIndex: number | null
}

/** Where pending locks may still end (3.1: 1 and 8). */
const DRAINING: ReadonlySet<ChannelPhase> = new Set(['opened', 'prepare-cooperative-settle'])

export function sendDirect(state: ChannelState, order: DirectOrder): Sent | Refusal {
  const objection = newTransferObjection(state)
  if (objection !== null) return objection
  if (order.amount <= 0n) return refuse(CODE.invalidAmount, 'amount must be above 0')
  if (order.amount > spendable(state)) return refuse(CODE.insufficientBalance, `only ${spendable(state)} units can be given`)
  const side = advanced(state, order.amount)
  if (!isSide(side)) return side
  const next = { ...state, own: side }
  return { ok: true, state: next, message: { kind: 'direct', envelope: envelopeOf(next), paymentId: order.paymentId, data: order.data } }
}

export function sendLocked(tools: ChannelTools, state: ChannelState, order: LockOrder, moment: ChannelMoment): Sent | Refusal {
  const objection = newTransferObjection(state) ?? lockObjection(tools, state, order.lock, moment)
  if (objection !== null) return objection
  const side = advanced(state, 0n)
  if (!isSide(side)) return side
  const next = { ...state, own: { ...side, ...withLock(tools.keccak256, side, order.lock) } }
  const { lock, amount, fee, initiator, target, path, paymentId } = order
  return { ok: true, state: next, message: { kind: 'locked', envelope: envelopeOf(next), lock, amount, fee, initiator, target, path, paymentId } }
}

/** Pays the lock that `secret` opens. */
export function sendUnlock(tools: ChannelTools, state: ChannelState, secret: Hash, moment: ChannelMoment): Sent | Refusal {
  if (!isHash(secret)) return refuse(CODE.argument, 'the secret is not 32 bytes')
  const found = endingLock(state, secretHashOf(secret))
  if (!found.ok) return found
  const { lock } = found
  if (moment.block > lock.expiration && lock.registeredBlock === null) return refuse(CODE.lockExpired, `the lock expired in block ${lock.expiration}`)
  const side = advanced(state, lock.amount)
  if (!isSide(side)) return side
  const next = { ...state, own: { ...side, ...withoutLock(tools.keccak256, state.own, lock) } }
  return { ok: true, state: next, message: { kind: 'unlock', envelope: envelopeOf(next), secret } }
}

/** Takes a lock back that expired `confirmations` blocks ago and whose secret is not on the chain. */
export function sendExpired(tools: ChannelTools, state: ChannelState, secretHash: Hash, moment: ChannelMoment): Sent | Refusal {
  const found = endingLock(state, secretHash)
  if (!found.ok) return found
  const { lock } = found
  if (lock.expiration > moment.block - tools.rules.confirmations) return refuse(CODE.lockNotExpired, `the lock expires in block ${lock.expiration}`)
  if (lock.registeredBlock !== null) return refuse(CODE.lockNotExpired, `its secret is on the chain since block ${lock.registeredBlock}`)
  return takeBack(tools, state, lock, 'expired')
}

/** Gives a lock of the partner back. From here on it is never unlocked on the chain. */
export function sendDisposed(tools: ChannelTools, state: ChannelState, secretHash: Hash, why: DisposalReason, moment: ChannelMoment): Sent | Refusal {
  if (!DRAINING.has(state.phase)) return refuse(CODE.channelState, `the channel is ${state.phase}`)
  const lock = lockIn(state.partner, secretHash)
  if (lock === undefined) return refuse(CODE.noSuchLock, 'no such lock')
  if (lock.secret !== null) return refuse(CODE.cannotCancel, 'its secret is known')
  const isKnown = state.renounced.some((lost) => lost.secretHash === secretHash)
  const renounced = isKnown ? state.renounced : [...neededRenunciations(tools, state, moment), { secretHash, expiration: lock.expiration }]
  const next = { ...state, partner: lock.isDisposed ? state.partner : withMark(state.partner, lock, { isDisposed: true }), renounced }
  return { ok: true, state: next, message: { kind: 'disposed', key: state.key, lock: plainLock(lock), ...why } }
}

/** Takes back the lock that the partner gave up. */
export function sendDisposedResponse(tools: ChannelTools, state: ChannelState, secretHash: Hash): Sent | Refusal {
  const found = endingLock(state, secretHash)
  if (!found.ok) return found
  if (!found.lock.isDisposed) return refuse(CODE.noSuchLock, 'the partner has not given this lock up')
  return takeBack(tools, state, found.lock, 'disposed-response')
}

/** Notes the signed form of what was just sent. In the order of the nonces. */
export function sealed(state: ChannelState, message: Message, extra: Hash, signature: Uint8Array): ChannelState {
  if ('envelope' in message) return { ...state, own: { ...state.own, proof: { ...message.envelope, extra, signature } } }
  return message.kind === 'settle-request' || message.kind === 'withdraw-request' ? sealedRequest(state, message) : state
}

/** The asker mines what was agreed, so only its own end needs the contract's signature of the request. */
function sealedRequest(state: ChannelState, message: Extract<Message, { kind: 'settle-request' | 'withdraw-request' }>): ChannelState {
  const { own, agreement } = state
  const signature = message.contractSignature
  if (agreement !== null) return { ...state, agreement: { ...agreement, ownSignature: signature } }
  return own.withdrawal === null ? state : { ...state, own: { ...own, withdrawal: { ...own.withdrawal, participantSignature: signature } } }
}

/** Renunciations whose locks could still be sent again: afterwards they are expired and can never be opened. */
function neededRenunciations(tools: ChannelTools, state: ChannelState, moment: ChannelMoment): ChannelState['renounced'] {
  return state.renounced.filter((lost) => moment.block <= lost.expiration + tools.rules.confirmations)
}

/** Disposals whose locks the partner could still unlock. */
export function neededDisposals(tools: ChannelTools, state: ChannelState, moment: ChannelMoment): ChannelState['disposals'] {
  return state.disposals.filter((disposal) => disposal.registeredBlock !== null || moment.block <= disposal.expiration + tools.rules.confirmations)
}

function takeBack(tools: ChannelTools, state: ChannelState, lock: PendingLock, kind: 'expired' | 'disposed-response'): Sent | Refusal {
  const side = advanced(state, 0n)
  if (!isSide(side)) return side
  const next = { ...state, own: { ...side, ...withoutLock(tools.keccak256, state.own, lock) } }
  return { ok: true, state: next, message: { kind, envelope: envelopeOf(next), secretHash: lock.secretHash } }
}

function newTransferObjection(state: ChannelState): Refusal | null {
  if (state.phase === 'opened') return state.sync.kind === 'in-sync' ? null : refuse(CODE.nodeOffline, 'not in sync with the partner yet')
  if (state.phase === 'closed' || state.phase === 'settling' || state.phase === 'settled' || state.phase === 'closing') return refuse(CODE.transferWhenClosed, `the channel is ${state.phase}`)
  if (DRAINING.has(state.phase)) return refuse(CODE.noNewTransfers, `the channel is in ${state.phase}`)
  return refuse(CODE.channelState, `the channel is ${state.phase}`)
}

function lockObjection(tools: ChannelTools, state: ChannelState, lock: Lock, moment: ChannelMoment): Refusal | null {
  const { rules } = tools
  if (moment.isFrozen) return refuse(CODE.directOnly, 'the chain view is frozen: direct payments only')
  if (state.settleTimeout < rules.minSettleTimeout) return refuse(CODE.settleTimeoutInvalid, `the settle timeout ${state.settleTimeout} is below ${rules.minSettleTimeout}`)
  if (!isHash(lock.secretHash) || lock.secretHash === ZERO_SECRET_HASH) return refuse(CODE.argument, 'not the hash of a usable secret')
  if (!Number.isSafeInteger(lock.expiration)) return refuse(CODE.argument, 'not a block number')
  if (lock.amount <= 0n) return refuse(CODE.invalidAmount, 'amount must be above 0')
  if (lockIn(state.own, lock.secretHash) !== undefined) return refuse(CODE.duplicateLock, 'there is a lock with this secret hash')
  if (state.disposals.some((disposal) => disposal.secretHash === lock.secretHash)) return refuse(CODE.duplicateLock, 'the partner gave this lock up before')
  if (state.own.locks.length >= rules.maxLocks) return refuse(CODE.tooManyLocks, `${rules.maxLocks} locks are pending`)
  if (neededDisposals(tools, state, moment).length >= maxDisposals(tools)) return refuse(CODE.tooManyLocks, 'too many locks were given up lately')
  if (lock.expiration <= moment.block + rules.revealTimeout) return refuse(CODE.revealTimeout, `expires within ${rules.revealTimeout} blocks`)
  if (lock.expiration > moment.block + state.settleTimeout) return refuse(CODE.expirationTooLarge, `expires later than ${state.settleTimeout} blocks from now`)
  if (lock.amount > ownLockable(state)) return refuse(CODE.insufficientBalance, `only ${ownLockable(state)} can be locked`)
  if (isOverCoreShare(tools, state, lock.amount)) return refuse(CODE.invalidAmount, `a lock may be at most ${rules.coreLockPercent} % of the capacity`)
  return null
}

export function isOverCoreShare(tools: ChannelTools, state: ChannelState, amount: bigint): boolean {
  return state.role === 'core' && amount * 100n > capacity(state) * tools.rules.coreLockPercent
}

/** Disposals are kept until their locks have expired: what bounds them is how many may arise in that time. */
export function maxDisposals(tools: ChannelTools): number {
  return 10 * tools.rules.maxLocks
}

function endingLock(state: ChannelState, secretHash: Hash): { readonly ok: true; readonly lock: PendingLock } | Refusal {
  if (!DRAINING.has(state.phase)) return refuse(CODE.channelState, `the channel is ${state.phase}`)
  if (state.sync.kind !== 'in-sync') return refuse(CODE.nodeOffline, 'not in sync with the partner yet')
  const lock = lockIn(state.own, secretHash)
  return lock === undefined ? refuse(CODE.noSuchLock, 'no such lock') : { ok: true, lock }
}

/** Our side one nonce further. */
function advanced(state: ChannelState, amount: bigint): ChannelSide | Refusal {
  const { own } = state
  const transferred = own.transferred + amount
  if (own.nonce >= MAX_NONCE) return refuse(CODE.nonce, 'the channel has used up its nonces')
  if (transferred > PROFILE_RULES[state.domain.profile].maxTransferred) return refuse(CODE.invalidAmount, 'the counter would overflow')
  return { ...own, nonce: own.nonce + 1n, transferred }
}

function isSide(side: ChannelSide | Refusal): side is ChannelSide {
  return 'nonce' in side
}

function envelopeOf(state: ChannelState): EnvelopeMessage['envelope'] {
  const { key, own } = state
  return { channel: key.channel, epoch: key.epoch, nonce: own.nonce, transferred: own.transferred, locksroot: own.locksroot }
}
