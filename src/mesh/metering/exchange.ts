/**
 * One number of a carriage with both ends' figures, and the sum that both owe and are owed by it. Sums are in 2⁻²⁰ of a
 * unit: units for 2²⁰ bytes × bytes, so that nothing is rounded before it is paid.
 */
import type { CarriedBytes, Reading } from '../ports.ts'
import { NOTHING_JUDGED, judge } from './tolerance.ts'
import type { Tally } from './tolerance.ts'

export const PARTS_PER_UNIT = 1n << 20n
export const NO_BYTES: CarriedBytes = { up: 0n, down: 0n }

/** Both ends' figures of one number. */
export interface ReadingPair {
  readonly carrier: Reading
  readonly client: Reading
}

export interface Exchange {
  /** What it counts from; null: the beginning. */
  readonly from: ReadingPair | null
  readonly pair: ReadingPair
  /** Up to here. */
  readonly owedParts: bigint
  /** What the carrier says of the time since the exchange before, and what the client has counted of it and not yet agreed to. */
  readonly stretch: { readonly carrier: bigint; readonly client: bigint }
  /** What the figures up to here tell of who is honest, and whether that is the end. */
  readonly tally: Tally
  readonly isOver: boolean
}

/**
 * `before`: what both had agreed on; the new pair counts from there. What counts is the lower of the two figures since the
 * epoch began, so that nothing is lost to the two not reading at the same moment: what the client counted early is not missing
 * from what the carrier says next.
 */
export function exchangeOf(before: Pick<Exchange, 'pair' | 'owedParts' | 'tally'> | null, pair: ReadingPair, unitsPerMiB: bigint): Exchange {
  const from = before?.pair ?? null
  const carrierBefore = totalOf(from?.carrier.bytes ?? NO_BYTES)
  const countedBefore = lower(carrierBefore, totalOf(from?.client.bytes ?? NO_BYTES))
  const [carrier, client] = [totalOf(pair.carrier.bytes), totalOf(pair.client.bytes)]
  const stretch = { carrier: carrier - carrierBefore, client: client - countedBefore }
  return {
    from,
    pair,
    owedParts: (before?.owedParts ?? 0n) + (lower(carrier, client) - countedBefore) * unitsPerMiB,
    stretch,
    ...judge(before?.tally ?? NOTHING_JUDGED, carrier, client),
  }
}

function lower(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

export function numberOf(exchange: Pick<Exchange, 'pair'> | null): number {
  return exchange?.pair.carrier.sequence ?? 0
}

export function totalOf(bytes: CarriedBytes): bigint {
  return bytes.up + bytes.down
}

export function wentBack(before: CarriedBytes, now: CarriedBytes): boolean {
  return now.up < before.up || now.down < before.down
}

/** The same but for who counted. */
export function isSameQuestion(a: Reading, b: Reading): boolean {
  return (
    a.sequence === b.sequence && a.priceSequence === b.priceSequence && a.after === b.after && a.owedParts === b.owedParts && a.token === b.token
  )
}

export function isSameReading(a: Reading, b: Reading): boolean {
  return isSameQuestion(a, b) && a.bytes.up === b.bytes.up && a.bytes.down === b.bytes.down
}
