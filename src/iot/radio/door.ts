/** What a door of the room (GWMP, Basics Station) and what joins them (radio.ts) say to each other. */
import type { Copy, Downlink, FrameId, Gateway, GatewayStats, Modulation, TxAck } from '../ports.ts'

/** One reception by one antenna of one gateway, its CRC right. */
export interface Reception {
  readonly phy: Uint8Array
  readonly frequencyHz: number
  readonly modulation: Modulation
  readonly copy: Copy
}

/**
 * An answer that says more than yes and no: `doubtful` is the window that may have been on the air although nobody said so, because the
 * answer was lost. Whoever counts airtime counts it; whoever bills does not. Null: everything is known.
 */
export interface RadioTxAck extends TxAck {
  readonly doubtful: number | null
}

/** Where a door brings what it hears. Called in the turn of the event loop that read it. */
export interface RadioSink {
  received(reception: Reception): void
  stats(stats: GatewayStats): void
  /** New, changed, back or silent. */
  gateway(gateway: Gateway): void
}

export interface RadioDoor {
  /** Known ones, silent ones too. */
  gateways(): readonly Gateway[]
  /** Resolves always, at the latest when the last window is over. */
  transmit(downlink: Downlink): Promise<RadioTxAck>
}

/** SHA-256 of the bytes; handed in, so that cores know no library. */
export type FrameHash = (phy: Uint8Array) => FrameId
