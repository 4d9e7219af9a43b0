/**
 * The delegator's side, pure: which watchers guard a channel, what each has been sent and has acknowledged, and when it
 * is time to send the newest state. Each state sent is a promise of a reward that cannot be taken back, so a watcher is
 * sent a new one only every so many states or so much value, or when the box can no longer see the chain itself
 * (photon.md 3.6 c).
 */
import type { Address, Hash } from '../../base/index.ts'
import type { BalanceProof, ChannelKey } from '../ports.ts'
import { VERDICT } from './frames.ts'
import type { Receipt } from './frames.ts'

export interface GuardRules {
  /** Watchers per channel. */
  readonly watchers: number
  /** A watcher is sent the newest state when it is behind by so many states, … */
  readonly everyStates: bigint
  /** … or by so much money. */
  readonly everyValue: bigint
  /** Not answered for so long: sent again. */
  readonly retryMs: number
  /** A watcher that has refused or kept silent so often is given up, … */
  readonly maxFailures: number
  /** … and tried again after so long. */
  readonly forgiveMs: number
}

export const GUARD_RULES: GuardRules = { watchers: 2, everyStates: 50n, everyValue: 1n << 62n, retryMs: 60_000, maxFailures: 3, forgiveMs: 3_600_000 }

/** What is known of one watcher of one channel. */
export interface Guard {
  readonly watcher: Address
  /** Newest state sent; its frame's hash. Nonce 0: none. */
  readonly sent: { readonly nonce: bigint; readonly transferred: bigint; readonly job: Hash; readonly atMs: number } | null
  /** Newest state that it has said it keeps. */
  readonly kept: { readonly nonce: bigint; readonly transferred: bigint } | null
  readonly failures: number
}

export interface GuardedChannel extends ChannelKey {
  readonly token: Address
  readonly partner: Address
  /** The partner's newest proof; null: nothing received yet, nothing to guard. */
  readonly proof: BalanceProof | null
}

/** A neighbour that offers to watch. */
export interface Candidate {
  readonly watcher: Address
  readonly seesChain: boolean
}

export interface GuardMoment {
  readonly nowMs: number
  /** This box has been without a chain view for longer than the grace. */
  readonly isBlind: boolean
}

/** Whom to send the channel's newest proof now, and the guards as they are then (with `sent` still to be noted by `noteSent`). */
export function planGuards(channel: GuardedChannel, guards: readonly Guard[], candidates: readonly Candidate[], rules: GuardRules, moment: GuardMoment): { readonly guards: readonly Guard[]; readonly sendTo: readonly Address[] } {
  const { proof } = channel
  if (proof === null || proof.nonce === 0n) return { guards, sendTo: [] }
  const givenUp = guards.filter((guard) => isGivenUp(guard, rules, moment))
  const given = new Set(givenUp.map((guard) => guard.watcher))
  const kept = guards.filter((guard) => !given.has(guard.watcher))
  const present = new Map(candidates.map((candidate) => [candidate.watcher, candidate]))
  const isOfUse = (watcher: Address): boolean => watcher !== channel.partner && (present.get(watcher)?.seesChain ?? false)
  // Those that guard already, even if away now: what they keep they keep. Then others, in a fixed order.
  const active = kept.filter((guard) => guard.kept !== null || isOfUse(guard.watcher))
  const others = candidates.map((candidate) => candidate.watcher).filter((watcher) => isOfUse(watcher) && !given.has(watcher) && !active.some((guard) => guard.watcher === watcher))
  // When this box is blind, a guard that is away and behind is no help: one that is here stands in for it.
  const helpful = active.filter((guard) => isOfUse(guard.watcher) || (guard.kept?.nonce === proof.nonce))
  const missing = rules.watchers - (moment.isBlind ? helpful.length : active.length)
  const fresh = others.sort().slice(0, Math.max(0, missing)).map((watcher): Guard => ({ watcher, sent: null, kept: null, failures: 0 }))
  const all = [...active, ...fresh]
  const sendTo = all.filter((guard) => present.has(guard.watcher) && isDue(guard, proof, rules, moment)).map((guard) => guard.watcher)
  return { guards: [...all, ...givenUp], sendTo }
}

export function noteSent(guard: Guard, proof: BalanceProof, job: Hash, nowMs: number): Guard {
  const isUnanswered = guard.sent !== null && guard.kept?.nonce !== guard.sent.nonce
  return { ...guard, sent: { nonce: proof.nonce, transferred: proof.transferred, job, atMs: nowMs }, failures: guard.failures + (isUnanswered ? 1 : 0) }
}

/** The receipt's signature has been checked by the caller. Unchanged when it is not for what was sent last. */
export function noteReceipt(guard: Guard, receipt: Receipt): Guard {
  const { sent } = guard
  if (sent === null || receipt.job !== sent.job || receipt.nonce !== sent.nonce) return guard
  if (receipt.verdict === VERDICT.accepted) return { ...guard, kept: { nonce: sent.nonce, transferred: sent.transferred }, failures: 0 }
  return { ...guard, failures: guard.failures + 1 }
}

/** What would be lost if the partner closed with nothing now and the guards were all there is: for alarms and the owner's page. */
export function unguardedValue(channel: GuardedChannel, guards: readonly Guard[]): bigint {
  const best = guards.reduce((most, guard) => (guard.kept !== null && guard.kept.transferred > most ? guard.kept.transferred : most), 0n)
  const received = channel.proof?.transferred ?? 0n
  return received > best ? received - best : 0n
}

function isGivenUp(guard: Guard, rules: GuardRules, moment: GuardMoment): boolean {
  return guard.failures >= rules.maxFailures && guard.sent !== null && isWithin(guard.sent.atMs, rules.forgiveMs, moment)
}

/** A moment that lies ahead is of an earlier boot: it says nothing. */
function isWithin(atMs: number, spanMs: number, moment: GuardMoment): boolean {
  return atMs <= moment.nowMs && moment.nowMs - atMs < spanMs
}

function isDue(guard: Guard, proof: BalanceProof, rules: GuardRules, moment: GuardMoment): boolean {
  if (guard.kept?.nonce === proof.nonce) return false
  const isWaiting = guard.sent !== null && guard.kept?.nonce !== guard.sent.nonce && isWithin(guard.sent.atMs, rules.retryMs, moment)
  if (isWaiting) return false
  if (guard.kept === null || moment.isBlind) return true
  // A resend of what was never answered goes out even if nothing has come since.
  if (guard.sent !== null && guard.sent.nonce > guard.kept.nonce) return true
  return proof.nonce - guard.kept.nonce >= rules.everyStates || proof.transferred - guard.kept.transferred >= rules.everyValue
}
