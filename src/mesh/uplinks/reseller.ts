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

/** What a hotspot says to this box now. */
export interface UpstreamTerms extends UpstreamOffer {
  /** That this box still has there. */
  readonly leftSeconds: number
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
  /** Null: it is no paid hotspot of a kind that we know. Errors: why this one cannot be paid, or was not asked. */
  offer(interfaceName: string): Promise<UpstreamTerms | null>
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

/** Of the owner; they may change while the service runs. */
export interface ResellerLimits {
  /** Units in a day; 0: nothing is bought. */
  readonly cap: bigint
  readonly maxUnitsPerMinute: bigint
}

export interface Reseller extends ResellerRecord {
  readonly limits: ResellerLimits
  readonly atMs: number
  readonly doing: 'nothing' | 'asking' | 'ordering'
  /** Boot clock. */
  readonly paidUntilMs: number | null
  readonly notBeforeMs: number
  /** Who gives less than was paid for gets no more money than who gives all of it. */
  readonly payNotBeforeMs: number
  readonly isCapped: boolean
  readonly reason: string
}

export type ResellerInput =
  /** `isWanted`: it is in use, or nothing else works; `isDown`: nothing answers over it, whatever is paid. */
  | { readonly kind: 'tick'; readonly nowMs: number; readonly isWanted: boolean; readonly isDown: boolean }
  /** `newReference`: 32 random bytes, used if an order is made. */
  | { readonly kind: 'offered'; readonly terms: UpstreamTerms | null; readonly newReference: Hash; readonly nowMs: number }
  | { readonly kind: 'bought'; readonly leftSeconds: number; readonly nowMs: number }
  | { readonly kind: 'failed'; readonly isCertain: boolean; readonly reason: string; readonly nowMs: number }

export type ResellerEffect =
  | { readonly kind: 'ask' }
  /** The record, on disk, before anything that follows. `bought`: the order that is paid and done with. */
  | { readonly kind: 'write'; readonly bought: UpstreamOrder | null }
  | { readonly kind: 'buy'; readonly order: UpstreamOrder }

export interface ResellerStep {
  readonly state: Reseller
  readonly effects: readonly ResellerEffect[]
}

export const NO_RESELLER_RECORD: ResellerRecord = { order: null, ageMs: 0, dayBeganAgeMs: 0, spentInDay: 0n, spentInAll: 0n }

export function resumeReseller(record: ResellerRecord, limits: ResellerLimits, nowMs: number): Reseller {
  return { ...record, limits, atMs: nowMs, doing: 'nothing', paidUntilMs: null, notBeforeMs: nowMs, payNotBeforeMs: nowMs, isCapped: false, reason: 'nothing was bought yet' }
}

export function stepReseller(before: Reseller, input: ResellerInput): ResellerStep {
  const state = aged(before, input.nowMs)
  switch (input.kind) {
    case 'tick':
      return ticked(state, input)
    case 'offered':
      return state.doing === 'asking' ? offered(state, input.terms, input.newReference, input.nowMs) : only(state)
    case 'bought': {
      const { order } = state
      if (state.doing !== 'ordering' || order === null) return only(state)
      const payNotBeforeMs = Math.max(state.payNotBeforeMs, input.nowMs + order.seconds * 1000 - RENEW_BEFORE_MS)
      return { state: { ...state, doing: 'nothing', order: null, notBeforeMs: input.nowMs + ASK_AGAIN_MS, paidUntilMs: paidUntil(input.leftSeconds, order.offer, input.nowMs), payNotBeforeMs, reason: 'paid' }, effects: [{ kind: 'write', bought: order }] }
    }
    case 'failed':
      return failed(state, input)
  }
}

function ticked(state: Reseller, { nowMs, isWanted, isDown }: Extract<ResellerInput, { kind: 'tick' }>): ResellerStep {
  if (state.doing !== 'nothing' || nowMs < state.notBeforeMs) return only(state)
  // Its fate is settled whether it is wanted or not: it may have been paid.
  if (state.order !== null) return { state: { ...state, doing: 'ordering' }, effects: [{ kind: 'buy', order: state.order }] }
  const isPaid = state.paidUntilMs !== null && state.paidUntilMs - nowMs > RENEW_BEFORE_MS
  // What is paid and does not work: the seller may have ended it, and says so.
  if (!isWanted || (isPaid && !isDown)) return only(state)
  if (state.limits.cap === 0n) return only({ ...state, isCapped: true, reason: 'mesh.upstream_cap is 0: nothing is bought' })
  return { state: { ...state, doing: 'asking' }, effects: [{ kind: 'ask' }] }
}

function offered(state: Reseller, terms: UpstreamTerms | null, reference: Hash, nowMs: number): ResellerStep {
  const resting: Reseller = { ...state, doing: 'nothing', notBeforeMs: nowMs + ASK_AGAIN_MS, isCapped: false }
  if (terms === null) return only({ ...resting, reason: 'there is no paid hotspot of another box behind it' })
  const { leftSeconds, ...offer } = terms
  const paidUntilMs = paidUntil(leftSeconds, offer, nowMs)
  if (paidUntilMs - nowMs > RENEW_BEFORE_MS) return only({ ...resting, paidUntilMs, reason: 'paid' })
  const { cap, maxUnitsPerMinute } = state.limits
  if (offer.unitsPerMinute > maxUnitsPerMinute) return only({ ...resting, paidUntilMs, reason: `a minute costs ${offer.unitsPerMinute} units, and max_price_per_minute allows ${maxUnitsPerMinute} units` })
  const seconds = Math.max(offer.minSeconds, Math.min(BLOCK_SECONDS, offer.maxSeconds))
  const amount = mulDivCeil(BigInt(seconds), offer.unitsPerMinute, 60n)
  if (state.spentInDay + amount > cap) return only({ ...resting, paidUntilMs, isCapped: true, reason: `${amount} units more would be above what may be spent in a day: ${cap} units` })
  if (nowMs < state.payNotBeforeMs) return only({ ...resting, paidUntilMs, reason: 'gave less than was paid for: no more is paid before that time is over' })
  const order: UpstreamOrder = { reference, offer, seconds, amount }
  return {
    state: { ...state, doing: 'ordering', order, paidUntilMs, isCapped: false, spentInDay: state.spentInDay + amount, spentInAll: state.spentInAll + amount, reason: 'is being paid' },
    effects: [{ kind: 'write', bought: null }, { kind: 'buy', order }],
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
    effects: [{ kind: 'write', bought: null }],
  }
}

/** What a seller says of time is believed for as long as he sells at once, and what is bought with it. */
function paidUntil(leftSeconds: number, { maxSeconds }: UpstreamOffer, nowMs: number): number {
  return nowMs + Math.max(0, Math.min(leftSeconds, 2 * maxSeconds)) * 1000
}

function aged(state: Reseller, nowMs: number): Reseller {
  const ageMs = state.ageMs + Math.max(0, nowMs - state.atMs)
  if (ageMs - state.dayBeganAgeMs < DAY_MS) return { ...state, ageMs, atMs: nowMs }
  // An order under way belongs to the new day: it may be paid in it.
  return { ...state, ageMs, atMs: nowMs, dayBeganAgeMs: ageMs, spentInDay: state.order?.amount ?? 0n, isCapped: false }
}

const only = (state: Reseller): ResellerStep => ({ state, effects: [] })
