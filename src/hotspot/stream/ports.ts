/**
 * What the hotspot offers to whoever takes payments by the tick; main hands it to photon/stream, whose `StreamService`
 * has the same shape. The rooms do not know each other.
 */

/** One paid session as the payer's channel knows it. */
export interface StreamSale {
  /** Unique for ever: `<channel>.<its life>.<session>`. Of a channel one at a time: the next begins when the end of the one before is noted for good. */
  readonly stream: string
  readonly channel: string
  readonly epoch: bigint
  /** MAC address of the device that is served, as its door saw it. */
  readonly device: string
  readonly payer: string
  /** Smallest units of the box's token for one tick. */
  readonly unit: bigint
  readonly tickSeconds: number
  /** The channel's counter when the session began: what was earned before it. */
  readonly base: bigint
}

/** The voucher an earning rests on. */
export interface StreamEvidence {
  readonly cumulative: bigint
  readonly tip: string
  readonly steps: number
  readonly signature: Uint8Array
}

export interface StreamPayments {
  /**
   * Serve `ticks` in all since the stream began, and not one longer. The first call opens the gate, later ones move
   * the end. Does not throw: what cannot be opened now counts no time, and is tried again with the next call. A stream
   * that is over stays over.
   */
  allow(sale: StreamSale, ticks: number): void
  /** Ticks in which the gate was open, a begun one whole. 0 for a stream that is not known. */
  used(stream: string): number
  /** Its end was asked for, and is on disk: the process may have died before whoever asked had noted the answer. */
  isOver(stream: string): boolean
  /** Closes, and gives the ticks used in all; asked again, also in another process, the same. */
  end(stream: string): Promise<number>
  /** The channel's counter is the box's up to `value`: the difference to what was posted before is an earning. */
  earned(sale: StreamSale, value: bigint, voucher: StreamEvidence): void
  /** What the chain has paid beyond what streams have earned is an earning of its own; what streams earn later of the same units is none. */
  claimed(claim: StreamClaim): void
}

/** A claim on the chain that was not the box's own: `from` what streams had earned of that channel's life, `value` what the chain has paid of it. */
export interface StreamClaim {
  readonly channel: string
  readonly epoch: bigint
  readonly payer: string
  readonly from: bigint
  readonly value: bigint
}
