/**
 * One neighbour carrying for another: (state, input) → {state, effects}, the same machine at both ends. The carrier
 * reads first and asks again until the client answers under the same number; what counts is the lower of the two figures. The
 * client holds its answer for agreed when the carrier's next reading names it: a frame that was lost changes nothing. What
 * passed and is not agreed on yet counts against the client's allowance by the carrier's own figure, so that silence gains
 * nothing. docs/mesh.md "Who pays whom for what".
 */
import { equalBytesConstantTime, inputError } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import type { BoxId, CarriageState, CarriedBytes, Reading } from '../ports.ts'
import { PARTS_PER_UNIT, exchangeOf, isSameReading, numberOf, totalOf, wentBack, NO_BYTES } from './exchange.ts'
import type { Exchange } from './exchange.ts'
import { SLACK_BYTES } from './tolerance.ts'

export const READING_EVERY_MS = 5000
/** The carrier's gate closes on a client that does not answer for so long; it opens when the client does. */
export const ANSWER_TIMEOUT_MS = 30_000
/** A carriage over which nothing passes is asked so seldom: what settlement sends stays below 0.1 % of what is carried. */
const QUIET_READING_MS = 20_000
/** A carriage that ended for dishonesty may begin anew after it. */
export const REST_MS = 600_000
/** New adverts between two readings; a box makes one in ten seconds at most. */
const PRICES_KEPT = 8
const MAX_BYTES = 1n << 80n

export interface CarriageTerms {
  /** The carrier closes above it; the client pays long before. Units. */
  readonly maxDebt: bigint
  /** Paid when so much is open (null: never for that), or when it is open for `settleAfterMs`. */
  readonly settleAmount: bigint | null
  readonly settleAfterMs: number
}

export interface KnownPrice {
  readonly sequence: number
  readonly unitsPerMiB: bigint
}

/** `silent`: the partner does not talk; the gate is closed until it does, and nothing is forgotten. */
export type CarriageStage = CarriageState | 'silent'

export interface Carriage {
  readonly role: 'carrier' | 'client'
  readonly carrier: BoxId
  readonly client: BoxId
  readonly token: Address
  readonly epoch: Uint8Array
  readonly state: CarriageStage
  readonly reason: string | null
  /** It ended in a way that no honest partner chooses: not begun anew for `REST_MS`. */
  readonly isBroken: boolean
  readonly sinceMs: number
  /** Oldest first: the one in force at the last reading, and what the client took since. */
  readonly prices: readonly KnownPrice[]
  /** Both ends have it. */
  readonly agreed: Exchange | null
  /** Client's: answered, and not known whether the answer came. */
  readonly answered: Exchange | null
  /** Carrier's: sent and not answered. */
  readonly waiting: { readonly reading: Reading; readonly silentSinceMs: number } | null
  /** Carrier's: no number up to this one is used again for other figures. */
  readonly lastNumber: number
  /** Boottime ms of the partner's last frame that counted. */
  readonly heardMs: number
  /** Units, cumulative. The client's: ordered; the carrier's: came, and on disk (the shell adds what came). */
  readonly paid: bigint
  /** Since when something is owed and not paid; null: nothing is. */
  readonly openSinceMs: number | null
}

export type CarriageInput =
  /** `bytes`: own counters, cumulative in this epoch. */
  | { readonly kind: 'tick'; readonly bytes: CarriedBytes; readonly nowMs: number }
  /** Its signature is the partner's. `bytes`: own counters now. */
  | { readonly kind: 'reading'; readonly reading: Reading; readonly bytes: CarriedBytes; readonly nowMs: number }
  /** An advert of the carrier that the client took. */
  | { readonly kind: 'price'; readonly price: KnownPrice; readonly nowMs: number }
  /** Carrier's: `paid` is more than it was. */
  | { readonly kind: 'paid'; readonly nowMs: number }
  | { readonly kind: 'end'; readonly reason: string; readonly nowMs: number }

export type CarriageEffect =
  /** To be signed and sent. */
  | { readonly kind: 'send'; readonly reading: Reading }
  | { readonly kind: 'pay'; readonly amount: bigint }
  | { readonly kind: 'gate'; readonly isOpen: boolean; readonly reason: string }
  /** Both figures agree up to here: evidence of what is owed. */
  | { readonly kind: 'agreed'; readonly exchange: Exchange }
  | { readonly kind: 'alarm'; readonly reason: string }

export interface CarriageStep {
  readonly state: Carriage
  readonly effects: readonly CarriageEffect[]
}

