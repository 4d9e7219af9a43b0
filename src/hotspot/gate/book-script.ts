/**
 * The book in nft's language. One script is one transaction: all of it or nothing.
 *
 * Leases are set by add, delete, add. An `add` of an existing element changes its timeout only since Linux
 * 6.12, and a `delete` of one that has just run out fails the transaction; after the first `add` there is
 * always an element to delete, and after the last its timeout is the one asked for, on every kernel.
 */
import type { Book, BookedSession, Device, Draft } from './book.ts'
import { isPaid } from './book.ts'
import { BOOK_SETS, PAID, TABLE, classid, type BookSet } from './names.ts'
import type { Counts } from './counts.ts'
import type { DumpedElement } from './dump.ts'

/** Shortest timeout: a lease already over is set all the same, so that one way does for all. */
const SHORTEST_LEASE_MS = 1

interface Footprint {
  readonly set: BookSet
  readonly key: string
  readonly value: string | null
  /** Differs when the element has to be set anew although its text is the same. */
  readonly version: number
}

/** The elements of one device, without its lease. */
export function footprints(device: Device, session: BookedSession | undefined): Footprint[] {
  const handle = classid(device.handle)
  const at = (set: BookSet, key: string, value: string | null = null, version = 0): Footprint => ({ set, key, value, version })
  const prints = [at('devmac', `${device.mac} . ${handle}`), at('bytes_up', handle), at('bytes_down', handle)]
  if (!device.isOpen) return prints
  prints.push(at('upmac', device.mac, handle))
  if (device.ip4 !== null) prints.push(at('up4', `${device.mac} . ${device.ip4}`, handle), at('down4', device.ip4, handle))
  if (session !== undefined && session.totalBytes !== null) prints.push(at('quotas', handle, `"${session.key}"`, session.generation))
  if (session !== undefined && session.minor !== null) prints.push(at('classes', handle, classid(0x1_0000 + session.minor)))
  return prints
}

/** Commands from the book to the draft, at `nowMs` on the boot clock; empty when there is nothing to do. */
export function draftScript(draft: Draft, nowMs: number): string[] {
  const removed: Footprint[] = []
  const added: Footprint[] = []
  const shut: number[] = []
  const leased: { handle: number; leaseMs: number }[] = []
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
    if (draft.renewed.has(mac) || (paidBefore !== paid.handle && leaseMs > 0)) leased.push({ handle: paid.handle, leaseMs })
  }
  return [
    ...elementCommands('delete', removed),
    ...quotaDeletions(draft),
    ...quotaAdditions(draft),
    ...elementCommands('add', added),
    ...shutCommands(shut),
    ...leaseCommands(leased),
  ]
}

/** Everything, for empty tables. */
export function wholeScript(book: Book, counts: Counts, nowMs: number): string[] {
  const devices = [...book.devices.values()]
  const sessionOf = (device: Device): BookedSession | undefined => (device.session === null ? undefined : book.sessions.get(device.session))
  const prints = devices.flatMap((device) => {
    const [up, down] = [counts.up.get(device.handle), counts.down.get(device.handle)]
    return footprints(device, sessionOf(device)).map((print) => {
      const counted = print.set === 'bytes_up' ? up : print.set === 'bytes_down' ? down : undefined
      return counted === undefined ? print : { ...print, key: `${print.key} counter packets ${counted.packets} bytes ${counted.bytes}` }
    })
  })
  const quotas = [...book.sessions.values()].flatMap((session) =>
    session.totalBytes === null ? [] : [quotaCommand(session, session.totalBytes, counts.quotaUsed.get(session.key) ?? session.startBytes)],
  )
  const leased = devices
    .filter((device) => isPaid(device, book.sessions) && device.untilMs > nowMs)
    .map((device) => ({ handle: device.handle, leaseMs: device.untilMs - nowMs }))
  return [...quotas, ...elementCommands('add', prints), ...leaseCommands(leased)]
}

/** Learned and resolved addresses of a table about to be replaced; their time starts anew. */
export function carriedScript(set: string, elements: readonly DumpedElement[], render: (element: DumpedElement) => string | null): string[] {
  const texts = elements.map(render).filter((text) => text !== null)
  return texts.length === 0 ? [] : [`add element inet ${TABLE} ${set} { ${texts.join(', ')} }`]
}

function sessionBefore(draft: Draft, device: Device): BookedSession | undefined {
  return device.session === null ? undefined : draft.sessions.before(device.session)
}

function sessionAfter(draft: Draft, device: Device): BookedSession | undefined {
  return device.session === null ? undefined : draft.sessions.get(device.session)
}

function isSame(a: Footprint, b: Footprint): boolean {
  return a.set === b.set && a.key === b.key && a.value === b.value && a.version === b.version
}

function elementCommands(verb: 'add' | 'delete', prints: readonly Footprint[]): string[] {
  return BOOK_SETS.flatMap((set) => {
    const texts = prints.filter((print) => print.set === set).map((print) => (verb === 'add' && print.value !== null ? `${print.key} : ${print.value}` : print.key))
    return texts.length === 0 ? [] : [`${verb} element inet ${TABLE} ${set} { ${texts.join(', ')} }`]
  })
}

function hasObject(session: BookedSession | undefined): session is BookedSession & { totalBytes: number } {
  return session !== undefined && session.totalBytes !== null
}

function quotaDeletions(draft: Draft): string[] {
  return [...draft.sessions.changed()].flatMap((key) => {
    const [before, after] = [draft.sessions.before(key), draft.sessions.get(key)]
    const isGone = hasObject(before) && (!hasObject(after) || after.generation !== before.generation)
    return isGone ? [`delete quota inet ${TABLE} ${key}`] : []
  })
}

function quotaAdditions(draft: Draft): string[] {
  return [...draft.sessions.changed()].flatMap((key) => {
    const [before, after] = [draft.sessions.before(key), draft.sessions.get(key)]
    if (!hasObject(after)) return []
    const isKept = hasObject(before) && before.generation === after.generation
    // The kernel takes over the new limit of an object it has and keeps its count; the `used` is then ignored.
    return isKept && before.totalBytes === after.totalBytes ? [] : [quotaCommand(after, after.totalBytes, after.startBytes)]
  })
}

function quotaCommand(session: BookedSession, totalBytes: number, usedBytes: number): string {
  return `add quota inet ${TABLE} ${session.key} { over ${totalBytes} bytes used ${Math.min(usedBytes, totalBytes)} bytes }`
}

function shutCommands(handles: readonly number[]): string[] {
  if (handles.length === 0) return []
  const texts = handles.map(classid)
  return [
    `add element inet ${TABLE} ${PAID} { ${texts.map((handle) => `${handle} timeout 1s`).join(', ')} }`,
    `delete element inet ${TABLE} ${PAID} { ${texts.join(', ')} }`,
  ]
}

function leaseCommands(leased: readonly { handle: number; leaseMs: number }[]): string[] {
  if (leased.length === 0) return []
  const texts = leased.map(({ handle, leaseMs }) => `${classid(handle)} timeout ${Math.max(SHORTEST_LEASE_MS, Math.floor(leaseMs))}ms`)
  const add = `add element inet ${TABLE} ${PAID} { ${texts.join(', ')} }`
  return [add, `delete element inet ${TABLE} ${PAID} { ${leased.map(({ handle }) => classid(handle)).join(', ')} }`, add]
}
