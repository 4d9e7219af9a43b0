/**
 * What a box asks and what it takes. Its price is the best upstream's and its own share on top; so nobody behind it has to know
 * who else is paid, and the shares of a path add up to its price to the unit. Loops cannot form: an advert names the boxes behind
 * it, and none that names us is used.
 */
import type { Address } from '../../base/index.ts'
import { MAX_HOPS } from '../documents/index.ts'
import type { BoxId, PriceAdvert } from '../ports.ts'

/** New adverts come at most so often; a change waits until then. */
export const ADVERT_EVERY_MS = 10_000
export const ADVERT_VALID_SECONDS = 120
/** An unchanged advert is signed again before it runs out. */
export const ADVERT_AGAIN_MS = 45_000
/** More than this above what is paid now has to stand for `RAISE_NOTICE_MS` before it is taken. */
const SUDDEN_RAISE_PER_CENT = 25n
const RAISE_NOTICE_MS = 60_000
/** A better upstream is taken when it is cheaper by so much: otherwise prices along a path swing. */
const HYSTERESIS_PER_CENT = 10n
const MAX_UNITS_PER_MIB = 1n << 96n

export interface HeardAdvert {
  readonly advert: PriceAdvert
  /** Boottime ms. */
  readonly receivedMs: number
  /** Since when it asks at least as much as now. */
  readonly dearSinceMs: number
}

export interface PriceTerms {
  readonly self: BoxId
  readonly token: Address
  readonly payee: Address
  readonly ownUnitsPerMiB: bigint
  /** Dearer upstreams are not taken; null: any. */
  readonly maxUnitsPerMiB: bigint | null
  /** It has a way out of its own. */
  readonly hasUplink: boolean
}

export type PriceOffer = Omit<PriceAdvert, 'box' | 'sequence'>

/**
 * The newer advert in place of the one before; the same once more keeps its price and holds longer. Null: it is older, or another
 * price under the same number.
 */
export function hearAdvert(before: HeardAdvert | null, advert: PriceAdvert, nowMs: number): HeardAdvert | null {
  if (before === null || advert.sequence > before.advert.sequence) {
    const isDearer = before === null || before.advert.unitsPerMiB === null || (advert.unitsPerMiB ?? 0n) > before.advert.unitsPerMiB
    return { advert, receivedMs: nowMs, dearSinceMs: isDearer ? nowMs : before.dearSinceMs }
  }
  if (advert.sequence < before.advert.sequence || !isSameOffer(advert, before.advert)) return null
  return { ...before, receivedMs: nowMs }
}

function isExpired(heard: HeardAdvert, nowMs: number): boolean {
  return nowMs - heard.receivedMs >= heard.advert.validSeconds * 1000
}

export interface Refusal {
  readonly reason: string
  /** `gone`: nothing is asked now; `wait`: what was taken before goes on meanwhile; `loop`, `end`: we do not buy of it. */
  readonly kind: 'gone' | 'wait' | 'loop' | 'end'
}

/** Why it is not taken; null: it is. `paying`: what this neighbour is paid now, null: nothing yet. */
export function refusalOf(heard: HeardAdvert, terms: PriceTerms, paying: bigint | null, nowMs: number): Refusal | null {
  const { unitsPerMiB, ownUnitsPerMiB, token, via, hops, box } = heard.advert
  if (isExpired(heard, nowMs)) return { kind: 'gone', reason: 'its advert ran out' }
  if (unitsPerMiB === null) return { kind: 'gone', reason: 'it has no way out' }
  if (box === terms.self || via.includes(terms.self)) return { kind: 'loop', reason: 'its way out leads through this box' }
  const end = (reason: string): Refusal => ({ kind: 'end', reason })
  if (token !== terms.token) return end('it asks for another token')
  if (hops !== via.length || new Set([box, ...via]).size !== via.length + 1) return end('its advert names a way that cannot be')
  if (hops >= MAX_HOPS) return end(`its way out has ${hops} hops; at most ${MAX_HOPS - 1} are used`)
  if (unitsPerMiB < ownUnitsPerMiB || unitsPerMiB > MAX_UNITS_PER_MIB) return end('its price cannot be')
  if (terms.maxUnitsPerMiB !== null && unitsPerMiB > terms.maxUnitsPerMiB) return end(`it asks ${unitsPerMiB} units for a MiB; at most ${terms.maxUnitsPerMiB} units are paid`)
  const isSudden = paying !== null && unitsPerMiB * 100n > paying * (100n + SUDDEN_RAISE_PER_CENT)
  if (!isSudden || nowMs - heard.dearSinceMs >= RAISE_NOTICE_MS) return null
  return { kind: 'wait', reason: `it raised its price from ${paying} units to ${unitsPerMiB} units at once; taken if it stays so for ${RAISE_NOTICE_MS / 1000} s` }
}

/** The cheapest taken advert, then the nearest, then the lowest address. The present one stays unless 10 % are saved. */
export function bestUpstream(heard: readonly HeardAdvert[], present: BoxId | null): HeardAdvert | null {
  const best = heard.toSorted(compareAdverts)[0] ?? null
  const kept = heard.find(({ advert }) => advert.box === present)
  if (best === null || kept === undefined) return best
  return priceOf(best) * 100n < priceOf(kept) * (100n - HYSTERESIS_PER_CENT) ? best : kept
}

/** What this box says itself. A box without a way out says so with no price. */
export function composeOffer(terms: PriceTerms, upstream: HeardAdvert | null): PriceOffer {
  const { token, payee, ownUnitsPerMiB } = terms
  const head = { payee, token, ownUnitsPerMiB, validSeconds: ADVERT_VALID_SECONDS }
  if (terms.hasUplink) return { ...head, unitsPerMiB: ownUnitsPerMiB, hops: 0, via: [] }
  if (upstream === null || upstream.advert.unitsPerMiB === null || upstream.advert.hops >= MAX_HOPS) return { ...head, unitsPerMiB: null, hops: 0, via: [] }
  const via = [upstream.advert.box, ...upstream.advert.via]
  return { ...head, unitsPerMiB: upstream.advert.unitsPerMiB + ownUnitsPerMiB, hops: via.length, via }
}

export function isSameOffer(a: PriceOffer, b: PriceOffer): boolean {
  return (
    a.payee === b.payee &&
    a.token === b.token &&
    a.unitsPerMiB === b.unitsPerMiB &&
    a.ownUnitsPerMiB === b.ownUnitsPerMiB &&
    a.hops === b.hops &&
    a.via.length === b.via.length &&
    a.via.every((box, index) => box === b.via[index])
  )
}

/** Of two neighbours that could each carry for the other, which one does: the nearer to the uplink, the cheaper, the lower. */
export function carriesFor(a: PriceAdvert, b: PriceAdvert): boolean {
  if (b.unitsPerMiB === null) return a.unitsPerMiB !== null
  if (a.unitsPerMiB === null) return false
  if (a.hops !== b.hops) return a.hops < b.hops
  if (a.unitsPerMiB !== b.unitsPerMiB) return a.unitsPerMiB < b.unitsPerMiB
  return a.box < b.box
}

function priceOf({ advert }: HeardAdvert): bigint {
  return advert.unitsPerMiB ?? MAX_UNITS_PER_MIB
}

function compareAdverts(a: HeardAdvert, b: HeardAdvert): number {
  if (priceOf(a) !== priceOf(b)) return priceOf(a) < priceOf(b) ? -1 : 1
  if (a.advert.hops !== b.advert.hops) return a.advert.hops - b.advert.hops
  return a.advert.box < b.advert.box ? -1 : 1
}
