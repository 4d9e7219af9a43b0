/** A chain of this box as a source for another: answers in process, by the same bounds as any other source. */
import type { Hash } from '../codec/fields.ts'
import { encodeBody } from '../codec/body.ts'
import { encodeHeader } from '../codec/header.ts'
import type { Block, ChainServer, ChainSource, SourceHead } from '../ports.ts'
import { MAX_BODIES, MAX_HEADERS, MAX_NODES, MAX_RECEIPTS } from './limits.ts'
import { closed } from './source-errors.ts'
import type { SourceVoice } from './pool.ts'

/** What the other chain does with what it is told; null: it takes nothing. */
export type LocalTaker = Pick<ChainSource, 'sendTransactions' | 'announceBlock'> | null

export interface LocalSourceParts {
  /** `local:<name>`. */
  readonly name: string
  readonly server: ChainServer
  readonly voice: SourceVoice
  readonly taker: LocalTaker
  /** Called once, when it is closed from this side. */
  readonly onClosed: (reason: string) => void
}

export class LocalSource implements ChainSource {
  readonly id: string
  readonly kind = 'local'
  readonly #parts: LocalSourceParts
  #closedReason: string | null = null

  constructor(parts: LocalSourceParts) {
    this.id = `local:${parts.name}`
    this.#parts = parts
  }

  head(): SourceHead {
    return this.#parts.server.head()
  }

  async headers(from: Hash | number, count: number): Promise<readonly Uint8Array[]> {
    return this.#server().headers(from, Math.min(count, MAX_HEADERS), 0, false)
  }

  // One by one: a server leaves out what it has not, and says so by nothing else.
  async bodies(hashes: readonly Hash[]): Promise<readonly (Uint8Array | null)[]> {
    const server = this.#server()
    return hashes.slice(0, MAX_BODIES).map((hash) => server.bodies([hash])[0] ?? null)
  }

  async receipts(hashes: readonly Hash[]): Promise<readonly (Uint8Array | null)[]> {
    const server = this.#server()
    return hashes.slice(0, MAX_RECEIPTS).map((hash) => server.receipts([hash])[0] ?? null)
  }

  async nodes(hashes: readonly Hash[]): Promise<readonly Uint8Array[]> {
    return this.#server().nodes(hashes.slice(0, MAX_NODES))
  }

  sendTransactions(transactions: readonly Uint8Array[]): void {
    if (this.#closedReason === null) this.#parts.taker?.sendTransactions(transactions)
  }

  announceBlock(block: Block, totalDifficulty: bigint): void {
    if (this.#closedReason === null) this.#parts.taker?.announceBlock(block, totalDifficulty)
  }

  close(reason: string): void {
    if (this.#closedReason !== null) return
    this.#closedReason = reason
    this.#parts.onClosed(reason)
  }

  /** The other chain has a new head. */
  headChanged(): void {
    if (this.#closedReason === null) this.#parts.voice.headChanged(this)
  }

  /** The other chain made or took a block and hands it on. */
  push(block: Block, totalDifficulty: bigint): void {
    if (this.#closedReason === null) this.#parts.voice.blockPushed(this, encodeHeader(block.header), encodeBody(block.body), totalDifficulty)
  }

  pushTransactions(transactions: readonly Uint8Array[]): void {
    if (this.#closedReason === null) this.#parts.voice.transactionsPushed(this, transactions)
  }

  #server(): ChainServer {
    if (this.#closedReason !== null) throw closed(this.#closedReason)
    return this.#parts.server
  }
}
