import fc from 'fast-check'
import { TypedDataEncoder } from 'ethers'
import { beforeEach, describe, expect, it } from 'vitest'
import { hexOf } from '../../../src/base/index.ts'
import type { Address } from '../../../src/base/index.ts'
import { ChannelGraph, GossipCore } from '../../../src/photon/route/index.ts'
import { GOSSIP_LIMITS } from '../../../src/photon/route/gossip.ts'
import { ANNOUNCE_BYTES, ASK_BYTES, POLICY_BYTES, announceDigest, decodeAsk, decodeGossip, encodeAnnounce, encodeAsk, encodePolicy, policyDigest } from '../../../src/photon/route/announce.ts'
import type { ChannelFacts, GossipLimits } from '../../../src/photon/route/index.ts'
import { DOMAIN, LIMITS, announceOf, factsOf, node, signedAnnounce, signedPolicy, signerOf, unsignedAnnounce, unsignedPolicy } from './town.ts'

const [ANN, BEA, CAL] = [signerOf(1), signerOf(2), signerOf(3)]
const FACTS = factsOf({ one: ANN.self, other: BEA.self, funds: [500n, 700n] })
const HEAD = 100
const [NEIGHBOUR, OTHER] = [node(50), node(51)]

describe('what is said about channels', () => {
  const announce = signedAnnounce(FACTS, ANN, BEA)
  const policy = signedPolicy(FACTS, ANN, { constant: 5n, ppm: 7, curve: [-3, 2, 0, 1_000_000, -1_000_000], validFromSeconds: 9 })

  it('comes back from its bytes as it was', () => {
    expect(encodeAnnounce(announce).length).toBe(ANNOUNCE_BYTES)
    expect(decodeGossip(encodeAnnounce(announce))).toEqual({ kind: 'announce', announce })
    expect(encodePolicy(policy).length).toBe(POLICY_BYTES)
    expect(decodeGossip(encodePolicy(policy))).toEqual({ kind: 'policy', update: policy })
    const { signatureB: _later, ...ask } = announce
    expect(encodeAsk(ask).length).toBe(ASK_BYTES)
    expect(decodeAsk(encodeAsk(ask))).toEqual(ask)
  })

  it('is read into memory of its own, whatever the frame lay in', () => {
    const socket = Buffer.from(encodeAnnounce(announce))
    const gossip = decodeGossip(socket)
    socket.fill(0)
    expect(gossip).toEqual({ kind: 'announce', announce })
  })

  it('is signed as EIP-712 under a domain of its own (ethers as second opinion)', () => {
    const domain = { name: 'PhotonGossip', version: '1', chainId: DOMAIN.chainId, verifyingContract: DOMAIN.contract }
    const types = (text: string) => text.split(',').map((field) => ({ type: field.split(' ')[0] as string, name: field.split(' ')[1] as string }))
    const { isCore, signatureA: _a, signatureB: _b, ...rest } = announce
    expect(hexOf(announceDigest(DOMAIN, announce))).toBe(
      TypedDataEncoder.hash(domain, { ChannelAnnounce: types('bytes32 channel,uint64 epoch,address token,address a,address b,bool core,uint64 sequence,uint64 untilBlock') }, { ...rest, core: isCore }),
    )
    const [rate0, rate25, rate50, rate75, rate100] = policy.policy.curve
    const { channel, epoch, from, sequence, untilBlock, maxLock } = policy
    expect(hexOf(policyDigest(DOMAIN, policy))).toBe(
      TypedDataEncoder.hash(
        domain,
        { PolicyUpdate: types('bytes32 channel,uint64 epoch,address from,bool disabled,uint64 sequence,uint64 untilBlock,uint128 maxLock,uint128 constant,uint32 ppm,int32 rate0,int32 rate25,int32 rate50,int32 rate75,int32 rate100,uint64 validFrom') },
        { channel, epoch, from, disabled: false, sequence, untilBlock, maxLock, constant: 5n, ppm: 7, rate0, rate25, rate50, rate75, rate100, validFrom: 9 },
      ),
    )
  })

  it('never throws on any bytes, and has one form per value', () => {
    const frames = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.tuple(fc.constantFrom(encodeAnnounce(announce), encodePolicy(policy)), fc.nat(248), fc.nat(255)).map(([frame, at, value]) => {
        const changed = frame.slice()
        changed[at % changed.length] = value
        return changed
      }),
    )
    let decoded = 0
    fc.assert(
      fc.property(frames, (frame) => {
        decodeAsk(frame)
        const gossip = decodeGossip(frame)
        if ('refused' in gossip) return
        decoded++
        expect(hexOf(gossip.kind === 'announce' ? encodeAnnounce(gossip.announce) : encodePolicy(gossip.update))).toBe(hexOf(frame))
      }),
      { seed: 31, numRuns: 5000 },
    )
    expect(decoded).toBeGreaterThan(1000)
  })

  it('does not fit the layout: our own mistake, by name', () => {
    expect(() => encodeAnnounce({ ...announce, a: announce.b, b: announce.a })).toThrow(/announce\.a/)
    expect(() => encodeAnnounce({ ...announce, epoch: 1n << 64n })).toThrow(/announce\.epoch/)
    expect(() => encodePolicy({ ...policy, maxLock: -1n })).toThrow(/policy\.maxLock/)
    expect(() => encodePolicy({ ...policy, signature: new Uint8Array(64) })).toThrow(/policy\.signature/)
  })
})

