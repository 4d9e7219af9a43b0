/** Sessions that walk, for the owner: his own guests who are elsewhere, others' guests who are here, and what boxes owe each other for them. */
import type { Address } from '../../base/index.ts'
import type { BoxId, Mac } from '../ports.ts'
import { openUnits, payable } from './account.ts'
import type { RoamAccount } from './account.ts'
import type { HeldRoam } from './held.ts'
import { leftOf, spentElsewhere } from './sold.ts'
import type { SoldRoam } from './sold.ts'

/** Sold here, used there. */
export interface AwayGuest {
  readonly mac: Mac
  readonly sessionId: string
  readonly holder: BoxId
  /** Since when it is there; null: it is on its way. */
  readonly sinceMs: number | null
  /** Last word of the holder. */
  readonly heardMs: number | null
  readonly leftSeconds: number
  readonly leftBytes: bigint | null
  /** Away from here, in all. */
  readonly usedSeconds: number
  readonly usedBytes: bigint
  /** It was used in two places: only a proof moves it. */
  readonly isContested: boolean
  /** What the holder asks for a minute. */
  readonly unitsPerMinute: bigint
  readonly token: Address | null
}

/** Sold there, used here. */
export interface Visitor {
  readonly mac: Mac
  readonly sessionId: string
  readonly seller: BoxId
  readonly isIn: boolean
  /** Why he is not in. */
  readonly reason: string | null
  readonly leftSeconds: number
  readonly leftBytes: bigint | null
  /** In this stay. */
  readonly usedSeconds: number
  readonly usedBytes: bigint
  readonly unitsPerMinute: bigint
  readonly token: Address | null
}

export interface RoamDebt {
  readonly partner: BoxId
  /** `seller`: this box pays for its guests there; `holder`: it is paid for guests here. */
  readonly isOurs: RoamAccount['role']
  readonly token: Address
  readonly owed: bigint
  readonly paid: bigint
  readonly open: bigint
  readonly sinceMs: number | null
}

export interface RoamGuests {
  readonly away: readonly AwayGuest[]
  readonly visitors: readonly Visitor[]
  readonly debts: readonly RoamDebt[]
}

export function roamGuests(self: BoxId, records: { readonly sold: readonly SoldRoam[]; readonly held: readonly HeldRoam[]; readonly accounts: readonly RoamAccount[] }, nowMs: number): RoamGuests {
  return {
    away: records.sold.filter(({ isMoving, holder }) => isMoving || holder !== self).map((state) => awayGuest(state, nowMs)),
    visitors: records.held.map(visitor),
    debts: records.accounts.map((account) => ({ partner: account.partner, isOurs: account.role, token: account.token, owed: payable(account), paid: account.paid, open: openUnits(account), sinceMs: account.openSinceMs })),
  }
}

function awayGuest(state: SoldRoam, nowMs: number): AwayGuest {
  const { mac, sessionId, holder, token, contestedUntilMs, stays } = state
  const stay = stays.find(({ endedMs }) => endedMs === null) ?? null
  const [left, used] = [leftOf(state, nowMs), spentElsewhere(state, nowMs)]
  return {
    mac,
    sessionId,
    holder,
    sinceMs: stay?.beganMs ?? null,
    heardMs: stay?.reportedMs ?? null,
    leftSeconds: left.seconds,
    leftBytes: left.bytes,
    usedSeconds: used.seconds,
    usedBytes: used.bytes,
    isContested: contestedUntilMs !== null && nowMs < contestedUntilMs,
    unitsPerMinute: stay?.unitsPerMinute ?? 0n,
    token,
  }
}

function visitor({ ticket, isIn, reason, used }: HeldRoam): Visitor {
  const { mac, sessionId, seller, leftSeconds, leftBytes, unitsPerMinute, token } = ticket
  return { mac, sessionId, seller, isIn, reason, leftSeconds, leftBytes, usedSeconds: used.seconds, usedBytes: used.bytes, unitsPerMinute, token }
}
