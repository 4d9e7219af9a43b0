/**
 * Work that comes in crowds, one after another, with a pause for the event loop whenever a few milliseconds
 * have gone: a hundred signatures must not stand between a guest and the portal.
 */
import { MeshBoxError } from '../../base/index.ts'
import type { Clock, Timers } from '../../base/index.ts'

const STRETCH_MS = 8

export class Breath {
  readonly #clock: Clock
  readonly #timers: Timers
  #sinceMs: number

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock
    this.#timers = timers
    this.#sinceMs = clock.boottimeMs()
  }

  /** Work begins after a time without any. */
  begin(): void {
    this.#sinceMs = this.#clock.boottimeMs()
  }

  /** Between two pieces of work: gives the loop its turn if the stretch is over. */
  async take(): Promise<void> {
    if (this.#clock.boottimeMs() - this.#sinceMs < STRETCH_MS) return
    await new Promise<void>((resolve) => this.#timers.after(0, resolve))
    this.#sinceMs = this.#clock.boottimeMs()
  }
}

export class WorkLine {
  readonly #breath: Breath
  readonly #most: number
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #isClosed = false

  /** `most`: how many may wait. */
  constructor(clock: Clock, timers: Timers, most: number) {
    this.#breath = new Breath(clock, timers)
    this.#most = most
  }

  get waiting(): number {
    return this.#waiting
  }

  get isFull(): boolean {
    return this.#waiting >= this.#most
  }

  /** Errors: those of `work`; limit `line-full`; unavailable `line-closed`. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.isFull) throw new MeshBoxError('limit', `${this.#most} wait already`, { code: 'line-full', retryAfterSeconds: 1 })
    return await this.always(work)
  }

  /** As `run`, however many wait: for what must not be lost, and is bounded by who calls. */
  async always<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new MeshBoxError('unavailable', 'the service is stopping', { code: 'line-closed' })
    if (this.#waiting === 0) this.#breath.begin()
    this.#waiting++
    const before = this.#last
    const mine = (async (): Promise<T> => {
      await before
      try {
        await this.#breath.take()
        return await work()
      } finally {
        this.#waiting--
      }
    })()
    // The next one waits for this one's end, good or bad; its error is the caller's.
    this.#last = mine.then(
      () => undefined,
      () => undefined,
    )
    return await mine
  }

  /** For long work in the line: a pause if one is due. */
  async breathe(): Promise<void> {
    await this.#breath.take()
  }

  /** Everything asked for so far is done. */
  async settled(): Promise<void> {
    await this.#last
  }

  /** Nothing more is taken; resolves when what waits is done. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#last
  }
}
