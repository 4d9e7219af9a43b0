/** What Photon needs of the box, and what it gives: the shapes main joins. */
import type { Address, Cancel, Clock, Hash, Log, Randomness, Timers } from '../base/index.ts'
import type { Ledger } from '../ledger/index.ts'
import type { Secp256k1 } from '../native/index.ts'
import type { Store } from '../store/index.ts'
import type { GuestOrderState } from './chain/index.ts'
import type { PhotonDesk } from './desk.ts'
import type { GuestOrders } from './guest-orders.ts'
import type { AccountSigner, PacedTransport, Soon } from './node/index.ts'
import type { ChainPort, ChannelKey, Domain, FeePolicy, StreamAccount } from './ports.ts'
import type { ClaimFacts, PayeePorts, StreamDeskDeps, StreamTerms } from './stream/index.ts'

export interface TokenName {
  readonly address: Address
  readonly symbol: string
  readonly decimals: number
}

export interface PhotonSettings {
  readonly contract: Address
  /** Block in which the contract was made. */
  readonly firstBlock: number
  readonly tokens: readonly TokenName[]
  /** Of channels that this box opens, where the order does not say. */
  readonly settleTimeout: number
  readonly coreSettleTimeout: number
  readonly minSettleTimeout: number
  readonly revealTimeout: number
  readonly maxOfflineExposure: bigint
  /** Each side's, in tokens of `tokens`; channels in others are never core channels. */
  readonly coreMinDeposit: bigint
  readonly fee: Omit<FeePolicy, 'validFromSeconds'>
  /** In a day and each token; 0: never. */
  readonly topUpPerDay: bigint
  /** 0: nobody is asked to watch. */
  readonly watchReward: bigint
  readonly watchMinReward: bigint
  readonly maxGasPriceWei: bigint
  /** Boxes it always connects to. */
  readonly peers: readonly { readonly account: Address; readonly address: string }[]
  /** What guests order through their purse; null or left out: nothing. */
  readonly orders?: { readonly purse: Address; readonly fee: bigint } | null
  readonly maxPeers: number
}

/** How other boxes are reached; libp2p's is io/libp2p-transport.ts. */
export interface PeerDoor extends PacedTransport {
  start(): Promise<void>
  /** Where others reach this box. */
  addresses(): readonly string[]
  /** Errors: what the network says. Who answered is told by `onConnected`. */
  dial(address: string): Promise<void>
  close(): Promise<void>
}

export interface PeerDoorTerms {
  readonly account: Address
  readonly binding: { prove(ownPeerId: Uint8Array): Uint8Array; check(peerId: Uint8Array, proof: Uint8Array): Address | null }
  readonly maxPeers: number
  /** Whose place a stranger cannot hold. */
  readonly keeps: (peer: Address) => boolean
}

export interface PhotonParts {
  readonly settings: PhotonSettings
  readonly chain: ChainPort
  /** What the pool takes now. */
  readonly gasPriceWei: () => bigint
  readonly store: Store
  readonly ledger: Pick<Ledger, 'earn' | 'totals'>
  readonly signer: AccountSigner
  readonly curve: Secp256k1
  /** 32 bytes: encrypts what neighbours keep. */
  readonly backupKey: Uint8Array
  /** The token of the chain's coin, with the code of the community's WrappedSmt: whoever hands it in has compared. Null or left out: none. */
  readonly wrappedCoin?: Address | null
  readonly openDoor: (terms: PeerDoorTerms) => PeerDoor
  readonly clock: Clock
  readonly timers: Timers
  readonly randomness: Randomness
  readonly soon: Soon
  readonly log: Log
}

/** For the payee's desk of streams (stream/): what it asks of the channels and of the chain. */
export interface StreamSide extends PayeePorts, Pick<StreamDeskDeps, 'paid' | 'note' | 'claim'> {
  readonly self: Address
  readonly domain: Domain
  /** Null or left out: this box takes none. */
  readonly orders?: GuestOrders | null
  /** At the depth that money may rest on. Null: no such open channel with this box, or one that does not fit the terms. */
  account(payer: Address, terms: Pick<StreamTerms, 'token' | 'minDeposit' | 'settleTimeout'>): StreamAccount | null
  claimFacts(key: ChannelKey): ClaimFacts
  /** After the chain has told something of a channel in which a guest may stream, and after its view froze or came back: for `PayeeDesk.chainChanged`. */
  onChannel(listener: (key: ChannelKey) => void): Cancel
  /** The channel of `payer` with this box in `token`: how far it is. `epoch`: of the life that is, or of the next where there is none. */
  standing(payer: Address, token: Address): Promise<GuestChannel>
  /** Opens a guest's channel with this box's tokens and gas, by the guest's OpenConsent. Errors: input; unavailable. */
  openFor(order: GuestOpening): Promise<void>
  /** Puts this box's tokens into a guest's open channel, for the guest. Resolves when the order is on disk; the same `reference` again is the same order. Errors: conflict `photon-no-channel`. */
  fund(payer: Address, token: Address, amount: bigint, reference: string): Promise<void>
  /** What became of `openFor` or `fund` with this reference, in this life of the channel. */
  orderState(payer: Address, token: Address, epoch: bigint, reference: string): GuestOrderState
}

