/** A box of the simulated town: real rules, real syncing, a chain that outlives a crash, and a sealer without execution. */
import { rankOf } from '../../../src/spectrum/rules/rank.ts'
import { encodeBody } from '../../../src/spectrum/codec/body.ts'
import type { Hash } from '../../../src/spectrum/index.ts'
import type { Log } from '../../../src/base/index.ts'
import type { ChainEvent, SourceHead, SourceListener } from '../../../src/spectrum/ports.ts'
import { createChainServer } from '../../../src/spectrum/chain/index.ts'
import type { KeptChain } from '../../../src/spectrum/chain/index.ts'
import { createSync } from '../../../src/spectrum/sync/index.ts'
import type { Sync } from '../../../src/spectrum/sync/index.ts'
import { native } from '../../unit/spectrum/curves.ts'
import type { Person } from '../../unit/spectrum/village.ts'
import type { SimTime } from '../../unit/spectrum-sync/sim-time.ts'
import type { Spot, Valley } from '../../unit/spectrum-sync/valley.ts'
import type { Station } from './links.ts'

/** Who let a turn pass looks again so much later, should nobody else have sealed. */
const MISSED_MS = 5_000

export interface SimBoxParts {
  readonly id: string
  readonly person: Person
  readonly valley: Valley
  /** What its disk holds, read anew at each start. */
  readonly openChain: () => Promise<KeptChain>
  readonly onEvent: (event: ChainEvent) => void
  readonly time: SimTime
  /** Of its wall clock. */
  readonly skewMs: number
  readonly keepsState: boolean
  readonly log: Log
  /** Called when this box's turn to seal has come; by default it seals and imports. */
  readonly onTurn: (box: SimBox, parent: Spot) => Spot | null
  readonly random: { bytes(length: number): Uint8Array }
  /** What it answers instead of nodes, where it lies. */
  readonly spoilNodes?: (nodes: readonly Uint8Array[]) => readonly Uint8Array[]
  /** What it answers instead of headers and bodies, where it lies. */
  readonly spoilBlocks?: <T extends Uint8Array | null>(items: readonly T[]) => readonly T[]
}

export class SimBox implements Station {
  readonly id: string
  readonly person: Person
  readonly #parts: SimBoxParts
  #chain: KeptChain | null = null
  #sync: Sync | null = null
  #life = 0

  constructor(parts: SimBoxParts) {
    this.id = parts.id
    this.person = parts.person
    this.#parts = parts
  }

  /** The last one that was opened. */
  get chain(): KeptChain {
    if (this.#chain === null) throw new Error(`${this.id} was never started`)
    return this.#chain
  }

  isUp(): boolean {
    return this.#sync !== null
  }

  get sync(): Sync {
    if (this.#sync === null) throw new Error(`${this.id} is down`)
    return this.#sync
  }

  async boot(): Promise<void> {
    const { valley, time, skewMs, keepsState, log, random, openChain, onEvent } = this.#parts
    const life = ++this.#life
    const chain = await openChain()
    if (this.#life !== life) return
    this.#chain = chain
    chain.on((event) => {
      if (this.#life !== life) return
      onEvent(event)
      if (event.kind === 'head') this.#planTurn()
    })
    this.#sync = createSync({
      curve: native,
      chain,
      executor: null,
      nodes: keepsState ? { node: (hash) => valley.nodes.get(hash) } : null,
      clock: time.clock(skewMs),
      timers: time,
      randomness: random,
      breathe: () => Promise.resolve(),
      log,
      mayBeAlone: () => false,
    })
    this.#sync.start()
    this.#planTurn()
  }

  crash(): void {
    this.#sync?.stop()
    this.#sync = null
    this.#life++
  }

  listener(): SourceListener {
    return this.sync.listener
  }

  head(): SourceHead {
    const { hash, header, totalDifficulty } = this.chain.head()
    return { hash, number: header.number, totalDifficulty }
  }

  headers(from: Hash | number, count: number): readonly Uint8Array[] {
    const headers = createChainServer(this.chain, { node: () => undefined }).headers(from, count, 0, false)
    return this.#parts.spoilBlocks?.(headers) ?? headers
  }

  bodies(hashes: readonly Hash[]): readonly (Uint8Array | null)[] {
    const bodies = hashes.map((hash) => this.chain.body(hash)).map((body) => (body === null ? null : encodeBody(body)))
    return this.#parts.spoilBlocks?.(bodies) ?? bodies
  }

  nodes(hashes: readonly Hash[]): readonly Uint8Array[] {
    const { keepsState, valley, spoilNodes } = this.#parts
    const nodes = keepsState ? hashes.flatMap((hash) => valley.nodes.get(hash) ?? []) : []
    return spoilNodes?.(nodes) ?? nodes
  }

  /** The next moment at which this box may seal on its present head. */
  #planTurn(): void {
    const { valley, time, skewMs, person, onTurn } = this.#parts
    if (!this.isUp()) return
    const head = this.chain.head()
    const rank = rankOf(head.round, head.header.number + 1, valley.network.periodSeconds, person.address)
    if (!rank.isAuthorised) return
    const life = this.#life
    const atMs = (head.header.timeSeconds + rank.delaySeconds) * 1000 - skewMs
    time.after(Math.max(0, atMs - time.nowMs), () => {
      const parent = valley.spots.get(head.hash)
      if (this.#life !== life || !this.isUp() || this.chain.head().hash !== head.hash || parent === undefined) return
      const sealed = onTurn(this, parent)
      if (sealed !== null) void this.sync.importOwn(sealed)
      else time.after(MISSED_MS, () => this.#planTurn())
    })
  }
}
