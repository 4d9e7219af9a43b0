/**
 * How much gas fits into a slot on this machine, by what was measured: blocks are built and run once more
 * before they are signed. Slower counts at once, faster only bit by bit.
 *
 * A block is due a rank's delay after its parent; half of that may go into running it. Every eighth own block
 * may be late by three seconds, one less than the next in turn waits (spec 2.3): else a transaction
 * that needs more gas than a slot of a slow machine holds would never get in.
 */
export interface Pace {
  /** Null: not measured yet. */
  readonly gasPerMs: number | null
  /** Of a block with nothing but the chief transaction. */
  readonly overheadMs: number
}

export const START_PACE: Pace = { gasPerMs: null, overheadMs: 200 }
const START_GAS = 2_000_000
const START_LARGE_GAS = 8_000_000
const LEAST_GAS = 250_000
const LARGE_EVERY = 8
const LATE_MS = 3_000
/** Less says nothing about speed. */
const LEAST_MEASURED_GAS = 100_000
const SLOWER_WEIGHT = 0.5
const FASTER_WEIGHT = 0.125
const OVERHEAD_WEIGHT = 0.25

export interface Run {
  readonly gasUsed: bigint
  readonly elapsedMs: number
}

export function measured(pace: Pace, { gasUsed, elapsedMs }: Run): Pace {
  const gas = Number(gasUsed)
  if (gas < LEAST_MEASURED_GAS) return { ...pace, overheadMs: pace.overheadMs + OVERHEAD_WEIGHT * (elapsedMs - pace.overheadMs) }
  const speed = gas / Math.max(1, elapsedMs - Math.min(pace.overheadMs, elapsedMs / 2))
  if (pace.gasPerMs === null) return { ...pace, gasPerMs: speed }
  const weight = speed < pace.gasPerMs ? SLOWER_WEIGHT : FASTER_WEIGHT
  return { ...pace, gasPerMs: pace.gasPerMs + weight * (speed - pace.gasPerMs) }
}

/** `turn`: how many blocks this box has sealed before. */
export function gasCap(pace: Pace, delaySeconds: number, turn: number, blockGasLimit: bigint): bigint {
  const isLarge = turn % LARGE_EVERY === LARGE_EVERY - 1
  const budgetMs = (delaySeconds * 1000) / 2 + (isLarge ? LATE_MS : 0) - pace.overheadMs
  const gas = pace.gasPerMs === null ? (isLarge ? START_LARGE_GAS : START_GAS) : Math.max(LEAST_GAS, pace.gasPerMs * Math.max(0, budgetMs))
  const whole = BigInt(Math.floor(gas))
  return whole < blockGasLimit ? whole : blockGasLimit
}

/** How long before its time a block with this gas is begun; never before half of the delay is over. */
export function leadMs(pace: Pace, delaySeconds: number, gas: bigint): number {
  const run = pace.gasPerMs === null ? (delaySeconds * 1000) / 2 : Number(gas) / pace.gasPerMs
  return Math.min((delaySeconds * 1000) / 2, pace.overheadMs + run)
}
