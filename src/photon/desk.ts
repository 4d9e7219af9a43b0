/**
 * What the owner may do with payment channels and what he sees of them. `photon.ts` implements it; the owner's
 * doors, the command line and the original's REST are made over it.
 */
import type { Address, Cancel, Hash } from '../base/index.ts'

export interface ChannelSideView {
  readonly address: Address
  readonly deposit: bigint
  /** What it could pay now. */
  readonly spendable: bigint
  /** Promised in locks that are not decided yet. */
  readonly locked: bigint
  readonly nonce: bigint
}

export interface ChannelView {
  readonly id: Hash
  readonly epoch: bigint
  readonly token: Address
  /** Symbol as the owner knows it, null where nobody said. */
  readonly symbol: string | null
  readonly decimals: number
  readonly role: 'leaf' | 'core'
  /** The machine's own word, e.g. `open`, `closed`, `settling`; and the original's number (3.1). */
  readonly phase: string
  readonly restState: number
  readonly own: ChannelSideView
  readonly partner: ChannelSideView
  readonly isConnected: boolean
  readonly settleTimeout: number
  readonly openBlock: number
  readonly closedBlock: number | null
  readonly settleBlock: number | null
  /** Why it is frozen or must be looked at; null: all is well. */
  readonly alarm: string | null
  /** The partner said no when the owner last asked it to settle together: its code (6.3) and words. Closing by force is open at once. */
  readonly closeRefusal: { readonly code: number; readonly reason: string } | null
  readonly openedAtMs: number | null
}

export interface PaymentRow {
  readonly id: Hash
  readonly direction: 'sent' | 'received' | 'forwarded'
  readonly kind: 'direct' | 'locked' | 'swap'
  readonly token: Address
  readonly peer: Address
  readonly amount: bigint
  readonly fee: bigint
  /** 0 init, 1 can cancel, 2 cannot cancel, 3 success, 4 cancelled, 5 failed (6.2). A direct payment is a success when the partner has acknowledged it. */
  readonly status: number
  readonly reason: string | null
  readonly secretHash: Hash | null
  readonly data: Uint8Array
  readonly atMs: number | null
  /** Where it is known; of a direct payment its channel's life and packet, too. */
  readonly place?: PaymentPlace
}

export interface PaymentPlace {
  /** The chain's height when it ended, or began where it has not ended; 0: not known. */
  readonly block: number
  /** Null: over no one channel of this box, or not known. */
  readonly packet: { readonly channel: Hash; readonly epoch: bigint; readonly nonce: bigint } | null
}

export interface DutyView {
  readonly id: number
  readonly kind: string
  readonly channel: Hash | null
  readonly state: string
  readonly deadlineBlock: number | null
  readonly transaction: Hash | null
}

export interface PhotonAlarm {
  /** For `clearAlarm`; as long as the service runs. */
  readonly id: string
  readonly code: string
  readonly text: string
  readonly atMs: number | null
  /** False: it goes when its reason goes. */
  readonly isClearable: boolean
}

export interface PhotonStatus {
  /** `offline`: no view of the chain; direct payments and streams go on within the cap, locks are refused. */
  readonly state: 'starting' | 'ready' | 'offline' | 'halted'
  readonly account: Address
  readonly contract: Address | null
  readonly chainId: bigint
  readonly head: number | null
  /** Wei the account has for gas at the safe head; null while not known. */
  readonly gasWei: bigint | null
  /** The chain's coin as a token of this account, read by proof at the safe head: `balance` null while not known. Null: this chain has no such token. */
  readonly wrapped: { readonly token: Address; readonly balance: bigint | null } | null
  /** Channels with nodes of the original Photon, which have an account of their own. Null: the box does not speak with them. */
  readonly original: OriginalSideStatus | null
  readonly channels: number
  readonly peers: number
  readonly listening: readonly string[]
  readonly alarms: readonly PhotonAlarm[]
  readonly earned: readonly { readonly token: Address; readonly symbol: string | null; readonly fees: bigint; readonly streams: bigint }[]
}

export interface OriginalSideStatus {
  readonly state: 'starting' | 'ready' | 'offline' | 'halted'
  readonly account: Address
  readonly contract: Address
  /** `host:port` of the datagrams; null while the door is shut. */
  readonly listening: string | null
  /** As `PhotonStatus.gasWei`. */
  readonly gasWei: bigint | null
}

