/**
 * What the network has to ask a device so that it becomes as the plan wants it. Level-triggered: wishes are compared with what the session
 * says the device has, so a lost request, a lost answer and a restart all end in asking again. Pure.
 *
 * A request is asked at most three times; a device that refused it, or never answered, is not asked the same thing again in this session.
 */
import { MAX_EIRP_DBM, applyMasks, masksFor, writeDownCommands } from '../lorawan/index.ts'
import type { DownCommand } from '../lorawan/index.ts'
import { adrFor } from './adr.ts'
import type { NetworkPlan } from './plan.ts'
import { wantedChannels } from './session.ts'
import type { NetworkSession } from './session.ts'

export const MAC_TRIES = 3
/** Frames between two questions for the battery. */
const STATUS_EVERY = 128
/** Each is 6 bytes of the 15 there are. */
const CHANNELS_AT_ONCE = 2

export const CID = { linkAdr: 0x03, rxParam: 0x05, devStatus: 0x06, newChannel: 0x07, rxTiming: 0x08, txParam: 0x09 } as const

/** Commands that are asked, answered and repeated together. */
export interface MacRequest {
  readonly cid: number
  /** As in FOpts, each with its CID. */
  readonly bytes: Uint8Array
}

const NOTHING: readonly DownCommand[] = []
const NO_REQUESTS: readonly MacRequest[] = []

/** In the order of their weight: where the device listens, then where and how it sends, then how it is. */
export function requestsFor(plan: NetworkPlan, session: NetworkSession): readonly MacRequest[] {
  let requests: MacRequest[] | null = null
  for (const wish of WISHES) {
    const commands = wish(plan, session)
    if (commands.length === 0) continue
    const bytes = writeDownCommands(commands)
    const cid = bytes[0] ?? 0
    if (isGivenUp(session, cid, bytes)) continue
    requests ??= []
    requests.push({ cid, bytes })
  }
  return requests ?? NO_REQUESTS
}

/** The session once these are in a frame. */
export function asked(session: NetworkSession, requests: readonly MacRequest[]): NetworkSession {
  const pendingMac = [...session.pendingMac.filter((pending) => !requests.some((request) => request.cid === pending.cid))]
  for (const { cid, bytes } of requests) {
    const before = session.pendingMac.find((pending) => pending.cid === cid)
    pendingMac.push({ cid, payload: bytes, tries: before !== undefined && isSame(before.payload, bytes) ? before.tries + 1 : 1 })
  }
  const isStatusAsked = requests.some(({ cid }) => cid === CID.devStatus)
  return { ...session, pendingMac, statusAskedAt: isStatusAsked ? session.fCntUp : session.statusAskedAt }
}

/** The frame they were in was never on the air. */
export function notAsked(session: NetworkSession, requests: readonly MacRequest[]): NetworkSession {
  const pendingMac = session.pendingMac.flatMap((pending) => {
    const wasAsked = requests.some(({ cid, bytes }) => cid === pending.cid && isSame(pending.payload, bytes))
    if (!wasAsked) return [pending]
    return pending.tries > 1 ? [{ ...pending, tries: pending.tries - 1 }] : []
  })
  return { ...session, pendingMac, statusAskedAt: requests.some(({ cid }) => cid === CID.devStatus) ? null : session.statusAskedAt }
}

function isGivenUp(session: NetworkSession, cid: number, bytes: Uint8Array): boolean {
  return session.pendingMac.some((pending) => pending.cid === cid && pending.tries >= MAC_TRIES && isSame(pending.payload, bytes))
}

function rxTiming(plan: NetworkPlan, session: NetworkSession): readonly DownCommand[] {
  return session.rxDelaySeconds === plan.rxDelaySeconds ? NOTHING : [{ name: 'RXTimingSetupReq', delaySeconds: plan.rxDelaySeconds }]
}

function rxParam(plan: NetworkPlan, session: NetworkSession): readonly DownCommand[] {
  const { rx1DrOffset, rx2 } = plan
  if (session.rx1DrOffset === rx1DrOffset && session.rx2DataRate === rx2.dataRate && session.rx2FrequencyHz === rx2.frequencyHz) return NOTHING
  return [{ name: 'RXParamSetupReq', rx1DrOffset, rx2DataRate: rx2.dataRate, frequencyHz: rx2.frequencyHz }]
}

/** Only where the region's dwell limits can be lifted; the plan keeps them, and says the power aloud. */
function txParam(plan: NetworkPlan, session: NetworkSession): readonly DownCommand[] {
  const { region } = plan
  if (!region.hasTxParamSetup) return NOTHING
  const { up, down } = region.defaultDwell
  if (session.hasUplinkDwell === up && session.hasDownlinkDwell === down && session.maxEirpDbm === region.maxEirpDbm) return NOTHING
  const maxEirp = MAX_EIRP_DBM.findLastIndex((dBm) => dBm <= region.maxEirpDbm)
  return [{ name: 'TXParamSetupReq', maxEirp, uplinkDwell: up ? 1 : 0, downlinkDwell: down ? 1 : 0 }]
}

function newChannels(plan: NetworkPlan, session: NetworkSession): readonly DownCommand[] {
  return channelNeeds(plan, session.channels).missing
}

