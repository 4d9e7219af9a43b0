/**
 * What a device says in MAC commands: answers to what it was asked, and questions of its own. Pure.
 *
 * An answer that nobody asked for changes nothing. Some answers a device repeats in each frame until it hears any downlink
 * (LoRaWAN L2 1.0.4, 5.4 to 5.9), so those are worth a downlink even when there is nothing else to say.
 */
import { readDownCommands } from '../lorawan/index.ts'
import type { DownCommand, UpCommand } from '../lorawan/index.ts'
import type { Device } from '../ports.ts'
import { requiredSnrDb } from './adr.ts'
import { CID, MAC_TRIES, maskedChannels } from './mac-requests.ts'
import type { NetworkPlan } from './plan.ts'
import { afterReset } from './session.ts'
import type { NetworkSession } from './session.ts'

export interface FrameFacts {
  readonly snrDb: number | null
  readonly dataRate: number
  readonly gateways: number
  /** GPS time when the frame ended; null: nobody knows what time it is. */
  readonly gpsTimeMs: number | null
}

export interface MacOutcome {
  readonly session: NetworkSession
  readonly answers: readonly DownCommand[]
  /** What the device goes on repeating until it hears something. The same must not be asked in the answer to it: the next answer could be the old one. */
  readonly repeating: ReadonlySet<number>
}

const DL_CHANNEL = 0x0a
const REPEATED: Partial<Record<UpCommand['name'], number>> = { RXParamSetupAns: CID.rxParam, RXTimingSetupAns: CID.rxTiming, TXParamSetupAns: CID.txParam, DlChannelAns: DL_CHANNEL }
const FULL_FRACTION = 256
/** LoRaWAN 1.1. */
const MINOR = 1

/** `commands`: of one frame, in their order. */
export function applyMac(plan: NetworkPlan, before: NetworkSession, commands: readonly UpCommand[], facts: FrameFacts): MacOutcome {
  let session = before
  const answers: DownCommand[] = []
  for (const name of new Set(commands.map((command) => command.name))) {
    const same = commands.filter((command) => command.name === name)
    session = answered(plan, session, name, same)
    const first = same[0]
    if (first === undefined) continue
    if (first.name === 'DevStatusAns') session = { ...session, battery: first.battery, marginDb: first.margin }
    const reply = replyTo(plan, name, facts)
    if (reply !== null) answers.push(reply)
  }
  return { session, answers, repeating: new Set(commands.flatMap((command) => REPEATED[command.name] ?? [])) }
}

/** What a device of 1.1 says until it is answered: that it has new keys (RekeyInd), or, made with its session, that it was reset (ResetInd). */
export function beginning(plan: NetworkPlan, activation: Device['activation'], session: NetworkSession, commands: readonly UpCommand[]): { readonly session: NetworkSession; readonly answers: readonly DownCommand[] } {
  if (activation === 'otaa') return { session, answers: hasRekeyInd(commands) ? [{ name: 'RekeyConf', minor: MINOR }] : [] }
  const isReset = commands.some((command) => command.name === 'ResetInd' && command.minor >= MINOR)
  return isReset ? { session: afterReset(plan.region, session), answers: [{ name: 'ResetConf', minor: MINOR }] } : { session, answers: [] }
}

/** Of a minor version that there is: 0 is none, and a later one is answered with ours. */
export function hasRekeyInd(commands: readonly UpCommand[]): boolean {
  return commands.some((command) => command.name === 'RekeyInd' && command.minor >= MINOR)
}

function replyTo(plan: NetworkPlan, name: UpCommand['name'], facts: FrameFacts): DownCommand | null {
  switch (name) {
    case 'LinkCheckReq': {
      const required = requiredSnrDb(plan.region, facts.dataRate)
      const margin = required === null || facts.snrDb === null ? 0 : Math.round(facts.snrDb - required)
      return { name: 'LinkCheckAns', margin: Math.min(254, Math.max(0, margin)), gateways: Math.min(255, facts.gateways) }
    }
    case 'DeviceTimeReq': {
      if (facts.gpsTimeMs === null) return null
      const seconds = Math.floor(facts.gpsTimeMs / 1_000)
      return { name: 'DeviceTimeAns', seconds: seconds % 2 ** 32, fraction: Math.floor(((facts.gpsTimeMs - seconds * 1_000) * FULL_FRACTION) / 1_000) }
    }
    default:
      return null
  }
}

