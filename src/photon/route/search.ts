/**
 * The cheapest path, searched backwards from the target, since what a node must be given depends on what it has to
 * pass on and keep (9.6, as in Lightning). A label says: from this node on, so much must arrive here and so much risk is
 * taken. A label is dropped only if another at the same node is no worse in amount, risk and hops; as fees, risks and
 * limits never get better with a larger amount, the first label taken at the source belongs to a best path, and no best
 * path goes through a node twice.
 *
 * Labels are taken in the order of the least that a whole path through them can cost (A*): so many hops are left at least,
 * each with so much risk. What is looked at is counted, over all searches for one payment, and the count is bounded.
 */
import type { Address, Hash } from '../../base/index.ts'

/** One direction of a channel. */
export interface Edge {
  readonly from: Address
  readonly to: Address
  readonly channel: Hash
  readonly isCore: boolean
  /** The most that may be tried through it at once. */
  readonly limit: bigint
  /** What `from` asks for `amount` to leave here. Amount plus fee never falls with a larger amount. */
  fee(amount: bigint): bigint
  /** In millionths of a smallest unit; never falls with a larger amount. */
  risk(amount: bigint): bigint
}

export interface Network {
  /** The channels' directions that lead to `node`. */
  into(node: Address): readonly Edge[]
  /** A lower bound of the hops from the source to `node`, Infinity when it is out of reach; without it none is known. */
  leastHops?(node: Address): number
  /** No edge's risk is below so many millionths of the amount through it; without it none is known. */
  readonly leastRiskPpm?: bigint
}

/** Edges that may still be looked at, in all searches that share it. */
export interface Budget {
  looksLeft: number
}

export interface Query {
  readonly source: Address
  readonly target: Address
  /** What the target is to get. */
  readonly amount: bigint
  readonly maxFee: bigint
  readonly maxHops: number
  /** Left out: `MAX_LOOKS` for this search alone. */
  readonly budget?: Budget
  /** Edges that may not be used. */
  isBanned(edge: Edge): boolean
}

export interface Found {
  /** From the source on. */
  readonly edges: readonly Edge[]
  /** What goes through each edge; the first is what the source gives, the last what the target gets. */
  readonly amounts: readonly bigint[]
  readonly fee: bigint
  /** Fee and risk, in millionths of a smallest unit. */
  readonly score: bigint
}

interface Label {
  readonly node: Address
  readonly amount: bigint
  readonly risk: bigint
  readonly score: bigint
  /** The least score of a whole path that ends with it. */
  readonly estimate: bigint
  readonly hops: number
  readonly edge: Edge | null
  readonly next: Label | null
  isDropped: boolean
}

const MILLION = 1_000_000n
/** A router's event loop is not to stand still: searches for one payment that have looked at so many edges give up. Some 6 µs each on a slow board. */
export const MAX_LOOKS = 4_000

/** Null: there is none within hops, limits and fee (or none was found before the budget was used up). */
export function cheapestPath(network: Network, query: Query): Found | null {
  const best = new Map<Address, Label[]>()
  const heap = new LabelHeap()
  heap.push({ node: query.target, amount: query.amount, risk: 0n, score: 0n, estimate: 0n, hops: 0, edge: null, next: null, isDropped: false })
  const budget = query.budget ?? { looksLeft: MAX_LOOKS }
  while (budget.looksLeft > 0) {
    const label = heap.pop()
    if (label === null) return null
    if (label.isDropped) continue
    if (label.node === query.source && label.hops > 0) return foundOf(label, query.amount)
    if (label.hops === query.maxHops) continue
    for (const edge of network.into(label.node)) {
      const hopsLeft = edge.from === query.source ? 0 : (network.leastHops?.(edge.from) ?? 0)
      if (label.hops + 1 + hopsLeft > query.maxHops) continue
      budget.looksLeft--
      const longer = prolonged(label, edge, query, hopsLeft, network.leastRiskPpm ?? 0n)
      if (longer !== null && isKept(best, longer)) heap.push(longer)
    }
  }
  return null
}

/** A path as wide as can be, fees aside, with the most that it can bring to the target, `query.amount` at most. Null: nothing gets there. */
export function widestPath(network: Network, query: Query): Found | null {
  let layer = new Map<Address, { readonly width: bigint; readonly edges: readonly Edge[] }>([[query.target, { width: query.amount, edges: [] }]])
  const budget = query.budget ?? { looksLeft: MAX_LOOKS }
  let widest: { readonly width: bigint; readonly edges: readonly Edge[] } | null = null
  for (let hops = 0; hops < query.maxHops; hops++) {
    const following = new Map<Address, { readonly width: bigint; readonly edges: readonly Edge[] }>()
    for (const [node, reached] of layer)
      for (const edge of network.into(node)) {
        if (budget.looksLeft-- <= 0) return widest === null ? null : mostThrough(widest.edges, query)
        const width = edge.limit < reached.width ? edge.limit : reached.width
        if (width <= 0n || query.isBanned(edge) || !mayCarry(edge, query) || edge.from === query.target || reached.edges.some((later) => later.to === edge.from)) continue
        if (width <= (following.get(edge.from)?.width ?? 0n)) continue
        following.set(edge.from, { width, edges: [edge, ...reached.edges] })
      }
    const arrived = following.get(query.source)
    if (arrived !== undefined && arrived.width > (widest?.width ?? 0n)) widest = arrived
    following.delete(query.source)
    layer = following
  }
  return widest === null ? null : mostThrough(widest.edges, query)
}

