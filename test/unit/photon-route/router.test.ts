import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Address } from '../../../src/base/index.ts'
import type { Path, PathRequest } from '../../../src/photon/index.ts'
import { ChannelGraph, LocalRouter, upkeepOrders } from '../../../src/photon/route/index.ts'
import { HALF_LIFE_MS } from '../../../src/photon/route/estimates.ts'
import { FREE_POLICY } from '../../../src/photon/route/fee.ts'
import type { ChannelFacts, LinkQuality, OwnChannel } from '../../../src/photon/route/index.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { LIMITS, OTHER_TOKEN, TOKEN, factsOf, node, ownChannel, unsignedAnnounce, unsignedPolicy } from './town.ts'

const SELF = node(0)
const [LEFT, RIGHT, TARGET] = [node(1), node(2), node(3)]

/** SELF — LEFT — TARGET and SELF — RIGHT — TARGET; LEFT asks 1 %, RIGHT 2 %. */
function square(change: { own?: Partial<OwnChannel>; links?: (neighbour: Address) => LinkQuality } = {}) {
  const graph = new ChannelGraph(LIMITS)
  const time = new FakeTime()
  const channel = (one: Address, other: Address): ChannelFacts => factsOf({ one, other, funds: [1000n, 1000n] })
  const facts = { left: channel(SELF, LEFT), right: channel(SELF, RIGHT), leftOn: channel(LEFT, TARGET), rightOn: channel(RIGHT, TARGET) }
  for (const one of Object.values(facts)) graph.add(one, unsignedAnnounce(one))
  graph.setPolicy(unsignedPolicy(facts.leftOn, LEFT, { ppm: 10_000 }))
  graph.setPolicy(unsignedPolicy(facts.rightOn, RIGHT, { ppm: 20_000 }))
  const own: OwnChannel[] = [ownChannel(facts.left, SELF, change.own), ownChannel(facts.right, SELF)]
  const router = new LocalRouter({
    self: SELF,
    graph,
    own: { all: () => own },
    links: { quality: change.links ?? (() => ({ tq: null, throughputKbps: null })) },
    clock: time,
    randomness: seededRandom(3),
  })
  return { graph, time, facts, own, router }
}

const ask = (change: Partial<PathRequest> = {}): PathRequest => ({ token: TOKEN, target: TARGET, amount: 500n, maxFee: 50n, maxParts: 1, ...change })
const via = (sets: readonly (readonly Path[])[]): readonly (readonly Address[])[] => sets.map((parts) => parts.map((path) => path.hops[0]?.node as Address))

