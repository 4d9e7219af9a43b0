/**
 * What programs may hold back by the original's `switch`, `prepare-update` and `stop` (photon.md 6.1): new payments, never what
 * keeps money safe. Payments under way end, news of the chain are taken in and answered. Not kept over a restart, as there.
 */
import { MeshBoxError } from '../../base/index.ts'
import type { Failure } from '../payment/index.ts'
import type { Alarms } from './alarms.ts'

/** In 6.3's numbers. */
const NO_NEW = 1013
const DIRECT_ONLY = 1014
const ALARM = 'held-back'

export class PaymentModes {
  readonly #alarms: Alarms
  #isDirectOnly = false
  #hold: 'no' | 'update' | 'stopped' = 'no'

  constructor(alarms: Alarms) {
    this.#alarms = alarms
  }

  get isStopped(): boolean {
    return this.#hold === 'stopped'
  }

  /** No lock is given, taken or carried; direct payments and streams go on. */
  setDirectOnly(isOn: boolean): void {
    this.#isDirectOnly = isOn
    this.#say()
  }

  /** Nothing new begins here before a restart; direct payments of others are still taken. */
  endNew(): void {
    if (this.#hold === 'no') this.#hold = 'update'
    this.#say()
  }

  /** Nothing is paid or taken any more before a restart. */
  endAll(): void {
    this.#hold = 'stopped'
    this.#say()
  }

  /** The refusal of every new lock, ours and others'. */
  lockFault(): Failure | null {
    if (this.#hold !== 'no') return { code: NO_NEW, reason: 'no new payments before a restart' }
    return this.#isDirectOnly ? { code: DIRECT_ONLY, reason: 'direct payments only' } : null
  }

  /** Errors: conflict `photon-1013`, `photon-1014`. */
  checkNew(isDirect: boolean): void {
    const fault = this.lockFault()
    if (fault !== null && !(isDirect && fault.code === DIRECT_ONLY)) throw new MeshBoxError('conflict', `${fault.reason}: a program has ordered it`, { code: `photon-${fault.code}` })
  }

  #say(): void {
    this.#alarms.clear(ALARM)
    const text =
      this.#hold === 'stopped'
        ? 'a program has stopped Photon (GET /api/1/stop): nothing is paid or taken before the service is restarted; what the channels need of the chain is still done'
        : this.#hold === 'update'
          ? 'a program has held back new payments (POST /api/1/prepare-update) before the service is restarted'
          : this.#isDirectOnly
            ? 'a program has ordered direct payments only (GET /api/1/switch/true); GET /api/1/switch/false ends it'
            : null
    if (text !== null) this.#alarms.raise(ALARM, text)
  }
}
