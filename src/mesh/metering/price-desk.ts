/**
 * Adverts as they come and go. What this box says is on disk before it is said, so that no number ever stands for two
 * prices; what it takes is on disk before it counts by it.
 */
import { MeshBoxError } from '../../base/index.ts'
import type { Clock } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import type { BoxId, Documents, PeerLane, PriceAdvert } from '../ports.ts'
import { openAdvert, sealAdvert } from './frames.ts'
import { readAdverts, writeAdvert } from './io/tables.ts'
import type { AdvertView } from './ports.ts'
import { ADVERT_AGAIN_MS, ADVERT_EVERY_MS, bestUpstream, composeOffer, hearAdvert, isSameOffer, refusalOf } from './prices.ts'
import type { HeardAdvert, PriceTerms, Refusal } from './prices.ts'

const MAX_BOXES = 256
/** Changes of one box's price that are listened to. */
const HEAR_EVERY_MS = 5000
const BAD_ADVERT_PENALTY = 20
const HASTY_ADVERT_PENALTY = 5
const NOT_IN_REACH: Refusal = { kind: 'gone', reason: 'it is no direct neighbour' }

interface Known {
  readonly heard: HeardAdvert
  readonly frame: Uint8Array
  /** By which we count, if we buy of it. */
  readonly taken: HeardAdvert | null
  readonly refusal: Refusal | null
}

interface Own {
  readonly advert: PriceAdvert
  readonly frame: Uint8Array
  readonly sinceMs: number
}

export interface PriceDeskParts {
  readonly documents: Documents
  readonly store: Store
  readonly lane: PeerLane
  readonly clock: Clock
  readonly terms: () => PriceTerms
  /** A direct neighbour: others' adverts say nothing of what the next hop costs. */
  readonly isInReach: (box: BoxId) => boolean
}

export class PriceDesk {
  readonly #parts: PriceDeskParts
  readonly #known = new Map<BoxId, Known>()
  readonly #connected = new Set<BoxId>()
  #own: Own | null = null
  #previous: Own | null = null
  #saidMs = Number.NEGATIVE_INFINITY
  #upstream: BoxId | null = null

  constructor(parts: PriceDeskParts) {
    this.#parts = parts
  }

  load(): void {
    const { store, documents, clock } = this.#parts
    const last = store.read((tx) => readAdverts(tx, documents.self)).at(-1)
    if (last === undefined) return
    this.#own = { advert: openAdvert(documents, last.frame, documents.self), frame: last.frame, sinceMs: clock.boottimeMs() }
    // It may have been said just before this start; and others' adverts, which its price stands on, have to come first.
    this.#saidMs = clock.boottimeMs()
  }

