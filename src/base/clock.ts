/**
 * Time, as the house uses it.
 *
 * Routers have no clock battery. Durations are counted on CLOCK_BOOTTIME, which never jumps but starts
 * anew at each boot, so a stored reading is only comparable together with its `bootId`. Wall time is for
 * display and for dates on paper, and is not believed before it is trusted.
 */
export interface Clock {
  /** Milliseconds on CLOCK_BOOTTIME (may have a fraction). */
  boottimeMs(): number
  /** Kernel boot id; a reading of boottimeMs from another bootId says nothing about now. */
  readonly bootId: string
  /** Milliseconds since 1970 as the system believes; may be years off. */
  wallMs(): number
  /** True once two independent sources agree on the wall clock (see time-trust.ts). */
  isWallTrusted(): boolean
}

/** A moment, in both clocks, as stored with money rows. */
export interface Moment {
  readonly bootId: string
  readonly boottimeMs: number
  readonly wallMs: number
  readonly wallTrusted: boolean
}

export function momentOf(clock: Clock): Moment {
  return {
    bootId: clock.bootId,
    boottimeMs: clock.boottimeMs(),
    wallMs: clock.wallMs(),
    wallTrusted: clock.isWallTrusted(),
  }
}

export type Cancel = () => void

/** Timers come in from outside so that a test can run a day in a millisecond. */
export interface Timers {
  after(delayMs: number, run: () => void): Cancel
  every(intervalMs: number, run: () => void): Cancel
}

export interface Randomness {
  /** `length` bytes from the kernel's generator. */
  bytes(length: number): Uint8Array
}
