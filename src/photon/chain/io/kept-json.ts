/** JSON in which {"n": "12"} is a bigint and {"b": "00ff"} are bytes. */
import { fromHex, toHex } from '../../../base/index.ts'

export function writeKept(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? { n: inner.toString() } : inner instanceof Uint8Array ? { b: toHex(inner) } : inner))
}

/** Whoever reads knows what was written. */
export function readKept(text: string): unknown {
  return JSON.parse(text, revive)
}

function revive(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const keys = Object.keys(value)
  if (keys.length !== 1) return value
  const { n, b } = value as { readonly n?: unknown; readonly b?: unknown }
  if (typeof n === 'string') return BigInt(n)
  return typeof b === 'string' ? fromHex(b) : value
}
