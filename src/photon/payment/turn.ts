/**
 * What comes into the payment machines and what they want done. All commands of one input are carried out in the same
 * turn as its changes are stored, or nothing of it happens; a command that the channel refuses comes back as
 * `command-refused` in the same turn.
 */
import type { Address, Hash } from '../../base/index.ts'
import type { ChannelKey, Hop, Lock, Path, PathRequest } from '../ports.ts'
import type { Failure, LockedTerms, PayOrder, PaymentState } from './state.ts'

/** Orders for one leg each of a token swap (9.7). The hash is agreed beforehand; the maker has the secret. */
export interface SwapOrder {
  readonly side: 'maker' | 'taker'
  readonly pay: PayOrder
  readonly receivingToken: Address
  readonly receivingAmount: bigint
}

export type PaymentInput =
  // the user
  | { readonly kind: 'pay'; readonly order: PayOrder; readonly routes: readonly (readonly Path[])[] }
  | { readonly kind: 'pay-direct'; readonly channel: Hash; readonly amount: bigint; readonly paymentId: Hash | null; readonly data: Uint8Array; readonly reference: Hash }
  | { readonly kind: 'swap'; readonly order: SwapOrder; readonly routes: readonly (readonly Path[])[] }
  | { readonly kind: 'cancel'; readonly id: string }
  | { readonly kind: 'allow-reveal'; readonly id: string }
  /** A secret given by the user or an application: the receiver of a hold payment, for one. */
  | { readonly kind: 'secret-given'; readonly secret: Hash }
  // the router, in answer to `find-routes`
  | { readonly kind: 'routes'; readonly id: string; readonly routes: readonly (readonly Path[])[] }
  // what the channels say (their facts)
  /** `unwelcome`: the channel has taken it in but wants it given back at once. */
  | { readonly kind: 'lock-received'; readonly channel: Hash; readonly terms: LockedTerms; readonly unwelcome: Failure | null }
  /** Paid by the partner, or (`secret` null: it is public) unlocked by us on the chain. */
  | { readonly kind: 'lock-unlocked'; readonly channel: Hash; readonly secretHash: Hash; readonly secret: Hash | null }
  | { readonly kind: 'lock-removed'; readonly channel: Hash; readonly secretHash: Hash }
  | { readonly kind: 'lock-disposed'; readonly channel: Hash; readonly secretHash: Hash; readonly code: number; readonly reason: string; readonly hopIndex: number | null }
  | { readonly kind: 'lock-released'; readonly channel: Hash; readonly secretHash: Hash }
  | { readonly kind: 'direct-received'; readonly channel: Hash; readonly nonce: bigint; readonly amount: bigint; readonly paymentId: Hash | null; readonly data: Uint8Array }
  | { readonly kind: 'direct-delivered'; readonly id: string }
  /** The channel was settled with an older proof of ours than the one this was in. */
  | { readonly kind: 'direct-lost'; readonly id: string }
  | { readonly kind: 'channel-settled'; readonly key: ChannelKey }
  /** Both ends agree again after a connect. */
  | { readonly kind: 'channel-ready'; readonly channel: Hash }
  // other nodes' plain messages; `from` is who signed
  | { readonly kind: 'secret-request'; readonly from: Address; readonly secretHash: Hash; readonly amount: bigint }
  | { readonly kind: 'reveal'; readonly from: Address; readonly secret: Hash; readonly data: Uint8Array }
  // the chain: a secret at a depth that is believed, then a new height (in this order)
  | { readonly kind: 'secret-on-chain'; readonly secret: Hash; readonly secretHash: Hash; readonly block: number }
  | { readonly kind: 'moment' }
  // the node
  | { readonly kind: 'restarted' }
  | { readonly kind: 'command-refused'; readonly command: ChannelCommand; readonly code: number; readonly reason: string }

/** Carried out by a verb of the channel. `payment`: whose command it is. */
export type ChannelCommand = { readonly payment: string; readonly channel: Hash } & (
  | { readonly kind: 'send-direct'; readonly amount: bigint; readonly paymentId: Hash | null; readonly data: Uint8Array }
  | { readonly kind: 'send-locked'; readonly lock: Lock; readonly amount: bigint; readonly fee: bigint; readonly initiator: Address; readonly target: Address; readonly path: readonly Hop[]; readonly paymentId: Hash | null }
  | { readonly kind: 'send-unlock'; readonly secret: Hash }
  | { readonly kind: 'send-expired'; readonly secretHash: Hash }
  | { readonly kind: 'send-disposed'; readonly secretHash: Hash; readonly code: number; readonly reason: string; readonly hopIndex: number | null }
  | { readonly kind: 'send-disposed-response'; readonly secretHash: Hash }
  /** Never refused. From here on the channel's duties bring the secret to the chain when its payer is late (`dutiesOf`, `closeReason`). */
  | { readonly kind: 'learn-secret'; readonly secret: Hash }
)

export type PaymentCommand =
  | ChannelCommand
  | { readonly kind: 'send-request'; readonly to: Address; readonly secretHash: Hash; readonly amount: bigint; readonly paymentId: Hash | null }
  | { readonly kind: 'send-reveal'; readonly to: Address; readonly secret: Hash; readonly data: Uint8Array }
  | { readonly kind: 'find-routes'; readonly id: string; readonly request: PathRequest }
  /** Given up everywhere: the same again as a new payment (`pay`, no routes) under a secret fresh from the kernel; `id` tells the user what it replaces. */
  | { readonly kind: 'pay-again'; readonly id: string; readonly order: Omit<PayOrder, 'secret' | 'secretHash'> }
  | { readonly kind: 'report-path'; readonly path: Path; readonly outcome: { readonly ok: true } | { readonly ok: false; readonly hopIndex: number; readonly code: number } }
  /** For the ledger: earned by mediating, once per payment. */
  | { readonly kind: 'post-fee'; readonly id: string; readonly token: Address; readonly fee: bigint; readonly incoming: ChannelKey; readonly outgoing: ChannelKey; readonly secretHash: Hash }
  /** Something to tell the owner or the log; `failure` null when it is good news. */
  | { readonly kind: 'notice'; readonly id: string; readonly what: Notice; readonly failure: Failure | null }

export type Notice = 'sent' | 'received' | 'mediated' | 'failed' | 'cancelled' | 'swapped' | 'refund-after-reveal' | 'amount-mismatch' | 'lock-lost' | 'ignored'

/** Changes are put over the old records under their ids; then the commands are carried out in order. */
export interface Step {
  readonly changes: readonly PaymentState[]
  readonly commands: readonly PaymentCommand[]
}
