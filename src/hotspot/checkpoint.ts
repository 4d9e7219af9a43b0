/**
 * Writes the used time and bytes of all running sessions, in one turn: after a power cut the guest has at
 * most this much more than he had (portal.md 2.10). Money never waits for it.
 */
import { asError } from '../base/index.ts'
import type { Cancel } from '../base/index.ts'
import { forgetOldSessions, saveProgress, saveSession } from './io/session-tables.ts'
import { readAge, saveAge } from './io/trial-tables.ts'
import type { Keeper } from './keeper.ts'
import type { Lanes } from './lanes.ts'
import { sessionLane } from './lanes.ts'
import type { LiveSessions } from './live-sessions.ts'
import type { HotspotDeps } from './ports.ts'
import { settle } from './session/index.ts'
import { ageOf } from './tariff/index.ts'
import type { AgeMark } from './tariff/index.ts'

/** Without running sessions only the box's age is written, this often: flash wears. */
const AGE_MS = 600_000
const FORGET_EVERY_MS = 24 * 3_600_000

export class Checkpoint {
  readonly #deps: HotspotDeps
  readonly #live: LiveSessions
  readonly #lanes: Lanes
  readonly #keeper: Keeper
  #age: AgeMark | null = null
  #writing: Promise<void> | null = null
  #isFailing = false
  readonly #cancels: Cancel[] = []

  constructor(deps: HotspotDeps, live: LiveSessions, lanes: Lanes, keeper: Keeper) {
    this.#deps = deps
    this.#live = live
    this.#lanes = lanes
    this.#keeper = keeper
  }

  /** Reads the age; `ageMs` is right from here on. */
  restore(): void {
    this.#age = this.#deps.store.read(readAge)
  }

  start(): void {
    const { timers, config } = this.#deps
    const forget = (): void =>
      this.#keeper.spawn('forgetting old sessions', this.#deps.store.turn((tx) => forgetOldSessions(tx)))
    this.#cancels.push(timers.every(config().hotspot.checkpointSeconds * 1000, () => this.#keeper.spawn('a checkpoint', this.write())))
    this.#cancels.push(timers.every(FORGET_EVERY_MS, forget))
    forget()
  }

  stop(): void {
    for (const cancel of this.#cancels.splice(0)) cancel()
  }

  /** How long the box has been on in its life, see tariff/trial.ts. */
  ageMs(): number {
    return ageOf(this.#age, this.#keeper.now())
  }

  /** A checkpoint that fails is logged and made up for by the next one. */
  write(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null
    })
    return this.#writing
  }

  async #write(): Promise<void> {
    const { clock, store, log } = this.#deps
    if (!this.#isDue()) return
    let caughtUp: string[] = []
    let age: AgeMark
    try {
      age = await store.turn((tx) => {
        const nowMs = clock.boottimeMs()
        caughtUp = []
        for (const session of this.#live.all()) {
          // Whoever works on it right now writes it whole, and later than this.
          if (this.#lanes.isBusy(sessionLane(session.id))) continue
          if (this.#keeper.unwritten.has(session.id)) {
            saveSession(tx, settle(session, nowMs), clock.bootId)
            caughtUp.push(session.id)
          } else if (session.state === 'active') saveProgress(tx, settle(session, nowMs), clock.bootId)
        }
        const mark = { bootId: clock.bootId, boottimeMs: nowMs, ageMs: this.ageMs() }
        saveAge(tx, mark)
        return mark
      })
    } catch (thrown) {
      if (!this.#isFailing) log.error('a checkpoint could not be written', { error: asError(thrown) })
      this.#isFailing = true
      return
    }
    if (this.#isFailing) log.info('checkpoints are written again')
    this.#isFailing = false
    this.#age = age
    for (const id of caughtUp) this.#keeper.unwritten.delete(id)
  }

  #isDue(): boolean {
    if (this.#keeper.unwritten.size > 0) return true
    for (const session of this.#live.all()) if (session.state === 'active') return true
    const { bootId } = this.#deps.clock
    return this.#age === null || this.#age.bootId !== bootId || this.#deps.clock.boottimeMs() - this.#age.boottimeMs >= AGE_MS
  }
}
