import type { Ledger, ShareRule } from './types.ts'

export interface LedgerOptions {
  /** Read at each earning, so a reload of the configuration applies to later earnings only. */
  readonly shares: () => readonly ShareRule[]
  /** Account of what is left over; default `owner`. */
  readonly ownerAccount?: string
}

export declare function createLedger(options: LedgerOptions): Ledger