export interface GuestChannel extends ChannelKey {
  /** `opening`: on its way, or not deep enough yet. */
  readonly state: 'none' | 'opening' | 'open' | 'closing'
  readonly deposit: bigint
}

export interface GuestOpening {
  readonly payer: Address
  readonly token: Address
  readonly amount: bigint
  readonly settleTimeout: number
  readonly epoch: bigint
  readonly validUntil: number
  /** Over OpenConsent, by `payer`. */
  readonly signature: Uint8Array
  /** The same again is the same order. */
  readonly reference: string
}

/** A direct payment that ended, by the row of the history it stands in. */
export interface DirectRow {
  readonly id: number
  readonly kind: 'sent' | 'received'
  readonly partner: Address
  readonly token: Address
  readonly amount: bigint
  readonly reference: Hash
  readonly data: Uint8Array
}

/** Direct payments between boxes, by reference, for who settles by them. */
export interface DirectSide {
  /** Id of the newest row of the history; 0: there is none. Ids only rise. */
  newest(): number
  /** Direct payments among the next `most` rows behind `id`, oldest first; `lookedTo`: the last of these rows, null: there are no more. */
  after(id: number, most: number): { readonly payments: readonly DirectRow[]; readonly lookedTo: number | null }
  /** On disk here when it resolves; `delivered`: on the partner's. Errors: not-found `photon-channel`; conflict, `photon-1013` while nothing new may begin; unavailable; limit. */
  pay(order: { readonly to: Address; readonly token: Address; readonly amount: bigint; readonly reference: Hash; readonly data: Uint8Array }): Promise<{ readonly delivered: Promise<void> }>
  /** Of this box, in an open channel with `to` in this token; null: there is none. */
  spendable(to: Address, token: Address): bigint | null
  /** `delivered`: the partner is known to have what row `id` paid. `lost`: its channel is over, and the chain has paid it back to this box. `unknown`: over, and nothing shows either. */
  arrival(id: number): 'delivered' | 'waiting' | 'lost' | 'unknown'
  /** Told after it is on disk. */
  onReceived(listener: (payment: Omit<DirectRow, 'id' | 'kind'>) => void): Cancel
}

/** How a payment under a hash stands; `via`: who carries it, `fee`: what they get on top. */
export type RoutedStanding =
  /** Nothing can be said yet of whether it is paid. `isRevealed`: the recipient has the secret. `endsBlock`: by then it is over, whatever happens; null: nothing is locked. */
  | { readonly state: 'open'; readonly isRevealed: boolean; readonly isGivenUp: boolean; readonly endsBlock: number | null; readonly endsInSeconds: number | null; readonly fee: bigint; readonly via: readonly Address[] }
  | { readonly state: 'sent'; readonly fee: bigint; readonly via: readonly Address[] }
  /** For good: no lock of it is left that anybody could claim. `isKnownThere`: the recipient says that it was paid under this hash before. */
  | { readonly state: 'failed'; readonly problem: string; readonly isKnownThere: boolean }

/** Payments over other boxes, each under a hash that its orderer has chosen: by this it is known, and under it it is paid once. */
export interface RoutedSide {
  /** Whose channels these are; of those of another contract nothing is known here. */
  readonly contract: Address
  /** Whether there is a way now for so much at so much. */
  hasWay(order: { readonly to: Address; readonly token: Address; readonly amount: bigint; readonly maxFee: bigint }): boolean
  /**
   * On disk when it resolves, with what became of it if it was over at once. The same secret again is the same payment. `reference`: its
   * identifier, which stands in the lock; so the recipient has it before he can be paid. Errors: unavailable; limit.
   */
  pay(order: { readonly to: Address; readonly token: Address; readonly amount: bigint; readonly maxFee: bigint; readonly reference: Hash; readonly secret: Hash; readonly data: Uint8Array }): Promise<void>
  /** Null: it was never ordered, or so long ago that only the history has it. */
  standing(token: Address, secretHash: Hash): RoutedStanding | null
  /** Ended ones among the next `most` rows of the history behind `id`; `lookedTo` as in `DirectSide.after`. */
  endedAfter(id: number, most: number): { readonly payments: readonly { readonly secretHash: Hash; readonly standing: RoutedStanding }[]; readonly lookedTo: number | null }
}

export interface Photon {
  readonly account: Address
  readonly desk: PhotonDesk
  /** Null until the contract's own storage has been read once. */
  streams(): StreamSide | null
  /** Null until the contract's own storage has been read once. */
  direct(): DirectSide | null
  /** Null until the contract's own storage has been read once. */
  routed(): RoutedSide | null
  stop(): Promise<void>
}
