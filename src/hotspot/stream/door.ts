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
  /** False: no view of the chain. Streams go on; openings and deposits wait. */
  readonly isChainReachable: boolean
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
