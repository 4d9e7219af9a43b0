/** A token bucket for one caller and amounts of any size; the caller passes the boot clock. */
import type { BucketRule } from '../../base/index.ts'

export class Allowance {
  readonly #rule: BucketRule
  #tokens: number
  #atMs: number

  constructor(rule: BucketRule, nowMs: number) {
    this.#rule = rule
    this.#tokens = rule.burst
    this.#atMs = nowMs
  }

  /** False: not that much now; nothing is taken. */
  take(amount: number, nowMs: number): boolean {
    this.#refill(nowMs)
    if (amount > this.#tokens) return false
    this.#tokens -= amount
    return true
  }

  /** Takes it even beyond nothing, and says how long to wait before the next. Milliseconds. */
  spend(amount: number, nowMs: number): number {
    this.#refill(nowMs)
    this.#tokens -= amount
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens / this.#rule.perSecond) * 1000)
  }

  #refill(nowMs: number): void {
    const seconds = Math.max(0, nowMs - this.#atMs) / 1000
    this.#atMs = nowMs
    this.#tokens = Math.min(this.#rule.burst, this.#tokens + seconds * this.#rule.perSecond)
  }
}
