/**
 * Vouchers and ticks as the channel sees them: they raise the same counter as proofs do (specs/photon.md 9.4). The
 * stream itself (signatures, hash chains, pace) is another room's work; it reports here what has been reached.
 */
import type { Address } from '../../base/index.ts'
import type { StreamAccount } from '../ports.ts'
import { isOverspent, streamCeiling } from './amounts.ts'
import { CODE } from './codes.ts'
import { withExposure } from './exposure.ts'
import { PROFILE_RULES } from './rules.ts'
import type { ChannelMoment } from './rules.ts'
import type { ChannelSide, ChannelState, CounterGap, StreamEvidence } from './state.ts'
import type { Changed, ChannelTools, Refusal } from './verdict.ts'
import { refuse } from './verdict.ts'

export interface StreamNote {
  /** Whose money flows: one of the two. */
  readonly payer: Address
  /** The newest voucher's. */
  readonly cumulative: bigint
  /** What can be claimed now: cumulative + unit × ticks revealed. */
  readonly value: bigint
  /** What the voucher can reach: cumulative + unit × steps. */
  readonly reserved: bigint
  /** The payee's proof of `value`; null on the payer's end. */
  readonly evidence: StreamEvidence | null
}

/** Notes how far a stream has come. A value below the counter is refused: it would pay nothing. */
export function noteStream(tools: ChannelTools, state: ChannelState, note: StreamNote, moment: ChannelMoment): Changed | Refusal {
  if (!PROFILE_RULES[state.domain.profile].hasVouchers) return refuse(CODE.argument, 'v1 has no vouchers')
  if (state.phase !== 'opened') return refuse(CODE.channelState, `the channel is ${state.phase}`)
  const isOwn = note.payer === state.own.address
  const payer = isOwn ? state.own : state.partner
  if (note.payer !== payer.address) return refuse(CODE.notParticipant, 'not a participant')
  if (isOwn && state.sync.kind !== 'in-sync') return refuse(CODE.nodeOffline, 'not in sync with the partner yet')
  const least = lowestNote(payer, isOwn)
  if (note.value < least) return refuse(CODE.transferAmountDecrease, `${least} is given already`)
  if (note.value < note.cumulative || note.reserved < note.value) return refuse(CODE.invalidAmount, 'reached more than the voucher allows')
  const ceiling = streamCeiling(payer)
  if (note.reserved > ceiling && note.reserved > (payer.stream?.reserved ?? 0n)) return refuse(CODE.insufficientBalance, `a voucher may reach ${ceiling}`)
  const transferred = note.value > payer.transferred ? note.value : payer.transferred
  const side = { ...payer, transferred, stream: { value: note.value, reserved: note.reserved, evidence: note.evidence, gaps: gapsAfter(payer, note.cumulative) } }
  if (isOwn) {
    const next = { ...state, own: side }
    return isOverspent(next.partner, next.own) ? refuse(CODE.channelBalance, 'the partner has spent what a voucher would let it take out') : { ok: true, state: next }
  }
  const exposed = withExposure(tools, state, transferred - payer.transferred, moment)
  return exposed.ok ? { ok: true, state: { ...exposed.state, partner: side } } : exposed
}

/** A claim by somebody else may be ahead of the stream: the partner's words catch up with what the chain has paid. */
function lowestNote(payer: ChannelSide, isOwn: boolean): bigint {
  return isOwn || payer.transferred > payer.claimed ? payer.transferred : (payer.stream?.value ?? 0n)
}

/**
 * What a side has proved by balance proofs, vouchers and words; claims on the chain left out. After a start from an old copy
 * nobody knows whose claims they were: all of them count.
 */
function provedBy({ sync }: ChannelState, { transferred, claimed, proof, stream }: ChannelSide): bigint {
  if (transferred > claimed || sync.kind === 'behind' || (sync.kind === 'waiting' && sync.isRestored)) return transferred
  const [byProof, byWords] = [proof?.transferred ?? 0n, stream?.value ?? 0n]
  return byProof > byWords ? byProof : byWords
}

/**
 * Vouchers and proofs take different ways, so a voucher may count a payment whose proof is still on its way. Where more
 * than MAX_GAPS pile up (lost ticks leave some that no proof fills) the oldest are let go: money is not touched by that,
 * only whether a late proof is told as a payment or as a part of the stream.
 */
function gapsAfter(payer: ChannelSide, cumulative: bigint): readonly CounterGap[] {
  const gaps = payer.stream?.gaps ?? []
  return cumulative <= payer.transferred ? gaps : [...gaps, { from: payer.transferred, to: cumulative }].slice(-MAX_GAPS)
}
const MAX_GAPS = 8

/** What a proof that brings the counter to `transferred` gives: what is new, and what a voucher counted before it. */
export function givenBy(payer: ChannelSide, transferred: bigint): { readonly given: bigint; readonly side: ChannelSide } {
  const rise = transferred > payer.transferred ? transferred - payer.transferred : 0n
  const { stream } = payer
  if (stream === null || stream.gaps.length === 0) return { given: rise, side: rise === 0n ? payer : { ...payer, transferred } }
  let given = rise
  const gaps: CounterGap[] = []
  for (const gap of stream.gaps) {
    const end = transferred < gap.to ? transferred : gap.to
    if (end > gap.from) given += end - gap.from
    if (transferred < gap.to) gaps.push(end > gap.from ? { from: end, to: gap.to } : gap)
  }
  return { given, side: { ...payer, transferred: payer.transferred + rise, stream: { ...stream, gaps } } }
}

/** What a stream by `payer` may take. Null: `payer` is no participant, or the profile has no vouchers. */
export function streamAccount(state: ChannelState, payer: Address): StreamAccount | null {
  const [from, to] = payer === state.own.address ? [state.own, state.partner] : [state.partner, state.own]
  if (from.address !== payer || !PROFILE_RULES[state.domain.profile].hasVouchers) return null
  const { domain, token, key } = state
  return { channel: key.channel, epoch: key.epoch, domain, token, payer, payee: to.address, transferred: from.transferred, proved: provedBy(state, from), ceiling: streamCeiling(from) }
}
