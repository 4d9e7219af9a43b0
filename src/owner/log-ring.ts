/**
 * The last log lines, in memory, for "recent events" on the dashboard and for the support bundle.
 * Bounded in lines and in characters per line; nothing is written to flash.
 */
import type { LogLevel } from '../base/index.ts'

export interface LogEvent {
  /** Running number since the service started, from 1. */
  readonly id: number
  readonly wallMs: number
  readonly level: LogLevel
  /** `room: message key=value …`, without stamp and level. */
  readonly line: string
}

const RING_LINES = 500
const MAX_LINE_CHARS = 1000
/** What createLog of base writes: an ISO time or a syslog priority, the level, the rest. */
const LINE = /^(?:<\d>|\d{4}-\S+ )?(debug|info|warn|error) (.*)$/s
const RANK: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }

export class LogRing {
  readonly #capacity: number
  readonly #events: LogEvent[] = []
  #lastId = 0

  constructor(capacity = RING_LINES) {
    this.#capacity = Math.max(1, Math.floor(capacity))
  }

  /** Takes a finished line as the log writes it; `wallMs` is only for showing. */
  push(line: string, wallMs: number): void {
    const match = LINE.exec(line)
    const text = match?.[2] ?? line
    this.#events.push({
      id: ++this.#lastId,
      wallMs,
      level: (match?.[1] as LogLevel | undefined) ?? 'info',
      line: text.length > MAX_LINE_CHARS ? `${text.slice(0, MAX_LINE_CHARS - 3)}...` : text,
    })
    if (this.#events.length > this.#capacity) this.#events.shift()
  }

  /** Oldest first: the last `limit` lines at `level` or above. */
  last(limit = this.#capacity, level: LogLevel = 'debug'): LogEvent[] {
    return this.#events.filter((event) => RANK[event.level] >= RANK[level]).slice(-Math.max(1, limit))
  }

  /** Lines that fell out. */
  get dropped(): number {
    return this.#lastId - this.#events.length
  }
}
