/** A device's session as the network keeps it: from a join, or as an ABP device was made. Pure. */
import type { Moment } from '../../base/index.ts'
import { regionNamed } from '../lorawan/index.ts'
import type { Region } from '../lorawan/index.ts'
import type { DevAddr, DeviceSession, Eui } from '../ports.ts'
import type { NetworkPlan } from './plan.ts'
import type { KeylessDevice, LastLife } from './rows.ts'

/** Keys lie apart: they are opened for a cipher, and for nothing else. */
export interface NetworkSession extends Omit<DeviceSession, 'keys'> {
  /** Rises with each session of the device. */
  readonly number: number
  /** LoRaWAN 1.1, as both sides agreed when it began, whatever the device is registered as by now. */
  readonly is11: boolean
  /** The device's ADR bit, last time. */
  readonly hasAdr: boolean
  /** What it did not refuse. */
  readonly maxDataRate: number
  readonly maxTxPowerIndex: number
  /** Heard it best, last time: class C is answered there. */
  readonly lastGateway: Eui | null
  /** DevStatusReq was in the answer to this frame; null: never. */
  readonly statusAskedAt: number | null
  /** Seconds between its frames, as observed. */
  readonly intervalSeconds: number | null
  /** Times the last confirmed frame was answered again. */
  readonly repeatsAnswered: number
}

type Channels = DeviceSession['channels']

/** What the join accept told it is what it has. `dataRate`: of the join request. */
export function joinedSession(plan: NetworkPlan, device: KeylessDevice, join: { readonly number: number; readonly devAddr: DevAddr; readonly dataRate: number; readonly at: Moment; readonly gateway: Eui; readonly hasCfList: boolean }): NetworkSession {
  const { region } = plan
  return {
    ...blankSession(region, device, join),
    is11: device.macVersion === '1.1',
    rxDelaySeconds: plan.rxDelaySeconds,
    rx1DrOffset: plan.rx1DrOffset,
    rx2DataRate: plan.rx2.dataRate,
    channels: join.hasCfList ? channelsAfterJoin(plan, device) : ownChannels(region),
    dataRate: join.dataRate,
    lastGateway: join.gateway,
    lastSeen: join.at,
  }
}

/** What a device has that was told nothing. */
function blankSession(region: Region, device: Pick<KeylessDevice, 'devEui'>, from: { readonly number: number; readonly devAddr: DevAddr; readonly at: Moment }): NetworkSession {
  return {
    devEui: device.devEui,
    number: from.number,
    is11: false,
    devAddr: from.devAddr,
    fCntUp: 0,
    fCntDown: 0,
    aFCntDown: 0,
    confFCnt: 0,
    rxDelaySeconds: 1,
    rx1DrOffset: 0,
    rx2DataRate: region.rx2.dataRate,
    rx2FrequencyHz: region.rx2.frequencyHz,
    channels: ownChannels(region),
    dataRate: 0,
    txPowerIndex: 0,
    nbTrans: 1,
    hasUplinkDwell: region.defaultDwell.up,
    hasDownlinkDwell: region.defaultDwell.down,
    maxEirpDbm: region.maxEirpDbm,
    history: [],
    pendingMac: [],
    lastUplink: null,
    awaitingAck: null,
    battery: null,
    marginDb: null,
    startedAt: from.at,
    lastSeen: null,
    hasAdr: false,
    maxDataRate: region.dataRates.length - 1,
    maxTxPowerIndex: region.txPowerStepsDb.length - 1,
    lastGateway: null,
    statusAskedAt: null,
    intervalSeconds: null,
    repeatsAnswered: 0,
  }
}

/**
 * An ABP device, as the owner gave it. Never a lower counter than what is on disk under the same keys and address, also when the device
 * was removed in between: `before` is its last life, if any.
 */
export function registeredSession(region: Region, device: KeylessDevice, given: DeviceSession, before: (Omit<LastLife, 'keysMark'> & { readonly hasSameKeys: boolean }) | null, at: Moment): NetworkSession {
  const { keys: _keys, ...state } = given
  const isSame = before !== null && before.devAddr === given.devAddr && before.hasSameKeys
  return {
    ...blankSession(region, device, { number: (before?.number ?? 0) + 1, devAddr: given.devAddr, at }),
    ...state,
    channels: given.channels.length === 0 ? ownChannels(region) : given.channels,
    fCntUp: isSame ? Math.max(before.fCntUp, given.fCntUp) : given.fCntUp,
    fCntDown: isSame ? Math.max(before.fCntDown, given.fCntDown) : given.fCntDown,
    aFCntDown: isSame ? Math.max(before.aFCntDown, given.aFCntDown) : given.aFCntDown,
    is11: device.macVersion === '1.1',
    devEui: device.devEui,
    history: [],
    pendingMac: [],
    awaitingAck: null,
    lastUplink: null,
  }
}

