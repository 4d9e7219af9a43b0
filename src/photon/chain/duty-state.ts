/** What the scheduler keeps: duties as jobs, and the account's transactions by nonce. Plain data, all of it on disk. */
import type { Hash } from '../../base/index.ts'
import type { ChannelEvent, ChannelKey } from '../ports.ts'
import { hexOf } from '../../base/index.ts'
import type { BoxDuty, DueBoxDuty } from './box-duty.ts'
import type { ContractCall } from './calls.ts'
import type { Keccak } from './abi.ts'
import { lockHash } from '../wire/index.ts'

/** How a duty ended. `reverted`: its transaction failed as often as is tried; `late`: its deadline passed first. `unseen`: its nonce is used up and nobody has the receipt, and it must not be done twice. */
export type DutyOutcome = 'done' | 'pointless' | 'reverted' | 'late' | 'unseen'

export interface DutyJob {
  /** The same for the same thing to be done, whatever the amounts in it: see dutyId. */
  readonly id: string
  /** Order of arrival. */
  readonly sequence: number
  readonly due: DueBoxDuty
  readonly calls: readonly ContractCall[]
  readonly attempts: number
  /** Not tried again before. */
  readonly notBefore: number
}

/** One nonce of the account, from the first sending until its transaction is deep enough. */
export interface NonceSlot {
  readonly nonce: bigint
  /** Null: whatever it was for is not wanted any more; it only must not leave a gap. */
  readonly job: string | null
  /** Which of the job's calls. */
  readonly step: number
  readonly versions: readonly SentVersion[]
  /** Head when it was sent last; null: to be sent. */
  readonly sentAt: number | null
  /** Head when its nonce was first found used up, for good, by a transaction of which there is no receipt. */
  readonly unseenSince?: number
}

export interface SentVersion {
  readonly hash: Hash
  readonly gasPriceWei: bigint
  readonly call: ContractCall
  /** Left out: it only fills a gap, or was sent before this was kept. */
  readonly cause?: SentCause
}

/** What a transaction was sent for; it stays with it when the duty has ended. */
export interface SentCause {
  readonly due: DueBoxDuty
  /** Which of the duty's calls, of how many. */
  readonly step: number
  readonly steps: number
  /** Head when it was sent first. */
  readonly head: number
}

/** A job that ended, remembered so that the same is not begun again by who does not know it yet. */
export interface EndedDuty {
  readonly id: string
  readonly content: string
  readonly outcome: DutyOutcome
  readonly block: number
}

export interface DutyState {
  readonly jobs: readonly DutyJob[]
  /** By nonce. */
  readonly slots: readonly NonceSlot[]
  readonly ended: readonly EndedDuty[]
  readonly nextSequence: number
  /** What was said already and still holds. */
  readonly alarms: readonly string[]
}

export const NO_DUTIES: DutyState = { jobs: [], slots: [], ended: [], nextSequence: 1, alarms: [] }

/** One duty of a kind per channel life and subject: a newer one takes the place of an older one. A deposit without a reference, and coin that is wrapped, is always a new one. */
export function dutyId({ duty, key }: DueBoxDuty, sequence: number): string {
  return idOf(duty.kind, duty.kind === 'register-secret' ? '' : key === null ? 'none' : lifeOf(key), subjectOf(duty, sequence))
}

/** How far an order for a guest's channel is: `unseen` as in `DutyOutcome`; `unknown`: never put, or ended long ago. */
export type GuestOrderState = 'unknown' | 'waiting' | 'done' | 'failed' | 'unseen'

/** `reference`: of the opening or the deposit. */
export function guestOrderState({ jobs, ended }: DutyState, key: ChannelKey, reference: string): GuestOrderState {
  const isIt = ({ id }: { readonly id: string }): boolean => id === idOf('open-for', lifeOf(key), reference) || id === idOf('deposit', lifeOf(key), reference)
  if (jobs.some(isIt)) return 'waiting'
  const outcome = ended.find(isIt)?.outcome
  if (outcome === undefined) return 'unknown'
  return outcome === 'done' || outcome === 'unseen' ? outcome : 'failed'
}

function idOf(kind: BoxDuty['kind'], life: string, subject: string): string {
  return `${kind}/${life}/${subject}`
}

function lifeOf({ channel, epoch }: ChannelKey): string {
  return `${channel}/${epoch}`
}

function subjectOf(duty: BoxDuty, sequence: number): string {
  switch (duty.kind) {
    case 'open':
      return `${duty.token}/${duty.partner}/${duty.epoch}`
    case 'deposit':
      return duty.reference ?? String(sequence)
    case 'wrap':
    case 'unwrap':
    case 'send-coin':
      return String(sequence)
    case 'register-secret':
      return duty.secret
    case 'unlock':
      return duty.lock.secretHash
    case 'claim':
      return duty.payer
    case 'withdraw':
      return duty.participant
    case 'open-for':
      return duty.reference ?? duty.participant
    case 'update-delegate':
      return duty.receiver
    case 'purse':
      return `${duty.order.from}/${duty.hash}`
    default:
      return ''
  }
}

/** Two duties of one id with the same content are the same. */
export function contentOf(calls: readonly ContractCall[]): string {
  return calls.map(({ to, data, valueWei = 0n }) => `${to}${hexOf(data)}${valueWei === 0n ? '' : `+${valueWei}`}`).join(' ')
}

/** Is there nothing left to do for this duty, once `event` has happened for good? */
export function isSettledBy(keccak: Keccak, due: DueBoxDuty, event: ChannelEvent): boolean {
  const { duty, key } = due
  // An order of a guest happens or fails by itself: the purse keeps count of it, not the channel.
  if (key === null || key.channel !== event.channel || duty.kind === 'purse') return false
  // One for a code is judged by its own receipt: news of its very success, or of an end after it, would else count as its failure, and it be paid twice.
  if ((duty.kind === 'open-for' || duty.kind === 'deposit') && duty.reference !== undefined) return false
  switch (event.kind) {
    case 'opened':
      return (duty.kind === 'open' || duty.kind === 'open-for') && duty.epoch === event.epoch
    case 'settled':
      // What opens or fills the next life is not about this one.
      return !isForLaterLife(duty)
    case 'closed':
      return duty.kind === 'close' || duty.kind === 'withdraw' || duty.kind === 'cooperative-settle' || duty.kind === 'deposit'
    case 'updated':
      return (duty.kind === 'update' || duty.kind === 'update-delegate') && duty.partner === event.payer && duty.proof.nonce <= event.nonce
    case 'unlocked':
      return duty.kind === 'unlock' && duty.partner === event.payer && lockHash(keccak, duty.lock) === event.lockHash
    case 'punished':
      return duty.kind === 'punish' && duty.cheater === event.cheater
    case 'claimed':
      return duty.kind === 'claim' && duty.payer === event.payer && duty.voucher.cumulative + duty.voucher.unit * BigInt(duty.steps) <= event.cumulative
    case 'withdrawn':
      return duty.kind === 'withdraw' && duty.participant === event.participant && duty.total <= event.total
    case 'deposited':
      return false
  }
}

function isForLaterLife(duty: BoxDuty): boolean {
  return duty.kind === 'open' || duty.kind === 'open-for' || duty.kind === 'register-secret'
}
