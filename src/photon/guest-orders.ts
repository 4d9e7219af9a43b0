/**
 * What a guest without coin for gas may order of this box: he signs, the box looks at everything, sends it, pays the gas,
 * and has its fee in tokens. Made by box/guest-orders.ts over the purse (contracts/solidity/Purse.sol).
 */
import type { Address, Hash } from '../base/index.ts'
import type { ChannelKey, SettleTerms } from './ports.ts'
import type { GuestChannel } from './parts.ts'

/** `waiting`: sent, not in the chain. `confirming`: in it, not deep enough. */
export type PlacedOrderState = 'waiting' | 'confirming' | 'done' | 'failed'

export interface GuestOrderView {
  /** Of what was signed. */
  readonly hash: Hash
  readonly state: PlacedOrderState
}

/** All a page needs to sign the next order, and what became of the last one. */
export interface PurseStanding {
  /** In the purse, as far down as money may rest on. */
  readonly balance: bigint
  /** Came in just now, and does not count yet. */
  readonly arriving: bigint
  readonly number: bigint
  readonly head: number
  readonly channel: GuestChannel
  /** Of the channel that is, or of one to be opened. */
  readonly settleTimeout: number
  readonly order: GuestOrderView | null
}

interface Placed {
  readonly token: Address
  readonly from: Address
  readonly amount: bigint
  readonly fee: bigint
  readonly number: bigint
  /** Block. */
  readonly validUntil: number
  /** 65 bytes. */
  readonly signature: Uint8Array
}

/** `open`: his channel with this box. `put-in`: more into it. `pay`: to somebody's account, or to his balance in the purse. */
export type PlacedOrder =
  | (Placed & { readonly what: 'open'; readonly epoch: bigint; readonly settleTimeout: number; readonly consent: Uint8Array })
  | (Placed & { readonly what: 'put-in'; readonly epoch: bigint; readonly settleTimeout: number })
  | (Placed & { readonly what: 'pay'; readonly to: Address; readonly inside: boolean })

/** What a guest signs to end his channel at once; `terms.p1` is his. */
export interface SettleOffer extends ChannelKey {
  readonly terms: SettleTerms
}

export interface GuestOrders {
  readonly purse: Address
  readonly fee: bigint
  /** About how long an order takes until it counts. */
  finalSeconds(): number
  /** Errors: unavailable `chain-offline`, `photon-no-proof`. */
  standing(payer: Address, token: Address): Promise<PurseStanding>
  /**
   * Resolves when it is on disk; the same order again is the same. Nothing is sent that would fail as far as the chain can say now.
   * Errors: input `bad-order`, `bad-signature`; conflict `purse-short`, `order-old`, `order-running`, `channel-closing`; limit; unavailable.
   */
  place(order: PlacedOrder): Promise<GuestOrderView>
  /** `earned`: the box's by the stream, at least. Errors: conflict `purse-short`, `photon-no-channel`; unavailable. */
  settleOffer(payer: Address, token: Address, earned: bigint): SettleOffer
  /**
   * Resolves when both signatures are on disk. `earned`: asked again when all else is known, for he may go on paying by the second meanwhile.
   * Errors: as above; conflict `order-old`; input `bad-signature`.
   */
  settle(payer: Address, token: Address, earned: () => bigint, validUntil: number, signature: Uint8Array): Promise<SettleOffer>
}
