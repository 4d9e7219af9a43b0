/**
 * Who is paid: photon.md 3.4. Parts are gathered until they make the total; then the initiator is asked for the secret.
 * Two kinds ask nobody: our own payment come round in a circle, and the legs of a swap (9.7).
 */
import type { Address, Hash } from '../../base/index.ts'
import { CODE } from './codes.ts'
import { channelOf, holdback, isFarFromEnd, isPastClaim, watchIn } from './deadlines.ts'
import type { Moved } from './initiator.ts'
import { isSameLock, targetId } from './state.ts'
import type { Failure, HeldLock, InPart, LockedTerms, TargetState } from './state.ts'
import type { ChannelCommand, PaymentCommand } from './turn.ts'
import type { ChannelGlance, PaymentView } from './view.ts'

/** What a lock for us is expected to be: an asking target knows nothing beforehand; the others know what they wait for. */
export interface Expectation {
  readonly kind: TargetState['kind']
  readonly amount: bigint | null
  readonly from: Address | null
  /** The lock must last at least to this block; null: only as long as any. */
  readonly notBefore: number | null
}

export const ASKING: Expectation = { kind: 'asks', amount: null, from: null, notBefore: null }

/** A lock for us. `known`: what is recorded under this token and hash already. */
export function takeLock(known: TargetState | undefined, channel: ChannelGlance, terms: LockedTerms, unwelcome: Failure | null, expected: Expectation, view: PaymentView): Moved<TargetState> {
  const held: HeldLock = { ...channel.key, partner: channel.partner, lock: terms.lock }
  if (known?.outcome === 'received') // nothing of the record changes but that this lock was given up
    return disposePart({ ...known, parts: [...known.parts, { held, phase: 'held' }] }, known.parts.length, { code: CODE.duplicateSecret, reason: 'this hash has been paid already' })
  const state = known === undefined || known.isEnded ? opened(known, channel.token, terms, expected, view) : known
  const fault = unwelcome ?? lockFault(state, held, terms, expected, view)
  const with_: TargetState = { ...state, parts: [...state.parts, { held, phase: 'held' }] }
  if (fault !== null) return concluded(disposePart(with_, with_.parts.length - 1, fault), view)
  return maybeComplete(with_, view)
}

/** A payment that failed may be tried again under its hash; what was given up is remembered. */
function opened(known: TargetState | undefined, token: Address, terms: LockedTerms, expected: Expectation, view: PaymentView): TargetState {
  return {
    role: 'target',
    id: targetId(token, terms.lock.secretHash),
    token,
    secretHash: terms.lock.secretHash,
    secret: known?.secret ?? null,
    registeredBlock: known?.registeredBlock ?? null,
    isEnded: false,
    initiator: terms.initiator,
    amount: terms.amount,
    paymentId: terms.paymentId,
    data: NO_DATA,
    parts: known?.parts ?? [],
    kind: expected.kind,
    isComplete: false,
    isShown: false,
    startedBlock: view.moment.block,
    outcome: 'open',
  }
}

function lockFault(state: TargetState, held: HeldLock, terms: LockedTerms, expected: Expectation, view: PaymentView): Failure | null {
  const back = holdback(view)
  if (back !== null) return back
  if (state.parts.some((part) => isSameLock(part.held, held))) return { code: CODE.duplicateLock, reason: 'this lock was given up before' }
  if (state.isComplete || state.parts.filter((part) => part.phase === 'held').length >= view.rules.maxParts) return { code: CODE.unwantedTransfer, reason: 'more parts than asked for' }
  if (terms.initiator !== state.initiator || terms.amount !== state.amount || terms.paymentId !== state.paymentId) return { code: CODE.transferAmountMismatch, reason: 'the parts do not belong together' }
  if (terms.amount <= 0n || (expected.amount !== null && terms.amount !== expected.amount)) return { code: CODE.transferAmountMismatch, reason: 'not the amount agreed' }
  if (expected.from !== null && terms.initiator !== expected.from) return { code: CODE.unwantedTransfer, reason: 'not from whom it was agreed' }
  if (!isFarFromEnd(held.lock, view)) return { code: CODE.revealTimeout, reason: `the lock ends in block ${held.lock.expiration}, too soon` }
  if (expected.notBefore !== null && held.lock.expiration < expected.notBefore) return { code: CODE.revealTimeout, reason: `the swap needs a lock up to block ${expected.notBefore}` }
  return null
}

