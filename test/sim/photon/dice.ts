/** Seeded chance: the same seed plays the same run. */
import type { Hash } from '../../../src/base/index.ts'
import { hexOf } from '../../../src/base/index.ts'

export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = (seed * 2654435761) >>> 0
    for (let i = 0; i < 4; i++) this.next()
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  /** 0 to `below` − 1. */
  int(below: number): number {
    return Math.floor(this.next() * below)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.int(items.length)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }

  shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, at: this.next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item)
  }

  secret(): Hash {
    return hexOf(Uint8Array.from({ length: 32 }, () => this.int(256)))
  }
}
