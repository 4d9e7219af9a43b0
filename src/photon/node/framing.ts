/**
 * Frames in a stream of bytes (photon.md 9.5): a varint length (7 bits a byte, least significant first, as libp2p writes
 * it), then that many bytes. A peer's length is looked at before anything is kept for it.
 */
import { inputError } from '../../base/index.ts'

/** photon.md 2.1; room for an original packet with its longest path. */
export const MAX_FRAME_BYTES = 1200
/** 1200 fits in two. */
const MAX_PREFIX_BYTES = 2

/** All frames in one piece, to be written at once. Errors: input `frame`, for one that is empty or too long. */
export function joinFrames(frames: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const frame of frames) length += frame.length + prefixBytes(frame.length)
  const out = new Uint8Array(length)
  let at = 0
  for (const frame of frames) {
    if (frame.length < 0x80) out[at++] = frame.length
    else {
      out[at++] = 0x80 | (frame.length & 0x7f)
      out[at++] = frame.length >> 7
    }
    out.set(frame, at)
    at += frame.length
  }
  return out
}

function prefixBytes(length: number): number {
  if (length === 0 || length > MAX_FRAME_BYTES) throw inputError('frame', `${length} bytes`, `1 to ${MAX_FRAME_BYTES} bytes`)
  return length < 0x80 ? 1 : 2
}

/**
 * Takes the stream apart again. Frames are views of the chunks they came in; who keeps one copies it. Holds back at most
 * one unfinished frame.
 */
export class FrameReader {
  #rest: Uint8Array | null = null
  #isRefused = false

  /** The frames that are whole now, or why the stream makes no sense; after that, always the same. */
  push(chunk: Uint8Array): readonly Uint8Array[] | { readonly refused: string } {
    if (this.#isRefused) return { refused: 'the stream made no sense before' }
    // A Buffer's slice() would share the socket's memory; from here on there are none.
    const plain = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const bytes = this.#rest === null ? plain : joined(this.#rest, plain)
    this.#rest = null
    const frames: Uint8Array[] = []
    let at = 0
    while (at < bytes.length) {
      const prefix = readPrefix(bytes, at)
      if (prefix === 'unfinished') break
      if (prefix === 'refused') {
        this.#isRefused = true
        return { refused: `a frame of no or of more than ${MAX_FRAME_BYTES} bytes` }
      }
      const end = prefix.start + prefix.length
      if (end > bytes.length) break
      frames.push(bytes.subarray(prefix.start, end))
      at = end
    }
    if (at < bytes.length) this.#rest = bytes.slice(at)
    return frames
  }
}

function readPrefix(bytes: Uint8Array, at: number): { readonly start: number; readonly length: number } | 'unfinished' | 'refused' {
  let length = 0
  for (let i = 0; i < MAX_PREFIX_BYTES; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) return 'unfinished'
    length |= (byte & 0x7f) << (7 * i)
    if (byte >= 0x80) continue
    // One way only to write a length: no second byte of zero.
    return length === 0 || length > MAX_FRAME_BYTES || (i > 0 && byte === 0) ? 'refused' : { start: at + i + 1, length }
  }
  return 'refused'
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length)
  out.set(a)
  out.set(b, a.length)
  return out
}
