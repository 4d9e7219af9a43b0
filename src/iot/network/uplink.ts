/**
 * One data frame whose code is right and whose counter is new: `(session, frame) → {session, what to answer, reading}`. Pure. What the caller
 * stores in one turn: the session, with its counter; and what became of the queue.
 */
import type { Moment } from '../../base/index.ts'
import { openData, readUpCommands } from '../lorawan/index.ts'
import type { DataFrame, DownCommand, SessionCiphers } from '../lorawan/index.ts'
import type { Heard, Reading } from '../ports.ts'
import { ADR_HISTORY } from './adr.ts'
import { applyMac, beginning } from './mac-answers.ts'
import type { NetworkPlan } from './plan.ts'
import type { KeylessDevice } from './rows.ts'
import type { NetworkSession } from './session.ts'

/** Repetitions of one confirmed frame that are answered: a recording played back for ever must not cost a downlink each time. */
const MAX_REPEATS_ANSWERED = 8
/** Weight of the newest interval. */
const INTERVAL_SHARE = 0.25
const LAST_COUNTER = 2 ** 32
const NO_ANSWERS: readonly DownCommand[] = []
const NOTHING_REPEATED: ReadonlySet<number> = new Set()

export interface Uplink {
  readonly heard: Heard
  readonly frame: DataFrame
  readonly fCnt: number
  readonly dataRate: number
  readonly at: Moment
  readonly gpsTimeMs: number | null
}

export interface UplinkOutcome {
  readonly session: NetworkSession
  /** Null: MAC commands only. */
  readonly reading: Reading | null
  readonly answers: readonly DownCommand[]
  /** Worth a downlink by itself: ACK, an answer, ADRACKReq. */
  readonly mustAnswer: boolean
  readonly repeating: ReadonlySet<number>
}

export function takeUplink(plan: NetworkPlan, device: Pick<KeylessDevice, 'devEui' | 'name' | 'activation'>, before: NetworkSession, ciphers: SessionCiphers, uplink: Uplink): UplinkOutcome {
  const { heard, frame, fCnt, dataRate } = uplink
  const { fOpts, payload } = openData(ciphers, frame, fCnt)
  const snrDb = bestSnr(heard)
  const seen = seenAgain(before, uplink, snrDb)
  const isApplication = frame.fPort !== null && frame.fPort !== 0
  const reading: Reading | null = isApplication ? readingOf(device, uplink, frame.fPort, payload) : null
  const wantsAnswer = frame.isConfirmed || (frame.adr && frame.adrAckReq)
  const said = frame.fPort === 0 ? payload : fOpts
  if (said.length === 0 && !before.is11) return { session: seen, reading, answers: NO_ANSWERS, mustAnswer: wantsAnswer, repeating: NOTHING_REPEATED }
  const commands = readUpCommands(said).commands
  const begun = before.is11 ? beginning(plan, device.activation, seen, commands) : { session: seen, answers: NO_ANSWERS }
  const mac = applyMac(plan, begun.session, commands, { snrDb, dataRate, gateways: gatewaysOf(heard), gpsTimeMs: uplink.gpsTimeMs })
  const answers = [...begun.answers, ...mac.answers]
  return { session: mac.session, reading, answers, mustAnswer: wantsAnswer || answers.length > 0 || mac.repeating.size > 0, repeating: mac.repeating }
}

/** The last frame again. It is answered again if it asked for an answer, a bounded number of times, and is nothing else. */
export function takeRepetition(before: NetworkSession, heard: Heard): { readonly session: NetworkSession; readonly mustAnswer: boolean } {
  // The code of 1.1 covers the channel too: the same frame on another one is other bytes. Its counter was judged.
  const isAsked = before.lastUplink !== null && (before.lastUplink.frame === heard.id || (before.is11 && before.lastUplink.fCnt === before.fCntUp - 1)) && before.repeatsAnswered < MAX_REPEATS_ANSWERED
  return isAsked ? { session: { ...before, repeatsAnswered: before.repeatsAnswered + 1 }, mustAnswer: true } : { session: before, mustAnswer: false }
}

function bestSnr(heard: Heard): number | null {
  let best: number | null = null
  for (const { snrDb } of heard.copies) if (snrDb !== null && (best === null || snrDb > best)) best = snrDb
  return best
}

function gatewaysOf(heard: Heard): number {
  return heard.copies.length === 1 ? 1 : new Set(heard.copies.map((copy) => copy.gateway)).size
}

/** Counter, signal and habits, before its MAC commands are read. One object: it is made for each frame. */
function seenAgain(before: NetworkSession, { heard, frame, fCnt, dataRate, at }: Uplink, snrDb: number | null): NetworkSession {
  // It went slower by itself, so it went louder too: what ADR had set is gone.
  const isSameRate = dataRate === before.dataRate
  const txPowerIndex = isSameRate ? before.txPowerIndex : 0
  // A counter that started anew makes a hole in the history that is none.
  const history = fCnt < before.fCntUp ? [] : before.history
  return {
    ...before,
    dataRate,
    txPowerIndex,
    nbTrans: isSameRate ? before.nbTrans : 1,
    // 2³²: every counter was used, and the session is over.
    fCntUp: Math.min(fCnt + 1, LAST_COUNTER),
    history: snrDb === null ? history : [...(history.length < ADR_HISTORY ? history : history.slice(1 - ADR_HISTORY)), { fCnt, snrDb, txPowerIndex, gateways: gatewaysOf(heard) }],
    hasAdr: frame.adr,
    lastGateway: heard.copies[0]?.gateway ?? before.lastGateway,
    intervalSeconds: intervalOf(before, at),
    lastUplink: frame.isConfirmed ? { fCnt, frame: heard.id, wasAnswered: false } : null,
    repeatsAnswered: 0,
    lastSeen: at,
  }
}

function intervalOf(before: NetworkSession, at: Moment): number | null {
  if (before.lastSeen === null || before.lastSeen.bootId !== at.bootId) return before.intervalSeconds
  const seconds = (at.boottimeMs - before.lastSeen.boottimeMs) / 1_000
  // Milliseconds are enough, and short on disk.
  return Math.round((before.intervalSeconds === null ? seconds : before.intervalSeconds + (seconds - before.intervalSeconds) * INTERVAL_SHARE) * 1_000) / 1_000
}

function readingOf(device: Pick<KeylessDevice, 'devEui' | 'name'>, { heard, frame, fCnt, dataRate, at }: Uplink, fPort: number, payload: Uint8Array): Reading {
  return {
    devEui: device.devEui,
    deviceName: device.name,
    devAddr: frame.devAddr,
    frame: heard.id,
    fCnt,
    fPort,
    isConfirmed: frame.isConfirmed,
    payload,
    values: null,
    problem: null,
    frequencyHz: heard.frequencyHz,
    modulation: heard.modulation,
    dataRate,
    copies: heard.copies,
    at,
    isLate: heard.isLate,
  }
}
