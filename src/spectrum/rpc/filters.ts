/**
 * Filters that a client polls (eth_newFilter and so on). The chain's changes go into one ring that all
 * filters share; a filter is a place in it. Nothing grows with clients that never ask: filters are few per
 * caller, and forgotten when nobody polls them.
 */
import type { Cancel, Clock, Randomness } from '../../base/index.ts'
import { hexOf } from '../codec/fields.ts'
import type { Hex } from '../codec/fields.ts'
import type { ChainView } from '../ports.ts'
import type { KnownHeader } from '../rules/verify-header.ts'
import type { LogQuery } from './find-logs.ts'
import { RPC_CODES, RpcError } from './rpc-error.ts'

/** At the fastest period of 2 s: more than half an hour between two polls. */
const RING_BLOCKS = 1024
/** A filter that nobody polled for so long is gone. */
const FORGET_MS = 5 * 60_000
const MAX_FILTERS = 256
const ID_BYTES = 15

export interface ChainChange {
  readonly block: KnownHeader
  readonly removed: boolean
}

export type FilterKind = { readonly kind: 'blocks' } | { readonly kind: 'logs'; readonly query: LogQuery }

interface Filter {
  readonly owner: string
  readonly what: FilterKind
  /** Number of the next change it has not been told. */
  next: number
  polledMs: number
}

export class Filters {
  readonly #chain: ChainView
  readonly #clock: Clock
  readonly #randomness: Randomness
  readonly #filters = new Map<string, Filter>()
  readonly #ring: ChainChange[] = []
  readonly #unwatch: Cancel
  /** Number of the ring's first change. */
  #first = 0

  constructor(chain: ChainView, clock: Clock, randomness: Randomness) {
    this.#chain = chain
    this.#clock = clock
    this.#randomness = randomness
    this.#unwatch = this.#chain.on((event) => {
      if (event.kind !== 'head') return
      for (const block of event.removed) this.#push({ block: { header: block.header, hash: block.hash }, removed: true })
      for (const block of event.added) this.#push({ block: { header: block.header, hash: block.hash }, removed: false })
    })
  }

  /** `owner`: who asks; nobody else can use it. Errors: RpcError -32005. */
  add(owner: string, what: FilterKind, most: number): Hex {
    this.#forgetOld()
    const own = [...this.#filters.values()].filter((filter) => filter.owner === owner).length
    if (own >= most || this.#filters.size >= MAX_FILTERS) throw new RpcError(RPC_CODES.limit, `too many filters; at most ${most} each, and they end ${FORGET_MS / 60_000} minutes after their last use`)
    // A quantity has no leading zeros: the id begins with 1.
    const id: Hex = `0x1${hexOf(this.#randomness.bytes(ID_BYTES)).slice(2)}`
    this.#filters.set(id, { owner, what, next: this.#first + this.#ring.length, polledMs: this.#clock.boottimeMs() })
    return id
  }

  remove(owner: string, id: string): boolean {
    this.#forgetOld()
    return this.#filters.get(id)?.owner === owner && this.#filters.delete(id)
  }

  /** Errors: RpcError -32000 for a filter that is not there, or that was not asked for so long that changes are lost. */
  get(owner: string, id: string): FilterKind {
    return this.#need(owner, id).what
  }

  /** What happened since the last time. `taken` is called when the answer is made: until then it would come again. */
  changes(owner: string, id: string): { readonly what: FilterKind; readonly changes: readonly ChainChange[]; readonly taken: () => void } {
    const filter = this.#need(owner, id)
    const end = this.#first + this.#ring.length
    return { what: filter.what, changes: this.#ring.slice(filter.next - this.#first), taken: () => void (filter.next = Math.max(filter.next, end)) }
  }

  get size(): number {
    return this.#filters.size
  }

  close(): void {
    this.#unwatch()
    this.#filters.clear()
  }

  #need(owner: string, id: string): Filter {
    this.#forgetOld()
    const filter = this.#filters.get(id)
    if (filter === undefined || filter.owner !== owner || filter.next < this.#first) throw new RpcError(RPC_CODES.server, 'filter not found')
    filter.polledMs = this.#clock.boottimeMs()
    return filter
  }

  #push(change: ChainChange): void {
    // Where no filter waits, there is nothing to remember.
    if (this.#filters.size === 0) {
      this.#first += this.#ring.length + 1
      this.#ring.length = 0
      return
    }
    this.#ring.push(change)
    if (this.#ring.length <= RING_BLOCKS) return
    this.#ring.shift()
    this.#first++
  }

  #forgetOld(): void {
    const oldest = this.#clock.boottimeMs() - FORGET_MS
    for (const [id, filter] of this.#filters) if (filter.polledMs < oldest) this.#filters.delete(id)
  }
}
