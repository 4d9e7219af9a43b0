/**
 * The blocks near the head, on all branches. A tree has one root, its base: everything below that is on disk
 * only, and final. Pure data and the questions one can ask of it; `insert.ts` makes the next tree of it.
 */
import type { Address, Hash } from '../codec/fields.ts'
import type { ChainAlarm, ChainBlock } from '../ports.ts'
import { rankOf } from '../rules/rank.ts'

export interface TreeBlock {
  readonly block: ChainBlock
  /** Of its row on disk: `PLACES` × height + place. */
  readonly id: number
  /** Who delivered it, 'self' left out; more than two tell nothing new. Not kept over a restart. */
  readonly sources: readonly string[]
  /** What it takes on disk, roughly. */
  readonly bytes: number
  /** Sealed by somebody who is in neither of the rounds around it. Where headers are judged, nobody is. */
  readonly isStranger: boolean
}

export interface Tree {
  /** In the order of their coming; parents before children. */
  readonly blocks: ReadonlyMap<Hash, TreeBlock>
  /** The canonical chain from the base to the head; never empty. */
  readonly canonical: readonly Hash[]
  /** Height the chain was started from: genesis or checkpoint. */
  readonly start: number
  readonly alarm: ChainAlarm | null
  /** First blocks of branches that the owner has looked at and not taken. */
  readonly dismissed: ReadonlySet<Hash>
  /** Seal hashes of who sealed a height more than once, by `sealKey`. */
  readonly equivocations: ReadonlyMap<string, readonly Hash[]>
  /** A checkpoint above the head at the time it was shown to us: the chain must pass through it. */
  readonly expected: ExpectedBlock | null
}

export interface ExpectedBlock {
  readonly number: number
  readonly hash: Hash
}

export interface TreeLimits {
  /** Blocks of the canonical chain in memory; at least 64. */
  readonly windowBlocks: number
  /** Blocks leave the window in groups of this many. */
  readonly segmentBlocks: number
  /** Blocks beside the canonical chain. */
  readonly sideBlocks: number
  readonly sideBytes: number
}

export const DEFAULT_TREE_LIMITS: TreeLimits = { windowBlocks: 128, segmentBlocks: 32, sideBlocks: 512, sideBytes: 16 * 1024 * 1024 }
/** Blocks that may be taken back without asking anybody, and that a top-up waits for. */
export const SAFE_DEPTH = 17
/** Blocks that may be taken back at all, and that a settlement waits for. */
export const FINAL_DEPTH = 34
/** Blocks of one signer at one height: two seals with their twins. */
export const SIGNER_BLOCKS_PER_HEIGHT = 4
/** Of one signer at one height that are remembered. */
export const MAX_SEALS = 8
/** Heights have room for this many rows each; a height up to 2^33 stays a safe integer. */
export const PLACES = 2 ** 20
/** A header without its body, for the sums. */
export const HEADER_WEIGHT_BYTES = 1024

/** A tree while the next one is made of it. */
export interface Draft {
  readonly blocks: Map<Hash, TreeBlock>
  readonly canonical: Hash[]
  readonly byHeight: Map<number, Hash[]>
  readonly children: Map<Hash, number>
}

export function draftOf(tree: Pick<Tree, 'blocks' | 'canonical'>): Draft {
  const draft: Draft = { blocks: new Map(), canonical: [...tree.canonical], byHeight: new Map(), children: new Map() }
  for (const one of tree.blocks.values()) place(draft, one)
  return draft
}

export function place(draft: Draft, one: TreeBlock): void {
  const { hash, header } = one.block
  draft.blocks.set(hash, one)
  const level = draft.byHeight.get(header.number)
  if (level === undefined) draft.byHeight.set(header.number, [hash])
  else level.push(hash)
  draft.children.set(header.parentHash, (draft.children.get(header.parentHash) ?? 0) + 1)
}

export function displace(draft: Draft, one: TreeBlock): void {
  const { hash, header } = one.block
  draft.blocks.delete(hash)
  const level = (draft.byHeight.get(header.number) ?? []).filter((other) => other !== hash)
  if (level.length === 0) draft.byHeight.delete(header.number)
  else draft.byHeight.set(header.number, level)
  const siblings = (draft.children.get(header.parentHash) ?? 1) - 1
  if (siblings === 0) draft.children.delete(header.parentHash)
  else draft.children.set(header.parentHash, siblings)
}

/** Errors: a tree without this block is not whole, which no input can bring about. */
export function blockOf({ blocks }: Pick<Tree, 'blocks'>, hash: Hash): TreeBlock {
  const found = blocks.get(hash)
  if (found === undefined) throw new Error(`the tree has lost block ${hash}`)
  return found
}

export function headOf(tree: Pick<Tree, 'blocks' | 'canonical'>): ChainBlock {
  return blockOf(tree, tree.canonical.at(-1) ?? '0x').block
}

export function baseOf(tree: Pick<Tree, 'blocks' | 'canonical'>): ChainBlock {
  return blockOf(tree, tree.canonical[0] ?? '0x').block
}

/** Of the canonical chain, inside the tree. */
export function canonicalAt(tree: Pick<Tree, 'blocks' | 'canonical'>, number: number): ChainBlock | null {
  const hash = tree.canonical[number - baseOf(tree).header.number]
  return hash === undefined ? null : blockOf(tree, hash).block
}

export function isCanonical(tree: Pick<Tree, 'blocks' | 'canonical'>, { hash, header }: ChainBlock): boolean {
  return tree.canonical[header.number - baseOf(tree).header.number] === hash
}

export function safeOf(tree: Tree): ChainBlock | null {
  return blockBelowHead(tree, SAFE_DEPTH)
}

export function finalOf(tree: Tree): ChainBlock | null {
  return blockBelowHead(tree, FINAL_DEPTH)
}

/** Null: that is below the chain's start. */
function blockBelowHead(tree: Tree, depth: number): ChainBlock | null {
  const number = headOf(tree).header.number - depth
  return number < tree.start ? null : canonicalAt(tree, number)
}

/** Blocks that nothing is built on and that are not the head. */
export function sideTips(draft: Draft): TreeBlock[] {
  const head = draft.canonical.at(-1)
  return [...draft.blocks.values()].filter(({ block }) => block.hash !== head && !draft.children.has(block.hash))
}

export function sealKey(number: number, signer: Address): string {
  return `${number}:${signer}`
}

export function freeId(draft: Draft, number: number): number {
  const taken = new Set((draft.byHeight.get(number) ?? []).map((hash) => blockOf(draft, hash).id))
  let id = number * PLACES
  while (taken.has(id)) id++
  return id
}

/** `parent`: null for the base. Leaders may have changed between the two rounds, so each is asked. */
export function isStranger(block: ChainBlock, parent: ChainBlock | null): boolean {
  const { signer } = block
  if (signer === null || parent === null) return false
  return [parent.round, block.round].every((round) => !rankOf(round, block.header.number, 1, signer).isAuthorised && !round.signers.includes(signer))
}