/** Asks once the total lies here. The kinds that do not ask are moved on by `step`. */
function maybeComplete(state: TargetState, view: PaymentView): Moved<TargetState> {
  if (state.isComplete || heldAmount(state) < state.amount) return still(state)
  const complete: TargetState = { ...state, isComplete: true }
  if (state.secret !== null) return claim(complete, view)
  const ask: PaymentCommand[] = state.kind === 'asks' ? [{ kind: 'send-request', to: state.initiator, secretHash: state.secretHash, amount: state.amount, paymentId: state.paymentId }] : []
  return { state: complete, commands: ask }
}

/** The secret is here: shown backwards to every payer, and noted in the channels so that the chain can be used. */
export function targetSecret(state: TargetState, secret: Hash, data: Uint8Array, view: PaymentView): Moved<TargetState> {
  if (state.isEnded || state.secret !== null) return still(state)
  const known: TargetState = { ...state, secret, data }
  return known.isComplete ? claim(known, view) : still(known)
}

/** While the chain is out of view nobody could be made to pay: then the secret stays here, and everybody's money where it is. */
function claim(state: TargetState, view: PaymentView): Moved<TargetState> {
  const { secret } = state
  if (secret === null || view.moment.isFrozen) return still(state)
  const commands = heldParts(state).flatMap((part): PaymentCommand[] => [
    { kind: 'learn-secret', payment: state.id, channel: part.held.channel, secret },
    { kind: 'send-reveal', to: part.held.partner, secret, data: NO_DATA },
  ])
  const moved = targetMoment({ ...state, isShown: true }, view)
  return { state: moved.state, commands: [...commands, ...moved.commands] }
}

export function targetPublic(state: TargetState, secret: Hash, block: number, view: PaymentView): Moved<TargetState> {
  if (state.isEnded) return still(state)
  const public_: TargetState = { ...state, registeredBlock: block }
  return public_.secret === null ? targetSecret({ ...public_, isComplete: true }, secret, state.data, view) : targetMoment(public_, view)
}

export function targetPaid(state: TargetState, channel: Hash, secret: Hash, view: PaymentView): Moved<TargetState> {
  if (state.isEnded) return still(state)
  const at = state.parts.findIndex((part) => part.phase === 'held' && part.held.channel === channel)
  return at < 0 ? still(state) : concluded(still({ ...withPhase(state, at, 'paid'), secret }), view)
}

export function targetRemoved(state: TargetState, channel: Hash, view: PaymentView): Moved<TargetState> {
  if (state.isEnded) return still(state)
  const parts = state.parts.map((part): InPart => (part.phase === 'held' && part.held.channel === channel ? { ...part, phase: 'gone' } : part))
  return concluded(still({ ...state, parts }), view)
}

/** A new height: late payers are answered by the chain, incomplete sets go back. */
export function targetMoment(state: TargetState, view: PaymentView): Moved<TargetState> {
  if (state.isEnded) return still(state)
  if (state.secret !== null && state.isComplete && !state.isShown && !view.moment.isFrozen) return claim(state, view)
  const isStale = !view.moment.isFrozen && !state.isComplete && view.moment.block >= state.startedBlock + view.rules.partsTimeoutBlocks
  if (isStale && heldParts(state).length > 0) return giveBack(state, { code: CODE.timeout, reason: 'the other parts did not come' }, view)
  const phases = state.parts.map((part) => watchIn(part.held, part.phase, state.registeredBlock, view))
  if (phases.every((phase, at) => phase === state.parts[at]?.phase) && heldParts(state).length > 0) return still(state)
  const parts = state.parts.map((part, at): InPart => ({ ...part, phase: phases[at] ?? part.phase }))
  return concluded(still({ ...state, parts }), view)
}

