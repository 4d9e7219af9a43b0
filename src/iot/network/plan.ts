/** What the owner wants of his network, checked against the region once at the start. */
import { inputError } from '../../base/index.ts'
import { cfListFor, dataRate, prefixOfNetId, regionNamed, subBandAt } from '../lorawan/index.ts'
import type { CfList, Region } from '../lorawan/index.ts'
import { DEFAULT_INSTALLATION_MARGIN_DB } from './adr.ts'

export interface NetworkWishes {
  /** As lorawan/regions names it. */
  readonly region: string
  /** 24 bits. */
  readonly netId: number
  /** 1 to 15; default 1. */
  readonly rxDelaySeconds?: number
  /** Default 0. */
  readonly rx1DrOffset?: number
  /** Default: the region's. */
  readonly rx2?: { readonly frequencyHz: number; readonly dataRate: number }
  /** Channels besides the region's own, for DR0 to DR5; at most 5; not in a fixed plan. */
  readonly extraChannelsHz?: readonly number[]
  /** Of a fixed plan: those that the gateways listen to. Default: all. */
  readonly channelsOn?: readonly boolean[]
  readonly hasAdr?: boolean
  readonly installationMarginDb?: number
  readonly maxDataRate?: number
  /** Downlinks, EIRP; default and at most the region's. */
  readonly txPowerDbm?: number
}

export interface NetworkPlan {
  readonly region: Region
  readonly netId: number
  readonly rxDelaySeconds: number
  readonly rx1DrOffset: number
  readonly rx2: { readonly frequencyHz: number; readonly dataRate: number }
  readonly extraChannelsHz: readonly number[]
  /** By channel; null: all of a fixed plan, or a plan whose channels are told one by one. */
  readonly channelsOn: readonly boolean[] | null
  readonly cfList: CfList | null
  readonly hasAdr: boolean
  readonly installationMarginDb: number
  readonly maxDataRate: number
  readonly txPowerDbm: number
}

/** Errors: input, naming the wish that cannot be. */
export function networkPlan(wishes: NetworkWishes): NetworkPlan {
  const region = regionNamed(wishes.region)
  prefixOfNetId(wishes.netId)
  const { rxDelaySeconds = 1, rx1DrOffset = 0, rx2 = region.rx2, extraChannelsHz = [], channelsOn = null } = wishes
  whole('rx-delay', rxDelaySeconds, 1, 15)
  whole('rx1-dr-offset', rx1DrOffset, 0, region.maxRx1DrOffset)
  if (!dataRate(region, rx2.dataRate).isDown) throw inputError('rx2-data-rate', rx2.dataRate, `a data rate for downlinks in ${region.name}`)
  if (subBandAt(region, rx2.frequencyHz) === null || rx2.frequencyHz % 100 !== 0) throw inputError('rx2-frequency', rx2.frequencyHz, `a frequency of ${region.name} in steps of 100 Hz`)
  if (region.hasFixedChannels ? extraChannelsHz.length > 0 : channelsOn !== null) throw inputError('channels', region.name, region.hasFixedChannels ? 'which of the channels are on' : 'frequencies besides the region’s own')
  const cfList = cfListFor(region, { extraHz: region.hasFixedChannels ? null : extraChannelsHz, isOn: channelsOn })
  const fastest = region.dataRates.findLastIndex((rate) => rate?.isUp === true)
  const maxDataRate = whole('max-data-rate', wishes.maxDataRate ?? fastest, 0, fastest)
  const installationMarginDb = wishes.installationMarginDb ?? DEFAULT_INSTALLATION_MARGIN_DB
  if (!(installationMarginDb >= 0 && installationMarginDb <= 30)) throw inputError('installation-margin', installationMarginDb, '0 to 30 dB')
  const txPowerDbm = wishes.txPowerDbm ?? region.maxEirpDbm
  const loudest = Math.max(...region.subBands.map((band) => band.maxEirpDbm))
  if (!(txPowerDbm >= 0 && txPowerDbm <= loudest)) throw inputError('tx-power', txPowerDbm, `0 to ${loudest} dBm`)
  return { region, netId: wishes.netId, rxDelaySeconds, rx1DrOffset, rx2, extraChannelsHz, channelsOn, cfList, hasAdr: wishes.hasAdr ?? true, installationMarginDb, maxDataRate, txPowerDbm }
}

/** What a gateway may send there. */
export function downlinkPowerDbm(plan: NetworkPlan, frequencyHz: number): number {
  return Math.min(plan.txPowerDbm, subBandAt(plan.region, frequencyHz)?.maxEirpDbm ?? 0)
}

function whole(field: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) throw inputError(field, value, `a whole number from ${least} to ${most}`)
  return value
}