export interface NewCarriage {
  readonly role: Carriage['role']
  readonly carrier: BoxId
  readonly client: BoxId
  readonly token: Address
  readonly epoch: Uint8Array
  readonly price: KnownPrice
  readonly nowMs: number
}

export function beginCarriage(order: NewCarriage): Carriage {
  if (order.carrier === order.client) throw inputError('client', order.client, 'another box than the carrier')
  const { role, carrier, client, token, epoch, price, nowMs } = order
  return {
    role,
    carrier,
    client,
    token,
    epoch,
    state: 'offered',
    reason: null,
    isBroken: false,
    sinceMs: nowMs,
    prices: [price],
    agreed: null,
    answered: null,
    waiting: null,
    lastNumber: 0,
    heardMs: nowMs,
    paid: 0n,
    openSinceMs: null,
  }
}

export function owedParts(state: Pick<Carriage, 'agreed'>): bigint {
  return state.agreed?.owedParts ?? 0n
}

/** What may be asked for: whole units. */
export function owedUnits(state: Pick<Carriage, 'agreed'>): bigint {
  return owedParts(state) / PARTS_PER_UNIT
}

/** Never throws for what a partner sent. */
export function stepCarriage(state: Carriage, input: CarriageInput, terms: CarriageTerms): CarriageStep {
  switch (input.kind) {
    case 'tick':
      return state.role === 'carrier' ? carrierTick(state, input.bytes, input.nowMs, terms) : clientTick(state, input.nowMs, terms)
    case 'reading':
      return state.role === 'carrier' ? gotAnswer(state, input.reading, input.nowMs, terms) : asked(state, input.reading, input.bytes, input.nowMs, terms)
    case 'price':
      return priced(state, input.price)
    case 'paid':
      return state.role === 'carrier' ? bounded(state, newestBytes(state), input.nowMs, terms) : only(state)
    case 'end':
      return state.state === 'ended' ? only(state) : ended(state, input.reason, input.nowMs)
  }
}

function carrierTick(state: Carriage, bytes: CarriedBytes, nowMs: number, terms: CarriageTerms): CarriageStep {
  if (state.state === 'ended') return only(state)
  const before = state.waiting?.reading ?? state.agreed?.pair.carrier
  // The meter never goes back; if it does, what it says can be billed to nobody.
  if (before !== undefined && wentBack(before.bytes, bytes)) return ended(state, 'the counters began anew', nowMs)
  if (isQuiet(state, bytes) && nowMs - state.heardMs < QUIET_READING_MS) return bounded(state, bytes, nowMs, terms)
  const waiting = state.waiting ?? { reading: question(state, bytes), silentSinceMs: nowMs }
  const asking: Carriage = { ...state, waiting, lastNumber: Math.max(state.lastNumber, waiting.reading.sequence) }
  const send: CarriageEffect = { kind: 'send', reading: waiting.reading }
  if (nowMs - waiting.silentSinceMs >= ANSWER_TIMEOUT_MS && state.state !== 'silent' && state.state !== 'offered') {
    const reason = `the client has not answered a reading for ${ANSWER_TIMEOUT_MS / 1000} s`
    return { state: { ...asking, state: 'silent', reason, sinceMs: nowMs }, effects: [send, { kind: 'gate', isOpen: false, reason }] }
  }
  const told = bounded(asking, bytes, nowMs, terms)
  return { state: told.state, effects: [send, ...told.effects] }
}

/** Nothing passed since the last two readings: the client knows that the last that counted was agreed on. */
function isQuiet({ state, waiting, agreed, prices }: Carriage, bytes: CarriedBytes): boolean {
  if (state === 'offered' || state === 'silent' || waiting !== null || agreed === null || agreed.stretch.carrier !== 0n) return false
  return totalOf(agreed.pair.carrier.bytes) === totalOf(bytes) && prices.at(-1)?.sequence === agreed.pair.carrier.priceSequence
}

function question(state: Carriage, bytes: CarriedBytes): Reading {
  return {
    carrier: state.carrier,
    client: state.client,
    epoch: state.epoch,
    sequence: Math.max(state.lastNumber, numberOf(state.agreed)) + 1,
    bytes,
    priceSequence: lastPrice(state).sequence,
    after: numberOf(state.agreed),
    owedParts: owedParts(state),
    token: state.token,
  }
}

function clientTick(state: Carriage, nowMs: number, terms: CarriageTerms): CarriageStep {
  const isSilent = state.state === 'running' && nowMs - state.heardMs >= ANSWER_TIMEOUT_MS
  return settle(isSilent ? { ...state, state: 'silent', reason: `the carrier has not asked for ${ANSWER_TIMEOUT_MS / 1000} s`, sinceMs: nowMs } : state, nowMs, terms)
}

