/**
 * An RLPx connection after its handshake: whole messages in and out, pings answered, every length bounded
 * before it is allocated, large work in pieces.
 */
import { asError, concatBytes, inputError } from '../../../base/index.ts'
import type { Clock, Timers } from '../../../base/index.ts'
import { Allowance } from '../allowance.ts'
import { ALL_MESSAGES, FREE_MESSAGE_BYTES, MAX_MESSAGE_BYTES } from '../limits.ts'
import type { Message } from '../eth63.ts'
import type { ReceiveBudget } from '../receive-budget.ts'
import { BASE_CODE, CAPABILITY_OFFSET, DISCONNECT, EMPTY_PAYLOAD, MAX_BASE_BYTES, decodeDisconnect, encodeDisconnect } from './base-protocol.ts'
import type { DisconnectCode } from './base-protocol.ts'
import { FRAME_HEADER_BYTES, FRAME_MAC_BYTES, FrameReader, FrameWriter, paddedBytes } from './frame.ts'
import type { Secrets } from './handshake.ts'
import { Unpacking, pack, packBlocks, readLength, unpack } from './snappy.ts'
import { closedError } from './wire.ts'
import type { ByteStream, Wire } from './wire.ts'

/** How much is encrypted and hashed in one turn of the event loop: the running Keccak is the slow part, in JavaScript. */
const CIPHER_BYTES = 16 * 1024
/** How much is packed or unpacked in one turn. */
const STEP_BYTES = 64 * 1024
const MESSAGES_A_TURN = 8
/** How long a Disconnect may take to get out. */
const LINGER_MS = 2_000

export interface SessionParts {
  readonly wire: Wire
  readonly stream: ByteStream
  readonly secrets: Secrets
  readonly budget: ReceiveBudget
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly timers: Timers
}

export class RlpxSession {
  readonly #parts: SessionParts
  readonly #reader: FrameReader
  readonly #writer: FrameWriter
  readonly #outbox: { readonly code: number; readonly payload: Uint8Array; readonly isPacked: boolean; readonly done: () => void; readonly failed: (error: Error) => void }[] = []
  #isSnappy = false
  #isWriting = false
  #isClosed = false
  #outboxBytes = 0
  #reserved = 0
  #readSinceMs: number | null = null
  #writeSinceMs: number | null = null
  #heardAtMs: number
  #messages = 0
  readonly #allowance: Allowance

  constructor(parts: SessionParts) {
    this.#parts = parts
    this.#reader = new FrameReader(parts.secrets)
    this.#writer = new FrameWriter(parts.secrets)
    this.#heardAtMs = parts.clock.boottimeMs()
    this.#allowance = new Allowance(ALL_MESSAGES, this.#heardAtMs)
  }

  get remoteId(): Uint8Array {
    return this.#parts.secrets.remoteId
  }
  get isClosed(): boolean {
    return this.#isClosed
  }
  /** Bytes that wait to be written. */
  get outboxBytes(): number {
    return this.#outboxBytes
  }
  /** Since when a message has begun, has its room and is not there; null: none. Waiting for room does not count. */
  get readingSinceMs(): number | null {
    return this.#readSinceMs
  }
  /** Since when the other side has not taken a message; null: none. */
  get writingSinceMs(): number | null {
    return this.#writeSinceMs
  }
  get heardAtMs(): number {
    return this.#heardAtMs
  }

  startSnappy(): void {
    this.#isSnappy = true
  }

