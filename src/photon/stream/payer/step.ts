/**
 * The payer's rules: (state, input) → {state, effects}. Trusts nothing the box says that could cost money: terms and
 * statements must be signed by the payee the guest chose, the counter is taken up only where an own signature proves it,
 * and what can be lost at any moment is the tick in use and the lead. Runs in the browser too.
 */
import { hashBack, sameWord } from '../chain.ts'
import { bytes, channelIdOf, offerDigest, openDigest, statementDigest, voucherDigest } from '../digests.ts'
import { REFUSAL } from '../frames.ts'
import type { HeldBody, StreamFrame } from '../frames.ts'
import { faultOfTerms } from '../terms.ts'
import { finalVoucher, newestFrames, nextTickMs, payUpTo } from './pay.ts'
import type { PayerPorts } from './pay.ts'
import { revealedTicks, revealedValue } from './state.ts'
import type { PayerEnd, PayerState } from './state.ts'

/** A question without an answer is asked again after so long, so often. */
const ASK_AGAIN_MS = 5000
const MAX_TRIES = 6

export type PayerInput = { readonly nowMs: number } & (
  | { readonly type: 'start' }
  | { readonly type: 'frame'; readonly frame: StreamFrame }
  | { readonly type: 'wake' }
  /** A new connection to the same box. */
  | { readonly type: 'connected' }
  /** How far ahead to pay from now on: 0 in an open tab, more before it is hidden, minutes for a block. */
  | { readonly type: 'lead'; readonly seconds: number }
  | { readonly type: 'stop' }
)

export type PayerEffect =
  | { readonly type: 'send'; readonly frames: readonly StreamFrame[] }
  /** Must be kept before the frames that follow it leave, where there is something to keep it in. */
  | { readonly type: 'counter'; readonly counter: bigint }
  | { readonly type: 'wake'; readonly atMs: number }

export interface PayerStep {
  readonly state: PayerState
  readonly effects: readonly PayerEffect[]
}

export function step(state: PayerState, input: PayerInput, ports: PayerPorts): PayerStep {
  const { nowMs } = input
  if (state.phase === 'over') return { state, effects: [] }
  switch (input.type) {
    case 'start':
      return state.phase === 'idle' ? greet({ ...state, tries: 0 }, nowMs) : only(state)
    case 'connected':
      if (state.phase === 'paying') return { state, effects: [{ type: 'send', frames: newestFrames(state) }] }
      return state.phase === 'idle' ? only(state) : askAgain({ ...state, tries: 0 }, nowMs, ports)
    case 'lead':
      return pay({ ...state, leadSeconds: Math.max(0, Math.floor(input.seconds)) }, nowMs, ports)
    case 'wake':
      if (state.phase === 'paying') return pay(state, nowMs, ports)
      if (state.phase === 'idle') return only(state)
      return nowMs - state.askedAtMs < ASK_AGAIN_MS ? wait(state) : askAgain(state, nowMs, ports)
    case 'stop':
      return stop(state, nowMs)
    case 'frame':
      return heard(state, input.frame, nowMs, ports)
  }
}

function heard(state: PayerState, frame: StreamFrame, nowMs: number, ports: PayerPorts): PayerStep {
  if (frame.kind === 'offer') return state.phase === 'greeting' ? offered(state, frame, ports) : only(state)
  // What was sent in a session that was given up says nothing of this one; 0 is a hello's.
  if (frame.kind === 'refused') return frame.session !== 0 && frame.session !== state.offer?.session ? only(state) : refused(state, frame.code, nowMs)
  if ('session' in frame && frame.session !== state.offer?.session) return only(state)
  switch (frame.kind) {
    case 'state':
      return state.phase === 'greeting' ? told(state, frame, nowMs, ports) : only(state)
    case 'statement':
      return stated(state, frame, nowMs, ports)
    case 'progress':
      return progressed(state, frame.paidTicks, frame.servedTicks, nowMs, ports)
    case 'stop':
      return over(state, { why: 'stopped', code: frame.reason })
    default:
      return only(state)
  }
}

function greet(state: PayerState, nowMs: number): PayerStep {
  return wait({ ...state, phase: 'greeting', offer: null, askedAtMs: nowMs }, [{ kind: 'hello', payer: state.options.payer }])
}

