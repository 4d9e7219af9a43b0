/** Several ways to pay one amount: other single paths, and parts over paths that share no channel. */
import type { Hash } from '../../base/index.ts'
import type { Edge, Found, Network, Query } from './search.ts'
import { cheapestPath, widestPath } from './search.ts'

/** Single paths offered besides the best. */
const MAX_OTHERS = 4

/** The cheapest path, and the cheapest ones that each do without one of its channels; best first. */
export function singlePaths(network: Network, query: Query): readonly Found[] {
  const best = cheapestPath(network, query)
  if (best === null) return []
  const found = new Map<string, Found>([[nameOf(best), best]])
  for (const avoided of best.edges) {
    if (found.size > MAX_OTHERS) break
    const other = cheapestPath(network, { ...query, isBanned: (edge) => isSame(edge, avoided) || query.isBanned(edge) })
    if (other !== null) found.set(nameOf(other), other)
  }
  return [...found.values()]
}

/**
 * Sets of two to `maxParts` parts that together make the amount, no channel twice. Tried: even parts, and as much as
 * will go over the widest path first. That may miss a set where a cleverer choice of disjoint paths would find one.
 */
export function splitPaths(network: Network, query: Query, maxParts: number): readonly (readonly Found[])[] {
  const sets = new Map<string, readonly Found[]>()
  for (let count = 2; count <= maxParts; count++) {
    const parts = evenParts(network, query, BigInt(count))
    if (parts !== null) sets.set(parts.map(nameOf).join('|'), parts)
  }
  if (maxParts > 1) {
    const parts = widestParts(network, query, maxParts)
    if (parts !== null && parts.length > 1) sets.set(parts.map(nameOf).join('|'), parts)
  }
  return [...sets.values()]
}

function evenParts(network: Network, query: Query, count: bigint): readonly Found[] | null {
  const used = new Set<Hash>()
  const parts: Found[] = []
  let [rest, feeLeft] = [query.amount, query.maxFee]
  for (let left = count; left > 0n; left--) {
    const amount = (rest + left - 1n) / left
    if (amount <= 0n) return null
    const part = cheapestPath(network, { ...query, amount, maxFee: feeLeft, isBanned: (edge) => used.has(edge.channel) || query.isBanned(edge) })
    if (part === null) return null
    for (const edge of part.edges) used.add(edge.channel)
    parts.push(part)
    rest -= amount
    feeLeft -= part.fee
  }
  return parts
}

function widestParts(network: Network, query: Query, maxParts: number): readonly Found[] | null {
  const used = new Set<Hash>()
  const parts: Found[] = []
  let [rest, feeLeft] = [query.amount, query.maxFee]
  while (parts.length < maxParts) {
    const left = { ...query, amount: rest, maxFee: feeLeft, isBanned: (edge: Edge) => used.has(edge.channel) || query.isBanned(edge) }
    const part = cheapestPath(network, left) ?? widestPath(network, left)
    if (part === null) return null
    for (const edge of part.edges) used.add(edge.channel)
    parts.push(part)
    rest -= part.amounts.at(-1) ?? 0n
    feeLeft -= part.fee
    if (rest === 0n) return parts
  }
  return null
}

function nameOf(found: Found): string {
  return found.edges.map((edge) => edge.channel).join(' ')
}

function isSame(one: Edge, other: Edge): boolean {
  return one.channel === other.channel && one.from === other.from
}
