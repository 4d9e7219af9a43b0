/**
 * Orders to a Station: `dnmsg`. One message holds RX1 and the RX2 a second later, if they carry the same bytes: Station itself falls back to the
 * second when the first cannot be. What does not fit one message is asked for one after another. It says `dntxed` when a frame is on the
 * air, and nothing at all when it is not.
 */
import { MeshBoxError } from '../../../base/index.ts'
import { dataRateOf, timeOnAirUs } from '../../lorawan/index.ts'
import type { Region } from '../../lorawan/index.ts'
import type { Downlink, TxStatus, TxWindow } from '../../ports.ts'
import { numberField, writeJson } from './exact-json.ts'
import type { Fields, Writable } from './exact-json.ts'
import { dashedEui } from './router-id.ts'

const SECOND_US = 1_000_000
const MOST_RX_DELAY_SECONDS = 15
/** Without a device Station tells nobody that it sent: any name that is not zero will do. */
const NO_DEVICE = '00-00-00-00-00-00-00-01'
/** Station's own, at every data rate. */
const PREAMBLE = 8
/** Station aims 20 ms ahead of a slot. */
const LEAST_LEAD_MS = 25
/** Class C is tried for a second; a frame waits for the one before it. */
const NOW_LATEST_MS = 3_000
const ANSWER_MS = 500
/** For a moment in GPS time, which may be a beacon period ahead. */
const GPS_LATEST_MS = 140_000
const DEVICE_CLASS = { a: 0, b: 1, c: 2 } as const

/** One message: the windows it covers, and until when its `dntxed` may come. */
export interface Attempt {
  /** Indices among the order's windows; one or two. */
  readonly windows: readonly number[]
  /** Without `diid` and `MuxTime`. */
  readonly message: Readonly<Record<string, Writable>>
  readonly untilMs: number
  /** When its last window is too near to be reached; null: whenever. */
  readonly sendByMs: number | null
}

export interface Plan {
  /** Of windows that cannot be asked for: why; null: an attempt covers it. By index. */
  readonly refused: readonly (TxStatus | null)[]
  /** In order. */
  readonly attempts: readonly Attempt[]
}

export function planOf(downlink: Downlink, region: Region, nowMs: number): Plan {
  const refused = downlink.windows.map((window) => refusalOf(window, region))
  const attempts: Attempt[] = []
  for (let index = 0; index < downlink.windows.length; index++) {
    const first = downlink.windows[index]
    if (first === undefined || refused[index] !== null) continue
    const second = downlink.windows[index + 1]
    const isPair = second !== undefined && refused[index + 1] === null && isSecondOf(first, second)
    attempts.push(attemptOf(downlink, region, isPair ? [index, index + 1] : [index], nowMs))
    if (isPair) index += 1
  }
  return { refused, attempts }
}

function refusalOf(window: TxWindow, region: Region): TxStatus | null {
  if (window.frequencyHz < region.fromHz || window.frequencyHz > region.toHz) return 'TX_FREQ'
  if (dataRateOf(region, window.modulation, 'down') === null) return 'INTERNAL_ERROR'
  if (window.timing.kind === 'after' && window.timing.time.kind !== 'station') return 'INTERNAL_ERROR'
  try {
    airMs(window)
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) return 'INTERNAL_ERROR'
    throw thrown
  }
  return null
}

function isSecondOf(first: TxWindow, second: TxWindow): boolean {
  const [one, two] = [first.timing, second.timing]
  if (one.kind !== 'after' || two.kind !== 'after' || one.time.kind !== 'station' || two.time.kind !== 'station') return false
  const isSameBytes = Buffer.compare(first.phy, second.phy) === 0 && first.hasCrc === second.hasCrc && first.preambleSymbols === second.preambleSymbols
  return isSameBytes && one.time.xtime === two.time.xtime && one.time.rctx === two.time.rctx && two.delayUs - one.delayUs === SECOND_US
}

