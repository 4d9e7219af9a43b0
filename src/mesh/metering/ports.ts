/**
 * What settlement asks of its surroundings, where src/mesh/ports.ts says less than it needs: counters that show a client's and a
 * carrier's view, payments that can be asked for again after a crash, and who is behind a link.
 */
import type { Address, Cancel, Hash } from '../../base/index.ts'
import type { Ledger } from '../../ledger/index.ts'
import type { BoxId, CarriagePayer, CarriageView, CarriedBytes, LinkCounters, Mac } from '../ports.ts'
import type { CarriageStage } from './carriage.ts'

export type EarningsBook = Pick<Ledger, 'earn' | 'post'>

/** LinkCounters' own figures are of forwarded frames; `all…` are of all unicast frames, which is what a client counts. */
export interface LinkTraffic extends LinkCounters {
  /** Of an admitted neighbour, for this box itself: where it has the way out, it carries these too. */
  readonly endedBytes: bigint
  readonly allReceivedBytes: bigint
  readonly allSentBytes: bigint
}

export interface TrafficSource {
  /** All admitted neighbours, from one consistent dump each. A counter that went back means that the table was made anew. */
  read(): Promise<readonly LinkTraffic[]>
}

export interface ReceivedPayment {
  readonly from: Address
  readonly token: Address
  readonly amount: bigint
  readonly reference: Hash
  /** Rises with every payment; survives restarts. */
  readonly mark: bigint
}

/**
 * `pay` is by reference: the same order again (same reference and amount) pays nothing twice, and resolves when the first is on
 * both disks, in whichever run of the process it was begun. `onPaid` may tell late, twice or never; `receivedAfter` is what counts.
 */
export interface RelayPayments extends CarriagePayer {
  /** Payments with a reference behind this mark that are on our disk, oldest first. */
  receivedAfter(mark: bigint, most: number): readonly ReceivedPayment[]
}

/** Links that the beacon exchange measured and the box's own key confirmed. */
export interface NeighbourLinks {
  /** Sender addresses of its frames on our hard interfaces; empty: it is not in reach. */
  linksOf(box: BoxId): readonly Mac[]
  onChange(listener: () => void): Cancel
}

export interface RelayView extends Omit<CarriageView, 'state'> {
  readonly state: CarriageStage
  /** Hex, 8 bytes. */
  readonly epoch: string
  readonly unitsPerMiB: bigint
  readonly lastBytes: CarriedBytes
  /** What was ordered and is not paid yet, and why. */
  readonly unpaidOrder: { readonly amount: bigint; readonly problem: string | null } | null
}

export interface AdvertView {
  readonly box: BoxId
  readonly sequence: number
  readonly unitsPerMiB: bigint | null
  readonly ownUnitsPerMiB: bigint
  readonly hops: number
  readonly leftSeconds: number
  /** Null: taken. */
  readonly refusal: string | null
}
