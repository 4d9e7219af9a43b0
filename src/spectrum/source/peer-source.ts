/**
 * A source that speaks eth/63 messages, whatever carries them: questions and answers, what it tells by itself,
 * and what we tell it, without sending back what came from it. Used over RLPx and over the mesh.
 */
import { asError } from '../../base/index.ts'
import { encodeBody } from '../codec/body.ts'
import type { Hash, Keccak } from '../codec/fields.ts'
import { keccakHex } from '../codec/fields.ts'
import { decodeHeader, encodeHeader } from '../codec/header.ts'
import type { Header } from '../codec/header.ts'
import type { Block, ChainServer, ChainSource, SourceHead } from '../ports.ts'
import type { BlockFetches } from './block-fetches.ts'
import {
  CODE,
  decodeBodies,
  decodeHeaders,
  decodeNewBlock,
  decodeNewBlockHashes,
  decodeNodes,
  decodeReceiptLists,
  decodeTransactions,
  encodeGetHeaders,
  encodeHashes,
  encodeNewBlock,
  encodeNewBlockHashes,
  encodeTransactions,
} from './eth63.ts'
import type { BlockName, Message, PushedBlock } from './eth63.ts'
import { KNOWN_BLOCKS, KNOWN_TRANSACTIONS, MAX_BODIES, MAX_HEADERS, MAX_NODES, MAX_POOLED_TRANSACTION_BYTES, MAX_RECEIPTS } from './limits.ts'
import { KnownSet } from './known-set.ts'
import type { SourceVoice } from './pool.ts'
import { decoding, lied } from './source-errors.ts'

/** What carries the messages. */
export interface PeerLink {
  /** The reply's payload. Errors (rejects): see source-errors.ts. */
  ask(request: Message): Promise<Uint8Array>
  /** Best effort: left out where the other side does not read. */
  tell(message: Message): void
  close(reason: string): void
  /** It broke the protocol: closed, and kept out for a while. */
  breach(reason: string): void
}

export interface PeerSourceParts {
  readonly id: string
  readonly kind: 'eth63' | 'mesh'
  readonly keccak: Keccak
  readonly server: ChainServer
  readonly listener: SourceVoice
  readonly fetches: BlockFetches
}

/** Of one announcement at most so many blocks are fetched; a peer that is further ahead is synced with. */
const MAX_FETCHED = 4
/** Questions that one call may need where the source leaves blocks out. */
const MAX_QUESTIONS = 64
const PACK_BYTES = 100 * 1024
const PACK_TRANSACTIONS = 1024

export class PeerSource implements ChainSource {
  readonly id: string
  readonly kind: 'eth63' | 'mesh'
  readonly #parts: PeerSourceParts
  readonly #link: PeerLink
  readonly #knownBlocks = new KnownSet(KNOWN_BLOCKS)
  readonly #knownTransactions = new KnownSet(KNOWN_TRANSACTIONS)
  #head: SourceHead | null

  constructor(parts: PeerSourceParts, link: PeerLink, head: SourceHead | null) {
    this.id = parts.id
    this.kind = parts.kind
    this.#parts = parts
    this.#link = link
    this.#head = head
  }

  head(): SourceHead | null {
    return this.#head
  }

  /** Hashes kept of this peer. */
  get knownCount(): number {
    return this.#knownBlocks.size + this.#knownTransactions.size
  }

  async headers(from: Hash | number, count: number): Promise<readonly Uint8Array[]> {
    const asked = Math.min(count, MAX_HEADERS)
    const payload = await this.#link.ask(encodeGetHeaders({ from, count: asked, skip: 0, isReverse: false }))
    return this.#judged(() => {
      const headers = decodeHeaders(payload)
      if (headers.length > asked) throw lied(`${headers.length} headers where ${asked} were asked for`)
      const [first] = headers
      if (first !== undefined && typeof from === 'string' && keccakHex(this.#parts.keccak, first) !== from) throw lied('another header than the one asked for')
      if (first !== undefined && typeof from === 'number' && decodeHeader(first).number !== from) throw lied('a header of another height than asked for')
      return headers
    })
  }

