/**
 * What the parts of this room ask of each other. Each part is made by somebody who knows only these shapes:
 * `wire/` turns messages into bytes, `channel/` and `payment/` decide, `node/` stores, signs and sends, `stream/`
 * counts ticks, `route/` finds paths, `chain/` talks to the contract, `watch/` guards. `photon.ts` puts them together.
 *
 * Amounts are in the token's smallest unit. Heights are block numbers of the verified chain.
 */
import type { Address, Cancel, Hash } from '../base/index.ts'

/** `v1`: byte-compatible with the original Photon and its contract. `v2`: typed hashes, epochs, our contract. */
export type Profile = 'v1' | 'v2'

/** What ties a signature to one contract on one chain. `chainId` is read from the contract, never derived. */
export interface Domain {
  readonly profile: Profile
  readonly chainId: bigint
  readonly contract: Address
}

/** One life of a channel. `epoch`: v1 the block it was opened in (open_block_number), v2 a counter. */
export interface ChannelKey {
  readonly channel: Hash
  readonly epoch: bigint
}

export interface Lock {
  readonly expiration: number
  readonly amount: bigint
  /** SHA-256 of the 32-byte secret. */
  readonly secretHash: Hash
}

/** The part of a message that moves money: cumulative, one direction, one nonce after the other. */
export interface Envelope extends ChannelKey {
  readonly nonce: bigint
  readonly transferred: bigint
  readonly locksroot: Hash
}

/** An envelope with what makes it worth something on the chain. `extra`: keccak of the message's bytes before the signature. */
export interface BalanceProof extends Envelope {
  readonly extra: Hash
  /** r ‖ s ‖ v, 65 bytes, by the payer. */
  readonly signature: Uint8Array
}

/** Where a locked payment goes next and how much must leave there. v1 paths carry no amounts. */
export interface Hop {
  readonly node: Address
  readonly amount: bigint | null
}

/** v1: balances and an amount. v2: the participant's total so far, valid until a block. */
export type WithdrawTerms =
  | { readonly profile: 'v1'; readonly participant: Address; readonly partner: Address; readonly balance: bigint; readonly withdraw: bigint }
  | { readonly profile: 'v2'; readonly participant: Address; readonly total: bigint; readonly validUntil: number }

export interface SettleTerms {
  readonly p1: Address
  readonly balance1: bigint
  readonly p2: Address
  readonly balance2: bigint
  /** v2 only; null in v1, whose signatures never expire. */
  readonly validUntil: number | null
}

/** Everything two nodes say to each other, in both profiles, without the outer signature. */
export type Message =
  | { readonly kind: 'direct'; readonly envelope: Envelope; readonly paymentId: Hash | null; readonly data: Uint8Array }
  | {
      readonly kind: 'locked'
      readonly envelope: Envelope
      readonly lock: Lock
      /** What the target is to get in all (over all parts). v1: lock.amount = amount + fee. */
      readonly amount: bigint
      readonly fee: bigint
      readonly initiator: Address
      readonly target: Address
      /** From the receiver of this message's next hop on, target last; v1: as the original writes it. */
      readonly path: readonly Hop[]
      readonly paymentId: Hash | null
    }
  | { readonly kind: 'unlock'; readonly envelope: Envelope; readonly secret: Hash }
  | { readonly kind: 'expired'; readonly envelope: Envelope; readonly secretHash: Hash }
  | { readonly kind: 'disposed'; readonly key: ChannelKey; readonly lock: Lock; readonly code: number; readonly reason: string; readonly hopIndex: number | null }
  | { readonly kind: 'disposed-response'; readonly envelope: Envelope; readonly secretHash: Hash }
  | { readonly kind: 'secret-request'; readonly secretHash: Hash; readonly amount: bigint; readonly paymentId: Hash | null }
  | { readonly kind: 'reveal'; readonly secret: Hash; readonly data: Uint8Array }
  | { readonly kind: 'settle-request'; readonly key: ChannelKey; readonly terms: SettleTerms; readonly contractSignature: Uint8Array }
  | { readonly kind: 'settle-response'; readonly key: ChannelKey; readonly terms: SettleTerms; readonly contractSignature: Uint8Array; readonly code: number; readonly reason: string }
  | { readonly kind: 'withdraw-request'; readonly key: ChannelKey; readonly terms: WithdrawTerms; readonly contractSignature: Uint8Array }
  | { readonly kind: 'withdraw-response'; readonly key: ChannelKey; readonly terms: WithdrawTerms; readonly contractSignature: Uint8Array; readonly code: number; readonly reason: string }
  | { readonly kind: 'ping'; readonly nonce: bigint }
  | { readonly kind: 'ack'; readonly sender: Address; readonly echo: Hash }
  /** v2 only, after each connection, per channel. */
  | { readonly kind: 'reestablish'; readonly key: ChannelKey; readonly sentNonce: bigint; readonly sentHash: Hash; readonly seenNonce: bigint; readonly seenHash: Hash }

