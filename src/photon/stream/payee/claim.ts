/**
 * From held vouchers to a claim on the chain (photon.md 9.4, claim policy). A claim may show any word up to the deepest
 * one known, so the payee can claim exactly what it has served, however far the guest has paid ahead.
 */
import type { Duty } from '../../ports.ts'
import { hashBack } from '../chain.ts'
import type { Sha256 } from '../chain.ts'
import { hexText } from '../../hex-digits.ts'
import { earnedValue, valueOf } from './channel.ts'
import type { HeldVoucher, PayeeChannel } from './channel.ts'

/** The voucher and word that are worth the most without exceeding `value`, with the fewest steps; null: none. */
export function claimPoint(sha256: Sha256, held: readonly HeldVoucher[], value: bigint): HeldVoucher | null {
  let best: { readonly from: HeldVoucher; readonly steps: number; readonly worth: bigint } | null = null
  for (const from of held) {
    const { cumulative, unit } = from.voucher
    if (cumulative > value) continue
    const affordable = (value - cumulative) / unit
    const steps = affordable < BigInt(from.index) ? Number(affordable) : from.index
    const worth = cumulative + unit * BigInt(steps)
    if (best === null || worth > best.worth || (worth === best.worth && steps < best.steps)) best = { from, steps, worth }
  }
  if (best === null) return null
  const { from, steps } = best
  return { voucher: from.voucher, index: steps, preimage: hashBack(sha256, from.preimage, from.index - steps) }
}

/** What can be claimed of this channel now. */
export function claimable(sha256: Sha256, channel: PayeeChannel): HeldVoucher | null {
  const held = [...(channel.claim === null ? [] : [channel.claim]), ...(channel.session?.phase === 'open' ? channel.session.vouchers : [])]
  const point = claimPoint(sha256, held, earnedValue(channel))
  return point === null || valueOf(point) === 0n ? null : point
}

export interface ClaimPolicy {
  /** Smallest units that are worth the gas. */
  readonly threshold: bigint
  /** Claim when less than this is left under the ceiling: the guest may be about to leave. */
  readonly lowDeposit: bigint
}
export interface ClaimFacts {
  /** Of the payer's side on the chain; what is on its way there counts too. */
  readonly claimed: bigint
  readonly isClosing: boolean
}
export type ClaimReason = 'closing' | 'threshold' | 'low-deposit'

/** Whether to claim now, and why. Closing channels always; a session that still runs is claimed for what it has served. */
export function claimReason(channel: PayeeChannel, facts: ClaimFacts, policy: ClaimPolicy): ClaimReason | null {
  const gain = earnedValue(channel) - facts.claimed
  if (gain <= 0n) return null
  if (facts.isClosing) return 'closing'
  if (gain >= policy.threshold) return 'threshold'
  return channel.account.ceiling - earnedValue(channel) < policy.lowDeposit ? 'low-deposit' : null
}

export function claimDuty({ account }: PayeeChannel, { voucher, index, preimage }: HeldVoucher): Extract<Duty, { kind: 'claim' }> {
  return { kind: 'claim', token: account.token, payer: account.payer, payee: account.payee, voucher, preimage: hexText(preimage), steps: index }
}
