/** What watching asks of the rest, and the shapes its parts share. */
import type { Address, Cancel, Hash } from '../../base/index.ts'
import type { BalanceProof, ChannelEvent, ChannelKey } from '../ports.ts'

export interface WatchSigner {
  readonly self: Address
  /** r ‖ s ‖ v over a 32-byte digest. */
  sign(digest: Uint8Array): Uint8Array
  /** Null: nobody's signature. */
  recover(digest: Uint8Array, signature: Uint8Array): Address | null
}

/** A secret that the watcher registers if the channel is closed while the lock runs, so that its receiver can still unlock. */
export interface GuardedSecret {
  readonly expiration: number
  readonly secret: Hash
}

/** "Post exactly this state for me, and take this reward": photon.md 9.3. */
export interface Delegation extends ChannelKey {
  readonly token: Address
  /** Who delegates; it receives by the proof. */
  readonly receiver: Address
  /** Who pays by the proof and has signed it. */
  readonly partner: Address
  readonly proof: BalanceProof
  readonly watcher: Address
  readonly reward: bigint
  /** The receiver's, over UpdateDelegate. */
  readonly receiverSignature: Uint8Array
  readonly secrets: readonly GuardedSecret[]
}

/** A channel that is proved to be open or under dispute now. */
export interface WatchedChannel {
  readonly epoch: bigint
  readonly capacity: bigint
  /** What `a` has put in and not taken out. */
  readonly receiverFunds: bigint
  /** Null: open. */
  readonly settleBlock: number | null
  /** Of the proof that `b` has signed and `a` has posted; 0: none. */
  readonly postedNonce: bigint
}

export interface ChannelLookup {
  /** `absent`: proved not to be there. Null: not to be had now. */
  find(channel: { readonly channel: Hash; readonly token: Address; readonly a: Address; readonly b: Address }): Promise<WatchedChannel | 'absent' | null>
}

/** What happens on the chain, with what only watchers care for: the contract's Rewarded event. */
export type WatchEvent = ChannelEvent | { readonly kind: 'rewarded'; readonly channel: Hash; readonly token: Address; readonly block: number; readonly logIndex: number; readonly watcher: Address; readonly amount: bigint }

/** A transaction that a watcher wants in the chain. To be done like the room's own duties, by the watcher's account. */
export type WatchDuty =
  | { readonly kind: 'update-delegate'; readonly delegation: Delegation; readonly fromBlock: number; readonly deadlineBlock: number }
  | { readonly kind: 'register-secret'; readonly secret: Hash; readonly fromBlock: number; readonly deadlineBlock: number }

export interface WatchDuties {
  add(duty: WatchDuty): void
  /** Somebody else has done it, or it is too late. */
  drop(channel: Hash, epoch: bigint): void
}

export interface WatchTransport {
  neighbours(): readonly Address[]
  /** False: not connected. */
  send(to: Address, frame: Uint8Array): boolean
  onFrame(listener: (from: Address, frame: Uint8Array) => void): Cancel
}