function attemptOf(downlink: Downlink, region: Region, windows: readonly number[], nowMs: number): Attempt {
  const [first, second] = windows.map((index) => downlink.windows[index])
  if (first === undefined) throw new RangeError('an attempt without a window')
  const rate = (window: TxWindow): number => dataRateOf(region, window.modulation, 'down') ?? 0
  const shared = {
    msgtype: 'dnmsg',
    DevEui: downlink.devEui === null || downlink.devEui === '0000000000000000' ? NO_DEVICE : dashedEui(downlink.devEui),
    pdu: Buffer.from(first.phy).toString('hex').toUpperCase(),
    priority: downlink.priority,
    ...(first.preambleSymbols === PREAMBLE ? {} : { preamble: first.preambleSymbols }),
    ...(first.hasCrc ? { addcrc: 1 } : {}),
  }
  const { timing } = first
  if (timing.kind === 'now') return { windows, message: { ...shared, dC: DEVICE_CLASS.c, RxDelay: 1, RX2DR: rate(first), RX2Freq: first.frequencyHz }, untilMs: nowMs + NOW_LATEST_MS + airMs(first), sendByMs: null }
  if (timing.kind === 'gps') return { windows, message: { ...shared, dC: DEVICE_CLASS.b, DR: rate(first), Freq: first.frequencyHz, gpstime: BigInt(Math.round(timing.gpsTimeMs * 1_000)) }, untilMs: Math.min(nowMs + GPS_LATEST_MS, Math.max(nowMs + NOW_LATEST_MS, downlink.expiresMs)), sendByMs: null }
  if (timing.time.kind !== 'station') throw new RangeError('the time of another kind of gateway')
  const lastSlotMs = timing.arrivedMs + (timing.delayUs + (second === undefined ? 0 : SECOND_US)) / 1_000
  return {
    windows,
    message: {
      ...shared,
      dC: DEVICE_CLASS.a,
      ...delayFields(timing.time.xtime, timing.delayUs),
      rctx: timing.time.rctx,
      RX1DR: rate(first),
      RX1Freq: first.frequencyHz,
      ...(second === undefined ? {} : { RX2DR: rate(second), RX2Freq: second.frequencyHz }),
    },
    untilMs: lastSlotMs + airMs(second ?? first) + ANSWER_MS,
    sendByMs: lastSlotMs - LEAST_LEAD_MS,
  }
}

/** RxDelay is whole seconds from 1 to 15; what is not is put into xtime. */
function delayFields(xtime: bigint, delayUs: number): { readonly RxDelay: number; readonly xtime: bigint } {
  const seconds = delayUs / SECOND_US
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= MOST_RX_DELAY_SECONDS) return { RxDelay: seconds, xtime }
  return { RxDelay: 1, xtime: xtime + BigInt(Math.round(delayUs) - SECOND_US) }
}

export function writeAttempt({ message }: Attempt, diid: number, muxTimeSeconds: number): string {
  return writeJson({ ...message, diid, MuxTime: muxTimeSeconds })
}

/** Which window of the attempt a `dntxed` is about: by its time where that is said, else by frequency and data rate. */
export function sentWindow(attempt: Attempt, downlink: Downlink, region: Region, fields: Fields): number {
  const [first = 0, second] = attempt.windows
  const timing = downlink.windows[first]?.timing
  if (second === undefined || timing?.kind !== 'after' || timing.time.kind !== 'station') return first
  const { xtime } = fields
  const sentAt = typeof xtime === 'bigint' ? xtime : typeof xtime === 'number' && Number.isSafeInteger(xtime) ? BigInt(xtime) : 0n
  if (sentAt !== 0n) return Number(sentAt - timing.time.xtime) > timing.delayUs + SECOND_US / 2 ? second : first
  const isSecond = downlink.windows[second]?.frequencyHz === numberField(fields, 'Freq') && rateIs(downlink.windows[second], region, numberField(fields, 'DR'))
  const isFirst = downlink.windows[first]?.frequencyHz === numberField(fields, 'Freq') && rateIs(downlink.windows[first], region, numberField(fields, 'DR'))
  return isSecond && !isFirst ? second : first
}

function rateIs(window: TxWindow | undefined, region: Region, rate: number | null): boolean {
  return window !== undefined && dataRateOf(region, window.modulation, 'down') === rate
}

export function airMs({ modulation, phy, hasCrc, preambleSymbols }: TxWindow): number {
  return timeOnAirUs(modulation, phy.length, { hasCrc, preambleSymbols }) / 1_000
}
