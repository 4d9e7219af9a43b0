/** Orders that wait for a Station's word, of one connection. What it does not confirm until the last window is over was not sent: it has no other way to say no. */
import type { Cancel, Clock, Timers } from '../../../base/index.ts'
import type { Region } from '../../lorawan/index.ts'
import type { Downlink, TxStatus } from '../../ports.ts'
import type { RadioTxAck } from '../door.ts'
import { airMs, planOf, sentWindow, writeAttempt } from './downlink.ts'
import type { Attempt, Plan } from './downlink.ts'
import { wholeField } from './exact-json.ts'
import type { Fields } from './exact-json.ts'

/** Station has 128 places. */
const MAX_PENDING = 128
/** Attempts of one order, so that each has an id of its own. */
const ATTEMPTS = 8

interface Pending {
  readonly downlink: Downlink
  readonly plan: Plan
  readonly at: number
  readonly statuses: (TxStatus | null)[]
  cancel: Cancel
  readonly done: (ack: RadioTxAck) => void
}

export interface StationOrderParts {
  readonly clock: Clock
  readonly timers: Timers
  readonly region: Region
  send(text: string): void
  muxTimeSeconds(): number
}

export class StationOrders {
  readonly #parts: StationOrderParts
  /** By diid. */
  readonly #pending = new Map<number, Pending>()
  readonly #counts = { asked: 0, sent: 0 }

  constructor(parts: StationOrderParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#pending.size
  }

  get counts(): { readonly asked: number; readonly sent: number } {
    return { ...this.#counts }
  }

  transmit(downlink: Downlink): Promise<RadioTxAck> {
    this.#counts.asked += 1
    const plan = planOf(downlink, this.#parts.region, this.#parts.clock.boottimeMs())
    return new Promise((done) => this.#next(downlink, plan, 0, [...plan.refused], done))
  }

  /** `dntxed`. Errors: input. False: it belongs to nothing. */
  sent(fields: Fields): boolean {
    const diid = Number(wholeField(fields, fields['diid'] === undefined ? 'seqno' : 'diid', 0n, BigInt(Number.MAX_SAFE_INTEGER)))
    const pending = this.#pending.get(diid)
    const attempt = pending?.plan.attempts[pending.at]
    if (pending === undefined || attempt === undefined) return false
    this.#drop(diid, pending)
    const { downlink, statuses } = pending
    const index = sentWindow(attempt, downlink, this.#parts.region, fields)
    // Station went to the second because the first could not be any more.
    for (const window of attempt.windows) if (window < index) statuses[window] = 'TOO_LATE'
    statuses[index] = 'OK'
    this.#counts.sent += 1
    const window = downlink.windows[index]
    pending.done({ id: downlink.id, gateway: downlink.gateway, statuses: statuses.map((status) => status ?? 'IGNORED'), sent: index, onAirUs: window === undefined ? 0 : Math.round(airMs(window) * 1_000), doubtful: null })
    return true
  }

  /** The connection is gone, and with it the word that is waited for: what was asked may be on the air. */
  close(): void {
    for (const [diid, pending] of [...this.#pending]) {
      this.#drop(diid, pending)
      const asked = pending.plan.attempts[pending.at]?.windows[0] ?? null
      pending.done(none(pending.downlink, pending.statuses, 'GATEWAY_AWAY', asked))
    }
  }

  #next(downlink: Downlink, plan: Plan, from: number, statuses: (TxStatus | null)[], done: (ack: RadioTxAck) => void): void {
    const nowMs = this.#parts.clock.boottimeMs()
    for (let at = from; at < Math.min(plan.attempts.length, ATTEMPTS); at++) {
      const attempt = plan.attempts[at]
      if (attempt === undefined) break
      const refusal = this.#pending.size >= MAX_PENDING ? 'QUEUE_FULL' : attempt.sendByMs !== null && nowMs >= attempt.sendByMs ? 'TOO_LATE' : null
      if (refusal === null) return this.#ask(downlink, plan, at, attempt, statuses, done)
      for (const window of attempt.windows) statuses[window] = refusal
    }
    done(none(downlink, statuses, 'IGNORED', null))
  }

  #ask(downlink: Downlink, plan: Plan, at: number, attempt: Attempt, statuses: (TxStatus | null)[], done: (ack: RadioTxAck) => void): void {
    const diid = downlink.id * ATTEMPTS + at
    const cancel = this.#parts.timers.after(Math.max(0, attempt.untilMs - this.#parts.clock.boottimeMs()), () => {
      this.#pending.delete(diid)
      for (const window of attempt.windows) statuses[window] = 'TOO_LATE'
      this.#next(downlink, plan, at + 1, statuses, done)
    })
    this.#pending.set(diid, { downlink, plan, at, statuses, cancel, done })
    this.#parts.send(writeAttempt(attempt, diid, this.#parts.muxTimeSeconds()))
  }

  #drop(diid: number, pending: Pending): void {
    pending.cancel()
    this.#pending.delete(diid)
  }
}

function none(downlink: Downlink, statuses: readonly (TxStatus | null)[], rest: TxStatus, doubtful: number | null): RadioTxAck {
  return { id: downlink.id, gateway: downlink.gateway, statuses: statuses.map((status) => status ?? rest), sent: null, onAirUs: 0, doubtful }
}
