/**
 * When two honest ends may differ. Frames are lost on the air and the two do not read at the same moment: 5 % of what is carried
 * and a slack; what is missing above it may rise twice, not three times, or once where it is more than half of a reading (portal.md row 19). Only a
 * carrier that says more than the client is looked at: the lower figure counts, so one that says less gives something away. It leaves
 * out frames that begin or end in itself; the client, who cannot tell these from others, counts every frame.
 *
 * Each missing byte is judged once: an answer that comes late counts what passed meanwhile, hides what is missing, and the next
 * shows it again. What was judged stays until honest traffic has made up for it, so false readings add up whatever
 * lies between them: at any time at most 5 % of all that was carried, and three times slack and reading, are missing.
 */
export const SLACK_BYTES = 64n * 1024n
/** Of the 5 % that were not needed, so much is kept for later: what one burst may hide, and what a liar gains at once. */
export const SPARE_BYTES = 4n * 1024n * 1024n
const DRIFT_PER_CENT = 5n
const BREACH_PER_CENT = 50n
export const DRIFTS_TO_END = 3

/** What was missing so far, and how much of it is held against the two. Bytes. */
export interface Tally {
  /** The most that the client was ever behind by: nothing up to it is judged again. */
  readonly judged: bigint
  /** Tolerated and not needed. */
  readonly spare: bigint
  /** Missing above what is tolerated; honest traffic works it off. */
  readonly beyond: bigint
  /** Where `beyond` stood when it was held against them last. */
  readonly held: bigint
  /** How often it was, since nothing was left of it. */
  readonly drifts: number
}

export const NO_TALLY: Tally = { judged: 0n, spare: 0n, beyond: 0n, held: 0n, drifts: 0 }

/** `carried`: by the carrier's figure since the reading before; `behind`: its whole figure less the client's, of this reading. */
export function tallyAfter(before: Tally, carried: bigint, behind: bigint): Tally {
  const judged = behind > before.judged ? behind : before.judged
  const left = before.spare - before.beyond + (carried * DRIFT_PER_CENT) / 100n - (judged - before.judged)
  if (left >= 0n) return { judged, spare: left < SPARE_BYTES ? left : SPARE_BYTES, beyond: 0n, held: 0n, drifts: 0 }
  const isDrift = -left > before.held + SLACK_BYTES
  return { judged, spare: 0n, beyond: -left, held: isDrift ? -left : before.held, drifts: isDrift ? before.drifts + 1 : before.drifts }
}

/** Of one reading: more than half of it is missing, and more than is tolerated. */
export function isBreach(tally: Tally, carrier: bigint, client: bigint): boolean {
  return tally.beyond > SLACK_BYTES && carrier - client > SLACK_BYTES && (carrier - client) * 100n > carrier * BREACH_PER_CENT
}
