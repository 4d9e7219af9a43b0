/**
 * The chain this box keeps: a tree in memory, its rows in the store. A batch is worked out first, then written
 * in one turn, and only when that is on disk does the tree change and anybody hear of it. Batches follow each
 * other: one that cannot be written leaves everything as it was.
 */
import { MeshBoxError, asError, inputError } from '../../base/index.ts'
import type { Cancel, Clock, Log } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import type { Store } from '../../store/index.ts'
import { decodeBody, encodeBody } from '../codec/body.ts'
import type { Body } from '../codec/body.ts'
import type { Hash } from '../codec/fields.ts'
import type { Receipt } from '../codec/receipt.ts'
import type { Network } from '../network/network.ts'
import type { Chain, ChainAlarm, ChainBlock, ChainEvent, InsertOutcome, NewBlock } from '../ports.ts'
import type { KnownHeader } from '../rules/verify-header.ts'
import { branchesOf } from './branches.ts'
import type { ChainBranch } from './branches.ts'
import { adoptBranch, dismissAlarm, insertBlocks } from './insert.ts'
import type { Equivocation, InsertSettings, Insertion, TreeChanges } from './insert.ts'
import { readBody, readBodyAt, readTransactionPlace } from './io/body-rows.ts'
import type { StoredBody } from './io/body-rows.ts'
import { deleteChain, readEquivocations } from './io/chain-row.ts'
import { HeaderArchive, headerOfStored } from './io/header-rows.ts'
import { loadTree, saveChanges, saveStart, saveTree, treeOf } from './io/tables.ts'
import type { KeepLimits, NewBodies } from './io/tables.ts'
import type { ChainStart } from './start.ts'
import { decodeStoredReceipts, encodeStoredReceipts } from './stored-receipts.ts'
import { DEFAULT_TREE_LIMITS, FINAL_DEPTH, baseOf, canonicalAt, finalOf, headOf, safeOf } from './tree.ts'
import type { ExpectedBlock, Tree, TreeLimits } from './tree.ts'

/** Where the box's blocks stand to a checkpoint: `ahead` is looked at again when the chain gets there. */
export type CheckpointView = 'agrees' | 'conflict' | 'ahead' | 'not-kept'

/** The chain with what only its keeper can say. */
export interface KeptChain extends Chain {
  /** RLP as it was given; null where it is not kept. */
  bodyBytes(hash: Hash): Uint8Array | null
  /** Does the kept chain pass through this block? If not: alarm `checkpoint-conflict`. */
  considerCheckpoint(checkpoint: ExpectedBlock): Promise<CheckpointView>
  /** The state of the checkpoint that the chain began from says something else: alarm `checkpoint-conflict`. */
  disputeCheckpoint(reason: string): Promise<void>
  /** Branches that outweigh the chain and were not taken, heaviest first: what the owner chooses between after an alarm. */
  branches(): readonly ChainBranch[]
  /** The owner takes a branch of the tree that policy would not take, and with it clears the alarm. Errors: input `hash`. */
  adopt(hash: Hash): Promise<void>
  /** Of signers that sealed a height more than once; ascending, from this height on. */
  equivocations(fromNumber: number): readonly Equivocation[]
  stats(): { readonly treeBlocks: number; readonly sideBlocks: number; readonly baseNumber: number; readonly startNumber: number }
}

export interface ChainOptions {
  readonly store: Store
  readonly curve: Secp256k1
  readonly network: Network
  readonly clock: Pick<Clock, 'wallMs'>
  readonly log: Log
  /** Taken where no chain is kept yet; otherwise the kept one must pass through it. Null: there must be one. */
  readonly start: ChainStart | null
  /** Forget the kept chain, whichever it is, and begin anew at `start`, which there must be. */
  readonly isRestart?: boolean
  readonly limits?: Partial<TreeLimits>
  readonly keep?: Partial<KeepLimits>
}

