/** What the owner must look at, newest last, each thing once. */
import type { Clock, Log } from '../../base/index.ts'

import type { PhotonAlarm } from '../desk.ts'

const MAX_ALARMS = 50
/** What goes when its reason goes, and cannot be waved away before; of the second room with `v1-` before it. */
const STANDING: ReadonlySet<string> = new Set(['contract', 'start', 'door', 'duties', 'rebuild', 'mdns', 'deadline-near', 'gas-money', 'price-cap', 'held-back'])

export class Alarms {
  readonly #clock: Clock
  readonly #log: Log
  readonly #raised: () => void
  #all: readonly PhotonAlarm[] = []
  #count = 0

  constructor(clock: Clock, log: Log, raised: () => void) {
    this.#clock = clock
    this.#log = log
    this.#raised = raised
  }

  raise(code: string, text: string): void {
    if (this.#all.some((alarm) => alarm.code === code && alarm.text === text)) return
    this.#log.error(`${text}`, { code })
    const atMs = this.#clock.isWallTrusted() ? Math.round(this.#clock.wallMs()) : null
    this.#all = [...this.#all, { id: String(++this.#count), code, text, atMs, isClearable: !STANDING.has(code.replace(/^v1-/, '')) }].slice(-MAX_ALARMS)
    this.#raised()
  }

  /** The reason is gone. */
  clear(code: string): void {
    if (!this.has(code)) return
    this.#all = this.#all.filter((alarm) => alarm.code !== code)
    this.#raised()
  }

  /** The owner has seen to it. */
  dismiss(id: string): void {
    this.#all = this.#all.filter((alarm) => alarm.id !== id)
    this.#raised()
  }

  find(id: string): PhotonAlarm | null {
    return this.#all.find((alarm) => alarm.id === id) ?? null
  }

  has(code: string): boolean {
    return this.#all.some((alarm) => alarm.code === code)
  }

  all(): readonly PhotonAlarm[] {
    return this.#all
  }
}
