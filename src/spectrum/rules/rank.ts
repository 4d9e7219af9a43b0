/**
 * Who may seal a block, with which difficulty, and how long after its parent (spec 2.3; before SIP100: 2.11).
 * P is the network's period, i the block's place in the round, ord the other leaders in turn.
 *
 * | sealer | difficulty | delay |
 * |---|---|---|
 * | signers[i] | 6 | P - 1 |
 * | signers[0], i ≠ 0 | 5 | P + 3 |
 * | ord[k], i = 0 | 5 - k | P + 3 + 4k |
 * | ord[k], i ≠ 0 | 4 - k | P + 7 + 4k |
 * | anybody else | 1, not authorised | P + 23 |
 *
 * A signer is looked up by its first place. One that is in the round at another place than 0 and i is nobody
 * special, even if it is a leader.
 */
import { ZERO_ADDRESS } from '../codec/fields.ts'
import type { Address } from '../codec/fields.ts'
import type { Round } from './round.ts'

export interface Rank {
  readonly isAuthorised: boolean
  readonly difficulty: bigint
  /** After the parent's time. */
  readonly delaySeconds: number
}

const STEP_SECONDS = 4

/** `round`: the state after the parent. From SIP100 on. */
export function rankOf(round: Pick<Round, 'signers' | 'leaders'>, number: number, periodSeconds: number, signer: Address): Rank {
  const place = number % round.signers.length
  const nobody: Rank = { isAuthorised: false, difficulty: 1n, delaySeconds: periodSeconds + 23 }
  if (signer === ZERO_ADDRESS) return nobody
  const found = round.signers.indexOf(signer)
  if (found === place) return { isAuthorised: true, difficulty: 6n, delaySeconds: periodSeconds - 1 }
  if (found === 0) return { isAuthorised: true, difficulty: 5n, delaySeconds: periodSeconds + 3 }
  if (found > 0) return nobody
  const order = leadersInTurn(round)
  const k = order.indexOf(signer)
  // Where the round's own leader comes before the others, they stand one step further back.
  const steps = place === 0 ? k : k + 1
  const difficulty = 5 - steps
  // With a leader removed there may be a fifth in turn, for whom no difficulty is left.
  if (k < 0 || difficulty < 1) return nobody
  return { isAuthorised: true, difficulty: BigInt(difficulty), delaySeconds: periodSeconds + 3 + STEP_SECONDS * steps }
}

/** All leaders but the round's own, beginning behind it; all in the contract's order where it is none any more. */
function leadersInTurn({ signers, leaders }: Pick<Round, 'signers' | 'leaders'>): readonly Address[] {
  const at = leaders.indexOf(signers[0] ?? ZERO_ADDRESS)
  return at < 0 ? leaders : [...leaders.slice(at + 1), ...leaders.slice(0, at)]
}

/** Before SIP100: any signer of the list may seal. `sip002`: is it on at `number`? */
export function oldRankOf(signers: readonly Address[], number: number, periodSeconds: number, sip002: boolean, signer: Address): Rank {
  const isAuthorised = signer !== ZERO_ADDRESS && signers.includes(signer)
  if (number <= 3) return { isAuthorised, difficulty: 2n, delaySeconds: periodSeconds + 3 }
  const isInTurn = signers[number % signers.length] === signer
  if (!sip002) return { isAuthorised, difficulty: isInTurn ? 2n : 1n, delaySeconds: periodSeconds }
  if (isInTurn) return { isAuthorised, difficulty: 3n, delaySeconds: periodSeconds - 1 }
  if (signers[(number + 1) % signers.length] === signer) return { isAuthorised, difficulty: 2n, delaySeconds: periodSeconds + 3 }
  return { isAuthorised, difficulty: 1n, delaySeconds: periodSeconds + 7 }
}
