/** What the desk knows of one transmitter: its counter, its hours of airtime, and the frames it has promised. State in memory; what must outlive it is on disk before. */
import { inputError } from '../../base/index.ts'
import { newAirtime, recall, reserve, settle, withRules } from '../airtime/index.ts'
import type { AirClaim, AirRules, AirtimeState, OnAir } from '../airtime/index.ts'
import type { TxStatus, TxWindow } from '../ports.ts'
import { observe } from './concentrator-time.ts'
import type { ConcentratorClock } from './concentrator-time.ts'
import { overlaps } from './slots.ts'
import type { Span } from './slots.ts'

export interface Promised extends Span {
  readonly downlinkId: number
  readonly window: number
}

export interface Granted {
  readonly window: number
  readonly subBand: string
  readonly pricePerMs: bigint
  readonly span: Span
}

export class GatewayAir {
  #air: AirtimeState
  #clock: ConcentratorClock | null = null
  /** Given to the forwarder, or about to be. */
  #promised: readonly Promised[] = []
  /** By downlink: which of its windows the airtime was asked for, in that order. */
  readonly #asked = new Map<number, readonly number[]>()

  constructor(rules: AirRules) {
    this.#air = newAirtime(rules)
  }

  get clock(): ConcentratorClock | null {
    return this.#clock
  }

  get airtime(): AirtimeState {
    return this.#air
  }

  /** Other rules from now on: another kind of forwarder speaks for it. */
  use(rules: AirRules): void {
    if (this.#air.rules !== rules) this.#air = withRules(this.#air, rules)
  }

  /** Promised, and not answered yet. */
  isPromised(id: number): boolean {
    return this.#asked.has(id)
  }

  heard(tmstUs: number, arrivedMs: number): void {
    this.#clock = observe(this.#clock, tmstUs, arrivedMs * 1_000)
  }

  recall(band: string, entry: OnAir): void {
    this.#air = recall(this.#air, band, entry)
  }

  /**
   * Promises the windows that are free and within the airtime; one status each. It counts from now on, before it is on disk: whoever
   * asked and could not store it calls `release`. `mayComeFree`: indexes of windows that are taken only by later windows of orders whose gateway
   * has not answered yet. Errors: input for an id that is reserved.
   */
  promise(id: number, windows: readonly { readonly index: number; readonly window: TxWindow; readonly span: Span }[], claim: AirClaim, nowUs: number): { readonly statuses: readonly TxStatus[]; readonly granted: readonly Granted[]; readonly mayComeFree: ReadonlySet<number> } {
    if (this.#asked.has(id)) throw inputError('downlink-id', id, 'one that is not in use')
    this.#promised = this.#promised.filter((known) => known.startUs + known.durationUs > nowUs)
    const takers = windows.map(({ span }) => this.#promised.filter((known) => overlaps(known, span)))
    const isTaken = takers.map(({ length }) => length > 0)
    const mayComeFree = new Set(windows.filter((_, at) => isTaken[at] === true && takers[at]?.every((known) => this.#isSpare(known)) === true).map(({ index }) => index))
    const free = windows.filter((_, at) => isTaken[at] === false)
    const { state, verdicts } = reserve(this.#air, { downlinkId: id, windows: free.map(({ window, span }) => ({ frequencyHz: window.frequencyHz, powerDbm: window.powerDbm, ...span })), claim }, nowUs)
    this.#air = state
    this.#asked.set(id, free.map(({ index }) => index))
    const granted: Granted[] = []
    verdicts.forEach((verdict, at) => {
      const asked = free[at]
      if (asked === undefined || verdict.status !== 'OK' || verdict.band === null) return
      granted.push({ window: asked.index, subBand: verdict.band, pricePerMs: verdict.pricePerMs, span: asked.span })
    })
    this.#promised = [...this.#promised, ...granted.map(({ window, span }) => ({ ...span, downlinkId: id, window }))]
    const judged = new Map<number, TxStatus>(free.map(({ index }, at) => [index, verdicts[at]?.status ?? 'INTERNAL_ERROR']))
    return { statuses: windows.map(({ index }, at): TxStatus => (isTaken[at] === true ? 'COLLISION_PACKET' : (judged.get(index) ?? 'INTERNAL_ERROR'))), granted, mayComeFree }
  }

  /** It is used only if an earlier window of the same order is refused. */
  #isSpare({ downlinkId, startUs }: Promised): boolean {
    return this.#asked.has(downlinkId) && this.#promised.some((other) => other.downlinkId === downlinkId && other.startUs < startUs)
  }

  /** The gateway has answered. `sent`: the window that was on the air; null: none. False: nothing was promised for that window. */
  settle(id: number, sent: number | null): boolean {
    const at = sent === null ? -1 : (this.#asked.get(id)?.indexOf(sent) ?? -1)
    const { state, settled } = settle(this.#air, id, at < 0 ? null : at)
    this.#air = state
    this.#asked.delete(id)
    this.#promised = this.#promised.filter((known) => known.downlinkId !== id || known.window === sent)
    return sent === null || settled !== null
  }

  /** It was never stored, so it is never sent. */
  release(id: number): void {
    this.settle(id, null)
  }
}
