/**
 * A clock, its timers and everything that happens between boxes, in one queue of simulated time. Between two
 * happenings all promises that can settle do, so a run is the same each time.
 */
import type { Cancel, Clock, Timers } from '../../../src/base/index.ts'

interface Due {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

export class SimTime implements Timers {
  #nowMs: number
  #order = 0
  readonly #due = new Map<number, Due>()

  constructor(startSeconds: number) {
    this.#nowMs = startSeconds * 1000
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** As a box sees it whose clock is off by so much, and trusted or not. */
  clock(skewMs = 0, isTrusted: () => boolean = () => true): Clock {
    return { boottimeMs: () => this.#nowMs, bootId: 'simulated', wallMs: () => this.#nowMs + skewMs, isWallTrusted: isTrusted }
  }

  after(delayMs: number, run: () => void): Cancel {
    const order = this.#order++
    this.#due.set(order, { atMs: this.#nowMs + Math.max(0, delayMs), order, run })
    return () => this.#due.delete(order)
  }

  every(intervalMs: number, run: () => void): Cancel {
    let cancel: Cancel = () => undefined
    const again = (): void => {
      cancel = this.after(intervalMs, () => {
        again()
        run()
      })
    }
    again()
    return () => cancel()
  }

  /** Lets everything happen that falls due within so many milliseconds. */
  async run(forMs: number): Promise<void> {
    const endMs = this.#nowMs + forMs
    await settle()
    for (let due = this.#next(endMs); due !== null; due = this.#next(endMs)) {
      this.#nowMs = due.atMs
      this.#due.delete(due.order)
      due.run()
      await settle()
    }
    this.#nowMs = endMs
  }

  #next(endMs: number): Due | null {
    let first: Due | null = null
    for (const due of this.#due.values()) if (due.atMs <= endMs && (first === null || due.atMs < first.atMs)) first = due
    return first
  }
}

/** All promises that need nothing from outside have settled when setImmediate's turn comes. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
