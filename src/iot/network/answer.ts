/**
 * A downlink to a device: its windows, and the frame that fits them. Pure.
 *
 * Both windows carry the same bytes under the same counter, so that at most one frame exists per counter. A frame too long for one
 * window is offered in the other only. What goes in, in this order: ACK, answers the device asked for, the owner's next
 * order, what the network asks.
 */
import { PREAMBLE, MAX_FCNT, MAX_FOPTS_BYTES, channelOf, dataRate, maxPayloadBytes, rx1Of, sealData, writeDownCommands } from '../lorawan/index.ts'
import type { ClearFrame, DownCommand, SessionCiphers } from '../lorawan/index.ts'
import type { Copy, QueueItem, TxWindow } from '../ports.ts'
import type { MacRequest } from './mac-requests.ts'
import { downlinkPowerDbm } from './plan.ts'
import type { NetworkPlan } from './plan.ts'
import type { NetworkSession } from './session.ts'

const SECOND_US = 1_000_000

/** A window without its frame. */
export interface OpenWindow extends Omit<TxWindow, 'phy'> {
  readonly dataRate: number
}

/** After the frame: RX2. */
export function lastWindowMs(rxDelaySeconds: number): number {
  return (Math.max(1, rxDelaySeconds) + 1) * 1_000
}

/** RX1 and RX2 after a frame; RX1 is left out where the region has none for that channel. */
export function windowsAfter(plan: NetworkPlan, session: NetworkSession, up: { readonly frequencyHz: number; readonly dataRate: number; readonly copy: Copy }): readonly OpenWindow[] {
  const delayUs = Math.max(1, session.rxDelaySeconds) * SECOND_US
  const after = (us: number): TxWindow['timing'] => ({ kind: 'after', time: up.copy.time, arrivedMs: up.copy.arrivedMs, delayUs: us })
  const rx1 = rx1Window(plan, session, up)
  const place = { board: up.copy.board, antenna: up.copy.antenna }
  return [
    ...(rx1 === null ? [] : [windowAt(plan, rx1, after(delayUs), place)]),
    windowAt(plan, { frequencyHz: session.rx2FrequencyHz, dataRate: session.rx2DataRate }, after(delayUs + SECOND_US), place),
  ]
}

/** A class C device listens as in RX2, always. */
export function windowsNow(plan: NetworkPlan, session: NetworkSession): readonly OpenWindow[] {
  return [windowAt(plan, { frequencyHz: session.rx2FrequencyHz, dataRate: session.rx2DataRate }, { kind: 'now' }, { board: 0, antenna: 0 })]
}

/** Where a join accept goes: five and six seconds after the request, as the region has it, or, after a rejoin, as the session in use has it. */
export function joinWindows(plan: NetworkPlan, up: { readonly frequencyHz: number; readonly dataRate: number; readonly copy: Copy }, session: NetworkSession | null = null): readonly OpenWindow[] {
  const after = (us: number): TxWindow['timing'] => ({ kind: 'after', time: up.copy.time, arrivedMs: up.copy.arrivedMs, delayUs: us })
  const place = { board: up.copy.board, antenna: up.copy.antenna }
  const { region } = plan
  const first = rx1Window(plan, session ?? { rx1DrOffset: 0, hasDownlinkDwell: region.defaultDwell.down }, up)
  const rx2 = session === null ? region.rx2 : { frequencyHz: session.rx2FrequencyHz, dataRate: session.rx2DataRate }
  return [...(first === null ? [] : [windowAt(plan, first, after(5 * SECOND_US), place)]), windowAt(plan, rx2, after(6 * SECOND_US), place)]
}

export interface AnswerParts {
  readonly hasAck: boolean
  readonly answers: readonly DownCommand[]
  readonly requests: readonly MacRequest[]
  readonly item: QueueItem | null
  readonly hasMore: boolean
}

export interface Answer {
  /** By window; null: it does not fit there. */
  readonly phys: readonly (Uint8Array | null)[]
  readonly fCnt: number
  /** 1.1: counted by AFCntDown, as everything on the ports of the application is. */
  readonly isByApplication: boolean
  readonly hasItem: boolean
  readonly requests: readonly MacRequest[]
}

/** Null: the session has no counters left, or nothing of it fits in any window. The caller stores its counter + 1 before anything is sent. */
export function makeAnswer(plan: NetworkPlan, session: NetworkSession, ciphers: SessionCiphers, windows: readonly OpenWindow[], parts: AnswerParts): Answer | null {
  const body = bodyFor(plan, session, windows, parts)
  if (body === null) return null
  const isByApplication = session.is11 && body.item !== null
  const fCnt = isByApplication ? session.aFCntDown : session.fCntDown
  if (fCnt > MAX_FCNT) return null
  const clear: ClearFrame = {
    direction: 'down',
    isConfirmed: body.item?.isConfirmed ?? false,
    devAddr: session.devAddr,
    adr: plan.hasAdr,
    adrAckReq: false,
    ack: parts.hasAck,
    bit4: parts.hasMore || (parts.item !== null && body.item === null),
    fCnt32: fCnt,
    fOpts: body.fOpts,
    fPort: body.fPort,
    frmPayload: body.payload,
  }
  // 1.1: an ACK says for which frame.
  const phy = sealData(ciphers, clear, { confFCnt: session.lastUplink?.fCnt ?? 0, dataRate: 0, channel: 0 })
  const phys = windows.map((window) => (fits(plan, session, window, body.fOpts.length, body.payload.length) ? phy : null))
  return { phys, fCnt, isByApplication, hasItem: body.item !== null, requests: body.requests }
}