const BLOCKS_PER_DAY = 6171
const DEFAULT_KEEP: KeepLimits = { bodyBlocks: 2048, headerBlocks: 2 * BLOCKS_PER_DAY, roundHeaderBlocks: 90 * BLOCKS_PER_DAY }
const MIN_WINDOW_BLOCKS = 64

/**
 * Errors: conflict `chain-foreign` (another network's chain is kept), not-found `chain-not-started`;
 * unavailable `chain-damaged`, and what the store rejects with.
 */
export async function openChain(options: ChainOptions): Promise<KeptChain> {
  const { store, curve, network, start, isRestart = false } = options
  const kept = isRestart ? null : store.read((tx) => loadTree(tx, curve, network))
  if (kept === null && start === null) throw new MeshBoxError('not-found', `no chain of ${network.name} is kept, and nothing was given to start it from`, { code: 'chain-not-started' })
  const roundBlocks = (kept === null ? start?.round : headOf(kept.tree).round)?.signers.length ?? 0
  const limits = limitsOf(options, roundBlocks)
  if (kept !== null) {
    const chain = new StoredChain(options, limits, kept.tree, kept.thinnedBelow)
    if (start !== null) await chain.considerCheckpoint({ number: start.known.header.number, hash: start.known.hash })
    return chain
  }
  if (start === null) throw new Error('unreachable: a chain is kept or started')
  const tree = treeOf(start)
  await store.turn((tx) => {
    if (isRestart) deleteChain(tx)
    saveStart(tx, curve, network, tree)
  })
  return new StoredChain(options, limits, tree, tree.start)
}

/** The window holds the last final end of a round, of which checkpoints are made, whatever the round's length. */
function limitsOf({ limits, keep }: ChainOptions, roundBlocks: number): { readonly tree: TreeLimits; readonly keep: KeepLimits } {
  const tree = { ...DEFAULT_TREE_LIMITS, ...limits }
  if (tree.windowBlocks < MIN_WINDOW_BLOCKS) throw inputError('windowBlocks', tree.windowBlocks, `${MIN_WINDOW_BLOCKS} or more`)
  if (tree.segmentBlocks < 1 || tree.segmentBlocks > tree.windowBlocks) throw inputError('segmentBlocks', tree.segmentBlocks, `1 to ${tree.windowBlocks}`)
  const windowBlocks = Math.max(tree.windowBlocks, FINAL_DEPTH + 2 * roundBlocks)
  const kept = { ...DEFAULT_KEEP, ...keep }
  const least = windowBlocks + tree.segmentBlocks
  for (const [field, value] of Object.entries(kept)) if (!Number.isSafeInteger(value) || value < least) throw inputError(field, value, `${least} blocks or more`)
  return { tree: { ...tree, windowBlocks }, keep: kept }
}

