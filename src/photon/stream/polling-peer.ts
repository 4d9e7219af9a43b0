/**
 * A guest whose browser has no WebSocket: he posts his frames and takes what waits for him with the answer. Bounded: a
 * guest who never asks loses the oldest, and the frames that matter are sent again when he asks again.
 */
import { MAX_FRAMES_BYTES } from './frames.ts'
import type { StreamPeer } from './payee/index.ts'

export class PollingPeer implements StreamPeer {
  readonly device: string
  readonly #waiting: Uint8Array[] = []
  #bytes = 0

  constructor(device: string) {
    this.device = device
  }

  send(frames: Uint8Array): void {
    this.#waiting.push(frames)
    this.#bytes += frames.length
    while (this.#bytes > MAX_FRAMES_BYTES) this.#bytes -= this.#waiting.shift()?.length ?? this.#bytes
  }

  /** Everything since the last time, back to back: the body of the answer. */
  take(): Uint8Array {
    const out = new Uint8Array(this.#bytes)
    let at = 0
    for (const frames of this.#waiting.splice(0)) {
      out.set(frames, at)
      at += frames.length
    }
    this.#bytes = 0
    return out
  }
}
