/**
 * What is to be done next for a payout's money, pure. Directly is the first choice; over other boxes it goes under one hash at a time, and
 * under another only when the one before is known to be over for good, so whatever is forgotten or comes late, it leaves once.
 */
import type { LockStanding } from './types.ts'

export interface MoneyFacts {
  readonly amount: bigint
  /** The try over other boxes that has not failed. `never`: it is on disk, and channels have not heard of it. Null: there is none. */
  readonly live: LockStanding | 'never' | 'paid' | null
  /** A direct payment for it is in the channels' history. */
  readonly hasLeftDirectly: boolean
  /** Of this box, in a channel with the recipient; null: there is none. */
  readonly spendable: bigint | null
  /** Over other boxes, at what it may cost. */
  readonly hasWay: boolean
}

/**
 * `done`: paid, and written so. `lock`: order the try that is on disk, under its own hash. `wait`: look again. `note-paid`, `note-failed`: write
 * what has become of the try. `ask`: the recipient says that he has it; the owner decides. `direct`: pay it directly, or hear why not. `begin`: write a try.
 */
export type MoneyMove = 'done' | 'lock' | 'wait' | 'note-paid' | 'note-failed' | 'ask' | 'direct' | 'begin'

const MILLION = 1_000_000n

/** The most that carriers may get of it, rounded down. */
export function maxFeeOf(amount: bigint, maxFeePpm: number): bigint {
  return (amount * BigInt(maxFeePpm)) / MILLION
}

export function nextMove({ amount, live, hasLeftDirectly, spendable, hasWay }: MoneyFacts): MoneyMove {
  if (live === 'paid') return 'done'
  if (live === 'never') return 'lock'
  if (live !== null) {
    if (live.state === 'open') return 'wait'
    if (live.state === 'sent') return 'note-paid'
    return live.isKnownThere ? 'ask' : 'note-failed'
  }
  if (hasLeftDirectly || (spendable !== null && spendable >= amount) || !hasWay) return 'direct'
  return 'begin'
}
