/** What somebody else's time on air costs. Integers; rounded up, in the owner's favour, by less than one smallest unit per millisecond. */
import { mulDivCeil } from '../../base/index.ts'
import { WHOLE_PPM } from './rules.ts'
import type { AirBand, AirRules } from './rules.ts'

/** Of one started millisecond, while `usedUs` of `budgetUs` are used; a budget of 0: the base price. */
export function pricePerMs(band: AirBand, surge: AirRules['surge'], usedUs: number, budgetUs: number): bigint {
  if (surge === null || budgetUs === 0) return band.basePricePerMs
  const usedPpm = Math.min(WHOLE_PPM, Math.floor((usedUs / budgetUs) * WHOLE_PPM))
  const above = Math.max(0, usedPpm - surge.fromPpm)
  const rise = BigInt(surge.timesPpm - WHOLE_PPM) * BigInt(above)
  return band.basePricePerMs + mulDivCeil(band.basePricePerMs, rise, BigInt(WHOLE_PPM) * BigInt(WHOLE_PPM - surge.fromPpm))
}

/** A price of `from` digits after the point as one of `to`; rounded up, since a smallest unit is the least that can be asked. */
export function withDecimals(price: bigint, from: number, to: number): bigint {
  return to >= from ? price * 10n ** BigInt(to - from) : mulDivCeil(price, 1n, 10n ** BigInt(from - to))
}

/** Started milliseconds, as they stand in a receipt. */
export function startedMs(onAirUs: number): number {
  return Math.ceil(onAirUs / 1_000)
}