/** One kind of answer: what was asked is taken into the session when the device took it. */
function answered(plan: NetworkPlan, session: NetworkSession, name: UpCommand['name'], same: readonly UpCommand[]): NetworkSession {
  const cid = CID_OF[name]
  const pending = cid === undefined ? undefined : session.pendingMac.find((entry) => entry.cid === cid)
  if (cid === undefined || pending === undefined) return session
  const asked = readDownCommands(pending.payload).commands
  // After a refusal the same thing is not asked again.
  const refused = { ...session, pendingMac: session.pendingMac.map((entry) => (entry === pending ? { ...entry, tries: MAC_TRIES } : entry)) }
  const done = { ...session, pendingMac: session.pendingMac.filter((entry) => entry !== pending) }
  switch (name) {
    case 'LinkADRAns':
      return linkAnswered(plan, session, asked, same, done, refused)
    case 'NewChannelAns':
      return channelsAnswered(session, asked, same, done, refused)
    case 'RXParamSetupAns': {
      const [answer, request] = [same[0], asked[0]]
      if (answer?.name !== name || request?.name !== 'RXParamSetupReq') return session
      if (answer.channelAck === 0 || answer.rx1DrOffsetAck === 0 || answer.rx2DataRateAck === 0) return refused
      return { ...done, rx1DrOffset: request.rx1DrOffset, rx2DataRate: request.rx2DataRate, rx2FrequencyHz: request.frequencyHz }
    }
    case 'RXTimingSetupAns':
      return asked[0]?.name === 'RXTimingSetupReq' ? { ...done, rxDelaySeconds: Math.max(1, asked[0].delaySeconds) } : session
    case 'TXParamSetupAns':
      return asked[0]?.name === 'TXParamSetupReq' ? { ...done, hasUplinkDwell: asked[0].uplinkDwell === 1, hasDownlinkDwell: asked[0].downlinkDwell === 1, maxEirpDbm: plan.region.maxEirpDbm } : session
    default:
      return done
  }
}

const CID_OF: Partial<Record<UpCommand['name'], number>> = {
  LinkADRAns: CID.linkAdr,
  RXParamSetupAns: CID.rxParam,
  DevStatusAns: CID.devStatus,
  NewChannelAns: CID.newChannel,
  RXTimingSetupAns: CID.rxTiming,
  TXParamSetupAns: CID.txParam,
}

/** A row of LinkADRReq is taken whole or not at all; 1.0.2 and later answer once for each with the same bits. */
function linkAnswered(plan: NetworkPlan, session: NetworkSession, asked: readonly DownCommand[], same: readonly UpCommand[], done: NetworkSession, refused: NetworkSession): NetworkSession {
  const requests = asked.flatMap((command) => (command.name === 'LinkADRReq' ? [command] : []))
  const answers = same.flatMap((command) => (command.name === 'LinkADRAns' ? [command] : []))
  const last = requests.at(-1)
  if (last === undefined) return session
  if (answers.every(({ channelMaskAck, dataRateAck, powerAck }) => channelMaskAck === 1 && dataRateAck === 1 && powerAck === 1)) {
    const channels = maskedChannels(plan, session, requests)
    if (channels === null) return refused // it said yes to what nobody can do
    return { ...done, channels, dataRate: last.dataRate, txPowerIndex: last.txPower, nbTrans: Math.max(1, last.nbTrans) }
  }
  const [isPowerRefused, isRateRefused] = [answers.some(({ powerAck }) => powerAck === 0), answers.some(({ dataRateAck }) => dataRateAck === 0)]
  return {
    ...refused,
    maxTxPowerIndex: isPowerRefused ? Math.max(0, last.txPower - 1) : session.maxTxPowerIndex,
    maxDataRate: isRateRefused ? Math.max(0, last.dataRate - 1) : session.maxDataRate,
  }
}

/** Answers stand in the order of the requests. One that was refused leaves its place empty. */
function channelsAnswered(session: NetworkSession, asked: readonly DownCommand[], same: readonly UpCommand[], done: NetworkSession, refused: NetworkSession): NetworkSession {
  const channels = [...session.channels]
  let isRefused = false
  asked.forEach((request, index) => {
    const answer = same[index]
    if (request.name !== 'NewChannelReq' || answer?.name !== 'NewChannelAns') return
    if (answer.frequencyOk === 0 || answer.dataRateRangeOk === 0) {
      isRefused = true
      return
    }
    while (channels.length < request.channel) channels.push(null)
    channels[request.channel] = { frequencyHz: request.frequencyHz, minDataRate: request.minDataRate, maxDataRate: request.maxDataRate, isEnabled: true }
  })
  return { ...(isRefused ? refused : done), channels }
}
