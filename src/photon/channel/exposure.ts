/**
 * How much is taken when nobody could see a close (specs/photon.md 3.6), and nothing in a channel that settles faster
 * than a proof can be posted (F5).
 */
import { CODE } from './codes.ts'
import type { ChannelMoment } from './rules.ts'
import type { ChannelState } from './state.ts'
import type { Changed, ChannelTools, Refusal } from './verdict.ts'
import { refuse } from './verdict.ts'

/** The state with the exposure that a `rise` of the partner's counter makes, or why it is not taken now. */
export function withExposure(tools: ChannelTools, state: ChannelState, rise: bigint, moment: ChannelMoment): Changed | Refusal {
  const { rules } = tools
  if (state.settleTimeout < rules.minSettleTimeout) return refuse(CODE.settleTimeoutInvalid, `the settle timeout ${state.settleTimeout} is below ${rules.minSettleTimeout}`)
  if (!moment.isFrozen) return { ok: true, state: state.offlineFrom === null ? state : { ...state, offlineFrom: null } }
  if ((moment.offlineBlocks ?? 0) >= state.settleTimeout - rules.revealTimeout) return refuse(CODE.chainNotConnected, 'too long without a view of the chain')
  const from = state.offlineFrom ?? state.partner.transferred
  if (state.partner.transferred + rise - from > rules.maxOfflineExposure) return refuse(CODE.directOnly, `at most ${rules.maxOfflineExposure} is taken without a view of the chain`)
  return { ok: true, state: state.offlineFrom === null ? { ...state, offlineFrom: from } : state }
}

/** With the view of the chain back what was taken without it can be posted in time: the next time counts anew. */
export function withView(state: ChannelState, moment: ChannelMoment): ChannelState {
  return moment.isFrozen || state.offlineFrom === null ? state : { ...state, offlineFrom: null }
}

/** The partner paid a lock. It was not given without a view, and to refuse its end would make nothing surer: it counts as if it had come before. */
export function besideExposure(state: ChannelState, amount: bigint, moment: ChannelMoment): ChannelState {
  if (!moment.isFrozen || state.offlineFrom === null) return withView(state, moment)
  return { ...state, offlineFrom: state.offlineFrom + amount }
}