  opened(box: BoxId): void {
    this.#connected.add(box)
    if (this.#own !== null) this.#parts.lane.send(box, this.#own.frame)
  }

  closed(box: BoxId): void {
    this.#connected.delete(box)
  }

  hear(from: BoxId, frame: Uint8Array): void {
    const { documents, lane, clock } = this.#parts
    const nowMs = clock.boottimeMs()
    const before = this.#known.get(from) ?? null
    let advert: PriceAdvert
    try {
      advert = openAdvert(documents, frame, from)
    } catch (error) {
      if (!(error instanceof MeshBoxError)) throw error
      lane.penalise(from, BAD_ADVERT_PENALTY, `its price advert: ${error.message}`)
      return
    }
    const isNew = before === null || advert.sequence > before.heard.advert.sequence
    if (isNew && before !== null && nowMs - before.heard.receivedMs < HEAR_EVERY_MS) return lane.penalise(from, HASTY_ADVERT_PENALTY, 'its prices change too often')
    const heard = hearAdvert(before?.heard ?? null, advert, nowMs)
    if (heard === null) {
      if (before !== null && advert.sequence === before.heard.advert.sequence) lane.penalise(from, BAD_ADVERT_PENALTY, 'it signed two prices under one number')
      return
    }
    if (before === null && this.#known.size >= MAX_BOXES) this.#forgetOldest()
    this.#known.set(from, { heard, frame, taken: before?.taken ?? null, refusal: before?.refusal ?? null })
  }

  /** Takes what may be taken, and says what this box asks when that changed. */
  async refresh(): Promise<void> {
    await this.#take()
    await this.#say()
  }

  taken(box: BoxId): HeardAdvert | null {
    return this.#known.get(box)?.taken ?? null
  }

  refusal(box: BoxId): Refusal | null {
    return this.#known.get(box)?.refusal ?? null
  }

  own(): { readonly advert: PriceAdvert; readonly sinceMs: number } | null {
    return this.#own
  }

  upstream(): BoxId | null {
    return this.#upstream
  }

  /** What a client may still take: the advert in force, and for a while the one before it. */
  offered(sequence: number, graceMs: number): bigint | null {
    const own = this.#own
    if (own === null) return null
    if (sequence === own.advert.sequence) return own.advert.unitsPerMiB
    const isInGrace = this.#previous?.advert.sequence === sequence && this.#parts.clock.boottimeMs() - own.sinceMs < graceMs
    return isInGrace ? (this.#previous?.advert.unitsPerMiB ?? null) : null
  }

  /** Of any advert of `box` that we said or took; null: not known. */
  priceOf(box: BoxId, sequence: number): bigint | null {
    return this.#parts.store.read((tx) => readAdverts(tx, box)).find((row) => row.sequence === sequence)?.unitsPerMiB ?? null
  }

  views(): readonly AdvertView[] {
    const nowMs = this.#parts.clock.boottimeMs()
    return [...this.#known.values()].map(({ heard: { advert, receivedMs }, refusal }) => ({
      box: advert.box,
      sequence: advert.sequence,
      unitsPerMiB: advert.unitsPerMiB,
      ownUnitsPerMiB: advert.ownUnitsPerMiB,
      hops: advert.hops,
      leftSeconds: Math.max(0, Math.ceil((receivedMs + advert.validSeconds * 1000 - nowMs) / 1000)),
      refusal: refusal?.reason ?? null,
    }))
  }

  async #take(): Promise<void> {
    const { store, clock, terms, isInReach } = this.#parts
    const nowMs = clock.boottimeMs()
    const rules = terms()
    const news: Known[] = []
    for (const [box, known] of this.#known) {
      const refusal = !isInReach(box) ? NOT_IN_REACH : refusalOf(known.heard, rules, known.taken?.advert.unitsPerMiB ?? null, nowMs)
      if (refusal !== null) this.#known.set(box, { ...known, refusal, taken: refusal.kind === 'wait' ? known.taken : null })
      else if (known.taken?.advert.sequence === known.heard.advert.sequence) this.#known.set(box, { ...known, refusal, taken: known.heard })
      else news.push({ ...known, refusal, taken: known.heard })
    }
    if (news.length === 0) return
    await store.turn((tx) => {
      for (const { heard: { advert }, frame } of news) writeAdvert(tx, advert.box, { sequence: advert.sequence, unitsPerMiB: advert.unitsPerMiB ?? 0n, frame })
    })
    for (const { heard, refusal } of news) {
      // A newer one may have come meanwhile.
      const known = this.#known.get(heard.advert.box)
      if (known !== undefined) this.#known.set(heard.advert.box, { ...known, refusal, taken: heard })
    }
  }

  async #say(): Promise<void> {
    const { documents, store, lane, clock, terms } = this.#parts
    const nowMs = clock.boottimeMs()
    const taken = [...this.#known.values()].flatMap((known) => (known.taken === null ? [] : [known.taken]))
    const upstream = bestUpstream(taken, this.#upstream)
    const offer = composeOffer(terms(), upstream)
    const isSame = this.#own !== null && isSameOffer(this.#own.advert, offer)
    if (nowMs - this.#saidMs < (isSame ? ADVERT_AGAIN_MS : ADVERT_EVERY_MS)) return
    this.#upstream = upstream?.advert.box ?? null
    if (!isSame) {
      const sequence = (this.#own?.advert.sequence ?? 0) + 1
      const frame = sealAdvert(documents, offer, sequence)
      await store.turn((tx) => writeAdvert(tx, documents.self, { sequence, unitsPerMiB: offer.unitsPerMiB ?? 0n, frame }))
      this.#previous = this.#own
      this.#own = { advert: { box: documents.self, sequence, ...offer }, frame, sinceMs: nowMs }
    }
    this.#saidMs = nowMs
    if (this.#own !== null) for (const box of this.#connected) lane.send(box, this.#own.frame)
  }

  #forgetOldest(): void {
    const oldest = [...this.#known].toSorted(([, a], [, b]) => a.heard.receivedMs - b.heard.receivedMs)[0]
    if (oldest !== undefined) this.#known.delete(oldest[0])
  }
}
