import { describe, expect, it } from 'vitest'
import type { Address, Cancel } from '../../../src/base/index.ts'
import { silentLog } from '../../../src/base/index.ts'
import type { FeePolicy } from '../../../src/photon/index.ts'
import { ChannelGraph, GossipCore, GossipNode, LocalRouter } from '../../../src/photon/route/index.ts'
import { announceDigest, encodeAsk } from '../../../src/photon/route/announce.ts'
import { FREE_POLICY } from '../../../src/photon/route/fee.ts'
import type { ChannelFacts, GossipSigner, GossipTransport, OwnChannel } from '../../../src/photon/route/index.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { DOMAIN, LIMITS, TOKEN, announceOf, factsOf, ownChannel, signerOf } from './town.ts'

/** Frames between boxes that are linked; delivered at once. */
class Ether {
  readonly #ears = new Map<Address, { frame: (from: Address, frame: Uint8Array) => void; up: (peer: Address) => void }>()
  readonly #links = new Set<string>()
  frames = 0
  /** Of a frame in the air: true, it is lost. */
  loses: () => boolean = () => false

  link(one: Address, other: Address): void {
    this.#links.add(`${one} ${other}`).add(`${other} ${one}`)
    this.#ears.get(one)?.up(other)
    this.#ears.get(other)?.up(one)
  }

  at(self: Address): GossipTransport {
    const ears = { frame: (_from: Address, _frame: Uint8Array): void => undefined, up: (_peer: Address): void => undefined }
    this.#ears.set(self, ears)
    const none: Cancel = () => undefined
    return {
      neighbours: () => [...this.#links].filter((link) => link.startsWith(self)).map((link) => link.split(' ')[1] as Address),
      send: (to, frame) => {
        if (!this.#links.has(`${self} ${to}`)) return false
        this.frames++
        if (this.loses()) return true
        this.#ears.get(to)?.frame(self, frame)
        return true
      },
      onFrame: (listener) => ((ears.frame = listener), none),
      onConnected: (listener) => ((ears.up = listener), none),
      onDisconnected: () => none,
    }
  }
}

function town(size: number) {
  const [time, ether] = [new FakeTime(), new Ether()]
  const signers = Array.from({ length: size }, (_none, at) => signerOf(at + 10))
  const facts = signers.slice(1).map((signer, at): ChannelFacts => factsOf({ one: (signers[at] as GossipSigner).self, other: signer.self, funds: [5000n, 5000n] }))
  let head = 1000
  const policies = new Map<Address, FeePolicy>()
  const boxes = signers.map((signer) => {
    const graph = new ChannelGraph(LIMITS)
    const core = new GossipCore({ domain: DOMAIN, recover: signer.recover, graph })
    const own = { all: (): OwnChannel[] => facts.filter((one) => one.a === signer.self || one.b === signer.self).map((one) => ownChannel(one, signer.self)) }
    const prover = { prove: (claim: { channel: string }) => Promise.resolve(facts.find((one) => one.channel === claim.channel) ?? ('absent' as const)) }
    const policyOf = (): FeePolicy => policies.get(signer.self) ?? { ...FREE_POLICY, ppm: 1000 }
    const node = new GossipNode({ domain: DOMAIN, signer, core, graph, transport: ether.at(signer.self), prover, own, policyOf, head: () => head, clock: time, timers: time, log: silentLog })
    const router = new LocalRouter({ self: signer.self, graph, own, links: { quality: () => ({ tq: null, throughputKbps: null }) }, clock: time, randomness: seededRandom(1) })
    return { signer, graph, core, node, router }
  })
  for (const box of boxes) box.node.start()
  for (let at = 1; at < size; at++) ether.link((signers[at - 1] as GossipSigner).self, (signers[at] as GossipSigner).self)
  const run = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      time.advance(1000)
      for (let turn = 0; turn < 10; turn++) await Promise.resolve() // the chain's answers
    }
  }
  return { time, ether, boxes, facts, policies, run, setHead: (block: number) => (head = block) }
}

describe('boxes in a row', () => {
  it('announce their channels together, and a payment finds its way from end to end', async () => {
    const { boxes, facts, run } = town(5)
    await run(150)
    for (const box of boxes) expect([...box.graph.all()].map((one) => one.facts.channel).sort()).toEqual(facts.map((one) => one.channel).sort())
    const [first, last] = [boxes[0], boxes[4]] as [(typeof boxes)[0], (typeof boxes)[0]]
    const [path] = first.router.find({ token: TOKEN, target: last.signer.self, amount: 1000n, maxFee: 10n, maxParts: 1 })[0] ?? []
    expect(path?.hops.map((hop) => hop.amount)).toEqual([1003n, 1002n, 1001n, 1000n])
  })

  it('fall silent when all is said, tell a new price, and renew what would lapse', async () => {
    const { boxes, facts, policies, ether, run, setHead } = town(4)
    await run(150)
    const said = ether.frames
    await run(90)
    expect(ether.frames).toBe(said)
    const [first, second] = [boxes[0], boxes[1]] as [(typeof boxes)[0], (typeof boxes)[0]]
    policies.set(second.signer.self, { ...FREE_POLICY, ppm: 2000 })
    await run(60)
    expect(first.graph.newestPolicy((facts[1] as ChannelFacts).channel, second.signer.self)?.policy.ppm).toBe(2000)
    setHead(15_000) // own announcements ran to 21,000 and are renewed from the half on
    for (const box of boxes) box.node.onHead(15_000)
    await run(150)
    setHead(30_000)
    for (const box of boxes) box.node.onHead(30_000)
    for (const box of boxes) expect(box.graph.channelCount).toBe(3)
  })

  it('hear in the end what was lost on the way', async () => {
    const { boxes, facts, ether, run } = town(5)
    const { next } = seededRandom(4)
    ether.loses = () => next() < 0.3
    await run(120)
    const missing = (): number => boxes.reduce((sum, box) => sum + facts.filter((one) => box.graph.newestPolicy(one.channel, one.a) === null || box.graph.newestPolicy(one.channel, one.b) === null).length, 0)
    expect(missing()).toBeGreaterThan(0)
    await run(7 * 1800)
    expect(missing()).toBe(0)
  })

  it('sign no announcement that is not of their own channel, as it is', () => {
    const { boxes, facts, ether } = town(2)
    const [one, other] = boxes.map((box) => box.signer) as [GossipSigner, GossipSigner]
    const [asker, asked] = one.self < other.self ? [one, boxes[1]] : [other, boxes[0]]
    const own = facts[0] as ChannelFacts
    const ask = (change: object): number | undefined => {
      const announce = announceOf(own, { sequence: 1000n, untilBlock: 20_000, ...change })
      ether.at(asker.self).send(asked?.signer.self as Address, encodeAsk({ ...announce, signatureA: asker.sign(announceDigest(DOMAIN, announce)) }))
      return asked?.core.counts().unproved
    }
    for (const lie of [{ sequence: 10n ** 15n }, { untilBlock: 1_000_000 }, { epoch: 2n }, { isCore: false }]) expect([lie, ask(lie)]).toEqual([lie, 0])
    expect(ask({})).toBe(1)
  })
})
