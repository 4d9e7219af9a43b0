/**
 * Orders to gateways that speak GWMP, from the first window to the answer. No sockets: `send` puts a datagram on the way.
 *
 * A window is sent once, and once more if no TX_ACK came: the forwarder, if it has the first, refuses the second as a collision with it,
 * which then is a yes. Only a refusal leads to the next window; silence does not, since the frame may be on the air. A forwarder of
 * version 1 has no TX_ACK: what reached it counts as sent.
 *
 * An SX1301's forwarder refuses a power that is not in its table (TX_POWER), and nobody can ask it for the table: what a region allows, 30 dBm or 19, is in none of Semtech's. So
 * the same window is asked for with less, dB by dB, and what was taken is remembered.
 */
import { MeshBoxError } from '../../../base/index.ts'
import type { Cancel, Clock, Timers } from '../../../base/index.ts'
import { timeOnAirUs } from '../../lorawan/index.ts'
import type { Downlink, Eui, TxStatus, TxWindow } from '../../ports.ts'
import type { CounterClock } from '../counter-clock.ts'
import type { RadioTxAck } from '../door.ts'
import { encodeDatagram } from './datagram.ts'
import { JitView, LEAST_LEAD_MS } from './jit-view.ts'
import { slotUs, writePullResp } from './pull-resp.ts'
import type { TxAckBody } from './tx-ack.ts'

/** Answers come within milliseconds; this is for what was lost. */
const RESEND_MS = 60
/** A second copy that the network holds up should not be the one that is too late. */
const ON_THE_WAY_MS = 150
/** How long an answer is waited for when the moment of sending is not known, or far away. */
const ANSWER_MS = 2_000
/** A token is not used again while late answers to it may come. */
const TOKEN_REST_MS = 60_000
const MAX_RESTING_TOKENS = 4_096
const ROUND_TOKENS = 0x1_0000
/** From what regions allow at most to the highest power of a weak board. */
const MOST_BELOW_DB = 10

interface Attempt {
  readonly downlink: Downlink
  /** Index of the window that is asked for. */
  readonly window: number
  readonly statuses: TxStatus[]
  readonly startMs: number | null
  readonly powerDbm: number
  readonly token: number
  isRepeated: boolean
  cancel: Cancel
  readonly done: (ack: RadioTxAck) => void
}

export interface OrderParts {
  readonly clock: Clock
  readonly timers: Timers
  /** False: there is no way down now. */
  send(gateway: Eui, datagram: Uint8Array): boolean
  version(gateway: Eui): 1 | 2
  counterClock(gateway: Eui): CounterClock
}

export interface OrderCounts {
  readonly asked: number
  readonly sent: number
  readonly repeated: number
  /** Answers to nothing that was asked. */
  readonly stray: number
  readonly unanswered: number
}

export class OrderDesk {
  readonly #parts: OrderParts
  readonly #queues = new Map<Eui, JitView>()
  /** Of each gateway: what it is asked for instead of a power that it has refused; whole dBm. */
  readonly #powers = new Map<Eui, Map<number, number>>()
  /** By gateway and token. */
  readonly #pending = new Map<string, Attempt>()
  /** Tokens of ended attempts, until when; oldest first. */
  readonly #resting = new Map<string, number>()
  readonly #counts = { asked: 0, sent: 0, repeated: 0, stray: 0, unanswered: 0 }

  constructor(parts: OrderParts) {
    this.#parts = parts
  }

