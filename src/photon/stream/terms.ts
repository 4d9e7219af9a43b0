/** What a box asks for its minutes (photon.md 9.4, step 1), signed once and shown to every guest. */
import type { Address } from '../../base/index.ts'

export interface StreamTerms {
  readonly chainId: bigint
  readonly contract: Address
  readonly token: Address
  /** Price of one tick, smallest units. */
  readonly unit: bigint
  readonly tickSeconds: number
  /** Ticks under one signature, at most MAX_STEPS: a claim costs about 1.15k gas for each. */
  readonly steps: number
  /** Ticks the box gives on credit after the last one paid. */
  readonly graceTicks: number
  readonly minDeposit: bigint
  readonly settleTimeout: number
  /** Unix seconds of the box's clock; a session opened before goes on under these terms. */
  readonly validUntilSeconds: number
}

export const MAX_STEPS = 120
/** An hour in a row: what may be paid ahead at most. */
export const MAX_AHEAD_SECONDS = 3600

const U16 = 0xffff
const U128 = 1n << 128n

/** What is wrong with the terms, or null. A payer asks this of a stranger's terms, a box of its own configuration. */
export function faultOfTerms(terms: StreamTerms): string | null {
  const wholeUpTo = (value: number, least: number, most: number): boolean => Number.isInteger(value) && value >= least && value <= most
  if (terms.unit < 1n || terms.unit >= U128) return 'unit: 1 to 2^128-1'
  if (!wholeUpTo(terms.tickSeconds, 1, 3600)) return 'tickSeconds: 1 to 3600'
  if (!wholeUpTo(terms.steps, 1, MAX_STEPS)) return `steps: 1 to ${MAX_STEPS}`
  if (!wholeUpTo(terms.graceTicks, 1, U16)) return 'graceTicks: 1 to 65535'
  if (terms.minDeposit < 0n || terms.minDeposit >= U128) return 'minDeposit: 0 to 2^128-1'
  if (!wholeUpTo(terms.settleTimeout, 6, 2_700_000)) return 'settleTimeout: 6 to 2700000 blocks'
  // A clock from before 1970 says nothing that could be signed.
  if (!wholeUpTo(terms.validUntilSeconds, 0, Number.MAX_SAFE_INTEGER)) return 'validUntilSeconds: 0 to 2^53-1'
  if (terms.chainId < 1n || terms.chainId >= 1n << 64n) return 'chainId: 1 to 2^64-1'
  return null
}
