/** What routing asks of the rest: signatures, proofs from the chain, own channels, links, and a way to the neighbours. */
import type { Address, Cancel, Hash } from '../../base/index.ts'

export interface GossipSigner {
  readonly self: Address
  /** r ‖ s ‖ v over a 32-byte digest. */
  sign(digest: Uint8Array): Uint8Array
  /** Null: nobody's signature (high s and odd lengths are refused too). */
  recover(digest: Uint8Array, signature: Uint8Array): Address | null
}

/** What the chain says of a channel, proved. `a` has the lower address. */
export interface ChannelFacts {
  readonly channel: Hash
  readonly epoch: bigint
  readonly token: Address
  readonly a: Address
  readonly b: Address
  /** What each side put in and has neither taken out nor paid out by vouchers. Together: the capacity. */
  readonly fundsA: bigint
  readonly fundsB: bigint
  readonly settleTimeout: number
}

export interface ChannelProver {
  /** `absent`: proved not to be open in that life. Null: not to be had now. */
  prove(claim: { readonly channel: Hash; readonly epoch: bigint; readonly token: Address; readonly a: Address; readonly b: Address }): Promise<ChannelFacts | 'absent' | null>
}

/** One of the box's own channels, as it is now. */
export interface OwnChannel {
  readonly channel: Hash
  readonly epoch: bigint
  readonly token: Address
  readonly partner: Address
  readonly role: 'leaf' | 'core'
  /** What the own side can give, what the partner's can, and both with what is locked. */
  readonly spendable: bigint
  readonly receivable: bigint
  readonly capacity: bigint
  /** Open, connected, not frozen, room for a lock. */
  readonly isUsable: boolean
  /** The most that one lock on it may hold. */
  readonly maxLock: bigint
}

export interface OwnChannels {
  all(): readonly OwnChannel[]
}

/** What batman-adv or libp2p know of the way to a neighbour. Null: unknown. */
export interface LinkQuality {
  readonly tq: number | null
  readonly throughputKbps: number | null
}

export interface Links {
  quality(neighbour: Address): LinkQuality
}

/** Gossip frames to and from connected neighbours, authenticated; nothing is promised. */
export interface GossipTransport {
  neighbours(): readonly Address[]
  send(to: Address, frame: Uint8Array): boolean
  onFrame(listener: (from: Address, frame: Uint8Array) => void): Cancel
  onConnected(listener: (peer: Address) => void): Cancel
  onDisconnected(listener: (peer: Address) => void): Cancel
}
