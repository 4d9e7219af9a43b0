/**
 * State reads at a named block, each proved against its state root. Nodes come from this box where it keeps
 * them; what is missing is asked of the sources by hash, checked by keccak, and kept for a while. A read makes
 * the whole proof again with what arrived, so it costs as many questions as the trie is deep.
 */
import { MeshBoxError } from '../../base/index.ts'
import type { Clock, Timers } from '../../base/index.ts'
import type { Address, Hash, Keccak } from '../codec/fields.ts'
import { keccakHex } from '../codec/fields.ts'
import type { Header } from '../codec/header.ts'
import type { Network } from '../network/network.ts'
import { readAccount, readCode, readSlot } from '../proof/account.ts'
import type { Account } from '../proof/account.ts'
import type { NodeSource, Read } from '../proof/read-trie.ts'
import { MAX_NODE_BYTES } from '../proof/trie-node.ts'
import type { ChainSource, ProvedState, StateNodes } from '../ports.ts'
import { readMiners, readRound } from '../rules/read-round.ts'
import type { Round } from '../rules/round.ts'
import { excludedFrom, pickVolunteer } from '../rules/volunteer.ts'
import { MAX_NODES, Questions, SourceFault, lie } from './ask.ts'
import { NodeCache } from './node-cache.ts'
import { within } from './ports.ts'
import type { Circle, SourcePool } from './ports.ts'

export interface ProvedStateParts {
  readonly keccak: Keccak
  readonly network: Network
  /** Null where this box keeps no state. */
  readonly kept: StateNodes | null
  readonly sources: SourcePool
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly timers: Timers
  readonly limits?: Partial<StateLimits>
}

export interface StateLimits {
  readonly cacheBytes: number
  /** Proofs made again with new nodes: a trie is 64 deep, and a read goes through two. */
  readonly rounds: number
  readonly readMs: number
  /** Fetched for one read. */
  readonly readBytes: number
  readonly answerMs: number
}

const LIMITS: StateLimits = { cacheBytes: 8 * 1024 * 1024, rounds: 160, readMs: 30_000, readBytes: 16 * 1024 * 1024, answerMs: 10_000 }

/** Errors of every read: unavailable `state-unavailable` (nobody has it now), `state-invalid` (no honest chain has this state). */
export class StateReader implements ProvedState {
  readonly #keccak: Keccak
  readonly #network: Network
  readonly #kept: StateNodes | null
  readonly #sources: SourcePool
  readonly #clock: Pick<Clock, 'boottimeMs'>
  readonly #questions: Questions
  readonly #limits: StateLimits
  readonly #cache: NodeCache
  /** How long a source lately took for nodes, milliseconds: one that hesitates is asked after the others. */
  readonly #hesitation = new WeakMap<ChainSource, number>()

  constructor(parts: ProvedStateParts) {
    this.#keccak = parts.keccak
    this.#network = parts.network
    this.#kept = parts.kept
    this.#sources = parts.sources
    this.#clock = parts.clock
    this.#limits = { ...LIMITS, ...parts.limits }
    this.#questions = new Questions(parts.timers, this.#limits.answerMs)
    this.#cache = new NodeCache(this.#limits.cacheBytes)
  }

  /** Of the cache, for the metrics. */
  get cachedBytes(): number {
    return this.#cache.bytes
  }

  account(at: Header, address: Address): Promise<Account> {
    return this.#prove((nodeOf) => readAccount(this.#keccak, at.stateRoot, address, nodeOf))
  }

  storage(at: Header, address: Address, slot: bigint): Promise<bigint> {
    return this.#prove((nodeOf) => this.#slot(at, address, slot, nodeOf))
  }

  code(at: Header, address: Address): Promise<Uint8Array> {
    return this.#prove((nodeOf) => {
      const account = readAccount(this.#keccak, at.stateRoot, address, nodeOf)
      return account.kind === 'read' ? readCode(this.#keccak, account.value.codeHash, nodeOf) : account
    })
  }

  async proof(at: Header, address: Address, slots: readonly bigint[]): Promise<{ account: readonly Uint8Array[]; storage: readonly (readonly Uint8Array[])[] }> {
    const account = await this.#path((nodeOf) => readAccount(this.#keccak, at.stateRoot, address, nodeOf))
    const { storageRoot } = await this.account(at, address)
    const storage: (readonly Uint8Array[])[] = []
    for (const slot of slots) storage.push(await this.#path((nodeOf) => readSlot(this.#keccak, storageRoot, slot, nodeOf)))
    return { account, storage }
  }

  /** The round that rules the block after `at`. */
  async round(at: Header): Promise<Round | null> {
    return this.#orNull((nodeOf) => readRound(this.#keccak, this.#network, at.number + 1, at.stateRoot, nodeOf))
  }

  async volunteer(parent: Header, header: Header, round: Round): Promise<Address | null> {
    const miners = await this.#orNull((nodeOf) => readMiners(this.#keccak, this.#network, parent.stateRoot, nodeOf))
    return miners === null ? null : pickVolunteer(header, miners, excludedFrom(round))
  }

  /** Trie nodes and code by hash, from here or from sources, each checked; without those that nobody has. For who walks tries by itself. */
  async nodes(hashes: readonly Hash[], circle: Circle | null = null): Promise<readonly Uint8Array[]> {
    const session = new Session(this.#keccak, this.#kept, this.#cache)
    await this.#fetch(hashes.filter((hash) => session.nodeOf(hash) === undefined), session, circle)
    return hashes.flatMap((hash) => session.nodeOf(hash) ?? [])
  }

  #slot(at: Header, address: Address, slot: bigint, nodeOf: NodeSource): Read<bigint> {
    const account = readAccount(this.#keccak, at.stateRoot, address, nodeOf)
    return account.kind === 'read' ? readSlot(this.#keccak, account.value.storageRoot, slot, nodeOf) : account
  }

  /** The nodes that a read of one key goes through, from the root down. */
  async #path(read: (nodeOf: NodeSource) => Read<unknown>): Promise<readonly Uint8Array[]> {
    let path: Uint8Array[] = []
    await this.#prove((nodeOf) => {
      path = []
      return read((hash) => {
        const node = nodeOf(hash)
        if (node !== undefined) path.push(node)
        return node
      })
    })
    return path
  }

