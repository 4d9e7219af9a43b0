/**
 * A concentrator's clock as seen from the box: u32 microseconds that wrap every 71.6 minutes and start anew with the forwarder. Pure.
 *
 * Each reception says what the counter was when the frame ended, and comes some milliseconds later: network, the forwarder's polls. The
 * least delay of the last minute is the best there is, so a slot is where the counter says and not where a slow datagram would put it. A
 * reading that fits nowhere near is a restart or a mistake; it is believed when the next one agrees with it.
 */
const ROUND_US = 2 ** 32
const HALF_ROUND_US = ROUND_US / 2
/** Readings further away than this are not of the same run: no forwarder holds a frame so long. */
const SAME_RUN_US = 10_000_000
/** How long a least delay counts; crystals drift by some 20 ppm. */
const WINDOW_MS = 60_000

interface Reference {
  readonly tmstUs: number
  readonly atMs: number
}

export class CounterClock {
  /** The least delayed reading of this window and of the one before. */
  #best: Reference | null = null
  #bestBefore: Reference | null = null
  #windowFromMs = 0
  /** A reading that did not fit, until another agrees with it. */
  #odd: Reference | null = null
  #runs = 0

  /** How often the counter was seen to start anew; 0 at first. */
  get runs(): number {
    return this.#runs
  }

  observe(tmstUs: number, atMs: number): void {
    const reading = { tmstUs, atMs }
    const best = this.#reference()
    if (best === null) return this.#start(reading)
    const offUs = deviationUs(best, reading)
    if (Math.abs(offUs) > SAME_RUN_US) {
      if (this.#odd === null || Math.abs(deviationUs(this.#odd, reading)) > SAME_RUN_US) {
        this.#odd = reading
        return
      }
      this.#runs += 1
      return this.#start(reading)
    }
    this.#odd = null
    if (atMs - this.#windowFromMs >= WINDOW_MS) {
      // One from before a long silence has drifted: it would look less delayed than it was.
      this.#bestBefore = this.#best !== null && atMs - this.#best.atMs < 2 * WINDOW_MS ? this.#best : null
      this.#best = null
      this.#windowFromMs = atMs
    }
    if (this.#best === null || deviationUs(this.#best, reading) > 0) this.#best = reading
  }

  /**
   * Boot time at which the counter is `tmstUs`, the nearest such moment to `nowMs`. Null: no reading yet, the last one is more
   * than half a round ago, or it may have started anew.
   */
  bootMsOf(tmstUs: number, nowMs: number): number | null {
    const reference = this.#reference()
    if (reference === null || this.#odd !== null || nowMs - reference.atMs > HALF_ROUND_US / 1_000) return null
    return nowMs + nearUs(tmstUs - this.#countAt(reference, nowMs)) / 1_000
  }

  /**
   * Is this reading of the run that the concentrator is in now? While a reading that did not fit waits for another, only what fits
   * to that one: an order in the time of a run that is over could be taken for a slot minutes ahead.
   */
  isCurrent(tmstUs: number, atMs: number): boolean {
    const reference = this.#odd ?? this.#reference()
    return reference === null || Math.abs(deviationUs(reference, { tmstUs, atMs })) <= SAME_RUN_US
  }

  #countAt(reference: Reference, nowMs: number): number {
    return (reference.tmstUs + Math.round((nowMs - reference.atMs) * 1_000)) % ROUND_US
  }

  #start(reading: Reference): void {
    this.#best = reading
    this.#bestBefore = null
    this.#windowFromMs = reading.atMs
    this.#odd = null
  }

  #reference(): Reference | null {
    if (this.#best === null || this.#bestBefore === null) return this.#best ?? this.#bestBefore
    return deviationUs(this.#best, this.#bestBefore) > 0 ? this.#bestBefore : this.#best
  }
}

/** How much more `reading` counts than `reference` leads one to expect: more is a shorter delay. */
function deviationUs(reference: Reference, reading: Reference): number {
  return nearUs(reading.tmstUs - reference.tmstUs - Math.round((reading.atMs - reference.atMs) * 1_000))
}

/** The same in the round around 0. */
function nearUs(us: number): number {
  const rest = ((us % ROUND_US) + ROUND_US) % ROUND_US
  return rest >= HALF_ROUND_US ? rest - ROUND_US : rest
}
