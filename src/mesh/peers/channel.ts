/**
 * One protocol's stream with one peer. Inwards: frames are taken apart and handed on no faster than the protocol allows and
 * never for longer than a slice of a turn; what comes faster stays in the network, and tells against the peer. Outwards:
 * frames of one loop turn leave as one write, no faster than the partner must take; what waits is bounded.
 */
import { asError } from '../../base/index.ts'
import type { Cancel, Clock, Timers } from '../../base/index.ts'
import type { PeerProtocol } from '../ports.ts'
import { Allowance, RECEIVE_BURST_SECONDS, SEND_BURST_SECONDS, SEND_SHARE } from './allowance.ts'
import { FrameReader, joinFrames, prefixBytes } from './frames.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { StreamEnds, WireStream } from './wire.ts'

/** A frame that was begun is finished in this time and that for its length at SLOWEST_BYTES_PER_MS, or the peer drips. */
export const FRAME_TIMEOUT_MS = 30_000
const SLOWEST_BYTES_PER_MS = 4
/** What waits for a peer moves within this time, or it does not read. */
export const STALL_MS = 30_000
/** For being faster than the protocol allows, each second of it. */
export const FLOOD_POINTS = 5
const FLOOD_EVERY_MS = 1000
/** After so long: a link that stood still brings much at once, and nobody is to blame. */
export const FLOOD_GRACE_MS = 30_000
const HOARDER_POINTS = 20
const DRIP_POINTS = 10
const MALFORMED_POINTS = 20
/** Frames are handed on for so long, then others have their turn. */
const SLICE_MS = 10
/** Given to the stream and not gone: more waits on our side, where it is counted. */
const HIGH_WATER_BYTES = 32 * 1024
/** A held stream is not taken up again for single bytes. */
const SHORTEST_HOLD_MS = 20

export interface ChannelOwner {
  onFrame(frame: Uint8Array): void
  /** It goes on. */
  onBreach(points: number, reason: string): void
  /** The stream is worth nothing any more; told once. `points` 0: it is nobody's fault. */
  onEnd(points: number, reason: string): void
}

export interface ChannelTools {
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly timers: Timers
  readonly budget: MemoryBudget
}

export class Channel implements StreamEnds {
  readonly protocol: PeerProtocol
  readonly #stream: WireStream
  readonly #owner: ChannelOwner
  readonly #tools: ChannelTools
  readonly #reader: FrameReader
  readonly #received: Allowance
  readonly #sent: Allowance
  #outgoing: Uint8Array[] = []
  #outgoingBytes = 0
  /** Of `budget.written`, what is ours. */
  #counted = 0
  #isFlushing = false
  #isEnded = false
  #isPaused = false
  #isHeldByConsumer = false
  /** A frame that was taken from the reader when it was not allowed yet. */
  #waiting: Uint8Array | null = null
  /** Since when more came than was allowed, without a pause. */
  #behindSinceMs: number | null = null
  #floodToldMs = Number.NEGATIVE_INFINITY
  #cancelHold: Cancel | null = null
  #cancelPace: Cancel | null = null
  #cancelStall: Cancel | null = null
  #cancelFrame: Cancel | null = null

  constructor(protocol: PeerProtocol, stream: WireStream, owner: ChannelOwner, tools: ChannelTools) {
    this.protocol = protocol
    this.#stream = stream
    this.#owner = owner
    this.#tools = tools
    this.#reader = new FrameReader(protocol.maxFrameBytes)
    const rate = { framesPerSecond: protocol.maxFramesPerSecond, bytesPerSecond: protocol.maxBytesPerSecond }
    this.#received = new Allowance(rate, RECEIVE_BURST_SECONDS, tools.clock.boottimeMs())
    const ours = { framesPerSecond: SEND_SHARE * rate.framesPerSecond, bytesPerSecond: SEND_SHARE * rate.bytesPerSecond }
    this.#sent = new Allowance(ours, SEND_BURST_SECONDS, tools.clock.boottimeMs())
    tools.budget.add(this)
  }

