/**
 * The room joined: its parts started in order and stopped in reverse. A part that cannot start now, because its interface is
 * not there yet or its port is taken, is tried again; the others go on without it, and the owner is told why.
 */
import { asError } from '../base/index.ts'
import type { Cancel, Clock, Log, Timers } from '../base/index.ts'
import type { MeshAlarm } from './desk.ts'

const AGAIN_MS = 10_000

export interface MeshPart {
  /** As the owner reads it: `other boxes`. */
  readonly name: string
  /** Not called again once it has resolved. What it rejects with is for people. */
  start(): void | Promise<void>
  stop(): void | Promise<void>
}

interface Kept {
  readonly part: MeshPart
  isStarted: boolean
  failure: { readonly reason: string; readonly sinceMs: number } | null
}

export interface MeshTimes {
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly timers: Timers
  readonly log: Log
}

export class MeshRoom {
  readonly #times: MeshTimes
  readonly #parts: readonly Kept[]
  #cancelAgain: Cancel = () => undefined
  #round: Promise<void> | null = null
  #isRunning = false

  /** `parts`: in the order of their start. */
  constructor(times: MeshTimes, parts: readonly MeshPart[]) {
    this.#times = times
    this.#parts = parts.map((part) => ({ part, isStarted: false, failure: null }))
  }

  /** Resolves when each was tried once; never rejects. */
  async start(): Promise<void> {
    this.#isRunning = true
    await this.#try()
  }

  /** All are stopped, also when one fails; the first failure is thrown in the end. */
  async stop(): Promise<void> {
    this.#isRunning = false
    this.#cancelAgain()
    await this.#round
    let failure: unknown
    for (const kept of this.#parts.toReversed()) {
      if (!kept.isStarted) continue
      kept.isStarted = false
      try {
        await kept.part.stop()
      } catch (thrown) {
        failure ??= thrown
        this.#times.log.error(`${kept.part.name} did not stop`, { error: asError(thrown) })
      }
    }
    if (failure !== undefined) throw failure
  }

  /** What could not start. */
  alarms(): readonly MeshAlarm[] {
    return this.#parts.flatMap(({ part, failure }) => (failure === null ? [] : [{ code: 'not-started', text: `${part.name}: ${failure.reason}`, sinceMs: failure.sinceMs }]))
  }

  #try(): Promise<void> {
    this.#round = this.#startAll().finally(() => (this.#round = null))
    return this.#round
  }

  async #startAll(): Promise<void> {
    for (const kept of this.#parts) if (this.#isRunning && !kept.isStarted) await this.#startOne(kept)
    if (this.#isRunning && this.#parts.some(({ isStarted }) => !isStarted)) this.#cancelAgain = this.#times.timers.after(AGAIN_MS, () => void this.#try())
  }

  async #startOne(kept: Kept): Promise<void> {
    const { clock, log } = this.#times
    try {
      await kept.part.start()
      kept.isStarted = true
      if (kept.failure !== null) log.info(`${kept.part.name}: started after all`)
      kept.failure = null
    } catch (thrown) {
      const reason = asError(thrown).message
      if (kept.failure?.reason !== reason) log.warn(`${kept.part.name} cannot start now; it is tried again`, { error: asError(thrown) })
      kept.failure = { reason, sinceMs: kept.failure?.sinceMs ?? clock.boottimeMs() }
    }
  }
}
