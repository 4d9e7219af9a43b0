/**
 * Blocks as bytes in, judged blocks in the tree: one import at a time, parents before children, in small steps
 * so that the event loop turns. Nothing here is recursive: a block whose parent is not there is told as an
 * orphan, and whoever brought it fetches the ancestors.
 */
import { MeshBoxError } from '../../base/index.ts'
import type { Clock, Randomness } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import type { Address, Hash } from '../codec/fields.ts'
import { keccakHex } from '../codec/fields.ts'
import { decodeBody, encodeBody } from '../codec/body.ts'
import type { Body } from '../codec/body.ts'
import { decodeHeader, encodeHeader } from '../codec/header.ts'
import type { Header } from '../codec/header.ts'
import type { Receipt } from '../codec/receipt.ts'
import type { Network } from '../network/network.ts'
import type { Block, Chain, ChainBlock, Executor, NewBlock, ProvedState } from '../ports.ts'
import type { KnownHeader } from '../rules/verify-header.ts'
import type { Round } from '../rules/round.ts'
import { judgeBlock } from './judge.ts'
import type { Judgement, Parent } from './judge.ts'
import type { Breathe, ImportReport, ImportStop, LeaderChange, RawBlock } from './ports.ts'

export interface ImporterParts {
  readonly curve: Secp256k1
  readonly network: Network
  readonly chain: Chain
  readonly state: ProvedState
  /** Null where this box does not execute. */
  readonly executor: Executor | null
  readonly clock: Clock
  readonly randomness: Randomness
  readonly breathe: Breathe
  /** Receipts of a block that this box does not execute but wants; null where nobody has them. */
  readonly receiptsOf?: (block: KnownHeader, body: Body) => Promise<readonly Receipt[] | null>
  /** After the insert; once for each import that moved the head to a young block. */
  readonly announce?: (block: Block, hash: Hash, totalDifficulty: bigint, from: string) => void
  readonly leadersChanged?: (change: LeaderChange) => void
}

export interface ImportOptions {
  /** The height that this import leads to: blocks of the last two rounds below it are young. */
  readonly targetNumber?: number
}

/** Rounds at the end of an import whose blocks count as young. */
const YOUNG_ROUNDS = 2
/** Of the older blocks one in so many has its volunteer proved. */
const SAMPLED = 512
/** Blocks that go into the tree together, which nothing divides: as many as this box is quick to take, within these bounds. */
const MOST_TOGETHER = 64
const LEAST_TOGETHER = 4
/** Before anything is known of this box. */
const FIRST_TOGETHER = 16
/** What they may take together. */
const TOGETHER_MS = 20
/** The longest that the event loop is held, but for one block by itself. */
const HOLD_MS = 10
/** Imports that wait, and their bytes together: a pushed body has up to 10 MiB. */
const MAX_WAITING = 64
const MAX_WAITING_BYTES = 32 * 1024 * 1024
const MAX_REMEMBERED = 4096

interface Refused {
  readonly code: string
  readonly reason: string
  readonly isLie: boolean
}

export class BlockImporter {
  readonly #parts: ImporterParts
  #turn: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #waitingBytes = 0
  /** Refused blocks, so that they and what is built on them cost nothing more. */
  readonly #refused = new Map<Hash, Refused>()
  #breathedMs: number
  #together = FIRST_TOGETHER

  constructor(parts: ImporterParts) {
    this.#parts = parts
    this.#breathedMs = parts.clock.boottimeMs()
  }

  /** `from`: `ChainSource.id`, or 'self'. Errors: what the store, the executor or the proofs throw when broken. */
  import(blocks: readonly RawBlock[], from: string, options: ImportOptions = {}): Promise<ImportReport> {
    const bytes = blocks.reduce((sum, { header, body }) => sum + header.length + body.length, 0)
    const isTooMuch = this.#waiting > 0 && this.#waitingBytes + bytes > MAX_WAITING_BYTES
    if (this.#waiting >= MAX_WAITING || isTooMuch) return Promise.resolve({ added: 0, last: null, stop: { kind: 'busy' } })
    this.#waiting++
    this.#waitingBytes += bytes
    const work = this.#turn.then(() => this.#import(blocks, from, options))
    this.#turn = work.then(
      () => undefined,
      () => undefined, // whoever asked for it hears of it
    )
    return work.finally(() => {
      this.#waiting--
      this.#waitingBytes -= bytes
    })
  }

  /** A block that this box sealed. */
  importOwn(block: Block): Promise<ImportReport> {
    return this.import([{ header: encodeHeader(block.header), body: encodeBody(block.body) }], 'self')
  }

