/**
 * Token buckets, pure: the caller passes the boot clock. Bounded: at most `maxKeys` callers are
 * remembered; the one unseen for longest is forgotten first, and a forgotten caller starts with a full
 * bucket, which is why every per-key limit stands beside an overall one.
 */
export interface BucketRule {
  /** How many may come at once. */
  readonly burst: number
  /** How many come back per second. */
  readonly perSecond: number
}

/** A token that came back in many small parts is short of 1 by rounding; it counts as whole. */
const WHOLE = 1 - 1e-9

interface Bucket {
  tokens: number
  at: number
}

export class RateLimit {
  readonly #rule: BucketRule
  readonly #maxKeys: number
  readonly #buckets = new Map<string, Bucket>()

  constructor(rule: BucketRule, maxKeys = 4096) {
    this.#rule = rule
    this.#maxKeys = maxKeys
  }

  /** Takes one token. 0 when it may pass, else the seconds to wait before the next try. */
  take(key: string, nowMs: number): number {
    const bucket = this.#refill(key, nowMs)
    if (bucket.tokens >= WHOLE) {
      bucket.tokens = Math.max(0, bucket.tokens - 1)
      return 0
    }
    return Math.max(1, Math.ceil((WHOLE - bucket.tokens) / this.#rule.perSecond))
  }

  /** Would `take` pass? Takes nothing. */
  isOpen(key: string, nowMs: number): boolean {
    return this.#refill(key, nowMs).tokens >= WHOLE
  }

  /** Gives a token back, for a caller that turned out to be right. */
  giveBack(key: string, nowMs: number): void {
    const bucket = this.#refill(key, nowMs)
    bucket.tokens = Math.min(this.#rule.burst, bucket.tokens + 1)
  }

  get size(): number {
    return this.#buckets.size
  }

  #refill(key: string, nowMs: number): Bucket {
    let bucket = this.#buckets.get(key)
    if (bucket) {
      this.#buckets.delete(key) // re-inserted below: the map's order is the order of last use
      const elapsedSeconds = Math.max(0, nowMs - bucket.at) / 1000
      bucket.tokens = Math.min(this.#rule.burst, bucket.tokens + elapsedSeconds * this.#rule.perSecond)
      bucket.at = nowMs
    } else {
      bucket = { tokens: this.#rule.burst, at: nowMs }
      if (this.#buckets.size >= this.#maxKeys) {
        const oldest = this.#buckets.keys().next()
        if (!oldest.done) this.#buckets.delete(oldest.value)
      }
    }
    this.#buckets.set(key, bucket)
    return bucket
  }
}