interface Body {
  readonly fOpts: Uint8Array
  readonly fPort: number | null
  readonly payload: Uint8Array
  readonly item: QueueItem | null
  readonly requests: readonly MacRequest[]
}

const NOTHING = new Uint8Array(0)

/** The most that fits in at least one window: the owner's order before what the network asks. */
function bodyFor(plan: NetworkPlan, session: NetworkSession, windows: readonly OpenWindow[], { answers, requests, item }: AnswerParts): Body | null {
  const most = Math.max(0, ...windows.map((window) => room(plan, session, window)))
  const isPossible = (body: Body): boolean => windows.some((window) => fits(plan, session, window, body.fOpts.length, body.payload.length))
  const answerBytes = answers.map((answer) => writeDownCommands([answer]))
  const bodies: Body[] = []
  if (item !== null) {
    for (const [answersIn, requestsIn] of [[answerBytes, requests], [answerBytes, []], [[], []]] as const) {
      const packed = pack(answersIn, requestsIn, Math.min(MAX_FOPTS_BYTES, Math.max(0, most - item.payload.length)))
      bodies.push({ fOpts: packed.bytes, fPort: item.fPort, payload: item.payload, item, requests: packed.requests })
    }
  }
  const inHeader = pack(answerBytes, requests, Math.min(MAX_FOPTS_BYTES, most))
  const asPayload = pack(answerBytes, requests, most)
  // More commands than the header holds, and no order beside them: they are the payload.
  if (asPayload.bytes.length > MAX_FOPTS_BYTES) bodies.push({ fOpts: NOTHING, fPort: 0, payload: asPayload.bytes, item: null, requests: asPayload.requests })
  bodies.push({ fOpts: inHeader.bytes, fPort: null, payload: NOTHING, item: null, requests: inHeader.requests })
  return bodies.find(isPossible) ?? null
}

/** Whole commands while there is room. */
function pack(answers: readonly Uint8Array[], requests: readonly MacRequest[], most: number): { readonly bytes: Uint8Array; readonly requests: readonly MacRequest[] } {
  const bytes: number[] = []
  const taken: MacRequest[] = []
  for (const answer of answers) if (bytes.length + answer.length <= most) bytes.push(...answer)
  for (const request of requests) {
    if (bytes.length + request.bytes.length > most) continue
    bytes.push(...request.bytes)
    taken.push(request)
  }
  return { bytes: Uint8Array.from(bytes), requests: taken }
}

/** Bytes of FOpts and payload together; 0 under a dwell limit: the data rate must not be used at all. */
function room(plan: NetworkPlan, session: NetworkSession, window: OpenWindow): number {
  return maxPayloadBytes(plan.region, window.dataRate, 0, session.hasDownlinkDwell)
}

function fits(plan: NetworkPlan, session: NetworkSession, window: OpenWindow, fOptsBytes: number, payloadBytes: number): boolean {
  const most = room(plan, session, window)
  return most > 0 && fOptsBytes + payloadBytes <= most
}

function rx1Window(plan: NetworkPlan, session: Pick<NetworkSession, 'rx1DrOffset' | 'hasDownlinkDwell'>, up: { readonly frequencyHz: number; readonly dataRate: number }): { readonly frequencyHz: number; readonly dataRate: number } | null {
  const { region } = plan
  if (region.hasFixedChannels && channelOf(region, up.frequencyHz, up.dataRate) === null) return null
  const rx1 = rx1Of(region, up, Math.min(session.rx1DrOffset, region.maxRx1DrOffset), session.hasDownlinkDwell)
  return region.dataRates[rx1.dataRate]?.isDown === true ? rx1 : null
}

function windowAt(plan: NetworkPlan, at: { readonly frequencyHz: number; readonly dataRate: number }, timing: TxWindow['timing'], place: { readonly board: number; readonly antenna: number }): OpenWindow {
  const { modulation } = dataRate(plan.region, at.dataRate)
  return {
    frequencyHz: at.frequencyHz,
    modulation,
    dataRate: at.dataRate,
    powerDbm: downlinkPowerDbm(plan, at.frequencyHz),
    timing,
    isInverted: true,
    preambleSymbols: PREAMBLE[modulation.kind].usual,
    hasCrc: false,
    ...place,
  }
}
