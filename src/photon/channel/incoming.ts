/** A packet with a balance proof on its way in: what its handlers are given, and what its proof may give beyond the packet. */
import type { EnvelopeMessage } from '../ports.ts'
import { receivable } from './amounts.ts'
import { CODE } from './codes.ts'
import { PROFILE_RULES } from './rules.ts'
import type { ChannelSide, ChannelState } from './state.ts'
import type { ChannelFact, Refusal } from './verdict.ts'
import { refuse } from './verdict.ts'

/** An envelope message whose sender, place, nonce and bounds are right. */
export interface Incoming<K extends EnvelopeMessage['kind']> {
  readonly message: Extract<EnvelopeMessage, { kind: K }>
  /** The partner's side with the new nonce, proof and counter; locks as before. */
  readonly side: ChannelSide
  /** What the proof gives; `rise`: the part of it that no voucher had counted before. */
  readonly given: bigint
  readonly rise: bigint
}

/**
 * How much more than `expected` the proof gives. v2: that is money of a stream whose vouchers or ticks were lost on the
 * way, since both share the counter; with this proof it is ours for good. v1 has no streams: a refusal.
 */
export function strayRise(state: ChannelState, incoming: Pick<Incoming<EnvelopeMessage['kind']>, 'given' | 'rise' | 'side'>, expected: bigint): Refusal | readonly ChannelFact[] {
  const { given, rise, side } = incoming
  const proved = (side.proof?.transferred ?? 0n) - (state.partner.proof?.transferred ?? 0n)
  if (proved < expected) return refuse(CODE.transferAmountDecrease, `transferred must rise by ${expected}`)
  const stray = given - expected
  if (stray <= 0n) return []
  if (!PROFILE_RULES[state.domain.profile].hasVouchers) return refuse(CODE.transferAmountMismatch, `transferred must rise by ${expected}`)
  if (rise - expected > receivable(state)) return refuse(CODE.insufficientBalance, `the partner can give ${receivable(state)}`)
  return [{ kind: 'stream-raised', by: stray }]
}