export interface OpenOrder {
  readonly partner: Address
  readonly token: Address
  readonly amount: bigint
  readonly settleTimeout: number | null
  readonly role: 'leaf' | 'core'
}

export interface PayOrder {
  readonly target: Address
  readonly token: Address
  readonly amount: bigint
  /** Only over a channel with the target itself: works off the Internet. */
  readonly isDirect: boolean
  readonly maxFee: bigint
  readonly data: Uint8Array
  /** A hold payment: whoever knows the secret decides. Null: a fresh secret, revealed at once. */
  readonly secretHash: Hash | null
  /** The secret itself: the payment is known by its hash, and waits for `allowReveal`. Left out or null: none is given. */
  readonly secret?: Hash | null
  /** Paths to take, best first, for channels with original nodes: who carries there is not gossiped. Our own boxes are found by the router. */
  readonly routes?: readonly OrderedRoute[]
}

/** `nodes`: without the payer, the target last. */
export interface OrderedRoute {
  readonly nodes: readonly Address[]
  /** All that the carriers get. */
  readonly fee: bigint
}

/** This box's side of a token swap: what it sends, and what for. */
export interface SwapOrder {
  readonly target: Address
  /** The maker has the secret. */
  readonly side: 'maker' | 'taker'
  readonly secretHash: Hash
  readonly secret: Hash | null
  readonly token: Address
  readonly amount: bigint
  readonly receivingToken: Address
  readonly receivingAmount: bigint
  readonly maxFee: bigint
  /** As in `PayOrder`. */
  readonly routes?: readonly OrderedRoute[]
}

/** All verbs reject with a MeshBoxError that names field, value and what is allowed. */
export interface PhotonDesk {
  status(): PhotonStatus
  channels(): readonly ChannelView[]
  channel(id: Hash): ChannelView | null
  /** Resolves when the order is on disk; the opening itself is a duty. */
  open(order: OpenOrder): Promise<{ readonly channel: Hash }>
  deposit(id: Hash, amount: bigint): Promise<void>
  withdraw(id: Hash, amount: bigint): Promise<void>
  /** Cooperative unless `isForced`. */
  close(id: Hash, isForced: boolean): Promise<void>
  pay(order: PayOrder): Promise<{ readonly id: Hash }>
  cancel(id: Hash): Promise<void>
  allowReveal(id: Hash): Promise<void>
  /** The secret of a payment to this box, which its payer gave in another way. Errors: not-found `photon-payment`. */
  giveSecret(secret: Hash): Promise<void>
  /** Resolves when it is on disk; whether the other side comes is told by `payment`. */
  swap(order: SwapOrder): Promise<void>
  payment(id: Hash): PaymentRow | null
  payments(page: { readonly before: number | null; readonly limit: number }): { readonly rows: readonly PaymentRow[]; readonly next: number | null }
  duties(): readonly DutyView[]
  /** Paths that could carry it now, cheapest first, with what they cost. */
  paths(target: Address, token: Address, amount: bigint): readonly { readonly nodes: readonly Address[]; readonly fee: bigint }[]
  watching(): { readonly jobs: number; readonly guardians: readonly { readonly channel: Hash; readonly watcher: Address; readonly nonce: bigint }[] }
  peers(): readonly { readonly account: Address; readonly address: string | null; readonly isConnected: boolean }[]
  /**
   * The owner has seen to it. `chain-gap` and `chain-lost`: first every channel is read anew from the contract's storage, by proof, and
   * brought to what that says; what cannot be kept is closed. Errors: not-found `photon-alarm`; conflict `photon-alarm-stands`, where its
   * reason is still there (the text says which); unavailable `photon-no-proof`, where the chain cannot say now.
   */
  clearAlarm(id: string): Promise<void>
  /**
   * The account's coin (wei) into the token of it, or back. Resolves when the order is on disk; it is a duty. Errors: input `amount`;
   * conflict `photon-no-wrapped` on a chain without that token; conflict `photon-funds`; unavailable `photon-no-proof`.
   */
  wrap(order: { readonly amount: bigint }): Promise<void>
  unwrap(order: { readonly amount: bigint }): Promise<void>
  /** Dials and remembers. `address`: multiaddr of libp2p. */
  addPeer(account: Address, address: string): Promise<void>
  /** After anything the owner would see. */
  onChange(listener: () => void): Cancel
}
