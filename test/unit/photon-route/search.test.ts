import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { singlePaths, splitPaths } from '../../../src/photon/route/parts.ts'
import { MAX_LOOKS, cheapestPath, measured, widestPath } from '../../../src/photon/route/search.ts'
import { FREE_POLICY, worstFeeOf } from '../../../src/photon/route/fee.ts'
import type { Edge, Found, Network, Query } from '../../../src/photon/route/index.ts'
import { node } from './town.ts'

interface DrawnEdge {
  readonly from: number
  readonly to: number
  readonly limit: number
  readonly constant: number
  readonly ppm: number
  readonly riskPpm: number
  readonly isCore: boolean
}

function networkOf(drawn: readonly DrawnEdge[]): { network: Network; edges: readonly Edge[] } {
  const edges = drawn.map((it, at): Edge => {
    const policy = { ...FREE_POLICY, constant: BigInt(it.constant), ppm: it.ppm }
    return {
      from: node(it.from),
      to: node(it.to),
      // Both directions of a pair are one channel.
      channel: `0x${(Math.min(it.from, it.to) * 100 + Math.max(it.from, it.to)).toString(16).padStart(64, '0')}`,
      isCore: it.isCore,
      limit: BigInt(it.limit),
      fee: (amount) => worstFeeOf(policy, amount),
      risk: (amount) => amount * BigInt(it.riskPpm) + BigInt(at % 3),
    }
  })
  return { network: { into: (to) => edges.filter((edge) => edge.to === to) }, edges }
}

const queryOf = (change: Partial<Query> = {}): Query => ({ source: node(0), target: node(5), amount: 1000n, maxFee: 500n, maxHops: 5, isBanned: () => false, ...change })

/** All simple paths, by hand. */
function everyPath(edges: readonly Edge[], query: Query): Found[] {
  const found: Found[] = []
  const walk = (at: string, taken: readonly Edge[]): void => {
    if (at === query.target) {
      const amounts: bigint[] = []
      let needed = query.amount
      for (const [back, edge] of [...taken].reverse().entries()) {
        if (needed > edge.limit) return
        amounts.unshift(needed)
        if (back < taken.length - 1) needed += edge.fee(needed)
      }
      if (needed - query.amount <= query.maxFee) found.push(measured(taken, amounts))
      return
    }
    if (taken.length === query.maxHops) return
    for (const edge of edges) {
      if (edge.from !== at || edge.to === query.source || taken.some((before) => before.from === edge.to)) continue
      if (!edge.isCore && edge.from !== query.source && edge.to !== query.target) continue
      walk(edge.to, [...taken, edge])
    }
  }
  walk(query.source, [])
  return found
}

const drawnEdges = fc.uniqueArray(
  fc.record({
    from: fc.integer({ min: 0, max: 5 }),
    to: fc.integer({ min: 0, max: 5 }),
    limit: fc.integer({ min: 900, max: 1400 }),
    constant: fc.integer({ min: 0, max: 30 }),
    ppm: fc.integer({ min: 0, max: 60_000 }),
    riskPpm: fc.integer({ min: 0, max: 40_000 }),
  }),
  { minLength: 6, maxLength: 24, selector: (edge) => edge.from * 10 + edge.to },
).map((edges) => edges.filter((edge) => edge.from !== edge.to).map((edge, at) => ({ ...edge, isCore: at % 5 !== 0 })))

function expectSound(found: Found, query: Query): void {
  const nodes = [query.source, ...found.edges.map((edge) => edge.to)]
  expect(new Set(nodes).size).toBe(nodes.length)
  expect(nodes.at(-1)).toBe(query.target)
  expect(found.edges.length).toBeLessThanOrEqual(query.maxHops)
  found.edges.forEach((edge, at) => {
    expect(edge.from).toBe(nodes[at])
    expect((found.amounts[at] as bigint) <= edge.limit).toBe(true)
    // Who passes on keeps exactly what it asks.
    if (at > 0) expect((found.amounts[at - 1] as bigint) - (found.amounts[at] as bigint)).toBe(edge.fee(found.amounts[at] as bigint))
    if (at > 0 && at < found.edges.length - 1) expect(edge.isCore).toBe(true)
  })
  expect(found.fee <= query.maxFee).toBe(true)
  expect(found.fee).toBe((found.amounts[0] as bigint) - (found.amounts.at(-1) as bigint))
}

