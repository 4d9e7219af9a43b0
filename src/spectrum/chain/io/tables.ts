/** A batch of the tree as rows, and the tree from its rows. One call, one turn: after a crash the rows are those of the last whole batch. */
import { MeshBoxError } from '../../../base/index.ts'
import type { Secp256k1 } from '../../../native/index.ts'
import type { ReadTx, Tx } from '../../../store/index.ts'
import type { Body } from '../../codec/body.ts'
import type { Hash } from '../../codec/fields.ts'
import type { Network } from '../../network/network.ts'
import type { ChainBlock } from '../../ports.ts'
import type { TreeChanges } from '../insert.ts'
import type { ChainStart } from '../start.ts'
import { HEADER_WEIGHT_BYTES, PLACES, baseOf, blockOf, headOf, sealKey } from '../tree.ts'
import type { Tree, TreeBlock, TreeLimits } from '../tree.ts'
import { deleteBlock, readBlocks, writeBlock, writeWholeRound } from './block-rows.ts'
import { deleteBodiesBelow, deleteBody, deleteTransactionsFrom, writeBody, writeStoredTransactions, writeTransactions } from './body-rows.ts'
import type { StoredBody } from './body-rows.ts'
import { readChain, readEquivocations, writeChain, writeEquivocation } from './chain-row.ts'
import { deleteSegmentsBelow, thinSegments, writeSegment } from './header-rows.ts'

export interface KeepLimits {
  /** Blocks below the head with body, receipts and indexed transactions. */
  readonly bodyBlocks: number
  /** Blocks below the head with their headers. */
  readonly headerBlocks: number
  /** Blocks below the head of which each round's last header is kept; nothing is kept below. */
  readonly roundHeaderBlocks: number
}

/** Bytes of new blocks, made before the turn. */
export type NewBodies = ReadonlyMap<Hash, StoredBody & { readonly decoded: Body }>

export interface Surroundings {
  readonly curve: Secp256k1
  readonly network: Network
  readonly limits: TreeLimits
  readonly keep: KeepLimits
}

/** Returns below which height headers are thinned now. */
export function saveChanges(tx: Tx, around: Surroundings, before: Tree, after: Tree, thinnedBelow: number, changes: TreeChanges, bodies: NewBodies): number {
  const { curve, network } = around
  for (const { id } of changes.dropped) {
    deleteBlock(tx, id)
    deleteBody(tx, id)
  }
  for (const { id, block } of changes.archived) if (before.blocks.has(block.hash)) deleteBlock(tx, id)
  for (const one of changes.inserted) writeBlock(tx, curve, one, after.blocks.get(one.block.header.parentHash)?.block.round ?? null)
  saveArchived(tx, around, changes.archived)
  const base = blockOf(after, baseOf(after).hash)
  if (changes.archived.length > 0 && before.blocks.has(base.block.hash)) writeWholeRound(tx, base)
  for (const { id, block } of [...changes.inserted, ...changes.archived]) {
    const stored = bodies.get(block.hash)
    if (stored !== undefined && !before.blocks.has(block.hash)) writeBody(tx, id, stored)
  }
  saveTransactions(tx, around, before, after, changes, bodies)
  for (const equivocation of changes.equivocations) writeEquivocation(tx, equivocation)
  const thinned = prune(tx, around, headOf(after), thinnedBelow)
  saveTree(tx, network, after, thinned)
  return thinned
}

function saveArchived(tx: Tx, { curve, limits }: Surroundings, archived: readonly TreeBlock[]): void {
  for (let at = 0; at < archived.length; at += limits.segmentBlocks) writeSegment(tx, curve, archived.slice(at, at + limits.segmentBlocks).map(({ block }) => block))
}

function saveTransactions(tx: Tx, { curve, keep }: Surroundings, before: Tree, after: Tree, { added, removed, archived }: TreeChanges, bodies: NewBodies): void {
  const forked = removed[0]
  if (forked !== undefined) deleteTransactionsFrom(tx, forked.header.number)
  const oldest = headOf(after).header.number - keep.bodyBlocks
  const ids = new Map(archived.map(({ id, block }) => [block.hash, id]))
  for (const { hash, header } of added) {
    if (header.number <= oldest) continue
    const fresh = before.blocks.has(hash) ? undefined : bodies.get(hash)
    if (fresh !== undefined) writeTransactions(tx, curve, header.number, fresh.decoded)
    else writeStoredTransactions(tx, curve, header.number, ids.get(hash) ?? blockOf(after, hash).id)
  }
}

function prune(tx: Tx, { curve, keep }: Surroundings, head: ChainBlock, thinnedBelow: number): number {
  const { number } = head.header
  deleteBodiesBelow(tx, number - keep.bodyBlocks + 1)
  const thinned = thinSegments(tx, curve, thinnedBelow, number - keep.headerBlocks, head.round.signers.length)
  deleteSegmentsBelow(tx, number - keep.roundHeaderBlocks)
  return thinned
}

/** The tree's single row: head, alarm and what the owner said of it. */
export function saveTree(tx: Tx, network: Network, tree: Tree, thinnedBelow: number): void {
  const head = blockOf(tree, headOf(tree).hash)
  writeChain(tx, network, { start: tree.start, head: head.id, thinnedBelow, alarm: tree.alarm, dismissed: [...tree.dismissed], expected: tree.expected })
}

/** The first block of a chain that is kept from now on. */
export function saveStart(tx: Tx, curve: Secp256k1, network: Network, tree: Tree): void {
  writeBlock(tx, curve, blockOf(tree, baseOf(tree).hash), null)
  saveTree(tx, network, tree, tree.start)
}

export function treeOf({ known, sealHash, totalDifficulty, round }: ChainStart): Tree {
  const { header, hash } = known
  const block: ChainBlock = { header, hash, sealHash, signer: null, totalDifficulty, round }
  const one: TreeBlock = { block, id: header.number * PLACES, sources: [], bytes: HEADER_WEIGHT_BYTES, isStranger: false }
  return { blocks: new Map([[hash, one]]), canonical: [hash], start: header.number, alarm: null, dismissed: new Set(), equivocations: new Map(), expected: null }
}

/** Null: no chain is kept. Errors: conflict `chain-foreign`, unavailable `chain-damaged`. */
export function loadTree(tx: ReadTx, curve: Secp256k1, network: Network): { readonly tree: Tree; readonly thinnedBelow: number } | null {
  const row = readChain(tx, network)
  if (row === null) return null
  const blocks = readBlocks(tx, curve)
  const canonical: Hash[] = []
  let at = [...blocks.values()].find(({ id }) => id === row.head)
  while (at !== undefined) {
    canonical.unshift(at.block.hash)
    at = blocks.get(at.block.header.parentHash)
  }
  if (canonical.length === 0) throw new MeshBoxError('unavailable', 'the stored chain has lost its head; it has to be fetched anew', { code: 'chain-damaged' })
  const { start, alarm, expected, dismissed } = row
  const tree = { blocks, canonical, start, alarm, dismissed: new Set(dismissed), expected }
  const seen = readEquivocations(tx, baseOf(tree).header.number).map(({ number, signer, sealHashes }): [string, readonly Hash[]] => [sealKey(number, signer), sealHashes])
  return { tree: { ...tree, equivocations: new Map(seen) }, thinnedBelow: row.thinnedBelow }
}
