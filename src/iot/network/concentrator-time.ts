/**
 * A concentrator's clock as the box sees it: u32 microseconds, which wrap every 71.6 minutes and start anew with the forwarder. All
 * sums are modulo 2³²; a difference is the shorter way round. Pure.
 *
 * A datagram can only be late, so of all that was seen lately the earliest arrival, relative to the counter, is nearest to the truth.
 */
const ROUND_US = 2 ** 32
/** Crystals are within 20 ppm; this much of the time that passed is forgiven, with what a busy router delays a datagram. */
const DRIFT_PPM = 100
const JITTER_US = 10_000_000

export interface ConcentratorClock {
  /** Rises when the counter started anew: slots counted from before are lost. */
  readonly epoch: number
  /** The counter stood at `tmstUs` when the box's clock stood at `atUs`, or a little earlier. */
  readonly tmstUs: number
  readonly atUs: number
}

/** The short way from `from` to `to`: −2³¹ to 2³¹ − 1. */
export function counterDifferenceUs(to: number, from: number): number {
  const difference = (((to - from) % ROUND_US) + ROUND_US) % ROUND_US
  return difference >= ROUND_US / 2 ? difference - ROUND_US : difference
}

export function counterPlusUs(tmstUs: number, delayUs: number): number {
  return (((tmstUs + delayUs) % ROUND_US) + ROUND_US) % ROUND_US
}

/** A frame that ended at `tmstUs` has just arrived. */
export function observe(clock: ConcentratorClock | null, tmstUs: number, arrivedUs: number): ConcentratorClock {
  if (clock === null) return { epoch: 1, tmstUs, atUs: arrivedUs }
  const passedUs = arrivedUs - clock.atUs
  const lateUs = counterDifferenceUs(counterPlusUs(clock.tmstUs, passedUs), tmstUs)
  const driftUs = (Math.abs(passedUs) * DRIFT_PPM) / 1_000_000
  if (Math.abs(lateUs) > JITTER_US + driftUs) return { epoch: clock.epoch + 1, tmstUs, atUs: arrivedUs }
  // Later than the best one: that one is kept, carried on to now, with as much forgiven as both crystals may have drifted.
  return { epoch: clock.epoch, tmstUs, atUs: arrivedUs - Math.max(0, lateUs - driftUs) }
}

/** When the counter will stand, or stood, at `tmstUs`. */
export function boxTimeUs(clock: ConcentratorClock, tmstUs: number): number {
  return clock.atUs + counterDifferenceUs(tmstUs, clock.tmstUs)
}
