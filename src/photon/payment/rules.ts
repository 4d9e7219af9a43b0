/** Limits the payment machines keep. Blocks, not seconds: photon.md 2.4, 7.2, 8.3, 9.7, 9.12. */

export interface PaymentRules {
  /** A lock nearer to its end than this is not safe to pay on; a secret must go to the chain by then. */
  readonly revealTimeoutBlocks: number
  /** After a lock's end, so many blocks more before it counts as not claimed. */
  readonly confirmationBlocks: number
  /** Per payer: locks it may have with us at a time. */
  readonly maxLocksPerPeer: number
  /** Per payer: what all its locks with us may hold, in thousandths of the channel's capacity. */
  readonly maxInFlightPerMille: number
  /** One mediated lock, in thousandths of the channel's capacity. */
  readonly maxLockPerMille: number
  readonly maxHops: number
  readonly maxParts: number
  /** How often the router is asked anew for one payment. */
  readonly maxSearches: number
  /** An answer of the router that has not come by then is not waited for. */
  readonly searchTimeoutBlocks: number
  /** A target gives incomplete parts back after this. */
  readonly partsTimeoutBlocks: number
  /** A swap whose other side does not show itself is given up. */
  readonly swapTimeoutBlocks: number
}

export const DEFAULT_RULES: PaymentRules = {
  revealTimeoutBlocks: 30,
  confirmationBlocks: 17,
  maxLocksPerPeer: 30,
  maxInFlightPerMille: 500,
  maxLockPerMille: 100,
  maxHops: 5,
  maxParts: 4,
  maxSearches: 3,
  searchTimeoutBlocks: 3,
  partsTimeoutBlocks: 20,
  swapTimeoutBlocks: 100,
}

/**
 * How long an initiator's lock may last: a quarter of the settle time (short locks are the bound on griefing), but
 * enough for all hops, and never past settle time − reveal time. 0 or less: the channel is too short-lived for locks.
 */
export function lockBlocks(settleTimeout: number, rules: PaymentRules): number {
  const longest = settleTimeout - rules.revealTimeoutBlocks
  return Math.min(longest, Math.max(Math.floor(settleTimeout / 4), 4 * rules.revealTimeoutBlocks))
}