function asked(state: Carriage, reading: Reading, bytes: CarriedBytes, nowMs: number, terms: CarriageTerms): CarriageStep {
  if (!isOf(state, reading)) return only(state)
  const last = state.answered ?? state.agreed
  if (last !== null && reading.sequence <= numberOf(last)) {
    if (reading.sequence < numberOf(last)) return only(state) // an old frame once more
    if (!isSameReading(reading, last.pair.carrier)) return breach(state, 'the carrier signed two figures under one number', nowMs)
    return state.state === 'ended' ? only(state) : { state: { ...state, heardMs: nowMs }, effects: [{ kind: 'send', reading: last.pair.client }] }
  }
  if (state.state === 'ended') return only(state)
  const isConfirmed = state.answered !== null && reading.after === numberOf(state.answered)
  const base: Carriage = { ...state, agreed: isConfirmed ? state.answered : state.agreed, answered: null }
  const wrong = wrongWith(base, reading, last?.pair.carrier)
  if (wrong !== null) return broken(state, wrong, nowMs)
  const answer: Reading = { ...reading, bytes: neverLess(last?.pair.client.bytes, bytes) }
  const exchange = exchangeOf(base.agreed, { carrier: reading, client: answer }, priceOf(base, reading.priceSequence))
  const isTalking = base.state === 'offered' || base.state === 'silent'
  const next: Carriage = { ...base, ...(isTalking ? { state: 'running', reason: null, sinceMs: nowMs } : {}), answered: exchange, prices: [lastPrice(base)], heardMs: nowMs }
  const effects: CarriageEffect[] = [{ kind: 'send', reading: answer }]
  if (!isConfirmed || base.agreed === null) return judged(next, exchange, effects, nowMs)
  effects.push({ kind: 'agreed', exchange: base.agreed })
  const settled = settle(next, nowMs, terms)
  return judged(settled.state, exchange, [...effects, ...settled.effects], nowMs)
}

function gotAnswer(state: Carriage, reading: Reading, nowMs: number, terms: CarriageTerms): CarriageStep {
  if (!isOf(state, reading)) return only(state)
  if (state.agreed !== null && reading.sequence === numberOf(state.agreed) && !isSameReading(reading, state.agreed.pair.client)) {
    return breach(state, 'the client signed two figures under one number', nowMs)
  }
  const { waiting } = state
  if (state.state === 'ended' || waiting === null || reading.sequence !== waiting.reading.sequence) return only(state)
  if (reading.priceSequence !== waiting.reading.priceSequence) return broken(state, 'the client answered by another price than was asked', nowMs)
  const wrong = wrongWith(state, reading, state.agreed?.pair.client)
  if (wrong !== null) return broken(state, wrong, nowMs)
  const exchange = exchangeOf(state.agreed, { carrier: waiting.reading, client: reading }, priceOf(state, reading.priceSequence))
  const isTalking = state.state === 'offered' || state.state === 'silent'
  const next: Carriage = { ...state, ...(isTalking ? { state: 'running', reason: null, sinceMs: nowMs } : {}), agreed: exchange, waiting: null, heardMs: nowMs, prices: [lastPrice(state)] }
  const effects: CarriageEffect[] = [{ kind: 'agreed', exchange }]
  if (isTalking) effects.push({ kind: 'gate', isOpen: true, reason: 'both ends count' })
  const settled = bounded(next, waiting.reading.bytes, nowMs, terms)
  return judged(settled.state, exchange, [...effects, ...settled.effects], nowMs)
}

function judged(state: Carriage, { stretch, isOver }: Exchange, effects: readonly CarriageEffect[], nowMs: number): CarriageStep {
  if (!isOver) return { state, effects }
  const told = broken(state, `the figures differ: the carrier says ${stretch.carrier} bytes, the client ${stretch.client}`, nowMs)
  return { state: told.state, effects: [...effects, ...told.effects] }
}

/** The client pays what is due, ended or not. */
function settle(state: Carriage, nowMs: number, terms: CarriageTerms): CarriageStep {
  const open = owedUnits(state) - state.paid
  const openSinceMs = open > 0n ? (state.openSinceMs ?? nowMs) : null
  const isDue = openSinceMs !== null && ((terms.settleAmount !== null && open >= terms.settleAmount) || nowMs - openSinceMs >= terms.settleAfterMs)
  return isDue ? { state: { ...state, paid: state.paid + open, openSinceMs: null }, effects: [{ kind: 'pay', amount: open }] } : only({ ...state, openSinceMs })
}