  /**
   * The next message of the base protocol or of eth/63 (its code without the offset, `isBase` false). Pings are
   * answered in here. `mostBytes`: the largest payload of an eth message by its code; undefined refuses it.
   * Errors: input: the other side broke the protocol; unavailable `source-closed`: it ended.
   */
  async read(mostBytes: (code: number) => number | undefined): Promise<Message & { readonly isBase: boolean }> {
    for (;;) {
      this.#release()
      // Many small messages come in one piece of the wire: without this, one turn would do them all.
      if (++this.#messages % MESSAGES_A_TURN === 0) await this.#turn()
      const message = await this.#readOne(mostBytes)
      this.#heardAtMs = this.#parts.clock.boottimeMs()
      if (!this.#allowance.take(1, this.#heardAtMs)) throw inputError('messages', `more than ${ALL_MESSAGES.perSecond} a second`, 'fewer')
      if (!message.isBase || message.code === BASE_CODE.hello) return message
      if (message.code === BASE_CODE.ping) await this.#queue(BASE_CODE.pong, EMPTY_PAYLOAD)
      else if (message.code === BASE_CODE.disconnect) throw closedError(`the other side said ${reasonOf(decodeDisconnect(message.payload))}`)
      else if (message.code !== BASE_CODE.pong) throw inputError('message', message.code, 'a message of the base protocol')
    }
  }

  /** Resolves when the wire has taken it. Errors: unavailable `source-closed`. */
  send(message: Message): Promise<void> {
    return this.#queue(CAPABILITY_OFFSET + message.code, message.payload)
  }
  sendBase(code: number, payload: Uint8Array): Promise<void> {
    return this.#queue(code, payload)
  }
  ping(): void {
    this.#queue(BASE_CODE.ping, EMPTY_PAYLOAD).catch(() => undefined) // a closed session is noticed by its reader
  }

  /** Says why, if that goes through soon, and closes. */
  close(code: DisconnectCode | null): void {
    if (this.#isClosed) return
    const { wire, timers } = this.#parts
    if (code === null) return this.#shut()
    this.#queue(BASE_CODE.disconnect, encodeDisconnect(code)).then(
      () => wire.end(),
      () => wire.destroy(),
    )
    this.#isClosed = true
    this.#release()
    timers.after(LINGER_MS, () => this.#shut())
  }

  #shut(): void {
    this.#isClosed = true
    this.#release()
    this.#parts.wire.destroy()
    for (const waiting of this.#outbox.splice(0)) waiting.failed(closedError('by us'))
  }

  async #readOne(mostBytes: (code: number) => number | undefined): Promise<Message & { readonly isBase: boolean }> {
    const { stream, clock } = this.#parts
    const size = this.#reader.header(await stream.exactly(FRAME_HEADER_BYTES))
    const padded = paddedBytes(size)
    // The first block tells which message it is: its bound is known before room is made for the rest.
    const first = this.#reader.data(await stream.exactly(16))
    const code = codeOf(first[0] ?? 0)
    const isBase = code < CAPABILITY_OFFSET
    const most = isBase ? MAX_BASE_BYTES : mostBytes(code - CAPABILITY_OFFSET)
    if (most === undefined) throw inputError('message', code, 'a message of eth/63 that is expected now')
    if (size - 1 > packedMost(most)) throw inputError('message', `${size} bytes of message ${code}`, `at most ${packedMost(most)}`)
    // What it unpacks to counts as well, and both are asked for at once: whoever held one and waited for the other could wait for ever.
    const unpacked = this.#isSnappy && !isBase ? readLength(first.subarray(1, size)).length : 0
    if (unpacked > most) throw inputError('message', `${unpacked} bytes of message ${code}`, `at most ${most}`)
    await this.#reserve(size + unpacked)
    this.#readSinceMs = clock.boottimeMs()
    const data = new Uint8Array(padded)
    data.set(first)
    for (let filled = first.length; filled < padded; ) {
      const piece = this.#reader.data(await stream.some(Math.min(CIPHER_BYTES, padded - filled)))
      data.set(piece, filled)
      filled += piece.length
      if (piece.length === CIPHER_BYTES) await this.#turn()
    }
    this.#reader.end(await stream.exactly(FRAME_MAC_BYTES))
    const payload = await this.#payload(data.subarray(1, size), code, most)
    this.#readSinceMs = null
    return { code: isBase ? code : code - CAPABILITY_OFFSET, payload, isBase }
  }

  async #payload(packed: Uint8Array, code: number, most: number): Promise<Uint8Array> {
    if (!this.#isSnappy) {
      if (packed.length > most) throw inputError('message', `${packed.length} bytes of message ${code}`, `at most ${most}`)
      return packed
    }
    if (code < CAPABILITY_OFFSET) {
      // Some say goodbye without packing it.
      if (code === BASE_CODE.disconnect && packed.length <= 2 && (packed[0] ?? 0) >= 0x80) return packed
      if (code === BASE_CODE.disconnect && packed.length === 1) return packed
      return unpack(packed, most)
    }
    const unpacking = new Unpacking(packed, most)
    for (;;) {
      const whole = unpacking.step(STEP_BYTES)
      if (whole !== null) return whole
      await this.#turn()
    }
  }

  async #reserve(bytes: number): Promise<void> {
    if (bytes <= FREE_MESSAGE_BYTES) return
    await this.#parts.budget.reserve(bytes)
    this.#reserved += bytes
    if (this.#isClosed) {
      this.#release()
      throw closedError('by us')
    }
  }