describe('the search', () => {
  it('finds what trying every path finds, or nothing where there is nothing', () => {
    let withPath = 0
    fc.assert(
      fc.property(drawnEdges, fc.integer({ min: 0, max: 150 }), fc.integer({ min: 1, max: 5 }), (drawn, maxFee, maxHops) => {
        const { network, edges } = networkOf(drawn)
        const query = queryOf({ maxFee: BigInt(maxFee), maxHops })
        const every = everyPath(edges, query)
        const found = cheapestPath(network, query)
        expect(found === null).toBe(every.length === 0)
        if (found === null) return
        withPath++
        expectSound(found, query)
        expect(found.score).toBe(every.reduce((least, path) => (path.score < least ? path.score : least), every[0]?.score ?? 0n))
      }),
      { seed: 21, numRuns: 1500 },
    )
    expect(withPath).toBeGreaterThan(200)
  })

  it('finds nothing else when it is told how far each node is and what a hop costs at least: only sooner', () => {
    let [withPath, looksKnowing, looksBlind] = [0, 0, 0]
    fc.assert(
      fc.property(drawnEdges, fc.integer({ min: 0, max: 150 }), fc.integer({ min: 1, max: 5 }), (drawn, maxFee, maxHops) => {
        // All edges cost something, so that there is a least risk to know of.
        const { network, edges } = networkOf(drawn.map((edge) => ({ ...edge, riskPpm: edge.riskPpm + 20_000 })))
        const hops = new Map([[node(0), 0]])
        for (let distance = 1; distance <= 6; distance++) for (const { from, to } of edges) if (hops.get(from) === distance - 1 && !hops.has(to)) hops.set(to, distance)
        const counted = (): { looksLeft: number } => ({ looksLeft: 100_000 })
        const [blind, knowing] = [counted(), counted()]
        const query = queryOf({ maxFee: BigInt(maxFee), maxHops })
        const plain = cheapestPath(network, { ...query, budget: blind })
        const aimed = cheapestPath({ ...network, leastHops: (one) => hops.get(one) ?? Infinity, leastRiskPpm: 20_000n }, { ...query, budget: knowing })
        expect(aimed === null).toBe(plain === null)
        looksBlind += 100_000 - blind.looksLeft
        looksKnowing += 100_000 - knowing.looksLeft
        if (plain === null || aimed === null) return
        withPath++
        expect(aimed.score).toBe(plain.score)
        expectSound(aimed, query)
      }),
      { seed: 25, numRuns: 1500 },
    )
    expect(withPath).toBeGreaterThan(200)
    expect(looksKnowing).toBeLessThan(looksBlind * 0.7)
  })

  it('gives up where its budget ends, whatever is asked of it, and shares it among all searches for one payment', () => {
    // Everybody with everybody, and just enough at the ends that most ways fit and none is the amount's.
    const drawn = Array.from({ length: 40 * 40 }, (_none, at): DrawnEdge => ({ from: at % 40, to: Math.floor(at / 40), limit: 900, constant: at % 7, ppm: at % 50, riskPpm: (at * 31) % 977, isCore: true })).filter(({ from, to }) => from !== to)
    const { edges } = networkOf(drawn)
    let looks = 0
    const into = new Map(edges.map(({ to }) => [to, edges.filter((edge) => edge.to === to)]))
    const network: Network = {
      into: (to) => {
        const found = into.get(to) ?? []
        looks += found.length
        return found
      },
    }
    for (const amount of [1n, 890n, 5000n]) {
      looks = 0
      const query = queryOf({ amount, maxFee: 20n, budget: { looksLeft: MAX_LOOKS } })
      singlePaths(network, query)
      splitPaths(network, query, 8)
      expect(looks).toBeLessThan(MAX_LOOKS + 2 * 40)
    }
  })

  it('counts fees from the target back, each on what is passed on', () => {
    const edge = (from: number, to: number, constant: number, ppm: number): DrawnEdge => ({ from, to, limit: 10_000, constant, ppm, riskPpm: 0, isCore: true })
    const { network } = networkOf([edge(0, 1, 9, 9), edge(1, 2, 1, 100_000), edge(2, 5, 10, 10_000)])
    const found = cheapestPath(network, queryOf())
    expect(found?.amounts).toEqual([1123n, 1020n, 1000n]) // node 2 keeps 10 + 1 %, node 1 keeps 1 + 10 % of 1020
    expect(found?.fee).toBe(123n)
    expect(cheapestPath(network, queryOf({ maxFee: 122n }))).toBeNull()
  })

  it('keeps a dearer but thinner way alive when only it fits through a narrow channel before', () => {
    const edge = (from: number, to: number, limit: number, constant: number, riskPpm: number): DrawnEdge => ({ from, to, limit, constant, ppm: 0, riskPpm, isCore: true })
    // Past node 1: by 2 a fee of 60 without risk, by 3 no fee and so much risk that its score is worse. 0 → 1 takes 1020 only.
    const { network } = networkOf([edge(0, 1, 1020, 0, 0), edge(1, 2, 2000, 0, 0), edge(2, 5, 2000, 60, 0), edge(1, 3, 2000, 0, 0), edge(3, 5, 2000, 0, 90_000)])
    expect(cheapestPath(network, queryOf())?.edges.map((one) => one.to)).toEqual([node(1), node(3), node(5)])
  })

  it('lets a leaf channel start or end a path, never carry one', () => {
    const edge = (from: number, to: number, isCore: boolean): DrawnEdge => ({ from, to, limit: 2000, constant: 0, ppm: 0, riskPpm: 0, isCore })
    expect(cheapestPath(networkOf([edge(0, 1, false), edge(1, 2, true), edge(2, 5, false)]).network, queryOf())).not.toBeNull()
    expect(cheapestPath(networkOf([edge(0, 1, true), edge(1, 2, false), edge(2, 5, true)]).network, queryOf())).toBeNull()
    expect(cheapestPath(networkOf([edge(0, 1, false), edge(1, 5, false)]).network, queryOf())).not.toBeNull()
  })

  it('finds the widest way and how much of the amount it brings through, fees and all', () => {
    fc.assert(
      fc.property(drawnEdges, fc.integer({ min: 0, max: 150 }), (drawn, maxFee) => {
        const { network } = networkOf(drawn)
        const query = queryOf({ amount: 5000n, maxFee: BigInt(maxFee) })
        const found = widestPath(network, query)
        if (found === null) return
        expectSound(found, query)
        // One unit more does not fit, in limits or in fee.
        const amount = (found.amounts.at(-1) as bigint) + 1n
        const more = everyPath(found.edges, { ...query, amount })
        expect(more).toEqual([])
      }),
      { seed: 22, numRuns: 500 },
    )
  })

  it('offers other paths, all sound, none twice, the best first', () => {
    fc.assert(
      fc.property(drawnEdges, (drawn) => {
        const { network } = networkOf(drawn)
        const paths = singlePaths(network, queryOf())
        for (const path of paths) expectSound(path, queryOf())
        expect(new Set(paths.map((path) => path.edges.map((edge) => edge.channel).join())).size).toBe(paths.length)
        for (const path of paths) expect((paths[0] as Found).score <= path.score).toBe(true)
      }),
      { seed: 23, numRuns: 300 },
    )
  })

  it('splits an amount over channels that no two parts share', () => {
    let sets = 0
    fc.assert(
      fc.property(drawnEdges, fc.integer({ min: 1001, max: 3500 }), fc.integer({ min: 1, max: 4 }), (drawn, amount, maxParts) => {
        const { network } = networkOf(drawn)
        const query = queryOf({ amount: BigInt(amount), maxFee: 300n })
        for (const parts of splitPaths(network, query, maxParts)) {
          sets++
          expect(parts.length).toBeGreaterThan(1)
          expect(parts.length).toBeLessThanOrEqual(maxParts)
          for (const part of parts) expectSound(part, { ...query, amount: part.amounts.at(-1) as bigint })
          expect(parts.reduce((sum, part) => sum + (part.amounts.at(-1) as bigint), 0n)).toBe(BigInt(amount))
          expect(parts.reduce((sum, part) => sum + part.fee, 0n) <= 300n).toBe(true)
          const channels = parts.flatMap((part) => part.edges.map((edge) => edge.channel))
          expect(new Set(channels).size).toBe(channels.length)
        }
      }),
      { seed: 24, numRuns: 500 },
    )
    expect(sets).toBeGreaterThan(50)
  })
})
