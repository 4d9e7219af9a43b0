/** What the owner must look at, newest last, each thing once. */
import type { Clock, Log } from '../../base/index.ts'

export interface Alarm {
  readonly code: string
  readonly text: string
  readonly atMs: number | null
}

const MAX_ALARMS = 50

export class Alarms {
  readonly #clock: Clock
  readonly #log: Log
  readonly #raised: () => void
  #all: readonly Alarm[] = []

  constructor(clock: Clock, log: Log, raised: () => void) {
    this.#clock = clock
    this.#log = log
    this.#raised = raised
  }

  raise(code: string, text: string): void {
    if (this.#all.some((alarm) => alarm.code === code && alarm.text === text)) return
    this.#log.error(`${text}`, { code })
    const atMs = this.#clock.isWallTrusted() ? Math.round(this.#clock.wallMs()) : null
    this.#all = [...this.#all, { code, text, atMs }].slice(-MAX_ALARMS)
    this.#raised()
  }

  /** The reason is gone. */
  clear(code: string): void {
    if (!this.has(code)) return
    this.#all = this.#all.filter((alarm) => alarm.code !== code)
    this.#raised()
  }

  has(code: string): boolean {
    return this.#all.some((alarm) => alarm.code === code)
  }

  all(): readonly Alarm[] {
    return this.#all
  }
}