  async bodies(hashes: readonly Hash[]): Promise<readonly (Uint8Array | null)[]> {
    return this.#inOrder(CODE.getBodies, decodeBodies, hashes.slice(0, MAX_BODIES), { left: MAX_QUESTIONS })
  }

  async receipts(hashes: readonly Hash[]): Promise<readonly (Uint8Array | null)[]> {
    return this.#inOrder(CODE.getReceipts, decodeReceiptLists, hashes.slice(0, MAX_RECEIPTS), { left: MAX_QUESTIONS })
  }

  async nodes(hashes: readonly Hash[]): Promise<readonly Uint8Array[]> {
    const asked = hashes.slice(0, MAX_NODES)
    const payload = await this.#link.ask(encodeHashes(CODE.getNodes, asked))
    return this.#judged(() => {
      const wanted = new Set(asked)
      const nodes = decodeNodes(payload)
      for (const node of nodes) if (!wanted.has(keccakHex(this.#parts.keccak, node))) throw lied('a node that was not asked for')
      return nodes
    })
  }

  /** It has them: they are not sent back. */
  noteTransactions(transactions: readonly Uint8Array[]): void {
    for (const transaction of transactions) this.#knownTransactions.add(keccakHex(this.#parts.keccak, transaction))
  }

  sendTransactions(transactions: readonly Uint8Array[], isAgain = false): void {
    let pack: Uint8Array[] = []
    let bytes = 0
    for (const transaction of transactions) {
      if (transaction.length > MAX_POOLED_TRANSACTION_BYTES || (!this.#knownTransactions.add(keccakHex(this.#parts.keccak, transaction)) && !isAgain)) continue
      pack.push(transaction)
      bytes += transaction.length
      if (bytes < PACK_BYTES && pack.length < PACK_TRANSACTIONS) continue
      this.#link.tell(encodeTransactions(pack))
      pack = []
      bytes = 0
    }
    if (pack.length > 0) this.#link.tell(encodeTransactions(pack))
  }

  announceBlock(block: Block, totalDifficulty: bigint): void {
    const header = encodeHeader(block.header)
    const name = { hash: keccakHex(this.#parts.keccak, header), number: block.header.number }
    if (!this.#knownBlocks.has(name.hash)) this.pushBlock(encodeNewBlock({ header, body: encodeBody(block.body), totalDifficulty }), name)
  }

  /** A NewBlock message that is made already, for many peers at once. */
  pushBlock(message: Message, name: BlockName): void {
    if (this.#knownBlocks.add(name.hash)) this.#link.tell(message)
  }

  /** Only that there is a block. */
  announceHash(name: BlockName): void {
    if (this.#knownBlocks.add(name.hash)) this.#link.tell(encodeNewBlockHashes([name]))
  }

  close(reason: string): void {
    this.#link.close(reason)
  }

  /** What it tells by itself. Errors: input: it broke the protocol. */
  hear(message: Message): void {
    if (message.code === CODE.newBlock) this.#hearBlock(decodeNewBlock(message.payload))
    else if (message.code === CODE.newBlockHashes) this.#hearHashes(decodeNewBlockHashes(message.payload))
    else if (message.code === CODE.transactions) this.#hearTransactions(decodeTransactions(message.payload))
    else throw lied(`message ${message.code}, which nobody asked for`)
  }

  #hearBlock(block: PushedBlock): void {
    const header = decodeHeader(block.header)
    const hash = keccakHex(this.#parts.keccak, block.header)
    if (!this.#knownBlocks.add(hash)) return
    this.#parts.fetches.done(hash)
    this.#newHead(hash, header.number, block.totalDifficulty)
    this.#parts.listener.blockPushed(this, block.header, block.body, block.totalDifficulty)
  }

  #hearHashes(blocks: readonly BlockName[]): void {
    const fresh = blocks.filter(({ hash }) => this.#knownBlocks.add(hash))
    for (const { hash, number } of fresh.slice(-MAX_FETCHED)) {
      const before = this.#head
      // No total difficulty comes with a hash: the last one said is the least it can be.
      this.#newHead(hash, number, before?.totalDifficulty ?? 0n)
      if (this.#parts.server.headers(hash, 1, 0, false).length > 0) continue
      this.#parts.fetches.announced(hash, () => {
        this.#fetch(hash, before).then(
          (isThere) => (isThere ? this.#parts.fetches.done(hash) : this.#parts.fetches.failed(hash)),
          () => this.#parts.fetches.failed(hash), // why it failed is dealt with where it failed: the link
        )
      })
    }
  }

  async #fetch(hash: Hash, before: SourceHead | null): Promise<boolean> {
    const [headerBytes] = await this.headers(hash, 1)
    const [body] = await this.bodies([hash])
    if (headerBytes === undefined || body === undefined || body === null) return false
    const header = this.#judged(() => decodeHeader(headerBytes))
    this.#parts.listener.blockPushed(this, headerBytes, body, totalAfter(header, before))
    return true
  }

  #hearTransactions(transactions: readonly Uint8Array[]): void {
    // Larger ones no pool takes; they are no offence, only of no use.
    const usable = transactions.filter((transaction) => transaction.length <= MAX_POOLED_TRANSACTION_BYTES)
    const fresh = usable.filter((transaction) => this.#knownTransactions.add(keccakHex(this.#parts.keccak, transaction)))
    if (fresh.length > 0) this.#parts.listener.transactionsPushed(this, fresh)
  }

  #newHead(hash: Hash, number: number, totalDifficulty: bigint): void {
    const head = this.#head
    if (head !== null && (head.hash === hash || totalDifficulty < head.totalDifficulty || (totalDifficulty === head.totalDifficulty && head.number !== null && number <= head.number))) return
    this.#head = { hash, number, totalDifficulty }
    this.#parts.listener.headChanged(this)
  }

  /**
   * eth/63 leaves out what a server has not, and stops where a reply is large: fewer than asked do not say which.
   * Halves are asked for until each reply is whole or empty.
   */
  async #inOrder(code: number, decode: (payload: Uint8Array) => readonly Uint8Array[], hashes: readonly Hash[], questions: { left: number }): Promise<(Uint8Array | null)[]> {
    if (hashes.length === 0) return []
    if (questions.left-- <= 0) throw this.#breach(lied(`fewer blocks than asked for, ${MAX_QUESTIONS} times`))
    const payload = await this.#link.ask(encodeHashes(code, hashes))
    const items = this.#judged(() => {
      const found = decode(payload)
      if (found.length > hashes.length) throw lied(`${found.length} items where ${hashes.length} were asked for`)
      return found
    })
    if (items.length === hashes.length) return [...items]
    if (items.length === 0) return hashes.map(() => null)
    const half = Math.ceil(hashes.length / 2)
    const first = await this.#inOrder(code, decode, hashes.slice(0, half), questions)
    return [...first, ...(await this.#inOrder(code, decode, hashes.slice(half), questions))]
  }

  #judged<T>(judge: () => T): T {
    try {
      return decoding(judge)
    } catch (thrown) {
      throw this.#breach(asError(thrown))
    }
  }

  #breach(error: Error): Error {
    this.#link.breach(error.message)
    return error
  }
}

/** A hint only: on top of the head before it where it follows that head, else no less than that. */
function totalAfter(header: Header, before: SourceHead | null): bigint {
  const total = before?.totalDifficulty ?? 0n
  return before !== null && before.hash === header.parentHash ? total + header.difficulty : total
}
