/** What a box asks and takes: loops, bounds, notice, hysteresis. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bestUpstream, carriesFor, composeOffer, hearAdvert, refusalOf } from '../../../src/mesh/metering/prices.ts'
import type { HeardAdvert, PriceTerms } from '../../../src/mesh/metering/index.ts'
import type { BoxId, PriceAdvert } from '../../../src/mesh/ports.ts'

const box = (n: number): BoxId => `0x${n.toString(16).padStart(40, '0')}`
const TOKEN = box(0x70)
const TERMS: PriceTerms = { self: box(1), token: TOKEN, payee: box(0xa1), ownUnitsPerMiB: 5n, maxUnitsPerMiB: 100n, hasUplink: false }

function advert(parts: Partial<PriceAdvert> = {}): PriceAdvert {
  return { box: box(2), sequence: 1, payee: box(0xa2), token: TOKEN, unitsPerMiB: 10n, ownUnitsPerMiB: 4n, validSeconds: 120, hops: 1, via: [box(3)], ...parts }
}

function heard(parts: Partial<PriceAdvert> = {}, receivedMs = 0): HeardAdvert {
  return { advert: advert(parts), receivedMs, dearSinceMs: receivedMs }
}

describe('an advert is not taken', () => {
  it.each<[string, Partial<PriceAdvert>, number, string, RegExp]>([
    ['that ran out', {}, 120_000, 'gone', /ran out/],
    ['without a way out', { unitsPerMiB: null, hops: 0, via: [] }, 0, 'gone', /no way out/],
    ['that leads through us', { hops: 2, via: [box(3), box(1)] }, 0, 'loop', /through this box/],
    ['of ourselves', { box: box(1) }, 0, 'loop', /through this box/],
    ['in another token', { token: box(9) }, 0, 'end', /another token/],
    ['that says other hops than it names', { hops: 2 }, 0, 'end', /cannot be/],
    ['that names a box twice', { hops: 2, via: [box(3), box(3)] }, 0, 'end', /cannot be/],
    ['that names itself behind it', { hops: 1, via: [box(2)] }, 0, 'end', /cannot be/],
    ['over too many hops', { hops: 16, via: Array.from({ length: 16 }, (_, n) => box(n + 100)) }, 0, 'end', /16 hops; at most 15/],
    ['below its own share', { unitsPerMiB: 3n }, 0, 'end', /price cannot be/],
    ['that is too dear', { unitsPerMiB: 101n }, 0, 'end', /asks 101 units for a MiB; at most 100 units are paid/],
  ])('%s', (_what, parts, nowMs, kind, reason) => {
    const refusal = refusalOf(heard(parts), TERMS, null, nowMs)
    expect(refusal?.kind).toBe(kind)
    expect(refusal?.reason).toMatch(reason)
  })

  it('at once when it is suddenly dearer than what is paid, but after it stood', () => {
    const dearer = heard({ sequence: 2, unitsPerMiB: 13n })
    expect(refusalOf(dearer, TERMS, 10n, 0)?.kind).toBe('wait')
    expect(refusalOf({ ...dearer, receivedMs: 50_000 }, TERMS, 10n, 59_999)?.kind).toBe('wait')
    expect(refusalOf({ ...dearer, receivedMs: 50_000 }, TERMS, 10n, 60_000)).toBeNull()
    expect(refusalOf(heard({ unitsPerMiB: 12n }), TERMS, 10n, 0)).toBeNull()
    // From nothing to something is a raise too.
    expect(refusalOf(heard({ unitsPerMiB: 4n }), TERMS, 0n, 0)?.kind).toBe('wait')
  })
})

describe('the newer counts', () => {
  it('an older one, or another price under one number, changes nothing; the same once more holds longer', () => {
    const first = hearAdvert(null, advert({ sequence: 5 }), 0)
    expect(hearAdvert(first, advert({ sequence: 4 }), 1)).toBeNull()
    expect(hearAdvert(first, advert({ sequence: 5, unitsPerMiB: 9n }), 1)).toBeNull()
    expect(hearAdvert(first, advert({ sequence: 5 }), 7000)).toMatchObject({ receivedMs: 7000, dearSinceMs: 0 })
  })

  it('a raise in steps begins its notice anew with each, a fall does not', () => {
    const first = hearAdvert(null, advert({ sequence: 1 }), 0)
    const raised = hearAdvert(first, advert({ sequence: 2, unitsPerMiB: 20n }), 10_000)
    expect(raised?.dearSinceMs).toBe(10_000)
    expect(hearAdvert(raised, advert({ sequence: 3, unitsPerMiB: 30n }), 20_000)?.dearSinceMs).toBe(20_000)
    expect(hearAdvert(raised, advert({ sequence: 3, unitsPerMiB: 15n }), 20_000)?.dearSinceMs).toBe(10_000)
  })
})

describe('own price', () => {
  it("is the upstream's and the own share; with a way out the share alone; without any, none", () => {
    expect(composeOffer(TERMS, heard())).toMatchObject({ unitsPerMiB: 15n, ownUnitsPerMiB: 5n, hops: 2, via: [box(2), box(3)] })
    expect(composeOffer({ ...TERMS, hasUplink: true }, heard())).toMatchObject({ unitsPerMiB: 5n, hops: 0, via: [] })
    expect(composeOffer(TERMS, null)).toMatchObject({ unitsPerMiB: null, hops: 0, via: [] })
  })

  it('the present upstream stays unless more than a tenth is saved', () => {
    const [present, cheaper, cheapest] = [heard(), heard({ box: box(4), unitsPerMiB: 9n }), heard({ box: box(5), unitsPerMiB: 8n })]
    expect(bestUpstream([present, cheaper], box(2))?.advert.box).toBe(box(2))
    expect(bestUpstream([present, cheaper, cheapest], box(2))?.advert.box).toBe(box(5))
    expect(bestUpstream([present, cheaper], null)?.advert.box).toBe(box(4))
    expect(bestUpstream([], box(2))).toBeNull()
  })

  it('of two boxes exactly one carries for the other, whenever one of them has a way out', () => {
    const some = fc.record({ unitsPerMiB: fc.option(fc.bigInt({ min: 0n, max: 3n })), hops: fc.integer({ min: 0, max: 2 }) })
    fc.assert(
      fc.property(some, some, (a, b) => {
        const [one, other] = [advert({ ...a, box: box(2) }), advert({ ...b, box: box(3) })]
        const isNone = a.unitsPerMiB === null && b.unitsPerMiB === null
        expect(Number(carriesFor(one, other)) + Number(carriesFor(other, one))).toBe(isNone ? 0 : 1)
      }),
    )
  })

  it('in any mesh, in any order: prices settle without a loop, each the sum of the shares on its way', () => {
    const shares = fc.array(fc.bigInt({ min: 0n, max: 20n }), { minLength: 2, maxLength: 9 })
    fc.assert(
      fc.property(shares, fc.array(fc.tuple(fc.nat(8), fc.nat(8)), { maxLength: 20 }), fc.array(fc.nat(8), { minLength: 60, maxLength: 120 }), (own, wires, order) => {
        const linked = (a: number, b: number): boolean => Math.abs(a - b) === 1 || wires.some(([x, y]) => (x === a && y === b) || (x === b && y === a))
        const sequences = own.map(() => 0)
        const adverts = new Map<number, PriceAdvert>()
        const upstream: (BoxId | null)[] = own.map(() => null)
        const say = (me: number): void => {
          const terms: PriceTerms = { self: box(me + 1), token: TOKEN, payee: box(me + 50), ownUnitsPerMiB: own[me] ?? 0n, maxUnitsPerMiB: null, hasUplink: me === 0 }
          const known = [...adverts].filter(([other]) => other !== me && linked(me, other)).map(([, each]) => ({ advert: each, receivedMs: 0, dearSinceMs: 0 }))
          const best = bestUpstream(known.filter((each) => refusalOf(each, terms, null, 0) === null), upstream[me] ?? null)
          upstream[me] = best?.advert.box ?? null
          sequences[me] = (sequences[me] ?? 0) + 1
          adverts.set(me, { box: box(me + 1), sequence: sequences[me] ?? 1, ...composeOffer(terms, best) })
        }
        for (const n of order) say(n % own.length)
        for (let round = 0; round < own.length; round++) own.forEach((_, me) => say(me))
        for (const [me, { unitsPerMiB, via, hops }] of adverts) {
          expect(unitsPerMiB).not.toBeNull()
          const way = via.map((each) => Number(BigInt(each)) - 1)
          expect(new Set([me, ...way]).size).toBe(hops + 1)
          expect(way.at(-1) ?? me).toBe(0)
          expect(unitsPerMiB).toBe([me, ...way].reduce((sum, n) => sum + (own[n] ?? 0n), 0n))
        }
      }),
      { numRuns: 60 },
    )
  })
})
