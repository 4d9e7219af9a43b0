/** The box's own router: the `Router` of the room's ports, over the gossip graph and the box's own channels. */
import { inputError, MAX_AMOUNT } from '../../base/index.ts'
import type { Address, Clock, Hash, Randomness } from '../../base/index.ts'
import type { Path, PathRequest, Router } from '../ports.ts'
import { Lessons } from './estimates.ts'
import { worstFeeOf } from './fee.ts'
import type { ChannelGraph } from './graph.ts'
import { singlePaths, splitPaths } from './parts.ts'
import type { Links, OwnChannels } from './ports.ts'
import type { Found, Network, Query } from './search.ts'
import { MAX_LOOKS, cheapestPath } from './search.ts'
import type { PathHint } from './view.ts'
import { Distances, viewOf } from './view.ts'

/** photon.maxPath */
export const MAX_HOPS = 5
const MAX_PARTS = 8
const MAX_HINTS = 4

/** 6.3: refusals for want of money in the channel, … */
const MONEY_CODES: ReadonlySet<number> = new Set([1002, 3008])
/** … of the channel that the payment came in by, … */
const INCOMING_CODES: ReadonlySet<number> = new Set([3006, 3007])
/** … and by the node itself, whatever the channel. */
const NODE_CODES: ReadonlySet<number> = new Set([1013, 1014])

export interface LocalRouterOptions {
  readonly self: Address
  readonly graph: ChannelGraph
  readonly own: OwnChannels
  readonly links: Links
  readonly clock: Clock
  /** Orders paths that are equally good, so that not all boxes load the same one. */
  readonly randomness: Randomness
}

/** A path of the box to itself that comes home through `back`. */
export interface Cycle {
  readonly path: Path
  readonly back: Hash
}

export interface CycleRequest {
  readonly token: Address
  readonly back: Hash
  /** What is to come home. */
  readonly amount: bigint
  readonly maxFee: bigint
  /** Own channels that it may leave through. */
  mayLeave(channel: Hash): boolean
}

export class LocalRouter implements Router {
  readonly #options: LocalRouterOptions
  readonly #lessons: Lessons
  readonly #distances = new Distances()

  constructor(options: LocalRouterOptions) {
    this.#options = options
    this.#lessons = new Lessons(() => options.clock.boottimeMs())
  }

  /** Single paths by fee and risk; sets of parts where no single path carries the amount. Errors: input: an amount, fee or number of parts that cannot be. */
  find(request: PathRequest, hints: readonly PathHint[] = []): readonly (readonly Path[])[] {
    checkRequest(request)
    const { self } = this.#options
    if (request.target === self) return []
    const network = this.#view(request.token, request.target, hints.slice(0, MAX_HINTS))
    const query: Query = { source: self, target: request.target, amount: request.amount, maxFee: request.maxFee, maxHops: MAX_HOPS, budget: { looksLeft: MAX_LOOKS }, isBanned: () => false }
    const singles = singlePaths(network, query).map((found) => [found])
    const sets = singles.length > 0 ? singles : splitPaths(network, query, request.maxParts)
    return this.#ordered(sets).map((parts) => parts.map(pathOf))
  }

  /**
   * `hopIndex`: the node in `path.hops` that refused. What it could not do is blamed on the channel that it should have
   * paid out of, or on the one that it was paid by, or on itself, as the code says; −1 blames the box's own first channel.
   */
  report(path: Path, outcome: { readonly ok: true } | { readonly ok: false; readonly hopIndex: number; readonly code: number }): void {
    const payerOf = (index: number): Address => path.hops[index - 1]?.node ?? this.#options.self
    if (outcome.ok) {
      path.hops.forEach((hop, index) => this.#lessons.passed(hop.channel, payerOf(index)))
      return
    }
    const { hopIndex, code } = outcome
    const node = path.hops[hopIndex]?.node
    if (node !== undefined && NODE_CODES.has(code) && hopIndex < path.hops.length - 1) return this.#lessons.nodeRefused(node)
    const blamed = INCOMING_CODES.has(code) ? hopIndex : hopIndex + 1
    const hop = path.hops[blamed]
    if (hop !== undefined) this.#lessons.channelRefused(hop.channel, payerOf(blamed), hop.amount, MONEY_CODES.has(code))
  }

  /**
   * The cheapest way to bring `amount` home through the own channel `back`, over core channels only. Null: none with a
   * fee of at most `maxFee`.
   */
  findCycle(request: CycleRequest): Cycle | null {
    const { self, graph, own } = this.#options
    const home = own.all().find((channel) => channel.channel === request.back)
    if (home === undefined || !home.isUsable || home.role !== 'core' || home.receivable < request.amount || request.amount <= 0n) return null
    const asks = graph.policy(home.channel, home.partner, this.#nowSeconds())
    if (asks === null || asks.isDisabled || asks.maxLock < request.amount) return null
    // The partner is given the amount and its own fee, over any other way, and pays it back through `back`.
    const backFee = worstFeeOf(asks.policy, request.amount)
    const found = cheapestPath(this.#view(request.token, home.partner, []), {
      source: self,
      target: home.partner,
      amount: request.amount + backFee,
      maxFee: request.maxFee - backFee,
      maxHops: MAX_HOPS - 1,
      isBanned: (edge) => !edge.isCore || (edge.from === self && (edge.channel === home.channel || !request.mayLeave(edge.channel))),
    })
    if (found === null) return null
    const there = pathOf(found)
    const hops = [...there.hops, { node: self, channel: home.channel, amount: request.amount }]
    return { path: { hops, amount: request.amount, fee: there.fee + backFee }, back: home.channel }
  }

  #view(token: Address, target: Address, hints: readonly PathHint[]): Network {
    const { self, graph, own, links } = this.#options
    return viewOf({ self, token, target, graph, own: own.all(), distances: this.#distances, links, estimates: this.#lessons, hints, nowSeconds: this.#nowSeconds() })
  }

  #nowSeconds(): number | null {
    const { clock } = this.#options
    return clock.isWallTrusted() ? Math.floor(clock.wallMs() / 1000) : null
  }

  #ordered(sets: readonly (readonly Found[])[]): readonly (readonly Found[])[] {
    const scoreOf = (parts: readonly Found[]): bigint => parts.reduce((sum, part) => sum + part.score, 0n)
    const drawn = sets.map((parts) => ({ parts, score: scoreOf(parts), lot: this.#options.randomness.bytes(4) }))
    drawn.sort((a, b) => (a.score !== b.score ? (a.score < b.score ? -1 : 1) : Buffer.compare(a.lot, b.lot)))
    return drawn.map(({ parts }) => parts)
  }
}

function checkRequest(request: PathRequest): void {
  if (request.amount <= 0n || request.amount > MAX_AMOUNT) throw inputError('amount', request.amount, '1 to 2^128 − 1 smallest units')
  if (request.maxFee < 0n || request.maxFee > MAX_AMOUNT) throw inputError('maxFee', request.maxFee, '0 to 2^128 − 1 smallest units')
  if (!Number.isInteger(request.maxParts) || request.maxParts < 1 || request.maxParts > MAX_PARTS) throw inputError('maxParts', request.maxParts, `1 to ${MAX_PARTS}`)
}

function pathOf(found: Found): Path {
  const hops = found.edges.map((edge, at) => ({ node: edge.to, channel: edge.channel, amount: found.amounts[at] ?? 0n }))
  return { hops, amount: found.amounts.at(-1) ?? 0n, fee: found.fee }
}
