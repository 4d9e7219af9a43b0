/** Checks of arguments that both backends share, so that both complain alike. Secrets are never quoted. */
import { MeshBoxError, inputError } from '../base/index.ts'
import { COMPRESSED_POINT_BYTES, MAX_BATCH_BYTES, MAX_BATCH_FRAMES, MAX_COMBINED_POINTS, POINT_BYTES, SCALAR_BYTES } from './secp256k1.ts'
import type { HighS, PointForm } from './secp256k1.ts'

export function checkBytes(field: string, value: unknown, length: number): void {
  if (!(value instanceof Uint8Array) || value.length !== length) throw inputError(field, shapeOf(value), `Uint8Array of ${length} bytes`)
}

export function checkAnyBytes(field: string, value: unknown): void {
  if (!(value instanceof Uint8Array)) throw inputError(field, shapeOf(value), 'Uint8Array')
}

export function checkPublicKey(value: unknown): void {
  if (!(value instanceof Uint8Array) || (value.length !== COMPRESSED_POINT_BYTES && value.length !== POINT_BYTES))
    throw inputError('publicKey', shapeOf(value), `Uint8Array of ${COMPRESSED_POINT_BYTES} or ${POINT_BYTES} bytes`)
}

export function checkPoints(value: unknown): void {
  const isWhole = value instanceof Uint8Array && value.length > 0 && value.length % POINT_BYTES === 0 && value.length <= POINT_BYTES * MAX_COMBINED_POINTS
  if (!isWhole) throw inputError('points', shapeOf(value), `1 to ${MAX_COMBINED_POINTS} points of ${POINT_BYTES} bytes`)
}

export function checkFrames(field: string, value: unknown, stride: number): void {
  const allowed = `whole frames of ${stride} bytes, at most ${MAX_BATCH_FRAMES} frames and ${MAX_BATCH_BYTES} bytes`
  if (!(value instanceof Uint8Array) || value.length % stride !== 0 || value.length > MAX_BATCH_BYTES || value.length / stride > MAX_BATCH_FRAMES)
    throw inputError(field, shapeOf(value), allowed)
}

export function checkStride(value: unknown): void {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > MAX_BATCH_BYTES)
    throw inputError('stride', value, `a whole number from 1 to ${MAX_BATCH_BYTES}`)
}

/** Whether the short form is asked for. */
export function isCompressed(form: PointForm): boolean {
  if (form !== 'compressed' && form !== 'uncompressed') throw inputError('form', form, 'compressed, uncompressed')
  return form === 'compressed'
}

export function isHighSAccepted(highS: HighS): boolean {
  if (highS !== 'accept' && highS !== 'refuse') throw inputError('highS', highS, 'refuse, accept')
  return highS === 'accept'
}

/** For scalars of the right length that are not in 1..N-1. */
export function privateKeyError(): MeshBoxError {
  return inputError('privateKey', `${SCALAR_BYTES} bytes outside the range`, "1 to the group's order minus 1")
}

export function signatureFailed(): MeshBoxError {
  return new MeshBoxError('internal', 'this digest cannot be signed recoverably', { code: 'signature-failed' })
}

function shapeOf(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  return value === null ? 'null' : typeof value
}