  /** The frame must not be changed afterwards. False: it is closed, or so much waits already. Errors: input `frame`, for one that is empty or too long. */
  send(frame: Uint8Array): boolean {
    if (this.#isEnded) return false
    const { maxQueuedBytes, maxFrameBytes } = this.protocol
    const written = prefixBytes(frame.length) + frame.length
    if (frame.length === 0 || frame.length > maxFrameBytes) joinFrames([frame], maxFrameBytes)
    const queued = this.queuedBytes() + written
    if (queued > maxQueuedBytes || !this.#tools.budget.hasRoomFor(queued)) return false
    this.#outgoing.push(frame)
    this.#outgoingBytes += written
    this.#account()
    if (this.#outgoing.length === 1) queueMicrotask(() => this.#flush())
    return true
  }

  /** What waits for the peer. */
  queuedBytes(): number {
    return this.#outgoingBytes + (this.#isEnded ? 0 : this.#stream.queuedBytes())
  }

  /** What the peer makes us keep. */
  heldBytes(): number {
    return this.#reader.heldBytes + (this.#isEnded ? 0 : this.#stream.unreadBytes())
  }

  /** The consumer cannot keep up: frames stay in the network. What was read already stays here. */
  pause(): void {
    this.#isHeldByConsumer = true
    this.#hold()
  }

  resume(): void {
    if (!this.#isHeldByConsumer) return
    this.#isHeldByConsumer = false
    this.#drain()
  }

  onBytes(bytes: Uint8Array): void {
    if (this.#isEnded) return
    this.#reader.push(bytes)
    if (!this.#isPaused) this.#drain()
  }

  onDrained(): void {
    if (this.#isEnded) return
    this.#stopStallClock()
    this.#flush()
    this.#account()
  }

  onClosed(): void {
    this.end(0, 'it was closed')
  }

  /** It holds more than others where all together hold too much. Not its fault while our consumer rests. */
  evict(heldBytes: number): void {
    this.end(this.#isHeldByConsumer ? 0 : HOARDER_POINTS, `${this.protocol.name}: ${heldBytes} bytes of it wait here`)
  }

  /** Closed from our side when it was not closed yet. */
  end(points: number, reason: string): void {
    if (this.#isEnded) return
    this.#isEnded = true
    for (const cancel of [this.#cancelHold, this.#cancelPace, this.#cancelStall, this.#cancelFrame]) cancel?.()
    this.#outgoing = []
    this.#outgoingBytes = 0
    this.#account()
    this.#tools.budget.remove(this)
    this.#stream.abort(reason)
    this.#owner.onEnd(points, reason)
  }

  #drain(): void {
    const { clock } = this.#tools
    const untilMs = clock.boottimeMs() + SLICE_MS
    try {
      while (!this.#isEnded && !this.#isHeldByConsumer) {
        const frame = this.#waiting ?? this.#reader.next()
        this.#waiting = frame
        if (frame === null) return this.#goOn()
        const now = clock.boottimeMs()
        if (now > untilMs) return this.#holdFor(0)
        const waitMs = this.#received.take(frame.length, now)
        if (waitMs > 0) return this.#slowDown(waitMs, now)
        this.#waiting = null
        this.#stopFrameClock()
        this.#owner.onFrame(frame)
      }
    } catch (thrown) {
      // Decoders throw what a peer may have caused; so the stream ends, and not the service.
      this.end(MALFORMED_POINTS, asError(thrown).message)
    }
  }

  #goOn(): void {
    if (this.#stream.unreadBytes() === 0) this.#behindSinceMs = null
    this.#release()
    if (this.#reader.heldBytes > 0) this.#startFrameClock()
  }

  #slowDown(waitMs: number, now: number): void {
    this.#holdFor(Math.max(SHORTEST_HOLD_MS, waitMs))
    this.#behindSinceMs ??= now
    if (now - this.#behindSinceMs < FLOOD_GRACE_MS || now - this.#floodToldMs < FLOOD_EVERY_MS) return
    this.#floodToldMs = now
    this.#owner.onBreach(FLOOD_POINTS, `${this.protocol.name}: faster than ${this.protocol.maxFramesPerSecond} frames or ${this.protocol.maxBytesPerSecond} bytes a second`)
  }

  #holdFor(waitMs: number): void {
    this.#hold()
    this.#cancelHold?.()
    this.#cancelHold = this.#tools.timers.after(waitMs, () => {
      this.#cancelHold = null
      this.#drain()
    })
  }

  #hold(): void {
    if (this.#isPaused || this.#isEnded) return
    this.#isPaused = true
    this.#stopFrameClock()
    this.#stream.pause()
  }

  #release(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#stream.resume() // may bring bytes at once
  }

  #startFrameClock(): void {
    const limitMs = frameTimeoutMs(this.protocol)
    this.#cancelFrame ??= this.#tools.timers.after(limitMs, () => this.end(DRIP_POINTS, `${this.protocol.name}: a frame took longer than ${limitMs} ms`))
  }

  #stopFrameClock(): void {
    this.#cancelFrame?.()
    this.#cancelFrame = null
  }

  #flush(): void {
    if (this.#isEnded || this.#isFlushing || this.#cancelPace !== null) return
    this.#isFlushing = true
    try {
      while (this.#outgoing.length > 0 && this.#stream.queuedBytes() < HIGH_WATER_BYTES) {
        const waitMs = this.#writeSome()
        if (waitMs === 0) continue
        this.#cancelPace = this.#tools.timers.after(waitMs, () => {
          this.#cancelPace = null
          this.#flush()
        })
        break
      }
    } finally {
      this.#isFlushing = false
    }
    this.#account()
    this.#watchStall()
  }

  /** Returns how long to wait before the next one. */
  #writeSome(): number {
    const now = this.#tools.clock.boottimeMs()
    let [count, bytes, waitMs] = [0, 0, 0]
    for (const frame of this.#outgoing) {
      if (bytes >= HIGH_WATER_BYTES) break
      waitMs = this.#sent.take(frame.length, now)
      if (waitMs > 0) break
      count += 1
      bytes += prefixBytes(frame.length) + frame.length
    }
    if (count > 0) {
      const frames = this.#outgoing.splice(0, count)
      this.#outgoingBytes -= bytes
      this.#stream.write(joinFrames(frames, this.protocol.maxFrameBytes))
    }
    return waitMs
  }

  /** A peer that takes nothing for long has gone, or wants our memory. */
  #watchStall(): void {
    if (this.#isEnded || this.#stream.queuedBytes() === 0) return this.#stopStallClock()
    this.#cancelStall ??= this.#tools.timers.after(STALL_MS, () => this.end(0, `${this.protocol.name}: it did not read for ${STALL_MS} ms`))
  }

  #stopStallClock(): void {
    this.#cancelStall?.()
    this.#cancelStall = null
  }

  #account(): void {
    const queued = this.queuedBytes()
    this.#tools.budget.change(queued - this.#counted)
    this.#counted = queued
  }
}

export function frameTimeoutMs({ maxFrameBytes }: PeerProtocol): number {
  return FRAME_TIMEOUT_MS + Math.ceil(maxFrameBytes / SLOWEST_BYTES_PER_MS)
}
