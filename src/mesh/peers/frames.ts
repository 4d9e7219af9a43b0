/**
 * Frames in a stream of bytes: a varint length (7 bits a byte, least significant first, one way only to write it), then
 * that many bytes. A length is compared with the protocol's limit before anything is kept for it, and what is kept grows
 * with the bytes that came, never with the length that was claimed.
 */
import { inputError } from '../../base/index.ts'

/** Four bytes of prefix: 2^28 - 1. Protocols stay far below. */
const MAX_PREFIX_BYTES = 4
export const MAX_FRAME_LIMIT = 2 ** 20

/** All frames in one piece, to be written at once. Errors: input `frame`, for one that is empty or too long. */
export function joinFrames(frames: readonly Uint8Array[], maxFrameBytes: number): Uint8Array {
  let length = 0
  for (const frame of frames) {
    if (frame.length === 0 || frame.length > maxFrameBytes) throw inputError('frame', `${frame.length} bytes`, `1 to ${maxFrameBytes} bytes`)
    length += prefixBytes(frame.length) + frame.length
  }
  const out = new Uint8Array(length)
  let at = 0
  for (const frame of frames) {
    for (let left = frame.length; ; left >>>= 7) {
      out[at++] = left < 0x80 ? left : 0x80 | (left & 0x7f)
      if (left < 0x80) break
    }
    out.set(frame, at)
    at += frame.length
  }
  return out
}

export function prefixBytes(length: number): number {
  return length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : 4
}

/** Takes the stream apart again. Frames are windows on what is held; who keeps one for long copies it. */
export class FrameReader {
  readonly #maxFrameBytes: number
  #bytes: Uint8Array = new Uint8Array(0)
  #start = 0
  #end = 0
  /** Whether there is room of ours behind `#end`. */
  #isOwn = false

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Bytes that came and were not taken as frames yet. */
  get heldBytes(): number {
    return this.#end - this.#start
  }

  push(chunk: Uint8Array): void {
    const held = this.heldBytes
    if (held === 0) {
      // A Buffer's slice() would share the socket's memory; from here on there are none.
      this.#bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      this.#start = 0
      this.#end = chunk.length
      this.#isOwn = false
      return
    }
    if (!this.#isOwn || this.#end + chunk.length > this.#bytes.length) {
      // Twice what came: a frame that arrives byte by byte is copied a few times, not thousands of times.
      const grown = new Uint8Array(2 * (held + chunk.length))
      grown.set(this.#bytes.subarray(this.#start, this.#end))
      this.#bytes = grown
      this.#start = 0
      this.#end = held
      this.#isOwn = true
    }
    this.#bytes.set(chunk, this.#end)
    this.#end += chunk.length
  }

  /** The next whole frame, or null. Errors: input `frame`, when the stream makes no sense; nothing follows after that. */
  next(): Uint8Array | null {
    let length = 0
    for (let i = 0; i < MAX_PREFIX_BYTES; i++) {
      if (this.#start + i >= this.#end) return null
      const byte = this.#bytes[this.#start + i] ?? 0
      length |= (byte & 0x7f) << (7 * i)
      if (byte >= 0x80) continue
      if (length === 0 || length > this.#maxFrameBytes || (i > 0 && byte === 0)) throw inputError('frame', `${length} bytes`, `1 to ${this.#maxFrameBytes} bytes, their number written shortest`)
      const from = this.#start + i + 1
      if (from + length > this.#end) return null
      this.#start = from + length
      return this.#bytes.subarray(from, from + length)
    }
    throw inputError('frame', 'a long prefix', `1 to ${this.#maxFrameBytes} bytes`)
  }
}
