/**
 * From the book to changes of the kernel's sets. One list of changes is one transaction: all of it or nothing.
 *
 * Leases are set by add, delete, add. An `add` of an existing element changes its timeout only since Linux
 * 6.12, and a `delete` of one that has just run out fails the transaction; after the first `add` there is
 * always an element to delete, and after the last its timeout is the one asked for, on every kernel. For a number
 * that was never in the kernel one `add` does.
 */
import type { Book, BookedSession, Device, Draft } from './book.ts'
import { isPaid } from './book.ts'
import { BOOK_SETS, PAID, type BookSet } from './names.ts'
import type { Counts } from './counts.ts'
import type { Field, SetChange, SetElement } from './set-changes.ts'

/** Shortest timeout: a lease already over is set all the same, so that one way does for all. */
const SHORTEST_LEASE_MS = 1

interface Footprint {
  readonly set: BookSet
  readonly key: readonly Field[]
  readonly value: Field | null
  /** Differs when the element has to be set anew although it reads the same. */
  readonly version: number
}

interface Lease {
  readonly handle: number
  readonly leaseMs: number
  /** Its number was never in the kernel. */
  readonly isFirst: boolean
}

/** The elements of one device, without its lease. */
export function footprints(device: Device, session: BookedSession | undefined): Footprint[] {
  const { handle, mac, ip4 } = device
  const at = (set: BookSet, key: readonly Field[], value: Field | null = null, version = 0): Footprint => ({ set, key, value, version })
  const prints = [at('devmac', [mac, handle]), at('bytes_up', [handle]), at('bytes_down', [handle])]
  if (!device.isOpen) return prints
  prints.push(at('upmac', [mac], handle))
  if (ip4 !== null) prints.push(at('up4', [mac, ip4], handle), at('down4', [ip4], handle))
  if (session !== undefined && session.totalBytes !== null) prints.push(at('quotas', [handle], session.key, session.generation))
  if (session !== undefined && session.minor !== null) prints.push(at('classes', [handle], 0x1_0000 + session.minor))
  return prints
}

/** Changes from the book to the draft, at `nowMs` on the boot clock; empty when there is nothing to do. */
export function draftChanges(draft: Draft, nowMs: number): SetChange[] {
  const removed: Footprint[] = []
  const added: Footprint[] = []
  const shut: number[] = []
  const leased: Lease[] = []
  const touched = draft.touched()
  for (const mac of touched) {
    const [before, after] = [draft.devices.before(mac), draft.devices.get(mac)]
    const was = before === undefined ? [] : footprints(before, sessionBefore(draft, before))
    const is = after === undefined ? [] : footprints(after, sessionAfter(draft, after))
    removed.push(...was.filter((print) => !is.some((other) => isSame(print, other))))
    added.push(...is.filter((print) => !was.some((other) => isSame(print, other))))
    const paidBefore = before !== undefined && isPaid(before, draft.book.sessions) ? before.handle : null
    const paid = after !== undefined && isPaid(after, draft.sessions) ? after : null
    if (paidBefore !== null && paidBefore !== paid?.handle) shut.push(paidBefore)
    if (paid === null) continue
    const leaseMs = paid.untilMs - nowMs
    if (draft.renewed.has(mac) || (paidBefore !== paid.handle && leaseMs > 0)) leased.push({ handle: paid.handle, leaseMs, isFirst: before === undefined })
  }
  return [
    ...elementChanges('delete', removed.map((print) => ({ print }))),
    ...quotaDeletions(draft),
    ...quotaAdditions(draft),
    ...elementChanges('add', added.map((print) => ({ print }))),
    ...shutChanges(shut),
    ...leaseChanges(leased),
  ]
}

/** Everything, for empty tables. */
export function wholeBook(book: Book, counts: Counts, nowMs: number): SetChange[] {
  const devices = [...book.devices.values()]
  const sessionOf = (device: Device): BookedSession | undefined => (device.session === null ? undefined : book.sessions.get(device.session))
  const prints = devices.flatMap((device) => {
    const [up, down] = [counts.up.get(device.handle), counts.down.get(device.handle)]
    return footprints(device, sessionOf(device)).map((print) => ({ print, count: print.set === 'bytes_up' ? up : print.set === 'bytes_down' ? down : undefined }))
  })
  const quotas = [...book.sessions.values()].flatMap((session) =>
    session.totalBytes === null ? [] : [quotaChange(session, session.totalBytes, counts.quotaUsed.get(session.key) ?? session.startBytes)],
  )
  const leased = devices
    .filter((device) => isPaid(device, book.sessions) && device.untilMs > nowMs)
    .map((device) => ({ handle: device.handle, leaseMs: device.untilMs - nowMs, isFirst: true }))
  return [...quotas, ...elementChanges('add', prints), ...leaseChanges(leased)]
}

