/**
 * What one end of a channel knows: plain data, never changed in place (specs/photon.md 2.2, 3.1, 9.8). A verb that
 * changes one side makes that side and the outer object new; lock lists are shared as long as they are equal.
 */
import type { Address, Hash } from '../../base/index.ts'
import { ZERO_HASH } from '../../base/index.ts'
import type { BalanceProof, ChannelKey, Domain, Lock, SettleTerms, Voucher, WithdrawTerms } from '../ports.ts'

/** In the order of the REST API's numbers; see `REST_STATE`. */
export type ChannelPhase =
  | 'opened'
  | 'closed'
  | 'settled'
  /** Our close is on its way to the chain. */
  | 'closing'
  | 'settling'
  /** v1: we asked for a withdrawal, or the partner did; nothing moves until the chain has it. */
  | 'withdrawing'
  | 'partner-withdrawing'
  /** A signed cooperative settlement is out, ours or the partner's. */
  | 'cooperative-settling'
  | 'partner-cooperative-settling'
  /** No new transfers, pending locks may end. */
  | 'prepare-cooperative-settle'
  /** Two truths met (`freeze`): nothing is sent or taken any more, the way out is the close. */
  | 'error'

/** The integer of each phase in the REST API (3.1); 0 is "invalid", 9 what the original does before a withdrawal, which needs no preparation here. */
export const REST_STATE: Readonly<Record<ChannelPhase, number>> = {
  opened: 1,
  closed: 2,
  settled: 3,
  closing: 4,
  settling: 5,
  withdrawing: 6,
  'cooperative-settling': 7,
  'prepare-cooperative-settle': 8,
  error: 10,
  'partner-cooperative-settling': 11,
  'partner-withdrawing': 12,
}

/** `core` channels may mediate; `leaf` channels (a guest and a box) never do. */
export type ChannelRole = 'leaf' | 'core'

export interface PendingLock extends Lock {
  /** Leaf of the merkle tree. */
  readonly hash: Hash
  readonly secret: Hash | null
  /** Block in which the secret became public on the chain, if that was in time for this lock. */
  readonly registeredBlock: number | null
  /** The receiver has signed that it gives the lock up (or may have: see `doubtfulUntil`), so it must not unlock it on the chain. */
  readonly isDisposed: boolean
}

/** What the payer of a stream has promised, in the shared counter (9.4). */
export interface StreamMark {
  /** Highest value claimable with what has been revealed: cumulative + unit × ticks. */
  readonly value: bigint
  /** cumulative + unit × steps of the newest voucher: what `value` may reach without another signature. */
  readonly reserved: bigint
  /** What the payee must show on the chain; null on the payer's end. */
  readonly evidence: StreamEvidence | null
  /** Payee: parts of the counter that a voucher counted before the proof that gave them arrived. Rising, at most `MAX_GAPS`. */
  readonly gaps: readonly CounterGap[]
}

export interface CounterGap {
  readonly from: bigint
  readonly to: bigint
}

export interface StreamEvidence {
  readonly voucher: Voucher
  readonly preimage: Hash
  readonly steps: number
}

/** v2: a withdrawal that may still be mined. Its amount is out of the channel until `validUntil` has surely passed. */
export interface PendingWithdrawal {
  readonly total: bigint
  readonly validUntil: number
  readonly participantSignature: Uint8Array | null
  readonly partnerSignature: Uint8Array | null
}

/** One participant as payer. */
export interface ChannelSide {
  readonly address: Address
  /** Total paid in, withdrawn and claimed from this side by vouchers, as the chain says. */
  readonly deposit: bigint
  readonly withdrawn: bigint
  readonly claimed: bigint
  /** Of the newest envelope packet of this side. */
  readonly nonce: bigint
  /** All this side has given for good, by proofs and by vouchers: one counter. `proof.transferred` may lag behind it. */
  readonly transferred: bigint
  /** In the order they were added. */
  readonly locks: readonly PendingLock[]
  /** Sum of `locks`. */
  readonly locked: bigint
  readonly locksroot: Hash
  /** Newest signed envelope. `proof.extra` is the hash that `reestablish` compares. */
  readonly proof: BalanceProof | null
  readonly stream: StreamMark | null
  readonly withdrawal: PendingWithdrawal | null
}

