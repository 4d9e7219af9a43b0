/** What the owner may set, and in what the two profiles differ: as data, so that one machine serves both. */
import type { Address } from '../../base/index.ts'
import type { ChainMoment, Profile } from '../ports.ts'

export interface ChannelRules {
  /** Blocks needed to bring a secret to the chain (2.4). */
  readonly revealTimeout: number
  /** Blocks until something on the chain is final enough to rest on. */
  readonly confirmations: number
  /** Locks pending from one payer (2.4, 7.2). */
  readonly maxLocks: number
  /** Core channels: a lock may be at most this part of the capacity. */
  readonly coreLockPercent: bigint
  /** Channels that settle faster are not paid into and nothing is taken from them (F5). */
  readonly minSettleTimeout: number
  /** The most that is taken from a partner while the chain view is frozen (3.6). */
  readonly maxOfflineExposure: bigint
  /** A v2 settlement or withdrawal may be valid for at most so many blocks. */
  readonly maxAgreementBlocks: number
  /** v1 partners for whom cooperative settlements and withdrawals are signed (F1, F6). */
  readonly trustedPartners: ReadonlySet<Address>
}

const REVEAL_TIMEOUT = 30
const CONFIRMATIONS = 17

export const DEFAULT_RULES: ChannelRules = {
  revealTimeout: REVEAL_TIMEOUT,
  confirmations: CONFIRMATIONS,
  maxLocks: 30,
  coreLockPercent: 10n,
  minSettleTimeout: 2 * REVEAL_TIMEOUT + CONFIRMATIONS,
  maxOfflineExposure: 0n,
  maxAgreementBlocks: 600,
  trustedPartners: new Set(),
}

/** Register a secret no later than this many blocks before its lock expires (9.9). */
export const REGISTER_MARGIN_BLOCKS = 10
/** settle() is possible from settleBlock + this (both contracts: 257 blocks for punishing, then one more). */
export const SETTLE_DELAY_BLOCKS = 258

export interface ProfileRules {
  /** Signatures for a withdrawal or a cooperative settlement end at a block; v1's never do. */
  readonly hasExpiringAgreements: boolean
  /** Withdrawals leave proofs and locks alone; v1's start the channel anew. */
  readonly hasCumulativeWithdrawals: boolean
  readonly hasVouchers: boolean
  readonly hasReestablish: boolean
  readonly maxTransferred: bigint
}

export const PROFILE_RULES: Readonly<Record<Profile, ProfileRules>> = {
  v1: {
    hasExpiringAgreements: false,
    hasCumulativeWithdrawals: false,
    hasVouchers: false,
    hasReestablish: false,
    maxTransferred: (1n << 256n) - 1n,
  },
  v2: {
    hasExpiringAgreements: true,
    hasCumulativeWithdrawals: true,
    hasVouchers: true,
    hasReestablish: true,
    // A voucher's cumulative is a u128 and shares the counter.
    maxTransferred: (1n << 128n) - 1n,
  },
}

/** 2^64 − 1 is what the contract writes when it punishes; no packet may have it. */
export const MAX_NONCE = (1n << 64n) - 2n
export const MAX_UINT256 = (1n << 256n) - 1n

/** `offlineBlocks`: how many blocks the chain has probably made since the view froze. Left out: not known, taken as 0. */
export interface ChannelMoment extends ChainMoment {
  readonly offlineBlocks?: number
}