function sessionBefore(draft: Draft, device: Device): BookedSession | undefined {
  return device.session === null ? undefined : draft.sessions.before(device.session)
}

function sessionAfter(draft: Draft, device: Device): BookedSession | undefined {
  return device.session === null ? undefined : draft.sessions.get(device.session)
}

function isSame(a: Footprint, b: Footprint): boolean {
  return a.set === b.set && a.value === b.value && a.version === b.version && a.key.every((field, index) => field === b.key[index])
}

interface Counted {
  readonly print: Footprint
  readonly count?: SetElement['count'] | undefined
}

function elementChanges(verb: 'add' | 'delete', prints: readonly Counted[]): SetChange[] {
  const elements = new Map<BookSet, SetElement[]>(BOOK_SETS.map((set) => [set, []]))
  for (const { print, count } of prints) elements.get(print.set)?.push(verb === 'delete' ? { key: print.key } : elementOf(print, count))
  return [...elements].flatMap(([set, found]) => (found.length === 0 ? [] : [{ do: verb, set, elements: found }]))
}

function elementOf({ key, value }: Footprint, count: SetElement['count']): SetElement {
  if (value !== null) return { key, value }
  return count === undefined ? { key } : { key, count }
}

function hasObject(session: BookedSession | undefined): session is BookedSession & { totalBytes: number } {
  return session !== undefined && session.totalBytes !== null
}

function quotaDeletions(draft: Draft): SetChange[] {
  return [...draft.sessions.changed()].flatMap((key) => {
    const [before, after] = [draft.sessions.before(key), draft.sessions.get(key)]
    const isGone = hasObject(before) && (!hasObject(after) || after.generation !== before.generation)
    return isGone ? [{ do: 'delete-quota' as const, quota: key }] : []
  })
}

function quotaAdditions(draft: Draft): SetChange[] {
  return [...draft.sessions.changed()].flatMap((key) => {
    const [before, after] = [draft.sessions.before(key), draft.sessions.get(key)]
    if (!hasObject(after)) return []
    const isKept = hasObject(before) && before.generation === after.generation
    // The kernel takes over the new limit of an object it has and keeps its count; the `used` is then ignored.
    return isKept && before.totalBytes === after.totalBytes ? [] : [quotaChange(after, after.totalBytes, after.startBytes)]
  })
}

function quotaChange(session: BookedSession, totalBytes: number, usedBytes: number): SetChange {
  return { do: 'add-quota', quota: session.key, totalBytes, usedBytes: Math.min(usedBytes, totalBytes) }
}

function shutChanges(handles: readonly number[]): SetChange[] {
  if (handles.length === 0) return []
  return [
    { do: 'add', set: PAID, elements: handles.map((handle) => ({ key: [handle], timeoutMs: 1000 })) },
    { do: 'delete', set: PAID, elements: handles.map((handle) => ({ key: [handle] })) },
  ]
}

function leaseChanges(leased: readonly Lease[]): SetChange[] {
  const lease = ({ handle, leaseMs }: Lease): SetElement => ({ key: [handle], timeoutMs: Math.max(SHORTEST_LEASE_MS, Math.floor(leaseMs)) })
  const first = leased.filter(({ isFirst }) => isFirst)
  const renewed = leased.filter(({ isFirst }) => !isFirst)
  const add: SetChange = { do: 'add', set: PAID, elements: renewed.map(lease) }
  return [
    ...(first.length === 0 ? [] : [{ do: 'add', set: PAID, elements: first.map(lease) } as const]),
    ...(renewed.length === 0 ? [] : [add, { do: 'delete', set: PAID, elements: renewed.map(({ handle }) => ({ key: [handle] })) } as const, add]),
  ]
}
