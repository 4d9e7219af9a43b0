/**
 * Whether a tenant's server acknowledges what it gets. A frame that it read and did not acknowledge costs it nothing, so what it may keep to itself is
 * bounded, whatever share of its frames it acknowledges. Pure; in money, so that nobody pays the cheap frames and keeps the dear ones.
 *
 * Each acknowledged frame that is billed earns back a twentieth of its price. Who owes more than `frames` of the price of the frame at hand is doubted: he gets one
 * frame at a time, and after one that he does not acknowledge none for 1, 2, 4 … 60 minutes. Unpaid altogether: `frames`, what was under
 * way when the doubt arose, a twentieth of what he paid, seven more, and one an hour (docs/iot.md, "What a server may keep to itself").
 *
 * The doubt alone makes no pause: a server whose line was cut with many frames under way is given the next one at once.
 */
const EARNED_PART = 20n
const FIRST_REST_MS = 60_000
/** 64 minutes would be next. */
const MOST_DOUBLINGS = 6n
const LONGEST_REST_MS = 3_600_000

export class Trust {
  readonly #frames: bigint
  /** What was not acknowledged, less a twentieth of what was billed; in twentieths of the token's smallest unit. */
  #open = 0n
  /** Of that, what went unacknowledged while he was doubted. */
  #again = 0n
  #restsUntilMs = -Infinity

  constructor(frames: number) {
    this.#frames = BigInt(frames)
  }

  /** What costs nothing cannot be kept from being paid. */
  isDoubted(amount: bigint): boolean {
    return amount > 0n && this.#open >= this.#frames * amount * EARNED_PART
  }

  /** Of one that is doubted. */
  isResting(nowMs: number): boolean {
    return nowMs < this.#restsUntilMs
  }

  billed(amount: bigint): void {
    this.#open = less(this.#open, amount)
    this.#again = less(this.#again, amount)
  }

  /** It was handed over and is not billed. `wasDoubted`: when it was taken. */
  missed(amount: bigint, wasDoubted: boolean, nowMs: number): void {
    const owed = amount * EARNED_PART
    this.#open += owed
    if (!wasDoubted || amount === 0n) return
    const doublings = least(MOST_DOUBLINGS, this.#again / owed)
    this.#restsUntilMs = nowMs + Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** Number(doublings))
    // No more than what gives the longest rest: the way back does not grow for ever.
    if (doublings < MOST_DOUBLINGS) this.#again += owed
  }
}

function less(sum: bigint, part: bigint): bigint {
  return sum > part ? sum - part : 0n
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
