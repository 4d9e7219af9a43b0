/** The gate's talk with the hotspot: troubles for its health, alarms, spent sessions, what should be open. A listener that throws harms nobody. */
import { asError, type Log } from '../../../base/index.ts'
import { checkGrant } from '../grant.ts'
import type { GateAlarm, GateCallbacks, Grant } from '../types.ts'

/** Parts that can be in trouble; with `rules` the gate is down, with another it is degraded. */
export type GatePart = 'rules' | 'netlink' | 'nft' | 'guard' | 'monitor' | 'offload' | 'shaper'

export class GateReport {
  readonly #callbacks: GateCallbacks
  readonly #log: Log
  readonly #troubles = new Map<GatePart, string>()

  constructor(callbacks: GateCallbacks, log: Log) {
    this.#callbacks = callbacks
    this.#log = log
  }

  troubleOf(part: GatePart): string | undefined {
    return this.#troubles.get(part)
  }

  get troubles(): readonly string[] {
    return [...this.#troubles.values()]
  }

  /** Notes a part's trouble, or that it is over (null); new trouble is an alarm. */
  trouble(part: GatePart, reason: string | null): void {
    if (reason === null) {
      this.#troubles.delete(part)
      return
    }
    const isNew = this.#troubles.get(part) !== reason
    this.#troubles.set(part, reason)
    if (isNew) this.alarm({ kind: 'degraded', detail: reason })
  }

  alarm(alarm: GateAlarm): void {
    this.#log.warn(`gate alarm: ${alarm.kind}`, { detail: alarm.detail, mac: alarm.mac })
    this.#call(() => this.#callbacks.alarm(alarm))
  }

  spent(sessionId: string): void {
    this.#call(() => this.#callbacks.spent?.(sessionId))
  }

  /** What should be open, by the hotspot; null when it cannot say: then the book stands. */
  desired(): readonly Grant[] | null {
    try {
      const grants = this.#callbacks.desired()
      grants.forEach(checkGrant)
      return grants
    } catch (error) {
      this.#log.error('the hotspot could not say what should be open', { error: asError(error) })
      return null
    }
  }

  #call(callback: () => void): void {
    try {
      callback()
    } catch (error) {
      this.#log.error('a gate callback threw', { error: asError(error) })
    }
  }
}
