/**
 * Who is told what about channels. Pure: frames in, and what to prove and to send out. A frame passes, in this order:
 * the neighbour's allowance, its form, what is known already, the signatures, the origin's allowance, and for an
 * announcement the chain. Only then does it count, and only then is it told on. Every list here is bounded, and each
 * neighbour has a share of its own in each, so that a liar fills his own share.
 */
import { hexOf, RateLimit } from '../../base/index.ts'
import type { Address, BucketRule, Hash } from '../../base/index.ts'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { ChannelEvent, ChannelKey, Domain } from '../ports.ts'
import { announceDigest, channelIdOf, decodeGossip, encodeAnnounce, encodePolicy, policyDigest } from './announce.ts'
import type { SignedAnnounce, SignedPolicy } from './announce.ts'
import type { ChannelGraph } from './graph.ts'
import type { ChannelFacts } from './ports.ts'

export interface GossipLimits {
  /** Frames from one neighbour, and from all. */
  readonly perNeighbour: BucketRule
  readonly overall: BucketRule
  /** Announcements and policies of one account and channel, wherever they come from. */
  readonly perOrigin: BucketRule
  readonly maxNeighbours: number
  /** Claims waiting for the chain, in all and from one neighbour. */
  readonly maxUnproved: number
  readonly maxUnprovedPerNeighbour: number
  /** Refused or seen frames whose hash is remembered. */
  readonly maxSeen: number
  /** How far ahead `untilBlock` may lie. */
  readonly maxValidBlocks: number
  /** A false claim costs this many frames of the neighbour's allowance. */
  readonly falseClaimCost: number
}

export const GOSSIP_LIMITS: GossipLimits = {
  perNeighbour: { burst: 600, perSecond: 8 },
  overall: { burst: 2000, perSecond: 24 },
  perOrigin: { burst: 6, perSecond: 1 / 60 },
  maxNeighbours: 64,
  maxUnproved: 256,
  maxUnprovedPerNeighbour: 64,
  maxSeen: 8192,
  maxValidBlocks: 200_000,
  falseClaimCost: 50,
}

export interface GossipMoment {
  readonly nowMs: number
  /** Newest verified block; 0 before the first. */
  readonly block: number
}

export type Taken = { readonly ok: true; readonly what: 'announce-waits' | 'policy' | 'policy-waits' } | { readonly ok: false; readonly reason: string }

interface Claim {
  readonly announce: SignedAnnounce
  readonly from: Address | null
  /** Policies that came before the proof did, one from each end. */
  readonly policies: Map<Address, SignedPolicy>
  isAsked: boolean
}

const KNOWN = 'known'
const OLD = 'old'
const WRONG_CHANNEL = 'not the channel of these two in this token'
const NOT_BY_BOTH = 'not signed by both ends'
const NOT_BY_SENDER = 'not signed by its sender'
/** Refusals that will be the same whenever the frame comes. */
const FOR_GOOD: ReadonlySet<string> = new Set([OLD, WRONG_CHANNEL, NOT_BY_BOTH, NOT_BY_SENDER])
/** Nothing to tell of in a log: neighbours overlap. */
export const EXPECTED_REFUSALS: ReadonlySet<string> = new Set([KNOWN, OLD])

export class GossipCore {
  readonly #domain: Domain
  readonly #recover: (digest: Uint8Array, signature: Uint8Array) => Address | null
  readonly #graph: ChannelGraph
  readonly #limits: GossipLimits
  readonly #neighbourRate: RateLimit
  readonly #overallRate: RateLimit
  readonly #originRate: RateLimit
  readonly #seen = new Set<string>()
  readonly #claims = new Map<Hash, Claim>()
  /** What each neighbour has not been told yet: channel, or channel and end. The newest form is made when it is sent. */
  readonly #untold = new Map<Address, Set<string>>()

  constructor(options: { domain: Domain; recover: (digest: Uint8Array, signature: Uint8Array) => Address | null; graph: ChannelGraph; limits?: GossipLimits }) {
    this.#domain = options.domain
    this.#recover = options.recover
    this.#graph = options.graph
    this.#limits = options.limits ?? GOSSIP_LIMITS
    this.#neighbourRate = new RateLimit(this.#limits.perNeighbour, this.#limits.maxNeighbours * 4)
    this.#overallRate = new RateLimit(this.#limits.overall, 1)
    this.#originRate = new RateLimit(this.#limits.perOrigin, 8192)
  }

