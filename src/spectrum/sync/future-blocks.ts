/** Blocks whose time has not come, brought again when it has. Few, small, and few of one source: they wait in memory. */
import type { Cancel, Timers } from '../../base/index.ts'
import type { Hash } from '../codec/fields.ts'
import type { RawBlock } from './ports.ts'

/** A block further ahead is not kept (spec 2.5): its sender's clock, or ours, is wrong. */
const MAX_AHEAD_SECONDS = 30
const MAX_BLOCKS = 32
const MAX_BLOCKS_PER_SOURCE = 4
const MAX_BYTES = 8 * 1024 * 1024

interface Waiting {
  readonly block: RawBlock
  readonly from: string
  readonly cancel: Cancel
}

export class FutureBlocks {
  readonly #timers: Timers
  readonly #bring: (block: RawBlock, from: string) => void
  readonly #waiting = new Map<Hash, Waiting>()

  constructor(timers: Timers, bring: (block: RawBlock, from: string) => void) {
    this.#timers = timers
    this.#bring = bring
  }

  get size(): number {
    return this.#waiting.size
  }

  /** False: not kept. */
  add(hash: Hash, block: RawBlock, from: string, waitSeconds: number): boolean {
    if (this.#waiting.has(hash)) return true
    const all = [...this.#waiting.values()]
    const bytes = all.reduce((sum, each) => sum + sizeOf(each.block), sizeOf(block))
    if (waitSeconds > MAX_AHEAD_SECONDS || all.length >= MAX_BLOCKS || bytes > MAX_BYTES) return false
    if (all.filter((each) => each.from === from).length >= MAX_BLOCKS_PER_SOURCE) return false
    const cancel = this.#timers.after(waitSeconds * 1000, () => {
      this.#waiting.delete(hash)
      this.#bring(block, from)
    })
    this.#waiting.set(hash, { block, from, cancel })
    return true
  }

  clear(): void {
    for (const { cancel } of this.#waiting.values()) cancel()
    this.#waiting.clear()
  }
}

function sizeOf(block: RawBlock): number {
  return block.header.length + block.body.length
}