class StoredChain implements KeptChain {
  readonly network: Network
  readonly #store: Store
  readonly #curve: Secp256k1
  readonly #clock: Pick<Clock, 'wallMs'>
  readonly #log: Log
  readonly #limits: { readonly tree: TreeLimits; readonly keep: KeepLimits }
  readonly #archive = new HeaderArchive()
  readonly #listeners = new Set<(event: ChainEvent) => void>()
  #tree: Tree
  #thinnedBelow: number
  /** The last batch; the next one starts from what it left. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: ChainOptions, limits: { readonly tree: TreeLimits; readonly keep: KeepLimits }, tree: Tree, thinnedBelow: number) {
    this.network = options.network
    this.#store = options.store
    this.#curve = options.curve
    this.#clock = options.clock
    this.#log = options.log
    this.#limits = limits
    this.#tree = tree
    this.#thinnedBelow = thinnedBelow
  }

  head(): ChainBlock {
    return headOf(this.#tree)
  }

  safe(): ChainBlock | null {
    return safeOf(this.#tree)
  }

  final(): ChainBlock | null {
    return finalOf(this.#tree)
  }

  block(hash: Hash): ChainBlock | null {
    return this.#tree.blocks.get(hash)?.block ?? null
  }

  headerAt(number: number): KnownHeader | null {
    if (!Number.isSafeInteger(number) || number < 0) return null
    if (number >= baseOf(this.#tree).header.number) return knownOf(canonicalAt(this.#tree, number))
    const entry = this.#store.read((tx) => this.#archive.at(tx, number))
    return entry === null ? null : knownOf(headerOfStored(this.#curve, entry))
  }

  header(hash: Hash): KnownHeader | null {
    const block = this.block(hash)
    if (block !== null) return knownOf(block)
    const entry = this.#store.read((tx) => this.#archive.of(tx, hash))
    return entry === null ? null : knownOf(headerOfStored(this.#curve, entry))
  }

  totalDifficulty(hash: Hash): bigint | null {
    return this.block(hash)?.totalDifficulty ?? this.#store.read((tx) => this.#archive.of(tx, hash))?.totalDifficulty ?? null
  }

  body(hash: Hash): Body | null {
    const bytes = this.bodyBytes(hash)
    return bytes === null ? null : decodeBody(bytes)
  }

  bodyBytes(hash: Hash): Uint8Array | null {
    return this.#stored(hash)?.body ?? null
  }

  receipts(hash: Hash): readonly Receipt[] | null {
    const bytes = this.#stored(hash)?.receipts ?? null
    return bytes === null ? null : decodeStoredReceipts(this.#curve, bytes)
  }

  transaction(hash: Hash): { readonly blockHash: Hash; readonly number: number; readonly index: number } | null {
    const found = this.#store.read((tx) => readTransactionPlace(tx, hash))
    const block = found === null ? null : this.headerAt(found.number)
    return found === null || block === null ? null : { blockHash: block.hash, number: found.number, index: found.place }
  }

  alarm(): ChainAlarm | null {
    return this.#tree.alarm
  }

  on(listener: (event: ChainEvent) => void): Cancel {
    const own = (event: ChainEvent): void => listener(event)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  equivocations(fromNumber: number): readonly Equivocation[] {
    return this.#store.read((tx) => readEquivocations(tx, fromNumber))
  }

  stats(): { readonly treeBlocks: number; readonly sideBlocks: number; readonly baseNumber: number; readonly startNumber: number } {
    const { blocks, canonical, start } = this.#tree
    return { treeBlocks: blocks.size, sideBlocks: blocks.size - canonical.length, baseNumber: baseOf(this.#tree).header.number, startNumber: start }
  }

  insert(blocks: readonly NewBlock[]): Promise<readonly InsertOutcome[]> {
    return this.#inTurn(async () => {
      const bodies = this.#encodeBodies(blocks)
      const arrivals = blocks.map((block) => ({ block, bytes: storedBytes(bodies.get(block.verified.hash)) }))
      const insertion = insertBlocks(this.#tree, arrivals, this.#settings())
      await this.#commit(insertion, bodies)
      return insertion.outcomes
    })
  }

  adopt(hash: Hash): Promise<void> {
    return this.#inTurn(async () => {
      const { tree, changes, events } = adoptBranch(this.#tree, hash, this.#settings())
      await this.#commit({ tree: { ...tree, alarm: null }, changes, events: events.filter(({ kind }) => kind !== 'alarm') }, new Map())
      this.#log.warn('the owner has taken another branch of the chain', { head: hash, removed: changes.removed.length })
    })
  }

  clearAlarm(): Promise<void> {
    return this.#inTurn(() => this.#replaceTree(dismissAlarm(this.#tree)))
  }

  considerCheckpoint({ number, hash }: ExpectedBlock): Promise<CheckpointView> {
    return this.#inTurn(async () => {
      if (number > this.head().header.number) {
        await this.#replaceTree({ ...this.#tree, expected: { number, hash } })
        return 'ahead'
      }
      const ours = this.headerAt(number)
      if (ours === null) return 'not-kept'
      if (ours.hash === hash) return 'agrees'
      await this.#raise({ code: 'checkpoint-conflict', reason: `the signed checkpoint ${number} is ${hash}; this chain has ${ours.hash} there`, atSeconds: this.#nowSeconds() })
      return 'conflict'
    })
  }

  disputeCheckpoint(reason: string): Promise<void> {
    return this.#inTurn(() => this.#raise({ code: 'checkpoint-conflict', reason, atSeconds: this.#nowSeconds() }))
  }

  branches(): readonly ChainBranch[] {
    return branchesOf(this.#tree)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    // Its caller hears of a failure; the next batch starts from the tree as it is.
    this.#last = result.then(nothing, nothing)
    return result
  }

  async #commit({ tree, changes, events }: Omit<Insertion, 'outcomes'>, bodies: NewBodies): Promise<void> {
    const before = this.#tree
    if (isWritten(changes) || tree.alarm !== before.alarm) {
      const around = { curve: this.#curve, network: this.network, limits: this.#limits.tree, keep: this.#limits.keep }
      this.#thinnedBelow = await this.#store.turn((tx) => saveChanges(tx, around, before, tree, this.#thinnedBelow, changes, bodies))
    }
    this.#tree = tree
    this.#archive.forget()
    for (const event of events) this.#tell(event)
  }

  async #raise(alarm: ChainAlarm): Promise<void> {
    if (this.#tree.alarm !== null) return
    await this.#replaceTree({ ...this.#tree, alarm })
    this.#tell({ kind: 'alarm', alarm })
  }

  async #replaceTree(tree: Tree): Promise<void> {
    await this.#store.turn((tx) => saveTree(tx, this.network, tree, this.#thinnedBelow))
    this.#tree = tree
  }

  #tell(event: ChainEvent): void {
    if (event.kind === 'alarm') this.#log.error('alarm of the chain', { reason: event.alarm.reason })
    if (event.kind === 'equivocation') this.#log.warn('a signer has sealed one height more than once', { signer: event.signer, number: event.number, seals: event.sealHashes.length })
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (thrown) {
        // What is on disk stays there: the others hear of it all the same.
        this.#log.error('somebody could not take the news of the chain', { kind: event.kind, error: asError(thrown) })
      }
    }
  }

  #settings(): InsertSettings {
    const isArchived = (hash: Hash): boolean => this.#store.read((tx) => this.#archive.of(tx, hash)) !== null
    return { network: this.network, limits: this.#limits.tree, nowSeconds: this.#nowSeconds(), isArchived }
  }

  #nowSeconds(): number {
    return Math.floor(this.#clock.wallMs() / 1000)
  }

  #encodeBodies(blocks: readonly NewBlock[]): NewBodies {
    return new Map(
      blocks
        .filter(({ verified }) => !this.#tree.blocks.has(verified.hash))
        .map(({ verified, body, receipts }) => [
          verified.hash,
          { decoded: body, body: encodeBody(body), receipts: receipts === null ? null : encodeStoredReceipts(this.#curve, receipts) },
        ]),
    )
  }

  #stored(hash: Hash): StoredBody | null {
    const one = this.#tree.blocks.get(hash)
    return this.#store.read((tx) => {
      if (one !== undefined) return readBody(tx, one.id)
      const entry = this.#archive.of(tx, hash)
      return entry === null ? null : readBodyAt(tx, entry.number)
    })
  }
}

function storedBytes(stored: StoredBody | undefined): number {
  return (stored?.body.length ?? 0) + (stored?.receipts?.length ?? 0)
}

function knownOf(block: KnownHeader | null): KnownHeader | null {
  return block === null ? null : { header: block.header, hash: block.hash }
}

function isWritten({ inserted, archived, dropped, added, equivocations }: TreeChanges): boolean {
  return inserted.length + archived.length + dropped.length + added.length + equivocations.length > 0
}

function nothing(): void {
  return undefined
}
