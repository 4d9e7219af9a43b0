/**
 * Buying a way out from a paid hotspot upstream, with the box's own money: (state, input) → {state, effects}. An order is on disk
 * before it is paid, under a reference of its own; while it is not known whether it was paid, the same order is sent again and no
 * other is made, so a crash or a lost answer never pays twice. What an order costs counts against the day's cap from when it is
 * written; it is given back only where the seller says for certain that nothing was taken.
 *
 * A day is 24 hours of time that this box was seen running: a reboot, or a clock that jumps, brings no new one.
 */
import { mulDivCeil } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'

/** Time is bought in blocks of so much, or what the seller's terms allow. */
const BLOCK_SECONDS = 600
const RENEW_BEFORE_MS = 60_000
const ASK_AGAIN_MS = 15_000
const ORDER_AGAIN_MS = 2000
const DAY_MS = 86_400_000

export interface UpstreamOffer {
  /** Who is paid. */
  readonly payee: Address
  readonly token: Address
  readonly unitsPerMinute: bigint
  readonly minSeconds: number
  readonly maxSeconds: number
}

export interface UpstreamOrder {
  /** One order is paid once under it, however often it is sent. */
  readonly reference: Hash
  readonly offer: UpstreamOffer
  readonly seconds: number
  readonly amount: bigint
}

/** The paid hotspot behind an interface: its price, and paying it. */
export interface UpstreamSeller {
  /** Null: it is no paid hotspot, or not one that we can pay. */
  offer(interfaceName: string): Promise<UpstreamOffer | null>
  /**
   * Resolves when the seller let us in, with the seconds that are left there. Errors: code `not-paid` where for
   * certain nothing was taken; any other leaves it open, and the same order will come again.
   */
  buy(interfaceName: string, order: UpstreamOrder): Promise<{ readonly leftSeconds: number }>
}

/** What has to outlive a crash. */
export interface ResellerRecord {
  /** Written, and not known to be paid or refused. */
  readonly order: UpstreamOrder | null
  /** Time that this box was seen running. */
  readonly ageMs: number
  readonly dayBeganAgeMs: number
  readonly spentInDay: bigint
  readonly spentInAll: bigint
}

export interface Reseller extends ResellerRecord {
  readonly cap: bigint
  readonly atMs: number
  readonly doing: 'nothing' | 'asking' | 'ordering'
  /** Boot clock. */
  readonly paidUntilMs: number | null
  readonly notBeforeMs: number
  readonly isCapped: boolean
  readonly reason: string
}

export type ResellerInput =
  /** `isWanted`: it is in use, or nothing else works. `newReference`: 32 random bytes, used if an order is made. */
  | { readonly kind: 'tick'; readonly nowMs: number; readonly isWanted: boolean }
  | { readonly kind: 'offered'; readonly offer: UpstreamOffer | null; readonly newReference: Hash; readonly nowMs: number }
  | { readonly kind: 'bought'; readonly leftSeconds: number; readonly nowMs: number }
  | { readonly kind: 'failed'; readonly isCertain: boolean; readonly reason: string; readonly nowMs: number }

export type ResellerEffect =
  | { readonly kind: 'ask' }
  /** The record, on disk, before anything that follows. */
  | { readonly kind: 'write' }
  | { readonly kind: 'buy'; readonly order: UpstreamOrder }

export interface ResellerStep {
  readonly state: Reseller
  readonly effects: readonly ResellerEffect[]
}

export const NO_RESELLER_RECORD: ResellerRecord = { order: null, ageMs: 0, dayBeganAgeMs: 0, spentInDay: 0n, spentInAll: 0n }

/** `cap`: units in a day, above 0. */
export function resumeReseller(record: ResellerRecord, cap: bigint, nowMs: number): Reseller {
  return { ...record, cap, atMs: nowMs, doing: 'nothing', paidUntilMs: null, notBeforeMs: nowMs, isCapped: false, reason: 'nothing was bought yet' }
}

