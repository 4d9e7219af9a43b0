/** Regions by name, and the questions one asks of any of them. */
import { inputError } from '../../../base/index.ts'
import type { Modulation } from '../../ports.ts'
import { AS923_GROUPS } from './as923.ts'
import { CN470 } from './cn470.ts'
import { EU868 } from './eu868.ts'
import { IN865 } from './in865.ts'
import type { DataRate, Region, SubBand } from './types.ts'
import { US915 } from './us915.ts'

export type { DataRate, Region, RegionChannel, RegionName, SubBand } from './types.ts'

export const REGIONS: readonly Region[] = [EU868, US915, ...AS923_GROUPS, CN470, IN865]

/** Half the distance at which two channels are still told apart: forwarders report frequencies with float noise. */
const NEAR_HZ = 500

/** Names as written, also AS923-1 for AS923. Errors: input `region`. */
export function regionNamed(name: string): Region {
  const wanted = name.toUpperCase() === 'AS923-1' ? 'AS923' : name.toUpperCase()
  const region = REGIONS.find((known) => known.name === wanted)
  if (region === undefined) throw inputError('region', name, REGIONS.map((known) => known.name).join(', '))
  return region
}

/** Null: the region has no such data rate in that direction. */
export function dataRateOf(region: Region, modulation: Modulation, direction: 'up' | 'down'): number | null {
  const index = region.dataRates.findIndex((rate) => rate !== null && (direction === 'up' ? rate.isUp : rate.isDown) && isSame(rate.modulation, modulation))
  return index < 0 ? null : index
}

/** Errors: input `data-rate`. */
export function dataRate(region: Region, index: number): DataRate {
  const rate = region.dataRates[index] ?? null
  if (rate === null) throw inputError('data-rate', index, `one of ${region.name}: ${region.dataRates.flatMap((known, i) => (known === null ? [] : [i])).join(', ')}`)
  return rate
}

/** Most bytes of FRMPayload beside `fOptsBytes` of MAC commands; 0: the data rate must not be used now. Errors: input `data-rate`. */
export function maxPayloadBytes(region: Region, index: number, fOptsBytes: number, hasDwell: boolean): number {
  const rate = dataRate(region, index)
  return Math.max(0, (hasDwell ? rate.maxPayloadDwellBytes : rate.maxPayloadBytes) - fOptsBytes)
}

/** Index among the region's own channels, which in a fixed plan are all there are. Null: none that may carry this data rate. */
export function channelOf(region: Region, frequencyHz: number, upDataRate: number): number | null {
  const index = region.channels.findIndex((channel) => Math.abs(channel.frequencyHz - frequencyHz) <= NEAR_HZ && upDataRate >= channel.minDataRate && upDataRate <= channel.maxDataRate)
  return index < 0 ? null : index
}

/** Null: nobody may transmit there. */
export function subBandAt(region: Region, frequencyHz: number): SubBand | null {
  return region.subBands.find((band) => frequencyHz >= band.fromHz && frequencyHz < band.toHz) ?? null
}

/** Where and how RX1 is. Errors: input `rx1-dr-offset`, `data-rate`, `channel`. */
export function rx1Of(region: Region, up: { readonly frequencyHz: number; readonly dataRate: number }, offset: number, hasDownlinkDwell: boolean): { readonly frequencyHz: number; readonly dataRate: number } {
  if (!Number.isInteger(offset) || offset < 0 || offset > region.maxRx1DrOffset) throw inputError('rx1-dr-offset', offset, `0 to ${region.maxRx1DrOffset}`)
  if (!dataRate(region, up.dataRate).isUp) throw inputError('data-rate', up.dataRate, 'a data rate for uplinks')
  const channel = region.hasFixedChannels ? channelOf(region, up.frequencyHz, up.dataRate) : 0
  if (channel === null) throw inputError('channel', up.frequencyHz, `an uplink channel of ${region.name}`)
  return { frequencyHz: region.rx1FrequencyHz(up.frequencyHz, channel), dataRate: region.rx1DataRate(up.dataRate, offset, hasDownlinkDwell) }
}

/** EIRP in dBm of LinkADRReq.txPower. Errors: input `tx-power`. */
export function txPowerDbm(region: Region, index: number, maxEirpDbm: number = region.maxEirpDbm): number {
  const step = region.txPowerStepsDb[index]
  if (step === undefined) throw inputError('tx-power', index, `0 to ${region.txPowerStepsDb.length - 1}`)
  return maxEirpDbm - step
}

function isSame(a: Modulation, b: Modulation): boolean {
  if (a.kind === 'lora') return b.kind === 'lora' && a.spreadingFactor === b.spreadingFactor && a.bandwidthHz === b.bandwidthHz
  if (a.kind === 'fsk') return b.kind === 'fsk' && a.bitsPerSecond === b.bitsPerSecond
  return b.kind === 'lr-fhss' && a.codingRate === b.codingRate && Math.abs(a.widthHz - b.widthHz) < 1_000 // 137 kHz, or 136719 Hz
}