function offered(state: PayerState, { session, challenge, terms, signature }: Extract<StreamFrame, { kind: 'offer' }>, ports: PayerPorts): PayerStep {
  const { contract, token, payer, payee, limits } = state.options
  const isOurs = terms.chainId === contract.chainId && terms.contract === contract.contract && terms.token === token
  if (!isOurs || faultOfTerms(terms) !== null || ports.recover(offerDigest(terms), signature) !== payee) return over(state, { why: 'bad-offer' })
  if (terms.unit > limits.unit) return over(state, { why: 'too-dear' })
  return only({ ...state, offer: { session, challenge, terms, channel: channelIdOf(payer, payee, token, contract.contract) } })
}

function progressed(state: PayerState, paidTicks: number, servedTicks: number, nowMs: number, ports: PayerPorts): PayerStep {
  if (state.phase !== 'paying') return only(state)
  const revealed = revealedTicks(state) - state.owedTicks
  // More than was paid cannot have been served: a box that says so would make us pay ahead for nothing.
  const next = pay({ ...state, servedTicks: clamp(servedTicks, state.servedTicks, revealed), servedAtMs: nowMs, tries: 0, shownTicks: revealed }, nowMs, ports)
  // It has not even seen what we had sent when it last spoke: frames were lost, or the box forgot them with its power.
  if (paidTicks >= state.shownTicks) return next
  return { state: next.state, effects: [{ type: 'send', frames: newestFrames(state) }, ...next.effects] }
}

/** After a reload the page knows nothing: what the box shows counts as far as an own signature and the words prove it. */
function told(state: PayerState, frame: Extract<StreamFrame, { kind: 'state' }>, nowMs: number, ports: PayerPorts): PayerStep {
  const { offer, options } = state
  if (offer === null) return only(state)
  const { epoch, ceiling, held, owedTicks } = frame
  const key = { channel: offer.channel, epoch }
  if (owedTicks > offer.terms.graceTicks || (held !== null && !isOwn(held, key, state, ports))) return over(state, { why: 'bad-state' })
  const proven = held === null ? 0n : held.cumulative + held.unit * BigInt(held.index)
  const signature = ports.sign(openDigest(options.contract, key, offer.challenge))
  const next: PayerState = { ...state, phase: 'opening', epoch, ceiling, owedTicks, known: proven > state.known ? proven : state.known, askedAtMs: nowMs }
  return wait(next, [{ kind: 'open', session: offer.session, signature }])
}

function isOwn(held: HeldBody, key: { readonly channel: `0x${string}`; readonly epoch: bigint }, { options }: PayerState, ports: PayerPorts): boolean {
  if (held.index > held.steps || held.steps > 0xffff) return false
  if (ports.recover(voucherDigest(options.contract, { ...held, ...key }), held.signature) !== options.payer) return false
  return sameWord(hashBack(ports.sha256, held.preimage, held.index), bytes(held.tip))
}

function stated(state: PayerState, { value, isFinal, signature }: Extract<StreamFrame, { kind: 'statement' }>, nowMs: number, ports: PayerPorts): PayerStep {
  const { offer, epoch, options } = state
  if (offer === null) return only(state)
  const digest = statementDigest(options.contract, { channel: offer.channel, epoch }, offer.challenge, value, isFinal)
  if (ports.recover(digest, signature) !== options.payee) return only(state)
  if (!isFinal) {
    if (state.phase !== 'opening') return only(state)
    // It may begin lower than we know, never higher than we can prove to have signed.
    if (value > state.known) return over(state, { why: 'bad-statement' })
    const life = state.life ?? { base: value, startedMs: nowMs, owedTicks: state.owedTicks }
    return pay({ ...state, phase: 'paying', base: value, known: value, life, voucher: null, previous: null, servedTicks: 0, shownTicks: 0, servedAtMs: nowMs, tries: 0 }, nowMs, ports)
  }
  if (state.phase !== 'paying' && state.phase !== 'stopping') return only(state)
  if (value > revealedValue(state) || value < state.base) return over(state, { why: 'bad-statement' })
  const last = value === 0n ? null : finalVoucher(state, value, ports)
  const { state: after } = ended(state, { why: 'stopped', code: 0 }, value)
  return { state: after, effects: last === null ? [] : [{ type: 'send', frames: [last] }] }
}