/** The carrier closes for who owes too much, agreed on or not, and opens for who has paid. */
function bounded(state: Carriage, bytes: CarriedBytes, nowMs: number, terms: CarriageTerms): CarriageStep {
  const unagreed = (totalOf(bytes) - totalOf(state.agreed?.pair.carrier.bytes ?? NO_BYTES)) * lastPrice(state).unitsPerMiB
  const open = (owedParts(state) + unagreed) / PARTS_PER_UNIT - state.paid
  const next: Carriage = { ...state, openSinceMs: owedUnits(state) > state.paid ? (state.openSinceMs ?? nowMs) : null }
  if (state.state === 'running' && open > terms.maxDebt) {
    const reason = `${open} units are owed; up to ${terms.maxDebt} units may be`
    return { state: { ...next, state: 'in-debt', reason, sinceMs: nowMs }, effects: [{ kind: 'gate', isOpen: false, reason }] }
  }
  // Half, not nothing: what the two boxes say to each other is counted too, also while the gate is closed.
  if (state.state !== 'in-debt' || open > terms.maxDebt / 2n) return only(next)
  return { state: { ...next, state: 'running', reason: null, sinceMs: nowMs }, effects: [{ kind: 'gate', isOpen: true, reason: 'what was owed is paid' }] }
}

function priced(state: Carriage, price: KnownPrice): CarriageStep {
  if (price.sequence <= lastPrice(state).sequence) return only(state)
  return only({ ...state, prices: [...state.prices, price].slice(-PRICES_KEPT) })
}

/** Why the carriage ends by this reading; null: it may count. `last`: what its signer said before. */
function wrongWith(state: Carriage, reading: Reading, last: Reading | undefined): string | null {
  if (reading.after !== numberOf(state.agreed)) return `the reading counts from number ${reading.after}; both have number ${numberOf(state.agreed)}`
  if (reading.owedParts !== owedParts(state)) return `the sums differ: ${reading.owedParts} and ${owedParts(state)} parts`
  if (reading.token !== state.token) return 'the reading counts in another token'
  if (!state.prices.some((price) => price.sequence === reading.priceSequence)) return `the reading names price ${reading.priceSequence}, which was not announced`
  if (last !== undefined && wentBack(last.bytes, reading.bytes)) return 'the figures went back'
  if (reading.bytes.up > MAX_BYTES || reading.bytes.down > MAX_BYTES) return 'the figures are impossible'
  return null
}

function isOf(state: Carriage, reading: Reading): boolean {
  return reading.carrier === state.carrier && reading.client === state.client && equalBytesConstantTime(reading.epoch, state.epoch)
}

function breach(state: Carriage, reason: string, nowMs: number): CarriageStep {
  const told = state.state === 'ended' ? only({ ...state, isBroken: true }) : broken(state, reason, nowMs)
  return { state: told.state, effects: [...told.effects, { kind: 'alarm', reason }] }
}

function broken(state: Carriage, reason: string, nowMs: number): CarriageStep {
  const told = ended(state, reason, nowMs)
  return { state: { ...told.state, isBroken: true }, effects: told.effects }
}

/**
 * What the client answered it owes, whether or not the answer came: it is under its own figure. A client that goes while
 * more than the slack is not agreed on does not come back at once, or it would always go before it answers.
 */
function ended(state: Carriage, reason: string, nowMs: number): CarriageStep {
  const unanswered = state.role === 'carrier' ? totalOf(newestBytes(state)) - totalOf(state.agreed?.pair.carrier.bytes ?? NO_BYTES) : 0n
  return {
    state: { ...state, state: 'ended', reason, isBroken: unanswered > SLACK_BYTES, sinceMs: nowMs, waiting: null, agreed: state.answered ?? state.agreed, answered: null },
    effects: [{ kind: 'gate', isOpen: false, reason }],
  }
}

/** A client whose counters began anew says what it said before until they have caught up. */
function neverLess(before: CarriedBytes | undefined, now: CarriedBytes): CarriedBytes {
  return before === undefined ? now : { up: now.up > before.up ? now.up : before.up, down: now.down > before.down ? now.down : before.down }
}

const newestBytes = (state: Carriage): CarriedBytes => state.waiting?.reading.bytes ?? state.agreed?.pair.carrier.bytes ?? NO_BYTES
const only = (state: Carriage): CarriageStep => ({ state, effects: [] })
const lastPrice = (state: Carriage): KnownPrice => state.prices.at(-1) ?? { sequence: 0, unitsPerMiB: 0n }
const priceOf = (state: Carriage, sequence: number): bigint => state.prices.find((price) => price.sequence === sequence)?.unitsPerMiB ?? 0n