describe('the gossip', () => {
  let graph: ChannelGraph
  let core: GossipCore
  let nowMs: number
  const build = (limits: Partial<GossipLimits> = {}): void => {
    graph = new ChannelGraph(LIMITS)
    core = new GossipCore({ domain: DOMAIN, recover: ANN.recover, graph, limits: { ...GOSSIP_LIMITS, ...limits } })
    nowMs = 0
  }
  const moment = () => ({ nowMs, block: HEAD })
  const hear = (frame: Uint8Array, from: Address | null = NEIGHBOUR) => core.receive(from, frame, moment())
  const told = (neighbour: Address): string[] => core.framesFor(neighbour, 100).map(hexOf)
  beforeEach(() => build())

  it('believes a channel only when the chain has proved it, then tells everybody but who told it', () => {
    core.connected(NEIGHBOUR)
    core.connected(OTHER)
    const [announce, policy] = [signedAnnounce(FACTS, ANN, BEA), signedPolicy(FACTS, BEA)]
    expect(hear(encodeAnnounce(announce))).toEqual({ ok: true, what: 'announce-waits' })
    expect(hear(encodePolicy(policy))).toEqual({ ok: true, what: 'policy-waits' })
    expect([graph.channelCount, told(OTHER)]).toEqual([0, []])
    expect(core.nextClaim()).toEqual(announce)
    expect(core.nextClaim()).toBeNull()
    expect(core.proved(announce, FACTS, moment())).toBe(true)
    expect(graph.get(FACTS.channel)).toMatchObject({ capacity: 1200n, isCore: true })
    expect(graph.policy(FACTS.channel, BEA.self, null)).toEqual(policy)
    expect(told(OTHER)).toEqual([hexOf(encodeAnnounce(announce)), hexOf(encodePolicy(policy))])
    expect([told(OTHER), told(NEIGHBOUR)]).toEqual([[], []])
    const late = node(52)
    core.connected(late)
    expect(told(late)).toEqual([hexOf(encodeAnnounce(announce)), hexOf(encodePolicy(policy))])
  })

  it('asks the chain again later when it had no answer', () => {
    const announce = signedAnnounce(FACTS, ANN, BEA)
    hear(encodeAnnounce(announce))
    core.nextClaim()
    expect(core.proved(announce, null, moment())).toBe(false)
    expect(core.nextClaim()).toEqual(announce)
    expect(core.proved(announce, FACTS, moment())).toBe(true)
  })

  it('drops a channel that the chain does not know, and makes its teller pay', () => {
    build({ perNeighbour: { burst: 60, perSecond: 1 }, falseClaimCost: 50 })
    const announce = signedAnnounce(FACTS, ANN, BEA)
    hear(encodeAnnounce(announce))
    core.nextClaim()
    expect(core.proved(announce, 'absent', moment())).toBe(false)
    expect(graph.channelCount).toBe(0)
    for (let frame = 0; frame < 9; frame++) hear(Uint8Array.of(1))
    expect(hear(Uint8Array.of(1))).toEqual({ ok: false, reason: 'too many frames' })
    expect(hear(Uint8Array.of(1), OTHER)).not.toEqual({ ok: false, reason: 'too many frames' })
  })

  it.each([
    ['another channel’s id', () => ({ ...signedAnnounce(FACTS, ANN, BEA), channel: hexOf(new Uint8Array(32)) })],
    ['one signature twice', () => ({ ...signedAnnounce(FACTS, ANN, BEA), signatureA: signedAnnounce(FACTS, ANN, BEA).signatureB })],
    ['a stranger’s signature', () => signedAnnounce({ ...FACTS }, ANN.self < BEA.self ? ANN : CAL, ANN.self < BEA.self ? CAL : ANN)],
    ['what was signed for another sequence', () => ({ ...signedAnnounce(FACTS, ANN, BEA), sequence: 2n })],
    ['a time that is over', () => signedAnnounce(FACTS, ANN, BEA, { untilBlock: HEAD - 1 })],
    ['a time too long', () => signedAnnounce(FACTS, ANN, BEA, { untilBlock: HEAD + 200_001 })],
  ])('refuses an announcement with %s before the chain is asked', (_what, make) => {
    expect(hear(encodeAnnounce(make())).ok).toBe(false)
    expect(core.nextClaim()).toBeNull()
  })

  it('refuses facts of another channel or life', () => {
    for (const change of [{ epoch: 2n }, { a: CAL.self }, { token: node(3) }] as Partial<ChannelFacts>[]) {
      build()
      const announce = signedAnnounce(FACTS, ANN, BEA)
      hear(encodeAnnounce(announce))
      core.nextClaim()
      expect([change, core.proved(announce, { ...FACTS, ...change }, moment()), graph.channelCount]).toEqual([change, false, 0])
    }
  })

  const known = (): void => {
    const announce = signedAnnounce(FACTS, ANN, BEA)
    hear(encodeAnnounce(announce), null)
    core.nextClaim()
    core.proved(announce, FACTS, moment())
  }

  it('takes each policy once, the newest, from an end of the channel only', () => {
    known()
    const third = { ...signedPolicy(FACTS, CAL), from: CAL.self }
    expect(hear(encodePolicy(third))).toEqual({ ok: false, reason: 'old' })
    expect(hear(encodePolicy({ ...signedPolicy(FACTS, CAL), from: ANN.self }))).toEqual({ ok: false, reason: 'not signed by its sender' })
    expect(hear(encodePolicy(signedPolicy(FACTS, ANN, { ppm: 2 }, { sequence: 2n }))).ok).toBe(true)
    expect(hear(encodePolicy(signedPolicy(FACTS, ANN, { ppm: 2 }, { sequence: 2n })))).toEqual({ ok: false, reason: 'known' })
    expect(hear(encodePolicy(signedPolicy(FACTS, ANN, { ppm: 1 }, { sequence: 1n })))).toEqual({ ok: false, reason: 'old' })
    expect(hear(encodePolicy(signedPolicy(FACTS, ANN, { ppm: 9 }, { sequence: 3n, epoch: 2n })))).toEqual({ ok: false, reason: 'of an unknown channel' })
    expect(graph.newestPolicy(FACTS.channel, ANN.self)?.policy.ppm).toBe(2)
  })

  it('lets one origin speak only so often, whoever passes it on', () => {
    build({ perOrigin: { burst: 2, perSecond: 1 / 60 } })
    known()
    const say = (sequence: bigint, from: Address) => hear(encodePolicy(signedPolicy(FACTS, ANN, {}, { sequence })), from).ok
    expect([say(1n, NEIGHBOUR), say(2n, OTHER), say(3n, OTHER)]).toEqual([true, true, false])
    nowMs += 60_000
    expect(say(3n, OTHER)).toBe(true) // it was not held against it that it came too early
  })

  it('forgets a channel that closes, and one whose announcement is over', () => {
    known()
    core.onChain({ kind: 'deposited', channel: FACTS.channel, block: 101, participant: ANN.self, total: 9n })
    expect(core.nextClaim()?.channel).toBe(FACTS.channel) // its capacity is asked anew
    core.proved(FACTS, { ...FACTS, fundsA: FACTS.fundsA + 300n }, moment())
    expect(graph.get(FACTS.channel)?.capacity).toBe(1500n)
    core.onHead(10_000)
    expect(graph.channelCount).toBe(1)
    core.onHead(10_001)
    expect(graph.channelCount).toBe(0)
    build()
    known()
    core.onChain({ kind: 'closed', channel: FACTS.channel, block: 101, by: ANN.self, nonce: 0n, locksroot: hexOf(new Uint8Array(32)), transferred: 0n, settleBlock: 200 })
    expect(graph.channelCount).toBe(0)
  })

  it('gives a liar no more than his share of anything', () => {
    build({ maxUnproved: 12, maxUnprovedPerNeighbour: 4, maxSeen: 50, perNeighbour: { burst: 10_000, perSecond: 1 }, overall: { burst: 10_000, perSecond: 1 } })
    for (let liar = 0; liar < 12; liar++) {
      const one = signerOf(100 + liar)
      const facts = factsOf({ one: one.self, other: ANN.self, funds: [10n ** 20n, 10n ** 20n] })
      hear(encodeAnnounce(signedAnnounce(facts, one, ANN)))
    }
    expect(core.counts().unproved).toBe(4)
    hear(encodeAnnounce(signedAnnounce(FACTS, ANN, BEA)), OTHER)
    expect(core.counts().unproved).toBe(5) // there is room for the honest one
    for (let frame = 0; frame < 300; frame++) hear(encodeAnnounce({ ...signedAnnounceBase, sequence: BigInt(frame + 1) }))
    expect(core.counts().seen).toBeLessThanOrEqual(50)
  })
  const signedAnnounceBase = signedAnnounce(factsOf({ one: BEA.self, other: CAL.self, funds: [1n, 1n] }), BEA, CAL)
})

