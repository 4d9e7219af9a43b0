/**
 * Frames of a stream, big-endian. 0x20 to 0x23 are photon.md 9.4's; the others are ours, around them.
 *
 * | type | who | layout after the type byte | bytes |
 * | --- | --- | --- | --- |
 * | 0x20 voucher | guest | session 4, cumulative 16, tip 32, steps 4, unit 16, signature 65 | 138 |
 * | 0x21 tick | guest | session 4, index 2, preimage 32 | 39 |
 * | 0x22 tick-ack | box | session 4, index 2 | 7 |
 * | 0x23 stop | both | session 4, reason 1 | 6 |
 * | 0x24 hello | guest | payer 20 | 21 |
 * | 0x25 offer | box | session 4, challenge 32, chain id 8, contract 20, token 20, unit 16, tick seconds 2, steps 2, grace 2, deposit 16, settle timeout 4, valid until 8, signature 65 | 200 |
 * | 0x26 state | box | session 4, epoch 8, ceiling 16, owed ticks 2, held 1; if held: cumulative 16, tip 32, steps 4, unit 16, signature 65, index 2, preimage 32 | 32 or 199 |
 * | 0x27 open | guest | session 4, signature 65 | 70 |
 * | 0x28 statement | box | session 4, value 16, final 1, signature 65 | 87 |
 * | 0x29 progress | box | session 4, paid 4, served 4 (ticks of this session) | 13 |
 * | 0x2a refused | box | session 4, type 1 (of the frame), code 1 | 7 |
 *
 * Frames tell their own length, so one WebSocket message or one POST body may carry several. Runs in the browser too.
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import type { Address, Hash } from '../../base/index.ts'
import type { StreamTerms } from './terms.ts'

export interface VoucherBody {
  readonly cumulative: bigint
  readonly tip: Hash
  readonly steps: number
  readonly unit: bigint
  readonly signature: Uint8Array
}
/** The newest voucher of a channel as the box holds it, with the deepest preimage it was shown. */
export interface HeldBody extends VoucherBody {
  readonly index: number
  readonly preimage: Uint8Array
}

export type StreamFrame =
  | ({ readonly kind: 'voucher'; readonly session: number } & VoucherBody)
  | { readonly kind: 'tick'; readonly session: number; readonly index: number; readonly preimage: Uint8Array }
  | { readonly kind: 'tick-ack'; readonly session: number; readonly index: number }
  | { readonly kind: 'stop'; readonly session: number; readonly reason: number }
  | { readonly kind: 'hello'; readonly payer: Address }
  | { readonly kind: 'offer'; readonly session: number; readonly challenge: Hash; readonly terms: StreamTerms; readonly signature: Uint8Array }
  | { readonly kind: 'state'; readonly session: number; readonly epoch: bigint; readonly ceiling: bigint; readonly owedTicks: number; readonly held: HeldBody | null }
  | { readonly kind: 'open'; readonly session: number; readonly signature: Uint8Array }
  | { readonly kind: 'statement'; readonly session: number; readonly value: bigint; readonly isFinal: boolean; readonly signature: Uint8Array }
  | { readonly kind: 'progress'; readonly session: number; readonly paidTicks: number; readonly servedTicks: number }
  | { readonly kind: 'refused'; readonly session: number; readonly type: number; readonly code: number }

export type StreamFrameKind = StreamFrame['kind']

export const FRAME_TYPE: Readonly<Record<StreamFrameKind, number>> = {
  voucher: 0x20,
  tick: 0x21,
  'tick-ack': 0x22,
  stop: 0x23,
  hello: 0x24,
  offer: 0x25,
  state: 0x26,
  open: 0x27,
  statement: 0x28,
  progress: 0x29,
  refused: 0x2a,
}

/** Why a session ends; the byte of STOP. */
export const STOP = { asked: 0, deposit: 1, limit: 2, superseded: 3, closing: 4, refused: 5, idle: 6 } as const
/** Why a frame was not taken; the byte of REFUSED. */
export const REFUSAL = { noChannel: 1, expired: 2, notOpen: 3, signature: 4, cumulative: 5, ceiling: 6, terms: 7, tick: 8, deposit: 9, busy: 10 } as const

