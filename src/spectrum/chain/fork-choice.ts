/**
 * Which branch is the chain (spec 2.4 and 6): the one with the most total difficulty; at a tie the one we
 * have. A heavier branch is taken if it takes back at most 17 blocks; 18 to 34 if two sources have shown us
 * blocks that outweigh ours; more never, whoever shows it.
 */
import type { Hash } from '../codec/fields.ts'
import { FINAL_DEPTH, SAFE_DEPTH, blockOf, headOf, isCanonical } from './tree.ts'
import type { Draft, TreeBlock } from './tree.ts'

export interface Branch {
  readonly tip: TreeBlock
  /** Ascending; without the block of the canonical chain that it grows from. */
  readonly path: readonly TreeBlock[]
  /** Blocks of ours above the fork. */
  readonly depth: number
  readonly isHeavier: boolean
  readonly verdict: 'take' | 'lighter' | 'needs-second-source' | 'too-deep'
}

const AGREEING_SOURCES = 2

/** `tip` is not on the canonical chain. */
export function branchTo(draft: Draft, tip: TreeBlock): Branch {
  const head = headOf(draft)
  const isHeavier = tip.block.totalDifficulty > head.totalDifficulty
  const path: TreeBlock[] = []
  let at = tip
  while (!isCanonical(draft, at.block)) {
    path.push(at)
    at = blockOf(draft, at.block.header.parentHash)
  }
  path.reverse()
  const depth = head.header.number - at.block.header.number
  return { tip, path, depth, isHeavier, verdict: judge(path, depth, isHeavier, head.totalDifficulty) }
}

function judge(path: readonly TreeBlock[], depth: number, isHeavier: boolean, ours: bigint): Branch['verdict'] {
  if (depth > FINAL_DEPTH) return 'too-deep'
  if (!isHeavier) return 'lighter'
  if (depth <= SAFE_DEPTH) return 'take'
  // A source that showed only the branch's light beginning has not said that it is the chain.
  const sources = new Set(path.flatMap(({ block, sources }) => (block.totalDifficulty > ours ? sources : [])))
  return sources.size >= AGREEING_SOURCES ? 'take' : 'needs-second-source'
}

/** The branch becomes the chain. */
export function switchTo(draft: Draft, { path, depth }: Pick<Branch, 'path' | 'depth'>): void {
  draft.canonical.splice(draft.canonical.length - depth, depth, ...path.map(({ block }): Hash => block.hash))
}