describe('the graph', () => {
  const facts = (one: number, other: number, funds: bigint, change: object = {}): ChannelFacts => ({ ...factsOf({ one: node(one), other: node(other), funds: [funds, funds] }), ...change })

  it('calls core what both ends and the chain call so', () => {
    const isCore = (one: ChannelFacts, saysCore = true): boolean | undefined => {
      const graph = new ChannelGraph(LIMITS)
      graph.add(one, unsignedAnnounce(one, { isCore: saysCore }))
      return graph.get(one.channel)?.isCore
    }
    expect(isCore(facts(0, 1, 100n))).toBe(true)
    expect(isCore(facts(0, 1, 100n), false)).toBe(false)
    expect(isCore(facts(0, 1, 100n, { settleTimeout: 39_999 }))).toBe(false)
    expect(isCore(facts(0, 1, 100n, { fundsA: 99n }))).toBe(false)
  })

  it('is full of the largest: a newcomer has to be larger than the smallest', () => {
    const graph = new ChannelGraph({ ...LIMITS, maxChannels: 3 })
    const add = (one: ChannelFacts) => graph.add(one, unsignedAnnounce(one))
    for (const [at, funds] of [500n, 300n, 400n].entries()) expect(add(facts(2 * at, 2 * at + 1, funds))).toEqual({ ok: true, evicted: null })
    expect(add(facts(10, 11, 300n)).ok).toBe(false)
    expect(add(facts(10, 11, 301n))).toEqual({ ok: true, evicted: facts(2, 3, 300n).channel })
    expect([graph.channelCount, graph.nodeCount]).toEqual([3, 6])
    expect(add(facts(12, 13, 49n))).toEqual({ ok: false, reason: 'holds too little' })
    expect(add(facts(10, 11, 10n)).ok).toBe(false) // a known one that has shrunk goes too
    expect([graph.channelCount, graph.nodeCount]).toEqual([2, 4])
  })

  it('lets no node have more than its number of channels', () => {
    const graph = new ChannelGraph({ ...LIMITS, maxChannelsPerNode: 2 })
    for (const [other, funds] of [[1, 200n], [2, 300n], [3, 100n]] as const) graph.add(facts(0, other, funds), unsignedAnnounce(facts(0, other, funds)))
    expect([...graph.channelsOf(node(0))].map((one) => one.capacity)).toEqual([400n, 600n])
    expect(graph.add(facts(0, 4, 250n), unsignedAnnounce(facts(0, 4, 250n)))).toEqual({ ok: true, evicted: facts(0, 1, 200n).channel })
  })

  it('keeps policies over a renewal, not into another life', () => {
    const graph = new ChannelGraph(LIMITS)
    const one = facts(0, 1, 100n)
    graph.add(one, unsignedAnnounce(one))
    graph.setPolicy(unsignedPolicy(one, node(0)))
    graph.add(one, unsignedAnnounce(one, announceOf(one, { sequence: 2n })))
    expect(graph.newestPolicy(one.channel, node(0))).not.toBeNull()
    graph.add({ ...one, epoch: 2n }, unsignedAnnounce({ ...one, epoch: 2n }))
    expect(graph.newestPolicy(one.channel, node(0))).toBeNull()
  })
})
