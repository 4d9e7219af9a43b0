/**
 * What the parts of this room ask of each other. Each part is made by somebody who knows only these
 * interfaces: `chain/` keeps blocks, `source/` fetches them, `sync/` judges and imports them, `execute/` runs
 * them, `seal/` makes them, `rpc/` answers wallets. `spectrum.ts` puts them together.
 */
import type { Cancel } from '../base/index.ts'
import type { Body } from './codec/body.ts'
import type { Address, Hash } from './codec/fields.ts'
import type { Header } from './codec/header.ts'
import type { Receipt } from './codec/receipt.ts'
import type { Transaction } from './codec/transaction.ts'
import type { Network } from './network/network.ts'
import type { Refusal } from './rules/codes.ts'
import type { Round } from './rules/round.ts'
import type { KnownHeader, VerifiedHeader } from './rules/verify-header.ts'

export interface Block {
  readonly header: Header
  readonly body: Body
}

/** A block that this box has judged, at its place in the tree. */
export interface ChainBlock extends KnownHeader {
  readonly sealHash: Hash
  /** Null: the genesis, or the checkpoint the chain was started from. */
  readonly signer: Address | null
  readonly totalDifficulty: bigint
  /** Who may seal what after this block. */
  readonly round: Round
}

/** A judged block on its way into the tree. Its parent must be there. */
export interface NewBlock {
  readonly verified: VerifiedHeader
  readonly body: Body
  /** Null where this box does not execute. */
  readonly receipts: readonly Receipt[] | null
  /** After this block. */
  readonly round: Round
  /** `Source.id`, or 'self' for a block of our own. */
  readonly from: string
}

export type ChainEvent =
  /** `removed` from the old head down, `added` up to the new head; both without the common ancestor. */
  | { readonly kind: 'head'; readonly head: ChainBlock; readonly added: readonly ChainBlock[]; readonly removed: readonly ChainBlock[] }
  | { readonly kind: 'safe' | 'final'; readonly block: ChainBlock }
  /** One signer, one height, two seals. */
  | { readonly kind: 'equivocation'; readonly signer: Address; readonly number: number; readonly sealHashes: readonly Hash[] }
  /** A heavier chain that would take back more than is allowed: nothing of it was taken, money on chain data is frozen. */
  | { readonly kind: 'alarm'; readonly alarm: ChainAlarm }

export interface ChainAlarm {
  readonly code: 'deep-reorg' | 'checkpoint-conflict'
  readonly reason: string
  readonly atSeconds: number
}

export interface ChainView {
  readonly network: Network
  head(): ChainBlock
  /** 17 and 34 blocks below the head; null while the chain is shorter than that from its start. */
  safe(): ChainBlock | null
  final(): ChainBlock | null
  /** Of the tree near the head, on any branch. */
  block(hash: Hash): ChainBlock | null
  /** Of the canonical chain, as far back as headers are kept. */
  headerAt(number: number): KnownHeader | null
  header(hash: Hash): KnownHeader | null
  totalDifficulty(hash: Hash): bigint | null
  body(hash: Hash): Body | null
  receipts(hash: Hash): readonly Receipt[] | null
  /** On the canonical chain only. */
  transaction(hash: Hash): { readonly blockHash: Hash; readonly number: number; readonly index: number } | null
  /** Not null: nothing that moves money may rest on this chain until the owner has looked. */
  alarm(): ChainAlarm | null
  on(listener: (event: ChainEvent) => void): Cancel
}

export type InsertOutcome = 'head' | 'side' | 'known' | 'orphan' | 'too-deep' | 'needs-second-source'

export interface Chain extends ChainView {
  /** Parents before children. One turn of the store; events are sent after the commit. */
  insert(blocks: readonly NewBlock[]): Promise<readonly InsertOutcome[]>
  /** The owner has looked. */
  clearAlarm(): Promise<void>
}

