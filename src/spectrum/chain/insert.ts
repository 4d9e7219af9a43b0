/** One batch of judged blocks: the next tree, what of it changes on disk, and what is told when that is done. */
import { inputError } from '../../base/index.ts'
import type { Address, Hash } from '../codec/fields.ts'
import type { Network } from '../network/network.ts'
import type { ChainAlarm, ChainBlock, ChainEvent, InsertOutcome, NewBlock } from '../ports.ts'
import { branchTo, switchTo } from './fork-choice.ts'
import type { Branch } from './fork-choice.ts'
import {
  FINAL_DEPTH,
  HEADER_WEIGHT_BYTES,
  MAX_SEALS,
  SAFE_DEPTH,
  baseOf,
  blockOf,
  canonicalAt,
  draftOf,
  freeId,
  headOf,
  isCanonical,
  isStranger,
  place,
  sealKey,
  sideTips,
} from './tree.ts'
import type { Draft, Tree, TreeBlock, TreeLimits } from './tree.ts'
import { trim } from './trim.ts'

/** Blocks in one call. A peer's answer has 192 headers. */
const MAX_BATCH_BLOCKS = 512
const SELF = 'self'
const MAX_SOURCES = 2

export interface Arrival {
  readonly block: NewBlock
  /** Of body and receipts on disk. */
  readonly bytes: number
}

export interface InsertSettings {
  readonly network: Network
  readonly limits: TreeLimits
  readonly nowSeconds: number
  /** Is this a canonical block below the tree? */
  isArchived(hash: Hash): boolean
}

export interface Equivocation {
  readonly signer: Address
  readonly number: number
  /** At most 8, in the order they were seen. */
  readonly sealHashes: readonly Hash[]
}

/** What has to be written so that a restart finds `tree`. */
export interface TreeChanges {
  /** New and still there; ascending. */
  readonly inserted: readonly TreeBlock[]
  /** Left the window, canonical; ascending; some may be new. */
  readonly archived: readonly TreeBlock[]
  /** Left the tree for good, and were in it before. */
  readonly dropped: readonly TreeBlock[]
  /** Of the canonical chain, both ascending. */
  readonly added: readonly ChainBlock[]
  readonly removed: readonly ChainBlock[]
  /** Whole lists of those that grew. */
  readonly equivocations: readonly Equivocation[]
  /** Raised now. */
  readonly alarm: ChainAlarm | null
}

export interface Insertion {
  readonly tree: Tree
  readonly outcomes: readonly InsertOutcome[]
  readonly changes: TreeChanges
  readonly events: readonly ChainEvent[]
}

/** Errors: input `blocks` for too many at once, or for a block that does not fit its parent. */
export function insertBlocks(tree: Tree, arrivals: readonly Arrival[], settings: InsertSettings): Insertion {
  if (arrivals.length > MAX_BATCH_BLOCKS) throw inputError('blocks', `${arrivals.length} blocks`, `at most ${MAX_BATCH_BLOCKS}`)
  const batch = new Batch(tree, settings)
  const outcomes = arrivals.map((arrival) => batch.add(arrival))
  return { outcomes, ...batch.finish() }
}

/** The owner takes a branch that policy would not. Errors: input `hash` where it is not in the tree, or on the chain already. */
export function adoptBranch(tree: Tree, hash: Hash, settings: InsertSettings): Omit<Insertion, 'outcomes'> {
  const batch = new Batch(tree, settings)
  batch.adopt(hash)
  return batch.finish()
}

class Batch {
  readonly #tree: Tree
  readonly #settings: InsertSettings
  readonly #draft: Draft
  readonly #equivocations: Map<string, readonly Hash[]>
  readonly #grown = new Map<string, Equivocation>()
  readonly #new = new Set<Hash>()
  #alarm: ChainAlarm | null = null

  constructor(tree: Tree, settings: InsertSettings) {
    this.#tree = tree
    this.#settings = settings
    this.#draft = draftOf(tree)
    this.#equivocations = new Map(tree.equivocations)
  }