describe('the router', () => {
  it('gives the cheapest path first, and what each hop is to be given', () => {
    const { router, facts } = square()
    const sets = router.find(ask())
    expect(via(sets)).toEqual([[LEFT], [RIGHT]])
    expect(sets[0]?.[0]).toEqual({
      hops: [
        { node: LEFT, channel: facts.left.channel, amount: 505n },
        { node: TARGET, channel: facts.leftOn.channel, amount: 500n },
      ],
      amount: 500n,
      fee: 5n,
    })
  })

  it('knows its own channels exactly: what is spendable, whether it is usable, how large a lock may be', () => {
    expect(via(square({ own: { spendable: 504n } }).router.find(ask()))).toEqual([[RIGHT]])
    expect(via(square({ own: { spendable: 505n } }).router.find(ask()))).toEqual([[LEFT], [RIGHT]])
    expect(via(square({ own: { isUsable: false } }).router.find(ask()))).toEqual([[RIGHT]])
    expect(via(square({ own: { maxLock: 504n } }).router.find(ask()))).toEqual([[RIGHT]])
  })

  it('holds to the fee limit, to the token, and to what others say they carry', () => {
    const { router, graph, facts } = square()
    expect(via(router.find(ask({ maxFee: 9n })))).toEqual([[LEFT]])
    expect(router.find(ask({ maxFee: 4n }))).toEqual([])
    expect(router.find(ask({ token: OTHER_TOKEN }))).toEqual([])
    expect(router.find(ask({ target: SELF }))).toEqual([])
    graph.setPolicy(unsignedPolicy(facts.leftOn, LEFT, {}, { sequence: 2n, isDisabled: true }))
    expect(via(router.find(ask()))).toEqual([[RIGHT]])
    graph.setPolicy(unsignedPolicy(facts.rightOn, RIGHT, {}, { sequence: 2n, maxLock: 499n }))
    expect(router.find(ask())).toEqual([])
  })

  it('uses a policy from its day on, once the clock is to be trusted', () => {
    const { router, graph, facts, time } = square()
    time.trusted = true
    const tomorrow = Math.floor(time.wallMs() / 1000) + 86_400
    graph.setPolicy(unsignedPolicy(facts.leftOn, LEFT, { ppm: 40_000, validFromSeconds: tomorrow }, { sequence: 2n }))
    expect(router.find(ask())[0]?.[0]?.fee).toBe(5n)
    time.jumpWall(86_400_000)
    expect(via(router.find(ask()))).toEqual([[RIGHT], [LEFT]])
  })

  it('offers the dearest fee that a curve can ask, since it knows nobody else’s balance', () => {
    const { router, graph, facts } = square()
    graph.setPolicy(unsignedPolicy(facts.leftOn, LEFT, { ppm: 1000, curve: [3000, 0, 0, 0, -3000] }, { sequence: 2n }))
    expect(router.find(ask())[0]?.[0]?.fee).toBe(2n) // 0.1 % and at most 0.3 % of 500, the curve’s part rounded up
  })

  it('prefers the better link between equals', () => {
    const links = (neighbour: Address): LinkQuality => ({ tq: neighbour === LEFT ? 60 : 250, throughputKbps: null })
    const { router, graph, facts } = square({ links })
    graph.setPolicy(unsignedPolicy(facts.rightOn, RIGHT, { ppm: 10_000 }, { sequence: 2n }))
    expect(via(router.find(ask()))).toEqual([[RIGHT], [LEFT]])
  })

  it('lays equals in the order of its own dice, not always the same', () => {
    const { router, graph, facts } = square()
    graph.setPolicy(unsignedPolicy(facts.rightOn, RIGHT, { ppm: 10_000 }, { sequence: 2n }))
    const firsts = new Set(Array.from({ length: 20 }, () => via(router.find(ask()))[0]?.[0]))
    expect(firsts).toEqual(new Set([LEFT, RIGHT]))
  })

  it('does not try again what has just refused for want of money; after ten minutes it believes half of it again', () => {
    const { router, time } = square()
    const [left] = router.find(ask())[0] as [Path]
    router.report(left, { ok: false, hopIndex: 0, code: 3008 })
    expect(via(router.find(ask()))).toEqual([[RIGHT]])
    expect(via(router.find(ask({ amount: 400n })))).toEqual([[RIGHT], [LEFT]]) // less may pass, but it is dearer now
    time.advance(HALF_LIFE_MS)
    expect(via(router.find(ask({ amount: 700n })))).toContainEqual([LEFT]) // 499 of 2000 has become 1250
    time.advance(20 * HALF_LIFE_MS)
    expect(via(router.find(ask()))).toEqual([[LEFT], [RIGHT]])
  })

  it('forgives on success', () => {
    const { router } = square()
    const [left] = router.find(ask())[0] as [Path]
    router.report(left, { ok: false, hopIndex: 0, code: 3008 })
    router.report(left, { ok: true })
    expect(via(router.find(ask()))[0]).toEqual([LEFT])
  })

  it('blames the payer’s channel for full locks, the node for carrying nothing, nobody for a target that does not want it', () => {
    const cases: readonly [number, number, string][] = [
      [0, 3006, 'left'], // SELF → LEFT holds too many locks
      [0, 1014, 'left'], // LEFT carries no locks now
      [0, 3003, 'left'], // LEFT does not know the way on
      [1, 1012, 'none'],
      [-1, 1016, 'left'],
      [7, 3008, 'none'],
    ]
    for (const [hopIndex, code, blamed] of cases) {
      const { router } = square()
      const [left] = router.find(ask())[0] as [Path]
      router.report(left, { ok: false, hopIndex, code })
      expect([hopIndex, code, via(router.find(ask()))[0]]).toEqual([hopIndex, code, [blamed === 'left' ? RIGHT : LEFT]])
    }
  })

  it('splits what no single path carries', () => {
    const { router } = square()
    expect(router.find(ask({ amount: 1500n }))).toEqual([])
    const [parts] = router.find(ask({ amount: 1500n, maxParts: 2 })) as [readonly Path[]]
    expect(via([parts])).toEqual([[LEFT, RIGHT]])
    expect(parts.map((path) => path.amount).reduce((a, b) => a + b)).toBe(1500n)
    expect(parts.map((path) => path.fee).reduce((a, b) => a + b) <= 50n).toBe(true)
  })

  it('reaches a guest over a channel that only the guest tells of', () => {
    const { router } = square()
    const guest = node(9)
    const hint = { box: TARGET, channel: factsOf({ one: TARGET, other: guest, funds: [1n, 1n] }).channel, capacity: 700n, maxLock: 700n, policy: { ...FREE_POLICY, constant: 1n } }
    expect(router.find(ask({ target: guest }))).toEqual([])
    const [path] = router.find(ask({ target: guest }), [hint])[0] as [Path]
    expect(path.hops.map((hop) => [hop.node, hop.amount])).toEqual([[LEFT, 506n], [TARGET, 501n], [guest, 500n]]) // TARGET keeps 1, LEFT 1 % of 501
  })

  it('goes five hops and no further, by whatever channels it gets nearest', () => {
    const graph = new ChannelGraph(LIMITS)
    const line = Array.from({ length: 6 }, (_none, at) => factsOf({ one: node(at), other: node(at + 1), funds: [1000n, 1000n] }))
    for (const [at, one] of line.entries()) {
      graph.add(one, unsignedAnnounce(one))
      graph.setPolicy(unsignedPolicy(one, node(at)))
      graph.setPolicy(unsignedPolicy(one, node(at + 1)))
    }
    const own = [ownChannel(line[0] as ChannelFacts, SELF)]
    const router = new LocalRouter({ self: SELF, graph, own: { all: () => own }, links: { quality: () => ({ tq: null, throughputKbps: null }) }, clock: new FakeTime(), randomness: seededRandom(3) })
    const hopsTo = (target: Address): number | undefined => router.find(ask({ target }))[0]?.[0]?.hops.length
    expect([1, 2, 3, 4, 5, 6, 7].map((at) => hopsTo(node(at)))).toEqual([1, 2, 3, 4, 5, undefined, undefined])
    const hint = { box: node(4), channel: factsOf({ one: node(4), other: node(9), funds: [1n, 1n] }).channel, capacity: 700n, maxLock: 700n, policy: FREE_POLICY }
    expect(router.find(ask({ target: node(9) }), [hint])[0]?.[0]?.hops.length).toBe(5)
    expect(router.find(ask({ target: node(9) }), [{ ...hint, box: node(5) }])).toEqual([])
  })

  it('finds what trying every path finds, through graph, policies and own channels', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(fc.nat(6), fc.nat(6), fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 })), { minLength: 5, maxLength: 16, selector: ([a, b]) => Math.min(a, b) * 10 + Math.max(a, b) }), (drawn) => {
        const graph = new ChannelGraph(LIMITS)
        const channels = drawn.filter(([a, b]) => a !== b).map(([a, b, feeA, feeB]) => ({ a, b, feeA, feeB, facts: factsOf({ one: node(a), other: node(b), funds: [1000n, 1000n] }) }))
        for (const { a, b, feeA, feeB, facts } of channels) {
          graph.add(facts, unsignedAnnounce(facts))
          graph.setPolicy(unsignedPolicy(facts, node(a), { constant: BigInt(feeA) }))
          graph.setPolicy(unsignedPolicy(facts, node(b), { constant: BigInt(feeB) }))
        }
        const own = channels.filter(({ a, b }) => a === 0 || b === 0).map(({ facts }) => ownChannel(facts, SELF))
        const router = new LocalRouter({ self: SELF, graph, own: { all: () => own }, links: { quality: () => ({ tq: null, throughputKbps: null }) }, clock: new FakeTime(), randomness: seededRandom(3) })
        let least: number | null = null
        const walk = (at: number, visited: readonly number[], fee: number): void => {
          if (at === 3) least = least === null || fee < least ? fee : least
          else if (visited.length <= 5) for (const { a, b, feeA, feeB } of channels)
            for (const [from, to, asked] of [[a, b, feeA], [b, a, feeB]] as const) if (from === at && !visited.includes(to)) walk(to, [...visited, to], fee + (at === 0 ? 0 : asked))
        }
        walk(0, [0], 0)
        const best = router.find(ask({ amount: 1n, target: node(3) }))[0]?.[0]
        // An amount of 1 carries hardly any risk, so the cheapest is the one with the least fee.
        expect(best === undefined ? null : Number(best.fee)).toBe(least)
      }),
      { seed: 61, numRuns: 300 },
    )
  })

  it('refuses requests that cannot be', () => {
    const { router } = square()
    expect(() => router.find(ask({ amount: 0n }))).toThrow(/amount/)
    expect(() => router.find(ask({ maxFee: -1n }))).toThrow(/maxFee/)
    expect(() => router.find(ask({ maxParts: 0 }))).toThrow(/maxParts/)
  })

  it('gives the same answers for the same clock and dice', () => {
    const text = (): string => JSON.stringify([square().router.find(ask({ maxParts: 3 }))], (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
    expect(text()).toBe(text())
  })
})

