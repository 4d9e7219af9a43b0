/**
 * Cash into a guest's channel: the owner sells a printed code worth tokens, the guest types it in, the box deposits so
 * many of its own tokens on the guest's side of their channel. Pure: (top-up, input) → {top-up, effects}.
 *
 * One code funds one payer, once; asked again by the same payer it gives the same answer. The deposit's
 * transaction is made again until it is in the chain for good: a promise cannot fail, it can only be late.
 */
import { MeshBoxError } from '../../base/index.ts'
import type { Moment } from '../../base/index.ts'
import type { Entry } from '../../ledger/index.ts'

/** What the slip says. It is printed, limited, revoked and locked at its first use as a voucher for time is. */
export interface TokenCode {
  /** The voucher's id. */
  readonly id: string
  /** Smallest units of the box's token. */
  readonly amount: bigint
  /** What was paid for it in cash, in the same token's units of account. */
  readonly price: bigint
}

export type TopUpState =
  | 'promised' // on disk: the code is used, the tokens are owed
  | 'sent' //     a transaction is on its way
  | 'funded' //   in the chain, and deep enough

export interface TopUp {
  readonly code: TokenCode
  /** Address of the guest's key, lower case. */
  readonly payer: string
  readonly state: TopUpState
  /** The newest transaction, as whoever funds names it. */
  readonly transaction: string | null
  readonly at: Moment
}

export type TopUpInput =
  /** `isRevoked`: the owner took the slip back before anybody used it. */
  | { readonly type: 'redeem'; readonly code: TokenCode; readonly payer: string; readonly at: Moment; readonly isRevoked: boolean }
  | { readonly type: 'sent'; readonly transaction: string }
  /** As deep as deposits must be before they count in a channel. */
  | { readonly type: 'settled'; readonly transaction: string }
  /** Failed, replaced, or fallen out of the chain again. */
  | { readonly type: 'dropped'; readonly transaction: string }
  /** Read back after a restart. */
  | { readonly type: 'restored' }

export type TopUpEffect =
  /** The top-up, the lock of its code and its ledger entry, in one turn, before anything else. */
  | { readonly type: 'write' }
  /** Opens the channel if there is none (with the payer's signature) and deposits. Same id: at most one is in the chain. */
  | { readonly type: 'fund'; readonly id: string; readonly payer: string; readonly amount: bigint }

export interface TopUpStep {
  readonly topUp: TopUp
  readonly effects: readonly TopUpEffect[]
}

/** `topUp`: what is known of this code; null: it was never used. Throws `conflict` `voucher-used` or `voucher-revoked`. */
export function stepTopUp(topUp: TopUp | null, input: TopUpInput): TopUpStep {
  if (input.type === 'redeem') return redeem(topUp, input)
  if (topUp === null) throw new MeshBoxError('conflict', `a code that was never used cannot be ${input.type}`, { code: 'wrong-state' })
  switch (input.type) {
    case 'sent':
      return topUp.state === 'funded' ? { topUp, effects: [] } : { topUp: { ...topUp, state: 'sent', transaction: input.transaction }, effects: [{ type: 'write' }] }
    case 'settled':
      return topUp.state === 'funded' ? { topUp, effects: [] } : { topUp: { ...topUp, state: 'funded', transaction: input.transaction }, effects: [{ type: 'write' }] }
    case 'dropped':
      // News of an older transaction than the one under way says nothing.
      if (topUp.state !== 'sent' || topUp.transaction !== input.transaction) return { topUp, effects: [] }
      return { topUp: { ...topUp, state: 'promised', transaction: null }, effects: [{ type: 'write' }, fund(topUp)] }
    case 'restored':
      return { topUp, effects: topUp.state === 'promised' ? [fund(topUp)] : [] }
  }
}

function redeem(topUp: TopUp | null, { code, payer, at, isRevoked }: Extract<TopUpInput, { type: 'redeem' }>): TopUpStep {
  if (topUp !== null) {
    if (topUp.payer !== payer) throw new MeshBoxError('conflict', 'this code is used', { code: 'voucher-used' })
    return { topUp, effects: [] }
  }
  if (isRevoked) throw new MeshBoxError('conflict', 'the owner took this code back', { code: 'voucher-revoked' })
  if (code.amount < 1n) throw new MeshBoxError('conflict', 'this code is worth nothing', { code: 'voucher-used' })
  const promised: TopUp = { code, payer, state: 'promised', transaction: null, at }
  return { topUp: promised, effects: [{ type: 'write' }, fund(promised)] }
}

function fund({ code, payer }: TopUp): TopUpEffect {
  return { type: 'fund', id: code.id, payer, amount: code.amount }
}

/** Promised, and not in the chain for good: what the guest is shown as on its way. A claim could not take it yet. */
export function promisedTo(payer: string, topUps: Iterable<TopUp>): bigint {
  let sum = 0n
  for (const topUp of topUps) if (topUp.payer === payer && topUp.state !== 'funded') sum += topUp.code.amount
  return sum
}

/**
 * For `Ledger.post`, in the turn that locks the code. Nothing is earned yet: cash came in, and tokens left the box's
 * purse for the guest's channel. What he pays with them is earned voucher by voucher (takings.ts).
 */
export function topUpEntry({ code, payer, at }: TopUp, token: string): Entry {
  const difference = code.amount - code.price
  return {
    source: 'hotspot:top-up',
    token,
    evidence: { type: 'token-voucher', id: code.id, facts: { payer, amount: code.amount.toString(), price: code.price.toString() } },
    postings: [
      ...(code.price > 0n ? [{ account: 'cash:vouchers', amount: code.price }] : []),
      // Sold below or above its worth: the owner's gift, or his margin.
      ...(difference === 0n ? [] : [{ account: 'top-up:difference', amount: difference }]),
      { account: 'purse:channels', amount: -code.amount },
    ],
    at,
  }
}
