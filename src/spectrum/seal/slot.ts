/**
 * When this box may seal on a head, as a pure function. The rank table (spec 2.3) says after how many seconds
 * and with which difficulty; the rest are reasons not to seal at all.
 *
 * A block's time is the later of "parent's time + delay" and now, in whole seconds: never before the rank's
 * delay, never in the future of somebody whose clock is right.
 */
import { ZERO_ADDRESS } from '../codec/fields.ts'
import type { Address } from '../codec/fields.ts'
import { isActive } from '../network/network.ts'
import type { Network } from '../network/network.ts'
import type { ChainBlock } from '../ports.ts'
import { rankOf } from '../rules/rank.ts'
import type { Rank } from '../rules/rank.ts'
import type { Round } from '../rules/round.ts'

export type IdleReason =
  | 'alarm' //          the owner has to look at the chain first
  | 'not-in-sync' //    others have blocks that this box has not
  | 'before-sip100' //  older rules are followed, not sealed by
  | 'not-authorised' // no place in this round
  | 'key-elsewhere' //  another box seals with this key, now: two of them would equivocate
  | 'sealed-already' // this key has a seal at this height, on another parent
  | 'no-clock' //       the time is not trusted, and others may seal too
  | 'not-executed' //   the head's state is not here
  | 'no-volunteer' //   what the VRF picks cannot be proved now
  | 'failed' //         the last try went wrong; another follows

export interface SlotQuestion {
  readonly network: Network
  readonly head: Pick<ChainBlock, 'header' | 'round'>
  readonly self: Address
  readonly nowMs: number | null
  readonly hasState: boolean
  readonly isInSync: boolean
  readonly hasAlarm: boolean
  /** A seal of this key at the next height is on disk, or was seen on the chain. */
  readonly isSealed: boolean
  /** Somebody else holds this key and uses it. */
  readonly isKeyElsewhere: boolean
}

export type Slot =
  | { readonly kind: 'idle'; readonly reason: IdleReason }
  | { readonly kind: 'slot'; readonly number: number; readonly rank: Rank; readonly opensAtSeconds: number; readonly nowMs: number }

export function decideSlot(question: SlotQuestion): Slot {
  const { network, head, self, nowMs } = question
  const number = head.header.number + 1
  if (question.hasAlarm) return idle('alarm')
  if (question.isKeyElsewhere) return idle('key-elsewhere')
  if (!question.isInSync) return idle('not-in-sync')
  if (!isActive(network, 'sip100', number)) return idle('before-sip100')
  const rank = rankOf(head.round, number, network.periodSeconds, self)
  if (!rank.isAuthorised) return idle('not-authorised')
  if (question.isSealed) return idle('sealed-already')
  if (nowMs === null) return idle('no-clock')
  if (!question.hasState) return idle('not-executed')
  return { kind: 'slot', number, rank, opensAtSeconds: head.header.timeSeconds + rank.delaySeconds, nowMs }
}

function idle(reason: IdleReason): Slot {
  return { kind: 'idle', reason }
}

/** The time in the header of a block that is made at `nowMs`. */
export function blockTime(opensAtSeconds: number, nowMs: number): number {
  return Math.max(opensAtSeconds, Math.floor(nowMs / 1000))
}

/** Is there nobody else who may seal, in this round or as a leader? */
export function isAlone(round: Pick<Round, 'signers' | 'next' | 'leaders'>, self: Address): boolean {
  return round.leaders.every((leader) => leader === self) && [...round.signers, ...round.next].every((signer) => signer === self || signer === ZERO_ADDRESS)
}
