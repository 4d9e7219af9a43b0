/**
 * What the portal needs of whoever takes payments by the tick, so that guests can pay from the page; main makes it of
 * photon's parts. Plain words and numbers: the rooms do not know each other. docs/photon-stream.md says how it is joined.
 */
import type { TopUpState } from './top-up.ts'

/** One guest's connection. `send` neither waits nor throws: what a slow guest does not take is dropped with him. */
export interface StreamPeer {
  /** MAC address, as the door saw it. */
  readonly device: string
  send(frames: Uint8Array): void
}

/** Of a guest who asks by POST: what waits for him is taken with the answer. */
export interface StreamMailbox extends StreamPeer {
  take(): Uint8Array
}

/** What is asked for minutes, and where: all a page checks the box's offers against. Addresses: 0x and 40 lower-case digits. */
export interface StreamBoard {
  readonly chainId: bigint
  readonly contract: string
  readonly token: string
  readonly symbol: string
  readonly decimals: number
  /** The box: whose signature offers must have. */
  readonly payee: string
  /** Smallest units for one tick. */
  readonly unit: bigint
  readonly tickSeconds: number
  /** What guests without coin for gas may order; null: nothing. */
  readonly purse: PurseBoard | null
  /** False: no view of the chain. Streams go on; openings and deposits wait. */
  readonly isChainReachable: boolean
}

/** Where guests have tokens that they order things with by signatures alone, and what each order costs them. */
export interface PurseBoard {
  readonly contract: string
  readonly fee: bigint
  /** The least to open a channel with. */
  readonly least: bigint
  /** About how long an order takes until it counts. */
  readonly finalSeconds: number
}

/** All a page needs to sign the next order. */
export interface PurseView {
  /** What may be ordered with. */
  readonly balance: bigint
  /** Came in, and does not count yet. */
  readonly arriving: bigint
  readonly number: bigint
  /** Newest block. */
  readonly head: number
  readonly channel: string
  /** Of the channel that is, or of the next one. */
  readonly epoch: bigint
  readonly channelState: 'none' | 'opening' | 'open' | 'closing'
  /** Blocks. */
  readonly settleTimeout: number
  /** The newest order of this payer; null: none that is remembered. */
  readonly order: OrderView | null
}

export interface OrderView {
  readonly hash: string
  readonly state: 'waiting' | 'confirming' | 'done' | 'failed'
}

/** As the page signed it. Signatures: 0x and 130 digits. */
export interface GuestOrder {
  /** `open`: a channel with the box; `put-in`: more into it; `pay`: to somebody else. */
  readonly what: 'open' | 'put-in' | 'pay'
  readonly amount: bigint
  readonly fee: bigint
  readonly number: bigint
  readonly validUntil: number
  readonly signature: string
  /** Of a channel; 0 in a payment. */
  readonly epoch: bigint
  readonly settleTimeout: number
  /** To open. */
  readonly consent: string | null
  /** To pay: 0x and 40 lower-case digits. */
  readonly to: string | null
  /** To the receiver's balance in the purse. */
  readonly inside: boolean
}

/** The end of a channel: who gets what. */
export interface TakeOutOffer {
  readonly channel: string
  readonly epoch: bigint
  readonly guest: bigint
  readonly box: bigint
  readonly validUntil: number
}

/** One payer, as far as he matters to the box. */
export interface StreamBalance {
  readonly hasChannel: boolean
  /** What he may still sign for. */
  readonly spendable: bigint
  /** Promised for codes, and not in the channel yet. */
  readonly pending: bigint
}

/** What a guest consents to when a channel is opened for him. */
export interface OpeningTerms {
  readonly channel: string
  readonly amount: bigint
  readonly settleTimeout: number
  readonly epoch: bigint
  /** Block. */
  readonly validUntil: number
}

/** Signed terms, as they travel and are kept; amounts and epoch as decimal text. Signature: 0x and 130 digits. */
export interface GuestConsent {
  readonly channel: string
  readonly amount: string
  readonly settleTimeout: number
  readonly epoch: string
  readonly validUntil: number
  readonly signature: string
}

export interface StreamDoor {
  /** Frames of a guest, answers to the peer now or later. Never throws. */
  receive(peer: StreamPeer, frames: Uint8Array): void
  /** Resolves when nothing that was begun is still going on. */
  quiet(): Promise<void>
  mailbox(device: string): StreamMailbox
  /** null: nothing is sold this way now. */
  board(): StreamBoard | null
  /** `payer`: 0x and 40 lower-case digits. */
  balance(payer: string): Promise<StreamBalance>
  /** `device` is who is limited. Errors of all three: limit; unavailable; conflict `purse-short`, `order-old`, `order-running`; input. */
  purse(device: string, payer: string): Promise<PurseView>
  order(device: string, payer: string, order: GuestOrder): Promise<OrderView>
  /** First null, then with the payer's signature over the offer: then it is done, whatever becomes of the page. */
  takeOut(device: string, payer: string, signed: { readonly validUntil: number; readonly signature: string } | null): Promise<TakeOutOffer>
}

/** Puts the box's own tokens into guests' channels; main makes it of photon's chain duties. */
export interface ChannelFunder {
  /**
   * What the payer must sign before so much can be put into a channel of his; null: it can be, as it is. A given consent
   * is checked. Errors: input `bad-signature`; conflict `offer-old`; unavailable.
   */
  consentFor(payer: string, amount: bigint, consent: GuestConsent | null): Promise<OpeningTerms | null>
  /**
   * Begins, or goes on with, this deposit. Same id: at most one is in the chain. Told again after every start, and when
   * a transaction was lost. Does not throw. News come back by `TopUps.sent`, `settled`, `dropped`.
   */
  fund(order: FundingOrder): void
}

export interface FundingOrder {
  /** The code's id. */
  readonly id: string
  readonly payer: string
  readonly amount: bigint
  readonly consent: GuestConsent | null
  /** What `TopUps.sent` was told last, in the funder's own words; null: nothing, or it was dropped. */
  readonly transaction: string | null
}

/** What became of a code worth tokens. */
export type TopUpAnswer =
  | { readonly state: TopUpState; readonly amount: bigint; readonly consent: null }
  /** Nothing is used yet: the payer must sign first. */
  | { readonly state: 'unsigned'; readonly amount: bigint; readonly consent: OpeningTerms }