export function stepReseller(before: Reseller, input: ResellerInput): ResellerStep {
  const state = aged(before, input.nowMs)
  switch (input.kind) {
    case 'tick':
      return ticked(state, input.nowMs, input.isWanted)
    case 'offered':
      return state.doing === 'asking' ? offered(state, input.offer, input.newReference, input.nowMs) : only(state)
    case 'bought': {
      if (state.doing !== 'ordering' || state.order === null) return only(state)
      const leftMs = Math.max(0, Math.min(input.leftSeconds, state.order.offer.maxSeconds + state.order.seconds)) * 1000
      return { state: { ...state, doing: 'nothing', order: null, paidUntilMs: input.nowMs + leftMs, reason: 'paid' }, effects: [{ kind: 'write' }] }
    }
    case 'failed':
      return failed(state, input)
  }
}

function ticked(state: Reseller, nowMs: number, isWanted: boolean): ResellerStep {
  if (state.doing !== 'nothing' || nowMs < state.notBeforeMs) return only(state)
  // Its fate is settled whether it is wanted or not: it may have been paid.
  if (state.order !== null) return { state: { ...state, doing: 'ordering' }, effects: [{ kind: 'buy', order: state.order }] }
  const isPaid = state.paidUntilMs !== null && state.paidUntilMs - nowMs > RENEW_BEFORE_MS
  if (!isWanted || isPaid) return only(state)
  return { state: { ...state, doing: 'asking' }, effects: [{ kind: 'ask' }] }
}

function offered(state: Reseller, offer: UpstreamOffer | null, reference: Hash, nowMs: number): ResellerStep {
  const resting: Reseller = { ...state, doing: 'nothing', notBeforeMs: nowMs + ASK_AGAIN_MS }
  if (offer === null) return only({ ...resting, isCapped: false, reason: 'sells nothing that this box can pay' })
  const seconds = Math.max(offer.minSeconds, Math.min(BLOCK_SECONDS, offer.maxSeconds))
  const amount = mulDivCeil(BigInt(seconds), offer.unitsPerMinute, 60n)
  if (state.spentInDay + amount > state.cap) return only({ ...resting, isCapped: true, reason: `${amount} more would be above what may be spent in a day (${state.cap})` })
  const order: UpstreamOrder = { reference, offer, seconds, amount }
  return {
    state: { ...state, doing: 'ordering', order, isCapped: false, spentInDay: state.spentInDay + amount, spentInAll: state.spentInAll + amount, reason: 'is being paid' },
    effects: [{ kind: 'write' }, { kind: 'buy', order }],
  }
}

function failed(state: Reseller, input: Extract<ResellerInput, { kind: 'failed' }>): ResellerStep {
  const resting: Reseller = { ...state, doing: 'nothing', reason: input.reason }
  const { order } = state
  if (state.doing === 'asking') return only({ ...resting, notBeforeMs: input.nowMs + ASK_AGAIN_MS })
  if (state.doing !== 'ordering' || order === null) return only(state)
  if (!input.isCertain) return only({ ...resting, notBeforeMs: input.nowMs + ORDER_AGAIN_MS })
  const back = (spent: bigint): bigint => (spent > order.amount ? spent - order.amount : 0n)
  return {
    state: { ...resting, order: null, spentInDay: back(state.spentInDay), spentInAll: back(state.spentInAll), notBeforeMs: input.nowMs + ASK_AGAIN_MS },
    effects: [{ kind: 'write' }],
  }
}

function aged(state: Reseller, nowMs: number): Reseller {
  const ageMs = state.ageMs + Math.max(0, nowMs - state.atMs)
  if (ageMs - state.dayBeganAgeMs < DAY_MS) return { ...state, ageMs, atMs: nowMs }
  // An order under way belongs to the new day: it may be paid in it.
  return { ...state, ageMs, atMs: nowMs, dayBeganAgeMs: ageMs, spentInDay: state.order?.amount ?? 0n, isCapped: false }
}

const only = (state: Reseller): ResellerStep => ({ state, effects: [] })
