/** How one message lies in bytes in one profile, and the parts that several messages share. */
import { fromUtf8, inputError, utf8 } from '../../base/index.ts'
import type { Hash } from '../../base/index.ts'
import type { Message } from '../ports.ts'
import { MAX_REASON_BYTES, SIGNATURE_BYTES, hasLowS, hasPlainV, isAbsent } from './bounds.ts'
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'

/** Second byte of every v2 frame. */
export const FRAME_VERSION = 2

/**
 * What the signature at the end covers. `envelope`: the balance proof, with the hash of the bytes before it as
 * extra. `disposed`: the proof that a lock was given up, likewise. `frame`: those bytes themselves. `nothing`: there is none.
 */
export type SignedAs = 'envelope' | 'disposed' | 'frame' | 'nothing'

/** `write` and `read` handle what stands between header and signature. */
export interface Layout<M extends Message = Message> {
  readonly kind: M['kind']
  /** First byte. v1: the command; v2: from 0x40. */
  readonly type: number
  /** v1: the header's version field; v2: FRAME_VERSION. */
  readonly version: number
  readonly signedAs: SignedAs
  /** Errors: input, naming the field. */
  write(out: ByteWriter, message: M): void
  /** Never throws: `from.refusal` says whether the answer means anything. */
  read(from: ByteReader): M
}

export type MessageOf<K extends Message['kind']> = Extract<Message, { kind: K }>

/** A field that v1 has no place for. Errors: input. */
export function absentInV1(value: unknown, field: string): void {
  if (value !== null) throw inputError(field, value, 'null: v1 packets have no place for it')
}

/** A field that v2 always has. Errors: input. */
export function presentInV2<T>(value: T | null, field: string): T {
  if (value === null) throw inputError(field, null, 'a value: v2 frames always carry it')
  return value
}

/** 0, or 1 and the 32 bytes. */
export function writeOptionalHash(out: ByteWriter, value: Hash | null, field: string): void {
  if (value === null) out.u8(0, field)
  else out.u8(1, field).hash(value, field)
}

export function readOptionalHash(from: ByteReader, field: string): Hash | null {
  const mark = from.u8()
  if (mark > 1) from.refuse(`${field}: marked ${mark}, neither absent (0) nor present (1)`)
  return mark === 1 ? from.hash() : null
}

/** code i32 ‖ length (v1: i32, v2: u16) ‖ UTF-8. Errors: input `reason` above 256 bytes or not text. */
export function writeReason(out: ByteWriter, code: number, reason: string, lengthBytes: 2 | 4): void {
  const bytes = utf8(reason)
  if (bytes.length > MAX_REASON_BYTES) throw inputError('reason', `${bytes.length} bytes`, `at most ${MAX_REASON_BYTES} bytes of UTF-8`)
  if (fromUtf8(bytes, 'reason') !== reason) throw inputError('reason', reason, 'text without half surrogates')
  out.i32(code, 'code')
  if (lengthBytes === 4) out.i32(bytes.length, 'reason')
  else out.u16(bytes.length, 'reason')
  out.bytes(bytes)
}

export function readReason(from: ByteReader, lengthBytes: 2 | 4): { readonly code: number; readonly reason: string } {
  const code = from.i32()
  const length = lengthBytes === 4 ? from.i32() : from.u16()
  return { code, reason: from.text(length, MAX_REASON_BYTES, 'reason') }
}

/**
 * The signature for the contract inside a request or an answer. An answer with a code other than 0 is a refusal: in
 * v2 it carries zeros; in v1 whatever the original fills in. Errors: input `contractSignature`.
 */
export function writeContractSignature(out: ByteWriter, signature: Uint8Array, profile: 'v1' | 'v2', code = 0): void {
  const fault = signature.length === SIGNATURE_BYTES ? contractSignatureFault(signature, profile, code) : `${signature.length} bytes`
  if (fault !== null) throw inputError('contractSignature', fault, code === 0 || profile === 'v1' ? 'r, s, v: 65 bytes, v 27 or 28' : '65 zeros: a refusal signs nothing for the contract')
  out.bytes(signature)
}

export function readContractSignature(from: ByteReader): Uint8Array {
  return from.bytes(SIGNATURE_BYTES, SIGNATURE_BYTES, 'contract signature')
}

/** To be called when `code` is known too. */
export function checkContractSignature(from: ByteReader, signature: Uint8Array, profile: 'v1' | 'v2', code = 0): void {
  const fault = contractSignatureFault(signature, profile, code)
  if (fault !== null) from.refuse(`contract signature: ${fault}`)
}

function contractSignatureFault(signature: Uint8Array, profile: 'v1' | 'v2', code: number): string | null {
  if (code !== 0) return profile === 'v1' || isAbsent(signature) ? null : 'given with a refusal'
  if (!hasPlainV(signature)) return `v is ${signature[64]}`
  return profile === 'v2' && !hasLowS(signature) ? 'high s' : null
}
