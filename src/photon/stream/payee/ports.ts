/** What the payee's desk needs from outside; main hands it in. */
import type { Address, BucketRule, Clock, Log, Randomness, Timers } from '../../../base/index.ts'
import type { ChannelKey, Duty, StreamAccount, Voucher } from '../../ports.ts'
import type { StreamTerms } from '../terms.ts'
import type { HeldVoucher } from './channel.ts'
import type { ClaimFacts, ClaimPolicy, ClaimReason } from './claim.ts'
import type { FlushPolicy } from './flush.ts'
import type { PayeePorts } from './step.ts'

/** A session as the service that is sold knows it. */
export interface StreamFacts extends ChannelKey {
  /** Unique for ever: channel, epoch and session. */
  readonly stream: string
  readonly device: string
  readonly payer: Address
  readonly token: Address
  readonly unit: bigint
  readonly tickSeconds: number
  readonly graceTicks: number
  /** The channel's counter when the session began. */
  readonly base: bigint
}

/** What is sold by the tick: the hotspot, behind main. */
export interface StreamService {
  /**
   * Serve `ticks` in all since the stream began, grace included, and not one longer. Called again and again with more.
   * The first call begins the service. Never throws: what cannot be served just counts no ticks.
   */
  allow(facts: StreamFacts, ticks: number): void
  /** Ticks used so far, a begun one whole; 0 for a stream that is not known. */
  used(stream: string): number
  /** It was stopped for good: the process may have died before that was noted here. */
  isOver(stream: string): boolean
  /** Stops it for good; ticks used in all, the same when asked again. 0 for a stream that is not known. */
  end(stream: string): Promise<number>
  /** The channel's counter is worth `value` to us by now. Told again with the same value it changes nothing. */
  earned(facts: StreamFacts, value: bigint, voucher: Voucher): void
  /** No session runs, and somebody else's claim has brought us more than the sessions have earned. Told again it changes nothing. */
  claimed(claim: StreamClaim): void
}

/** `claimed`: what the chain has paid by the payer's vouchers; `proved`: as in StreamAccount. */
export interface PaidLife {
  readonly claimed: bigint
  readonly proved: bigint
}

/** `from`: what the sessions have earned of that life of the channel; `value`: what the chain has paid of it. */
export interface StreamClaim extends ChannelKey {
  readonly payer: Address
  readonly token: Address
  readonly from: bigint
  readonly value: bigint
}

/** Newest state per channel, on tmpfs (cheap, gone with the power) and on flash. */
export interface StreamJournal {
  /** The newest of each channel; `isOnFlash`: a power cut would leave it. */
  load(): readonly { readonly record: string; readonly isOnFlash: boolean }[]
  /** Errors: whatever the file system says; the desk goes on and tries again. */
  noteFast(records: ReadonlyMap<string, string>): void
  writeFlash(records: ReadonlyMap<string, string>): Promise<void>
}

/** One guest's connection, as its door saw it: who he is was found out there (MAC address), not told by him. */
export interface StreamPeer {
  readonly device: string
  send(frames: Uint8Array): void
}

export interface StreamPolicy {
  readonly flush: FlushPolicy
  readonly claim: ClaimPolicy
  /** An open session in which nothing was heard and nothing is left is ended after so long. */
  readonly idleMs: number
}

export interface StreamDeskDeps extends PayeePorts {
  readonly clock: Clock
  readonly timers: Timers
  readonly randomness: Randomness
  readonly log: Log
  /** What is asked for now; null: nothing is sold this way. Read at each hello. */
  readonly terms: () => StreamTerms | null
  /** The payer's open channel with this box for these terms; null: none, or not deep enough in the chain. */
  readonly account: (payer: Address, terms: StreamTerms) => StreamAccount | null
  readonly claimFacts: (key: ChannelKey) => ClaimFacts
  /** Of that life of the channel, also when it is over. Null: not known. */
  readonly paid: (key: ChannelKey) => PaidLife | null
  /** Signatures of all guests together that turn out wrong: about one each 25 ms of a core's work may be spent on liars. */
  readonly wrongSignatures: BucketRule
  readonly service: StreamService
  readonly journal: StreamJournal
  readonly policy: () => StreamPolicy
  /**
   * The channel's own state hears what of the counter is earned, with the voucher and word that claim it: vouchers and
   * proofs share one counter. Told again and again, never less than before.
   */
  readonly note: (account: StreamAccount, point: HeldVoucher) => void
  readonly claim: (duty: Extract<Duty, { kind: 'claim' }>, key: ChannelKey, reason: ClaimReason) => void
}