  add({ block, bytes }: Arrival): InsertOutcome {
    const { verified } = block
    const kept = this.#draft.blocks.get(verified.hash)
    if (kept !== undefined) return this.#addSource(kept, block.from)
    const parent = this.#draft.blocks.get(verified.header.parentHash)
    if (parent === undefined) return this.#outcomeOfOrphan(block)
    if (verified.header.number !== parent.block.header.number + 1)
      throw inputError('blocks', `block ${verified.header.number} ${verified.hash}`, `${parent.block.header.number + 1}, its parent's height and one`)
    const one = this.#treeBlock(block, parent.block, bytes)
    const wasHead = headOf(this.#draft).hash === parent.block.hash
    place(this.#draft, one)
    this.#new.add(verified.hash)
    this.#noteSeal(one)
    if (!wasHead) return this.#decide(branchTo(this.#draft, one))
    this.#draft.canonical.push(verified.hash)
    return 'head'
  }

  adopt(hash: Hash): void {
    const found = this.#draft.blocks.get(hash)
    const branch = found === undefined || isCanonical(this.#draft, found.block) ? null : branchTo(this.#draft, found)
    if (branch === null || !branch.isHeavier) throw inputError('hash', hash, 'a block beside the chain that is heavier than it')
    switchTo(this.#draft, branch)
  }

  finish(): Omit<Insertion, 'outcomes'> {
    this.#settle()
    this.#checkExpected()
    const head = headOf(this.#draft)
    const shared = sharedLength(this.#tree.canonical, this.#draft.canonical)
    const removed = this.#tree.canonical.slice(shared).map((hash) => blockOf(this.#tree, hash).block)
    const added = this.#draft.canonical.slice(shared).map((hash) => blockOf(this.#draft, hash).block)
    const forkedAt = baseOf(this.#draft).header.number + shared - 1
    const confirmed = [...this.#confirmations('safe', SAFE_DEPTH, forkedAt), ...this.#confirmations('final', FINAL_DEPTH, forkedAt)]
    const { archived, dropped } = trim(this.#draft, this.#settings.limits)
    const tree = this.#nextTree()
    const isHeadNew = added.length > 0
    return {
      tree,
      changes: {
        inserted: [...this.#new].flatMap((hash) => this.#draft.blocks.get(hash) ?? []),
        archived,
        dropped: dropped.filter(({ block }) => !this.#new.has(block.hash)),
        added,
        removed,
        equivocations: [...this.#grown.values()],
        alarm: this.#alarm,
      },
      events: [
        ...(isHeadNew ? [{ kind: 'head', head, added, removed: removed.toReversed() } as const] : []),
        ...confirmed,
        ...[...this.#grown.values()].map((equivocation) => ({ kind: 'equivocation', ...equivocation }) as const),
        ...(this.#alarm === null ? [] : [{ kind: 'alarm', alarm: this.#alarm } as const]),
      ],
    }
  }

  #treeBlock({ verified, round, from }: NewBlock, parent: ChainBlock, bytes: number): TreeBlock {
    const { header, hash, sealHash, signer } = verified
    const block: ChainBlock = { header, hash, sealHash, signer, round, totalDifficulty: parent.totalDifficulty + header.difficulty }
    return {
      block,
      id: freeId(this.#draft, header.number),
      sources: from === SELF ? [] : [from],
      bytes: HEADER_WEIGHT_BYTES + bytes,
      isStranger: isStranger(block, parent),
    }
  }

  #addSource(kept: TreeBlock, from: string): InsertOutcome {
    if (isCanonical(this.#draft, kept.block)) return 'known'
    const isNew = from !== SELF && kept.sources.length < MAX_SOURCES && !kept.sources.includes(from)
    if (isNew) this.#draft.blocks.set(kept.block.hash, { ...kept, sources: [...kept.sources, from] })
    this.#settle()
    if (headOf(this.#draft).hash === kept.block.hash) return 'head'
    if (isCanonical(this.#draft, kept.block)) return 'known'
    const branch = branchTo(this.#draft, blockOf(this.#draft, kept.block.hash))
    return branch.verdict === 'needs-second-source' || branch.verdict === 'too-deep' ? branch.verdict : 'known'
  }

  #outcomeOfOrphan({ verified }: NewBlock): InsertOutcome {
    if (this.#settings.isArchived(verified.hash)) return 'known'
    return verified.header.number <= baseOf(this.#draft).header.number || this.#settings.isArchived(verified.header.parentHash) ? 'too-deep' : 'orphan'
  }

  #decide(branch: Branch): InsertOutcome {
    if (branch.verdict === 'lighter') return 'side'
    if (branch.verdict !== 'take') {
      if (branch.verdict === 'too-deep' && branch.isHeavier) this.#raiseDeepReorg(branch)
      return branch.verdict
    }
    switchTo(this.#draft, branch)
    return 'head'
  }

  /** The heaviest branch that may be taken is taken, and no heavier one that may not be stays unnoticed. */
  #settle(): void {
    const ours = headOf(this.#draft).totalDifficulty
    const heavier = sideTips(this.#draft).filter(({ block }) => block.totalDifficulty > ours)
    const branches = heavier.map((tip) => branchTo(this.#draft, tip)).sort(heaviestFirst)
    for (const branch of branches) if (branch.verdict === 'too-deep') this.#raiseDeepReorg(branch)
    const best = branches.find(({ verdict }) => verdict === 'take')
    if (best !== undefined) switchTo(this.#draft, best)
  }

  #raiseDeepReorg({ tip, path, depth }: Branch): void {
    const first = path[0]?.block.hash
    if (first === undefined || this.#tree.dismissed.has(first)) return
    const { hash, header, totalDifficulty } = tip.block
    const ours = headOf(this.#draft)
    this.#raise(
      'deep-reorg',
      `block ${header.number} ${hash} with total difficulty ${totalDifficulty} would take back ${depth} blocks; ours is ${ours.header.number} with ${ours.totalDifficulty}, and at most ${FINAL_DEPTH} may be taken back`,
    )
  }

  #raise(code: ChainAlarm['code'], reason: string): void {
    if (this.#tree.alarm === null && this.#alarm === null) this.#alarm = { code, reason, atSeconds: this.#settings.nowSeconds }
  }

  #checkExpected(): void {
    const expected = this.#tree.expected
    const ours = expected === null ? null : canonicalAt(this.#draft, expected.number)
    if (expected !== null && ours !== null && ours.hash !== expected.hash)
      this.#raise('checkpoint-conflict', `the signed checkpoint ${expected.number} is ${expected.hash}; this chain has ${ours.hash} there`)
  }

  #noteSeal({ block, isStranger: isNobody }: TreeBlock): void {
    const { signer, sealHash, header } = block
    // Strangers may have as many keys as they like: their seals are worth nothing, twice or once.
    if (signer === null || isNobody || header.number < this.#settings.network.firstJudgedBlock) return
    const key = sealKey(header.number, signer)
    const others = (this.#draft.byHeight.get(header.number) ?? []).map((hash) => blockOf(this.#draft, hash).block).filter((other) => other.signer === signer && other !== block)
    const known = [...new Set([...(this.#equivocations.get(key) ?? []), ...others.map((other) => other.sealHash)])]
    if (known.length === 0 || known.length >= MAX_SEALS || known.includes(sealHash)) return
    const sealHashes = [...known, sealHash]
    this.#equivocations.set(key, sealHashes)
    this.#grown.set(key, { signer, number: header.number, sealHashes })
  }

  /** Each block that has got deep enough, ascending; those above a fork once more, for they are others now. */
  #confirmations(kind: 'safe' | 'final', depth: number, forkedAt: number): ChainEvent[] {
    const before = headOf(this.#tree).header.number
    const from = Math.max(Math.min(before - depth, forkedAt) + 1, this.#tree.start)
    const to = headOf(this.#draft).header.number - depth
    const blocks = Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => canonicalAt(this.#draft, from + index))
    return blocks.flatMap((block) => (block === null ? [] : [{ kind, block } as const]))
  }

  #nextTree(): Tree {
    const base = baseOf(this.#draft).header.number
    const { dismissed, expected } = this.#tree
    return {
      blocks: this.#draft.blocks,
      canonical: this.#draft.canonical,
      start: this.#tree.start,
      alarm: this.#tree.alarm ?? this.#alarm,
      dismissed: new Set([...dismissed].filter((hash) => this.#draft.blocks.has(hash))),
      equivocations: new Map([...this.#equivocations].filter(([key]) => Number(key.split(':')[0]) >= base)),
      expected: expected !== null && expected.number >= base ? expected : null,
    }
  }
}

function sharedLength(before: readonly Hash[], after: readonly Hash[]): number {
  const differs = before.findIndex((hash, index) => after[index] !== hash)
  return differs < 0 ? before.length : differs
}

function heaviestFirst(one: Branch, other: Branch): number {
  const [mine, theirs] = [one.tip.block.totalDifficulty, other.tip.block.totalDifficulty]
  return mine === theirs ? one.tip.id - other.tip.id : mine > theirs ? -1 : 1
}

/** The owner has looked: heavier branches that are too deep now raise no alarm again. */
export function dismissAlarm(tree: Tree): Tree {
  const draft = draftOf(tree)
  const ours = headOf(tree).totalDifficulty
  const tooDeep = sideTips(draft).filter(({ block }) => block.totalDifficulty > ours).map((tip) => branchTo(draft, tip)).filter(({ verdict }) => verdict === 'too-deep')
  const isContradicted = tree.expected !== null && ![null, tree.expected.hash].includes(canonicalAt(tree, tree.expected.number)?.hash ?? null)
  return {
    ...tree,
    alarm: null,
    dismissed: new Set([...tree.dismissed, ...tooDeep.flatMap(({ path }) => path[0]?.block.hash ?? [])]),
    expected: isContradicted ? null : tree.expected,
  }
}
