/** What a payment machine may look at when it decides. Nothing here does anything. */
import type { Address, Hash } from '../../base/index.ts'
import type { ChainMoment, ChannelKey, Domain, Lock } from '../ports.ts'
import type { PaymentRules } from './rules.ts'
import type { Failure, PaymentState } from './state.ts'

/** One channel as the payment machines see it. */
export interface ChannelGlance {
  readonly key: ChannelKey
  readonly domain: Domain
  readonly token: Address
  readonly partner: Address
  /** Only core channels carry other people's payments (7.2). */
  readonly role: 'leaf' | 'core'
  readonly settleTimeout: number
  /** New locks and payments may be sent. */
  readonly isUsable: boolean
  /** Open on the chain and not frozen by a quarrel: pending locks may end by messages. */
  readonly isOpen: boolean
  /** `isOpen`, and both ends agree where they stand: such messages may be sent now. */
  readonly isReady: boolean
  /** What we may give now. */
  readonly spendable: bigint
  /** Both deposits less what has left the channel. */
  readonly capacity: bigint
  /** Locks we gave, locks we were given; in the order they came. */
  readonly ownLocks: readonly Lock[]
  readonly partnerLocks: readonly Lock[]
}

export interface PaymentView {
  readonly self: Address
  readonly moment: ChainMoment
  readonly rules: PaymentRules
  /** What the owner holds back: the refusal of every new lock. Null or left out: nothing. */
  readonly heldBack?: Failure | null
  /** Also ended ones: a lock given up once must be known again for as long as it could be offered. */
  payment(id: string): PaymentState | undefined
  /** Those that have not ended. */
  withSecretHash(secretHash: Hash): readonly PaymentState[]
  open(): Iterable<PaymentState>
  channel(channel: Hash): ChannelGlance | undefined
  /** The channel with `partner` of that token and contract. */
  channelTo(partner: Address, token: Address, domain: Domain): ChannelGlance | undefined
  channels(): Iterable<ChannelGlance>
  /** Our fee for `amount` leaving through that channel (9.6). v1 rule: `amount` is what the target gets. */
  feeFor(channel: ChannelGlance, amount: bigint): bigint
}
