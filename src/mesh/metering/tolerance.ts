/**
 * When two honest ends may differ. Frames are lost on the air and the two do not read at the same moment: a slack, and above it
 * 5 % three times running or 50 % once (portal.md row 19). Only a carrier that says more than the client is looked at: the lower
 * figure counts, so one that says less gives something away. It leaves out frames that begin or end in itself; the client, who
 * cannot tell these from others, counts every frame.
 */
export const SLACK_BYTES = 64n * 1024n
const DRIFT_PER_CENT = 5n
const BREACH_PER_CENT = 50n
export const DRIFTS_TO_END = 3

/** `little`: so few bytes that 5 % of them are within the slack. It says nothing for or against anybody. */
export type Agreement = 'agree' | 'little' | 'drift' | 'breach'

/** What each end says was carried since the last reading, both ways together. */
export function compareBytes(carrier: bigint, client: bigint): Agreement {
  const excess = carrier - client
  if (excess <= SLACK_BYTES) return carrier * DRIFT_PER_CENT > SLACK_BYTES * 100n ? 'agree' : 'little'
  if (excess * 100n > carrier * BREACH_PER_CENT) return 'breach'
  return excess * 100n > carrier * DRIFT_PER_CENT ? 'drift' : 'agree'
}
