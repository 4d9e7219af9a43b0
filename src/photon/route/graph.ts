/**
 * The channels that a box knows of, bounded in number. Only what the chain has proved comes in, so a place in it costs
 * a deposit; when it is full the channel with the smallest capacity goes, so a flood costs as much as it holds.
 */
import type { Address, Hash } from '../../base/index.ts'
import type { ChannelKey } from '../ports.ts'
import type { SignedAnnounce, SignedPolicy } from './announce.ts'
import type { CoreRule } from './core-channel.ts'
import { isCoreChannel } from './core-channel.ts'
import type { ChannelFacts } from './ports.ts'

export interface GraphLimits {
  /** Nodes are those at the ends of channels, so there are at most twice as many. */
  readonly maxChannels: number
  readonly maxChannelsPerNode: number
  /** Channels that hold less do not count. */
  readonly minCapacity: bigint
  readonly core: CoreRule
}

/** `before` counts until `newest` is valid. */
interface PolicySide {
  readonly newest: SignedPolicy
  readonly before: SignedPolicy | null
}

export interface GraphChannel {
  readonly facts: ChannelFacts
  readonly announce: SignedAnnounce
  readonly capacity: bigint
  readonly isCore: boolean
}

interface Entry extends GraphChannel {
  readonly policies: Map<Address, PolicySide>
}

export type Added = { readonly ok: true; readonly evicted: Hash | null } | { readonly ok: false; readonly reason: string }

export class ChannelGraph {
  readonly #limits: GraphLimits
  readonly #channels = new Map<Hash, Entry>()
  /** Each node's channels at hand: every search goes through nearly all of them. */
  readonly #nodes = new Map<Address, Map<Hash, Entry>>()

  #version = 0

  constructor(limits: GraphLimits) {
    this.#limits = limits
  }

  /** Another number after each change of which channels there are; policies aside. */
  get version(): number {
    return this.#version
  }

  get channelCount(): number {
    return this.#channels.size
  }
  get nodeCount(): number {
    return this.#nodes.size
  }

  /** A channel that the chain has proved, or newer facts or a newer announcement of a known one. */
  add(facts: ChannelFacts, announce: SignedAnnounce): Added {
    const capacity = facts.fundsA + facts.fundsB
    const known = this.#channels.get(facts.channel)
    if (capacity < this.#limits.minCapacity) {
      this.remove(facts.channel)
      return { ok: false, reason: 'holds too little' }
    }
    const entry: Entry = {
      facts,
      announce,
      capacity,
      isCore: isCoreChannel(facts, announce.isCore, this.#limits.core),
      policies: known !== undefined && known.facts.epoch === facts.epoch ? known.policies : new Map<Address, PolicySide>(),
    }
    if (known !== undefined) {
      this.#put(entry)
      return { ok: true, evicted: null }
    }
    const evicted = this.#makeRoom(facts, capacity)
    if (evicted === 'none') return { ok: false, reason: 'the graph is full of larger channels' }
    this.#put(entry)
    return { ok: true, evicted }
  }

  /** False: the channel is unknown in that life, the sender is not an end of it, or a newer one is known. */
  setPolicy(update: SignedPolicy): boolean {
    if (!this.wouldTake(update)) return false
    const policies = this.#channels.get(update.channel)?.policies
    const known = policies?.get(update.from)
    policies?.set(update.from, { newest: update, before: known?.newest ?? null })
    return true
  }

  wouldTake(update: SignedPolicy): boolean {
    const entry = this.#channels.get(update.channel)
    if (entry === undefined || entry.facts.epoch !== update.epoch) return false
    if (update.from !== entry.facts.a && update.from !== entry.facts.b) return false
    const known = entry.policies.get(update.from)
    return known === undefined || update.sequence > known.newest.sequence
  }

  /** What `from` asks now; null: it has said nothing, or nothing that still counts. `nowSeconds` null: the clock is not to be trusted. */
  policy(channel: Hash, from: Address, nowSeconds: number | null): SignedPolicy | null {
    const side = this.#channels.get(channel)?.policies.get(from)
    if (side === undefined) return null
    const isValid = nowSeconds === null || side.newest.policy.validFromSeconds <= nowSeconds
    return isValid ? side.newest : side.before
  }

  newestPolicy(channel: Hash, from: Address): SignedPolicy | null {
    return this.#channels.get(channel)?.policies.get(from)?.newest ?? null
  }

  get(channel: Hash): GraphChannel | null {
    return this.#channels.get(channel) ?? null
  }

  /** In the order of their coming. */
  channelsOf(node: Address): Iterable<GraphChannel> {
    return this.#nodes.get(node)?.values() ?? []
  }

  all(): Iterable<GraphChannel> {
    return this.#channels.values()
  }

  has(key: ChannelKey): boolean {
    return this.#channels.get(key.channel)?.facts.epoch === key.epoch
  }

  remove(channel: Hash): boolean {
    const entry = this.#channels.get(channel)
    if (entry === undefined) return false
    this.#version++
    this.#channels.delete(channel)
    for (const node of [entry.facts.a, entry.facts.b]) {
      const rest = this.#nodes.get(node)
      rest?.delete(channel)
      if (rest?.size === 0) this.#nodes.delete(node)
    }
    return true
  }

  /** Takes out what counts no more after block `head`; gives what went. */
  prune(head: number): readonly Hash[] {
    const gone = [...this.#channels.values()].filter((entry) => entry.announce.untilBlock < head).map((entry) => entry.facts.channel)
    for (const channel of gone) this.remove(channel)
    for (const entry of this.#channels.values())
      for (const [from, side] of entry.policies) if (side.newest.untilBlock < head) entry.policies.delete(from)
    return gone
  }

  #put(entry: Entry): void {
    const { channel, a, b } = entry.facts
    this.#version++
    this.#channels.set(channel, entry)
    for (const node of [a, b]) this.#nodes.set(node, (this.#nodes.get(node) ?? new Map<Hash, Entry>()).set(channel, entry))
  }

  /** The channel that has to go, null when there is room, `none` when the newcomer is the smallest. */
  #makeRoom(facts: ChannelFacts, capacity: bigint): Hash | null | 'none' {
    const victims: Entry[] = []
    for (const node of [facts.a, facts.b]) {
      const own = this.#nodes.get(node)
      if (own === undefined || own.size < this.#limits.maxChannelsPerNode) continue
      const smallest = this.#smallest(own.keys())
      if (smallest === null || smallest.capacity >= capacity) return 'none'
      victims.push(smallest)
    }
    if (victims.length === 0 && this.#channels.size >= this.#limits.maxChannels) {
      const smallest = this.#smallest(this.#channels.keys())
      if (smallest === null || smallest.capacity >= capacity) return 'none'
      victims.push(smallest)
    }
    for (const victim of victims) this.remove(victim.facts.channel)
    return victims[0]?.facts.channel ?? null
  }

  #smallest(channels: Iterable<Hash>): Entry | null {
    let smallest: Entry | null = null
    for (const channel of channels) {
      const entry = this.#channels.get(channel)
      if (entry === undefined) continue
      const isSmaller = smallest === null || entry.capacity < smallest.capacity || (entry.capacity === smallest.capacity && channel > smallest.facts.channel)
      if (isSmaller) smallest = entry
    }
    return smallest
  }
}