/** All of it back to the payers, in writing; only while nobody can have been told that it will be claimed. */
export function giveBack(state: TargetState, failure: Failure, view: PaymentView): Moved<TargetState> {
  if (state.isEnded || state.secret !== null) return still(state)
  let moved: Moved<TargetState> = still({ ...state, isComplete: false })
  state.parts.forEach((part, at) => {
    if (part.phase !== 'held' || channelOf(part.held, view)?.isOpen !== true) return
    const next = disposePart(moved.state, at, failure)
    moved = { state: next.state, commands: [...moved.commands, ...next.commands] }
  })
  return concluded(moved, view)
}

export function targetSettled(state: TargetState, held: Pick<HeldLock, 'channel' | 'epoch'>, view: PaymentView): Moved<TargetState> {
  if (state.isEnded) return still(state)
  const parts = state.parts.map((part): InPart => (part.phase === 'held' && part.held.channel === held.channel && part.held.epoch === held.epoch ? { ...part, phase: 'gone' } : part))
  return concluded(still({ ...state, parts }), view)
}

/** A disposal that the channel would not take: the lock stays until it is paid or ends, and is not ours to claim. */
export function targetRefused(state: TargetState, command: ChannelCommand): Moved<TargetState> {
  if (command.kind !== 'send-disposed') return still(state)
  const at = state.parts.findLastIndex((part) => part.phase === 'disposed' && part.held.channel === command.channel)
  return at < 0 ? still(state) : still(withPhase(state, at, 'gone'))
}

function disposePart(state: TargetState, at: number, failure: Failure): Moved<TargetState> {
  const part = state.parts[at]
  if (part === undefined) return still(state)
  const { secretHash } = state
  return {
    state: withPhase(state, at, 'disposed'),
    commands: [{ kind: 'send-disposed', payment: state.id, channel: part.held.channel, secretHash, code: failure.code, reason: failure.reason, hopIndex: 0 }],
  }
}

/** Over when no part may still become ours. Disposed parts past their time are forgotten with the rest. */
function concluded(moved: Moved<TargetState>, view: PaymentView): Moved<TargetState> {
  const { state, commands } = moved
  if (heldParts(state).length > 0) return moved
  const paid = state.parts.filter((part) => part.phase === 'paid').reduce((sum, part) => sum + part.held.lock.amount, 0n)
  const parts = state.parts.filter((part) => part.phase !== 'disposed' || !isPastClaim(part.held.lock, view))
  if (paid >= state.amount && paid > 0n) return { state: { ...state, parts, isEnded: true, outcome: 'received' }, commands: [...commands, { kind: 'notice', id: state.id, what: 'received', failure: null }] }
  const over: TargetState = { ...state, parts, isEnded: true, outcome: 'not-received' }
  const isLost = state.secret !== null && state.isComplete && state.parts.some((part) => part.phase === 'gone')
  return { state: over, commands: isLost ? [...commands, { kind: 'notice', id: state.id, what: 'lock-lost', failure: { code: CODE.lockExpired, reason: `${paid} of ${state.amount} came before the end` } }] : commands }
}

export function heldParts(state: TargetState): readonly InPart[] {
  return state.parts.filter((part) => part.phase === 'held')
}

function heldAmount(state: TargetState): bigint {
  return heldParts(state).reduce((sum, part) => sum + part.held.lock.amount, 0n)
}

function withPhase(state: TargetState, at: number, phase: InPart['phase']): TargetState {
  return { ...state, parts: state.parts.map((part, index) => (index === at ? { ...part, phase } : part)) }
}

const NO_DATA = new Uint8Array(0)

function still(state: TargetState): Moved<TargetState> {
  return { state, commands: [] }
}