describe('the care of core channels', () => {
  /** LEFT’s channel is empty on the own side, RIGHT’s is full; LEFT and RIGHT have a channel too. */
  function lopsided(poor: bigint, rich: bigint) {
    const made = square()
    const across = factsOf({ one: LEFT, other: RIGHT, funds: [1000n, 1000n] })
    made.graph.add(across, unsignedAnnounce(across))
    made.graph.setPolicy(unsignedPolicy(across, RIGHT, { ppm: 1000 }))
    made.graph.setPolicy(unsignedPolicy(made.facts.left, LEFT, { ppm: 1000 }))
    made.own.splice(0, 2, ownChannel(made.facts.left, SELF, { spendable: poor, receivable: 2000n - poor }), ownChannel(made.facts.right, SELF, { spendable: rich, receivable: 2000n - rich }))
    return made
  }
  const LIMIT = { topUpLeft: 10_000n, feesLeft: 100n, maxFeePpm: 5000n, minTopUp: 10n }
  const orders = (made: ReturnType<typeof lopsided>, change: Partial<typeof LIMIT> = {}) => upkeepOrders(made.own, { ...LIMIT, ...change }, (request) => made.router.findCycle(request))

  it('brings money home in a circle when the channel is under a fifth and the fee is under the cap', () => {
    const made = lopsided(200n, 1900n)
    const [order, ...rest] = orders(made)
    expect(rest).toEqual([])
    if (order?.kind !== 'rebalance') throw new Error('expected a circle')
    expect(order.back).toBe(made.facts.left.channel)
    expect(order.cycle.path.hops.map((hop) => [hop.node, hop.amount])).toEqual([[RIGHT, 800n], [LEFT, 800n], [SELF, 800n]])
    expect(order.cycle.path.hops[2]?.channel).toBe(made.facts.left.channel)
    expect(order.cycle.path.fee).toBe(0n) // 0.1 % of 800, rounded down, twice
  })

  it('pays the fee of every hop of the circle, and no more than the cap', () => {
    const made = lopsided(200n, 1900n)
    made.graph.setPolicy(unsignedPolicy(made.facts.left, LEFT, { constant: 2n }, { sequence: 2n }))
    const [order] = orders(made)
    expect(order?.kind === 'rebalance' && order.cycle.path.hops.map((hop) => hop.amount)).toEqual([802n, 802n, 800n])
    expect(orders(made, { feesLeft: 1n }).map((one) => one.kind)).toEqual(['top-up'])
    expect(orders(made, { maxFeePpm: 1000n }).map((one) => one.kind)).toEqual(['top-up'])
  })

  it('leaves the giver its half, and moves less when it has less', () => {
    const made = lopsided(200n, 1500n)
    const [order] = orders(made)
    expect(order?.kind === 'rebalance' && order.cycle.path.amount).toBe(400n)
  })

  it('tops up between a fifth and a quarter, to the middle of what the channel is then', () => {
    const made = lopsided(450n, 1900n)
    expect(orders(made)).toEqual([{ kind: 'top-up', channel: made.facts.left.channel, epoch: 1n, partner: LEFT, token: TOKEN, amount: 1100n }])
    expect((450n + 1100n) * 2n).toBe(2000n + 1100n)
    expect(orders(lopsided(500n, 1000n))).toEqual([])
  })

  it('stays within the owner’s cap over all channels, the emptiest first, and does not bother for crumbs', () => {
    const made = lopsided(450n, 420n)
    expect(orders(made, { topUpLeft: 1200n }).map((one) => one.kind === 'top-up' && [one.partner, one.amount])).toEqual([[RIGHT, 1160n], [LEFT, 40n]])
    expect(orders(made, { topUpLeft: 1165n }).length).toBe(1)
    expect(orders(made, { topUpLeft: 0n })).toEqual([])
  })

  it('leaves leaf channels and channels that are down alone', () => {
    const made = lopsided(100n, 1900n)
    const first = made.own[0] as OwnChannel
    made.own[0] = { ...first, role: 'leaf' }
    expect(orders(made)).toEqual([])
    made.own[0] = { ...first, isUsable: false }
    expect(orders(made)).toEqual([])
  })
})