  async #orNull<T>(read: (nodeOf: NodeSource) => Read<T>): Promise<T | null> {
    try {
      return await this.#prove(read)
    } catch (thrown) {
      if (thrown instanceof MeshBoxError && thrown.kind === 'unavailable') return null
      throw thrown
    }
  }

  async #prove<T>(read: (nodeOf: NodeSource) => Read<T>): Promise<T> {
    const session = new Session(this.#keccak, this.#kept, this.#cache)
    const endMs = this.#clock.boottimeMs() + this.#limits.readMs
    for (let round = 0; round < this.#limits.rounds && this.#clock.boottimeMs() <= endMs; round++) {
      const result = read((hash) => session.nodeOf(hash))
      if (result.kind === 'read') return result.value
      if (result.kind === 'invalid') throw new MeshBoxError('unavailable', `the state is not one of an honest chain: ${result.reason}`, { code: 'state-invalid' })
      if (!(await this.#fetch(result.hashes, session))) throw new MeshBoxError('unavailable', 'nobody has this state now', { code: 'state-unavailable', retryAfterSeconds: 15 })
      if (session.fetchedBytes > this.#limits.readBytes) break
    }
    throw new MeshBoxError('unavailable', 'the state is too large or too slow to be read from others', { code: 'state-unavailable', retryAfterSeconds: 60 })
  }

  /** Every hash must come from somebody: false where one is left that nobody has. */
  async #fetch(hashes: readonly Hash[], session: Session, circle: Circle | null = null): Promise<boolean> {
    for (let from = 0; from < hashes.length; from += MAX_NODES) {
      let wanted: readonly Hash[] = hashes.slice(from, from + MAX_NODES)
      // A long answer may come in parts: a source is asked again while it gives something.
      const sources = this.#sources.usable().toSorted((a, b) => (this.#hesitation.get(a) ?? 0) - (this.#hesitation.get(b) ?? 0))
      for (const source of within(circle, sources)) {
        for (let before = -1; wanted.length > 0 && before !== wanted.length; ) {
          before = wanted.length
          wanted = await this.#askOne(source, wanted, session, circle === null)
        }
        if (wanted.length === 0) break
      }
      if (wanted.length > 0 || session.fetchedBytes > this.#limits.readBytes) return false
    }
    return true
  }

  /** One that has nothing counts as slow, without being told so. */
  #noteTime(source: ChainSource, tookMs: number, gaveSome: boolean): void {
    const now = gaveSome ? tookMs : this.#limits.answerMs
    this.#hesitation.set(source, ((this.#hesitation.get(source) ?? now) + now) / 2)
  }

  /** What this source left unanswered. */
  async #askOne(source: ChainSource, wanted: readonly Hash[], session: Session, isOurs: boolean): Promise<readonly Hash[]> {
    const askedMs = this.#clock.boottimeMs()
    try {
      const left = new Set(wanted)
      const nodes = await this.#questions.nodes(source, wanted)
      for (const node of nodes) {
        if (node.length > MAX_NODE_BYTES) throw lie(`a node of ${node.length} bytes`)
        const hash = keccakHex(this.#keccak, node)
        if (!left.delete(hash)) {
          if (wanted.includes(hash)) continue
          throw lie(`a node ${hash} that was not asked for`)
        }
        session.put(hash, node)
      }
      // What others ask for may be nowhere.
      if (isOurs) this.#noteTime(source, this.#clock.boottimeMs() - askedMs, nodes.length > 0)
      return [...left]
    } catch (thrown) {
      if (!(thrown instanceof SourceFault)) throw thrown
      this.#sources.complain(source, thrown.misdeed)
      return wanted.filter((hash) => !session.has(hash))
    }
  }
}

/** One read's nodes: they stay until it ends, however small the cache is. */
class Session {
  readonly #keccak: Keccak
  readonly #kept: StateNodes | null
  readonly #cache: NodeCache
  readonly #nodes = new Map<Hash, Uint8Array>()
  fetchedBytes = 0

  constructor(keccak: Keccak, kept: StateNodes | null, cache: NodeCache) {
    this.#keccak = keccak
    this.#kept = kept
    this.#cache = cache
  }

  nodeOf(hash: Hash): Uint8Array | undefined {
    const found = this.#nodes.get(hash) ?? this.#cache.get(hash) ?? this.#fromDisk(hash)
    if (found !== undefined) this.#nodes.set(hash, found)
    return found
  }

  has(hash: Hash): boolean {
    return this.#nodes.has(hash)
  }

  put(hash: Hash, node: Uint8Array): void {
    const own = node.slice() // not the source's whole message, and nobody else's to change
    this.#nodes.set(hash, own)
    this.#cache.put(hash, own)
    this.fetchedBytes += own.length
  }

  /** A node that rotted on disk is fetched like one that is not there. */
  #fromDisk(hash: Hash): Uint8Array | undefined {
    const node = this.#kept?.node(hash)
    return node !== undefined && keccakHex(this.#keccak, node) === hash ? node : undefined
  }
}
