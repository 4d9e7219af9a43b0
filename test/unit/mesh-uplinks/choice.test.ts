/** Which way out is taken, and when it is left. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BETTER_FOR_MS, NO_CHOICE, choose, reachOf } from '../../../src/mesh/uplinks/choice.ts'
import type { Candidate, Choice } from '../../../src/mesh/uplinks/choice.ts'

const way = (name: string, unitsPerMiB: bigint, parts: Partial<Candidate> = {}): Candidate => ({
  name,
  kind: 'ethernet',
  health: 'good',
  sinceMs: 0,
  unitsPerMiB,
  isSpent: false,
  isFluttering: false,
  ...parts,
})
const chosen = (name: string): Choice => ({ name, reason: 'it was', sinceMs: 0, rival: null })

describe('the first choice', () => {
  it('is what works, then what is cheap, then what was named first', () => {
    expect(choose(NO_CHOICE, [way('a', 5n), way('b', 3n), way('c', 3n)], 10)).toMatchObject({ name: 'b', sinceMs: 10 })
    expect(choose(NO_CHOICE, [way('a', 5n, { health: 'poor' }), way('b', 9n)], 10)).toMatchObject({ name: 'b' })
    expect(choose(NO_CHOICE, [way('a', 5n, { health: 'poor' }), way('b', 1n, { health: 'down' })], 10)).toMatchObject({ name: 'a' })
  })

  it('is none where nothing works, and says why of each', () => {
    expect(choose(NO_CHOICE, [way('a', 1n, { health: 'down' }), way('b', 1n, { isSpent: true }), way('c', 1n, { health: 'unknown' })], 10)).toMatchObject({
      name: null,
      reason: 'a is down; b has cost what may be spent on it; c was not tried yet',
    })
    expect(choose(NO_CHOICE, [], 10).reason).toBe('no way out is configured')
  })
})

describe('a way that is taken', () => {
  it('is left at once when it is down, taken out of the configuration, or spent', () => {
    expect(choose(chosen('a'), [way('a', 1n, { health: 'down' }), way('b', 9n)], 10)).toMatchObject({ name: 'b', reason: 'a is down' })
    expect(choose(chosen('a'), [way('b', 9n)], 10)).toMatchObject({ name: 'b' })
    expect(choose(chosen('a'), [way('a', 1n, { isSpent: true }), way('b', 9n)], 10)).toMatchObject({ name: 'b', reason: 'a has cost what may be spent on it' })
    expect(choose(chosen('a'), [way('a', 1n, { health: 'down' })], 10)).toMatchObject({ name: null, reason: 'a is down', sinceMs: 10 })
  })

  it('is kept for 10 %, and left for more after it was so for a while', () => {
    expect(choose(chosen('a'), [way('a', 100n), way('b', 90n)], 10)).toEqual(chosen('a'))
    const first = choose(chosen('a'), [way('a', 100n), way('b', 89n)], 10)
    expect(first).toMatchObject({ name: 'a', rival: { name: 'b', sinceMs: 10 } })
    expect(choose(first, [way('a', 100n), way('b', 89n)], 10 + BETTER_FOR_MS - 1).name).toBe('a')
    expect(choose(first, [way('a', 100n), way('b', 89n)], 10 + BETTER_FOR_MS)).toMatchObject({ name: 'b', reason: 'costs less than a', rival: null })
    // A break begins the time anew.
    const broken = choose(first, [way('a', 100n), way('b', 95n)], 20_000)
    expect(broken.rival).toBeNull()
    expect(choose(broken, [way('a', 100n), way('b', 89n)], 10 + BETTER_FOR_MS).name).toBe('a')
  })

  it('is left for a rival that is better all the time, though another comes before it now and then', () => {
    let choice = chosen('a')
    for (let nowMs = 0; nowMs <= BETTER_FOR_MS; nowMs += 1000) choice = choose(choice, [way('a', 100n), way('b', nowMs % 2000 === 0 ? 50n : 60n), way('c', 55n)], nowMs)
    expect(choice.name).toBe('b')
  })

  it('that works badly is left for one that works well', () => {
    const candidates = [way('a', 1n, { health: 'poor' }), way('b', 50n)]
    const first = choose(chosen('a'), candidates, 0)
    expect(choose(first, candidates, BETTER_FOR_MS)).toMatchObject({ name: 'b', reason: 'works better than a' })
  })
})

it('guests are told of one that comes and goes', () => {
  expect(reachOf(chosen('a'), [way('a', 1n)])).toBe('internet')
  expect(reachOf(chosen('a'), [way('a', 1n, { health: 'poor' })])).toBe('intermittent')
  expect(reachOf(chosen('a'), [way('a', 1n, { isFluttering: true })])).toBe('intermittent')
  expect(reachOf(NO_CHOICE, [way('a', 1n)])).toBe('none')
  expect(reachOf(chosen('a'), [way('a', 1n, { health: 'down' })])).toBe('none')
})

it('any course: never one that does not work, never a switch between two that work more often than the time allows', () => {
  const moment = fc.record({
    prices: fc.array(fc.bigInt({ min: 0n, max: 200n }), { minLength: 3, maxLength: 3 }),
    healths: fc.array(fc.constantFrom<Candidate['health']>('good', 'poor', 'down', 'unknown'), { minLength: 3, maxLength: 3 }),
    passedMs: fc.integer({ min: 100, max: 20_000 }),
  })
  fc.assert(
    fc.property(fc.array(moment, { maxLength: 60 }), (moments) => {
      let choice = NO_CHOICE
      let nowMs = 0
      for (const each of moments) {
        nowMs += each.passedMs
        const candidates = ['a', 'b', 'c'].map((name, index) => way(name, each.prices[index] ?? 0n, { health: each.healths[index] ?? 'down' }))
        const works = (name: string | null): boolean => candidates.some((way) => way.name === name && (way.health === 'good' || way.health === 'poor'))
        const next = choose(choice, candidates, nowMs)
        expect(next.name === null).toBe(!candidates.some((way) => works(way.name)))
        if (next.name !== null) expect(works(next.name)).toBe(true)
        if (next.name !== choice.name && works(choice.name)) expect(nowMs - choice.sinceMs).toBeGreaterThanOrEqual(BETTER_FOR_MS)
        choice = next
      }
    }),
  )
})
