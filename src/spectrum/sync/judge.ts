/**
 * One block behind a parent we have: header, who may seal it, the volunteer, body, execution, and the round
 * after it. The rules are `rules/`'s; here is what they are fed with, and whether a refusal proves that
 * whoever serves the block lies.
 *
 * - Rounds are followed from bodies; leaders are read again from the parent's state at the end of a round, for
 *   every block where state is kept, and before any block is refused for its rank: the chain's owner may change
 *   them at any block.
 * - The VRF's choice of a volunteer is proved for young blocks, for every block where state is kept, and for some
 *   of the others. Without nodes it is not judged.
 * - What a box without state cannot check proves no lie: it passes such blocks on in good faith.
 */
import type { Secp256k1 } from '../../native/index.ts'
import { ZERO_ADDRESS } from '../codec/fields.ts'
import type { Address } from '../codec/fields.ts'
import type { Body } from '../codec/body.ts'
import type { Header } from '../codec/header.ts'
import type { Receipt } from '../codec/receipt.ts'
import { isActive } from '../network/network.ts'
import type { Network } from '../network/network.ts'
import type { Executor, ProvedState } from '../ports.ts'
import type { Refusal } from '../rules/codes.ts'
import { transactionsRootOf } from '../proof/inclusion.ts'
import { rankOf } from '../rules/rank.ts'
import { applyBlock } from '../rules/round.ts'
import type { Round } from '../rules/round.ts'
import { verifyBody } from '../rules/verify-body.ts'
import { verifyHeader } from '../rules/verify-header.ts'
import type { KnownHeader, VerifiedHeader } from '../rules/verify-header.ts'

export interface Parent extends KnownHeader {
  /** After it. */
  readonly round: Round
}

export interface JudgeParts {
  readonly curve: Secp256k1
  readonly network: Network
  readonly state: ProvedState
  /** Null where this box does not execute. */
  readonly executor: Executor | null
}

export interface Occasion {
  /** Null: the clock is not trusted. */
  readonly nowSeconds: number | null
  /** Young, or drawn: its volunteer and its round's leaders are proved. */
  readonly isProved: boolean
  /** The sets of leaders on the way to this block, of the last rounds. */
  leaderSets(): readonly (readonly Address[])[]
}

export type Judgement =
  | { readonly kind: 'good'; readonly verified: VerifiedHeader; readonly receipts: readonly Receipt[] | null; readonly roundBefore: Round; readonly round: Round }
  /** `isFinal`: no other body could save this header. */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly isLie: boolean; readonly isFinal: boolean }
  /** Holds but for its time. */
  | { readonly kind: 'future'; readonly waitSeconds: number }
  | { readonly kind: 'unavailable'; readonly reason: string; readonly lacking: 'sources' | 'self' }

type HeaderJudgement = Exclude<Judgement, { kind: 'good' }> | { readonly kind: 'good'; readonly verified: VerifiedHeader; readonly round: Round }

/** Errors: what the executor and the proofs throw when they are broken themselves. */
export async function judgeBlock(parts: JudgeParts, parent: Parent, header: Header, body: Body, occasion: Occasion): Promise<Judgement> {
  const { curve, network, state, executor } = parts
  const judged = await judgeHeader(parts, parent, header, occasion)
  if (judged.kind !== 'good') return judged
  const { verified, round } = judged
  const hasRounds = isActive(network, 'sip100', header.number)
  const volunteer = hasRounds && (occasion.isProved || executor !== null) ? await state.volunteer(parent.header, header, round) : null
  const checked = verifyBody(curve, network, verified, body, volunteer)
  if (!checked.ok) return { kind: 'refused', refusal: checked, isLie: checked.code !== 'verify_volunteer_fail', isFinal: isBodyOf(curve, header, body) }
  const executed = executor === null ? null : await executor.execute(parent.header, { header, body })
  if (executed?.ok === false) return { kind: 'refused', refusal: executed, isLie: false, isFinal: true }
  const after = hasRounds ? applyBlock(round, header.number, verified.signer, checked.volunteer ?? ZERO_ADDRESS).round : round
  return { kind: 'good', verified, receipts: executed?.receipts ?? null, roundBefore: round, round: after }
}

