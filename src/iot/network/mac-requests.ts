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

/** In the order of their weight: where the device listens, then where and how it sends, then how it is. */
export function requestsFor(plan: NetworkPlan, session: NetworkSession): readonly MacRequest[] {
  const wished: (readonly DownCommand[])[] = [rxTiming(plan, session), rxParam(plan, session), txParam(plan, session), newChannels(plan, session), linkAdr(plan, session), devStatus(session)]
  return wished.flatMap((commands): MacRequest[] => {
    if (commands.length === 0) return []
    const bytes = writeDownCommands(commands)
    const cid = bytes[0] ?? 0
    return isGivenUp(session, cid, bytes) ? [] : [{ cid, bytes }]
  })
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
  return session.rxDelaySeconds === plan.rxDelaySeconds ? [] : [{ name: 'RXTimingSetupReq', delaySeconds: plan.rxDelaySeconds }]
}

function rxParam(plan: NetworkPlan, session: NetworkSession): readonly DownCommand[] {
  const { rx1DrOffset, rx2 } = plan
  if (session.rx1DrOffset === rx1DrOffset && session.rx2DataRate === rx2.dataRate && session.rx2FrequencyHz === rx2.frequencyHz) return []
  return [{ name: 'RXParamSetupReq', rx1DrOffset, rx2DataRate: rx2.dataRate, frequencyHz: rx2.frequencyHz }]
}

/** Only where the region's dwell limits can be lifted; the plan keeps them, and says the power aloud. */
function txParam(plan: NetworkPlan, session: NetworkSession): readonly DownCommand[] {
  const { region } = plan
  if (!region.hasTxParamSetup) return []
  const { up, down } = region.defaultDwell
  if (session.hasUplinkDwell === up && session.hasDownlinkDwell === down && session.maxEirpDbm === region.maxEirpDbm) return []
  const maxEirp = MAX_EIRP_DBM.findLastIndex((dBm) => dBm <= region.maxEirpDbm)
  return [{ name: 'TXParamSetupReq', maxEirp, uplinkDwell: up ? 1 : 0, downlinkDwell: down ? 1 : 0 }]
}

function newChannels(plan: NetworkPlan, session: NetworkSession): readonly DownCommand[] {
  if (plan.region.hasFixedChannels) return []
  const missing = wantedChannels(plan).flatMap((channel, index): DownCommand[] => {
    const has = session.channels[index] ?? null
    if (channel === null || has?.frequencyHz === channel.frequencyHz) return []
    return [{ name: 'NewChannelReq', channel: index, frequencyHz: channel.frequencyHz, minDataRate: channel.minDataRate, maxDataRate: channel.maxDataRate }]
  })
  return missing.slice(0, CHANNELS_AT_ONCE)
}

/** Data rate, power and repetitions if the device lets the network decide; the channels it is to use in any case. */
function linkAdr(plan: NetworkPlan, session: NetworkSession): readonly DownCommand[] {
  const { region } = plan
  const now = { dataRate: session.dataRate, txPowerIndex: session.txPowerIndex, nbTrans: session.nbTrans }
  const limits = { installationMarginDb: plan.installationMarginDb, maxDataRate: Math.min(plan.maxDataRate, session.maxDataRate, fastestEnabled(session)), maxTxPowerIndex: session.maxTxPowerIndex }
  const next = plan.hasAdr && session.hasAdr ? adrFor(region, now, session.history, limits) : now
  const [isDefined, isOn] = [channelFlags(plan, session, false), channelFlags(plan, session, true)]
  const wanted = wantedChannels(plan)
  // What it was not told of yet, or refused, cannot be switched on.
  const target = isOn.map((on, index) => (isDefined[index] === true && wanted[index] !== undefined ? wanted[index]?.isEnabled === true : on))
  const masks = target.some(Boolean) && target.some((on, index) => on !== isOn[index]) ? masksFor(region, isDefined, isOn, target) : []
  const isSameLink = next.dataRate === now.dataRate && next.txPowerIndex === now.txPowerIndex && next.nbTrans === now.nbTrans
  if (isSameLink && masks.length === 0) return []
  return (masks.length > 0 ? masks : unchangedMask(isOn)).map((mask) => ({ name: 'LinkADRReq', dataRate: next.dataRate, txPower: next.txPowerIndex, nbTrans: next.nbTrans, ...mask }))
}

/** The first 16 channels as they are: says nothing about the others. */
function unchangedMask(isOn: readonly boolean[]): readonly { readonly channelMask: number; readonly channelMaskControl: number }[] {
  return [{ channelMask: isOn.slice(0, 16).reduce((mask, on, index) => mask + (on ? 2 ** index : 0), 0), channelMaskControl: 0 }]
}

function devStatus(session: NetworkSession): readonly DownCommand[] {
  const isDue = session.statusAskedAt === null ? session.fCntUp > 0 : session.fCntUp - session.statusAskedAt >= STATUS_EVERY
  const isOpen = session.pendingMac.some(({ cid, tries }) => cid === CID.devStatus && tries < MAC_TRIES)
  return isDue || isOpen ? [{ name: 'DevStatusReq' }] : []
}

/** By channel, as long as the region's list: defined, or switched on. */
function channelFlags(plan: NetworkPlan, session: NetworkSession, onlyEnabled: boolean): readonly boolean[] {
  return Array.from({ length: plan.region.maxChannels }, (_, index) => {
    const channel = session.channels[index] ?? null
    return channel !== null && (!onlyEnabled || channel.isEnabled)
  })
}

/** The session's channels after masks that the device took. Null: it could not have taken them. */
export function maskedChannels(plan: NetworkPlan, session: NetworkSession, masks: readonly { readonly channelMask: number; readonly channelMaskControl: number }[]): NetworkSession['channels'] | null {
  const isOn = applyMasks(plan.region, channelFlags(plan, session, false), channelFlags(plan, session, true), masks)
  return isOn === null ? null : session.channels.map((channel, index) => channel && { ...channel, isEnabled: isOn[index] === true })
}

function fastestEnabled(session: NetworkSession): number {
  return session.channels.reduce((most, channel) => (channel?.isEnabled === true ? Math.max(most, channel.maxDataRate) : most), 0)
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