const HELD_BYTES = 167
const SIZE: Readonly<Record<number, number>> = { 0x20: 138, 0x21: 39, 0x22: 7, 0x23: 6, 0x24: 21, 0x25: 200, 0x26: 32, 0x27: 70, 0x28: 87, 0x29: 13, 0x2a: 7 }
const HELD_FLAG_AT = 31
/** What one message or POST body may hold: an hour of one-minute vouchers with their ticks. */
export const MAX_FRAMES_BYTES = 16_384

export function encodeFrame(frame: StreamFrame): Uint8Array {
  const isHeld = frame.kind === 'state' && frame.held !== null
  const out = new Writer(FRAME_TYPE[frame.kind], (SIZE[FRAME_TYPE[frame.kind]] ?? 0) + (isHeld ? HELD_BYTES : 0))
  if (frame.kind === 'hello') return out.hex(frame.payer).done()
  out.uint(frame.session, 4)
  switch (frame.kind) {
    case 'voucher':
      return out.voucher(frame).done()
    case 'tick':
      return out.uint(frame.index, 2).raw(frame.preimage).done()
    case 'tick-ack':
      return out.uint(frame.index, 2).done()
    case 'stop':
      return out.uint(frame.reason, 1).done()
    case 'offer': {
      const { terms } = frame
      out.hex(frame.challenge).big(terms.chainId, 8).hex(terms.contract).hex(terms.token).big(terms.unit, 16)
      out.uint(terms.tickSeconds, 2).uint(terms.steps, 2).uint(terms.graceTicks, 2).big(terms.minDeposit, 16)
      return out.uint(terms.settleTimeout, 4).uint(terms.validUntilSeconds, 8).raw(frame.signature).done()
    }
    case 'state':
      out.big(frame.epoch, 8).big(frame.ceiling, 16).uint(frame.owedTicks, 2).uint(isHeld ? 1 : 0, 1)
      return (frame.held === null ? out : out.voucher(frame.held).uint(frame.held.index, 2).raw(frame.held.preimage)).done()
    case 'open':
      return out.raw(frame.signature).done()
    case 'statement':
      return out.big(frame.value, 16).uint(frame.isFinal ? 1 : 0, 1).raw(frame.signature).done()
    case 'progress':
      return out.uint(frame.paidTicks, 4).uint(frame.servedTicks, 4).done()
    case 'refused':
      return out.uint(frame.type, 1).uint(frame.code, 1).done()
  }
}

/** Frames back to back. Never throws, allocates no more than `bytes` are long; null: not frames, or not whole ones. */
export function decodeFrames(bytes: Uint8Array): readonly StreamFrame[] | null {
  if (bytes.length > MAX_FRAMES_BYTES) return null
  const frames: StreamFrame[] = []
  for (let at = 0; at < bytes.length; ) {
    const rest = bytes.subarray(at)
    const fixed = SIZE[rest[0] ?? 0]
    if (fixed === undefined || rest.length < fixed) return null
    const isHeld = rest[0] === FRAME_TYPE.state && rest[HELD_FLAG_AT] === 1
    const size = fixed + (isHeld ? HELD_BYTES : 0)
    if (rest.length < size) return null
    const frame = decodeOne(rest.subarray(0, size), isHeld)
    if (frame === null) return null
    frames.push(frame)
    at += size
  }
  return frames
}

