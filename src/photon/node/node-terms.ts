/** What a node is made of, and the orders it takes. */
import type { Address, Hash, Randomness } from '../../base/index.ts'
import type { Tx } from '../../store/index.ts'
import type { ChannelRole, ChannelRules } from '../channel/index.ts'
import type { ChannelGlance, Failure, PaymentRules } from '../payment/index.ts'
import type { ChannelEvent, ChannelKey, Domain, Path, Router } from '../ports.ts'
import type { Keccak } from '../wire/index.ts'
import type { EngineOptions } from './engine.ts'
import type { DutySink, FeeBook, MomentSource } from './ports.ts'

export interface PhotonNodeOptions extends Omit<EngineOptions, 'wire' | 'digests' | 'keccak256'> {
  readonly domain: Domain
  readonly keccak256: Keccak
  readonly randomness: Randomness
  readonly moments: MomentSource
  readonly duties: DutySink
  readonly router: Router
  readonly fees: FeeBook
  readonly rules?: Partial<ChannelRules>
  readonly paymentRules?: Partial<PaymentRules>
  /** Our fee for `amount` leaving through that channel (9.6). */
  feeFor(channel: ChannelGlance, amount: bigint): bigint
  /** The refusal of every new lock, ours and others', while the owner holds them back; null: nothing. Default: nothing. */
  heldBack?(): Failure | null
  /** There is mail for `peer`, who is not connected: a target asks the payer for the secret, for one. Default: it waits. */
  reach?(peer: Address): void
  /** A partner speaks of a channel that is not known here; as often as it likes, and perhaps a lie. */
  claimed?(from: Address, key: ChannelKey): void
  /** Whether a new channel is one between boxes or a guest's. */
  roleOf(opened: Extract<ChannelEvent, { kind: 'opened' }>, partner: Address): ChannelRole
  /** Set: what is on disk is an old copy (a backup put in place); called in the turn that has taken this in. */
  readonly fromOldCopy?: ((tx: Tx) => void) | null
}

export interface DirectPayment {
  readonly channel: Hash
  readonly amount: bigint
  readonly paymentId?: Hash
  readonly data?: Uint8Array
}

/** On disk here; `delivered` resolves when it is on the partner's disk, which may be days later. */
export interface SentPayment {
  readonly paymentId: Hash
  readonly channel: Hash
  readonly nonce: bigint
  readonly delivered: Promise<void>
}

/** A locked payment. Without `secretHash` the secret is made here; with it and no `secret`, somebody else has it. */
export interface LockedPayment {
  readonly token: Address
  readonly target: Address
  readonly amount: bigint
  readonly maxFee: bigint
  readonly maxParts?: number
  readonly data?: Uint8Array
  readonly paymentId?: Hash
  readonly secretHash?: Hash
  readonly secret?: Hash
  /** False: the secret leaves only after `allowReveal`. */
  readonly isRevealAllowed?: boolean
  /** Ways to try first, best first; a circle of the box to itself has no others. */
  readonly routes?: readonly (readonly Path[])[]
}

/** Our leg of a token swap (9.7); the maker has the secret. */
export interface SwapLeg extends LockedPayment {
  readonly side: 'maker' | 'taker'
  readonly secretHash: Hash
  readonly receivingToken: Address
  readonly receivingAmount: bigint
}
