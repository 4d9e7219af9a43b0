/**
 * The gate without a kernel: for trying the portal on a laptop, without root. Remembers what it was told and
 * lets leases run out on the clock; nothing is blocked and nothing is counted.
 */
import { inputError, type Clock } from '../../../base/index.ts'
import { checkGrant } from '../grant.ts'
import type { DeviceCounters, Gate, GateChange, GateHealth, Grant, MacAddress } from '../types.ts'

const MAX_DEVICES = 65_536

export class RecordGate implements Gate {
  readonly #clock: Clock
  readonly #open = new Map<MacAddress, { grant: Grant; untilMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  start(): Promise<void> {
    return Promise.resolve()
  }

  stop(): Promise<void> {
    return Promise.resolve()
  }

  apply(change: GateChange): Promise<void> {
    return this.#attempt(() => {
      change.open.forEach(checkGrant)
      for (const mac of change.close) this.#open.delete(mac)
      for (const grant of change.open) this.#remember(grant)
    })
  }

  replace(grants: readonly Grant[]): Promise<void> {
    return this.#attempt(() => {
      grants.forEach(checkGrant)
      this.#open.clear()
      for (const grant of grants) this.#remember(grant)
    })
  }

  counters(): Promise<DeviceCounters[]> {
    this.#forgetExpired()
    return Promise.resolve(
      [...this.#open.keys()].map((mac) => ({ mac, upBytes: 0, downBytes: 0, upPackets: 0, downPackets: 0 })),
    )
  }

  preflight(): Promise<void> {
    return Promise.resolve()
  }

  health(): GateHealth {
    this.#forgetExpired()
    return { state: 'recording', reason: 'record-only mode: nothing is blocked or counted', repairs: 0, devices: this.#open.size }
  }

  /** Is this device open now? For tests and for the developer's own eyes. */
  isOpen(mac: MacAddress): boolean {
    this.#forgetExpired()
    return this.#open.has(mac)
  }

  #remember(grant: Grant): void {
    if (!this.#open.has(grant.mac) && this.#open.size >= MAX_DEVICES) throw inputError('open', this.#open.size, `at most ${MAX_DEVICES} devices`)
    this.#open.set(grant.mac, { grant, untilMs: this.#clock.boottimeMs() + grant.leaseMs })
  }

  #forgetExpired(): void {
    const now = this.#clock.boottimeMs()
    for (const [mac, entry] of this.#open) if (entry.untilMs <= now) this.#open.delete(mac)
  }

  async #attempt(work: () => void): Promise<void> {
    work()
  }
}
