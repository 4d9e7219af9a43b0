/**
 * What tries have taught about other nodes' channels. A refusal for want of money lowers what is believed to be there,
 * any refusal makes the channel or the node dearer; both fade, halved every ten minutes, since balances move. Bounded:
 * the oldest lesson is forgotten first.
 */
import type { Address, Hash } from '../../base/index.ts'

export const HALF_LIFE_MS = 600_000
/** After so many halvings a lesson is forgotten altogether. */
const MAX_HALVINGS = 20n
const MAX_LESSONS = 4096

/** Parts per million of the amount, added to the price of what has refused. */
const CHANNEL_PENALTY_PPM = 20_000n
const NODE_PENALTY_PPM = 50_000n

interface Lesson {
  readonly atMs: number
  readonly penaltyPpm: bigint
  /** The smallest amount that was refused for want of money since the last success; null: none. */
  readonly refusedAmount: bigint | null
}

/** A direction of a channel is named by who pays. */
export interface Estimates {
  /** The most that is worth trying; `capacity` when nothing is known. */
  believed(channel: Hash, from: Address, capacity: bigint): bigint
  penaltyPpm(channel: Hash, from: Address): bigint
}

export class Lessons implements Estimates {
  readonly #nowMs: () => number
  readonly #lessons = new Map<string, Lesson>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  get size(): number {
    return this.#lessons.size
  }

  believed(channel: Hash, from: Address, capacity: bigint): bigint {
    const lesson = this.#lessons.get(`${channel} ${from}`)
    const halvings = lesson === undefined ? null : this.#halvings(lesson)
    if (lesson === undefined || halvings === null || lesson.refusedAmount === null || lesson.refusedAmount > capacity) return capacity
    const below = lesson.refusedAmount - 1n
    return capacity - ((capacity - below) >> halvings)
  }

  penaltyPpm(channel: Hash, from: Address): bigint {
    return this.#faded(`${channel} ${from}`) + this.#faded(from)
  }

  /** `from` could not let `amount` leave through the channel. `forMoney`: it said that too little is there. */
  channelRefused(channel: Hash, from: Address, amount: bigint, forMoney: boolean): void {
    const name = `${channel} ${from}`
    const before = this.#lessons.get(name)
    const isFresh = before !== undefined && this.#halvings(before) === 0n
    const earlier = isFresh ? before.refusedAmount : null
    const refusedAmount = forMoney && (earlier === null || amount < earlier) ? amount : earlier
    this.#learn(name, { atMs: this.#nowMs(), penaltyPpm: this.#faded(name) + CHANNEL_PENALTY_PPM, refusedAmount })
  }

  nodeRefused(node: Address): void {
    this.#learn(node, { atMs: this.#nowMs(), penaltyPpm: this.#faded(node) + NODE_PENALTY_PPM, refusedAmount: null })
  }

  /** The amount went through: what was held against the channel and the node is forgiven. */
  passed(channel: Hash, from: Address): void {
    this.#lessons.delete(`${channel} ${from}`)
    this.#lessons.delete(from)
  }

  #faded(name: string): bigint {
    const lesson = this.#lessons.get(name)
    const halvings = lesson === undefined ? null : this.#halvings(lesson)
    return lesson === undefined || halvings === null ? 0n : lesson.penaltyPpm >> halvings
  }

  /** Null: so old that it is forgotten. */
  #halvings(lesson: Lesson): bigint | null {
    const halvings = BigInt(Math.max(0, Math.floor((this.#nowMs() - lesson.atMs) / HALF_LIFE_MS)))
    return halvings > MAX_HALVINGS ? null : halvings
  }

  #learn(name: string, lesson: Lesson): void {
    this.#lessons.delete(name) // so that the map's order is the order of learning
    if (this.#lessons.size >= MAX_LESSONS) {
      const oldest = this.#lessons.keys().next()
      if (!oldest.done) this.#lessons.delete(oldest.value)
    }
    this.#lessons.set(name, lesson)
  }
}
