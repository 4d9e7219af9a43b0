/**
 * What time does to a lock (photon.md 2.4, 3.2–3.4). While the chain is frozen the block number stands still and says
 * nothing: then no lock is safe, and none is expired either.
 */
import type { ChannelGlance, PaymentView } from './view.ts'
import { CODE } from './codes.ts'
import type { Failure, HeldLock, InPhase, OutPhase } from './state.ts'
import type { ChannelCommand, PaymentCommand } from './turn.ts'
import type { Hash } from '../../base/index.ts'
import type { Lock } from '../ports.ts'

/** Why no new lock may be given, taken or carried now; null: nothing speaks against it. */
export function holdback(view: PaymentView): Failure | null {
  return view.moment.isFrozen ? { code: CODE.directOnly, reason: 'no view of the chain: direct payments only' } : (view.heldBack ?? null)
}

/** There is time left to bring the secret to the chain after paying on. */
export function isFarFromEnd(lock: Lock, view: PaymentView): boolean {
  return !view.moment.isFrozen && lock.expiration - view.moment.block - view.rules.revealTimeoutBlocks > 0
}

/** Nobody can have claimed it any more, as deep as we believe the chain. */
export function isPastClaim(lock: Lock, view: PaymentView): boolean {
  return !view.moment.isFrozen && view.moment.block >= lock.expiration + view.rules.confirmationBlocks
}

/** The contract gives this lock to its receiver, at any time before settlement. */
export function isClaimable(lock: Lock, registeredBlock: number | null): boolean {
  return registeredBlock !== null && registeredBlock <= lock.expiration
}

/** The channel a lock lies in, if that life of it still is. */
export function channelOf(held: HeldLock, view: PaymentView): ChannelGlance | undefined {
  const channel = view.channel(held.channel)
  return channel?.key.epoch === held.epoch ? channel : undefined
}

export interface Watched<Phase> {
  readonly phase: Phase
  readonly commands: readonly PaymentCommand[]
}

/** Reserved still, or something about it is due. */
export function isPending(phase: OutPhase): boolean {
  return phase === 'locked' || phase === 'owed' || phase === 'refunding'
}

/** A lock we gave, at a new height or when something has changed: what is due is sent as soon as it can be. */
export function watchOut(payment: string, held: HeldLock, phase: OutPhase, secret: Hash | null, registeredBlock: number | null, view: PaymentView): Watched<OutPhase> {
  if (!isPending(phase)) return { phase, commands: [] }
  const channel = channelOf(held, view)
  if (channel === undefined) return { phase: 'chain', commands: [] }
  const { isOpen, isReady } = channel
  const isClaimed = secret !== null && isClaimable(held.lock, registeredBlock)
  const isOver = isPastClaim(held.lock, view)
  if (!isOpen) return { phase: isClaimed || isOver ? 'chain' : phase, commands: [] }
  if (!isReady) return { phase, commands: [] }
  const { channel: id, lock: { secretHash, expiration } } = held
  if (phase === 'refunding') return { phase: 'returned', commands: [{ kind: 'send-disposed-response', payment, channel: id, secretHash }] }
  if (isClaimed) return { phase: 'unlocked', commands: [unlock(payment, held, secret)] }
  if (isOver) return { phase: 'expired', commands: [{ kind: 'send-expired', payment, channel: id, secretHash }] }
  if (phase === 'owed' && secret !== null && view.moment.block <= expiration) return { phase: 'unlocked', commands: [unlock(payment, held, secret)] }
  return { phase, commands: [] }
}

/**
 * A lock we were given. Bringing its secret to the chain in time, and closing on a payer who keeps a registered lock, are
 * duties of the channel from `learn-secret` on; here it only becomes worthless when its time is over.
 */
export function watchIn(held: HeldLock, phase: InPhase, registeredBlock: number | null, view: PaymentView): InPhase {
  if (phase !== 'held') return phase
  if (channelOf(held, view) === undefined) return 'gone'
  return isPastClaim(held.lock, view) && !isClaimable(held.lock, registeredBlock) ? 'gone' : 'held'
}

export function unlock(payment: string, held: HeldLock, secret: Hash): ChannelCommand {
  return { kind: 'send-unlock', payment, channel: held.channel, secret }
}

/** The channel did not carry out what this lock was to get: it is due again as soon as the channel can. */
export function phaseAfterRefusal(command: ChannelCommand): OutPhase {
  if (command.kind === 'send-unlock') return 'owed'
  return command.kind === 'send-disposed-response' ? 'refunding' : 'locked'
}
