/** What a call came to, in a form that can be compared: bytes as hex, errors as what callers see of them. */
import { MeshBoxError, toHex } from '../../../src/base/index.ts'

export function outcome(call: () => unknown): unknown {
  try {
    return plain(call())
  } catch (thrown) {
    return errorOf(thrown)
  }
}

export async function outcomeLater(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return plain(await call())
  } catch (thrown) {
    return errorOf(thrown)
  }
}

function plain(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value
  // A plain Uint8Array with memory of its own: not a Buffer, not a window on something larger.
  const isOwn = value.constructor === Uint8Array && value.byteOffset === 0 && value.buffer.byteLength === value.length
  return isOwn ? toHex(value) : `a ${value.constructor.name} at ${value.byteOffset} of ${value.buffer.byteLength}: ${toHex(value)}`
}

function errorOf(thrown: unknown): unknown {
  if (!(thrown instanceof MeshBoxError)) throw thrown
  return { error: thrown.kind, code: thrown.code, field: thrown.field, message: thrown.message }
}
