/**
 * The sources we have, and what we think of each: a liar is banned, a slow one rests, each time longer, and is
 * dropped in the end. What is thought of a source outlives its connection, up to a bound.
 */
import type { Clock, Log } from '../../base/index.ts'
import type { ChainSource, Misdeed } from '../ports.ts'
import type { SourcePool } from './ports.ts'

interface Standing {
  readonly isBanned: boolean
  /** Slow answers since the last good one. */
  readonly strikes: number
  readonly restUntilMs: number
}

const CLEAN: Standing = { isBanned: false, strikes: 0, restUntilMs: 0 }
const FIRST_REST_MS = 5_000
const LONGEST_REST_MS = 600_000
/** With so many strikes the connection is worth more to somebody else. */
const DROP_AT_STRIKES = 4
const MAX_RECORDS = 1024

export class Roster implements SourcePool {
  readonly #clock: Clock
  readonly #log: Log
  readonly #punish: ((source: ChainSource, misdeed: Misdeed) => void) | null
  readonly #members = new Map<string, ChainSource>()
  readonly #records = new Map<string, Standing>()

  /**
   * `punish`: what is done with one that is banned or dropped, by who keeps sources and lets them in again when
   * their time is over. Without it they are closed here, and a banned one again whenever it comes.
   */
  constructor(clock: Clock, log: Log, punish?: (source: ChainSource, misdeed: Misdeed) => void) {
    this.#clock = clock
    this.#log = log
    this.#punish = punish ?? null
  }

  /** False: it is banned and was closed again. */
  open(source: ChainSource): boolean {
    if (this.#record(source.id).isBanned) {
      if (this.#punish === null) {
        source.close('banned')
        return false
      }
      this.#records.delete(source.id)
    }
    this.#members.set(source.id, source)
    return true
  }

  /** False: not the one we have under this id. */
  close(source: ChainSource): boolean {
    if (this.#members.get(source.id) !== source) return false
    return this.#members.delete(source.id)
  }

  has(source: ChainSource): boolean {
    return this.#members.get(source.id) === source
  }

  all(): readonly ChainSource[] {
    return [...this.#members.values()]
  }

  usable(): readonly ChainSource[] {
    const now = this.#clock.boottimeMs()
    const strikes = (source: ChainSource): number => this.#record(source.id).strikes
    return this.all()
      .filter((source) => this.#record(source.id).restUntilMs <= now)
      .sort((a, b) => strikes(a) - strikes(b))
  }

  complain(source: ChainSource, misdeed: Misdeed | null): void {
    if (misdeed === null) return
    // One that is gone did not answer because it is gone.
    if (misdeed.kind === 'slow' && !this.has(source)) return
    const before = this.#record(source.id)
    if (before.isBanned) return
    this.#log.warn(misdeed.kind === 'lie' ? 'a source lied and is banned' : 'a source rests', { source: source.id, reason: misdeed.reason })
    if (misdeed.kind === 'lie') {
      this.#keep(source.id, { ...before, isBanned: true })
      this.#drop(source, misdeed)
      return
    }
    const strikes = before.strikes + 1
    const restMs = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (strikes - 1))
    this.#keep(source.id, { ...before, strikes, restUntilMs: this.#clock.boottimeMs() + restMs })
    if (strikes >= DROP_AT_STRIKES) this.#drop(source, misdeed)
  }

  thank(source: ChainSource): void {
    const before = this.#record(source.id)
    if (before.strikes > 0 && !before.isBanned) this.#keep(source.id, { ...before, strikes: 0 })
  }

  /** How many ids are banned. */
  bannedCount(): number {
    return [...this.#records.values()].filter((record) => record.isBanned).length
  }

  #drop(source: ChainSource, misdeed: Misdeed): void {
    if (!this.close(source)) return
    if (this.#punish === null) source.close(misdeed.reason)
    else this.#punish(source, misdeed)
  }

  #record(id: string): Standing {
    return this.#records.get(id) ?? CLEAN
  }

  /** The oldest record goes first; bans last of all. */
  #keep(id: string, record: Standing): void {
    this.#records.delete(id)
    this.#records.set(id, record)
    if (this.#records.size <= MAX_RECORDS) return
    const oldest = [...this.#records].find(([, each]) => !each.isBanned) ?? [...this.#records][0]
    if (oldest !== undefined) this.#records.delete(oldest[0])
  }
}
