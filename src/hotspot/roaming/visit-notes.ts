/** Visits as they are noted for the next process: JSON, amounts as decimal text. What another boot wrote says nothing any more. */
import type { Reading } from '../session/index.ts'
import type { WalkingSession } from './ports.ts'

export interface Visit {
  readonly session: WalkingSession
  /** By the seller's word; boot clock. 0: he is to be out. */
  readonly untilMs: number
  /** The kernel's lease. */
  readonly kernelUntilMs: number
  /** Time up to here is in `usedMs`, and bytes up to `seen` in `usedBytes`. */
  readonly countedToMs: number
  readonly usedMs: number
  readonly usedBytes: bigint
  readonly seen: Reading
  /** Since when it is over; null: it is not. */
  readonly overMs: number | null
}

const MAX_TEXT = 4 * 1024 * 1024
const AMOUNTS = new Set(['usedBytes', 'leftBytes', 'unitsPerMinute'])

export function writeVisits(visits: readonly Visit[], bootId: string): string {
  return JSON.stringify({ bootId, visits }, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
}

/** Errors: what is no JSON of ours. */
export function readVisits(text: string | null, bootId: string): readonly Visit[] {
  if (text === null || text.length > MAX_TEXT) return []
  const read = JSON.parse(text, (key, value: unknown) => (AMOUNTS.has(key) && typeof value === 'string' ? BigInt(value) : value)) as { readonly bootId: string; readonly visits: readonly Visit[] }
  return read.bootId === bootId ? read.visits : []
}