/** A lock of ours that the partner gave up, signed: what `punish` shows. */
export interface Disposal {
  readonly secretHash: Hash
  readonly lockHash: Hash
  readonly expiration: number
  /** Block in which the secret became public in time: from then on the lock can be unlocked until the channel ends. */
  readonly registeredBlock: number | null
  readonly extra: Hash
  readonly signature: Uint8Array
}

/** A lock of the partner that we gave up and must never unlock or take again. */
export interface Renunciation {
  readonly secretHash: Hash
  readonly expiration: number
}

/** What the contract holds of one payer's proof after the close. */
export interface PostedProof {
  readonly nonce: bigint
  readonly transferred: bigint
  readonly locksroot: Hash
  readonly unlocked: readonly Hash[]
}

export interface Dispute {
  readonly closedBy: Address
  readonly closeBlock: number
  readonly settleBlock: number
  readonly own: PostedProof
  readonly partner: PostedProof
}

/** A cooperative settlement, or a v1 withdrawal, under way: the channel stands still for it. */
export type Agreement = {
  readonly asker: Address
  readonly ownSignature: Uint8Array | null
  readonly partnerSignature: Uint8Array | null
} & ({ readonly kind: 'settle'; readonly terms: SettleTerms } | { readonly kind: 'withdraw'; readonly terms: WithdrawTerms & { readonly profile: 'v1' } })

/**
 * How far the two ends are known to agree since the last start. `waiting`: nothing is sent before the partner's
 * `reestablish`. `behind`: the partner has packets of ours that we do not know (we were restored from an old copy).
 */
export type SyncState =
  | { readonly kind: 'in-sync' }
  | { readonly kind: 'waiting'; readonly isRestored: boolean }
  | { readonly kind: 'behind'; readonly nonce: bigint; readonly hash: Hash }

/** What the chain paid out when a channel ended. */
export interface Payout {
  readonly own: bigint
  readonly partner: bigint
  /** By what both had signed; false: by the proofs that were posted. */
  readonly isCooperative: boolean
}

export interface ChannelState {
  readonly domain: Domain
  readonly token: Address
  readonly key: ChannelKey
  readonly settleTimeout: number
  readonly role: ChannelRole
  readonly openBlock: number
  readonly phase: ChannelPhase
  readonly own: ChannelSide
  readonly partner: ChannelSide
  readonly disposals: readonly Disposal[]
  readonly renounced: readonly Renunciation[]
  readonly agreement: Agreement | null
  readonly dispute: Dispute | null
  /** The partner's `transferred` when the chain view froze: what came since then is the exposure. */
  readonly offlineFrom: bigint | null
  readonly sync: SyncState
  /** Packets of the partner up to this nonce may have been answered by us before we were restored from an old copy: 0 normally. */
  readonly doubtfulUntil: bigint
  /** Of a settled channel; null: nobody told. Not there: it is not settled, or an earlier version of this box saw it. */
  readonly payout?: Payout | null
  /** Why the phase is `error`, `closing` or such; for people. */
  readonly note: string
}

export interface OpenChannel {
  readonly domain: Domain
  readonly token: Address
  readonly own: Address
  readonly partner: Address
  readonly key: ChannelKey
  readonly settleTimeout: number
  readonly role: ChannelRole
  readonly ownDeposit: bigint
  readonly partnerDeposit: bigint
  readonly openBlock: number
}

/** A channel as it is right after its `opened` event. */
export function openChannel(open: OpenChannel): ChannelState {
  return {
    domain: open.domain,
    token: open.token,
    key: open.key,
    settleTimeout: open.settleTimeout,
    role: open.role,
    openBlock: open.openBlock,
    phase: 'opened',
    own: freshSide(open.own, open.ownDeposit),
    partner: freshSide(open.partner, open.partnerDeposit),
    disposals: [],
    renounced: [],
    agreement: null,
    dispute: null,
    offlineFrom: null,
    sync: IN_SYNC,
    doubtfulUntil: 0n,
    note: '',
  }
}

export const IN_SYNC: SyncState = { kind: 'in-sync' }

export function freshSide(address: Address, deposit: bigint): ChannelSide {
  return {
    address,
    deposit,
    withdrawn: 0n,
    claimed: 0n,
    nonce: 0n,
    transferred: 0n,
    locks: [],
    locked: 0n,
    locksroot: ZERO_HASH,
    proof: null,
    stream: null,
    withdrawal: null,
  }
}
