/**
 * Frames of a payment by the second (9.4), big-endian, between the guest's page and the box:
 *
 * | frame | layout | bytes |
 * |---|---|---|
 * | VOUCHER 0x20 | type 1 ‖ session 4 ‖ cumulative 16 ‖ tip 32 ‖ steps 4 ‖ unit 16 ‖ signature 65 | 138 |
 * | TICK 0x21 | type 1 ‖ session 4 ‖ index 2 ‖ preimage 32 | 39 |
 * | TICKACK 0x22 | type 1 ‖ session 4 ‖ index 2 | 7 |
 * | STOP 0x23 | type 1 ‖ session 4 ‖ reason 1 | 6 |
 *
 * Runs in a browser: nothing of Node is used. Channel and epoch are the session's; they enter the voucher's digest
 * (`voucherDigest`), not the frame.
 */
import { inputError } from '../../base/errors.ts'
import type { Hash } from '../../base/hex.ts'
import { SIGNATURE_BYTES, hasLowS, hasPlainV } from './bounds.ts'
import { ByteWriter } from './byte-writer.ts'
import { readHex } from './hex-digits.ts'

const VOUCHER = 0x20
const TICK = 0x21
const TICK_ACK = 0x22
const STOP = 0x23

export const VOUCHER_FRAME_BYTES = 138
export const TICK_FRAME_BYTES = 39
export const TICK_ACK_FRAME_BYTES = 7
export const STOP_FRAME_BYTES = 6

export interface VoucherFrame {
  readonly kind: 'voucher'
  readonly session: number
  readonly cumulative: bigint
  readonly tip: Hash
  readonly steps: number
  readonly unit: bigint
  readonly signature: Uint8Array
}

export type StreamFrame =
  | VoucherFrame
  | { readonly kind: 'tick'; readonly session: number; readonly index: number; readonly preimage: Uint8Array }
  | { readonly kind: 'tick-ack'; readonly session: number; readonly index: number }
  | { readonly kind: 'stop'; readonly session: number; readonly reason: number }

const SIZE_OF: ReadonlyMap<number, number> = new Map([
  [VOUCHER, VOUCHER_FRAME_BYTES],
  [TICK, TICK_FRAME_BYTES],
  [TICK_ACK, TICK_ACK_FRAME_BYTES],
  [STOP, STOP_FRAME_BYTES],
])

/** Errors: input, naming the field. */
export function encodeStreamFrame(frame: StreamFrame): Uint8Array {
  const out = new ByteWriter(VOUCHER_FRAME_BYTES)
  if (frame.kind === 'voucher') {
    if (!isSignature(frame.signature)) throw inputError('signature', `${frame.signature.length} bytes`, 'r, s, v: 65 bytes, v 27 or 28, low s')
    out.u8(VOUCHER, 'type').u32(frame.session, 'session').u128(frame.cumulative, 'cumulative').hash(frame.tip, 'tip')
    out.u32(frame.steps, 'steps').u128(frame.unit, 'unit').bytes(frame.signature)
  } else if (frame.kind === 'tick') out.u8(TICK, 'type').u32(frame.session, 'session').u16(frame.index, 'index').exactly(frame.preimage, 32, 'preimage')
  else if (frame.kind === 'tick-ack') out.u8(TICK_ACK, 'type').u32(frame.session, 'session').u16(frame.index, 'index')
  else out.u8(STOP, 'type').u32(frame.session, 'session').u8(frame.reason, 'reason')
  return out.copy()
}

/** Never throws. Copies what it keeps. */
export function decodeStreamFrame(bytes: Uint8Array): StreamFrame | { readonly refused: string } {
  const type = bytes[0]
  const size = type === undefined ? undefined : SIZE_OF.get(type)
  if (size === undefined) return { refused: bytes.length === 0 ? 'empty' : `type ${type} is no stream frame` }
  if (bytes.length !== size) return { refused: `${bytes.length} bytes, not ${size}` }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const session = view.getUint32(1)
  if (type === TICK) return { kind: 'tick', session, index: view.getUint16(5), preimage: new Uint8Array(bytes.subarray(7)) }
  if (type === TICK_ACK) return { kind: 'tick-ack', session, index: view.getUint16(5) }
  if (type === STOP) return { kind: 'stop', session, reason: view.getUint8(5) }
  const signature = new Uint8Array(bytes.subarray(73))
  if (!isSignature(signature)) return { refused: 'signature: v is not 27 or 28, or high s' }
  return { kind: 'voucher', session, cumulative: u128(view, 5), tip: readHex(bytes, 21, 32), steps: view.getUint32(53), unit: u128(view, 57), signature }
}

function isSignature(signature: Uint8Array): boolean {
  return signature.length === SIGNATURE_BYTES && hasPlainV(signature) && hasLowS(signature)
}

function u128(view: DataView, at: number): bigint {
  return (view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8)
}
