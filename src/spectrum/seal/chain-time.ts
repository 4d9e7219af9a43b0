/**
 * What time it is for a sealer, in milliseconds since 1970.
 *
 * | clock | who may seal | time |
 * |---|---|---|
 * | trusted | anybody | the wall clock |
 * | not trusted | others too | none: this box does not seal |
 * | not trusted | this box alone | counted by the boot clock from the last time that was certain |
 *
 * Certain is a trusted reading of this boot, or the head's time when it was first seen. Counted like this the
 * time is never ahead of the true one, so no block comes from anybody's future; after a night without power
 * the chain's time goes on where it stopped, behind the true one by that night, until a clock is trusted.
 */
import type { Clock } from '../../base/index.ts'

export class ChainTime {
  readonly #clock: Clock
  #anchor: { readonly atMs: number; readonly boottimeMs: number } | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `headSeconds`: the head's time. Null: not to be known. */
  nowMs(headSeconds: number, isAlone: boolean): number | null {
    const boottimeMs = this.#clock.boottimeMs()
    if (this.#clock.isWallTrusted()) {
      const wallMs = this.#clock.wallMs()
      this.#anchor = { atMs: wallMs, boottimeMs }
      return wallMs
    }
    const counted = this.#anchor === null ? null : this.#anchor.atMs + boottimeMs - this.#anchor.boottimeMs
    // Only forwards: to start again from each head would lose the rest of a second with every block.
    if (counted === null || counted < headSeconds * 1000) this.#anchor = { atMs: headSeconds * 1000, boottimeMs }
    if (!isAlone) return null
    return counted === null ? headSeconds * 1000 : Math.max(counted, headSeconds * 1000)
  }
}