function pay(state: PayerState, nowMs: number, ports: PayerPorts): PayerStep {
  if (state.phase !== 'paying') return only(state)
  const paid = payUpTo(state, nowMs, ports)
  // Paid far ahead there is nothing to send: the newest tick once more, to hear how far the box is.
  const isQuiet = paid.frames.length === 0 && nowMs - state.askedAtMs >= ASK_AGAIN_MS
  const frames = isQuiet ? newestFrames(state).slice(-1) : paid.frames
  const isUsedUp = paid.isExhausted && paid.state.servedTicks + paid.state.owedTicks >= revealedTicks(paid.state)
  const effects: PayerEffect[] = []
  if (paid.isCounterNews) effects.push({ type: 'counter', counter: paid.state.counter })
  if (frames.length > 0) effects.push({ type: 'send', frames })
  if (isUsedUp) {
    const stopping = stop(paid.state, nowMs)
    return { state: stopping.state, effects: [...effects, ...stopping.effects] }
  }
  const after = frames.length > 0 ? { ...paid.state, askedAtMs: nowMs } : paid.state
  return { state: after, effects: [...effects, { type: 'wake', atMs: nextTickMs(after, nowMs) }] }
}

function stop(state: PayerState, nowMs: number): PayerStep {
  if (state.phase === 'stopping') return only(state)
  if (state.phase !== 'paying' || state.offer === null) return over(state, { why: 'stopped', code: 0 })
  return wait({ ...state, phase: 'stopping', tries: 0, askedAtMs: nowMs }, [{ kind: 'stop', session: state.offer.session, reason: 0 }])
}

/** The same once more; a box that does not answer at all is given up. */
function askAgain(state: PayerState, nowMs: number, ports: PayerPorts): PayerStep {
  const { offer, options, epoch } = state
  const tried = { ...state, tries: state.tries + 1, askedAtMs: nowMs }
  if (tried.tries > MAX_TRIES) return over(state, { why: 'no-answer' })
  if (state.phase === 'opening' && offer !== null)
    return wait(tried, [{ kind: 'open', session: offer.session, signature: ports.sign(openDigest(options.contract, { channel: offer.channel, epoch }, offer.challenge)) }])
  if (state.phase === 'stopping' && offer !== null) return wait(tried, [{ kind: 'stop', session: offer.session, reason: 0 }])
  return greet(tried, nowMs)
}

/** A box that does not know the session any more, after a crash, or lost words before its newest voucher: asked anew. Anything else it will not take ends it. */
function refused(state: PayerState, code: number, nowMs: number): PayerStep {
  const isForgotten = (state.phase === 'paying' && (code === REFUSAL.notOpen || code === REFUSAL.cumulative)) || (state.phase === 'opening' && code === REFUSAL.expired)
  if (isForgotten && state.tries < MAX_TRIES) {
    const known = revealedValue(state)
    return greet({ ...state, tries: state.tries + 1, known: known > state.known ? known : state.known }, nowMs)
  }
  // It lost the voucher, or never had it.
  if (state.phase === 'paying' && code === REFUSAL.tick && state.tries < MAX_TRIES)
    return { state: { ...state, tries: state.tries + 1 }, effects: [{ type: 'send', frames: newestFrames(state) }] }
  // Frames that crossed with the end of a session.
  if (state.phase === 'stopping' && code === REFUSAL.notOpen) return over(state, { why: 'stopped', code: 0 })
  return code === REFUSAL.busy ? only(state) : over(state, { why: 'refused', code })
}

/** What was revealed may be claimed until the box has signed that it will not. */
function over(state: PayerState, end: PayerEnd): PayerStep {
  const revealed = revealedValue(state)
  return ended(state, end, revealed > state.known ? revealed : state.known)
}

function ended(state: PayerState, end: PayerEnd, known: bigint): PayerStep {
  return only({ ...state, phase: 'over', end, known })
}

function wait(state: PayerState, frames: readonly StreamFrame[] = []): PayerStep {
  const again: PayerEffect = { type: 'wake', atMs: state.askedAtMs + ASK_AGAIN_MS }
  return { state, effects: frames.length === 0 ? [again] : [{ type: 'send', frames }, again] }
}

function only(state: PayerState): PayerStep {
  return { state, effects: [] }
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most))
}
