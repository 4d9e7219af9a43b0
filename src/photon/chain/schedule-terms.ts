/** What the deadline scheduler (schedule.ts) is given, and what it gives back. */
import type { Address, Hash } from '../../base/index.ts'
import type { ChannelEvent, ChannelKey, ChainPoint, SecretEvent } from '../ports.ts'
import type { Keccak } from './abi.ts'
import type { BoxDuty, DueBoxDuty } from './box-duty.ts'
import type { ContractCall } from './calls.ts'
import type { DutyOutcome, DutyState, SentCause } from './duty-state.ts'
import type { OrderVerdict } from './order-proof.ts'
import type { Seal } from './transaction.ts'

export interface ScheduleRules {
  /** Blocks above a transaction before it counts as done. */
  readonly depth: number
  /** Between two sendings of one nonce. */
  readonly resendBlocks: number
  /** From here on before a deadline the price rises with each sending. */
  readonly hurryBlocks: number
  /** From here on somebody is told. */
  readonly alarmBlocks: number
  readonly maxGasPriceWei: bigint
  /** Transactions that fail before a duty is given up. */
  readonly maxAttempts: number
  /** Nonces in flight. */
  readonly maxSlots: number
}

export const SCHEDULE_RULES: ScheduleRules = { depth: 17, resendBlocks: 3, hurryBlocks: 60, alarmBlocks: 20, maxGasPriceWei: 10n ** 12n, maxAttempts: 3, maxSlots: 16 }

export interface ScheduleTools {
  readonly keccak: Keccak
  readonly account: Address
  readonly seal: Seal
  readonly callsOf: (due: DueBoxDuty) => readonly ContractCall[]
  readonly rules: ScheduleRules
}

/** What the canonical chain says at one head. */
export interface ChainSight {
  readonly head: number
  /** The account at that head. */
  readonly accountNonce: bigint
  readonly balanceWei: bigint
  /** The account's nonce `depth` blocks below; null: not to be had. */
  readonly safeNonce: bigint | null
  readonly gasPriceWei: bigint
  readonly receipts: ReadonlyMap<Hash, SeenReceipt>
  /** Guests' orders in doubt (order-proof.ts), by proof at the depth of `safeNonce`. Missing: not to be had. */
  readonly orders: ReadonlyMap<Hash, OrderVerdict>
}

/** `gasUsed` left out: whoever read it does not say. */
export interface SeenReceipt {
  readonly point: ChainPoint
  readonly succeeded: boolean
  readonly gasUsed?: bigint
}

export type ScheduleInput =
  | { readonly kind: 'put'; readonly due: DueBoxDuty; readonly head: number }
  /** For good, that is as deep as the follower tells it. */
  | { readonly kind: 'event'; readonly event: ChannelEvent | SecretEvent }
  /** Nobody wants it any more. */
  | { readonly kind: 'drop'; readonly key: ChannelKey; readonly duty: BoxDuty['kind'] }
  | { readonly kind: 'sight'; readonly sight: ChainSight }
  | { readonly kind: 'restarted' }

export type DutyAlarm = 'deadline-near' | 'late' | 'gas-money' | 'price-cap' | 'reverted' | 'unseen'

export type ScheduleEffect =
  | { readonly kind: 'send'; readonly nonce: bigint; readonly hash: Hash; readonly raw: Uint8Array }
  | { readonly kind: 'ended'; readonly due: DueBoxDuty; readonly outcome: DutyOutcome }
  /** As deep as it has to be: for the record, in the turn that forgets its nonce. */
  | { readonly kind: 'mined'; readonly hash: Hash; readonly gasPriceWei: bigint; readonly cause: SentCause; readonly receipt: SeenReceipt }
  | { readonly kind: 'alarm'; readonly alarm: DutyAlarm; readonly due: DueBoxDuty | null; readonly detail: string }

/** What is told after the turn: the rest is sent, or kept. */
export type ToldEffect = Extract<ScheduleEffect, { kind: 'ended' | 'alarm' }>

export interface Scheduled {
  readonly state: DutyState
  readonly effects: readonly ScheduleEffect[]
}