export type MessageKind = Message['kind']
export type EnvelopeMessage = Extract<Message, { envelope: Envelope }>

/** A message on its way out: sign `digest` with the account's key, give the signature to `seal`. */
export interface Prepared {
  readonly digest: Uint8Array
  /** keccak of the bytes before the signature; the proof's `extra` for envelope messages. */
  readonly extra: Hash
  seal(signature: Uint8Array): Uint8Array
}

/** A message that came in. Who sent it is who made `signature` over `digest`; an ack has none. */
export interface Decoded {
  readonly message: Message
  readonly digest: Uint8Array | null
  readonly signature: Uint8Array | null
  readonly extra: Hash
}

export interface Wire {
  readonly domain: Domain
  /** Errors: input, naming the field: our own mistake, never a peer's. */
  prepare(message: Message): Prepared
  /** Never throws on a peer's bytes and allocates no more than they are long. */
  decode(packet: Uint8Array): Decoded | { readonly refused: string }
}

/** A message whose sender was recovered. `packet`: its exact bytes. */
export interface Received {
  readonly message: Message
  readonly sender: Address
  readonly extra: Hash
  readonly signature: Uint8Array | null
  readonly packet: Uint8Array
}

/** What a decision may know of the chain. */
export interface ChainMoment {
  readonly block: number
  /** The chain view is too old or under alarm: no locks, exposure capped. */
  readonly isFrozen: boolean
}

// ---- chain/

export interface ChainPoint {
  readonly number: number
  readonly hash: Hash
  readonly timeSeconds: number
}

export interface ChainLog {
  readonly address: Address
  readonly topics: readonly Hash[]
  readonly data: Uint8Array
  readonly logIndex: number
  readonly transactionHash: Hash
}

/** The verified chain (step 3), handed in by main. Nothing here is a server's bare word. */
export interface ChainPort {
  readonly chainId: bigint
  /** Newest block judged; null before the first. */
  head(): ChainPoint | null
  /** 17 blocks below: what money may rest on. */
  safe(): ChainPoint | null
  /** True while there is an alarm, or the head is older than ten block times. */
  isFrozen(): boolean
  at(number: number): ChainPoint | null
  /** All logs of the block, proved by its receipts root. Null: not to be had now. */
  logs(point: ChainPoint): Promise<readonly ChainLog[] | null>
  /** Proved against the block's state root. Null: not to be had now. */
  storage(point: ChainPoint, contract: Address, slot: bigint): Promise<bigint | null>
  account(point: ChainPoint, address: Address): Promise<{ readonly nonce: bigint; readonly balanceWei: bigint } | null>
  /** A signed transaction, to the pool and to all sources. Errors: conflict with the pool's reason. */
  send(transaction: Uint8Array): Promise<Hash>
  /** Of the canonical chain. */
  receipt(transactionHash: Hash): Promise<{ readonly point: ChainPoint; readonly succeeded: boolean; readonly gasUsed?: bigint; readonly logs: readonly ChainLog[] } | null>
  /** What a view function returns, run here over proved state. Null: not to be had now; 'reverted': it fails. Left out: calls are not run here. */
  view?(point: ChainPoint, contract: Address, data: Uint8Array): Promise<Uint8Array | 'reverted' | null>
  /** After each change of the head. `reorgFrom`: lowest block number that was replaced, or null. */
  onHead(listener: (head: ChainPoint, reorgFrom: number | null) => void): Cancel
}

/** What happened to a channel on the chain, in the order it happened there. */
export type ChannelEvent = { readonly channel: Hash; readonly block: number } & (
  | { readonly kind: 'opened'; readonly token: Address; readonly a: Address; readonly b: Address; readonly epoch: bigint; readonly settleTimeout: number }
  | { readonly kind: 'deposited'; readonly participant: Address; readonly total: bigint }
  | { readonly kind: 'closed'; readonly by: Address; readonly nonce: bigint; readonly locksroot: Hash; readonly transferred: bigint; readonly settleBlock: number }
  | { readonly kind: 'updated'; readonly payer: Address; readonly nonce: bigint; readonly locksroot: Hash; readonly transferred: bigint }
  | { readonly kind: 'unlocked'; readonly payer: Address; readonly lockHash: Hash; readonly transferred: bigint }
  | { readonly kind: 'punished'; readonly cheater: Address; readonly lockHash: Hash }
  | { readonly kind: 'claimed'; readonly payer: Address; readonly cumulative: bigint }
  | { readonly kind: 'withdrawn'; readonly participant: Address; readonly total: bigint }
  /** `amounts`: what was paid out; null: the contract has it no more, and nobody told what it paid. */
  | { readonly kind: 'settled'; readonly cooperative: boolean; readonly amounts: readonly [bigint, bigint] | null }
)
/** `secret` became public in `block`. */
export interface SecretEvent {
  readonly kind: 'secret'
  readonly secret: Hash
  readonly secretHash: Hash
  readonly block: number
}

