/**
 * What is kept of a payment, one plain record per role: all that is needed to go on after a crash, together with
 * the channels' own records. Roles and their states: photon.md 3.2–3.4, 9.7; docs/photon-payment.md draws them.
 */
import type { Address, Hash } from '../../base/index.ts'
import type { ChannelKey, Domain, Hop, Lock, Path } from '../ports.ts'

/** Numbers of the REST interface (photon.md 6.2, SentTransferDetail.status). */
export const STATUS = { init: 0, canCancel: 1, cannotCancel: 2, success: 3, cancelled: 4, failed: 5 } as const
export type Status = (typeof STATUS)[keyof typeof STATUS]

/** A lock and the channel it lies in. */
export interface HeldLock extends ChannelKey {
  readonly partner: Address
  readonly lock: Lock
}

export interface Failure {
  /** photon.md 6.3. */
  readonly code: number
  readonly reason: string
}

interface Common {
  readonly id: string
  readonly token: Address
  readonly secretHash: Hash
  /** Null: not known to us (yet). */
  readonly secret: Hash | null
  /** The block the secret became public in on the chain; null: it has not. */
  readonly registeredBlock: number | null
  /** Nothing more will happen: not looked at again except by id. */
  readonly isEnded: boolean
}

/**
 * Of a lock we gave. `locked`: money is reserved. `owed`: the payee has shown the secret, the unlock is due as soon as the
 * channel can send. `refunding`: the payee gave it up, taking it out is due likewise. Final: `unlocked`: given. `returned`: given
 * up and taken out. `expired`: taken out after its time. `chain`: the channel is closed and the contract decides.
 */
export type OutPhase = 'locked' | 'owed' | 'refunding' | 'unlocked' | 'returned' | 'expired' | 'chain'
/**
 * Of a lock we were given. `held`: it may become ours. `paid`: it has. `disposed`: we gave it up, in writing, and must never
 * claim it. `gone`: past its time, or the channel is settled.
 */
export type InPhase = 'held' | 'paid' | 'disposed' | 'gone'

export interface OutPart {
  readonly path: Path
  readonly held: HeldLock
  readonly phase: OutPhase
}

export interface InPart {
  readonly held: HeldLock
  readonly phase: InPhase
}

export interface InitiatorState extends Common {
  readonly role: 'initiator'
  readonly target: Address
  /** What the target is to get, over all parts. */
  readonly amount: bigint
  readonly maxFee: bigint
  readonly maxParts: number
  readonly data: Uint8Array
  readonly paymentId: Hash | null
  readonly status: Status
  /** False: the owner's permission (or the other leg of a swap) is waited for. */
  readonly isRevealAllowed: boolean
  /** The target has asked for the secret, with the right amount. */
  readonly isAsked: boolean
  readonly isRevealed: boolean
  /** One leg of a token swap: the secret goes out only as this swap says. */
  readonly swapId: string | null
  /** The locks must not outlive this block; null: no limit of that kind. */
  readonly expirationLimit: number | null
  readonly parts: readonly OutPart[]
  /** Sets of paths not tried yet, best first. */
  readonly routes: readonly (readonly Path[])[]
  readonly isSearching: boolean
  /** Block of the last question to the router. */
  readonly searchedBlock: number
  readonly searches: number
  readonly freshRetries: number
  /** What whoever ordered it knows it by, when it goes under another hash since; left out: the hash it has. */
  readonly orderedHash?: Hash
  readonly domain: Domain
  readonly startedBlock: number
  readonly failure: Failure | null
}

export interface MediatorState extends Common {
  readonly role: 'mediator'
  readonly incoming: HeldLock
  readonly incomingPhase: InPhase
  /** Null: refused without being sent on. */
  readonly outgoing: HeldLock | null
  readonly outgoingPhase: OutPhase
  readonly initiator: Address
  readonly target: Address
  /** incoming.lock.amount − outgoing.lock.amount: ours when both are paid. */
  readonly fee: bigint
  readonly isFeePosted: boolean
  readonly failure: Failure | null
}

