/**
 * What seconds cost between two boxes: counted as units × seconds and divided by 60 only when paid, so that nothing is rounded
 * twice. The seller pays cumulatively under one reference for each holder and token. What is owed is what the seller signed.
 */
import { bytesOf, concatBytes, hexOf, utf8 } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import type { BoxId } from '../ports.ts'
import { LEASE_MS } from './sold.ts'

const PARTS_PER_UNIT = 60n
const SETTLE_AFTER_MS = 60_000
/** Seconds of one guest that his seller has not signed for, beyond which he is not let in. */
export const MAX_UNSIGNED_SECONDS = 120
/** What one guest may bring when the limit is passed: what is unsigned, and the lease that he has. */
const MAX_BEYOND_SECONDS = MAX_UNSIGNED_SECONDS + LEASE_MS / 1000

export interface RoamAccount {
  readonly role: 'seller' | 'holder'
  /** The other box. */
  readonly partner: BoxId
  readonly token: Address
  /** Units × seconds. */
  readonly owedParts: bigint
  /** Whole units, cumulative, on disk at both. */
  readonly paid: bigint
  /** Whole units that the holder's owner asks for no more; 0n at the seller. */
  readonly writtenOff: bigint
  /**
   * Units × seconds that guests who were in when the debt passed its limit may bring beyond it; 0n while it is within.
   * Nobody is let in from then on, so there is no more to come.
   */
  readonly beyondParts: bigint
  /** Since when something is owed; boot clock. */
  readonly openSinceMs: number | null
}

export function newAccount(role: RoamAccount['role'], partner: BoxId, token: Address): RoamAccount {
  return { role, partner, token, owedParts: 0n, paid: 0n, writtenOff: 0n, beyondParts: 0n, openSinceMs: null }
}

export function owe(account: RoamAccount, unitsPerMinute: bigint, seconds: number, nowMs: number): RoamAccount {
  if (seconds <= 0 || unitsPerMinute === 0n) return account
  return { ...account, owedParts: account.owedParts + unitsPerMinute * BigInt(seconds), openSinceMs: account.openSinceMs ?? nowMs }
}

/** Whole units that can be paid in all. */
export const payable = (account: RoamAccount): bigint => account.owedParts / PARTS_PER_UNIT

export const openUnits = (account: RoamAccount): bigint => payable(account) - account.paid - account.writtenOff

export function isPaymentDue(account: RoamAccount, settleAmount: bigint, nowMs: number): boolean {
  const open = openUnits(account)
  if (account.role !== 'seller' || open <= 0n) return false
  return (settleAmount > 0n && open >= settleAmount) || (account.openSinceMs !== null && nowMs - account.openSinceMs >= SETTLE_AFTER_MS)
}

/** `after` a debt that was added: what may come beyond `maxDebt` is fixed when it is passed. `guests`: of this seller, whose last word is not heard. */
export function withLimit(before: RoamAccount, after: RoamAccount, { maxDebt, unitsPerMinute, guests }: { readonly maxDebt: bigint; readonly unitsPerMinute: bigint; readonly guests: number }): RoamAccount {
  if (openUnits(after) <= maxDebt) return after.beyondParts === 0n ? after : { ...after, beyondParts: 0n }
  return openUnits(before) > maxDebt ? after : { ...after, beyondParts: unitsPerMinute * BigInt(guests) * BigInt(MAX_BEYOND_SECONDS) }
}

/** All that is open is asked for no more. */
export function writeOff(account: RoamAccount): RoamAccount {
  return { ...account, writtenOff: account.writtenOff + openUnits(account), openSinceMs: null }
}

/** `amount`: cumulative. One that is not more changes nothing. What is paid all the same was not given up. */
export function paid(account: RoamAccount, amount: bigint, nowMs: number): RoamAccount {
  if (amount <= account.paid) return account
  const unpaid = payable(account) > amount ? payable(account) - amount : 0n
  const after = { ...account, paid: amount, writtenOff: account.writtenOff < unpaid ? account.writtenOff : unpaid }
  return { ...after, openSinceMs: openUnits(after) > 0n ? nowMs : null }
}

/** Both ends know it. */
export function referenceOf(keccak256: (bytes: Uint8Array) => Uint8Array, seller: BoxId, holder: BoxId, token: Address): Hash {
  return hexOf(keccak256(concatBytes(utf8('meshbox roaming 1\0'), bytesOf(seller), bytesOf(holder), bytesOf(token))))
}
