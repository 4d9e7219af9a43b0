/**
 * What a Station is told about its radio: `router_config`. Eight channels of 125 kHz from the region's plan, on two radios whose middle is at
 * most 400 kHz from each of theirs, and the data rates by index. Station knows two regions by their old names, which every version understands,
 * and takes any other as one without rules of its own; the ledger here has them then.
 */
import { inputError } from '../../../base/index.ts'
import type { DataRate, Region, RegionName } from '../../lorawan/index.ts'
import type { Writable } from './exact-json.ts'

const DATA_RATES = 16
const MULTI_CHANNELS = 8
/** Half of what a radio of the SX1301 sees, less half a channel. */
const MAX_OFFSET_HZ = 400_000
const NO_RATE = [-1, 0, 0] as const

const STATION_NAMES: Partial<Record<RegionName, string>> = { EU868: 'EU863', US915: 'US902', AS923: 'AS923-1' }

/** 125 kHz channels that a gateway of 8 listens to. Of the plans of 64 and 96: the second group of 8, and from 486.3 MHz, as most networks do. */
const LISTENED_HZ: Readonly<Record<RegionName, readonly number[]>> = {
  EU868: [868_100_000, 868_300_000, 868_500_000, 867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000],
  US915: steps(903_900_000),
  AS923: [923_200_000, 923_400_000, 922_000_000, 922_200_000, 922_400_000, 922_600_000, 922_800_000, 923_000_000],
  'AS923-2': [921_400_000, 921_600_000, 921_800_000, 922_000_000, 922_200_000, 922_400_000, 922_600_000, 922_800_000],
  'AS923-3': [916_600_000, 916_800_000, 917_000_000, 917_200_000, 917_400_000, 917_600_000, 917_800_000, 918_000_000],
  'AS923-4': [917_300_000, 917_500_000, 917_700_000, 917_900_000, 918_100_000, 918_300_000, 918_500_000, 918_700_000],
  CN470: steps(486_300_000),
  IN865: [865_062_500, 865_402_500, 865_985_000, 866_185_000, 866_385_000, 866_585_000, 866_785_000],
}
/** The one channel of another width. */
const WIDE: Partial<Record<RegionName, { readonly hz: number; readonly bandwidthHz: number; readonly spreadingFactor: number; readonly dataRate: number }>> = {
  EU868: { hz: 868_300_000, bandwidthHz: 250_000, spreadingFactor: 7, dataRate: 6 },
  US915: { hz: 904_600_000, bandwidthHz: 500_000, spreadingFactor: 8, dataRate: 4 },
}

export interface RouterConfigOptions {
  readonly region: Region
  /** Null: frames of all networks; a box that sells frames wants them. */
  readonly netIds: readonly number[] | null
  /** Seconds since 1970, as the server has it. */
  readonly muxTimeSeconds: number
  /** Where the eight channels begin, in a plan of 64 or 96; null: where most networks listen. */
  readonly firstChannelHz: number | null
}

/** Errors: input `first-channel`; `region` when its channels do not fit two radios. */
export function routerConfig({ region, netIds, muxTimeSeconds, firstChannelHz }: RouterConfigOptions): Writable {
  const channelsHz = firstChannelHz === null ? LISTENED_HZ[region.name] : channelsFrom(region, firstChannelHz)
  const wide = firstChannelHz === null ? WIDE[region.name] : wideBeside(region, channelsHz)
  return {
    msgtype: 'router_config',
    NetID: netIds,
    JoinEui: null,
    region: STATION_NAMES[region.name] ?? region.name,
    hwspec: 'sx1301/1',
    freq_range: [region.fromHz, region.toHz],
    DRs: Array.from({ length: DATA_RATES }, (_, index) => rateOf(region.dataRates[index] ?? null)),
    upchannels: [...channelsHz.map((hz) => [hz, ...lowAndHigh(region)]), ...(wide === undefined ? [] : [[wide.hz, wide.dataRate, wide.dataRate]])],
    sx1301_conf: [boardOf(channelsHz, wide ?? null)],
    max_eirp: region.maxEirpDbm,
    MuxTime: muxTimeSeconds,
  }
}