/** Data rate, power and repetitions if the device lets the network decide; the channels it is to use in any case. */
function linkAdr(plan: NetworkPlan, session: NetworkSession): readonly DownCommand[] {
  const { region } = plan
  const { masks, unchanged, fastest } = channelNeeds(plan, session.channels)
  const now = { dataRate: session.dataRate, txPowerIndex: session.txPowerIndex, nbTrans: session.nbTrans }
  const limits = { installationMarginDb: plan.installationMarginDb, maxDataRate: Math.min(plan.maxDataRate, session.maxDataRate, fastest), maxTxPowerIndex: session.maxTxPowerIndex }
  const next = plan.hasAdr && session.hasAdr ? adrFor(region, now, session.history, limits) : now
  const isSameLink = next.dataRate === now.dataRate && next.txPowerIndex === now.txPowerIndex && next.nbTrans === now.nbTrans
  if (isSameLink && masks.length === 0) return NOTHING
  return (masks.length > 0 ? masks : unchanged).map((mask) => ({ name: 'LinkADRReq', dataRate: next.dataRate, txPower: next.txPowerIndex, nbTrans: next.nbTrans, ...mask }))
}

type Mask = { readonly channelMask: number; readonly channelMaskControl: number }

/** What a device with these channels is to be told of them. */
interface ChannelNeeds {
  readonly plan: NetworkPlan
  readonly missing: readonly DownCommand[]
  readonly masks: readonly Mask[]
  readonly unchanged: readonly Mask[]
  /** Data rate; of those that are on. */
  readonly fastest: number
}

/** A device has the same list for months, and each frame asks what it needs. */
const NEEDS = new WeakMap<NetworkSession['channels'], ChannelNeeds>()

function channelNeeds(plan: NetworkPlan, channels: NetworkSession['channels']): ChannelNeeds {
  const known = NEEDS.get(channels)
  if (known?.plan === plan) return known
  const [isDefined, isOn] = [channelFlags(plan, channels, false), channelFlags(plan, channels, true)]
  const wanted = wantedChannels(plan)
  // What it was not told of yet, or refused, cannot be switched on.
  const target = isOn.map((on, index) => (isDefined[index] === true && wanted[index] !== undefined ? wanted[index]?.isEnabled === true : on))
  const masks = target.some(Boolean) && target.some((on, index) => on !== isOn[index]) ? masksFor(plan.region, isDefined, isOn, target) : []
  const needs: ChannelNeeds = { plan, missing: missingChannels(plan, channels), masks, unchanged: unchangedMask(isOn), fastest: fastestEnabled(channels) }
  NEEDS.set(channels, needs)
  return needs
}

function missingChannels(plan: NetworkPlan, channels: NetworkSession['channels']): readonly DownCommand[] {
  if (plan.region.hasFixedChannels) return NOTHING
  const missing = wantedChannels(plan).flatMap((channel, index): DownCommand[] => {
    const has = channels[index] ?? null
    if (channel === null || has?.frequencyHz === channel.frequencyHz) return []
    return [{ name: 'NewChannelReq', channel: index, frequencyHz: channel.frequencyHz, minDataRate: channel.minDataRate, maxDataRate: channel.maxDataRate }]
  })
  return missing.slice(0, CHANNELS_AT_ONCE)
}

/** The first 16 channels as they are: says nothing about the others. */
function unchangedMask(isOn: readonly boolean[]): readonly Mask[] {
  return [{ channelMask: isOn.slice(0, 16).reduce((mask, on, index) => mask + (on ? 2 ** index : 0), 0), channelMaskControl: 0 }]
}

function devStatus(session: NetworkSession): readonly DownCommand[] {
  const isDue = session.statusAskedAt === null ? session.fCntUp > 0 : session.fCntUp - session.statusAskedAt >= STATUS_EVERY
  const isOpen = session.pendingMac.some(({ cid, tries }) => cid === CID.devStatus && tries < MAC_TRIES)
  return isDue || isOpen ? [{ name: 'DevStatusReq' }] : NOTHING
}

/** By channel, as long as the region's list: defined, or switched on. */
function channelFlags(plan: NetworkPlan, channels: NetworkSession['channels'], onlyEnabled: boolean): readonly boolean[] {
  return Array.from({ length: plan.region.maxChannels }, (_, index) => {
    const channel = channels[index] ?? null
    return channel !== null && (!onlyEnabled || channel.isEnabled)
  })
}

/** The session's channels after masks that the device took. Null: it could not have taken them. */
export function maskedChannels(plan: NetworkPlan, session: NetworkSession, masks: readonly Mask[]): NetworkSession['channels'] | null {
  const isOn = applyMasks(plan.region, channelFlags(plan, session.channels, false), channelFlags(plan, session.channels, true), masks)
  return isOn === null ? null : session.channels.map((channel, index) => channel && { ...channel, isEnabled: isOn[index] === true })
}

function fastestEnabled(channels: NetworkSession['channels']): number {
  return channels.reduce<number>((most, channel) => (channel?.isEnabled === true ? Math.max(most, channel.maxDataRate) : most), 0)
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

const WISHES: readonly ((plan: NetworkPlan, session: NetworkSession) => readonly DownCommand[])[] = [rxTiming, rxParam, txParam, newChannels, linkAdr, (_, session) => devStatus(session)]
