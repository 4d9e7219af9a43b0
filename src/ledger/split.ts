/**
 * The shared-ROI split, pure and exact to the unit.
 *
 * An earning is split by parts per million with the method of the largest remainder: everybody gets the
 * rounded-down part, and the few units left over go one each to those whose part was cut most; among equals
 * the earlier in the list is first, and the owner is last in the list.
 *
 * A reversal takes back what was really booked, not what today's policy would say. It walks down the list:
 * of what is to be taken back, each beneficiary bears the share it has of what it and those after it got,
 * rounded half up. What has been taken back in total is therefore a function of the total alone: it does
 * not matter in how many pieces it was taken, no piece gives anything back, and the last piece leaves
 * exactly nothing.
 */
import { MAX_AMOUNT, MeshBoxError, inputError } from '../base/index.ts'
import type { ShareRule } from './types.ts'

const MILLION = 1_000_000
/** Far more than any agreement has; bounds the postings of an entry. */
const MAX_BENEFICIARIES = 64

export interface SharePart {
  readonly account: string
  readonly partsPerMillion: number
}

export interface ShareAmount {
  readonly account: string
  /** Smallest unit, ≥ 0. */
  readonly amount: bigint
}

/**
 * The parts of the policy that apply to a source: one per account, in the order of the rules, the owner's
 * remainder last. A rule for `hotspot` applies to `hotspot:voucher` as well.
 * Throws input `shares` if the policy gives away more than everything.
 */
export function partsFor(source: string, rules: readonly ShareRule[], ownerAccount: string): SharePart[] {
  const parts = new Map<string, number>()
  let given = 0
  for (const rule of rules) {
    if (rule.sources.length > 0 && !rule.sources.some((name) => source === name || source.startsWith(`${name}:`))) continue
    if (!Number.isInteger(rule.partsPerMillion) || rule.partsPerMillion < 0) throw inputError('shares', rule.partsPerMillion, 'whole parts per million, 0 or more')
    const account = `${rule.role}:${rule.beneficiary}`
    parts.set(account, (parts.get(account) ?? 0) + rule.partsPerMillion)
    given += rule.partsPerMillion
  }
  if (given > MILLION) throw inputError('shares', given, `at most ${MILLION} parts per million for '${source}' in all`)
  if (parts.size > MAX_BENEFICIARIES) throw inputError('shares', parts.size, `at most ${MAX_BENEFICIARIES} beneficiaries`)
  parts.delete(ownerAccount)
  const others = [...parts.entries()].reduce((sum, [, part]) => sum + part, 0)
  return [...[...parts].map(([account, partsPerMillion]) => ({ account, partsPerMillion })), { account: ownerAccount, partsPerMillion: MILLION - others }]
}

/** Splits `amount` over parts that sum up to a million; as many results as parts, in their order. */
export function splitAmount(amount: bigint, parts: readonly SharePart[]): ShareAmount[] {
  if (amount < 0n || amount > MAX_AMOUNT) throw inputError('amount', amount, '0 to 2^128-1 smallest units')
  const million = BigInt(MILLION)
  const shares = parts.map(({ account, partsPerMillion }, index) => {
    const exact = amount * BigInt(partsPerMillion)
    return { account, index, amount: exact / million, remainder: exact % million }
  })
  const left = Number(amount - shares.reduce((sum, share) => sum + share.amount, 0n))
  const byRemainder = shares.toSorted((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1))
  const raised = new Set(byRemainder.slice(0, left).map((share) => share.index))
  return shares.map(({ account, amount: floor, index }) => ({ account, amount: raised.has(index) ? floor + 1n : floor }))
}

/** How much of each share is gone once `taken` of their sum has been taken back. */
export function takenShares(shares: readonly ShareAmount[], taken: bigint): ShareAmount[] {
  let sumLeft = shares.reduce((sum, share) => sum + share.amount, 0n)
  if (taken < 0n || taken > sumLeft) throw new MeshBoxError('internal', `${taken} of ${sumLeft} cannot be taken back`, { code: 'ledger-overdrawn' })
  let takenLeft = taken
  return shares.map(({ account, amount }) => {
    const part = sumLeft === 0n ? 0n : (2n * takenLeft * amount + sumLeft) / (2n * sumLeft)
    sumLeft -= amount
    takenLeft -= part
    return { account, amount: part }
  })
}

/** What a reversal of `amount`, after `takenBefore` was taken already, takes from each share. */
export function splitReversal(shares: readonly ShareAmount[], takenBefore: bigint, amount: bigint): ShareAmount[] {
  const before = takenShares(shares, takenBefore)
  return takenShares(shares, takenBefore + amount).map((after, index) => ({ account: after.account, amount: after.amount - (before[index]?.amount ?? 0n) }))
}
