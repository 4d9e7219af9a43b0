/** The way to the air: orders with their windows, what became of them, and how much air is left. Orders: network/, tenants/; judged by airtime/; sent by radio/. */
import type { Eui, Modulation, RadioTime } from './radio.ts'
import type { TenantId } from './tenants.ts'

// ---- down: network/, tenants/ → airtime/ → radio/

/** The field's words (ChirpStack gw.TxAckStatus, with our own GATEWAY_AWAY: no path to it). `IGNORED`: not tried. */
export type TxStatus =
  | 'OK' | 'IGNORED' | 'TOO_LATE' | 'TOO_EARLY' | 'COLLISION_PACKET' | 'COLLISION_BEACON' | 'TX_FREQ' | 'TX_POWER'
  | 'GPS_UNLOCKED' | 'QUEUE_FULL' | 'INTERNAL_ERROR' | 'DUTY_CYCLE_OVERFLOW' | 'GATEWAY_AWAY'

/** One chance to send. */
export interface TxWindow {
  readonly phy: Uint8Array
  readonly frequencyHz: number
  readonly modulation: Modulation
  /** EIRP; the forwarder subtracts its antenna gain. */
  readonly powerDbm: number
  /** `after`: so long after that reception (RX1, RX2). `now`: class C. `gps`: class B, multicast. */
  readonly timing:
    | { readonly kind: 'after'; readonly time: RadioTime; readonly arrivedMs: number; readonly delayUs: number }
    | { readonly kind: 'now' }
    | { readonly kind: 'gps'; readonly gpsTimeMs: number }
  /** True for LoRaWAN downlinks. */
  readonly isInverted: boolean
  /** Of FSK: bytes. */
  readonly preambleSymbols: number
  readonly hasCrc: boolean
  readonly board: number
  readonly antenna: number
}

/** What airtime may be refused to first when it is scarce: from the first to the last. */
export type DownlinkPurpose = 'data' | 'mac' | 'ack' | 'join'

/** At most one of the windows is sent. */
export interface Downlink {
  /** u32, never used twice within a day; its low 16 bits are the token on GWMP. */
  readonly id: number
  readonly gateway: Eui
  /** 1 to 8, in order of preference: RX1, RX2. */
  readonly windows: readonly TxWindow[]
  readonly purpose: DownlinkPurpose
  /** 0 to 255; higher wins a slot that is still held back. */
  readonly priority: number
  /** Null: the owner's own device. Otherwise he pays for the time on air. */
  readonly tenant: TenantId | null
  /** For Basics Station and for views; null when a tenant's server did not say. */
  readonly devEui: Eui | null
  /** Nobody else may be answered with it after this. */
  readonly expiresMs: number
}

export interface TxAck {
  readonly id: number
  readonly gateway: Eui
  /** One per window. Exactly one OK, or none. */
  readonly statuses: readonly TxStatus[]
  /** Windows[sent]; null: none. */
  readonly sent: number | null
  /** What was on the air, for the bill; 0 when nothing was. */
  readonly onAirUs: number
  /**
   * The window that may have been on the air although nobody said so, because the answer was lost. Whoever counts airtime counts it; whoever
   * bills does not. Null or left out: everything is known.
   */
  readonly doubtful?: number | null
}

/**
 * The one way to the air, in network/: sorts orders of everybody by priority, holds each back until shortly before its slot, asks
 * airtime/, writes the counter and the reservation in one turn, and only then calls Radio.transmit. Whoever asks learns the end.
 */
export interface DownlinkDesk {
  /** Errors: input for an order that breaks the region's limits (power, length, dwell). Never rejects for a lost slot: that is in the TxAck. */
  submit(downlink: Downlink): Promise<TxAck>
  /** Of one gateway, per sub-band: for views and for tenants who ask before they order. */
  budget(gateway: Eui): readonly SubBandBudget[]
}

// ---- airtime/

export interface SubBandBudget {
  readonly name: string
  readonly fromHz: number
  readonly toHz: number
  /** Parts per million of the window; null: no limit by time. */
  readonly dutyPpm: number | null
  readonly windowMs: number
  readonly usedUs: number
  readonly reservedUs: number
  /** What is left now for `data`, with the reserved share kept back. */
  readonly freeUs: number
  /** For one started millisecond, now. */
  readonly pricePerMs: bigint
}
