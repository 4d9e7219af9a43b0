import type { Cancel, Clock, Randomness, Timers } from '../../src/base/index.ts'

/** Clock and timers in one: `advance` moves boottime and runs what falls due, in order. */
export class FakeTime implements Clock, Timers {
  bootId: string
  trusted = false
  #boot = 1_000_000
  #wall = 1_700_000_000_000
  #next = 0
  readonly #due = new Map<number, { at: number; every: number | undefined; run: () => void }>()

  constructor(bootId = '11111111-2222-4333-8444-555555555555') {
    this.bootId = bootId
  }

  boottimeMs(): number {
    return this.#boot
  }
  wallMs(): number {
    return this.#wall
  }
  isWallTrusted(): boolean {
    return this.trusted
  }
  /** Moves only the wall clock: what NTP or a dead battery does. */
  jumpWall(ms: number): void {
    this.#wall += ms
  }
  /** A power cycle: timers are gone, boottime starts anew under another boot id. */
  reboot(bootId: string, boottimeMs = 20_000): void {
    this.bootId = bootId
    this.#boot = boottimeMs
    this.#due.clear()
  }
  after(delayMs: number, run: () => void): Cancel {
    return this.#add(delayMs, undefined, run)
  }
  every(intervalMs: number, run: () => void): Cancel {
    return this.#add(intervalMs, intervalMs, run)
  }
  advance(ms: number): void {
    const end = this.#boot + ms
    for (;;) {
      let id: number | undefined
      for (const [key, timer] of this.#due) {
        const best = id === undefined ? undefined : this.#due.get(id)
        if (timer.at <= end && (best === undefined || timer.at < best.at)) id = key
      }
      if (id === undefined) break
      const timer = this.#due.get(id)
      if (!timer) break
      this.#wall += timer.at - this.#boot
      this.#boot = timer.at
      if (timer.every === undefined) this.#due.delete(id)
      else timer.at += timer.every
      timer.run()
    }
    this.#wall += end - this.#boot
    this.#boot = end
  }
  get pendingTimers(): number {
    return this.#due.size
  }
  #add(delayMs: number, every: number | undefined, run: () => void): Cancel {
    const id = this.#next++
    this.#due.set(id, { at: this.#boot + Math.max(0, delayMs), every, run })
    return () => this.#due.delete(id)
  }
}

/** Seeded and repeatable (mulberry32); never for keys outside tests. */
export function seededRandom(seed: number): Randomness & { next(): number } {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000
  }
  return { next, bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)) }
}