/** Anybody can put another body behind a good header; the header must not suffer for it. */
function isBodyOf(curve: Secp256k1, header: Header, body: Body): boolean {
  return body.uncles.length === 0 && transactionsRootOf(curve, body.transactions) === header.transactionsRoot
}

async function judgeHeader(parts: JudgeParts, parent: Parent, header: Header, occasion: Occasion): Promise<HeaderJudgement> {
  const { network, executor } = parts
  const hasRounds = isActive(network, 'sip100', header.number)
  const endsRound = header.number % parent.round.signers.length === parent.round.signers.length - 1
  let round = parent.round
  const isReadNow = hasRounds && (executor !== null || (endsRound && occasion.isProved))
  if (isReadNow) round = (await mendedRound(parts, parent)) ?? round
  const first = judgeSealer(parts, parent, header, round, occasion)
  if (first.kind !== 'refused' || !hasRounds || !isAboutRank(parts, parent, header, first.refusal)) return first
  const mended = await mendedRound(parts, parent)
  if (mended === null) return { kind: 'unavailable', reason: `block ${header.number}: ${first.refusal.reason}; its parent's state is not to be had now, which would say who leads`, lacking: 'sources' }
  const second = judgeSealer(parts, parent, header, mended, occasion)
  if (second.kind !== 'refused') return second
  const signer = signerOf(parts, parent, header)
  return { ...second, isLie: signer === null || !heldLately(parts, parent.header, header, signer, mended, occasion.leaderSets()) }
}

/** Would it hold for a box that has not seen a leader go, and so may pass it on in good faith? */
function heldLately({ network }: JudgeParts, parent: Header, header: Header, signer: Address, { signers }: Round, leaderSets: readonly (readonly Address[])[]): boolean {
  return leaderSets.some((leaders) =>
    [...leaders, signers[0] ?? ZERO_ADDRESS].some((leader) => {
      const rank = rankOf({ signers: signers.with(0, leader), leaders }, header.number, network.periodSeconds, signer)
      return rank.isAuthorised && rank.difficulty === header.difficulty && header.timeSeconds >= parent.timeSeconds + rank.delaySeconds
    }),
  )
}

function judgeSealer({ curve, network }: JudgeParts, parent: Parent, header: Header, round: Round, { nowSeconds }: Occasion): HeaderJudgement {
  const verified = verifyHeader({ curve, network, nowSeconds }, parent, header, round)
  if (verified.ok) return { kind: 'good', verified, round }
  if (verified.code !== 'ErrFutureBlock' || nowSeconds === null) return { kind: 'refused', refusal: verified, isLie: true, isFinal: true }
  // What waits for its time must be worth the wait.
  const timeless = verifyHeader({ curve, network, nowSeconds: null }, parent, header, round)
  return timeless.ok ? { kind: 'future', waitSeconds: header.timeSeconds - nowSeconds } : { kind: 'refused', refusal: timeless, isLie: true, isFinal: true }
}

/** Would the header hold if anybody might seal? */
function isAboutRank(parts: JudgeParts, parent: Parent, header: Header, { code }: Refusal): boolean {
  return (code === 'errInvalidDifficulty' || code === 'errUnauthorized') && signerOf(parts, parent, header) !== null
}

function signerOf({ curve, network }: JudgeParts, parent: Parent, header: Header): Address | null {
  const verified = verifyHeader({ curve, network, nowSeconds: null }, parent, header, null)
  return verified.ok ? verified.signer : null
}

/**
 * The round after the parent with what its state says of it; null where that is not to be had. Where blocks are
 * executed the state is certain. Elsewhere it is one sealer's word, and only what bodies do not tell is taken
 * from it: the leaders, and which of them leads this round.
 */
async function mendedRound({ state, executor }: JudgeParts, parent: Parent): Promise<Round | null> {
  const proved = await state.round(parent.header)
  const leader = proved?.signers[0]
  if (proved === null || leader === undefined) return null
  const { signers, next } = parent.round
  if (executor !== null || signers.length !== proved.signers.length) return proved
  return { ...proved, signers: signers.with(0, leader), next }
}
