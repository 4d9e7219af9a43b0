/**
 * What to sign and reveal by now (photon.md 9.4): as many ticks as the box says it has served, those that have passed
 * since it said so, the one in use, and the lead the guest chose. A box that falls silent gets no more than a few.
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { chainOf } from '../chain.ts'
import type { Sha256 } from '../chain.ts'
import { hexText } from '../../hex-digits.ts'
import { bytes, voucherDigest } from '../digests.ts'
import type { StreamFrame } from '../frames.ts'
import { revealedTicks, revealedValue } from './state.ts'
import type { CurrentVoucher, PayerState } from './state.ts'

/** Time that passed without a word of the box is believed to be served for so long: three times its pace of answers. */
const SILENCE_MS = 15_000
/** Signatures in one go: an hour of one-minute vouchers. What is missing then follows with the next tick. */
const MAX_VOUCHERS_AT_ONCE = 60

export interface PayerPorts {
  readonly sha256: Sha256
  /** r ‖ s ‖ v by the payer's key. */
  sign(digest: Uint8Array): Uint8Array
  /** Who signed; null: nobody. */
  recover(digest: Uint8Array, signature: Uint8Array): string | null
}

export interface Paid {
  readonly state: PayerState
  /** A new chain was begun: its number must be on disk before the frames leave, where there is a disk. */
  readonly isCounterNews: boolean
  readonly frames: readonly StreamFrame[]
  /** Nothing more can be signed: the deposit, or what the guest allowed, is used up. */
  readonly isExhausted: boolean
}

export function payUpTo(before: PayerState, nowMs: number, ports: PayerPorts): Paid {
  const { offer } = before
  if (offer === null) return { state: before, isCounterNews: false, frames: [], isExhausted: false }
  const target = targetTicks(before, nowMs)
  const most = mostTicks(before)
  const frames: StreamFrame[] = []
  let state = before
  let signed = 0
  for (let missing = Math.min(target, most) - revealedTicks(state); missing > 0; missing = Math.min(target, most) - revealedTicks(state)) {
    if (state.voucher === null || state.voucher.revealed === state.voucher.steps) {
      if (signed++ === MAX_VOUCHERS_AT_ONCE) break
      state = signVoucher(state, Math.min(offer.terms.steps, most - revealedTicks(state)), ports)
      if (state.voucher !== null) frames.push(voucherFrame(offer.session, state.voucher))
    }
    const { voucher } = state
    if (voucher === null) break
    const revealed = Math.min(voucher.steps, voucher.revealed + missing)
    state = { ...state, voucher: { ...voucher, revealed } }
    frames.push(tickFrame(offer.session, { ...voucher, revealed }))
  }
  return { state, isCounterNews: state.counter !== before.counter, frames, isExhausted: target > most }
}

/** The newest two vouchers and their newest ticks once more: a box that lost more than that is asked anew. */
export function newestFrames({ offer, voucher, previous }: PayerState): readonly StreamFrame[] {
  if (offer === null) return []
  return [previous, voucher].flatMap((each) => {
    if (each === null) return []
    const signed = voucherFrame(offer.session, each)
    return each.revealed === 0 ? [signed] : [signed, tickFrame(offer.session, each)]
  })
}

/** Without steps, worth what the box's last statement says: makes the box's claim cheap and says the same as it. */
export function finalVoucher(state: PayerState, value: bigint, { sign }: PayerPorts): StreamFrame | null {
  const { offer, epoch, options } = state
  if (offer === null) return null
  const body = { cumulative: value, tip: `0x${'00'.repeat(32)}`, steps: 0, unit: offer.terms.unit } as const
  return { kind: 'voucher', session: offer.session, ...body, signature: sign(voucherDigest(options.contract, { ...body, channel: offer.channel, epoch })) }
}

/** Boot-clock moment of the next tick. */
export function nextTickMs({ offer, servedAtMs }: PayerState, nowMs: number): number {
  const tickMs = (offer?.terms.tickSeconds ?? 1) * 1000
  return servedAtMs + (Math.floor(Math.max(0, nowMs - servedAtMs) / tickMs) + 1) * tickMs
}

function targetTicks(state: PayerState, nowMs: number): number {
  const { offer, servedTicks, servedAtMs, owedTicks, leadSeconds } = state
  const tickSeconds = offer?.terms.tickSeconds ?? 1
  const passed = Math.floor(Math.min(Math.max(0, nowMs - servedAtMs), SILENCE_MS) / (tickSeconds * 1000))
  const asked = owedTicks + servedTicks + passed + 1 + Math.floor(leadSeconds / tickSeconds)
  return Math.min(asked, ticksByTime(state, nowMs))
}

/**
 * A box that says it has served faster than time passes, or that asks for its debt again and again, gets no more than
 * the time since the first tick, the lead, and the debt it named first.
 */
function ticksByTime({ offer, base, leadSeconds, life }: PayerState, nowMs: number): number {
  if (offer === null || life === null) return 0
  const { tickSeconds, unit } = offer.terms
  const elapsed = Math.floor(Math.max(0, nowMs - life.startedMs) / (tickSeconds * 1000))
  const sinceThen = base > life.base ? Number((base - life.base + unit - 1n) / unit) : 0
  return elapsed + 1 + Math.floor(leadSeconds / tickSeconds) + life.owedTicks - sinceThen
}

function mostTicks({ offer, base, ceiling, options, life }: PayerState): number {
  if (offer === null) return 0
  const spent = life !== null && base > life.base ? base - life.base : 0n
  const allowed = options.limits.total - spent
  const room = ceiling - base < allowed ? ceiling - base : allowed
  if (room <= 0n) return 0
  const ticks = room / offer.terms.unit
  return ticks > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(ticks)
}

/** seed = HMAC-SHA256(master, channel ‖ epoch ‖ counter): nobody who saw all earlier chains learns anything of this one. */
function signVoucher(state: PayerState, steps: number, { sha256, sign }: PayerPorts): PayerState {
  const { offer, epoch, options, counter } = state
  if (offer === null) return state
  const seed = hmac(nobleSha256, options.master, concatBytes(bytes(offer.channel), big(epoch, 8), big(counter, 16)))
  const words = chainOf(sha256, seed, steps)
  const body = { cumulative: revealedValue(state), tip: hexText(words[0] ?? seed), steps, unit: offer.terms.unit }
  const signature = sign(voucherDigest(options.contract, { ...body, channel: offer.channel, epoch }))
  return { ...state, counter: counter + 1n, previous: state.voucher, voucher: { ...body, signature, words, revealed: 0 } }
}

function voucherFrame(session: number, { cumulative, tip, steps, unit, signature }: CurrentVoucher): StreamFrame {
  return { kind: 'voucher', session, cumulative, tip, steps, unit, signature }
}

function tickFrame(session: number, { words, revealed }: CurrentVoucher): StreamFrame {
  return { kind: 'tick', session, index: revealed, preimage: words[revealed] ?? new Uint8Array(32) }
}

function big(value: bigint, length: number): Uint8Array {
  return hexToBytes(value.toString(16).padStart(2 * length, '0'))
}
