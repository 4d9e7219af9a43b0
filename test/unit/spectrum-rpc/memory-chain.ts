/** The public test chain's real blocks 0 to 30 and their real state, behind the ports that the JSON-RPC asks. */
import type { Cancel, Clock, Timers } from '../../../src/base/index.ts'
import { MeshBoxError, silentLog } from '../../../src/base/index.ts'
import { hashTransaction } from '../../../src/spectrum/index.ts'
import { DEVNET as DEVNET_NETWORK } from '../../../src/spectrum/network/networks.ts'
import { readAccount, readCode, readSlot, wordOf } from '../../../src/spectrum/proof/account.ts'
import { sealHash } from '../../../src/spectrum/codec/header.ts'
import { ZERO_ADDRESS, bytesOf } from '../../../src/spectrum/codec/fields.ts'
import { readTrie } from '../../../src/spectrum/proof/read-trie.ts'
import { decodeTransaction } from '../../../src/spectrum/codec/transaction.ts'
import type { Address, Hash, Header, Read, Round, Transaction } from '../../../src/spectrum/index.ts'
import type { CallExecutor, RpcMiner, RpcPorts } from '../../../src/spectrum/rpc/index.ts'
import type { CallRequest, CallResult, ChainAlarm, ChainBlock, ChainEvent, ChainView, PoolRefusalCode, ProvedState, SyncStatus, TransactionPool } from '../../../src/spectrum/ports.ts'
import { randomStream } from '../native/random-stream.ts'
import { native } from '../spectrum/curves.ts'
import { DEVNET, DEVNET_NODES, DEVNET_SIGNER } from '../spectrum/devnet.ts'
import type { DevnetBlock } from '../spectrum/devnet.ts'

export const ROUND: Round = { signers: [DEVNET_SIGNER, ZERO_ADDRESS, '0x00000000000000000000000000000000000000a1'], next: ['0x00000000000000000000000000000000000000b2'], leaders: [DEVNET_SIGNER], volunteerLimit: 2, epochBlocks: 25 }

export class MemoryChain implements ChainView {
  readonly network = DEVNET_NETWORK
  /** Blocks below it have their headers, but neither bodies nor receipts. */
  keptFrom = 0
  stoodAlarm: ChainAlarm | null = null
  #head: number
  readonly #listeners = new Set<(event: ChainEvent) => void>()

  constructor(head: number) {
    this.#head = head
  }

  /** The head moves by real blocks, up or (as a reorganisation begins) down. */
  moveTo(number: number): void {
    const before = this.#head
    this.#head = number
    const between = (from: number, to: number): ChainBlock[] => DEVNET.slice(from + 1, to + 1).map(asChainBlock)
    this.#send({ kind: 'head', head: this.head(), added: between(before, number), removed: between(number, before).reverse() })
  }

  #send(event: ChainEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  head(): ChainBlock {
    return asChainBlock(this.#at(this.#head))
  }
  safe(): ChainBlock | null {
    return this.#head < 17 ? null : asChainBlock(this.#at(this.#head - 17))
  }
  final(): ChainBlock | null {
    return this.#head < 34 ? null : asChainBlock(this.#at(this.#head - 34))
  }
  block(hash: Hash): ChainBlock | null {
    const found = DEVNET.find((one) => one.hash === hash)
    return found === undefined || found.number < this.#head - 5 ? null : asChainBlock(found)
  }
  headerAt(number: number) {
    const found = number <= this.#head ? DEVNET[number] : undefined
    return found === undefined ? null : { header: found.header, hash: found.hash }
  }
  header(hash: Hash) {
    const found = DEVNET.find((one) => one.hash === hash && one.number <= this.#head)
    return found === undefined ? null : { header: found.header, hash: found.hash }
  }
  totalDifficulty(hash: Hash): bigint | null {
    return DEVNET.find((one) => one.hash === hash)?.totalDifficulty ?? null
  }
  body(hash: Hash) {
    return this.#kept(hash)?.body ?? null
  }
  receipts(hash: Hash) {
    return this.#kept(hash)?.receipts ?? null
  }
  transaction(hash: Hash) {
    for (const block of DEVNET.slice(0, this.#head + 1)) {
      const index = block.body.transactions.findIndex((one) => hashTransaction(native, one) === hash)
      if (index >= 0) return { blockHash: block.hash, number: block.number, index }
    }
    return null
  }
  alarm(): ChainAlarm | null {
    return this.stoodAlarm
  }
  on(listener: (event: ChainEvent) => void): Cancel {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
  get listeners(): number {
    return this.#listeners.size
  }

  #kept(hash: Hash): DevnetBlock | undefined {
    return DEVNET.find((one) => one.hash === hash && one.number >= this.keptFrom)
  }
  #at(number: number): DevnetBlock {
    const block = DEVNET[number]
    if (block === undefined) throw new Error(`no block ${number}`)
    return block
  }
}

function asChainBlock(block: DevnetBlock): ChainBlock {
  return { header: block.header, hash: block.hash, sealHash: sealHash(native, block.header), signer: block.number === 0 ? null : DEVNET_SIGNER, totalDifficulty: block.totalDifficulty, round: ROUND }
}

/** Reads walk the real tries; what a read asked for is kept, which is what a proof is. */
export class MemoryState implements ProvedState {
  isReachable = true
  readonly #nodeOf = (hash: Hash): Uint8Array | undefined => (this.isReachable ? DEVNET_NODES.get(hash) : undefined)