/** Of an ABP device that is told nothing else. */
export function abpSession(regionName: string, given: Pick<DeviceSession, 'devEui' | 'devAddr' | 'keys' | 'fCntUp' | 'fCntDown' | 'aFCntDown'>, at: Moment): DeviceSession {
  const { number: _number, is11: _is11, hasAdr: _adr, maxDataRate: _rate, maxTxPowerIndex: _power, lastGateway: _gateway, statusAskedAt: _asked, intervalSeconds: _interval, repeatsAnswered: _repeats, ...blank } = blankSession(regionNamed(regionName), given, { number: 0, devAddr: given.devAddr, at })
  return { ...blank, ...given }
}

/** 1.1: a device with a fixed session that was reset has what it was made with again. Its counters go on. */
export function afterReset(region: Region, session: NetworkSession): NetworkSession {
  const { rxDelaySeconds, rx1DrOffset, rx2DataRate, rx2FrequencyHz, channels, txPowerIndex, nbTrans, hasUplinkDwell, hasDownlinkDwell, maxEirpDbm, pendingMac, maxDataRate, maxTxPowerIndex, statusAskedAt } = blankSession(region, session, { number: session.number, devAddr: session.devAddr, at: session.startedAt })
  return { ...session, rxDelaySeconds, rx1DrOffset, rx2DataRate, rx2FrequencyHz, channels, txPowerIndex, nbTrans, hasUplinkDwell, hasDownlinkDwell, maxEirpDbm, pendingMac, maxDataRate, maxTxPowerIndex, statusAskedAt, history: [] }
}

/** Nobody waits for that ACK any more; 1.1's code can still be made for it. */
export function unawaited(session: NetworkSession): NetworkSession {
  return { ...session, awaitingAck: null, confFCnt: session.is11 && session.awaitingAck !== null ? session.awaitingAck.fCntDown : session.confFCnt }
}

/** 1.1, rejoin of type 2: another address, other keys, counters from 0, and the radio as it was. */
export function rekeyedSession(before: NetworkSession, join: { readonly number: number; readonly devAddr: DevAddr; readonly at: Moment; readonly gateway: Eui }): NetworkSession {
  return { ...before, number: join.number, devAddr: join.devAddr, fCntUp: 0, fCntDown: 0, aFCntDown: 0, confFCnt: 0, history: [], lastUplink: null, awaitingAck: null, statusAskedAt: null, repeatsAnswered: 0, startedAt: join.at, lastSeen: join.at, lastGateway: join.gateway }
}

function ownChannels(region: Region): Channels {
  return region.channels.map((channel) => ({ ...channel, isEnabled: true }))
}

const EXTRA_RATES = { minDataRate: 0, maxDataRate: 5 }

function channelsAfterJoin(plan: NetworkPlan, device: KeylessDevice): Channels {
  const own = ownChannels(plan.region)
  if (!plan.region.hasFixedChannels) return [...own, ...plan.extraChannelsHz.map((frequencyHz) => ({ frequencyHz, ...EXTRA_RATES, isEnabled: true }))]
  // Masks in the join accept came with 1.0.3; an older device is told by LinkADRReq.
  if (plan.channelsOn === null || device.macVersion === '1.0.2') return own
  return own.map((channel, index) => channel && { ...channel, isEnabled: plan.channelsOn?.[index] === true })
}

/** Of each plan, once: they are asked for with every frame. */
const WANTED = new WeakMap<NetworkPlan, Channels>()

/** What the network wants it to have in the end. */
export function wantedChannels(plan: NetworkPlan): Channels {
  const known = WANTED.get(plan) ?? channelsWantedBy(plan)
  WANTED.set(plan, known)
  return known
}

function channelsWantedBy(plan: NetworkPlan): Channels {
  const own = ownChannels(plan.region)
  if (!plan.region.hasFixedChannels) return [...own, ...plan.extraChannelsHz.map((frequencyHz) => ({ frequencyHz, ...EXTRA_RATES, isEnabled: true }))]
  return own.map((channel, index) => channel && { ...channel, isEnabled: plan.channelsOn?.[index] ?? true })
}
