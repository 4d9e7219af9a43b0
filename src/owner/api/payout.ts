/** Payouts: who has a share, what was and is being paid, rewards. */
import type { RouteInfo } from '../api.ts'
import type { Money } from './amounts.ts'

export interface PayoutJson {
  readonly id: number
  readonly account: string
  /** Of the account and token, from 1: as on its statement. */
  readonly number: number
  readonly token: { readonly symbol: string; readonly decimals: number }
  readonly amount: Money
  readonly to: string
  /** Identifier of the payment in Photon, on both boxes. */
  readonly payment: string
  readonly reason: 'threshold' | 'daily' | 'ordered'
  readonly state: 'open' | 'paid' | 'dropped'
  /** `paying`: ordered, not acknowledged by the recipient yet. */
  readonly stage: 'waiting' | 'paying' | 'booking' | 'over'
  readonly attempts: number
  readonly problem: string | null
  readonly retrySeconds: number | null
  readonly isAlarm: boolean
  readonly madeWallMs: number
  readonly paidWallMs: number | null
  /** Entries of the book that it pays for: behind the first, up to the second. */
  readonly entries: readonly [number, number]
  /** Over other boxes; null: directly, or nothing is under way. */
  readonly routed: PayoutRouteJson | null
}

export interface PayoutRouteJson {
  /** SHA-256 of the secret: the recipient's history has the payment by it. */
  readonly lock: string
  /** On top of the amount, at the box's cost. */
  readonly fee: Money
  /** Accounts of the boxes between, the first one first. */
  readonly via: readonly string[]
  /** Over other boxes so far, this one included. */
  readonly tries: number
  /** What is waited for; null: nothing. */
  readonly waits: {
    /** `answer`: of the recipient's box. `secret`: he has it, and it comes back from box to box. `end`: given up; it is tried again when the lock is over. */
    readonly for: 'answer' | 'secret' | 'end'
    /** Paid or back by this block, about so many seconds from now; null: nothing is locked, or it is not known. */
    readonly endsBlock: number | null
    readonly endsInSeconds: number | null
  } | null
}

export interface PayoutPartyJson {
  readonly account: string
  /** What it has a part of; empty: of nothing now. No sources: of everything. */
  readonly shares: readonly { readonly partsPerMillion: number; readonly sources: readonly string[] }[]
  readonly token: { readonly symbol: string; readonly decimals: number }
  /** With the open payout. */
  readonly owed: Money
  readonly paid: Money
  readonly address: string | null
  /** The newest that was paid over channels; null: none. */
  readonly last: { readonly id: number; readonly amount: Money; readonly paidWallMs: number } | null
  readonly open: PayoutJson | null
  /** Null: nothing is waited for. */
  readonly waitsFor: string | null
}

export interface PayoutMilestoneJson {
  readonly id: string
  readonly account: string
  readonly measure: 'minutes' | 'earnings' | 'tokens' | 'days'
  readonly count: number
  /** Whole ones, of the measure. */
  readonly reached: string
  readonly reward: Money
  /** Null: not booked yet. */
  readonly entryId: number | null
  readonly isWaiting: boolean
}

export interface PayoutsQuery {
  readonly beforeId?: number
  /** 1-200, default 50. */
  readonly limit?: number
}
export interface PayoutsJson {
  readonly parties: readonly PayoutPartyJson[]
  readonly milestones: readonly PayoutMilestoneJson[]
  /** Newest first. */
  readonly payouts: readonly PayoutJson[]
  readonly nextBeforeId: number | null
}

export interface PayoutPayRequest {
  readonly account: string
  readonly token?: string
}
export interface PayoutNoteRequest extends PayoutPayRequest {
  /** In tokens. */
  readonly amount: string
  readonly memo?: string
}
export interface PayoutResumeRequest {
  /** Given up, and made anew as the configuration is now; only while the money has not left. */
  readonly isAnew?: boolean
}

export const PAYOUT_ROUTES = {
  payouts: { method: 'GET', path: '/api/payouts', access: 'owner' },
  payPayout: { method: 'POST', path: '/api/payouts', access: 'owner' },
  notePayout: { method: 'POST', path: '/api/payouts/note', access: 'owner' },
  payout: { method: 'GET', path: '/api/payouts/:id', access: 'owner' },
  resumePayout: { method: 'POST', path: '/api/payouts/:id/resume', access: 'owner' },
  /** text/plain, as a download: signed; what `meshbox payout verify` reads. */
  payoutStatement: { method: 'GET', path: '/api/payouts/:id/statement', access: 'owner' },
} as const satisfies Record<string, RouteInfo>

type One = { params: { id: string } }

export interface PayoutRouteTypes {
  payouts: { query: PayoutsQuery; reply: PayoutsJson }
  payPayout: { body: PayoutPayRequest; reply: PayoutJson }
  notePayout: { body: PayoutNoteRequest; reply: PayoutPartyJson }
  payout: One & { reply: PayoutJson }
  resumePayout: One & { body: PayoutResumeRequest; reply: PayoutJson }
  payoutStatement: One & { query: { series?: '1' }; reply: string }
}
