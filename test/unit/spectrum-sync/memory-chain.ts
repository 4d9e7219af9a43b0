/** The port `Chain` in memory: total difficulty, the reorg policy of 17 and 34 blocks, events. For tests of who uses it. */
import type { Cancel } from '../../../src/base/index.ts'
import type { Body, Hash, Network, Receipt } from '../../../src/spectrum/index.ts'
import type { Chain, ChainAlarm, ChainBlock, ChainEvent, InsertOutcome, NewBlock } from '../../../src/spectrum/ports.ts'

interface Stored extends ChainBlock {
  readonly body: Body
  readonly receipts: readonly Receipt[] | null
  readonly voices: Set<string>
}

export class MemoryChain implements Chain {
  readonly network: Network
  readonly #blocks = new Map<Hash, Stored>()
  readonly #listeners = new Set<(event: ChainEvent) => void>()
  #canonical: Stored[] = []
  #alarm: ChainAlarm | null = null

  constructor(network: Network, start: ChainBlock) {
    this.network = network
    const stored: Stored = { ...start, body: { transactions: [], uncles: [] }, receipts: [], voices: new Set() }
    this.#blocks.set(start.hash, stored)
    this.#canonical = [stored]
  }

  head(): ChainBlock {
    return this.#canonical.at(-1) as Stored
  }
  safe(): ChainBlock | null {
    return this.#canonical.at(-18) ?? null
  }
  final(): ChainBlock | null {
    return this.#canonical.at(-35) ?? null
  }
  block(hash: Hash): ChainBlock | null {
    return this.#blocks.get(hash) ?? null
  }
  headerAt(number: number): ChainBlock | null {
    return this.#canonical[number - (this.#canonical[0]?.header.number ?? 0)] ?? null
  }
  header(hash: Hash): ChainBlock | null {
    return this.block(hash)
  }
  totalDifficulty(hash: Hash): bigint | null {
    return this.block(hash)?.totalDifficulty ?? null
  }
  body(hash: Hash): Body | null {
    return this.#blocks.get(hash)?.body ?? null
  }
  receipts(hash: Hash): readonly Receipt[] | null {
    return this.#blocks.get(hash)?.receipts ?? null
  }
  transaction(): null {
    return null
  }
  alarm(): ChainAlarm | null {
    return this.#alarm
  }
  clearAlarm(): Promise<void> {
    this.#alarm = null
    return Promise.resolve()
  }
  on(listener: (event: ChainEvent) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  insert(blocks: readonly NewBlock[]): Promise<readonly InsertOutcome[]> {
    return Promise.resolve(blocks.map((block) => this.#insertOne(block)))
  }

  #insertOne({ verified, body, receipts, round, from }: NewBlock): InsertOutcome {
    const { header, hash, sealHash, signer } = verified
    let stored = this.#blocks.get(hash)
    const isKnown = stored !== undefined
    if (stored === undefined) {
      const parent = this.#blocks.get(header.parentHash)
      if (parent === undefined) return 'orphan'
      stored = { header, hash, sealHash, signer, round, totalDifficulty: parent.totalDifficulty + header.difficulty, body, receipts, voices: new Set() }
      this.#blocks.set(hash, stored)
    }
    stored.voices.add(from)
    if (stored.totalDifficulty <= this.head().totalDifficulty) return isKnown ? 'known' : 'side'
    return this.#consider(stored)
  }

  #consider(block: Stored): InsertOutcome {
    const added: Stored[] = []
    let at = block
    while (this.headerAt(at.header.number)?.hash !== at.hash) {
      added.unshift(at)
      at = this.#blocks.get(at.header.parentHash) as Stored
    }
    const removed = this.#canonical.filter(({ header }) => header.number > at.header.number).reverse()
    if (removed.length > 34) {
      this.#alarm ??= { code: 'deep-reorg', reason: `${removed.length} blocks`, atSeconds: block.header.timeSeconds }
      this.#tell({ kind: 'alarm', alarm: this.#alarm })
      return 'too-deep'
    }
    if (removed.length > 17 && block.voices.size < 2) return 'needs-second-source'
    this.#canonical = [...this.#canonical.filter(({ header }) => header.number <= at.header.number), ...added]
    this.#tell({ kind: 'head', head: block, added, removed })
    return 'head'
  }

  #tell(event: ChainEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}
