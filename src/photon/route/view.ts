/** The graph as a search sees it at one moment: own channels exactly, others by what they announce and what tries have taught. */
import type { Address, Hash } from '../../base/index.ts'
import type { FeePolicy } from '../ports.ts'
import type { Estimates } from './estimates.ts'
import { worstFeeOf } from './fee.ts'
import type { ChannelGraph } from './graph.ts'
import type { LinkQuality, Links, OwnChannel } from './ports.ts'
import type { Edge, Network } from './search.ts'

/** A target behind a channel that is not announced (a guest's), told by the target itself. */
export interface PathHint {
  /** The box at the other end; it pays the target. */
  readonly box: Address
  readonly channel: Hash
  readonly capacity: bigint
  readonly maxLock: bigint
  readonly policy: FeePolicy
}

/** So much dearer is each hop, in parts per million: of two paths at the same fee the shorter one. */
const HOP_PPM = 200n
/** At half the channel's capacity; a payment of nearly all of it is nearly hopeless. */
const UNCERTAINTY_PPM = 2_000n
/** A neighbour at the edge of reach, against one next door. */
const LINK_PPM = 5_000n
const FULL_TQ = 255
const GOOD_THROUGHPUT_KBPS = 10_000

export interface ViewOptions {
  readonly self: Address
  readonly token: Address
  readonly target: Address
  readonly graph: ChannelGraph
  readonly own: readonly OwnChannel[]
  /** Keeps what few payments change; null: all is looked at anew. */
  readonly distances: Distances | null
  readonly links: Links
  readonly estimates: Estimates
  readonly hints: readonly PathHint[]
  /** Null while the wall clock is not to be trusted. */
  readonly nowSeconds: number | null
}

export function viewOf(options: ViewOptions): Network {
  const { self, token, target, graph, estimates, nowSeconds } = options
  const own = options.own.filter((channel) => channel.token === token && channel.isUsable && channel.spendable > 0n)
  const made = new Map<Address, readonly Edge[]>()

  const ownEdge = (channel: OwnChannel): Edge => {
    const linkPpm = linkPenaltyPpm(options.links.quality(channel.partner))
    return {
      from: self,
      to: channel.partner,
      channel: channel.channel,
      isCore: channel.role === 'core',
      limit: min(channel.spendable, channel.maxLock),
      fee: () => 0n, // one's own money leaves for nothing
      risk: (amount) => amount * (HOP_PPM + linkPpm + estimates.penaltyPpm(channel.channel, self)),
    }
  }
  const othersEdge = (from: Address, to: Address, it: { channel: Hash; capacity: bigint; maxLock: bigint; isCore: boolean; policy: FeePolicy }): Edge => ({
    from,
    to,
    channel: it.channel,
    isCore: it.isCore,
    limit: min(estimates.believed(it.channel, from, it.capacity), it.maxLock),
    fee: (amount) => worstFeeOf(it.policy, amount),
    risk: (amount) => amount * (HOP_PPM + estimates.penaltyPpm(it.channel, from) + uncertaintyPpm(amount, it.capacity)),
  })
  const build = (node: Address): readonly Edge[] => {
    if (node === self) return []
    const edges = own.filter((channel) => channel.partner === node).map(ownEdge)
    for (const known of graph.channelsOf(node)) {
      const from = known.facts.a === node ? known.facts.b : known.facts.a
      const update = from === self || known.facts.token !== token ? null : graph.policy(known.facts.channel, from, nowSeconds)
      if (update === null || update.isDisabled) continue
      edges.push(othersEdge(from, node, { channel: known.facts.channel, capacity: known.capacity, maxLock: update.maxLock, isCore: known.isCore, policy: update.policy }))
    }
    if (node === target) for (const hint of options.hints) if (hint.box !== self) edges.push(othersEdge(hint.box, node, { ...hint, isCore: false }))
    return edges
  }
  const hops = (options.distances ?? new Distances()).from(self, token, new Set(own.map((channel) => channel.partner)), graph)
  const hopsOf = (node: Address): number => hops.get(node) ?? Number.POSITIVE_INFINITY
  const toTarget = options.hints.reduce((least, { box }) => Math.min(least, hopsOf(box) + 1), hopsOf(target))
  return {
    leastRiskPpm: HOP_PPM,
    leastHops: (node) => (node === target ? toTarget : hopsOf(node)),
    into(node) {
      const edges = made.get(node) ?? build(node)
      made.set(node, edges)
      return edges
    },
  }
}

/** Hops from this box, over whatever channels of a token there are: what a search need not look at. Made anew when channels come or go. */
export class Distances {
  readonly #known = new Map<Address, { readonly graph: ChannelGraph; readonly version: number; readonly partners: ReadonlySet<Address>; readonly hops: ReadonlyMap<Address, number> }>()

  from(self: Address, token: Address, partners: ReadonlySet<Address>, graph: ChannelGraph): ReadonlyMap<Address, number> {
    const known = this.#known.get(token)
    if (known !== undefined && known.graph === graph && known.version === graph.version && isSameSet(known.partners, partners)) return known.hops
    const hops = hopsFrom(self, token, partners, graph)
    if (known === undefined && this.#known.size >= MAX_TOKENS) this.#known.clear()
    this.#known.set(token, { graph, version: graph.version, partners, hops })
    return hops
  }
}

const MAX_TOKENS = 16

function isSameSet(one: ReadonlySet<Address>, other: ReadonlySet<Address>): boolean {
  if (one.size !== other.size) return false
  for (const each of one) if (!other.has(each)) return false
  return true
}

function hopsFrom(self: Address, token: Address, partners: ReadonlySet<Address>, graph: ChannelGraph): ReadonlyMap<Address, number> {
  const hops = new Map<Address, number>([[self, 0]])
  for (const partner of partners) hops.set(partner, 1)
  let edge = [...partners]
  for (let distance = 2; edge.length > 0; distance++) {
    const following: Address[] = []
    for (const node of edge)
      for (const { facts } of graph.channelsOf(node)) {
        if (facts.token !== token) continue
        const other = facts.a === node ? facts.b : facts.a
        if (hops.has(other)) continue
        hops.set(other, distance)
        following.push(other)
      }
    edge = following
  }
  return hops
}

/** With a balance as likely here as there, an amount near the capacity will hardly pass. */
function uncertaintyPpm(amount: bigint, capacity: bigint): bigint {
  return amount > capacity ? 0n : (amount * UNCERTAINTY_PPM) / (capacity + 1n - amount)
}

function linkPenaltyPpm(quality: LinkQuality): bigint {
  if (quality.tq !== null) return (LINK_PPM * BigInt(FULL_TQ - clamp(quality.tq, FULL_TQ))) / BigInt(FULL_TQ)
  if (quality.throughputKbps !== null) return (LINK_PPM * BigInt(GOOD_THROUGHPUT_KBPS - clamp(quality.throughputKbps, GOOD_THROUGHPUT_KBPS))) / BigInt(GOOD_THROUGHPUT_KBPS)
  return 0n
}

function clamp(value: number, max: number): number {
  return Number.isFinite(value) ? Math.min(max, Math.max(0, Math.floor(value))) : 0
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
