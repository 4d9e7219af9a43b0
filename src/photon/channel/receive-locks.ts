/** Locks that come, end and are given up, as the partner's messages tell it (specs/photon.md 2.2–2.4). */
import type { Message } from '../ports.ts'
import { lockable } from './amounts.ts'
import { CODE } from './codes.ts'
import { besideExposure } from './exposure.ts'
import { strayRise } from './incoming.ts'
import type { Incoming } from './incoming.ts'
import { ZERO_SECRET_HASH, isHash, lockIn, plainLock, secretHashOf, withLock, withMark, withoutLock } from './locks.ts'
import { MAX_UINT256 } from './rules.ts'
import type { ChannelMoment } from './rules.ts'
import { isOverCoreShare, maxDisposals, neededDisposals } from './send.ts'
import type { ChannelSide, ChannelState, PendingLock } from './state.ts'
import type { ChannelFact, ChannelReceived, ChannelTools, Refusal, Taken } from './verdict.ts'
import { ignored, refuse } from './verdict.ts'

/** transferred: unchanged, locksroot: with the new lock appended. */
export function receiveLocked(tools: ChannelTools, state: ChannelState, incoming: Incoming<'locked'>, moment: ChannelMoment): Taken | Refusal {
  const { message, side } = incoming
  const { lock } = message
  const stray = strayRise(state, incoming, 0n)
  if (isRefusal(stray)) return stray
  const objection = malformedLock(tools, state, message)
  if (objection !== null) return objection
  const isCovered = lock.amount <= lockable(side, state.own)
  if (!isCovered && !wasCovered(state, message)) return refuse(CODE.insufficientBalance, `the partner can lock ${lockable(side, state.own)}`)
  const locks = withLock(tools.keccak256, state.partner, lock)
  if (message.envelope.locksroot !== locks.locksroot) return refuse(CODE.locksrootMismatch, 'not the root with this lock')
  const unwelcome = isCovered ? whyUnwelcome(tools, state, message, moment) : refuse(CODE.channelBalance, 'a later voucher has taken what covers it')
  const { amount, fee, initiator, target, path, paymentId } = message
  const arrival = { lock, amount, fee, initiator, target, path, paymentId }
  const fact: ChannelFact = unwelcome === null ? { kind: 'lock-received', ...arrival } : { kind: 'lock-unwelcome', code: unwelcome.code, reason: unwelcome.reason, ...arrival }
  const partner = { ...side, ...locks }
  const added = lockIn(partner, lock.secretHash)
  const isDoubtful = side.nonce <= state.doubtfulUntil && added !== undefined
  return { ok: true, state: { ...state, partner: isDoubtful ? withMark(partner, added, { isDisposed: true }) : partner }, facts: [...stray, fact] }
}

/** A voucher may overtake a lock that was sent before it: then what counts is whether the lock was covered without it. */
function wasCovered(state: ChannelState, message: Incoming<'locked'>['message']): boolean {
  const { partner, own } = state
  const { transferred } = message.envelope
  return transferred < partner.transferred && message.lock.amount <= lockable({ ...partner, transferred, stream: null }, own)
}

/** What an honest partner cannot have sent. */
function malformedLock(tools: ChannelTools, state: ChannelState, message: Incoming<'locked'>['message']): Refusal | null {
  const { lock } = message
  if (!isHash(lock.secretHash) || lock.secretHash === ZERO_SECRET_HASH) return refuse(CODE.argument, 'not the hash of a usable secret')
  if (!Number.isSafeInteger(lock.expiration) || lock.expiration < 0) return refuse(CODE.argument, 'not a block number')
  if (lock.amount <= 0n || lock.amount > MAX_UINT256) return refuse(CODE.invalidAmount, 'not an amount')
  if (lockIn(state.partner, lock.secretHash) !== undefined) return refuse(CODE.duplicateLock, 'there is a lock with this secret hash')
  if (state.renounced.some((lost) => lost.secretHash === lock.secretHash)) return refuse(CODE.duplicateLock, 'we gave this lock up before')
  if (state.partner.locks.length >= 2 * tools.rules.maxLocks) return refuse(CODE.tooManyLocks, `${2 * tools.rules.maxLocks} locks are pending`)
  if (state.renounced.length >= 2 * maxDisposals(tools)) return refuse(CODE.tooManyLocks, 'too many locks were given up lately')
  return null
}

/** What can be taken into the channel, so that the nonces stay in step, but not be relied on. */
function whyUnwelcome(tools: ChannelTools, state: ChannelState, message: Incoming<'locked'>['message'], moment: ChannelMoment): Refusal | null {
  const { rules } = tools
  const { lock } = message
  if (message.envelope.nonce <= state.doubtfulUntil) return refuse(CODE.noNewTransfers, 'we may have given it up before')
  if (moment.isFrozen) return refuse(CODE.directOnly, 'no view of the chain: direct payments only')
  if (state.phase !== 'opened') return refuse(CODE.noNewTransfers, 'the channel takes no new locks')
  if (state.settleTimeout < rules.minSettleTimeout) return refuse(CODE.settleTimeoutInvalid, 'the channel settles too fast')
  if (state.partner.locks.length >= rules.maxLocks) return refuse(CODE.tooManyLocks, `${rules.maxLocks} locks are pending`)
  if (isOverCoreShare(tools, state, lock.amount)) return refuse(CODE.invalidAmount, `a lock may be at most ${rules.coreLockPercent} % of the capacity`)
  if (lock.expiration > moment.block + state.settleTimeout) return refuse(CODE.expirationTooLarge, 'it expires too late')
  if (lock.expiration <= moment.block + rules.revealTimeout) return refuse(CODE.revealTimeout, 'it expires too soon')
  return null
}