  /**
   * A neighbour is there: it is told all that is known, announcements before policies. Also
   * now and then again: what it had no room for it can take later, and what it knows costs it a hash. False: too many neighbours.
   */
  connected(neighbour: Address): boolean {
    if (!this.#untold.has(neighbour) && this.#untold.size >= this.#limits.maxNeighbours) return false
    const untold = new Set<string>()
    for (const channel of this.#graph.all()) untold.add(channel.facts.channel)
    for (const { facts } of this.#graph.all())
      for (const end of [facts.a, facts.b]) if (this.#graph.newestPolicy(facts.channel, end) !== null) untold.add(policyName(facts.channel, end))
    this.#untold.set(neighbour, untold)
    return true
  }

  /** Everything is said to it. */
  hasHeardAll(neighbour: Address): boolean {
    return this.#untold.get(neighbour)?.size === 0
  }

  disconnected(neighbour: Address): void {
    this.#untold.delete(neighbour)
  }

  /** Takes one frame of the neighbour's allowance; false when there is none left. */
  admits(from: Address, moment: GossipMoment): boolean {
    return this.#neighbourRate.take(from, moment.nowMs) === 0 && this.#overallRate.take('all', moment.nowMs) === 0
  }

  /** A frame from a neighbour; `from` null: from this box. Never throws on what is in it. */
  receive(from: Address | null, frame: Uint8Array, moment: GossipMoment): Taken {
    if (from !== null && !this.admits(from, moment)) return no('too many frames')
    const gossip = decodeGossip(frame)
    if ('refused' in gossip) return no(gossip.refused)
    const name = hexOf(keccak_256(frame))
    if (this.#seen.has(name)) {
      if (from !== null) this.#untold.get(from)?.delete(gossip.kind === 'announce' ? gossip.announce.channel : policyName(gossip.update.channel, gossip.update.from))
      return no(KNOWN)
    }
    const taken = gossip.kind === 'announce' ? this.#takeAnnounce(from, gossip.announce, moment) : this.#takePolicy(from, gossip.update, moment)
    // What another moment would judge otherwise is not remembered: it may come again.
    if (taken.ok || FOR_GOOD.has(taken.reason)) this.#remember(name)
    return taken
  }

  /** The next claim to be checked with the chain, each once until it is answered by `proved`. */
  nextClaim(): SignedAnnounce | null {
    for (const claim of this.#claims.values()) {
      if (claim.isAsked) continue
      claim.isAsked = true
      return claim.announce
    }
    return null
  }

  /** What the chain says. `absent` makes it a lie; null: ask again later. True: it is in the graph and is told on. */
  proved(key: ChannelKey, answer: ChannelFacts | 'absent' | null, moment: GossipMoment): boolean {
    const claim = this.#claims.get(key.channel)
    if (claim === undefined || claim.announce.epoch !== key.epoch) return false
    if (answer === null) {
      // To the end of the line, so that one that cannot be proved now does not keep the others waiting.
      this.#claims.delete(key.channel)
      this.#claims.set(key.channel, claim)
      claim.isAsked = false
      return false
    }
    this.#claims.delete(key.channel)
    if (answer === 'absent' || !agrees(claim.announce, answer)) {
      this.#graph.remove(key.channel)
      for (let cost = 0; claim.from !== null && cost < this.#limits.falseClaimCost; cost++) this.#neighbourRate.take(claim.from, moment.nowMs)
      return false
    }
    if (!this.#graph.add(answer, claim.announce).ok) return false
    this.#tell(key.channel, claim.from)
    for (const update of claim.policies.values()) if (this.#graph.setPolicy(update)) this.#tell(policyName(update.channel, update.from), claim.from)
    return true
  }

  /** What the contract's own events say of channels in the graph. */
  onChain(event: ChannelEvent): void {
    if (event.kind === 'closed' || event.kind === 'settled') {
      this.#graph.remove(event.channel)
      this.#claims.delete(event.channel)
      return
    }
    const changesFunds = event.kind === 'deposited' || event.kind === 'withdrawn' || event.kind === 'claimed'
    const known = this.#graph.get(event.channel)
    if (!changesFunds || known === null || this.#claims.has(event.channel) || this.#claims.size >= this.#limits.maxUnproved) return
    this.#claims.set(event.channel, { announce: known.announce, from: null, policies: new Map(), isAsked: false })
  }

  onHead(block: number): void {
    this.#graph.prune(block)
    for (const [channel, claim] of this.#claims) if (claim.announce.untilBlock < block) this.#claims.delete(channel)
  }

  /** Up to `most` frames that this neighbour has not been told. */
  framesFor(neighbour: Address, most: number): readonly Uint8Array[] {
    const untold = this.#untold.get(neighbour)
    const frames: Uint8Array[] = []
    for (const name of untold ?? []) {
      if (frames.length >= most) break
      untold?.delete(name)
      const frame = this.#frameOf(name)
      if (frame !== null) frames.push(frame)
    }
    return frames
  }

  /** For the owner's page. */
  counts(): { readonly seen: number; readonly unproved: number; readonly neighbours: number; readonly untold: number } {
    let untold = 0
    for (const names of this.#untold.values()) untold += names.size
    return { seen: this.#seen.size, unproved: this.#claims.size, neighbours: this.#untold.size, untold }
  }

  #takeAnnounce(from: Address | null, announce: SignedAnnounce, moment: GossipMoment): Taken {
    if (!this.#isTimely(announce.untilBlock, moment)) return no('expired, or valid too long')
    if (announce.channel !== channelIdOf(this.#domain.contract, announce.token, announce.a, announce.b)) return no(WRONG_CHANNEL)
    const known = this.#graph.get(announce.channel)
    if (known !== null && (announce.epoch < known.facts.epoch || (announce.epoch === known.facts.epoch && announce.sequence <= known.announce.sequence))) return no(OLD)
    const waiting = this.#claims.get(announce.channel)
    if (waiting !== undefined && waiting.announce.sequence >= announce.sequence) return no('waits already')
    if (waiting === undefined && !this.#hasRoom(from)) return no('too many claims wait for the chain')
    const digest = announceDigest(this.#domain, announce)
    if (this.#recover(digest, announce.signatureA) !== announce.a || this.#recover(digest, announce.signatureB) !== announce.b) return no(NOT_BY_BOTH)
    if (from !== null && this.#originRate.take(announce.channel, moment.nowMs) > 0) return no('too many announcements of this channel')
    this.#claims.set(announce.channel, { announce, from, policies: waiting?.policies ?? new Map<Address, SignedPolicy>(), isAsked: false })
    return { ok: true, what: 'announce-waits' }
  }

  #takePolicy(from: Address | null, update: SignedPolicy, moment: GossipMoment): Taken {
    if (!this.#isTimely(update.untilBlock, moment)) return no('expired, or valid too long')
    const claim = this.#claims.get(update.channel)
    const waits = !this.#graph.has(update) && claim !== undefined && claim.announce.epoch === update.epoch && (update.from === claim.announce.a || update.from === claim.announce.b)
    const parked = claim?.policies.get(update.from)
    if (!waits && !this.#graph.has(update)) return no('of an unknown channel')
    if (waits ? parked !== undefined && parked.sequence >= update.sequence : !this.#graph.wouldTake(update)) return no(OLD)
    if (this.#recover(policyDigest(this.#domain, update), update.signature) !== update.from) return no(NOT_BY_SENDER)
    if (from !== null && this.#originRate.take(policyName(update.channel, update.from), moment.nowMs) > 0) return no('too many policies of this sender')
    if (waits) {
      claim.policies.set(update.from, update)
      return { ok: true, what: 'policy-waits' }
    }
    this.#graph.setPolicy(update)
    this.#tell(policyName(update.channel, update.from), from)
    return { ok: true, what: 'policy' }
  }

  #isTimely(untilBlock: number, moment: GossipMoment): boolean {
    return untilBlock >= moment.block && untilBlock <= moment.block + this.#limits.maxValidBlocks
  }

  #hasRoom(from: Address | null): boolean {
    if (from === null) return true
    if (this.#claims.size >= this.#limits.maxUnproved) return false
    let own = 0
    for (const claim of this.#claims.values()) if (claim.from === from) own++
    return own < this.#limits.maxUnprovedPerNeighbour
  }

  #tell(name: string, except: Address | null): void {
    for (const [neighbour, untold] of this.#untold) if (neighbour !== except) untold.add(name)
  }

  #frameOf(name: string): Uint8Array | null {
    const [channel, end] = name.split(' ') as [Hash, Address | undefined]
    if (end !== undefined) {
      const update = this.#graph.newestPolicy(channel, end)
      return update === null ? null : encodePolicy(update)
    }
    const known = this.#graph.get(channel)
    return known === null ? null : encodeAnnounce(known.announce)
  }

  #remember(name: string): void {
    if (this.#seen.size >= this.#limits.maxSeen) {
      const oldest = this.#seen.keys().next()
      if (!oldest.done) this.#seen.delete(oldest.value)
    }
    this.#seen.add(name)
  }
}

function no(reason: string): Taken {
  return { ok: false, reason }
}

function agrees(announce: SignedAnnounce, facts: ChannelFacts): boolean {
  return facts.channel === announce.channel && facts.epoch === announce.epoch && facts.token === announce.token && facts.a === announce.a && facts.b === announce.b
}

function policyName(channel: Hash, end: Address): string {
  return `${channel} ${end}`
}
