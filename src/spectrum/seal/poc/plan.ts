/**
 * The miner's life (spec 2.10) and the next step towards what the owner wants, as pure functions:
 *
 *     not deposited ─deposit→ waiting ─picked by a VRF→ picked → active ─round ends→ waiting
 *        ↑                      │  ↑                                │ slot missed
 *        └──withdraw── stopped ←┘  └──start── stopped ←epoch ends── missed
 */
import { ZERO_ADDRESS } from '../../codec/fields.ts'
import type { Address } from '../../codec/fields.ts'
import type { Round } from '../../rules/round.ts'
import type { MinerRecord, PocTerms } from './miner-record.ts'

export type PocState =
  | 'not-deposited'
  | 'withdrawn' //      not deposited, and the owner wanted it so
  | 'waiting' //        may be picked
  | 'picked' //         seals in the next round
  | 'active' //         seals in this round
  | 'missed' //         let a slot pass: kept out until the epoch ends
  | 'locked'
  | 'stopped' //        may be started; may be withdrawn after the wait
  | 'foreign-owner' //  somebody else's deposit: only they can act

export type PocGoal = 'none' | 'mining' | 'stopped' | 'withdrawn'
export const POC_GOALS: readonly PocGoal[] = ['none', 'mining', 'stopped', 'withdrawn']
export type PocAction = 'deposit' | 'start' | 'stop' | 'withdraw' | 'bind'

export interface PocSight {
  readonly goal: PocGoal
  readonly record: MinerRecord
  /** Null: the chain binds nobody. */
  readonly binding: Address | null
  readonly terms: PocTerms
  readonly round: Pick<Round, 'signers' | 'next'>
  /** The head's. */
  readonly number: number
  readonly miner: Address
  readonly wallet: Address
  /** Could this box seal now? Started without it, the miner would miss again. */
  readonly canSeal: boolean
}

export function pocState({ goal, record, round, miner, wallet }: Omit<PocSight, 'terms' | 'binding' | 'canSeal' | 'number'>): PocState {
  if (record.owner === ZERO_ADDRESS) return goal === 'withdrawn' ? 'withdrawn' : 'not-deposited'
  if (record.owner !== wallet) return 'foreign-owner'
  if (record.isLocked) return 'locked'
  if (record.stopBlock > 0n) return record.isBlack ? 'missed' : 'stopped'
  if (round.signers.includes(miner)) return 'active'
  return round.next.includes(miner) ? 'picked' : 'waiting'
}

/** Null: nothing to do now. */
export function nextAction(sight: PocSight): PocAction | null {
  const { goal, record, binding, terms, wallet } = sight
  const state = pocState(sight)
  if (goal === 'none' || state === 'foreign-owner') return null
  if (goal === 'mining') {
    if (state === 'not-deposited') return sight.canSeal ? 'deposit' : null
    if (state === 'stopped') return sight.canSeal ? 'start' : null
    return binding === ZERO_ADDRESS && wallet !== ZERO_ADDRESS ? 'bind' : null
  }
  if (state === 'waiting' || state === 'picked' || state === 'active') return 'stop'
  // The contract counts the block that the call is in.
  const isWaitOver = BigInt(sight.number + 1) - record.stopBlock > terms.withdrawWaitBlocks
  return goal === 'withdrawn' && state === 'stopped' && isWaitOver ? 'withdraw' : null
}
