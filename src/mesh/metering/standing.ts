/**
 * After a crash or a broken connection the two ends may know different last numbers. Each shows its newest exchange and what
 * that one counts from, under both signatures; the one behind takes it over, because its own signature is under it. So what was
 * agreed on is never forgotten by losing the last minute of one disk, and nobody can claim what the other did not sign.
 */
import { equalBytesConstantTime } from '../../base/index.ts'
import type { Carriage } from './carriage.ts'
import { exchangeOf, isSameQuestion, isSameReading, numberOf, totalOf, wentBack } from './exchange.ts'
import type { Exchange, ReadingPair } from './exchange.ts'
import { NOTHING_JUDGED } from './tolerance.ts'
import type { Tally } from './tolerance.ts'

/** All readings in it were checked to be signed: the carrier's by the carrier, the client's by the client. */
export interface Standing {
  readonly from: ReadingPair | null
  readonly pair: ReadingPair
}

export type Adoption =
  | { readonly kind: 'adopted'; readonly state: Carriage }
  /** The other end is behind, or where we are. */
  | { readonly kind: 'known' }
  /** It does not fit: for the log and the owner. */
  | { readonly kind: 'wrong'; readonly reason: string; readonly isBreach: boolean }

/** What the partner is shown; null: nothing was exchanged yet. */
export function standingOf(state: Carriage): Standing | null {
  const newest = state.answered ?? state.agreed
  return newest === null ? null : { from: newest.from, pair: newest.pair }
}

/** `priceOf`: of an advert of the carrier, by its sequence; null: not known. */
export function adoptStanding(state: Carriage, shown: Standing, priceOf: (sequence: number) => bigint | null): Adoption {
  const newest = state.answered ?? state.agreed
  const top = shown.pair.carrier
  if (newest !== null && top.sequence === numberOf(newest)) {
    const isSame = isSameReading(top, newest.pair.carrier) && isSameReading(shown.pair.client, newest.pair.client)
    return isSame ? { kind: 'known' } : { kind: 'wrong', reason: `two figures were signed under number ${top.sequence}`, isBreach: true }
  }
  if (top.sequence <= numberOf(newest)) return { kind: 'known' }
  const reason = wrongWithStanding(state, shown)
  if (reason !== null) return { kind: 'wrong', reason, isBreach: false }
  const unitsPerMiB = priceOf(top.priceSequence)
  if (unitsPerMiB === null) return { kind: 'wrong', reason: `price ${top.priceSequence} is not known here`, isBreach: false }
  const before = shown.from === null ? null : { from: null, pair: shown.from, owedParts: top.owedParts, stretch: { carrier: 0n, client: 0n }, tally: tallyAt(state.agreed, shown.from), isOver: false }
  const exchange: Exchange = exchangeOf(before, shown.pair, unitsPerMiB)
  if (state.role === 'client') {
    // The sum up to `from` is under our own signature; the newest exchange is agreed on when the carrier's next reading names it.
    const agreed = numberOf(state.agreed) === numberOf(before) ? state.agreed : before
    return { kind: 'adopted', state: { ...state, agreed, answered: exchange } }
  }
  return { kind: 'adopted', state: { ...state, agreed: exchange, waiting: null, lastNumber: Math.max(state.lastNumber, top.sequence) } }
}

/**
 * What was out of tolerance is not forgotten by being shown the rest; how far the client was behind at `from` is under both signatures,
 * and was judged by who was there.
 */
function tallyAt(agreed: Exchange | null, from: ReadingPair): Tally {
  const known = agreed?.tally ?? NOTHING_JUDGED
  if (numberOf(agreed) === from.carrier.sequence) return known
  const [carrier, client] = [totalOf(from.carrier.bytes), totalOf(from.client.bytes)]
  const short = carrier - client > known.short ? carrier - client : known.short
  return { ...known, short, judgedBytes: carrier, judgedShort: short }
}

function wrongWithStanding(state: Carriage, { from, pair }: Standing): string | null {
  const readings = [pair.carrier, pair.client, ...(from === null ? [] : [from.carrier, from.client])]
  const isOurs = readings.every((each) => each.carrier === state.carrier && each.client === state.client && each.token === state.token && equalBytesConstantTime(each.epoch, state.epoch))
  if (!isOurs) return 'what it shows is of another carriage'
  if (!isSameQuestion(pair.carrier, pair.client) || (from !== null && !isSameQuestion(from.carrier, from.client))) return 'its readings are not of one number'
  if (pair.carrier.after !== numberOf(from === null ? null : { pair: from })) return 'the newest reading does not count from the one before it'
  if (from === null && pair.carrier.owedParts !== 0n) return 'a sum is named and nothing it comes from'
  if (from !== null && (from.carrier.sequence >= pair.carrier.sequence || wentBack(from.carrier.bytes, pair.carrier.bytes) || wentBack(from.client.bytes, pair.client.bytes))) return 'its figures go back'
  if (numberOf(from === null ? null : { pair: from }) < numberOf(state.agreed)) return 'it counts from before what was agreed on'
  return null
}