/** Eight neighbours of the plan, from this one on. Errors: input `first-channel`. */
function channelsFrom(region: Region, firstHz: number): readonly number[] {
  const narrow = region.channels.filter(({ minDataRate }) => minDataRate === 0).map(({ frequencyHz }) => frequencyHz)
  const at = narrow.indexOf(firstHz)
  if (!region.hasFixedChannels || at < 0 || at + MULTI_CHANNELS > narrow.length) throw inputError('first-channel', firstHz, `null, or in a plan of fixed channels one with seven behind it, ${region.name}`)
  return narrow.slice(at, at + MULTI_CHANNELS)
}

/** The region's wide channel among them. */
function wideBeside(region: Region, channelsHz: readonly number[]): (typeof WIDE)[RegionName] {
  const usual = WIDE[region.name]
  const found = region.channels.find(({ minDataRate, frequencyHz }) => minDataRate > 0 && frequencyHz > (channelsHz[0] ?? 0) && frequencyHz < (channelsHz.at(-1) ?? 0))
  return usual === undefined || found === undefined ? undefined : { ...usual, hz: found.frequencyHz }
}

/** [SF, BW in kHz, downward only]: SF 0 is FSK; LR-FHSS is none of Station's. */
function rateOf(rate: DataRate | null): readonly number[] {
  if (rate === null || rate.modulation.kind === 'lr-fhss') return NO_RATE
  const { modulation } = rate
  const isDownOnly = rate.isUp ? 0 : 1
  return modulation.kind === 'fsk' ? [0, 0, isDownOnly] : [modulation.spreadingFactor, modulation.bandwidthHz / 1_000, isDownOnly]
}

/** Data rates of 125 kHz, upward. */
function lowAndHigh(region: Region): readonly [number, number] {
  const narrow = region.dataRates.flatMap((rate, index) => (rate !== null && rate.isUp && rate.modulation.kind === 'lora' && rate.modulation.bandwidthHz === 125_000 ? [index] : []))
  return [Math.min(...narrow), Math.max(...narrow)]
}

function boardOf(channelsHz: readonly number[], wide: { readonly hz: number; readonly bandwidthHz: number; readonly spreadingFactor: number } | null): Writable {
  const radiosHz = radiosFor(channelsHz)
  const place = (hz: number): { readonly radio: number; readonly if: number } => {
    const radio = radiosHz.findIndex((middle) => Math.abs(hz - middle) <= MAX_OFFSET_HZ)
    if (radio < 0) throw inputError('region', hz, 'channels that two radios can hear')
    return { radio, if: hz - (radiosHz[radio] ?? 0) }
  }
  const channels: Record<string, Writable> = {}
  for (let index = 0; index < MULTI_CHANNELS; index++) {
    const hz = channelsHz[index]
    channels[`chan_multiSF_${index}`] = hz === undefined ? { enable: false } : { enable: true, ...place(hz) }
  }
  return {
    radio_0: { enable: true, freq: radiosHz[0] ?? 0 },
    radio_1: { enable: radiosHz.length > 1, freq: radiosHz[1] ?? 0 },
    ...channels,
    chan_Lora_std: wide === null ? { enable: false } : { enable: true, ...place(wide.hz), bandwidth: wide.bandwidthHz, spread_factor: wide.spreadingFactor },
    chan_FSK: { enable: false },
  }
}

/** The middles of what lies together. */
function radiosFor(channelsHz: readonly number[]): readonly number[] {
  const groups: number[][] = []
  for (const hz of channelsHz.toSorted((a, b) => a - b)) {
    const group = groups.at(-1)
    if (group === undefined || hz - (group[0] ?? 0) > 2 * MAX_OFFSET_HZ) groups.push([hz])
    else group.push(hz)
  }
  if (groups.length > 2) throw inputError('region', `${groups.length} groups of channels`, 'at most two, 800 kHz wide each')
  return groups.map((group) => ((group[0] ?? 0) + (group.at(-1) ?? 0)) / 2)
}

function steps(firstHz: number): readonly number[] {
  return Array.from({ length: MULTI_CHANNELS }, (_, i) => firstHz + 200_000 * i)
}
