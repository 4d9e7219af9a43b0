/**
 * What the owner may ask of the miner's deposit, judged before anything is sent: each order becomes a goal of
 * the agent, or is refused with the reason that a person can do something about.
 */
import { MeshBoxError, formatAmount } from '../../../base/index.ts'
import type { Address } from '../../codec/fields.ts'
import type { Network } from '../../network/network.ts'
import type { ChainAlarm, ChainBlock } from '../../ports.ts'
import type { PocStatus } from './agent.ts'
import type { PocGoal } from './plan.ts'

export type PocOrder = 'deposit' | 'start' | 'stop' | 'withdraw'
export const POC_ORDERS: readonly PocOrder[] = ['deposit', 'start', 'stop', 'withdraw']
const GOALS: Readonly<Record<PocOrder, PocGoal>> = { deposit: 'mining', start: 'mining', stop: 'stopped', withdraw: 'withdrawn' }
const WEI_DECIMALS = 18

export interface OrderSight {
  readonly network: Network
  readonly head: Pick<ChainBlock, 'round'>
  readonly alarm: ChainAlarm | null
  readonly miner: Address
  readonly wallet: Address
  /** Of the agent, just now. */
  readonly status: PocStatus
  /** A deposit's gas at most, wei. */
  readonly callCostWei: bigint
}

/** Errors: conflict `chain-alarm`, `poc-…`; unavailable `poc-unproved`. */
export function judgeOrder(order: PocOrder, sight: OrderSight): PocGoal {
  const { head, alarm, miner, wallet, status } = sight
  const { state } = status
  if (alarm !== null) throw refused('chain-alarm', `an alarm of the chain is set (${alarm.reason}); look at it first`)
  if (state === null) throw new MeshBoxError('unavailable', `the deposit cannot be proved now${status.obstacle === null ? '' : `: ${status.obstacle}`}`, { code: 'poc-unproved' })
  if (state === 'foreign-owner') throw refused('poc-foreign-owner', `another wallet has deposited for ${miner}; only that one can act, this box signs for ${wallet}`)
  const isNothingThere = state === 'not-deposited' || state === 'withdrawn'
  if (order === 'deposit' || order === 'start') {
    if (head.round.leaders.includes(miner)) throw refused('poc-leader', `this box (${miner}) is a leader: it seals without a deposit, and may not have one`)
    if (head.round.signers.length === 1) throw refused('poc-no-places', 'the rounds of this chain have a place for a leader only: a deposit would have no effect')
    if (state === 'locked') throw refused('poc-locked', 'the deposit is locked by the contract')
  }
  if (order === 'deposit') {
    if (!isNothingThere) throw refused('poc-deposited', 'the deposit is there already; start or stop it, or withdraw it')
    requireFunds(sight)
  }
  // A deposit that is still on its way can be stopped and taken back too.
  const isComing = status.goal === 'mining' || status.action?.outcome === null
  if (order !== 'deposit' && isNothingThere && !(order !== 'start' && isComing)) throw refused('poc-no-deposit', `there is no deposit for ${miner}; make one first`)
  return GOALS[order]
}

function requireFunds({ status, wallet, callCostWei }: OrderSight): void {
  const needed = (status.minDepositWei ?? 0n) + callCostWei
  if (status.walletWei !== null && status.walletWei >= needed) return
  throw refused('poc-no-funds', `a deposit needs ${amount(needed)} SMT (${amount(status.minDepositWei ?? 0n)} and gas) in ${wallet}; it has ${amount(status.walletWei ?? 0n)}`)
}

function amount(wei: bigint): string {
  return formatAmount(wei, WEI_DECIMALS)
}

function refused(code: string, message: string): MeshBoxError {
  return new MeshBoxError('conflict', message, { code })
}
