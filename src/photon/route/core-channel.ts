/**
 * What makes a channel a core channel (photon.md 7.2): enough money on both sides, and so long to settle that a box
 * may be away for days. Only core channels carry payments between others.
 */
import type { Address } from '../../base/index.ts'
import type { ChannelFacts } from './ports.ts'

export interface CoreRule {
  /** Smallest deposit of each side, per token; null: no core channels in that token. */
  minDeposit(token: Address): bigint | null
  readonly minSettleTimeout: number
}

export const CORE_MAX_LOCKS = 30
/** One lock holds at most a tenth of the channel. */
const CORE_MAX_LOCK_DIVISOR = 10n

/** `saysCore`: both ends have signed that they mean it so. The rest is the chain's word. */
export function isCoreChannel(facts: ChannelFacts, saysCore: boolean, rule: CoreRule): boolean {
  const least = rule.minDeposit(facts.token)
  return saysCore && least !== null && facts.settleTimeout >= rule.minSettleTimeout && facts.fundsA >= least && facts.fundsB >= least
}

export function coreMaxLock(capacity: bigint): bigint {
  return capacity / CORE_MAX_LOCK_DIVISOR
}