/**
 * transferred: + lock amount, locksroot: without the lock. Also taken after the expiration: as long as the lock is
 * pending on both ends, being paid can only be good for us, and a refusal would leave the two ends apart for ever.
 */
export function receiveUnlock(tools: ChannelTools, state: ChannelState, incoming: Incoming<'unlock'>, moment: ChannelMoment): Taken | Refusal {
  const { message, side, rise } = incoming
  if (!isHash(message.secret)) return refuse(CODE.argument, 'the secret is not 32 bytes')
  const lock = lockIn(state.partner, secretHashOf(message.secret))
  if (lock === undefined) return refuse(CODE.noSuchLock, 'no lock for this secret')
  const stray = strayRise(state, incoming, lock.amount)
  if (isRefusal(stray)) return stray
  const exposed = besideExposure(state, rise < lock.amount ? rise : lock.amount, moment)
  return without(tools, exposed, side, lock, message.envelope.locksroot, [...stray, { kind: 'lock-unlocked', lock: plainLock(lock), secret: message.secret }])
}

/** transferred: unchanged, locksroot: without the lock, which expired `confirmations` blocks ago with its secret unknown to the chain. */
export function receiveExpired(tools: ChannelTools, state: ChannelState, incoming: Incoming<'expired'>, moment: ChannelMoment): Taken | Refusal {
  const { message, side } = incoming
  const lock = lockIn(state.partner, message.secretHash)
  if (lock === undefined) return refuse(CODE.noSuchLock, 'no such lock')
  if (lock.expiration > moment.block - tools.rules.confirmations) return refuse(CODE.lockNotExpired, `the lock expires in block ${lock.expiration}`)
  if (lock.registeredBlock !== null) return refuse(CODE.lockNotExpired, `its secret is on the chain since block ${lock.registeredBlock}`)
  const stray = strayRise(state, incoming, 0n)
  if (isRefusal(stray)) return stray
  return without(tools, state, side, lock, message.envelope.locksroot, [...stray, { kind: 'lock-expired', lock: plainLock(lock) }])
}

/** transferred: unchanged, locksroot: without the lock that we gave up. */
export function receiveDisposedResponse(tools: ChannelTools, state: ChannelState, incoming: Incoming<'disposed-response'>): Taken | Refusal {
  const { message, side } = incoming
  const lock = lockIn(state.partner, message.secretHash)
  if (lock === undefined || !lock.isDisposed) return refuse(CODE.noSuchLock, 'we gave no such lock up')
  const stray = strayRise(state, incoming, 0n)
  if (isRefusal(stray)) return stray
  return without(tools, state, side, lock, message.envelope.locksroot, [...stray, { kind: 'lock-released', lock: plainLock(lock) }])
}

/**
 * The partner gives a lock of ours up. Its signature is kept even where the lock is of no more use to us: it is what
 * `punish` shows should the partner unlock it anyway, from an older proof.
 */
export function receiveDisposed(tools: ChannelTools, state: ChannelState, received: ChannelReceived, message: Extract<Message, { kind: 'disposed' }>, moment: ChannelMoment): Taken | Refusal {
  if (received.signature === null) return refuse(CODE.sender, 'not signed')
  const lock = lockIn(state.own, message.lock.secretHash)
  if (lock === undefined) return ignored(state, CODE.noSuchLock, 'no such lock')
  if (lock.expiration !== message.lock.expiration || lock.amount !== message.lock.amount) return refuse(CODE.lockMismatch, 'the lock has another amount or expiration')
  if (lock.isDisposed) return ignored(state, CODE.success, 'given up before')
  const { secretHash, hash, expiration } = lock
  const next = {
    ...state,
    own: withMark(state.own, lock, { isDisposed: true }),
    disposals: [...neededDisposals(tools, state, moment), { secretHash, lockHash: hash, expiration, registeredBlock: lock.registeredBlock, extra: received.extra, signature: received.signature }],
  }
  // The payee cannot give up what it has asked to be paid for: the unlock goes its way (F11).
  if (lock.secret !== null) return ignored(next, CODE.cannotCancel, 'its secret is known')
  return { ok: true, state: next, facts: [{ kind: 'lock-disposed', lock: plainLock(lock), code: message.code, reason: message.reason, hopIndex: message.hopIndex }] }
}

function without(tools: ChannelTools, state: ChannelState, side: ChannelSide, lock: PendingLock, locksroot: string, facts: readonly ChannelFact[]): Taken | Refusal {
  const locks = withoutLock(tools.keccak256, state.partner, lock)
  if (locksroot !== locks.locksroot) return refuse(CODE.locksrootMismatch, 'not the root without this lock')
  return { ok: true, state: { ...state, partner: { ...side, ...locks } }, facts }
}

function isRefusal(outcome: Refusal | readonly ChannelFact[]): outcome is Refusal {
  return 'ok' in outcome
}
