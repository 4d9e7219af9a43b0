/** Payment channels: what lies in them, what moved through them, and what the box still has to do on the chain. Hashes, ids and addresses are `0x` and lower-case hex. */
import type { Money, TokenJson } from './amounts.ts'

/** A token that channels hold. Where nobody said what it is called, `symbol` is its shortened address and `decimals` 0: amounts are its smallest units. */
export interface PhotonTokenJson extends TokenJson {
  readonly address: string
}

/** Something the owner has to look at. */
export interface PhotonAlarmJson {
  /** For as long as the service runs. */
  readonly id: string
  readonly code: string
  readonly text: string
  readonly atWallMs: number | null
  /** The owner can say that he has seen to it; false: it goes when its reason goes. */
  readonly isClearable: boolean
}

export interface PhotonStatusJson {
  /** `offline`: no view of the chain; direct payments and streams go on up to a limit, nothing can be locked. `halted`: nothing moves. */
  readonly state: 'starting' | 'ready' | 'offline' | 'halted'
  /** The account that owns this box's side of all channels. */
  readonly account: string
  readonly contract: string | null
  /** Decimal. */
  readonly chainId: string
  /** Newest block judged; null before the first. */
  readonly head: number | null
  /** Coins the account has for transactions; null while not known. */
  readonly gas: Money | null
  readonly gasToken: TokenJson
  /** The account's coins as a token that channels can hold; `balance` null while not known. Null: the chain has no such token. */
  readonly wrapped: { readonly token: PhotonTokenJson; readonly balance: Money | null } | null
  /** Channels with nodes of the original Photon; null: the box does not speak with them. */
  readonly original: { readonly state: 'starting' | 'ready' | 'offline' | 'halted'; readonly account: string; readonly contract: string; readonly listening: string | null; readonly gas: Money | null } | null
  readonly channels: number
  readonly peers: number
  /** Where other boxes can dial. */
  readonly listening: readonly string[]
  readonly alarms: readonly PhotonAlarmJson[]
  readonly earned: readonly { readonly token: PhotonTokenJson; readonly fees: Money; readonly streams: Money }[]
  /** That can be named in an order; the first is meant where none is named. */
  readonly tokens: readonly PhotonTokenJson[]
}

export interface PhotonSideJson {
  readonly address: string
  readonly deposit: Money
  /** Could be paid now. */
  readonly spendable: Money
  /** Promised, and not decided yet. */
  readonly locked: Money
  /** Decimal. */
  readonly nonce: string
}

export type PhotonChannelAction = 'pay' | 'deposit' | 'withdraw' | 'close' | 'force-close'

export interface PhotonChannelJson {
  readonly id: string
  /** Decimal: which life of the channel. */
  readonly epoch: string
  readonly token: PhotonTokenJson
  /** `core` channels carry payments of others. */
  readonly role: 'leaf' | 'core'
  /** `opened`, `closed`, `settled`, `closing`, `settling`, `withdrawing`, `cooperative-settling`, `partner-…`, `prepare-…`, `error`. */
  readonly phase: string
  readonly own: PhotonSideJson
  readonly partner: PhotonSideJson
  readonly isConnected: boolean
  /** After a close without the partner, until the money is paid out. */
  readonly settleTimeoutBlocks: number
  readonly openBlock: number
  readonly closedBlock: number | null
  readonly settleBlock: number | null
  readonly alarm: string | null
  /** The partner's answer when it was last asked to close together and did not want to. Null: it did not refuse. */
  readonly closeRefusal: { readonly code: number; readonly reason: string } | null
  readonly openedWallMs: number | null
  /** What may be ordered in this state. */
  readonly actions: readonly PhotonChannelAction[]
}

export interface PhotonChannelsQuery {
  readonly limit?: number
}

export interface PhotonChannelsJson {
  /** What wants looking at first, then channels that carry payments of others. */
  readonly channels: readonly PhotonChannelJson[]
  /** How many there are. */
  readonly total: number
  readonly head: number | null
}

export interface PhotonOpenRequest {
  readonly partner: string
  /** Address or symbol; left out: the first of the status. */
  readonly token?: string
  /** What this box puts in, in tokens: "2.5". */
  readonly amount: string
  readonly settleTimeoutBlocks?: number
  readonly role?: 'leaf' | 'core'
}

export interface PhotonAmountRequest {
  readonly amount: string
}

/** In whole coins. */
export interface PhotonWrapRequest {
  readonly amount: string
}

export interface PhotonCloseRequest {
  /** Without the partner: its money comes only after the settle timeout. */
  readonly force?: boolean
}

export type PhotonPaymentState = 'started' | 'cancellable' | 'committed' | 'done' | 'cancelled' | 'failed'

export interface PhotonPaymentJson {
  readonly id: string
  readonly direction: 'sent' | 'received' | 'forwarded'
  readonly kind: 'direct' | 'locked' | 'swap'
  readonly token: PhotonTokenJson
  readonly peer: string
  readonly amount: Money
  /** Of a payment sent: what it cost beside the amount. Of one forwarded: what it earned. */
  readonly fee: Money
  /** `cancellable`: under way, and can be called back. `committed`: under way, and cannot. */
  readonly state: PhotonPaymentState
  readonly reason: string | null
  readonly secretHash: string | null
  /** What the payer wrote; as `0x` and hex where it is no text. */
  readonly data: string
  readonly atWallMs: number | null
}

export interface PhotonPayRequest {
  readonly target: string
  readonly token?: string
  readonly amount: string
  /** Only over a channel with the target itself: also works without a view of the chain. */
  readonly direct?: boolean
  /** In tokens; left out: a hundredth of the amount. */
  readonly maxFee?: string
  readonly data?: string
  /** Held until the target, or whoever knows the secret of this SHA-256, lets it go. */
  readonly secretHash?: string
}

export interface PhotonPayReply {
  readonly id: string
  /** Null: not in the list yet. */
  readonly payment: PhotonPaymentJson | null
}

export interface PhotonPaymentsQuery {
  readonly before?: number
  readonly limit?: number
}

export interface PhotonPaymentsJson {
  /** Newest first. */
  readonly payments: readonly PhotonPaymentJson[]
  /** `before` of the next page; null: this was the last. */
  readonly next: number | null
}

/** A transaction that must get into the chain. */
export interface PhotonDutyJson {
  readonly id: number
  readonly kind: string
  readonly channel: string | null
  readonly state: string
  readonly deadlineBlock: number | null
  /** Until the deadline; null where there is none, or while no block is known. */
  readonly blocksLeft: number | null
  readonly transaction: string | null
}

export interface PhotonDutiesJson {
  readonly duties: readonly PhotonDutyJson[]
  readonly head: number | null
}

export interface PhotonPathsQuery {
  readonly target: string
  readonly amount: string
  readonly token?: string
}

export interface PhotonPathsJson {
  readonly token: PhotonTokenJson
  readonly amount: Money
  /** Cheapest first. `nodes`: without this box, target last. */
  readonly paths: readonly { readonly nodes: readonly string[]; readonly fee: Money }[]
}

export interface PhotonWatchJson {
  /** Channels of others that this box guards. */
  readonly jobs: number
  /** Who guards this box's channels, and up to which state. */
  readonly guardians: readonly { readonly channel: string; readonly watcher: string; readonly nonce: string }[]
}

export interface PhotonPeersJson {
  readonly peers: readonly { readonly account: string; readonly address: string | null; readonly isConnected: boolean }[]
}

export interface PhotonPeerRequest {
  readonly account: string
  /** A multiaddr: `/ip4/192.0.2.7/tcp/4011/p2p/12D3…` */
  readonly address: string
}
