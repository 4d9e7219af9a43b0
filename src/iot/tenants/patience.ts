/** Waiting that ends when the service does. */
import { asError } from '../../base/index.ts'
import type { Cancel, Log, Timers } from '../../base/index.ts'

const RETRY_MS = 1_000

export class Patience {
  readonly #timers: Timers
  readonly #sleepers = new Set<() => void>()
  #isOver = false

  constructor(timers: Timers) {
    this.#timers = timers
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Resolves after `ms`, or when it is over. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#after(ms, resolve))
  }

  /** The work's answer, or `otherwise` when it fails, takes longer, or the service ends: what went wrong at the far end is its door's to log. */
  within<T>(ms: number, work: () => Promise<T>, otherwise: T): Promise<T> {
    if (this.#isOver) return Promise.resolve(otherwise)
    return new Promise((resolve) => {
      const cancel = this.#after(ms, () => resolve(otherwise))
      const end = (value: T): void => {
        cancel()
        resolve(value)
      }
      started(work).then(end, () => end(otherwise))
    })
  }

  /** Until it succeeds: what has happened must get on disk, however long the disk refuses. Null: the service ended first. */
  async insist<T>(what: string, log: Log, work: () => Promise<T>): Promise<T | null> {
    for (let tries = 0; ; tries++) {
      try {
        return await work()
      } catch (thrown) {
        if (tries === 0) log.error(`${what} is not stored; it is tried again`, { error: asError(thrown) })
        await this.sleep(RETRY_MS)
        if (this.#isOver) return null
      }
    }
  }

  end(): void {
    this.#isOver = true
    for (const wake of [...this.#sleepers]) wake()
  }

  #after(ms: number, run: () => void): Cancel {
    if (this.#isOver) {
      run()
      return () => undefined
    }
    let cancelTimer: Cancel = () => undefined
    const cancel = (): void => {
      this.#sleepers.delete(wake)
      cancelTimer()
    }
    const wake = (): void => {
      cancel()
      run()
    }
    this.#sleepers.add(wake)
    cancelTimer = this.#timers.after(ms, wake)
    return cancel
  }
}

/** Also what is thrown before there is a promise is a failure of the work. */
async function started<T>(work: () => Promise<T>): Promise<T> {
  return work()
}