/** Somebody who has blocks: a peer, a server, a neighbour. Bytes only; nothing it says is believed. */
export interface ChainSource {
  /** Stable while connected, e.g. `eth63:203.0.113.7:60303`. */
  readonly id: string
  readonly kind: 'eth63' | 'rpc' | 'local' | 'mesh'
  /** What it last said of its head; null before it said anything. */
  head(): SourceHead | null
  /** RLP of headers, ascending from `from`; fewer than asked where it has no more. At most 192. */
  headers(from: Hash | number, count: number): Promise<readonly Uint8Array[]>
  /** RLP of bodies in the order asked; null where it has none. At most 128. */
  bodies(hashes: readonly Hash[]): Promise<readonly (Uint8Array | null)[]>
  /** RLP of each block's receipts list; null where it has none. At most 128. */
  receipts(hashes: readonly Hash[]): Promise<readonly (Uint8Array | null)[]>
  /** Trie nodes and code, in any order, without those it has not. At most 384. */
  nodes(hashes: readonly Hash[]): Promise<readonly Uint8Array[]>
  /** RLP of one transaction each, those left out that it was sent or that it sent; `isAgain`: those too, it may have lost them. Silent where the source takes none. */
  sendTransactions(transactions: readonly Uint8Array[], isAgain?: boolean): void
  announceBlock(block: Block, totalDifficulty: bigint): void
  close(reason: string): void
}

export interface SourceHead {
  readonly hash: Hash
  /** Null: eth/63 tells a head by hash and total difficulty only. */
  readonly number: number | null
  readonly totalDifficulty: bigint
}

/** What sources tell us by themselves. */
export interface SourceListener {
  opened(source: ChainSource): void
  closed(source: ChainSource, reason: string): void
  headChanged(source: ChainSource): void
  /** A whole block pushed to us: RLP of header and body. */
  blockPushed(source: ChainSource, header: Uint8Array, body: Uint8Array, totalDifficulty: bigint): void
  transactionsPushed(source: ChainSource, transactions: readonly Uint8Array[]): void
}

/** What we serve to others. Bounded by the caller; answers from disk. */
export interface ChainServer {
  readonly network: Network
  head(): { readonly hash: Hash; readonly number: number; readonly totalDifficulty: bigint }
  headers(from: Hash | number, count: number, skip: number, isReverse: boolean): readonly Uint8Array[]
  bodies(hashes: readonly Hash[]): readonly Uint8Array[]
  receipts(hashes: readonly Hash[]): readonly Uint8Array[]
  nodes(hashes: readonly Hash[]): readonly Uint8Array[]
}

/** The block that a chain source must not be asked about again, or the bytes that prove a lie. */
export type Misdeed =
  /** It provably served what no honest node has: banned. */
  | { readonly kind: 'lie'; readonly reason: string }
  /** It answered late or not at all: dropped, and tried again later. */
  | { readonly kind: 'slow'; readonly reason: string }

/** Trie nodes and code kept by this box; undefined where it has not the one asked for. */
export interface StateNodes {
  node(hash: Hash): Uint8Array | undefined
}

export interface CallRequest {
  readonly from: Address
  readonly to: Address | null
  readonly data: Uint8Array
  readonly valueWei: bigint
  readonly gas: bigint
  readonly gasPriceWei: bigint
}

export interface CallResult {
  readonly status: 'returned' | 'reverted' | 'failed'
  readonly output: Uint8Array
  readonly gasUsed: bigint
  /** Of `failed`: e.g. 'out of gas'. */
  readonly reason: string | null
}

export interface Executed {
  readonly ok: true
  readonly receipts: readonly Receipt[]
}

export interface Draft {
  readonly parent: Header
  readonly number: number
  readonly timeSeconds: number
  readonly coinbase: Address
  /** Fees go to it where coinbase is zero, and it is the sealer. */
  readonly signer: Address
  readonly gasLimit: bigint
  readonly difficulty: bigint
  /** Signed; at position 0. */
  readonly chief: Transaction
  /** In the order to try them. One that cannot be paid or has the wrong nonce is left out, not fatal. */
  readonly candidates: readonly Transaction[]
  /** Most gas of all candidates together: what this box runs in its slot. */
  readonly maxGas: bigint
}

export interface Built {
  readonly transactions: readonly Transaction[]
  readonly receipts: readonly Receipt[]
  readonly stateRoot: Hash
  readonly gasUsed: bigint
  readonly bloom: Uint8Array
  /** Hashes of candidates that this state will never take: the pool forgets them. */
  readonly refused: readonly { readonly hash: Hash; readonly reason: string }[]
}

