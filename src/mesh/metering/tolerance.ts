/**
 * When two honest ends may differ. Frames are lost on the air and the two do not read at the same moment: a slack, and above it
 * 5 % three times running or 50 % once (portal.md row 19). Only a carrier that says more than the client is looked at: the lower
 * figure counts, so one that says less gives something away. It leaves out frames that begin or end in itself; the client, who
 * cannot tell these from others, counts every frame.
 *
 * What the client is behind by only ever counts when it grows: what was lost in a power cut is judged once, whatever the two say of
 * it later. Readings with too little in them are put together until there is enough to tell. And who has been out of tolerance
 * three times ends when it is more than 5 % of everything, whatever lay between: one honest reading buys no second lie.
 */
export const SLACK_BYTES = 64n * 1024n
const DRIFT_PER_CENT = 5n
const BREACH_PER_CENT = 50n
export const DRIFTS_TO_END = 3

/** `little`: so few bytes that 5 % of them are within the slack. It says nothing for or against anybody. */
export type Agreement = 'agree' | 'little' | 'drift' | 'breach'

/** What each end says was carried since some moment, both ways together. */
export function compareBytes(carrier: bigint, client: bigint): Agreement {
  const excess = carrier - client
  if (excess <= SLACK_BYTES) return carrier * DRIFT_PER_CENT > SLACK_BYTES * 100n ? 'agree' : 'little'
  if (excess * 100n > carrier * BREACH_PER_CENT) return 'breach'
  return excess * 100n > carrier * DRIFT_PER_CENT ? 'drift' : 'agree'
}

/** Bytes are both ways together, since the carriage began. */
export interface Tally {
  /** The most that the client was ever behind the carrier: what the carrier has not been paid for. */
  readonly short: bigint
  /** Judged up to here: the carrier's figure then, and `short` then. */
  readonly judgedBytes: bigint
  readonly judgedShort: bigint
  /** Out of tolerance since the last agreement, and in all. */
  readonly drifts: number
  readonly allDrifts: number
}

export const NOTHING_JUDGED: Tally = { short: 0n, judgedBytes: 0n, judgedShort: 0n, drifts: 0, allDrifts: 0 }

/** `carrier`, `client`: figures of one number. `isOver`: no honest end differs so. */
export function judge(before: Tally, carrier: bigint, client: bigint): { readonly tally: Tally; readonly isOver: boolean } {
  const short = carrier - client > before.short ? carrier - client : before.short
  const span = carrier - before.judgedBytes
  const agreement = compareBytes(span, span - (short - before.judgedShort))
  if (agreement === 'little') return { tally: { ...before, short }, isOver: false }
  const isOut = agreement !== 'agree'
  const tally: Tally = { short, judgedBytes: carrier, judgedShort: short, drifts: isOut ? before.drifts + 1 : 0, allDrifts: before.allDrifts + (isOut ? 1 : 0) }
  const isTooMuch = tally.allDrifts >= DRIFTS_TO_END && (short - SLACK_BYTES) * 100n > carrier * DRIFT_PER_CENT
  return { tally, isOver: agreement === 'breach' || tally.drifts >= DRIFTS_TO_END || (isOut && isTooMuch) }
}