function decodeOne(bytes: Uint8Array, isHeld: boolean): StreamFrame | null {
  const read = new Reader(bytes)
  if (bytes[0] === FRAME_TYPE.hello) return { kind: 'hello', payer: read.hex(20) }
  const session = read.uint(4)
  switch (bytes[0]) {
    case FRAME_TYPE.voucher:
      return { kind: 'voucher', session, ...read.voucher() }
    case FRAME_TYPE.tick:
      return { kind: 'tick', session, index: read.uint(2), preimage: read.raw(32) }
    case FRAME_TYPE['tick-ack']:
      return { kind: 'tick-ack', session, index: read.uint(2) }
    case FRAME_TYPE.stop:
      return { kind: 'stop', session, reason: read.uint(1) }
    case FRAME_TYPE.offer:
      return readOffer(read, session)
    case FRAME_TYPE.state: {
      const [epoch, ceiling, owedTicks, flag] = [read.big(8), read.big(16), read.uint(2), read.uint(1)]
      if (flag > 1) return null
      return { kind: 'state', session, epoch, ceiling, owedTicks, held: isHeld ? { ...read.voucher(), index: read.uint(2), preimage: read.raw(32) } : null }
    }
    case FRAME_TYPE.open:
      return { kind: 'open', session, signature: read.raw(65) }
    case FRAME_TYPE.statement: {
      const [value, flag] = [read.big(16), read.uint(1)]
      return flag > 1 ? null : { kind: 'statement', session, value, isFinal: flag === 1, signature: read.raw(65) }
    }
    case FRAME_TYPE.progress:
      return { kind: 'progress', session, paidTicks: read.uint(4), servedTicks: read.uint(4) }
    case FRAME_TYPE.refused:
      return { kind: 'refused', session, type: read.uint(1), code: read.uint(1) }
    default:
      return null
  }
}

function readOffer(read: Reader, session: number): StreamFrame | null {
  const challenge = read.hex(32)
  const terms: StreamTerms = {
    chainId: read.big(8),
    contract: read.hex(20),
    token: read.hex(20),
    unit: read.big(16),
    tickSeconds: read.uint(2),
    steps: read.uint(2),
    graceTicks: read.uint(2),
    minDeposit: read.big(16),
    settleTimeout: read.uint(4),
    validUntilSeconds: read.uint(8),
  }
  if (!Number.isSafeInteger(terms.validUntilSeconds)) return null
  return { kind: 'offer', session, challenge, terms, signature: read.raw(65) }
}

class Writer {
  readonly #bytes: Uint8Array
  #at = 1

  constructor(type: number, length: number) {
    this.#bytes = new Uint8Array(length)
    this.#bytes[0] = type
  }
  uint(value: number, length: number): this {
    return this.big(BigInt(value), length)
  }
  big(value: bigint, length: number): this {
    if (value < 0n || value >> BigInt(8 * length) !== 0n) throw new RangeError(`${value} does not fit in ${length} bytes`)
    let rest = value
    for (let at = this.#at + length - 1; at >= this.#at; at--) {
      this.#bytes[at] = Number(rest & 0xffn)
      rest >>= 8n
    }
    this.#at += length
    return this
  }
  raw(bytes: Uint8Array): this {
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
    return this
  }
  hex(text: Hash): this {
    return this.raw(hexToBytes(text.slice(2)))
  }
  voucher({ cumulative, tip, steps, unit, signature }: VoucherBody): this {
    return this.big(cumulative, 16).hex(tip).uint(steps, 4).big(unit, 16).raw(signature)
  }
  /** A part of the wrong length is our own mistake, never a peer's. */
  done(): Uint8Array {
    if (this.#at !== this.#bytes.length) throw new RangeError(`frame 0x${(this.#bytes[0] ?? 0).toString(16)} has ${this.#at} bytes, not ${this.#bytes.length}`)
    return this.#bytes
  }
}

class Reader {
  readonly #bytes: Uint8Array
  #at = 1

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }
  /** A copy: the frame may outlive the buffer it came in, and Node's own `slice` makes none. */
  raw(length: number): Uint8Array {
    this.#at += length
    return new Uint8Array(this.#bytes.subarray(this.#at - length, this.#at))
  }
  big(length: number): bigint {
    return BigInt(this.hex(length))
  }
  uint(length: number): number {
    let value = 0
    for (const byte of this.raw(length)) value = value * 256 + byte
    return value
  }
  hex(length: number): Hash {
    return `0x${bytesToHex(this.raw(length))}`
  }
  voucher(): VoucherBody {
    return { cumulative: this.big(16), tip: this.hex(32), steps: this.uint(4), unit: this.big(16), signature: this.raw(65) }
  }
}