export interface TargetState extends Common {
  readonly role: 'target'
  readonly initiator: Address
  /** The total announced; the parts' locks must make it. */
  readonly amount: bigint
  readonly paymentId: Hash | null
  readonly data: Uint8Array
  readonly parts: readonly InPart[]
  /** What completes it: asking the initiator, our own payment in a circle, or a swap's other leg. */
  readonly kind: 'asks' | 'own' | 'swap-maker' | 'swap-taker'
  /** The parts make the total: from now on they are not given up for want of time. */
  readonly isComplete: boolean
  /** The payers have been shown the secret. */
  readonly isShown: boolean
  readonly startedBlock: number
  readonly outcome: 'open' | 'received' | 'not-received'
}

/** 9.7. Written before the first packet, so that a crash finds both legs. `token` is the one we give. */
export interface SwapState extends Common {
  readonly role: 'swap'
  readonly side: 'maker' | 'taker'
  /** Our leg; its target is the other side. */
  readonly pay: PayOrder
  readonly receivingToken: Address
  readonly receivingAmount: bigint
  /** Given up when the other side has not shown itself by then. */
  readonly deadlineBlock: number
  readonly outcome: 'open' | 'swapped' | 'not-swapped'
}

/** One direct transfer; final when received. */
export interface DirectState extends Common {
  readonly role: 'direct'
  readonly direction: 'sent' | 'received'
  readonly key: ChannelKey
  readonly partner: Address
  readonly amount: bigint
  readonly paymentId: Hash | null
  readonly data: Uint8Array
  readonly status: Status
  readonly block: number
  readonly failure: Failure | null
}

/** A lock that lies in a channel and belongs to no payment we know of (after a restore): only the safe part is done. */
export interface KeeperState extends Common {
  readonly role: 'keeper'
  readonly held: HeldLock
  readonly direction: 'out' | 'in'
  readonly phase: OutPhase | InPhase
}

export type PaymentState = InitiatorState | MediatorState | TargetState | SwapState | DirectState | KeeperState
export type PaymentRole = PaymentState['role']

export const initiatorId = (token: Address, secretHash: Hash): string => `initiator:${token}:${secretHash}`
export const targetId = (token: Address, secretHash: Hash): string => `target:${token}:${secretHash}`
export const swapId = (secretHash: Hash): string => `swap:${secretHash}`
export const directId = (direction: 'sent' | 'received', key: ChannelKey, nonceOrId: bigint | Hash): string =>
  `direct:${direction}:${key.channel}:${key.epoch}:${nonceOrId}`
/** The exact lock: a lock once given up must be known again when it is offered a second time. */
export const mediatorId = (held: HeldLock): string => `mediator:${lockName(held)}`
export const keeperId = (direction: 'out' | 'in', held: HeldLock): string => `keeper:${direction}:${lockName(held)}`

function lockName(held: HeldLock): string {
  return `${held.channel}:${held.epoch}:${held.lock.secretHash}:${held.lock.expiration}:${held.lock.amount}`
}

/** What whoever ordered a payment knows it by: the same in every try of one order. */
export function orderedHash(state: InitiatorState): Hash {
  return state.orderedHash ?? state.secretHash
}

export function isSameLock(a: HeldLock, b: HeldLock): boolean {
  return a.channel === b.channel && a.epoch === b.epoch && a.lock.secretHash === b.lock.secretHash && a.lock.expiration === b.lock.expiration && a.lock.amount === b.lock.amount
}

/** The order a user gives. `secret` null with a hash: a hold payment, somebody else has the secret. */
export interface PayOrder {
  readonly domain: Domain
  readonly token: Address
  readonly target: Address
  readonly amount: bigint
  readonly maxFee: bigint
  readonly maxParts: number
  readonly data: Uint8Array
  readonly paymentId: Hash | null
  readonly secretHash: Hash
  readonly secret: Hash | null
  /** False: the secret leaves only after `allow-reveal`. */
  readonly isRevealAllowed: boolean
  /** How often the whole may be tried anew with a fresh secret; 0 when the hash was given from outside. */
  readonly freshRetries: number
  readonly orderedHash?: Hash
}

/** What a locked message says, without its envelope. */
export interface LockedTerms {
  readonly lock: Lock
  readonly amount: bigint
  readonly fee: bigint
  readonly initiator: Address
  readonly target: Address
  readonly path: readonly Hop[]
  readonly paymentId: Hash | null
}
