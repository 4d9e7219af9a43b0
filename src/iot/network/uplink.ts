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
  const { heard, frame, fCnt, dataRate, at } = uplink
  const { fOpts, payload } = openData(ciphers, frame, fCnt)
  const snrDb = bestSnr(heard)
  const seen = seenAgain(before, uplink, snrDb)
  const commands = readUpCommands(frame.fPort === 0 ? payload : fOpts).commands
  const begun = before.is11 ? beginning(plan, device.activation, seen, commands) : { session: seen, answers: [] }
  const mac = applyMac(plan, begun.session, commands, { snrDb, dataRate, gateways: gatewaysOf(heard), gpsTimeMs: uplink.gpsTimeMs })
  const answers = [...begun.answers, ...mac.answers]
  const isApplication = frame.fPort !== null && frame.fPort !== 0
  const reading: Reading | null = isApplication ? readingOf(device, uplink, frame.fPort, payload) : null
  return {
    session: { ...mac.session, lastUplink: frame.isConfirmed ? { fCnt, frame: heard.id, wasAnswered: false } : null, repeatsAnswered: 0, lastSeen: at },
    reading,
    answers,
    mustAnswer: frame.isConfirmed || answers.length > 0 || mac.repeating.size > 0 || (frame.adr && frame.adrAckReq),
    repeating: mac.repeating,
  }
}

/** The last frame again. It is answered again if it asked for an answer, a bounded number of times, and is nothing else. */
export function takeRepetition(before: NetworkSession, heard: Heard): { readonly session: NetworkSession; readonly mustAnswer: boolean } {
  // The code of 1.1 covers the channel too: the same frame on another one is other bytes. Its counter was judged.
  const isAsked = before.lastUplink !== null && (before.lastUplink.frame === heard.id || (before.is11 && before.lastUplink.fCnt === before.fCntUp - 1)) && before.repeatsAnswered < MAX_REPEATS_ANSWERED
  return isAsked ? { session: { ...before, repeatsAnswered: before.repeatsAnswered + 1 }, mustAnswer: true } : { session: before, mustAnswer: false }
}

function bestSnr(heard: Heard): number | null {
  return heard.copies.reduce<number | null>((best, { snrDb }) => (snrDb !== null && (best === null || snrDb > best) ? snrDb : best), null)
}

function gatewaysOf(heard: Heard): number {
  return heard.copies.length === 1 ? 1 : new Set(heard.copies.map((copy) => copy.gateway)).size
}

/** Counter, signal and habits, before its MAC commands are read. */
function seenAgain(before: NetworkSession, { heard, frame, fCnt, dataRate, at }: Uplink, snrDb: number | null): NetworkSession {
  // It went slower by itself, so it went louder too: what ADR had set is gone.
  const link = dataRate === before.dataRate ? {} : { dataRate, txPowerIndex: 0, nbTrans: 1 }
  const now = { ...before, ...link }
  // A counter that started anew makes a hole in the history that is none.
  const history = fCnt < before.fCntUp ? [] : before.history
  const added = snrDb === null ? history : [...history, { fCnt, snrDb, txPowerIndex: now.txPowerIndex, gateways: gatewaysOf(heard) }].slice(-ADR_HISTORY)
  return {
    ...now,
    // 2³²: every counter was used, and the session is over.
    fCntUp: Math.min(fCnt + 1, LAST_COUNTER),
    history: added,
    hasAdr: frame.adr,
    lastGateway: heard.copies[0]?.gateway ?? before.lastGateway,
    intervalSeconds: intervalOf(before, at),
  }
}

function intervalOf(before: NetworkSession, at: Moment): number | null {
  if (before.lastSeen === null || before.lastSeen.bootId !== at.bootId) return before.intervalSeconds
  const seconds = (at.boottimeMs - before.lastSeen.boottimeMs) / 1_000
  return before.intervalSeconds === null ? seconds : before.intervalSeconds + (seconds - before.intervalSeconds) * INTERVAL_SHARE
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
