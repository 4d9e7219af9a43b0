/**
 * How a source fails. Codes of the errors with which its promises reject:
 * `source-closed` (unavailable), `source-slow` (unavailable), `source-busy` (limit), `source-lied` (input).
 */
import { MeshBoxError, asError } from '../../base/index.ts'

/** It sent what no honest source sends. */
export function lied(reason: string, cause?: unknown): MeshBoxError {
  return new MeshBoxError('input', `the source sent ${reason}`, { code: 'source-lied', cause })
}

export function closed(reason: string): MeshBoxError {
  return new MeshBoxError('unavailable', `the source is closed: ${reason}`, { code: 'source-closed' })
}

/** Runs a decoder over what a source sent: what it refuses was a lie. */
export function decoding<T>(decode: () => T): T {
  try {
    return decode()
  } catch (thrown) {
    if (thrown instanceof MeshBoxError && thrown.code === 'source-lied') throw thrown
    throw lied(`bytes that do not decode (${asError(thrown).message})`, thrown)
  }
}