/** What goes through each edge so that `amount` arrives; null when an edge is too thin for it. */
function amountsThrough(edges: readonly Edge[], amount: bigint): readonly bigint[] | null {
  const amounts: bigint[] = []
  let needed = amount
  for (let at = edges.length - 1; at >= 0; at--) {
    const edge = edges[at] as Edge
    if (needed > edge.limit) return null
    amounts.unshift(needed)
    if (at > 0) needed += edge.fee(needed)
  }
  return amounts
}

function mostThrough(edges: readonly Edge[], query: Query): Found | null {
  let [low, high] = [0n, query.amount]
  while (low < high) {
    const middle = (low + high + 1n) / 2n
    const amounts = amountsThrough(edges, middle)
    if (amounts !== null && (amounts[0] as bigint) - middle <= query.maxFee) low = middle
    else high = middle - 1n
  }
  const amounts = amountsThrough(edges, low)
  return low === 0n || amounts === null ? null : measured(edges, amounts)
}

/** Fee and score of given amounts over given edges. */
export function measured(edges: readonly Edge[], amounts: readonly bigint[]): Found {
  const fee = (amounts[0] ?? 0n) - (amounts.at(-1) ?? 0n)
  const risk = edges.reduce((sum, edge, at) => sum + edge.risk(amounts[at] ?? 0n), 0n)
  return { edges, amounts, fee, score: fee * MILLION + risk }
}

/** Leaf channels only at the ends: nobody's payment goes through a guest's phone. */
function mayCarry(edge: Edge, query: Query): boolean {
  return edge.isCore || edge.from === query.source || edge.to === query.target
}

function prolonged(label: Label, edge: Edge, query: Query, hopsLeft: number, leastRiskPpm: bigint): Label | null {
  if (label.amount > edge.limit || query.isBanned(edge) || !mayCarry(edge, query)) return null
  if (edge.from === query.target) return null
  for (let at: Label | null = label; at !== null; at = at.next) if (at.node === edge.from) return null
  const amount = edge.from === query.source ? label.amount : label.amount + edge.fee(label.amount)
  if (amount - query.amount > query.maxFee) return null
  const risk = label.risk + edge.risk(label.amount)
  const score = (amount - query.amount) * MILLION + risk
  return { node: edge.from, amount, risk, score, estimate: score + BigInt(hopsLeft) * amount * leastRiskPpm, hops: label.hops + 1, edge, next: label, isDropped: false }
}

function isKept(best: Map<Address, Label[]>, label: Label): boolean {
  const others = best.get(label.node) ?? []
  if (others.some((other) => isNoWorse(other, label))) return false
  const kept = others.filter((other) => {
    other.isDropped = isNoWorse(label, other)
    return !other.isDropped
  })
  kept.push(label)
  best.set(label.node, kept)
  return true
}

function isNoWorse(one: Label, other: Label): boolean {
  return one.hops <= other.hops && one.amount <= other.amount && one.risk <= other.risk
}

function foundOf(label: Label, amount: bigint): Found {
  const edges: Edge[] = []
  const amounts: bigint[] = []
  for (let at: Label = label; at.edge !== null && at.next !== null; at = at.next) {
    edges.push(at.edge)
    amounts.push(at.next.amount)
  }
  return { edges, amounts, fee: label.amount - amount, score: label.score }
}

/** A binary heap: smallest estimate first, then fewer hops, then who came first. */
class LabelHeap {
  readonly #labels: { readonly label: Label; readonly order: number }[] = []
  #order = 0

  push(label: Label): void {
    const labels = this.#labels
    labels.push({ label, order: this.#order++ })
    for (let at = labels.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1
      if (!this.#isBefore(at, parent)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  pop(): Label | null {
    const labels = this.#labels
    const first = labels[0]
    const last = labels.pop()
    if (first === undefined || last === undefined) return null
    if (labels.length === 0) return first.label
    labels[0] = last
    for (let at = 0; ; ) {
      let smallest = at
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < labels.length && this.#isBefore(child, smallest)) smallest = child
      if (smallest === at) return first.label
      this.#swap(at, smallest)
      at = smallest
    }
  }

  #isBefore(one: number, other: number): boolean {
    const [a, b] = [this.#labels[one], this.#labels[other]]
    if (a === undefined || b === undefined) return false
    if (a.label.estimate !== b.label.estimate) return a.label.estimate < b.label.estimate
    return a.label.hops !== b.label.hops ? a.label.hops < b.label.hops : a.order < b.order
  }

  #swap(one: number, other: number): void {
    const [a, b] = [this.#labels[one], this.#labels[other]]
    if (a === undefined || b === undefined) return
    this.#labels[one] = b
    this.#labels[other] = a
  }
}