  async account(at: Header, address: Address) {
    return got(readAccount(native, at.stateRoot, address, this.#nodeOf))
  }
  async storage(at: Header, address: Address, slot: bigint) {
    return got(readSlot(native, (await this.account(at, address)).storageRoot, slot, this.#nodeOf))
  }
  async code(at: Header, address: Address) {
    return got(readCode(native, (await this.account(at, address)).codeHash, this.#nodeOf))
  }
  async proof(at: Header, address: Address, slots: readonly bigint[]) {
    const { storageRoot } = await this.account(at, address)
    return { account: this.#path(at.stateRoot, native.keccak256(bytesOf(address))), storage: slots.map((slot) => this.#path(storageRoot, native.keccak256(wordOf(slot)))) }
  }
  async round(): Promise<Round | null> {
    return null
  }
  async volunteer(): Promise<Address | null> {
    return null
  }
  #path(root: Hash, key: Uint8Array): Uint8Array[] {
    const walked: Uint8Array[] = []
    got(
      readTrie(native, root, key, (hash) => {
        const node = this.#nodeOf(hash)
        if (node !== undefined) walked.push(node)
        return node
      }),
    )
    return walked
  }
}

function got<T>(read: Read<T>): T {
  if (read.kind === 'read') return read.value
  throw new MeshBoxError('unavailable', `nobody has the state: ${read.kind}`, { code: 'no-state' })
}

/** Takes what it is told to take. */
export class MemoryPool implements TransactionPool {
  readonly taken = new Map<Hash, Transaction>()
  refusal: PoolRefusalCode | null = null
  nonce: bigint | null = null

  async add(bytes: Uint8Array) {
    if (this.refusal !== null) return { ok: false, code: this.refusal, reason: 'as the test has it' } as const
    const transaction = decodeTransaction(bytes)
    const hash = hashTransaction(native, transaction)
    this.taken.set(hash, transaction)
    return { ok: true, hash } as const
  }
  get(hash: Hash) {
    return this.taken.get(hash) ?? null
  }
  nextNonce() {
    return this.nonce
  }
  candidates() {
    return []
  }
  stats() {
    return { transactions: this.taken.size, bytes: 0, senders: 0 }
  }
  onAdded() {
    return () => undefined
  }
}

/** Answers as it is told; what it was asked is kept. */
export class ToldExecutor implements CallExecutor {
  readonly asked: { readonly at: Header; readonly request: CallRequest }[] = []
  result: CallResult = { status: 'returned', output: Uint8Array.of(0xab), gasUsed: 21_000n, reason: null }
  estimate: bigint | Error = 21_000n

  async call(at: Header, request: CallRequest) {
    this.asked.push({ at, request })
    return this.result
  }
  async estimateGas(at: Header, request: CallRequest) {
    this.asked.push({ at, request })
    if (this.estimate instanceof Error) throw this.estimate
    return this.estimate
  }
}

export interface World {
  readonly chain: MemoryChain
  readonly state: MemoryState
  readonly pool: MemoryPool
  readonly executor: ToldExecutor
  readonly ports: RpcPorts
  readonly clock: { ms: number }
  status: SyncStatus
  miner: RpcMiner | null
  turns: number
}

export function createWorld(head = 30): World {
  const clock = { ms: 1_000_000 }
  const asClock: Clock = { boottimeMs: () => clock.ms, bootId: 'b', wallMs: () => clock.ms, isWallTrusted: () => true }
  const [chain, state, pool, executor] = [new MemoryChain(head), new MemoryState(), new MemoryPool(), new ToldExecutor()]
  const world: World = { chain, state, pool, executor, clock, status: { state: 'live', headAgeSeconds: 1, sources: [], agreeing: 0, banned: 0 }, miner: null, turns: 0, ports: undefined as unknown as RpcPorts }
  const timers: Timers = {
    after: (_delayMs, run) => {
      world.turns++
      queueMicrotask(run)
      return () => undefined
    },
    every: () => () => undefined,
  }
  const ports: RpcPorts = {
    curve: native,
    chain,
    state,
    executor,
    pool,
    blocks: null,
    status: () => world.status,
    miner: () => world.miner,
    gasPriceWei: () => 18_000_000_000n,
    version: '0.1.0',
    clock: asClock,
    timers,
    randomness: randomStream('rpc'),
    log: silentLog,
  }
  return Object.assign(world, { ports })
}

