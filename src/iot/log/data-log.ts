/** What was measured, for the owner: rows, plots, exports; and what is too old or too much goes, a little at a time. */
import { inputError, momentOf } from '../../base/index.ts'
import type { Cancel, Clock, Log, Timers } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import type { Eui, LogDesk, Reading, SeriesPoint } from '../ports.ts'
import { csvHeader, csvLine } from './csv.ts'
import type { DataLogTables } from './io/tables.ts'
import { checkSpan } from './series.ts'

const MAX_ROWS = 500
/** Of one piece of an export: some milliseconds on a small board. */
const EXPORT_ROWS = 100
const PRUNE_EVERY_MS = 600_000
/** Between two pieces of an export or of a clean-up: everybody else has his turn. */
const BREATH_MS = 1
const BUSY_BREATH_MS = 50

export interface DataLogParts {
  readonly store: Store
  readonly tables: DataLogTables
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
}

export class DataLog implements LogDesk {
  readonly #parts: DataLogParts
  #cancel: Cancel = () => undefined
  #isStopped = true

  constructor(parts: DataLogParts) {
    this.#parts = parts
  }

  start(): void {
    this.#isStopped = false
    this.#cancel = this.#parts.timers.every(PRUNE_EVERY_MS, () => void this.prune())
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  /** Until nothing is too old or too much. Never rejects: the next time comes. */
  async prune(): Promise<void> {
    const { store, tables, clock, timers, log } = this.#parts
    try {
      for (;;) {
        const taken = await store.turn((tx) => tables.prune(tx, momentOf(clock)))
        if (taken === 0 || this.#isStopped) return
        await new Promise<void>((resolve) => timers.after(BUSY_BREATH_MS, resolve))
      }
    } catch (thrown) {
      log.warn('old readings could not be taken away', { problem: String(thrown) })
    }
  }

  rows(page: { readonly devEui: Eui; readonly beforeId?: number; readonly limit: number }): readonly (Reading & { readonly id: number })[] {
    if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > MAX_ROWS) throw inputError('limit', page.limit, `1 to ${MAX_ROWS}`)
    return this.#parts.store.read((tx) => this.#parts.tables.rows(tx, page))
  }

  series(ask: { readonly devEui: Eui; readonly name: string; readonly fromWallMs: number; readonly toWallMs: number; readonly points: number }): readonly SeriesPoint[] {
    return this.#parts.store.read((tx) => this.#parts.tables.series(tx, ask))
  }

  async *csv(ask: { readonly devEui: Eui; readonly fromWallMs: number; readonly toWallMs: number }): AsyncIterable<string> {
    const { store, tables, timers } = this.#parts
    checkSpan(ask)
    const names = store.read((tx) => tables.names(tx, ask.devEui))
    yield csvHeader(names)
    let after: { readonly wallMs: number; readonly id: number } | null = null
    for (;;) {
      const from = after
      const rows: ReturnType<DataLogTables['span']> = store.read((tx) => tables.span(tx, { ...ask, after: from, limit: EXPORT_ROWS }))
      const last = rows.at(-1)
      if (last === undefined) return
      yield rows.map((reading) => csvLine(reading, names)).join('')
      if (rows.length < EXPORT_ROWS) return
      after = { wallMs: last.at.wallMs, id: last.id }
      await new Promise<void>((resolve) => timers.after(BREATH_MS, resolve))
    }
  }
}