  async #import(blocks: readonly RawBlock[], from: string, options: ImportOptions): Promise<ImportReport> {
    const batch = new Batch(this.#parts.chain)
    const headBefore = this.#parts.chain.head().hash
    let stop: ImportStop | null = null
    for (const raw of blocks) {
      await this.#breathe()
      stop = await this.#take(raw, from, options, batch)
      if (stop === null && batch.waiting >= this.#together) stop = await this.#flush(batch)
      if (stop !== null) break
    }
    // What was good before the fault goes in all the same.
    const late = await this.#flush(batch)
    this.#announce(headBefore, batch, from)
    return { added: batch.added, last: batch.last, stop: late ?? stop ?? batch.held }
  }

  /** How long it took says how many may be next; fewer at once, more by and by. */
  async #flush(batch: Batch): Promise<ImportStop | null> {
    const { clock } = this.#parts
    const blocks = batch.waiting
    if (blocks === 0) return null
    const beganMs = clock.boottimeMs()
    const stop = await batch.flush()
    const fit = Math.floor((TOGETHER_MS * blocks) / Math.max(1, clock.boottimeMs() - beganMs))
    this.#together = Math.max(LEAST_TOGETHER, Math.min(MOST_TOGETHER, fit, 2 * this.#together))
    return stop
  }

  async #take(raw: RawBlock, from: string, options: ImportOptions, batch: Batch): Promise<ImportStop | null> {
    const { curve, chain } = this.#parts
    const hash = keccakHex(curve, raw.header)
    const known = chain.block(hash)
    if (known !== null) return batch.again(known, from)
    const block = decodeBlock(raw)
    if (block instanceof MeshBoxError) return { kind: 'malformed', reason: block.message }
    const { header, body } = block
    const refused = this.#refused.get(hash) ?? this.#behindRefused(header)
    if (refused !== undefined) return this.#refuse(hash, header.number, refused, true)
    const parent = batch.parent(header.parentHash)
    if (parent === null) return { kind: 'orphan', number: header.number, hash, parentHash: header.parentHash }
    const isLate = this.#isLate(parent, header)
    const isNearEnd = header.number > (options.targetNumber ?? header.number) - youngBlocks(parent)
    const judged = await this.#judge(parent, header, body, isNearEnd || isLate === true, batch)
    if (judged.kind === 'refused') return this.#refuse(hash, header.number, { code: judged.refusal.code, reason: judged.refusal.reason, isLie: judged.isLie }, judged.isFinal)
    if (judged.kind === 'future') return { kind: 'future', hash, waitSeconds: judged.waitSeconds }
    if (judged.kind === 'unavailable') return judged
    this.#tellLeaders(parent.round, judged.roundBefore, header.number)
    const receipts = judged.receipts ?? (await this.#parts.receiptsOf?.(judged.verified, body)) ?? null
    batch.add({ verified: judged.verified, body, receipts, round: judged.round, from }, isLate ?? isNearEnd)
    return null
  }

  async #judge(parent: Parent, header: Header, body: Body, isYoung: boolean, batch: Batch): Promise<Judgement> {
    const isProved = isYoung || this.#isDrawn()
    try {
      return await judgeBlock(this.#parts, parent, header, body, { nowSeconds: this.#nowSeconds(), isProved, leaderSets: () => batch.leaderSets(parent, youngBlocks(parent)) })
    } catch (thrown) {
      if (thrown instanceof MeshBoxError && thrown.kind === 'unavailable') return { kind: 'unavailable', reason: thrown.message, lacking: 'self' }
      throw thrown
    }
  }

  #isDrawn(): boolean {
    const [high = 0, low = 0] = this.#parts.randomness.bytes(2)
    return (high * 256 + low) % SAMPLED === 0
  }

  /** Of the last two rounds by the clock; null: it is not trusted. */
  #isLate(parent: Parent, { timeSeconds }: Header): boolean | null {
    const now = this.#nowSeconds()
    return now === null ? null : timeSeconds > now - youngBlocks(parent) * this.#parts.network.periodSeconds
  }

  #nowSeconds(): number | null {
    const { clock } = this.#parts
    return clock.isWallTrusted() ? Math.floor(clock.wallMs() / 1000) : null
  }

  /** Whatever stands on a refused block is refused; whether it is a lie, the block itself says. */
  #behindRefused(header: Header): Refused | undefined {
    const parent = this.#refused.get(header.parentHash)
    return parent === undefined ? undefined : { ...parent, reason: `behind a refused block: ${parent.reason}`.slice(0, 300) }
  }

  #refuse(hash: Hash, number: number, refused: Refused, isFinal: boolean): ImportStop {
    if (!isFinal) return { kind: 'refused', number, hash, ...refused }
    this.#refused.delete(hash)
    this.#refused.set(hash, refused)
    for (const oldest of this.#refused.keys()) {
      if (this.#refused.size <= MAX_REMEMBERED) break
      this.#refused.delete(oldest)
    }
    return { kind: 'refused', number, hash, ...refused }
  }

  #tellLeaders(before: Round, after: Round, number: number): void {
    const added = after.leaders.filter((leader) => !before.leaders.includes(leader))
    const removed = before.leaders.filter((leader) => !after.leaders.includes(leader))
    if (added.length + removed.length > 0) this.#parts.leadersChanged?.({ number, added, removed })
  }

  /** The head only, and only a young one: in a long import nobody waits for each block. */
  #announce(headBefore: Hash, batch: Batch, from: string): void {
    const head = this.#parts.chain.head()
    if (head.hash === headBefore || !batch.isYoung(head.hash)) return
    const body = this.#parts.chain.body(head.hash)
    if (body !== null) this.#parts.announce?.({ header: head.header, body }, head.hash, head.totalDifficulty, from)
  }

  async #breathe(): Promise<void> {
    const { clock, breathe } = this.#parts
    if (clock.boottimeMs() - this.#breathedMs < HOLD_MS) return
    await breathe()
    this.#breathedMs = clock.boottimeMs()
  }
}