/** Runs blocks and calls, off the event loop. State is kept on disk, or fetched by hash on demand. */
export interface Executor extends StateNodes {
  /** Writes the genesis state once; its root must be the header's. */
  begin(network: Network): Promise<void>
  hasState(stateRoot: Hash): boolean
  /** Refusals: state root, receipts, gas, bloom, an unpayable transaction, the step bound. After `ok` the state is on disk. */
  execute(parent: Header, block: Block): Promise<Executed | Refusal>
  /** Does not write. */
  build(draft: Draft): Promise<Built>
  /** Errors: unavailable where the state is not to be had. */
  call(at: Header, request: CallRequest): Promise<CallResult>
  /** Least gas with which the call returns, by bisection. Errors: input with the revert reason where it never does. */
  estimateGas(at: Header, request: CallRequest): Promise<bigint>
  /**
   * Fetches the whole state at this root, as far as it is not here. Where it ends early, what came is kept for the next
   * time. Errors: unavailable where nobody has what is left; conflict while states are forgotten.
   */
  restore(stateRoot: Hash, fetch: (hashes: readonly Hash[]) => Promise<readonly Uint8Array[]>): Promise<{ readonly nodes: number; readonly bytes: number }>
  /** Forgets states that none of these roots needs. Errors: conflict while one is restored, whose beginning nothing protects. */
  prune(keep: readonly Hash[]): Promise<{ readonly nodes: number; readonly bytes: number }>
  close(): Promise<void>
}

/** The sealer's secret, behind two verbs. The key itself stays where it is. */
export interface MinerKey {
  readonly address: Address
  /** 65 bytes r ‖ s ‖ v (0 or 1), low s. */
  sign(digest: Uint8Array): Uint8Array
  /** 161 bytes (vrf.ts). */
  proveVrf(message: Uint8Array): Uint8Array
}

export type PoolRefusalCode = 'known' | 'underpriced' | 'nonce-too-low' | 'nonce-gap' | 'insufficient-funds' | 'too-large' | 'gas-limit' | 'bad-signature' | 'wrong-chain' | 'chief-transaction' | 'pool-full' | 'replacement-underpriced'

export interface TransactionPool {
  /** RLP of a signed transaction, from a wallet or a peer. */
  add(transaction: Uint8Array, from: 'wallet' | 'peer'): Promise<{ readonly ok: true; readonly hash: Hash } | { readonly ok: false; readonly code: PoolRefusalCode; readonly reason: string }>
  get(hash: Hash): Transaction | null
  /** The next nonce counting what waits here; null where nothing of that sender waits. */
  nextNonce(sender: Address): bigint | null
  /** Best first, each sender's in order of nonce. */
  candidates(maxGas: bigint): readonly Transaction[]
  stats(): { readonly transactions: number; readonly bytes: number; readonly senders: number }
  /** New ones, to be told to others; `isAgain`: one of a wallet that still waits. */
  onAdded(listener: (transaction: Uint8Array, hash: Hash, isAgain: boolean) => void): Cancel
}

/** Reads proved against a named block's state root, from nodes kept here or fetched by hash. */
export interface ProvedState {
  account(at: Header, address: Address): Promise<{ readonly nonce: bigint; readonly balanceWei: bigint; readonly storageRoot: Hash; readonly codeHash: Hash }>
  storage(at: Header, address: Address, slot: bigint): Promise<bigint>
  code(at: Header, address: Address): Promise<Uint8Array>
  /** Nodes from the root to the account and to each slot, as eth_getProof shows them. */
  proof(at: Header, address: Address, slots: readonly bigint[]): Promise<{ readonly account: readonly Uint8Array[]; readonly storage: readonly (readonly Uint8Array[])[] }>
  /** Null: no node to be had now. */
  round(at: Header): Promise<Round | null>
  /** The VRF's choice for the block sealed on `parent` with this header. Null: not to be had now. */
  volunteer(parent: Header, header: Header, round: Round): Promise<Address | null>
}

export interface SyncStatus {
  readonly state: 'offline' | 'syncing' | 'live' | 'alone'
  /** Seconds since the head's time stamp; null while the clock is not trusted. */
  readonly headAgeSeconds: number | null
  readonly sources: readonly { readonly id: string; readonly kind: string; readonly headHash: Hash | null; readonly headNumber: number | null; readonly agrees: boolean | null }[]
  /** How many of them have the block at head - 2. */
  readonly agreeing: number
  readonly banned: number
}
