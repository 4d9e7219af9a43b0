/** What comes from concentrators: names, modulation, a frame that was heard, and who they are. Made by radio/. */
import type { Cancel, Moment } from '../../base/index.ts'
import type { Downlink, TxAck } from './downlink.ts'

// ---- names

/** A 64-bit identifier: 16 lower-case hex digits, most significant byte first, as printed on the device. DevEUI, JoinEUI, gateway id. */
export type Eui = string
/** 32-bit unsigned. Several devices may have the same one. */
export type DevAddr = number
/** SHA-256 of a PHYPayload, 64 hex digits: the same transmission heard by several gateways has the same one. */
export type FrameId = string

// ---- modulation

/** As a forwarder writes it; `LI`: long interleaving; `OFF`: FSK without coding. */
export type CodingRate = '4/5' | '4/6' | '4/7' | '4/8' | '4/5LI' | '4/6LI' | '4/8LI' | '1/3' | '2/3' | 'OFF'

export type Modulation =
  | { readonly kind: 'lora'; readonly spreadingFactor: number; readonly bandwidthHz: number; readonly codingRate: CodingRate }
  | { readonly kind: 'fsk'; readonly bitsPerSecond: number; readonly deviationHz: number }
  | { readonly kind: 'lr-fhss'; readonly widthHz: number; readonly codingRate: CodingRate; readonly gridSteps: number }

// ---- up: radio/ → everybody

/**
 * A gateway's own time of one reception, needed to answer in its receive windows. `counter`: the concentrator's u32 microseconds,
 * which wraps every 71.6 minutes. `station`: Basics Station's opaque pair. `foreign`: bytes of another forwarder, given back untouched.
 */
export type RadioTime =
  | { readonly kind: 'counter'; readonly tmstUs: number }
  | { readonly kind: 'station'; readonly xtime: bigint; readonly rctx: bigint }
  | { readonly kind: 'foreign'; readonly context: Uint8Array }

/** How one antenna of one gateway heard it. */
export interface Copy {
  readonly gateway: Eui
  readonly time: RadioTime
  /** When the box had the bytes. */
  readonly arrivedMs: number
  /** UTC by the gateway's own clock, milliseconds since 1970; null when it does not say. For views and `gw_time`: never a ground for anything. */
  readonly utcMs: number | null
  /** Since the GPS epoch; null without a fix. */
  readonly gpsTimeMs: number | null
  /** Fine timestamp within the GPS second; null where the hardware has none. */
  readonly fineTimeNs: number | null
  /** dBm and dB; null when the forwarder says nothing of it (FSK has no SNR). */
  readonly rssiDbm: number | null
  readonly snrDb: number | null
  readonly channel: number
  readonly radio: number
  readonly board: number
  readonly antenna: number
}

/** One transmission, heard at least once. radio/ hands it over when the collection window ends (0 ms while one gateway is known). */
export interface Heard {
  readonly id: FrameId
  /** 1 to 255 bytes, not yet parsed. Its CRC on the air was right. */
  readonly phy: Uint8Array
  /** Rounded to 100 Hz: forwarders send float noise. */
  readonly frequencyHz: number
  readonly modulation: Modulation
  /** Best first (SNR, then RSSI); at most 32; never empty. The answer goes through copies[0].gateway. */
  readonly copies: readonly Copy[]
  /** When it is played back from late/: never touches MAC state, never gets an answer. */
  readonly isLate: boolean
}

/** What a gateway says of itself, with the address it speaks from; every door fills what it can. */
export interface GatewayStats {
  readonly gateway: Eui
  readonly at: Moment
  readonly location: { readonly latitude: number; readonly longitude: number; readonly altitudeMeters: number } | null
  readonly received: number
  readonly receivedOk: number
  readonly forwarded: number
  readonly downlinksAsked: number
  readonly downlinksSent: number
  /** Percent of datagrams upward that were acknowledged; null: not said. */
  readonly ackPercent: number | null
  readonly temperatureC: number | null
}

export type Door = 'gwmp' | 'station'

export interface Gateway {
  readonly id: Eui
  readonly door: Door
  readonly region: string
  /** Path on which it can be reached now: a PULL_DATA in the last 90 s, or an open socket. */
  readonly isOnline: boolean
  readonly lastSeen: Moment
  /** Sub-band blocking instead of a window: Basics Station counts so by itself, and drops silently what it refuses. */
  readonly dutyModel: 'window' | 'blocking'
  /** How long before the slot an order must be handed over, and may be. */
  readonly minLeadMs: number
  readonly maxLeadMs: number
}

/** The concentrators, whatever they speak. */
export interface Radio {
  gateways(): readonly Gateway[]
  onHeard(listener: (heard: Heard) => void): Cancel
  onStats(listener: (stats: GatewayStats) => void): Cancel
  onGateway(listener: (gateway: Gateway) => void): Cancel
  /**
   * Hands the order to its gateway and answers when the gateway has: alternatives are tried in order, the next only after the one
   * before was refused. Resolves always, at the latest when the last window is over; never rejects. What is not on disk is not given here.
   */
  transmit(downlink: Downlink): Promise<TxAck>
}