function decodeBlock(raw: RawBlock): Block | MeshBoxError {
  try {
    return { header: decodeHeader(raw.header), body: decodeBody(raw.body) }
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) return thrown
    throw thrown
  }
}


function youngBlocks(parent: Parent): number {
  return YOUNG_ROUNDS * parent.round.signers.length
}

/** Judged blocks on their way into the tree, which are parents already. */
class Batch {
  readonly #chain: Chain
  readonly #parents = new Map<Hash, Parent>()
  readonly #inserted = new Set<Hash>()
  readonly #young = new Set<Hash>()
  #blocks: NewBlock[] = []
  last: Hash | null = null
  /** What the last block waits for beside the chain; the branch goes on growing meanwhile. */
  held: ImportStop | null = null

  constructor(chain: Chain) {
    this.#chain = chain
  }

  get waiting(): number {
    return this.#blocks.length
  }

  get added(): number {
    return this.#inserted.size
  }

  /** One of these blocks, now in the tree, and young. */
  isYoung(hash: Hash): boolean {
    return this.#inserted.has(hash) && this.#young.has(hash)
  }

  parent(hash: Hash): Parent | null {
    return this.#parents.get(hash) ?? this.#chain.block(hash)
  }

  add(block: NewBlock, isYoung: boolean): void {
    const { header, hash } = block.verified
    this.#parents.set(hash, { header, hash, round: block.round })
    this.#blocks.push(block)
    if (isYoung) this.#young.add(hash)
  }

  /** One that is in the tree. Off the canonical chain a second source may be what it waits for. */
  async again(known: ChainBlock, from: string): Promise<ImportStop | null> {
    const isCanonical = this.#chain.headerAt(known.header.number)?.hash === known.hash
    const body = isCanonical || known.signer === null ? null : this.#chain.body(known.hash)
    if (body === null || known.signer === null) {
      this.last = known.hash
      return null
    }
    const { header, hash, sealHash, signer, round } = known
    this.#blocks.push({ verified: { ok: true, header, hash, sealHash, signer }, body, receipts: this.#chain.receipts(hash), round, from })
    return null
  }

  async flush(): Promise<ImportStop | null> {
    const blocks = this.#blocks
    this.#blocks = []
    if (blocks.length === 0) return null
    const before = new Set(blocks.map(({ verified }) => verified.hash).filter((hash) => this.#chain.block(hash) !== null))
    const outcomes = await this.#chain.insert(blocks)
    let stop: ImportStop | null = null
    for (const [index, { verified }] of blocks.entries()) {
      const { hash, header } = verified
      const outcome = outcomes[index] ?? 'orphan'
      const isIn = this.#chain.block(hash) !== null
      if (isIn) this.last = hash
      if (isIn && !before.has(hash)) this.#inserted.add(hash)
      if (outcome === 'too-deep' || outcome === 'needs-second-source') {
        const mayGrow = isIn && this.#chain.alarm() === null
        this.held = { kind: outcome, number: header.number, hash, mayGrow }
        if (!mayGrow) stop ??= this.held
      } else this.held = null
      if (outcome === 'orphan') stop ??= { kind: 'orphan', number: header.number, hash, parentHash: header.parentHash }
    }
    return stop
  }

  /** Of the parent and its ancestors, so many blocks back; each once. */
  leaderSets(parent: Parent, blocks: number): readonly (readonly Address[])[] {
    const sets = new Map<string, readonly Address[]>()
    let at: Parent | null = parent
    for (let count = 0; at !== null && count < blocks; count++) {
      sets.set(at.round.leaders.join(), at.round.leaders)
      at = this.parent(at.header.parentHash)
    }
    return [...sets.values()]
  }
}
