/** What a region is. LoRaWAN Regional Parameters (RP001 1.0.3 and RP002), as rows in this folder's files. */
import type { Modulation } from '../../ports.ts'

export type RegionName = 'EU868' | 'US915' | 'AS923' | 'AS923-2' | 'AS923-3' | 'AS923-4' | 'CN470' | 'IN865'

export interface DataRate {
  readonly modulation: Modulation
  readonly isUp: boolean
  readonly isDown: boolean
  /** N: most bytes of FRMPayload when FOpts are empty; M, for FOpts, FPort and payload together with FHDR, is N + 8. */
  readonly maxPayloadBytes: number
  /** N while the region's dwell limit is on; 0: the data rate must not be used then. */
  readonly maxPayloadDwellBytes: number
}

export interface RegionChannel {
  readonly frequencyHz: number
  readonly minDataRate: number
  readonly maxDataRate: number
}

/** A piece of spectrum with one rule for transmitters. Ends exclusive. */
export interface SubBand {
  readonly name: string
  readonly fromHz: number
  readonly toHz: number
  /** Parts per million of an hour; null: no limit by time. */
  readonly dutyPpm: number | null
  readonly maxEirpDbm: number
}

export interface Region {
  readonly name: RegionName
  /** By index; null: reserved. */
  readonly dataRates: readonly (DataRate | null)[]
  /** What every device has from the start, by index; of a fixed plan that is all there is. */
  readonly channels: readonly RegionChannel[]
  /** How many channels a device can have: 16 where they are told one by one. */
  readonly maxChannels: number
  readonly hasFixedChannels: boolean
  readonly cfList: 'frequencies' | 'masks'
  /** Where channels may lie. */
  readonly fromHz: number
  readonly toHz: number
  readonly maxRx1DrOffset: number
  readonly rx2: { readonly frequencyHz: number; readonly dataRate: number }
  /** What a device may use at most, and LinkADRReq.txPower by index: dB below it. */
  readonly maxEirpDbm: number
  readonly txPowerStepsDb: readonly number[]
  /** Limit of one transmission where a dwell limit is on; null: the region has none. */
  readonly dwellUs: number | null
  /** Of a device that was told nothing. */
  readonly defaultDwell: { readonly up: boolean; readonly down: boolean }
  /** TXParamSetupReq is understood. */
  readonly hasTxParamSetup: boolean
  readonly subBands: readonly SubBand[]
  /** Data rate of RX1. `up` is a data rate of the region; out of range, of `offset` too, is the caller's error. */
  rx1DataRate(up: number, offset: number, hasDownlinkDwell: boolean): number
  /** `channel`: index of the uplink's channel, for fixed plans. */
  rx1FrequencyHz(upFrequencyHz: number, channel: number): number
}

export const lora = (spreadingFactor: number, bandwidthHz: number): Modulation => ({ kind: 'lora', spreadingFactor, bandwidthHz, codingRate: '4/5' })
export const FSK_50K: Modulation = { kind: 'fsk', bitsPerSecond: 50_000, deviationHz: 25_000 }

/** `dwell`: N under the dwell limit; left out: the same. */
export function both(modulation: Modulation, max: number, dwell = max): DataRate {
  return { modulation, isUp: true, isDown: true, maxPayloadBytes: max, maxPayloadDwellBytes: dwell }
}

export function upOnly(modulation: Modulation, max: number): DataRate {
  return { ...both(modulation, max), isDown: false }
}

export function downOnly(modulation: Modulation, max: number): DataRate {
  return { ...both(modulation, max), isUp: false }
}

/** 0, −2, −4 … dB. */
export function powerSteps(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => 2 * i)
}
