/**
 * How much of a protocol may pass: token buckets of frames and of bytes, the caller's clock. A frame passes while neither is
 * empty and may leave the bytes in debt, so that one that is larger than the bucket passes too, only later.
 */
export interface Rate {
  readonly framesPerSecond: number
  readonly bytesPerSecond: number
}

/** What a sender may save up. It sends slower than its partner must take: what a link that stood still holds back is caught up with. */
export const SEND_BURST_SECONDS = 1
export const SEND_SHARE = 0.8
/** What a receiver lets come at once: the sender's, and what a link that stood still for three seconds brings together. */
export const RECEIVE_BURST_SECONDS = 4
/** Frames that came back in small parts are short of a whole one by rounding. */
const WHOLE = 1 - 1e-6

export class Allowance {
  readonly #rate: Rate
  readonly #burstSeconds: number
  #frames: number
  #bytes: number
  #atMs: number

  constructor(rate: Rate, burstSeconds: number, nowMs: number) {
    this.#rate = rate
    this.#burstSeconds = burstSeconds
    this.#frames = Math.max(1, rate.framesPerSecond * burstSeconds)
    this.#bytes = rate.bytesPerSecond * burstSeconds
    this.#atMs = nowMs
  }

  /** Milliseconds to wait; 0: it was taken. */
  take(bytes: number, nowMs: number): number {
    this.#refill(nowMs)
    if (this.#frames < WHOLE || this.#bytes <= 0) {
      const forFrame = (1 - this.#frames) / this.#rate.framesPerSecond
      const forBytes = (1 - this.#bytes) / this.#rate.bytesPerSecond
      return Math.max(1, Math.ceil(1000 * Math.max(forFrame, forBytes)))
    }
    this.#frames -= 1
    this.#bytes -= bytes
    return 0
  }

  #refill(nowMs: number): void {
    const seconds = Math.max(0, nowMs - this.#atMs) / 1000
    this.#atMs = nowMs
    this.#frames = Math.min(Math.max(1, this.#rate.framesPerSecond * this.#burstSeconds), this.#frames + seconds * this.#rate.framesPerSecond)
    this.#bytes = Math.min(this.#rate.bytesPerSecond * this.#burstSeconds, this.#bytes + seconds * this.#rate.bytesPerSecond)
  }
}
