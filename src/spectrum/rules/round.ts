/**
 * Tribe's round (spec 2.10): who may seal which of the next L blocks. It is what the chief contract's
 * `update` does to its storage, as a pure function of height, sealer and volunteer; a light node follows it
 * from block bodies alone, from a proved state on.
 *
 * Block n has the place i = n mod L. Each block with i > 0 adds a volunteer to the next round and, if it was
 * not sealed by the signer of its place, strikes that signer out. The block with i = L - 1 ends the round.
 */
import { inputError } from '../../base/index.ts'
import { ZERO_ADDRESS } from '../codec/fields.ts'
import type { Address } from '../codec/fields.ts'

export interface Round {
  /** One per place; the zero address where nobody is, or nobody any more. The first is a leader. */
  readonly signers: readonly Address[]
  /** Volunteers for the next round so far. */
  readonly next: readonly Address[]
  /** All leaders, in the contract's order. An owner's transaction can change them at any block. */
  readonly leaders: readonly Address[]
  /** Most of `next`. */
  readonly volunteerLimit: number
  /** Blocks after which missed slots are forgiven. */
  readonly epochBlocks: number
}

/** What a block did to the round; the rest is the POC contract's. */
export interface RoundStep {
  readonly round: Round
  /** The signer that let its slot pass: stopped, and kept out until the epoch ends. */
  readonly missed: Address | null
  /** The epoch ends here: who was kept out may be started again. */
  readonly endsEpoch: boolean
}

/** More signers or leaders than any network has: bounds what is read from a contract. */
export const MAX_SIGNERS = 256
export const MAX_LEADERS = 64

/** Checked once where it comes from a checkpoint or a proof. Errors: input, naming the field. */
export function checkRound(round: Round): Round {
  const { signers, next, leaders, volunteerLimit, epochBlocks } = round
  if (signers.length < 1 || signers.length > MAX_SIGNERS) throw inputError('signers', signers.length, `1 to ${MAX_SIGNERS}`)
  if (leaders.length < 1 || leaders.length > MAX_LEADERS || leaders.includes(ZERO_ADDRESS)) throw inputError('leaders', leaders, `1 to ${MAX_LEADERS}, none of them the zero address`)
  if (!Number.isSafeInteger(volunteerLimit) || volunteerLimit < 0 || volunteerLimit >= signers.length) throw inputError('volunteerLimit', volunteerLimit, `0 to ${signers.length - 1}`)
  if (next.length > volunteerLimit) throw inputError('next', next.length, `at most ${volunteerLimit}`)
  if (!Number.isSafeInteger(epochBlocks) || epochBlocks < 1) throw inputError('epochBlocks', epochBlocks, '1 or more')
  return round
}

/** The round after block `number`, sealed by `signer` with this volunteer in its chief transaction. */
export function applyBlock(round: Round, number: number, signer: Address, volunteer: Address): RoundStep {
  const limit = round.signers.length
  const place = number % limit
  let { signers, next } = round
  let missed: Address | null = null
  if (place > 0) {
    if (volunteer !== ZERO_ADDRESS && next.length < round.volunteerLimit) next = [...next, volunteer]
    const due = signers[place] ?? ZERO_ADDRESS
    if (due !== ZERO_ADDRESS && due !== signer) {
      missed = due
      signers = signers.with(place, ZERO_ADDRESS)
    }
  }
  if (place === limit - 1) {
    signers = [leaderAfter(round), ...next, ...Array.from({ length: limit - 1 - next.length }, () => ZERO_ADDRESS)]
    next = []
  }
  return { round: { ...round, signers, next }, missed, endsEpoch: number % round.epochBlocks === 0 }
}

/** The leader of the next round; the first of all where the present one is no leader any more. */
function leaderAfter({ signers, leaders }: Round): Address {
  const at = leaders.indexOf(signers[0] ?? ZERO_ADDRESS)
  return leaders[(at + 1) % leaders.length] ?? ZERO_ADDRESS
}
