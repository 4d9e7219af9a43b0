/**
 * Questions of neighbours for what this box does not keep, asked of others in their place: a neighbour without a way out can prove
 * state and receipts from nobody else. A question goes one box far, since those who are asked are no neighbours, and so in no
 * circle. What it costs is bounded for each neighbour and for all of them; above that they get what is kept here.
 */
import type { Clock, Timers } from '../../base/index.ts'
import type { Hash } from '../codec/fields.ts'
import type { ChainServer } from '../ports.ts'
import { Allowance } from './allowance.ts'
import { CODE, decodeHashes, encodeItems, encodeNodes } from './eth63.ts'
import type { Message } from './eth63.ts'
import {
  ALL_PASSED_ON_BYTES,
  ASKED_HASH_BYTES,
  MAX_ASKED_FOR_NODES,
  MAX_ASKED_FOR_RECEIPTS,
  MAX_PASSED_ON_BYTES,
  MAX_PASSED_ON_NEIGHBOURS,
  MAX_PASSED_ON_NODES,
  MAX_PASSED_ON_RECEIPTS,
  MAX_PASSING_ON,
  MAX_PASSING_ON_EACH,
  PASSED_ON_BYTES,
  PASS_ON_MS,
} from './limits.ts'
import { Places } from './places.ts'

/** What others have. Never asked of neighbours. */
export interface Elsewhere {
  /** Checked by their hashes; without those that nobody has. */
  nodes(hashes: readonly Hash[]): Promise<readonly Uint8Array[]>
  /** RLP of a block's list, checked by its header; null: nobody has it, or the block is not known here. */
  receipts(hash: Hash): Promise<Uint8Array | null>
}

/** Of one box: what its neighbours share. */
export class PassingOn {
  readonly elsewhere: Elsewhere
  readonly timers: Timers
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly bytes: Allowance
  readonly places = new Places(MAX_PASSING_ON)
  readonly #neighbours = new Map<string, PassedOn>()

  constructor(elsewhere: Elsewhere, parts: { readonly timers: Timers; readonly clock: Pick<Clock, 'boottimeMs'> }) {
    this.elsewhere = elsewhere
    this.timers = parts.timers
    this.clock = parts.clock
    this.bytes = new Allowance(ALL_PASSED_ON_BYTES, parts.clock.boottimeMs())
  }

  /** The same after it has gone and come again: that is no new allowance. */
  of(neighbour: string): PassedOn {
    const found = this.#neighbours.get(neighbour) ?? new PassedOn(this)
    this.#neighbours.delete(neighbour)
    this.#neighbours.set(neighbour, found)
    const [oldest] = this.#neighbours.keys()
    if (this.#neighbours.size > MAX_PASSED_ON_NEIGHBOURS && oldest !== undefined) this.#neighbours.delete(oldest)
    return found
  }
}

/** Of one neighbour: `PassingOn.of`. */
export class PassedOn {
  readonly #shared: PassingOn
  readonly #bytes: Allowance
  readonly #places = new Places(MAX_PASSING_ON_EACH)

  constructor(shared: PassingOn) {
    this.#shared = shared
    this.#bytes = new Allowance(PASSED_ON_BYTES, shared.clock.boottimeMs())
  }

  /** Null: nothing to pass on, or no more for now. Errors (rejects): input for a malformed request. */
  async answer(server: ChainServer, request: Message): Promise<Message | null> {
    if (request.code === CODE.getNodes) return this.#nodes(decodeHashes(request.payload).slice(0, MAX_PASSED_ON_NODES))
    if (request.code === CODE.getReceipts) return this.#receipts(server, decodeHashes(request.payload).slice(0, MAX_PASSED_ON_RECEIPTS))
    return null
  }

  async #nodes(hashes: readonly Hash[]): Promise<Message | null> {
    if (!this.#mayAsk(hashes.length * MAX_ASKED_FOR_NODES)) return null
    const nodes = await this.#inTime([] as readonly Uint8Array[], async () => {
      const found = await this.#shared.elsewhere.nodes(hashes)
      this.#spend(found)
      return found
    })
    let bytes = 0
    return encodeNodes(nodes.filter((node, index) => (bytes += node.length) <= MAX_PASSED_ON_BYTES || index === 0))
  }

  async #receipts(server: ChainServer, hashes: readonly Hash[]): Promise<Message | null> {
    const kept = hashes.map((hash) => server.receipts([hash])[0] ?? null)
    if (kept.every((list) => list !== null)) return null
    const lists: Uint8Array[] = []
    await this.#inTime(undefined, async (isLate) => {
      let bytes = 0
      for (const [index, hash] of hashes.entries()) {
        if (isLate() || bytes >= MAX_PASSED_ON_BYTES) return
        const list = kept[index] ?? (await this.#receiptsOf(hash))
        if (list === null) continue
        lists.push(list)
        bytes += list.length
      }
    })
    return encodeItems(CODE.receipts, lists)
  }

  async #receiptsOf(hash: Hash): Promise<Uint8Array | null> {
    if (!this.#mayAsk(MAX_ASKED_FOR_RECEIPTS)) return null
    const list = await this.#shared.elsewhere.receipts(hash)
    if (list !== null) this.#spend([list])
    return list
  }

  /** What is asked for in vain costs as well. */
  #mayAsk(hashes: number): boolean {
    const nowMs = this.#shared.clock.boottimeMs()
    const cost = hashes * ASKED_HASH_BYTES
    return cost > 0 && this.#bytes.take(cost, nowMs) && this.#shared.bytes.take(cost, nowMs)
  }

  #spend(items: readonly Uint8Array[]): void {
    const nowMs = this.#shared.clock.boottimeMs()
    const bytes = items.reduce((sum, { length }) => sum + length, 0)
    this.#bytes.spend(bytes, nowMs)
    this.#shared.bytes.spend(bytes, nowMs)
  }

  /** `none` where it takes longer than the neighbour waits; work that has begun keeps its place until it ends. */
  #inTime<T>(none: T, work: (isLate: () => boolean) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let isLate = false
      const cancel = this.#shared.timers.after(PASS_ON_MS, () => {
        isLate = true
        resolve(none)
      })
      this.#places
        .run(() => this.#shared.places.run(async () => (isLate ? none : work(() => isLate))))
        .then(resolve, reject)
        .finally(() => void cancel())
    })
  }
}
