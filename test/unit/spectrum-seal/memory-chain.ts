/** The chain port in memory: the heaviest branch is the head, the first seen of equals stays. No limits, no disk. */
import type { Cancel } from '../../../src/base/index.ts'
import { hashTransaction } from '../../../src/spectrum/index.ts'
import { genesisHeader } from '../../../src/spectrum/network/genesis.ts'
import { hashHeader, sealHash } from '../../../src/spectrum/codec/header.ts'
import type { Body, Hash, KnownHeader, Network, Receipt, Round } from '../../../src/spectrum/index.ts'
import type { Chain, ChainAlarm, ChainBlock, ChainEvent, InsertOutcome, NewBlock } from '../../../src/spectrum/ports.ts'
import { native } from '../spectrum/curves.ts'

interface Kept {
  readonly block: ChainBlock
  readonly body: Body
  readonly receipts: readonly Receipt[] | null
}

export class MemoryChain implements Chain {
  readonly network: Network
  readonly #kept = new Map<Hash, Kept>()
  #canonical: ChainBlock[]
  readonly #listeners = new Set<(event: ChainEvent) => void>()
  alarmed: ChainAlarm | null = null
  /** Thrown by the next `insert`. */
  insertFault: Error | null = null
  /** How deep a block must lie to be final. */
  readonly finalDepth: number

  constructor(network: Network, round: Round, finalDepth = 34) {
    this.network = network
    this.finalDepth = finalDepth
    const header = genesisHeader(native, network.genesis)
    const genesis: ChainBlock = { header, hash: hashHeader(native, header), sealHash: sealHash(native, header), signer: null, totalDifficulty: header.difficulty, round }
    this.#kept.set(genesis.hash, { block: genesis, body: { transactions: [], uncles: [] }, receipts: [] })
    this.#canonical = [genesis]
  }

  head(): ChainBlock {
    const head = this.#canonical.at(-1)
    if (head === undefined) throw new Error('a chain has a genesis')
    return head
  }
  safe(): ChainBlock | null {
    return this.#canonical.at(-1 - Math.ceil(this.finalDepth / 2)) ?? null
  }
  final(): ChainBlock | null {
    return this.#canonical.at(-1 - this.finalDepth) ?? null
  }
  block(hash: Hash): ChainBlock | null {
    return this.#kept.get(hash)?.block ?? null
  }
  headerAt(number: number): KnownHeader | null {
    return this.#canonical[number] ?? null
  }
  header(hash: Hash): KnownHeader | null {
    return this.block(hash)
  }
  totalDifficulty(hash: Hash): bigint | null {
    return this.block(hash)?.totalDifficulty ?? null
  }
  body(hash: Hash): Body | null {
    return this.#kept.get(hash)?.body ?? null
  }
  receipts(hash: Hash): readonly Receipt[] | null {
    return this.#kept.get(hash)?.receipts ?? null
  }
  transaction(hash: Hash): { blockHash: Hash; number: number; index: number } | null {
    for (const block of this.#canonical) {
      const index = this.body(block.hash)?.transactions.findIndex((transaction) => hashTransaction(native, transaction) === hash) ?? -1
      if (index >= 0) return { blockHash: block.hash, number: block.header.number, index }
    }
    return null
  }
  alarm(): ChainAlarm | null {
    return this.alarmed
  }
  on(listener: (event: ChainEvent) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  async clearAlarm(): Promise<void> {
    this.alarmed = null
  }

  async insert(blocks: readonly NewBlock[]): Promise<readonly InsertOutcome[]> {
    await new Promise(setImmediate) // the real one waits for its disk
    if (this.insertFault !== null) throw this.insertFault
    return blocks.map((block) => this.#insert(block))
  }

  /** Those of a service that is no more. */
  forgetListeners(): void {
    this.#listeners.clear()
  }

  /** As a new start after the last blocks were lost. */
  cutTo(number: number): void {
    for (const block of this.#canonical.slice(number + 1)) this.#kept.delete(block.hash)
    this.#canonical = this.#canonical.slice(0, number + 1)
  }

  #insert({ verified, body, receipts, round }: NewBlock): InsertOutcome {
    if (this.#kept.has(verified.hash)) return 'known'
    const parent = this.block(verified.header.parentHash)
    if (parent === null) return 'orphan'
    const block: ChainBlock = { header: verified.header, hash: verified.hash, sealHash: verified.sealHash, signer: verified.signer, totalDifficulty: parent.totalDifficulty + verified.header.difficulty, round }
    this.#kept.set(block.hash, { block, body, receipts })
    if (block.totalDifficulty <= this.head().totalDifficulty) return 'side'
    const finalBefore = this.final()?.header.number ?? -1
    const branch: ChainBlock[] = []
    for (let at: ChainBlock | null = block; at !== null && this.#canonical[at.header.number]?.hash !== at.hash; at = this.block(at.header.parentHash)) branch.unshift(at)
    const fork = branch[0]?.header.number ?? 0
    const removed = this.#canonical.slice(fork).reverse()
    this.#canonical = [...this.#canonical.slice(0, fork), ...branch]
    this.#send({ kind: 'head', head: block, added: branch, removed })
    const final = this.final()
    if (final !== null && final.header.number > finalBefore) this.#send({ kind: 'final', block: final })
    return 'head'
  }

  #send(event: ChainEvent): void {
    for (const listener of [...this.#listeners]) listener(event)
  }
}
