/** What has become of a direct payment of ours in a channel that is over, where the partner never said that he had it: by what the chain paid out. */
import { isVoid, postedSettlement } from './chain-events.ts'
import type { ChannelState } from './state.ts'

/** `lost`: it went with its channel, and the chain has paid its money back to us. `unknown`: the channel is over, and nothing shows either. */
export type Arrival = 'delivered' | 'waiting' | 'lost' | 'unknown'

/**
 * `nonce`: of the packet that paid. Both sign the same end, so what we had given by then was in it. By posted proofs the partner had it if
 * the one he posted of us is as new; he has nothing of it only where the chain paid us all that the older one leaves us, for what he took out by a
 * voucher or a withdrawal may have been covered by this payment.
 */
export function arrivalAtEnd(state: ChannelState, nonce: bigint): Arrival {
  const { domain, phase, payout, dispute, own } = state
  if (phase !== 'settled') return 'waiting'
  if (payout?.isCooperative === true) return 'delivered'
  if (dispute === null) return 'unknown'
  const posted = dispute.own
  if (posted.nonce >= nonce && !isVoid(posted)) return 'delivered'
  // v1: a withdrawal that both signed began a life with new nonces, and the payment may be of the one before.
  if (domain.profile === 'v1' || payout == null || own.claimed > posted.transferred) return 'unknown'
  const [due] = postedSettlement(state, dispute)
  return payout.own === due && due === unclamped(state, posted.transferred, dispute.partner.transferred) ? 'lost' : 'unknown'
}

/** As `settlementOf`, where nobody has taken out more than he had. */
function unclamped({ own, partner }: ChannelState, given: bigint, got: bigint): bigint {
  return own.deposit + (got > partner.claimed ? got : partner.claimed) - given - partner.claimed - own.withdrawn
}