  get counts(): OrderCounts {
    return { ...this.#counts }
  }

  get size(): { readonly pending: number; readonly resting: number; readonly queued: number } {
    return { pending: this.#pending.size, resting: this.#resting.size, queued: [...this.#queues.values()].reduce((sum, queue) => sum + queue.size, 0) }
  }

  transmit(downlink: Downlink): Promise<RadioTxAck> {
    this.#counts.asked += 1
    return new Promise((resolve) => this.#next(downlink, 0, [], resolve))
  }

  /** The gateway's queue is empty: it started anew. */
  restarted(gateway: Eui): void {
    this.#queues.get(gateway)?.clear()
    this.#powers.delete(gateway) // it may have another table now
  }

  answered(gateway: Eui, token: number, { status }: TxAckBody): void {
    const attempt = this.#pending.get(keyOf(gateway, token))
    if (attempt === undefined) {
      this.#counts.stray += 1
      return
    }
    // Our own first copy is what the second one collides with: our view of the queue has nothing else there.
    if (status === 'OK' || (status === 'COLLISION_PACKET' && attempt.isRepeated)) return this.#finish(attempt, 'OK')
    if (status === 'TX_POWER' && this.#triedWithLess(attempt)) return
    // Forwarders compare unsigned: a slot in the past is "too early" to them.
    const said = status === 'TOO_EARLY' && attempt.startMs !== null ? 'TOO_LATE' : status
    // It may be the second copy that came too late, and the first that waits for its slot.
    if (said === 'TOO_LATE' && attempt.isRepeated) return this.#giveUp(attempt, said)
    // Something that we do not know of is there: others need not try.
    if (said !== 'COLLISION_PACKET') this.#queueOf(gateway).remove(attempt.token)
    this.#end(attempt)
    this.#next(attempt.downlink, attempt.window + 1, [...attempt.statuses, said], attempt.done)
  }

  /** What is known of other gateways is forgotten. */
  keep(gateways: ReadonlySet<Eui>): void {
    for (const known of [this.#queues, this.#powers]) for (const gateway of known.keys()) if (!gateways.has(gateway)) known.delete(gateway)
  }

  /** False: it takes none of the powers that are worth a try. */
  #triedWithLess(attempt: Attempt): boolean {
    const { downlink, window: index, statuses, powerDbm, done } = attempt
    const window = downlink.windows[index]
    if (window === undefined) return false
    const [asked, less] = [Math.floor(window.powerDbm), powerDbm - 1]
    const powers = this.#powers.get(downlink.gateway) ?? new Map<number, number>()
    this.#powers.set(downlink.gateway, powers)
    // From there the next order goes on, if this one's time is over before there is a yes.
    if (asked - less <= MOST_BELOW_DB) powers.set(asked, less)
    else {
      powers.delete(asked)
      return false
    }
    this.#queueOf(downlink.gateway).remove(attempt.token)
    this.#end(attempt)
    this.#next(downlink, index, statuses, done)
    return true
  }

  /** Everything that waits ends now. */
  close(): void {
    for (const attempt of [...this.#pending.values()]) this.#giveUp(attempt, 'GATEWAY_AWAY')
  }

  #next(downlink: Downlink, from: number, before: readonly TxStatus[], done: (ack: RadioTxAck) => void): void {
    const statuses = [...before]
    for (let index = from; index < downlink.windows.length; index++) {
      const window = downlink.windows[index]
      if (window === undefined) break
      const refusal = this.#try(downlink, window, index, statuses, done)
      if (refusal === null) return
      statuses.push(refusal)
    }
    done({ id: downlink.id, gateway: downlink.gateway, statuses, sent: null, onAirUs: 0, doubtful: null })
  }

  /** Null: it is on its way, and `done` will be called. */
  #try(downlink: Downlink, window: TxWindow, index: number, statuses: TxStatus[], done: (ack: RadioTxAck) => void): TxStatus | null {
    const { gateway } = downlink
    const nowMs = this.#parts.clock.boottimeMs()
    const askedDbm = Math.floor(window.powerDbm)
    const powerDbm = this.#powers.get(gateway)?.get(askedDbm) ?? askedDbm
    let body: Uint8Array
    let onAirMs: number
    try {
      body = writePullResp({ ...window, powerDbm })
      onAirMs = airUs(window) / 1_000
    } catch (thrown) {
      if (!(thrown instanceof MeshBoxError)) throw thrown
      return 'INTERNAL_ERROR' // what GWMP cannot say: another kind of gateway's time, LR-FHSS
    }
    const startMs = this.#startMs(gateway, window)
    if (startMs === 'over') return 'TOO_LATE'
    const queue = this.#queueOf(gateway)
    const verdict = queue.judge(startMs, onAirMs, nowMs)
    if (verdict !== 'OK') return verdict
    const token = this.#freeToken(gateway, downlink.id & 0xffff, nowMs)
    const datagram = encodeDatagram({ version: this.#parts.version(gateway), token, kind: 'pull-resp', gateway: null, body })
    if (!this.#parts.send(gateway, datagram)) return 'GATEWAY_AWAY'
    queue.add(token, startMs, onAirMs, nowMs)
    const attempt: Attempt = { downlink, window: index, statuses, startMs, powerDbm, token, isRepeated: false, cancel: () => undefined, done }
    this.#pending.set(keyOf(gateway, token), attempt)
    if (this.#parts.version(gateway) === 1) this.#finish(attempt, 'OK')
    else this.#await(attempt, datagram, nowMs)
    return null
  }

  #await(attempt: Attempt, datagram: Uint8Array, nowMs: number): void {
    const { startMs, downlink } = attempt
    const endsMs = startMs === null ? nowMs + ANSWER_MS : Math.min(startMs, nowMs + ANSWER_MS)
    // Not for `now`: the forwarder would send both.
    const mayRepeat = startMs !== null && nowMs + RESEND_MS + LEAST_LEAD_MS + ON_THE_WAY_MS < startMs
    const wait = (untilMs: number, then: () => void): void => {
      attempt.cancel = this.#parts.timers.after(Math.max(0, untilMs - this.#parts.clock.boottimeMs()), then)
    }
    if (!mayRepeat) return wait(endsMs, () => this.#giveUp(attempt, 'GATEWAY_AWAY'))
    wait(nowMs + RESEND_MS, () => {
      attempt.isRepeated = this.#parts.send(downlink.gateway, datagram)
      if (attempt.isRepeated) this.#counts.repeated += 1
      wait(endsMs, () => this.#giveUp(attempt, 'GATEWAY_AWAY'))
    })
  }

  #finish(attempt: Attempt, status: 'OK'): void {
    const { downlink, window } = attempt
    this.#end(attempt)
    this.#counts.sent += 1
    const sent = downlink.windows[window]
    attempt.done({
      id: downlink.id,
      gateway: downlink.gateway,
      statuses: [...attempt.statuses, status, ...untried(downlink, window)],
      sent: window,
      onAirUs: sent === undefined ? 0 : airUs(sent),
      doubtful: null,
    })
  }

  /** No answer that says all: it may be on the air, or the gateway may be gone. */
  #giveUp(attempt: Attempt, status: TxStatus): void {
    const { downlink, window } = attempt
    this.#end(attempt)
    this.#counts.unanswered += 1
    attempt.done({ id: downlink.id, gateway: downlink.gateway, statuses: [...attempt.statuses, status, ...untried(downlink, window)], sent: null, onAirUs: 0, doubtful: window })
  }

  #end(attempt: Attempt): void {
    attempt.cancel()
    const key = keyOf(attempt.downlink.gateway, attempt.token)
    this.#pending.delete(key)
    this.#resting.set(key, this.#parts.clock.boottimeMs() + TOKEN_REST_MS)
  }

  #freeToken(gateway: Eui, wanted: number, nowMs: number): number {
    for (const [key, untilMs] of this.#resting) {
      if (untilMs > nowMs && this.#resting.size < MAX_RESTING_TOKENS) break
      this.#resting.delete(key)
    }
    let token = wanted
    for (let tries = 0; tries < ROUND_TOKENS; tries++) {
      const key = keyOf(gateway, token)
      if (!this.#pending.has(key) && !this.#resting.has(key)) break
      token = (token + 1) % ROUND_TOKENS
    }
    return token
  }

  /** Boot time of the slot; null where it is not ours to tell; `over`: the counter has started anew since. */
  #startMs(gateway: Eui, { timing }: TxWindow): number | null | 'over' {
    if (timing.kind !== 'after' || timing.time.kind !== 'counter') return null
    const clock = this.#parts.counterClock(gateway)
    if (!clock.isCurrent(timing.time.tmstUs, timing.arrivedMs)) return 'over'
    const promisedMs = timing.arrivedMs + timing.delayUs / 1_000
    return clock.bootMsOf(slotUs(timing), promisedMs) ?? promisedMs
  }

  #queueOf(gateway: Eui): JitView {
    let queue = this.#queues.get(gateway)
    if (queue === undefined) this.#queues.set(gateway, (queue = new JitView()))
    return queue
  }
}

function keyOf(gateway: Eui, token: number): string {
  return `${gateway}/${token}`
}

function untried(downlink: Downlink, after: number): readonly TxStatus[] {
  return downlink.windows.slice(after + 1).map(() => 'IGNORED')
}

function airUs({ modulation, phy, hasCrc, preambleSymbols }: TxWindow): number {
  return timeOnAirUs(modulation, phy.length, { hasCrc, preambleSymbols })
}
