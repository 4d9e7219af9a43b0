/** A source over blocks of the valley, honest unless it is told otherwise. It answers at once, or when its script lets it. */
import { encodeRlp, decodeRlp } from '../../../src/base/index.ts'
import { encodeReceipt } from '../../../src/spectrum/codec/receipt.ts'
import { encodeBody } from '../../../src/spectrum/codec/body.ts'
import { encodeHeader } from '../../../src/spectrum/codec/header.ts'
import type { Hash, Receipt } from '../../../src/spectrum/index.ts'
import type { Block, ChainSource, SourceHead } from '../../../src/spectrum/ports.ts'
import type { Spot } from './valley.ts'

export interface Script {
  headers?: (from: Hash | number, count: number, honest: () => Uint8Array[]) => Promise<readonly Uint8Array[]>
  bodies?: (hashes: readonly Hash[], honest: () => (Uint8Array | null)[]) => Promise<readonly (Uint8Array | null)[]>
  receipts?: (hashes: readonly Hash[]) => Promise<readonly (Uint8Array | null)[]>
  nodes?: (hashes: readonly Hash[], honest: () => Uint8Array[]) => Promise<readonly Uint8Array[]>
  /** Default: the last block, with its height and true weight. */
  head?: () => SourceHead | null
}

/** Never answers. */
export const silence = <T>(): Promise<T> => new Promise(() => undefined)

export class ScriptedSource implements ChainSource {
  readonly id: string
  readonly kind = 'eth63' as const
  readonly closedFor: string[] = []
  readonly told: Block[] = []
  readonly asked: string[] = []
  readonly askedNodes: Hash[][] = []
  /** Ascending, the genesis or another start first. */
  blocks: readonly Spot[]
  readonly #nodes: ReadonlyMap<Hash, Uint8Array>
  readonly #script: Script

  constructor(id: string, blocks: readonly Spot[], nodes: ReadonlyMap<Hash, Uint8Array> = new Map(), script: Script = {}) {
    this.id = id
    this.blocks = blocks
    this.#nodes = nodes
    this.#script = script
  }

  head(): SourceHead | null {
    if (this.#script.head !== undefined) return this.#script.head()
    const last = this.blocks.at(-1)
    return last === undefined ? null : { hash: last.hash, number: last.header.number, totalDifficulty: last.totalDifficulty }
  }

  headers(from: Hash | number, count: number): Promise<readonly Uint8Array[]> {
    this.asked.push(`headers ${typeof from === 'number' ? from : 'hash'} ${count}`)
    const honest = (): Uint8Array[] => {
      const start = this.blocks.findIndex(({ header, hash }) => (typeof from === 'number' ? header.number === from : hash === from))
      return start < 0 ? [] : this.blocks.slice(start, start + count).map(({ header }) => encodeHeader(header))
    }
    return this.#script.headers?.(from, count, honest) ?? Promise.resolve(honest())
  }

  bodies(hashes: readonly Hash[]): Promise<readonly (Uint8Array | null)[]> {
    this.asked.push(`bodies ${hashes.length}`)
    const honest = (): (Uint8Array | null)[] => hashes.map((hash) => this.blocks.find((spot) => spot.hash === hash)).map((spot) => (spot === undefined ? null : encodeBody(spot.body)))
    return this.#script.bodies?.(hashes, honest) ?? Promise.resolve(honest())
  }

  receipts(hashes: readonly Hash[]): Promise<readonly (Uint8Array | null)[]> {
    return this.#script.receipts?.(hashes) ?? Promise.resolve(hashes.map(() => null))
  }

  nodes(hashes: readonly Hash[]): Promise<readonly Uint8Array[]> {
    this.askedNodes.push([...hashes])
    const honest = (): Uint8Array[] => hashes.flatMap((hash) => this.#nodes.get(hash) ?? [])
    return this.#script.nodes?.(hashes, honest) ?? Promise.resolve(honest())
  }

  sendTransactions(): void {
    throw new Error('syncing sends no transactions')
  }

  announceBlock(block: Block): void {
    this.told.push(block)
  }

  close(reason: string): void {
    this.closedFor.push(reason)
  }
}

/** A block's receipts as a source sends them. */
export function receiptsRlp(receipts: readonly Receipt[]): Uint8Array {
  return encodeRlp(receipts.map((receipt) => decodeRlp(encodeReceipt(receipt), { maxBytes: 1 << 20, maxItems: 10_000, maxDepth: 4 })))
}

export function raw(spot: Spot): { header: Uint8Array; body: Uint8Array } {
  return { header: encodeHeader(spot.header), body: encodeBody(spot.body) }
}
