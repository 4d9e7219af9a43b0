/** What the hotspot needs from outside; main.ts hands it in. */
import type { Clock, Log, Randomness, Timers } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import type { VoucherKeys } from '../identity/index.ts'
import type { Ledger } from '../ledger/index.ts'
import type { Store } from '../store/index.ts'
import type { Gate, NeighbourTable } from './gate/types.ts'
import type { ReceiptSigner } from './receipt/index.ts'
import type { VisitJournal } from './roaming/index.ts'
import type { WayOut } from './types.ts'

/** The part of the ledger the hotspot writes: earnings, what of them is given back, and tokens sold for cash. */
export type EarningsBook = Pick<Ledger, 'earn' | 'reverse' | 'post' | 'entries'>

export interface HotspotDeps {
  /** Read at each use, so that a reload counts from then on. */
  readonly config: () => Config
  readonly store: Store
  readonly ledger: EarningsBook
  readonly gate: Gate
  readonly neighbours: NeighbourTable
  readonly voucherKeys: VoucherKeys
  readonly signer: ReceiptSigner
  readonly clock: Clock
  readonly timers: Timers
  readonly randomness: Randomness
  readonly log: Log
  /** For what other boxes' guests use here; absent: a restart of the service asks for them anew. */
  readonly visitJournal?: VisitJournal
  /** For guests to know; a box that does not watch its ways out says `internet`. */
  readonly wayOut: () => WayOut
  /** Whether the portal is announced by DHCP option 114, and why (not). */
  readonly option114: () => { readonly state: 'announced' | 'withheld'; readonly reason: string }
}
