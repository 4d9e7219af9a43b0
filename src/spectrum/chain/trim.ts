/**
 * Keeps a tree small. Blocks below the window leave it: canonical ones for the archive, others for good.
 * Beside the chain there is room for so many blocks and bytes; who makes the most of them loses first.
 *
 * Sealing is free, so a signer can seal one height a thousand times, and a stranger with a thousand keys can
 * seal it once with each. Neither may push out a branch that honest signers take turns on: blocks are counted
 * by signer, strangers together as one, and the tips of the biggest group go first, lightest first. A block
 * that goes although others build on it comes again with its child: the child's parent is asked for.
 */
import type { Address } from '../codec/fields.ts'
import { SIGNER_BLOCKS_PER_HEIGHT, baseOf, blockOf, displace, isCanonical, sideTips } from './tree.ts'
import type { Draft, TreeBlock, TreeLimits } from './tree.ts'

export interface Trimmed {
  /** Canonical, ascending, below the new base. */
  readonly archived: readonly TreeBlock[]
  /** Never were or are no more of the canonical chain. */
  readonly dropped: readonly TreeBlock[]
}

export function trim(draft: Draft, limits: TreeLimits): Trimmed {
  const archived = leaveWindow(draft, limits)
  return { archived, dropped: [...dropBelowBase(draft), ...dropRepeatedSeals(draft), ...dropExcess(draft, limits)] }
}

function leaveWindow(draft: Draft, { windowBlocks, segmentBlocks }: TreeLimits): TreeBlock[] {
  const excess = draft.canonical.length - windowBlocks
  const leaving = excess <= 0 ? [] : draft.canonical.splice(0, excess - (excess % segmentBlocks))
  return leaving.map((hash) => {
    const one = blockOf(draft, hash)
    displace(draft, one)
    return one
  })
}

/** What does not descend from the base. Parents stand before their children. */
function dropBelowBase(draft: Draft): TreeBlock[] {
  const base = baseOf(draft)
  const dropped: TreeBlock[] = []
  for (const one of [...draft.blocks.values()].sort((a, b) => a.id - b.id)) {
    if (one.block.hash === base.hash || draft.blocks.has(one.block.header.parentHash)) continue
    displace(draft, one)
    dropped.push(one)
  }
  return dropped
}

/** The first seen stay; so does what somebody has built on. */
function dropRepeatedSeals(draft: Draft): TreeBlock[] {
  const dropped: TreeBlock[] = []
  for (const level of [...draft.byHeight.values()].filter((hashes) => hashes.length > SIGNER_BLOCKS_PER_HEIGHT)) {
    const atHeight = level.map((hash) => blockOf(draft, hash))
    for (const signer of new Set(atHeight.map(({ block }) => block.signer))) {
      const blocks = atHeight.filter(({ block }) => block.signer === signer)
      const loose = blocks.filter(({ block }) => !draft.children.has(block.hash) && !isCanonical(draft, block))
      for (const one of loose.reverse().slice(0, Math.max(0, blocks.length - SIGNER_BLOCKS_PER_HEIGHT))) {
        displace(draft, one)
        dropped.push(one)
      }
    }
  }
  return dropped
}

function dropExcess(draft: Draft, { sideBlocks, sideBytes }: TreeLimits): TreeBlock[] {
  const dropped: TreeBlock[] = []
  const side = [...draft.blocks.values()].filter(({ block }) => !isCanonical(draft, block))
  let count = side.length
  let bytes = side.reduce((sum, one) => sum + one.bytes, 0)
  const weights = new Map<Address | 'strangers' | null, number>()
  for (const one of side) weights.set(groupOf(one), (weights.get(groupOf(one)) ?? 0) + one.bytes)
  while (count > sideBlocks || bytes > sideBytes) {
    const victim = sideTips(draft).reduce<TreeBlock | null>((worst, one) => (worst === null || goesBefore(one, worst, weights) ? one : worst), null)
    if (victim === null) break
    displace(draft, victim)
    dropped.push(victim)
    weights.set(groupOf(victim), (weights.get(groupOf(victim)) ?? 0) - victim.bytes)
    count--
    bytes -= victim.bytes
  }
  return dropped
}

function groupOf({ block, isStranger }: TreeBlock): Address | 'strangers' | null {
  return isStranger ? 'strangers' : block.signer
}

function goesBefore(one: TreeBlock, other: TreeBlock, weights: ReadonlyMap<Address | 'strangers' | null, number>): boolean {
  const [weight, otherWeight] = [weights.get(groupOf(one)) ?? 0, weights.get(groupOf(other)) ?? 0]
  if (weight !== otherWeight) return weight > otherWeight
  const [total, otherTotal] = [one.block.totalDifficulty, other.block.totalDifficulty]
  return total === otherTotal ? one.id > other.id : total < otherTotal
}
