/** The payer's own picture of a stream: plain data. Runs in the browser too. */
import type { Address, Hash } from '../../../base/index.ts'
import type { ContractOnChain } from '../digests.ts'
import type { VoucherBody } from '../frames.ts'
import type { StreamTerms } from '../terms.ts'

export interface PayerOptions {
  readonly payer: Address
  /** Whose signature offers and statements must have. */
  readonly payee: Address
  /** The contract and token the payer's channel is in; an offer for anything else is refused. */
  readonly contract: ContractOnChain
  readonly token: Address
  /** Secret of the hash chains: known to the payer alone. 32 bytes. */
  readonly master: Uint8Array
  /**
   * Number of the next chain. A payer with a disk keeps it there (effect `counter`); a page without one begins at
   * 8 random bytes ‖ 8 zero bytes, so that no chain is ever made twice. Less than 2^128.
   */
  readonly counter: bigint
  /** What the payer himself knows of the channel's counter: 0 on a page that remembers nothing. */
  readonly known: bigint
  readonly limits: PayerLimits
}

export interface PayerLimits {
  /** The price of a tick that is still accepted. */
  readonly unit: bigint
  /** All it may cost, in all sessions of this payer's life: the guest's choice, and on plain HTTP never more than the burner cap. */
  readonly total: bigint
}

export interface CurrentVoucher extends VoucherBody {
  /** The tip first. */
  readonly words: readonly Uint8Array[]
  readonly revealed: number
}

export type PayerPhase = 'idle' | 'greeting' | 'opening' | 'paying' | 'stopping' | 'over'
/** Why it is over; `stopped` with the box's reason, `refused` with its code. */
export type PayerEnd =
  | { readonly why: 'stopped'; readonly code: number }
  | { readonly why: 'refused'; readonly code: number }
  | { readonly why: 'bad-offer' | 'too-dear' | 'bad-state' | 'bad-statement' | 'no-answer' }

export interface PayerState {
  readonly options: PayerOptions
  readonly phase: PayerPhase
  readonly end: PayerEnd | null
  /** Seconds paid ahead of what is being used, besides the tick in use. */
  readonly leadSeconds: number
  readonly counter: bigint
  readonly known: bigint
  readonly offer: { readonly session: number; readonly challenge: Hash; readonly terms: StreamTerms; readonly channel: Hash } | null
  readonly epoch: bigint
  readonly ceiling: bigint
  /** The counter at the session's start, as both know it. */
  readonly base: bigint
  readonly owedTicks: number
  /** The first session of this payer's life: what is spent and what time has passed is counted from there, whatever the box says. Null before it. */
  readonly life: { readonly base: bigint; readonly startedMs: number; readonly owedTicks: number } | null
  readonly voucher: CurrentVoucher | null
  /** The one before it in this session: a box that lost its words takes no later voucher. */
  readonly previous: CurrentVoucher | null
  /** As the box said last, and when it did. */
  readonly servedTicks: number
  readonly servedAtMs: number
  /** What we had revealed when it did, beyond the debt. */
  readonly shownTicks: number
  /** Sent without an answer, in a row; and when. */
  readonly tries: number
  readonly askedAtMs: number
}

export function newPayer(options: PayerOptions, leadSeconds = 0): PayerState {
  return {
    options,
    phase: 'idle',
    end: null,
    leadSeconds,
    counter: options.counter,
    known: options.known,
    offer: null,
    epoch: 0n,
    ceiling: 0n,
    base: options.known,
    owedTicks: 0,
    life: null,
    voucher: null,
    previous: null,
    servedTicks: 0,
    servedAtMs: 0,
    shownTicks: 0,
    tries: 0,
    askedAtMs: 0,
  }
}

/** Cumulative value the payer has signed and revealed: the most that can be claimed of him. */
export function revealedValue({ base, voucher }: PayerState): bigint {
  return voucher === null ? base : voucher.cumulative + voucher.unit * BigInt(voucher.revealed)
}

/** Ticks revealed in this session, those for an old debt among them. */
export function revealedTicks(state: PayerState): number {
  return state.offer === null ? 0 : Number((revealedValue(state) - state.base) / state.offer.terms.unit)
}

/** What a guest should see: what is at stake, and what was spent. */
export interface PayerView {
  readonly phase: PayerPhase
  readonly end: PayerEnd | null
  readonly spent: bigint
  readonly servedTicks: number
  readonly aheadSeconds: number
  readonly owedTicks: number
}

export function viewOf(state: PayerState): PayerView {
  const value = state.phase === 'over' && state.known > state.base ? state.known : revealedValue(state)
  const from = state.life?.base ?? state.base
  const ahead = Math.max(0, revealedTicks(state) - state.owedTicks - state.servedTicks)
  return {
    phase: state.phase,
    end: state.end,
    spent: value > from ? value - from : 0n,
    servedTicks: state.servedTicks,
    aheadSeconds: ahead * (state.offer?.terms.tickSeconds ?? 1),
    owedTicks: state.owedTicks,
  }
}
