/**
 * What a payee knows of one channel's stream: plain data. Two counters run on the same line of cumulative value:
 * `paid`, what the guest has signed and revealed, and `served`, what he has got for it. The payee claims what is served
 * and no more; the rest is the guest's again when the session ends. That is the refund by the second: nothing flows
 * back, the guest's counter just goes on from the lower value (docs/photon-stream.md).
 */
import type { Hash } from '../../../base/index.ts'
import type { StreamAccount, Voucher } from '../../ports.ts'
import type { StreamTerms } from '../terms.ts'

/** A voucher and the deepest word shown for it; `index` 0: the tip itself. */
export interface HeldVoucher {
  readonly voucher: Voucher
  readonly index: number
  readonly preimage: Uint8Array
}

/** Made for whoever asks: it proves nothing yet and touches no session. */
export interface PayeeOffer {
  /** 4 bytes, drawn by the payee. */
  readonly id: number
  /** What the payer signs to show that the session is his; names the session in statements. */
  readonly challenge: Hash
  /** Who is served: a MAC address, for example. */
  readonly device: string
  readonly terms: StreamTerms
}

export interface PayeeSession extends PayeeOffer {
  readonly phase: 'open' | 'over'
  /** The counter at the start: what was final then. */
  readonly base: bigint
  /** Ticks that were served before and not paid; the first ones paid now are for them. */
  readonly debtTicks: number
  /** Since the start of this session, without the debt; a tick that was begun counts whole. */
  readonly servedTicks: number
  /** Of this session, the newest last; older ones as far as they may be needed for a claim. */
  readonly vouchers: readonly HeldVoucher[]
  /** Boot clock; null before the first. */
  readonly lastAckMs: number | null
  /** Wrong words in a row. */
  readonly wrongTicks: number
}

export interface PayeeChannel {
  readonly account: StreamAccount
  /** What earlier sessions were worth in the end. */
  readonly final: bigint
  /** Served in earlier sessions and not paid: at most `graceTicks` ticks. */
  readonly owed: bigint
  /** What claims `final`; null while nothing was ever paid. */
  readonly claim: HeldVoucher | null
  readonly session: PayeeSession | null
}

/** Nothing is remembered of it: what the chain has paid may have been served. */
export function newChannel(account: StreamAccount): PayeeChannel {
  return { account, final: account.transferred, owed: 0n, claim: null, session: null }
}

export function valueOf({ voucher, index }: HeldVoucher): bigint {
  return voucher.cumulative + voucher.unit * BigInt(index)
}

/** Cumulative value signed and revealed: the most that could be claimed. */
export function paidValue(session: PayeeSession): bigint {
  const newest = session.vouchers.at(-1)
  return newest === undefined ? session.base : valueOf(newest)
}

export function paidTicks(session: PayeeSession): number {
  return Number((paidValue(session) - session.base) / session.terms.unit)
}

/** Cumulative value of what was paid and served: what the payee may call its own. */
export function servedValue(session: PayeeSession): bigint {
  return session.base + session.terms.unit * BigInt(Math.min(paidTicks(session), session.debtTicks + session.servedTicks))
}

/**
 * How many ticks this session may be served in all: what is paid beyond old debts, and one grace interval. None
 * before the first such tick is paid.
 */
export function allowedTicks(session: PayeeSession): number {
  const paid = paidTicks(session) - session.debtTicks
  return session.phase === 'open' && paid > 0 ? paid + session.terms.graceTicks : 0
}

/** What the channel's owner may count on, and no proof or withdrawal of the payer may go below. */
export function earnedValue({ final, session }: PayeeChannel): bigint {
  return session?.phase === 'open' ? servedValue(session) : final
}