/** A transaction that must be in the chain by `deadline`. Kept on disk until it is there, `depth` blocks deep. */
export type Duty =
  | { readonly kind: 'open'; readonly token: Address; readonly partner: Address; readonly amount: bigint; readonly settleTimeout: number; readonly epoch: bigint }
  /** `reference`: two with the same are one. Left out: each is another. */
  | { readonly kind: 'deposit'; readonly token: Address; readonly participant: Address; readonly partner: Address; readonly amount: bigint; readonly settleTimeout: number; readonly epoch: bigint; readonly reference?: string }
  | { readonly kind: 'close'; readonly token: Address; readonly partner: Address; readonly proof: BalanceProof | null }
  | { readonly kind: 'update'; readonly token: Address; readonly partner: Address; readonly proof: BalanceProof }
  | { readonly kind: 'register-secret'; readonly secret: Hash }
  | { readonly kind: 'unlock'; readonly token: Address; readonly partner: Address; readonly transferred: bigint; readonly lock: Lock; readonly merkleProof: readonly Hash[] }
  | { readonly kind: 'punish'; readonly token: Address; readonly cheater: Address; readonly lockHash: Hash; readonly extra: Hash; readonly signature: Uint8Array }
  | { readonly kind: 'claim'; readonly token: Address; readonly payer: Address; readonly payee: Address; readonly voucher: Voucher; readonly preimage: Hash; readonly steps: number }
  | { readonly kind: 'withdraw'; readonly token: Address; readonly participant: Address; readonly partner: Address; readonly total: bigint; readonly validUntil: number; readonly signatures: readonly [Uint8Array, Uint8Array] }
  | { readonly kind: 'cooperative-settle'; readonly token: Address; readonly terms: SettleTerms; readonly signatures: readonly [Uint8Array, Uint8Array] }
  | { readonly kind: 'settle'; readonly token: Address; readonly sides: readonly [SettledSide, SettledSide] }

export interface SettledSide {
  readonly participant: Address
  readonly transferred: bigint
  readonly locksroot: Hash
}

export interface DueDuty {
  readonly duty: Duty
  readonly key: ChannelKey | null
  /** Not before. */
  readonly fromBlock: number
  /** Null: no hurry. */
  readonly deadlineBlock: number | null
}

// ---- stream/

/** 9.4: one signature for `steps` ticks of `unit`, on top of `cumulative`. */
export interface Voucher extends ChannelKey {
  readonly cumulative: bigint
  readonly tip: Hash
  readonly steps: number
  readonly unit: bigint
  /** By the payer, over the EIP-712 type Voucher. */
  readonly signature: Uint8Array
}

/** What a stream may take from one side of a channel. */
export interface StreamAccount extends ChannelKey {
  readonly domain: Domain
  readonly token: Address
  readonly payer: Address
  readonly payee: Address
  /** What the payer has given so far by proofs, vouchers and ticks, and what the chain has paid by claims: one counter for all. */
  readonly transferred: bigint
  /**
   * What of it the payer has proved to us. Less than `transferred` where somebody else has claimed words that we had given
   * back, or never saw: he goes on from here, and is served for what the chain has paid already.
   */
  readonly proved: bigint
  /** The most that `cumulative + unit × steps` may be. */
  readonly ceiling: bigint
}

// ---- route/

/** Fee for `amount` leaving through a channel: constant + amount·ppm/10⁶ + a piecewise linear term of the own share, never below 0. */
export interface FeePolicy {
  readonly constant: bigint
  readonly ppm: number
  /** Parts per million at own shares of 0, 25, 50, 75, 100 % of the capacity; may be negative. */
  readonly curve: readonly [number, number, number, number, number]
  readonly validFromSeconds: number
}

export interface Path {
  /** Without the initiator, target last, with what each node is to be given by the one before. */
  readonly hops: readonly { readonly node: Address; readonly channel: Hash; readonly amount: bigint }[]
  readonly amount: bigint
  readonly fee: bigint
}

export interface PathRequest {
  readonly token: Address
  readonly target: Address
  readonly amount: bigint
  readonly maxFee: bigint
  /** Parts that together make `amount`, over paths that share no channel. 1: one path. */
  readonly maxParts: number
}

export interface Router {
  /** Best first; each whole set of parts. Empty: no path. */
  find(request: PathRequest): readonly (readonly Path[])[]
  /** What a try has shown: which hop refused with which code, or success. */
  report(path: Path, outcome: { readonly ok: true } | { readonly ok: false; readonly hopIndex: number; readonly code: number }): void
}

// ---- transport

/** Frames between accounts, authenticated: who sends is known. Order is kept while connected; delivery is not promised. */
export interface PeerTransport {
  readonly self: Address
  /** False: not connected; it is sent again when `onConnected` tells of the peer. */
  send(to: Address, frame: Uint8Array): boolean
  onFrame(listener: (from: Address, frame: Uint8Array) => void): Cancel
  onConnected(listener: (peer: Address) => void): Cancel
  onDisconnected(listener: (peer: Address) => void): Cancel
}
