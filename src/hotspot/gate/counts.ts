/** What the kernel has counted, by device handle and by quota name; carried over when tables are made anew. */
import type { Book } from './book.ts'
import type { Contents, DumpedElement } from './dump.ts'
import { readClassid } from './names.ts'
import type { DeviceCounters } from './types.ts'

export interface Count {
  readonly packets: number
  readonly bytes: number
}

export interface Counts {
  readonly up: ReadonlyMap<number, Count>
  readonly down: ReadonlyMap<number, Count>
  /** The kernel's own count of each session's quota. */
  readonly quotaUsed: ReadonlyMap<string, number>
}

export const NO_COUNTS: Counts = { up: new Map(), down: new Map(), quotaUsed: new Map() }

export function countsFromDump(dump: Contents): Counts {
  return {
    up: readCounts(dump.sets.get('inet bytes_up') ?? []),
    down: readCounts(dump.sets.get('inet bytes_down') ?? []),
    quotaUsed: new Map([...dump.quotas].map(([key, quota]) => [key, quota.usedBytes])),
  }
}

export function readCounts(elements: readonly DumpedElement[]): Map<number, Count> {
  return new Map(elements.map((element) => [readClassid(element.key) ?? 0, { packets: element.packets, bytes: element.bytes }]))
}

/** Counters only grow: of two readings the larger is the newer. `kept`: handles that still have a device; others are left out. */
export function newerCounts(known: Counts, found: Counts, kept: { has(handle: number): boolean }): Counts {
  const larger = (a: ReadonlyMap<number, Count>, b: ReadonlyMap<number, Count>): ReadonlyMap<number, Count> => {
    const merged = new Map<number, Count>()
    for (const [handle, count] of a) if (kept.has(handle)) merged.set(handle, count)
    for (const [handle, count] of b) if (kept.has(handle) && count.bytes >= (merged.get(handle)?.bytes ?? 0)) merged.set(handle, count)
    return merged
  }
  const quotaUsed = new Map(known.quotaUsed)
  for (const [key, used] of found.quotaUsed) quotaUsed.set(key, Math.max(used, quotaUsed.get(key) ?? 0))
  return { up: larger(known.up, found.up), down: larger(known.down, found.down), quotaUsed }
}

export function deviceCounters(book: Book, counts: Counts): DeviceCounters[] {
  return [...book.devices.values()].map(({ mac, handle }) => {
    const [up, down] = [counts.up.get(handle), counts.down.get(handle)]
    return { mac, upBytes: up?.bytes ?? 0, downBytes: down?.bytes ?? 0, upPackets: up?.packets ?? 0, downPackets: down?.packets ?? 0 }
  })
}
