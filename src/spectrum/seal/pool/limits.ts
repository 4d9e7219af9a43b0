/**
 * How much waits, and of whom. The figures are for a box with little memory: the chain takes some ninety
 * transactions a slot (spec 7.4), so two thousand are twenty slots' work. Size, price and form: spec 1.3.
 */
import { inputError } from '../../../base/index.ts'

export interface PoolLimits {
  readonly transactions: number
  readonly bytes: number
  /** Of `transactions` and `bytes`: what wallets may fill at most, so that peers' ones always have room. */
  readonly walletTransactions: number
  readonly walletBytes: number
  /** Of `transactions`: what peers may fill at most. */
  readonly peerTransactions: number
  /** Of `transactions`: those that wait for an earlier nonce. */
  readonly futureTransactions: number
  readonly perSender: {
    readonly wallet: number
    /** While the wallets' part is half full: a few purses must not keep all others out. */
    readonly walletInCrowd: number
    readonly peer: number
    readonly bytes: number
    readonly future: number
  }
}

export const DEFAULT_POOL_LIMITS: PoolLimits = {
  transactions: 2048,
  bytes: 4 * 1024 * 1024,
  walletTransactions: 1024,
  walletBytes: 2 * 1024 * 1024,
  peerTransactions: 2048,
  futureTransactions: 512,
  perSender: { wallet: 64, walletInCrowd: 8, peer: 16, bytes: 128 * 1024, future: 8 },
}

/** Of a box without the state: each sender that waits costs it a proof with each head, which it has to fetch. */
export const LIGHT_POOL_LIMITS: PoolLimits = { ...DEFAULT_POOL_LIMITS, peerTransactions: 64 }

/** Policy of the original: a sealer takes nothing below 18 Gwei, the others relay anything that pays at all. */
export const SEALER_MIN_GAS_PRICE_WEI = 18_000_000_000n
export const RELAY_MIN_GAS_PRICE_WEI = 1n
/** The original's pool refuses larger ones. */
export const MAX_POOLED_BYTES = 32 * 1024

/** `later` in the place of `earlier`, or pushing it out: a tenth more at least. Less would make either a free game. */
export function isBetterBid(later: bigint, earlier: bigint): boolean {
  return later > earlier && later * 10n >= earlier * 11n
}

/** Errors: input, naming the field. */
export function checkPoolLimits(limits: PoolLimits): PoolLimits {
  const { perSender, ...overall } = limits
  for (const [field, value] of [...Object.entries(overall), ...Object.entries(perSender)]) if (!Number.isSafeInteger(value) || value < 0) throw inputError(`pool.${field}`, value, 'a whole number, 0 or more')
  if (limits.transactions < 1 || limits.bytes < 1) throw inputError('pool.transactions', limits.transactions, '1 or more, with 1 byte or more')
  return limits
}
