/**
 * Warnings that others cause, so that nobody fills the log by doing the same wrong thing again and again: one a minute about each `who`. The next one that is told
 * says how many were not (`unsaid`).
 */
import type { Clock } from './clock.ts'
import type { Log, LogFields } from './log.ts'

const QUIET_MS = 60_000
/** About whom was told longest ago is forgotten first. */
const MAX_REMEMBERED = 512

export class Complaints {
  readonly #parts: { readonly clock: Clock; readonly log: Log }
  readonly #told = new Map<string, { readonly atMs: number; unsaid: number }>()

  constructor(parts: { readonly clock: Clock; readonly log: Log }) {
    this.#parts = parts
  }

  get size(): number {
    return this.#told.size
  }

  warn(message: string, fields: LogFields, who = ''): void {
    const { clock, log } = this.#parts
    const nowMs = clock.boottimeMs()
    const before = this.#told.get(who)
    if (before !== undefined && nowMs - before.atMs < QUIET_MS) {
      before.unsaid++
      return
    }
    this.#told.delete(who) // re-inserted: the map's order is that of the last word
    this.#told.set(who, { atMs: nowMs, unsaid: 0 })
    if (this.#told.size > MAX_REMEMBERED) {
      const oldest = this.#told.keys().next()
      if (oldest.done === false) this.#told.delete(oldest.value)
    }
    log.warn(message, before === undefined || before.unsaid === 0 ? fields : { ...fields, unsaid: before.unsaid })
  }
}