  #release(): void {
    this.#parts.budget.release(this.#reserved)
    this.#reserved = 0
  }

  #queue(code: number, payload: Uint8Array): Promise<void> {
    if (this.#isClosed) return Promise.reject(closedError('by us'))
    const isPacked = this.#isSnappy
    return new Promise((done, failed) => {
      this.#outbox.push({ code, payload, isPacked, done, failed })
      this.#outboxBytes += payload.length + 1
      if (!this.#isWriting) void this.#write()
    })
  }

  /** One message after the other, in pieces; waits where the wire is full. */
  async #write(): Promise<void> {
    this.#isWriting = true
    for (let next = this.#outbox.shift(); next !== undefined; next = this.#outbox.shift()) {
      this.#writeSinceMs = this.#parts.clock.boottimeMs()
      try {
        await this.#writeFrame(next.code, next.isPacked ? await this.#pack(next.payload) : [next.payload])
        next.done()
      } catch (thrown) {
        next.failed(asError(thrown))
      }
      this.#outboxBytes -= next.payload.length + 1
    }
    this.#writeSinceMs = null
    this.#isWriting = false
  }

  async #writeFrame(code: number, payload: readonly Uint8Array[]): Promise<void> {
    const { wire } = this.#parts
    const data = [Uint8Array.of(code === 0 ? 0x80 : code), ...payload]
    const size = data.reduce((sum, piece) => sum + piece.length, 0)
    if (size <= CIPHER_BYTES) return wire.write(concatBytes(this.#writer.header(size), this.#writer.data(concatBytes(...data)), this.#writer.end()))
    await wire.write(this.#writer.header(size))
    for (const piece of data)
      for (let from = 0; from < piece.length; from += CIPHER_BYTES) {
        await wire.write(this.#writer.data(piece.subarray(from, from + CIPHER_BYTES)))
        await this.#turn()
      }
    await wire.write(this.#writer.end())
  }

  async #pack(payload: Uint8Array): Promise<Uint8Array[]> {
    if (payload.length <= STEP_BYTES) return [pack(payload)]
    const blocks: Uint8Array[] = []
    for (const block of packBlocks(payload)) {
      blocks.push(block)
      await this.#turn()
    }
    return blocks
  }

  /** Lets others have their turn. */
  #turn(): Promise<void> {
    return new Promise((resolve) => this.#parts.timers.after(0, resolve))
  }
}

function codeOf(byte: number): number {
  if (byte === 0x80) return 0
  if (byte === 0 || byte > 0x7f) throw inputError('message', `a code of ${byte}`, 'a code from 0 to 127')
  return byte
}

/** Snappy makes what does not pack longer by a sixth at most. */
function packedMost(most: number): number {
  return Math.min(most + Math.ceil(most / 6) + 32, MAX_MESSAGE_BYTES + Math.ceil(MAX_MESSAGE_BYTES / 6) + 32)
}

function reasonOf(code: number | null): string {
  return Object.entries(DISCONNECT).find(([, value]) => value === code)?.[0] ?? `goodbye (${code ?? 'no code'})`
}
