/** The branches that an owner has to choose between after an alarm: what each would take back, and who has sealed it. */
import type { Address } from '../codec/fields.ts'
import type { ChainBlock } from '../ports.ts'
import { branchTo } from './fork-choice.ts'
import type { Branch } from './fork-choice.ts'
import { baseOf, canonicalAt, draftOf, headOf, sideTips } from './tree.ts'
import type { Tree } from './tree.ts'

export interface ChainBranch {
  readonly tip: ChainBlock
  /** The last block that both have. */
  readonly fork: ChainBlock
  /** From the fork to its tip. */
  readonly blocks: number
  /** Blocks of ours that it would take back. */
  readonly takesBack: number
  readonly signers: readonly Address[]
  /** Of our own blocks above the fork. */
  readonly ourSigners: readonly Address[]
  readonly verdict: Branch['verdict']
}

/** Those that outweigh the head, heaviest first. */
export function branchesOf(tree: Tree): readonly ChainBranch[] {
  const draft = draftOf(tree)
  const head = headOf(tree)
  return sideTips(draft)
    .filter(({ block }) => block.totalDifficulty > head.totalDifficulty)
    .map((tip) => describe(tree, branchTo(draft, tip)))
    .sort((one, other) => (one.tip.totalDifficulty === other.tip.totalDifficulty ? 0 : one.tip.totalDifficulty > other.tip.totalDifficulty ? -1 : 1))
}

function describe(tree: Tree, { tip, path, depth, verdict }: Branch): ChainBranch {
  const forkNumber = headOf(tree).header.number - depth
  const ours = Array.from({ length: depth }, (_, index) => canonicalAt(tree, forkNumber + 1 + index))
  return {
    tip: tip.block,
    fork: canonicalAt(tree, forkNumber) ?? baseOf(tree),
    blocks: path.length,
    takesBack: depth,
    signers: signersOf(path.map(({ block }) => block)),
    ourSigners: signersOf(ours),
    verdict,
  }
}

function signersOf(blocks: readonly (ChainBlock | null)[]): readonly Address[] {
  return [...new Set(blocks.flatMap((block) => block?.signer ?? []))]
}
